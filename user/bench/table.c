// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/figure.h"
#include "bench/grid.h"
#include "bench/table.h"
#include "util/terminal.h"

#define NAME_COLUMNS    24 /* of a scenario */
#define NAME_BYTES      FIGURE_CUT_BYTES(NAME_COLUMNS)
#define MACHINE_COLUMNS 100
#define SUMMARY_COLUMNS 46
#define HELPERS_COLUMNS 36
#define LEDGER_COLUMNS  80

#define BAR_CELLS     20 /* of a ratio of 1; of the packet that costs most */
#define BAR_CELLS_MAX 24
#define EIGHTHS       8
#define GLYPH_BYTES   (sizeof("█") - 1)
#define BAR_BYTES     (BAR_CELLS_MAX * GLYPH_BYTES + 1)

#define SAME_CALLS 0.005 /* a packet: calls are counts, and a few packets take a rare path */

#define LINE_BYTES 1024

/* --- cells --- */

static void heading(FILE *stream, const char *what, const char *detail)
{
	fprintf(stream, "\n%s%s%s%s%s%s\n", terminal_style(stream, STYLE_BOLD), what,
		terminal_style(stream, STYLE_RESET), terminal_style(stream, STYLE_DIM), detail,
		terminal_style(stream, STYLE_RESET));
}

static void head_cells(struct grid *grid, const char *const *heads)
{
	for (; *heads; heads++)
		grid_cell(grid, STYLE_DIM, "%s", *heads);
}

static void name_cell(struct grid *grid, const char *name)
{
	char text[NAME_BYTES];

	grid_cell(grid, STYLE_NAME, "%s", figure_cut(text, name, NAME_COLUMNS));
}

static void fixed_cell(struct grid *grid, double value, int decimals)
{
	char text[FIGURE_BYTES];

	grid_cell(grid, STYLE_RESET, "%s", figure_fixed(text, value, decimals));
}

static void finish(struct grid *grid, FILE *stream)
{
	grid_print(grid, stream);
	grid_free(grid);
}

/* --- where and what --- */

static void print_machine(const struct bench_run *run, FILE *stream)
{
	struct grid *grid = grid_new("l");
	char date[FIGURE_BYTES], machine[LINE_BYTES];

	fprintf(stream, "%sxdplife bench %s%s, %s\n", terminal_style(stream, STYLE_BOLD), run->version,
		terminal_style(stream, STYLE_RESET), figure_date(date, run->time_s));
	snprintf(machine, sizeof(machine), "Linux %s, %s, %s, %u core%s", run->kernel, run->compiler,
		 run->cpu, run->cpus, run->cpus == 1 ? "" : "s");
	grid_wrapped(grid, STYLE_RESET, MACHINE_COLUMNS, machine);
	if (!run->split)
		grid_cell(grid, STYLE_RESET,
			  "Generator, device and sink share one core: Mpps and ns/packet are of all three "
			  "together.");
	finish(grid, stream);
}

static void print_scenarios(const struct bench_run *run, FILE *stream)
{
	static const char *const heads[] = {"", "frame", "floor", "what happens to each packet", NULL};
	struct grid *grid = grid_new("lrll");

	heading(stream, "Scenarios", "");
	head_cells(grid, heads);
	for (unsigned int i = 0; i < run->results; i++) {
		const struct bench_result *result = &run->result[i];
		char floor[NAME_BYTES];

		name_cell(grid, result->name);
		grid_cell(grid, STYLE_RESET, "%u B", result->frame_bytes);
		grid_cell(grid, STYLE_RESET, "%s", figure_cut(floor, result->floor, NAME_COLUMNS));
		grid_wrapped(grid, STYLE_RESET, SUMMARY_COLUMNS, result->summary);
	}
	finish(grid, stream);
}

/* --- speed --- */

/* A bar of @ratio, in eighths of a cell; one that does not fit ends in an arrow. */
static const char *ratio_bar(char bar[BAR_BYTES], double ratio)
{
	static const char *const eighth[EIGHTHS] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
	unsigned int eighths = 0, cells;

	if (ratio > 0)
		eighths = fmin(ratio * BAR_CELLS, BAR_CELLS_MAX) * EIGHTHS + 0.5;
	cells = eighths / EIGHTHS;
	*bar = 0;
	for (unsigned int i = 0; i < cells; i++)
		strcat(bar, "█");
	strcat(bar, eighth[eighths % EIGHTHS]);
	if (ratio * BAR_CELLS > BAR_CELLS_MAX)
		strcpy(bar + (BAR_CELLS_MAX - 1) * GLYPH_BYTES, "▶");
	return bar;
}

