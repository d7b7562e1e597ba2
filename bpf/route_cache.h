/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Answers of bpf_fib_lookup(), kept: a cache of two ways for each CPU, keyed by all that the lookup asks about, so that a
 * cached answer is the answer (policy rules, source-dependent ECMP and the reverse path included). One way would do for few
 * flows; of as many as half its slots, four in ten would share one.
 *
 * Userspace raises the generation at each change of a route, rule, neighbour, address or link; answers of older ones do
 * not count. Should nobody be there to do so, their age bounds how long they last.
 */
#ifndef XDPLIFE_BPF_ROUTE_CACHE_H
#define XDPLIFE_BPF_ROUTE_CACHE_H

#include "hash.h"
#include "maps.h"
#include "xdplife/parse.h"

#define ROUTE_MAX_AGE_NS 1000000000ull
#define ROUTE_AGE_SHIFT  20 /* ages are counted in 2^20 ns */

/* Where this frame's answer is kept, if it is, or will be; and the generation that it must be of. */
struct route_place {
	struct route_pair *pair; /* NULL: no cache */
	struct cached_route *route;
	__u32 generation;
	__u32 now;
};

/* For spreading, not for safety: who makes two flows share a place makes both as slow as without a cache. */
static __always_inline __u32 route_hash(const struct packet *pkt)
{
	return hash_words(ip_addr_fold(&pkt->src, pkt->ip_version), ip_addr_fold(&pkt->dst, pkt->ip_version),
			  pkt->tos);
}

/* Before the lookup, so that a change during it is not missed. @now_ns: clock_coarse_ns() */
static __always_inline void route_place(struct route_place *place, const struct packet *pkt, __u64 now_ns)
{
	__u32 zero = 0, index;
	__u32 *generation = bpf_map_lookup_elem(&route_generation, &zero);

	*place = (struct route_place){};
	if (!generation || !cfg.route_pairs)
		return;
	index = bpf_get_smp_processor_id() * cfg.route_pairs + (route_hash(pkt) & (cfg.route_pairs - 1));
	place->generation = *(volatile __u32 *)generation << 1 | (pkt->ip_version == 6);
	place->now = now_ns >> ROUTE_AGE_SHIFT;
	place->pair = bpf_map_lookup_elem(&cached_routes, &index);
}

/* Whether it is an answer of now, and the one for this packet. */
static __always_inline int route_fits(const struct route_place *place, const struct cached_route *route,
				      const struct packet *pkt)
{
	return route->generation == place->generation &&
	       place->now - route->born <= ROUTE_MAX_AGE_NS >> ROUTE_AGE_SHIFT &&
	       ip_addr_same(&route->dst, &pkt->dst, pkt->ip_version) &&
	       ip_addr_same(&route->src, &pkt->src, pkt->ip_version) && route->ingress == cfg.ifindex &&
	       route->tos == pkt->tos && route->ip_proto == pkt->ip_proto && pkt->l3_bytes <= route->mtu;
}

/* Whether the answer is kept: place->route. Else that is the one to be replaced: it is void, or the older. */
static __always_inline int route_known(struct route_place *place, const struct packet *pkt)
{
	struct cached_route *first, *second;

	if (!place->pair)
		return 0;
	first = &place->pair->way[0];
	second = &place->pair->way[1];
	place->route = first;
	if (route_fits(place, first, pkt))
		return 1;
	place->route = second;
	if (route_fits(place, second, pkt))
		return 1;
	if (first->generation != place->generation ||
	    (second->generation == place->generation && place->now - first->born > place->now - second->born))
		place->route = first;
	return 0;
}

/* @fib: after a lookup that succeeded; it was asked with a length, so it holds the path's MTU */
static __always_inline void route_keep(const struct route_place *place, const struct packet *pkt,
				       const struct bpf_fib_lookup *fib)
{
	struct cached_route *route = place->route;

	if (!route)
		return;
	route->src = pkt->src;
	route->dst = pkt->dst;
	__builtin_memcpy(route->macs.dst, fib->dmac, ETH_ALEN);
	__builtin_memcpy(route->macs.src, fib->smac, ETH_ALEN);
	route->ingress = cfg.ifindex;
	route->egress = fib->ifindex;
	route->mtu = fib->mtu_result;
	route->tos = pkt->tos;
	route->ip_proto = pkt->ip_proto;
	route->born = place->now;
	route->generation = place->generation;
}

#endif
