// SPDX-License-Identifier: GPL-2.0-only
/* The gate: each rule on both sides of its threshold, and the lines that it prints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "bench/gate.h"
#include "bench_run.h"

#define TOLERANCE 5.0

static struct bench_run before, now;
static char *text; /* what the last call printed */

/* --- the harness --- */

static int setup(void **state)
{
	(void)state;
	sample_run(&before);
	before.results = SAMPLE_TRACED + 1; /* those whose ledgers close */
	/* so little noise that the tolerance decides, until a test says otherwise */
	for (unsigned int i = 0; i < before.results; i++)
		before.result[i].device.noise = 0.001;
	now = before;
	return unsetenv("CLICOLOR_FORCE");
}

static int teardown(void **state)
{
	(void)state;
	free(text);
	text = NULL;
	return 0;
}

static unsigned int gate_asked(char *const *asked)
{
	size_t bytes;
	FILE *stream;
	unsigned int failed;

	free(text);
	text = NULL;
	stream = open_memstream(&text, &bytes);
	assert_non_null(stream);
	failed = bench_gate(&before, &now, asked, TOLERANCE, stream);
	assert_int_equal(fclose(stream), 0);
	return failed;
}

/* @line is the only one above the summary; "" if there is none. */
static void assert_gate(unsigned int failed, const char *line)
{
	assert_int_equal(gate_asked(NULL), failed);
	if (strncmp(text, line, strlen(line)) != 0 || strncmp(text + strlen(line), "Compared with ", 14) != 0)
		assert_string_equal(text, line);
}

/* --- everything is as it was --- */

static void test_same(void **state)
{
	(void)state;
	assert_int_equal(gate_asked(NULL), 0);
	assert_string_equal(text,
			    "Compared with a18420f of 2025-11-22 06:40 UTC: 3 ledgers, 36 program facts, "
			    "9 helpers, 5 speeds: 0 failed, 0 better\n");
}

/* --- correctness --- */

static void test_missing(void **state)
{
	char *const all[] = {"forward", "forward-trace", NULL}, *const one[] = {"forward", NULL};

	(void)state;
	now.results--;
	assert_gate(1, "✘ forward-trace: in the baseline, but not in this run\n");
	assert_int_equal(gate_asked(all), 1);
	assert_int_equal(gate_asked(one), 0);
}

static void test_new_scenario(void **state)
{
	(void)state;
	before.results--;
	assert_gate(0, "- forward-trace: not in the baseline\n");
	/* and its ledger has to close all the same */
	now.result[SAMPLE_TRACED].ledger.received--;
	assert_gate(1, "- forward-trace: not in the baseline\n"
		       "✘ forward-trace: residue 1: sent 30000000, received 29999999, dropped by name 0\n");
}

static void test_residue(void **state)
{
	struct bench_ledger *ledger = &now.result[SAMPLE_FORWARD].ledger;

	(void)state;
	ledger->drop[0].packets++;
	assert_gate(1, "✘ forward: residue -1: sent 30000000, received 29998743, dropped by name 1258\n");
	ledger->received--;
	assert_gate(0, "");
	ledger->residue = 2;
	assert_gate(1, "✘ forward: residue 2, though the counters close\n");
}

static void test_empty_baseline(void **state)
{
	(void)state;
	before.results = now.results = 0;
	assert_gate(1, "✘ the baseline has no scenario\n");
}

/* --- programs --- */

