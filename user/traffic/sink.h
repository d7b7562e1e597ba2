/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The counting sink at the far end of a stream: an XDP program that takes its frames off the wire and tells loss,
 * duplication, reordering and one-way latency. Everything else it leaves to the stack.
 */
#ifndef XDPLIFE_SINK_H
#define XDPLIFE_SINK_H

#include <stdbool.h>

#include "traffic/replay.h"
#include "xdplife/generate.h"

struct traffic_sink;

struct traffic_sink_options {
	const char *ifname; /* in the current network namespace */
	const struct craft_config *craft;
	const struct replay *replay; /* NULL: none; else its frames, instead of crafted ones: they are only counted */
	bool after_stack; /* at tc ingress, where an XDP program would make the kernel copy what is an skb already */
};

struct sink_report {
	bool numbered; /* the frames carry numbers and times; else nothing is known but the two below, and others */
	__u64 received, bytes;
	__u64 unique; /* numbers of the sequence that came */
	__u64 reordered, duplicates, stale;
	__u64 others;   /* frames that are not of the stream */
	__u64 measured; /* frames in the histogram */
	__u64 latency[HISTOGRAM_BUCKETS];
};

/* Return: 0, or an exit_code with the error and its cure said. */
int traffic_sink_open(struct traffic_sink **sink, const struct traffic_sink_options *options);

/* Sums over threads and CPUs. 0 or -errno. */
int traffic_sink_read(const struct traffic_sink *sink, struct sink_report *report);

/* Only the number of frames received, for who waits for the last ones. */
__u64 traffic_sink_received(const struct traffic_sink *sink);

/* Begins to count anew; for a stream that begins anew. 0 or -errno. */
int traffic_sink_reset(struct traffic_sink *sink);

/* The program, for whoever measures it. */
int traffic_sink_program(const struct traffic_sink *sink);

/* NULL is allowed. */
void traffic_sink_close(struct traffic_sink *sink);

/* The latency below which a fraction of the measured frames stayed, in ns: the middle of its bucket; NAN without. */
double sink_latency_ns(const struct sink_report *report, double fraction);

#endif
