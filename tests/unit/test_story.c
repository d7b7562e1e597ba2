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
	expect(&event, TCP_EVENT_INDEX_SYN, "mss 1460, wscale 7, sack, ts, fast open cookie request, mptcp");
	options->flags = TCP_HAS_FAST_OPEN | TCP_HAS_COOKIE | TCP_HAS_OTHER;
	expect(&event, TCP_EVENT_INDEX_SYN, "fast open cookie, an unknown option");
	/* ECN: RFC 3168 §6.1.1, RFC 9768 §3.1.1 */
	options->flags = TCP_HAS_MSS;
	event.pkt.tcp_flags = TCPHDR_SYN | TCPHDR_ECE | TCPHDR_CWR;
	expect(&event, TCP_EVENT_INDEX_SYN, "mss 1460, ecn");
	event.pkt.flags = PACKET_TCP_AE;
	expect(&event, TCP_EVENT_INDEX_SYN, "mss 1460, accecn");
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
	event.pkt.tcp_options = (struct tcp_options_summary){.mss = 1400, .flags = TCP_HAS_MSS};
	expect(&event, TCP_EVENT_INDEX_SYNACK, "12.00 ms after SYN; mss 1400");
	event.pkt.tcp_options.flags = 0;
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
	conn->resetter = 1;
	conn->closer = 0; /* by its FIN */
	expect(&event, TCP_EVENT_INDEX_RESET,
	       "by the client after 2.000 s; → 4 packets 12345 bytes, ← 5 packets 78 bytes");
	/* who opened it is unknown: the end with the larger port is on the left, whoever sends */
	conn->client = TCP_END_UNKNOWN;
	event.key.ip_version = 4;
	event.key.port[1] = TO_BE16(40000);
	for (event.sender = 0; event.sender < 2; event.sender++)
		expect(&event, TCP_EVENT_INDEX_CLOSED,
		       "by one end (who opened it is unknown) after 2.000 s; "
		       "→ 4 packets 12345 bytes, ← 5 packets 78 bytes");
}

static void test_fin(void **state)
{
	struct trace_event event = event_of_client();

	(void)state;
	event.conn.closer = 0;
	expect(&event, TCP_EVENT_INDEX_FIN, "the client closes first");
	event.sender = 1;
	expect(&event, TCP_EVENT_INDEX_FIN, "the server closes too");
	event.conn.flags = TCP_TRACK_SIMULTANEOUS_CLOSE;
	expect(&event, TCP_EVENT_INDEX_FIN, "the server closes too; simultaneous close");
	expect(&event, TCP_EVENT_INDEX_FIN_RETRANSMIT, "of the server");
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
	/* with data on the SYN, all that was sent may be acknowledged */
	conn->side[0].syn_bytes = 20;
	conn->side[0].next = 1021;
	expect(&event, TCP_EVENT_INDEX_RST_IGNORED, "acknowledges nothing, needs 1001 to 1021");
	/* to an open connection: what the receiver has acknowledged, else what was sent */
	conn->phase = TCP_PHASE_ESTABLISHED;
	event.pkt.tcp_seq = 77;
	conn->side[1].next = 5001;
	expect(&event, TCP_EVENT_INDEX_RST_IGNORED, "its sequence number is 77, needs 5001");
	conn->side[0].flags = TCP_SIDE_ACKED;
	conn->side[0].acked = 4001;
	expect(&event, TCP_EVENT_INDEX_RST_IGNORED, "its sequence number is 77, needs 4001");
	conn->side[1].flags = TCP_SIDE_SENT;
	expect(&event, TCP_EVENT_INDEX_RST_IGNORED, "its sequence number is 77, needs 4001 or 5001");
	conn->side[1].next = 4001;
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
	conn->side[1].acked = 70000;
	conn->side[1].window_max = 65535;
	conn->side[1].edge = 135535;
	expect(&event, TCP_EVENT_INDEX_OUT_OF_WINDOW, "seq 1500, 100 bytes; needs 4465 to 135535");
	/* relative to the ISN, where that is known */
	conn->side[0].flags = TCP_SIDE_SYN;
	conn->side[0].isn = 1000;
	expect(&event, TCP_EVENT_INDEX_OUT_OF_WINDOW, "seq 500, 100 bytes; needs 3465 to 134535");
	expect(&event, TCP_EVENT_INDEX_RETRANSMIT, "seq 500, 100 bytes");
	expect(&event, TCP_EVENT_INDEX_OUT_OF_ORDER, "seq 500, 100 bytes");
	expect(&event, TCP_EVENT_INDEX_DUPLICATE, "seq 500, 100 bytes");
	expect(&event, TCP_EVENT_INDEX_SYN_IGNORED,
	       "seq 1500; a new connection if it is answered by SYN-ACK");
	expect(&event, TCP_EVENT_INDEX_ACK_IGNORED, "no ACK flag");
	event.pkt.tcp_flags = TCPHDR_ACK;
	event.pkt.tcp_ack = 9000;
	conn->side[1].next = 5001;
	expect(&event, TCP_EVENT_INDEX_ACK_IGNORED, "acknowledges 9000, needs at most 5001");
	conn->side[0].flags |= TCP_SIDE_ACKED;
	conn->side[0].edge = 8000; /* what was not seen may have been let in */
	expect(&event, TCP_EVENT_INDEX_ACK_IGNORED, "acknowledges 9000, needs at most 8000");
	conn->phase = TCP_PHASE_ANSWERED;
	conn->side[1].isn = 5000;
	expect(&event, TCP_EVENT_INDEX_ACK_IGNORED, "acknowledges 9000, needs 5001 to 8000");
	conn->phase = TCP_PHASE_OPENING;
	conn->side[1].isn = 5000;
	expect(&event, TCP_EVENT_INDEX_ACK_IGNORED,
	       "acknowledges 9000, needs 5001: the answer to another connection?");
}

