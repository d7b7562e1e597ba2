// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "traffic/plan.h"

#define IMIX_SMALL  60
#define IMIX_MIDDLE 590
#define IMIX_LARGE  1514

#define WINDOW    64240 /* what Linux offers on Ethernet: 44 segments of 1460 bytes */
#define OPTION_WS 7

struct draft {
	uint8_t byte[CRAFT_WORDS * 8];
	uint32_t bytes;
	struct craft_shape *shape;
};

void plan_imix(struct traffic_plan *plan)
{
	static const uint16_t cycle[CRAFT_SIZES] = {
		IMIX_SMALL, IMIX_MIDDLE, IMIX_SMALL,  IMIX_SMALL, IMIX_MIDDLE, IMIX_SMALL,
		IMIX_LARGE, IMIX_SMALL,  IMIX_MIDDLE, IMIX_SMALL, IMIX_SMALL,  IMIX_MIDDLE,
	};

	memcpy(plan->size, cycle, sizeof(cycle));
	plan->sizes = CRAFT_SIZES;
	plan->grow = true;
}

const char *plan_kind_text(enum craft_kind kind)
{
	static const char *const texts[] = {
		[CRAFT_UDP] = "UDP",
		[CRAFT_SYN] = "SYN",
		[CRAFT_TCP] = "TCP data",
		[CRAFT_HANDSHAKE] = "handshake",
	};

	return texts[kind];
}

__attribute__((format(printf, 3, 4))) static int wrong(char *why, size_t why_bytes, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, why_bytes, format, args);
	va_end(args);
	return -EINVAL;
}

