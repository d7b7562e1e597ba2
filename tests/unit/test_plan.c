// SPDX-License-Identifier: GPL-2.0-only
/* Crafted frames: valid to the last bit for every kind, each flow in its turn, the same from the same seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "traffic/plan.h"
#include "xdplife/parse.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define NOW_NS        0x123456789abcdefull
#define GARBAGE       0xa5
#define ROOM          4096
#define MARGIN        16u /* behind the frame, not to be touched */

struct stream {
	struct craft_config craft;
	struct craft_state state;
};

struct frame {
	uint8_t byte[ROOM];
	uint32_t bytes, shape;
	struct packet packet;
};

static struct traffic_plan plan_of(enum craft_kind kind, int ip_version)
{
	struct traffic_plan plan = {
		.kind = kind,
		.ip_version = ip_version,
		.from_prefix = ip_version == 4 ? 32 : 128,
		.to_prefix = ip_version == 4 ? 32 : 128,
		.port = 80,
		.src_mac = {2, 0, 0, 0, 0, 1},
		.dst_mac = {2, 0, 0, 0, 0, 2},
		.flows = 1,
		.seed = 1,
		.threads = 1,
		.stamp_every = 1,
	};

	inet_pton(ip_version == 4 ? AF_INET : AF_INET6, ip_version == 4 ? "10.0.1.2" : "fd00:1::2",
		  &plan.from);
	inet_pton(ip_version == 4 ? AF_INET : AF_INET6, ip_version == 4 ? "10.0.2.2" : "fd00:2::2", &plan.to);
	return plan;
}

static void begin(struct stream *stream, const struct traffic_plan *plan, uint32_t thread)
{
	char why[200];

	if (plan_craft(plan, thread, &stream->craft, why, sizeof(why)))
		fail_msg("%s", why);
	stream->state = (struct craft_state){.flow = stream->craft.flow_start};
}

static struct stream stream_of(const struct traffic_plan *plan, uint32_t thread)
{
	struct stream stream;

	begin(&stream, plan, thread);
	return stream;
}

/* On a page whose header somebody has scribbled over, and which goes on behind the frame. */
static void next_frame(struct stream *stream, uint64_t now_ns, struct frame *frame)
{
	const struct craft_shape *shape;
	struct craft_turn turn;

	frame->shape = craft_next(&stream->craft, &stream->state, now_ns, &turn);
	frame->bytes = turn.bytes;
	shape = &stream->craft.shape[frame->shape];
	memset(frame->byte, GARBAGE, shape->header_bytes);
	memset(frame->byte + shape->header_bytes, 0, turn.bytes - shape->header_bytes);
	memset(frame->byte + turn.bytes, GARBAGE, MARGIN);
	craft_write(&stream->craft, shape, &turn, frame->byte);
	for (uint32_t at = turn.bytes; at < turn.bytes + MARGIN; at++)
		if (frame->byte[at] != GARBAGE)
			fail_msg("byte %u was written of a frame of %u", at, turn.bytes);
	memset(&frame->packet, 0, sizeof(frame->packet));
	parse_packet(&frame->packet, frame->byte, frame->byte + frame->bytes, frame->bytes);
	if (packet_syn_options_bytes(&frame->packet))
		parse_syn_options(&frame->packet, frame->byte);
}

