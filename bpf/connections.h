/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a segment does to the table of connections, and what is summed up over them.
 *
 * So many of them at most are half-open (only one end has been heard): each new one takes the place of the half-open one
 * that came longest ago. So a flood of SYNs pushes out its own kind, and never a connection of which both ends were heard.
 */
#ifndef XDPLIFE_BPF_CONNECTIONS_H
#define XDPLIFE_BPF_CONNECTIONS_H

#include "bounds.h"
#include "flow_table.h"
#include "maps.h"
#include "xdplife/observed.h"
#include "xdplife/tcp_fast.h"

#define MAX_EVENTS_A_SEGMENT 8

/*
 * A key that leads to no connection: the one of a reply that is tagged otherwise than what it answers (flow.h)?
 * @key: changed to the connection's if there is one
 */
static __noinline struct flow_entry *connection_find_reply(struct flow_key *key, flow_end from)
{
	struct flow_tags *syn = 0, own = flow_tags_of(key);
	struct flow_entry *flow;

	if (!flow_is_tagged(key)) {
		syn = bpf_map_lookup_elem(&syn_tags, key);
		if (!syn)
			return 0;
	}
	flow_set_tags(key, syn);
	flow = flow_find(key);
	if (flow && flow_is_reply(flow->track.client, from))
		return flow;
	flow_set_tags(key, &own);
	return 0;
}

static __noinline int note_syn_tags(struct flow_key *key)
{
	struct flow_tags tags = flow_tags_of(key);

	flow_set_tags(key, 0);
	bpf_map_update_elem(&syn_tags, key, &tags, BPF_ANY);
	flow_set_tags(key, &tags);
	return 0;
}

/* Notes that it is the newest. */
static __always_inline void make_room(struct port_counters *count, const struct flow_key *key)
{
	__u32 zero = 0, turn;
	__u64 *came = bpf_map_lookup_elem(&newcomer_count, &zero);
	struct flow_key *oldest;

	if (!came)
		return;
	turn = __sync_fetch_and_add(came, 1) % cfg.max_half_open;
	oldest = bpf_map_lookup_elem(&newcomers, &turn);
	if (!oldest)
		return;
	if (oldest->ip_version) /* 0: so many have not come yet */
		count->evicted += flow_remove_half_open(oldest);
	*oldest = *key;
}

static __noinline struct flow_entry *connection_add(struct port_counters *count, const struct flow_key *key)
{
	make_room(count, key);
	return flow_add(count, key);
}

/* Not inlined, like connection_add(): its stack is its own, and not under that of the engine. */
static __noinline int connection_fast(struct flow_entry *flow, const struct trace_event *event)
{
	return tcp_track_fast(&flow->track, &event->pkt, event->sender, event->time_ns);
}

/* One more segment of a connection that is held. Return: TCP_EVENT_*; 0: nothing to tell, and event->conn is not filled. */
static __always_inline __u32 connection_segment(struct flow_entry *flow, struct trace_event *event)
{
	struct tcp_track *track = &flow->track;
	__u32 events;

	if (!cfg.packets && connection_fast(flow, event))
		return 0;
	if (!track->first_ns)
		tcp_track_begin(track, event->time_ns);
	events = tcp_track_segment(track, &event->pkt, event->sender, event->time_ns);
	if (events || cfg.packets)
		event->conn = *track;
	return events;
}

static const struct talker no_talker;

static __always_inline void count_talker(const struct talker_key *key, __u32 columns)
{
	struct talker *talker = bpf_map_lookup_elem(&talkers, key);

	if (!talker) {
		bpf_map_update_elem(&talkers, key, &no_talker, BPF_NOEXIST);
		talker = bpf_map_lookup_elem(&talkers, key);
	}
	if (!talker)
		return;
#pragma clang loop unroll(full)
	for (int i = 0; i < TALKER_COLUMN_COUNT; i++)
		if (columns & 1u << i)
			__sync_fetch_and_add(&talker->count[i], 1);
}

static __always_inline void count_handshake(const struct tcp_track *track)
{
	__u64 server, client;
	__u32 zero = 0;
	struct handshakes *times = bpf_map_lookup_elem(&handshake_times, &zero);

	if (!times)
		return;
	if (handshake_legs_ns(track, &server, &client)) {
		count_one(times->server, histogram_bucket(server), HISTOGRAM_BUCKETS);
		count_one(times->client, histogram_bucket(client), HISTOGRAM_BUCKETS);
		times->server_sum_ns += server;
		times->client_sum_ns += client;
	} else {
		times->ambiguous++;
	}
}

/* For each event of a segment; none is rare in the life of a connection, all are rare among its segments. */
__noinline int sum_up(struct port_counters *count, struct event_slot *slot)
{
	/* Not in the slot: before 6.2 the memory that a global function is handed is none for a map's key. */
	struct talker_key source, destination;
	const struct tcp_track *track;
	__u32 events, change, columns;

	if (!count || !slot)
		return 0;
	track = &slot->event.conn;
	events = slot->event.tcp_events;

	for (int i = 0; i < MAX_EVENTS_A_SEGMENT && events; i++) {
		__u32 event_bit = events & -events;

		count_one(count->tcp_event, histogram_log2(event_bit), TCP_EVENT_COUNT);
		events &= ~event_bit;
	}
	events = slot->event.tcp_events;
	change = connection_change(track, events, slot->event.sender);
	count_change(&count->connections, change);
	if (events & TCP_EVENT_ESTABLISHED)
		count_handshake(track);
	columns = change >> CHANGE_COLUMNS_SHIFT;
	if (!columns || track->client == TCP_END_UNKNOWN)
		return 0;
	talker_keys_of(&source, &destination, &slot->event.key, track->client);
	count_talker(&source, columns);
	count_talker(&destination, columns);
	return 0;
}

#endif
