/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Round-trip times from the observer to one end and back, for as long as a connection lives.
 *
 * A segment is timed when it passes and the acknowledgment that answers it when that passes: by the timestamp that it
 * echoes where both ends send them (RFC 7323 §4), else by sequence number, and then never across a retransmission
 * (Karn; RFC 6298 §3). Only segments that must be answered are timed, those with data, SYN or FIN: an acknowledgment is
 * not, so that the pause before the next request does not count as network.
 */
#ifndef XDPLIFE_TCP_RTT_H
#define XDPLIFE_TCP_RTT_H

#include "histogram.h"
#include "parse.h"

/* Buckets of powers of two: the first below 64 µs, the last from 1.05 s on. */
#define TCP_RTT_BUCKETS     16
#define TCP_RTT_FIRST_SHIFT 6

enum tcp_rtt_by {
	TCP_RTT_IDLE, /* nothing is being timed */
	TCP_RTT_BY_SEQUENCE,
	TCP_RTT_BY_TIMESTAMP,
};

/* Of what one end sends: to the other end and back. */
struct tcp_rtt {
	__u64 sent_ns; /* when the segment that is being timed passed */
	__u32 awaited; /* the acknowledgment, or the timestamp, that answers it */
	__u8 by;       /* enum tcp_rtt_by */
	__u8 _pad[3];
	__u32 samples; /* how many times there are; 0: the next three mean nothing */
	__u32 last_us;
	__u32 min_us;
	__u32 smoothed_us;             /* RFC 6298 §2: seven eighths of it and one of each new one */
	__u16 bucket[TCP_RTT_BUCKETS]; /* each stays at 65535 */
};

_Static_assert(sizeof(struct tcp_rtt) == 64, "crosses the ring buffer: no hidden padding");

static __always_inline __u32 rtt_bucket(__u32 us)
{
	__u32 units = us >> TCP_RTT_FIRST_SHIFT, bucket = units ? histogram_log2(units) + 1 : 0;

	return bucket < TCP_RTT_BUCKETS ? bucket : TCP_RTT_BUCKETS - 1;
}

static __always_inline void rtt_add(struct tcp_rtt *rtt, __u64 ns)
{
	__u64 us = ns / 1000;
	__u32 sample = us > 0xffffffff ? 0xffffffff : (__u32)us;
	__u32 bucket = rtt_bucket(sample) & (TCP_RTT_BUCKETS - 1);

	rtt->last_us = sample;
	if (!rtt->samples || sample < rtt->min_us)
		rtt->min_us = sample;
	rtt->smoothed_us = rtt->samples ? rtt->smoothed_us - rtt->smoothed_us / 8 + sample / 8 : sample;
	if (rtt->bucket[bucket] != 0xffff)
		rtt->bucket[bucket]++;
	rtt->samples++;
}

/**
 * tcp_rtt_sent() - a segment with data, SYN or FIN passes
 * @end: the sequence number behind it
 */
static __always_inline void tcp_rtt_sent(struct tcp_rtt *rtt, const struct packet *pkt, __u32 end,
					 __u64 now_ns)
{
	int has_timestamp = pkt->tcp_options.flags & TCP_HAS_TIMESTAMPS;

	if (rtt->by != TCP_RTT_IDLE)
		return;
	rtt->by = has_timestamp ? TCP_RTT_BY_TIMESTAMP : TCP_RTT_BY_SEQUENCE;
	rtt->awaited = has_timestamp ? pkt->tcp_options.tsval : end;
	rtt->sent_ns = now_ns;
}

/* Whether the segment answers the one that is being timed. */
static __always_inline int tcp_rtt_answers(const struct tcp_rtt *rtt, const struct packet *pkt)
{
	if (!(pkt->tcp_flags & TCPHDR_ACK))
		return 0;
	if (rtt->by == TCP_RTT_BY_TIMESTAMP)
		return pkt->tcp_options.flags & TCP_HAS_TIMESTAMPS &&
		       (__s32)(pkt->tcp_options.tsecr - rtt->awaited) >= 0;
	return rtt->by == TCP_RTT_BY_SEQUENCE && (__s32)(pkt->tcp_ack - rtt->awaited) >= 0;
}

/* A segment of the other end passes. */
static __always_inline void tcp_rtt_acknowledged(struct tcp_rtt *rtt, const struct packet *pkt, __u64 now_ns)
{
	if (!tcp_rtt_answers(rtt, pkt))
		return;
	rtt->by = TCP_RTT_IDLE;
	if (now_ns >= rtt->sent_ns)
		rtt_add(rtt, now_ns - rtt->sent_ns);
}

/* The sender repeats itself: which of the two segments an acknowledgment answers cannot be told. */
static __always_inline void tcp_rtt_repeated(struct tcp_rtt *rtt)
{
	if (rtt->by == TCP_RTT_BY_SEQUENCE)
		rtt->by = TCP_RTT_IDLE;
}

#endif