/* RFC 1071, written apart from the engine's, which it checks. */
static uint32_t sum_of(const uint8_t *byte, uint32_t bytes, uint32_t sum)
{
	for (uint32_t i = 0; i < bytes; i++)
		sum += i % 2 ? byte[i] : (uint32_t)byte[i] << 8;
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* Over pseudo-header and segment; 0xffff where its checksum is right. */
static uint16_t l4_sum(const struct frame *frame)
{
	const struct packet *packet = &frame->packet;
	uint32_t l4_bytes = packet->l3_off + packet->l3_bytes - packet->l4_off;
	const uint8_t *ip = frame->byte + packet->l3_off;
	uint32_t sum = packet->ip_version == 4 ? sum_of(ip + 12, 8, 0) : sum_of(ip + 8, 32, 0);

	return fold(sum_of(frame->byte + packet->l4_off, l4_bytes, sum + packet->ip_proto + l4_bytes));
}

static void assert_valid(const struct frame *frame, const struct traffic_plan *plan)
{
	const struct packet *packet = &frame->packet;
	const uint8_t *ip = frame->byte + packet->l3_off, *l4 = frame->byte + packet->l4_off;

	assert_int_equal(packet_malformed(packet), MALFORMED_NONE);
	assert_int_equal(packet->ip_version, plan->ip_version);
	assert_int_equal(packet->vlan_count, plan->vlans);
	for (unsigned int i = 0; i < plan->vlans; i++)
		assert_int_equal(packet->vlan_tci[i], plan->vlan[i]);
	if (plan->vlans) /* the outer of two is 802.1ad's */
		assert_int_equal(frame->byte[12] << 8 | frame->byte[13],
				 plan->vlans > 1 ? ETH_P_8021AD : ETH_P_8021Q);
	assert_int_equal(packet->ttl, PLAN_TTL);
	assert_int_equal(packet->l3_off + packet->l3_bytes, frame->bytes); /* no padding, nothing cut off */
	if (packet->ip_version == 4)
		assert_int_equal(fold(sum_of(ip, 20, 0)), 0xffff);
	assert_int_equal(l4_sum(frame), 0xffff);
	if (plan->kind != CRAFT_UDP)
		return;
	assert_int_equal(packet->ip_proto, IPPROTO_UDP);
	assert_int_equal(l4[4] << 8 | l4[5], packet->l3_bytes - (packet->l4_off - packet->l3_off));
	assert_true(l4[6] || l4[7]); /* 0 would mean that there is none (RFC 768) */
}

/* --- every frame is valid ------------------------------------------------------------------------------------------ */

static const enum craft_kind kinds[] = {CRAFT_UDP, CRAFT_SYN, CRAFT_TCP, CRAFT_HANDSHAKE};

static uint32_t smallest(const struct traffic_plan *plan)
{
	return stream_of(plan, 0).craft.shape[0].header_bytes;
}

/* All frames of a few cycles, with a prefix on both sides. */
static void check_frames(struct traffic_plan *plan)
{
	struct stream stream;
	struct frame frame;

	plan->flows = 100;
	plan->to_prefix -= 8;
	plan->from_prefix -= 4;
	begin(&stream, plan, 0);
	for (int i = 0; i < 120; i++) {
		next_frame(&stream, NOW_NS + i * 1000003ull, &frame);
		assert_valid(&frame, plan);
	}
	plan->to_prefix += 8;
	plan->from_prefix += 4;
}

static void check_sizes(struct traffic_plan *plan)
{
	uint32_t least;

	plan->sizes = 0;
	plan->grow = false;
	check_frames(plan);
	if (plan->kind == CRAFT_HANDSHAKE)
		return;
	least = smallest(plan);
	plan->sizes = 1;
	for (uint32_t bytes = least; bytes < least + 20; bytes++) { /* odd ones as well */
		plan->size[0] = bytes;
		check_frames(plan);
	}
	plan->size[0] = 1514;
	check_frames(plan);
	plan->size[0] = CRAFT_MAX_BYTES;
	check_frames(plan);
	if (plan->kind == CRAFT_TCP)
		return;
	plan->sizes = 3;
	plan->size[1] = least + 1;
	plan->size[2] = 777;
	check_frames(plan);
	plan_imix(plan);
	check_frames(plan);
}

static void every_kind_version_tag_and_size(void **state)
{
	(void)state;
	for (size_t kind = 0; kind < LENGTH(kinds); kind++)
		for (int ip_version = 4; ip_version <= 6; ip_version += 2)
			for (unsigned int vlans = 0; vlans <= PLAN_MAX_VLANS; vlans++) {
				struct traffic_plan plan = plan_of(kinds[kind], ip_version);

				plan.vlans = vlans;
				plan.vlan[0] = 100;
				plan.vlan[1] = 4094;
				check_sizes(&plan);
			}
}

static void addresses_ports_and_macs(void **state)
{
	struct traffic_plan plan = plan_of(CRAFT_SYN, 6);
	struct stream stream = stream_of(&plan, 0);
	struct frame frame;

	(void)state;
	next_frame(&stream, NOW_NS, &frame);
	assert_memory_equal(frame.packet.eth_src, plan.src_mac, 6);
	assert_memory_equal(frame.packet.eth_dst, plan.dst_mac, 6);
	assert_memory_equal(&frame.packet.src, &plan.from, 16);
	assert_memory_equal(&frame.packet.dst, &plan.to, 16);
	assert_int_equal(FROM_BE16(frame.packet.src_port), CRAFT_FIRST_PORT);
	assert_int_equal(FROM_BE16(frame.packet.dst_port), 80);
	assert_int_equal(frame.packet.tcp_flags, TCPHDR_SYN);
}

/* One in 65,536 frames: a sum of 0 is sent as 0xffff (RFC 768). */
static void a_udp_checksum_is_never_zero(void **state)
{
	struct traffic_plan plan = plan_of(CRAFT_UDP, 4);
	struct stream stream = stream_of(&plan, 0);
	struct frame frame;
	unsigned int all_ones = 0;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		next_frame(&stream, 0, &frame);
		assert_true(frame.byte[40] || frame.byte[41]);
		if (frame.byte[40] != 0xff || frame.byte[41] != 0xff)
			continue;
		assert_valid(&frame, &plan);
		all_ones++;
	}
	assert_true(all_ones >= 1);
}

