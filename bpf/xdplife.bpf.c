// SPDX-License-Identifier: GPL-2.0-only
/*
 * The entry points and the order of the stages; nothing else.
 *
 *   XDP:        parse once -> observe -> steer -> forward -> count the verdict -> observe it
 *   tc egress:  parse once -> observe
 *   tracepoints of the kernel's redirect: what became of a frame after XDP_REDIRECT
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

#include "xdplife/config.h"

/* Not static, or the skeleton does not show it; const, so that the verifier removes the stages that are off.
 */
const volatile struct port_config cfg = {};

#include "maps.h"
#include "observe.h"
#include "steer.h"
#include "forward.h"
#include "xmit.h"

static __always_inline struct port_counters *port_counters(__u32 port)
{
	return bpf_map_lookup_elem(&counters, &port);
}

/*
 * Global functions, not static: the verifier walks each once, whatever is in front and behind, and what they
 * return is unknown to it. Inlined, every path through the parser would be followed by every path through the
 * stages.
 */
__noinline int parse_xdp(struct xdp_md *ctx, struct packet *pkt)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;

	if (pkt)
		parse_packet(pkt, data, end, cfg.frags ? bpf_xdp_get_buff_len(ctx) : end - data);
	return 0;
}

__noinline int parse_skb(struct __sk_buff *skb, struct packet *pkt)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;

	if (pkt)
		parse_packet(pkt, data, end, skb->len);
	if (pkt)
		pkt->segments = skb->gso_segs;
	return 0;
}

/* The compiler may know that the index is in bounds and drop the check; the verifier does not and wants to
 * see it. */
static __always_inline void count_one(__u64 *counter, __u32 index, __u32 size)
{
	asm volatile("" : "+r"(index));
	if (index < size)
		counter[index]++;
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

SEC("xdp.frags")
int xdplife_xdp(struct xdp_md *ctx)
{
	struct port_counters *count = port_counters(cfg.port);
	enum verdict verdict = VERDICT_PASS;
	struct observation obs = {};
	struct packet pkt = {};
	__u32 egress = 0;

	if (!count)
		return XDP_PASS;
	parse_xdp(ctx, &pkt);
	count->seen++;
	count->seen_bytes += pkt.wire_bytes;
	count_one(count->malformed, packet_malformed(&pkt), MALFORMED_COUNT);
	if (cfg.observe || cfg.packets)
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

SEC("tc")
int xdplife_egress(struct __sk_buff *skb)
{
	struct port_counters *count = port_counters(cfg.port);
	struct packet pkt = {};

	if (!count)
		return TC_ACT_UNSPEC;
	parse_skb(skb, &pkt);
	count->egress++;
	count->egress_bytes += pkt.wire_bytes;
	observe_egress(skb, count, &pkt);
	return TC_ACT_UNSPEC; /* with tcx: the next program, then the stack */
}

char LICENSE[] SEC("license") = "GPL";
