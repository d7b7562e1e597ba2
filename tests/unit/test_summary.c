// SPDX-License-Identifier: GPL-2.0-only
/* Each connection ends in exactly one outcome, and the sums add up. The events are those of the engine itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "observer/expiry.h"
#include "observer/summary.h"
#include "util/clock.h"

#define CLIENT 0
#define SERVER 1
#define SYN    TCPHDR_SYN
#define ACK    TCPHDR_ACK
#define FIN    TCPHDR_FIN
#define RST    TCPHDR_RST
#define WINDOW 1000

#define FIRST_NS (NS_PER_S * 1000)

static struct summary summary;
static struct tcp_track conn;
static struct flow_key key; /* 10.1.2.3:40000 → 10.9.9.9:80 */
static __u64 now_ns;

static void new_connection(void)
{
	memset(&conn, 0, sizeof(conn));
	memset(&key, 0, sizeof(key));
	key.ip_version = 4;
	key.ip_proto = IPPROTO_TCP;
	key.addr[CLIENT].v4 = TO_BE32(0x0a010203);
	key.addr[SERVER].v4 = TO_BE32(0x0a090909);
	key.port[CLIENT] = TO_BE16(40000);
	key.port[SERVER] = TO_BE16(80);
	now_ns += NS_PER_S;
}

static int begin(void **state)
{
	(void)state;
	summary_clear(&summary);
	now_ns = FIRST_NS;
	new_connection();
	return 0;
}

static void tell(__u32 events, flow_end sender)
{
	struct trace_event event = {.tcp_events = events,
				    .sender = sender,
				    .key = key,
				    .conn = conn,
				    .time_ns = now_ns,
				    .hook = HOOK_INGRESS};

	summary_add(&summary, &event);
}

/* One segment through the engine, @after_ns after the last. */
static void segment(__u64 after_ns, flow_end from, __u8 flags, __u32 seq, __u32 ack)
{
	struct packet pkt = {.ip_version = 4,
			     .ip_proto = IPPROTO_TCP,
			     .tcp_flags = flags,
			     .tcp_seq = seq,
			     .tcp_ack = ack,
			     .tcp_window = WINDOW};

	now_ns += after_ns;
	if (!conn.first_ns)
		tcp_track_begin(&conn, now_ns);
	tell(tcp_track_segment(&conn, &pkt, from, now_ns), from);
}

static void icmp_error(void)
{
	tell(tcp_track_icmp_error(&conn, CLIENT, 100, 3, 1, now_ns), CLIENT);
}

static void syn(void)
{
	segment(0, CLIENT, SYN, 100, 0);
}

/* 12 µs to the server and back, 5 µs to the client. */
static void open_it(void)
{
	syn();
	segment(12000, SERVER, SYN | ACK, 500, 101);
	segment(5000, CLIENT, ACK, 101, 501);
}

static void fin(flow_end from)
{
	if (from == CLIENT)
		segment(0, CLIENT, FIN | ACK, 101, 501);
	else
		segment(0, SERVER, FIN | ACK, 501, 101);
}

static void close_by(flow_end first)
{
	fin(first);
	if (first == CLIENT) {
		segment(0, SERVER, FIN | ACK, 501, 102);
		segment(0, CLIENT, ACK, 102, 502);
	} else {
		segment(0, CLIENT, FIN | ACK, 101, 502);
		segment(0, SERVER, ACK, 502, 102);
	}
}

/* Nothing more is heard of it. */
static void silence(bool stopped)
{
	struct trace_event event;

	if (expiry_event(&event, &key, &conn, now_ns, stopped))
		summary_add(&summary, &event);
}

/* This outcome once and no other, and nothing is left. */
static void expect(enum fate outcome, int midstream)
{
	assert_int_equal(summary.connections.started, !midstream);
	assert_int_equal(summary.connections.midstream, midstream);
	for (int i = 0; i < FATE_COUNT; i++) {
		assert_int_equal(summary_fate(&summary, i, midstream), i == (int)outcome);
		assert_int_equal(summary_fate(&summary, i, !midstream), 0);
	}
	assert_int_equal(summary_ending(&summary, ending_of(outcome), midstream), 1);
	assert_int_equal(summary_open(&summary), 0);
	assert_int_equal(summary_midstream_open(&summary), 0);
	assert_int_equal(summary_residue(&summary), 0);
}

