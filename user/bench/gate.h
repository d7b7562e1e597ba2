/* SPDX-License-Identifier: GPL-2.0-only */
/* Whether a bench run is as good as the one that was kept as the baseline. */
#ifndef XDPLIFE_BENCH_GATE_H
#define XDPLIFE_BENCH_GATE_H

#include <stdio.h>

#include "bench/bench.h"

/**
 * bench_gate() - compare a run with the baseline
 * @asked: the scenarios that this run was to have, up to a NULL; NULL: all of the baseline. One more (a floor) is
 *	   compared if both have it.
 * @tolerance_percent: how much worse a figure may be; where the noise is larger, that decides
 * @out: gets a line for each thing that failed, for each that is better and for each that could not be compared, and a
 *	 summary of what was
 *
 * Compared are, in this order: that nothing vanished; what the programs are (instructions, bytes, stack, helper calls),
 * as far as kernel and compiler are the same; and speeds as fractions of the floor's.
 *
 * Return: how many things failed.
 */
unsigned int bench_gate(const struct bench_run *baseline, const struct bench_run *now, char *const *asked,
			double tolerance_percent, FILE *out);

#endif
