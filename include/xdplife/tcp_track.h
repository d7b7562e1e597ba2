/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The life of one TCP connection as an observer between its two ends sees it (RFC 9293): pure data in, events out.
 *
 * One rule opens a connection, whatever the order in which its segments pass: both ends have sent a SYN and both SYNs
 * have been acknowledged. It covers the usual three packets, a simultaneous open, a split handshake and a final ACK
 * that overtakes the SYN-ACK. One rule closes it: both have sent a FIN and both FINs have been acknowledged; or an
 * acceptable RST (RFC 9293 §3.10.7, RFC 5961 §3.2). A segment that is not acceptable changes nothing and is an event.
 */
#ifndef XDPLIFE_TCP_TRACK_H
#define XDPLIFE_TCP_TRACK_H

#include "flow.h"

enum tcp_phase {
	TCP_PHASE_NONE,
	TCP_PHASE_OPENING,     /* a SYN was seen */
	TCP_PHASE_ANSWERED,    /* both ends have sent a SYN */
	TCP_PHASE_ESTABLISHED, /* both SYNs are acknowledged */
	TCP_PHASE_CLOSING,     /* a FIN was seen */
	TCP_PHASE_CLOSED,      /* both FINs are acknowledged */
	TCP_PHASE_RESET,       /* an acceptable RST was seen */
};

/* X(name, key, text): what a segment did to its connection; bits, because one segment can do several things. */
#define XL_TCP_EVENTS(X)                                                                                               \
	X(SYN, "syn", "SYN")                                                                                           \
	X(SYN_RETRANSMIT, "syn-retransmit", "SYN again")                                                               \
	X(SYNACK, "syn-ack", "SYN-ACK")                                                                                \
	X(SYNACK_RETRANSMIT, "syn-ack-retransmit", "SYN-ACK again")                                                    \
	X(SIMULTANEOUS, "simultaneous-open", "simultaneous open")                                                      \
	X(ISN_CHANGED, "isn-changed", "SYN-ACK with another ISN")                                                      \
	X(ESTABLISHED, "established", "established")                                                                   \
	X(MIDSTREAM, "midstream", "already running, direction unknown")                                                \
	X(RETRANSMIT, "retransmit", "retransmission")                                                                  \
	X(FIN, "fin", "FIN")                                                                                           \
	X(CLOSED, "closed", "closed")                                                                                  \
	X(REFUSED, "refused", "refused")                                                                               \
	X(RESET, "reset", "reset")                                                                                     \
	X(RST_IGNORED, "rst-ignored", "RST ignored")                                                                   \
	X(SYN_IGNORED, "syn-ignored", "SYN on an open connection ignored")                                             \
	X(OUT_OF_WINDOW, "out-of-window", "segment outside the window ignored")

#define XL_TCP_EVENT_INDEX(name, key, text) TCP_EVENT_INDEX_##name,
#define XL_TCP_EVENT_BIT(name, key, text)   TCP_EVENT_##name = 1 << TCP_EVENT_INDEX_##name,

enum tcp_event_index { XL_TCP_EVENTS(XL_TCP_EVENT_INDEX) TCP_EVENT_COUNT };
enum tcp_event { XL_TCP_EVENTS(XL_TCP_EVENT_BIT) };

/* struct tcp_side flags */
#define TCP_SIDE_SENT      0x01 /* it has sent something: next is valid */
#define TCP_SIDE_SYN       0x02 /* its SYN was seen, or its ISN follows from the SYN-ACK */
#define TCP_SIDE_ACKED     0x04 /* it has acknowledged something: acked and edge are valid */
#define TCP_SIDE_FIN       0x08
#define TCP_SIDE_FIN_ACKED 0x10
#define TCP_SIDE_SCALES    0x20 /* its SYN offered a window scale */

/* What one end has sent. Sequence numbers as on the wire, in host order. */
struct tcp_side {
	__u64 packets;
	__u64 bytes; /* of payload, retransmissions included */
	__u32 isn;
	__u32 next;    /* behind the last byte that it has sent: SND.NXT */
	__u32 acked;   /* what it expects next: RCV.NXT */
	__u32 edge;    /* the right edge of its receive window, the furthest that it has offered */
	__u32 fin_end; /* behind its FIN */
	__u32 retransmits;
	__u16 mss;
	__u8 window_scale;
	__u8 flags;
	__u8 ttl; /* of its first packet, at the hook */
	__u8 _pad[3];
};

#define TCP_END_UNKNOWN 0xff

