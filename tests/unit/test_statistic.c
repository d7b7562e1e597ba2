// SPDX-License-Identifier: GPL-2.0-only
/* The medians of the bench and what they are worth, against numbers that were worked out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bench/statistic.h"

static void quantiles_lie_between_the_values(void **state)
{
	double values[] = {4, 1, 3, 2, 5}, even[] = {10, 20, 30, 40};

	(void)state;
	assert_float_equal(statistic_quantile(values, 5, 0.5), 3, 1e-9);
	assert_float_equal(statistic_quantile(values, 5, 0), 1, 1e-9);
	assert_float_equal(statistic_quantile(values, 5, 1), 5, 1e-9);
	assert_float_equal(statistic_quantile(values, 5, 0.25), 2, 1e-9);
	assert_float_equal(statistic_quantile(even, 4, 0.5), 25, 1e-9);
	assert_float_equal(statistic_quantile(even, 1, 0.9), 10, 1e-9);
}

/* Two rounds of three: medians 2 and 5, all together 3.5; deviations 2.5 1.5 .5 .5 1.5 2.5: their median is 1.5. */
static void spread_is_of_slices_and_rounds(void **state)
{
	double values[] = {1, 2, 3, 6, 5, 4};
	struct bench_spread spread = statistic_spread(values, 2, 3);

	(void)state;
	assert_int_equal(spread.rounds, 2);
	assert_float_equal(spread.median, 3.5, 1e-9);
	assert_float_equal(spread.low, 2.75, 1e-9);
	assert_float_equal(spread.high, 4.25, 1e-9);
	assert_float_equal(spread.noise, 1.5, 1e-9); /* of 2 and 5: sqrt(4.5 / 2), more than the slices' */
}

/* Rounds alike: 1.2533 * 1.4826 * MAD / sqrt(n). */
static void noise_is_of_slices_where_rounds_agree(void **state)
{
	double values[] = {1, 3, 5, 1, 3, 5};

	(void)state;
	assert_float_equal(statistic_spread(values, 2, 3).noise, 1.2533 * 1.4826 * 2 / 2.449489743, 1e-6);
}

/* One disturbed slice in ten moves neither the median nor the error by much. */
static void one_wild_slice_does_not_matter(void **state)
{
	double calm[10], wild[10];
	struct bench_spread a, b;

	(void)state;
	for (int i = 0; i < 10; i++)
		calm[i] = wild[i] = 100 + i % 3;
	wild[4] = 100000;
	a = statistic_spread(calm, 1, 10);
	b = statistic_spread(wild, 1, 10);
	assert_float_equal(a.median, b.median, 1);
	assert_float_equal(a.noise, b.noise, 0.6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantiles_lie_between_the_values),
		cmocka_unit_test(spread_is_of_slices_and_rounds),
		cmocka_unit_test(noise_is_of_slices_where_rounds_agree),
		cmocka_unit_test(one_wild_slice_does_not_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
