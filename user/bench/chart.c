// SPDX-License-Identifier: GPL-2.0-only
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "bench/chart.h"
#include "bench/figure.h"
#include "bench/history.h"

/* In pixels. y grows downwards. */
#define WIDTH         960
#define MARGIN        24
#define TITLE_HEIGHT  112 /* title, subtitle, legend */
#define AXIS_WIDTH    40  /* the numbers at the left of a curve */
#define PANELS_IN_ROW 2
#define PANEL_WIDTH   ((WIDTH - (PANELS_IN_ROW + 1) * MARGIN) / PANELS_IN_ROW)
#define PLOT_WIDTH    (PANEL_WIDTH - AXIS_WIDTH)
#define PLOT_HEIGHT   132
#define HEAD_HEIGHT   26 /* the scenario's name above its curve */
#define FLAT_HEIGHT   44 /* the versions below it, next to each other */
#define SLANT_HEIGHT  88 /* slanted */

#define BAR_LEFT   340 /* where the bars start */
#define BAR_WIDTH  (WIDTH - BAR_LEFT - 130)
#define BAR_PITCH  32
#define BAR_HEIGHT 18

/* A version below its point: what is longer loses its start, and it is slanted where it does not fit. */
#define LABEL_COLUMNS    14
#define LETTER_WIDTH     7
#define SLANTED_DISTANCE 20

#define NAME_COLUMNS     18
#define FLOOR_COLUMNS    10
#define SUBTITLE_COLUMNS 125
#define SUBTITLE_BYTES   512

/* Ratios beyond it are drawn as this: no such thing can be measured. */
#define RATIO_MAX 1000

struct chart {
	FILE *svg;
	const struct history *history;
	double top;   /* of the axis */
	bool slanted; /* the versions do not fit next to each other */
};

/* --- XML --- */

/* Text that JSON may hold and XML may not: U+FFFE and U+FFFF, which are no characters. */
static bool is_no_character(const char *at)
{
	return !strncmp(at, "\xef\xbf\xbe", 3) || !strncmp(at, "\xef\xbf\xbf", 3);
}

static void put_text(FILE *svg, const char *text)
{
	for (; *text; text++) {
		if (*text == '&')
			fputs("&amp;", svg);
		else if (*text == '<')
			fputs("&lt;", svg);
		else if (*text == '>')
			fputs("&gt;", svg);
		else if (is_no_character(text))
			text += 2;
		else
			fputc(*text, svg);
	}
}

static void put_label(FILE *svg, double x, double y, const char *class, const char *text)
{
	fprintf(svg, "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\">", x, y, class);
	put_text(svg, text);
	fputs("</text>\n", svg);
}

/* "forward of redirect", each cut to what there is room for. The tooltips have all of it. */
static void put_name(FILE *svg, double x, double y, const char *name, const char *floor)
{
	char text[FIGURE_CUT_BYTES(NAME_COLUMNS)];

	fprintf(svg, "<text x=\"%.1f\" y=\"%.1f\"><tspan class=\"name\">", x, y);
	put_text(svg, figure_cut(text, name, NAME_COLUMNS));
	fputs("</tspan> <tspan class=\"dim small\">of ", svg);
	put_text(svg, figure_cut(text, floor, FLOOR_COLUMNS));
	fputs("</tspan></text>\n", svg);
}

static void put_line(FILE *svg, const char *class, double x1, double y1, double x2, double y2)
{
	fprintf(svg, "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n", class, x1, y1,
		x2, y2);
}

/* --- the frame --- */

