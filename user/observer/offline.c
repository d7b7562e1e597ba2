// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "observer/expiry.h"
#include "observer/offline.h"
#include "observer/table.h"
#include "util/clock.h"
#include "xdplife/observed.h"
#include "xdplife/tcp_fast.h"

struct offline {
	struct offline_options options;
	struct table *table;
	struct port_counters *counters; /* of each interface */
	__u32 interfaces;
	struct port_counters *now; /* those of the frame that is looked at */
	struct trace_event event;  /* of the frame that is looked at */
	__u64 now_ns;              /* the latest time in the file */
	__u64 swept_ns;
	__u32 frames; /* since then */
};

struct offline *offline_new(const struct offline_options *options)
{
	struct offline *offline = calloc(1, sizeof(*offline));

	if (!offline)
		return NULL;
	offline->options = *options;
	offline->table = table_new(options->max_open, options->max_half_open);
	if (offline->table)
		return offline;
	free(offline);
	return NULL;
}

void offline_free(struct offline *offline)
{
	if (!offline)
		return;
	table_free(offline->table);
	free(offline->counters);
	free(offline);
}

int offline_interfaces(struct offline *offline, __u32 count)
{
	struct port_counters *counters = reallocarray(offline->counters, count, sizeof(*counters));

	if (!counters)
		return -ENOMEM;
	memset(counters + offline->interfaces, 0, (count - offline->interfaces) * sizeof(*counters));
	offline->counters = counters;
	offline->interfaces = count;
	return 0;
}

const struct port_counters *offline_counters(const struct offline *offline, __u32 interface)
{
	return &offline->counters[interface];
}

struct port_counters offline_total(const struct offline *offline)
{
	struct port_counters total = {0};

	for (__u32 i = 0; i < offline->interfaces; i++)
		port_counters_add(&total, &offline->counters[i]);
	return total;
}

static int tell(struct offline *offline, const struct trace_event *event, const __u8 *bytes)
{
	return offline->options.handler(offline->options.context, event, bytes);
}

/* --- connections that are over --- */

static int give_up(struct offline *offline, const struct table_entry *entry, bool stopped)
{
	struct trace_event event;

	if (!expiry_event(&event, &entry->key, &entry->track, offline->now_ns, stopped))
		return 0;
	return tell(offline, &event, NULL);
}

static int sweep(struct offline *offline, bool stopped)
{
	struct table_entry *entry;
	size_t at = 0;
	int err = 0;

	while (!err && (entry = table_next(offline->table, &at))) {
		if (!stopped && offline->now_ns < expiry_ns(&entry->track))
			continue;
		err = give_up(offline, entry, stopped);
		table_remove(offline->table, entry);
	}
	return err;
}

/* As often as live, once a second of the file's time, but never for less than it costs. */
static int sweep_now_and_then(struct offline *offline)
{
	if (++offline->frames < table_count(offline->table) / 4 ||
	    offline->now_ns < offline->swept_ns + NS_PER_S)
		return 0;
	offline->frames = 0;
	offline->swept_ns = offline->now_ns;
	return sweep(offline, false);
}

int offline_end(struct offline *offline)
{
	return sweep(offline, true);
}

/* --- one frame --- */

/*
 * @key:  changed to the connection's if that has other tags
 * @from: who sent what has led here, a segment or an error about one
 */
static struct table_entry *connection_of(struct offline *offline, struct flow_key *key, flow_end from,
					 bool opens)
{
	struct table_entry *entry = table_find(offline->table, key);

	if (entry || opens)
		return entry;
	entry = table_find_reply(offline->table, key, from);
	if (entry)
		*key = entry->key;
	return entry;
}

static struct table_entry *connection_add(struct offline *offline, const struct flow_key *key, bool opens)
{
	struct table_entry evicted, *entry = table_add(offline->table, key, &evicted);

	offline->now->opened += entry != NULL;
	offline->now->evicted += evicted.used;
	if (opens && flow_is_tagged(key))
		table_note_syn_tags(offline->table, key);
	return entry;
}

static enum observed track(struct offline *offline)
{
	struct trace_event *event = &offline->event;
	const struct packet *pkt = &event->pkt;
	struct table_entry *entry;

	event->sender = flow_key_of(&event->key, pkt);
	entry = connection_of(offline, &event->key, event->sender, packet_opens(pkt));
	if (!entry && pkt->tcp_flags & TCPHDR_RST) /* no connection begins with one */
		return OBSERVED_UNKNOWN_RST;
	if (!entry)
		entry = connection_add(offline, &event->key, packet_opens(pkt));
	if (!entry)
		return OBSERVED_NO_ROOM;
	if (!entry->track.first_ns)
		tcp_track_begin(&entry->track, event->time_ns);
	if (!tcp_track_fast(&entry->track, pkt, event->sender, event->time_ns))
		event->tcp_events = tcp_track_segment(&entry->track, pkt, event->sender, event->time_ns);
	if (!entry->open && tcp_track_is_proven(&entry->track))
		table_promote(offline->table, entry);
	if (event->tcp_events || offline->options.packets)
		event->conn = entry->track;
	return OBSERVED_TRACKED;
}

