// SPDX-License-Identifier: GPL-2.0-only
#include <limits.h>
#include <time.h>

#include "util/clock.h"

static uint64_t read_clock(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

uint64_t clock_monotonic_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t clock_realtime_ns(void)
{
	return read_clock(CLOCK_REALTIME);
}

int clock_poll_timeout_ms(uint64_t wait_ns)
{
	if (wait_ns == UINT64_MAX)
		return -1;
	if (wait_ns / NS_PER_MS >= INT_MAX)
		return INT_MAX;
	return (int)((wait_ns + NS_PER_MS - 1) / NS_PER_MS);
}
