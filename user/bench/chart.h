/* SPDX-License-Identifier: GPL-2.0-only */
/* How the speeds changed over the runs that were kept, as an SVG picture that is legible on light and dark paper. */
#ifndef XDPLIFE_BENCH_CHART_H
#define XDPLIFE_BENCH_CHART_H

#include <stdio.h>

/**
 * bench_chart_write() - draw the ratios to the floor of every run in a directory
 * @svg: whether all of it was written is for the caller to see (new_file_commit())
 * @directory: *.json as bench_json_save() wrote them; others are named in a warning and left out
 *
 * Several runs give a curve for each scenario, a single one gives bars. Says itself what is wrong.
 *
 * Return: 0; -ENOENT: no run there; another -errno. Nothing is written then.
 */
int bench_chart_write(FILE *svg, const char *directory);

#endif
