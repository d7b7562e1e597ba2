// SPDX-License-Identifier: GPL-2.0-only
/* What the events say in words: durations, endpoints, and the detail beside each kind of event. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "out/story.h"

#define MS 1000000ull
#define S  (1000 * MS)

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static void test_duration(void **state)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} cases[] = {
		{0, "0.000 µs"},
		{7, "0.007 µs"},
		{1234, "1.234 µs"},
		{87500, "87.50 µs"},
		{999949, "999.9 µs"},
		{999950, "1.000 ms"}, /* not "1000.0 µs" */
		{9999499, "9.999 ms"},
		{9999500, "10.00 ms"}, /* not "10.000 ms" */
		{12345678, "12.35 ms"},
		{999949999, "999.9 ms"},
		{999950000, "1.000 s"},
		{7050 * MS, "7.050 s"},
		{61 * S, "61.00 s"},
		{3600 * S, "3600 s"},
		{UINT64_MAX, "18446744074 s"},
	};
	char text[32];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		story_duration(text, sizeof(text), cases[i].ns);
		assert_string_equal(text, cases[i].text);
	}
}

static void test_elapsed(void **state)
{
	(void)state;
	assert_int_equal(story_elapsed_ns(5, 12), 7);
	assert_int_equal(story_elapsed_ns(0, 12), 0);
	assert_int_equal(story_elapsed_ns(12, 5), 0);
}

