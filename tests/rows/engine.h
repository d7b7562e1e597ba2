/* SPDX-License-Identifier: GPL-2.0-only */
/* The observer in userspace, as bpf/observe.h has it: from a frame's bytes through a few connections to its events. */
#ifndef XDPLIFE_ROW_ENGINE_H
#define XDPLIFE_ROW_ENGINE_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "known.h"
#include "xdplife/event.h"
#include "xdplife/flow.h"
#include "xdplife/icmp_quote.h"
#include "xdplife/observed.h"
#include "xdplife/tcp_fast.h"

#define ENGINE_CONNECTIONS 8

struct engine_connection {
	struct flow_key key;
	struct tcp_track track;
};

struct engine {
	struct engine_connection connection[ENGINE_CONNECTIONS];
	int connections;
	struct engine_connection *syn_tags[ENGINE_CONNECTIONS]; /* made by tagged SYNs */
	int syns;
	bool fast; /* tcp_track_fast() in front */
};

/* What became of one frame. */
struct engine_result {
	enum observed observed;
	__u32 events;
	struct packet pkt; /* of the inner packet, if there is a tunnel */
	struct tunnel tunnel;
	const struct tcp_track *track; /* NULL: none */
	flow_end from;
};

static inline struct engine_connection *engine_find(struct engine *engine, const struct flow_key *key)
{
	for (int i = 0; i < engine->connections; i++)
		if (!memcmp(&engine->connection[i].key, key, sizeof(*key)))
			return &engine->connection[i];
	return NULL;
}

/* The tags of the latest tagged SYN with the addresses and ports of @key. */
static inline int engine_syn_tags(const struct engine *engine, const struct flow_key *key,
				  struct flow_tags *tags)
{
	for (int i = engine->syns - 1; i >= 0; i--) {
		struct flow_key bare = engine->syn_tags[i]->key;

		flow_set_tags(&bare, NULL);
		if (!memcmp(&bare, key, sizeof(bare))) {
			*tags = flow_tags_of(&engine->syn_tags[i]->key);
			return 1;
		}
	}
	return 0;
}

static inline struct engine_connection *engine_find_reply(struct engine *engine, const struct flow_key *key,
							  flow_end from)
{
	struct flow_tags syn = {};
	struct flow_key other = *key;
	struct engine_connection *found;

	if (!flow_is_tagged(key) && !engine_syn_tags(engine, key, &syn))
		return NULL;
	flow_set_tags(&other, &syn);
	found = engine_find(engine, &other);
	return found && flow_is_reply(found->track.client, from) ? found : NULL;
}

static inline struct engine_connection *engine_add(struct engine *engine, const struct flow_key *key,
						   int is_syn)
{
	struct engine_connection *new;

	if (engine->connections == ENGINE_CONNECTIONS) /* more than any row has: from anew */
		engine->connections = engine->syns = 0;
	new = &engine->connection[engine->connections++];
	new->key = *key;
	memset(&new->track, 0, sizeof(new->track));
	if (is_syn && flow_is_tagged(key))
		engine->syn_tags[engine->syns++] = new;
	return new;
}

static inline void engine_segment(struct engine *engine, struct engine_result *result, __u64 now_ns)
{
	struct engine_connection *found;
	struct flow_key key;

	result->from = flow_key_of(&key, &result->pkt);
	found = engine_find(engine, &key);
	if (!found && !packet_opens(&result->pkt))
		found = engine_find_reply(engine, &key, result->from);
	if (!found && result->pkt.tcp_flags & TCPHDR_RST) {
		result->observed = OBSERVED_UNKNOWN_RST;
		return;
	}
	if (!found)
		found = engine_add(engine, &key, packet_opens(&result->pkt));
	result->track = &found->track;
	if (!found->track.first_ns)
		tcp_track_begin(&found->track, now_ns);
	if (!engine->fast || !tcp_track_fast(&found->track, &result->pkt, result->from, now_ns))
		result->events = tcp_track_segment(&found->track, &result->pkt, result->from, now_ns);
}

/* Return: whether it is an error about a TCP segment. */
static inline int engine_error(struct engine *engine, struct engine_result *result, const void *data,
			       const void *end, __u64 now_ns)
{
	struct engine_connection *found;
	struct packet quoted = {};
	struct flow_key key;

	if (!is_icmp_failure(&result->pkt) || !parse_icmp_quote(&quoted, &result->pkt, data, end))
		return 0;
	result->observed = OBSERVED_ICMP_ERROR;
	result->from = flow_key_of(&key, &quoted);
	found = engine_find(engine, &key);
	if (!found)
		found = engine_find_reply(engine, &key, !result->from);
	if (!found)
		return 1;
	result->track = &found->track;
	result->events = tcp_track_icmp_error(&found->track, result->from, quoted.tcp_seq,
					      result->pkt.icmp_type, result->pkt.icmp_code, now_ns);
	return 1;
}

/* In place of the packet the one inside it. */
static inline void engine_tunnel(struct engine_result *result, const void *data, const void *end)
{
	struct trace_event event = {};
	struct packet outer = result->pkt;

	if (!packet_may_tunnel(&outer) || !parse_inside(&event, &outer, data, end))
		return;
	result->pkt = event.pkt;
	result->tunnel = event.tunnel;
}

static inline struct engine_result engine_frame(struct engine *engine, const __u8 *data, size_t bytes,
						__u32 wire_bytes, __u64 now_ns)
{
	const __u8 *end = data + bytes;
	struct engine_result result = {.observed = OBSERVED_TRACKED};

	parse_packet(&result.pkt, data, end, wire_bytes);
	engine_tunnel(&result, data, end);
	if (packet_is_segment(&result.pkt)) {
		parse_syn_options(&result.pkt, data);
		engine_segment(engine, &result, now_ns);
	} else if (!engine_error(engine, &result, data, end, now_ns)) {
		result.observed = packet_other(&result.pkt);
	}
	return result;
}

/* A SYN that was followed where it came in, at the hook where it leaves. */
static inline struct engine_result engine_again(struct engine *engine, const __u8 *data, size_t bytes)
{
	struct engine_result result = {.observed = OBSERVED_SECOND_HOOK};
	struct engine_connection *found;
	struct flow_key key;

	parse_packet(&result.pkt, data, data + bytes, bytes);
	parse_syn_options(&result.pkt, data);
	result.from = flow_key_of(&key, &result.pkt);
	found = engine_find(engine, &key);
	if (found) {
		result.track = &found->track;
		tcp_track_syn_again_elsewhere(&found->track, &result.pkt, result.from);
	}
	return result;
}

#endif
