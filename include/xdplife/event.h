/* SPDX-License-Identifier: GPL-2.0-only */
/* The record that crosses the ring buffer: one packet at one hook, and what it did to its connection. */
#ifndef XDPLIFE_EVENT_H
#define XDPLIFE_EVENT_H

#include "tcp_track.h"
#include "tunnel.h"

enum trace_hook {
	HOOK_INGRESS, /* XDP: as it came in */
	HOOK_EGRESS,  /* tc egress: as the stack sends it */
	HOOK_FORWARD, /* XDP, behind the forward stage: as it leaves by the egress interface */
	HOOK_NONE,    /* no frame: the connection has ended by its silence, or the observer ends */
};

/* Followed by captured_bytes of the frame, from its Ethernet header on. */
struct trace_event {
	__u64 time_ns;        /* CLOCK_MONOTONIC */
	__u32 ifindex;        /* where the hook is; for HOOK_FORWARD, where the frame leaves */
	__u32 egress_ifindex; /* a frame that is forwarded: where to; else 0 */
	__u32 captured_bytes;
	__u32 tcp_events; /* TCP_EVENT_*; of an ICMP error, what it did to the connection that it quotes */
	__u8 hook;        /* enum trace_hook */
	__u8 verdict;     /* enum verdict */
	__u8 ttl_out;     /* a frame that is forwarded: its TTL or hop limit as it leaves; else 0 */
	__u8 sender;      /* flow_end, an index into conn.side[] */
	struct flow_key
		key;   /* of the connection; an ICMP error has addresses of its own. Zero bytes as conn */
	__u8 observed; /* enum observed */
	__u8 _pad[7];
	struct tunnel tunnel;  /* that the packet came in */
	struct packet pkt;     /* the one inside, if there is a tunnel */
	struct tcp_track conn; /* after this packet; zero bytes if it is not a tracked TCP segment */
};

_Static_assert(sizeof(struct trace_event) == 36 + sizeof(struct flow_key) + sizeof(struct tunnel) +
						     sizeof(struct packet) + sizeof(struct tcp_track),
	       "crosses the ring buffer: no hidden padding");

/**
 * parse_inside() - what is inside a tunnel takes the place of the packet in the event
 * The VLAN tags stay those of the outer frame.
 * @event: its tunnel and pkt are filled
 * @outer: packet_may_tunnel()
 *
 * Return: whether there was something; else pkt is the outer packet.
 */
static __always_inline int parse_inside(struct trace_event *event, const struct packet *outer,
					const void *data, const void *end)
{
	struct packet *inner = &event->pkt;

	__builtin_memset(&event->tunnel, 0, sizeof(event->tunnel));
	__builtin_memset(inner, 0, sizeof(*inner));
	if (!parse_tunnel(inner, &event->tunnel, outer, data, end)) {
		event->tunnel.kind = TUNNEL_NONE;
		*inner = *outer;
		return 0;
	}
	__builtin_memcpy(inner->vlan_tci, outer->vlan_tci, sizeof(inner->vlan_tci));
	inner->vlan_count = outer->vlan_count;
	return 1;
}

#endif
