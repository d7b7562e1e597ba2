/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Durations collected in a log-linear histogram (xdplife/histogram.h), and their quantiles. Pure; zero is
 * empty.
 */
#ifndef XDPLIFE_LATENCY_H
#define XDPLIFE_LATENCY_H

#include <stdint.h>

#include "xdplife/histogram.h"

struct latency {
	uint64_t samples;
	uint64_t max_ns; /* exact */
	uint64_t bucket[HISTOGRAM_BUCKETS];
};

void latency_add(struct latency *latency, uint64_t ns);

/**
 * latency_quantile_ns() - the duration that the fraction @q of the samples did not exceed
 * @q: above 0, at most 1
 *
 * Return: the upper end of the sample's bucket, so at most 1/16 above the truth and never above the maximum;
 * 0 without samples.
 */
uint64_t latency_quantile_ns(const struct latency *latency, double q);

#endif
