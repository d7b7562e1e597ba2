// SPDX-License-Identifier: GPL-2.0-only
/* The engine's parser: what it reads, each way of being malformed with a neighbour that is not, every
 * truncation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "frame.h"
#include "util/names.h"
#include "xdplife/link.h"

/* The first @captured bytes of the frame, the rest being on the wire only. */
static struct packet parse_cut(const struct frame *frame, size_t captured, size_t wire, int odd)
{
	struct packet pkt = {};
	void *copy;
	const uint8_t *data = frame_exact(frame, captured, odd, &copy);

	parse_packet(&pkt, data, data + captured, wire);
	parse_syn_options(&pkt, data);
	free(copy);
	return pkt;
}

static struct packet parse_text(const char *text)
{
	struct frame frame;

	frame_from(&frame, text);
	return parse_cut(&frame, frame.bytes, frame.bytes, 0);
}

struct malformed_case {
	enum malformed reason;
	const char *bad;  /* provokes it */
	const char *good; /* differs in that only, and is well formed */
};

#define EIGHT_DEST_OPTS                                                                                      \
	"3c000104 00000000 3c000104 00000000 3c000104 00000000 3c000104 00000000 "                           \
	"3c000104 00000000 3c000104 00000000 3c000104 00000000 "
#define ARP_BODY "0001 0800 06 04 0001 020000000001 0a000102 000000000000 0a000101 "

