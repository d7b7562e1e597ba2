// SPDX-License-Identifier: GPL-2.0-only
#include <time.h>

#include "traffic/pace.h"
#include "util/clock.h"

uint64_t pace_interval(double rate_pps)
{
	return rate_pps > 0 ? (uint64_t)((double)NS_PER_S * (1 << PACE_SHIFT) / rate_pps) : 0;
}

void pace_rebase(struct generator_run *run)
{
	run->start_ns += run->due >> PACE_SHIFT;
	run->due &= (1 << PACE_SHIFT) - 1;
}

void pace_sleep_until(uint64_t when_ns)
{
	struct timespec when = {.tv_sec = when_ns / NS_PER_S, .tv_nsec = when_ns % NS_PER_S};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL);
}
