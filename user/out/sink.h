/* SPDX-License-Identifier: GPL-2.0-only */
/* Where events go: text, JSON and pcapng files behind one small interface. */
#ifndef XDPLIFE_SINK_H
#define XDPLIFE_SINK_H

#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>

#include "out/rotation.h"
#include "xdplife/counters.h"
#include "xdplife/event.h"
#include "xdplife/link.h"

struct owner;
struct owners;

/* The interfaces of a session, as the sinks show them. */
struct sink_interface {
	char name[IF_NAMESIZE];
	const char *description; /* NULL: none */
	const char *hardware;    /* "veth"; NULL: not known */
	unsigned int ifindex;
	__u8 mac[6];
	enum link_kind link;
};

/* How the text shows when something happened. */
enum time_style {
	TIME_RELATIVE, /* seconds since the start */
	TIME_ABSOLUTE, /* date, time of day and offset of the local time zone */
	TIME_DELTA,    /* seconds since the line before */
};

struct host_names;

struct sink_session {
	const struct sink_interface *interface;
	int interface_count;
	__u64 start_ns;    /* CLOCK_MONOTONIC: text shows times since then */
	__s64 to_epoch_ns; /* to be added to an event's time to get the time since the Unix epoch */
	bool packets;      /* show each packet, not only what happens to connections */
	bool offline;      /* the times are those of a file, not of now */
	bool explain;      /* say under each event what it means and what proves it */
	enum time_style time_style;
	struct host_names *names; /* NULL: addresses and ports as numbers */
	const char *capture;      /* offline: the file */
	const char *command_line;
	const char *filter; /* pcap-filter(7); NULL: none */
	__u32 snap_bytes;   /* packets were cut to so many; 0: no limit */
	/*
	 * An interface's counters until now, for files that are finished while the session goes on. 0 or -errno. NULL:
	 * they are only known at the end.
	 */
	int (*counters)(void *context, int interface, struct port_counters *counters);
	void *context;
	struct owners *owners; /* of the local sockets; NULL: nobody knows */
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
/* Of what sink_json_open() writes; goes up when an older reader would misunderstand it. */
#define SINK_JSON_SCHEMA 1

/* The JSON Schema of it (draft 2020-12). Return: 0 or -errno. */
int sink_json_schema(FILE *out);

/* @rotation: borrowed for the call. */
struct sink *sink_pcapng_open(const struct sink_session *session, const char *path,
			      const struct rotation_options *rotation);

/* The interface that an event happened on: its number in the session, or -1. */
int sink_interface_of(const struct sink_session *session, unsigned int ifindex);
/* What its frames begin with. */
enum link_kind sink_link(const struct sink_session *session, const struct trace_event *event);
const char *sink_interface_name(const struct sink_session *session, unsigned int ifindex);

/* Where an event was seen, "xdp", and by what clock: "CLOCK_MONOTONIC". */
const char *sink_hook(const struct sink_session *session, enum trace_hook hook);
const char *sink_clock(const struct sink_session *session);

/* Whose socket is at the client's or at the server's end. Return: 0, or -ENOENT as owners_find(). */
int sink_owner(const struct sink_session *session, const struct trace_event *event, bool client,
	       struct owner *owner);

#endif
