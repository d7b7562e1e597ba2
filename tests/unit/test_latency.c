// SPDX-License-Identifier: GPL-2.0-only
/* Quantiles of a histogram, against the sorted samples. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "util/latency.h"

#define SAMPLES 5000

static void nothing(void **state)
{
	struct latency latency = {};

	(void)state;
	assert_int_equal(latency_quantile_ns(&latency, 0.5), 0);
	assert_int_equal(latency_quantile_ns(&latency, 1), 0);
}

/* Small values have buckets of their own: nearest rank, exactly. */
static void exact_below_sixteen(void **state)
{
	struct latency latency = {};

	(void)state;
	for (uint64_t ns = 1; ns <= 10; ns++)
		latency_add(&latency, ns);
	assert_int_equal(latency.samples, 10);
	assert_int_equal(latency_quantile_ns(&latency, 0.1), 1);
	assert_int_equal(latency_quantile_ns(&latency, 0.5), 5);
	assert_int_equal(latency_quantile_ns(&latency, 0.51), 6);
	assert_int_equal(latency_quantile_ns(&latency, 0.99), 10);
	assert_int_equal(latency_quantile_ns(&latency, 1), 10);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* From nanoseconds to minutes: never below the sample of that rank, at most 1/16 above it. */
static void within_a_sixteenth(void **state)
{
	static const double quantiles[] = {0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1};
	static uint64_t sorted[SAMPLES];
	struct latency latency = {};

	(void)state;
	srand(3);
	for (int i = 0; i < SAMPLES; i++) {
		sorted[i] = ((uint64_t)rand() << 8 | (uint64_t)(rand() & 255)) >> (rand() % 38);
		latency_add(&latency, sorted[i]);
	}
	qsort(sorted, SAMPLES, sizeof(sorted[0]), compare);
	assert_int_equal(latency.max_ns, sorted[SAMPLES - 1]);
	for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++) {
		uint64_t exact = sorted[(int)(quantiles[i] * SAMPLES + 0.999) - 1];
		uint64_t told = latency_quantile_ns(&latency, quantiles[i]);

		assert_in_range(told, exact, exact + exact / 16);
	}
}

/* Beyond the last bucket there is still the maximum. */
static void longer_than_the_histogram(void **state)
{
	struct latency latency = {};

	(void)state;
	latency_add(&latency, 5);
	latency_add(&latency, 1ull << 50);
	assert_int_equal(latency_quantile_ns(&latency, 0.5), 5);
	assert_int_equal(latency_quantile_ns(&latency, 1), 1ull << 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing),
		cmocka_unit_test(exact_below_sixteen),
		cmocka_unit_test(within_a_sixteenth),
		cmocka_unit_test(longer_than_the_histogram),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
