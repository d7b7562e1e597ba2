// SPDX-License-Identifier: GPL-2.0-only
/* The client's TCP state machine, by scripted exchanges: what the peer sends, and what must come out at which
 * time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "net/tcp_conn.h"
#include "net/tcp_rto.h"
#include "util/clock.h"

#define OUR_ISN  1000u
#define PEER_ISN 5000u
#define WINDOW   8192u /* the receive buffer */
#define MS       NS_PER_MS

#define S TCPHDR_SYN
#define A TCPHDR_ACK
#define P TCPHDR_PSH
#define F TCPHDR_FIN
#define R TCPHDR_RST

/* A connection, the time, and the numbers that scripts count from: ours from 0 (the SYN), the peer's too. */
struct script {
	struct tcp_conn *conn;
	uint64_t now_ns;
	uint32_t our_isn, peer_isn;
	uint16_t peer_window;
	uint8_t peer_options; /* TCP_HAS_*: in the SYN-ACK; timestamps then in every segment */
	uint16_t peer_mss;
	uint8_t peer_scale;
	uint32_t ts_value, ts_echo;
	struct tcp_segment out; /* the last that came out */
};

static void begin_with(struct script *s, uint32_t our_isn, uint32_t peer_isn, uint8_t peer_options)
{
	struct tcp_conn_config config = {
		.isn = our_isn,
		.receive_bytes = WINDOW,
		.send_bytes = 65536,
		.mss = 1460,
		.default_mss = 536,
		.time_wait_ns = 500 * MS,
	};

	*s = (struct script){
		.conn = tcp_conn_new(&config),
		.now_ns = 10 * NS_PER_S,
		.our_isn = our_isn,
		.peer_isn = peer_isn,
		.peer_window = 60000,
		.peer_options = TCP_HAS_MSS | peer_options,
		.peer_mss = 1460,
		.ts_value = 700,
	};
	assert_non_null(s->conn);
	tcp_conn_connect(s->conn);
}

static void begin(struct script *s)
{
	begin_with(s, OUR_ISN, PEER_ISN, 0);
}

static void end(struct script *s)
{
	tcp_conn_free(s->conn);
}

static void pass(struct script *s, uint64_t ns)
{
	s->now_ns += ns;
	tcp_conn_advance(s->conn, s->now_ns);
}

/* The peer sends. @seq, @ack: relative. */
static enum tcp_verdict peer(struct script *s, uint8_t flags, uint32_t seq, uint32_t ack, const char *data)
{
	struct tcp_segment segment = {
		.flags = flags,
		.seq = s->peer_isn + seq,
		.ack = flags & A ? s->our_isn + ack : 0,
		.window = s->peer_window,
		.data = (const uint8_t *)data,
		.data_bytes = (uint32_t)strlen(data),
		.options = s->peer_options & TCP_HAS_TIMESTAMPS,
		.ts_value = s->ts_value,
		.ts_echo = s->ts_echo,
	};

	if (flags & S) {
		segment.options = s->peer_options;
		segment.mss = s->peer_mss;
		segment.window_scale = s->peer_scale;
	}
	return tcp_conn_input(s->conn, &segment, s->now_ns);
}

/* Nothing may come out now. */
#define quiet(s) assert_false(tcp_conn_output((s)->conn, &(s)->out, (s)->now_ns))

/* This, and with these numbers (relative), must come out now. */
#define sends(s, want_flags, want_seq, want_ack, want_data)                                                  \
	do {                                                                                                 \
		const char *data_ = (want_data);                                                             \
		assert_true(tcp_conn_output((s)->conn, &(s)->out, (s)->now_ns));                             \
		assert_int_equal((s)->out.flags, (want_flags));                                              \
		assert_int_equal((s)->out.seq - (s)->our_isn, (want_seq));                                   \
		if ((s)->out.flags & A)                                                                      \
			assert_int_equal((s)->out.ack - (s)->peer_isn, (want_ack));                          \
		assert_int_equal((s)->out.data_bytes, strlen(data_));                                        \
		if (*data_)                                                                                  \
			assert_memory_equal((s)->out.data, data_, strlen(data_));                            \
	} while (0)

#define reads(s, want)                                                                                       \
	do {                                                                                                 \
		char text_[WINDOW + 1];                                                                      \
		size_t bytes_ = tcp_conn_read((s)->conn, text_, WINDOW);                                     \
		text_[bytes_] = 0;                                                                           \
		assert_string_equal(text_, (want));                                                          \
	} while (0)

#define in_state(s, want) assert_string_equal(tcp_state_text(tcp_conn_state((s)->conn)), want)

static void establish(struct script *s)
{
	sends(s, S, 0, 0, "");
	assert_int_equal(peer(s, S | A, 0, 1, ""), TCP_ACCEPTED);
	sends(s, A, 1, 1, "");
	quiet(s);
	in_state(s, "ESTABLISHED");
}

/* --- opening --- */

/* The SYN says what we can do; the window in it is not scaled. The SYN-ACK is acknowledged at once. */
static void test_handshake(void **state)
{
	struct script s;

	(void)state;
	begin(&s);
	in_state(&s, "SYN-SENT");
	sends(&s, S, 0, 0, "");
	assert_int_equal(s.out.options,
			 TCP_HAS_MSS | TCP_HAS_WINDOW_SCALE | TCP_HAS_SACK_PERMITTED | TCP_HAS_TIMESTAMPS);
	assert_int_equal(s.out.mss, 1460);
	assert_int_equal(s.out.window, WINDOW);
	quiet(&s);
	peer(&s, S | A, 0, 1, "");
	sends(&s, A, 1, 1, "");
	assert_int_equal(s.out.window, WINDOW);
	assert_int_equal(s.out.options, 0); /* the peer offered nothing */
	quiet(&s);
	assert_int_equal(tcp_conn_peer_isn(s.conn), PEER_ISN);
	assert_int_equal(tcp_conn_deadline(s.conn), TCP_NEVER);
	end(&s);
}

