// SPDX-License-Identifier: GPL-2.0-only
/*
 * The TCP state machine against scripted connections. Each runs twice: with the client as either end of the
 * flow key.
 *
 * A segment is a line: who sends it (C, S), flags as tcpdump writes them (S, F, R, P, "." for ACK, "-" for
 * none), its sequence number, then any of: ack N, len N, win N, mss N, scale N. Without "win" the window is
 * 65535.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/names.h"
#include "xdplife/tcp_track.h"

#define NS_PER_MS       1000000
#define NOTHING         0
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static struct tcp_track conn;
static flow_end client, server;

static int begin(void **state)
{
	client = *(const flow_end *)*state;
	server = !client;
	memset(&conn, 0, sizeof(conn));
	return 0;
}

static void set_flags(struct packet *pkt, const char *letters)
{
	static const struct {
		char letter;
		uint8_t flag;
	} flags[] = {{'S', TCPHDR_SYN}, {'F', TCPHDR_FIN}, {'R', TCPHDR_RST},
		     {'P', TCPHDR_PSH}, {'.', TCPHDR_ACK}, {'-', 0}};

	for (; *letters; letters++) {
		size_t i = 0;

		while (i < COUNT_OF(flags) && flags[i].letter != *letters)
			i++;
		assert_true(i < COUNT_OF(flags));
		pkt->tcp_flags |= flags[i].flag;
	}
}

static void set_field(struct packet *pkt, const char *name, uint32_t value)
{
	if (!strcmp(name, "ack")) {
		pkt->tcp_ack = value;
	} else if (!strcmp(name, "len")) {
		pkt->payload_bytes = value;
	} else if (!strcmp(name, "win")) {
		pkt->tcp_window = value;
	} else if (!strcmp(name, "ttl")) {
		pkt->ttl = value;
	} else if (!strcmp(name, "segments")) {
		pkt->segments = value;
	} else if (!strcmp(name, "mss")) {
		pkt->tcp_options.mss = value;
		pkt->tcp_options.flags |= TCP_HAS_MSS;
	} else if (!strcmp(name, "scale")) {
		pkt->tcp_options.window_scale = value;
		pkt->tcp_options.flags |= TCP_HAS_WINDOW_SCALE;
	} else {
		fail_msg("no such field: %s", name);
	}
}

/* Return: the end that sends it. */
static flow_end parse_segment(struct packet *pkt, const char *line)
{
	char text[128], *rest = text, *sender, *name;

	*pkt = (struct packet){.ip_version = 4, .ip_proto = IPPROTO_TCP, .flags = PACKET_HAS_L4, .ttl = 64};
	pkt->tcp_window = 65535;
	snprintf(text, sizeof(text), "%s", line);
	sender = strsep(&rest, " ");
	set_flags(pkt, strsep(&rest, " "));
	pkt->tcp_seq = strtoul(strsep(&rest, " "), NULL, 10);
	while ((name = strsep(&rest, " ")))
		set_field(pkt, name, strtoul(strsep(&rest, " "), NULL, 10));
	return *sender == 'C' ? client : server;
}

static void events_text(char *text, size_t bytes, uint32_t events)
{
	size_t used = 0;

	snprintf(text, bytes, "nothing");
	for (int i = 0; i < TCP_EVENT_COUNT; i++)
		if (events & 1u << i)
			used += snprintf(text + used, bytes - used, "%s%s", used ? "+" : "",
					 tcp_event_key(i));
}

/* As the programs do it: the first segment of a flow begins it. */
static void segment(int source_line, uint64_t ms, const char *line, uint32_t expected)
{
	char want[256], got[256];
	struct packet pkt;
	flow_end from = parse_segment(&pkt, line);
	uint64_t now_ns = (ms + 1) * NS_PER_MS;
	uint32_t events;

	if (!conn.first_ns)
		tcp_track_begin(&conn, now_ns);
	events = tcp_track_segment(&conn, &pkt, from, now_ns);
	events_text(want, sizeof(want), expected);
	events_text(got, sizeof(got), events);
	if (events != expected)
		fail_msg("line %d: %s: expected %s, got %s", source_line, line, want, got);
}

#define AT(ms, line, expected) segment(__LINE__, ms, line, expected)
#define EVENT(name)            TCP_EVENT_##name

static struct tcp_side *side(flow_end end)
{
	return &conn.side[end];
}

static uint64_t ms_between(uint64_t from_ns, uint64_t to_ns)
{
	assert_int_not_equal(from_ns, 0);
	assert_true(to_ns >= from_ns);
	return (to_ns - from_ns) / NS_PER_MS;
}

static void expect_legs(uint64_t to_server_ms, uint64_t to_client_ms)
{
	assert_int_equal(ms_between(conn.syn_last_ns, conn.synack_first_ns), to_server_ms);
	assert_int_equal(ms_between(conn.synack_last_ns, conn.established_ns), to_client_ms);
}

static int ambiguous(void)
{
	return !!(conn.flags & TCP_TRACK_AMBIGUOUS);
}

/* Client 1000, server 5000; both offer a window of 65535 and no scaling. */
static void open_connection(void)
{
	AT(0, "C S 1000", EVENT(SYN));
	AT(1, "S S. 5000 ack 1001", EVENT(SYNACK));
	AT(2, "C . 1001 ack 5001", EVENT(ESTABLISHED));
}

static void expect_unchanged(const struct tcp_track *before)
{
	struct tcp_track after = conn;

	/* Such a segment is counted, and may be answered by a challenge ACK; nothing else. */
	after.last_ns = before->last_ns;
	after.challenged = before->challenged;
	for (int i = 0; i < 2; i++) {
		after.side[i].packets = before->side[i].packets;
		after.side[i].bytes = before->side[i].bytes;
	}
	assert_memory_equal(&after, before, sizeof(after));
}

