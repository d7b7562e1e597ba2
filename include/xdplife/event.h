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
	__u32 _pad;
	struct tunnel tunnel; /* that the packet came in */
	struct packet pkt;    /* the one inside, if there is a tunnel */
	struct tcp_track conn; /* after this packet; zero bytes if it is not a tracked TCP segment */
};

_Static_assert(sizeof(struct trace_event) ==
		       32 + sizeof(struct tunnel) + sizeof(struct packet) + sizeof(struct tcp_track),
	       "crosses the ring buffer: no hidden padding");

#endif