static const char style[] =
	"<style>\n"
	"text { font: 12px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; fill: #1f2328; "
	"}\n"
	".title { font-size: 20px; font-weight: 600; }\n"
	".name { font-size: 14px; font-weight: 600; }\n"
	".end { text-anchor: end; }\n"
	".middle { text-anchor: middle; }\n"
	".dim { fill: #59636e; }\n"
	".small { font-size: 11px; }\n"
	".paper { fill: #ffffff; }\n"
	".grid { stroke: #d1d9e0; }\n"
	".floor { stroke: #59636e; stroke-width: 1.5; stroke-dasharray: 5 4; }\n"
	".other { stroke: #9a6700; stroke-width: 1.5; stroke-dasharray: 1 3; stroke-linecap: round; }\n"
	".curve { fill: none; stroke: #0969da; stroke-width: 2; stroke-linejoin: round; }\n"
	".point { fill: #0969da; }\n"
	".band { fill: #0969da; fill-opacity: 0.2; }\n"
	".bar { fill: #54aeff; }\n"
	".whisker { stroke: #0550ae; stroke-width: 2; }\n"
	"@media (prefers-color-scheme: dark) {\n"
	"text { fill: #f0f6fc; }\n"
	".dim { fill: #9198a1; }\n"
	".paper { fill: #0d1117; }\n"
	".grid { stroke: #3d444d; }\n"
	".floor { stroke: #9198a1; }\n"
	".other { stroke: #d29922; }\n"
	".curve { stroke: #4493f8; }\n"
	".point { fill: #4493f8; }\n"
	".band { fill: #4493f8; fill-opacity: 0.3; }\n"
	".bar { fill: #1f6feb; }\n"
	".whisker { stroke: #a5d6ff; }\n"
	"}\n"
	"</style>\n";

static void put_start(FILE *svg, int height, const char *subtitle)
{
	static const char title[] = "xdplife bench: speed as a fraction of the floor's";
	char text[FIGURE_CUT_BYTES(SUBTITLE_COLUMNS)];

	fprintf(svg,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" "
		"role=\"img\">\n"
		"<title>%s</title>\n",
		WIDTH, height, WIDTH, height, title);
	fputs(style, svg);
	fprintf(svg, "<rect class=\"paper\" width=\"%d\" height=\"%d\"/>\n", WIDTH, height);
	put_label(svg, MARGIN, 38, "title", title);
	put_label(svg, MARGIN, 62, "dim", figure_cut(text, subtitle, SUBTITLE_COLUMNS));
}

/* A sign of 24 by 10 pixels, and what it means. */
struct legend {
	const char *sign; /* SVG, from 0 to 24 and from 0 to 10 */
	int width;        /* of sign and text, up to the next */
	const char *text;
};

static const struct legend bar_legend[] = {
	{"<rect class=\"bar\" width=\"24\" height=\"10\"/>", 190, "median of the rounds"},
	{"<line class=\"whisker\" x2=\"24\" y1=\"5\" y2=\"5\"/>", 130, "quartiles"},
	{"<line class=\"floor\" x2=\"24\" y1=\"5\" y2=\"5\"/>", 0, "the floor"},
	{NULL, 0, NULL},
};

static const struct legend curve_legend[] = {
	{"<line class=\"curve\" x2=\"24\" y1=\"5\" y2=\"5\"/><circle class=\"point\" cx=\"12\" cy=\"5\" "
	 "r=\"3.5\"/>",
	 190, "median of the rounds"},
	{"<rect class=\"band\" width=\"24\" height=\"10\"/>", 120, "quartiles"},
	{"<line class=\"floor\" x2=\"24\" y1=\"5\" y2=\"5\"/>", 120, "the floor"},
	{"<line class=\"other\" x1=\"12\" x2=\"12\" y2=\"10\"/>", 0,
	 "from here on another kernel, compiler or CPU"},
	{NULL, 0, NULL},
};

static void put_legend(FILE *svg, const struct legend *legend)
{
	for (int x = MARGIN; legend->sign; x += legend++->width) {
		fprintf(svg, "<g transform=\"translate(%d 80)\">%s", x, legend->sign);
		put_label(svg, 32, 9, "dim", legend->text);
		fputs("</g>\n", svg);
	}
}

