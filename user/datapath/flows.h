/* SPDX-License-Identifier: GPL-2.0-only */
/* Looks through the table of connections: makes room where one has expired, and says what became of it. */
#ifndef XDPLIFE_FLOWS_H
#define XDPLIFE_FLOWS_H

#include <stdbool.h>

#include "datapath/events.h"

/* A value of the map `flows`: struct flow_entry in bpf/maps.h. */
struct flow_value {
	__u32 lock, changes, proven, _pad;
	struct tcp_track track;
};

struct flows_sweep {
	__u64 now_ns; /* CLOCK_MONOTONIC */
	bool stopped; /* the observer stops: every connection is told of and removed */
	events_handler handler;
	void *context;
};

/**
 * flows_sweep() - forget the connections that are over (observer/expiry.h), tell of those whose end was not told
 * @fd: of the map `flows`
 *
 * Return: how many were removed, or -errno, also the handler's.
 */
int flows_sweep(int fd, const struct flows_sweep *sweep);

#endif