static void check_syn_options(uint16_t bytes, unsigned int option_bytes, bool timestamps, bool all)
{
	struct traffic_plan plan = plan_of(CRAFT_SYN, 4);
	struct stream stream;
	struct frame frame;
	uint8_t flags;

	plan.sizes = 1;
	plan.size[0] = bytes;
	begin(&stream, &plan, 0);
	next_frame(&stream, NOW_NS, &frame);
	assert_valid(&frame, &plan);
	flags = frame.packet.tcp_options.flags;
	assert_int_equal((frame.byte[46] >> 4) * 4, 20 + option_bytes);
	assert_int_equal(!!(flags & TCP_HAS_TIMESTAMPS), timestamps);
	assert_int_equal(!!(flags & TCP_HAS_MSS), all);
	assert_int_equal(!!(flags & TCP_HAS_WINDOW_SCALE), all);
	assert_int_equal(!!(flags & TCP_HAS_SACK_PERMITTED), all);
}

/* All of Linux's options, or the time alone, or none. */
static void a_small_syn_has_fewer_options(void **state)
{
	(void)state;
	for (uint16_t bytes = 54; bytes < 66; bytes++)
		check_syn_options(bytes, 0, false, false);
	for (uint16_t bytes = 66; bytes < 74; bytes++)
		check_syn_options(bytes, 12, true, false);
	for (uint16_t bytes = 74; bytes < 80; bytes++)
		check_syn_options(bytes, 20, true, true);
}

/* Twelve frames: seven small, four of 590, one of 1514; where the headers need more, small is what they need. */
static void imix(void **state)
{
	static const struct {
		enum craft_kind kind;
		int ip_version;
		uint32_t small;
	} cases[] = {{CRAFT_UDP, 4, 60}, {CRAFT_SYN, 4, 60}, {CRAFT_UDP, 6, 80}, {CRAFT_SYN, 6, 74}};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct traffic_plan plan = plan_of(cases[i].kind, cases[i].ip_version);
		unsigned int small = 0, middle = 0, large = 0;
		struct stream stream;
		struct frame frame;

		plan_imix(&plan);
		begin(&stream, &plan, 0);
		for (int n = 0; n < 120; n++) {
			next_frame(&stream, 0, &frame);
			small += frame.bytes == cases[i].small;
			middle += frame.bytes == 590;
			large += frame.bytes == 1514;
		}
		assert_int_equal(small, 70);
		assert_int_equal(middle, 40);
		assert_int_equal(large, 10);
	}
}

