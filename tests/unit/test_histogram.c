// SPDX-License-Identifier: GPL-2.0-only
/* A value is known to a sixteenth from its bucket, and so is every percentile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "traffic/sink.h"
#include "xdplife/histogram.h"

#define LAST_VALUE ((1ull << 40) - 1)

static void check_value(__u64 value)
{
	__u32 bucket = histogram_bucket(value);

	assert_true(bucket < HISTOGRAM_BUCKETS);
	assert_true(histogram_floor(bucket) <= value && value < histogram_floor(bucket + 1));
}

static void each_value_is_in_its_bucket(void **state)
{
	(void)state;
	for (__u64 value = 0; value < 100000; value++)
		check_value(value);
	for (__u32 log = 5; log < 40; log++)
		for (int near = -2; near <= 2; near++)
			check_value((1ull << log) + near);
	check_value(LAST_VALUE);
}

static void what_is_above_is_in_the_last(void **state)
{
	(void)state;
	assert_int_equal(histogram_bucket(LAST_VALUE), HISTOGRAM_BUCKETS - 1);
	assert_int_equal(histogram_bucket(LAST_VALUE + 1), HISTOGRAM_BUCKETS - 1);
	assert_int_equal(histogram_bucket(~0ull), HISTOGRAM_BUCKETS - 1);
}

static void a_bucket_is_a_sixteenth_wide(void **state)
{
	(void)state;
	for (__u32 bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
		__u64 floor = histogram_floor(bucket), width = histogram_floor(bucket + 1) - floor;

		assert_true(width == 1 || width * HISTOGRAM_STEPS <= floor);
		assert_int_equal(histogram_bucket(floor), bucket);
	}
}

static void logarithm(void **state)
{
	(void)state;
	for (__u32 log = 0; log < 64; log++) {
		assert_int_equal(histogram_log2(1ull << log), log);
		assert_int_equal(histogram_log2((1ull << log) + ((1ull << log) - 1)), log);
	}
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

#define VALUES 10000

/* @power: how skewed: most are small, a few very large, as latencies are */
static void check_percentiles(double power)
{
	static const double fractions[] = {0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1};
	static double value[VALUES];
	static struct sink_report report;

	memset(&report, 0, sizeof(report));
	for (int i = 0; i < VALUES; i++) {
		value[i] = floor(pow(2, 3 + power * (random() % 10000) / 10000.0));
		report.latency[histogram_bucket((__u64)value[i])]++;
		report.measured++;
	}
	qsort(value, VALUES, sizeof(*value), ascending);
	for (size_t i = 0; i < sizeof(fractions) / sizeof(fractions[0]); i++) {
		double exact = value[(int)ceil(fractions[i] * VALUES) - 1];
		double is = sink_latency_ns(&report, fractions[i]);

		assert_true(fabs(is - exact) <= fmax(0.5, exact / HISTOGRAM_STEPS));
	}
}

static void percentiles_against_sorting(void **state)
{
	(void)state;
	srandom(1);
	for (double power = 1; power <= 30; power += 1)
		check_percentiles(power);
}

static void percentiles_of_few(void **state)
{
	static struct sink_report report;

	(void)state;
	assert_true(isnan(sink_latency_ns(&report, 0.5)));
	report.latency[histogram_bucket(1000)] = report.measured = 1;
	assert_true(fabs(sink_latency_ns(&report, 0.5) - 1000) < 1000.0 / HISTOGRAM_STEPS);
	assert_true(sink_latency_ns(&report, 0.001) == sink_latency_ns(&report, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_value_is_in_its_bucket),
		cmocka_unit_test(what_is_above_is_in_the_last),
		cmocka_unit_test(a_bucket_is_a_sixteenth_wide),
		cmocka_unit_test(logarithm),
		cmocka_unit_test(percentiles_against_sorting),
		cmocka_unit_test(percentiles_of_few),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
