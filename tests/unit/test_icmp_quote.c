// SPDX-License-Identifier: GPL-2.0-only
/* What an ICMP error quotes: which errors count, IPv4 and IPv6, options in the quoted header, eight bytes and fewer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "frame.h"
#include "xdplife/flow.h"
#include "xdplife/icmp_quote.h"

/* From a router, 10.0.2.1, to 10.0.1.2; the checksum is filled in. */
#define ERROR4(total, type, code)                                                                            \
	MACS "0800 4500 " total " 0001 0000 4001 0000 0a000201 0a000102 " type code " 0000 00000000 "
/* What it quotes: 10.0.1.2 → 10.0.2.2, with the checksum and the length that a NAT or a broken router may leave */
#define QUOTED4(start, proto) start " ffff 1234 0000 01" proto " dead 0a000102 0a000202 "
/* The first eight bytes: 40000 → 80, sequence 1000 */
#define START "9c400050 000003e8 "

#define ERROR6(payload, type, code)                                                                          \
	MACS "86dd 60000000 " payload " 3a40 fd000002000000000000000000000001 "                              \
	     "fd000001000000000000000000000002 " type code " 0000 00000000 "

struct quote_case {
	const char *what, *text;
	int fails, quotes; /* is_icmp_failure(), parse_icmp_quote() */
};

static const struct quote_case cases[] = {
	{"host unreachable", ERROR4("0038", "03", "01") QUOTED4("4500", "06") START, 1, 1},
	{"port unreachable", ERROR4("0038", "03", "03") QUOTED4("4500", "06") START, 1, 1},
	{"administratively prohibited", ERROR4("0038", "03", "0d") QUOTED4("4500", "06") START, 1, 1},
	{"time exceeded", ERROR4("0038", "0b", "00") QUOTED4("4500", "06") START, 1, 1},
	{"parameter problem", ERROR4("0038", "0c", "00") QUOTED4("4500", "06") START, 1, 1},
	{"fragmentation needed", ERROR4("0038", "03", "04") QUOTED4("4500", "06") START, 0, 0},
	{"redirect", ERROR4("0038", "05", "00") QUOTED4("4500", "06") START, 0, 0},
	{"echo", ERROR4("0038", "08", "00") QUOTED4("4500", "06") START, 0, 0},
	{"quoted IP options", ERROR4("003c", "03", "01") QUOTED4("4600", "06") "94040000 " START, 1, 1},
	{"quotes UDP", ERROR4("0038", "03", "03") QUOTED4("4500", "11") START, 1, 0},
	{"quotes IHL 4", ERROR4("0038", "03", "01") QUOTED4("4400", "06") START, 1, 0},
	{"quotes version 6", ERROR4("0038", "03", "01") QUOTED4("6500", "06") START, 1, 0},
	{"quotes seven bytes", ERROR4("0037", "03", "01") QUOTED4("4500", "06") "9c400050 000003", 1, 0},
	{"quotes nothing", ERROR4("001c", "03", "01"), 1, 0},
	{"address unreachable", ERROR6("0038", "01", "03") IP6("0014", "06") START, 1, 1},
	{"hop limit exceeded", ERROR6("0038", "03", "00") IP6("0014", "06") START, 1, 1},
	{"unknown next header", ERROR6("0038", "04", "01") IP6("0014", "06") START, 1, 1},
	{"packet too big", ERROR6("0038", "02", "00") IP6("0014", "06") START, 0, 0},
	{"neighbour solicitation", ERROR6("0038", "87", "00") IP6("0014", "06") START, 0, 0},
	{"quotes destination options", ERROR6("0040", "01", "03") IP6("001c", "3c") "0600010400000000 " START,
	 1, 0},
	{"quotes IPv4 over ICMPv6", ERROR6("0024", "01", "03") QUOTED4("4500", "06") START, 1, 0},
};

static int quote_of(const struct frame *frame, size_t captured, struct packet *quoted, int *fails)
{
	struct packet pkt = {};
	void *copy;
	const uint8_t *data = frame_exact(frame, captured, captured & 1, &copy);
	int found;

	memset(quoted, 0, sizeof(*quoted));
	parse_packet(&pkt, data, data + captured, frame->bytes);
	*fails = is_icmp_failure(&pkt);
	found = *fails && parse_icmp_quote(quoted, &pkt, data, data + captured);
	free(copy);
	return found;
}

/* The key of the quoted segment is the connection's: that of the SYN itself. */
static void expect_key_of_syn(const struct packet *quoted)
{
	struct packet syn = {};
	struct flow_key key, of_syn;
	struct frame frame;

	frame_from(&frame, quoted->ip_version == 4 ? ETH_IP4 IP4("0028", "06") TCP_SYN
						   : ETH_IP6 IP6("0014", "06") TCP_SYN);
	parse_packet(&syn, frame.byte, frame.byte + frame.bytes, frame.bytes);
	assert_int_equal(flow_key_of(&key, quoted), flow_key_of(&of_syn, &syn));
	assert_memory_equal(&key, &of_syn, sizeof(key));
	assert_int_equal(quoted->tcp_seq, syn.tcp_seq);
}

static void test_quotes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct packet quoted;
		struct frame frame;
		int fails, quotes;

		frame_from(&frame, cases[i].text);
		quotes = quote_of(&frame, frame.bytes, &quoted, &fails);
		if (fails != cases[i].fails || quotes != cases[i].quotes)
			fail_msg("%s: fails %d, quotes %d", cases[i].what, fails, quotes);
		if (quotes)
			expect_key_of_syn(&quoted);
	}
}

/* A quote that is cut short anywhere is none. */
static void test_truncations(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct packet quoted;
		struct frame frame;
		int fails;

		frame_from(&frame, cases[i].text);
		for (size_t cut = 0; cut < frame.bytes; cut++)
			assert_false(quote_of(&frame, cut, &quoted, &fails));
	}
}

/* The error is in the VLAN of the connection. */
static void test_vlan(void **state)
{
	struct packet quoted;
	struct flow_key key;
	struct frame frame;
	int fails;

	(void)state;
	frame_hex(
		&frame, MACS
		"8100 0005 0800 4500 0038 0001 0000 4001 62bb 0a000201 0a000102 0301 0000 00000000 " QUOTED4(
			"4500", "06") START);
	frame_fix_ip4(&frame, 18);
	assert_true(quote_of(&frame, frame.bytes, &quoted, &fails));
	flow_key_of(&key, &quoted);
	assert_int_equal(key.vid[0], 5);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quotes),
		cmocka_unit_test(test_truncations),
		cmocka_unit_test(test_vlan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
