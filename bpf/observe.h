/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The observe stage: follows each TCP segment through the state machine of its connection and tells userspace
 * what it did, and in packet mode every frame. It begins before the other stages, which may edit the frame,
 * and ends when their verdict is known.
 */
#ifndef XDPLIFE_BPF_OBSERVE_H
#define XDPLIFE_BPF_OBSERVE_H

#include "bounds.h"
#include "clock.h"
#include "connections.h"
#include "frame.h"
#include "maps.h"

/* So much unread data wakes the reader at once; below it, its own timer does (events.c). */
#define EVENTS_WAKE_BYTES (256 << 10)

/* What crosses from the beginning of the stage to its end. */
struct observation {
	struct event_slot *slot; /* NULL: nothing to observe */
	struct port_counters *count;
};

/* Starts the event of this frame in the slot of this CPU: neither hook can be interrupted by the other there. */
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
	event->ifindex = ifindex;
	event->egress_ifindex = 0;
	event->captured_bytes = 0;
	event->tcp_events = 0;
	event->hook = hook;
	event->verdict = 0;
	event->observed = 0;
	event->ttl_out = 0;
	event->tunnel.kind = TUNNEL_NONE;
	event->pkt = *pkt;
	event->conn.first_ns = 0;
	obs->slot->exact = 0;
	return event;
}

/* Feeds a segment to its connection. Not inlined: its stack is its own. Return: what became of the frame. */
static __noinline int track(struct port_counters *count, struct event_slot *slot)
{
	struct trace_event *event = &slot->event;
	const struct packet *pkt = &event->pkt;
	struct flow_key *key = &event->key;
	struct flow_entry *flow;

	event->sender = flow_key_of(key, pkt);
	flow = flow_find(key);
	if (!flow && !packet_opens(pkt))
		flow = connection_find_reply(key, event->sender);
	if (!flow && pkt->tcp_flags & TCPHDR_RST) /* no connection begins with one */
		return OBSERVED_UNKNOWN_RST;
	if (!flow) {
		flow = connection_add(count, key);
		if (packet_opens(pkt) && flow_is_tagged(key))
			note_syn_tags(key);
	}
	if (!flow || !flow_hold(flow, key))
		return OBSERVED_NO_ROOM;
	slot->exact = cfg.packets || tcp_track_wants_time(&flow->track, pkt, event->sender);
	event->time_ns = slot->exact ? bpf_ktime_get_ns() : clock_coarse_ns();
	event->tcp_events = connection_segment(flow, event);
	flow_release(flow);
	if (event->tcp_events)
		sum_up(count, slot);
	return OBSERVED_TRACKED;
}

/* An ICMP error: the connection that it quotes is looked up, never made. */
static __noinline int track_error(struct port_counters *count, struct event_slot *slot)
{
	struct trace_event *event = &slot->event;
	const struct packet *quoted = &slot->quoted;
	struct flow_key *key = &event->key;
	struct flow_entry *flow;

	event->sender = flow_key_of(key, quoted);
	flow = flow_find(key);
	if (!flow) /* the error goes the way of the replies */
		flow = connection_find_reply(key, !event->sender);
	if (!flow || !flow_hold(flow, key))
		return OBSERVED_ICMP_ERROR;
	slot->exact = 1;
	event->time_ns = bpf_ktime_get_ns();
	event->tcp_events = tcp_track_icmp_error(&flow->track, event->sender, quoted->tcp_seq,
						 event->pkt.icmp_type, event->pkt.icmp_code, event->time_ns);
	if (event->tcp_events)
		event->conn = flow->track;
	flow_release(flow);
	if (event->tcp_events)
		sum_up(count, slot);
	return OBSERVED_ICMP_ERROR;
}

/* A packet that was followed where it came in; of a SYN it is worth knowing what it has lost since. */
static __noinline int second_hook(struct port_counters *count, struct trace_event *event)
{
	const struct packet *pkt = &event->pkt;
	struct flow_entry *flow;
	struct flow_key key;
	flow_end from;

	event->observed = OBSERVED_SECOND_HOOK;
	count->observed[OBSERVED_SECOND_HOOK]++;
	if (!packet_is_segment(pkt) || !(pkt->tcp_flags & TCPHDR_SYN))
		return 0;
	from = flow_key_of(&key, pkt);
	flow = flow_find(&key);
	if (!flow || !flow_hold(flow, &key))
		return 0;
	tcp_track_syn_again_elsewhere(&flow->track, pkt, from);
	flow_release(flow);
	return 0;
}

