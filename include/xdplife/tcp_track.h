/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The life of one TCP connection as an observer between its two ends sees it (RFC 9293): pure data in, events
 * out.
 *
 * One rule opens a connection, whatever the order in which its segments pass: both ends have sent a SYN and
 * both SYNs have been acknowledged. It covers the usual three packets, a simultaneous open, a split handshake
 * and a final ACK that overtakes the SYN-ACK. One rule closes it: both have sent a FIN and both FINs have
 * been acknowledged; or an acceptable RST (RFC 9293 §3.10.7, RFC 5961 §3.2). A segment that is not acceptable
 * is counted, changes nothing else and is an event.
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

/* X(name, key, text): what a segment did to its connection; bits, because one can do several things. */
#define XL_TCP_EVENTS(X)                                                                                     \
	X(SYN, "syn", "SYN")                                                                                 \
	X(SYN_RETRANSMIT, "syn-retransmit", "SYN again")                                                     \
	X(SYNACK, "syn-ack", "SYN-ACK")                                                                      \
	X(SYNACK_RETRANSMIT, "syn-ack-retransmit", "SYN-ACK again")                                          \
	X(SIMULTANEOUS, "simultaneous-open", "simultaneous open")                                            \
	X(SPLIT, "split-handshake", "split handshake")                                                       \
	X(ISN_CHANGED, "isn-changed", "with another ISN")                                                    \
	X(ESTABLISHED, "established", "established")                                                         \
	X(MIDSTREAM, "midstream", "already running, direction unknown")                                      \
	X(RETRANSMIT, "retransmit", "retransmission")                                                        \
	X(FIN, "fin", "FIN")                                                                                 \
	X(CLOSED, "closed", "closed")                                                                        \
	X(REFUSED, "refused", "refused")                                                                     \
	X(RESET, "reset", "reset")                                                                           \
	X(RST_IGNORED, "rst-ignored", "RST ignored")                                                         \
	X(SYN_IGNORED, "syn-ignored", "SYN on an open connection ignored")                                   \
	X(ACK_IGNORED, "ack-ignored", "segment ignored: its acknowledgment is missing or wrong")             \
	X(OUT_OF_WINDOW, "out-of-window", "segment outside the window ignored")

#define XL_TCP_EVENT_INDEX(name, key, text) TCP_EVENT_INDEX_##name,
#define XL_TCP_EVENT_BIT(name, key, text)   TCP_EVENT_##name = 1 << TCP_EVENT_INDEX_##name,

enum tcp_event_index { XL_TCP_EVENTS(XL_TCP_EVENT_INDEX) TCP_EVENT_COUNT };
enum tcp_event { XL_TCP_EVENTS(XL_TCP_EVENT_BIT) };

/* struct tcp_side flags */
#define TCP_SIDE_SENT      0x01 /* it has sent something: next is valid */
#define TCP_SIDE_SYN       0x02 /* its ISN is known, from its SYN or from what answers it */
#define TCP_SIDE_ACKED     0x04 /* it has acknowledged something: acked, edge and window_max are valid */
#define TCP_SIDE_FIN       0x08
#define TCP_SIDE_FIN_ACKED 0x10
#define TCP_SIDE_SCALES    0x20 /* its SYN offered a window scale */
#define TCP_SIDE_OPTIONS   0x40 /* its SYN itself was seen: mss, window_scale and SCALES are known */

/* What one end has sent. Sequence numbers as on the wire, in host order. */
struct tcp_side {
	__u64 packets; /* on the wire */
	__u64 bytes;   /* of payload, retransmissions included */
	__u32 isn;
	__u32 next;       /* behind the last byte that it has sent: SND.NXT */
	__u32 acked;      /* what it expects next: RCV.NXT */
	__u32 edge;       /* the right edge of its receive window, the furthest that it has offered */
	__u32 window_max; /* bytes: the largest receive window that it has offered */
	__u32 fin_end;    /* behind its FIN */
	__u32 retransmits;
	__u16 mss;
	__u8 window_scale;
	__u8 flags;
	__u8 ttl; /* of its first packet that counted, at the hook */
	__u8 _pad[7];
};

#define TCP_END_UNKNOWN 0xff

