/* SPDX-License-Identifier: GPL-2.0-only */
/* A bench run as it could be found on a small machine: what is measured, what is not, and what is beyond the usual. */
#ifndef XDPLIFE_TEST_BENCH_RUN_H
#define XDPLIFE_TEST_BENCH_RUN_H

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench/bench.h"

enum { SAMPLE_REDIRECT, SAMPLE_FORWARD, SAMPLE_TRACED, SAMPLE_BYPASS, SAMPLE_KERNEL, SAMPLE_RESULTS };

static const struct bench_spread sample_none = {NAN, NAN, NAN, NAN, 0};

static inline struct bench_spread sample_spread(double median, double noise)
{
	return (struct bench_spread){median, median - 1.5 * noise, median + 2 * noise, noise, 9};
}

static inline struct bench_program *sample_program(struct bench_result *result, const char *name,
						   enum bench_role role, unsigned int insns)
{
	struct bench_program *program = &result->program[result->programs++];

	snprintf(program->name, sizeof(program->name), "%s", name);
	program->role = role;
	program->verified_insns = insns * 4;
	program->insns = insns;
	program->jited_bytes = insns * 5;
	program->stack_bytes = insns / 10 * 8;
	program->ns = result->stage[role];
	return program;
}

static inline void sample_helper(struct bench_program *program, const char *name, double calls)
{
	struct bench_helper *helper = &program->helper[program->helpers++];

	snprintf(helper->name, sizeof(helper->name), "%s", name);
	helper->calls = calls;
}

static inline void sample_drop(struct bench_ledger *ledger, const char *where, __u64 packets)
{
	struct bench_drop *drop = &ledger->drop[ledger->drops++];

	snprintf(drop->where, sizeof(drop->where), "%s", where);
	drop->packets = packets;
	ledger->received -= packets;
}

/* A scenario of 60-byte frames whose packets take @ns, of which the device takes @device_ns, where the floor takes
 * 262.5. */
static inline struct bench_result *sample_result(struct bench_run *run, const char *name, const char *summary,
						 double ns, double device_ns)
{
	struct bench_result *result = &run->result[run->results++];

	snprintf(result->name, sizeof(result->name), "%s", name);
	snprintf(result->floor, sizeof(result->floor), "redirect");
	snprintf(result->summary, sizeof(result->summary), "%s", summary);
	result->frame_bytes = 60;
	result->ratio = sample_spread(262.5 / ns, 0.004);
	result->pps = sample_spread(1e9 / ns, 1e7 / ns);
	result->ns = sample_spread(ns, ns / 100);
	result->stage[BENCH_GENERATOR] = sample_spread(40.2, 0.5);
	result->stage[BENCH_DEVICE] = sample_spread(device_ns, 0.5);
	result->stage[BENCH_SINK] = sample_spread(12.5, 0.25);
	result->device = sample_spread(device_ns / (ns - device_ns), 0.001);
	result->loss_free_pps = 0.96e9 / ns;
	result->ledger.sent = result->ledger.received = 30000000;
	return result;
}

static inline void sample_latency(struct bench_result *result, double load, double p50_ns)
{
	struct bench_latency *latency = &result->latency[result->latencies++];

	*latency = (struct bench_latency){
		load, load * result->loss_free_pps, 20000, p50_ns, p50_ns * 1.75, p50_ns * 6, p50_ns * 100,
	};
}

static inline void sample_programs(struct bench_result *result, const char *device, unsigned int insns)
{
	sample_helper(sample_program(result, "generate", BENCH_GENERATOR, 64), "get_prandom_u32", 1);
	sample_helper(sample_program(result, device, BENCH_DEVICE, insns), "redirect", 1);
	sample_program(result, "count", BENCH_SINK, 25);
}

static inline void sample_routed(struct bench_result *result, double p50_ns)
{
	sample_latency(result, 0.1, p50_ns);
	sample_latency(result, 0.5, p50_ns * 1.2);
	sample_latency(result, 0.9, p50_ns * 40);
	sample_programs(result, "xdplife_xdp", 812);
	sample_helper(&result->program[1], "fib_lookup", 0.25);
}

static inline void sample_run(struct bench_run *run)
{
	struct bench_result *result;

	memset(run, 0, sizeof(*run));
	run->time_s = 1763793600; /* 2025-11-22 06:40 UTC */
	snprintf(run->version, sizeof(run->version), "a18420f");
	snprintf(run->kernel, sizeof(run->kernel), "6.18.0");
	snprintf(run->compiler, sizeof(run->compiler), "clang 14.0.6");
	snprintf(run->cpu, sizeof(run->cpu), "AMD EPYC");
	run->cpus = 2;

	result = sample_result(run, "redirect", "a blind bpf_redirect", 262.5, 41);
	result->ratio = (struct bench_spread){1, 1, 1, 0, 9};
	sample_latency(result, 0.1, 2100);
	sample_latency(result, 0.5, 2250);
	sample_latency(result, 0.9, 61000);
	sample_programs(result, "redirect", 9);

	result = sample_result(run, "forward", "the kernel's routes, from XDP", 368.5, 135);
	sample_routed(result, 2200);
	sample_drop(&result->ledger, "ring full", 1250);
	sample_drop(&result->ledger, "no route", 7);

	result = sample_result(run, "forward-trace", "routed, and its connections followed", 402.25, 166);
	sample_routed(result, 2350);
	sample_helper(&result->program[1], "map_lookup_elem", 2);
	result->program[1].verified_insns = 51234;

	result = sample_result(run, "bypass", "never leaves the generator's core", 210, 5.5);
	result->ledger.duplicates = 3;
	result->ledger.residue = -3;
	result->ledger.received += 3;

	/* The kernel's own path: no program of ours in the device, and latency was not measured. */
	result = sample_result(run, "kernel", "ip_forward of the kernel", 812.75, NAN);
	result->stage[BENCH_DEVICE] = sample_none;
	result->device = sample_none;
	result->loss_free_pps = NAN;
}

#endif
