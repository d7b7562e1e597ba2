/* SPDX-License-Identifier: GPL-2.0-only */
/* Which helpers of the kernel the programs of a scenario call for a frame. */
#ifndef XDPLIFE_CALLS_H
#define XDPLIFE_CALLS_H

#include "bench/bench.h"
#include "bench/scenario.h"

/**
 * calls_count() - set the scenario up once more with programs that count, and run its frame through each of them
 * @result: its programs are there; the helpers of those that can count are filled in
 *
 * Return: 0; an exit_code with the error said.
 */
int calls_count(const struct scenario *scenario, struct bench_result *result);

#endif
