// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <string.h>

#include "out/histogram_chart.h"
#include "out/story.h"
#include "util/terminal.h"

#define EIGHTHS        8
#define ROWS_A_DECADE  3
#define DECADES        12 /* from 1 ns on: to a quarter of an hour and more */
#define ROWS           (DECADES * ROWS_A_DECADE)
#define LABEL_COLUMNS  10
#define COUNT_COLUMNS  9
#define MIN_BAR        8
#define DURATION_BYTES 32

/* The lower end of a row: 1, 2, 5, 10, ... ns. */
static __u64 row_from_ns(int row)
{
	static const __u64 step[ROWS_A_DECADE] = {1, 2, 5};
	__u64 ns = step[row % ROWS_A_DECADE];

	for (int decade = row / ROWS_A_DECADE; decade > 0; decade--)
		ns *= 10;
	return ns;
}

struct rows {
	__u64 count[ROWS];
	__u64 most;
};

/* A bucket that lies across two rows goes to the one that has its middle. */
static void fill_rows(struct rows *rows, const struct latency *latency)
{
	int row = 0;

	memset(rows, 0, sizeof(*rows));
	for (__u32 i = 0; i < HISTOGRAM_BUCKETS; i++) {
		__u64 middle_ns = (histogram_floor(i) + histogram_floor(i + 1) - 1) / 2;

		while (row + 1 < ROWS && row_from_ns(row + 1) <= middle_ns)
			row++;
		rows->count[row] += latency->bucket[i];
	}
	for (row = 0; row < ROWS; row++)
		if (rows->count[row] > rows->most)
			rows->most = rows->count[row];
}

void histogram_chart_bar(char *text, size_t bytes, unsigned int eighths, int columns, bool unicode)
{
	static const char *const part[EIGHTHS] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
	int whole = (int)(eighths / EIGHTHS), rest = (int)(eighths % EIGHTHS), drawn = 0;
	size_t used = 0;

	for (; drawn < whole && drawn < columns; drawn++)
		used += snprintf(text + used, bytes - used, "%s", unicode ? "█" : "#");
	if (drawn < columns && rest) {
		used += snprintf(text + used, bytes - used, "%s", unicode ? part[rest] : whole ? "" : ".");
		drawn += unicode || !whole;
	}
	snprintf(text + used, bytes - used, "%*s", columns - drawn, "");
}

/* What there is at all shows. */
static unsigned int bar_eighths(__u64 count, __u64 most, int columns)
{
	double share = most ? (double)count / (double)most : 0;
	unsigned int eighths = (unsigned int)(share * columns * EIGHTHS + 0.5);

	return count && !eighths ? 1 : eighths;
}

static void print_row(const struct histogram_chart *chart, const struct rows *rows, int row, int bar_columns,
		      FILE *out)
{
	char from[DURATION_BYTES], bar[CHART_BAR_BYTES];

	story_duration(from, sizeof(from), row_from_ns(row));
	if (!chart->unicode && strstr(from, "µ"))
		snprintf(strstr(from, "µ"), sizeof("us"), "us");
	fprintf(out, "  %*s", LABEL_COLUMNS + (chart->unicode && strstr(from, "µ") != NULL), from);
	for (int i = 0; i < CHART_COLUMNS; i++) {
		histogram_chart_bar(bar, sizeof(bar),
				    bar_eighths(rows[i].count[row], rows[i].most, bar_columns), bar_columns,
				    chart->unicode);
		fprintf(out, " %s%s%s", terminal_style(out, STYLE_VALUE), bar,
			terminal_style(out, STYLE_RESET));
		if (rows[i].count[row])
			fprintf(out, " %*" PRIu64, COUNT_COLUMNS, (uint64_t)rows[i].count[row]);
		else
			fprintf(out, " %*s", COUNT_COLUMNS, "");
	}
	fputc('\n', out);
}

static bool row_is_empty(const struct rows *rows, int row)
{
	return !rows[0].count[row] && !rows[1].count[row];
}

void histogram_chart_print(const struct histogram_chart *chart, FILE *out)
{
	int bar_columns = (chart->columns - 2 - LABEL_COLUMNS) / CHART_COLUMNS - 2 - COUNT_COLUMNS, first = 0,
	    last = ROWS - 1;
	struct rows rows[CHART_COLUMNS];

	if (bar_columns < MIN_BAR)
		bar_columns = MIN_BAR;
	if (bar_columns >= CHART_MAX_BAR)
		bar_columns = CHART_MAX_BAR - 1;
	for (int i = 0; i < CHART_COLUMNS; i++)
		fill_rows(&rows[i], chart->latency[i]);
	while (last >= 0 && row_is_empty(rows, last))
		last--;
	while (first < last && row_is_empty(rows, first))
		first++;
	if (last < 0)
		return;
	fprintf(out, "  %s%*s", terminal_style(out, STYLE_DIM), LABEL_COLUMNS, "from");
	for (int i = 0; i < CHART_COLUMNS; i++)
		fprintf(out, " %-*s", bar_columns + 1 + COUNT_COLUMNS, chart->heading[i]);
	fprintf(out, "%s\n", terminal_style(out, STYLE_RESET));
	for (int row = first; row <= last; row++)
		print_row(chart, rows, row, bar_columns, out);
}
