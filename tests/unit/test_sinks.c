// SPDX-License-Identifier: GPL-2.0-only
/* The lines of the text and the JSON sink, to the character. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "out/sink.h"
#include "out/story_explain.h"

#define MS 1000000ull
#define S  (1000 * MS)

#define START_NS    (100 * S)
#define EPOCH_NS    1767225599123456000ll /* 2025-12-31 23:59:59.123456 UTC */
#define SHOWN_BYTES 16384

static const struct sink_interface eth0 = {.name = "eth0", .ifindex = 7, .mac = {2, 0, 0, 0, 0, 7}};

static struct sink_session session_of(enum time_style style)
{
	return (struct sink_session){.interface = &eth0,
				     .interface_count = 1,
				     .start_ns = START_NS,
				     .to_epoch_ns = EPOCH_NS - START_NS,
				     .time_style = style};
}

/* 10.0.1.2:40000 → 10.0.2.2:80, at @ms after the start; 10.0.1.2 is end 0. */
static struct trace_event event_at(uint64_t ms, uint32_t events)
{
	struct trace_event event = {.ifindex = 7, .tcp_events = events};

	event.time_ns = START_NS + ms * MS;
	event.pkt.ip_version = 4;
	event.pkt.ip_proto = IPPROTO_TCP;
	event.pkt.ttl = 64;
	inet_pton(AF_INET, "10.0.1.2", &event.pkt.src);
	inet_pton(AF_INET, "10.0.2.2", &event.pkt.dst);
	event.pkt.src_port = TO_BE16(40000);
	event.pkt.dst_port = TO_BE16(80);
	event.sender = flow_key_of(&event.key, &event.pkt);
	event.conn.client = 0;
	event.conn.closer = TCP_END_UNKNOWN;
	event.conn.first_ns = START_NS;
	return event;
}

