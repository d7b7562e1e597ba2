/* SPDX-License-Identifier: GPL-2.0-only */
/* The text of a segment, its data and FIN, as an observer judges it: new, sent again, out of order, a keep-alive. */
#ifndef XDPLIFE_TCP_TEXT_H
#define XDPLIFE_TCP_TEXT_H

#include "tcp_events.h"
#include "tcp_side.h"

/* What a segment takes of the sequence space, its SYN aside. */
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

/* RFC 9293 §3.8.4: it repeats at most the last byte, of which it knows that it has arrived. */
static __always_inline int is_keep_alive(const struct tcp_side *snd, const struct tcp_side *rcv,
					 const struct packet *pkt)
{
	return pkt->payload_bytes <= 1 && !(pkt->tcp_flags & TCPHDR_FIN) && snd->flags & TCP_SIDE_SENT &&
	       pkt->tcp_seq + 1 == snd->next && rcv->flags & TCP_SIDE_ACKED && rcv->acked == snd->next;
}

static __always_inline int is_in_hole(const struct tcp_side *snd, const struct packet *pkt, __u32 end)
{
	return has_hole(snd) && !seq_before(pkt->tcp_seq, snd->hole_from) && !seq_after(end, snd->hole_to);
}

/*
 * What fills a hole was overtaken, or was lost before it came by and is now sent again. A timestamp later than that of
 * what overtook it tells (it was sent after that); without, three acknowledgments that asked for it, or the time.
 */
static __always_inline int fills_by_repeating(const struct tcp_side *snd, const struct packet *pkt,
					      __u64 now_ns)
{
	if (pkt->tcp_options.flags & TCP_HAS_TIMESTAMPS && pkt->tcp_options.tsval != snd->tsval)
		return (__s32)(pkt->tcp_options.tsval - snd->tsval) > 0;
	return snd->dupacks >= TCP_DUPACKS || now_ns > snd->hole_ns + TCP_MIN_RTO_NS;
}

/* From its front or its end; from its middle it leaves the rest in front. */
static __always_inline void narrow_hole(struct tcp_side *snd, const struct packet *pkt, __u32 end)
{
	if (pkt->tcp_seq == snd->hole_from)
		snd->hole_from = end;
	else
		snd->hole_to = pkt->tcp_seq;
}

/* A segment that begins before what was sent last. Not 0. */
static __always_inline __u32 judge_old_text(struct tcp_side *snd, const struct tcp_side *rcv,
					    const struct packet *pkt, __u32 end, __u64 now_ns)
{
	if (is_in_hole(snd, pkt, end)) {
		int again = fills_by_repeating(snd, pkt, now_ns);

		narrow_hole(snd, pkt, end);
		if (!again) {
			snd->out_of_order++;
			return TCP_EVENT_OUT_OF_ORDER;
		}
	}
	snd->retransmits++;
	tcp_rtt_repeated(&snd->rtt);
	if (snd->flags & TCP_SIDE_FIN && pkt->tcp_flags & TCPHDR_FIN && end == snd->fin_end)
		return TCP_EVENT_FIN_RETRANSMIT;
	if (rcv->flags & TCP_SIDE_ACKED && !seq_after(end, rcv->acked)) {
		snd->duplicates++;
		return TCP_EVENT_DUPLICATE;
	}
	return TCP_EVENT_RETRANSMIT;
}

/* Something between it and what was sent last has not come by: lost, or overtaken. */
static __always_inline void note_hole(struct tcp_side *snd, const struct packet *pkt, __u64 now_ns)
{
	if (!has_hole(snd)) {
		snd->hole_from = snd->next;
		snd->hole_ns = now_ns;
		snd->dupacks = 0;
	}
	snd->hole_to = pkt->tcp_seq;
}

/**
 * tcp_text_judge() - is what a segment carries new?
 * A segment that carries nothing is judged for being a keep-alive only.
 *
 * Return: 0 if it is; else one of TCP_EVENT_{KEEP_ALIVE, OUT_OF_ORDER, RETRANSMIT, DUPLICATE, FIN_RETRANSMIT}
 */
static __always_inline __u32 tcp_text_judge(struct tcp_side *snd, const struct tcp_side *rcv,
					    const struct packet *pkt, __u64 now_ns)
{
	__u32 end = pkt->tcp_seq + text_bytes(pkt), events = 0;

	if (is_keep_alive(snd, rcv, pkt))
		return TCP_EVENT_KEEP_ALIVE;
	if (end == pkt->tcp_seq)
		return 0;
	if (snd->flags & TCP_SIDE_SENT && seq_before(pkt->tcp_seq, snd->next))
		events = judge_old_text(snd, rcv, pkt, end, now_ns);
	else if (snd->flags & TCP_SIDE_SENT && seq_after(pkt->tcp_seq, snd->next))
		note_hole(snd, pkt, now_ns);
	if (!events)
		tcp_rtt_sent(&snd->rtt, pkt, end, now_ns);
	return events;
}

#endif