/* What was not received. One packet of very many is not to be taken for none. */
static void loss_cell(struct grid *grid, const struct bench_ledger *ledger)
{
	double percent =
		ledger->sent ? 100.0 * ((double)ledger->sent - (double)ledger->received) / ledger->sent : NAN;

	if (isnan(percent))
		grid_cell(grid, STYLE_RESET, FIGURE_NONE);
	else if (percent <= 0)
		grid_cell(grid, STYLE_RESET, "0");
	else if (percent < 0.0001)
		grid_cell(grid, STYLE_WARN, "<0.0001 %%");
	else
		grid_cell(grid, STYLE_WARN, "%.2g %%", percent);
}

static void speed_row(struct grid *grid, const struct bench_result *result)
{
	char bar[BAR_BYTES], noise[FIGURE_BYTES];

	name_cell(grid, result->name);
	grid_cell(grid, STYLE_GOOD, "%s", ratio_bar(bar, result->ratio.median));
	fixed_cell(grid, result->ratio.median, 3);
	if (!strcmp(result->name, result->floor))
		grid_cell(grid, STYLE_DIM, "floor");
	else
		grid_cell(grid, STYLE_DIM, "± %s", figure_fixed(noise, result->ratio.noise, 3));
	fixed_cell(grid, result->pps.median / 1e6, 3);
	fixed_cell(grid, result->loss_free_pps / 1e6, 3);
	fixed_cell(grid, result->ns.median, 1);
	loss_cell(grid, &result->ledger);
}

static void rounds_text(const struct bench_run *run, char *text, size_t bytes)
{
	unsigned int least = run->results ? run->result[0].ratio.rounds : 0, most = least;

	for (unsigned int i = 1; i < run->results; i++) {
		unsigned int rounds = run->result[i].ratio.rounds;

		least = rounds < least ? rounds : least;
		most = rounds > most ? rounds : most;
	}
	if (!most)
		*text = 0;
	else if (least == most)
		snprintf(text, bytes, ": median of %u rounds ± its standard error", most);
	else
		snprintf(text, bytes, ": median of %u to %u rounds ± its standard error", least, most);
}

static void print_speed(const struct bench_run *run, FILE *stream)
{
	static const char *const heads[] = {
		"", "", "of floor", "", "Mpps", "loss-free", "ns/packet", "loss", NULL,
	};
	struct grid *grid = grid_new("llrlrrrr");
	char rounds[LINE_BYTES];

	rounds_text(run, rounds, sizeof(rounds));
	heading(stream, "Speed as a fraction of the floor's", rounds);
	head_cells(grid, heads);
	for (unsigned int i = 0; i < run->results; i++)
		speed_row(grid, &run->result[i]);
	finish(grid, stream);
}

/* --- latency --- */

static const struct bench_result *first_with_latency(const struct bench_run *run)
{
	for (unsigned int i = 0; i < run->results; i++)
		if (run->result[i].latencies)
			return &run->result[i];
	return NULL;
}

/* The loads stand in the middle column of the three below them. */
static void latency_heads(struct grid *grid, const struct bench_result *first)
{
	static const char *const heads[] = {"p50", "p99", "p99.9", NULL};

	grid_cell(grid, STYLE_DIM, "%s", "");
	for (unsigned int i = 0; i < first->latencies; i++) {
		grid_cell(grid, STYLE_DIM, "%s", "");
		grid_cell(grid, STYLE_DIM, "%.0f %%", first->latency[i].load * 100);
		grid_cell(grid, STYLE_DIM, "%s", "");
	}
	grid_end_row(grid);
	grid_cell(grid, STYLE_DIM, "%s", "");
	for (unsigned int i = 0; i < first->latencies; i++)
		head_cells(grid, heads);
	grid_end_row(grid);
}

static void latency_row(struct grid *grid, const struct bench_result *result)
{
	char text[FIGURE_BYTES];

	name_cell(grid, result->name);
	for (unsigned int i = 0; i < result->latencies; i++) {
		const struct bench_latency *latency = &result->latency[i];

		grid_cell(grid, STYLE_RESET, "%s", figure_time(text, latency->p50_ns));
		grid_cell(grid, STYLE_RESET, "%s", figure_time(text, latency->p99_ns));
		grid_cell(grid, STYLE_RESET, "%s", figure_time(text, latency->p999_ns));
	}
	grid_end_row(grid);
}