/* struct tcp_track flags */
#define TCP_TRACK_MIDSTREAM 0x01 /* its beginning was not seen */
#define TCP_TRACK_AMBIGUOUS 0x02 /* a SYN or SYN-ACK was sent again: the handshake times are ambiguous (Karn) */

/* Times are those of the hook's clock, in ns; 0: has not happened. Zero bytes are a connection that was never seen. */
struct tcp_track {
	__u64 first_ns;
	__u64 last_ns;
	__u64 syn_first_ns;
	__u64 syn_last_ns;
	__u64 synack_first_ns;
	__u64 synack_last_ns;
	__u64 established_ns;
	struct tcp_side side[2]; /* indexed by flow_end */
	__u8 phase;              /* enum tcp_phase */
	__u8 client;             /* the end that opened it, or TCP_END_UNKNOWN */
	__u8 closer;             /* the end whose FIN or RST came first, or TCP_END_UNKNOWN */
	__u8 flags;
	__u32 _pad;
};

_Static_assert(sizeof(struct tcp_side) == 48, "crosses the ring buffer: no hidden padding");
_Static_assert(sizeof(struct tcp_track) == 160, "crosses the ring buffer: no hidden padding");

/* RFC 9293 §3.4: sequence numbers are compared modulo 2^32. */
static __always_inline int seq_before(__u32 a, __u32 b)
{
	return (__s32)(a - b) < 0;
}

static __always_inline int seq_after(__u32 a, __u32 b)
{
	return (__s32)(a - b) > 0;
}

static __always_inline void tcp_track_begin(struct tcp_track *t, __u64 now_ns)
{
	__builtin_memset(t, 0, sizeof(*t));
	t->first_ns = now_ns;
	t->client = TCP_END_UNKNOWN;
	t->closer = TCP_END_UNKNOWN;
}

/* The sender has sent up to @end. */
static __always_inline void side_advance(struct tcp_side *snd, __u32 end)
{
	if (!(snd->flags & TCP_SIDE_SENT) || seq_after(end, snd->next))
		snd->next = end;
	snd->flags |= TCP_SIDE_SENT;
}

/*
 * Takes down the acknowledgment and the window. The window of a segment with SYN is never scaled, and scaling is on
 * only if both ends offered it (RFC 7323 §2.2).
 */
static __always_inline void side_acknowledge(struct tcp_side *snd, struct tcp_side *rcv, const struct packet *pkt)
{
	int scaled = snd->flags & rcv->flags & TCP_SIDE_SCALES && !(pkt->tcp_flags & TCPHDR_SYN);
	__u32 edge = pkt->tcp_ack + ((__u32)pkt->tcp_window << (scaled ? snd->window_scale & 15 : 0));

	if (!(pkt->tcp_flags & TCPHDR_ACK))
		return;
	if (!(snd->flags & TCP_SIDE_ACKED) || seq_after(pkt->tcp_ack, snd->acked))
		snd->acked = pkt->tcp_ack;
	if (!(snd->flags & TCP_SIDE_ACKED) || seq_after(edge, snd->edge))
		snd->edge = edge;
	snd->flags |= TCP_SIDE_ACKED;
	if (rcv->flags & TCP_SIDE_FIN && !seq_before(snd->acked, rcv->fin_end))
		rcv->flags |= TCP_SIDE_FIN_ACKED;
}

static __always_inline int syn_acknowledged(const struct tcp_side *syn, const struct tcp_side *by)
{
	return syn->flags & TCP_SIDE_SYN && by->flags & TCP_SIDE_ACKED && seq_after(by->acked, syn->isn);
}

/* The rules that open and close a connection; see above. */
static __always_inline __u32 track_phase(struct tcp_track *t, __u64 now_ns)
{
	struct tcp_side *a = &t->side[0], *b = &t->side[1];

	if (t->phase < TCP_PHASE_ESTABLISHED && syn_acknowledged(a, b) && syn_acknowledged(b, a)) {
		t->phase = TCP_PHASE_ESTABLISHED;
		t->established_ns = now_ns;
		return TCP_EVENT_ESTABLISHED;
	}
	if (t->phase == TCP_PHASE_CLOSING && a->flags & b->flags & TCP_SIDE_FIN_ACKED) {
		t->phase = TCP_PHASE_CLOSED;
		return TCP_EVENT_CLOSED;
	}
	return 0;
}