#define AT_UNCHANGED(ms, line, expected)                                                                     \
	do {                                                                                                 \
		struct tcp_track before = conn;                                                              \
		AT(ms, line, expected);                                                                      \
		expect_unchanged(&before);                                                                   \
	} while (0)

/* --- opening ----------------------------------------------------------------------------------------- */

static void test_handshake(void **state)
{
	(void)state;
	/* the client asks, with what it can */
	AT(0, "C S 1000 win 64240 mss 1460 scale 7 ttl 61", EVENT(SYN));
	assert_int_equal(conn.phase, TCP_PHASE_OPENING);
	assert_int_equal(conn.client, client);
	/* 12 ms later the server answers */
	AT(12, "S S. 5000 ack 1001 win 65160 mss 1400 scale 9 ttl 59", EVENT(SYNACK));
	assert_int_equal(conn.phase, TCP_PHASE_ANSWERED);
	/* and 30 ms later the client acknowledges */
	AT(42, "C . 1001 ack 5001 win 502 ttl 60", EVENT(ESTABLISHED));
	assert_int_equal(conn.phase, TCP_PHASE_ESTABLISHED);
	expect_legs(12, 30);
	assert_false(ambiguous());
	assert_int_equal(conn.flags, 0);
	assert_int_equal(conn.closer, TCP_END_UNKNOWN);
	assert_int_equal(side(client)->isn, 1000);
	assert_int_equal(side(server)->isn, 5000);
	assert_int_equal(side(client)->mss, 1460);
	assert_int_equal(side(server)->mss, 1400);
	assert_int_equal(side(client)->ttl, 61);
	assert_int_equal(side(server)->ttl, 59);
	assert_int_equal(side(client)->edge, 5001 + (502 << 7));
	assert_int_equal(side(server)->edge, 1001 + 65160);
}

static void test_syn_again(void **state)
{
	(void)state;
	/* the SYN is lost behind the observer: again after 1, 3 and 7 seconds */
	AT(0, "C S 1000", EVENT(SYN));
	AT(1000, "C S 1000", EVENT(SYN_RETRANSMIT));
	AT(3000, "C S 1000", EVENT(SYN_RETRANSMIT));
	AT(7000, "C S 1000", EVENT(SYN_RETRANSMIT));
	assert_int_equal(conn.phase, TCP_PHASE_OPENING);
	/* which of the four is answered, nobody can say */
	AT(7020, "S S. 5000 ack 1001", EVENT(SYNACK));
	AT(7050, "C . 1001 ack 5001", EVENT(ESTABLISHED));
	expect_legs(20, 30);
	assert_int_equal(ms_between(conn.syn_first_ns, conn.synack_first_ns), 7020);
	assert_true(ambiguous());
	assert_int_equal(side(client)->retransmits, 3);
	assert_int_equal(side(client)->packets, 5);
}

static void test_syn_again_behind_the_answer(void **state)
{
	(void)state;
	/* the SYN-ACK is lost on its way from the observer to the client */
	AT(0, "C S 1000", EVENT(SYN));
	AT(20, "S S. 5000 ack 1001", EVENT(SYNACK));
	AT(1000, "C S 1000", EVENT(SYN_RETRANSMIT));
	AT(1020, "S S. 5000 ack 1001", EVENT(SYNACK_RETRANSMIT));
	AT(1050, "C . 1001 ack 5001", EVENT(ESTABLISHED));
	/* the second SYN cannot be what the first SYN-ACK answers */
	expect_legs(20, 30);
	assert_int_equal(ms_between(conn.synack_first_ns, conn.established_ns), 1030);
	assert_true(ambiguous());
}

static void test_synack_again(void **state)
{
	(void)state;
	AT(0, "C S 1000", EVENT(SYN));
	AT(10, "S S. 5000 ack 1001", EVENT(SYNACK));
	AT(1010, "S S. 5000 ack 1001", EVENT(SYNACK_RETRANSMIT));
	AT(3010, "S S. 5000 ack 1001", EVENT(SYNACK_RETRANSMIT));
	AT(3050, "C . 1001 ack 5001", EVENT(ESTABLISHED));
	expect_legs(10, 40);
	assert_int_equal(ms_between(conn.synack_first_ns, conn.synack_last_ns), 3000);
	assert_true(ambiguous());
	assert_int_equal(side(server)->retransmits, 2);
	/* one that was still on its way changes nothing any more */
	AT(3051, "S S. 5000 ack 1001", EVENT(SYNACK_RETRANSMIT));
	expect_legs(10, 40);
	assert_int_equal(conn.phase, TCP_PHASE_ESTABLISHED);
}

static void test_two_isns(void **state)
{
	(void)state;
	/* two servers behind one address, say; the client takes the second one's number */
	AT(0, "C S 1000", EVENT(SYN));
	AT(10, "S S. 5000 ack 1001", EVENT(SYNACK));
	AT(11, "S S. 9000 ack 1001", EVENT(SYNACK_RETRANSMIT) | EVENT(ISN_CHANGED));
	assert_int_equal(side(server)->isn, 5000);
	AT(20, "C . 1001 ack 9001", EVENT(ESTABLISHED));
	assert_int_equal(side(server)->isn, 9000);
	assert_true(ambiguous());
	/* the one taken goes on, and it is data, not a retransmission */
	AT(30, "S P. 9001 ack 1001 len 100", NOTHING);
}

static void test_two_isns_first_taken(void **state)
{
	(void)state;
	AT(0, "C S 1000", EVENT(SYN));
	AT(10, "S S. 5000 ack 1001", EVENT(SYNACK));
	AT(11, "S S. 9000 ack 1001", EVENT(SYNACK_RETRANSMIT) | EVENT(ISN_CHANGED));
	AT(20, "C . 1001 ack 5001", EVENT(ESTABLISHED));
	assert_int_equal(side(server)->isn, 5000);
	AT(30, "S P. 5001 ack 1001 len 100", NOTHING);
}