/* A macro, for each hook has functions of its own to look into a frame. */
#define OBSERVE_PACKET(ctx, obs, outer, parse_tunnel, parse_quote)                                           \
	({                                                                                                   \
		struct event_slot *_slot = (obs)->slot;                                                      \
		const struct packet *_pkt = &_slot->event.pkt;                                               \
		enum observed _observed;                                                                     \
		if (packet_may_tunnel(outer))                                                                \
			parse_tunnel(ctx, outer, &_slot->event);                                             \
		if (packet_is_segment(_pkt))                                                                 \
			_observed = track((obs)->count, _slot);                                              \
		else if (is_icmp_failure(_pkt) && parse_quote(ctx, _pkt, &_slot->quoted))                    \
			_observed = track_error((obs)->count, _slot);                                        \
		else                                                                                         \
			_observed = packet_other(_pkt);                                                      \
		_slot->event.observed = _observed;                                                           \
		count_one((obs)->count->observed, _observed, OBSERVED_COUNT);                                \
	})

static __always_inline int wanted(const struct trace_event *event)
{
	return cfg.packets || event->tcp_events & cfg.event_mask;
}

/*
 * Of a flood of SYNs not each is told: once half the ring is full, the rest of it is for connections of which both ends
 * have been heard. All are counted (port_counters.tcp_event).
 */
static __always_inline int is_flood(const struct trace_event *event, __u64 queued_bytes)
{
	return !cfg.packets && event->conn.phase == TCP_PHASE_OPENING &&
	       queued_bytes > bpf_ringbuf_query(&events, BPF_RB_RING_SIZE) / 2;
}

static __always_inline void event_emit(struct observation *obs)
{
	__u64 queued_bytes = bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA), flags;
	struct trace_event *event = &obs->slot->event;
	__u32 bytes = event->captured_bytes;

	if (is_flood(event, queued_bytes)) {
		obs->count->event[EVENT_LOST_FLOOD]++;
		return;
	}
	if (bytes > CONFIG_MAX_SNAP)
		bytes = CONFIG_MAX_SNAP;
	bytes += sizeof(*event);
	/* Once, when so much has come together: the reader then takes all there is. */
	flags = queued_bytes < EVENTS_WAKE_BYTES && queued_bytes + bytes >= EVENTS_WAKE_BYTES
			? BPF_RB_FORCE_WAKEUP
			: BPF_RB_NO_WAKEUP;
	if (bpf_ringbuf_output(&events, obs->slot, bytes, flags))
		obs->count->event[EVENT_LOST_RING_FULL]++;
	else
		obs->count->event[EVENT_EMITTED]++;
}

/* Before it is shown: what the tracker left out because nothing was to be told. */
static __always_inline void event_complete(struct event_slot *slot)
{
	struct trace_event *event = &slot->event;

	if (!slot->exact)
		event->time_ns = bpf_ktime_get_ns();
	if (!event->conn.first_ns) {
		__builtin_memset(&event->conn, 0, sizeof(event->conn));
		__builtin_memset(&event->key, 0, sizeof(event->key));
	}
	if (event->tunnel.kind == TUNNEL_NONE)
		__builtin_memset(&event->tunnel, 0, sizeof(event->tunnel));
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
		OBSERVE_PACKET(ctx, obs, pkt, parse_tunnel_xdp, parse_quote_xdp);
	if (!wanted(event))
		return;
	event_complete(obs->slot);
	if (cfg.snap_bytes)
		OBSERVE_COPY(obs, event, bpf_xdp_load_bytes, ctx, pkt->wire_bytes);
}

/* The frame as it leaves: a second event, so that a capture shows both sides of the router. */
static __always_inline void observe_forwarded(struct observation *obs, struct xdp_md *ctx)
{
	struct trace_event *event = &obs->slot->event;
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	wire_eth_header *eth = data;
	struct packet *pkt = &event->pkt;

	if ((void *)(eth + 1) > end)
		return;
	__builtin_memcpy(pkt->eth_dst, eth->h_dest, ETH_ALEN);
	__builtin_memcpy(pkt->eth_src, eth->h_source, ETH_ALEN);
	event->hook = HOOK_FORWARD;
	event->observed = OBSERVED_SECOND_HOOK;
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
	if (cfg.observe && came_in_by && bpf_map_lookup_elem(&port_of_ifindex, &came_in_by))
		second_hook(count, event);
	else if (cfg.observe)
		OBSERVE_PACKET(skb, &obs, pkt, parse_tunnel_skb, parse_quote_skb);
	if (!wanted(event))
		return;
	event_complete(obs.slot);
	if (cfg.snap_bytes)
		OBSERVE_COPY(&obs, event, bpf_skb_load_bytes, skb, pkt->wire_bytes);
	event_emit(&obs);
}

#endif
