/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The stages in a row, for the frame that nearly all are: plain to the parser (parse_plain.h), a segment with nothing to
 * tell (tcp_fast.h) or no segment, and, where we route, by a route that is known. Any other has changed nothing here, and
 * goes through the stages one by one.
 */
#ifndef XDPLIFE_BPF_PLAIN_H
#define XDPLIFE_BPF_PLAIN_H

#include "filter.h"
#include "forward.h"
#include "observe.h"
#include "xdplife/parse_plain.h"

#define NOT_PLAIN (-1)

/* Return: what the observer made of a frame that the filter wants; OBSERVED_COUNT: it must look closer. */
static __always_inline enum observed observe_plain(const struct packet *pkt, __u64 now_ns)
{
	struct flow_entry *flow;
	struct flow_key key;
	flow_end sender;
	int done;

	if (pkt->ip_proto != IPPROTO_TCP)
		return packet_may_tunnel(pkt) ? OBSERVED_COUNT : OBSERVED_NOT_TCP;
	if (pkt->tcp_flags & (TCPHDR_FIN | TCPHDR_RST))
		return OBSERVED_COUNT;
	sender = flow_key_of(&key, pkt);
	flow = flow_find(&key);
	if (!flow || !flow_try(flow) || !flow_is_still(flow, &key))
		return OBSERVED_COUNT;
	if (tcp_track_wants_time(&flow->track, pkt, sender))
		now_ns = bpf_ktime_get_ns();
	done = tcp_track_fast(&flow->track, pkt, sender, now_ns);
	flow_release(flow);
	return done ? OBSERVED_TRACKED : OBSERVED_COUNT;
}

/* @place: to be filled. Return: whether it is to be forwarded by a route that is known. */
static __always_inline int forward_plain(struct route_place *place, const struct packet *pkt, __u64 now_ns)
{
	if (forward_admit(pkt) != VERDICT_FORWARD || packet_is_padded(pkt))
		return 0;
	route_place(place, pkt, now_ns);
	return route_known(place, pkt) &&
	       bpf_redirect_map(&egress_ports, place->route->egress, 0) == XDP_REDIRECT;
}

/* @ip_version: a constant. Return: XDP_*, or NOT_PLAIN. */
static __always_inline int plain_frame(struct xdp_md *ctx, struct port_counters *count, __u32 wire_bytes,
				       __u8 ip_version)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct cursor cur = {.data = data, .pos = data, .end = end};
	enum observed observed = OBSERVED_TRACKED;
	struct route_place place;
	struct packet pkt = {};
	__u64 now_ns;

	if (!parse_plain_ip(&cur, &pkt, wire_bytes, ip_version))
		return NOT_PLAIN;
	now_ns = clock_coarse_ns();
	if (cfg.forward && !forward_plain(&place, &pkt, now_ns))
		return NOT_PLAIN;
	if (!parse_plain_l4(&cur, &pkt))
		return NOT_PLAIN;
	if (cfg.observe) {
		observed = cfg.filter && !filter_xdp(ctx) ? OBSERVED_FILTERED : observe_plain(&pkt, now_ns);
		if (observed == OBSERVED_COUNT)
			return NOT_PLAIN;
		count_one(count->observed, observed, OBSERVED_COUNT);
	}
	count->seen++;
	count->seen_bytes += pkt.wire_bytes;
	count->malformed[MALFORMED_NONE]++;
	count->verdict[cfg.forward ? VERDICT_FORWARD : VERDICT_PASS]++;
	if (!cfg.forward)
		return XDP_PASS;
	rewrite_headers(ctx, &pkt, &place.route->macs);
	return XDP_REDIRECT;
}

/* Return: XDP_*, or NOT_PLAIN. */
__noinline int plain(struct xdp_md *ctx, struct port_counters *count, __u32 wire_bytes)
{
	int action;

	if (!count)
		return NOT_PLAIN;
	action = plain_frame(ctx, count, wire_bytes, 4);
	return action == NOT_PLAIN ? plain_frame(ctx, count, wire_bytes, 6) : action;
}

/* What the stack sends, and did not come in by a port of ours. Return: whether that was all. */
static __always_inline int plain_egress_frame(struct __sk_buff *skb, struct port_counters *count,
					      __u8 ip_version)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct cursor cur = {.data = data, .pos = data, .end = end};
	enum observed observed;
	struct packet pkt = {};

	if (!parse_plain_ip(&cur, &pkt, skb->len, ip_version) || !parse_plain_l4(&cur, &pkt))
		return 0;
	pkt.segments = skb->gso_segs;
	observed = cfg.filter && !filter_tc(skb) ? OBSERVED_FILTERED : observe_plain(&pkt, clock_coarse_ns());
	if (observed == OBSERVED_COUNT)
		return 0;
	count_one(count->observed, observed, OBSERVED_COUNT);
	count->egress++;
	count->egress_bytes += pkt.wire_bytes;
	return 1;
}

__noinline int plain_egress(struct __sk_buff *skb, struct port_counters *count)
{
	if (!count || skb->ingress_ifindex || skb->vlan_present)
		return 0;
	return plain_egress_frame(skb, count, 4) || plain_egress_frame(skb, count, 6);
}

#endif
