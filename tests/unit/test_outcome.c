// SPDX-License-Identifier: GPL-2.0-only
/*
 * What became of a connection, as we call it and as Zeek and Wireshark do, with the evidence. Each connection is a
 * script that the engine itself follows, once with the client as either end of the flow key.
 *
 * A script: "C:SYN S:SYNACK" sends; numbers follow each other and acknowledgments are right.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "observer/outcome.h"

#define NS_PER_MS       1000000ull
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#define CLIENT_ISN 1000
#define SERVER_ISN 5000

static struct tcp_track conn;
static uint64_t now_ns;
static uint32_t next[2]; /* by end, relative to the key */
static bool has_sent[2];
static flow_end client;

static void begin(flow_end of_client)
{
	client = of_client;
	now_ns = 0;
	next[client] = CLIENT_ISN;
	next[!client] = SERVER_ISN;
	has_sent[0] = has_sent[1] = false;
}

static uint32_t send_segment(flow_end from, uint8_t flags, uint32_t bytes, uint16_t options)
{
	struct packet pkt = {.ip_version = 4,
			     .ip_proto = IPPROTO_TCP,
			     .flags = PACKET_HAS_L4,
			     .ttl = 64,
			     .tcp_window = 65535,
			     .tcp_flags = flags,
			     .tcp_seq = next[from],
			     .tcp_ack = flags & TCPHDR_ACK ? next[!from] : 0,
			     .payload_bytes = bytes,
			     .tcp_options.flags = options};

	now_ns += NS_PER_MS;
	if (!has_sent[0] && !has_sent[1])
		tcp_track_begin(&conn, now_ns);
	has_sent[from] = true;
	next[from] += bytes + !!(flags & (TCPHDR_SYN | TCPHDR_FIN));
	return tcp_track_segment(&conn, &pkt, from, now_ns);
}

struct step {
	const char *word;
	uint8_t flags;
	uint32_t bytes;
};

static const struct step steps[] = {
	{"SYN", TCPHDR_SYN, 0},
	{"SYNACK", TCPHDR_SYN | TCPHDR_ACK, 0},
	{"ACK", TCPHDR_ACK, 0},
	{"DATA", TCPHDR_ACK | TCPHDR_PSH, 1},
	{"FIN", TCPHDR_FIN | TCPHDR_ACK, 0},
	{"RST", TCPHDR_RST, 0},
	{"RSTACK", TCPHDR_RST | TCPHDR_ACK, 0},
};

/* "C:SYN S:SYNACK C:ACK" */
static void play(const char *script)
{
	char text[256], *rest = text, *word;

	snprintf(text, sizeof(text), "%s", script);
	while ((word = strsep(&rest, " "))) {
		flow_end from = *word == 'C' ? client : !client;
		size_t i = 0;

		while (i < COUNT_OF(steps) && strcmp(steps[i].word, word + 2))
			i++;
		assert_true(i < COUNT_OF(steps));
		send_segment(from, steps[i].flags, steps[i].bytes, 0);
	}
}

struct scenario {
	const char *script;
	uint32_t given_up; /* TCP_EVENT_* of tcp_track_give_up() */
	enum outcome outcome;
	const char *zeek;
	uint8_t seen;
};

