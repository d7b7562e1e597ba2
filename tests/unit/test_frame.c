// SPDX-License-Identifier: GPL-2.0-only
/* Frames built layer by layer, byte for byte what scapy builds from the same fields; and read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "net/frame.h"

/* Ether()/IP(id=7, flags='DF')/TCP(40000 > 80, 'S', seq=0x11223344, MSS 1460, SAckOK, Timestamp, NOP, WScale
 * 7) */
static const uint8_t syn4[] = "\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01\x08\x00\x45\x00"
			      "\x00\x3c\x00\x07\x40\x00\x40\x06\x23\xb2\x0a\x00\x01\x02\x0a\x00"
			      "\x02\x02\x9c\x40\x00\x50\x11\x22\x33\x44\x00\x00\x00\x00\xa0\x02"
			      "\xff\xff\x4c\x00\x00\x00\x02\x04\x05\xb4\x04\x02\x08\x0a\x01\x02"
			      "\x03\x04\x00\x00\x00\x00\x01\x03\x03\x07";

/* Ether()/IPv6(fl=0xabcde)/TCP(40000 > 8080, 'PA', Timestamp (5, 6), SAck 100-200 and 0xfffffff0-16)/19 bytes
 */
static const uint8_t data6[] = "\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01\x86\xdd\x60\x0a"
			       "\xbc\xde\x00\x47\x06\x40\xfd\x00\x00\x01\x00\x00\x00\x00\x00\x00"
			       "\x00\x00\x00\x00\x00\x02\xfd\x00\x00\x02\x00\x00\x00\x00\x00\x00"
			       "\x00\x00\x00\x00\x00\x02\x9c\x40\x1f\x90\x11\x22\x33\x45\x55\x66"
			       "\x77\x88\xd0\x18\x04\x00\xfd\x72\x00\x00\x01\x01\x08\x0a\x00\x00"
			       "\x00\x05\x00\x00\x00\x06\x01\x01\x05\x12\x00\x00\x00\x64\x00\x00"
			       "\x00\xc8\xff\xff\xff\xf0\x00\x00\x00\x10\x47\x45\x54\x20\x2f\x20"
			       "\x48\x54\x54\x50\x2f\x31\x2e\x31\x0d\x0a\x0d\x0a\x78";

#define TEXT "GET / HTTP/1.1\r\n\r\nx" /* an odd number of bytes: the checksum's last word is half */

/* The engine wants IP headers on a word boundary, as the kernel places them: Ethernet starts two bytes before
 * one. */
static struct packet parse(const uint8_t *frame, size_t bytes)
{
	static _Alignas(8) uint8_t aligned[FRAME_MAX_BYTES + 2];
	struct packet pkt = {};

	memcpy(aligned + 2, frame, bytes);
	parse_packet(&pkt, aligned + 2, aligned + 2 + bytes, (uint32_t)bytes);
	return pkt;
}

static struct frame_path path_of(int ip_version)
{
	struct frame_path path = {
		.local_mac = {2, 0, 0, 0, 0, 1},
		.next_mac = {2, 0, 0, 0, 0, 2},
		.ip_version = (uint8_t)ip_version,
		.local_port = htons(40000),
		.remote_port = htons(ip_version == 4 ? 80 : 8080),
		.flow_label = 0xabcde,
	};

	if (ip_version == 4) {
		inet_pton(AF_INET, "10.0.1.2", &path.local);
		inet_pton(AF_INET, "10.0.2.2", &path.remote);
	} else {
		inet_pton(AF_INET6, "fd00:1::2", &path.local);
		inet_pton(AF_INET6, "fd00:2::2", &path.remote);
	}
	return path;
}

static struct tcp_segment syn_segment(void)
{
	return (struct tcp_segment){
		.seq = 0x11223344,
		.flags = TCPHDR_SYN,
		.window = 65535,
		.options = TCP_HAS_MSS | TCP_HAS_SACK_PERMITTED | TCP_HAS_TIMESTAMPS | TCP_HAS_WINDOW_SCALE,
		.mss = 1460,
		.window_scale = 7,
		.ts_value = 0x01020304,
	};
}

