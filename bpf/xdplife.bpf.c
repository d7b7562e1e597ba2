// SPDX-License-Identifier: GPL-2.0-only
/*
 * The entry points and the order of the stages; nothing else.
 *
 *   XDP:        parse once -> observe -> steer -> forward -> count the verdict -> observe it
 *   tc egress:  parse once -> observe
 *
 * Plain frames take a short way through all of them (plain.h).
 *
 * What became of a frame after XDP_REDIRECT is in xmit.bpf.c.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

#include "xdplife/config.h"

/* Not static, or the skeleton does not show it; const, so that the verifier removes the stages that are off.
 */
const volatile struct port_config cfg = {};

#include "bounds.h"
#include "frame.h"
#include "maps.h"
#include "filter.h"
#include "observe.h"
#include "steer.h"
#include "forward.h"
#include "plain.h"

static __always_inline struct port_counters *port_counters(__u32 port)
{
	return bpf_map_lookup_elem(&counters, &port);
}

static __always_inline int xdp_action(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_FORWARD:
	case VERDICT_STEER:
		return XDP_REDIRECT;
	case VERDICT_DROP_BLACKHOLE:
		return XDP_DROP;
	default:
		return XDP_PASS;
	}
}

#define MAX_IDLE_TURNS 4096 /* the verifier walks through each */

static __always_inline void idle(__u32 turns)
{
	__u32 waste = 1;

	for (__u32 i = 0; i < turns && i < MAX_IDLE_TURNS; i++)
		asm volatile("%0 *= 0x9e3779b1" : "+r"(waste));
}

static __noinline int stages(struct xdp_md *ctx, struct port_counters *count, __u32 wire_bytes)
{
	enum verdict verdict = VERDICT_PASS;
	struct observation obs = {};
	struct packet pkt = {};
	__u32 egress = 0;

	parse_xdp(ctx, &pkt, wire_bytes);
	count->seen++;
	count->seen_bytes += pkt.wire_bytes;
	count_one(count->malformed, packet_malformed(&pkt), MALFORMED_COUNT);
	if ((cfg.observe || cfg.packets) && !filtered_xdp(ctx, count))
		observe_begin(&obs, ctx, count, &pkt);
	if (cfg.steer)
		verdict = steer(ctx, &pkt);
	if (cfg.forward && verdict == VERDICT_PASS)
		verdict = forward(ctx, &pkt, &egress);
	count_one(count->verdict, verdict, VERDICT_COUNT);
	if (cfg.observe || cfg.packets)
		observe_end(&obs, ctx, verdict, egress);
	return xdp_action(verdict);
}

SEC("xdp.frags")
int xdplife_xdp(struct xdp_md *ctx)
{
	struct port_counters *count = port_counters(cfg.port);
	__u32 wire_bytes = frame_bytes(ctx);
	int action = NOT_PLAIN;

	if (!count)
		return XDP_PASS;
	if (cfg.idle_turns)
		idle(cfg.idle_turns);
	if (!cfg.packets && !cfg.steer)
		action = plain(ctx, count, wire_bytes);
	return action == NOT_PLAIN ? stages(ctx, count, wire_bytes) : action;
}

static __noinline int egress_stages(struct __sk_buff *skb, struct port_counters *count)
{
	struct packet pkt = {};

	parse_skb(skb, &pkt);
	count->egress++;
	count->egress_bytes += pkt.wire_bytes;
	if (!filtered_tc(skb, count))
		observe_egress(skb, count, &pkt);
	return 0;
}

SEC("tc")
int xdplife_egress(struct __sk_buff *skb)
{
	struct port_counters *count = port_counters(cfg.port);

	if (count && !(cfg.observe && !cfg.packets && plain_egress(skb, count)))
		egress_stages(skb, count);
	return TC_ACT_UNSPEC; /* with tcx: the next program, then the stack */
}

char LICENSE[] SEC("license") = "GPL";