static struct talker talker_of(enum talker_kind kind)
{
	struct talker_row row = {0};

	assert_int_equal(summary_talkers(&summary, kind, TALKERS_BY_ATTEMPTS, &row, 1), 1);
	return row.sum;
}

/* Of one attempt, seen from both ends: open or not, and how it failed. */
static void expect_talkers(int established, enum ending failed)
{
	for (int kind = TALKER_SOURCE; kind <= TALKER_DESTINATION; kind++) {
		struct talker sum = talker_of(kind);

		assert_int_equal(sum.count[TALKER_ATTEMPTS], 1);
		assert_int_equal(sum.count[TALKER_ESTABLISHED], established);
		assert_int_equal(talker_failed(&sum), !established);
		for (int i = 0; i < FAILURE_COUNT; i++)
			assert_int_equal(talker_failed_by(&sum, i), i == (int)failed);
	}
}

static void refused(void **state)
{
	(void)state;
	syn();
	segment(0, SERVER, RST | ACK, 0, 101);
	silence(false);
	expect(FATE_REFUSED, 0);
	expect_talkers(0, ENDING_REFUSED);
}

static void unreachable(void **state)
{
	(void)state;
	syn();
	icmp_error();
	icmp_error();
	silence(false);
	expect(FATE_UNREACHABLE, 0);
	expect_talkers(0, ENDING_UNREACHABLE);
}

/* The error was of one way only: the connection opens after all, and counts once. */
static void unreachable_and_established(void **state)
{
	(void)state;
	syn();
	icmp_error();
	segment(0, SERVER, SYN | ACK, 500, 101);
	segment(0, CLIENT, ACK, 101, 501);
	close_by(CLIENT);
	expect(FATE_CLOSED_CLIENT, 0);
	expect_talkers(1, FAILURE_COUNT);
}

static void unreachable_and_refused(void **state)
{
	(void)state;
	syn();
	icmp_error();
	segment(0, SERVER, RST | ACK, 0, 101);
	expect(FATE_REFUSED, 0);
	expect_talkers(0, ENDING_REFUSED);
}

static void timed_out(void **state)
{
	(void)state;
	syn();
	segment(NS_PER_S, CLIENT, SYN, 100, 0);
	silence(false);
	expect(FATE_TIMED_OUT, 0);
	expect_talkers(0, ENDING_SILENT);
}

static void unanswered(void **state)
{
	(void)state;
	syn();
	silence(true);
	expect(FATE_UNANSWERED, 0);
	expect_talkers(0, ENDING_SILENT);
}

static void half_open(void **state)
{
	(void)state;
	syn();
	segment(0, SERVER, SYN | ACK, 500, 101);
	silence(true);
	expect(FATE_HALF_OPEN, 0);
	expect_talkers(0, ENDING_HALF_OPEN);
}

/* What a port scanner does. */
static void aborted(void **state)
{
	(void)state;
	syn();
	segment(0, SERVER, SYN | ACK, 500, 101);
	segment(0, CLIENT, RST, 101, 0);
	expect(FATE_RESET_OPENING_CLIENT, 0);
	expect_talkers(0, ENDING_ABORTED);
}

static void aborted_by_server(void **state)
{
	(void)state;
	syn();
	segment(0, SERVER, SYN | ACK, 500, 101);
	segment(0, SERVER, RST, 501, 0);
	expect(FATE_RESET_OPENING_SERVER, 0);
}

