/* SPDX-License-Identifier: GPL-2.0-only */
/* One end of a TCP connection as an observer knows it: what it has sent, what it has acknowledged, what it offers. */
#ifndef XDPLIFE_TCP_SIDE_H
#define XDPLIFE_TCP_SIDE_H

#include "tcp_rtt.h"

/* struct tcp_side flags */
#define TCP_SIDE_SENT        0x01 /* it has sent something: next is valid */
#define TCP_SIDE_SYN         0x02 /* its ISN is known, from its SYN or from what answers it */
#define TCP_SIDE_ACKED       0x04 /* it has acknowledged something: acked, edge and window_max are valid */
#define TCP_SIDE_FIN         0x08
#define TCP_SIDE_FIN_ACKED   0x10
#define TCP_SIDE_SCALES      0x20 /* its SYN offered a window scale */
#define TCP_SIDE_OPTIONS     0x40 /* its SYN itself was seen: mss, window_scale, options, syn_flags are known */
#define TCP_SIDE_ZERO_WINDOW 0x80 /* the window that it offered last is closed */

/* So many duplicate acknowledgments make a sender repeat itself (RFC 5681 §3.2); so long it waits for them at least. */
#define TCP_DUPACKS       3
#define TCP_MIN_RTO_NS    200000000ull /* Linux's */
#define TCP_SYN_FLAG_AE   0x100        /* in syn_flags, above the eight of TCPHDR_* */
#define TCP_COUNT_MAX_U16 0xffff

/* Sequence numbers as on the wire, in host order. What each segment needs comes first. */
struct tcp_side {
	__u64 packets;    /* on the wire */
	__u64 bytes;      /* of payload, retransmissions included */
	__u32 next;       /* behind the last byte that it has sent: SND.NXT */
	__u32 acked;      /* what it expects next: RCV.NXT */
	__u32 edge;       /* the right edge of its receive window, the furthest that it has offered */
	__u32 window_max; /* bytes: the largest receive window that it has offered */
	__u32 hole_from;  /* what it has not sent past us yet, though more behind it: [from, to) */
	__u32 hole_to;
	__u32 tsval; /* the latest timestamp that it sent */
	__u8 flags;
	__u8 window_scale;
	__u8 options;  /* TCP_HAS_* of its SYN */
	__u8 stripped; /* TCP_HAS_* of its SYN that were gone at a second hook */
	struct tcp_rtt rtt;
	__u64 hole_ns; /* when the hole was seen first */
	__u32 isn;
	__u32 fin_end;      /* behind its FIN */
	__u32 retransmits;  /* segments */
	__u32 out_of_order; /* likewise */
	__u32 duplicates;   /* segments sent again although they were acknowledged */
	__u32 zero_windows; /* how often it closed its window */
	__u16 mss;
	__u16 syn_flags; /* TCPHDR_* of its SYN, and TCP_SYN_FLAG_AE */
	__u16 syn_bytes; /* of data on its SYN */
	__u8 ttl;        /* of its first packet that counted, at the hook */
	__u8 dupacks;    /* acknowledgments of the other end that ask for the hole */
};

_Static_assert(sizeof(struct tcp_side) == 152, "crosses the ring buffer: no hidden padding");

/* RFC 9293 §3.4: sequence numbers are compared modulo 2^32. */
static __always_inline int seq_before(__u32 a, __u32 b)
{
	return (__s32)(a - b) < 0;
}

static __always_inline int seq_after(__u32 a, __u32 b)
{
	return (__s32)(a - b) > 0;
}

/* The sender has sent up to @end. */
static __always_inline void side_advance(struct tcp_side *snd, const struct packet *pkt, __u32 end)
{
	if (!(snd->flags & TCP_SIDE_SENT))
		snd->ttl = pkt->ttl;
	if (!(snd->flags & TCP_SIDE_SENT) || seq_after(end, snd->next))
		snd->next = end;
	snd->flags |= TCP_SIDE_SENT;
}

/*
 * In bytes. The window of a segment with SYN is never scaled, and scaling is on only if both ends offered it
 * (RFC 7323 §2.2). An offer that was not seen is taken for the largest that there is, so that nothing counts
 * as out of window that may be inside.
 */
