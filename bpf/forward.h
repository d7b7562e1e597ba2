/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The forward stage: what the kernel's own forwarding would do with a frame, or the frame to the kernel as it
 * came.
 *
 * bpf_fib_lookup() validates nothing, so everything that ip_rcv(), ip_route_input() and ip6_forward() look at
 * comes first (RFC 1812 §5.2.2, §5.3; RFC 4443). What is not plainly to be forwarded goes to the stack
 * unmodified, which drops it, answers it or forwards it by its own rules and counts it in its own counters.
 */
#ifndef XDPLIFE_BPF_FORWARD_H
#define XDPLIFE_BPF_FORWARD_H

#include "clock.h"
#include "maps.h"
#include "route_cache.h"
#include "xdplife/rewrite.h"

#define AF_INET  2 /* <sys/socket.h> is not for BPF */
#define AF_INET6 10

/* Both at even addresses. */
static __always_inline int same_mac(const void *mac, const volatile void *other)
{
	const volatile __u16 *b = other;
	const __u16 *a = mac;

	return a[0] == b[0] && a[1] == b[1] && a[2] == b[2];
}

/* RFC 1812 §5.3.7: 0/8, 127/8 and 224/4 to 255/4 are never routed, on either side. */
static __always_inline int ip4_routable(__be32 addr)
{
	__u8 first = FROM_BE32(addr) >> 24;

	return first != 0 && first != 127 && first < 224;
}

/* RFC 4291 §2.5, §2.7: neither unspecified nor loopback (::/127 holds both), multicast or link-local. */
static __always_inline int ip6_routable(const union ip_addr *addr)
{
	if (addr->byte[0] == 0xff || (addr->byte[0] == 0xfe && (addr->byte[1] & 0xc0) == 0x80))
		return 0;
	return addr->word[0] || addr->word[1] || addr->word[2] || FROM_BE32(addr->word[3]) > 1;
}

static __always_inline int routable(const struct packet *pkt)
{
	if (pkt->ip_version == 4)
		return ip4_routable(pkt->src.v4) && ip4_routable(pkt->dst.v4);
	return ip6_routable(&pkt->src) && ip6_routable(&pkt->dst);
}

/* Whether the stack, not we, must see this frame; VERDICT_FORWARD if not. */
static __always_inline enum verdict forward_admit(const struct packet *pkt)
{
	if (pkt->malformed_l3)
		return VERDICT_PASS_MALFORMED;
	if (!pkt->ip_version)
		return VERDICT_PASS_NOT_IP;
	if (!same_mac(pkt->eth_dst, cfg.mac))
		return VERDICT_PASS_NOT_OUR_MAC;
	if (pkt->vlan_count)
		return VERDICT_PASS_VLAN;
	if (pkt->flags & (PACKET_IP_OPTIONS | PACKET_HOP_BY_HOP))
		return VERDICT_PASS_OPTIONS;
	if (!routable(pkt))
		return VERDICT_PASS_ADDRESS;
	if (pkt->ttl <= 1)
		return VERDICT_PASS_TTL;
	return VERDICT_FORWARD;
}

static __always_inline enum verdict verdict_of_lookup(long rc)
{
	switch (rc) {
	case BPF_FIB_LKUP_RET_SUCCESS:
		return VERDICT_FORWARD;
	case BPF_FIB_LKUP_RET_BLACKHOLE:
		return VERDICT_DROP_BLACKHOLE;
	case BPF_FIB_LKUP_RET_UNREACHABLE:
	case BPF_FIB_LKUP_RET_PROHIBIT:
		return VERDICT_PASS_UNREACHABLE;
	case BPF_FIB_LKUP_RET_NOT_FWDED:
		return VERDICT_PASS_LOCAL;
	case BPF_FIB_LKUP_RET_FWD_DISABLED:
		return VERDICT_PASS_FWD_DISABLED;
	case BPF_FIB_LKUP_RET_UNSUPP_LWT:
		return VERDICT_PASS_UNSUPPORTED;
	case BPF_FIB_LKUP_RET_NO_NEIGH:
		return VERDICT_PASS_NO_NEIGH;
	case BPF_FIB_LKUP_RET_FRAG_NEEDED:
		return VERDICT_PASS_FRAG_NEEDED;
	default:
		return VERDICT_PASS_LOOKUP_ERROR;
	}
}

static __always_inline void fib_fill(struct bpf_fib_lookup *fib, const struct packet *pkt, __u32 ifindex)
{
	__builtin_memset(fib, 0, sizeof(*fib));
	fib->l4_protocol = pkt->ip_proto;
	fib->tot_len = pkt->l3_bytes; /* so that the egress MTU is checked */
	fib->ifindex = ifindex;
	fib->family = pkt->ip_version == 4 ? AF_INET : AF_INET6;
	if (pkt->ip_version == 4) {
		fib->tos = pkt->tos;
		fib->ipv4_src = pkt->src.v4;
		fib->ipv4_dst = pkt->dst.v4;
	} else {
		__builtin_memcpy(fib->ipv6_src, &pkt->src, sizeof(fib->ipv6_src));
		__builtin_memcpy(fib->ipv6_dst, &pkt->dst, sizeof(fib->ipv6_dst));
	}
}

/*
 * The stack resolves the next hop of a frame that it forwards. IPv6 with net.ipv6.conf.all.forwarding=0 forwards none,
 * whatever the interface says, and would never resolve it: so userspace asks the kernel too. After NO_NEIGH the lookup
 * holds the next hop and its interface.
 */