static void test_simultaneous_open(void **state)
{
	(void)state;
	/* RFC 9293 figure 9: both SYNs cross, each is answered */
	AT(0, "C S 1000", EVENT(SYN));
	AT(5, "S S 5000", EVENT(SYN) | EVENT(SIMULTANEOUS));
	AT(10, "C S. 1000 ack 5001", EVENT(SYNACK));
	AT(15, "S S. 5000 ack 1001", EVENT(SYNACK) | EVENT(ESTABLISHED));
	assert_int_equal(conn.phase, TCP_PHASE_ESTABLISHED);
	assert_int_equal(conn.client, client);
	assert_false(ambiguous());
	assert_int_equal(side(client)->retransmits, 0);
	expect_legs(5, 10);
	/* the SYN-ACK again is a retransmission */
	AT(20, "C S. 1000 ack 5001", EVENT(SYNACK_RETRANSMIT));
}

static void test_simultaneous_open_plain_ack(void **state)
{
	(void)state;
	AT(0, "C S 1000", EVENT(SYN));
	AT(5, "S S 5000", EVENT(SYN) | EVENT(SIMULTANEOUS));
	AT(10, "S S 5000", EVENT(SYN_RETRANSMIT));
	AT(11, "C . 1001 ack 5001", NOTHING);
	AT(12, "S . 5001 ack 1001", EVENT(ESTABLISHED));
	assert_true(ambiguous());
}

static void test_split_handshake_of_four(void **state)
{
	(void)state;
	/* the server splits its answer into ACK and SYN; the client acknowledges the SYN */
	AT(0, "C S 1000", EVENT(SYN));
	AT(10, "S . 5000 ack 1001", NOTHING);
	AT(11, "S S 5000", EVENT(SYN) | EVENT(SPLIT));
	AT(31, "C . 1001 ack 5001", EVENT(ESTABLISHED));
	expect_legs(11, 20);
	assert_int_equal(conn.client, client);
	assert_false(ambiguous());
}

static void test_split_handshake_of_five(void **state)
{
	(void)state;
	/* the client answers the SYN as in a simultaneous open, and the server acknowledges that once more */
	AT(0, "C S 1000", EVENT(SYN));
	AT(10, "S . 5000 ack 1001", NOTHING);
	AT(11, "S S 5000", EVENT(SYN) | EVENT(SPLIT));
	AT(31, "C S. 1000 ack 5001", EVENT(SYNACK) | EVENT(ESTABLISHED));
	AT(41, "S . 5001 ack 1001", NOTHING);
	assert_int_equal(conn.phase, TCP_PHASE_ESTABLISHED);
	assert_int_equal(conn.client, client);
	assert_int_equal(side(client)->retransmits, 0);
}

static void test_final_ack_overtakes(void **state)
{
	(void)state;
	/* a capture that swaps the last two */
	AT(0, "C S 1000", EVENT(SYN));
	AT(20, "C . 1001 ack 5001", NOTHING);
	assert_int_equal(conn.phase, TCP_PHASE_OPENING);
	AT(21, "S S. 5000 ack 1001", EVENT(SYNACK) | EVENT(ESTABLISHED));
	expect_legs(21, 0);
	assert_true(ambiguous());
	assert_int_equal(conn.client, client);
	AT(30, "C P. 1001 ack 5001 len 10", NOTHING);
}

static void test_syn_overtaken(void **state)
{
	(void)state;
	/* the answer passes first: the SYN's number follows from it */
	AT(0, "S S. 5000 ack 1001 scale 2", EVENT(SYNACK) | EVENT(MIDSTREAM));
	assert_int_equal(conn.client, client);
	assert_int_equal(side(client)->isn, 1000);
	AT(1, "C S 1000 mss 1460 scale 3", EVENT(SYN));
	assert_int_equal(side(client)->mss, 1460);
	assert_int_equal(side(client)->retransmits, 0);
	AT(2, "C . 1001 ack 5001 win 100", EVENT(ESTABLISHED));
	assert_int_equal(side(client)->edge, 5001 + (100 << 3));
}

static void test_syn_missed(void **state)
{
	(void)state;
	AT(0, "S S. 5000 ack 1001", EVENT(SYNACK) | EVENT(MIDSTREAM));
	AT(7, "C . 1001 ack 5001", EVENT(ESTABLISHED));
	assert_int_equal(conn.syn_first_ns, 0);
	assert_int_equal(ms_between(conn.synack_last_ns, conn.established_ns), 7);
	assert_true(conn.flags & TCP_TRACK_MIDSTREAM);
}

static void test_data_on_syn(void **state)
{
	(void)state;
	/* TCP Fast Open (RFC 7413): the request rides on the SYN, the answer on the SYN-ACK */
	AT(0, "C S 1000 len 100", EVENT(SYN) | EVENT(SYN_DATA));
	AT(10, "S S. 5000 ack 1101 len 50", EVENT(SYNACK));
	AT(20, "C . 1101 ack 5051", EVENT(ESTABLISHED));
	assert_int_equal(side(client)->bytes, 100);
	assert_int_equal(side(server)->bytes, 50);
	assert_int_equal(side(client)->next, 1101);
	assert_int_equal(side(server)->next, 5051);
}

static void test_data_on_syn_not_taken(void **state)
{
	(void)state;
	/* the server acknowledges the SYN alone: the data comes again */
	AT(0, "C S 1000 len 100", EVENT(SYN) | EVENT(SYN_DATA));
	AT(10, "S S. 5000 ack 1001", EVENT(SYNACK));
	AT(20, "C P. 1001 ack 5001 len 100", EVENT(ESTABLISHED) | EVENT(RETRANSMIT));
	assert_int_equal(side(client)->bytes, 200);
}