/* Every scenario is measured at the same loads. */
static void print_latency(const struct bench_run *run, FILE *stream)
{
	const struct bench_result *first = first_with_latency(run);
	struct grid *grid;

	if (!first)
		return;
	grid = grid_new("l rrr rrr rrr");
	heading(stream, "One-way latency", " while a fraction of the loss-free rate is offered");
	latency_heads(grid, first);
	for (unsigned int i = 0; i < run->results; i++)
		if (run->result[i].latencies)
			latency_row(grid, &run->result[i]);
	finish(grid, stream);
}

/* --- cost --- */

enum { PART_REST = BENCH_ROLES, PARTS };

/* ns a packet of each stage and of what is in no BPF program; NAN where no stage was measured. */
static void cost_parts(const struct bench_result *result, double part[PARTS])
{
	bool measured = false;

	part[PART_REST] = result->ns.median;
	for (int i = 0; i < BENCH_ROLES; i++) {
		part[i] = result->stage[i].median;
		if (isnan(part[i]))
			continue;
		part[PART_REST] -= part[i];
		measured = true;
	}
	if (!measured)
		part[PART_REST] = NAN;
}

/* The parts next to each other, in whole cells; each ends where the sum up to it does. */
static const char *cost_bar(char bar[BAR_BYTES], const double part[PARTS], double cell_ns)
{
	static const char *const glyph[PARTS] = {"▓", "█", "▒", "░"};
	unsigned int cells = 0;
	double sum = 0;

	*bar = 0;
	for (int i = 0; i < PARTS; i++) {
		sum += part[i] > 0 ? part[i] : 0;
		for (; cells < BAR_CELLS && cells + 0.5 < sum / cell_ns; cells++)
			strcat(bar, glyph[i]);
	}
	return bar;
}

static double highest_ns(const struct bench_run *run)
{
	double highest = 0;

	for (unsigned int i = 0; i < run->results; i++)
		highest = fmax(highest, run->result[i].ns.median);
	return highest;
}

static void print_cost(const struct bench_run *run, FILE *stream)
{
	static const char *const heads[] = {
		"", "▓ generator", "█ device", "▒ sink", "░ rest", "total", "", NULL,
	};
	double cell_ns = highest_ns(run) / BAR_CELLS;
	struct grid *grid = grid_new("lrrrrrl");

	heading(stream, "Cost", ": ns/packet in the BPF programs of each stage; the rest is the kernel's");
	head_cells(grid, heads);
	for (unsigned int i = 0; i < run->results; i++) {
		const struct bench_result *result = &run->result[i];
		double part[PARTS];
		char bar[BAR_BYTES];

		cost_parts(result, part);
		name_cell(grid, result->name);
		for (int j = 0; j < PARTS; j++)
			fixed_cell(grid, part[j], 1);
		fixed_cell(grid, result->ns.median, 1);
		grid_cell(grid, STYLE_VALUE, "%s", cost_bar(bar, part, cell_ns));
	}
	finish(grid, stream);
}

/* --- programs --- */

static bool same_program(const struct bench_program *a, const struct bench_program *b)
{
	if (a->role != b->role || strcmp(a->name, b->name) != 0 || a->verified_insns != b->verified_insns ||
	    a->insns != b->insns || a->jited_bytes != b->jited_bytes || a->stack_bytes != b->stack_bytes ||
	    a->helpers != b->helpers)
		return false;
	for (unsigned int i = 0; i < a->helpers; i++)
		if (strcmp(a->helper[i].name, b->helper[i].name) != 0 ||
		    fabs(a->helper[i].calls - b->helper[i].calls) > SAME_CALLS)
			return false;
	return true;
}

/* Whether a scenario before @result has it. */
static bool was_shown(const struct bench_run *run, const struct bench_result *result,
		      const struct bench_program *program)
{
	for (const struct bench_result *before = run->result; before < result; before++)
		for (unsigned int i = 0; i < before->programs; i++)
			if (same_program(&before->program[i], program))
				return true;
	return false;
}