static const struct malformed_case cases[] = {
	/* 13 bytes; 14, of a type that nobody parses */
	{MALFORMED_ETH_TRUNCATED, MACS "08", MACS "88cc"},
	/* a tag of 3 bytes; one of 4 */
	{MALFORMED_VLAN_TRUNCATED, MACS "8100 000588", MACS "8100 000588cc"},
	/* four tags; three */
	{MALFORMED_VLAN_DEPTH, MACS "88a8 0001 8100 0002 8100 0003 8100 0004 88cc",
	 MACS "88a8 0001 8100 0002 8100 0003 88cc"},
	/* a body of 27 bytes; of 28 */
	{MALFORMED_ARP_TRUNCATED, ETH_ARP "0001 0800 06 04 0001 020000000001 0a000102 000000000000 0a0001",
	 ETH_ARP ARP_BODY},
	/* hardware size 8; 6 */
	{MALFORMED_ARP_FORMAT, ETH_ARP "0001 0800 08 04 0001 020000000001 0a000102 000000000000 0a000101",
	 ETH_ARP ARP_BODY},
	/* 19 bytes; 20, of protocol 253 */
	{MALFORMED_IP4_TRUNCATED, ETH_IP4 "4500 0014 1234 0000 40fd 0000 0a000102 0a0002",
	 ETH_IP4 IP4("0014", "fd")},
	{MALFORMED_IP4_VERSION, ETH_IP4 "5500 0014 1234 0000 40fd 0000 0a000102 0a000202",
	 ETH_IP4 IP4("0014", "fd")},
	/* IHL 4; 5 */
	{MALFORMED_IP4_IHL, ETH_IP4 "4400 0014 1234 0000 40fd 0000 0a000102 0a000202",
	 ETH_IP4 IP4("0014", "fd")},
	/* total length 19; 20 */
	{MALFORMED_IP4_LENGTH_SHORT, ETH_IP4 IP4("0013", "fd"), ETH_IP4 IP4("0014", "fd")},
	/* total length 21 of 20; 20 */
	{MALFORMED_IP4_LENGTH_LONG, ETH_IP4 IP4("0015", "fd"), ETH_IP4 IP4("0014", "fd")},
	/* a VLAN tag keeps frame_from() from making the checksum right: 0x50b6 is, 0x50b5 is not */
	{MALFORMED_IP4_CHECKSUM, MACS "8100 0005 0800 4500 0014 1234 0000 40fd 50b5 0a000102 0a000202",
	 MACS "8100 0005 0800 4500 0014 1234 0000 40fd 50b6 0a000102 0a000202"},
	/* 39 bytes; 40 */
	{MALFORMED_IP6_TRUNCATED,
	 ETH_IP6 "60000000 0000 fd40 fd000001000000000000000000000002 fd0000020000000000000000000000",
	 ETH_IP6 IP6("0000", "fd")},
	{MALFORMED_IP6_VERSION,
	 ETH_IP6 "40000000 0000 fd40 fd000001000000000000000000000002 fd000002000000000000000000000002",
	 ETH_IP6 IP6("0000", "fd")},
	/* payload length 1 of 0; 0 */
	{MALFORMED_IP6_LENGTH_LONG, ETH_IP6 IP6("0001", "fd"), ETH_IP6 IP6("0000", "fd")},
	/* destination options of 16 bytes in 8; of 8 */
	{MALFORMED_IP6_EXT_TRUNCATED, ETH_IP6 IP6("0008", "3c") "fd010104 00000000",
	 ETH_IP6 IP6("0008", "3c") "fd000104 00000000"},
	/* nine destination options headers; eight */
	{MALFORMED_IP6_EXT_DEPTH,
	 ETH_IP6 IP6("0048", "3c") EIGHT_DEST_OPTS "3c000104 00000000 fd000104 00000000",
	 ETH_IP6 IP6("0040", "3c") EIGHT_DEST_OPTS "fd000104 00000000"},
	/* hop-by-hop behind destination options; in front of them */
	{MALFORMED_IP6_HOP_BY_HOP, ETH_IP6 IP6("0010", "3c") "00000104 00000000 fd000104 00000000",
	 ETH_IP6 IP6("0010", "00") "3c000104 00000000 fd000104 00000000"},
	/* a first fragment with 8 bytes of TCP; with 20 */
	{MALFORMED_FRAGMENT_TINY, ETH_IP4 IP4_FRAG("001c", "2000", "06") "9c400050 000003e8",
	 ETH_IP4 IP4_FRAG("0028", "2000", "06") TCP_SYN},
	/* 19 bytes of TCP by the IP length; 20 */
	{MALFORMED_TCP_TRUNCATED, ETH_IP4 IP4("0027", "06") TCP_SYN, ETH_IP4 IP4("0028", "06") TCP_SYN},
	/* data offset 4; 5 */
	{MALFORMED_TCP_DATA_OFFSET, ETH_IP4 IP4("0028", "06") TCP_WITH("4", "02"),
	 ETH_IP4 IP4("0028", "06") TCP_SYN},
	/* an MSS option of 5 bytes in 4; of 4 */
	{MALFORMED_TCP_OPTIONS, ETH_IP4 IP4("002c", "06") TCP_WITH("6", "02") "020505b4",
	 ETH_IP4 IP4("002c", "06") TCP_WITH("6", "02") "020405b4"},
	/* 7 bytes of UDP; 8 */
	{MALFORMED_UDP_TRUNCATED, ETH_IP4 IP4("001b", "11") UDP("0008"),
	 ETH_IP4 IP4("001c", "11") UDP("0008")},
	/* UDP length 7; 8 */
	{MALFORMED_UDP_LENGTH, ETH_IP4 IP4("001c", "11") UDP("0007"), ETH_IP4 IP4("001c", "11") UDP("0008")},
	/* 7 bytes of ICMP; 8 */
	{MALFORMED_ICMP_TRUNCATED, ETH_IP4 IP4("001b", "01") ICMP_ECHO, ETH_IP4 IP4("001c", "01") ICMP_ECHO},
	{MALFORMED_ICMP6_TRUNCATED, ETH_IP6 IP6("0007", "3a") ICMP6_ECHO,
	 ETH_IP6 IP6("0008", "3a") ICMP6_ECHO},
};

#define CASES (sizeof(cases) / sizeof(*cases))

static void test_malformed_and_its_neighbour(void **state)
{
	(void)state;
	for (size_t i = 0; i < CASES; i++) {
		struct packet bad = parse_text(cases[i].bad), good = parse_text(cases[i].good);

		if (packet_malformed(&bad) != cases[i].reason || packet_malformed(&good) != MALFORMED_NONE)
			fail_msg("%s: the bad frame is %s, the good one %s", malformed_key(cases[i].reason),
				 malformed_key(packet_malformed(&bad)),
				 malformed_key(packet_malformed(&good)));
	}
}