/* RFC 6298: the SYN again after 1, 2, 4 ... 32 seconds; given up 64 seconds after the last. */
static void test_syn_retransmission(void **state)
{
	struct script s;

	(void)state;
	begin(&s);
	sends(&s, S, 0, 0, "");
	for (uint64_t wait_s = 1; wait_s <= 32; wait_s *= 2) {
		assert_int_equal(tcp_conn_deadline(s.conn), s.now_ns + wait_s * NS_PER_S);
		pass(&s, wait_s * NS_PER_S - 1);
		quiet(&s);
		pass(&s, 1);
		sends(&s, S, 0, 0, "");
		quiet(&s);
	}
	assert_int_equal(tcp_conn_stats(s.conn).retransmitted, 6);
	pass(&s, 60 * NS_PER_S); /* the back-off ends at a minute */
	quiet(&s);
	in_state(&s, "CLOSED");
	assert_int_equal(tcp_conn_error(s.conn), -ETIMEDOUT);
	end(&s);
}

/* The SYN was lost once: the SYN-ACK's round trip is ambiguous (Karn), data starts with 3 seconds (RFC 6298
 * §5.7). */
static void test_rto_after_lost_syn(void **state)
{
	struct script s;

	(void)state;
	begin(&s);
	sends(&s, S, 0, 0, "");
	pass(&s, NS_PER_S);
	sends(&s, S, 0, 0, "");
	pass(&s, 50 * MS);
	peer(&s, S | A, 0, 1, "");
	sends(&s, A, 1, 1, "");
	assert_int_equal(tcp_conn_stats(s.conn).srtt_ns, 0);
	tcp_conn_send(s.conn, "GET", 3);
	sends(&s, P | A, 1, 1, "GET");
	assert_int_equal(tcp_conn_deadline(s.conn), s.now_ns + 3 * NS_PER_S);
	end(&s);
}

/* RFC 9293 §3.10.7.3: an ACK of what was never sent is answered with <SEQ=SEG.ACK><CTL=RST>; ours goes on. */
static void test_syn_ack_of_another_connection(void **state)
{
	struct script s;

	(void)state;
	begin(&s);
	sends(&s, S, 0, 0, "");
	assert_int_equal(peer(&s, S | A, 0, 77, ""), TCP_ACK_INVALID);
	sends(&s, R, 77, 0, "");
	quiet(&s);
	in_state(&s, "SYN-SENT");
	peer(&s, S | A, 0, 1, "");
	sends(&s, A, 1, 1, "");
	end(&s);
}

/* In SYN-SENT a RST counts only if it acknowledges our SYN: not with ACK = ISS, not without ACK. */
static void test_refused(void **state)
{
	struct script s;

	(void)state;
	begin(&s);
	sends(&s, S, 0, 0, "");
	assert_int_equal(peer(&s, R | A, 0, 0, ""), TCP_RST_IGNORED);
	assert_int_equal(peer(&s, R, 0, 0, ""), TCP_RST_IGNORED);
	assert_int_equal(peer(&s, R | A, 0, 2, ""), TCP_RST_IGNORED);
	quiet(&s);
	in_state(&s, "SYN-SENT");
	assert_int_equal(peer(&s, R | A, 0, 1, ""), TCP_REFUSED);
	quiet(&s);
	in_state(&s, "CLOSED");
	assert_int_equal(tcp_conn_error(s.conn), -ECONNREFUSED);
	end(&s);
}

/* An ACK without SYN in SYN-SENT is nobody's. */
static void test_no_syn(void **state)
{
	struct script s;

	(void)state;
	begin(&s);
	sends(&s, S, 0, 0, "");
	assert_int_equal(peer(&s, A, 0, 1, ""), TCP_NO_SYN);
	quiet(&s);
	in_state(&s, "SYN-SENT");
	end(&s);
}

/* Both sides send a SYN (RFC 9293 §3.5, figure 7): SYN-ACK both ways, then established. */
static void test_simultaneous_open(void **state)
{
	struct script s;

	(void)state;
	begin(&s);
	sends(&s, S, 0, 0, "");
	assert_int_equal(peer(&s, S, 0, 0, ""), TCP_ACCEPTED);
	in_state(&s, "SYN-RECEIVED");
	sends(&s, S | A, 0, 1, "");
	assert_int_equal(peer(&s, A, 1, 1, ""), TCP_ACCEPTED);
	in_state(&s, "ESTABLISHED");
	quiet(&s);
	end(&s);
}

/* --- receiving --- */

/* One segment: acknowledged after 40 ms. Two: at once. */
static void test_delayed_ack(void **state)
{
	struct script s;

	(void)state;
	begin(&s);
	establish(&s);
	peer(&s, A, 1, 1, "abc");
	reads(&s, "abc");
	quiet(&s);
	assert_int_equal(tcp_conn_deadline(s.conn), s.now_ns + 40 * MS);
	pass(&s, 40 * MS - 1);
	quiet(&s);
	pass(&s, 1);
	sends(&s, A, 1, 4, "");
	peer(&s, A, 4, 1, "def");
	quiet(&s);
	peer(&s, A, 7, 1, "ghi");
	sends(&s, A, 1, 10, "");
	reads(&s, "defghi");
	assert_int_equal(tcp_conn_deadline(s.conn), TCP_NEVER);
	end(&s);
}

