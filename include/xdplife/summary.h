/* SPDX-License-Identifier: GPL-2.0-only */
/* What is summed up over all connections: times of both legs of the handshake, and who opens how many with what success. */
#ifndef XDPLIFE_SUMMARY_H
#define XDPLIFE_SUMMARY_H

#include "histogram.h"
#include "tcp_track.h"

/* In ns; connections whose handshake is ambiguous are in neither. */
struct handshakes {
	__u64 server[HISTOGRAM_BUCKETS]; /* SYN to SYN-ACK */
	__u64 client[HISTOGRAM_BUCKETS]; /* SYN-ACK to ACK */
	__u64 server_sum_ns;
	__u64 client_sum_ns;
	__u64 ambiguous; /* connections */
};

/* Prefixes of sources: what one network is given. */
#define TALKER_PREFIX_IP4 24
#define TALKER_PREFIX_IP6 48

enum talker_kind {
	TALKER_SOURCE,      /* a client's prefix; port 0 */
	TALKER_DESTINATION, /* a server's address and port */
};

struct talker_key {
	union ip_addr addr;
	__be16 port;
	__u8 ip_version;
	__u8 kind; /* enum talker_kind */
};

_Static_assert(sizeof(struct talker_key) == 20, "hashed as bytes: no hidden padding");

/* What is counted of a talker's connections: the endings that matter of them, by enum ending, and then */
enum talker_column {
	TALKER_RESET = ENDING_RESET,
	TALKER_ATTEMPTS,
	TALKER_ESTABLISHED,
	TALKER_RECOVERED, /* of those unreachable: something else became of them after all */
	TALKER_COLUMN_COUNT,
};

struct talker {
	__u64 count[TALKER_COLUMN_COUNT];
};

/* Whether the segment is the first of a connection. Ports used again by a SYN on an open one show it only by its answer. */
static __always_inline int connection_begins(const struct tcp_track *t, __u32 events)
{
	return events & (TCP_EVENT_REUSED | TCP_EVENT_MIDSTREAM) ||
	       (events & TCP_EVENT_SYN && t->phase == TCP_PHASE_OPENING);
}

static __always_inline enum fate reset_fate(const struct tcp_track *t, flow_end sender)
{
	int stage = t->reset_phase < TCP_PHASE_ESTABLISHED ? 0 : t->reset_phase < TCP_PHASE_CLOSING ? 1 : 2;

	if (t->client == TCP_END_UNKNOWN)
		return FATE_RESET_UNKNOWN;
	return (enum fate)(FATE_RESET_OPENING_CLIENT + 2 * stage + (sender != t->client));
}

static __always_inline enum fate closed_fate(const struct tcp_track *t)
{
	if (t->flags & TCP_TRACK_SIMULTANEOUS_CLOSE)
		return FATE_CLOSED_BOTH;
	if (t->client == TCP_END_UNKNOWN)
		return FATE_CLOSED_UNKNOWN;
	return t->closer == t->client ? FATE_CLOSED_CLIENT : FATE_CLOSED_SERVER;
}

/**
 * fate_of() - what the event makes of its connection, or of the one before on the same ports
 * Of a connection that is unreachable another event may still tell something else: recovered_by().
 *
 * Return: FATE_COUNT: it goes on.
 */
static __always_inline enum fate fate_of(const struct tcp_track *t, __u32 events, flow_end sender)
{
	if (events & TCP_EVENT_TIMED_OUT)
		return FATE_TIMED_OUT;
	if (events & TCP_EVENT_HALF_OPEN) /* ports are used again, or the observer stops */
		return t->phase == TCP_PHASE_OPENING && !(events & TCP_EVENT_REUSED) ? FATE_UNANSWERED
										     : FATE_HALF_OPEN;
	if (events & TCP_EVENT_ABANDONED)
		return FATE_ABANDONED;
	if (events & TCP_EVENT_STILL_OPEN)
		return FATE_STILL_OPEN;
	if (events & TCP_EVENT_REFUSED)
		return FATE_REFUSED;
	if (events & TCP_EVENT_UNREACHABLE)
		return FATE_UNREACHABLE;
	if (events & TCP_EVENT_RESET)
		return reset_fate(t, sender);
	return events & TCP_EVENT_CLOSED ? closed_fate(t) : FATE_COUNT;
}

/* The flags of the connection whose outcome it is. */
static __always_inline __u8 flags_of_ended(const struct tcp_track *t, __u32 events)
{
	return events & TCP_EVENT_REUSED ? t->former_flags : t->flags;
}

/* Whether the outcome takes the place of an UNREACHABLE told before. */
static __always_inline int recovered_by(const struct tcp_track *t, __u32 events, enum fate outcome)
{
	return outcome < FATE_COUNT && outcome != FATE_UNREACHABLE &&
	       flags_of_ended(t, events) & TCP_TRACK_UNREACHABLE;
}

