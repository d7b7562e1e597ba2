// SPDX-License-Identifier: GPL-2.0-only
/* Round-trip times: which segment answers which, what is never timed, the minimum, the smoothed one and the histogram. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "xdplife/tcp_rtt.h"

#define NS_PER_US 1000ull

static struct packet data(uint32_t tsval)
{
	struct packet pkt = {.tcp_flags = TCPHDR_ACK | TCPHDR_PSH};

	if (tsval)
		pkt.tcp_options = (struct tcp_options_summary){.flags = TCP_HAS_TIMESTAMPS, .tsval = tsval};
	return pkt;
}

static struct packet ack(uint32_t number, uint32_t tsecr)
{
	struct packet pkt = {.tcp_flags = TCPHDR_ACK, .tcp_ack = number};

	if (tsecr)
		pkt.tcp_options = (struct tcp_options_summary){.flags = TCP_HAS_TIMESTAMPS, .tsecr = tsecr};
	return pkt;
}

static void send_at(struct tcp_rtt *rtt, uint64_t us, struct packet pkt, uint32_t end)
{
	tcp_rtt_sent(rtt, &pkt, end, us * NS_PER_US);
}

static void acknowledge_at(struct tcp_rtt *rtt, uint64_t us, struct packet pkt)
{
	tcp_rtt_acknowledged(rtt, &pkt, us * NS_PER_US);
}

static void test_by_sequence(void **state)
{
	struct tcp_rtt rtt = {};

	(void)state;
	send_at(&rtt, 1000, data(0), 1100);
	/* while one is timed, the next is not */
	send_at(&rtt, 1500, data(0), 1200);
	/* not yet its end */
	acknowledge_at(&rtt, 2000, ack(1099, 0));
	assert_int_equal(rtt.samples, 0);
	acknowledge_at(&rtt, 3000, ack(1200, 0));
	assert_int_equal(rtt.samples, 1);
	assert_int_equal(rtt.last_us, 2000);
	/* once */
	acknowledge_at(&rtt, 4000, ack(1200, 0));
	assert_int_equal(rtt.samples, 1);
}

static void test_karn(void **state)
{
	struct tcp_rtt rtt = {};

	(void)state;
	send_at(&rtt, 1000, data(0), 1100);
	tcp_rtt_repeated(&rtt);
	acknowledge_at(&rtt, 3000, ack(1100, 0));
	assert_int_equal(rtt.samples, 0);
	/* the next one is timed again */
	send_at(&rtt, 4000, data(0), 1200);
	acknowledge_at(&rtt, 4500, ack(1200, 0));
	assert_int_equal(rtt.samples, 1);
	assert_int_equal(rtt.last_us, 500);
}

static void test_by_timestamp(void **state)
{
	struct tcp_rtt rtt = {};

	(void)state;
	send_at(&rtt, 1000, data(77), 1100);
	/* the echo tells which one it answers, whatever was repeated */
	tcp_rtt_repeated(&rtt);
	/* acknowledges all and echoes an older one */
	acknowledge_at(&rtt, 1200, ack(1100, 76));
	/* one without timestamps is no answer */
	acknowledge_at(&rtt, 1300, ack(1100, 0));
	assert_int_equal(rtt.samples, 0);
	acknowledge_at(&rtt, 1400, ack(1100, 77));
	assert_int_equal(rtt.last_us, 400);
	/* a later one answers it too (RFC 7323 §4.3: delayed acknowledgments echo the first) */
	send_at(&rtt, 2000, data(80), 1200);
	acknowledge_at(&rtt, 2100, ack(1200, 85));
	assert_int_equal(rtt.last_us, 100);
	assert_int_equal(rtt.samples, 2);
}

