// SPDX-License-Identifier: GPL-2.0-only
/* What a person reads of a bench run: figures, and whole tables as they are to look. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "bench/figure.h"
#include "bench/grid.h"
#include "bench/table.h"
#include "bench_run.h"

#define TABLE_COLUMNS   110
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static struct bench_run run;

/* To be freed. */
static char *table_of(const struct bench_run *shown)
{
	size_t bytes;
	char *text;
	FILE *stream = open_memstream(&text, &bytes);

	assert_non_null(stream);
	bench_table_print(shown, stream);
	assert_int_equal(fclose(stream), 0);
	return text;
}

static void assert_shows(const struct bench_run *shown, const char *expected)
{
	char *text = table_of(shown);

	if (!strstr(text, expected))
		assert_string_equal(text, expected);
	free(text);
}

static void assert_hides(const struct bench_run *shown, const char *unexpected)
{
	char *text = table_of(shown);

	if (strstr(text, unexpected))
		fail_msg("\"%s\" in:\n%s", unexpected, text);
	free(text);
}

static void test_fixed(void **state)
{
	static const struct {
		double value;
		int decimals;
		const char *text;
	} cases[] = {
		{0, 3, "0.000"},        {0.71234, 3, "0.712"}, {-3.14, 1, "−3.1"}, {-0.04, 1, "0.0"},
		{-0.06, 1, "−0.1"},     {NAN, 1, "–"},         {-NAN, 1, "–"},     {INFINITY, 1, "inf"},
		{-INFINITY, 1, "−inf"}, {812.75, 0, "813"},
	};
	char text[FIGURE_BYTES];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_string_equal(figure_fixed(text, cases[i].value, cases[i].decimals), cases[i].text);
	/* what does not fit is cut */
	assert_true(strlen(figure_fixed(text, -1e300, 3)) < FIGURE_BYTES);
	assert_true(strlen(figure_percent(text, -1e300)) < FIGURE_BYTES);
	assert_true(strlen(figure_change(text, 1e300)) < FIGURE_BYTES);
}

static void test_time(void **state)
{
	static const struct {
		double ns;
		const char *text;
	} cases[] = {
		{0, "0.000 ns"},     {0.4123, "0.412 ns"}, {0.9994, "0.999 ns"}, {0.9996, "1.00 ns"},
		{9.994, "9.99 ns"},  {9.996, "10.0 ns"},   {99.94, "99.9 ns"},   {99.96, "100 ns"},
		{999.4, "999 ns"},   {999.6, "1.00 µs"}, /* not "1000 ns" */
		{12100, "12.1 µs"},  {3.5e6, "3.50 ms"},   {61e9, "61.0 s"},     {7200e9, "7200 s"},
		{-2100, "−2.10 µs"}, {NAN, "–"},
	};
	char text[FIGURE_BYTES];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_string_equal(figure_time(text, cases[i].ns), cases[i].text);
}

static void test_percent(void **state)
{
	char text[FIGURE_BYTES];

	(void)state;
	assert_string_equal(figure_percent(text, 0.0123), "1.2 %");
	assert_string_equal(figure_percent(text, NAN), "–");
	assert_string_equal(figure_change(text, 0.0123), "+1.2 %");
	assert_string_equal(figure_change(text, -0.1408), "−14.1 %");
	assert_string_equal(figure_change(text, 0), "+0.0 %");
	assert_string_equal(figure_change(text, NAN), "–");
	assert_string_equal(figure_change(text, INFINITY), "+inf %");
}

static void test_date(void **state)
{
	char text[FIGURE_BYTES];

	(void)state;
	assert_string_equal(figure_date(text, 1763793600), "2025-11-22 06:40 UTC");
	assert_string_equal(figure_date(text, INT64_MAX), "–");
}

static void test_cut(void **state)
{
	char text[FIGURE_CUT_BYTES(5)];

	(void)state;
	assert_string_equal(figure_cut(text, "drop", 5), "drop");
	assert_string_equal(figure_cut(text, "kerne", 5), "kerne");
	assert_string_equal(figure_cut(text, "kernel", 5), "kern…");
	assert_string_equal(figure_cut(text, "µµµµµ", 5), "µµµµµ");
	assert_string_equal(figure_cut(text, "µµµµµµ", 5), "µµµµ…");
}