/* A gap: at once a duplicate ACK, with SACK blocks, the newest first (RFC 2018). Filling it: at once an ACK
 * of all. */
static void test_reordering_and_sack(void **state)
{
	struct script s;

	(void)state;
	begin_with(&s, OUR_ISN, PEER_ISN, TCP_HAS_SACK_PERMITTED);
	establish(&s);
	assert_int_equal(peer(&s, A, 4, 1, "def"), TCP_AHEAD);
	sends(&s, A, 1, 1, "");
	assert_int_equal(s.out.sack_count, 1);
	assert_int_equal(s.out.sack[0].start - PEER_ISN, 4);
	assert_int_equal(s.out.sack[0].end - PEER_ISN, 7);
	assert_int_equal(peer(&s, A, 10, 1, "jkl"), TCP_AHEAD);
	sends(&s, A, 1, 1, "");
	assert_int_equal(s.out.sack_count, 2);
	assert_int_equal(s.out.sack[0].start - PEER_ISN, 10);
	assert_int_equal(s.out.sack[1].start - PEER_ISN, 4);
	reads(&s, "");
	assert_int_equal(peer(&s, A, 1, 1, "abc"), TCP_ACCEPTED);
	sends(&s, A, 1, 7, "");
	assert_int_equal(s.out.sack_count, 1);
	reads(&s, "abcdef");
	peer(&s, A, 7, 1, "ghi");
	sends(&s, A, 1, 13, "");
	assert_int_equal(s.out.sack_count, 0);
	reads(&s, "ghijkl");
	assert_int_equal(tcp_conn_stats(s.conn).out_of_order, 2);
	end(&s);
}

/* Old, repeated and overlapping segments: each byte once, the first copy of it is the one that counts. */
static void test_duplicates_and_overlap(void **state)
{
	struct script s;

	(void)state;
	begin(&s);
	establish(&s);
	peer(&s, A, 1, 1, "abcdef");
	quiet(&s);
	assert_int_equal(peer(&s, A, 1, 1, "abcdef"), TCP_DUPLICATE);
	sends(&s, A, 1, 7, "");
	assert_int_equal(peer(&s, A, 4, 1, "XXXghi"), TCP_ACCEPTED); /* old and new in one */
	pass(&s, 40 * MS);
	sends(&s, A, 1, 10, "");
	assert_int_equal(peer(&s, A, 13, 1, "mno"), TCP_AHEAD);
	assert_int_equal(peer(&s, A, 12, 1, "lXXXp"), TCP_AHEAD); /* around what is there */
	assert_int_equal(peer(&s, A, 12, 1, "YYYYY"), TCP_DUPLICATE);
	sends(&s, A, 1, 10, "");
	assert_int_equal(peer(&s, A, 10, 1, "jkZZZ"), TCP_ACCEPTED);
	reads(&s, "abcdefghijklmnop");
	sends(&s, A, 1, 17, "");
	assert_int_equal(tcp_conn_stats(s.conn).duplicates, 2);
	end(&s);
}

/* Every second byte arrives: beyond 64 stretches nothing more is kept, and nothing is lost for good. */
static void test_too_many_gaps(void **state)
{
	char text[2 * 65 + 1] = "";
	struct script s;

	(void)state;
	begin(&s);
	establish(&s);
	for (uint32_t i = 0; i < 65; i++) {
		enum tcp_verdict want = i < 64 ? TCP_AHEAD : TCP_NO_ROOM;

		assert_int_equal(peer(&s, A, 2 + 2 * i, 1, "b"), want);
	}
	for (uint32_t i = 0; i < 65; i++) {
		peer(&s, A, 1 + 2 * i, 1, i < 64 ? "a" : "ab");
		strcat(text, "ab");
	}
	reads(&s, text);
	end(&s);
}

/* Both sequence numbers run over 2^32 in the middle of everything. */
static void test_sequence_wrap(void **state)
{
	struct script s;

	(void)state;
	begin_with(&s, 0xfffffffeu, 0xfffffffcu, TCP_HAS_SACK_PERMITTED);
	establish(&s);
	tcp_conn_send(s.conn, "GET /", 5);
	sends(&s, P | A, 1, 1, "GET /");
	peer(&s, A, 6, 6, "fgh");
	sends(&s, A, 6, 1, "");
	assert_int_equal(s.out.sack[0].start, 0xfffffffcu + 6);
	assert_int_equal(peer(&s, A, 1, 6, "abcde"), TCP_ACCEPTED);
	sends(&s, A, 6, 9, "");
	reads(&s, "abcdefgh");
	assert_int_equal(peer(&s, A, 1, 6, "abcde"), TCP_DUPLICATE);
	sends(&s, A, 6, 9, "");
	peer(&s, F | A, 9, 6, "");
	sends(&s, A, 6, 10, "");
	tcp_conn_shutdown(s.conn);
	sends(&s, F | A, 6, 10, "");
	peer(&s, A, 10, 7, "");
	in_state(&s, "CLOSED");
	assert_int_equal(tcp_conn_error(s.conn), 0);
	end(&s);
}