static const struct scenario scenarios[] = {
	/* nothing comes back */
	{"C:SYN", 0, OUTCOME_OPENING, "S0", 1},
	{"C:SYN", TCP_EVENT_TIMED_OUT, OUTCOME_TIMED_OUT, "S0", 1},
	{"C:SYN", TCP_EVENT_HALF_OPEN, OUTCOME_HALF_OPEN, "S0", 1},
	/* never completed */
	{"C:SYN S:SYNACK", 0, OUTCOME_OPENING, "S1", 3},
	{"C:SYN S:SYNACK", TCP_EVENT_HALF_OPEN, OUTCOME_HALF_OPEN, "S1", 3},
	/* open */
	{"C:SYN S:SYNACK C:ACK", 0, OUTCOME_OPEN, "S1", 7},
	{"C:SYN S:SYNACK C:ACK C:DATA S:ACK", 0, OUTCOME_OPEN, "S1", 15},
	{"C:SYN S:SYNACK C:ACK", TCP_EVENT_ABANDONED, OUTCOME_ABANDONED, "S1", 7},
	{"C:SYN S:SYNACK C:ACK", TCP_EVENT_STILL_OPEN, OUTCOME_OPEN, "S1", 7},
	/* closed by one end */
	{"C:SYN S:SYNACK C:ACK C:FIN S:ACK", 0, OUTCOME_CLOSING, "S2", 23},
	{"C:SYN S:SYNACK C:ACK S:FIN C:ACK", 0, OUTCOME_CLOSING, "S3", 23},
	{"C:SYN S:SYNACK C:ACK S:FIN C:ACK", TCP_EVENT_ABANDONED, OUTCOME_ABANDONED, "S3", 23},
	/* by both */
	{"C:SYN S:SYNACK C:ACK C:DATA S:ACK S:FIN C:FIN S:ACK", 0, OUTCOME_CLOSED, "SF", 31},
	{"C:SYN S:SYNACK C:ACK C:FIN S:FIN C:ACK", 0, OUTCOME_CLOSED, "SF", 23},
	/* refused */
	{"C:SYN S:RSTACK", 0, OUTCOME_REFUSED, "REJ", 37},
	/* the client lets go of it: before, and after the answer (as a port scan does) */
	{"C:SYN S:SYNACK C:RSTACK", 0, OUTCOME_RESET, "RSTO", 39},
	{"C:SYN C:RST", 0, OUTCOME_RESET, "RSTOS0", 33},
	{"C:SYN S:SYNACK C:RST", 0, OUTCOME_RESET, "RSTO", 35},
	{"C:SYN S:SYNACK C:ACK C:DATA S:ACK C:RST", 0, OUTCOME_RESET, "RSTO", 47},
	{"C:SYN S:SYNACK C:ACK C:DATA S:RST", 0, OUTCOME_RESET, "RSTR", 47},
	/* a FIN first, the RST of the other end behind it */
	{"C:SYN S:SYNACK C:ACK C:FIN S:RST", 0, OUTCOME_RESET, "RSTR", 55},
	{"C:SYN S:SYNACK C:ACK S:FIN C:RST", 0, OUTCOME_RESET, "RSTO", 55},
	/* the beginning was not seen */
	{"S:SYNACK", 0, OUTCOME_OPENING, "OTH", 2},
	{"S:SYNACK S:RST", 0, OUTCOME_RESET, "RSTRH", 34},
	{"S:SYNACK C:ACK S:FIN C:ACK", 0, OUTCOME_CLOSING, "SHR", 22},
	{"C:DATA S:ACK", 0, OUTCOME_OPEN, "OTH", 12},
	{"C:DATA S:ACK C:FIN S:FIN C:ACK", 0, OUTCOME_CLOSED, "OTH", 28},
	{"C:DATA S:ACK C:RST", 0, OUTCOME_RESET, "OTH", 44},
};

static void check_scenario(const struct scenario *scenario)
{
	play(scenario->script);
	if (outcome_of(&conn, scenario->given_up) != scenario->outcome)
		fail_msg("%s: %s, not %s", scenario->script,
			 outcome_key(outcome_of(&conn, scenario->given_up)), outcome_key(scenario->outcome));
	if (strcmp(outcome_zeek_state(&conn), scenario->zeek))
		fail_msg("%s: %s, not %s", scenario->script, outcome_zeek_state(&conn), scenario->zeek);
	if (conn.seen != scenario->seen)
		fail_msg("%s: completeness %u, not %u", scenario->script, conn.seen, scenario->seen);
}

static void test_scenarios(void **state)
{
	(void)state;
	for (flow_end end = 0; end < 2; end++)
		for (size_t i = 0; i < COUNT_OF(scenarios); i++) {
			begin(end);
			check_scenario(&scenarios[i]);
		}
}

/* A SYN and a FIN without a SYN-ACK between them: only by what an observer missed. */
static void test_zeek_half_open_close(void **state)
{
	(void)state;
	begin(0);
	play("C:SYN");
	conn.phase = TCP_PHASE_CLOSING;
	conn.side[0].flags |= TCP_SIDE_FIN;
	assert_string_equal(outcome_zeek_state(&conn), "SH");
}

