// SPDX-License-Identifier: GPL-2.0-only
#include "util/latency.h"

void latency_add(struct latency *latency, uint64_t ns)
{
	latency->samples++;
	latency->bucket[histogram_bucket(ns)]++;
	if (ns > latency->max_ns)
		latency->max_ns = ns;
}

/* The nearest-rank definition: the smallest sample with at least q of all at or below it. */
uint64_t latency_quantile_ns(const struct latency *latency, double q)
{
	double exact_rank = q * (double)latency->samples;
	uint64_t rank = (uint64_t)exact_rank, seen = 0, end_ns;

	rank += (double)rank < exact_rank;
	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS - 1; i++) {
		seen += latency->bucket[i];
		if (seen >= rank && seen) {
			end_ns = histogram_floor(i + 1) - 1;
			return end_ns < latency->max_ns ? end_ns : latency->max_ns;
		}
	}
	return latency->max_ns; /* the last bucket has no end */
}