/* Beyond the window: ignored, and the ACK says where we are (RFC 9293 §3.10.7.4). */
static void test_outside_window(void **state)
{
	struct script s;

	(void)state;
	begin(&s);
	establish(&s);
	assert_int_equal(peer(&s, A, 1 + WINDOW, 1, "x"), TCP_UNACCEPTABLE);
	sends(&s, A, 1, 1, "");
	assert_int_equal(peer(&s, A, WINDOW, 1, "x"), TCP_AHEAD); /* its last byte */
	sends(&s, A, 1, 1, "");
	end(&s);
}

/* A reader that does not read: the window shrinks to nothing, and opens in one step when there is room again.
 */
static void test_receive_window(void **state)
{
	char block[WINDOW / 2 + 1];
	struct script s;

	(void)state;
	memset(block, 'b', sizeof(block) - 1);
	block[sizeof(block) - 1] = 0;
	begin(&s);
	establish(&s);
	peer(&s, A, 1, 1, block);
	peer(&s, A, 1 + WINDOW / 2, 1, block);
	sends(&s, A, 1, 1 + WINDOW, "");
	assert_int_equal(s.out.window, 0);
	peer(&s, A, 1 + WINDOW, 1, "x"); /* a probe: refused */
	sends(&s, A, 1, 1 + WINDOW, "");
	assert_int_equal(s.out.window, 0);
	assert_int_equal(tcp_conn_read(s.conn, block, 100), 100);
	quiet(&s);                       /* not for so little: silly window */
	peer(&s, A, 1 + WINDOW, 1, "x"); /* taken, for there is room; told is still none */
	pass(&s, 40 * MS);
	sends(&s, A, 1, 2 + WINDOW, "");
	assert_int_equal(s.out.window, 0);
	assert_int_equal(tcp_conn_read(s.conn, block, sizeof(block) - 1), sizeof(block) - 1);
	sends(&s, A, 1, 2 + WINDOW, "");
	assert_int_equal(s.out.window, 99 + WINDOW / 2);
	end(&s);
}

/* Nothing can come behind a FIN: room is no news any more. */
static void test_no_window_update_behind_fin(void **state)
{
	char block[WINDOW + 1];
	struct script s;

	(void)state;
	memset(block, 'b', WINDOW);
	block[WINDOW] = 0;
	begin(&s);
	establish(&s);
	peer(&s, F | A, 1, 1, block);
	sends(&s, A, 1, 2 + WINDOW, "");
	assert_int_equal(tcp_conn_read(s.conn, block, WINDOW), WINDOW);
	quiet(&s);
	end(&s);
}

/* --- RFC 5961: attacks, and peers that have forgotten us --- */

static void test_reset(void **state)
{
	struct script s;

	(void)state;
	begin(&s);
	establish(&s);
	assert_int_equal(peer(&s, R, 1 + WINDOW, 1, ""), TCP_RST_IGNORED);
	assert_int_equal(peer(&s, R, 0, 1, ""), TCP_RST_IGNORED);
	quiet(&s);
	assert_int_equal(peer(&s, R, 2, 1, ""), TCP_RST_CHALLENGED);
	sends(&s, A, 1, 1, "");
	in_state(&s, "ESTABLISHED");
	assert_int_equal(peer(&s, R, 1, 1, ""), TCP_RESET);
	in_state(&s, "CLOSED");
	assert_int_equal(tcp_conn_error(s.conn), -ECONNRESET);
	quiet(&s);
	end(&s);
}

/* No more than ten challenge ACKs a second. */
static void test_challenge_limit(void **state)
{
	struct script s;

	(void)state;
	begin(&s);
	establish(&s);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(peer(&s, S, 2, 0, ""), TCP_SYN_CHALLENGED);
		sends(&s, A, 1, 1, "");
	}
	assert_int_equal(peer(&s, R, 2, 1, ""), TCP_RST_CHALLENGED);
	quiet(&s);
	pass(&s, NS_PER_S);
	assert_int_equal(peer(&s, R, 2, 1, ""), TCP_RST_CHALLENGED);
	sends(&s, A, 1, 1, "");
	in_state(&s, "ESTABLISHED");
	end(&s);
}

static void test_ack_of_what_was_never_sent(void **state)
{
	struct script s;

	(void)state;
	begin(&s);
	establish(&s);
	assert_int_equal(peer(&s, A, 1, 2, "evil"), TCP_ACK_INVALID);
	sends(&s, A, 1, 1, "");
	reads(&s, "");
	assert_int_equal(peer(&s, 0, 1, 0, "evil"), TCP_NO_ACK);
	reads(&s, "");
	quiet(&s);
	end(&s);
}

/* --- sending --- */

/*
 * The handshake took 100 ms: SRTT 100, RTTVAR 50, so RTO 300 ms (RFC 6298 §2.2). The request goes out again
 * after 300, 600, 1200 ms; its ACK then is no measurement, and the back-off stays until there is one (Karn).
 */