static void test_facts(void **state)
{
	struct bench_program *program = &now.result[SAMPLE_FORWARD].program[1];

	(void)state;
	program->verified_insns = 3410; /* 3248 and 5 %: 3410.4 */
	program->insns = 852;           /* 812: 852.6 */
	program->jited_bytes = 4263;    /* 4060: 4263 */
	program->stack_bytes = 680;     /* 648: 680.4 */
	assert_gate(0, "");
	program->verified_insns++;
	program->insns++;
	program->jited_bytes++;
	program->stack_bytes++;
	assert_gate(
		4,
		"✘ forward: device xdplife_xdp: instructions verified 3248 → 3411 (+5.0 %; tolerance 5 %)\n"
		"✘ forward: device xdplife_xdp: instructions 812 → 853 (+5.0 %; tolerance 5 %)\n"
		"✘ forward: device xdplife_xdp: bytes JITed 4060 → 4264 (+5.0 %; tolerance 5 %)\n"
		"✘ forward: device xdplife_xdp: bytes of stack 648 → 681 (+5.1 %; tolerance 5 %)\n");
}

static void test_facts_better(void **state)
{
	struct bench_program *program = &now.result[SAMPLE_FORWARD].program[1];

	(void)state;
	program->insns = 772; /* 812 less 5 %: 771.4 */
	assert_gate(0, "");
	program->insns--;
	assert_gate(0, "✔ better: forward: device xdplife_xdp: instructions 812 → 771 (−5.0 %)\n");
	assert_non_null(strstr(text, "0 failed, 1 better\nRecord this run as the baseline"));
}

/* 0 is "not known" but for the stack. */
static void test_facts_unknown(void **state)
{
	struct bench_program *old = &before.result[0].program[1], *new = &now.result[0].program[1];

	(void)state;
	assert_int_equal(old->stack_bytes, 0);
	new->jited_bytes = 0;
	assert_gate(0, "");
	assert_non_null(strstr(text, " 35 program facts"));
	new->jited_bytes = old->jited_bytes;
	old->jited_bytes = 0;
	assert_gate(0, "");
	old->jited_bytes = new->jited_bytes;
	new->stack_bytes = 8;
	assert_gate(1, "✘ redirect: device redirect: bytes of stack 0 → 8 (+inf %; tolerance 5 %)\n");
}

static void test_other_kernel(void **state)
{
	(void)state;
	now.result[0].program[1].insns *= 2;
	strcpy(now.kernel, "6.1.0");
	assert_gate(0, "- instructions, bytes and stack are not compared: kernel 6.18.0 → 6.1.0\n");
	strcpy(now.kernel, before.kernel);
	strcpy(now.compiler, "clang 19");
	assert_gate(0,
		    "- instructions, bytes and stack are not compared: compiler clang 14.0.6 → clang 19\n");
	assert_non_null(strstr(text, " 0 program facts, 9 helpers"));
	/* its helpers are compared all the same */
	now.result[0].program[1].helper[0].calls = 2;
	assert_gate(1, "- instructions, bytes and stack are not compared: compiler clang 14.0.6 → clang 19\n"
		       "✘ redirect: device redirect: calls redirect 1.000 → 2.000 times a packet (tolerance "
		       "0.005)\n");
}

static void test_helpers(void **state)
{
	struct bench_program *program = &now.result[SAMPLE_FORWARD].program[1];

	(void)state;
	program->helper[1].calls = 0.2549;
	assert_gate(0, "");
	program->helper[1].calls = 0.2551;
	assert_gate(1,
		    "✘ forward: device xdplife_xdp: calls fib_lookup 0.250 → 0.255 times a packet (tolerance "
		    "0.005)\n");
	program->helper[1].calls = 0.2451;
	assert_gate(0, "");
	program->helper[1].calls = 0.2449;
	assert_gate(0,
		    "✔ better: forward: device xdplife_xdp: calls fib_lookup 0.250 → 0.245 times a packet\n");
}

