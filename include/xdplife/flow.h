/* SPDX-License-Identifier: GPL-2.0-only */
/* The identity of a connection: one key for both directions, and which end a packet came from. */
#ifndef XDPLIFE_FLOW_H
#define XDPLIFE_FLOW_H

#include "parse.h"

/*
 * The two ends in canonical order (the smaller address first, then the smaller port), so that a packet and
 * its answer have the same key. VLAN identifiers belong to it: the same addresses in two VLANs are two
 * connections.
 */
struct flow_key {
	union ip_addr addr[2];
	__be16 port[2];
	__u16 vid[VLAN_MAX_TAGS]; /* 0 where there is no tag */
	__u8 ip_version;
	__u8 ip_proto;
};

_Static_assert(sizeof(struct flow_key) == 44, "hashed as bytes: no padding");

/* An end of a connection, as an index into flow_key.addr[] and tcp_track.side[]. */
typedef __u8 flow_end;

static __always_inline int ip_addr_compare(const union ip_addr *a, const union ip_addr *b)
{
#ifdef __clang__
#pragma clang loop unroll(full)
#endif
	for (int i = 0; i < 4; i++) {
		__u32 x = FROM_BE32(a->word[i]), y = FROM_BE32(b->word[i]);

		if (x != y)
			return x < y ? -1 : 1;
	}
	return 0;
}

static __always_inline int ip_addr_same(const union ip_addr *a, const union ip_addr *b, __u8 ip_version)
{
	if (a->word[0] != b->word[0])
		return 0;
	return ip_version == 4 ||
	       (a->word[1] == b->word[1] && a->word[2] == b->word[2] && a->word[3] == b->word[3]);
}

/**
 * flow_key_of() - the key of the connection that a packet belongs to
 * @key: filled, every byte
 * @pkt: with PACKET_HAS_L4
 *
 * Return: the end that sent the packet, 0 or 1.
 */
static __always_inline flow_end flow_key_of(struct flow_key *key, const struct packet *pkt)
{
	int order = ip_addr_compare(&pkt->src, &pkt->dst);
	flow_end sender = order > 0 || (order == 0 && FROM_BE16(pkt->src_port) > FROM_BE16(pkt->dst_port));

	/* Written out by branch, not by index: a variable index into the stack is what the verifier likes
	 * least. */
	if (sender) {
		key->addr[0] = pkt->dst;
		key->addr[1] = pkt->src;
		key->port[0] = pkt->dst_port;
		key->port[1] = pkt->src_port;
	} else {
		key->addr[0] = pkt->src;
		key->addr[1] = pkt->dst;
		key->port[0] = pkt->src_port;
		key->port[1] = pkt->dst_port;
	}
#ifdef __clang__
#pragma clang loop unroll(full)
#endif
	for (int i = 0; i < VLAN_MAX_TAGS; i++)
		key->vid[i] = pkt->vlan_tci[i] & VLAN_VID_MASK;
	key->ip_version = pkt->ip_version;
	key->ip_proto = pkt->ip_proto;
	return sender;
}

/*
 * Where only one direction is tagged (a network card that takes tags off, a mirror port), a reply has not the key of what
 * it answers. So where a key leads to no connection, and the packet does not open one:
 *   its key is tagged:   look under the key without tags;
 *   its key is untagged: look under the tags that a SYN with these addresses and ports had, which are kept under the
 *                        key without tags when a tagged SYN makes a connection;
 * and if there is one whose client is the other end (flow_is_reply()), it is the packet's. The same addresses in two
 * VLANs stay two connections: each has a SYN of its own.
 */
struct flow_tags {
	__u16 vid[VLAN_MAX_TAGS]; /* as in flow_key */
	__u16 _pad;
};

_Static_assert(sizeof(struct flow_tags) == 8, "no hidden padding");

/* Whether it may begin a connection of its own: a SYN that answers nothing. */
static __always_inline int packet_opens(const struct packet *pkt)
{
	return (pkt->tcp_flags & (TCPHDR_SYN | TCPHDR_ACK | TCPHDR_RST)) == TCPHDR_SYN;
}

static __always_inline int flow_is_tagged(const struct flow_key *key)
{
	return key->vid[0] | key->vid[1] | key->vid[2];
}

static __always_inline struct flow_tags flow_tags_of(const struct flow_key *key)
{
	struct flow_tags tags = {.vid = {key->vid[0], key->vid[1], key->vid[2]}};

	return tags;
}

/* @tags: NULL: none */
static __always_inline void flow_set_tags(struct flow_key *key, const struct flow_tags *tags)
{
	key->vid[0] = tags ? tags->vid[0] : 0;
	key->vid[1] = tags ? tags->vid[1] : 0;
	key->vid[2] = tags ? tags->vid[2] : 0;
}

/* @client: of the connection found under the other key */
static __always_inline int flow_is_reply(flow_end client, flow_end from)
{
	return client == !from;
}

/* One direction of one TCP connection, as the steering table is keyed: from the remote end to the local one.
 */
struct steer_key {
	union ip_addr remote;
	union ip_addr local;
	__be16 remote_port;
	__be16 local_port;
	__u8 ip_version;
	__u8 _pad[3];
};

_Static_assert(sizeof(struct steer_key) == 40, "hashed as bytes: no hidden padding");

static __always_inline void steer_key_of(struct steer_key *key, const struct packet *pkt)
{
	key->remote = pkt->src;
	key->local = pkt->dst;
	key->remote_port = pkt->src_port;
	key->local_port = pkt->dst_port;
	key->ip_version = pkt->ip_version;
	__builtin_memset(key->_pad, 0, sizeof(key->_pad));
}

/* A next hop whose MAC the forward stage lacks; userspace asks the kernel to resolve it. */
struct next_hop {
	union ip_addr addr;
	__u32 ifindex;
	__u8 ip_version;
	__u8 _pad[3];
};

_Static_assert(sizeof(struct next_hop) == 24, "hashed as bytes: no hidden padding");

#endif