static void test_data_retransmission(void **state)
{
	struct script s;

	(void)state;
	begin(&s);
	sends(&s, S, 0, 0, "");
	pass(&s, 100 * MS);
	peer(&s, S | A, 0, 1, "");
	sends(&s, A, 1, 1, "");
	assert_int_equal(tcp_conn_stats(s.conn).srtt_ns, 100 * MS);
	tcp_conn_send(s.conn, "GET", 3);
	sends(&s, P | A, 1, 1, "GET");
	for (uint64_t wait_ms = 300; wait_ms <= 1200; wait_ms *= 2) {
		pass(&s, wait_ms * MS - 1);
		quiet(&s);
		pass(&s, 1);
		sends(&s, P | A, 1, 1, "GET");
		quiet(&s);
	}
	peer(&s, A, 1, 4, "");
	assert_int_equal(tcp_conn_stats(s.conn).srtt_ns, 100 * MS);
	assert_int_equal(tcp_conn_stats(s.conn).retransmitted, 3);
	assert_int_equal(tcp_conn_deadline(s.conn), TCP_NEVER);
	tcp_conn_send(s.conn, "x", 1);
	sends(&s, P | A, 4, 1, "x");
	assert_int_equal(tcp_conn_deadline(s.conn), s.now_ns + 2400 * MS);
	pass(&s, 100 * MS);
	peer(&s, A, 1, 5, "");
	/* §2.3: RTTVAR 3/4 of 50 ms, SRTT stays: 100 + 4 × 37.5 = 250 ms */
	tcp_conn_send(s.conn, "y", 1);
	sends(&s, P | A, 5, 1, "y");
	assert_int_equal(tcp_conn_deadline(s.conn), s.now_ns + 250 * MS);
	end(&s);
}

/* RFC 6298 §2.2 and §2.3, with numbers; never below 200 ms, never above a minute. */
static void test_rto_computation(void **state)
{
	struct tcp_rto rto;

	(void)state;
	tcp_rto_init(&rto);
	assert_int_equal(rto.rto_ns, NS_PER_S);
	tcp_rto_sample(&rto, 100 * MS);
	assert_int_equal(rto.rto_ns, 300 * MS); /* 100 + 4 × 50 */
	tcp_rto_sample(&rto, 200 * MS);
	assert_int_equal(rto.srtt_ns, 112500000);
	assert_int_equal(rto.rttvar_ns, 62500000);
	assert_int_equal(rto.rto_ns, 362500000);
	tcp_rto_init(&rto);
	tcp_rto_sample(&rto, 10 * MS);
	assert_int_equal(rto.rto_ns, 200 * MS);
	tcp_rto_sample(&rto, 500 * NS_PER_S);
	assert_int_equal(rto.rto_ns, 60 * NS_PER_S);
}

/* One segment at a time is timed, the first; an ACK of a part starts the timer again (RFC 6298 §5.3). */
static void test_timer_with_two_in_flight(void **state)
{
	struct script s;

	(void)state;
	begin(&s);
	sends(&s, S, 0, 0, "");
	pass(&s, 100 * MS);
	peer(&s, S | A, 0, 1, "");
	sends(&s, A, 1, 1, "");
	tcp_conn_send(s.conn, "one", 3);
	sends(&s, P | A, 1, 1, "one");
	pass(&s, 60 * MS);
	tcp_conn_send(s.conn, "two", 3);
	sends(&s, P | A, 4, 1, "two");
	pass(&s, 40 * MS);
	peer(&s, A, 1, 4, ""); /* 100 ms for "one": SRTT stays, RTO = 100 + 4 × 37.5 */
	assert_int_equal(tcp_conn_stats(s.conn).srtt_ns, 100 * MS);
	assert_int_equal(tcp_conn_deadline(s.conn), s.now_ns + 250 * MS);
	pass(&s, 250 * MS);
	sends(&s, P | A, 4, 1, "two");
	end(&s);
}

/* The peer is gone: after eleven times it is given up. */
static void test_data_timeout(void **state)
{
	struct script s;
	int times = 1;

	(void)state;
	begin(&s);
	establish(&s);
	tcp_conn_send(s.conn, "GET", 3);
	sends(&s, P | A, 1, 1, "GET");
	while (tcp_conn_state(s.conn) != TCP_STATE_CLOSED) {
		pass(&s, tcp_conn_deadline(s.conn) - s.now_ns);
		times += tcp_conn_output(s.conn, &s.out, s.now_ns);
	}
	assert_int_equal(times, TCP_MAX_DATA_SENT);
	assert_int_equal(tcp_conn_error(s.conn), -ETIMEDOUT);
	end(&s);
}

/* The peer's MSS is what a segment holds; timestamps are taken off it (RFC 6691). */
static void test_segmentation(void **state)
{
	char text[251] = {};
	struct script s;

	(void)state;
	memset(text, 'g', 250);
	begin_with(&s, OUR_ISN, PEER_ISN, TCP_HAS_TIMESTAMPS);
	s.peer_mss = 112;
	establish(&s);
	assert_int_equal(tcp_conn_send(s.conn, text, 250), 250);
	sends(&s, A, 1, 1, text + 150);
	sends(&s, A, 101, 1, text + 150);
	sends(&s, P | A, 201, 1, text + 200);
	quiet(&s);
	end(&s);
}

/* Ten segments at first (RFC 6928), then by what is acknowledged; after a loss one (RFC 5681). */
static void test_congestion_window(void **state)
{
	char text[100 * 30];
	struct script s;
	int sent = 0;

	(void)state;
	memset(text, 'g', sizeof(text));
	begin(&s);
	s.peer_mss = 100;
	establish(&s);
	tcp_conn_send(s.conn, text, sizeof(text));
	while (tcp_conn_output(s.conn, &s.out, s.now_ns))
		sent++;
	assert_int_equal(sent, 10);
	peer(&s, A, 1, 201, ""); /* two are through: slow start adds one segment for the ACK */
	for (sent = 0; tcp_conn_output(s.conn, &s.out, s.now_ns); sent++)
		;
	assert_int_equal(sent, 3);
	pass(&s, tcp_conn_deadline(s.conn) - s.now_ns);
	assert_true(tcp_conn_output(s.conn, &s.out, s.now_ns));
	assert_int_equal(s.out.seq - OUR_ISN, 201);
	quiet(&s);
	end(&s);
}