/* How often a kept answer is asked for depends on what else happens; being asked for most packets is news. */
static void test_kept_answers(void **state)
{
	struct bench_program *old = &before.result[SAMPLE_FORWARD].program[1],
			     *program = &now.result[SAMPLE_FORWARD].program[1];

	(void)state;
	strcpy(old->helper[1].name, "bpf_fib_lookup");
	strcpy(program->helper[1].name, "bpf_fib_lookup");
	old->helper[1].calls = 0.01;
	program->helper[1].calls = 0.5;
	assert_gate(0, "");
	program->helper[1].calls = 0.52;
	assert_gate(1, "✘ forward: device xdplife_xdp: calls bpf_fib_lookup 0.010 → 0.520 times a packet "
		       "(tolerance 0.5)\n");
	/* nor is it news that it is asked at all */
	strcpy(old->helper[1].name, "bpf_ktime_get_coarse_ns");
	program->helper[1].calls = 0.49;
	assert_gate(0, "");
	program->helper[1].calls = 0.51;
	assert_gate(1, "✘ forward: device xdplife_xdp: calls bpf_fib_lookup, 0.51 times a packet, which the "
		       "baseline does not\n");
}

/* A packet that asks for a route has called others in vain before; one that asks for nothing has not. */
static void test_helpers_beside_a_lookup(void **state)
{
	struct bench_program *old = &before.result[SAMPLE_FORWARD].program[1],
			     *program = &now.result[SAMPLE_FORWARD].program[1];

	(void)state;
	strcpy(old->helper[1].name, "bpf_fib_lookup");
	strcpy(program->helper[1].name, "bpf_fib_lookup");
	old->helper[1].calls = 0.01;
	program->helper[1].calls = 0.03;
	program->helper[0].calls = old->helper[0].calls + 0.084;
	assert_gate(0, "");
	program->helper[0].calls = old->helper[0].calls + 0.086;
	assert_gate(1, "✘ forward: device xdplife_xdp: calls redirect 1.000 → 1.086 times a packet "
		       "(tolerance 0.085)\n");
	program->helper[1].calls = 0.01;
	program->helper[0].calls = old->helper[0].calls + 0.006;
	assert_gate(1, "✘ forward: device xdplife_xdp: calls redirect 1.000 → 1.006 times a packet "
		       "(tolerance 0.005)\n");
}

static void test_helper_is_new_or_gone(void **state)
{
	struct bench_program *program = &now.result[SAMPLE_FORWARD].program[1];

	(void)state;
	sample_helper(program, "ktime_get_ns", 0.0001);
	assert_gate(1, "✘ forward: device xdplife_xdp: calls ktime_get_ns, 0.0001 times a packet, which the "
		       "baseline "
		       "does not\n");
	program->helpers = 1;
	assert_gate(0,
		    "✔ better: forward: device xdplife_xdp: calls fib_lookup 0.250 → 0.000 times a packet\n");
	/* they are found by name, not by place */
	sample_helper(program, "redirect", 1);
	strcpy(program->helper[0].name, "fib_lookup");
	program->helper[0].calls = 0.25;
	assert_gate(0, "");
}

static void test_program_is_new_or_gone(void **state)
{
	struct bench_program *program = &now.result[SAMPLE_FORWARD].program[2];

	(void)state;
	program->role = BENCH_GENERATOR;
	assert_gate(2, "✘ forward: sink count: in the baseline, but not in this run\n"
		       "✘ forward: generator count: not in the baseline\n");
	program->role = BENCH_SINK;
	strcpy(program->name, "counts");
	assert_gate(2, "✘ forward: sink count: in the baseline, but not in this run\n"
		       "✘ forward: sink counts: not in the baseline\n");
}

/* --- speed --- */

/* One speed alone, with the values at hand: the ratio, or the device's 41 ns of 100. */
static void set_ratio(struct bench_run *run, double median, double noise)
{
	run->result[SAMPLE_FORWARD].ratio.median = median;
	run->result[SAMPLE_FORWARD].ratio.noise = noise;
}

static void test_ratio_beyond_tolerance(void **state)
{
	(void)state;
	set_ratio(&before, 0.8, 0.003);
	set_ratio(&now, 0.7601, 0.004);
	assert_gate(0, "");
	set_ratio(&now, 0.7599, 0.004);
	assert_gate(1, "✘ forward: ratio to the floor 0.800 → 0.760 (−5.0 %; tolerance 5 %, noise 0.6 %)\n");
	set_ratio(&now, 0.8399, 0.004);
	assert_gate(0, "");
	set_ratio(&now, 0.8401, 0.004);
	assert_gate(
		0,
		"✔ better: forward: ratio to the floor 0.800 → 0.840 (+5.0 %; tolerance 5 %, noise 0.6 %)\n");
}