/* A client's attempt: SYN at 1 s, sent so often until @last_ns. */
static struct trace_event attempt(unsigned int times, uint64_t last_ns)
{
	struct trace_event event = event_of_client();
	struct tcp_track *conn = &event.conn;

	event.hook = HOOK_NONE;
	conn->phase = TCP_PHASE_OPENING;
	conn->first_ns = conn->syn_first_ns = 1 * S;
	conn->last_ns = conn->syn_last_ns = last_ns;
	conn->side[0].flags = TCP_SIDE_SYN | TCP_SIDE_SENT | TCP_SIDE_OPTIONS;
	conn->side[0].retransmits = times - 1;
	return event;
}

static void test_timed_out(void **state)
{
	struct trace_event event = attempt(4, 8 * S + 50 * MS);

	(void)state;
	event.time_ns = 128 * S + 50 * MS;
	expect(&event, TCP_EVENT_INDEX_TIMED_OUT, "SYN sent 4 times in 7.050 s, no answer in 120.0 s");
	event = attempt(1, 1 * S);
	event.time_ns = 3 * S;
	expect(&event, TCP_EVENT_INDEX_TIMED_OUT, "SYN sent once, no answer in 2.000 s");
	/* the trace ends before anybody has lost patience */
	expect(&event, TCP_EVENT_INDEX_HALF_OPEN, "SYN sent once, no answer yet in 2.000 s");
}

static void test_half_open(void **state)
{
	struct trace_event event = attempt(1, 1 * S);
	struct tcp_track *conn = &event.conn;

	(void)state;
	conn->phase = TCP_PHASE_ANSWERED;
	conn->synack_first_ns = 2 * S;
	conn->synack_last_ns = 5 * S;
	conn->side[1].flags = TCP_SIDE_SYN | TCP_SIDE_SENT | TCP_SIDE_OPTIONS;
	conn->side[1].retransmits = 2;
	event.time_ns = 65 * S;
	expect(&event, TCP_EVENT_INDEX_HALF_OPEN,
	       "SYN-ACK sent 3 times in 3.000 s, not acknowledged in 60.00 s");
}

static void test_predecessor(void **state)
{
	struct trace_event event = attempt(3, 4 * S);

	(void)state;
	/* a SYN takes over the ports: the state is of the new connection and tells nothing of the old one */
	event.hook = HOOK_INGRESS;
	expect(&event, TCP_EVENT_INDEX_TIMED_OUT, "the attempt before on these ports was never answered");
	expect(&event, TCP_EVENT_INDEX_HALF_OPEN, "the handshake before on these ports was never completed");
	expect(&event, TCP_EVENT_INDEX_ABANDONED, "the connection before on these ports was never closed");
	expect(&event, TCP_EVENT_INDEX_REUSED, "by another connection");
}

static void test_unreachable(void **state)
{
	struct trace_event event = attempt(2, 2 * S);

	(void)state;
	event.key.ip_version = 4;
	event.hook = HOOK_INGRESS;
	event.tcp_events = TCP_EVENT_UNREACHABLE;
	event.conn.flags = TCP_TRACK_UNREACHABLE;
	event.conn.icmp_type = 3;
	event.conn.icmp_code = 1;
	event.time_ns = 2 * S + 3 * MS;
	event.pkt.ip_version = 4;
	event.pkt.ip_proto = IPPROTO_ICMP;
	inet_pton(AF_INET, "192.0.2.1", &event.pkt.src);
	expect(&event, TCP_EVENT_INDEX_UNREACHABLE,
	       "host unreachable (ICMP type 3 code 1), says 192.0.2.1, 3.000 ms after SYN; SYN sent 2 times "
	       "in 1.000 s");
	event.key.ip_version = event.pkt.ip_version = 6;
	event.pkt.ip_proto = NEXTHDR_ICMPV6;
	event.conn.icmp_type = 1;
	event.conn.icmp_code = 0;
	event.conn.side[0].retransmits = 0;
	inet_pton(AF_INET6, "2001:db8::1", &event.pkt.src);
	expect(&event, TCP_EVENT_INDEX_UNREACHABLE,
	       "no route (ICMPv6 type 1 code 0), says 2001:db8::1, 3.000 ms after SYN");
}