static __noinline int want_neighbour(const struct bpf_fib_lookup *fib)
{
	struct next_hop hop = {.ifindex = fib->ifindex};
	__u8 wanted = 1;

	if (fib->family == AF_INET) {
		hop.ip_version = 4;
		hop.addr.v4 = fib->ipv4_dst;
	} else {
		hop.ip_version = 6;
		__builtin_memcpy(&hop.addr, fib->ipv6_dst, sizeof(hop.addr));
	}
	bpf_map_update_elem(&unresolved, &hop, &wanted, BPF_ANY);
	return 0;
}

/* RFC 3704: would an answer to this source leave by the interface that the frame came in on? IPv4 only, as in
 * Linux. */
static __always_inline int reverse_path_ok(struct xdp_md *ctx, const struct packet *pkt,
					   struct bpf_fib_lookup *fib)
{
	long rc;

	if (!cfg.rp_filter || pkt->ip_version != 4)
		return 1;
	fib_fill(fib, pkt, ctx->ingress_ifindex);
	fib->tot_len = 0;
	fib->ipv4_src = pkt->dst.v4;
	fib->ipv4_dst = pkt->src.v4;
	rc = bpf_fib_lookup(ctx, fib, sizeof(*fib), 0);
	if (rc != BPF_FIB_LKUP_RET_SUCCESS && rc != BPF_FIB_LKUP_RET_NO_NEIGH)
		return 0;
	return cfg.rp_filter == 2 || fib->ifindex == ctx->ingress_ifindex;
}

static __always_inline int packet_is_padded(const struct packet *pkt)
{
	return pkt->wire_bytes > pkt->l3_off + pkt->l3_bytes;
}

/* Linux forwards the packet without the padding that filled up its frame. All packet pointers are dead
 * afterwards. */
static __always_inline int trim_padding(struct xdp_md *ctx, const struct packet *pkt)
{
	if (!packet_is_padded(pkt))
		return 0;
	return bpf_xdp_adjust_tail(ctx, -(int)(pkt->wire_bytes - pkt->l3_off - pkt->l3_bytes));
}

/* Return: 0, or -1 if the headers are not where the parser saw them (they are: this is for the verifier). */
static __always_inline int rewrite_headers(struct xdp_md *ctx, const struct packet *pkt,
					   const struct mac_pair *macs)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	wire_eth_header *eth = data;
	struct iphdr *ip4 = (void *)(eth + 1);
	struct ipv6hdr *ip6 = (void *)(eth + 1);

	if (pkt->ip_version == 4) {
		if ((void *)(ip4 + 1) > end)
			return -1;
		rewrite_ip4_ttl(ip4);
	} else {
		if ((void *)(ip6 + 1) > end)
			return -1;
		rewrite_ip6_hop_limit(ip6);
	}
	rewrite_macs(eth, macs);
	return 0;
}

/* The kernel's answer, and the place where it is kept. */
static __always_inline enum verdict look_up(struct xdp_md *ctx, const struct packet *pkt,
					    struct bpf_fib_lookup *fib)
{
	enum verdict verdict;

	if (!reverse_path_ok(ctx, pkt, fib))
		return VERDICT_PASS_REVERSE_PATH;
	fib_fill(fib, pkt, ctx->ingress_ifindex);
	verdict = verdict_of_lookup(bpf_fib_lookup(ctx, fib, sizeof(*fib), 0));
	if (verdict == VERDICT_PASS_NO_NEIGH)
		want_neighbour(fib);
	return verdict;
}

/* Before the edits: an interface that is not ours may not take redirected frames. */
static __always_inline enum verdict send(struct xdp_md *ctx, const struct packet *pkt, __u32 egress,
					 const struct mac_pair *macs)
{
	if (bpf_redirect_map(&egress_ports, egress, 0) != XDP_REDIRECT)
		return VERDICT_PASS_NOT_A_PORT;
	if (trim_padding(ctx, pkt) || rewrite_headers(ctx, pkt, macs))
		return VERDICT_PASS_TRIM_FAILED;
	return VERDICT_FORWARD;
}

/**
 * forward() - route one frame
 * @egress_ifindex: set when the verdict is VERDICT_FORWARD; the caller then returns XDP_REDIRECT
 */
static __noinline enum verdict forward(struct xdp_md *ctx, const struct packet *pkt, __u32 *egress_ifindex)
{
	enum verdict verdict = forward_admit(pkt);
	struct bpf_fib_lookup fib;
	struct route_place place;
	struct mac_pair macs;

	if (verdict != VERDICT_FORWARD)
		return verdict;
	route_place(&place, pkt, clock_coarse_ns());
	if (route_known(&place, pkt)) {
		*egress_ifindex = place.route->egress;
		return send(ctx, pkt, *egress_ifindex, &place.route->macs);
	}
	verdict = look_up(ctx, pkt, &fib);
	if (verdict != VERDICT_FORWARD)
		return verdict;
	route_keep(&place, pkt, &fib);
	*egress_ifindex = fib.ifindex;
	__builtin_memcpy(macs.dst, fib.dmac, ETH_ALEN);
	__builtin_memcpy(macs.src, fib.smac, ETH_ALEN);
	return send(ctx, pkt, fib.ifindex, &macs);
}

#endif
