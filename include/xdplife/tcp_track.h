/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The life of one TCP connection as an observer between its two ends sees it (RFC 9293): pure data in, events
 * out. tcp_side.h has what is known of an end, tcp_text.h judges data, tcp_rtt.h measures.
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
#include "tcp_events.h"
#include "tcp_text.h"

enum tcp_phase {
	TCP_PHASE_NONE,
	TCP_PHASE_OPENING,     /* a SYN was seen */
	TCP_PHASE_ANSWERED,    /* both ends have sent a SYN */
	TCP_PHASE_ESTABLISHED, /* both SYNs are acknowledged */
	TCP_PHASE_CLOSING,     /* a FIN was seen */
	TCP_PHASE_CLOSED,      /* both FINs are acknowledged */
	TCP_PHASE_RESET,       /* an acceptable RST was seen */
};

#define TCP_END_UNKNOWN 0xff

/* struct tcp_track flags */
#define TCP_TRACK_MIDSTREAM 0x01 /* its beginning was not seen */
/* SYN or SYN-ACK sent again or overtaken: the handshake times are ambiguous (Karn) */
#define TCP_TRACK_AMBIGUOUS          0x02
#define TCP_TRACK_OTHER_SYN          0x04 /* other_isn and other_ns are valid */
#define TCP_TRACK_UNREACHABLE        0x08 /* an ICMP error has quoted its SYN: icmp_type and icmp_code */
#define TCP_TRACK_SIMULTANEOUS_CLOSE 0x10 /* each end had sent its FIN before it knew of the other's */
#define TCP_TRACK_SYN_DATA_TAKEN     0x20 /* the SYN-ACK acknowledges data on the SYN */

/* struct tcp_track seen: what has passed, with the values of Wireshark's tcp.completeness */
#define TCP_SEEN_SYN    0x01
#define TCP_SEEN_SYNACK 0x02
#define TCP_SEEN_ACK    0x04 /* without SYN and without data: a FIN and a RST too */
#define TCP_SEEN_DATA   0x08
#define TCP_SEEN_FIN    0x10
#define TCP_SEEN_RST    0x20

/* Times are those of the hook's clock, in ns; 0: has not happened. Zero bytes are a connection that was never
 * seen. */
struct tcp_track {
	__u64 last_ns;
	__u8 phase;  /* enum tcp_phase */
	__u8 client; /* the end that opened it, or TCP_END_UNKNOWN */
	__u8 closer; /* the end whose FIN or RST came first, or TCP_END_UNKNOWN */
	__u8 flags;
	__u8 seen;       /* TCP_SEEN_* */
	__u8 challenged; /* the end that should answer what was ignored with a challenge ACK, or TCP_END_UNKNOWN */
	__u8 reset_phase;        /* RESET: the phase that the RST ended */
	__u8 resetter;           /* RESET: the end whose RST it was; the closer may be another, by its FIN */
	struct tcp_side side[2]; /* indexed by flow_end */
	__u64 first_ns;
	__u64 syn_first_ns;
	__u64 syn_last_ns;     /* before the first SYN-ACK: a later SYN cannot be what that answers */
	__u64 synack_first_ns; /* or the other end's SYN, where the two do not come in one segment */
	__u64 synack_last_ns;
	__u64 established_ns;
	__u64 ended_ns;  /* the first FIN, or what ended it: RST, ICMP error */
	__u64 other_ns;  /* a SYN with another number than its sender's first, ... */
	__u32 other_isn; /* ... of which the peer's acknowledgment will tell whether it counts */
	__u8 icmp_type;  /* UNREACHABLE: ICMP or ICMPv6, as the connection's addresses are */
	__u8 icmp_code;
	__u8 former_flags; /* REUSED: the flags of the connection that went before on the same ports */
	__u8 _pad[1];
};

_Static_assert(sizeof(struct tcp_track) == 392, "crosses the ring buffer: no hidden padding");