/* --- flows --------------------------------------------------------------------------------------------------------- */

struct flow {
	__be32 src, dst;
	__be16 port;
} __attribute__((packed));

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct flow));
}

/* The next frame's, without the cost of writing it. */
static struct flow next_flow(struct stream *stream)
{
	struct craft_turn turn;

	craft_next(&stream->craft, &stream->state, 0, &turn);
	return (struct flow){.src = turn.src, .dst = turn.dst, .port = turn.port};
}

/* One cycle, the threads' frames in turn, as share() deals them out. */
static struct flow *cycle_of(const struct traffic_plan *plan)
{
	struct flow *flow = calloc(plan->flows, sizeof(*flow));
	struct stream *stream = calloc(plan->threads, sizeof(*stream));

	for (uint32_t thread = 0; thread < plan->threads; thread++)
		begin(&stream[thread], plan, thread);
	for (uint32_t i = 0; i < plan->flows; i++)
		flow[i] = next_flow(&stream[i % plan->threads]);
	free(stream);
	return flow;
}

static void check_cycle(const struct traffic_plan *plan)
{
	uint32_t to_mask = plan->to_prefix ? ~0u << (32 - plan->to_prefix) : 0;
	uint32_t from_mask = plan->from_prefix ? ~0u << (32 - plan->from_prefix) : 0;
	struct flow *flow = cycle_of(plan);

	for (uint32_t i = 0; i < plan->flows; i++)
		if ((FROM_BE32(flow[i].dst) ^ FROM_BE32(plan->to.v4)) & to_mask ||
		    (FROM_BE32(flow[i].src) ^ FROM_BE32(plan->from.v4)) & from_mask ||
		    FROM_BE16(flow[i].port) < CRAFT_FIRST_PORT)
			fail_msg("flow %u is outside", i);
	qsort(flow, plan->flows, sizeof(*flow), by_bytes);
	for (uint32_t i = 1; i < plan->flows; i++)
		if (!by_bytes(&flow[i - 1], &flow[i]))
			fail_msg("of %u flows two are the same", plan->flows);
	free(flow);
}

/* As many as asked for, no two the same, all within the prefixes; also where they fill all the room that there is. */
static void each_flow_once_a_cycle(void **state)
{
	static const struct {
		uint8_t from, to;
		uint32_t flows;
	} cases[] = {
		{32, 32, 1},     {32, 32, 2},     {32, 32, 3},      {32, 32, 32767}, {32, 32, 32768},
		{32, 31, 65536}, {31, 32, 65535}, {30, 31, 262144}, {32, 24, 1000},  {32, 16, 65536},
		{32, 0, 99991},  {0, 32, 99991},  {0, 0, 100000},   {8, 8, 65537},   {24, 24, 77777},
	};
	struct traffic_plan plan = plan_of(CRAFT_SYN, 4);

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++)
		for (plan.threads = 1; plan.threads <= 3; plan.threads += 2) {
			plan.seed = i;
			plan.from_prefix = cases[i].from;
			plan.to_prefix = cases[i].to;
			plan.flows = cases[i].flows;
			check_cycle(&plan);
		}
}

/* 16 million, and a number that is no power of two: each number is visited before any comes again. */
static void the_largest_cycles(void **state)
{
	static const uint32_t flows[] = {CRAFT_MAX_FLOWS, 9999991};

	(void)state;
	for (size_t i = 0; i < LENGTH(flows); i++) {
		struct traffic_plan plan = plan_of(CRAFT_SYN, 4);
		uint8_t *seen = calloc(flows[i], 1);
		struct stream stream;

		plan.to_prefix = 16;
		plan.flows = flows[i];
		begin(&stream, &plan, 0);
		for (uint32_t n = 0; n < flows[i]; n++) {
			if (seen[stream.state.flow]++)
				fail_msg("flow %u came twice", stream.state.flow);
			craft_next_flow(&stream.craft, &stream.state);
		}
		assert_int_equal(stream.state.flow, stream.craft.flow_start);
		free(seen);
	}
}

