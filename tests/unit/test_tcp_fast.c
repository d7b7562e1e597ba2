// SPDX-License-Identifier: GPL-2.0-only
/*
 * The short way for plain segments against the whole engine: over long random lives of connections, with loss, reordering,
 * repetition and garbage, tcp_track_fast() either changes nothing or leaves what tcp_track_segment() leaves, which then
 * has nothing to tell.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "xdplife/tcp_fast.h"

#define LIVES         4000
#define SEGMENTS      1000
#define HELD_BACK     8 /* segments that others may overtake */
#define STEP_NS       700000
#define FAST_AT_LEAST 3 /* one in so many segments must have gone the short way, or nothing was compared */

/* One end of the model: what it would send next if all went well. */
struct end {
	uint32_t next, acked;
	uint32_t clock; /* of its timestamps */
	uint32_t peer_clock;
	uint16_t window;
	bool closed;
};

struct held {
	struct packet pkt;
	flow_end from;
};

struct life {
	uint64_t random;
	struct tcp_track track;
	struct end end[2];
	struct held held[HELD_BACK];
	int held_count;
	bool timestamps;
	bool one_way; /* only what end 0 sends passes the observer */
	uint64_t now_ns;
	uint64_t fast, all;
};

/* xorshift64* */
static uint32_t chance(struct life *life, uint32_t below)
{
	life->random ^= life->random >> 12;
	life->random ^= life->random << 25;
	life->random ^= life->random >> 27;
	return (uint32_t)((life->random * 2685821657736338717ull) >> 32) % below;
}

static struct packet segment(const struct life *life, flow_end from, uint8_t flags, uint32_t payload_bytes)
{
	const struct end *end = &life->end[from];
	struct packet pkt = {.ip_version = 4, .ip_proto = IPPROTO_TCP, .flags = PACKET_HAS_L4, .ttl = 64};

	pkt.tcp_flags = flags;
	pkt.tcp_seq = end->next;
	pkt.tcp_ack = flags & TCPHDR_ACK ? end->acked : 0;
	pkt.tcp_window = end->window;
	pkt.payload_bytes = payload_bytes;
	if (life->timestamps) {
		pkt.tcp_options.flags = TCP_HAS_TIMESTAMPS;
		pkt.tcp_options.tsval = end->clock;
		pkt.tcp_options.tsecr = end->peer_clock;
	}
	return pkt;
}

/* Feeds both, and compares. */
static void pass(struct life *life, const struct packet *pkt, flow_end from)
{
	struct tcp_track fast = life->track;
	uint32_t events;
	int taken;

	if (life->one_way && from)
		return;
	taken = tcp_track_fast(&fast, pkt, from, life->now_ns);
	if (!taken)
		assert_memory_equal(&fast, &life->track, sizeof(fast));
	events = tcp_track_segment(&life->track, pkt, from, life->now_ns);
	if (taken && (events || memcmp(&fast, &life->track, sizeof(fast))))
		fail_msg("segment %" PRIu64 ": flags %x seq %u ack %u of %u bytes from %d: events %x",
			 life->all, pkt->tcp_flags, pkt->tcp_seq, pkt->tcp_ack, pkt->payload_bytes, from,
			 events);
	life->fast += taken;
	life->all++;
}

/* What it was meant for learns of it. */
static void arrive(struct life *life, const struct packet *pkt, flow_end from)
{
	struct end *to = &life->end[!from];

	if (pkt->tcp_seq == to->acked)
		to->acked += pkt->payload_bytes + !!(pkt->tcp_flags & (TCPHDR_SYN | TCPHDR_FIN));
	to->peer_clock = pkt->tcp_options.tsval;
}

/* What a wrong or a malicious sender, or a broken capture, could make of a segment. */
static void spoil(struct life *life, struct packet *pkt)
{
	switch (chance(life, 8)) {
	case 0:
		pkt->tcp_seq += chance(life, 2) ? chance(life, 3000) : -chance(life, 3000);
		break;
	case 1:
		pkt->tcp_ack += chance(life, 2) ? chance(life, 3000) : -chance(life, 3000);
		break;
	case 2:
		if (!chance(life, 8)) /* it may well be the end */
			pkt->tcp_flags = chance(life, 256);
		break;
	case 3:
		pkt->tcp_seq = chance(life, 0xffffffff);
		break;
	case 4:
		pkt->tcp_ack = chance(life, 0xffffffff);
		break;
	case 5:
		pkt->tcp_window = 0;
		break;
	case 6:
		pkt->segments = chance(life, 4);
		break;
	default:
		pkt->tcp_options.flags ^= TCP_HAS_TIMESTAMPS;
	}
}

