/* SPDX-License-Identifier: GPL-2.0-only */
/* How long a silent connection is waited for, and the event that says that the waiting is over. */
#ifndef XDPLIFE_EXPIRY_H
#define XDPLIFE_EXPIRY_H

#include <stdbool.h>

#include "xdplife/event.h"

/**
 * expiry_ns() - from when on nothing more is expected of a connection
 * Closed and reset ones stay as long as their last segments may still be repeated, silent ones as long as Linux keeps
 * them itself (nf_conntrack's figures for the same cases).
 */
__u64 expiry_ns(const struct tcp_track *track);

/**
 * expiry_event() - what became of a connection of which nothing more will be heard
 * @event:   filled: HOOK_NONE, its packet is one from client to server, as far as that is known
 * @now_ns:  the observer's time
 * @stopped: the observer stops; else the connection has expired, and the event is of that moment
 *
 * Return: whether there is anything to tell; not if its end was told before.
 */
bool expiry_event(struct trace_event *event, const struct flow_key *key, const struct tcp_track *track,
		  __u64 now_ns, bool stopped);

#endif
