// SPDX-License-Identifier: GPL-2.0-only
/* The chart of a directory of runs: well-formed XML whatever the names are, every run and scenario in it, damage named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <float.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/chart.h"
#include "bench/json.h"
#include "bench_run.h"

#define DIRECTORY  "/tmp/xdplife-bench-chart-XXXXXX"
#define PATH_BYTES 128
#define DAY_S      86400
#define XML_DEPTH  16
#define SVG_WIDTH  960

static char directory[sizeof(DIRECTORY)];
static struct bench_run run;
static char *svg, *messages; /* what the last call wrote */

/* --- the harness --- */

static int setup(void **state)
{
	(void)state;
	strcpy(directory, DIRECTORY);
	sample_run(&run);
	return mkdtemp(directory) ? 0 : -1;
}

static void path_of(char path[PATH_BYTES], const char *name)
{
	snprintf(path, PATH_BYTES, "%s/%s", directory, name);
}

static int teardown(void **state)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;
	char path[PATH_BYTES];

	(void)state;
	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%.64s", directory, entry->d_name);
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			remove(path);
	}
	closedir(dir);
	free(svg);
	free(messages);
	svg = messages = NULL;
	return rmdir(directory);
}

/* @run, of @days after the sample's, in a file. */
static void keep(const char *name, const char *version, int days)
{
	char path[PATH_BYTES];

	run.time_s = 1763793600 + (__s64)days * DAY_S;
	snprintf(run.version, sizeof(run.version), "%s", version);
	path_of(path, name);
	assert_int_equal(bench_json_save(&run, path), 0);
}

static char *read_stream(FILE *stream)
{
	long bytes;
	char *text;

	fseek(stream, 0, SEEK_END);
	bytes = ftell(stream);
	rewind(stream);
	text = calloc(1, bytes + 1);
	assert_non_null(text);
	assert_int_equal(fread(text, 1, bytes, stream), bytes);
	return text;
}

static int draw(const char *from)
{
	FILE *picture = tmpfile(), *said = tmpfile();
	int screen = dup(STDERR_FILENO), result;

	assert_true(picture && said && screen >= 0);
	dup2(fileno(said), STDERR_FILENO);
	result = bench_chart_write(picture, from);
	dup2(screen, STDERR_FILENO);
	close(screen);
	free(svg);
	free(messages);
	svg = read_stream(picture);
	messages = read_stream(said);
	fclose(picture);
	fclose(said);
	return result;
}

static unsigned int count(const char *what)
{
	unsigned int found = 0;

	for (const char *at = svg; (at = strstr(at, what)); at += strlen(what))
		found++;
	return found;
}

static void assert_drawn(const char *what)
{
	if (!strstr(svg, what))
		fail_msg("no \"%s\" in:\n%s", what, svg);
}

/* --- XML, as far as the chart uses it --- */

static const char *skip_name(const char *at)
{
	const char *start = at;

	while (isalnum((unsigned char)*at) || *at == '-')
		at++;
	assert_true(at > start);
	return at;
}

/* Up to @end; no bare < and no & but the entities that XML knows. */
static const char *skip_text(const char *at, char end)
{
	for (; *at && *at != end; at++) {
		assert_true(*at != '<' && (*at == '\n' || (unsigned char)*at >= ' '));
		assert_true(strncmp(at, "\xef\xbf\xbe", 3) != 0 && strncmp(at, "\xef\xbf\xbf", 3) != 0);
		if (*at == '&')
			assert_true(!strncmp(at, "&amp;", 5) || !strncmp(at, "&lt;", 4) ||
				    !strncmp(at, "&gt;", 4));
	}
	assert_int_equal(*at, end);
	return at;
}

/* A coordinate is a number, and in the picture. */
static void check_coordinate(const char *name, const char *value)
{
	static const char *const names[] = {"x=", "y=", "x1=", "x2=", "y1=", "y2=", "cx=", "cy=", "width="};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *end;

		if (strncmp(name, names[i], strlen(names[i])) != 0)
			continue;
		assert_true(strtod(value, &end) >= 0 && strtod(value, NULL) <= SVG_WIDTH);
		assert_int_equal(*end, '"');
	}
}

