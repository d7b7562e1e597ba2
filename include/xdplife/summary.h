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
	__u64 ambiguous;                 /* connections */
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

/* Connections. */
struct talker {
	__u64 attempts;
	__u64 established;
	__u64 refused;
	__u64 unreachable;
	__u64 reset;
};

#define TALKER_EVENTS                                                                                        \
	(TCP_EVENT_SYN | TCP_EVENT_ESTABLISHED | TCP_EVENT_REFUSED | TCP_EVENT_UNREACHABLE | TCP_EVENT_RESET)

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

/* The address of the counter that an event counts in. */
static __always_inline __u64 *talker_counter(struct talker *talker, __u32 events)
{
	if (events & TCP_EVENT_ESTABLISHED)
		return &talker->established;
	if (events & TCP_EVENT_REFUSED)
		return &talker->refused;
	if (events & TCP_EVENT_UNREACHABLE)
		return &talker->unreachable;
	return events & TCP_EVENT_RESET ? &talker->reset : &talker->attempts;
}

/* Where in the histograms an opened connection counts. Return: 0: in neither. */
static __always_inline int handshake_buckets(const struct tcp_track *t, __u32 *server, __u32 *client)
{
	if (t->flags & TCP_TRACK_AMBIGUOUS || !t->syn_last_ns || t->synack_first_ns < t->syn_last_ns ||
	    t->established_ns < t->synack_last_ns)
		return 0;
	*server = histogram_bucket(t->synack_first_ns - t->syn_last_ns);
	*client = histogram_bucket(t->established_ns - t->synack_last_ns);
	return 1;
}

#endif
