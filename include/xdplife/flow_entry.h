/* SPDX-License-Identifier: GPL-2.0-only */
/* A place in the table of connections, which lies in memory that the kernel side and userspace share. */
#ifndef XDPLIFE_FLOW_ENTRY_H
#define XDPLIFE_FLOW_ENTRY_H

#include "tcp_track.h"

/* What every segment needs lies in the first cache lines: the key, the lock and the beginning of the track fill one. */
struct flow_entry {
	struct flow_key key; /* ip_version 0: the place is free */
	__u32 held;          /* 1: somebody changes it */
	struct tcp_track track;
	__u8 _pad[72];
};

_Static_assert(sizeof(struct flow_entry) == 512, "whole cache lines, and none across two pages");

static __always_inline int flow_key_same(const struct flow_key *a, const struct flow_key *b)
{
	return ip_addr_same(&a->addr[0], &b->addr[0], b->ip_version) &&
	       ip_addr_same(&a->addr[1], &b->addr[1], b->ip_version) && a->port[0] == b->port[0] &&
	       a->port[1] == b->port[1] && a->vid[0] == b->vid[0] && a->vid[1] == b->vid[1] &&
	       a->vid[2] == b->vid[2] && a->ip_version == b->ip_version && a->ip_proto == b->ip_proto;
}

#endif