/* Of IPv6 the last 32 bits vary, however short the prefix is. */
static void ip6_flows(void **state)
{
	struct traffic_plan plan = plan_of(CRAFT_UDP, 6);
	struct stream stream;
	struct frame frame;

	(void)state;
	plan.to_prefix = 64;
	plan.from_prefix = 120;
	plan.flows = CRAFT_MAX_FLOWS;
	begin(&stream, &plan, 0);
	for (int i = 0; i < 1000; i++) {
		next_frame(&stream, 0, &frame);
		assert_memory_equal(&frame.packet.dst, &plan.to, 12);
		assert_memory_equal(&frame.packet.src, &plan.from, 15);
		assert_valid(&frame, &plan);
	}
}

/* Neighbours in time are neighbours in nothing: a cache, a hash, a router see no pattern. */
static void neighbours_are_far_apart(void **state)
{
	struct traffic_plan plan = plan_of(CRAFT_SYN, 4);
	unsigned int near = 0;
	struct flow *flow;

	(void)state;
	plan.to_prefix = 16;
	plan.flows = 65536;
	flow = cycle_of(&plan);
	for (uint32_t i = 1; i < plan.flows; i++)
		near += abs((int)FROM_BE32(flow[i].dst) - (int)FROM_BE32(flow[i - 1].dst)) < 16;
	assert_true(near < plan.flows / 100);
	free(flow);
}

static void same_seed_same_frames(void **state)
{
	(void)state;
	for (size_t kind = 0; kind < LENGTH(kinds); kind++) {
		struct traffic_plan plan = plan_of(kinds[kind], 4);
		struct stream one, two, other;
		unsigned int different = 0;
		struct frame a, b, c;

		plan.to_prefix = 24;
		plan.flows = 1000;
		begin(&one, &plan, 0);
		begin(&two, &plan, 0);
		plan.seed = 2;
		begin(&other, &plan, 0);
		for (int i = 0; i < 999; i++) {
			next_frame(&one, NOW_NS, &a);
			next_frame(&two, NOW_NS, &b);
			next_frame(&other, NOW_NS, &c);
			assert_int_equal(a.bytes, b.bytes);
			assert_memory_equal(a.byte, b.byte, a.bytes);
			different += memcmp(a.byte, c.byte, a.bytes) != 0;
		}
		assert_true(different > 900);
	}
}

/* Another machine, another compiler: these very frames. */
static void the_first_flows_of_seed_1(void **state)
{
	static const struct {
		const char *dst;
		uint16_t port;
	} first[] = {{"10.0.16.69", 64825},
		     {"10.0.149.144", 56933},
		     {"10.0.26.219", 40019},
		     {"10.0.160.38", 64895}};
	struct traffic_plan plan = plan_of(CRAFT_SYN, 4);
	struct stream stream;

	(void)state;
	plan.to_prefix = 16;
	plan.flows = 65536;
	begin(&stream, &plan, 0);
	for (size_t i = 0; i < LENGTH(first); i++) {
		struct flow flow = next_flow(&stream);
		char dst[INET_ADDRSTRLEN];

		inet_ntop(AF_INET, &flow.dst, dst, sizeof(dst));
		assert_string_equal(dst, first[i].dst);
		assert_int_equal(FROM_BE16(flow.port), first[i].port);
	}
}

/* --- what the sink is told ----------------------------------------------------------------------------------------- */

/* What the sink reads of a frame, also when the kernel has taken the outer tag off. */
static void check_mark(const struct stream *stream, const struct frame *frame, uint32_t stripped,
		       const struct craft_mark *should)
{
	uint8_t copy[ROOM];
	struct craft_mark mark;

	memcpy(copy, frame->byte, 12);
	memcpy(copy + 12, frame->byte + 12 + stripped, frame->bytes - 12 - stripped);
	assert_true(craft_read(&stream->craft, copy, copy + frame->bytes - stripped, stripped, &mark));
	assert_int_equal(mark.sequence, should->sequence);
	assert_int_equal(mark.turn, should->turn);
	assert_int_equal(mark.time_ns, should->time_ns);
}