static void send_one(struct life *life, flow_end from)
{
	struct end *end = &life->end[from];
	uint32_t bytes = chance(life, 3) ? chance(life, 1460) : 0;
	struct packet pkt = segment(life, from, TCPHDR_ACK | (bytes ? TCPHDR_PSH : 0), bytes);

	if (end->closed)
		return;
	if (!chance(life, 3000)) { /* it has said all */
		pkt.tcp_flags |= TCPHDR_FIN;
		end->closed = true;
	}
	end->next += bytes + end->closed;
	end->clock += chance(life, 3);
	if (!chance(life, end->window ? 60 : 2))
		end->window = chance(life, 4) ? chance(life, 65536) : 0;
	if (!chance(life, 100)) /* lost before us */
		return;
	if (!chance(life, 100) && life->held_count < HELD_BACK) { /* overtaken */
		life->held[life->held_count++] = (struct held){pkt, from};
		return;
	}
	if (!chance(life, 100))
		spoil(life, &pkt);
	pass(life, &pkt, from);
	if (!chance(life, 100)) /* twice */
		pass(life, &pkt, from);
	if (chance(life, 100)) /* else lost behind us */
		arrive(life, &pkt, from);
	if (!chance(life, 20) && !end->closed) /* all that has not arrived is sent again */
		end->next = life->end[!from].acked;
}

static void release(struct life *life)
{
	struct held *held = &life->held[--life->held_count];

	pass(life, &held->pkt, held->from);
	arrive(life, &held->pkt, held->from);
}

static void open_connection(struct life *life, flow_end client)
{
	struct packet pkt = segment(life, client, TCPHDR_SYN, 0);

	pkt.tcp_options.flags |= TCP_HAS_WINDOW_SCALE;
	pkt.tcp_options.window_scale = chance(life, 8);
	pass(life, &pkt, client);
	arrive(life, &pkt, client);
	life->end[client].next++;
	pkt = segment(life, !client, TCPHDR_SYN | TCPHDR_ACK, 0);
	if (chance(life, 4))
		pkt.tcp_options.flags |= TCP_HAS_WINDOW_SCALE;
	pass(life, &pkt, !client);
	arrive(life, &pkt, !client);
	life->end[!client].next++;
}

static void live(struct life *life)
{
	tcp_track_begin(&life->track, life->now_ns);
	life->timestamps = chance(life, 2);
	life->one_way = !chance(life, 8);
	life->held_count = 0;
	for (int i = 0; i < 2; i++)
		life->end[i] = (struct end){
			.next = chance(life, 0xffffffff), .clock = chance(life, 0xffffffff), .window = 65535};
	life->end[0].acked = life->end[1].next;
	life->end[1].acked = life->end[0].next;
	if (chance(life, 4)) /* else its beginning is not seen */
		open_connection(life, chance(life, 2));
	for (int i = 0; i < SEGMENTS; i++) {
		life->now_ns += chance(life, STEP_NS);
		if (life->held_count && !chance(life, 4))
			release(life);
		else
			send_one(life, chance(life, 2));
		if (!chance(life, 20000))
			life->now_ns += 1000000000;
	}
}

static void test_random_lives(void **state)
{
	struct life life = {.random = 0x9e3779b97f4a7c15ull, .now_ns = 1};

	(void)state;
	for (int i = 0; i < LIVES; i++)
		live(&life);
	print_message("%" PRIu64 " segments, %" PRIu64 " the short way\n", life.all, life.fast);
	assert_true(life.fast * FAST_AT_LEAST > life.all);
}

/* From every plain state that a row can reach, each single thing that is not plain. */
static void test_each_condition(void **state)
{
	static const struct {
		const char *what;
		uint8_t flags;
		int32_t seq, ack;
		uint16_t window;
		int taken;
	} segments[] = {
		{"plain", TCPHDR_ACK, 0, 0, 1000, 1},
		{"pushed", TCPHDR_ACK | TCPHDR_PSH, 0, 0, 1000, 1},
		{"congestion", TCPHDR_ACK | TCPHDR_ECE | TCPHDR_CWR, 0, 0, 1000, 1},
		{"FIN", TCPHDR_ACK | TCPHDR_FIN, 0, 0, 1000, 0},
		{"RST", TCPHDR_ACK | TCPHDR_RST, 0, 0, 1000, 0},
		{"SYN", TCPHDR_ACK | TCPHDR_SYN, 0, 0, 1000, 0},
		{"no ACK", TCPHDR_PSH, 0, 0, 1000, 0},
		{"a gap", TCPHDR_ACK, 1, 0, 1000, 0},
		{"old data", TCPHDR_ACK, -1, 0, 1000, 0},
		{"an old acknowledgment", TCPHDR_ACK, 0, -1, 1000, 0},
		{"one of what was not sent", TCPHDR_ACK, 0, 1, 1000, 0},
		{"a closed window", TCPHDR_ACK, 0, 0, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(segments) / sizeof(segments[0]); i++) {
		struct life life = {.random = 1, .now_ns = 1};
		struct packet pkt;

		tcp_track_begin(&life.track, 1);
		life.end[0] = (struct end){.next = 1000, .window = 65535};
		life.end[1] = (struct end){.next = 5000, .acked = 1000, .window = 65535};
		life.end[0].acked = 5000;
		open_connection(&life, 0);
		pkt = segment(&life, 0, TCPHDR_ACK, 0);
		pass(&life, &pkt, 0);
		life.fast = 0;
		pkt.tcp_flags = segments[i].flags;
		pkt.tcp_seq += segments[i].seq;
		pkt.tcp_ack += segments[i].ack;
		pkt.tcp_window = segments[i].window;
		pkt.payload_bytes = 10;
		pass(&life, &pkt, 0);
		if ((int)life.fast != segments[i].taken)
			fail_msg("%s", segments[i].what);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_lives),
		cmocka_unit_test(test_each_condition),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
