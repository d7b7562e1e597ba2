// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rates and times are not compared as such: on a shared machine they differ between two runs of the same code by more
 * than any tolerance that would be of use, for what else the machine does, its clock and its temperature. What slows
 * down everything slows down the floor as well, so fractions of the floor of the same run are compared.
 */
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "bench/figure.h"
#include "bench/gate.h"
#include "util/terminal.h"

/*
 * A change counts from so many standard errors on. Of 20 runs of unchanged code, with 20 speeds in each, 54 % would see
 * at least one false alarm at 3 (400 times the one-sided tail of 0.00135), 1 % at 4 (0.0000317).
 */
#define NOISE_ERRORS 4

/*
 * Calls a packet are counts over millions of packets: this much is left to packets that take a rare path; and this much to
 * each packet that asks for a route which is not kept, for it took the short way first (bpf/plain.h).
 */
#define CALLS_TOLERANCE      0.005
#define CALLS_A_LOOKUP       4
#define KEPT_CALLS_TOLERANCE 0.5

struct gate {
	const struct bench_run *baseline, *now;
	double tolerance; /* a fraction */
	FILE *out;
	unsigned int ledgers, facts, helpers, speeds; /* compared */
	unsigned int failed, better;
};

/* --- lines --- */

static void print_line(const struct gate *gate, enum style style, const char *mark, const char *format,
		       va_list args)
{
	fprintf(gate->out, "%s%s%s ", terminal_style(gate->out, style), mark,
		terminal_style(gate->out, STYLE_RESET));
	vfprintf(gate->out, format, args);
	fputc('\n', gate->out);
}

