/* SPDX-License-Identifier: GPL-2.0-only */
/* What the observer does with a packet, decided alike in the kernel and for a capture file. */
#ifndef XDPLIFE_OBSERVED_H
#define XDPLIFE_OBSERVED_H

#include "icmp_quote.h"
#include "tcp_track.h"
#include "tunnel.h"

static __always_inline int packet_is_segment(const struct packet *pkt)
{
	return pkt->ip_proto == IPPROTO_TCP && pkt->flags & PACKET_HAS_L4;
}

/* What neither is a segment nor quotes one. */
static __always_inline enum observed packet_other(const struct packet *pkt)
{
	if (packet_malformed(pkt))
		return OBSERVED_UNPARSED;
	if (pkt->flags & PACKET_LATER_FRAGMENT && pkt->ip_proto == IPPROTO_TCP)
		return OBSERVED_LATER_FRAGMENT;
	return OBSERVED_NOT_TCP;
}

/* Both ends have been heard, by a handshake or in the middle of the connection: it is no longer half-open. */
static __always_inline int tcp_track_is_proven(const struct tcp_track *t)
{
	return t->established_ns ||
	       (t->phase >= TCP_PHASE_ESTABLISHED && t->side[0].flags & t->side[1].flags & TCP_SIDE_SENT);
}

#endif
