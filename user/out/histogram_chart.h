/* SPDX-License-Identifier: GPL-2.0-only */
/* Two histograms of durations drawn side by side over one time axis of steps 1, 2, 5, 10. */
#ifndef XDPLIFE_HISTOGRAM_CHART_H
#define XDPLIFE_HISTOGRAM_CHART_H

#include <stdbool.h>
#include <stdio.h>

#include "util/latency.h"

#define CHART_COLUMNS 2

struct histogram_chart {
	const struct latency *latency[CHART_COLUMNS];
	const char *heading[CHART_COLUMNS]; /* ASCII */
	int columns;                        /* how wide the terminal is */
	bool unicode;
};

/* Nothing is printed where neither has samples. A sample is at most a sixteenth of its value in the wrong row. */
void histogram_chart_print(const struct histogram_chart *chart, FILE *out);

/* Bars of @eighths of a column, padded to @columns. For @columns below CHART_MAX_BAR. */
#define CHART_MAX_BAR   240
#define CHART_BAR_BYTES (3 * CHART_MAX_BAR + 1)
void histogram_chart_bar(char *text, size_t bytes, unsigned int eighths, int columns, bool unicode);

#endif