/* What the sink writes of the events. */
static const char *shown(struct sink *(*open_sink)(const struct sink_session *),
			 const struct sink_session *session, const struct trace_event *event, size_t count)
{
	static char text[SHOWN_BYTES];
	int before = dup(STDOUT_FILENO);
	FILE *file = tmpfile();
	struct sink *sink;

	assert_non_null(file);
	fflush(stdout);
	dup2(fileno(file), STDOUT_FILENO);
	sink = open_sink(session);
	for (size_t i = 0; i < count; i++)
		sink->ops->event(sink, &event[i], NULL);
	sink->ops->close(sink);
	dup2(before, STDOUT_FILENO);
	close(before);
	rewind(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = 0;
	fclose(file);
	return text;
}

static void test_relative(void **state)
{
	struct sink_session session = session_of(TIME_RELATIVE);
	struct trace_event events[] = {event_at(1, TCP_EVENT_SYN), event_at(1500, TCP_EVENT_RETRANSMIT)};

	(void)state;
	events[0].pkt.tcp_options = (struct tcp_options_summary){.mss = 1460, .flags = TCP_HAS_MSS};
	events[1].ttl_out = 63;
	events[1].ifindex = 8;
	assert_string_equal(
		shown(sink_text_open, &session, events, 2),
		"    seconds iface  client → server                  TTL       event\n"
		"   0.001000 eth0   10.0.1.2:40000 → 10.0.2.2:80     ttl 64    SYN            mss 1460\n"
		"   1.500000 ?      10.0.1.2:40000 → 10.0.2.2:80     ttl 64→63 retransmission seq 0, 0 "
		"bytes\n");
}

static void test_delta(void **state)
{
	struct sink_session session = session_of(TIME_DELTA);
	struct trace_event events[] = {event_at(5, TCP_EVENT_SYN),
				       event_at(7, TCP_EVENT_SYN | TCP_EVENT_SPLIT)};

	(void)state;
	assert_string_equal(
		shown(sink_text_open, &session, events, 2),
		"    seconds iface  client → server                  TTL       event\n"
		"   0.000000 eth0   10.0.1.2:40000 → 10.0.2.2:80     ttl 64    SYN\n"
		"   0.002000 eth0   10.0.1.2:40000 → 10.0.2.2:80     ttl 64    SYN\n"
		"   0.000000 eth0   10.0.1.2:40000 → 10.0.2.2:80     ttl 64    split handshake\n");
}

/* Half an hour beside the full ones, over midnight and the new year. */
static void test_absolute(void **state)
{
	struct sink_session session = session_of(TIME_ABSOLUTE);
	struct trace_event event = event_at(1, TCP_EVENT_SYN);

	(void)state;
	setenv("TZ", "XYZ-5:30", 1);
	tzset();
	assert_string_equal(
		shown(sink_text_open, &session, &event, 1),
		"time                             iface  client → server                  TTL       event\n"
		"2026-01-01T05:29:59.124456+05:30 eth0   10.0.1.2:40000 → 10.0.2.2:80     ttl 64    SYN\n");
}

/* Nothing has passed: no interface, no TTL, no direction. */
static void test_no_packet(void **state)
{
	struct sink_session session = session_of(TIME_RELATIVE);
	struct trace_event event = event_at(2000, TCP_EVENT_STILL_OPEN);

	(void)state;
	event.hook = HOOK_NONE;
	event.conn.phase = TCP_PHASE_ESTABLISHED;
	assert_string_equal(shown(sink_text_open, &session, &event, 1),
			    "    seconds iface  client → server                  TTL       event\n"
			    "   2.000000 -      10.0.1.2:40000 — 10.0.2.2:80     -         still open     "
			    "seen for 2.000 s; → 0 packets 0 bytes, ← 0 packets 0 bytes\n");
}

/* An ICMP error has a router's address and no ports: the line is about the connection that it quotes. */
static struct trace_event unreachable(void)
{
	struct trace_event event = event_at(3, TCP_EVENT_UNREACHABLE);

	inet_pton(AF_INET, "192.0.2.1", &event.pkt.src);
	inet_pton(AF_INET, "10.0.1.2", &event.pkt.dst);
	event.pkt.src_port = event.pkt.dst_port = 0;
	event.pkt.ip_proto = IPPROTO_ICMP;
	event.conn.phase = TCP_PHASE_OPENING;
	event.conn.flags = TCP_TRACK_UNREACHABLE;
	event.conn.icmp_type = 3;
	event.conn.icmp_code = 13;
	event.conn.syn_first_ns = event.conn.syn_last_ns = START_NS;
	event.conn.ended_ns = event.time_ns;
	event.conn.seen = TCP_SEEN_SYN;
	event.conn.side[0].flags = TCP_SIDE_SYN | TCP_SIDE_SENT | TCP_SIDE_OPTIONS;
	return event;
}

static void test_icmp(void **state)
{
	struct sink_session session = session_of(TIME_RELATIVE);
	struct trace_event event = unreachable();

	(void)state;
	event.pkt.vlan_count = 1;
	event.pkt.vlan_tci[0] = 10;
	assert_string_equal(shown(sink_text_open, &session, &event, 1),
			    "    seconds iface  client → server                  TTL       event\n"
			    "   0.003000 eth0   10.0.1.2:40000 ← 10.0.2.2:80     ttl 64    unreachable    "
			    "prohibited by a filter (ICMP type 3 code 13), says 192.0.2.1, 3.000 ms after "
			    "SYN  [vlan 10]\n");
}

static void test_explained(void **state)
{
	struct sink_session session = session_of(TIME_RELATIVE);
	struct trace_event event = unreachable();

	(void)state;
	session.explain = true;
	event.conn.side[0].options = TCP_HAS_SACK_PERMITTED;
	event.conn.side[0].stripped = TCP_HAS_MPTCP;
	event.conn.side[0].rtt.samples = 3;
	event.conn.side[0].rtt.min_us = 50;
	event.conn.side[0].rtt.smoothed_us = 100;
	event.conn.side[0].rtt.bucket[1] = 2;
	event.conn.side[0].rtt.bucket[3] = 1;
	assert_string_equal(
		strchr(strchr(shown(sink_text_open, &session, &event, 1), '\n') + 1, '\n') + 1,
		"        means      somebody on the way says that the SYN does not get there "
		"(RFC 1122 §4.2.3.9, RFC 5461 §4)\n"
		"        evidence   SYN at 0.000000; ICMP error at 0.003000\n"
		"        offered    client: sack\n"
		"        stripped   client's SYN: mptcp: gone at the second hook\n"
		"        trouble    none: nothing sent again, nothing out of order, no closed window\n"
		"        rtt → ←    minimum 50.00 µs, smoothed 100.0 µs, 3 samples  64.00 µs █ ▄ 512.0 µs\n"
		"        outcome    unreachable: an ICMP error says that the SYN did not arrive\n"
		"        zeek       conn_state S0: attempt seen, no reply\n"
		"        wireshark  completeness 1, .....S: Incomplete, SYN_SENT\n");
}

static void test_every_event_has_a_meaning(void **state)
{
	(void)state;
	for (int i = 0; i < TCP_EVENT_COUNT; i++)
		assert_string_not_equal(story_meaning(i), "");
	assert_string_equal(story_meaning(TCP_EVENT_COUNT), "");
	assert_string_equal(story_source(TCP_EVENT_COUNT), "");
}

/* --- JSON ----------------------------------------------------------------------------------------------------- */

/* The lines as objects; each must be one. */
static json_t *objects(const struct sink_session *session, const struct trace_event *events, size_t count)
{
	json_t *array = json_array();
	char *rest = (char *)shown(sink_json_open, session, events, count), *line;

	while ((line = strsep(&rest, "\n")) && *line) {
		json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);

		assert_non_null(object);
		json_array_append_new(array, object);
	}
	return array;
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "(none)";
}