static __always_inline void tcp_track_begin(struct tcp_track *t, __u64 now_ns)
{
	__builtin_memset(t, 0, sizeof(*t));
	t->first_ns = now_ns;
	t->client = TCP_END_UNKNOWN;
	t->closer = TCP_END_UNKNOWN;
	t->challenged = TCP_END_UNKNOWN;
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

/* The first SYN of the end that answers, whether with an acknowledgment in it or not. */
static __always_inline __u32 track_second_syn(struct tcp_track *t, struct tcp_side *snd, struct tcp_side *rcv,
					      const struct packet *pkt, __u64 now_ns)
{
	t->synack_first_ns = t->synack_last_ns = now_ns;
	t->phase = TCP_PHASE_ANSWERED;
	if (rcv->flags & TCP_SIDE_ACKED) /* what acknowledges this SYN has overtaken it */
		t->flags |= TCP_TRACK_AMBIGUOUS;
	if (pkt->tcp_flags & TCPHDR_ACK) {
		if (seq_after(pkt->tcp_ack, rcv->isn + 1))
			t->flags |= TCP_TRACK_SYN_DATA_TAKEN;
		return TCP_EVENT_SYNACK;
	}
	return TCP_EVENT_SYN | (snd->flags & TCP_SIDE_ACKED ? TCP_EVENT_SPLIT : TCP_EVENT_SIMULTANEOUS);
}

/* A SYN that opens: the first of its sender. */
static __always_inline __u32 track_first_syn(struct tcp_track *t, struct tcp_side *snd, struct tcp_side *rcv,
					     const struct packet *pkt, flow_end from, __u64 now_ns)
{
	int is_ack = pkt->tcp_flags & TCPHDR_ACK;

	side_open(snd, pkt);
	tcp_rtt_sent(&snd->rtt, pkt, pkt->tcp_seq + 1, now_ns);
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
		tcp_rtt_repeated(&snd->rtt);
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
 *
 * Return: whether a new connection has begun.
 */
static __always_inline int track_take_other(struct tcp_track *t, struct tcp_side *rcv,
					    const struct packet *pkt, flow_end from)
{
	int open = t->phase >= TCP_PHASE_ESTABLISHED;
	__u64 syn_ns = t->other_ns;
	__u32 isn = t->other_isn;

	if (!(t->flags & TCP_TRACK_OTHER_SYN) || !(pkt->tcp_flags & TCPHDR_ACK) || pkt->tcp_ack != isn + 1 ||
	    open != !!(pkt->tcp_flags & TCPHDR_SYN) || (!open && !text_in_window(rcv, pkt)))
		return 0;
	if (open) {
		tcp_track_begin(t, syn_ns);
		t->syn_first_ns = t->syn_last_ns = syn_ns;
		t->phase = TCP_PHASE_OPENING;
		t->client = !from;
		t->seen = TCP_SEEN_SYN;
		rcv->packets = 1;
	}
	t->flags &= ~TCP_TRACK_OTHER_SYN;
	side_open_unseen(rcv, isn);
	return open;
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

/* RFC 5961 §3.2 and §4.2: an open end answers a SYN, or a RST that is in its window but not at its edge, by an ACK. */
static __always_inline void track_challenge(struct tcp_track *t, const struct tcp_side *rcv,
					    const struct packet *pkt, flow_end from)
{
	int in_window = rcv->flags & TCP_SIDE_ACKED && !seq_before(pkt->tcp_seq, rcv->acked) &&
			!seq_after(pkt->tcp_seq, rcv->edge);

	if (t->phase >= TCP_PHASE_ESTABLISHED && (pkt->tcp_flags & TCPHDR_SYN || in_window))
		t->challenged = !(from & 1);
}

static __always_inline __u32 track_rst(struct tcp_track *t, struct tcp_side *snd, struct tcp_side *rcv,
				       const struct packet *pkt, flow_end from, __u64 now_ns)
{
	int answered = t->phase > TCP_PHASE_OPENING;

	if (t->phase >= TCP_PHASE_CLOSED)
		return 0;
	if (!rst_acceptable(t, snd, rcv, pkt, from)) {
		track_challenge(t, rcv, pkt, from);
		return TCP_EVENT_RST_IGNORED;
	}
	side_advance(snd, pkt, pkt->tcp_seq);
	t->seen |= pkt->tcp_flags & TCPHDR_ACK ? TCP_SEEN_RST | TCP_SEEN_ACK : TCP_SEEN_RST;
	t->reset_phase = t->phase;
	t->resetter = from;
	t->phase = TCP_PHASE_RESET;
	if (t->closer == TCP_END_UNKNOWN)
		t->closer = from;
	t->ended_ns = now_ns;
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
	if (!(rcv->flags & TCP_SIDE_SENT) || !((snd->flags & TCP_SIDE_ACKED) | (rcv->flags & TCP_SIDE_SYN)))
		return 1;
	if (t->phase < TCP_PHASE_ESTABLISHED && !seq_after(pkt->tcp_ack, rcv->isn))
		return 0;
	return !seq_after(pkt->tcp_ack, rcv->next) ||
	       (snd->flags & TCP_SIDE_ACKED && !seq_after(pkt->tcp_ack, snd->edge));
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

static __always_inline __u32 track_fin(struct tcp_track *t, struct tcp_side *snd, struct tcp_side *rcv,
				       __u32 fin_end, flow_end from, __u64 now_ns)
{
	if (snd->flags & TCP_SIDE_FIN)
		return 0;
	snd->flags |= TCP_SIDE_FIN;
	snd->fin_end = fin_end;
	if (rcv->flags & TCP_SIDE_ACKED && !seq_before(rcv->acked, fin_end)) /* overtaken */
		snd->flags |= TCP_SIDE_FIN_ACKED;
	if (rcv->flags & TCP_SIDE_FIN && !(rcv->flags & TCP_SIDE_FIN_ACKED))
		t->flags |= TCP_TRACK_SIMULTANEOUS_CLOSE;
	if (t->closer == TCP_END_UNKNOWN) {
		t->closer = from;
		t->ended_ns = now_ns;
	}
	if (t->phase < TCP_PHASE_CLOSED)
		t->phase = TCP_PHASE_CLOSING;
	return TCP_EVENT_FIN;
}

/* Data and FIN. */
static __always_inline __u32 track_text(struct tcp_track *t, struct tcp_side *snd, struct tcp_side *rcv,
					const struct packet *pkt, flow_end from, __u64 now_ns)
{
	__u32 end = pkt->tcp_seq + text_bytes(pkt);
	__u32 events = tcp_text_judge(snd, rcv, pkt, now_ns);

	side_advance(snd, pkt, end);
	if (pkt->tcp_flags & TCPHDR_FIN)
		events |= track_fin(t, snd, rcv, end, from, now_ns);
	return events;
}

/* RFC 9293 §3.8.6.1: a window of zero stops the sender until it is opened again. */
static __always_inline __u32 track_window(struct tcp_side *snd, const struct packet *pkt)
{
	int was_closed = snd->flags & TCP_SIDE_ZERO_WINDOW;

	if (!(pkt->tcp_flags & TCPHDR_ACK) || !pkt->tcp_window == !!was_closed)
		return 0;
	snd->flags ^= TCP_SIDE_ZERO_WINDOW;
	if (was_closed)
		return TCP_EVENT_WINDOW_OPEN;
	snd->zero_windows++;
	return TCP_EVENT_ZERO_WINDOW;
}

/* An acknowledgment that repeats what is known, from the end that was made to say it. */
static __always_inline __u32 track_challenge_ack(struct tcp_track *t, const struct tcp_side *snd,
						 const struct packet *pkt, flow_end from)
{
	if (t->challenged != from)
		return 0;
	t->challenged = TCP_END_UNKNOWN;
	return pkt->tcp_flags & TCPHDR_ACK && !(pkt->tcp_flags & TCPHDR_SYN) && !text_bytes(pkt) &&
			       snd->flags & TCP_SIDE_ACKED && pkt->tcp_ack == snd->acked
		       ? TCP_EVENT_CHALLENGE_ACK
		       : 0;
}

static __always_inline void note_timestamp(struct tcp_side *snd, const struct packet *pkt)
{
	if (pkt->tcp_options.flags & TCP_HAS_TIMESTAMPS && (__s32)(pkt->tcp_options.tsval - snd->tsval) > 0)
		snd->tsval = pkt->tcp_options.tsval;
}

static __always_inline void note_seen(struct tcp_track *t, const struct packet *pkt)
{
	int ack = pkt->tcp_flags & TCPHDR_ACK;

	if (pkt->tcp_flags & TCPHDR_SYN)
		t->seen |= ack ? TCP_SEEN_SYNACK : TCP_SEEN_SYN;
	else if (ack && !pkt->payload_bytes)
		t->seen |= TCP_SEEN_ACK;
	if (pkt->payload_bytes)
		t->seen |= TCP_SEEN_DATA;
	if (pkt->tcp_flags & TCPHDR_FIN)
		t->seen |= TCP_SEEN_FIN;
}

/* What has become of the connection that a SYN on the same ports puts an end to. */
static __always_inline __u32 track_outlived(const struct tcp_track *t)
{
	switch (t->phase) {
	case TCP_PHASE_OPENING:
		return t->flags & TCP_TRACK_UNREACHABLE ? 0 : TCP_EVENT_TIMED_OUT;
	case TCP_PHASE_ANSWERED:
		return TCP_EVENT_HALF_OPEN;
	case TCP_PHASE_ESTABLISHED:
	case TCP_PHASE_CLOSING:
		return TCP_EVENT_ABANDONED;
	default:
		return 0;
	}
}

/* The steps of a segment. Each finds the two ends for itself: a step takes the connection as a whole. */

XL_STEP __u32 step_rst(struct tcp_track *t, const struct packet *pkt, flow_end from, __u64 now_ns)
{
	return t && pkt ? track_rst(t, &t->side[from & 1], &t->side[!(from & 1)], pkt, from, now_ns) : 0;
}

XL_STEP __u32 step_refuse(const struct tcp_track *t, const struct packet *pkt, flow_end from)
{
	return t && pkt ? track_refuse(t, &t->side[from & 1], &t->side[!(from & 1)], pkt) : 0;
}

XL_STEP __u32 step_syn(struct tcp_track *t, const struct packet *pkt, flow_end from, __u64 now_ns)
{
	__u32 events;

	if (!t || !pkt)
		return 0;
	events = track_syn(t, &t->side[from & 1], &t->side[!(from & 1)], pkt, from, now_ns);
	if (pkt->payload_bytes && events & TCP_EVENT_SYN)
		events |= TCP_EVENT_SYN_DATA;
	if (events & TCP_EVENT_SYN_IGNORED)
		track_challenge(t, &t->side[!(from & 1)], pkt, from);
	return events;
}

XL_STEP __u32 step_acknowledge(struct tcp_track *t, const struct packet *pkt, flow_end from, __u64 now_ns)
{
	struct tcp_side *snd, *rcv;
	__u32 events;

	if (!t || !pkt)
		return 0;
	snd = &t->side[from & 1];
	rcv = &t->side[!(from & 1)];
	note_seen(t, pkt);
	events = track_challenge_ack(t, snd, pkt, from);
	side_acknowledge(snd, rcv, pkt);
	forget_hole(rcv, snd);
	tcp_rtt_acknowledged(&rcv->rtt, pkt, now_ns);
	return events | track_established(t, now_ns);
}

XL_STEP __u32 step_text(struct tcp_track *t, const struct packet *pkt, flow_end from, __u64 now_ns)
{
	struct tcp_side *snd, *rcv;
	__u32 events;

	if (!t || !pkt)
		return 0;
	snd = &t->side[from & 1];
	rcv = &t->side[!(from & 1)];
	events = track_text(t, snd, rcv, pkt, from, now_ns);
	return events | track_window(snd, pkt);
}

/* A segment that counts, and no RST. */
static __always_inline __u32 track_accept(struct tcp_track *t, const struct packet *pkt, flow_end from,
					  __u64 now_ns)
{
	int syn = pkt->tcp_flags & TCPHDR_SYN;
	__u32 events = 0;

	if (syn) {
		events = step_syn(t, pkt, from, now_ns);
		if (events & TCP_EVENT_SYN_IGNORED)
			return events;
	} else if (t->phase == TCP_PHASE_NONE) { /* both ends count as open; who opened it is unknown */
		t->phase = TCP_PHASE_ESTABLISHED;
		t->flags |= TCP_TRACK_MIDSTREAM;
		events = TCP_EVENT_MIDSTREAM;
	}
	events |= step_acknowledge(t, pkt, from, now_ns);
	if (!syn)
		events |= step_text(t, pkt, from, now_ns);
	note_timestamp(&t->side[from & 1], pkt);
	return events | track_closed(t);
}

/**
 * tcp_track_wants_time() - whether the segment needs the exact time
 * The clock is the dearest thing about a segment of an open connection. Where nothing is measured from it or to it, a
 * time that is some milliseconds old does.
 */
static __always_inline int tcp_track_wants_time(const struct tcp_track *t, const struct packet *pkt,
						flow_end from)
{
	const struct tcp_side *snd = &t->side[from & 1], *rcv = &t->side[!(from & 1)];

	return t->phase != TCP_PHASE_ESTABLISHED || pkt->tcp_flags & (TCPHDR_SYN | TCPHDR_FIN | TCPHDR_RST) ||
	       (snd->rtt.by == TCP_RTT_IDLE && pkt->payload_bytes) || tcp_rtt_answers(&rcv->rtt, pkt);
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
XL_STEP __u32 tcp_track_segment(struct tcp_track *t, const struct packet *pkt, flow_end from, __u64 now_ns)
{
	__u32 events = 0, refused, outlived;
	struct tcp_side *snd, *rcv;
	__u8 former_flags;

	if (!t || !pkt)
		return 0;
	snd = &t->side[from & 1];
	rcv = &t->side[!(from & 1)];
	outlived = track_outlived(t);
	former_flags = t->flags;
	if ((pkt->tcp_flags & (TCPHDR_SYN | TCPHDR_RST)) == TCPHDR_SYN &&
	    syn_begins_anew(t, snd, pkt, from)) {
		events = outlived | TCP_EVENT_REUSED;
		tcp_track_begin(t, now_ns);
	} else if (!(pkt->tcp_flags & TCPHDR_RST) && track_take_other(t, rcv, pkt, from)) {
		events = outlived | TCP_EVENT_REUSED;
	}
	if (events)
		t->former_flags = former_flags;
	t->last_ns = now_ns;
	snd->packets += pkt->segments > 1 ? pkt->segments : 1;
	snd->bytes += pkt->payload_bytes;
	if (pkt->tcp_flags & TCPHDR_RST)
		return step_rst(t, pkt, from, now_ns);
	if (t->phase == TCP_PHASE_RESET &&
	    !(pkt->tcp_flags & TCPHDR_SYN)) /* on its way when the RST was sent */
		return 0;
	refused = step_refuse(t, pkt, from);
	return events | (refused ? refused : track_accept(t, pkt, from, now_ns));
}

/**
 * tcp_track_icmp_error() - an ICMP or ICMPv6 error that quotes a segment of the connection
 * Only an error about the SYN of an attempt that is under way tells that it cannot be reached; Linux gives up on it
 * then (RFC 5461 §4), and if it does not and is answered, it is not unreachable after all. Any other is a soft error
 * (RFC 1122 §4.2.3.9), or a guess (RFC 5927 §4), and changes nothing.
 * @sender: the end whose segment is quoted
 * @seq:    its sequence number
 *
 * Return: TCP_EVENT_UNREACHABLE or 0.
 */
static __always_inline __u32 tcp_track_icmp_error(struct tcp_track *t, flow_end sender, __u32 seq, __u8 type,
						  __u8 code, __u64 now_ns)
{
	if (t->phase != TCP_PHASE_OPENING || sender != t->client || seq != t->side[sender & 1].isn ||
	    t->flags & TCP_TRACK_UNREACHABLE)
		return 0;
	t->flags |= TCP_TRACK_UNREACHABLE;
	t->icmp_type = type;
	t->icmp_code = code;
	t->ended_ns = t->last_ns = now_ns;
	return TCP_EVENT_UNREACHABLE;
}

/* A SYN that passes a second hook on its way: which of its options are gone. */
static __always_inline void tcp_track_syn_again_elsewhere(struct tcp_track *t, const struct packet *pkt,
							  flow_end from)
{
	struct tcp_side *snd = &t->side[from & 1];

	if (snd->flags & TCP_SIDE_OPTIONS && snd->isn == pkt->tcp_seq)
		snd->stripped |= snd->options & ~pkt->tcp_options.flags;
}

/**
 * tcp_track_give_up() - nothing more will be heard of the connection: what became of it
 * @expired: it has been silent for longer than its ends have patience; else the observer stops
 *
 * Return: TCP_EVENT_{TIMED_OUT, HALF_OPEN, ABANDONED, STILL_OPEN}, or 0 if its end has been told already.
 */
static __always_inline __u32 tcp_track_give_up(const struct tcp_track *t, int expired)
{
	__u32 event = track_outlived(t);

	if (expired || !event)
		return event;
	return event == TCP_EVENT_ABANDONED ? TCP_EVENT_STILL_OPEN : TCP_EVENT_HALF_OPEN;
}

#endif