static struct tcp_segment data_segment(void)
{
	return (struct tcp_segment){
		.seq = 0x11223345,
		.ack = 0x55667788,
		.flags = TCPHDR_PSH | TCPHDR_ACK,
		.window = 1024,
		.options = TCP_HAS_TIMESTAMPS,
		.ts_value = 5,
		.ts_echo = 6,
		.sack = {{100, 200}, {0xfffffff0u, 16}},
		.sack_count = 2,
		.data = (const uint8_t *)TEXT,
		.data_bytes = strlen(TEXT),
	};
}

/* Each layer is right as far as the frame goes: IPv4's length and checksum are those of the header alone at
 * first. */
static void test_ip4_by_layers(void **state)
{
	struct frame_path path = path_of(4);
	struct tcp_segment segment = syn_segment();
	struct packet pkt;
	struct frame frame;

	(void)state;
	frame_push_ethernet(&frame, &path);
	assert_int_equal(frame.bytes, 14);
	assert_memory_equal(frame.data, syn4, 14);
	frame_push_ip(&frame, &path, 7);
	assert_int_equal(frame.bytes, 34);
	pkt = parse(frame.data, frame.bytes);
	assert_int_equal(pkt.malformed_l3, MALFORMED_NONE);
	assert_int_equal(pkt.l3_bytes, 20);
	assert_int_equal(frame_push_tcp(&frame, &path, &segment), 0);
	assert_int_equal(frame.bytes, sizeof(syn4) - 1);
	assert_memory_equal(frame.data, syn4, sizeof(syn4) - 1);
}

static void test_ip6(void **state)
{
	struct frame_path path = path_of(6);
	struct tcp_segment segment = data_segment();
	struct frame frame;

	(void)state;
	assert_int_equal(frame_build(&frame, &path, 7, &segment), 0);
	assert_int_equal(frame.bytes, sizeof(data6) - 1);
	assert_memory_equal(frame.data, data6, sizeof(data6) - 1);
	assert_int_equal(frame_header_bytes(4), 40);
	assert_int_equal(frame_header_bytes(6), 60);
}

static void test_too_long(void **state)
{
	static const uint8_t data[FRAME_MAX_BYTES];
	struct frame_path path = path_of(4);
	struct tcp_segment segment = {.data = data, .data_bytes = FRAME_MAX_BYTES - 54};
	struct frame frame;

	(void)state;
	assert_int_equal(frame_build(&frame, &path, 7, &segment), 0);
	assert_int_equal(frame.bytes, FRAME_MAX_BYTES);
	segment.data_bytes++;
	assert_int_equal(frame_build(&frame, &path, 7, &segment), -EMSGSIZE);
}

/* What was written is what is read. */
static void test_read_back(void **state)
{
	struct tcp_segment segment, want = data_segment();
	struct packet pkt = parse(data6, sizeof(data6) - 1);

	(void)state;
	tcp_segment_read(&segment, &pkt, data6);
	assert_int_equal(segment.seq, want.seq);
	assert_int_equal(segment.ack, want.ack);
	assert_int_equal(segment.flags, want.flags);
	assert_int_equal(segment.window, want.window);
	assert_int_equal(segment.options, want.options);
	assert_int_equal(segment.ts_value, 5);
	assert_int_equal(segment.ts_echo, 6);
	assert_int_equal(segment.sack_count, 2);
	assert_int_equal(segment.sack[1].start, 0xfffffff0u);
	assert_int_equal(segment.sack[1].end, 16);
	assert_int_equal(segment.data_bytes, strlen(TEXT));
	assert_memory_equal(segment.data, TEXT, strlen(TEXT));

	pkt = parse(syn4, sizeof(syn4) - 1);
	tcp_segment_read(&segment, &pkt, syn4);
	assert_int_equal(segment.options, syn_segment().options);
	assert_int_equal(segment.mss, 1460);
	assert_int_equal(segment.window_scale, 7);
	assert_int_equal(segment.data_bytes, 0);
}