static void test_json_head(void **state)
{
	struct sink_session session = session_of(TIME_RELATIVE);
	const char *text;

	(void)state;
	session.filter = "tcp port 80";
	text = shown(sink_json_open, &session, NULL, 0);
	assert_ptr_equal(strstr(text, "{\"type\":\"trace\",\"schema\":1,\"version\":\""), text);
	assert_string_equal(
		strstr(text, ",\"interfaces\""),
		",\"interfaces\":[{\"name\":\"eth0\",\"ifindex\":7,\"mac\":\"02:00:00:00:00:07\"}],"
		"\"filter\":\"tcp port 80\",\"capture\":null,\"clock\":\"CLOCK_MONOTONIC\","
		"\"start_ns\":1767225599123456000}\n");
}

static void test_json_of_an_end(void **state)
{
	struct sink_session session = session_of(TIME_RELATIVE);
	struct trace_event event = unreachable();
	json_t *lines, *line;

	(void)state;
	lines = objects(&session, &event, 1);
	assert_int_equal(json_array_size(lines), 2);
	line = json_array_get(lines, 1);
	assert_string_equal(text_of(line, "client"), "10.0.1.2:40000");
	assert_string_equal(text_of(line, "server"), "10.0.2.2:80");
	assert_string_equal(text_of(line, "from"), "network");
	assert_string_equal(text_of(line, "outcome"), "unreachable");
	assert_string_equal(text_of(line, "conn_state"), "S0");
	assert_string_equal(text_of(json_object_get(line, "icmp"), "from"), "192.0.2.1");
	assert_string_equal(text_of(json_object_get(line, "icmp"), "text"), "prohibited by a filter");
	assert_int_equal(json_array_size(json_object_get(line, "evidence")), 2);
	json_decref(lines);
}

/* The state in the event is that of the next connection: nothing of it is told as if it were the last one's. */
static void test_json_of_a_predecessor(void **state)
{
	struct sink_session session = session_of(TIME_RELATIVE);
	struct trace_event event = event_at(1, TCP_EVENT_TIMED_OUT | TCP_EVENT_SYN);
	json_t *lines, *before, *syn;

	(void)state;
	lines = objects(&session, &event, 1);
	before = json_array_get(lines, 1);
	syn = json_array_get(lines, 2);
	assert_true(json_is_true(json_object_get(before, "previous")));
	assert_null(json_object_get(before, "id"));
	assert_null(json_object_get(before, "to_server"));
	assert_null(json_object_get(syn, "previous"));
	assert_non_null(json_object_get(syn, "to_server"));
	json_decref(lines);
}

/* One id as long as the connection lives, whoever sends; another for the next one, and in another VLAN. */
static void test_id(void **state)
{
	struct sink_session session = session_of(TIME_RELATIVE), later = session;
	struct trace_event events[5];
	json_t *lines, *at_another_start;
	const char *id[5];

	(void)state;
	for (size_t i = 0; i < 5; i++)
		events[i] = event_at(i, TCP_EVENT_RETRANSMIT);
	events[1].sender = 1;
	events[2].conn.first_ns++;
	events[3].key.vid[0] = 10;
	events[4].conn.client = TCP_END_UNKNOWN;
	lines = objects(&session, events, 5);
	for (size_t i = 0; i < 5; i++)
		id[i] = text_of(json_array_get(lines, i + 1), "id");
	assert_string_equal(id[0], id[1]);
	assert_string_not_equal(id[0], id[2]);
	assert_string_not_equal(id[0], id[3]);
	assert_string_equal(id[0], id[4]);
	/* the same packets by another clock, as from a capture */
	later.to_epoch_ns += 5 * S;
	events[0].conn.first_ns -= 5 * S;
	at_another_start = objects(&later, events, 1);
	assert_string_equal(text_of(json_array_get(at_another_start, 1), "id"), id[0]);
	json_decref(at_another_start);
	json_decref(lines);
}

static void test_capture(void **state)
{
	struct sink_session session = session_of(TIME_RELATIVE);
	struct trace_event event = event_at(1, TCP_EVENT_SYN);
	json_t *lines, *handshake;

	(void)state;
	session.offline = true;
	session.capture = "a.pcap";
	lines = objects(&session, &event, 1);
	assert_string_equal(text_of(json_array_get(lines, 1), "hook"), "file");
	assert_null(json_object_get(json_array_get(lines, 1), "verdict"));
	handshake = json_object_get(json_array_get(lines, 1), "handshake");
	assert_string_equal(text_of(handshake, "measured_by"), "file/the capture's");
	json_decref(lines);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_relative),
		cmocka_unit_test(test_delta),
		cmocka_unit_test(test_absolute),
		cmocka_unit_test(test_no_packet),
		cmocka_unit_test(test_icmp),
		cmocka_unit_test(test_explained),
		cmocka_unit_test(test_every_event_has_a_meaning),
		cmocka_unit_test(test_json_head),
		cmocka_unit_test(test_json_of_an_end),
		cmocka_unit_test(test_json_of_a_predecessor),
		cmocka_unit_test(test_id),
		cmocka_unit_test(test_capture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