static void test_grid(void **state)
{
	struct grid *grid = grid_new("lr rl");
	size_t bytes;
	char *text;
	FILE *stream = open_memstream(&text, &bytes);

	(void)state;
	for (int i = 0; i < 4; i++)
		grid_cell(grid, STYLE_RESET, "%d", i);
	grid_cell(grid, STYLE_RESET, "µs");
	grid_end_row(grid);
	grid_end_row(grid); /* of a row that has ended: nothing */
	grid_cell(grid, STYLE_RESET, "long");
	grid_cell(grid, STYLE_RESET, "12345");
	grid_cell(grid, STYLE_RESET, "67");
	grid_wrapped(grid, STYLE_RESET, 7, "one two three-and-four five");
	grid_print(grid, stream);
	grid_free(grid);
	fclose(stream);
	assert_string_equal(text, "  0         1    2  3\n"
				  "  µs\n"
				  "  long  12345   67  one two\n"
				  "                    three-and-four\n"
				  "                    five\n");
	free(text);
}

/* clang-format off */
/* As it is to look. */
static const char golden[] =
	"xdplife bench a18420f, 2025-11-22 06:40 UTC\n"
	"  Linux 6.18.0, clang 14.0.6, AMD EPYC, 2 cores\n"
	"  Generator, device and sink share one core: Mpps and ns/packet are of all three together.\n"
	"\n"
	"Scenarios\n"
	"                 frame  floor     what happens to each packet\n"
	"  redirect        60 B  redirect  a blind bpf_redirect\n"
	"  forward         60 B  redirect  the kernel's routes, from XDP\n"
	"  forward-trace   60 B  redirect  routed, and its connections followed\n"
	"  bypass          60 B  redirect  never leaves the generator's core\n"
	"  kernel          60 B  redirect  ip_forward of the kernel\n"
	"\n"
	"Speed as a fraction of the floor's: median of 9 rounds ± its standard error\n"
	"                                           of floor            Mpps  loss-free  ns/packet      loss\n"
	"  redirect       ████████████████████         1.000  floor    3.810      3.657      262.5         0\n"
	"  forward        ██████████████▎              0.712  ± 0.004  2.714      2.605      368.5  0.0042 %\n"
	"  forward-trace  █████████████                0.653  ± 0.004  2.486      2.387      402.2         0\n"
	"  bypass         ███████████████████████▶     1.250  ± 0.004  4.762      4.571      210.0         0\n"
	"  kernel         ██████▌                      0.323  ± 0.004  1.230          –      812.8         0\n"
	"\n"
	"One-way latency while a fraction of the loss-free rate is offered\n"
	"                              10 %                        50 %                       90 %\n"
	"                      p50      p99    p99.9       p50      p99    p99.9       p50     p99   p99.9\n"
	"  redirect        2.10 µs  3.67 µs  12.6 µs   2.25 µs  3.94 µs  13.5 µs   61.0 µs  107 µs  366 µs\n"
	"  forward         2.20 µs  3.85 µs  13.2 µs   2.64 µs  4.62 µs  15.8 µs   88.0 µs  154 µs  528 µs\n"
	"  forward-trace   2.35 µs  4.11 µs  14.1 µs   2.82 µs  4.93 µs  16.9 µs   94.0 µs  164 µs  564 µs\n"
	"\n"
	"Cost: ns/packet in the BPF programs of each stage; the rest is the kernel's\n"
	"                 ▓ generator  █ device  ▒ sink  ░ rest  total\n"
	"  redirect              40.2      41.0    12.5   168.8  262.5  ▓█░░░░\n"
	"  forward               40.2     135.0    12.5   180.8  368.5  ▓███▒░░░░\n"
	"  forward-trace         40.2     166.0    12.5   183.6  402.2  ▓████░░░░░\n"
	"  bypass                40.2       5.5    12.5   151.8  210.0  ▓░░░░\n"
	"  kernel                40.2         –    12.5   760.0  812.8  ▓░░░░░░░░░░░░░░░░░░░\n"
	"\n"
	"Programs: each where it first occurs\n"
	"                 role       program      verified  insns  stack   JITed  helper calls/packet\n"
	"  redirect       generator  generate          256     64   48 B   320 B  get_prandom_u32\n"
	"                 device     redirect           36      9    0 B    45 B  redirect\n"
	"                 sink       count             100     25   16 B   125 B\n"
	"  forward        device     xdplife_xdp      3248    812  648 B  4060 B  redirect, fib_lookup×0.25\n"
	"  forward-trace  device     xdplife_xdp     51234    812  648 B  4060 B  redirect, fib_lookup×0.25,\n"
	"                                                                         map_lookup_elem×2\n"
	"\n"
	"Ledger\n"
	"  forward  sent 30000000 = received 29998743 + ring full 1250 + no route 7 + residue 0\n"
	"  bypass   sent 30000000 = received 30000003 + residue -3; duplicates 3\n";