static void resets(void **state)
{
	static const enum fate outcomes[2][2] = {
		{FATE_RESET_OPEN_CLIENT, FATE_RESET_OPEN_SERVER},
		{FATE_RESET_CLOSING_CLIENT, FATE_RESET_CLOSING_SERVER},
	};

	for (int closing = 0; closing < 2; closing++)
		for (int by = CLIENT; by <= SERVER; by++) {
			begin(state);
			open_it();
			if (closing)
				fin(CLIENT);
			segment(0, by, RST | ACK, by == CLIENT ? 101 + closing : 501,
				by == CLIENT ? 501 : 101);
			expect(outcomes[closing][by], 0);
			expect_talkers(1, FAILURE_COUNT);
			assert_int_equal(talker_of(TALKER_DESTINATION).count[TALKER_RESET], 1);
		}
}

static void closed(void **state)
{
	open_it();
	close_by(CLIENT);
	silence(false);
	expect(FATE_CLOSED_CLIENT, 0);
	begin(state);
	open_it();
	close_by(SERVER);
	expect(FATE_CLOSED_SERVER, 0);
	begin(state);
	open_it();
	fin(CLIENT);
	fin(SERVER);
	segment(0, CLIENT, ACK, 102, 502);
	segment(0, SERVER, ACK, 502, 102);
	expect(FATE_CLOSED_BOTH, 0);
	expect_talkers(1, FAILURE_COUNT);
}

static void still_open(void **state)
{
	(void)state;
	open_it();
	silence(true);
	expect(FATE_STILL_OPEN, 0);
}

static void abandoned(void **state)
{
	(void)state;
	open_it();
	silence(false);
	expect(FATE_ABANDONED, 0);
}

static void midstream(void **state)
{
	(void)state;
	segment(0, CLIENT, ACK, 101, 501);
	segment(0, SERVER, ACK, 501, 101);
	silence(true);
	expect(FATE_STILL_OPEN, 1);
	begin(state);
	segment(0, CLIENT, ACK, 101, 501);
	close_by(CLIENT);
	expect(FATE_CLOSED_UNKNOWN, 1);
	begin(state);
	segment(0, CLIENT, ACK, 101, 501);
	segment(0, SERVER, ACK, 501, 101);
	segment(0, SERVER, RST | ACK, 501, 101);
	expect(FATE_RESET_UNKNOWN, 1);
	assert_null(summary.talkers); /* nobody knows who opened it */
}

/* A server whose SYN never passed here: its client is known, but not how long the attempt took. */
static void midstream_from_the_syn_ack(void **state)
{
	(void)state;
	segment(0, SERVER, SYN | ACK, 500, 101);
	segment(0, CLIENT, ACK, 101, 501);
	close_by(CLIENT);
	expect(FATE_CLOSED_CLIENT, 1);
	assert_null(summary.talkers);
	assert_int_equal(summary.ambiguous, 1);
	assert_int_equal(summary.server.samples, 0);
}

/* Both SYNs are events called SYN; the attempt is one. */
static void simultaneous_open(void **state)
{
	(void)state;
	syn();
	segment(0, SERVER, SYN, 500, 0);
	segment(0, CLIENT, SYN | ACK, 100, 501);
	segment(0, SERVER, SYN | ACK, 500, 101);
	silence(true);
	expect(FATE_STILL_OPEN, 0);
	expect_talkers(1, FAILURE_COUNT);
}

/* A new SYN on the same ports ends what was there, and what that was decides how it counts. */
static void ports_used_again(void **state)
{
	(void)state;
	syn();
	segment(0, CLIENT, SYN, 9000, 0); /* gave up and tries again */
	silence(true);
	assert_int_equal(summary.connections.started, 2);
	assert_int_equal(summary_fate(&summary, FATE_TIMED_OUT, 0), 1);
	assert_int_equal(summary_fate(&summary, FATE_UNANSWERED, 0), 1);
	assert_int_equal(summary_residue(&summary), 0);
	assert_int_equal(talker_failed_by(&(struct talker){0}, ENDING_SILENT), 0);
}