static void test_zeek_texts(void **state)
{
	(void)state;
	assert_string_equal(outcome_zeek_text("REJ"), "attempt rejected");
	assert_string_equal(outcome_zeek_text("nonsense"), "");
	for (size_t i = 0; i < COUNT_OF(scenarios); i++)
		assert_string_not_equal(outcome_zeek_text(scenarios[i].zeek), "");
}

static void test_unreachable(void **state)
{
	struct evidence list[PROOF_COUNT];

	(void)state;
	begin(1);
	play("C:SYN");
	assert_int_equal(tcp_track_icmp_error(&conn, client, CLIENT_ISN, 3, 1, now_ns + NS_PER_MS),
			 TCP_EVENT_UNREACHABLE);
	assert_int_equal(outcome_of(&conn, 0), OUTCOME_UNREACHABLE);
	assert_string_equal(outcome_zeek_state(&conn), "S0");
	assert_int_equal(outcome_evidence(list, &conn, OUTCOME_UNREACHABLE), 2);
	assert_int_equal(list[0].proof, PROOF_SYN);
	assert_int_equal(list[0].from, client);
	assert_int_equal(list[1].proof, PROOF_ICMP);
	assert_int_equal(list[1].from, TCP_END_UNKNOWN);
	assert_int_equal(list[1].first_ns, 2 * NS_PER_MS);
}

static void test_stages(void **state)
{
	static const struct {
		const char *script, *stage;
	} cases[] = {
		{"C:SYN S:RSTACK", "handshake"},
		{"C:SYN S:SYNACK C:RST", "handshake"},
		{"C:SYN S:SYNACK C:ACK S:RST", "open"},
		{"C:SYN S:SYNACK C:ACK C:FIN S:RST", "closing"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		begin(i & 1);
		play(cases[i].script);
		assert_string_equal(outcome_stage_key(&conn), cases[i].stage);
	}
}

static void expect(const struct evidence *evidence, enum proof proof, flow_end from, uint32_t count,
		   uint64_t first_ms, uint64_t last_ms)
{
	assert_string_equal(proof_key(evidence->proof), proof_key(proof));
	assert_int_equal(evidence->from, from);
	assert_int_equal(evidence->count, count);
	assert_int_equal(evidence->first_ns, first_ms * NS_PER_MS);
	assert_int_equal(evidence->last_ns, last_ms * NS_PER_MS);
}

/* Four SYNs at 1, 2, 3 and 4 ms. */
static void test_evidence_of_a_timeout(void **state)
{
	struct evidence list[PROOF_COUNT];

	(void)state;
	begin(0);
	for (int i = 0; i < 4; i++) {
		next[client] = CLIENT_ISN;
		play("C:SYN");
	}
	assert_int_equal(outcome_evidence(list, &conn, OUTCOME_TIMED_OUT), 1);
	expect(&list[0], PROOF_SYN, client, 4, 1, 4);
	/* and then it is refused */
	play("S:RSTACK");
	assert_int_equal(outcome_of(&conn, 0), OUTCOME_REFUSED);
	assert_int_equal(outcome_evidence(list, &conn, OUTCOME_REFUSED), 2);
	expect(&list[0], PROOF_SYN, client, 4, 1, 4);
	expect(&list[1], PROOF_RST, !client, 1, 5, 5);
}

static void test_evidence_of_a_half_open_one(void **state)
{
	struct evidence list[PROOF_COUNT];

	(void)state;
	begin(1);
	play("C:SYN S:SYNACK");
	next[!client] = SERVER_ISN;
	play("S:SYNACK");
	assert_int_equal(outcome_evidence(list, &conn, OUTCOME_HALF_OPEN), 2);
	expect(&list[0], PROOF_SYN, client, 1, 1, 1);
	expect(&list[1], PROOF_SYNACK, !client, 2, 2, 3);
}

static void test_evidence_of_an_end(void **state)
{
	struct evidence list[PROOF_COUNT];

	(void)state;
	begin(0);
	play("C:SYN S:SYNACK C:ACK S:FIN C:FIN S:ACK");
	assert_int_equal(outcome_evidence(list, &conn, OUTCOME_CLOSED), 4);
	expect(&list[0], PROOF_SYN, client, 0, 1, 1);
	expect(&list[2], PROOF_ACK, client, 1, 3, 3);
	expect(&list[3], PROOF_FIN, !client, 1, 4, 4);
	/* whose RST it was, although the other's FIN came first */
	begin(0);
	play("C:SYN S:SYNACK C:ACK C:FIN S:RST");
	assert_int_equal(outcome_evidence(list, &conn, OUTCOME_RESET), 4);
	expect(&list[3], PROOF_RST, !client, 1, 5, 5);
	assert_int_equal(conn.closer, client);
	/* nothing that was not seen is made up */
	begin(1);
	play("C:DATA S:ACK");
	assert_int_equal(outcome_evidence(list, &conn, OUTCOME_OPEN), 1);
	expect(&list[0], PROOF_LAST, TCP_END_UNKNOWN, 1, 2, 2);
}

/* The words are those of Wireshark 4: tests/net/test_trace_json.py asks tshark itself. */
static void test_completeness(void **state)
{
	static const struct {
		uint8_t seen;
		const char *text, *letters;
	} cases[] = {
		{0, "Incomplete", "......"},
		{1, "Incomplete, SYN_SENT", ".....S"},
		{2, "Incomplete", "....S."},
		{3, "Incomplete, CLIENT_ESTABLISHED", "....SS"},
		{7, "Incomplete, ESTABLISHED", "...ASS"},
		{15, "Incomplete, DATA", "..DASS"},
		{23, "Complete, NO_DATA", ".F.ASS"},
		{31, "Complete, WITH_DATA", ".FDASS"},
		{33, "Incomplete", "R....S"},
		{37, "Incomplete", "R..A.S"},
		{39, "Complete, NO_DATA", "R..ASS"},
		{63, "Complete, WITH_DATA", "RFDASS"},
		{30, "Incomplete", ".FDAS."},
	};
	char letters[COMPLETENESS_LETTERS];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_string_equal(outcome_completeness_text(cases[i].seen), cases[i].text);
		outcome_completeness_letters(letters, cases[i].seen);
		assert_string_equal(letters, cases[i].letters);
	}
}