/* clang-format on */

static void test_looks(void **state)
{
	char *text;

	(void)state;
	sample_run(&run);
	text = table_of(&run);
	assert_string_equal(text, golden);
	free(text);
}

static void test_bar(void **state)
{
	static const struct {
		double ratio;
		const char *bar;
	} cases[] = {
		{0, ""},
		{-1, ""},
		{NAN, ""},
		{0.003, ""},  /* 0.48 eighths */
		{0.004, "▏"}, /* 0.64 */
		{0.5, "██████████"},
		{0.503, "██████████"},
		{0.504, "██████████▏"},
		{0.546, "██████████▉"},
		{0.9999, "████████████████████"},
		{1.2, "████████████████████████"},
		{1.21, "███████████████████████▶"},
		{1e300, "███████████████████████▶"},
		{INFINITY, "███████████████████████▶"},
	};
	static const char name[] = "\n  forward   ";

	(void)state;
	sample_run(&run);
	run.results = SAMPLE_FORWARD + 1;
	*run.result[SAMPLE_FORWARD].summary = 0;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char *text, *row;

		run.result[SAMPLE_FORWARD].ratio.median = cases[i].ratio;
		text = table_of(&run);
		row = strstr(strstr(text, "Speed"), name);
		assert_non_null(row);
		row += strlen(name);
		assert_memory_equal(row, cases[i].bar, strlen(cases[i].bar));
		assert_int_equal(row[strlen(cases[i].bar)], ' ');
		free(text);
	}
}

static void test_split(void **state)
{
	(void)state;
	sample_run(&run);
	assert_shows(&run, "share one core");
	run.split = true;
	assert_hides(&run, "share one core");
}

static void test_cores(void **state)
{
	(void)state;
	sample_run(&run);
	assert_shows(&run, ", 2 cores\n");
	run.cpus = 1;
	assert_shows(&run, ", 1 core\n");
}

static void test_rounds(void **state)
{
	(void)state;
	sample_run(&run);
	run.result[SAMPLE_KERNEL].ratio.rounds = 5;
	assert_shows(&run, ": median of 5 to 9 rounds ±");
	run.results = 1;
	run.result[0].ratio.rounds = 0;
	assert_hides(&run, "rounds");
}

/* One packet of very many is not none. */
static void test_loss(void **state)
{
	struct bench_ledger *ledger = &run.result[0].ledger;

	(void)state;
	sample_run(&run);
	run.results = 1;
	assert_shows(&run, "262.5     0\n");
	ledger->received--;
	assert_shows(&run, "262.5  <0.0001 %\n");
	ledger->received = ledger->sent / 8;
	assert_shows(&run, "262.5  88 %\n");
	ledger->sent = ledger->received = 0;
	assert_shows(&run, "262.5     –\n");
}

static void test_ledger(void **state)
{
	struct bench_ledger *ledger = &run.result[0].ledger;

	(void)state;
	sample_run(&run);
	run.results = 1;
	assert_hides(&run, "Ledger");
	ledger->residue = 1;
	assert_shows(&run, "sent 30000000 = received 30000000 + residue 1\n");
	ledger->residue = 0;
	ledger->reordered = 5;
	assert_shows(&run, "sent 30000000 = received 30000000 + residue 0; out of order 5\n");
}

static void test_nothing_measured(void **state)
{
	struct bench_result *result = &run.result[0];

	(void)state;
	memset(&run, 0, sizeof(run));
	assert_shows(&run, "Speed");
	assert_hides(&run, "Programs");
	run.results = 1;
	strcpy(result->name, "forward");
	result->ratio = result->pps = result->ns = sample_none;
	for (int i = 0; i < BENCH_ROLES; i++)
		result->stage[i] = sample_none;
	result->loss_free_pps = NAN;
	assert_shows(&run, "  forward           –  ± –     –          –          –     –\n");
	assert_shows(&run, "  forward            –         –       –       –      –\n");
	assert_hides(&run, "latency");
}

