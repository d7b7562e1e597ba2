// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "bench/program_cost.h"
#include "bench/stages.h"
#include "bench/statistic.h"

#define EMPTY_RUNS 20000 /* each sample has its own: what the clock costs changes with the core's */

struct stages {
	struct rig *rig;
	struct program_clock *clock;
	struct rig_program program[BENCH_PROGRAMS];
	unsigned int programs;
	double ns[BENCH_PROGRAMS][STAGES_MAX_SAMPLES];
	double device[STAGES_MAX_SAMPLES]; /* to all else */
	unsigned int samples;
};

int stages_open(struct stages **result, struct rig *rig)
{
	struct stages *stages = calloc(1, sizeof(*stages));
	int fds[BENCH_PROGRAMS], err;

	if (!stages)
		return -ENOMEM;
	stages->rig = rig;
	stages->programs = rig_programs(rig, stages->program);
	for (unsigned int i = 0; i < stages->programs; i++)
		fds[i] = stages->program[i].fd;
	err = program_clock_open(&stages->clock, fds, stages->programs);
	if (err) {
		free(stages);
		return err;
	}
	*result = stages;
	return 0;
}

int stages_sample(struct stages *stages, unsigned int frames)
{
	struct program_time time[BENCH_PROGRAMS], empty;
	double ns, empty_ns;
	int err = stages->samples < STAGES_MAX_SAMPLES ? program_clock_start(stages->clock) : -E2BIG;

	if (!err)
		err = rig_slice(stages->rig, frames, &ns);
	if (!err)
		err = program_clock_read(stages->clock, time);
	if (!err)
		err = program_clock_empty(stages->clock, EMPTY_RUNS, &empty);
	if (err)
		return err;
	empty_ns = program_time_per_run(&empty);
	for (unsigned int i = 0; i < stages->programs; i++) {
		double program_ns = program_time_per_packet(&time[i], empty_ns, frames);

		stages->ns[i][stages->samples] = program_ns;
		if (stages->program[i].role == BENCH_DEVICE)
			stages->device[stages->samples] = program_ns / (ns - program_ns);
	}
	stages->samples++;
	return 0;
}

static const struct bench_spread not_measured = {.median = NAN, .low = NAN, .high = NAN, .noise = NAN};

int stages_result(struct stages *stages, unsigned int rounds, unsigned int slices,
		  struct bench_result *result)
{
	bool complete = stages->samples == rounds * slices;
	int err = 0;

	for (int role = 0; role < BENCH_ROLES; role++)
		result->stage[role] = not_measured;
	result->device = not_measured;
	for (unsigned int i = 0; i < stages->programs && !err; i++) {
		const struct rig_program *program = &stages->program[i];
		struct bench_program *facts = &result->program[result->programs++];

		facts->role = program->role;
		facts->ns = stages->samples < rounds * slices
				    ? not_measured
				    : statistic_spread(stages->ns[i], rounds, slices);
		result->stage[program->role] = facts->ns; /* a role has one program */
		if (program->role == BENCH_DEVICE && complete)
			result->device = statistic_spread(stages->device, rounds, slices);
		err = program->log ? program_facts(facts, program->fd, program->log) : -ENODATA;
	}
	return err;
}

void stages_close(struct stages *stages)
{
	if (!stages)
		return;
	program_clock_close(stages->clock);
	free(stages);
}
