// SPDX-License-Identifier: GPL-2.0-only
/* Dissections: the line, the layers, the fields, what is said of checksums; no byte beyond the captured ones
 * is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "frame.h"
#include "proto/explain.h"
#include "proto/proto.h"

/* 172.16.0.9:1095 → 172.16.0.1:23, SYN, MSS 1460; both checksums right. */
#define SAMPLE                                                                                               \
	"4510002C 24B20000 4006FDDF AC100009 AC100001 04470017 60C6DF90 00000000 60020200 F9460000 020405B4"

/* 10.0.1.2:40000 → 10.0.2.2:80, SYN, with the options of Linux, no payload. */
#define LINUX_SYN                                                                                            \
	ETH_IP4 IP4_FRAG("003c", "4000", "06")                                                               \
		TCP_WITH("a", "02") "020405b4 0402 080a 00000001 00000000 01 030307"

/* 10.0.2.2:80 → 10.0.1.2:40000, ACK 1001, seq 5001, SACK 1501-2001. */
#define SACK_ACK                                                                                             \
	ETH_IP4 "45000034 12340000 40060000 0a000202 0a000102 "                                              \
		"00509c40 00001389 000003e9 8010faf0 00000000 0101050a 000005dd 000007d1"

struct fixture {
	struct frame frame;
	struct dissection d;
	char line[LINE_BYTES];
};

static void explain(struct fixture *f, const char *text, enum link_kind link)
{
	if (link == LINK_ETHERNET)
		frame_from(&f->frame, text);
	else
		frame_hex(&f->frame, text);
	assert_int_equal(dissect(&f->d, f->frame.byte, f->frame.bytes, f->frame.bytes, link), 0);
	dissection_line(&f->d, NULL, f->line, sizeof(f->line));
}

static const struct field *field_of(const struct dissection *d, const char *layer, const char *filter)
{
	const struct layer *found = dissection_layer(d, layer);
	const struct field *field = found ? layer_field(found, filter) : NULL;

	if (!field)
		fail_msg("no %s in %s", filter, layer);
	return field;
}

struct line_case {
	const char *text;
	const char *line;
};

