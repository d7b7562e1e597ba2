/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parser at both hooks.
 *
 * Global functions, not static: the verifier walks each once, whatever is in front and behind, and what they
 * return is unknown to it. Inlined, every path through the parser would be followed by every path through the
 * stages.
 */
#ifndef XDPLIFE_BPF_FRAME_H
#define XDPLIFE_BPF_FRAME_H

#include "bounds.h"
#include "maps.h"
#include "xdplife/event.h"
#include "xdplife/icmp_quote.h"

/* Of bpf_loop(), which wants it on the stack. */
struct scan_context {
	struct tcp_options_scan *scan;
};

static long scan_byte(__u32 i, void *context)
{
	return tcp_options_step(((struct scan_context *)context)->scan, i);
}

/*
 * By bpf_loop(): the verifier then walks one turn, not forty. What it scans must not lie on the stack, where the verifier
 * sees zeros and, before 6.7, takes them for what every turn finds: it would cut out the branches of all others.
 */
static __always_inline void scan_options(struct packet *pkt, struct tcp_options_scan *scan)
{
	struct scan_context context = {.scan = scan};

	bpf_loop(TCP_MAX_OPTIONS_BYTES, scan_byte, &context, 0);
	pkt->tcp_options = scan->sum;
	if (tcp_options_bad(scan))
		pkt->malformed_l4 = MALFORMED_TCP_OPTIONS;
}

static __always_inline struct tcp_options_scan *scan_of_this_cpu(void)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct event_slot *slot = bpf_map_lookup_elem(&event_slots, &cpu);

	return slot ? &slot->scan : 0;
}

/* The options of a SYN, for the observer. A macro, for each hook has a helper of its own to copy them. */
#define SCAN_SYN_OPTIONS(ctx, load_bytes, pkt)                                                               \
	({                                                                                                   \
		__u32 _bytes = packet_syn_options_bytes(pkt);                                                \
		struct tcp_options_scan *_scan = _bytes ? scan_of_this_cpu() : 0;                            \
		if (_scan && length_ok(&_bytes, sizeof(_scan->byte))) {                                      \
			__builtin_memset(_scan, 0, sizeof(*_scan));                                          \
			_scan->bytes = _bytes;                                                               \
			if (!load_bytes(ctx, (pkt)->l4_off + sizeof(struct tcphdr), _scan->byte, _bytes))    \
				scan_options(pkt, _scan);                                                    \
		}                                                                                            \
	})

/* Of the whole frame, where it lies in several buffers. */
static __always_inline __u32 frame_bytes(struct xdp_md *ctx)
{
	return cfg.frags ? bpf_xdp_get_buff_len(ctx) : ctx->data_end - ctx->data;
}

__noinline int parse_xdp(struct xdp_md *ctx, struct packet *pkt, __u32 wire_bytes)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;

	if (!pkt)
		return 0;
	parse_packet(pkt, data, end, wire_bytes);
	if (cfg.observe)
		SCAN_SYN_OPTIONS(ctx, bpf_xdp_load_bytes, pkt);
	return 0;
}

/* The kernel keeps the outermost tag beside the frame, not in it. */
static __always_inline void push_vlan(struct packet *pkt, __u16 tci)
{
	if (pkt->vlan_count == VLAN_MAX_TAGS)
		return;
	pkt->vlan_tci[2] = pkt->vlan_tci[1];
	pkt->vlan_tci[1] = pkt->vlan_tci[0];
	pkt->vlan_tci[0] = tci;
	pkt->vlan_count++;
}

__noinline int parse_skb(struct __sk_buff *skb, struct packet *pkt)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;

	if (!pkt)
		return 0;
	parse_packet(pkt, data, end, skb->len);
	pkt->segments = skb->gso_segs;
	if (skb->vlan_present)
		push_vlan(pkt, skb->vlan_tci);
	SCAN_SYN_OPTIONS(skb, bpf_skb_load_bytes, pkt);
	return 0;
}

__noinline int parse_tunnel_xdp(struct xdp_md *ctx, const struct packet *outer, struct trace_event *event)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;

	if (outer && event && parse_inside(event, outer, data, end))
		SCAN_SYN_OPTIONS(ctx, bpf_xdp_load_bytes, &event->pkt);
	return 0;
}

__noinline int parse_tunnel_skb(struct __sk_buff *skb, const struct packet *outer, struct trace_event *event)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;

	if (outer && event && parse_inside(event, outer, data, end))
		SCAN_SYN_OPTIONS(skb, bpf_skb_load_bytes, &event->pkt);
	return 0;
}

/* Return: whether the error quotes a TCP segment. */
__noinline int parse_quote_xdp(struct xdp_md *ctx, const struct packet *pkt, struct packet *quoted)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;

	if (!pkt || !quoted)
		return 0;
	__builtin_memset(quoted, 0, sizeof(*quoted));
	return parse_icmp_quote(quoted, pkt, data, end);
}

__noinline int parse_quote_skb(struct __sk_buff *skb, const struct packet *pkt, struct packet *quoted)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;

	if (!pkt || !quoted)
		return 0;
	__builtin_memset(quoted, 0, sizeof(*quoted));
	return parse_icmp_quote(quoted, pkt, data, end);
}

#endif
