/* SPDX-License-Identifier: GPL-2.0-only */
/* The configuration of one port's programs: `const volatile` in BPF, so a stage that is off is dead code
 * there. */
#ifndef XDPLIFE_CONFIG_H
#define XDPLIFE_CONFIG_H

#include <linux/types.h>

#define CONFIG_MAX_PORTS  64
#define CONFIG_MAX_QUEUES 64
#define CONFIG_MAX_SNAP   65536 /* bytes of a frame that an event can carry */

struct port_config {
	__u32 ifindex;
	__u32 port;          /* the index of its counters */
	__u32 snap_bytes;    /* bytes of the frame that go with an event */
	__u32 event_mask;    /* TCP_EVENT_* that are emitted */
	__u32 max_half_open; /* entries of the table of connections that only one end has shown */
	__u32 flow_places;   /* for connections, and for guesses at them: a power of two */
	__u32 flow_guesses;
	__u32 route_pairs; /* of the route cache, for each CPU: a power of two; 0: no cache */
	__u32 idle_turns;  /* the bench slows the program down by them, to see that it sees it; 0: none */
	__u8 mac[6];
	__u8 observe; /* track connections, emit their events */
	__u8 packets; /* emit an event for every frame */
	__u8 steer;
	__u8 forward;
	__u8 rp_filter; /* 0 off, 1 strict (RFC 3704 §2.2), 2 loose (§2.4): net.ipv4.conf.*.rp_filter */
	__u8 frags;     /* the kernel has multi-buffer XDP: ask for the length of the whole frame */
	__u8 filter;    /* what it does not match is not observed */
	__u8 _pad[1];
};

_Static_assert(sizeof(struct port_config) == 52, "no hidden padding");

#endif
