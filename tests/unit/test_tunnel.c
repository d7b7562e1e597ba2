// SPDX-License-Identifier: GPL-2.0-only
/* The packet inside a packet: which it is, where it came through, what is no tunnel, and every truncation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "frame.h"
#include "xdplife/tunnel.h"

/* 192.0.2.1 → 192.0.2.2; the checksum is filled in. */
#define OUTER4(total, proto) MACS "0800 4500 " total " 0001 0000 40" proto " 0000 c0000201 c0000202 "
#define OUTER6(payload, next)                                                                                \
	MACS "86dd 60000000 " payload next "40 20010db8000000000000000000000001 "                            \
	     "20010db8000000000000000000000002 "
/* 40 bytes of SYN, 10.0.1.2:40000 → 10.0.2.2:80, its checksum right; the same of 60 bytes over IPv6 */
#define INNER4 "4500 0028 1234 0000 4006 5199 0a000102 0a000202 " TCP_SYN
#define INNER6 IP6("0014", "06") TCP_SYN
/* 55555 → 4789, checksum none; flags 08, VNI 0x00002a */
#define VXLAN(length, flags) "d90312b5 " length " 0000 " flags "000000 00002a00 "

struct tunnel_case {
	const char *what, *text;
	enum tunnel_kind kind;
	uint32_t id;
	int has_id, inner_version;
};

static const struct tunnel_case cases[] = {
	{"IPv4 in IPv4", OUTER4("003c", "04") INNER4, TUNNEL_IPIP, 0, 0, 4},
	{"IPv6 in IPv4", OUTER4("0050", "29") INNER6, TUNNEL_6IN4, 0, 0, 6},
	{"IPv4 in IPv6", OUTER6("0028", "04") INNER4, TUNNEL_4IN6, 0, 0, 4},
	{"IPv6 in IPv6", OUTER6("003c", "29") INNER6, TUNNEL_6IN6, 0, 0, 6},
	{"GRE, IPv4", OUTER4("0040", "2f") "0000 0800 " INNER4, TUNNEL_GRE, 0, 0, 4},
	{"GRE, IPv6", OUTER4("0054", "2f") "0000 86dd " INNER6, TUNNEL_GRE, 0, 0, 6},
	{"GRE, a key", OUTER4("0044", "2f") "2000 0800 deadbeef " INNER4, TUNNEL_GRE, 0xdeadbeef, 1, 4},
	{"GRE, a checksum", OUTER4("0044", "2f") "8000 0800 12340000 " INNER4, TUNNEL_GRE, 0, 0, 4},
	{"GRE, a sequence number", OUTER4("0044", "2f") "1000 0800 00000001 " INNER4, TUNNEL_GRE, 0, 0, 4},
	{"GRE, all three", OUTER4("004c", "2f") "b000 0800 12340000 00000007 00000001 " INNER4, TUNNEL_GRE, 7,
	 1, 4},
	{"GRE, Ethernet", OUTER4("004e", "2f") "0000 6558 " ETH_IP4 INNER4, TUNNEL_GRE, 0, 0, 4},
	{"GRE over IPv6", OUTER6("002c", "2f") "0000 0800 " INNER4, TUNNEL_GRE, 0, 0, 4},
	{"VXLAN", OUTER4("005a", "11") VXLAN("0046", "08") ETH_IP4 INNER4, TUNNEL_VXLAN, 42, 1, 4},
	{"VXLAN over IPv6", OUTER6("0046", "11") VXLAN("0046", "08") ETH_IP4 INNER4, TUNNEL_VXLAN, 42, 1, 4},
	{"VXLAN, a VLAN inside", OUTER4("005e", "11") VXLAN("004a", "08") MACS "8100 0007 0800 " INNER4,
	 TUNNEL_VXLAN, 42, 1, 4},
	/* none: version 1 (PPTP), source routing, another protocol, no I flag, another port, fragments */
	{"GRE, version 1", OUTER4("0040", "2f") "0001 0800 " INNER4, TUNNEL_NONE, 0, 0, 0},
	{"GRE, routing", OUTER4("0040", "2f") "4000 0800 " INNER4, TUNNEL_NONE, 0, 0, 0},
	{"GRE, PPP", OUTER4("0040", "2f") "0000 880b " INNER4, TUNNEL_NONE, 0, 0, 0},
	{"VXLAN without VNI", OUTER4("005a", "11") VXLAN("0046", "00") ETH_IP4 INNER4, TUNNEL_NONE, 0, 0, 0},
	{"UDP to 53", OUTER4("005a", "11") "d9030035 00460000 08000000 00002a00" ETH_IP4 INNER4, TUNNEL_NONE,
	 0, 0, 0},
	{"a fragment", MACS "0800 4500 003c 0001 2000 4004 0000 c0000201 c0000202 " INNER4, TUNNEL_NONE, 0, 0,
	 0},
	{"TCP", ETH_IP4 INNER4, TUNNEL_NONE, 0, 0, 0},
};

