/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When things are to be started: at a steady rate, whether or not those before are done (open loop), or as
 * soon as there is room. Pure; times are nanoseconds of any monotonic clock.
 *
 * With a rate, number n (from 0) is due n / rate seconds after the beginning. What is due and finds no room
 * waits, is late, and does not move what comes after it; if it is still waiting at the end, it is missed.
 */
#ifndef XDPLIFE_PACER_H
#define XDPLIFE_PACER_H

#include <stdint.h>

#define PACER_NEVER UINT64_MAX

struct pacer {
	double rate_per_s; /* 0: as soon as there is room */
	uint64_t begin_ns;
	uint64_t end_ns; /* nothing is due from then on; PACER_NEVER */
	uint64_t limit;  /* so many at most; UINT64_MAX */

	/* zero at first */
	uint64_t started;
	uint64_t late;    /* of those started: they had to wait for room */
	uint64_t full_ns; /* when one last had to */
};

/* When the next is or was due; PACER_NEVER: there will be none. */
uint64_t pacer_due_ns(const struct pacer *pacer, uint64_t now_ns);

/* It is due, and there is no room. */
void pacer_full(struct pacer *pacer, uint64_t now_ns);

/* It is started. */
void pacer_start(struct pacer *pacer);

/* How many have been due up to @now_ns and are not started; 0 without a rate. */
uint64_t pacer_missed(const struct pacer *pacer, uint64_t now_ns);

#endif