/* ... also where the one before was midstream, or had an ICMP error, of which the new one knows nothing. */
static void ports_of_another_kind_used_again(void **state)
{
	segment(0, CLIENT, ACK, 101, 501);
	segment(0, SERVER, ACK, 501, 101);
	segment(0, CLIENT, SYN, 9000, 0);
	segment(0, SERVER, SYN | ACK, 7000, 9001); /* the server takes it: the old one is no more */
	segment(0, CLIENT, ACK, 9001, 7001);
	silence(true);
	assert_int_equal(summary.connections.midstream, 1);
	assert_int_equal(summary_fate(&summary, FATE_ABANDONED, 1), 1);
	assert_int_equal(summary.connections.started, 1);
	assert_int_equal(summary_fate(&summary, FATE_STILL_OPEN, 0), 1);
	assert_int_equal(summary_residue(&summary), 0);
	begin(state);
	syn();
	icmp_error();
	segment(0, SERVER, SYN | ACK, 500, 101);
	segment(0, CLIENT, SYN, 9000, 0);
	silence(true);
	assert_int_equal(summary.connections.started, 2);
	assert_int_equal(summary_fate(&summary, FATE_UNREACHABLE, 0), 0);
	assert_int_equal(summary_fate(&summary, FATE_HALF_OPEN, 0), 1);
	assert_int_equal(summary_fate(&summary, FATE_UNANSWERED, 0), 1);
	assert_int_equal(summary_residue(&summary), 0);
}

/* What was pushed out has no event: it is what is left, and no more than was pushed out. */
static void pushed_out(void **state)
{
	(void)state;
	syn();
	new_connection();
	syn();
	silence(true);
	assert_int_equal(summary_open(&summary), 1);
	assert_int_equal(summary_residue(&summary), 1);
	summary.evicted = 1;
	assert_int_equal(summary_residue(&summary), 0);
	summary.connections.ended[FATE_REFUSED] = 2; /* more ends than beginnings */
	assert_int_equal(summary_residue(&summary), -1);
}

static void legs(void **state)
{
	(void)state;
	open_it();
	assert_int_equal(summary.server.samples, 1);
	assert_int_equal(summary.server_sum_ns, 12000);
	assert_int_equal(summary.client_sum_ns, 5000);
	assert_int_equal(latency_quantile_ns(&summary.server, 0.5), 12000);
	new_connection();
	syn();
	segment(NS_PER_S, CLIENT, SYN, 100, 0); /* which of the two is answered? (Karn) */
	segment(12000, SERVER, SYN | ACK, 500, 101);
	segment(5000, CLIENT, ACK, 101, 501);
	assert_int_equal(summary.server.samples, 1);
	assert_int_equal(summary.ambiguous, 1);
}

/* Counted by the kernel side and read out, the same numbers come of it. */
static void from_the_kernel(void **state)
{
	static struct port_counters counters;
	static struct handshakes times;
	struct summary read = {0};

	(void)state;
	open_it();
	close_by(SERVER);
	counters.connections = summary.connections;
	counters.evicted = 3;
	memcpy(times.server, summary.server.bucket, sizeof(times.server));
	memcpy(times.client, summary.client.bucket, sizeof(times.client));
	times.server_sum_ns = summary.server_sum_ns;
	for (int port = 0; port < 2; port++)
		summary_add_counters(&read, &counters);
	summary_add_handshakes(&read, &times);
	assert_int_equal(summary_fate(&read, FATE_CLOSED_SERVER, 0), 2);
	assert_int_equal(read.evicted, 6);
	assert_int_equal(read.server.samples, 1);
	assert_int_equal(read.server_sum_ns, 12000);
	/* 12000 ns lies in the bucket from 11776 to 12287: its end is the most that it may have been */
	assert_int_equal(read.server.max_ns, 12287);
	assert_int_equal(latency_quantile_ns(&read.server, 0.999), 12287);
}

/* @host of 10.x.y.z as a server: @attempts, of which @established. */
static void add_server(__u32 host, __u64 attempts, __u64 established)
{
	struct talker_key one = {.addr.v4 = TO_BE32(host), .ip_version = 4, .kind = TALKER_DESTINATION};
	struct talker sum = {.count = {[TALKER_ATTEMPTS] = attempts, [TALKER_ESTABLISHED] = established}};

	summary_add_talker(&summary, &one, &sum);
}

