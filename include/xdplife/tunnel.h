/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The packet inside a packet: IPv4 and IPv6 in either (RFC 2003, 4213, 2473), GRE (RFC 2784, 2890), VXLAN (RFC 7348).
 *
 * One tunnel deep: what an inner packet carries in its turn is not looked into.
 */
#ifndef XDPLIFE_TUNNEL_H
#define XDPLIFE_TUNNEL_H

#include "parse.h"

enum tunnel_kind {
	TUNNEL_NONE,
	TUNNEL_IPIP, /* IPv4 in IPv4 */
	TUNNEL_6IN4,
	TUNNEL_4IN6,
	TUNNEL_6IN6,
	TUNNEL_GRE,
	TUNNEL_VXLAN,
};

#define TUNNEL_HAS_ID 0x01 /* id is valid */

/* The outer packet. */
struct tunnel {
	union ip_addr src;
	union ip_addr dst;
	__u32 id;  /* VXLAN's VNI, GRE's key */
	__u8 kind; /* enum tunnel_kind */
	__u8 ip_version;
	__u8 flags;
	__u8 _pad;
};

_Static_assert(sizeof(struct tunnel) == 40, "crosses the ring buffer: no hidden padding");

#define VXLAN_PORT        4789 /* RFC 7348 §8 */
#define VXLAN_FLAG_VNI    0x08 /* RFC 7348 §5: the I flag */
#define GRE_FLAG_CHECKSUM 0x80 /* RFC 2784 §2.1, RFC 2890 §2: in the first byte */
#define GRE_FLAG_KEY      0x20
#define GRE_FLAG_SEQUENCE 0x10
#define GRE_KNOWN_FLAGS   (GRE_FLAG_CHECKSUM | GRE_FLAG_KEY | GRE_FLAG_SEQUENCE)
#define GRE_WORD_BYTES    4 /* of each optional field */

struct gre_header {
	__u8 flags;
	__u8 version; /* the lower three bits; the others must be zero */
	__be16 protocol;
};

struct vxlan_header {
	__u8 flags;
	__u8 reserved[3];
	__be32 vni; /* in the upper 24 bits */
};

typedef struct gre_header wire_gre_header XL_IN_PLACE;
typedef struct vxlan_header wire_vxlan_header XL_IN_PLACE;
typedef __u32 wire_be32 XL_IN_PLACE;

/* What is inside and where: an EtherType (or ETH_P_TEB, for an Ethernet header). */
struct tunnel_inside {
	__u16 off;
	__be16 type;
};

static __always_inline int tunnel_ip(struct tunnel *tunnel, struct tunnel_inside *in,
				     const struct packet *outer)
{
	int in6 = outer->ip_proto == IPPROTO_IPV6;

	if (outer->ip_version == 4)
		tunnel->kind = in6 ? TUNNEL_6IN4 : TUNNEL_IPIP;
	else
		tunnel->kind = in6 ? TUNNEL_6IN6 : TUNNEL_4IN6;
	in->off = outer->l4_off;
	in->type = in6 ? TO_BE16(ETH_P_IPV6) : TO_BE16(ETH_P_IP);
	return 1;
}

static __always_inline int tunnel_gre(struct tunnel *tunnel, struct tunnel_inside *in, struct cursor *cur,
				      const struct packet *outer)
{
	const wire_gre_header *gre;
	__u16 off = outer->l4_off + sizeof(*gre);
	const wire_be32 *key;

	cursor_resume(cur, &outer->l4_off);
	gre = CURSOR_STEP(cur, wire_gre_header);
	if (!gre || gre->version || gre->flags & ~GRE_KNOWN_FLAGS)
		return 0;
	tunnel->kind = TUNNEL_GRE;
	in->type = gre->protocol;
	if (gre->flags & GRE_FLAG_CHECKSUM)
		off += GRE_WORD_BYTES;
	if (gre->flags & GRE_FLAG_KEY) {
		in->off = off;
		cursor_resume(cur, &in->off);
		key = CURSOR_STEP(cur, wire_be32);
		if (!key)
			return 0;
		tunnel->id = FROM_BE32(*key);
		tunnel->flags |= TUNNEL_HAS_ID;
		off += GRE_WORD_BYTES;
	}
	if (gre->flags & GRE_FLAG_SEQUENCE)
		off += GRE_WORD_BYTES;
	in->off = off;
	return 1;
}

static __always_inline int tunnel_vxlan(struct tunnel *tunnel, struct tunnel_inside *in, struct cursor *cur,
					const struct packet *outer)
{
	const wire_vxlan_header *vxlan;

	cursor_resume(cur, &outer->payload_off);
	vxlan = CURSOR_STEP(cur, wire_vxlan_header);
	if (!vxlan || !(vxlan->flags & VXLAN_FLAG_VNI))
		return 0;
	tunnel->kind = TUNNEL_VXLAN;
	tunnel->id = FROM_BE32(vxlan->vni) >> 8;
	tunnel->flags |= TUNNEL_HAS_ID;
	in->off = outer->payload_off + sizeof(*vxlan);
	in->type = TO_BE16(ETH_P_TEB);
	return 1;
}

/* Cheap: for each packet that is not TCP. */
static __always_inline int packet_may_tunnel(const struct packet *pkt)
{
	if (pkt->malformed_l3 || pkt->flags & PACKET_IS_FRAGMENT)
		return 0;
	return pkt->ip_version && (pkt->ip_proto == IPPROTO_IPIP || pkt->ip_proto == IPPROTO_IPV6 ||
				   pkt->ip_proto == IPPROTO_GRE ||
				   (pkt->ip_proto == IPPROTO_UDP && pkt->dst_port == TO_BE16(VXLAN_PORT) &&
				    pkt->flags & PACKET_HAS_L4));
}

/**
 * parse_tunnel() - read the packet inside
 * @inner:  filled if there is one, as by parse_packet(); its offsets count from the start of the frame
 * @tunnel: filled if there is one; zero first
 * @outer:  from parse_packet(); packet_may_tunnel()
 *
 * Return: whether there is one.
 */
static __always_inline int parse_tunnel(struct packet *inner, struct tunnel *tunnel,
					const struct packet *outer, const void *data, const void *end)
{
	struct cursor cur = {.data = data, .pos = data, .end = end};
	struct tunnel_inside in = {};
	int found;

	if (outer->ip_proto == IPPROTO_GRE)
		found = tunnel_gre(tunnel, &in, &cur, outer);
	else if (outer->ip_proto == IPPROTO_UDP)
		found = tunnel_vxlan(tunnel, &in, &cur, outer);
	else
		found = tunnel_ip(tunnel, &in, outer);
	if (!found ||
	    (in.type != TO_BE16(ETH_P_IP) && in.type != TO_BE16(ETH_P_IPV6) && in.type != TO_BE16(ETH_P_TEB)))
		return 0;
	tunnel->src = outer->src;
	tunnel->dst = outer->dst;
	tunnel->ip_version = outer->ip_version;
	inner->l3_off = in.off;
	cursor_resume(&cur, &inner->l3_off);
	parse_packet_at(inner, &cur, in.off, in.type, outer->l3_off + outer->l3_bytes);
	return 1;
}

#endif
