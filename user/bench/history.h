/* SPDX-License-Identifier: GPL-2.0-only */
/* The bench runs that were kept in a directory: of each what a chart needs, in the order of their times. */
#ifndef XDPLIFE_BENCH_HISTORY_H
#define XDPLIFE_BENCH_HISTORY_H

#include "bench/bench.h"

/* A scenario in a run. */
struct history_point {
	char name[BENCH_NAME_MAX], floor[BENCH_NAME_MAX];
	struct bench_spread ratio;
};

struct history_run {
	__s64 time_s;
	char version[64], kernel[64], compiler[64], cpu[64];
	struct history_point point[BENCH_SCENARIOS];
	unsigned int points;
};

struct history {
	struct history_run *run; /* the oldest first */
	unsigned int runs;
	char (*scenario)[BENCH_NAME_MAX]; /* all that occur, floors excepted: first those of the newest run */
	unsigned int scenarios;
};

/**
 * history_read() - read every *.json of a directory
 *
 * A file that is no bench run is named in a warning and left out. Says itself what is wrong.
 *
 * Return: 0 with at least one run and one scenario, to be freed by history_free(); -ENOENT: there is none; -errno.
 */
int history_read(struct history *history, const char *directory);
void history_free(struct history *history);

/* NULL: the run does not have it, or it was not measured. */
const struct history_point *history_point(const struct history_run *run, const char *scenario);

#endif