/* Or the compiler, which knows the range of @index, spares the check that the verifier needs. */
static __always_inline __u32 index_unknown(__u32 index)
{
	asm volatile("" : "+r"(index));
	return index;
}

#define XL_FATE_CASE(name, ending, key, text)                                                                \
	case FATE_##name:                                                                                    \
		return ENDING_##ending;

/* Return: ENDING_COUNT for FATE_COUNT. */
static __always_inline enum ending ending_of(__u32 outcome)
{
	switch (outcome) {
		XL_FATES(XL_FATE_CASE)
	default:
		return ENDING_COUNT;
	}
}

/* What one event changes in the sums: its outcome, or FATE_COUNT, with these flags; talker columns above them. */
#define CHANGE_FATE          0x00ff
#define CHANGE_STARTED       0x0100
#define CHANGE_MIDSTREAM     0x0200 /* another one begins midstream */
#define CHANGE_OF_MIDSTREAM  0x0400 /* the outcome is that of such a one */
#define CHANGE_RECOVERED     0x0800
#define CHANGE_COLUMNS_SHIFT 16

/* What both talkers of a connection count of it. Only where its beginning was seen. */
static __always_inline __u32 change_columns(__u32 change, __u32 events)
{
	enum ending ending = ending_of(index_unknown(change & CHANGE_FATE));
	__u32 columns = 0;

	if (change & CHANGE_STARTED)
		columns |= 1u << TALKER_ATTEMPTS;
	if (change & CHANGE_OF_MIDSTREAM)
		return columns;
	if (events & TCP_EVENT_ESTABLISHED)
		columns |= 1u << TALKER_ESTABLISHED;
	if (ending <= ENDING_RESET)
		columns |= 1u << ending;
	if (change & CHANGE_RECOVERED)
		columns |= 1u << TALKER_RECOVERED;
	return columns;
}

/* A function of its own for the verifier, which would follow each of its many paths to the end of the program. */
XL_STEP __u32 connection_change(const struct tcp_track *t, __u32 events, flow_end sender)
{
	enum fate outcome;
	__u32 change;

	if (!t)
		return FATE_COUNT;
	outcome = fate_of(t, events, sender);
	change = outcome;
	if (connection_begins(t, events))
		change |= t->flags & TCP_TRACK_MIDSTREAM ? CHANGE_MIDSTREAM : CHANGE_STARTED;
	if (flags_of_ended(t, events) & TCP_TRACK_MIDSTREAM)
		change |= CHANGE_OF_MIDSTREAM;
	if (recovered_by(t, events, outcome))
		change |= CHANGE_RECOVERED;
	return change | change_columns(change, events) << CHANGE_COLUMNS_SHIFT;
}

/* @change: of connection_change() */
static __always_inline void count_change(struct fate_counts *count, __u32 change)
{
	__u32 outcome = index_unknown(change & CHANGE_FATE);

	count->started += !!(change & CHANGE_STARTED);
	count->midstream += !!(change & CHANGE_MIDSTREAM);
	count->recovered += !!(change & CHANGE_RECOVERED);
	if (outcome >= FATE_COUNT)
		return;
	if (change & CHANGE_OF_MIDSTREAM)
		count->midstream_ended[outcome]++;
	else
		count->ended[outcome]++;
}

/* Two keys of one connection. */
static __always_inline void talker_keys_of(struct talker_key *source, struct talker_key *destination,
					   const struct flow_key *flow, flow_end client)
{
	int second = client == 1;

	source->addr = second ? flow->addr[1] : flow->addr[0];
	destination->addr = second ? flow->addr[0] : flow->addr[1];
	if (flow->ip_version == 4) {
		source->addr.v4 &= TO_BE32(0xffffffffu << (32 - TALKER_PREFIX_IP4));
	} else {
		source->addr.word[1] &= TO_BE32(0xffffffffu << (64 - TALKER_PREFIX_IP6));
		source->addr.word[2] = source->addr.word[3] = 0;
	}
	source->port = 0;
	destination->port = second ? flow->port[0] : flow->port[1];
	source->ip_version = destination->ip_version = flow->ip_version;
	source->kind = TALKER_SOURCE;
	destination->kind = TALKER_DESTINATION;
}

/* Both legs of an opened connection. Return: 0: not known for sure. */
static __always_inline int handshake_legs_ns(const struct tcp_track *t, __u64 *server, __u64 *client)
{
	if (t->flags & TCP_TRACK_AMBIGUOUS || !t->syn_last_ns || t->synack_first_ns < t->syn_last_ns ||
	    t->established_ns < t->synack_last_ns)
		return 0;
	*server = t->synack_first_ns - t->syn_last_ns;
	*client = t->established_ns - t->synack_last_ns;
	return 1;
}

#endif