static void fail(struct gate *gate, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void fail(struct gate *gate, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_line(gate, STYLE_BAD, "✘", format, args);
	va_end(args);
	gate->failed++;
}

static void better(struct gate *gate, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void better(struct gate *gate, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_line(gate, STYLE_GOOD, "✔ better:", format, args);
	va_end(args);
	gate->better++;
}

static void note(const struct gate *gate, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void note(const struct gate *gate, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_line(gate, STYLE_WARN, "-", format, args);
	va_end(args);
}

/* --- what belongs together --- */

static const struct bench_result *find_result(const struct bench_run *run, const char *name)
{
	for (unsigned int i = 0; i < run->results; i++)
		if (!strcmp(run->result[i].name, name))
			return &run->result[i];
	return NULL;
}

static const struct bench_program *find_program(const struct bench_result *result,
						const struct bench_program *like)
{
	for (unsigned int i = 0; i < result->programs; i++)
		if (result->program[i].role == like->role && !strcmp(result->program[i].name, like->name))
			return &result->program[i];
	return NULL;
}

static const struct bench_helper *find_helper(const struct bench_program *program, const char *name)
{
	for (unsigned int i = 0; i < program->helpers; i++)
		if (!strcmp(program->helper[i].name, name))
			return &program->helper[i];
	return NULL;
}

static bool was_asked(char *const *asked, const char *name)
{
	if (!asked)
		return true;
	for (; *asked; asked++)
		if (!strcmp(*asked, name))
			return true;
	return false;
}

/* --- nothing vanishes --- */

static void check_ledger(struct gate *gate, const struct bench_result *result)
{
	const struct bench_ledger *ledger = &result->ledger;
	__u64 dropped = 0;
	__s64 residue;

	for (unsigned int i = 0; i < ledger->drops; i++)
		dropped += ledger->drop[i].packets;
	residue = (__s64)(ledger->sent - ledger->received - dropped);
	gate->ledgers++;
	if (residue)
		fail(gate, "%s: residue %lld: sent %llu, received %llu, dropped by name %llu", result->name,
		     (long long)residue, (unsigned long long)ledger->sent,
		     (unsigned long long)ledger->received, (unsigned long long)dropped);
	else if (ledger->residue)
		fail(gate, "%s: residue %lld, though the counters close", result->name,
		     (long long)ledger->residue);
}

static void check_presence(struct gate *gate, char *const *asked)
{
	if (!gate->baseline->results)
		fail(gate, "the baseline has no scenario");
	for (unsigned int i = 0; i < gate->baseline->results; i++) {
		const char *name = gate->baseline->result[i].name;

		if (!find_result(gate->now, name) && was_asked(asked, name))
			fail(gate, "%s: in the baseline, but not in this run", name);
	}
	for (unsigned int i = 0; i < gate->now->results; i++) {
		const struct bench_result *result = &gate->now->result[i];

		if (!find_result(gate->baseline, result->name))
			note(gate, "%s: not in the baseline", result->name);
		check_ledger(gate, result);
	}
}

/* --- what the programs are --- */

/* "forward: device xdplife_xdp" */
#define SUBJECT_BYTES (2 * BENCH_NAME_MAX + sizeof(": generator "))

static const struct fact {
	const char *text;
	size_t offset; /* in a bench_program, of an unsigned int */
	bool zero;     /* 0 is a figure; else it says that nobody knows */
} facts[] = {
	{"instructions verified", offsetof(struct bench_program, verified_insns), false},
	{"instructions", offsetof(struct bench_program, insns), false},
	{"bytes JITed", offsetof(struct bench_program, jited_bytes), false},
	{"bytes of stack", offsetof(struct bench_program, stack_bytes), true},
};

static unsigned int fact_of(const struct bench_program *program, const struct fact *fact)
{
	return *(const unsigned int *)((const char *)program + fact->offset);
}

static void compare_fact(struct gate *gate, const char *subject, const struct fact *fact, unsigned int before,
			 unsigned int now)
{
	double limit = before * gate->tolerance, change = (double)now - before;
	char percent[FIGURE_BYTES];

	if (!fact->zero && (!before || !now))
		return;
	gate->facts++;
	figure_change(percent, change / before);
	if (change > limit)
		fail(gate, "%s: %s %u → %u (%s; tolerance %g %%)", subject, fact->text, before, now, percent,
		     gate->tolerance * 100);
	else if (-change > limit)
		better(gate, "%s: %s %u → %u (%s)", subject, fact->text, before, now, percent);
}

static void compare_facts(struct gate *gate, const char *subject, const struct bench_program *before,
			  const struct bench_program *now)
{
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
		compare_fact(gate, subject, &facts[i], fact_of(before, &facts[i]), fact_of(now, &facts[i]));
}

/*
 * Their answers are kept, routes until something changes or a second has passed (bpf/route_cache.h), the time until the
 * clock ticks (bpf/clock.h): how often they are asked depends on what else happens. Only being asked for most packets is
 * news.
 */
static bool answers_are_kept(const char *helper)
{
	return !strcmp(helper, "bpf_fib_lookup") || !strcmp(helper, "bpf_ktime_get_coarse_ns");
}

static double calls_of(const struct bench_program *program, const char *name)
{
	const struct bench_helper *helper = find_helper(program, name);

	return helper ? helper->calls : 0;
}

static double calls_tolerance(const char *helper, const struct bench_program *before,
			      const struct bench_program *now)
{
	double lookups = fabs(calls_of(now, "bpf_fib_lookup") - calls_of(before, "bpf_fib_lookup"));

	if (answers_are_kept(helper))
		return KEPT_CALLS_TOLERANCE;
	return CALLS_TOLERANCE + (lookups < KEPT_CALLS_TOLERANCE ? CALLS_A_LOOKUP * lookups : 0);
}

/* What is no longer called is called 0 times; what was never called is new, however rare. */
static void compare_helpers(struct gate *gate, const char *subject, const struct bench_program *before,
			    const struct bench_program *now)
{
	for (unsigned int i = 0; i < before->helpers; i++) {
		const struct bench_helper *old = &before->helper[i];
		double calls = calls_of(now, old->name), tolerance = calls_tolerance(old->name, before, now);

		gate->helpers++;
		if (calls - old->calls > tolerance)
			fail(gate, "%s: calls %s %.3f → %.3f times a packet (tolerance %g)", subject,
			     old->name, old->calls, calls, tolerance);
		else if (old->calls - calls > tolerance)
			better(gate, "%s: calls %s %.3f → %.3f times a packet", subject, old->name,
			       old->calls, calls);
	}
	for (unsigned int i = 0; i < now->helpers; i++) {
		const struct bench_helper *new = &now->helper[i];

		if (find_helper(before, new->name) ||
		    (answers_are_kept(new->name) && new->calls < KEPT_CALLS_TOLERANCE))
			continue;
		gate->helpers++;
		fail(gate, "%s: calls %s, %.3g times a packet, which the baseline does not", subject,
		     new->name, new->calls);
	}
}

static void compare_programs(struct gate *gate, const struct bench_result *before,
			     const struct bench_result *now, bool comparable)
{
	char subject[SUBJECT_BYTES];

	for (unsigned int i = 0; i < before->programs; i++) {
		const struct bench_program *old = &before->program[i], *new = find_program(now, old);

		snprintf(subject, sizeof(subject), "%s: %s %s", now->name, figure_role(old->role), old->name);
		if (!new) {
			fail(gate, "%s: in the baseline, but not in this run", subject);
			continue;
		}
		if (comparable)
			compare_facts(gate, subject, old, new);
		compare_helpers(gate, subject, old, new);
	}
	for (unsigned int i = 0; i < now->programs; i++)
		if (!find_program(before, &now->program[i]))
			fail(gate, "%s: %s %s: not in the baseline", now->name,
			     figure_role(now->program[i].role), now->program[i].name);
}

/* Another kernel verifies and translates otherwise, and so does another compiler. */
static bool facts_comparable(const struct gate *gate)
{
	const struct bench_run *before = gate->baseline, *now = gate->now;
	bool same_kernel = !strcmp(before->kernel, now->kernel);
	bool same_compiler = !strcmp(before->compiler, now->compiler);

	if (!same_kernel)
		note(gate, "instructions, bytes and stack are not compared: kernel %s → %s", before->kernel,
		     now->kernel);
	if (!same_compiler)
		note(gate, "instructions, bytes and stack are not compared: compiler %s → %s",
		     before->compiler, now->compiler);
	return same_kernel && same_compiler;
}

static void check_programs(struct gate *gate)
{
	bool comparable = facts_comparable(gate);

	for (unsigned int i = 0; i < gate->baseline->results; i++) {
		const struct bench_result *before = &gate->baseline->result[i];
		const struct bench_result *now = find_result(gate->now, before->name);

		if (now)
			compare_programs(gate, before, now, comparable);
	}
}

/* --- speed --- */

#define BLIND_BYTES (FIGURE_BYTES + sizeof(": too noisy to see less than "))
#define LINE_BYTES  512

/* A figure and its standard error, in the same unit. */
struct speed {
	double value, noise;
};

static struct speed ratio_of(const struct bench_result *result)
{
	return (struct speed){result->ratio.median, result->ratio.noise};
}

static struct speed device_of(const struct bench_result *result)
{
	return (struct speed){result->device.median, result->device.noise};
}

/* @sign: 1 if more is better, -1 if less is. */
static void compare_speed(struct gate *gate, const char *scenario, const char *what, struct speed before,
			  struct speed now, int sign)
{
	double noise = hypot(before.noise, now.noise) / before.value;
	double limit = fmax(gate->tolerance, NOISE_ERRORS * noise);
	double gain = sign * (now.value - before.value) / before.value;
	char line[LINE_BYTES], blind[BLIND_BYTES] = "";
	char old[FIGURE_BYTES], new[FIGURE_BYTES], change[FIGURE_BYTES], error[FIGURE_BYTES];

	/* Not measured, or lost in what an empty program costs: there is nothing to be a fraction of. */
	if (!(before.value > 0))
		return;
	gate->speeds++;
	if (limit > gate->tolerance)
		snprintf(blind, sizeof(blind), ": too noisy to see less than %s",
			 figure_percent(error, limit));
	snprintf(line, sizeof(line), "%s: %s %s → %s (%s; tolerance %g %%, noise %s%s)", scenario, what,
		 figure_fixed(old, before.value, 3), figure_fixed(new, now.value, 3),
		 figure_change(change, sign * gain), gate->tolerance * 100, figure_percent(error, noise),
		 blind);
	if (isnan(now.value) || -gain > limit)
		fail(gate, "%s", line);
	else if (gain > limit)
		better(gate, "%s", line);
	else if (*blind)
		note(gate, "%s: %s%s", scenario, what, blind);
}

static bool speeds_comparable(struct gate *gate, const struct bench_result *before,
			      const struct bench_result *now)
{
	if (strcmp(before->floor, now->floor) != 0) {
		fail(gate, "%s: speeds are not comparable: the floor was %s, now it is %s", now->name,
		     before->floor, now->floor);
		return false;
	}
	if (before->frame_bytes != now->frame_bytes) {
		fail(gate, "%s: speeds are not comparable: a frame had %u bytes, now it has %u", now->name,
		     before->frame_bytes, now->frame_bytes);
		return false;
	}
	return true;
}

static const char *cores(const struct bench_run *run)
{
	return run->split ? "cores of their own" : "one core";
}

static void check_speeds(struct gate *gate)
{
	if (gate->baseline->split != gate->now->split) {
		fail(gate,
		     "speeds are not comparable: generator, device and sink had %s, now %s; record a "
		     "baseline "
		     "on such a machine",
		     cores(gate->baseline), cores(gate->now));
		return;
	}
	for (unsigned int i = 0; i < gate->baseline->results; i++) {
		const struct bench_result *before = &gate->baseline->result[i];
		const struct bench_result *now = find_result(gate->now, before->name);

		if (!now || !speeds_comparable(gate, before, now))
			continue;
		compare_speed(gate, now->name, "ratio to the floor", ratio_of(before), ratio_of(now), 1);
		if (strcmp(now->floor, now->name) != 0)
			compare_speed(gate, now->name, "device to all else", device_of(before),
				      device_of(now), -1);
	}
}

/* --- together --- */

static void print_summary(const struct gate *gate)
{
	char date[FIGURE_BYTES];

	fprintf(gate->out,
		"Compared with %s of %s: %u ledgers, %u program facts, %u helpers, %u speeds: %s%u failed%s, "
		"%u "
		"better\n",
		gate->baseline->version, figure_date(date, gate->baseline->time_s), gate->ledgers,
		gate->facts, gate->helpers, gate->speeds,
		terminal_style(gate->out, gate->failed ? STYLE_BAD : STYLE_GOOD), gate->failed,
		terminal_style(gate->out, STYLE_RESET), gate->better);
	if (gate->better && !gate->failed)
		fprintf(gate->out,
			"Record this run as the baseline, or what was gained can be lost unseen.\n");
}

unsigned int bench_gate(const struct bench_run *baseline, const struct bench_run *now, char *const *asked,
			double tolerance_percent, FILE *out)
{
	struct gate gate = {
		.baseline = baseline,
		.now = now,
		.tolerance = tolerance_percent / 100,
		.out = out,
	};

	check_presence(&gate, asked);
	check_programs(&gate);
	check_speeds(&gate);
	print_summary(&gate);
	return gate.failed;
}