/* The first @captured bytes of it. Return: the kind of tunnel. */
static enum tunnel_kind parse_cut(const struct frame *frame, size_t captured, int odd, struct tunnel *tunnel,
				  struct packet *inner, struct packet *outer)
{
	void *copy;
	const uint8_t *data = frame_exact(frame, captured, odd, &copy);

	memset(tunnel, 0, sizeof(*tunnel));
	memset(inner, 0, sizeof(*inner));
	memset(outer, 0, sizeof(*outer));
	parse_packet(outer, data, data + captured, frame->bytes);
	if (!packet_may_tunnel(outer) || !parse_tunnel(inner, tunnel, outer, data, data + captured))
		tunnel->kind = TUNNEL_NONE;
	free(copy);
	return tunnel->kind;
}

static void expect_inner(const struct tunnel_case *row, const struct frame *frame, const struct packet *inner)
{
	assert_int_equal(packet_malformed(inner), MALFORMED_NONE);
	assert_int_equal(inner->ip_version, row->inner_version);
	assert_int_equal(inner->ip_proto, IPPROTO_TCP);
	assert_int_equal(FROM_BE16(inner->src_port), 40000);
	assert_int_equal(inner->tcp_seq, 1000);
	assert_int_equal(inner->payload_bytes, 0);
	/* it counts from the start of the frame */
	assert_int_equal(inner->l4_off, frame->bytes - 20);
	if (row->inner_version == 4)
		assert_memory_equal(&inner->src, "\x0a\0\x01\x02", 4);
	else
		assert_memory_equal(&inner->src, "\xfd\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\x02", 16);
}

static void test_kinds(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct tunnel_case *row = &cases[i];
		struct packet inner, outer;
		struct tunnel tunnel;
		struct frame frame;

		frame_from(&frame, row->text);
		if (parse_cut(&frame, frame.bytes, i & 1, &tunnel, &inner, &outer) != row->kind)
			fail_msg("%s: kind %d, should be %d", row->what, tunnel.kind, row->kind);
		if (row->kind == TUNNEL_NONE)
			continue;
		expect_inner(row, &frame, &inner);
		assert_int_equal(tunnel.id, row->id);
		assert_int_equal(!!(tunnel.flags & TUNNEL_HAS_ID), row->has_id);
		assert_int_equal(tunnel.ip_version, outer.ip_version);
		assert_memory_equal(&tunnel.src, &outer.src, sizeof(outer.src));
		assert_memory_equal(&tunnel.dst, &outer.dst, sizeof(outer.dst));
		if (tunnel.ip_version == 4)
			assert_memory_equal(&tunnel.dst, "\xc0\0\x02\x02\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	}
}

/* Cut anywhere: nothing is read that is not there, and what is whole before the cut is right. */
static void test_truncations(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct packet inner, outer;
		struct tunnel tunnel;
		struct frame frame;

		frame_from(&frame, cases[i].text);
		for (size_t cut = 0; cut < frame.bytes; cut++) {
			enum tunnel_kind kind = parse_cut(&frame, cut, cut & 1, &tunnel, &inner, &outer);

			assert_true(kind == TUNNEL_NONE || kind == cases[i].kind);
			if (kind != TUNNEL_NONE)
				assert_int_not_equal(packet_malformed(&inner), MALFORMED_NONE);
		}
	}
}

/* One deep: of what the inner packet carries in its turn, only the protocol is known. */
static void test_tunnel_in_tunnel(void **state)
{
	struct packet inner, outer;
	struct tunnel tunnel;
	struct frame frame;

	(void)state;
	/* 192.0.2.1 → 192.0.2.2 around the same around the SYN; the checksum of a header of 60 bytes for IPIP */
	frame_from(&frame, OUTER4("0050", "04") "4500 003c 0001 0000 4004 f6b9 c0000201 c0000202 " INNER4);
	assert_int_equal(parse_cut(&frame, frame.bytes, 0, &tunnel, &inner, &outer), TUNNEL_IPIP);
	assert_int_equal(packet_malformed(&inner), MALFORMED_NONE);
	assert_int_equal(inner.ip_proto, IPPROTO_IPIP);
	assert_false(inner.flags & PACKET_HAS_L4);
}

/* The inner IP length may not reach beyond the outer packet, padding or not. */
static void test_inner_longer_than_outer(void **state)
{
	struct packet inner, outer;
	struct tunnel tunnel;
	struct frame frame;

	(void)state;
	/* outer total 59 instead of 60: the last byte is padding */
	frame_from(&frame, OUTER4("003b", "04") INNER4);
	assert_int_equal(parse_cut(&frame, frame.bytes, 0, &tunnel, &inner, &outer), TUNNEL_IPIP);
	assert_int_equal(inner.malformed_l3, MALFORMED_IP4_LENGTH_LONG);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_truncations),
		cmocka_unit_test(test_tunnel_in_tunnel),
		cmocka_unit_test(test_inner_longer_than_outer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
