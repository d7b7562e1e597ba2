// SPDX-License-Identifier: GPL-2.0-only
#include <math.h>
#include <stdlib.h>

#include "bench/statistic.h"

#define MAX_ROUNDS       256
#define NORMAL_MAD       1.4826 /* of a normal distribution: standard deviation / median absolute deviation */
#define MEDIAN_OVER_MEAN 1.2533 /* sqrt(pi / 2): standard error of the median / of the mean */

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double statistic_quantile(double *values, unsigned int count, double fraction)
{
	double place = fraction * (count - 1);
	unsigned int below = (unsigned int)place;

	qsort(values, count, sizeof(*values), by_size);
	if (below + 1 >= count)
		return values[count - 1];
	return values[below] + (place - below) * (values[below + 1] - values[below]);
}

/* The standard error of the rounds' mean. */
static double error_of_rounds(const double *round, unsigned int rounds)
{
	double mean = 0, squares = 0;

	for (unsigned int i = 0; i < rounds; i++)
		mean += round[i] / rounds;
	for (unsigned int i = 0; i < rounds; i++)
		squares += (round[i] - mean) * (round[i] - mean);
	return rounds > 1 ? sqrt(squares / (rounds - 1) / rounds) : 0;
}

struct bench_spread statistic_spread(double *values, unsigned int rounds, unsigned int slices)
{
	double round[MAX_ROUNDS];
	unsigned int count;
	struct bench_spread spread;

	if (rounds > MAX_ROUNDS)
		rounds = MAX_ROUNDS;
	count = rounds * slices;
	for (unsigned int i = 0; i < rounds; i++)
		round[i] = statistic_quantile(values + i * slices, slices, 0.5);
	spread.rounds = rounds;
	spread.low = statistic_quantile(round, rounds, 0.25);
	spread.high = statistic_quantile(round, rounds, 0.75);
	spread.median = statistic_quantile(values, count, 0.5);
	for (unsigned int i = 0; i < count; i++)
		values[i] = fabs(values[i] - spread.median);
	spread.noise =
		fmax(MEDIAN_OVER_MEAN * NORMAL_MAD * statistic_quantile(values, count, 0.5) / sqrt(count),
		     error_of_rounds(round, rounds));
	return spread;
}