/* No window: one byte probes it at the back-off's times, for as long as the peer answers; what opens is used
 * at once. */
static void test_zero_window(void **state)
{
	struct script s;

	(void)state;
	begin(&s);
	s.peer_window = 0;
	establish(&s);
	tcp_conn_send(s.conn, "GET", 3);
	quiet(&s);
	for (int i = 0; i < 20; i++) {
		pass(&s, tcp_conn_deadline(s.conn) - s.now_ns);
		sends(&s, A, 1, 1, "G");
		quiet(&s);
		peer(&s, A, 1, 1, "");
		quiet(&s);
	}
	s.peer_window = 100;
	peer(&s, A, 1, 1, "");
	sends(&s, P | A, 1, 1, "GET");
	quiet(&s);
	pass(&s, tcp_conn_deadline(s.conn) - s.now_ns);
	sends(&s, P | A, 1, 1, "GET"); /* the probes do not count against it */
	end(&s);
}

/* The window of a segment is scaled by what the SYN-ACK said; an old segment does not shrink it. */
static void test_peer_window(void **state)
{
	char text[3001] = {};
	struct script s;

	(void)state;
	memset(text, 'g', 3000);
	begin_with(&s, OUR_ISN, PEER_ISN, TCP_HAS_WINDOW_SCALE);
	s.peer_scale = 3;
	s.peer_mss = 1000;
	s.peer_window = 1000;
	establish(&s); /* unscaled: 1000 bytes */
	tcp_conn_send(s.conn, text, 3000);
	sends(&s, A, 1, 1, text + 2000);
	quiet(&s);
	s.peer_window = 250; /* 2000 bytes */
	peer(&s, A, 1, 1001, "abc");
	reads(&s, "abc");
	sends(&s, A, 1001, 4, text + 2000);
	sends(&s, P | A, 2001, 4, text + 2000);
	end(&s);
}

/* --- closing --- */

/* The server closes first: CLOSE-WAIT, LAST-ACK, closed. Our FIN is sent again if it must. */
static void test_peer_closes_first(void **state)
{
	struct script s;

	(void)state;
	begin(&s);
	establish(&s);
	peer(&s, F | P | A, 1, 1, "page");
	assert_true(tcp_conn_peer_finished(s.conn));
	in_state(&s, "CLOSE-WAIT");
	sends(&s, A, 1, 6, "");
	reads(&s, "page");
	tcp_conn_shutdown(s.conn);
	in_state(&s, "LAST-ACK");
	sends(&s, F | A, 1, 6, "");
	quiet(&s);
	pass(&s, 200 * MS);
	sends(&s, F | A, 1, 6, "");
	peer(&s, A, 6, 2, "");
	in_state(&s, "CLOSED");
	assert_int_equal(tcp_conn_error(s.conn), 0);
	end(&s);
}

/* We close first: FIN-WAIT-1, FIN-WAIT-2 (still receiving), TIME-WAIT, which answers a FIN that is sent
 * again. */
static void test_we_close_first(void **state)
{
	struct script s;

	(void)state;
	begin(&s);
	establish(&s);
	tcp_conn_send(s.conn, "GET", 3);
	tcp_conn_shutdown(s.conn);
	assert_int_equal(tcp_conn_send(s.conn, "more", 4), 0);
	in_state(&s, "FIN-WAIT-1");
	sends(&s, F | P | A, 1, 1, "GET");
	peer(&s, A, 1, 4, "");
	in_state(&s, "FIN-WAIT-1");
	peer(&s, A, 1, 5, "");
	in_state(&s, "FIN-WAIT-2");
	peer(&s, A, 1, 5, "page");
	reads(&s, "page");
	peer(&s, F | A, 5, 5, "");
	in_state(&s, "TIME-WAIT");
	sends(&s, A, 5, 6, "");
	pass(&s, 400 * MS);
	assert_int_equal(peer(&s, F | A, 5, 5, ""), TCP_DUPLICATE);
	sends(&s, A, 5, 6, "");
	pass(&s, 400 * MS);
	in_state(&s, "TIME-WAIT");
	pass(&s, 100 * MS);
	in_state(&s, "CLOSED");
	end(&s);
}

/* Both FINs cross on the way: CLOSING, then TIME-WAIT. */
static void test_simultaneous_close(void **state)
{
	struct script s;

	(void)state;
	begin(&s);
	establish(&s);
	tcp_conn_shutdown(s.conn);
	sends(&s, F | A, 1, 1, "");
	peer(&s, F | A, 1, 1, "");
	in_state(&s, "CLOSING");
	sends(&s, A, 2, 2, "");
	peer(&s, A, 2, 2, "");
	in_state(&s, "TIME-WAIT");
	quiet(&s);
	end(&s);
}

/* The FIN overtakes data: it counts only when everything before it is there; what claims to be behind it
 * never. */
static void test_fin_out_of_order(void **state)
{
	struct script s;

	(void)state;
	begin(&s);
	establish(&s);
	peer(&s, F | A, 4, 1, "def");
	sends(&s, A, 1, 1, "");
	in_state(&s, "ESTABLISHED");
	peer(&s, A, 4, 1, "defBEYOND");
	sends(&s, A, 1, 1, "");
	peer(&s, A, 1, 1, "abc");
	sends(&s, A, 1, 8, "");
	in_state(&s, "CLOSE-WAIT");
	reads(&s, "abcdef");
	end(&s);
}