/* 1, 2, 2.5 or 5 times a power of ten, so that at most five steps make @top. */
static double tick_step(double top)
{
	static const double steps[] = {1, 2, 2.5, 5, 10};
	double scale = 1e-3;

	for (;; scale *= 10)
		for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
			if (steps[i] * scale * 5 >= top)
				return steps[i] * scale;
}

static double shown(double ratio)
{
	return fmin(fmax(ratio, 0), RATIO_MAX);
}

/* The highest of all curves and bands, and the floor, with some air above it. */
static double axis_top(const struct history *history)
{
	double top = 1;

	for (unsigned int i = 0; i < history->runs; i++) {
		const struct history_run *run = &history->run[i];

		for (unsigned int j = 0; j < run->points; j++)
			top = fmax(top,
				   fmax(shown(run->point[j].ratio.median), shown(run->point[j].ratio.high)));
	}
	return top * 1.05;
}

/* What a pointer that rests on a point or a bar is told. */
static void put_tooltip(FILE *svg, const struct history_run *run, const struct history_point *point)
{
	char date[FIGURE_BYTES], median[FIGURE_BYTES], noise[FIGURE_BYTES], low[FIGURE_BYTES],
		high[FIGURE_BYTES];

	fputs("<title>", svg);
	put_text(svg, point->name);
	fprintf(svg, ": %s ± %s of ", figure_fixed(median, point->ratio.median, 3),
		figure_fixed(noise, point->ratio.noise, 3));
	put_text(svg, point->floor);
	fprintf(svg, ", quartiles %s and %s, %u rounds\n", figure_fixed(low, point->ratio.low, 3),
		figure_fixed(high, point->ratio.high, 3), point->ratio.rounds);
	put_text(svg, run->version);
	fprintf(svg, ", %s\nLinux ", figure_date(date, run->time_s));
	put_text(svg, run->kernel);
	fputs(", ", svg);
	put_text(svg, run->compiler);
	fputs(", ", svg);
	put_text(svg, run->cpu);
	fputs("</title>", svg);
}

/* --- one run: bars --- */

static double bar_x(const struct chart *chart, double ratio)
{
	return BAR_LEFT + shown(ratio) / chart->top * BAR_WIDTH;
}

static void put_bar(const struct chart *chart, const struct history_run *run,
		    const struct history_point *point, double y)
{
	FILE *svg = chart->svg;
	double middle = y + BAR_HEIGHT / 2.0,
	       end = bar_x(chart, fmax(point->ratio.median, point->ratio.high));
	char value[2 * FIGURE_BYTES], median[FIGURE_BYTES], noise[FIGURE_BYTES];

	put_name(svg, MARGIN, middle + 5, point->name, point->floor);
	fputs("<g>", svg);
	put_tooltip(svg, run, point);
	fprintf(svg, "<rect class=\"bar\" x=\"%d\" y=\"%.1f\" width=\"%.1f\" height=\"%d\"/>\n", BAR_LEFT, y,
		bar_x(chart, point->ratio.median) - BAR_LEFT, BAR_HEIGHT);
	if (!isnan(point->ratio.low) && !isnan(point->ratio.high))
		put_line(svg, "whisker", bar_x(chart, point->ratio.low), middle,
			 bar_x(chart, point->ratio.high), middle);
	fputs("</g>\n", svg);
	snprintf(value, sizeof(value), "%s ± %s", figure_fixed(median, point->ratio.median, 3),
		 figure_fixed(noise, point->ratio.noise, 3));
	put_label(svg, fmax(end, bar_x(chart, 1)) + 10, middle + 4, "", value);
}

