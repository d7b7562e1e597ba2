/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The observer without a kernel: frames of a capture go through the same engine as live ones (bpf/observe.h is its other
 * caller) and come out as the same events and the same counters.
 */
#ifndef XDPLIFE_OFFLINE_H
#define XDPLIFE_OFFLINE_H

#include <stdbool.h>
#include <stddef.h>

#include "xdplife/event.h"
#include "xdplife/link.h"

struct offline;

typedef int (*offline_handler)(void *context, const struct trace_event *event, const __u8 *bytes);

struct offline_options {
	bool packets;   /* an event for each frame, not only for what happens to connections */
	__u32 max_open; /* connections; at least 1 */
	__u32 max_half_open;
	offline_handler handler; /* 0, or -errno, which ends the reading */
	void *context;
};

/* One frame of a capture. */
struct offline_frame {
	const __u8 *data;
	__u32 captured_bytes;
	__u32 wire_bytes;
	__u64 time_ns;
	__u32 interface;      /* from 0; the event has one more as its ifindex */
	enum link_kind link;  /* what it begins with */
	enum trace_hook hook; /* HOOK_EGRESS for what was sent */
	bool second_hook;     /* the same packet was in the file before, at another interface */
	bool filtered;        /* the filter does not match */
};

/* NULL: no memory. @options are copied. */
struct offline *offline_new(const struct offline_options *options);

/* Return: 0; -ENOMEM; -errno of the handler. */
int offline_frame(struct offline *offline, const struct offline_frame *frame);

/* The file ends: tells what became of each connection whose end was not told. Return: as offline_frame(). */
int offline_end(struct offline *offline);

/* There are so many interfaces from here on; before the first frame of each. Return: 0, -ENOMEM. */
int offline_interfaces(struct offline *offline, __u32 count);

/* What was counted until now, of one interface and of all. Borrowed until the next is added. */
const struct port_counters *offline_counters(const struct offline *offline, __u32 interface);
struct port_counters offline_total(const struct offline *offline);

/* NULL is allowed. */
void offline_free(struct offline *offline);

#endif