static void the_worst_first(void **state)
{
	struct talker_row rows[3];

	(void)state;
	for (__u32 i = 0; i < 100; i++)
		add_server(0x0a000000 + i, 100, 100 - i);
	add_server(0x0a000000 + 7, 1000, 0);
	assert_int_equal(summary_talkers(&summary, TALKER_DESTINATION, TALKERS_BY_FAILED, rows, 3), 3);
	assert_int_equal(FROM_BE32(rows[0].key.addr.v4), 0x0a000007);
	assert_int_equal(talker_failed(&rows[0].sum), 1007);
	assert_int_equal(talker_failed_by(&rows[0].sum, ENDING_COUNT), 1007); /* of unknown cause */
	assert_int_equal(FROM_BE32(rows[1].key.addr.v4), 0x0a000063);
	assert_int_equal(FROM_BE32(rows[2].key.addr.v4), 0x0a000062);
	assert_int_equal(summary_talkers(&summary, TALKER_SOURCE, TALKERS_BY_FAILED, rows, 3), 0);
}

static void only_who_fails(void **state)
{
	struct talker_row rows[3];

	(void)state;
	add_server(0x0a000001, 5, 5);
	assert_int_equal(summary_talkers(&summary, TALKER_DESTINATION, TALKERS_BY_FAILED, rows, 3), 0);
	assert_int_equal(summary_talkers(&summary, TALKER_DESTINATION, TALKERS_BY_ATTEMPTS, rows, 3), 1);
}

/* As many as a flood likes: what is beyond the bound is counted, and those that are known go on. */
static void talkers_are_bounded(void **state)
{
	struct talker_row row;

	(void)state;
	for (__u32 i = 0; i < SUMMARY_MAX_TALKERS + 10; i++)
		add_server(i, 1, 0);
	assert_int_equal(summary.unnamed, 10);
	add_server(77, 1, 0);
	assert_int_equal(summary.unnamed, 10);
	assert_int_equal(summary_talkers(&summary, TALKER_DESTINATION, TALKERS_BY_FAILED, &row, 1), 1);
	assert_int_equal(FROM_BE32(row.key.addr.v4), 77);
	assert_int_equal(talker_failed(&row.sum), 2);
}

static void prefixes(void **state)
{
	struct talker_row row;

	(void)state;
	syn();
	assert_int_equal(summary_talkers(&summary, TALKER_SOURCE, TALKERS_BY_ATTEMPTS, &row, 1), 1);
	assert_int_equal(FROM_BE32(row.key.addr.v4), 0x0a010200);
	assert_int_equal(row.key.port, 0);
	assert_int_equal(summary_talkers(&summary, TALKER_DESTINATION, TALKERS_BY_ATTEMPTS, &row, 1), 1);
	assert_int_equal(FROM_BE32(row.key.addr.v4), 0x0a090909);
	assert_int_equal(FROM_BE16(row.key.port), 80);
}

static int end(void **state)
{
	(void)state;
	summary_clear(&summary);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(refused),
		TEST(unreachable),
		TEST(unreachable_and_established),
		TEST(unreachable_and_refused),
		TEST(timed_out),
		TEST(unanswered),
		TEST(half_open),
		TEST(aborted),
		TEST(aborted_by_server),
		TEST(resets),
		TEST(closed),
		TEST(still_open),
		TEST(abandoned),
		TEST(midstream),
		TEST(midstream_from_the_syn_ack),
		TEST(simultaneous_open),
		TEST(ports_used_again),
		TEST(ports_of_another_kind_used_again),
		TEST(pushed_out),
		TEST(legs),
		TEST(from_the_kernel),
		TEST(the_worst_first),
		TEST(only_who_fails),
		TEST(talkers_are_bounded),
		TEST(prefixes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