static void test_endpoint(void **state)
{
	char text[STORY_ENDPOINT_BYTES];
	union ip_addr addr = {};

	(void)state;
	inet_pton(AF_INET, "10.0.1.2", &addr);
	story_endpoint(text, sizeof(text), &addr, TO_BE16(40000), 4);
	assert_string_equal(text, "10.0.1.2:40000");
	inet_pton(AF_INET6, "fd00:1::2", &addr);
	story_endpoint(text, sizeof(text), &addr, TO_BE16(80), 6);
	assert_string_equal(text, "[fd00:1::2]:80");
	/* the longest that there is fits */
	memset(&addr, 0xff, sizeof(addr));
	story_endpoint(text, sizeof(text), &addr, TO_BE16(65535), 6);
	assert_string_equal(text, "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
}

/* Client is end 0 and has sent this segment. */
static struct trace_event event_of_client(void)
{
	struct trace_event event = {.sender = 0};

	event.conn.client = 0;
	event.conn.closer = TCP_END_UNKNOWN;
	return event;
}

static void expect(const struct trace_event *event, enum tcp_event_index index, const char *text)
{
	char detail[STORY_DETAIL_BYTES];

	story_detail(detail, sizeof(detail), event, index);
	assert_string_equal(detail, text);
}

static void test_from_client(void **state)
{
	struct trace_event event = event_of_client();

	(void)state;
	assert_true(story_from_client(&event));
	event.sender = 1;
	assert_false(story_from_client(&event));
	event.conn.client = 1;
	assert_true(story_from_client(&event));
	event.sender = 0;
	event.conn.client = TCP_END_UNKNOWN;
	assert_true(story_from_client(&event));
}

static void test_syn(void **state)
{
	struct trace_event event = event_of_client();
	struct tcp_options_summary *options = &event.pkt.tcp_options;

	(void)state;
	expect(&event, TCP_EVENT_INDEX_SYN, "");
	options->flags = TCP_HAS_SACK_PERMITTED;
	expect(&event, TCP_EVENT_INDEX_SYN, "sack");
	*options = (struct tcp_options_summary){.mss = 1460, .window_scale = 7, .flags = 0x3f};
	expect(&event, TCP_EVENT_INDEX_SYN, "mss 1460, wscale 7, sack, ts, fast open, mptcp");
}

static void test_answers(void **state)
{
	struct trace_event event = event_of_client();

	(void)state;
	event.conn.syn_first_ns = 1 * S;
	event.conn.syn_last_ns = 2 * S;
	event.time_ns = 2 * S + 12 * MS;
	expect(&event, TCP_EVENT_INDEX_SYN_RETRANSMIT, "1.012 s after the first SYN");
	expect(&event, TCP_EVENT_INDEX_SYNACK, "12.00 ms after SYN");
	expect(&event, TCP_EVENT_INDEX_REFUSED, "12.00 ms after SYN");
	/* where the SYN was not seen, nothing is made up */
	event.conn.syn_first_ns = event.conn.syn_last_ns = 0;
	expect(&event, TCP_EVENT_INDEX_SYNACK, "");
}

static void test_handshake(void **state)
{
	struct trace_event event = event_of_client();
	struct tcp_track *conn = &event.conn;

	(void)state;
	conn->syn_first_ns = conn->syn_last_ns = 10 * S;
	conn->synack_first_ns = conn->synack_last_ns = 10 * S + 12 * MS;
	conn->established_ns = 10 * S + 42 * MS;
	expect(&event, TCP_EVENT_INDEX_ESTABLISHED,
	       "handshake 42.00 ms: server 12.00 ms (SYN to SYN-ACK), client 30.00 ms (SYN-ACK to ACK)");
}

static void test_handshake_ambiguous(void **state)
{
	struct trace_event event = event_of_client();
	struct tcp_track *conn = &event.conn;

	(void)state;
	conn->flags = TCP_TRACK_AMBIGUOUS;
	conn->syn_first_ns = 1 * S;
	conn->syn_last_ns = 8 * S;
	conn->synack_first_ns = 8 * S + 20 * MS;
	conn->synack_last_ns = 9 * S;
	conn->established_ns = 9 * S + 30 * MS;
	expect(&event, TCP_EVENT_INDEX_ESTABLISHED,
	       "handshake 8.030 s: server 20.00 ms to 7.020 s (SYN to SYN-ACK), "
	       "client 30.00 ms to 1.010 s (SYN-ACK to ACK); "
	       "ambiguous: SYN or SYN-ACK was sent again or overtaken");
}

static void test_handshake_without_syn(void **state)
{
	struct trace_event event = event_of_client();

	(void)state;
	event.conn.synack_first_ns = event.conn.synack_last_ns = 1 * S;
	event.conn.established_ns = 1 * S + 7 * MS;
	expect(&event, TCP_EVENT_INDEX_ESTABLISHED, "its SYN was not seen: client 7.000 ms (SYN-ACK to ACK)");
}

static void test_ending(void **state)
{
	struct trace_event event = event_of_client();
	struct tcp_track *conn = &event.conn;

	(void)state;
	conn->closer = 1;
	conn->first_ns = 1 * S;
	conn->last_ns = 3 * S;
	conn->side[0].packets = 5;
	conn->side[0].bytes = 78;
	conn->side[1].packets = 4;
	conn->side[1].bytes = 12345;
	expect(&event, TCP_EVENT_INDEX_CLOSED,
	       "by the server after 2.000 s; → 5 packets 78 bytes, ← 4 packets 12345 bytes");
	conn->client = 1;
	expect(&event, TCP_EVENT_INDEX_RESET,
	       "by the client after 2.000 s; → 4 packets 12345 bytes, ← 5 packets 78 bytes");
	conn->client = TCP_END_UNKNOWN;
	expect(&event, TCP_EVENT_INDEX_CLOSED,
	       "by one end (who opened it is unknown) after 2.000 s; "
	       "→ 5 packets 78 bytes, ← 4 packets 12345 bytes");
}

static void test_fin(void **state)
{
	struct trace_event event = event_of_client();

	(void)state;
	event.conn.closer = 0;
	expect(&event, TCP_EVENT_INDEX_FIN, "the client closes first");
	event.sender = 1;
	expect(&event, TCP_EVENT_INDEX_FIN, "the server closes too");
}

static void test_ignored_rst(void **state)
{
	struct trace_event event = event_of_client();
	struct tcp_track *conn = &event.conn;

	(void)state;
	/* to a SYN */
	event.sender = 1;
	conn->phase = TCP_PHASE_OPENING;
	conn->side[0].isn = 1000;
	event.pkt.tcp_flags = TCPHDR_RST | TCPHDR_ACK;
	event.pkt.tcp_ack = 1000;
	expect(&event, TCP_EVENT_INDEX_RST_IGNORED, "acknowledges 1000, needs 1001");
	event.pkt.tcp_flags = TCPHDR_RST;
	expect(&event, TCP_EVENT_INDEX_RST_IGNORED, "acknowledges nothing, needs 1001");
	/* to an open connection: what the receiver has acknowledged, else what was sent */
	conn->phase = TCP_PHASE_ESTABLISHED;
	event.pkt.tcp_seq = 77;
	conn->side[1].next = 5001;
	expect(&event, TCP_EVENT_INDEX_RST_IGNORED, "its sequence number is 77, needs 5001");
	conn->side[0].flags = TCP_SIDE_ACKED;
	conn->side[0].acked = 4001;
	expect(&event, TCP_EVENT_INDEX_RST_IGNORED, "its sequence number is 77, needs 4001");
}

static void test_ignored_segments(void **state)
{
	struct trace_event event = event_of_client();
	struct tcp_track *conn = &event.conn;

	(void)state;
	conn->phase = TCP_PHASE_ESTABLISHED;
	event.pkt.tcp_seq = 1500;
	event.pkt.payload_bytes = 100;
	expect(&event, TCP_EVENT_INDEX_OUT_OF_WINDOW, "seq 1500, 100 bytes");
	/* relative to the ISN, where that is known */
	conn->side[0].flags = TCP_SIDE_SYN;
	conn->side[0].isn = 1000;
	expect(&event, TCP_EVENT_INDEX_RETRANSMIT, "seq 500, 100 bytes");
	expect(&event, TCP_EVENT_INDEX_SYN_IGNORED,
	       "seq 1500; a new connection if it is answered by SYN-ACK");
	expect(&event, TCP_EVENT_INDEX_ACK_IGNORED, "no ACK flag");
	event.pkt.tcp_flags = TCPHDR_ACK;
	event.pkt.tcp_ack = 9000;
	conn->side[1].next = 5001;
	expect(&event, TCP_EVENT_INDEX_ACK_IGNORED, "acknowledges 9000, sent was up to 5001");
	conn->phase = TCP_PHASE_OPENING;
	conn->side[1].isn = 5000;
	expect(&event, TCP_EVENT_INDEX_ACK_IGNORED,
	       "acknowledges 9000, needs 5001: the answer to another connection?");
}

/* No detail outgrows its place, and none is left unwritten. */
static void test_every_event_fits(void **state)
{
	struct trace_event event;
	char detail[STORY_DETAIL_BYTES + 1];

	(void)state;
	memset(&event, 0xff, sizeof(event));
	event.conn.syn_first_ns = 1;
	event.sender = 1;
	for (int i = 0; i <= TCP_EVENT_COUNT; i++) {
		memset(detail, 'x', sizeof(detail));
		story_detail(detail, STORY_DETAIL_BYTES, &event, i);
		assert_true(strlen(detail) < STORY_DETAIL_BYTES - 1);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_duration),
		cmocka_unit_test(test_elapsed),
		cmocka_unit_test(test_endpoint),
		cmocka_unit_test(test_from_client),
		cmocka_unit_test(test_syn),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_handshake),
		cmocka_unit_test(test_handshake_ambiguous),
		cmocka_unit_test(test_handshake_without_syn),
		cmocka_unit_test(test_ending),
		cmocka_unit_test(test_fin),
		cmocka_unit_test(test_ignored_rst),
		cmocka_unit_test(test_ignored_segments),
		cmocka_unit_test(test_every_event_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