/* struct tcp_track flags */
#define TCP_TRACK_MIDSTREAM 0x01 /* its beginning was not seen */
/* SYN or SYN-ACK sent again or overtaken: the handshake times are ambiguous (Karn) */
#define TCP_TRACK_AMBIGUOUS 0x02
#define TCP_TRACK_OTHER_SYN 0x04 /* other_isn and other_ns are valid */

/* Times are those of the hook's clock, in ns; 0: has not happened. Zero bytes are a connection that was never
 * seen. */
struct tcp_track {
	__u64 first_ns;
	__u64 last_ns;
	__u64 syn_first_ns;
	__u64 syn_last_ns;     /* before the first SYN-ACK: a later SYN cannot be what that answers */
	__u64 synack_first_ns; /* or the other end's SYN, where the two do not come in one segment */
	__u64 synack_last_ns;
	__u64 established_ns;
	__u64 other_ns;          /* a SYN with another number than its sender's first, ... */
	struct tcp_side side[2]; /* indexed by flow_end */
	__u8 phase;              /* enum tcp_phase */
	__u8 client;             /* the end that opened it, or TCP_END_UNKNOWN */
	__u8 closer;             /* the end whose FIN or RST came first, or TCP_END_UNKNOWN */
	__u8 flags;
	__u32 other_isn; /* ... of which the peer's acknowledgment will tell whether it counts */
};

_Static_assert(sizeof(struct tcp_side) == 56, "crosses the ring buffer: no hidden padding");
_Static_assert(sizeof(struct tcp_track) == 184, "crosses the ring buffer: no hidden padding");

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