static void test_silence(void **state)
{
	struct trace_event event = attempt(1, 1 * S);
	struct tcp_track *conn = &event.conn;

	(void)state;
	conn->phase = TCP_PHASE_ESTABLISHED;
	conn->established_ns = 2 * S;
	conn->last_ns = 4 * S;
	conn->side[1].packets = 3;
	event.time_ns = 14 * S;
	expect(&event, TCP_EVENT_INDEX_STILL_OPEN,
	       "seen for 13.00 s; → 0 packets 0 bytes, ← 3 packets 0 bytes");
	expect(&event, TCP_EVENT_INDEX_ABANDONED,
	       "silent for 10.00 s; → 0 packets 0 bytes, ← 3 packets 0 bytes");
	conn->phase = TCP_PHASE_CLOSING;
	conn->closer = 1;
	expect(&event, TCP_EVENT_INDEX_ABANDONED,
	       "closed by the server alone, silent for 10.00 s; → 0 packets 0 bytes, ← 3 packets 0 bytes");
	expect(&event, TCP_EVENT_INDEX_STILL_OPEN,
	       "closed by the server alone, seen for 13.00 s; → 0 packets 0 bytes, ← 3 packets 0 bytes");
}

static void test_life(void **state)
{
	struct trace_event event = event_of_client();
	struct tcp_track *conn = &event.conn;

	(void)state;
	event.pkt.payload_bytes = 100;
	expect(&event, TCP_EVENT_INDEX_SYN_DATA, "100 bytes, without fast open");
	event.pkt.tcp_options.flags = TCP_HAS_FAST_OPEN;
	expect(&event, TCP_EVENT_INDEX_SYN_DATA, "100 bytes, with a request for a fast open cookie");
	event.pkt.tcp_options.flags = TCP_HAS_FAST_OPEN | TCP_HAS_COOKIE;
	expect(&event, TCP_EVENT_INDEX_SYN_DATA, "100 bytes, with a fast open cookie");
	event.pkt.tcp_seq = 77;
	conn->side[0].isn = 33;
	expect(&event, TCP_EVENT_INDEX_ISN_CHANGED, "77, the first was 33");
	expect(&event, TCP_EVENT_INDEX_KEEP_ALIVE, "the client asks whether the other end is there");
	event.pkt.tcp_ack = 4711;
	expect(&event, TCP_EVENT_INDEX_CHALLENGE_ACK, "the client expects 4711");
	event.sender = 1;
	expect(&event, TCP_EVENT_INDEX_MIDSTREAM, "but its SYN-ACK tells who opened it");
	conn->client = TCP_END_UNKNOWN;
	expect(&event, TCP_EVENT_INDEX_MIDSTREAM, "");
}

static void test_windows(void **state)
{
	struct trace_event event = event_of_client();
	struct tcp_side *side = event.conn.side;

	(void)state;
	side[0].zero_windows = 1;
	expect(&event, TCP_EVENT_INDEX_ZERO_WINDOW, "the client takes no more");
	side[0].zero_windows = 2;
	expect(&event, TCP_EVENT_INDEX_ZERO_WINDOW, "the client takes no more, 2 times so far");
	/* how the window is scaled is known only from both SYNs */
	event.pkt.tcp_window = 100;
	expect(&event, TCP_EVENT_INDEX_WINDOW_OPEN, "the client takes data again");
	side[0].flags = side[1].flags = TCP_SIDE_OPTIONS | TCP_SIDE_SCALES;
	side[0].window_scale = 7;
	expect(&event, TCP_EVENT_INDEX_WINDOW_OPEN, "the client takes 12800 bytes");
}

static void test_encapsulation(void **state)
{
	struct trace_event event = event_of_client();
	char text[STORY_DETAIL_BYTES];

	(void)state;
	story_encapsulation(text, sizeof(text), &event);
	assert_string_equal(text, "");
	event.pkt.vlan_count = 2;
	event.pkt.vlan_tci[0] = 0x2000 | 10; /* the priority is not part of it */
	event.pkt.vlan_tci[1] = 20;
	story_encapsulation(text, sizeof(text), &event);
	assert_string_equal(text, "vlan 10.20");
	event.tunnel =
		(struct tunnel){.kind = TUNNEL_VXLAN, .ip_version = 4, .flags = TUNNEL_HAS_ID, .id = 42};
	inet_pton(AF_INET, "192.0.2.1", &event.tunnel.src);
	inet_pton(AF_INET, "192.0.2.2", &event.tunnel.dst);
	story_encapsulation(text, sizeof(text), &event);
	assert_string_equal(text, "vlan 10.20, VXLAN 42 192.0.2.1 → 192.0.2.2");
	event.tunnel.flags = 0;
	event.tunnel.kind = TUNNEL_6IN4;
	event.pkt.vlan_count = 0;
	story_encapsulation(text, sizeof(text), &event);
	assert_string_equal(text, "6in4 192.0.2.1 → 192.0.2.2");
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
		cmocka_unit_test(test_timed_out),
		cmocka_unit_test(test_half_open),
		cmocka_unit_test(test_predecessor),
		cmocka_unit_test(test_unreachable),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_encapsulation),
		cmocka_unit_test(test_every_event_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