/* RST to the peer where there is one, with an acceptable number. */
static void test_abort(void **state)
{
	struct script s;

	(void)state;
	begin(&s);
	establish(&s);
	peer(&s, A, 1, 1, "abc");
	tcp_conn_abort(s.conn);
	sends(&s, R | A, 1, 4, "");
	quiet(&s);
	in_state(&s, "CLOSED");
	assert_int_equal(tcp_conn_error(s.conn), -ECONNABORTED);
	assert_int_equal(tcp_conn_deadline(s.conn), TCP_NEVER);
	end(&s);
	begin(&s);
	sends(&s, S, 0, 0, "");
	tcp_conn_abort(s.conn); /* nobody to tell yet */
	quiet(&s);
	end(&s);
}

/* --- RFC 7323 timestamps --- */

/* What is echoed is the timestamp of the oldest segment not acknowledged; what goes back in time is not
 * taken. */
static void test_timestamps(void **state)
{
	struct script s;

	(void)state;
	begin_with(&s, OUR_ISN, PEER_ISN, TCP_HAS_TIMESTAMPS);
	establish(&s);
	assert_int_equal(s.out.options, TCP_HAS_TIMESTAMPS);
	assert_int_equal(s.out.ts_value, 10 * 1000); /* the clock: milliseconds */
	assert_int_equal(s.out.ts_echo, 700);
	s.ts_value = 800;
	peer(&s, A, 1, 1, "abc");
	s.ts_value = 900;
	peer(&s, A, 4, 1, "def");
	sends(&s, A, 1, 7, "");
	assert_int_equal(s.out.ts_echo, 800);
	s.ts_value = 950;
	assert_int_equal(peer(&s, A, 10, 1, "jkl"), TCP_AHEAD);
	sends(&s, A, 1, 7, "");
	assert_int_equal(s.out.ts_echo, 800); /* not that of what is out of order */
	s.ts_value = 799;
	assert_int_equal(peer(&s, A, 7, 1, "OLD"), TCP_OLD_TIMESTAMP);
	sends(&s, A, 1, 7, "");
	s.peer_options = 0;
	s.ts_value = 960;
	assert_int_equal(peer(&s, A, 7, 1, "ghi"), TCP_NO_TIMESTAMP);
	quiet(&s);
	assert_int_equal(peer(&s, R, 7, 1, ""), TCP_RESET); /* a RST needs none */
	reads(&s, "abcdef");
	end(&s);
}

/* A forged segment from outside the window must not move the clock that PAWS compares with. */
static void test_timestamp_of_unacceptable(void **state)
{
	struct script s;

	(void)state;
	begin_with(&s, OUR_ISN, PEER_ISN, TCP_HAS_TIMESTAMPS);
	establish(&s);
	s.ts_value = 700 + 0x7000000;
	assert_int_equal(peer(&s, A, 0u - 100, 1, "x"), TCP_DUPLICATE);
	sends(&s, A, 1, 1, "");
	s.ts_value = 701;
	assert_int_equal(peer(&s, A, 1, 1, "abc"), TCP_ACCEPTED);
	reads(&s, "abc");
	end(&s);
}

/* --- two of them, over a bad line --- */

#define LINE_SEGMENTS     256
#define TRANSFER_BYTES    200000u
#define LINE_DELAY_NS     (5 * MS)
#define LINE_SPREAD_NS    (20 * MS)
#define TRANSFER_LIMIT_NS (3600 * NS_PER_S)

struct travelling {
	struct tcp_segment segment;
	uint8_t data[1500];
	uint64_t arrives_ns;
	int to;
	bool used;
};

struct line {
	struct travelling segments[LINE_SEGMENTS];
	uint32_t random;
	unsigned int loss_percent, duplicate_percent;
};

/* xorshift: the same line in every run. */
static uint32_t line_random(struct line *line)
{
	line->random ^= line->random << 13;
	line->random ^= line->random >> 17;
	line->random ^= line->random << 5;
	return line->random;
}

static void line_carry(struct line *line, const struct tcp_segment *segment, int to, uint64_t now_ns)
{
	if (line_random(line) % 100 < line->loss_percent)
		return;
	for (int i = 0; i < LINE_SEGMENTS; i++) {
		struct travelling *t = &line->segments[i];

		if (t->used)
			continue;
		*t = (struct travelling){.segment = *segment, .to = to, .used = true};
		assert_true(segment->data_bytes <= sizeof(t->data));
		if (segment->data_bytes)
			memcpy(t->data, segment->data, segment->data_bytes);
		t->segment.data = t->data;
		t->arrives_ns = now_ns + LINE_DELAY_NS + line_random(line) % LINE_SPREAD_NS;
		if (line_random(line) % 100 >= line->duplicate_percent)
			return;
	}
}

struct end_point {
	struct tcp_conn *conn;
	uint32_t written, read;
};

static uint8_t stream_byte(int end, uint32_t offset)
{
	return (uint8_t)(offset * 7 + (offset >> 8) * 13 + (uint32_t)end);
}