static __always_inline __u32 window_bytes(const struct tcp_side *snd, const struct tcp_side *rcv,
					  const struct packet *pkt)
{
	__u8 both = snd->flags & rcv->flags;

	if (pkt->tcp_flags & TCPHDR_SYN)
		return pkt->tcp_window;
	if (!(both & TCP_SIDE_OPTIONS))
		return (__u32)pkt->tcp_window << TCP_MAX_WINDOW_SCALE;
	return (__u32)pkt->tcp_window << (both & TCP_SIDE_SCALES ? snd->window_scale & 15 : 0);
}

static __always_inline int has_hole(const struct tcp_side *side)
{
	return side->hole_from != side->hole_to;
}

/* What has arrived without having been seen (a capture that drops) is waited for no longer: else no segment is plain again. */
static __always_inline void forget_hole(struct tcp_side *snd, const struct tcp_side *rcv)
{
	if (has_hole(snd) && rcv->flags & TCP_SIDE_ACKED && !seq_before(rcv->acked, snd->hole_to))
		snd->hole_from = snd->hole_to;
}

/* RFC 5681 §2: a duplicate acknowledgment carries nothing and moves nothing; this one asks for what is in the hole. */
static __always_inline void count_dupack(const struct tcp_side *snd, struct tcp_side *rcv,
					 const struct packet *pkt)
{
	if (has_hole(rcv) && !pkt->payload_bytes && pkt->tcp_ack == snd->acked && rcv->dupacks < TCP_DUPACKS)
		rcv->dupacks++;
}

/* Takes down the acknowledgment and the window of a segment with ACK. */
static __always_inline void side_acknowledge(struct tcp_side *snd, struct tcp_side *rcv,
					     const struct packet *pkt)
{
	__u32 window = window_bytes(snd, rcv, pkt), edge = pkt->tcp_ack + window;

	if (!(pkt->tcp_flags & TCPHDR_ACK))
		return;
	if (snd->flags & TCP_SIDE_ACKED)
		count_dupack(snd, rcv, pkt);
	if (!(snd->flags & TCP_SIDE_ACKED) || seq_after(pkt->tcp_ack, snd->acked))
		snd->acked = pkt->tcp_ack;
	if (!(snd->flags & TCP_SIDE_ACKED) || seq_after(edge, snd->edge))
		snd->edge = edge;
	if (window > snd->window_max)
		snd->window_max = window;
	snd->flags |= TCP_SIDE_ACKED;
	if (rcv->flags & TCP_SIDE_FIN && !seq_before(snd->acked, rcv->fin_end))
		rcv->flags |= TCP_SIDE_FIN_ACKED;
}

static __always_inline int syn_acknowledged(const struct tcp_side *syn, const struct tcp_side *by)
{
	return syn->flags & TCP_SIDE_SYN && by->flags & TCP_SIDE_ACKED && seq_after(by->acked, syn->isn);
}

static __always_inline void side_open(struct tcp_side *snd, const struct packet *pkt)
{
	snd->flags |= TCP_SIDE_SYN | TCP_SIDE_OPTIONS;
	snd->isn = pkt->tcp_seq;
	snd->mss = pkt->tcp_options.mss;
	snd->window_scale = pkt->tcp_options.window_scale;
	snd->options = pkt->tcp_options.flags;
	snd->syn_flags = pkt->tcp_flags | (pkt->flags & PACKET_TCP_AE ? TCP_SYN_FLAG_AE : 0);
	snd->syn_bytes = pkt->payload_bytes < TCP_COUNT_MAX_U16 ? pkt->payload_bytes : TCP_COUNT_MAX_U16;
	if (pkt->tcp_options.flags & TCP_HAS_WINDOW_SCALE)
		snd->flags |= TCP_SIDE_SCALES;
	side_advance(snd, pkt, pkt->tcp_seq + 1 + pkt->payload_bytes);
}

/* Its number is known from what answers it; the SYN itself is not. */
static __always_inline void side_open_unseen(struct tcp_side *side, __u32 isn)
{
	side->flags |= TCP_SIDE_SYN | TCP_SIDE_SENT;
	side->isn = isn;
	side->next = isn + 1;
}

#endif