/* Sebastiano Vigna's splitmix64: well mixed numbers of any seed, also of 0. */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static uint64_t gcd(uint64_t a, uint64_t b)
{
	while (b) {
		uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

static void put(struct draft *draft, const void *data, uint32_t bytes)
{
	memcpy(draft->byte + draft->bytes, data, bytes);
	draft->bytes += bytes;
}

static void put_be16(struct draft *draft, uint16_t value)
{
	__be16 wire = TO_BE16(value);

	put(draft, &wire, sizeof(wire));
}

static void put_ethernet(struct draft *draft, const struct traffic_plan *plan, bool reply)
{
	put(draft, reply ? plan->src_mac : plan->dst_mac, ETH_ALEN);
	put(draft, reply ? plan->dst_mac : plan->src_mac, ETH_ALEN);
	for (unsigned int i = 0; i < plan->vlans; i++) {
		put_be16(draft, i + 1 < plan->vlans ? ETH_P_8021AD : ETH_P_8021Q);
		put_be16(draft, plan->vlan[i]);
	}
	put_be16(draft, plan->ip_version == 4 ? ETH_P_IP : ETH_P_IPV6);
}

/* The address without the word that the flow decides, which comes last. */
static union ip_addr without_last(const struct traffic_plan *plan, const union ip_addr *address)
{
	union ip_addr constant = *address;

	constant.word[plan->ip_version == 4 ? 0 : 3] = 0;
	return constant;
}

static uint8_t protocol(const struct traffic_plan *plan)
{
	return plan->kind == CRAFT_UDP ? IPPROTO_UDP : IPPROTO_TCP;
}

static void put_ip4(struct draft *draft, const struct traffic_plan *plan)
{
	struct iphdr ip = {
		.version = 4,
		.ihl = 5,
		.frag_off = TO_BE16(IP4_FLAG_DF), /* so the identification may be 0 (RFC 6864 §4) */
		.ttl = PLAN_TTL,
		.protocol = protocol(plan),
	};

	put(draft, &ip, sizeof(ip));
}

static void put_ip6(struct draft *draft, const union ip_addr *src, const union ip_addr *dst,
		    const struct traffic_plan *plan)
{
	struct ipv6hdr ip = {.version = 6, .nexthdr = protocol(plan), .hop_limit = PLAN_TTL};

	memcpy(&ip.saddr, src, sizeof(*src));
	memcpy(&ip.daddr, dst, sizeof(*dst));
	put(draft, &ip, sizeof(ip));
}

/* Returns the sum of the pseudo-header's constants. */
static uint64_t put_ip(struct draft *draft, const struct traffic_plan *plan, bool reply)
{
	union ip_addr client = without_last(plan, &plan->from), server = without_last(plan, &plan->to);

	if (plan->ip_version == 4)
		put_ip4(draft, plan);
	else if (reply)
		put_ip6(draft, &server, &client, plan);
	else
		put_ip6(draft, &client, &server, plan);
	return checksum_pseudo_header(plan->ip_version, &client, &server, protocol(plan), 0);
}

static void put_stamp(struct draft *draft)
{
	struct craft_stamp stamp = {.magic = TO_BE32(CRAFT_STAMP_MAGIC)};

	draft->shape->stamp_off = draft->bytes;
	put(draft, &stamp, sizeof(stamp));
}

static void put_udp(struct draft *draft, const struct traffic_plan *plan)
{
	struct udphdr udp = {.dest = TO_BE16(plan->port)};

	put(draft, &udp, sizeof(udp));
	put_stamp(draft);
}

/* RFC 7323 §3.2, after two NOPs as everybody writes it (appendix A). */
static void put_timestamps(struct draft *draft)
{
	static const uint8_t option[12] = {TCP_OPT_NOP, TCP_OPT_NOP, TCP_OPT_TIMESTAMPS, 10};

	draft->shape->tsval_off = draft->bytes + 4;
	put(draft, option, sizeof(option));
}

/* As Linux sends them: MSS, SACK permitted, timestamps, NOP, window scale. */
static void put_syn_options(struct draft *draft, const struct traffic_plan *plan)
{
	uint16_t mss = 1500 - 20 - (plan->ip_version == 4 ? 20 : 40);
	uint8_t first[] = {TCP_OPT_MSS,        4, mss >> 8, mss & 0xff, TCP_OPT_SACK_PERMITTED, 2,
			   TCP_OPT_TIMESTAMPS, 10};
	static const uint8_t times[8], last[] = {TCP_OPT_NOP, TCP_OPT_WINDOW_SCALE, 3, OPTION_WS};

	put(draft, first, sizeof(first));
	draft->shape->tsval_off = draft->bytes;
	put(draft, times, sizeof(times));
	put(draft, last, sizeof(last));
}

#define SYN_OPTIONS_BYTES 20
#define TIMESTAMPS_BYTES  12

static void put_tcp(struct draft *draft, const struct traffic_plan *plan, uint8_t flags, bool reply,
		    uint32_t options_bytes)
{
	__be16 port = TO_BE16(plan->port);
	struct tcphdr tcp = {
		.source = reply ? port : 0,
		.dest = reply ? 0 : port,
		.ack_seq = plan->kind == CRAFT_TCP ? TO_BE32(1) : 0, /* the server has sent its SYN alone */
		.window = TO_BE16(WINDOW),
	};
	uint8_t *header = (uint8_t *)&tcp;

	header[12] = (sizeof(tcp) + options_bytes) / 4 << 4;
	header[13] = flags;
	put(draft, &tcp, sizeof(tcp));
	if (options_bytes == SYN_OPTIONS_BYTES)
		put_syn_options(draft, plan);
	else if (options_bytes)
		put_timestamps(draft);
}

static void set_be16(struct draft *draft, uint32_t at, uint16_t value)
{
	__be16 wire = TO_BE16(value);

	memcpy(draft->byte + at, &wire, sizeof(wire));
}

/* What varies only where frames of one shape have several sizes. Returns the sum that the pseudo-header adds. */
static uint64_t set_lengths(struct draft *draft, const struct craft_config *craft,
			    const struct traffic_plan *plan)
{
	uint16_t bytes = plan->sizes ? plan->size[0] : draft->bytes, l4_bytes = bytes - craft->l4_off;

	if (plan->sizes > 1)
		return 0;
	if (plan->ip_version == 4)
		set_be16(draft, craft->l3_off + 2, bytes - craft->l3_off);
	else
		set_be16(draft, craft->l3_off + 4, l4_bytes);
	if (plan->kind == CRAFT_UDP)
		set_be16(draft, craft->l4_off + 4, l4_bytes);
	return TO_BE16(l4_bytes);
}

/* One kind of frame. @flags: of TCP */
static void make_shape(struct craft_config *craft, unsigned int index, const struct traffic_plan *plan,
		       uint8_t flags, bool reply, uint32_t options_bytes)
{
	struct draft draft = {.shape = &craft->shape[index]};
	uint64_t sum;

	put_ethernet(&draft, plan, reply);
	craft->l3_off = draft.bytes;
	sum = put_ip(&draft, plan, reply);
	craft->l4_off = draft.bytes;
	if (plan->kind == CRAFT_UDP)
		put_udp(&draft, plan);
	else
		put_tcp(&draft, plan, flags, reply, options_bytes);
	if (plan->kind == CRAFT_TCP)
		put_stamp(&draft);
	sum += set_lengths(&draft, craft, plan);
	sum = checksum_bytes(draft.byte + craft->l4_off, draft.bytes - craft->l4_off, sum);
	draft.shape->l4_sum = checksum_fold(sum);
	if (plan->ip_version == 4)
		draft.shape->ip_sum =
			checksum_fold(checksum_bytes(draft.byte + craft->l3_off, sizeof(struct iphdr), 0));
	draft.shape->header_bytes = draft.bytes;
	draft.shape->reply = reply;
	memcpy(draft.shape->word, draft.byte, draft.bytes);
}

/* A SYN has all of Linux's options, or the time alone, or none, as its size allows. */
static uint32_t syn_options_bytes(const struct traffic_plan *plan)
{
	uint32_t bare =
		ETH_HLEN + 4 * plan->vlans + (plan->ip_version == 4 ? 20 : 40) + sizeof(struct tcphdr);
	uint32_t smallest = plan->sizes ? plan->size[0] : bare + SYN_OPTIONS_BYTES;

	for (unsigned int i = 1; i < plan->sizes; i++)
		if (plan->size[i] < smallest)
			smallest = plan->size[i];
	if (smallest >= bare + SYN_OPTIONS_BYTES)
		return SYN_OPTIONS_BYTES;
	return smallest >= bare + TIMESTAMPS_BYTES ? TIMESTAMPS_BYTES : 0;
}

static void make_shapes(struct craft_config *craft, const struct traffic_plan *plan)
{
	switch (plan->kind) {
	case CRAFT_UDP:
		make_shape(craft, 0, plan, 0, false, 0);
		break;
	case CRAFT_SYN:
		make_shape(craft, 0, plan, TCPHDR_SYN, false, syn_options_bytes(plan));
		break;
	case CRAFT_TCP:
		make_shape(craft, 0, plan, TCPHDR_PSH | TCPHDR_ACK, false, 0);
		break;
	case CRAFT_HANDSHAKE:
		make_shape(craft, 0, plan, TCPHDR_SYN, false, SYN_OPTIONS_BYTES);
		make_shape(craft, 1, plan, TCPHDR_SYN | TCPHDR_ACK, true, SYN_OPTIONS_BYTES);
		make_shape(craft, 2, plan, TCPHDR_ACK, false, TIMESTAMPS_BYTES);
		break;
	}
}

/* Of handshakes, which have the sizes that they have. */
static int make_handshake_sizes(struct craft_config *craft, const struct traffic_plan *plan, char *why,
				size_t why_bytes)
{
	if (plan->sizes)
		return wrong(why, why_bytes,
			     "--size: the segments of a handshake have the sizes that they have");
	for (unsigned int i = 0; i < CRAFT_SHAPES; i++)
		craft->size[i] = craft->shape[i].header_bytes;
	craft->sizes = 1;
	return 0;
}

static int make_sizes(struct craft_config *craft, const struct traffic_plan *plan, char *why,
		      size_t why_bytes)
{
	uint32_t least = craft->shape[0].header_bytes;

	if (plan->kind == CRAFT_HANDSHAKE)
		return make_handshake_sizes(craft, plan, why, why_bytes);
	if (plan->kind == CRAFT_TCP && plan->sizes > 1)
		return wrong(why, why_bytes, "--size: TCP data in order needs frames of one size");
	craft->size[0] = least;
	craft->sizes = plan->sizes ? plan->sizes : 1;
	for (unsigned int i = 0; i < plan->sizes; i++) {
		craft->size[i] = plan->size[i];
		if (plan->size[i] < least && plan->grow)
			craft->size[i] = least;
		else if (plan->size[i] < least)
			return wrong(why, why_bytes,
				     "--size %u: too small: these frames need %u bytes or more",
				     plan->size[i], least);
		if (plan->size[i] > CRAFT_MAX_BYTES)
			return wrong(why, why_bytes, "--size %u: too large: a frame has at most %u bytes",
				     plan->size[i], CRAFT_MAX_BYTES);
	}
	return 0;
}

/* Bits of the last word of an address that a prefix leaves to the flow. */
static unsigned int host_bits(int ip_version, uint8_t prefix)
{
	unsigned int bits = (ip_version == 4 ? 32 : 128) - prefix;

	return bits < 32 ? bits : 32;
}

static uint32_t last_word(int ip_version, const union ip_addr *address)
{
	return FROM_BE32(address->word[ip_version == 4 ? 0 : 3]);
}

static int make_flows(struct craft_config *craft, const struct traffic_plan *plan, uint32_t thread, char *why,
		      size_t why_bytes)
{
	unsigned int to_bits = host_bits(plan->ip_version, plan->to_prefix);
	unsigned int from_bits = host_bits(plan->ip_version, plan->from_prefix);
	uint64_t random = plan->seed, step = 0, room_bits = to_bits + from_bits + CRAFT_PORT_BITS;

	if (!plan->flows || plan->flows > CRAFT_MAX_FLOWS)
		return wrong(why, why_bytes, "--flows %u: 1 to %u are possible", plan->flows,
			     CRAFT_MAX_FLOWS);
	if (room_bits < 32 && plan->flows > 1u << room_bits)
		return wrong(why, why_bytes,
			     "--flows %u: these addresses have room for %u (32768 ports each); give more "
			     "addresses: --to ADDR/PREFIX or --from ADDR/PREFIX",
			     plan->flows, 1u << room_bits);
	if (plan->kind == CRAFT_TCP && plan->flows % plan->threads)
		return wrong(
			why, why_bytes,
			"--flows %u: TCP data in order needs flows of its own for each of the %u threads: "
			"a multiple of --threads",
			plan->flows, plan->threads);
	craft->dst_bits = to_bits;
	craft->dst_mask = (1ull << to_bits) - 1;
	craft->src_mask = (1ull << from_bits) - 1;
	craft->dst_base = last_word(plan->ip_version, &plan->to) & ~(uint32_t)craft->dst_mask;
	craft->src_base = last_word(plan->ip_version, &plan->from) & ~(uint32_t)craft->src_mask;
	craft->mix = next_random(&random) | 1;
	craft->mix_add = next_random(&random);
	if (plan->flows == 1 && to_bits + from_bits == 0)
		craft->mix_add = 0; /* the plainest case is the plainest flow: port 32768 */
	craft->flows = plan->flows;
	craft->flow_start = next_random(&random) % plan->flows;
	do
		step = next_random(&random) % plan->flows;
	while (gcd(step, plan->flows) != 1);
	craft->flow_start = (craft->flow_start + thread * step) % plan->flows;
	craft->flow_step = plan->threads * step % plan->flows;
	return 0;
}

int plan_craft(const struct traffic_plan *plan, uint32_t thread, struct craft_config *craft, char *why,
	       size_t why_bytes)
{
	int err;

	*craft = (struct craft_config){
		.kind = plan->kind,
		.ip_version = plan->ip_version,
		.server_port = TO_BE16(plan->port),
		.thread = thread,
		.threads = plan->threads,
		.stamp_mask = plan->stamp_every ? plan->stamp_every - 1 : 0,
	};
	while (1u << craft->thread_bits < plan->threads)
		craft->thread_bits++;
	make_shapes(craft, plan);
	err = make_sizes(craft, plan, why, why_bytes);
	return err ? err : make_flows(craft, plan, thread, why, why_bytes);
}

uint32_t plan_frame_bytes(const struct craft_config *craft)
{
	uint32_t largest = 0;

	for (unsigned int i = 0; i < CRAFT_SIZES; i++)
		if (craft->size[i] > largest)
			largest = craft->size[i];
	return largest;
}

uint32_t plan_first_frame(const struct craft_config *craft, void *frame)
{
	struct craft_state state = {.flow = craft->flow_start};
	struct craft_turn turn;

	craft_next(craft, &state, 0, &turn);
	turn.bytes = plan_frame_bytes(craft);
	craft_write(craft, &craft->shape[0], &turn, frame);
	return turn.bytes;
}
