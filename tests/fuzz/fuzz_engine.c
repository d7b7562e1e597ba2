// SPDX-License-Identifier: GPL-2.0-only
// links: user/observer/expiry.c
/*
 * The engine against arbitrary bytes: parse, tunnels, ICMP quotes, the state machine, expiry.
 *
 * The input is a series of frames: how it is to be taken, how much later than the one before, its length, its bytes. It is
 * taken as a frame off the wire, as one that was cut short, as one that passes a second hook, or as a recipe for a segment
 * near what the connection expects, for random bytes rarely are one.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../rows/engine.h"
#include "observer/expiry.h"

#define TIME_UNIT_NS 1000000ull

enum taken_as { AS_FRAME, AS_CUT, AS_AGAIN, AS_RECIPE, AS_SWEEP, AS_COUNT };

struct input {
	const uint8_t *data;
	size_t left;
};

/* Two engines that must never know different things: one takes the short way where it can. */
struct pair {
	struct engine whole, fast;
	uint64_t now_ns;
};

/* What an input decides of a segment; numbers are relative to what the connection expects. */
struct recipe {
	uint8_t from, flags;
	int16_t seq, ack;
	uint16_t window;
	uint8_t payload_bytes, timestamp, options;
};

#define EXPECT(condition)                                                                                    \
	do {                                                                                                 \
		if (!(condition)) {                                                                          \
			fprintf(stderr, "line %d: not so: %s\n", __LINE__, #condition);                      \
			abort();                                                                             \
		}                                                                                            \
	} while (0)

static size_t take(struct input *in, void *to, size_t bytes)
{
	size_t there = bytes < in->left ? bytes : in->left;

	memset(to, 0, bytes);
	if (there)
		memcpy(to, in->data, there);
	in->data += there;
	in->left -= there;
	return there;
}

static void expect_end(uint8_t end)
{
	EXPECT(end == 0 || end == 1 || end == TCP_END_UNKNOWN);
}

static void expect_sane(const struct tcp_track *t)
{
	EXPECT(t->phase <= TCP_PHASE_RESET);
	expect_end(t->client);
	expect_end(t->closer);
	expect_end(t->challenged);
	EXPECT(t->first_ns <= t->last_ns);
	EXPECT(!t->established_ns || (t->established_ns >= t->first_ns && t->established_ns <= t->last_ns));
	EXPECT(t->phase != TCP_PHASE_RESET || t->reset_phase < TCP_PHASE_CLOSED);
	for (int i = 0; i < 2; i++) {
		const struct tcp_side *side = &t->side[i];

		EXPECT(side->window_scale <= TCP_MAX_WINDOW_SCALE);
		EXPECT(side->retransmits >= side->duplicates);
		EXPECT(side->rtt.by <= TCP_RTT_BY_TIMESTAMP);
		EXPECT(!side->rtt.samples || side->rtt.min_us <= side->rtt.last_us);
	}
}

static void expect_monotonic(const struct tcp_track *before, const struct tcp_track *after)
{
	EXPECT(after->last_ns >= before->last_ns);
	EXPECT((after->seen & before->seen) == before->seen);
	for (int i = 0; i < 2; i++) {
		const struct tcp_side *a = &before->side[i], *b = &after->side[i];

		EXPECT(b->packets >= a->packets && b->bytes >= a->bytes && b->retransmits >= a->retransmits);
		EXPECT(b->out_of_order >= a->out_of_order && b->zero_windows >= a->zero_windows);
		EXPECT(b->duplicates >= a->duplicates && b->rtt.samples >= a->rtt.samples);
	}
}

/* A segment that does not count is counted, may be answered by a challenge ACK, and changes nothing else. */
static void expect_unchanged(const struct tcp_track *before, struct tcp_track after, uint32_t events)
{
	after.last_ns = before->last_ns;
	after.challenged = before->challenged;
	for (int i = 0; i < 2; i++) {
		after.side[i].packets = before->side[i].packets;
		after.side[i].bytes = before->side[i].bytes;
	}
	if (events & TCP_EVENT_SYN_IGNORED) { /* its number is kept: the answer tells whether it counts */
		after.flags = before->flags | (after.flags & ~TCP_TRACK_OTHER_SYN);
		after.other_isn = before->other_isn;
		after.other_ns = before->other_ns;
	}
	for (size_t i = 0; i < sizeof(after); i++)
		if (((const uint8_t *)before)[i] != ((const uint8_t *)&after)[i]) {
			fprintf(stderr, "events %x change byte %zu of struct tcp_track\n", events, i);
			abort();
		}
}

/* The connection of a segment, as it was before. */
static struct tcp_track track_of(struct engine *engine, const struct packet *pkt)
{
	struct tcp_track none = {};
	struct engine_connection *found;
	struct flow_key key;

	flow_key_of(&key, pkt);
	found = engine_find(engine, &key);
	return found ? found->track : none;
}

static void expect_result(const struct tcp_track *before, const struct engine_result *result)
{
	const uint32_t ignored = TCP_EVENT_RST_IGNORED | TCP_EVENT_SYN_IGNORED | TCP_EVENT_ACK_IGNORED |
				 TCP_EVENT_OUT_OF_WINDOW;

	if (!result->track)
		return;
	expect_sane(result->track);
	if (!before->first_ns || result->events & TCP_EVENT_REUSED)
		return;
	expect_monotonic(before, result->track);
	if (result->events & ignored)
		expect_unchanged(before, *result->track, result->events);
}

static void expect_same(const struct engine_result *a, const struct engine_result *b)
{
	EXPECT(a->observed == b->observed && a->events == b->events && a->from == b->from);
	EXPECT(!a->track == !b->track && (!a->track || !memcmp(a->track, b->track, sizeof(*a->track))));
}

/* At its exact size: what is read behind it is seen. */
static void feed(struct pair *pair, const uint8_t *bytes, size_t count, uint32_t wire_bytes, bool again)
{
	uint8_t *exact = malloc(count + !count);
	struct engine_result whole, fast;
	struct tcp_track before;
	struct packet pkt = {};

	memcpy(exact, bytes, count);
	parse_packet(&pkt, exact, exact + count, wire_bytes);
	before = track_of(&pair->whole, &pkt);
	if (again) {
		/* the observer looks only at segments there */
		if (pkt.ip_proto == IPPROTO_TCP && pkt.flags & PACKET_HAS_L4 && pkt.tcp_flags & TCPHDR_SYN)
			engine_again(&pair->whole, exact, count), engine_again(&pair->fast, exact, count);
	} else {
		whole = engine_frame(&pair->whole, exact, count, wire_bytes, pair->now_ns);
		fast = engine_frame(&pair->fast, exact, count, wire_bytes, pair->now_ns);
		expect_same(&whole, &fast);
		if (whole.tunnel.kind == TUNNEL_NONE && whole.observed == OBSERVED_TRACKED)
			expect_result(&before, &whole);
	}
	free(exact);
}

static void put32(uint8_t *at, uint32_t value)
{
	value = TO_BE32(value);
	memcpy(at, &value, 4);
}

/* 10.0.1.2:40000 and 10.0.2.2:80 */
static void feed_recipe(struct pair *pair, const struct recipe *recipe)
{
	static const uint8_t header[] = {
		2,    0,    0,  0,  0, 1, 2, 0, 0,  0,           0, 0xc0, 8,    0, /* Ethernet */
		0x45, 0,    0,  0,  0, 1, 0, 0, 64, IPPROTO_TCP, 0, 0,    10,   0,
		1,    2,    10, 0,  2, 2, /* IPv4 */
		0x9c, 0x40, 0,  80, 0, 0, 0, 0, 0,  0,           0, 0,    0x80, 0,
		0,    0,    0,  0,  0, 0, /* TCP, 8 words */
	};
	/* timestamps, no option, SACK permitted, window scale 7 */
	static const uint32_t options[] = {TCP_ALIGNED_TIMESTAMPS, 0, 0x01010402, 0x01030307};
	const struct tcp_side *side = pair->whole.connection[0].track.side;
	flow_end from = recipe->from & 1;
	uint8_t frame[sizeof(header) + 12 + 256] = {};
	uint32_t bytes = sizeof(header) + 12 + recipe->payload_bytes;
	uint16_t check;

	memcpy(frame, header, sizeof(header));
	if (from) {
		memcpy(frame + 26, header + 30, 4);
		memcpy(frame + 30, header + 26, 4);
		memcpy(frame + 34, header + 36, 2);
		memcpy(frame + 36, header + 34, 2);
	}
	frame[17] = bytes - 14;
	frame[16] = (bytes - 14) >> 8;
	check = ~checksum_fold(checksum_bytes(frame + 14, 20, 0));
	memcpy(frame + 24, &check, 2);
	put32(frame + 38, side[from].next + recipe->seq);
	put32(frame + 42, side[!from].next + recipe->ack);
	frame[47] = recipe->flags;
	memcpy(frame + 48, &recipe->window, 2);
	put32(frame + 54, options[recipe->options % 4]);
	put32(frame + 58, recipe->timestamp);
	put32(frame + 62, side[!from].tsval);
	feed(pair, frame, bytes, bytes, false);
}

/* What became of each, if nothing more is heard of it. */
static void sweep(struct pair *pair, bool stopped)
{
	const uint32_t ends =
		TCP_EVENT_TIMED_OUT | TCP_EVENT_HALF_OPEN | TCP_EVENT_ABANDONED | TCP_EVENT_STILL_OPEN;

	for (int i = 0; i < pair->whole.connections; i++) {
		const struct engine_connection *conn = &pair->whole.connection[i];
		struct trace_event event;

		EXPECT(expiry_ns(&conn->track) > conn->track.last_ns);
		if (!expiry_event(&event, &conn->key, &conn->track, pair->now_ns, stopped))
			continue;
		EXPECT(event.tcp_events && !(event.tcp_events & ~ends) &&
		       !(event.tcp_events & (event.tcp_events - 1)));
		EXPECT(!memcmp(&event.conn, &conn->track, sizeof(event.conn)));
	}
}

static void feed_bytes(struct pair *pair, struct input *in, enum taken_as as)
{
	uint8_t frame[2048];
	uint16_t length;
	size_t bytes;

	take(in, &length, sizeof(length));
	bytes = take(in, frame, length % sizeof(frame));
	feed(pair, frame, bytes, as == AS_CUT ? 9000 : bytes, as == AS_AGAIN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct pair pair = {.now_ns = TIME_UNIT_NS};
	struct input in = {data, bytes};

	pair.fast.fast = true;
	while (in.left) {
		struct recipe recipe;
		uint8_t as, later;

		take(&in, &as, 1);
		take(&in, &later, 1);
		pair.now_ns += later * later * TIME_UNIT_NS;
		switch (as % AS_COUNT) {
		case AS_RECIPE:
			take(&in, &recipe, sizeof(recipe));
			feed_recipe(&pair, &recipe);
			break;
		case AS_SWEEP:
			sweep(&pair, later & 1);
			break;
		default:
			feed_bytes(&pair, &in, as % AS_COUNT);
		}
	}
	return 0;
}