static void put_bar_axis(const struct chart *chart, double bottom)
{
	double step = tick_step(chart->top);
	char text[FIGURE_BYTES];

	for (unsigned int i = 0; i * step <= chart->top; i++) {
		double x = bar_x(chart, i * step);

		put_line(chart->svg, "grid", x, TITLE_HEIGHT - 8, x, bottom);
		snprintf(text, sizeof(text), "%g", i * step);
		put_label(chart->svg, x, bottom + 18, "dim middle", text);
	}
	put_line(chart->svg, "floor", bar_x(chart, 1), TITLE_HEIGHT - 8, bar_x(chart, 1), bottom);
}

static void put_bars(const struct chart *chart)
{
	const struct history *history = chart->history;
	const struct history_run *run = history->run;
	int bottom = TITLE_HEIGHT + history->scenarios * BAR_PITCH;
	char subtitle[SUBTITLE_BYTES], date[FIGURE_BYTES];

	snprintf(subtitle, sizeof(subtitle), "%s, %s: Linux %s, %s", run->version,
		 figure_date(date, run->time_s), run->kernel, run->cpu);
	put_start(chart->svg, bottom + BAR_PITCH, subtitle);
	put_legend(chart->svg, bar_legend);
	put_bar_axis(chart, bottom);
	for (unsigned int i = 0; i < history->scenarios; i++)
		put_bar(chart, run, history_point(run, history->scenario[i]), TITLE_HEIGHT + i * BAR_PITCH);
}

/* --- several runs: a curve for each scenario --- */

/* Where a scenario's curve is drawn. */
struct panel {
	const struct chart *chart;
	const char *scenario;
	double left, top; /* of the plot */
};

static double run_x(const struct panel *panel, unsigned int run)
{
	return panel->left + (run + 0.5) * PLOT_WIDTH / panel->chart->history->runs;
}

static double ratio_y(const struct panel *panel, double ratio)
{
	return panel->top + PLOT_HEIGHT * (1 - shown(ratio) / panel->chart->top);
}

static const struct history_point *point_of(const struct panel *panel, unsigned int run)
{
	return history_point(&panel->chart->history->run[run], panel->scenario);
}

static bool has_band(const struct history_point *point)
{
	return point && !isnan(point->ratio.low) && !isnan(point->ratio.high);
}

/* From @run on, how many runs in a row have it. */
static unsigned int stretch(const struct panel *panel, unsigned int run,
			    bool (*has)(const struct history_point *point))
{
	unsigned int end = run;

	while (end < panel->chart->history->runs && has(point_of(panel, end)))
		end++;
	return end - run;
}

/* There along the upper quartiles, back along the lower ones. */
static void put_band(const struct panel *panel, unsigned int from, unsigned int count)
{
	FILE *svg = panel->chart->svg;

	if (count == 1) { /* no area */
		const struct bench_spread *ratio = &point_of(panel, from)->ratio;

		put_line(svg, "whisker", run_x(panel, from), ratio_y(panel, ratio->low), run_x(panel, from),
			 ratio_y(panel, ratio->high));
		return;
	}
	fputs("<polygon class=\"band\" points=\"", svg);
	for (unsigned int i = from; i < from + count; i++)
		fprintf(svg, "%.1f,%.1f ", run_x(panel, i), ratio_y(panel, point_of(panel, i)->ratio.high));
	for (unsigned int i = from + count; i-- > from;)
		fprintf(svg, "%.1f,%.1f ", run_x(panel, i), ratio_y(panel, point_of(panel, i)->ratio.low));
	fputs("\"/>\n", svg);
}

static bool has_point(const struct history_point *point)
{
	return point;
}

static void put_curve(const struct panel *panel, unsigned int from, unsigned int count)
{
	FILE *svg = panel->chart->svg;

	fputs("<polyline class=\"curve\" points=\"", svg);
	for (unsigned int i = from; i < from + count; i++)
		fprintf(svg, "%.1f,%.1f ", run_x(panel, i), ratio_y(panel, point_of(panel, i)->ratio.median));
	fputs("\"/>\n", svg);
}