/* An ICMP error: the connection that it quotes is looked up, never made. */
static enum observed track_error(struct offline *offline, const struct packet *quoted)
{
	struct trace_event *event = &offline->event;
	struct table_entry *entry;

	event->sender = flow_key_of(&event->key, quoted);
	/* the error goes the way of the replies */
	entry = connection_of(offline, &event->key, !event->sender, false);
	if (!entry)
		return OBSERVED_ICMP_ERROR;
	event->tcp_events = tcp_track_icmp_error(&entry->track, event->sender, quoted->tcp_seq,
						 event->pkt.icmp_type, event->pkt.icmp_code, event->time_ns);
	if (event->tcp_events)
		event->conn = entry->track;
	return OBSERVED_ICMP_ERROR;
}

static void look_again(struct offline *offline)
{
	const struct packet *pkt = &offline->event.pkt;
	struct table_entry *entry;
	struct flow_key key;
	flow_end from;

	if (!packet_is_segment(pkt) || !(pkt->tcp_flags & TCPHDR_SYN))
		return;
	from = flow_key_of(&key, pkt);
	entry = table_find(offline->table, &key);
	if (entry)
		tcp_track_syn_again_elsewhere(&entry->track, pkt, from);
}

static enum observed observe(struct offline *offline, const struct offline_frame *frame)
{
	const struct packet *pkt = &offline->event.pkt;
	struct packet quoted = {0};

	if (frame->filtered)
		return OBSERVED_FILTERED;
	if (frame->link == LINK_OTHER)
		return OBSERVED_UNPARSED;
	if (frame->second_hook) {
		look_again(offline);
		return OBSERVED_SECOND_HOOK;
	}
	if (packet_is_segment(pkt))
		return track(offline);
	if (is_icmp_failure(pkt) &&
	    parse_icmp_quote(&quoted, pkt, frame->data, frame->data + frame->captured_bytes))
		return track_error(offline, &quoted);
	return packet_other(pkt);
}

static void parse(struct trace_event *event, const struct offline_frame *frame)
{
	const __u8 *end = frame->data + frame->captured_bytes;
	struct packet outer = {0};

	parse_link(&outer, frame->link, frame->data, end, frame->wire_bytes);
	parse_syn_options(&outer, frame->data);
	event->tunnel.kind = TUNNEL_NONE;
	event->pkt = outer;
	if (!packet_may_tunnel(&outer))
		return;
	if (parse_inside(event, &outer, frame->data, end))
		parse_syn_options(&event->pkt, frame->data);
}

static void count(struct port_counters *counters, const struct trace_event *event, enum observed observed)
{
	counters->seen++;
	counters->seen_bytes += event->pkt.wire_bytes;
	counters->malformed[packet_malformed(&event->pkt)]++;
	counters->observed[observed]++;
	for (int i = 0; i < TCP_EVENT_COUNT; i++)
		counters->tcp_event[i] += event->tcp_events >> i & 1;
}

int offline_frame(struct offline *offline, const struct offline_frame *frame)
{
	struct trace_event *event = &offline->event;
	enum observed observed;
	int err;

	event->time_ns = frame->time_ns ? frame->time_ns : 1; /* 0 would mean: has not happened */
	if (event->time_ns > offline->now_ns)
		offline->now_ns = event->time_ns;
	err = sweep_now_and_then(offline);
	if (err)
		return err;
	offline->now = &offline->counters[frame->interface];
	event->ifindex = frame->interface + 1;
	event->captured_bytes = frame->captured_bytes;
	event->hook = frame->hook;
	event->tcp_events = 0;
	event->conn.first_ns = 0;
	parse(event, frame);
	observed = observe(offline, frame);
	count(offline->now, event, observed);
	event->observed = observed;
	if (observed == OBSERVED_FILTERED)
		return 0;
	if (!event->tcp_events && !offline->options.packets)
		return 0;
	if (!event->conn.first_ns) {
		memset(&event->conn, 0, sizeof(event->conn));
		memset(&event->key, 0, sizeof(event->key));
	}
	if (event->tunnel.kind == TUNNEL_NONE)
		memset(&event->tunnel, 0, sizeof(event->tunnel));
	return tell(offline, event, frame->data);
}
