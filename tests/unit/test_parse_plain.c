// SPDX-License-Identifier: GPL-2.0-only
/* The parser's short way: what it takes it reads as the parser proper does, and it takes what it is there for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "frame.h"
#include "xdplife/parse_plain.h"

#define MUTATIONS 20000 /* of each frame */
#define SEED      20261122
#define TCP_ACK   TCP_WITH("5", "10")
#define TCP_TIMES TCP_WITH("8", "18") "0101 080a 000003e8 000007d0 "

static const struct {
	const char *name, *text;
	int plain;
} frames[] = {
	{"IPv4 TCP", ETH_IP4 IP4("0028", "06") TCP_ACK, 1},
	{"IPv4 TCP with timestamps and data", ETH_IP4 IP4("0036", "06") TCP_TIMES "6869", 1},
	{"IPv4 UDP", ETH_IP4 IP4("001e", "11") UDP("000a") "6869", 1},
	{"IPv4 UDP, padded", ETH_IP4 IP4("001c", "11") UDP("0008") "000000000000", 1},
	{"IPv6 TCP", ETH_IP6 IP6("0014", "06") TCP_ACK, 1},
	{"IPv6 UDP", ETH_IP6 IP6("0008", "11") UDP("0008"), 1},
	{"a SYN: its options must be read", ETH_IP4 IP4("0028", "06") TCP_SYN, 0},
	{"a tag", MACS "8100 0007 0800" IP4("0028", "06") TCP_ACK, 0},
	{"IPv4 options", ETH_IP4 "4600 002c 1234 0000 4006 0000 0a000102 0a000202 94040000" TCP_ACK, 0},
	{"the first of two fragments", ETH_IP4 IP4_FRAG("0028", "2000", "06") TCP_ACK, 0},
	{"the second", ETH_IP4 IP4_FRAG("0028", "0010", "06") TCP_ACK, 0},
	{"ICMP", ETH_IP4 IP4("001c", "01") ICMP_ECHO, 0},
	{"IPv6 extension header", ETH_IP6 IP6("001c", "3c") "06000104 00000000" TCP_ACK, 0},
	{"IPv6 fragment", ETH_IP6 IP6("001c", "2c") "06000001 00000001" TCP_ACK, 0},
	{"ARP", ETH_ARP "0001 0800 06 04 0001 020000000001 0a000102 000000000000 0a000101", 0},
};

static int plain(struct packet *pkt, const uint8_t *data, size_t bytes, uint8_t ip_version)
{
	struct cursor cur = {.data = data, .pos = data, .end = data + bytes};

	memset(pkt, 0, sizeof(*pkt));
	return parse_plain_ip(&cur, pkt, bytes, ip_version) && parse_plain_l4(&cur, pkt);
}

/* At its very end, so that one byte too far is found (ASan). Return: whether it was taken. */
static int check(const char *name, const struct frame *frame)
{
	struct packet pkt, should = {};
	void *copy;
	const uint8_t *data = frame_exact(frame, frame->bytes, 0, &copy);
	int taken = plain(&pkt, data, frame->bytes, 4) || plain(&pkt, data, frame->bytes, 6);

	parse_packet(&should, data, data + frame->bytes, frame->bytes);
	free(copy);
	if (!taken)
		return 0;
	if (memcmp(&pkt, &should, sizeof(pkt)) != 0 || packet_malformed(&should))
		fail_msg("%s: not as the parser reads it", name);
	if (should.ip_proto == IPPROTO_TCP)
		assert_false(should.tcp_flags & TCPHDR_SYN);
	return 1;
}

static void what_is_plain(void **state)
{
	struct frame frame;

	(void)state;
	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		frame_from(&frame, frames[i].text);
		if (check(frames[i].name, &frame) != frames[i].plain)
			fail_msg("%s: %s", frames[i].name, frames[i].plain ? "not taken" : "taken");
	}
}

/* Up to three bytes changed, sometimes cut or made longer, and in half of them the checksum right all the same. */
static void mutate(struct frame *frame)
{
	for (long i = random() % 3; i >= 0; i--)
		frame->byte[random() % frame->bytes] ^= 1 << random() % 8;
	if (random() % 8 == 0)
		frame->bytes = 1 + random() % frame->bytes;
	else if (random() % 8 == 0)
		frame->bytes += random() % 8;
	if (random() % 2 && frame->bytes > ETH_HLEN)
		frame_fix_ip4(frame, ETH_HLEN);
}

static void mutated(void **state)
{
	long taken = 0;

	(void)state;
	srandom(SEED);
	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		for (int n = 0; n < MUTATIONS; n++) {
			struct frame frame = {0};

			frame_from(&frame, frames[i].text);
			mutate(&frame);
			taken += check(frames[i].name, &frame);
		}
	}
	assert_true(taken > MUTATIONS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_plain),
		cmocka_unit_test(mutated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