static void end_point_write(struct end_point *ends, int which)
{
	struct end_point *e = &ends[which];
	uint8_t block[4096];
	uint32_t bytes =
		TRANSFER_BYTES - e->written < sizeof(block) ? TRANSFER_BYTES - e->written : sizeof(block);

	for (uint32_t i = 0; i < bytes; i++)
		block[i] = stream_byte(which, e->written + i);
	e->written += tcp_conn_send(e->conn, block, bytes);
	if (e->written == TRANSFER_BYTES)
		tcp_conn_shutdown(e->conn);
}

static void end_point_read(struct end_point *ends, int which)
{
	struct end_point *e = &ends[which];
	uint8_t block[4096];
	size_t bytes;

	while ((bytes = tcp_conn_read(e->conn, block, sizeof(block))))
		for (size_t i = 0; i < bytes; i++, e->read++)
			assert_int_equal(block[i], stream_byte(!which, e->read));
}

static uint64_t next_event(const struct line *line, const struct end_point *ends)
{
	uint64_t next_ns = tcp_conn_deadline(ends[0].conn);

	if (tcp_conn_deadline(ends[1].conn) < next_ns)
		next_ns = tcp_conn_deadline(ends[1].conn);
	for (int i = 0; i < LINE_SEGMENTS; i++)
		if (line->segments[i].used && line->segments[i].arrives_ns < next_ns)
			next_ns = line->segments[i].arrives_ns;
	return next_ns;
}

static void run_end_point(struct line *line, struct end_point *ends, int which, uint64_t now_ns)
{
	struct tcp_segment segment;

	tcp_conn_advance(ends[which].conn, now_ns);
	for (int i = 0; i < LINE_SEGMENTS; i++) {
		struct travelling *t = &line->segments[i];

		if (!t->used || t->to != which || t->arrives_ns > now_ns)
			continue;
		tcp_conn_input(ends[which].conn, &t->segment, now_ns);
		t->used = false;
	}
	if (tcp_conn_state(ends[which].conn) >= TCP_STATE_ESTABLISHED)
		end_point_write(ends, which);
	end_point_read(ends, which);
	while (tcp_conn_output(ends[which].conn, &segment, now_ns))
		line_carry(line, &segment, !which, now_ns);
}

/* Two clients open towards each other, send 200 kB each way and close, over a line that loses, repeats and
 * reorders. */
static void transfer(uint32_t seed, unsigned int loss_percent, unsigned int duplicate_percent)
{
	struct line *line = calloc(1, sizeof(*line));
	struct end_point ends[2] = {};
	uint64_t now_ns = NS_PER_S;

	assert_non_null(line);
	line->random = seed;
	line->loss_percent = loss_percent;
	line->duplicate_percent = duplicate_percent;
	for (int i = 0; i < 2; i++) {
		struct tcp_conn_config config = {
			.isn = 0u - 50000u * (uint32_t)(i + 1), /* both wrap on the way */
			.receive_bytes = 16384,
			.send_bytes = 8192,
			.mss = 1460,
			.default_mss = 536,
			.time_wait_ns = 240 * NS_PER_S,
		};

		ends[i].conn = tcp_conn_new(&config);
		tcp_conn_connect(ends[i].conn);
	}
	while (now_ns != TCP_NEVER && now_ns < TRANSFER_LIMIT_NS) {
		run_end_point(line, ends, 0, now_ns);
		run_end_point(line, ends, 1, now_ns);
		now_ns = next_event(line, ends);
	}
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ends[i].read, TRANSFER_BYTES);
		assert_true(tcp_conn_peer_finished(ends[i].conn));
		assert_int_equal(tcp_conn_state(ends[i].conn), TCP_STATE_CLOSED);
		assert_int_equal(tcp_conn_error(ends[i].conn), 0);
		tcp_conn_free(ends[i].conn);
	}
	free(line);
}

static void test_bad_lines(void **state)
{
	(void)state;
	transfer(1, 0, 0);
	for (uint32_t seed = 2; seed < 12; seed++) {
		transfer(seed, 5, 0);
		transfer(seed, 0, 20);
		transfer(seed, 10, 10);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_handshake),
		cmocka_unit_test(test_syn_retransmission),
		cmocka_unit_test(test_rto_after_lost_syn),
		cmocka_unit_test(test_syn_ack_of_another_connection),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_no_syn),
		cmocka_unit_test(test_simultaneous_open),
		cmocka_unit_test(test_delayed_ack),
		cmocka_unit_test(test_reordering_and_sack),
		cmocka_unit_test(test_duplicates_and_overlap),
		cmocka_unit_test(test_too_many_gaps),
		cmocka_unit_test(test_sequence_wrap),
		cmocka_unit_test(test_outside_window),
		cmocka_unit_test(test_receive_window),
		cmocka_unit_test(test_no_window_update_behind_fin),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_challenge_limit),
		cmocka_unit_test(test_ack_of_what_was_never_sent),
		cmocka_unit_test(test_data_retransmission),
		cmocka_unit_test(test_rto_computation),
		cmocka_unit_test(test_timer_with_two_in_flight),
		cmocka_unit_test(test_data_timeout),
		cmocka_unit_test(test_segmentation),
		cmocka_unit_test(test_congestion_window),
		cmocka_unit_test(test_zero_window),
		cmocka_unit_test(test_peer_window),
		cmocka_unit_test(test_peer_closes_first),
		cmocka_unit_test(test_we_close_first),
		cmocka_unit_test(test_simultaneous_close),
		cmocka_unit_test(test_fin_out_of_order),
		cmocka_unit_test(test_abort),
		cmocka_unit_test(test_timestamps),
		cmocka_unit_test(test_timestamp_of_unacceptable),
		cmocka_unit_test(test_bad_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
