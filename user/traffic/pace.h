/* SPDX-License-Identifier: GPL-2.0-only */
/* When the frames of a paced stream are due, for the senders: sleep through long gaps, spin through short ones. */
#ifndef XDPLIFE_PACE_H
#define XDPLIFE_PACE_H

#include <stdint.h>

#include "xdplife/generate.h"

#define PACE_SLEEP_NS 500000 /* a gap above this is slept through; a shorter one is spun through */

/* Nanoseconds between two frames << PACE_SHIFT, or 0 for as fast as it goes. */
uint64_t pace_interval(double rate_pps);

/*
 * The time is kept as a difference from start_ns, which must not grow for ever: 47 bits hold 39 hours. Called now and
 * then, while nothing is being sent.
 */
void pace_rebase(struct generator_run *run);

/* Returns early on a signal. */
void pace_sleep_until(uint64_t when_ns);

#endif
