/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The observe stage: follows each TCP segment through the state machine of its connection and tells userspace
 * what it did, and in packet mode every frame. It begins before the other stages, which may edit the frame,
 * and ends when their verdict is known.
 */
#ifndef XDPLIFE_BPF_OBSERVE_H
#define XDPLIFE_BPF_OBSERVE_H

#include "bounds.h"
#include "maps.h"

/* So much unread data wakes the reader at once; below it, its own timer does (events.c). */
#define EVENTS_WAKE_BYTES (256 << 10)

/* What crosses from the beginning of the stage to its end. */
struct observation {
	struct event_slot *slot; /* NULL: nothing to observe */
	struct port_counters *count;
};

/* The initial value of a connection; not a struct flow_entry, whose lock may not lie in .rodata. */
static const __u8 no_flow[sizeof(struct flow_entry)];

static __always_inline struct flow_entry *flow_find(const struct flow_key *key)
{
	struct flow_entry *flow = bpf_map_lookup_elem(&flows, key);

	if (flow)
		return flow;
	/* Another CPU may be faster: then its entry is found below. */
	bpf_map_update_elem(&flows, key, no_flow, BPF_NOEXIST);
	return bpf_map_lookup_elem(&flows, key);
}

/* A connection of which nothing is known does not begin with a RST. Not inlined: its stack is its own. */
static __noinline int track(struct port_counters *count, struct trace_event *event)
{
	struct packet *pkt = &event->pkt;
	struct flow_key key;
	struct flow_entry *flow;

	if (pkt->ip_proto != IPPROTO_TCP || !(pkt->flags & PACKET_HAS_L4))
		return 0;
	event->sender = flow_key_of(&key, pkt);
	flow = pkt->tcp_flags & TCPHDR_RST ? bpf_map_lookup_elem(&flows, &key) : flow_find(&key);
	if (!flow) {
		if (!(pkt->tcp_flags & TCPHDR_RST))
			count->event[EVENT_LOST_FLOW_TABLE]++;
		return 0;
	}
	bpf_spin_lock(&flow->lock);
	if (flow->track.first_ns == 0)
		tcp_track_begin(&flow->track, event->time_ns);
	event->tcp_events = tcp_track_segment(&flow->track, pkt, event->sender, event->time_ns);
	event->conn = flow->track;
	bpf_spin_unlock(&flow->lock);
	return 0;
}

/* Starts the event of this frame in the slot of this CPU: neither hook can be interrupted by the other there.
 */
static __always_inline struct trace_event *event_begin(struct observation *obs, struct port_counters *count,
						       const struct packet *pkt, enum trace_hook hook,
						       __u32 ifindex)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct trace_event *event;

	obs->count = count;
	obs->slot = bpf_map_lookup_elem(&event_slots, &cpu);
	if (!obs->slot)
		return 0;
	event = &obs->slot->event;
	__builtin_memset(event, 0, sizeof(*event));
	event->time_ns = bpf_ktime_get_ns();
	event->ifindex = ifindex;
	event->hook = hook;
	event->pkt = *pkt;
	return event;
}

static __always_inline void event_emit(struct observation *obs)
{
	struct trace_event *event = &obs->slot->event;
	__u32 bytes = event->captured_bytes;
	__u64 flags;

	if (bytes > CONFIG_MAX_SNAP)
		bytes = CONFIG_MAX_SNAP;
	flags = bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) >= EVENTS_WAKE_BYTES ? BPF_RB_FORCE_WAKEUP
										   : BPF_RB_NO_WAKEUP;
	if (bpf_ringbuf_output(&events, obs->slot, sizeof(*event) + bytes, flags))
		obs->count->event[EVENT_LOST_RING_FULL]++;
	else
		obs->count->event[EVENT_EMITTED]++;
}

static __always_inline int wanted(const struct trace_event *event)
{
	return cfg.packets || event->tcp_events;
}

/* Copies the frame behind the event, as it is now. A macro, for each hook has a helper of its own for it. */
#define OBSERVE_COPY(obs, event, load_bytes, ctx, frame_bytes)                                               \
	({                                                                                                   \
		__u32 _bytes = (frame_bytes) < cfg.snap_bytes ? (frame_bytes) : cfg.snap_bytes;              \
		if (!length_ok(&_bytes, CONFIG_MAX_SNAP) || load_bytes(ctx, 0, (obs)->slot->bytes, _bytes))  \
			(obs)->count->event[EVENT_LOST_COPY]++;                                              \
		else                                                                                         \
			(event)->captured_bytes = _bytes;                                                    \
	})

static __always_inline void observe_begin(struct observation *obs, struct xdp_md *ctx,
					  struct port_counters *count, const struct packet *pkt)
{
	struct trace_event *event = event_begin(obs, count, pkt, HOOK_INGRESS, ctx->ingress_ifindex);

	if (!event)
		return;
	if (cfg.observe)
		track(count, event);
	if (cfg.snap_bytes && wanted(event))
		OBSERVE_COPY(obs, event, bpf_xdp_load_bytes, ctx, pkt->wire_bytes);
}

/* The frame as it leaves: a second event, so that a capture shows both sides of the router. */
static __always_inline void observe_forwarded(struct observation *obs, struct xdp_md *ctx)
{
	struct trace_event *event = &obs->slot->event;
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	struct packet *pkt = &event->pkt;

	if ((void *)(eth + 1) > end)
		return;
	__builtin_memcpy(pkt->eth_dst, eth->h_dest, ETH_ALEN);
	__builtin_memcpy(pkt->eth_src, eth->h_source, ETH_ALEN);
	event->hook = HOOK_FORWARD;
	event->ifindex = event->egress_ifindex;
	event->tcp_events = 0;
	pkt->ttl = event->ttl_out;
	pkt->wire_bytes = pkt->l3_off + pkt->l3_bytes;
	event->captured_bytes = 0;
	if (cfg.snap_bytes)
		OBSERVE_COPY(obs, event, bpf_xdp_load_bytes, ctx, pkt->wire_bytes);
	event_emit(obs);
}

static __always_inline void observe_end(struct observation *obs, struct xdp_md *ctx, enum verdict verdict,
					__u32 egress_ifindex)
{
	struct trace_event *event;

	if (!obs->slot)
		return;
	event = &obs->slot->event;
	if (!wanted(event))
		return;
	event->verdict = verdict;
	if (verdict == VERDICT_FORWARD) {
		event->egress_ifindex = egress_ifindex;
		event->ttl_out = event->pkt.ttl - 1;
	}
	event_emit(obs);
	if (cfg.packets && verdict == VERDICT_FORWARD)
		observe_forwarded(obs, ctx);
}

/* A frame that came in by a port of ours was followed there: here it is only shown. */
static __always_inline void observe_egress(struct __sk_buff *skb, struct port_counters *count,
					   const struct packet *pkt)
{
	__u32 came_in_by = skb->ingress_ifindex;
	struct observation obs = {};
	struct trace_event *event = event_begin(&obs, count, pkt, HOOK_EGRESS, cfg.ifindex);

	if (!event)
		return;
	if (cfg.observe && !(came_in_by && bpf_map_lookup_elem(&port_of_ifindex, &came_in_by)))
		track(count, event);
	if (!wanted(event))
		return;
	if (cfg.snap_bytes)
		OBSERVE_COPY(&obs, event, bpf_skb_load_bytes, skb, pkt->wire_bytes);
	event_emit(&obs);
}

#endif
