/* SPDX-License-Identifier: GPL-2.0-only */
/* The edits of a router: TTL or hop limit decremented with the checksum kept right, MACs replaced. */
#ifndef XDPLIFE_REWRITE_H
#define XDPLIFE_REWRITE_H

#include "wire.h"
#include "checksum.h"

/* As they are in front of a frame. */
struct mac_pair {
	__u8 dst[ETH_ALEN];
	__u8 src[ETH_ALEN];
} __attribute__((aligned(4)));

/**
 * rewrite_ip4_ttl() - decrement the TTL and update the header checksum (RFC 1812 §5.3.1, RFC 1624)
 * @ip: a header whose TTL is at least 1
 *
 * The result equals that of Linux's ip_decrease_ttl() for every checksum that can be right.
 */
static __always_inline void rewrite_ip4_ttl(struct iphdr *ip)
{
	__u16 from = TO_BE16(ip->ttl << 8 | ip->protocol);

	ip->ttl--;
	ip->check = checksum_replace16(ip->check, from, TO_BE16(ip->ttl << 8 | ip->protocol));
}

/* RFC 8200 §3: IPv6 has no header checksum. @ip: a header whose hop limit is at least 1. */
static __always_inline void rewrite_ip6_hop_limit(struct ipv6hdr *ip)
{
	ip->hop_limit--;
}

static __always_inline void rewrite_macs(wire_eth_header *eth, const struct mac_pair *macs)
{
	__builtin_memcpy(eth->h_dest, macs->dst, ETH_ALEN);
	__builtin_memcpy(eth->h_source, macs->src, ETH_ALEN);
}

#endif
