/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What became of all connections, in sum: outcomes, times of the handshakes, who fails to open them and where.
 *
 * Filled event by event (of a file, and live of what is told by userspace itself), or from what the kernel side has summed
 * up already (datapath/totals.h). Both give the same, for they count by the same rules (xdplife/summary.h).
 */
#ifndef XDPLIFE_OBSERVER_SUMMARY_H
#define XDPLIFE_OBSERVER_SUMMARY_H

#include "util/latency.h"
#include "xdplife/counters.h"
#include "xdplife/event.h"
#include "xdplife/summary.h"

#define SUMMARY_MAX_TALKERS 65536

struct talkers;

/* Zero bytes are an empty one. */
struct summary {
	struct fate_counts connections;
	__u64 evicted; /* pushed out of the table of half-open ones */
	__u64 no_room; /* segments of connections for which there was no room */
	__u64 tcp_event[TCP_EVENT_COUNT];
	struct latency server; /* SYN to SYN-ACK; its maximum is the end of a bucket */
	struct latency client; /* SYN-ACK to ACK */
	__u64 server_sum_ns;
	__u64 client_sum_ns;
	__u64 ambiguous; /* handshakes whose times are not known for sure (Karn): in neither of the two */
	struct talkers *talkers;
	__u64 unnamed; /* events of talkers beyond SUMMARY_MAX_TALKERS, or for which there was no memory */
};

struct talker_row {
	struct talker_key key;
	struct talker sum;
};

/* One event. */
void summary_add(struct summary *summary, const struct trace_event *event);

/* What was summed up elsewhere. @latency's maximum becomes the end of its highest bucket. */
void summary_add_counters(struct summary *summary, const struct port_counters *counters);
void summary_add_handshakes(struct summary *summary, const struct handshakes *times);
void summary_add_talker(struct summary *summary, const struct talker_key *key, const struct talker *sum);

/* Those that began and have not ended: half-open or open now; once all ends have been told, those pushed out. */
__u64 summary_open(const struct summary *summary);
__u64 summary_midstream_open(const struct summary *summary);

/* Of those that began (or, @midstream, of the others), with an ICMP error taken for the end only if nothing else came. */
__u64 summary_fate(const struct summary *summary, enum fate outcome, int midstream);
__u64 summary_ending(const struct summary *summary, enum ending ending, int midstream);

/* Started, minus all outcomes, minus those pushed out at most: 0 is right. */
__s64 summary_residue(const struct summary *summary);

/* Attempts of a talker that were not open in the end, and those of them with that ending; ENDING_COUNT: pushed out. */
__u64 talker_failed(const struct talker *sum);
__u64 talker_failed_by(const struct talker *sum, enum ending ending);

enum talker_order {
	TALKERS_BY_FAILED,   /* only those that have failed */
	TALKERS_BY_ATTEMPTS, /* the busiest */
};

/* The first @max of that kind. Return: how many. */
size_t summary_talkers(const struct summary *summary, enum talker_kind kind, enum talker_order order,
		       struct talker_row *rows, size_t max);

/* What it holds; it is empty then. */
void summary_clear(struct summary *summary);

#endif