static __always_inline void side_open(struct tcp_side *snd, const struct packet *pkt)
{
	snd->flags |= TCP_SIDE_SYN;
	snd->isn = pkt->tcp_seq;
	snd->mss = pkt->tcp_options.mss;
	snd->window_scale = pkt->tcp_options.window_scale;
	if (pkt->tcp_options.flags & TCP_HAS_WINDOW_SCALE)
		snd->flags |= TCP_SIDE_SCALES;
	side_advance(snd, pkt->tcp_seq + 1 + pkt->payload_bytes);
}

/* A SYN that opens: the first of its sender. */
static __always_inline __u32 track_first_syn(struct tcp_track *t, struct tcp_side *snd, struct tcp_side *rcv,
					     const struct packet *pkt, flow_end from, __u64 now_ns)
{
	int is_ack = pkt->tcp_flags & TCPHDR_ACK;
	__u32 events;

	side_open(snd, pkt);
	if (t->phase == TCP_PHASE_NONE && !is_ack) {
		t->client = from;
		t->syn_first_ns = t->syn_last_ns = now_ns;
		t->phase = TCP_PHASE_OPENING;
		return TCP_EVENT_SYN;
	}
	events = is_ack ? TCP_EVENT_SYNACK : TCP_EVENT_SYN | TCP_EVENT_SIMULTANEOUS;
	if (t->phase == TCP_PHASE_NONE) { /* the SYN itself was missed: its number follows from the answer */
		t->client = !from;
		t->flags |= TCP_TRACK_MIDSTREAM;
		rcv->flags |= TCP_SIDE_SYN;
		rcv->isn = pkt->tcp_ack - 1;
		side_advance(rcv, pkt->tcp_ack);
		events |= TCP_EVENT_MIDSTREAM;
	}
	t->synack_first_ns = t->synack_last_ns = now_ns;
	t->phase = TCP_PHASE_ANSWERED;
	return events;
}

static __always_inline __u32 track_syn(struct tcp_track *t, struct tcp_side *snd, struct tcp_side *rcv,
				       const struct packet *pkt, flow_end from, __u64 now_ns)
{
	int is_ack = pkt->tcp_flags & TCPHDR_ACK;

	if (t->phase >= TCP_PHASE_CLOSED && !is_ack && pkt->tcp_seq != snd->isn) {
		tcp_track_begin(t, now_ns); /* the tuple is used again */
		snd->packets = 1;
		snd->bytes = pkt->payload_bytes;
		snd->ttl = pkt->ttl;
	}
	if (!(snd->flags & TCP_SIDE_SYN) && t->phase <= TCP_PHASE_ANSWERED)
		return track_first_syn(t, snd, rcv, pkt, from, now_ns);
	if (snd->flags & TCP_SIDE_SYN && pkt->tcp_seq == snd->isn) {
		snd->retransmits++;
		if (t->phase >= TCP_PHASE_ESTABLISHED)
			return is_ack ? TCP_EVENT_SYNACK_RETRANSMIT : TCP_EVENT_SYN_RETRANSMIT;
		if (from == t->client) {
			t->flags |= TCP_TRACK_AMBIGUOUS;
			t->syn_last_ns = now_ns;
			return TCP_EVENT_SYN_RETRANSMIT;
		}
		/* In a simultaneous open the SYN-ACK repeats the SYN's number without repeating the SYN. */
		t->flags |= TCP_TRACK_AMBIGUOUS;
		t->synack_last_ns = now_ns;
		return TCP_EVENT_SYNACK_RETRANSMIT;
	}
	if (t->phase >= TCP_PHASE_ESTABLISHED)
		return TCP_EVENT_SYN_IGNORED;
	/* Not yet open and another number: the newest is what the peer will answer. */
	side_open(snd, pkt);
	snd->next = pkt->tcp_seq + 1 + pkt->payload_bytes;
	t->flags |= TCP_TRACK_AMBIGUOUS;
	if (from == t->client) {
		t->syn_last_ns = now_ns;
		return TCP_EVENT_SYN_RETRANSMIT | TCP_EVENT_ISN_CHANGED;
	}
	t->synack_last_ns = now_ns;
	return TCP_EVENT_SYNACK_RETRANSMIT | TCP_EVENT_ISN_CHANGED;
}

/*
 * RFC 9293 §3.10.7.3: in SYN-SENT a RST counts only if it acknowledges the SYN. §3.10.7.4 and RFC 5961 §3.2: later it
 * counts only at the very number that the receiver expects, as far as an observer can know it: what the receiver has
 * acknowledged, or what the sender has sent so far.
 */
