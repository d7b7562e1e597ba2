/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The TCP segment that an ICMP or ICMPv6 error quotes: its addresses, its ports and its sequence number, which is all
 * that an error need carry of it (RFC 792: 64 bits behind the IP header; RFC 4443 §2.4c: as much as fits).
 */
#ifndef XDPLIFE_ICMP_QUOTE_H
#define XDPLIFE_ICMP_QUOTE_H

#include "parse.h"

/* RFC 792, RFC 1812 §5.2.7 */
#define ICMP_TYPE_UNREACHABLE   3
#define ICMP_CODE_FRAG_NEEDED   4
#define ICMP_TYPE_TIME_EXCEEDED 11
#define ICMP_TYPE_PARAMETER     12
/* RFC 4443 §3 */
#define ICMP6_TYPE_UNREACHABLE   1
#define ICMP6_TYPE_TIME_EXCEEDED 3
#define ICMP6_TYPE_PARAMETER     4

/* The first eight bytes of a TCP header: RFC 9293 §3.1. */
struct tcp_start {
	__be16 source;
	__be16 dest;
	__be32 seq;
};

typedef struct tcp_start wire_tcp_start XL_IN_PLACE;

/* An error that means that the segment did not arrive; "packet too big" only tells its sender how to send it. */
static __always_inline int is_icmp_failure(const struct packet *pkt)
{
	if (!(pkt->flags & PACKET_HAS_L4))
		return 0;
	if (pkt->ip_version == 4 && pkt->ip_proto == IPPROTO_ICMP)
		return (pkt->icmp_type == ICMP_TYPE_UNREACHABLE && pkt->icmp_code != ICMP_CODE_FRAG_NEEDED) ||
		       pkt->icmp_type == ICMP_TYPE_TIME_EXCEEDED || pkt->icmp_type == ICMP_TYPE_PARAMETER;
	return pkt->ip_version == 6 && pkt->ip_proto == NEXTHDR_ICMPV6 &&
	       (pkt->icmp_type == ICMP6_TYPE_UNREACHABLE || pkt->icmp_type == ICMP6_TYPE_TIME_EXCEEDED ||
		pkt->icmp_type == ICMP6_TYPE_PARAMETER);
}

/* The quoted IP header; what it says of lengths and checksums may have been changed on the way and is not asked. */
static __always_inline int quote_ip(struct packet *quoted, struct cursor *cur, const struct packet *pkt)
{
	const wire_ipv6hdr *ip6;
	const wire_iphdr *ip4;

	if (pkt->ip_version == 4) {
		ip4 = CURSOR_STEP(cur, wire_iphdr);
		if (!ip4 || ip4->version != 4 || ip4->ihl < 5)
			return 0;
		quoted->src.v4 = ip4->saddr;
		quoted->dst.v4 = ip4->daddr;
		quoted->ip_proto = ip4->protocol;
		quoted->l4_off = pkt->payload_off + ip4->ihl * 4;
		return 1;
	}
	ip6 = CURSOR_STEP(cur, wire_ipv6hdr);
	if (!ip6 || ip6->version != 6)
		return 0;
	__builtin_memcpy(&quoted->src, &ip6->saddr, sizeof(quoted->src));
	__builtin_memcpy(&quoted->dst, &ip6->daddr, sizeof(quoted->dst));
	quoted->ip_proto = ip6->nexthdr;
	quoted->l4_off = pkt->payload_off + sizeof(*ip6);
	return 1;
}

/**
 * parse_icmp_quote() - read what an ICMP error quotes
 * @quoted: its addresses, ports, sequence number and VLAN tags are filled, enough for flow_key_of(); zero first
 * @pkt:    the error: is_icmp_failure()
 *
 * Return: whether it quotes a TCP segment, directly behind its IP header.
 */
static __always_inline int parse_icmp_quote(struct packet *quoted, const struct packet *pkt, const void *data,
					    const void *end)
{
	struct cursor cur = {.data = data, .pos = data, .end = end};
	const wire_tcp_start *tcp;

	cursor_resume(&cur, &pkt->payload_off);
	if (!quote_ip(quoted, &cur, pkt) || quoted->ip_proto != IPPROTO_TCP)
		return 0;
	cursor_resume(&cur, &quoted->l4_off);
	tcp = CURSOR_STEP(&cur, wire_tcp_start);
	if (!tcp)
		return 0;
	quoted->ip_version = pkt->ip_version;
	quoted->src_port = tcp->source;
	quoted->dst_port = tcp->dest;
	quoted->tcp_seq = FROM_BE32(tcp->seq);
	__builtin_memcpy(quoted->vlan_tci, pkt->vlan_tci, sizeof(quoted->vlan_tci));
	return 1;
}

#endif