static void the_sink_reads_what_was_written(void **state)
{
	(void)state;
	for (size_t kind = 0; kind < LENGTH(kinds); kind++)
		for (unsigned int vlans = 0; vlans <= PLAN_MAX_VLANS; vlans++) {
			struct traffic_plan plan = plan_of(kinds[kind], vlans % 2 ? 6 : 4);
			bool stamped = plan.kind == CRAFT_UDP || plan.kind == CRAFT_TCP;
			struct stream stream;
			struct frame frame;

			plan.vlans = vlans;
			plan.vlan[0] = plan.vlan[1] = 5;
			begin(&stream, &plan, 0);
			for (uint32_t i = 0; i < 30; i++) {
				struct craft_mark mark = {.sequence = i};

				next_frame(&stream, NOW_NS + i, &frame);
				if (plan.kind == CRAFT_HANDSHAKE)
					mark = (struct craft_mark){.sequence = i / 3, .turn = i % 3};
				mark.time_ns = stamped ? NOW_NS + i : mark.turn ? 0 : (uint32_t)(NOW_NS + i);
				check_mark(&stream, &frame, 0, &mark);
				if (vlans)
					check_mark(&stream, &frame, 4, &mark);
			}
		}
}

/* A stamp of no time, for the frames in between. */
static void every_nth_frame_carries_a_time(void **state)
{
	struct traffic_plan plan = plan_of(CRAFT_UDP, 4);
	struct stream stream;
	unsigned int timed = 0;

	(void)state;
	plan.stamp_every = 16;
	begin(&stream, &plan, 0);
	for (int i = 0; i < 160; i++) {
		int wanted = craft_wants_time(&stream.craft, &stream.state);
		struct craft_mark mark;
		struct frame frame;

		next_frame(&stream, wanted ? NOW_NS : 0, &frame);
		assert_true(craft_read(&stream.craft, frame.byte, frame.byte + frame.bytes, 0, &mark));
		assert_int_equal(mark.time_ns, wanted ? NOW_NS : 0);
		timed += wanted;
	}
	assert_int_equal(timed, 10);
}

/* Each byte that makes a frame one of the stream, and each length that cuts it off. */
static void other_frames_are_not_read(void **state)
{
	static const struct {
		enum craft_kind kind;
		uint32_t at, needed; /* the byte that is changed; the least bytes that are read */
	} cases[] = {
		{CRAFT_UDP, 14, 60}, {CRAFT_UDP, 23, 60}, {CRAFT_UDP, 36, 60}, {CRAFT_UDP, 42, 60},
		{CRAFT_SYN, 14, 54}, {CRAFT_SYN, 23, 54}, {CRAFT_SYN, 36, 54}, {CRAFT_SYN, 47, 54},
		{CRAFT_TCP, 36, 72}, {CRAFT_TCP, 54, 72},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct traffic_plan plan = plan_of(cases[i].kind, 4);
		struct stream stream = stream_of(&plan, 0);
		struct craft_mark mark;
		struct frame frame;

		next_frame(&stream, NOW_NS, &frame);
		for (uint32_t bytes = 34; bytes <= frame.bytes; bytes++)
			assert_int_equal(craft_read(&stream.craft, frame.byte, frame.byte + bytes, 0, &mark),
					 bytes >= cases[i].needed);
		frame.byte[cases[i].at] ^= 1;
		assert_false(craft_read(&stream.craft, frame.byte, frame.byte + frame.bytes, 0, &mark));
	}
}