/* Where runs do not have it, the curve is broken. */
static void put_stretches(const struct panel *panel, bool (*has)(const struct history_point *point),
			  void (*put)(const struct panel *panel, unsigned int from, unsigned int count))
{
	for (unsigned int i = 0, count; i < panel->chart->history->runs; i += count + 1) {
		count = stretch(panel, i, has);
		if (count)
			put(panel, i, count);
	}
}

static void put_points(const struct panel *panel)
{
	const struct history *history = panel->chart->history;
	FILE *svg = panel->chart->svg;
	double radius = fmin(3.5, 0.4 * PLOT_WIDTH / history->runs);

	for (unsigned int i = 0; i < history->runs; i++) {
		const struct history_point *point = point_of(panel, i);

		if (!point)
			continue;
		fprintf(svg, "<circle class=\"point\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\">", run_x(panel, i),
			ratio_y(panel, point->ratio.median), radius);
		put_tooltip(svg, &history->run[i], point);
		fputs("</circle>\n", svg);
	}
}

static void put_ratio_axis(const struct panel *panel)
{
	double top = panel->chart->top, step = tick_step(top);
	FILE *svg = panel->chart->svg;

	for (unsigned int i = 0; i * step <= top; i++) {
		char text[FIGURE_BYTES];
		double y = ratio_y(panel, i * step);

		put_line(svg, "grid", panel->left, y, panel->left + PLOT_WIDTH, y);
		snprintf(text, sizeof(text), "%g", i * step);
		put_label(svg, panel->left - 6, y + 4, "dim small end", text);
	}
	put_line(svg, "floor", panel->left, ratio_y(panel, 1), panel->left + PLOT_WIDTH, ratio_y(panel, 1));
}

static bool same_machine(const struct history_run *a, const struct history_run *b)
{
	return !strcmp(a->kernel, b->kernel) && !strcmp(a->compiler, b->compiler) && !strcmp(a->cpu, b->cpu);
}

static void put_changes(const struct panel *panel)
{
	const struct history *history = panel->chart->history;

	for (unsigned int i = 1; i < history->runs; i++) {
		double x = (run_x(panel, i - 1) + run_x(panel, i)) / 2;

		if (!same_machine(&history->run[i - 1], &history->run[i]))
			put_line(panel->chart->svg, "other", x, panel->top, x, panel->top + PLOT_HEIGHT);
	}
}

static unsigned int widest_version(const struct history *history)
{
	unsigned int widest = 0;

	for (unsigned int i = 0; i < history->runs; i++) {
		unsigned int columns =
			figure_columns(history->run[i].version, strlen(history->run[i].version));

		widest = columns > widest ? columns : widest;
	}
	return widest < LABEL_COLUMNS ? widest : LABEL_COLUMNS;
}

/* The end of a version is what tells it from the one before. */
static void version_text(char text[FIGURE_CUT_BYTES(LABEL_COLUMNS)], const char *version)
{
	const char *end = version;

	if (figure_columns(version, strlen(version)) <= LABEL_COLUMNS) {
		strcpy(text, version);
		return;
	}
	while (figure_columns(end, strlen(end)) >= LABEL_COLUMNS || (*end & 0xc0) == 0x80)
		end++;
	snprintf(text, FIGURE_CUT_BYTES(LABEL_COLUMNS), "…%.*s", 4 * (LABEL_COLUMNS - 1), end);
}

static void put_version(const struct panel *panel, unsigned int run)
{
	char version[FIGURE_CUT_BYTES(LABEL_COLUMNS)];
	double x = run_x(panel, run), y = panel->top + PLOT_HEIGHT + 16;
	FILE *svg = panel->chart->svg;

	version_text(version, panel->chart->history->run[run].version);
	if (!panel->chart->slanted) {
		put_label(svg, x, y, "dim small middle", version);
		return;
	}
	fprintf(svg, "<g transform=\"translate(%.1f %.1f) rotate(-40)\">", x + 4, y - 2);
	put_label(svg, 0, 0, "dim small end", version);
	fputs("</g>\n", svg);
}