/* From behind the tag's name to behind its end. Return: whether it is an empty element. */
static const char *skip_attributes(const char *at, bool *empty)
{
	while (*at == ' ') {
		const char *name = ++at;

		at = skip_name(at);
		assert_memory_equal(at, "=\"", 2);
		check_coordinate(name, at + 2);
		at = skip_text(at + 2, '"') + 1;
	}
	*empty = *at == '/';
	at += *empty;
	assert_int_equal(*at, '>');
	return at + 1;
}

static void assert_well_formed(void)
{
	const char *open[XML_DEPTH], *at = svg;
	unsigned int depth = 0, elements = 0;

	while (*at) {
		bool empty = false;

		assert_int_equal(*at, '<');
		if (at[1] == '/') {
			const char *end = skip_name(at + 2);

			assert_true(depth > 0);
			assert_memory_equal(open[--depth], at + 2, end - (at + 2));
			assert_int_equal(*end, '>');
			at = end + 1;
		} else {
			assert_true(depth < XML_DEPTH && (depth || !elements));
			open[depth] = at + 1;
			at = skip_attributes(skip_name(at + 1), &empty);
			depth += !empty;
			elements++;
		}
		if (depth)
			at = skip_text(at, '<');
		else
			at += *at == '\n';
	}
	assert_int_equal(depth, 0);
	assert_true(elements > 20);
}

/* --- what is drawn --- */

static void test_one_run(void **state)
{
	(void)state;
	keep("a.json", "a18420f", 0);
	assert_int_equal(draw(directory), 0);
	assert_string_equal(messages, "");
	assert_well_formed();
	/* four scenarios, the floor excepted, and the legend */
	assert_int_equal(count("<rect class=\"bar\""), 5);
	assert_int_equal(count("<line class=\"whisker\""), 5);
	assert_int_equal(count("<polyline"), 0);
	assert_drawn(">a18420f, 2025-11-22 06:40 UTC: Linux 6.18.0, AMD EPYC<");
	assert_drawn("<tspan class=\"name\">forward</tspan> <tspan class=\"dim small\">of redirect</tspan>");
	assert_drawn("<title>forward: 0.712 ± 0.004 of redirect, quartiles 0.706 and 0.720, 9 rounds\n"
		     "a18420f, 2025-11-22 06:40 UTC\nLinux 6.18.0, clang 14.0.6, AMD EPYC</title>");
	/* 1.25 and a quarter of nothing above it are 105 %: 340 and 490 pixels for 1.258 * 1.05 */
	assert_drawn("<rect class=\"bar\" x=\"340\" y=\"176.0\" width=\"463.7\" height=\"18\"/>");
	assert_drawn("<line class=\"floor\" x1=\"711.0\"");
	assert_drawn(">0.712 ± 0.004</text>");
}

static void test_many_runs(void **state)
{
	(void)state;
	keep("c.json", "v1", 0);
	keep("a.json", "v2", 1);
	keep("b.json", "v3", 2);
	assert_int_equal(draw(directory), 0);
	assert_string_equal(messages, "");
	assert_well_formed();
	assert_int_equal(count("<polyline class=\"curve\""), 4);
	assert_int_equal(count("<polygon class=\"band\""), 4);
	assert_int_equal(count("<circle class=\"point\""), 3 * 4 + 1);
	assert_int_equal(count("<line class=\"floor\""), 4 + 1);
	assert_int_equal(count("<line class=\"other\""), 1); /* the legend's */
	assert_int_equal(count("rotate("), 0);
	assert_drawn(
		">3 runs, 2025-11-22 06:40 UTC to 2025-11-24 06:40 UTC, in their order and evenly spaced<");
	/* in the order of their times, each in the middle of its third of 404 pixels from 64 on */
	assert_drawn("<text x=\"131.3\" y=\"286.0\" class=\"dim small middle\">v1</text>");
	assert_drawn("<text x=\"266.0\" y=\"286.0\" class=\"dim small middle\">v2</text>");
	assert_drawn("<text x=\"400.7\" y=\"286.0\" class=\"dim small middle\">v3</text>");
	/* 0.712 of 1.321, from 138 down to 270 */
	assert_drawn("<polyline class=\"curve\" points=\"131.3,198.8 266.0,198.8 400.7,198.8 \"/>");
}