static void test_wrap(void **state)
{
	struct tcp_rtt rtt = {};

	(void)state;
	/* the sequence number is 5 behind 2^32, and the acknowledgment in front of it */
	send_at(&rtt, 1000, data(0), 5);
	acknowledge_at(&rtt, 1100, ack(0xfffffff0, 0));
	assert_int_equal(rtt.samples, 0);
	acknowledge_at(&rtt, 1200, ack(5, 0));
	assert_int_equal(rtt.samples, 1);
	send_at(&rtt, 2000, data(0xfffffffe), 100);
	acknowledge_at(&rtt, 2100, ack(100, 0xfffffffd));
	assert_int_equal(rtt.samples, 1);
	acknowledge_at(&rtt, 2200, ack(100, 1));
	assert_int_equal(rtt.samples, 2);
}

static void test_without_ack(void **state)
{
	struct tcp_rtt rtt = {};
	struct packet rst = ack(1100, 0);

	(void)state;
	rst.tcp_flags = TCPHDR_RST;
	send_at(&rtt, 1000, data(0), 1100);
	acknowledge_at(&rtt, 1100, rst);
	assert_int_equal(rtt.samples, 0);
}

static void test_time_goes_backwards(void **state)
{
	struct tcp_rtt rtt = {};

	(void)state;
	/* as between two hooks' clocks, or in a capture that was merged badly */
	send_at(&rtt, 1000, data(0), 1100);
	acknowledge_at(&rtt, 900, ack(1100, 0));
	assert_int_equal(rtt.samples, 0);
	assert_int_equal(rtt.by, TCP_RTT_IDLE);
}

static void sample(struct tcp_rtt *rtt, uint64_t us)
{
	send_at(rtt, 1000000, data(0), 1);
	acknowledge_at(rtt, 1000000 + us, ack(1, 0));
}

/* RFC 6298 §2: SRTT = 7/8 SRTT + 1/8 R */
static void test_smoothed_and_minimum(void **state)
{
	struct tcp_rtt rtt = {};

	(void)state;
	sample(&rtt, 8000);
	assert_int_equal(rtt.smoothed_us, 8000);
	assert_int_equal(rtt.min_us, 8000);
	sample(&rtt, 16000);
	assert_int_equal(rtt.smoothed_us, 9000);
	assert_int_equal(rtt.min_us, 8000);
	assert_int_equal(rtt.last_us, 16000);
	sample(&rtt, 800);
	assert_int_equal(rtt.smoothed_us, 9000 - 1125 + 100);
	assert_int_equal(rtt.min_us, 800);
	/* nothing measurable is a time too */
	sample(&rtt, 0);
	assert_int_equal(rtt.min_us, 0);
	assert_int_equal(rtt.samples, 4);
}

static void test_histogram(void **state)
{
	/* the buckets begin at 0, 64, 128 µs ..., 2^20 µs; the last takes all that is longer */
	static const struct {
		uint64_t us;
		int bucket;
	} rows[] = {{0, 0},    {63, 0},       {64, 1},       {127, 1},      {128, 2},
		    {1000, 4}, {1048575, 14}, {1048576, 15}, {90000000, 15}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tcp_rtt rtt = {};

		sample(&rtt, rows[i].us);
		for (int at = 0; at < TCP_RTT_BUCKETS; at++)
			assert_int_equal(rtt.bucket[at], at == rows[i].bucket);
	}
}

static void test_a_full_bucket_stays_full(void **state)
{
	struct tcp_rtt rtt = {.bucket = {0xffff}};

	(void)state;
	sample(&rtt, 10);
	assert_int_equal(rtt.bucket[0], 0xffff);
	assert_int_equal(rtt.samples, 1);
}

/* Longer than 2^32 µs, 71 minutes: as long as can be said. */
static void test_longer_than_can_be_said(void **state)
{
	struct tcp_rtt rtt = {};

	(void)state;
	sample(&rtt, 5000000000ull);
	assert_int_equal(rtt.last_us, 0xffffffff);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_sequence),
		cmocka_unit_test(test_karn),
		cmocka_unit_test(test_by_timestamp),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_without_ack),
		cmocka_unit_test(test_time_goes_backwards),
		cmocka_unit_test(test_smoothed_and_minimum),
		cmocka_unit_test(test_histogram),
		cmocka_unit_test(test_a_full_bucket_stays_full),
		cmocka_unit_test(test_longer_than_can_be_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