static void test_established_by_data(void **state)
{
	(void)state;
	/* the bare ACK was lost before the observer */
	AT(0, "C S 1000", EVENT(SYN));
	AT(1, "S S. 5000 ack 1001", EVENT(SYNACK));
	AT(2, "C P. 1001 ack 5001 len 10", EVENT(ESTABLISHED));
}

static void test_established_by_fin(void **state)
{
	(void)state;
	AT(0, "C S 1000", EVENT(SYN));
	AT(1, "S S. 5000 ack 1001", EVENT(SYNACK));
	AT(2, "C F. 1001 ack 5001", EVENT(ESTABLISHED) | EVENT(FIN));
	assert_int_equal(conn.phase, TCP_PHASE_CLOSING);
	AT(3, "S F. 5001 ack 1002", EVENT(FIN));
	AT(4, "C . 1002 ack 5002", EVENT(CLOSED));
}

static void test_fin_before_established(void **state)
{
	(void)state;
	/* the server closes while it waits for the ACK (RFC 9293 §3.10.4, SYN-RECEIVED) */
	AT(0, "C S 1000", EVENT(SYN));
	AT(1, "S S. 5000 ack 1001", EVENT(SYNACK));
	AT(2, "S F. 5001 ack 1001", EVENT(FIN));
	AT(3, "C . 1001 ack 5002", EVENT(ESTABLISHED));
	assert_int_equal(conn.phase, TCP_PHASE_CLOSING);
	assert_int_equal(conn.closer, server);
}

static void test_new_attempt(void **state)
{
	(void)state;
	/* nothing came back; a minute later the client tries anew from the same port */
	AT(0, "C S 1000", EVENT(SYN));
	AT(1000, "C S 1000", EVENT(SYN_RETRANSMIT));
	AT(60000, "C S 777000", EVENT(TIMED_OUT) | EVENT(REUSED) | EVENT(SYN));
	assert_int_equal(ms_between(0 + NS_PER_MS, conn.first_ns), 60000);
	/* a late answer to the first attempt is not one to the second */
	AT_UNCHANGED(60001, "S S. 5000 ack 1001", EVENT(ACK_IGNORED));
	AT(60010, "S S. 8000 ack 777001", EVENT(SYNACK));
	AT(60030, "C . 777001 ack 8001", EVENT(ESTABLISHED));
	expect_legs(10, 20);
	assert_false(ambiguous());
}

static void test_challenged_syn(void **state)
{
	(void)state;
	/* the server still has an old connection, of which the observer knows nothing: it challenges the SYN
	 */
	AT(0, "C S 1000", EVENT(SYN));
	AT_UNCHANGED(1, "S . 700000 ack 300000", EVENT(ACK_IGNORED));
	/* the client resets that one, at the number which the challenge named: no end of this attempt */
	AT_UNCHANGED(2, "C R 300000", EVENT(RST_IGNORED));
	AT(1000, "C S 1000", EVENT(SYN_RETRANSMIT));
	AT(1010, "S S. 5000 ack 1001", EVENT(SYNACK));
	AT(1020, "C . 1001 ack 5001", EVENT(ESTABLISHED));
}

static void test_midstream(void **state)
{
	(void)state;
	AT(0, "S P. 5000 ack 1000 len 1000 win 500", EVENT(MIDSTREAM));
	assert_int_equal(conn.client, TCP_END_UNKNOWN);
	assert_int_equal(conn.phase, TCP_PHASE_ESTABLISHED);
	assert_true(conn.flags & TCP_TRACK_MIDSTREAM);
	/* the window scale is unknown: far beyond the bare number is not out of window */
	AT(1, "C P. 1000 ack 6000 len 50000 win 10", NOTHING);
	AT(2, "S P. 6000 ack 51000 len 30000", NOTHING);
	AT(2, "S P. 36000 ack 51000 len 30000", NOTHING);
	/* one end closes, the other too */
	AT(3, "C F. 51000 ack 66000", EVENT(FIN));
	AT(4, "S F. 66000 ack 51001", EVENT(FIN));
	AT(5, "C . 51001 ack 66001", EVENT(CLOSED));
	assert_int_equal(conn.closer, client);
	assert_int_equal(conn.established_ns, 0);
}

static void test_midstream_retransmission_first(void **state)
{
	(void)state;
	/* what is seen first is an old segment: the peer may have acknowledged more than was seen */
	AT(0, "C P. 1000 ack 5000 len 100", EVENT(MIDSTREAM));
	AT(1, "S . 5000 ack 9000", NOTHING);
	assert_int_equal(side(server)->acked, 9000);
}

static void test_midstream_reset(void **state)
{
	(void)state;
	/* the peer has forgotten the connection: its RST takes the number from what it answers */
	AT(0, "C P. 1000 ack 5000 len 100", EVENT(MIDSTREAM));
	AT(1, "S R 5000", EVENT(RESET));
	assert_int_equal(conn.closer, server);
}

static void test_scans(void **state)
{
	(void)state;
	/* no ACK, no SYN, no RST: RFC 9293 §3.10.7.4 drops it, whatever else it says */
	AT(0, "C - 1000", EVENT(ACK_IGNORED));
	AT(1, "C FP 1000", EVENT(ACK_IGNORED));
	assert_int_equal(conn.phase, TCP_PHASE_NONE);
	/* and what comes then begins as ever */
	AT(2, "C S 1000", EVENT(SYN));
	assert_int_equal(conn.client, client);
}

/* --- refusing and resetting -------------------------------------------------------------------------- */

static void test_refused(void **state)
{
	(void)state;
	AT(0, "C S 1000", EVENT(SYN));
	AT(3, "S R. 0 ack 1001 win 0", EVENT(REFUSED));
	assert_int_equal(conn.phase, TCP_PHASE_RESET);
	assert_int_equal(conn.closer, server);
	assert_int_equal(conn.established_ns, 0);
	/* a second one is nothing new */
	AT(4, "S R. 0 ack 1001 win 0", NOTHING);
}