/* Many versions slant; very many are thinned out, but the newest is always named. */
static void test_labels(void **state)
{
	char name[32], version[64];

	(void)state;
	for (int i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "%d.json", i);
		snprintf(version, sizeof(version), "v0.1-1%d-gabcdef%d", i, i);
		keep(name, version, i);
	}
	assert_int_equal(draw(directory), 0);
	assert_well_formed();
	assert_int_equal(count("rotate(-40)"), 8 * 4);
	assert_int_equal(count(">…1-10-gabcdef0</text>"), 4);
	for (int i = 8; i < 41; i++) {
		snprintf(name, sizeof(name), "%d.json", i);
		snprintf(version, sizeof(version), "µ%d", i);
		keep(name, version, i);
	}
	assert_int_equal(draw(directory), 0);
	assert_well_formed();
	/* every third of 41, for 404 pixels take 20 */
	assert_int_equal(count("rotate(-40)"), 14 * 4);
	assert_int_equal(count(">µ40</text>"), 4);
	assert_int_equal(count(">µ39</text>"), 0);
	assert_int_equal(count(">µ37</text>"), 4);
}

/* Cut between characters, also where one has several bytes. */
static void test_long_version(void **state)
{
	(void)state;
	keep("a.json", "äöüäöüäöüäöüäöü", 0);
	keep("b.json", "v2", 1);
	assert_int_equal(draw(directory), 0);
	assert_int_equal(count(">…üäöüäöüäöüäöü</text>"), 4);
}

/* A scenario that is not in every run: the curve is broken; of a lonely point the quartiles are a line. */
static void test_gap(void **state)
{
	(void)state;
	keep("0.json", "v0", 0);
	keep("1.json", "v1", 1);
	run.result[SAMPLE_KERNEL].ratio = sample_none;
	keep("2.json", "v2", 2);
	sample_run(&run);
	keep("3.json", "v3", 3);
	run.results--;
	keep("4.json", "v4", 4);
	assert_int_equal(draw(directory), 0);
	assert_well_formed();
	assert_int_equal(count("<polyline class=\"curve\""), 3 + 2);
	assert_int_equal(count("<polygon class=\"band\""), 3 + 1);
	assert_int_equal(count("<line class=\"whisker\""), 1);
	assert_int_equal(count("<circle class=\"point\""), 5 * 3 + 3 + 1);
	/* the newest run does not have it: no value, but its floor */
	assert_drawn(">kernel</tspan> <tspan class=\"dim small\">of redirect<");
	assert_int_equal(count(">0.323 ± 0.004</text>"), 0);
	assert_int_equal(count(">0.712 ± 0.004</text>"), 1);
}

static void test_other_machine(void **state)
{
	(void)state;
	keep("0.json", "v0", 0);
	strcpy(run.kernel, "6.19.0");
	keep("1.json", "v1", 1);
	strcpy(run.compiler, "clang 19");
	keep("2.json", "v2", 2);
	strcpy(run.cpu, "Xeon");
	keep("3.json", "v3", 3);
	keep("4.json", "v4", 4);
	assert_int_equal(draw(directory), 0);
	assert_int_equal(count("<line class=\"other\""), 3 * 4 + 1);
}

static void test_names_are_escaped(void **state)
{
	(void)state;
	strcpy(run.result[SAMPLE_FORWARD].name, "<b>\"&amp;'\xef\xbf\xbf");
	strcpy(run.result[SAMPLE_FORWARD].floor, "</svg>");
	strcpy(run.cpu, "a & b <c>");
	keep("0.json", "<v&0>", 0);
	assert_int_equal(draw(directory), 0);
	assert_well_formed();
	assert_drawn(">&lt;b&gt;\"&amp;amp;'</tspan> <tspan class=\"dim small\">of &lt;/svg&gt;</tspan>");
	keep("1.json", "</text>", 1);
	assert_int_equal(draw(directory), 0);
	assert_well_formed();
	assert_drawn(">&lt;/text&gt;</text>");
}

