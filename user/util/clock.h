/* SPDX-License-Identifier: GPL-2.0-only */
/* The clocks in nanoseconds, for the code that does I/O; what is pure gets the time as an argument. */
#ifndef XDPLIFE_CLOCK_H
#define XDPLIFE_CLOCK_H

#include <stdint.h>

#define NS_PER_S  1000000000ull
#define NS_PER_MS 1000000ull
#define NS_PER_US 1000ull

uint64_t clock_monotonic_ns(void);
uint64_t clock_realtime_ns(void); /* since the Unix epoch */

/* @wait_ns as poll(2) takes it: rounded up, so that a deadline has passed when poll returns; -1 for
 * UINT64_MAX. */
int clock_poll_timeout_ms(uint64_t wait_ns);

#endif
