/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parser's steps in a row, for the packet that nearly all are: TCP or UDP directly behind one IP header directly behind
 * the Ethernet header. Every header is then at a fixed place, so that the compiler keeps struct packet in registers; the
 * parser proper, for which it is in memory, takes several times as long.
 */
#ifndef XDPLIFE_PARSE_PLAIN_H
#define XDPLIFE_PARSE_PLAIN_H

#include "parse.h"

#define IP4_PLAIN_START 0x45 /* version 4, five words: no options */

static __always_inline int plain_ip4(struct cursor *cur, struct packet *pkt)
{
	const wire_iphdr *ip = CURSOR_STEP(cur, wire_iphdr);

	return ip && *(const __u8 *)ip == IP4_PLAIN_START &&
	       !parse_ip4_fields(pkt, ip, sizeof(*ip), cur->end) && !(pkt->flags & PACKET_IS_FRAGMENT);
}

static __always_inline int plain_ip6(struct cursor *cur, struct packet *pkt)
{
	const wire_ipv6hdr *ip = cur->pos;

	return (const void *)(ip + 1) <= cur->end && !is_ip6_ext(ip->nexthdr) && !parse_ip6(cur, pkt);
}

/**
 * parse_plain_ip() - read one frame up to its IP header, if it is a plain one
 * @cur:        at the frame's first byte; afterwards behind the IP header
 * @ip_version: 4 or 6: a constant
 * @pkt, @wire_bytes: as for parse_packet()
 *
 * Return: whether it is.
 */
static __always_inline int parse_plain_ip(struct cursor *cur, struct packet *pkt, __u32 wire_bytes,
					  __u8 ip_version)
{
	const wire_eth_header *eth = CURSOR_STEP(cur, wire_eth_header);

	if (!eth || eth->h_proto != (ip_version == 4 ? TO_BE16(ETH_P_IP) : TO_BE16(ETH_P_IPV6)))
		return 0;
	__builtin_memcpy(pkt->eth_dst, eth->h_dest, ETH_ALEN);
	__builtin_memcpy(pkt->eth_src, eth->h_source, ETH_ALEN);
	pkt->eth_type = eth->h_proto;
	pkt->wire_bytes = wire_bytes;
	pkt->l3_off = sizeof(*eth);
	return ip_version == 4 ? plain_ip4(cur, pkt) : plain_ip6(cur, pkt);
}

/**
 * parse_plain_l4() - and its upper-layer header
 *
 * Return: whether it is TCP or UDP, and well formed; then @pkt is what parse_packet() would make of the frame. A SYN is none: its
 * options must be read.
 */
static __always_inline int parse_plain_l4(struct cursor *cur, struct packet *pkt)
{
	if (pkt->ip_proto == IPPROTO_TCP)
		return !parse_tcp(cur, pkt) && !(pkt->tcp_flags & TCPHDR_SYN);
	return pkt->ip_proto == IPPROTO_UDP && !parse_udp(cur, pkt);
}

#endif
