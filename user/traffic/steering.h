/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TCP connections past the kernel's stack: on the interface of one path, the datapath's steer stage and the
 * AF_XDP sockets that it hands the connections' frames to.
 *
 * Ownership: steering_close() detaches and frees everything; the path is borrowed and must outlive it.
 */
#ifndef XDPLIFE_STEERING_H
#define XDPLIFE_STEERING_H

#include <stdbool.h>

#include "net/path.h"
#include "net/tcp_conn.h"
#include "net/xsk.h"

struct steering;

/**
 * steering_open() - attach to the path's interface and open its sockets
 * @path:        with route and neighbour; its port is not looked at
 * @connections: how many there will be at once, at most
 * @ports:       how many ports of ours they will have
 *
 * Return: 0 with *steering to be closed by steering_close(); an exit_code with the error and its cure said.
 */
int steering_open(struct steering **steering, const struct net_path *path, unsigned int connections,
		  unsigned int ports);

/*
 * The peer's frames to this port of ours come to the sockets; to be called before the first frame goes out.
 * Return: 0, or an exit_code with the error said.
 */
int steering_add(struct steering *steering, uint16_t local_port);

/*
 * What all connections of the path have in common: MSS, and a receive window that the sockets can hold even
 * if all fill theirs while we look away. The rest of @conn is left alone.
 */
void steering_conn(const struct steering *steering, struct tcp_conn_config *conn);

struct xsk *steering_xsk(const struct steering *steering);

/* Attached in the driver, else generic (skb) mode. */
bool steering_native(const struct steering *steering);

/*
 * Whether frames can still pass. Return: 0; -ENODEV: the interface was deleted since; -ENETDOWN: it was set
 * down.
 */
int steering_check(const struct steering *steering);

/* NULL is allowed. */
void steering_close(struct steering *steering);

#endif