/* 4 times hypot(0.012, 0.016) is 0.08: 10 % of 0.8. */
static void test_ratio_beyond_noise(void **state)
{
	(void)state;
	set_ratio(&before, 0.8, 0.012);
	set_ratio(&now, 0.7201, 0.016);
	assert_gate(0, "- forward: ratio to the floor: too noisy to see less than 10.0 %\n");
	set_ratio(&now, 0.7199, 0.016);
	assert_gate(1, "✘ forward: ratio to the floor 0.800 → 0.720 (−10.0 %; tolerance 5 %, noise 2.5 %: "
		       "too noisy to see less than 10.0 %)\n");
	set_ratio(&now, 0.8799, 0.016);
	assert_int_equal(gate_asked(NULL), 0);
	assert_non_null(strstr(text, "0 better"));
	set_ratio(&now, 0.8801, 0.016);
	assert_int_equal(gate_asked(NULL), 0);
	assert_non_null(strstr(text, "1 better"));
}

/* Each run's noise counts, also alone. */
static void test_noise_of_either(void **state)
{
	(void)state;
	set_ratio(&before, 0.8, 0.02);
	set_ratio(&now, 0.73, 0);
	assert_int_equal(gate_asked(NULL), 0);
	set_ratio(&before, 0.8, 0);
	set_ratio(&now, 0.73, 0.02);
	assert_int_equal(gate_asked(NULL), 0);
	set_ratio(&now, 0.73, 0.01);
	assert_int_equal(gate_asked(NULL), 1);
}

static void set_device(struct bench_run *run, double fraction, double noise)
{
	run->result[SAMPLE_FORWARD].device.median = fraction;
	run->result[SAMPLE_FORWARD].device.noise = noise;
}

/* More work in the device is a finding, whatever the ratio says. */
static void test_device(void **state)
{
	(void)state;
	set_device(&before, 0.4, 0);
	set_device(&now, 0.4, 0);
	assert_gate(0, "");
	set_device(&now, 0.4198, 0);
	assert_gate(0, "");
	set_device(&now, 0.4202, 0);
	assert_gate(1, "✘ forward: device to all else 0.400 → 0.420 (+5.0 %; tolerance 5 %, noise 0.0 %)\n");
	set_device(&now, 0.3798, 0);
	assert_gate(
		0,
		"✔ better: forward: device to all else 0.400 → 0.380 (−5.0 %; tolerance 5 %, noise 0.0 %)\n");
}

/* Standard errors of 2 % and 1.5 % together are 2.5 %: 10 % can hide. */
static void test_device_noise(void **state)
{
	(void)state;
	set_device(&before, 0.4, 0.008);
	set_device(&now, 0.436, 0.006);
	assert_gate(0, "- forward: device to all else: too noisy to see less than 10.0 %\n");
	set_device(&now, 0.436, 0);
	assert_int_equal(gate_asked(NULL), 1);
	set_device(&before, 0.4, 0);
	set_device(&now, 0.436, 0.006);
	assert_int_equal(gate_asked(NULL), 1);
}

static void test_not_measured(void **state)
{
	(void)state;
	set_ratio(&now, NAN, NAN);
	assert_gate(1, "✘ forward: ratio to the floor 0.712 → – (–; tolerance 5 %, noise –)\n");
	set_ratio(&before, NAN, NAN);
	assert_gate(0, "");
	assert_non_null(strstr(text, " 4 speeds"));
	set_ratio(&now, 0.5, 0.001);
	assert_gate(0, "");
}