/* AE, CWR and ECE as RFC 9768, table 2, writes them. */
#define ECN(ae, cwr, ece) ((ae)*TCP_SYN_FLAG_AE | (cwr)*TCPHDR_CWR | (ece)*TCPHDR_ECE)

static void test_ecn(void **state)
{
	static const struct {
		uint16_t syn, synack;
		enum ecn_mode offered, accepted;
		const char *syn_was;
	} cases[] = {
		{ECN(1, 1, 1), ECN(0, 1, 0), ECN_ACCURATE, ECN_ACCURATE, "Not-ECT"},
		{ECN(1, 1, 1), ECN(0, 1, 1), ECN_ACCURATE, ECN_ACCURATE, "ECT(1)"},
		{ECN(1, 1, 1), ECN(1, 0, 0), ECN_ACCURATE, ECN_ACCURATE, "ECT(0)"},
		{ECN(1, 1, 1), ECN(1, 1, 0), ECN_ACCURATE, ECN_ACCURATE, "CE"},
		{ECN(1, 1, 1), ECN(1, 0, 1), ECN_ACCURATE, ECN_ACCURATE, NULL}, /* reserved: §3.1.3 */
		{ECN(1, 1, 1), ECN(0, 0, 1), ECN_ACCURATE, ECN_CLASSIC, NULL},
		{ECN(1, 1, 1), ECN(0, 0, 0), ECN_ACCURATE, ECN_NONE, NULL},
		{ECN(1, 1, 1), ECN(1, 1, 1), ECN_ACCURATE, ECN_NONE, NULL}, /* broken: it mirrors */
		{ECN(0, 1, 1), ECN(0, 0, 1), ECN_CLASSIC, ECN_CLASSIC, NULL},
		{ECN(0, 1, 1), ECN(0, 0, 0), ECN_CLASSIC, ECN_NONE, NULL},
		{ECN(0, 1, 1), ECN(0, 1, 1), ECN_CLASSIC, ECN_NONE, NULL}, /* mirrors as well */
		{ECN(0, 0, 0), ECN(0, 0, 1), ECN_NONE, ECN_NONE, NULL},
		{ECN(0, 0, 0), ECN(0, 0, 0), ECN_NONE, ECN_NONE, NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const char *syn_was = ecn_of_syn(cases[i].syn, cases[i].synack);

		assert_string_equal(ecn_mode_key(ecn_offered(cases[i].syn)), ecn_mode_key(cases[i].offered));
		assert_string_equal(ecn_mode_key(ecn_accepted(cases[i].syn, cases[i].synack)),
				    ecn_mode_key(cases[i].accepted));
		assert_string_equal(syn_was ? syn_was : "", cases[i].syn_was ? cases[i].syn_was : "");
	}
}

#define MODERN (TCP_HAS_MSS | TCP_HAS_WINDOW_SCALE | TCP_HAS_SACK_PERMITTED | TCP_HAS_TIMESTAMPS)

static void test_agreement(void **state)
{
	struct agreement agreement;

	(void)state;
	begin(1);
	send_segment(client, TCPHDR_SYN, 0, MODERN | TCP_HAS_MPTCP | TCP_HAS_FAST_OPEN);
	assert_false(outcome_agreement(&conn).known);
	send_segment(!client, TCPHDR_SYN | TCPHDR_ACK, 0,
		     TCP_HAS_MSS | TCP_HAS_SACK_PERMITTED | TCP_HAS_FAST_OPEN | TCP_HAS_COOKIE);
	conn.side[client].mss = 1460;
	conn.side[!client].mss = 1400;
	agreement = outcome_agreement(&conn);
	assert_true(agreement.known && agreement.sack && agreement.fast_open_cookie);
	assert_false(agreement.window_scale || agreement.timestamps || agreement.mptcp || agreement.syn_data);
	assert_int_equal(agreement.mss, 1400);
	assert_int_equal(agreement.ecn, ECN_NONE);
}

/* Data on the SYN is taken if the SYN-ACK acknowledges it: RFC 7413 §4.2. */
static void test_data_on_the_syn(void **state)
{
	(void)state;
	for (int taken = 0; taken < 2; taken++) {
		begin(taken);
		send_segment(client, TCPHDR_SYN, 100, TCP_HAS_FAST_OPEN | TCP_HAS_COOKIE);
		if (!taken)
			next[client] = CLIENT_ISN + 1;
		play("S:SYNACK");
		assert_true(outcome_agreement(&conn).syn_data);
		assert_int_equal(outcome_agreement(&conn).syn_data_taken, taken);
	}
}

static void test_predecessor(void **state)
{
	struct trace_event event = {.hook = HOOK_INGRESS};

	(void)state;
	assert_true(outcome_is_of_predecessor(&event, TCP_EVENT_INDEX_TIMED_OUT));
	assert_false(outcome_is_of_predecessor(&event, TCP_EVENT_INDEX_SYN));
	event.hook = HOOK_NONE;
	assert_false(outcome_is_of_predecessor(&event, TCP_EVENT_INDEX_TIMED_OUT));
}

/* Beyond the lists there are words too. */
static void test_unknown(void **state)
{
	(void)state;
	assert_string_equal(outcome_key(OUTCOME_COUNT), "unknown");
	assert_string_equal(outcome_text(OUTCOME_COUNT), "unknown");
	assert_string_equal(proof_key(PROOF_COUNT), "unknown");
	assert_int_equal(outcome_of(&(struct tcp_track){.phase = 99}, 0), OUTCOME_NONE);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scenarios),
		cmocka_unit_test(test_zeek_half_open_close),
		cmocka_unit_test(test_zeek_texts),
		cmocka_unit_test(test_unreachable),
		cmocka_unit_test(test_stages),
		cmocka_unit_test(test_evidence_of_a_timeout),
		cmocka_unit_test(test_evidence_of_a_half_open_one),
		cmocka_unit_test(test_evidence_of_an_end),
		cmocka_unit_test(test_completeness),
		cmocka_unit_test(test_ecn),
		cmocka_unit_test(test_agreement),
		cmocka_unit_test(test_data_on_the_syn),
		cmocka_unit_test(test_predecessor),
		cmocka_unit_test(test_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