/* The sequence has 32 bits; with threads some of them tell the thread. */
static void sequences_wrap(void **state)
{
	struct traffic_plan plan = plan_of(CRAFT_UDP, 4);
	struct stream stream;
	struct craft_mark mark;
	struct frame frame;

	(void)state;
	begin(&stream, &plan, 0);
	stream.state.number = 0xffffffff;
	next_frame(&stream, 0, &frame);
	craft_read(&stream.craft, frame.byte, frame.byte + frame.bytes, 0, &mark);
	assert_int_equal(mark.sequence, 0xffffffff);
	next_frame(&stream, 0, &frame);
	craft_read(&stream.craft, frame.byte, frame.byte + frame.bytes, 0, &mark);
	assert_int_equal(mark.sequence, 0);
	plan.threads = 3;
	begin(&stream, &plan, 2);
	stream.state.number = (1u << 30) - 1;
	next_frame(&stream, 0, &frame);
	craft_read(&stream.craft, frame.byte, frame.byte + frame.bytes, 0, &mark);
	assert_int_equal(mark.sequence, 0xbfffffff);
	next_frame(&stream, 0, &frame);
	craft_read(&stream.craft, frame.byte, frame.byte + frame.bytes, 0, &mark);
	assert_int_equal(mark.sequence, 0x80000000);
}

/* --- TCP ------------------------------------------------------------------------------------------------------------ */

static uint32_t timestamp(const struct stream *stream, const struct frame *frame, int which)
{
	__be32 value;

	memcpy(&value, frame->byte + stream->craft.shape[frame->shape].tsval_off + 4 * which, 4);
	return FROM_BE32(value);
}

/* RFC 9293 §3.5, RFC 7323 §3.2. */
static void handshakes_are_coherent(void **state)
{
	struct traffic_plan plan = plan_of(CRAFT_HANDSHAKE, 4);
	struct stream stream;

	(void)state;
	plan.to_prefix = 24;
	plan.flows = 1000;
	plan.threads = 2;
	begin(&stream, &plan, 1);
	for (int i = 0; i < 500; i++) {
		struct frame syn, syn_ack, ack;

		next_frame(&stream, NOW_NS + 10 * i, &syn);
		next_frame(&stream, NOW_NS + 10 * i + 1, &syn_ack);
		next_frame(&stream, 0, &ack);
		assert_int_equal(syn.packet.tcp_flags, TCPHDR_SYN);
		assert_int_equal(syn_ack.packet.tcp_flags, TCPHDR_SYN | TCPHDR_ACK);
		assert_int_equal(ack.packet.tcp_flags, TCPHDR_ACK);
		assert_memory_equal(&syn_ack.packet.src, &syn.packet.dst, 16);
		assert_memory_equal(&syn_ack.packet.dst, &syn.packet.src, 16);
		assert_memory_equal(&ack.packet.src, &syn.packet.src, 16);
		assert_memory_equal(syn_ack.packet.eth_src, syn.packet.eth_dst, 6);
		assert_int_equal(syn_ack.packet.dst_port, syn.packet.src_port);
		assert_int_equal(syn_ack.packet.src_port, syn.packet.dst_port);
		assert_int_equal(ack.packet.src_port, syn.packet.src_port);
		assert_int_equal(syn_ack.packet.tcp_ack, syn.packet.tcp_seq + 1);
		assert_int_equal(ack.packet.tcp_seq, syn.packet.tcp_seq + 1);
		assert_int_equal(ack.packet.tcp_ack, syn_ack.packet.tcp_seq + 1);
		assert_int_equal(timestamp(&stream, &syn_ack, 1), timestamp(&stream, &syn, 0));
		assert_int_equal(timestamp(&stream, &ack, 1), timestamp(&stream, &syn_ack, 0));
		assert_true(timestamp(&stream, &ack, 0) >= timestamp(&stream, &syn, 0));
	}
}