static void test_every_reason_has_a_case(void **state)
{
	(void)state;
	for (int reason = MALFORMED_NONE + 1; reason < MALFORMED_COUNT; reason++) {
		size_t i = 0;

		while (i < CASES && (int)cases[i].reason != reason)
			i++;
		if (i == CASES)
			fail_msg("no frame provokes %s", malformed_key(reason));
	}
}

/* Other frames of the same reason: one of each variant that the parser distinguishes. */
static void test_malformed_variants(void **state)
{
	static const struct malformed_case more[] = {
		/* IHL 6, but the frame ends behind 20 bytes */
		{MALFORMED_IP4_TRUNCATED, ETH_IP4 "4600 0018 1234 0000 40fd 0000 0a000102 0a000202", NULL},
		{MALFORMED_ARP_FORMAT,
		 ETH_ARP "0006 0800 06 04 0001 020000000001 0a000102 000000000000 0a000101", NULL},
		{MALFORMED_ARP_FORMAT,
		 ETH_ARP "0001 86dd 06 04 0001 020000000001 0a000102 000000000000 0a000101", NULL},
		{MALFORMED_ARP_FORMAT,
		 ETH_ARP "0001 0800 06 10 0001 020000000001 0a000102 000000000000 0a000101", NULL},
		/* TCP header of 24 bytes in a packet of 20 + 20 */
		{MALFORMED_TCP_TRUNCATED, ETH_IP4 IP4("0028", "06") TCP_WITH("6", "02"), NULL},
		/* option length 1, and 0; an option kind with nothing behind it */
		{MALFORMED_TCP_OPTIONS, ETH_IP4 IP4("002c", "06") TCP_WITH("6", "02") "020105b4", NULL},
		{MALFORMED_TCP_OPTIONS, ETH_IP4 IP4("002c", "06") TCP_WITH("6", "02") "020005b4", NULL},
		{MALFORMED_TCP_OPTIONS, ETH_IP4 IP4("002c", "06") TCP_WITH("6", "02") "01010102", NULL},
		/* UDP length 9 of 8 */
		{MALFORMED_UDP_LENGTH, ETH_IP4 IP4("001c", "11") UDP("0009"), NULL},
		/* a fragment header cut at 7 bytes by the payload length */
		{MALFORMED_IP6_EXT_TRUNCATED, ETH_IP6 IP6("0007", "2c") "06000001 00001234", NULL},
		/* AH of 12 bytes in 8 */
		{MALFORMED_IP6_EXT_TRUNCATED, ETH_IP6 IP6("0008", "33") "06010000 00000001", NULL},
		{MALFORMED_FRAGMENT_TINY, ETH_IP6 IP6("0010", "2c") "06000001 00001234 9c400050 000003e8",
		 NULL},
		{MALFORMED_FRAGMENT_TINY, ETH_IP4 IP4_FRAG("0018", "2000", "11") "9c400035", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(more) / sizeof(*more); i++) {
		struct packet pkt = parse_text(more[i].bad);

		if (packet_malformed(&pkt) != more[i].reason)
			fail_msg("variant %zu is %s, not %s", i, malformed_key(packet_malformed(&pkt)),
				 malformed_key(more[i].reason));
	}
}

/* 10.0.1.2:40000 → 10.0.2.2:80 SYN, DF, MSS 1460, SACK permitted, timestamps, NOP, window scale 7, 3 bytes of
 * data. */
#define SYN_OPTIONS "020405b4 0402 080a 00000001 00000000 01 030307 "
#define SYN_FRAME   ETH_IP4 IP4_FRAG("003f", "4000", "06") TCP_WITH("a", "02") SYN_OPTIONS "616263"

static void test_tcp_fields(void **state)
{
	struct packet pkt = parse_text(SYN_FRAME "0000"); /* two bytes of Ethernet padding */

	(void)state;
	assert_int_equal(packet_malformed(&pkt), MALFORMED_NONE);
	assert_int_equal(pkt.wire_bytes, 79);
	assert_int_equal(pkt.l3_off, 14);
	assert_int_equal(pkt.l3_bytes, 63);
	assert_int_equal(pkt.l4_off, 34);
	assert_int_equal(pkt.payload_off, 74);
	assert_int_equal(pkt.payload_bytes, 3);
	assert_int_equal(pkt.flags, PACKET_HAS_L4 | PACKET_DONT_FRAGMENT);
	assert_int_equal(pkt.ip_version, 4);
	assert_int_equal(pkt.ip_proto, IPPROTO_TCP);
	assert_int_equal(pkt.ip_id, 0x1234);
	assert_int_equal(pkt.ttl, 64);
	assert_int_equal(pkt.eth_type, TO_BE16(ETH_P_IP));
	assert_memory_equal(pkt.eth_dst, "\x02\0\0\0\0\x02", 6);
	assert_memory_equal(pkt.eth_src, "\x02\0\0\0\0\x01", 6);
	assert_memory_equal(pkt.src.byte, "\x0a\0\x01\x02\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_memory_equal(pkt.dst.byte, "\x0a\0\x02\x02\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_int_equal(FROM_BE16(pkt.src_port), 40000);
	assert_int_equal(FROM_BE16(pkt.dst_port), 80);
	assert_int_equal(pkt.tcp_seq, 1000);
	assert_int_equal(pkt.tcp_ack, 0);
	assert_int_equal(pkt.tcp_flags, TCPHDR_SYN);
	assert_int_equal(pkt.tcp_window, 64240);
	assert_int_equal(pkt.tcp_options.mss, 1460);
	assert_int_equal(pkt.tcp_options.window_scale, 7);
	assert_int_equal(pkt.tcp_options.flags,
			 TCP_HAS_MSS | TCP_HAS_SACK_PERMITTED | TCP_HAS_TIMESTAMPS | TCP_HAS_WINDOW_SCALE);
}

static void test_vlan_stacks(void **state)
{
	static const char *const tags[] = {"", "8100 a005 ", "88a8 0064 8100 0005 ",
					   "88a8 0064 8100 0005 8100 0006 ",
					   "88a8 0064 8100 0005 8100 0006 8100 0007 "};
	static const uint16_t outermost[] = {0, 0xa005, 0x0064, 0x0064};
	char text[512];

	(void)state;
	for (int count = 0; count <= 4; count++) {
		struct frame frame;
		struct packet pkt;

		snprintf(text, sizeof(text), MACS "%s0800 " IP4("0028", "06") TCP_SYN, tags[count]);
		frame_hex(&frame, text);
		frame_fix_ip4(&frame, 14 + 4 * count);
		pkt = parse_cut(&frame, frame.bytes, frame.bytes, 0);
		if (count > VLAN_MAX_TAGS) {
			assert_int_equal(pkt.malformed_l3, MALFORMED_VLAN_DEPTH);
			continue;
		}
		assert_int_equal(packet_malformed(&pkt), MALFORMED_NONE);
		assert_int_equal(pkt.vlan_count, count);
		assert_int_equal(pkt.vlan_tci[0], outermost[count]);
		assert_int_equal(pkt.l3_off, 14 + 4 * count);
		assert_int_equal(pkt.eth_type, TO_BE16(ETH_P_IP));
		assert_int_equal(FROM_BE16(pkt.dst_port), 80);
	}
}

/* Hop-by-hop, destination options, routing (24 bytes), AH (24 bytes), destination options, TCP. */
static void test_ip6_chain(void **state)
{
	struct packet pkt = parse_text(ETH_IP6 IP6(
		"005c",
		"00") "3c000104 00000000 2b000104 00000000 "
		      "33020401 00000000 fd000003000000000000000000000002 "
		      "3c040000 00000001 00000002 000000000000000000000000 06000104 00000000 " TCP_SYN);

	(void)state;
	assert_int_equal(packet_malformed(&pkt), MALFORMED_NONE);
	assert_int_equal(pkt.flags, PACKET_HOP_BY_HOP | PACKET_HAS_L4);
	assert_int_equal(pkt.ip_proto, IPPROTO_TCP);
	assert_int_equal(pkt.l4_off, 14 + 40 + 8 + 8 + 24 + 24 + 8);
	assert_int_equal(FROM_BE16(pkt.dst_port), 80);
	assert_int_equal(pkt.payload_bytes, 0);
}

static void test_fragments(void **state)
{
	static const struct {
		const char *text;
		uint16_t flags;
	} fragments[] = {
		/* IPv4: first, later, last, and DF alone, which is none */
		{ETH_IP4 IP4_FRAG("0028", "2000", "06") TCP_SYN, PACKET_IS_FRAGMENT | PACKET_HAS_L4},
		{ETH_IP4 IP4_FRAG("0028", "2001", "06") TCP_SYN, PACKET_IS_FRAGMENT | PACKET_LATER_FRAGMENT},
		{ETH_IP4 IP4_FRAG("0028", "1fff", "06") TCP_SYN, PACKET_IS_FRAGMENT | PACKET_LATER_FRAGMENT},
		{ETH_IP4 IP4_FRAG("0028", "4000", "06") TCP_SYN, PACKET_DONT_FRAGMENT | PACKET_HAS_L4},
		/* IPv6: first, later, last, atomic */
		{ETH_IP6 IP6("001c", "2c") "06000001 00001234 " TCP_SYN, PACKET_IS_FRAGMENT | PACKET_HAS_L4},
		{ETH_IP6 IP6("001c", "2c") "06000009 00001234 " TCP_SYN,
		 PACKET_IS_FRAGMENT | PACKET_LATER_FRAGMENT},
		{ETH_IP6 IP6("001c", "2c") "06000008 00001234 " TCP_SYN,
		 PACKET_IS_FRAGMENT | PACKET_LATER_FRAGMENT},
		{ETH_IP6 IP6("001c", "2c") "06000000 00001234 " TCP_SYN, PACKET_HAS_L4},
		/* A later fragment that says hop-by-hop: payload, not a header out of place */
		{ETH_IP6 IP6("001c", "2c") "00000009 00001234 " TCP_SYN,
		 PACKET_IS_FRAGMENT | PACKET_LATER_FRAGMENT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(fragments) / sizeof(*fragments); i++) {
		struct packet pkt = parse_text(fragments[i].text);

		assert_int_equal(packet_malformed(&pkt), MALFORMED_NONE);
		assert_int_equal(pkt.flags, fragments[i].flags);
		assert_int_equal(FROM_BE16(pkt.dst_port), pkt.flags & PACKET_HAS_L4 ? 80 : 0);
	}
}

/* The first fragment of a UDP datagram of 2000 bytes, of which 8 are here. */
static void test_udp_first_fragment(void **state)
{
	struct packet pkt = parse_text(ETH_IP4 IP4_FRAG("0024", "2000", "11") UDP("07d0") "0001020304050607");

	(void)state;
	assert_int_equal(packet_malformed(&pkt), MALFORMED_NONE);
	assert_int_equal(pkt.payload_bytes, 8);
}

/* UDP length 10 in an IP packet with room for 12. */
static void test_udp_shorter_than_ip(void **state)
{
	struct packet pkt = parse_text(ETH_IP4 IP4("0020", "11") UDP("000a") "61620000");

	(void)state;
	assert_int_equal(packet_malformed(&pkt), MALFORMED_NONE);
	assert_int_equal(pkt.payload_bytes, 2);
}

static void test_icmp(void **state)
{
	struct packet echo = parse_text(ETH_IP4 IP4("0020", "01") ICMP_ECHO "61626364");
	struct packet echo6 = parse_text(ETH_IP6 IP6("000a", "3a") ICMP6_ECHO "6162");
	struct packet foreign = parse_text(ETH_IP4 IP4("001c", "3a") ICMP6_ECHO);

	(void)state;
	assert_int_equal(echo.icmp_type, 8);
	assert_int_equal(echo.payload_bytes, 4);
	assert_int_equal(echo6.icmp_type, 128);
	assert_int_equal(echo6.payload_bytes, 2);
	assert_int_equal(foreign.flags & PACKET_HAS_L4, 0); /* ICMPv6 over IPv4 is not read */
}

/* Router alert: IHL 6. */
static void test_ip4_options(void **state)
{
	struct packet pkt =
		parse_text(ETH_IP4 "4600 002c 1234 0000 4006 0000 0a000102 0a000202 94040000 " TCP_SYN);
	struct frame frame;

	(void)state;
	assert_int_equal(packet_malformed(&pkt), MALFORMED_NONE);
	assert_int_equal(pkt.flags, PACKET_IP_OPTIONS | PACKET_HAS_L4);
	assert_int_equal(pkt.l4_off, 38);
	frame_from(&frame, ETH_IP4 "4600 002c 1234 0000 4006 0000 0a000102 0a000202 94040000 " TCP_SYN);
	frame.byte[37] ^= 1; /* the checksum covers the options */
	pkt = parse_cut(&frame, frame.bytes, frame.bytes, 0);
	assert_int_equal(pkt.malformed_l3, MALFORMED_IP4_CHECKSUM);
}

static void test_arp(void **state)
{
	struct packet pkt = parse_text(ETH_ARP ARP_BODY "000000000000000000000000000000000000");

	(void)state;
	assert_int_equal(packet_malformed(&pkt), MALFORMED_NONE);
	assert_int_equal(pkt.ip_version, 0);
	assert_memory_equal(pkt.src.byte, "\x0a\0\x01\x02", 4);
	assert_memory_equal(pkt.dst.byte, "\x0a\0\x01\x01", 4);
}

/* Each option with a wrong length is passed over, the others count (RFC 9293 §3.2, MUST-6). */
static void test_tcp_options_wrong_length(void **state)
{
	static const struct {
		const char *options; /* 12 bytes */
		uint8_t flags;
	} options[] = {
		{"020305 030307 0402 01010101", TCP_HAS_WINDOW_SCALE | TCP_HAS_SACK_PERMITTED},
		{"020405b4 03020402 01010101", TCP_HAS_MSS | TCP_HAS_SACK_PERMITTED},
		{"020405b4 040300 030307 0101", TCP_HAS_MSS | TCP_HAS_WINDOW_SCALE},
		{"0809 00000000000000 030307", TCP_HAS_WINDOW_SCALE},
		{"22021e02 0000000000000000", TCP_HAS_FAST_OPEN | TCP_HAS_MPTCP},
		{"00 020405b4 030307 01010101", 0}, /* nothing counts behind the end */
		{"010101010101010101010101", 0},
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		struct packet pkt;

		snprintf(text, sizeof(text), ETH_IP4 IP4("0034", "06") TCP_WITH("8", "02") "%s",
			 options[i].options);
		pkt = parse_text(text);
		assert_int_equal(packet_malformed(&pkt), MALFORMED_NONE);
		assert_int_equal(pkt.tcp_options.flags, options[i].flags);
	}
}

/* A shift of 255 counts as 14 (RFC 7323 §2.3). */
static void test_window_scale_limit(void **state)
{
	struct packet pkt = parse_text(ETH_IP4 IP4("002c", "06") TCP_WITH("6", "02") "0303ff01");

	(void)state;
	assert_int_equal(pkt.tcp_options.window_scale, 14);
}

/* The iterator and the scanner see the same options in any forty bytes. */
static void test_options_iterator_agrees_with_scan(void **state)
{
	unsigned int seed = 1;

	(void)state;
	for (int round = 0; round < 200000; round++) {
		struct tcp_options_scan scan = {};
		struct tcp_options it;
		struct tcp_option opt;
		uint32_t count = rand_r(&seed) % 41;
		uint8_t flags = 0;
		int more;

		scan.bytes = count;
		for (size_t i = 0; i < sizeof(scan.byte); i++)
			scan.byte[i] = rand_r(&seed) % 12;
		tcp_options_begin(&it, scan.byte, count, scan.byte + count);
		while ((more = tcp_options_next(&it, &opt)) > 0)
			if (opt.kind == TCP_OPT_MSS && opt.bytes == 4)
				flags |= TCP_HAS_MSS;
		for (uint32_t i = 0; !tcp_options_step(&scan, i); i++)
			;
		assert_int_equal(tcp_options_bad(&scan), more < 0);
		if (!more)
			assert_int_equal(scan.sum.flags & TCP_HAS_MSS, flags);
	}
}

static const char *const frames[] = {
	SYN_FRAME,
	ETH_ARP ARP_BODY,
	ETH_IP4 IP4("0020", "01") ICMP_ECHO "61626364",
	ETH_IP4 IP4("0020", "11") UDP("000c") "61626364",
	ETH_IP4 "4600 002c 1234 0000 4006 0000 0a000102 0a000202 94040000 " TCP_SYN,
	MACS "88a8 0064 8100 0005 8100 0006 86dd " IP6("001c", "2c") "06000001 00001234 " TCP_SYN,
	ETH_IP6 IP6("0024", "00") "3c000104 00000000 06000104 00000000 " TCP_SYN,
	ETH_IP6 IP6("002c", "33") "06040000 00000001 00000002 000000000000000000000000 " TCP_SYN,
	ETH_IP6 IP6("000a", "3a") ICMP6_ECHO "6162",
};

/*
 * Each frame cut at each length, at even and odd addresses: nothing beyond is read (the sanitizers look), and
 * what is cut before its upper-layer header ends is never well formed.
 */
static void test_every_truncation(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(frames) / sizeof(*frames); i++) {
		struct frame frame;
		struct packet whole;

		frame_from(&frame, frames[i]);
		whole = parse_cut(&frame, frame.bytes, frame.bytes, 0);
		assert_int_equal(packet_malformed(&whole), MALFORMED_NONE);
		for (size_t captured = 0; captured < frame.bytes; captured++) {
			for (int odd = 0; odd < 2; odd++) {
				struct packet cut = parse_cut(&frame, captured, frame.bytes, odd);
				struct packet shorter = parse_cut(&frame, captured, captured, odd);

				if (captured < whole.payload_off || !whole.payload_off)
					assert_int_not_equal(packet_malformed(&cut), MALFORMED_NONE);
				else
					assert_int_equal(packet_malformed(&cut), MALFORMED_NONE);
				/* On the wire, too, it is then shorter than its own lengths say. */
				assert_int_not_equal(packet_malformed(&shorter), MALFORMED_NONE);
			}
		}
	}
}

static void test_raw_ip(void **state)
{
	static const char *const packets[] = {"4500 0028 0000 0000 4006 64c8 0a000102 0a000202 " TCP_SYN,
					      IP6("0014", "06") TCP_SYN};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct frame frame;

		frame_hex(&frame, packets[i]);
		frame_fix_ip4(&frame, 0);
		if (i)
			frame_hex(&frame, packets[i]);
		for (size_t captured = 0; captured <= frame.bytes; captured++) {
			struct packet pkt = {};
			void *copy;
			const uint8_t *data = frame_exact(&frame, captured, captured & 1, &copy);

			parse_link(&pkt, LINK_RAW_IP, data, data + captured, frame.bytes);
			free(copy);
			assert_int_equal(packet_malformed(&pkt) == MALFORMED_NONE, captured == frame.bytes);
			if (captured == frame.bytes)
				assert_int_equal(FROM_BE16(pkt.dst_port), 80);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_malformed_and_its_neighbour),
		cmocka_unit_test(test_every_reason_has_a_case),
		cmocka_unit_test(test_malformed_variants),
		cmocka_unit_test(test_tcp_fields),
		cmocka_unit_test(test_vlan_stacks),
		cmocka_unit_test(test_ip6_chain),
		cmocka_unit_test(test_fragments),
		cmocka_unit_test(test_udp_first_fragment),
		cmocka_unit_test(test_udp_shorter_than_ip),
		cmocka_unit_test(test_icmp),
		cmocka_unit_test(test_ip4_options),
		cmocka_unit_test(test_arp),
		cmocka_unit_test(test_tcp_options_wrong_length),
		cmocka_unit_test(test_window_scale_limit),
		cmocka_unit_test(test_options_iterator_agrees_with_scan),
		cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_raw_ip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