static void test_lines(void **state)
{
	static const struct line_case lines[] = {
		{ETH_ARP "0001 0800 06 04 0001 020000000001 0a000102 000000000000 0a000101",
		 "ARP who has 10.0.1.1? tell 10.0.1.2 (02:00:00:00:00:01)"},
		{ETH_ARP "0001 0800 06 04 0002 020000000001 0a000102 020000000002 0a000101",
		 "ARP 10.0.1.2 is at 02:00:00:00:00:01"},
		{ETH_ARP "0001 0800 06 04 0001 020000000001 0a000102 000000000000 0a000102",
		 "ARP announcement: 10.0.1.2 is at 02:00:00:00:00:01"},
		{ETH_IP4 IP4("0024", "11") UDP("0010") "6162636465666768",
		 "10.0.1.2:40000 → 10.0.2.2:53 UDP len 8 ttl 64"},
		{ETH_IP4 IP4("001c", "01") "0800f7fd00000002",
		 "10.0.1.2 → 10.0.2.2 ICMP echo request id 0 seq 2 ttl 64"},
		{ETH_IP4 IP4("0014", "2f"), "10.0.1.2 → 10.0.2.2 GRE ttl 64"},
		{ETH_IP4 IP4_FRAG("0018", "2001", "06") "00000000",
		 "10.0.1.2 → 10.0.2.2 fragment id 0x1234 offset 8 more follow TCP ttl 64"},
		{ETH_IP6 IP6("0014", "06") "9c400050 000003e8 00000000 5002faf0 00000000",
		 "[fd00:1::2]:40000 → [fd00:2::2]:80 TCP [SYN] seq 1000 win 64240 len 0 hlim 64 "
		 "(TCP checksum wrong, should be 0x1a71)"},
		{MACS "88a8 0064 8100 0005 88cc 0207",
		 "02:00:00:00:00:01 → 02:00:00:00:00:02 type 0x88cc len 24 vlan 100 vlan 5"},
		{MACS "8100 0005 0806 0001 0800 06 04 0001 020000000001 0a000102 000000000000 0a000101",
		 "vlan 5 ARP who has 10.0.1.1? tell 10.0.1.2 (02:00:00:00:00:01)"},
		/* unreachable, quoting 10.0.2.2:80 → 10.0.1.2:40000 */
		{ETH_IP4 IP4("0038", "01") "0303 0000 00000000 4500003c 00004000 40060000 0a000202 0a000102 "
					   "00509c40 00000000",
		 "10.0.1.2 → 10.0.2.2 ICMP destination unreachable: port unreachable "
		 "(about 10.0.2.2 → 10.0.1.2 TCP 80 → 40000) ttl 64 (ICMP checksum wrong, should be "
		 "0x8425)"},
		{ETH_IP4 IP4("0027", "06") TCP_SYN,
		 "10.0.1.2:40000 → 10.0.2.2:80 TCP [SYN] seq 1000 win 64240 ttl 64 "
		 "(TCP checksum wrong, should be 0xfd76) (malformed: ends inside the TCP header)"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		struct fixture f;

		explain(&f, lines[i].text, LINK_ETHERNET);
		assert_string_equal(f.line, lines[i].line);
		dissection_free(&f.d);
	}
}

static void test_tcp_line_absolute_and_relative(void **state)
{
	struct line_options relative = {.relative = true, .seq_base = 5000, .ack_base = 1000};
	struct fixture f;

	(void)state;
	explain(&f, SACK_ACK, LINK_ETHERNET);
	assert_non_null(
		strstr(f.line, "[ACK] seq 5001 ack 1001 win 64240 len 0 <nop, nop, sack 1501-2001> ttl 64"));
	dissection_line(&f.d, &relative, f.line, sizeof(f.line));
	assert_non_null(strstr(f.line, "[ACK] seq 1 ack 1 win 64240 len 0 <nop, nop, sack 501-1001> ttl 64"));
	dissection_free(&f.d);
	explain(&f, LINUX_SYN, LINK_ETHERNET);
	assert_non_null(strstr(
		f.line, "[SYN] seq 1000 win 64240 len 0 <mss 1460, sackOK, ts 1/0, nop, wscale 7> ttl 64"));
	dissection_free(&f.d);
}

/* Sequence numbers wrap. */
static void test_relative_numbers_wrap(void **state)
{
	struct line_options relative = {.relative = true, .seq_base = 0xfffffff0};
	struct fixture f;

	(void)state;
	explain(&f, LINUX_SYN, LINK_ETHERNET);
	dissection_line(&f.d, &relative, f.line, sizeof(f.line));
	assert_non_null(strstr(f.line, "[SYN] seq 1016 ")); /* 1000 + 16 */
	dissection_free(&f.d);
}

static void test_option_lines(void **state)
{
	static const struct line_case options[] = {
		{"02040218 01010101 01010101", "<mss 536, nop, nop, nop, nop, nop, nop, nop, nop>"},
		{"22060102 0304 01010101 0101", "<tfo 01020304, nop, nop, nop, nop, nop, nop>"},
		{"2202 1e0a 0081000000000000", "<tfo request, mptcp>"},
		{"020305 c803ff 00 0000000000", "<mss wrong length 3, kind 200, eol>"},
		{"c804ffff 00000000 00000000", "<kind 200, eol>"},
		{"00000000 00000000 00000000", "<eol>"},
		{"02ff05b4 01010101 01010101", "<broken>"},
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		struct fixture f;

		snprintf(text, sizeof(text), ETH_IP4 IP4("0034", "06") TCP_WITH("8", "02") "%s",
			 options[i].text);
		explain(&f, text, LINK_ETHERNET);
		if (!strstr(f.line, options[i].line))
			fail_msg("%s: no %s in %s", options[i].text, options[i].line, f.line);
		dissection_free(&f.d);
	}
}

static void test_sample_fields(void **state)
{
	struct fixture f;
	const struct field *field;

	(void)state;
	explain(&f, SAMPLE, LINK_RAW_IP);
	assert_int_equal(f.d.layer_count, 2);
	field = field_of(&f.d, "IPv4", "ip.dsfield");
	assert_int_equal(field->offset, 1);
	assert_int_equal(field->bits, 8);
	assert_int_equal(field->raw, 0x10);
	assert_string_equal(field->meaning, "precedence 0 (routine), minimise delay");
	field = field_of(&f.d, "IPv4", "ip.dsfield.dscp");
	assert_int_equal(field->raw, 4);
	field = field_of(&f.d, "IPv4", "ip.frag_offset");
	assert_int_equal(field->offset, 6);
	assert_int_equal(field->bit, 3);
	assert_int_equal(field->bits, 13);
	field = field_of(&f.d, "TCP", "tcp.options.mss_val");
	assert_int_equal(field->offset, 42);
	assert_int_equal(field->raw, 1460);
	assert_string_equal(field->source, "RFC 9293 §3.2");
	assert_int_equal(field_of(&f.d, "IPv4", "ip.checksum")->check, FIELD_CHECK_RIGHT);
	assert_int_equal(field_of(&f.d, "TCP", "tcp.checksum")->check, FIELD_CHECK_RIGHT);
	assert_string_equal(field_of(&f.d, "TCP", "tcp.checksum")->value, "0xf946");
	assert_null(dissection_layer(&f.d, "UDP"));
	dissection_free(&f.d);
}

struct check_case {
	const char *text;
	const char *layer, *filter;
	enum field_check check;
	const char *meaning;
};

static void test_checksums(void **state)
{
	static const struct check_case checks[] = {
		{ETH_IP4 IP4("0028", "06") "9c400050 000003e8 00000000 5002faf0 fd750000", "TCP",
		 "tcp.checksum", FIELD_CHECK_RIGHT, "right"},
		{ETH_IP4 IP4("0028", "06") "9c400050 000003e8 00000000 5002faf0 fd760000", "TCP",
		 "tcp.checksum", FIELD_CHECK_WRONG, "wrong, should be 0xfd75"},
		/* 0a00+0102+0a00+0202+0006+0014 = 171e */
		{ETH_IP4 IP4("0028", "06") "9c400050 000003e8 00000000 5002faf0 171e0000", "TCP",
		 "tcp.checksum", FIELD_CHECK_PARTIAL,
		 "the pseudo-header sum only (the sender's checksum offload; RFC 9293 §3.1)"},
		{ETH_IP4 IP4_FRAG("0028", "2000", "06") TCP_SYN, "TCP", "tcp.checksum",
		 FIELD_CHECK_UNVERIFIABLE, "not verifiable (fragment: it covers the whole datagram)"},
		{ETH_IP4 IP4("001c", "11") UDP("0008"), "UDP", "udp.checksum", FIELD_CHECK_ABSENT,
		 "none: the sender computed no checksum, which IPv4 allows"},
		{ETH_IP6 IP6("0008", "11") UDP("0008"), "UDP", "udp.checksum", FIELD_CHECK_WRONG,
		 "wrong: IPv6 demands a checksum (RFC 8200 §8.1)"},
		{ETH_IP4 IP4("001c", "11") "9c400035 0007 1234", "UDP", "udp.checksum",
		 FIELD_CHECK_UNVERIFIABLE, "not verifiable (the length is wrong)"},
		{ETH_IP4 IP4("001c", "11") "9c400035 0009 1234", "UDP", "udp.checksum",
		 FIELD_CHECK_UNVERIFIABLE, "not verifiable (the length goes beyond the packet)"},
		{ETH_IP4 IP4("001c", "01") "0800f7fd00000002", "ICMP", "icmp.checksum", FIELD_CHECK_RIGHT,
		 "right"},
		{ETH_IP4 IP4("001c", "01") "0800f7fe00000002", "ICMP", "icmp.checksum", FIELD_CHECK_WRONG,
		 "wrong, should be 0xf7fd"},
		{ETH_IP6 IP6("0008", "3a") "800085b200010001", "ICMPv6", "icmpv6.checksum", FIELD_CHECK_RIGHT,
		 "right"},
		{MACS "8100 0005 0800 4500 0014 1234 0000 40fd 50b5 0a000102 0a000202", "IPv4", "ip.checksum",
		 FIELD_CHECK_WRONG, "wrong, should be 0x50b6"},
		/* A routing header with a segment left: the sum covers fd00:3::2, its last address, not the
		   header's. */
		{ETH_IP6 IP6("0020",
			     "2b") "3a020001 00000000 fd000003000000000000000000000002 800085b100010001",
		 "ICMPv6", "icmpv6.checksum", FIELD_CHECK_RIGHT, "right"},
		/* The same with none left: the sum covers the header's destination. */
		{ETH_IP6 IP6("0020",
			     "2b") "3a020000 00000000 fd000003000000000000000000000002 800085b200010001",
		 "ICMPv6", "icmpv6.checksum", FIELD_CHECK_RIGHT, "right"},
		{ETH_IP6 IP6("0020",
			     "2b") "3a026301 00000000 fd000003000000000000000000000002 800085b200010001",
		 "ICMPv6", "icmpv6.checksum", FIELD_CHECK_UNVERIFIABLE,
		 "not verifiable (the final destination is not known)"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++) {
		struct fixture f;
		const struct field *field;

		explain(&f, checks[i].text, LINK_ETHERNET);
		field = field_of(&f.d, checks[i].layer, checks[i].filter);
		assert_string_equal(field->meaning, checks[i].meaning);
		assert_int_equal(field->check, checks[i].check);
		dissection_free(&f.d);
	}
}

/* UDP whose sum comes out as 0 is sent as ffff (RFC 768). */
static void test_udp_checksum_that_sums_up_to_zero(void **state)
{
	struct fixture f;

	(void)state;
	/* pseudo 0a00+0102+0a00+0202+0011+000a = 171f; 9c40+0035+000a = 9c7f; sum b39e; data 4c61 makes ffff
	 */
	explain(&f, ETH_IP4 IP4("001e", "11") "9c400035 000a ffff 4c61", LINK_ETHERNET);
	assert_int_equal(field_of(&f.d, "UDP", "udp.checksum")->check, FIELD_CHECK_RIGHT);
	dissection_free(&f.d);
}

/* Two bytes of the TCP payload were not captured: the checksum cannot be said, the rest can. */
static void test_truncated_capture(void **state)
{
	struct fixture f;

	(void)state;
	frame_from(&f.frame, ETH_IP4 IP4("002c", "06") TCP_WITH("5", "18") "61626364");
	assert_int_equal(dissect(&f.d, f.frame.byte, f.frame.bytes - 2, f.frame.bytes, LINK_ETHERNET), 0);
	assert_string_equal(field_of(&f.d, "TCP", "tcp.checksum")->meaning,
			    "not verifiable (truncated capture: not all bytes that it covers are here)");
	dissection_line(&f.d, NULL, f.line, sizeof(f.line));
	assert_non_null(strstr(f.line, "len 4"));
	assert_int_equal(f.d.layers[f.d.layer_count - 1].bytes, 2);
	dissection_free(&f.d);
}

static void test_http(void **state)
{
	struct fixture f;
	const struct layer *http;

	(void)state;
	/* "GET /a HTTP/1.0\r\nHost: s\r\n\r\nbody", with a data offset of 5 */
	explain(&f,
		ETH_IP4 IP4("0049", "06") TCP_WITH(
			"5", "18") "474554202f6120485454502f312e300d0a 486f73743a20730d0a 0d0a 626f6479 0a",
		LINK_ETHERNET);
	http = dissection_layer(&f.d, "HTTP");
	assert_non_null(http);
	assert_string_equal(layer_field(http, "http.request.method")->value, "GET");
	assert_string_equal(layer_field(http, "http.request.uri")->value, "/a");
	assert_string_equal(layer_field(http, "http.request.version")->value, "HTTP/1.0");
	assert_string_equal(http->fields[3].name, "Host");
	assert_string_equal(http->fields[3].value, "s");
	assert_int_equal(http->bytes, 28);
	assert_non_null(strstr(f.line, "HTTP \"GET /a HTTP/1.0\""));
	assert_string_equal(layer_name(http + 1), "Data");
	dissection_free(&f.d);
}

/* No layer overlaps another, and together they cover every captured byte. */
static void assert_covered(const struct dissection *d, size_t captured)
{
	size_t at = 0;

	for (size_t i = 0; i < d->layer_count; i++) {
		assert_int_equal(d->layers[i].offset, at);
		at += d->layers[i].bytes;
		for (size_t j = 0; j < d->layers[i].field_count; j++) {
			const struct field *field = &d->layers[i].fields[j];

			assert_true(field->offset + (field->bit + field->bits + 7) / 8 <= captured);
			assert_non_null(field->value);
			assert_non_null(field->meaning);
		}
	}
	assert_true(at <= captured);
}

static const char *const frames[] = {
	LINUX_SYN,
	SACK_ACK,
	ETH_ARP "0001 0800 06 04 0001 020000000001 0a000102 000000000000 0a000101 0000",
	ETH_ARP "0006 0800 08 10 0001",
	ETH_IP4 IP4("0020", "01") ICMP_ECHO "61626364",
	ETH_IP4 IP4("0038",
		    "01") "0303 0000 00000000 4500003c 00004000 40060000 0a000202 0a000102 00509c40 00000000",
	ETH_IP4 "46000030 12340000 40060000 0a000102 0a000202 07040400 " TCP_SYN "47455420",
	ETH_IP4 "4f000028 12340000 40060000 0a000102 0a000202 07ff0400 " TCP_SYN "47455420",
	MACS "88a8 0064 8100 0005 8100 0006 8100 0007 8100 0008 86dd " IP6("001c",
									   "2c") "06000001 00001234 " TCP_SYN,
	ETH_IP6 IP6("0024", "00") "3c000502 00000100 06000104 00000000 " TCP_SYN,
	ETH_IP6 IP6("002c", "33") "06040000 00000001 00000002 000000000000000000000000 " TCP_SYN,
	ETH_IP6 IP6("0020", "2b") "3a020001 00000000 fd000003000000000000000000000002 800085b100010001",
	ETH_IP6 IP6("0020", "3a") "87000000 00000000 fd000001000000000000000000000001 0101020000000001",
	ETH_IP6 IP6("0038", "3a") "86000000 40c00708 00000000 00000000 03044040 00000e10 00000e10 00000000 "
				  "fd000001000000000000000000000000 0501000000000500",
	ETH_IP4 IP4("0049", "06")
		TCP_WITH("5", "18") "474554202f6120485454502f312e300d0a 486f73743a20730d0a 0d0a 626f6479 0a",
	ETH_IP4 IP4("0034", "06") TCP_WITH("8", "12") "1e0c 0081 0000000000000000",
	SAMPLE,
};

/* Every frame, cut at each length, at an even and an odd address, read as either link type, through every
 * output. */
static void test_every_truncation(void **state)
{
	FILE *null = fopen("/dev/null", "w");
	char line[LINE_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(frames) / sizeof(*frames); i++) {
		struct frame frame;

		frame_from(&frame, frames[i]);
		for (size_t captured = 0; captured <= frame.bytes; captured++) {
			for (int mode = 0; mode < 4; mode++) {
				struct dissection d;
				void *copy;
				const uint8_t *data = frame_exact(&frame, captured, mode & 1, &copy);
				json_t *json;

				assert_int_equal(dissect(&d, data, captured, frame.bytes,
							 mode & 2 ? LINK_RAW_IP : LINK_ETHERNET),
						 0);
				assert_covered(&d, captured);
				dissection_line(&d, NULL, line, sizeof(line));
				json = dissection_json(&d);
				assert_non_null(json);
				json_decref(json);
				explain_packet(null, &d, 100);
				dissection_free(&d);
				free(copy);
			}
		}
	}
	fclose(null);
}

/* Every byte of every frame with every bit flipped: headers that lie about their lengths. */
static void test_every_bit_flipped(void **state)
{
	char line[LINE_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(frames) / sizeof(*frames); i++) {
		struct frame frame;

		frame_from(&frame, frames[i]);
		for (size_t bit = 0; bit < frame.bytes * 8; bit++) {
			struct dissection d;
			void *copy;
			const uint8_t *data;

			frame.byte[bit / 8] ^= 1 << bit % 8;
			data = frame_exact(&frame, frame.bytes, 0, &copy);
			assert_int_equal(dissect(&d, data, frame.bytes, frame.bytes, LINK_ETHERNET), 0);
			assert_covered(&d, frame.bytes);
			dissection_line(&d, NULL, line, sizeof(line));
			json_decref(dissection_json(&d));
			dissection_free(&d);
			free(copy);
			frame.byte[bit / 8] ^= 1 << bit % 8;
		}
	}
}

/* A line that does not fit is cut between characters and terminated; "→" is three bytes. */
static void test_line_is_cut_between_characters(void **state)
{
	static const char line[] = "172.16.0.9:1095 → 172.16.0.1:23";
	struct fixture f;

	(void)state;
	explain(&f, SAMPLE, LINK_RAW_IP);
	for (size_t room = 1; room < 30; room++) {
		size_t length;

		memset(f.line, 'x', sizeof(f.line));
		dissection_line(&f.d, NULL, f.line, room);
		length = strlen(f.line);
		assert_true(length < room);
		assert_memory_equal(f.line, line, length);
		assert_true(length == strlen(line) || (line[length] & 0xc0) != 0x80);
	}
	dissection_free(&f.d);
}

static void test_deep_stack_ends_as_data(void **state)
{
	struct fixture f;
	size_t at;

	(void)state;
	frame_hex(&f.frame, MACS);
	at = f.frame.bytes;
	for (int i = 0; i < 200; i++, at += 4)
		memcpy(f.frame.byte + at, "\x81\x00\x00\x05", 4);
	assert_int_equal(dissect(&f.d, f.frame.byte, at, at, LINK_ETHERNET), 0);
	assert_covered(&f.d, at);
	assert_true(f.d.layer_count <= DISSECT_MAX_LAYERS);
	assert_string_equal(layer_name(&f.d.layers[f.d.layer_count - 1]), "Data");
	assert_int_equal(f.d.packet.malformed_l3, MALFORMED_VLAN_DEPTH);
	dissection_free(&f.d);
}

static void test_guess(void **state)
{
	static const struct {
		const char *text;
		enum link_kind link;
	} guesses[] = {
		{SAMPLE, LINK_RAW_IP},
		{LINUX_SYN, LINK_ETHERNET},
		{IP6("0004", "3b") "00000000", LINK_RAW_IP},
		{ETH_IP6 IP6("0000", "3b"), LINK_ETHERNET},
		{ETH_ARP "0001", LINK_ETHERNET},
		{MACS "88cc", LINK_ETHERNET},
		{"45", LINK_RAW_IP}, /* nothing but the version speaks */
		{"ff", LINK_ETHERNET},
		/* A destination MAC that begins with 45 and is no IPv4 header */
		{"450000000002 020000000001 0800 4500", LINK_ETHERNET},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(guesses) / sizeof(*guesses); i++) {
		struct frame frame;
		const char *why = NULL;

		frame_from(&frame, guesses[i].text);
		if (dissect_guess(frame.byte, frame.bytes, &why) != guesses[i].link)
			fail_msg("%s: guessed wrong: %s", guesses[i].text, why);
		assert_non_null(why);
	}
}

static void test_grid_names(void **state)
{
	static const struct {
		uint32_t offset;
		const char *name;
	} names[] = {{0, "A1"}, {15, "P1"}, {16, "A2"}, {42, "K3"}, {65535, "P4096"}};
	char name[GRID_NAME_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		grid_name(name, names[i].offset);
		assert_string_equal(name, names[i].name);
	}
}

static void test_layer_print(void **state)
{
	struct fixture f;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	explain(&f, MACS "88cc", LINK_ETHERNET);
	layer_print(out, &f.d.layers[0]);
	fclose(out);
	assert_string_equal(text,
			    "Ethernet, 14 bytes: 02:00:00:00:00:01 → 02:00:00:00:00:02\n"
			    "  destination = 02:00:00:00:00:02  (one station, address assigned locally)\n"
			    "  source      = 02:00:00:00:00:01  (one station, address assigned locally)\n"
			    "  type        = 0x88cc  (what follows: LLDP)\n");
	free(text);
	dissection_free(&f.d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_tcp_line_absolute_and_relative),
		cmocka_unit_test(test_relative_numbers_wrap),
		cmocka_unit_test(test_option_lines),
		cmocka_unit_test(test_sample_fields),
		cmocka_unit_test(test_checksums),
		cmocka_unit_test(test_udp_checksum_that_sums_up_to_zero),
		cmocka_unit_test(test_truncated_capture),
		cmocka_unit_test(test_http),
		cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_every_bit_flipped),
		cmocka_unit_test(test_line_is_cut_between_characters),
		cmocka_unit_test(test_deep_stack_ends_as_data),
		cmocka_unit_test(test_guess),
		cmocka_unit_test(test_grid_names),
		cmocka_unit_test(test_layer_print),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