/* "redirect, fib_lookup×0.25": what is not called once a packet says how often. */
static void helpers_text(const struct bench_program *program, char *text, size_t bytes)
{
	size_t used = 0;

	*text = 0;
	for (unsigned int i = 0; i < program->helpers && used < bytes; i++) {
		const struct bench_helper *helper = &program->helper[i];
		bool once = fabs(helper->calls - 1) <= SAME_CALLS;

		used += snprintf(text + used, bytes - used, "%s%s", i ? ", " : "", helper->name);
		if (!once && used < bytes)
			used += snprintf(text + used, bytes - used, "×%.3g", helper->calls);
	}
}

static void program_row(struct grid *grid, const char *scenario, const struct bench_program *program)
{
	char helpers[LINE_BYTES];

	name_cell(grid, scenario);
	grid_cell(grid, STYLE_RESET, "%s", figure_role(program->role));
	grid_cell(grid, STYLE_RESET, "%s", program->name);
	grid_cell(grid, STYLE_RESET, "%u", program->verified_insns);
	grid_cell(grid, STYLE_RESET, "%u", program->insns);
	grid_cell(grid, STYLE_RESET, "%u B", program->stack_bytes);
	grid_cell(grid, STYLE_RESET, "%u B", program->jited_bytes);
	helpers_text(program, helpers, sizeof(helpers));
	grid_wrapped(grid, STYLE_RESET, HELPERS_COLUMNS, helpers);
}

static bool any_program(const struct bench_run *run)
{
	for (unsigned int i = 0; i < run->results; i++)
		if (run->result[i].programs)
			return true;
	return false;
}

static void print_programs(const struct bench_run *run, FILE *stream)
{
	static const char *const heads[] = {
		"", "role", "program", "verified", "insns", "stack", "JITed", "helper calls/packet", NULL,
	};
	struct grid *grid;

	if (!any_program(run))
		return;
	grid = grid_new("lllrrrrl");
	heading(stream, "Programs", ": each where it first occurs");
	head_cells(grid, heads);
	for (unsigned int i = 0; i < run->results; i++) {
		const struct bench_result *result = &run->result[i];
		const char *scenario = result->name;

		for (unsigned int j = 0; j < result->programs; j++) {
			if (was_shown(run, result, &result->program[j]))
				continue;
			program_row(grid, scenario, &result->program[j]);
			scenario = "";
		}
	}
	finish(grid, stream);
}

/* --- the ledger --- */

static bool worth_telling(const struct bench_ledger *ledger)
{
	return ledger->drops || ledger->residue || ledger->duplicates || ledger->reordered;
}

static void ledger_text(const struct bench_ledger *ledger, char *text, size_t bytes)
{
	size_t used = snprintf(text, bytes, "sent %llu = received %llu", (unsigned long long)ledger->sent,
			       (unsigned long long)ledger->received);

	for (unsigned int i = 0; i < ledger->drops && used < bytes; i++)
		used += snprintf(text + used, bytes - used, " + %s %llu", ledger->drop[i].where,
				 (unsigned long long)ledger->drop[i].packets);
	if (used < bytes)
		used += snprintf(text + used, bytes - used, " + residue %lld", (long long)ledger->residue);
	if (ledger->duplicates && used < bytes)
		used += snprintf(text + used, bytes - used, "; duplicates %llu",
				 (unsigned long long)ledger->duplicates);
	if (ledger->reordered && used < bytes)
		snprintf(text + used, bytes - used, "; out of order %llu",
			 (unsigned long long)ledger->reordered);
}

static void print_ledgers(const struct bench_run *run, FILE *stream)
{
	struct grid *grid = grid_new("ll");
	bool any = false;

	for (unsigned int i = 0; i < run->results; i++) {
		const struct bench_result *result = &run->result[i];
		char text[LINE_BYTES];

		if (!worth_telling(&result->ledger))
			continue;
		if (!any)
			heading(stream, "Ledger", "");
		any = true;
		name_cell(grid, result->name);
		ledger_text(&result->ledger, text, sizeof(text));
		grid_wrapped(grid, result->ledger.residue ? STYLE_BAD : STYLE_RESET, LEDGER_COLUMNS, text);
	}
	finish(grid, stream);
}

void bench_table_print(const struct bench_run *run, FILE *stream)
{
	print_machine(run, stream);
	print_scenarios(run, stream);
	print_speed(run, stream);
	print_latency(run, stream);
	print_cost(run, stream);
	print_programs(run, stream);
	print_ledgers(run, stream);
}