/* If not even slanted ones fit: the newest and every so many before it. */
static void put_versions(const struct panel *panel)
{
	const struct history *history = panel->chart->history;
	unsigned int every = 1;

	if (panel->chart->slanted)
		every = ceil((double)SLANTED_DISTANCE * history->runs / PLOT_WIDTH);
	for (unsigned int i = 0; i < history->runs; i++)
		if ((history->runs - 1 - i) % every == 0)
			put_version(panel, i);
}

/* Of the newest run that has the scenario. */
static const char *floor_of(const struct panel *panel)
{
	unsigned int run = panel->chart->history->runs;

	while (run-- > 0)
		if (point_of(panel, run))
			return point_of(panel, run)->floor;
	return "";
}

/* The newest value, if the newest run has it. */
static void put_head(const struct panel *panel)
{
	const struct history_point *point = point_of(panel, panel->chart->history->runs - 1);
	char value[2 * FIGURE_BYTES], median[FIGURE_BYTES], noise[FIGURE_BYTES];
	double y = panel->top - 10;

	put_name(panel->chart->svg, panel->left, y, panel->scenario, floor_of(panel));
	if (!point)
		return;
	snprintf(value, sizeof(value), "%s ± %s", figure_fixed(median, point->ratio.median, 3),
		 figure_fixed(noise, point->ratio.noise, 3));
	put_label(panel->chart->svg, panel->left + PLOT_WIDTH, y, "end", value);
}

static int panel_height(const struct chart *chart)
{
	return HEAD_HEIGHT + PLOT_HEIGHT + (chart->slanted ? SLANT_HEIGHT : FLAT_HEIGHT);
}

static void put_panel(const struct chart *chart, unsigned int i)
{
	struct panel panel = {
		.chart = chart,
		.scenario = chart->history->scenario[i],
		.left = MARGIN + i % PANELS_IN_ROW * (PANEL_WIDTH + MARGIN) + AXIS_WIDTH,
		.top = TITLE_HEIGHT + i / PANELS_IN_ROW * panel_height(chart) + HEAD_HEIGHT,
	};

	put_head(&panel);
	put_ratio_axis(&panel);
	put_changes(&panel);
	put_versions(&panel);
	put_stretches(&panel, has_band, put_band);
	put_stretches(&panel, has_point, put_curve);
	put_points(&panel);
}

static void put_curves(const struct chart *chart)
{
	const struct history *history = chart->history;
	const struct history_run *first = history->run, *last = first + history->runs - 1;
	unsigned int rows = (history->scenarios + PANELS_IN_ROW - 1) / PANELS_IN_ROW;
	char subtitle[SUBTITLE_BYTES], from[FIGURE_BYTES], to[FIGURE_BYTES];

	snprintf(subtitle, sizeof(subtitle), "%u runs, %s to %s, in their order and evenly spaced",
		 history->runs, figure_date(from, first->time_s), figure_date(to, last->time_s));
	put_start(chart->svg, TITLE_HEIGHT + rows * panel_height(chart), subtitle);
	put_legend(chart->svg, curve_legend);
	for (unsigned int i = 0; i < history->scenarios; i++)
		put_panel(chart, i);
}

int bench_chart_write(FILE *svg, const char *directory)
{
	struct history history;
	struct chart chart = {.svg = svg, .history = &history};
	int err = history_read(&history, directory);

	if (err)
		return err;
	chart.top = axis_top(&history);
	chart.slanted = (widest_version(&history) + 1) * LETTER_WIDTH * history.runs > PLOT_WIDTH;
	if (history.runs == 1)
		put_bars(&chart);
	else
		put_curves(&chart);
	fputs("</svg>\n", svg);
	history_free(&history);
	return 0;
}
