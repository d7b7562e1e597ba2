/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The segment that nearly all are: in order, on an open connection, with nothing to tell. tcp_track_segment() would do the
 * same (tests/unit/test_tcp_fast.c compares them); this is short enough to run under a lock in the kernel.
 */
#ifndef XDPLIFE_TCP_FAST_H
#define XDPLIFE_TCP_FAST_H

#include "tcp_track.h"

/* That the other end has not been heard of is no hindrance: routes can differ by direction. */
static __always_inline int is_plain(const struct tcp_track *t, const struct tcp_side *snd,
				    const struct tcp_side *rcv, const struct packet *pkt)
{
	const __u8 known = TCP_SIDE_SENT | TCP_SIDE_ACKED, ending = TCP_SIDE_FIN | TCP_SIDE_ZERO_WINDOW;

	if (t->phase != TCP_PHASE_ESTABLISHED || t->flags & TCP_TRACK_OTHER_SYN ||
	    t->challenged != TCP_END_UNKNOWN)
		return 0;
	if ((snd->flags & known) != known || (rcv->flags & known && (rcv->flags & known) != known) ||
	    (snd->flags | rcv->flags) & ending)
		return 0;
	if ((pkt->tcp_flags & (TCPHDR_SYN | TCPHDR_FIN | TCPHDR_RST | TCPHDR_ACK)) != TCPHDR_ACK ||
	    !pkt->tcp_window || has_hole(snd) || has_hole(rcv))
		return 0;
	if (pkt->tcp_seq != snd->next || seq_before(pkt->tcp_ack, snd->acked))
		return 0;
	return !(rcv->flags & known) ||
	       (!seq_after(pkt->tcp_seq, rcv->edge) && !seq_before(pkt->tcp_seq, rcv->acked) &&
		!seq_after(pkt->tcp_ack, rcv->next));
}

/**
 * tcp_track_fast() - one more segment, if it is of that kind
 * @t, @pkt, @from, @now_ns: as for tcp_track_segment()
 *
 * Return: whether it was; if not, nothing has changed.
 */
static __always_inline int tcp_track_fast(struct tcp_track *t, const struct packet *pkt, flow_end from,
					  __u64 now_ns)
{
	struct tcp_side *snd = &t->side[from & 1], *rcv = &t->side[!(from & 1)];

	if (!is_plain(t, snd, rcv, pkt))
		return 0;
	t->last_ns = now_ns;
	snd->packets += pkt->segments > 1 ? pkt->segments : 1;
	snd->bytes += pkt->payload_bytes;
	note_seen(t, pkt);
	side_acknowledge(snd, rcv, pkt);
	tcp_rtt_acknowledged(&rcv->rtt, pkt, now_ns);
	if (pkt->payload_bytes)
		tcp_rtt_sent(&snd->rtt, pkt, pkt->tcp_seq + pkt->payload_bytes, now_ns);
	snd->next = pkt->tcp_seq + pkt->payload_bytes;
	note_timestamp(snd, pkt);
	return 1;
}

#endif