static void test_odd_values(void **state)
{
	struct bench_spread *ratio = &run.result[SAMPLE_FORWARD].ratio;

	(void)state;
	ratio->low = ratio->noise = NAN;
	run.result[SAMPLE_KERNEL].ratio.high = NAN;
	run.result[SAMPLE_TRACED].ratio.median = -1000;
	run.result[SAMPLE_BYPASS].ratio.median = DBL_MAX;
	run.result[SAMPLE_BYPASS].ratio.high = DBL_MAX;
	for (unsigned int i = 0; i < 2; i++) {
		keep(i ? "1.json" : "0.json", "v", i);
		assert_int_equal(draw(directory), 0);
		assert_well_formed();
		assert_int_equal(count("nan"), 0);
		assert_int_equal(count("inf"), 0);
		if (!i)
			assert_int_equal(count("<line class=\"whisker\""), 2 + 1);
	}
	assert_int_equal(count("<polygon class=\"band\""), 2);
	assert_int_equal(count("<polyline class=\"curve\""), 4);
}

static void test_not_measured(void **state)
{
	(void)state;
	run.result[SAMPLE_KERNEL].ratio = sample_none;
	keep("0.json", "v0", 0);
	assert_int_equal(draw(directory), 0);
	assert_well_formed();
	assert_int_equal(count("<rect class=\"bar\""), 4);
	assert_int_equal(count("kernel"), 0);
	keep("1.json", "v1", 1);
	assert_int_equal(draw(directory), 0);
	assert_int_equal(count("<polyline class=\"curve\""), 3);
}

/* --- what is not drawn --- */

static void write_file(const char *name, const char *text)
{
	char path[PATH_BYTES];
	FILE *stream;

	path_of(path, name);
	stream = fopen(path, "w");
	assert_non_null(stream);
	fputs(text, stream);
	assert_int_equal(fclose(stream), 0);
}

static void test_damaged_files(void **state)
{
	char path[PATH_BYTES], expected[1024];

	(void)state;
	keep("good.json", "v1", 0);
	write_file("bad.json", "{\"schema\": 1}");
	write_file("cut.json", "{\"schema\": ");
	write_file("notes.txt", "no run, and no matter");
	write_file(".hidden.json", "nor this");
	write_file("new.json.XXXXXX", "nor this");
	path_of(path, "directory.json");
	assert_int_equal(mkdir(path, 0700), 0);
	path_of(path, "fifo.json");
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(draw(directory), 0);
	assert_well_formed();
	assert_int_equal(count("<rect class=\"bar\""), 5);
	snprintf(expected, sizeof(expected),
		 "xdplife: warning: left out: %s/bad.json: time_s: missing\n"
		 "xdplife: warning: left out: %s/cut.json: line 1: unexpected token near end of file\n"
		 "xdplife: warning: left out: %s/directory.json: not a regular file\n"
		 "xdplife: warning: left out: %s/fifo.json: not a regular file\n",
		 directory, directory, directory, directory);
	assert_string_equal(messages, expected);
}

static void test_no_run(void **state)
{
	(void)state;
	assert_int_equal(draw(directory), -ENOENT);
	assert_string_equal(svg, "");
	assert_non_null(strstr(messages, ": no bench run in it; try: xdplife bench --json"));
	run.results = 1; /* a floor alone */
	keep("0.json", "v0", 0);
	assert_int_equal(draw(directory), -ENOENT);
	assert_string_equal(svg, "");
	assert_non_null(strstr(messages, ": nothing but floors in its bench runs"));
}

static void test_no_directory(void **state)
{
	(void)state;
	assert_int_equal(draw("/nowhere"), -ENOENT);
	assert_string_equal(svg, "");
	assert_string_equal(
		messages, "xdplife: /nowhere: No such file or directory; try: the directory that holds what "
			  "--json wrote\n");
}

int main(void)
{
#define CHART_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	static const struct CMUnitTest tests[] = {
		CHART_TEST(test_one_run),
		CHART_TEST(test_many_runs),
		CHART_TEST(test_labels),
		CHART_TEST(test_long_version),
		CHART_TEST(test_gap),
		CHART_TEST(test_other_machine),
		CHART_TEST(test_names_are_escaped),
		CHART_TEST(test_odd_values),
		CHART_TEST(test_not_measured),
		CHART_TEST(test_damaged_files),
		CHART_TEST(test_no_run),
		CHART_TEST(test_no_directory),
	};

	unsetenv("CLICOLOR_FORCE");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
