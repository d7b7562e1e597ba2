/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Userspace's hand on the table of connections (bpf/flow_table.h), which lies in memory that both share: how large it is,
 * what is in it, and who has expired and must make room.
 */
#ifndef XDPLIFE_FLOWS_H
#define XDPLIFE_FLOWS_H

#include <stdbool.h>
#include <stddef.h>

#include "datapath/events.h"
#include "observer/connection.h"
#include "xdplife/flow_entry.h"

/* The maps of these names, and the first of them in our memory. */
struct flows {
	int places_fd, free_fd;
	struct flow_entry *entry;
	__u32 max;
};

/* Slots for guesses at the places of so many connections: a power of two, enough that few share one. */
__u32 flows_guesses(__u32 max);

/**
 * flows_open() - map the table
 * @connections_fd, @places_fd, @free_fd: of the maps `connections`, `flow_places` and `free_places`
 * @max:                                  entries of `connections`
 *
 * Return: 0 with *flows to be closed by flows_close(); -errno, nothing to be closed.
 */
int flows_open(struct flows *flows, int connections_fd, int places_fd, int free_fd, __u32 max);

/* Also what was only zeroed. */
void flows_close(struct flows *flows);

/* Return: whether there is such a connection; then *track is its state now. */
bool flows_look_up(const struct flows *flows, const struct flow_key *key, struct tcp_track *track);

/**
 * flows_read() - up to @max connections, in no order
 * Nothing is locked for it: of a connection that is just changing, parts may be of two moments.
 *
 * Return: how many, or -errno.
 */
long flows_read(const struct flows *flows, struct connection *rows, size_t max);

struct flows_sweep {
	__u64 now_ns; /* CLOCK_MONOTONIC */
	bool stopped; /* the observer stops: every connection is told of and removed */
	events_handler handler;
	void *context;
};

/**
 * flows_sweep() - forget the connections that are over (observer/expiry.h), tell of those whose end was not told
 *
 * Return: how many were removed, or -errno, also the handler's.
 */
int flows_sweep(const struct flows *flows, const struct flows_sweep *sweep);

#endif
