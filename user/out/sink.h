/* SPDX-License-Identifier: GPL-2.0-only */
/* Where events go: text, JSON and pcapng files behind one small interface. */
#ifndef XDPLIFE_SINK_H
#define XDPLIFE_SINK_H

#include <net/if.h>
#include <stdbool.h>

#include "xdplife/counters.h"
#include "xdplife/event.h"

/* The interfaces of a session, as the sinks show them. */
struct sink_interface {
	char name[IF_NAMESIZE];
	unsigned int ifindex;
	__u8 mac[6];
};

struct sink_session {
	const struct sink_interface *interface;
	int interface_count;
	__u64 start_ns;     /* CLOCK_MONOTONIC: text shows times since then */
	__s64 to_epoch_ns;  /* to be added to an event's time to get the time since the Unix epoch */
	bool packets;       /* show each packet, not only what happens to connections */
	const char *command_line;
};

struct sink;

struct sink_ops {
	/* Return: 0 or -errno; after an error the sink is not called again but to be closed. */
	int (*event)(struct sink *sink, const struct trace_event *event, const __u8 *bytes);
	/* One port's counters at the end, before closing. NULL: the sink does not want them. */
	int (*interface_end)(struct sink *sink, int interface, const struct port_counters *counters);
	/* Return: 0 or -errno: the first write that failed. */
	int (*close)(struct sink *sink);
};

struct sink {
	const struct sink_ops *ops;
	const struct sink_session *session; /* borrowed */
};

/* Each returns a sink that ops->close() frees, or NULL with errno set. @session is borrowed until then. */
struct sink *sink_text_open(const struct sink_session *session);
struct sink *sink_json_open(const struct sink_session *session);
struct sink *sink_pcapng_open(const struct sink_session *session, const char *path);

/* The interface that an event happened on: its number in the session, or -1. */
int sink_interface_of(const struct sink_session *session, unsigned int ifindex);
const char *sink_interface_name(const struct sink_session *session, unsigned int ifindex);

#endif
