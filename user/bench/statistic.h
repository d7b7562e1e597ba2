/* SPDX-License-Identifier: GPL-2.0-only */
/* Medians and what they are worth. Pure. */
#ifndef XDPLIFE_STATISTIC_H
#define XDPLIFE_STATISTIC_H

#include "bench/bench.h"

/* A value below which a fraction of the others lies. @values: sorted here; @count above 0 */
double statistic_quantile(double *values, unsigned int count, double fraction);

/**
 * statistic_spread() - the median of all slices, the quartiles of the rounds' medians, and the standard error
 * @values: rounds * slices of them, round after round; put into another order
 *
 * The error is that of a median of normally distributed values, 1.2533 s / sqrt(n), with s from the median absolute
 * deviation, which a few disturbed slices do not move (Rousseeuw and Croux 1993); or that of the rounds' medians, if it
 * is larger: then the rounds differ from each other by more than the slices within them.
 */
struct bench_spread statistic_spread(double *values, unsigned int rounds, unsigned int slices);

#endif