static void test_rst_of_the_isn_is_ignored(void **state)
{
	(void)state;
	AT(0, "C S 1000", EVENT(SYN));
	/* acknowledges the ISN, not ISN + 1 */
	AT_UNCHANGED(1, "S R. 0 ack 1000", EVENT(RST_IGNORED));
	/* what was never sent */
	AT_UNCHANGED(2, "S R. 0 ack 1002", EVENT(RST_IGNORED));
	/* nothing at all */
	AT_UNCHANGED(3, "S R 0", EVENT(RST_IGNORED));
	/* the connection opens as if nothing had been */
	AT(10, "S S. 5000 ack 1001", EVENT(SYNACK));
	AT(20, "C . 1001 ack 5001", EVENT(ESTABLISHED));
	expect_legs(10, 10);
	assert_int_equal(side(server)->packets, 4);
}

static void test_refused_with_data_on_syn(void **state)
{
	(void)state;
	AT(0, "C S 1000 len 100", EVENT(SYN) | EVENT(SYN_DATA));
	AT(1, "S R. 0 ack 1101", EVENT(REFUSED));
}

static void test_client_resets_the_answer(void **state)
{
	(void)state;
	/* what a kernel does that knows nothing of our SYN */
	AT(0, "C S 1000", EVENT(SYN));
	AT(1, "S S. 5000 ack 1001", EVENT(SYNACK));
	AT(2, "C R 1001", EVENT(RESET));
	assert_int_equal(conn.closer, client);
}

static void test_reset(void **state)
{
	(void)state;
	open_connection();
	AT(10, "C P. 1001 ack 5001 len 100", NOTHING);
	/* the server aborts: at the number that it has sent up to */
	AT(11, "S R. 5001 ack 1101", EVENT(RESET));
	assert_int_equal(conn.phase, TCP_PHASE_RESET);
	assert_int_equal(conn.closer, server);
	/* what was still on its way is counted and is no news */
	AT(12, "C P. 1101 ack 5001 len 100", NOTHING);
	AT(13, "C F. 1201 ack 5001", NOTHING);
	assert_int_equal(conn.phase, TCP_PHASE_RESET);
	assert_int_equal(side(client)->bytes, 200);
}

static void test_reset_in_flight(void **state)
{
	(void)state;
	open_connection();
	/* 100 bytes not yet acknowledged: the sender aborts behind them, the receiver would answer before
	 * them */
	AT(10, "C P. 1001 ack 5001 len 100", NOTHING);
	AT(11, "C R. 1101 ack 5001", EVENT(RESET));
	assert_int_equal(conn.closer, client);
}

static void test_reset_at_the_acknowledged(void **state)
{
	(void)state;
	open_connection();
	/* it answers a segment: its number is that segment's acknowledgment */
	AT(10, "C P. 1001 ack 5001 len 100", NOTHING);
	AT(11, "C R 1001", EVENT(RESET));
}

static void test_blind_reset(void **state)
{
	(void)state;
	open_connection();
	AT(10, "C P. 1001 ack 5001 len 100", NOTHING);
	/* RFC 5961 §3.2: in the window is not enough, it must be the very next number */
	AT_UNCHANGED(11, "S R 5002", EVENT(RST_IGNORED));
	AT_UNCHANGED(12, "S R 25000", EVENT(RST_IGNORED));
	AT_UNCHANGED(13, "S R 5000", EVENT(RST_IGNORED));
	AT_UNCHANGED(14, "S R 4000000000", EVENT(RST_IGNORED));
	AT_UNCHANGED(15, "C R 1050", EVENT(RST_IGNORED));
	assert_int_equal(conn.phase, TCP_PHASE_ESTABLISHED);
	AT(16, "S . 5001 ack 1101", NOTHING);
}

static void test_reset_after_fin(void **state)
{
	(void)state;
	open_connection();
	/* the server closed first; the client, with data unread, resets */
	AT(10, "S F. 5001 ack 1001", EVENT(FIN));
	AT(11, "C R. 1001 ack 5002", EVENT(RESET));
	assert_int_equal(conn.closer, server);
}

/* --- data -------------------------------------------------------------------------------------------- */

static void test_volume(void **state)
{
	(void)state;
	open_connection();
	AT(10, "C P. 1001 ack 5001 len 100", NOTHING);
	AT(11, "S . 5001 ack 1101", NOTHING);
	AT(12, "S . 5001 ack 1101 len 1460", NOTHING);
	AT(13, "S P. 6461 ack 1101 len 40", NOTHING);
	AT(14, "C . 1101 ack 6501", NOTHING);
	assert_int_equal(side(client)->packets, 4);
	assert_int_equal(side(client)->bytes, 100);
	assert_int_equal(side(server)->packets, 4);
	assert_int_equal(side(server)->bytes, 1500);
	assert_int_equal(side(client)->retransmits + side(server)->retransmits, 0);
}

static void test_volume_of_offloaded_segments(void **state)
{
	(void)state;
	open_connection();
	/* the network card will cut it into three */
	AT(10, "C P. 1001 ack 5001 len 3000 segments 3", NOTHING);
	/* this one fits: the kernel says one, or nothing */
	AT(11, "C P. 4001 ack 5001 len 100 segments 1", NOTHING);
	assert_int_equal(side(client)->packets, 2 + 3 + 1);
	assert_int_equal(side(client)->bytes, 3100);
}

static void test_retransmission(void **state)
{
	(void)state;
	open_connection();
	AT(10, "C P. 1001 ack 5001 len 100", NOTHING);
	AT(210, "C P. 1001 ack 5001 len 100", EVENT(RETRANSMIT));
	/* together with what is new */
	AT(420, "C P. 1001 ack 5001 len 200", EVENT(RETRANSMIT));
	/* although it was acknowledged: the ACK was lost behind the observer */
	AT(421, "S . 5001 ack 1201", NOTHING);
	AT(630, "C P. 1001 ack 5001 len 200", EVENT(DUPLICATE));
	assert_int_equal(side(client)->retransmits, 3);
	assert_int_equal(side(client)->bytes, 600);
	assert_int_equal(side(client)->next, 1201);
	/* a repeated ACK without data is none */
	AT(631, "S . 5001 ack 1201", NOTHING);
}

