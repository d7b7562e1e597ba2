/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TCP source ports, held against the kernel for as long as they are wanted, and used by turns: the one that
 * has rested longest is next.
 *
 * A rest is needed: while a Linux server turns the last connection of a port into TIME-WAIT, a SYN from the
 * same port that comes within these microseconds is dropped (its kernel acknowledges the FIN first), and is
 * sent again only a second later.
 *
 * Ownership: source_ports_close() gives all ports back; a port that was taken is borrowed.
 */
#ifndef XDPLIFE_SOURCE_PORTS_H
#define XDPLIFE_SOURCE_PORTS_H

#include <stdbool.h>
#include <stdint.h>

#include "net/path.h"

struct source_ports;

struct source_port {
	int fd; /* bound, never connected */
	uint16_t number;
	bool used;         /* before: */
	uint32_t next_isn; /* the lowest that the server's end then takes */
};

/* Return: 0 with *ports to be closed by source_ports_close(); an exit_code with the error said. */
int source_ports_open(struct source_ports **ports, const struct net_path *path, unsigned int count);

/* @index: below @count; for whoever wants to see all of them */
const struct source_port *source_ports_at(const struct source_ports *ports, unsigned int index);

/* Return: NULL if all are taken. */
struct source_port *source_ports_take(struct source_ports *ports);
void source_ports_put_back(struct source_ports *ports, struct source_port *port);

/**
 * source_port_isn() - the initial sequence number of the next connection from this port to the same server
 * @clock_isn: RFC 6528's (tcp_numbers.h)
 * @span: how many sequence numbers that connection uses at most: SYN, data and FIN
 *
 * A server that closed first holds the numbers of the last connection in TIME-WAIT, and takes a SYN that lies
 * beyond them (RFC 9293 §3.6.1, RFC 6191). The clock alone gets there only after 4 µs for each number used.
 */
uint32_t source_port_isn(struct source_port *port, uint32_t clock_isn, uint32_t span);

/* NULL is allowed. */
void source_ports_close(struct source_ports *ports);

#endif