static __always_inline int rst_acceptable(const struct tcp_track *t, const struct tcp_side *snd,
					  const struct tcp_side *rcv, const struct packet *pkt)
{
	if (t->phase == TCP_PHASE_NONE)
		return 0;
	if (!(snd->flags & TCP_SIDE_SENT))
		return pkt->tcp_flags & TCPHDR_ACK && seq_after(pkt->tcp_ack, rcv->isn) &&
		       !seq_after(pkt->tcp_ack, rcv->next);
	if (rcv->flags & TCP_SIDE_ACKED && pkt->tcp_seq == rcv->acked)
		return 1;
	return pkt->tcp_seq == snd->next;
}

static __always_inline __u32 track_rst(struct tcp_track *t, struct tcp_side *snd, struct tcp_side *rcv,
				       const struct packet *pkt, flow_end from)
{
	int answered = t->phase > TCP_PHASE_OPENING;

	if (t->phase >= TCP_PHASE_CLOSED)
		return 0;
	if (!rst_acceptable(t, snd, rcv, pkt))
		return TCP_EVENT_RST_IGNORED;
	t->phase = TCP_PHASE_RESET;
	if (t->closer == TCP_END_UNKNOWN)
		t->closer = from;
	return !answered && from != t->client ? TCP_EVENT_REFUSED : TCP_EVENT_RESET;
}

/* A connection whose beginning was not seen: both ends count as open, who opened it is unknown. */
static __always_inline __u32 track_midstream(struct tcp_track *t)
{
	t->phase = TCP_PHASE_ESTABLISHED;
	t->flags |= TCP_TRACK_MIDSTREAM;
	return TCP_EVENT_MIDSTREAM;
}

/*
 * RFC 9293 §3.10.7.4: what lies beyond the window that the receiver has offered is not acceptable. A keep-alive
 * (RFC 9293 §3.8.4) repeats at most one byte below what was sent and is no retransmission.
 */
static __always_inline __u32 track_text(struct tcp_track *t, struct tcp_side *snd, struct tcp_side *rcv,
					const struct packet *pkt, flow_end from)
{
	__u32 fin = !!(pkt->tcp_flags & TCPHDR_FIN), end = pkt->tcp_seq + pkt->payload_bytes + fin;
	__u32 events = 0;

	if (rcv->flags & TCP_SIDE_ACKED && seq_after(pkt->tcp_seq, rcv->edge))
		return TCP_EVENT_OUT_OF_WINDOW;
	if (end != pkt->tcp_seq && snd->flags & TCP_SIDE_SENT && !seq_after(end, snd->next) &&
	    !(pkt->payload_bytes <= 1 && !fin && pkt->tcp_seq + 1 == snd->next)) {
		snd->retransmits++;
		events |= TCP_EVENT_RETRANSMIT;
	}
	side_advance(snd, end);
	if (fin && !(snd->flags & TCP_SIDE_FIN)) {
		snd->flags |= TCP_SIDE_FIN;
		snd->fin_end = end;
		if (t->closer == TCP_END_UNKNOWN)
			t->closer = from;
		if (t->phase < TCP_PHASE_CLOSED)
			t->phase = TCP_PHASE_CLOSING;
		events |= TCP_EVENT_FIN;
	}
	return events;
}

/**
 * tcp_track_segment() - one more segment of a connection
 * @t:      from tcp_track_begin(), or as the last call left it
 * @pkt:    a TCP segment whose header is well formed
 * @from:   the end that sent it
 * @now_ns: the hook's clock
 *
 * Return: TCP_EVENT_* bits, 0 if there is nothing to tell.
 */
static __always_inline __u32 tcp_track_segment(struct tcp_track *t, const struct packet *pkt, flow_end from,
					       __u64 now_ns)
{
	struct tcp_side *snd = &t->side[from & 1], *rcv = &t->side[!(from & 1)];
	__u32 events = 0;

	t->last_ns = now_ns;
	if (!snd->packets)
		snd->ttl = pkt->ttl;
	snd->packets++;
	snd->bytes += pkt->payload_bytes;
	if (pkt->tcp_flags & TCPHDR_RST)
		return track_rst(t, snd, rcv, pkt, from);
	if (pkt->tcp_flags & TCPHDR_SYN)
		events = track_syn(t, snd, rcv, pkt, from, now_ns);
	else if (t->phase == TCP_PHASE_NONE)
		events = track_midstream(t);
	if (!(pkt->tcp_flags & TCPHDR_SYN))
		events |= track_text(t, snd, rcv, pkt, from);
	if (events & (TCP_EVENT_SYN_IGNORED | TCP_EVENT_OUT_OF_WINDOW))
		return events;
	side_acknowledge(snd, rcv, pkt);
	return events | track_phase(t, now_ns);
}

#endif