static void test_keep_alive(void **state)
{
	(void)state;
	open_connection();
	AT(10, "C P. 1001 ack 5001 len 100", NOTHING);
	AT(11, "S . 5001 ack 1101", NOTHING);
	/* the last byte once more, with and without that byte (RFC 9293 §3.8.4) */
	AT(60000, "C . 1100 ack 5001 len 0", EVENT(KEEP_ALIVE));
	AT(60001, "S . 5001 ack 1101", NOTHING);
	AT(120000, "C . 1100 ack 5001 len 1", EVENT(KEEP_ALIVE));
	assert_int_equal(side(client)->retransmits, 0);
}

static void test_one_byte_again_is_no_keep_alive(void **state)
{
	(void)state;
	open_connection();
	/* a key pressed in a terminal session, not yet acknowledged */
	AT(10, "C P. 1001 ack 5001 len 1", NOTHING);
	AT(210, "C P. 1001 ack 5001 len 1", EVENT(RETRANSMIT));
}

static void test_out_of_window(void **state)
{
	(void)state;
	AT(0, "C S 1000", EVENT(SYN));
	AT(1, "S S. 5000 ack 1001 win 1000", EVENT(SYNACK));
	AT(2, "C . 1001 ack 5001 win 1000", EVENT(ESTABLISHED));
	/* at the very edge there is still something acceptable: the probe of a closed window */
	AT_UNCHANGED(3, "C P. 2002 ack 5001 len 10", EVENT(OUT_OF_WINDOW));
	/* the window has moved on: now it is in */
	AT(4, "C P. 1001 ack 5001 len 500", NOTHING);
	AT(5, "S . 5001 ack 1501 win 1000", NOTHING);
	AT(6, "C P. 2002 ack 5001 len 10", NOTHING);
	/* older than any window reaches back: not a duplicate of this connection */
	AT_UNCHANGED(7, "C P. 400 ack 5001 len 10", EVENT(OUT_OF_WINDOW));
	AT_UNCHANGED(8, "S P. 3000000000 ack 1501 len 10", EVENT(OUT_OF_WINDOW));
	/* a probe */
	AT(9, "C . 2501 ack 5001 len 1", NOTHING);
}

static void test_window_scale(void **state)
{
	(void)state;
	/* the windows of SYN and SYN-ACK are not scaled, those behind them are */
	AT(0, "C S 1000 win 1000 scale 4", EVENT(SYN));
	AT(1, "S S. 5000 ack 1001 win 1000 scale 2", EVENT(SYNACK));
	assert_int_equal(side(server)->edge, 1001 + 1000);
	AT(2, "C . 1001 ack 5001 win 1000", EVENT(ESTABLISHED));
	assert_int_equal(side(client)->edge, 5001 + (1000 << 4));
	AT_UNCHANGED(3, "S P. 21002 ack 1001 len 1", EVENT(OUT_OF_WINDOW));
	AT(4, "S P. 20990 ack 1001 len 1 win 1000", NOTHING);
	assert_int_equal(side(server)->edge, 1001 + (1000 << 2));
	/* a smaller window does not take back what was offered */
	AT(5, "S . 20991 ack 1001 win 10", NOTHING);
	assert_int_equal(side(server)->edge, 1001 + (1000 << 2));
}

static void test_window_scale_of_one_end_only(void **state)
{
	(void)state;
	/* RFC 7323 §2.2: only if both offer it */
	AT(0, "C S 1000 scale 7", EVENT(SYN));
	AT(1, "S S. 5000 ack 1001", EVENT(SYNACK));
	AT(2, "C . 1001 ack 5001 win 1000", EVENT(ESTABLISHED));
	assert_int_equal(side(client)->edge, 5001 + 1000);
}

static void test_wrong_acknowledgment(void **state)
{
	(void)state;
	open_connection();
	AT(10, "C P. 1001 ack 5001 len 100", NOTHING);
	/* what lies beyond the server's own window cannot have come in there */
	AT_UNCHANGED(11, "S P. 5001 ack 900000 len 10", EVENT(ACK_IGNORED));
	/* an ACK that overtakes what it acknowledges */
	AT(12, "S . 5001 ack 1201", NOTHING);
	AT(13, "C P. 1101 ack 5001 len 100", NOTHING);
}

static void test_wrap(void **state)
{
	(void)state;
	/* both numbers pass 2^32 */
	AT(0, "C S 4294967290", EVENT(SYN));
	AT(1, "S S. 4294967295 ack 4294967291", EVENT(SYNACK));
	AT(2, "C . 4294967291 ack 0", EVENT(ESTABLISHED));
	AT(3, "C P. 4294967291 ack 0 len 100", NOTHING);
	assert_int_equal(side(client)->next, 95);
	AT(4, "S P. 0 ack 95 len 10", NOTHING);
	AT(5, "C P. 4294967291 ack 10 len 100", EVENT(DUPLICATE));
	AT_UNCHANGED(6, "C P. 95095 ack 10 len 1", EVENT(OUT_OF_WINDOW));
	AT(7, "C F. 95 ack 10", EVENT(FIN));
	AT(8, "S F. 10 ack 96", EVENT(FIN));
	AT(9, "C . 96 ack 11", EVENT(CLOSED));
}

static void test_refused_at_the_wrap(void **state)
{
	(void)state;
	AT(0, "C S 4294967295", EVENT(SYN));
	AT_UNCHANGED(1, "S R. 0 ack 4294967295", EVENT(RST_IGNORED));
	AT(2, "S R. 0 ack 0", EVENT(REFUSED));
}