/* Of a single round no noise is known: the tolerance is what is left. */
static void test_noise_not_known(void **state)
{
	(void)state;
	set_ratio(&before, 0.8, NAN);
	set_ratio(&now, 0.7601, 0.02);
	assert_gate(0, "");
	set_ratio(&now, 0.7599, 0.02);
	assert_gate(1, "✘ forward: ratio to the floor 0.800 → 0.760 (−5.0 %; tolerance 5 %, noise –)\n");
}

static void test_ratio_of_nothing(void **state)
{
	(void)state;
	set_ratio(&now, 0, 0);
	assert_int_equal(gate_asked(NULL), 1);
	set_ratio(&before, 0, 0);
	set_ratio(&now, 0.5, 0);
	assert_gate(0, "");
	assert_non_null(strstr(text, " 4 speeds"));
}

static void test_not_comparable(void **state)
{
	(void)state;
	strcpy(now.result[SAMPLE_FORWARD].floor, "drop");
	now.result[SAMPLE_TRACED].frame_bytes = 1514;
	assert_gate(2, "✘ forward: speeds are not comparable: the floor was redirect, now it is drop\n"
		       "✘ forward-trace: speeds are not comparable: a frame had 60 bytes, now it has 1514\n");
	assert_non_null(strstr(text, " 1 speeds"));
	now.split = true;
	assert_gate(1, "✘ speeds are not comparable: generator, device and sink had one core, now cores of "
		       "their own; "
		       "record a baseline on such a machine\n");
	assert_non_null(strstr(text, " 0 speeds"));
}

/* Rates and times alone fail nothing: another machine, or a busy one. */
static void test_rates_do_not_matter(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < now.results; i++) {
		now.result[i].pps.median /= 3;
		now.result[i].loss_free_pps /= 3;
		now.result[i].ns.median *= 3;
		now.result[i].stage[BENCH_DEVICE].median *= 3;
		now.result[i].stage[BENCH_SINK].median *= 5;
	}
	assert_gate(0, "");
}

/* The order is that of the rules, not of the scenarios. */
static void test_order(void **state)
{
	(void)state;
	now.result[SAMPLE_REDIRECT].program[0].insns *= 2;
	set_ratio(&now, 0.5, 0.001);
	now.result[SAMPLE_TRACED].ledger.received--;
	assert_gate(3, "✘ forward-trace: residue 1: sent 30000000, received 29999999, dropped by name 0\n"
		       "✘ redirect: generator generate: instructions 64 → 128 (+100.0 %; tolerance 5 %)\n"
		       "✘ forward: ratio to the floor 0.712 → 0.500 (−29.8 %; tolerance 5 %, noise 0.6 %)\n");
	assert_non_null(strstr(text, "3 failed, 0 better\n"));
}

int main(void)
{
#define GATE_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	static const struct CMUnitTest tests[] = {
		GATE_TEST(test_same),
		GATE_TEST(test_missing),
		GATE_TEST(test_new_scenario),
		GATE_TEST(test_residue),
		GATE_TEST(test_empty_baseline),
		GATE_TEST(test_facts),
		GATE_TEST(test_facts_better),
		GATE_TEST(test_facts_unknown),
		GATE_TEST(test_other_kernel),
		GATE_TEST(test_helpers),
		GATE_TEST(test_kept_answers),
		GATE_TEST(test_helpers_beside_a_lookup),
		GATE_TEST(test_helper_is_new_or_gone),
		GATE_TEST(test_program_is_new_or_gone),
		GATE_TEST(test_ratio_beyond_tolerance),
		GATE_TEST(test_ratio_beyond_noise),
		GATE_TEST(test_noise_of_either),
		GATE_TEST(test_device),
		GATE_TEST(test_device_noise),
		GATE_TEST(test_not_measured),
		GATE_TEST(test_noise_not_known),
		GATE_TEST(test_ratio_of_nothing),
		GATE_TEST(test_not_comparable),
		GATE_TEST(test_rates_do_not_matter),
		GATE_TEST(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