/* Takes down the acknowledgment and the window. */
static __always_inline void side_acknowledge(struct tcp_side *snd, struct tcp_side *rcv,
					     const struct packet *pkt)
{
	__u32 window = window_bytes(snd, rcv, pkt), edge = pkt->tcp_ack + window;

	if (!(pkt->tcp_flags & TCPHDR_ACK))
		return;
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

/* The rule that opens a connection. A FIN may have come before: established is a moment, not the phase alone.
 */
static __always_inline __u32 track_established(struct tcp_track *t, __u64 now_ns)
{
	struct tcp_side *a = &t->side[0], *b = &t->side[1];

	if (t->established_ns || t->phase >= TCP_PHASE_CLOSED || !syn_acknowledged(a, b) ||
	    !syn_acknowledged(b, a))
		return 0;
	if (t->phase < TCP_PHASE_ESTABLISHED)
		t->phase = TCP_PHASE_ESTABLISHED;
	t->established_ns = now_ns;
	return TCP_EVENT_ESTABLISHED;
}

/* The rule that closes it. */
static __always_inline __u32 track_closed(struct tcp_track *t)
{
	if (t->phase != TCP_PHASE_CLOSING || !(t->side[0].flags & t->side[1].flags & TCP_SIDE_FIN_ACKED))
		return 0;
	t->phase = TCP_PHASE_CLOSED;
	return TCP_EVENT_CLOSED;
}

static __always_inline void side_open(struct tcp_side *snd, const struct packet *pkt)
{
	snd->flags |= TCP_SIDE_SYN | TCP_SIDE_OPTIONS;
	snd->isn = pkt->tcp_seq;
	snd->mss = pkt->tcp_options.mss;
	snd->window_scale = pkt->tcp_options.window_scale;
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

/* The first SYN of the end that answers, whether with an acknowledgment in it or not. */
static __always_inline __u32 track_second_syn(struct tcp_track *t, struct tcp_side *snd, struct tcp_side *rcv,
					      const struct packet *pkt, __u64 now_ns)
{
	t->synack_first_ns = t->synack_last_ns = now_ns;
	t->phase = TCP_PHASE_ANSWERED;
	if (rcv->flags & TCP_SIDE_ACKED) /* what acknowledges this SYN has overtaken it */
		t->flags |= TCP_TRACK_AMBIGUOUS;
	if (pkt->tcp_flags & TCPHDR_ACK)
		return TCP_EVENT_SYNACK;
	return TCP_EVENT_SYN | (snd->flags & TCP_SIDE_ACKED ? TCP_EVENT_SPLIT : TCP_EVENT_SIMULTANEOUS);
}

/* A SYN that opens: the first of its sender. */
static __always_inline __u32 track_first_syn(struct tcp_track *t, struct tcp_side *snd, struct tcp_side *rcv,
					     const struct packet *pkt, flow_end from, __u64 now_ns)
{
	int is_ack = pkt->tcp_flags & TCPHDR_ACK;

	side_open(snd, pkt);
	if (t->phase != TCP_PHASE_NONE)
		return track_second_syn(t, snd, rcv, pkt, now_ns);
	t->client = is_ack ? !from : from;
	if (!is_ack) {
		t->syn_first_ns = t->syn_last_ns = now_ns;
		t->phase = TCP_PHASE_OPENING;
		return TCP_EVENT_SYN;
	}
	t->flags |= TCP_TRACK_MIDSTREAM;
	side_open_unseen(rcv, pkt->tcp_ack - 1);
	return track_second_syn(t, snd, rcv, pkt, now_ns) | TCP_EVENT_MIDSTREAM;
}

/* A SYN sent again before the connection is open makes its times ambiguous. */
static __always_inline void track_syn_again(struct tcp_track *t, flow_end from, __u64 now_ns)
{
	if (t->phase >= TCP_PHASE_ESTABLISHED)
		return;
	t->flags |= TCP_TRACK_AMBIGUOUS;
	if (from != t->client)
		t->synack_last_ns = now_ns;
	else if (!t->synack_first_ns)
		t->syn_last_ns = now_ns;
}

static __always_inline __u32 track_syn(struct tcp_track *t, struct tcp_side *snd, struct tcp_side *rcv,
				       const struct packet *pkt, flow_end from, __u64 now_ns)
{
	int is_ack = pkt->tcp_flags & TCPHDR_ACK, open = t->phase >= TCP_PHASE_ESTABLISHED;
	__u32 again = is_ack ? TCP_EVENT_SYNACK_RETRANSMIT : TCP_EVENT_SYN_RETRANSMIT;

	if (!(snd->flags & TCP_SIDE_SYN) && !open)
		return track_first_syn(t, snd, rcv, pkt, from, now_ns);
	if (snd->flags & TCP_SIDE_SYN && pkt->tcp_seq == snd->isn) {
		if (!(snd->flags & TCP_SIDE_OPTIONS)) { /* overtaken by what answers it */
			side_open(snd, pkt);
			return TCP_EVENT_SYN;
		}
		/* In a simultaneous open the SYN-ACK repeats the SYN's number without being a retransmission.
		 */
		if (is_ack && !open && !(snd->flags & TCP_SIDE_ACKED))
			return TCP_EVENT_SYNACK;
		snd->retransmits++;
		track_syn_again(t, from, now_ns);
		return again;
	}
	if (open && is_ack)
		return TCP_EVENT_SYN_IGNORED;
	t->flags |= TCP_TRACK_OTHER_SYN;
	t->other_isn = pkt->tcp_seq;
	t->other_ns = now_ns;
	if (open)
		return TCP_EVENT_SYN_IGNORED;
	track_syn_again(t, from, now_ns);
	return again | TCP_EVENT_ISN_CHANGED;
}

/*
 * Whether a SYN starts another connection on the same tuple: behind one that has ended, or a new attempt of a
 * client that got no further. On an open connection only the answer tells: track_take_other().
 */
static __always_inline int syn_begins_anew(const struct tcp_track *t, const struct tcp_side *snd,
					   const struct packet *pkt, flow_end from)
{
	int known = snd->flags & TCP_SIDE_SYN && pkt->tcp_seq == snd->isn;

	if (pkt->tcp_flags & TCPHDR_ACK)
		return t->phase >= TCP_PHASE_CLOSED && !known;
	if (t->phase == TCP_PHASE_RESET)
		return 1;
	if (t->phase == TCP_PHASE_CLOSED)
		return !known;
	return t->phase != TCP_PHASE_NONE && t->phase < TCP_PHASE_ESTABLISHED && from == t->client && !known;
}

/*
 * A SYN with another number counts from the moment that the peer acknowledges it: of two SYN-ACKs it is the
 * one that the client took, and on an open connection it is a new connection (an end that has lost its
 * memory), not a challenge (RFC 9293 §3.10.7.4).
 */
static __always_inline void track_take_other(struct tcp_track *t, struct tcp_side *rcv,
					     const struct packet *pkt, flow_end from)
{
	int open = t->phase >= TCP_PHASE_ESTABLISHED;
	__u64 syn_ns = t->other_ns;
	__u32 isn = t->other_isn;

	if (!(t->flags & TCP_TRACK_OTHER_SYN) || !(pkt->tcp_flags & TCPHDR_ACK) || pkt->tcp_ack != isn + 1 ||
	    open != !!(pkt->tcp_flags & TCPHDR_SYN))
		return;
	if (open) {
		tcp_track_begin(t, syn_ns);
		t->syn_first_ns = t->syn_last_ns = syn_ns;
		t->phase = TCP_PHASE_OPENING;
		t->client = !from;
		rcv->packets = 1;
	}
	t->flags &= ~TCP_TRACK_OTHER_SYN;
	side_open_unseen(rcv, isn);
}

/*
 * RFC 9293 §3.10.7.3: in SYN-SENT a RST counts only if it acknowledges the SYN. §3.10.7.4 and RFC 5961 §3.2:
 * later it counts only at the very number that the receiver expects, as far as an observer can know it: what
 * the receiver has acknowledged, or what the sender has sent so far.
 */
static __always_inline int rst_acceptable(const struct tcp_track *t, const struct tcp_side *snd,
					  const struct tcp_side *rcv, const struct packet *pkt, flow_end from)
{
	if (t->phase == TCP_PHASE_OPENING && from != t->client)
		return pkt->tcp_flags & TCPHDR_ACK && seq_after(pkt->tcp_ack, rcv->isn) &&
		       !seq_after(pkt->tcp_ack, rcv->next);
	if (rcv->flags & TCP_SIDE_ACKED && pkt->tcp_seq == rcv->acked)
		return 1;
	return snd->flags & TCP_SIDE_SENT && pkt->tcp_seq == snd->next;
}

static __always_inline __u32 track_rst(struct tcp_track *t, struct tcp_side *snd, struct tcp_side *rcv,
				       const struct packet *pkt, flow_end from)
{
	int answered = t->phase > TCP_PHASE_OPENING;

	if (t->phase >= TCP_PHASE_CLOSED)
		return 0;
	if (!rst_acceptable(t, snd, rcv, pkt, from))
		return TCP_EVENT_RST_IGNORED;
	side_advance(snd, pkt, pkt->tcp_seq);
	t->phase = TCP_PHASE_RESET;
	if (t->closer == TCP_END_UNKNOWN)
		t->closer = from;
	return !answered && from != t->client ? TCP_EVENT_REFUSED : TCP_EVENT_RESET;
}

/*
 * RFC 9293 §3.10.7.3 and §3.10.7.4: what was never sent cannot be acknowledged, and a SYN is answered by its
 * own number plus one. An open end may acknowledge what was not seen (a segment can be overtaken), but no
 * more than its own window has let in.
 */
static __always_inline int ack_acceptable(const struct tcp_track *t, const struct tcp_side *snd,
					  const struct tcp_side *rcv, const struct packet *pkt)
{
	__u32 limit = rcv->next;

	if (!(rcv->flags & TCP_SIDE_SENT) || !((snd->flags & TCP_SIDE_ACKED) | (rcv->flags & TCP_SIDE_SYN)))
		return 1;
	if (t->phase < TCP_PHASE_ESTABLISHED && !seq_after(pkt->tcp_ack, rcv->isn))
		return 0;
	if (snd->flags & TCP_SIDE_ACKED && seq_after(snd->edge, limit))
		limit = snd->edge;
	return !seq_after(pkt->tcp_ack, limit);
}

static __always_inline __u32 text_bytes(const struct packet *pkt)
{
	return pkt->payload_bytes + !!(pkt->tcp_flags & TCPHDR_FIN);
}

/*
 * RFC 9293 §3.10.7.4: what lies beyond the window that the receiver has offered is not acceptable; what lies
 * before it can be an old duplicate, but one from within the largest window that there has been.
 */
static __always_inline int text_in_window(const struct tcp_side *rcv, const struct packet *pkt)
{
	return !(rcv->flags & TCP_SIDE_ACKED) ||
	       (!seq_after(pkt->tcp_seq, rcv->edge) &&
		!seq_before(pkt->tcp_seq + text_bytes(pkt), rcv->acked - rcv->window_max));
}

/* Return: the event that says why the segment, which is no RST, changes nothing; 0 if it counts. */
static __always_inline __u32 track_refuse(const struct tcp_track *t, const struct tcp_side *snd,
					  const struct tcp_side *rcv, const struct packet *pkt)
{
	int syn = pkt->tcp_flags & TCPHDR_SYN, ack = pkt->tcp_flags & TCPHDR_ACK;

	if (syn && t->phase >= TCP_PHASE_ESTABLISHED) /* track_syn() knows its own */
		return 0;
	if (!syn && !ack)
		return TCP_EVENT_ACK_IGNORED;
	if (!syn && !text_in_window(rcv, pkt))
		return TCP_EVENT_OUT_OF_WINDOW;
	return ack && !ack_acceptable(t, snd, rcv, pkt) ? TCP_EVENT_ACK_IGNORED : 0;
}

/* RFC 9293 §3.8.4: it repeats at most the last byte, of which it knows that it has arrived. */
static __always_inline int is_keep_alive(const struct tcp_side *snd, const struct tcp_side *rcv,
					 const struct packet *pkt)
{
	return pkt->payload_bytes <= 1 && !(pkt->tcp_flags & TCPHDR_FIN) && pkt->tcp_seq + 1 == snd->next &&
	       rcv->flags & TCP_SIDE_ACKED && rcv->acked == snd->next;
}

static __always_inline __u32 track_fin(struct tcp_track *t, struct tcp_side *snd, struct tcp_side *rcv,
				       __u32 fin_end, flow_end from)
{
	if (snd->flags & TCP_SIDE_FIN)
		return 0;
	snd->flags |= TCP_SIDE_FIN;
	snd->fin_end = fin_end;
	if (rcv->flags & TCP_SIDE_ACKED && !seq_before(rcv->acked, fin_end)) /* overtaken */
		snd->flags |= TCP_SIDE_FIN_ACKED;
	if (t->closer == TCP_END_UNKNOWN)
		t->closer = from;
	if (t->phase < TCP_PHASE_CLOSED)
		t->phase = TCP_PHASE_CLOSING;
	return TCP_EVENT_FIN;
}

/* Data and FIN. */
static __always_inline __u32 track_text(struct tcp_track *t, struct tcp_side *snd, struct tcp_side *rcv,
					const struct packet *pkt, flow_end from)
{
	__u32 end = pkt->tcp_seq + text_bytes(pkt);
	__u32 events = 0;

	if (end != pkt->tcp_seq && snd->flags & TCP_SIDE_SENT && seq_before(pkt->tcp_seq, snd->next) &&
	    !is_keep_alive(snd, rcv, pkt)) {
		snd->retransmits++;
		events |= TCP_EVENT_RETRANSMIT;
	}
	side_advance(snd, pkt, end);
	if (pkt->tcp_flags & TCPHDR_FIN)
		events |= track_fin(t, snd, rcv, end, from);
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
	int syn = pkt->tcp_flags & TCPHDR_SYN, rst = pkt->tcp_flags & TCPHDR_RST;
	__u32 events;

	if (!rst && syn && syn_begins_anew(t, snd, pkt, from))
		tcp_track_begin(t, now_ns);
	else if (!rst)
		track_take_other(t, rcv, pkt, from);
	t->last_ns = now_ns;
	snd->packets += pkt->segments > 1 ? pkt->segments : 1;
	snd->bytes += pkt->payload_bytes;
	if (rst)
		return track_rst(t, snd, rcv, pkt, from);
	if (t->phase == TCP_PHASE_RESET && !syn) /* still on its way when the RST was sent */
		return 0;
	events = track_refuse(t, snd, rcv, pkt);
	if (events)
		return events;
	if (syn) {
		events = track_syn(t, snd, rcv, pkt, from, now_ns);
	} else if (t->phase == TCP_PHASE_NONE) { /* both ends count as open; who opened it is unknown */
		t->phase = TCP_PHASE_ESTABLISHED;
		t->flags |= TCP_TRACK_MIDSTREAM;
		events = TCP_EVENT_MIDSTREAM;
	}
	if (events & TCP_EVENT_SYN_IGNORED)
		return events;
	side_acknowledge(snd, rcv, pkt);
	events |= track_established(t, now_ns);
	if (!syn)
		events |= track_text(t, snd, rcv, pkt, from);
	return events | track_closed(t);
}

#endif