/* --- closing ----------------------------------------------------------------------------------------- */

static void test_close(void **state)
{
	(void)state;
	open_connection();
	AT(10, "C F. 1001 ack 5001", EVENT(FIN));
	assert_int_equal(conn.phase, TCP_PHASE_CLOSING);
	AT(11, "S F. 5001 ack 1002", EVENT(FIN));
	AT(12, "C . 1002 ack 5002", EVENT(CLOSED));
	assert_int_equal(conn.phase, TCP_PHASE_CLOSED);
	assert_int_equal(conn.closer, client);
	assert_int_equal(ms_between(conn.first_ns, conn.last_ns), 12);
}

static void test_server_closes_first(void **state)
{
	(void)state;
	open_connection();
	AT(10, "S FP. 5001 ack 1001 len 300", EVENT(FIN));
	AT(11, "C . 1001 ack 5302", NOTHING);
	AT(12, "C F. 1001 ack 5302", EVENT(FIN));
	AT(13, "S . 5302 ack 1002", EVENT(CLOSED));
	assert_int_equal(conn.closer, server);
}

static void test_half_close(void **state)
{
	(void)state;
	open_connection();
	/* the client has said all; the server goes on */
	AT(10, "C F. 1001 ack 5001", EVENT(FIN));
	AT(11, "S . 5001 ack 1002", NOTHING);
	AT(12, "S P. 5001 ack 1002 len 1000", NOTHING);
	AT(13, "C . 1002 ack 6001", NOTHING);
	assert_int_equal(conn.phase, TCP_PHASE_CLOSING);
	AT(14, "S F. 6001 ack 1002", EVENT(FIN));
	assert_int_equal(conn.phase, TCP_PHASE_CLOSING);
	AT(15, "C . 1002 ack 6002", EVENT(CLOSED));
}

static void test_fin_again(void **state)
{
	(void)state;
	open_connection();
	AT(10, "C F. 1001 ack 5001", EVENT(FIN));
	AT(210, "C F. 1001 ack 5001", EVENT(FIN_RETRANSMIT));
	AT(211, "S F. 5001 ack 1002", EVENT(FIN));
	AT(411, "S F. 5001 ack 1002", EVENT(FIN_RETRANSMIT));
	AT(412, "C . 1002 ack 5002", EVENT(CLOSED));
	/* the last ACK was lost behind the observer */
	AT(611, "S F. 5001 ack 1002", EVENT(FIN_RETRANSMIT));
	AT(612, "C . 1002 ack 5002", NOTHING);
	assert_int_equal(conn.phase, TCP_PHASE_CLOSED);
}

static void test_simultaneous_close(void **state)
{
	(void)state;
	open_connection();
	/* RFC 9293 figure 13: the FINs cross */
	AT(10, "S F. 5001 ack 1001", EVENT(FIN));
	AT(11, "C F. 1001 ack 5001", EVENT(FIN));
	AT(12, "S . 5002 ack 1002", NOTHING);
	assert_int_equal(conn.phase, TCP_PHASE_CLOSING);
	AT(13, "C . 1002 ack 5002", EVENT(CLOSED));
	assert_int_equal(conn.closer, server);
}

static void test_fin_ahead_of_data(void **state)
{
	(void)state;
	open_connection();
	/* the FIN overtakes 100 bytes: their acknowledgment is not the FIN's */
	AT(10, "C F. 1101 ack 5001", EVENT(FIN));
	AT(11, "S F. 5001 ack 1001", EVENT(FIN));
	AT(12, "C . 1102 ack 5002", NOTHING);
	assert_int_equal(conn.phase, TCP_PHASE_CLOSING);
	AT(13, "S . 5002 ack 1102", EVENT(CLOSED));
}

static void test_fin_overtaken_by_its_ack(void **state)
{
	(void)state;
	open_connection();
	AT(10, "S F. 5001 ack 1002", EVENT(FIN));
	AT(11, "C F. 1001 ack 5001", EVENT(FIN));
	AT(12, "C . 1002 ack 5002", EVENT(CLOSED));
}

/* --- the tuple once more ----------------------------------------------------------------------------- */

static void test_reuse_after_close(void **state)
{
	(void)state;
	test_close(state);
	/* an old duplicate is not a new connection */
	AT(100, "C S 1000", EVENT(SYN_RETRANSMIT));
	assert_int_equal(conn.phase, TCP_PHASE_CLOSED);
	/* another number is one, and everything starts from nothing */
	AT(1000, "C S 90000 ttl 33", EVENT(REUSED) | EVENT(SYN));
	assert_int_equal(conn.phase, TCP_PHASE_OPENING);
	assert_int_equal(side(client)->packets, 1);
	assert_int_equal(side(client)->ttl, 33);
	assert_int_equal(side(server)->packets, 0);
	AT(1010, "S S. 70000 ack 90001", EVENT(SYNACK));
	AT(1020, "C . 90001 ack 70001", EVENT(ESTABLISHED));
	expect_legs(10, 10);
	assert_false(ambiguous());
}

static void test_reuse_from_the_other_end(void **state)
{
	(void)state;
	test_close(state);
	AT(1000, "S S 90000", EVENT(REUSED) | EVENT(SYN));
	assert_int_equal(conn.client, server);
}

static void test_reuse_after_reset(void **state)
{
	(void)state;
	test_refused(state);
	/* the very same SYN: the client has not taken the RST, or asks once more */
	AT(1000, "C S 1000", EVENT(REUSED) | EVENT(SYN));
	AT(1010, "S S. 5000 ack 1001", EVENT(SYNACK));
	AT(1020, "C . 1001 ack 5001", EVENT(ESTABLISHED));
	expect_legs(10, 10);
}

static void test_reuse_seen_by_the_answer_only(void **state)
{
	(void)state;
	test_close(state);
	AT(1000, "S S. 70000 ack 90001", EVENT(REUSED) | EVENT(SYNACK) | EVENT(MIDSTREAM));
	assert_int_equal(conn.phase, TCP_PHASE_ANSWERED);
	assert_int_equal(side(server)->packets, 1);
}