/* The kernel's share is not known where no program was timed. */
static void test_no_stage_measured(void **state)
{
	struct bench_result *result = &run.result[SAMPLE_KERNEL];

	(void)state;
	sample_run(&run);
	assert_shows(&run, "  kernel                40.2         –    12.5   760.0  812.8  ▓░");
	result->stage[BENCH_GENERATOR] = result->stage[BENCH_SINK] = sample_none;
	assert_shows(&run, "  kernel                   –         –       –       –  812.8\n");
}

/* One that differs in anything is another. */
static void test_program_shown_once(void **state)
{
	struct bench_program *program = &run.result[SAMPLE_FORWARD].program[BENCH_GENERATOR];

	(void)state;
	sample_run(&run);
	assert_hides(&run, "  forward        generator");
	program->helper[0].calls = 0.9951;
	assert_hides(&run, "  forward        generator");
	program->helper[0].calls = 0.5;
	assert_shows(&run, "  forward        generator  generate          256     64   48 B   320 B  "
			   "get_prandom_u32×0.5\n");
	program->helper[0].calls = 1;
	program->jited_bytes++;
	assert_shows(&run, "  forward        generator  generate          256     64   48 B   321 B  "
			   "get_prandom_u32\n");
}

static void test_calls(void **state)
{
	struct bench_helper *helper = &run.result[SAMPLE_REDIRECT].program[BENCH_GENERATOR].helper[0];

	(void)state;
	sample_run(&run);
	helper->calls = 0.9951;
	assert_shows(&run, "  get_prandom_u32\n");
	helper->calls = 0.9949;
	assert_shows(&run, "  get_prandom_u32×0.995\n");
	helper->calls = 0;
	assert_shows(&run, "  get_prandom_u32×0\n");
}

static void fill(char *text, size_t bytes)
{
	memset(text, 'x', bytes - 1);
	text[bytes - 1] = 0;
}

/* However long the names are; a helper's name is never broken and may stick out. */
static void test_width(void **state)
{
	char *text, *line, *rest;

	(void)state;
	sample_run(&run);
	fill(run.cpu, sizeof(run.cpu));
	fill(run.kernel, sizeof(run.kernel));
	fill(run.compiler, sizeof(run.compiler));
	for (unsigned int i = 0; i < run.results; i++) {
		struct bench_result *result = &run.result[i];

		fill(result->name, sizeof(result->name));
		fill(result->floor, sizeof(result->floor));
		for (size_t j = 0; j + 1 < sizeof(result->summary); j++)
			result->summary[j] = j % 8 ? 'y' : ' ';
		while (result->ledger.drops < BENCH_DROPS)
			sample_drop(&result->ledger, "some-counter", 123456);
	}
	text = rest = table_of(&run);
	while ((line = strsep(&rest, "\n"))) {
		size_t bytes = strlen(line);

		if (figure_columns(line, bytes) > TABLE_COLUMNS)
			fail_msg("%u columns: %s", figure_columns(line, bytes), line);
		assert_true(!bytes || line[bytes - 1] != ' ');
	}
	free(text);
}

static void test_colour(void **state)
{
	(void)state;
	sample_run(&run);
	assert_hides(&run, "\033");
	setenv("CLICOLOR_FORCE", "1", 1);
	assert_shows(&run, "\033[31msent 30000000 = received 30000003");
	assert_hides(&run, "\033[31msent 30000000 = received 29998743");
	assert_shows(&run, "  \033[32m██████▌\033[0m  ");
	unsetenv("CLICOLOR_FORCE");
}

static int plain(void **state)
{
	(void)state;
	return unsetenv("CLICOLOR_FORCE");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fixed),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_percent),
		cmocka_unit_test(test_date),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_grid),
		cmocka_unit_test(test_looks),
		cmocka_unit_test(test_bar),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_cores),
		cmocka_unit_test(test_rounds),
		cmocka_unit_test(test_loss),
		cmocka_unit_test(test_ledger),
		cmocka_unit_test(test_nothing_measured),
		cmocka_unit_test(test_no_stage_measured),
		cmocka_unit_test(test_program_shown_once),
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_width),
		cmocka_unit_test(test_colour),
	};

	return cmocka_run_group_tests(tests, plain, NULL);
}