/* Each segment of a flow begins where the one before it ended, whichever thread has the flow. */
static void check_tcp_data(uint32_t flows, unsigned int threads)
{
	struct traffic_plan plan = plan_of(CRAFT_TCP, 4);
	uint32_t *next = calloc(32768, sizeof(*next));

	plan.flows = flows;
	plan.threads = threads;
	plan.sizes = 1;
	plan.size[0] = 154; /* 100 bytes of data */
	for (uint32_t thread = 0; thread < threads; thread++) {
		struct stream stream = stream_of(&plan, thread);
		struct frame frame;

		for (uint32_t i = 0; i < 10 * flows / threads; i++) {
			uint32_t *should;

			next_frame(&stream, 0, &frame);
			should = &next[FROM_BE16(frame.packet.src_port) - CRAFT_FIRST_PORT];
			assert_int_equal(frame.packet.payload_bytes, 100);
			assert_int_equal(frame.packet.tcp_seq, *should ? *should : 1);
			assert_int_equal(frame.packet.tcp_ack, 1);
			*should = frame.packet.tcp_seq + 100;
		}
	}
	for (uint32_t i = 0, seen = 0; i < 32768; i++) {
		seen += next[i] != 0;
		assert_true(!next[i] || next[i] == 1001);
		assert_true(i < 32767 || seen == flows);
	}
	free(next);
}

static void tcp_data_is_in_order(void **state)
{
	(void)state;
	check_tcp_data(1, 1);
	check_tcp_data(7, 1);
	check_tcp_data(4, 4);
	check_tcp_data(1000, 1);
	check_tcp_data(999, 3);
}

/* --- what cannot be ------------------------------------------------------------------------------------------------- */

static void check_refused(const struct traffic_plan *plan, const char *option, const char *reason)
{
	struct craft_config craft;
	char why[200] = "";

	assert_true(plan_craft(plan, 0, &craft, why, sizeof(why)) < 0);
	if (!strstr(why, option) || !strstr(why, reason))
		fail_msg("%s", why);
}

static void what_cannot_be_is_said(void **state)
{
	struct traffic_plan plan = plan_of(CRAFT_UDP, 4);

	(void)state;
	plan.sizes = 1;
	plan.size[0] = 59;
	check_refused(&plan, "--size 59", "60");
	plan.size[0] = CRAFT_MAX_BYTES + 1;
	check_refused(&plan, "--size 3361", "3360");
	plan = plan_of(CRAFT_SYN, 6);
	plan.sizes = 2;
	plan.size[0] = 74;
	plan.size[1] = 73;
	check_refused(&plan, "--size 73", "74");
	plan = plan_of(CRAFT_HANDSHAKE, 4);
	plan_imix(&plan);
	check_refused(&plan, "--size", "handshake");
	plan = plan_of(CRAFT_TCP, 4);
	plan_imix(&plan);
	check_refused(&plan, "--size", "one size");
	plan = plan_of(CRAFT_SYN, 4);
	plan.flows = 0;
	check_refused(&plan, "--flows 0", "1 to 16777216");
	plan.flows = CRAFT_MAX_FLOWS + 1;
	check_refused(&plan, "--flows 16777217", "1 to 16777216");
	plan.flows = 32769;
	check_refused(&plan, "--flows 32769", "room for 32768");
	plan.from_prefix = 31;
	plan.flows = 65537;
	check_refused(&plan, "--flows 65537", "room for 65536");
	plan = plan_of(CRAFT_TCP, 4);
	plan.flows = 10;
	plan.threads = 4;
	check_refused(&plan, "--flows 10", "multiple of --threads");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_version_tag_and_size),
		cmocka_unit_test(addresses_ports_and_macs),
		cmocka_unit_test(a_udp_checksum_is_never_zero),
		cmocka_unit_test(a_small_syn_has_fewer_options),
		cmocka_unit_test(imix),
		cmocka_unit_test(each_flow_once_a_cycle),
		cmocka_unit_test(the_largest_cycles),
		cmocka_unit_test(ip6_flows),
		cmocka_unit_test(neighbours_are_far_apart),
		cmocka_unit_test(same_seed_same_frames),
		cmocka_unit_test(the_first_flows_of_seed_1),
		cmocka_unit_test(the_sink_reads_what_was_written),
		cmocka_unit_test(every_nth_frame_carries_a_time),
		cmocka_unit_test(other_frames_are_not_read),
		cmocka_unit_test(sequences_wrap),
		cmocka_unit_test(handshakes_are_coherent),
		cmocka_unit_test(tcp_data_is_in_order),
		cmocka_unit_test(what_cannot_be_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