static void test_syn_on_open_connection_challenged(void **state)
{
	(void)state;
	open_connection();
	AT(10, "C P. 1001 ack 5001 len 100", NOTHING);
	AT(11, "S . 5001 ack 1101", NOTHING);
	/* RFC 9293 §3.10.7.4: answered by an ACK of what is expected */
	AT(12, "C S 300000", EVENT(SYN_IGNORED));
	AT(13, "S . 5001 ack 1101", EVENT(CHALLENGE_ACK));
	assert_int_equal(conn.phase, TCP_PHASE_ESTABLISHED);
	/* who sent it knows nothing of that connection: RST at the number named, and the SYN again */
	AT(14, "C R 1101", EVENT(RESET));
	AT(1012, "C S 300000", EVENT(REUSED) | EVENT(SYN));
	assert_int_equal(conn.phase, TCP_PHASE_OPENING);
}

static void test_syn_on_open_connection_forged(void **state)
{
	(void)state;
	open_connection();
	AT(12, "C S 300000", EVENT(SYN_IGNORED));
	AT(13, "S . 5001 ack 1001", EVENT(CHALLENGE_ACK));
	/* the true client goes on */
	AT(14, "C P. 1001 ack 5001 len 100", NOTHING);
	AT(15, "S . 5001 ack 1101", NOTHING);
	assert_int_equal(side(client)->packets, 4);
	/* neither a SYN-ACK for another number nor an ACK without SYN is an answer to that SYN */
	AT_UNCHANGED(16, "S S. 80000 ack 12345", EVENT(SYN_IGNORED));
	AT_UNCHANGED(17, "S . 5001 ack 300001", EVENT(ACK_IGNORED));
}

static void test_syn_on_open_connection_answered(void **state)
{
	(void)state;
	open_connection();
	/* both ends were restarted: the server answers, so this is a new connection */
	AT(1000, "C S 300000", EVENT(SYN_IGNORED));
	AT(1010, "S S. 80000 ack 300001", EVENT(ABANDONED) | EVENT(REUSED) | EVENT(SYNACK));
	assert_int_equal(conn.client, client);
	AT(1040, "C . 300001 ack 80001", EVENT(ESTABLISHED));
	expect_legs(10, 30);
	assert_int_equal(ms_between(conn.first_ns, conn.last_ns), 40);
	assert_int_equal(side(client)->packets, 2);
	assert_int_equal(side(server)->packets, 1);
	AT(1050, "C P. 300001 ack 80001 len 100", NOTHING);
}

static void test_syn_again_on_open_connection(void **state)
{
	(void)state;
	open_connection();
	AT(10, "C S 1000", EVENT(SYN_RETRANSMIT));
	assert_int_equal(conn.phase, TCP_PHASE_ESTABLISHED);
	expect_legs(1, 1);
	assert_false(ambiguous());
}

static const flow_end ends[] = {0, 1};

#define AS_END(test, n)                                                                                      \
	{                                                                                                    \
#test " (client is end " #n ")", test, begin, NULL, (void *)&ends[n]                         \
	}
#define BOTH(test) AS_END(test, 0), AS_END(test, 1)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		BOTH(test_handshake),
		BOTH(test_syn_again),
		BOTH(test_syn_again_behind_the_answer),
		BOTH(test_synack_again),
		BOTH(test_two_isns),
		BOTH(test_two_isns_first_taken),
		BOTH(test_simultaneous_open),
		BOTH(test_simultaneous_open_plain_ack),
		BOTH(test_split_handshake_of_four),
		BOTH(test_split_handshake_of_five),
		BOTH(test_final_ack_overtakes),
		BOTH(test_syn_overtaken),
		BOTH(test_syn_missed),
		BOTH(test_data_on_syn),
		BOTH(test_data_on_syn_not_taken),
		BOTH(test_established_by_data),
		BOTH(test_established_by_fin),
		BOTH(test_fin_before_established),
		BOTH(test_new_attempt),
		BOTH(test_challenged_syn),
		BOTH(test_midstream),
		BOTH(test_midstream_retransmission_first),
		BOTH(test_midstream_reset),
		BOTH(test_scans),
		BOTH(test_refused),
		BOTH(test_rst_of_the_isn_is_ignored),
		BOTH(test_refused_with_data_on_syn),
		BOTH(test_client_resets_the_answer),
		BOTH(test_reset),
		BOTH(test_reset_in_flight),
		BOTH(test_reset_at_the_acknowledged),
		BOTH(test_blind_reset),
		BOTH(test_reset_after_fin),
		BOTH(test_volume),
		BOTH(test_volume_of_offloaded_segments),
		BOTH(test_retransmission),
		BOTH(test_keep_alive),
		BOTH(test_one_byte_again_is_no_keep_alive),
		BOTH(test_out_of_window),
		BOTH(test_window_scale),
		BOTH(test_window_scale_of_one_end_only),
		BOTH(test_wrong_acknowledgment),
		BOTH(test_wrap),
		BOTH(test_refused_at_the_wrap),
		BOTH(test_close),
		BOTH(test_server_closes_first),
		BOTH(test_half_close),
		BOTH(test_fin_again),
		BOTH(test_simultaneous_close),
		BOTH(test_fin_ahead_of_data),
		BOTH(test_fin_overtaken_by_its_ack),
		BOTH(test_reuse_after_close),
		BOTH(test_reuse_from_the_other_end),
		BOTH(test_reuse_after_reset),
		BOTH(test_reuse_seen_by_the_answer_only),
		BOTH(test_syn_on_open_connection_challenged),
		BOTH(test_syn_on_open_connection_forged),
		BOTH(test_syn_on_open_connection_answered),
		BOTH(test_syn_again_on_open_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
