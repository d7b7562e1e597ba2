/* SPDX-License-Identifier: GPL-2.0-only */
/* Measures scenarios: interleaved with their floor, then at rates, then their programs; fills a struct bench_run. */
#ifndef XDPLIFE_RUNNER_H
#define XDPLIFE_RUNNER_H

#include "bench/bench.h"
#include "bench/scenario.h"

struct runner_options {
	const struct scenario *const *scenarios; /* NULL-terminated */
	unsigned int rounds;                     /* at least 5 */
	unsigned int slices;                     /* pairs of scenario and floor in each */
	bool rates;                              /* search loss-free rates, measure latency */
	bool split;                              /* cores of their own; see split.h */
	double handicap_percent; /* slows each device's own program down by so much; 0: none */
	/* What is being done, for a line of progress: NULL at the end. */
	void (*progress)(const char *scenario, const char *what, unsigned int done, unsigned int all);
};

/* Return: 0; an exit_code with the error said: EXIT_LEDGER if packets of a scenario are not accounted for. */
int runner_run(const struct runner_options *options, struct bench_run *run);

#endif