/* Options whose length does not fit their kind, and unknown ones, are passed over; those behind them are
 * read. */
static void test_odd_options(void **state)
{
	static const uint8_t options[40] = {
		TCP_OPT_MSS,
		4,
		5,
		180, /* right */
		TCP_OPT_MSS,
		3,
		9, /* too short */
		TCP_OPT_WINDOW_SCALE,
		4,
		1,
		2, /* too long */
		TCP_OPT_TIMESTAMPS,
		6,
		1,
		2,
		3,
		4, /* too short */
		TCP_OPT_SACK,
		9,
		1,
		2,
		3,
		4,
		5,
		6,
		7, /* no whole block */
		254,
		4,
		0,
		0, /* unknown */
		TCP_OPT_SACK_PERMITTED,
		2, /* right */
		TCP_OPT_END,
	};
	struct frame_path path = path_of(4);
	struct tcp_segment segment = syn_segment();
	struct packet pkt;
	struct frame frame;

	(void)state;
	segment.data = options; /* behind a bare header, which then is said to be longer */
	segment.data_bytes = sizeof(options);
	segment.options = 0;
	assert_int_equal(frame_build(&frame, &path, 7, &segment), 0);
	frame.data[frame.l4_off + 12] = 15 << 4;
	pkt = parse(frame.data, frame.bytes);
	assert_int_equal(pkt.malformed_l4, MALFORMED_NONE);
	tcp_segment_read(&segment, &pkt, frame.data);
	assert_int_equal(segment.options, TCP_HAS_MSS | TCP_HAS_SACK_PERMITTED);
	assert_int_equal(segment.mss, 1460);
	assert_int_equal(segment.sack_count, 0);
	assert_int_equal(segment.data_bytes, 0);
}

/* A sender on the same machine leaves the pseudo-header's sum; any other difference is damage. */
static void test_checksum_of_received(void **state)
{
	uint8_t frame[sizeof(syn4) - 1];
	struct packet pkt = parse(syn4, sizeof(syn4) - 1);
	uint16_t pseudo;

	(void)state;
	memcpy(frame, syn4, sizeof(frame));
	assert_int_equal(frame_tcp_checksum(&pkt, frame), FRAME_CHECKSUM_RIGHT);
	for (size_t i = 0; i < sizeof(frame) * 8; i++) {
		if (i / 8 < pkt.l4_off)
			continue;
		frame[i / 8] ^= 1 << i % 8;
		assert_int_equal(frame_tcp_checksum(&pkt, frame), FRAME_CHECKSUM_WRONG);
		frame[i / 8] ^= 1 << i % 8;
	}
	pseudo =
		checksum_fold(checksum_pseudo_header(4, &pkt.src, &pkt.dst, IPPROTO_TCP, sizeof(frame) - 34));
	memcpy(frame + 34 + 16, &pseudo, 2);
	assert_int_equal(frame_tcp_checksum(&pkt, frame), FRAME_CHECKSUM_PARTIAL);
	/* Padding behind the packet is not covered. */
	uint8_t padded[sizeof(frame) + 6] = {};

	memcpy(padded, syn4, sizeof(frame));
	memset(padded + sizeof(frame), 0xaa, 6);
	pkt = parse(padded, sizeof(padded));
	assert_int_equal(frame_tcp_checksum(&pkt, padded), FRAME_CHECKSUM_RIGHT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ip4_by_layers), cmocka_unit_test(test_ip6),
		cmocka_unit_test(test_too_long),      cmocka_unit_test(test_read_back),
		cmocka_unit_test(test_odd_options),   cmocka_unit_test(test_checksum_of_received),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
