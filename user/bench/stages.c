// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>

#include "bench/program_cost.h"
#include "bench/stages.h"
#include "bench/statistic.h"

#define EMPTY_RUNS 20000 /* each sample has its own: what the clock costs changes with the core's */

struct stages {
	struct rig *rig;
	struct program_clock *clock; /* NULL: no rig */
	struct rig_program program[BENCH_PROGRAMS];
	unsigned int programs;
	double ns[BENCH_PROGRAMS][STAGES_MAX_SAMPLES];
	double device[STAGES_MAX_SAMPLES]; /* to all else */
	unsigned int samples;
};

struct stages *stages_new(void)
{
	return calloc(1, sizeof(struct stages));
}

int stages_begin(struct stages *stages, struct rig *rig)
{
	int fds[BENCH_PROGRAMS];

	stages->rig = rig;
	stages->programs = rig_programs(rig, stages->program);
	for (unsigned int i = 0; i < stages->programs; i++)
		fds[i] = stages->program[i].fd;
	return program_clock_open(&stages->clock, fds, stages->programs);
}

void stages_end(struct stages *stages)
{
	program_clock_close(stages->clock);
	stages->clock = NULL;
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

int stages_facts(const struct stages *stages, struct bench_result *result)
{
	int err = 0;

	result->programs = stages->programs;
	for (unsigned int i = 0; i < stages->programs && !err; i++) {
		const struct rig_program *program = &stages->program[i];

		result->program[i].role = program->role;
		err = program->log ? program_facts(&result->program[i], program->fd, program->log) : -ENODATA;
	}
	return err;
}

void stages_result(struct stages *stages, unsigned int rounds, unsigned int slices,
		   struct bench_result *result)
{
	if (stages->samples != rounds * slices)
		return;
	for (unsigned int i = 0; i < stages->programs; i++) {
		enum bench_role role = stages->program[i].role;

		result->program[i].ns = statistic_spread(stages->ns[i], rounds, slices);
		result->stage[role] = result->program[i].ns; /* a role has one program */
		if (role == BENCH_DEVICE)
			result->device = statistic_spread(stages->device, rounds, slices);
	}
}

void stages_free(struct stages *stages)
{
	if (!stages)
		return;
	stages_end(stages);
	free(stages);
}
