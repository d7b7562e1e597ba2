// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "bench/calls.h"
#include "bench/cpu_time.h"
#include "bench/handicap.h"
#include "bench/rig.h"
#include "bench/runner.h"
#include "bench/stages.h"
#include "bench/statistic.h"
#include "command.h"
#include "util/log.h"
#include "util/stop.h"

#define SLICE_FRAMES 40000
#define PEER_FRAMES  (5 * SLICE_FRAMES) /* so that its start does not count for much */
#define STAGE_SLICES 8                  /* a round */
#define SEARCH_STEPS 7                  /* each halves what is left: to 1 % of the highest rate */
#define SEARCH_TRIES 2
#define SEARCH_S     0.2
#define LATENCY_S    0.4

static const double loads[BENCH_LOADS] = {0.1, 0.5, 0.9};

static const struct bench_spread not_measured = {.median = NAN, .low = NAN, .high = NAN, .noise = NAN};

struct pairs {
	double *ratio, *ns, *pps;
	unsigned int count;
};

struct measurement {
	const struct runner_options *options;
	const struct scenario *scenario;
	struct rig *floor, *rig; /* the same where a scenario is its own floor */
	struct pairs pairs;
	struct bench_result *result;
};

static void progress(const struct measurement *m, const char *what, unsigned int done, unsigned int all)
{
	if (m->options->progress)
		m->options->progress(m->scenario->name, what, done, all);
}

static int slice(struct rig *rig, const struct scenario *scenario, double *ns)
{
	return rig_slice(rig, scenario->way == WAY_TRAFGEN ? PEER_FRAMES : SLICE_FRAMES, ns);
}

/* A B, then B A, so that what drifts hits both alike. */
static int measure_pair(struct measurement *m, bool floor_first)
{
	const struct scenario *floor = scenario_floor(m->scenario);
	double floor_ns, ns;
	int err;

	if (m->floor == m->rig) {
		err = slice(m->rig, m->scenario, &ns);
		floor_ns = ns;
	} else if (floor_first) {
		err = slice(m->floor, floor, &floor_ns);
		err = err ? err : slice(m->rig, m->scenario, &ns);
	} else {
		err = slice(m->rig, m->scenario, &ns);
		err = err ? err : slice(m->floor, floor, &floor_ns);
	}
	if (err)
		return err;
	m->pairs.ratio[m->pairs.count] = floor_ns / ns;
	m->pairs.ns[m->pairs.count] = ns;
	m->pairs.pps[m->pairs.count] = 1e9 / ns;
	m->pairs.count++;
	return 0;
}

static int measure_speed(struct measurement *m)
{
	unsigned int rounds = m->options->rounds, slices = m->options->slices;
	struct bench_result *result = m->result;
	double ns;
	int err = slice(m->rig, m->scenario, &ns); /* caches and tables get warm */

	if (!err)
		err = slice(m->floor, scenario_floor(m->scenario), &ns);
	for (unsigned int i = 0; i < rounds * slices && !err; i++) {
		progress(m, "speed", i, rounds * slices);
		err = measure_pair(m, i % 2);
	}
	if (err)
		return err;
	result->ratio = statistic_spread(m->pairs.ratio, rounds, slices);
	result->ns = statistic_spread(m->pairs.ns, rounds, slices);
	result->pps = statistic_spread(m->pairs.pps, rounds, slices);
	return 0;
}

/* Once more if it fails: whoever else wants the core can only make it slower. */
static int try_rate(struct measurement *m, double rate_pps, bool *passed)
{
	int err = 0;

	*passed = false;
	for (int i = 0; i < SEARCH_TRIES && !err && !*passed && !stop_requested(); i++) {
		struct rig_trial trial = {.rate_pps = rate_pps, .duration_s = SEARCH_S};

		err = rig_trial(m->rig, &trial);
		*passed = !err && rig_trial_passed(&trial);
	}
	return err;
}

/* RFC 2544 §26.1: the highest rate at which nothing is lost, by halves. */
static int search_rate(struct measurement *m)
{
	double low = 0, high = 1.2 * m->result->pps.median;
	int err = 0;

	for (unsigned int i = 0; i < SEARCH_STEPS && !err && !stop_requested(); i++) {
		double middle = (low + high) / 2;
		bool passed;

		progress(m, "loss-free rate", i, SEARCH_STEPS);
		err = try_rate(m, middle, &passed);
		*(passed ? &low : &high) = middle;
	}
	m->result->loss_free_pps = low > 0 ? low : NAN;
	return err;
}

static int measure_latency(struct measurement *m)
{
	struct bench_result *result = m->result;
	int err = 0;

	for (unsigned int i = 0; i < BENCH_LOADS && !err && !stop_requested(); i++) {
		struct rig_trial trial = {.rate_pps = loads[i] * result->loss_free_pps,
					  .duration_s = LATENCY_S};

		progress(m, "latency", i, BENCH_LOADS);
		err = rig_trial(m->rig, &trial);
		result->latency[i] = trial.latency;
		result->latency[i].load = loads[i];
		result->latencies = i + 1;
	}
	return err;
}

static int sample_stages(struct measurement *m, struct stages *stages)
{
	unsigned int samples = m->options->rounds * STAGE_SLICES;
	int err = 0;

	for (unsigned int i = 0; i < samples && !err; i++) {
		progress(m, "stages", i, samples);
		err = stages_sample(stages, SLICE_FRAMES);
	}
	return err ? err : stages_result(stages, m->options->rounds, STAGE_SLICES, m->result);
}

static int measure_stages(struct measurement *m)
{
	struct stages *stages = NULL;
	int err = stages_open(&stages, m->rig);

	if (!err)
		err = sample_stages(m, stages);
	stages_close(stages);
	return err;
}

static int close_ledger(struct measurement *m)
{
	struct bench_ledger *ledger = &m->result->ledger;
	int err = rig_ledger(m->rig, ledger);

	if (err) {
		log_error(NULL, "scenario %s: the counters cannot be read: %s", m->scenario->name,
			  strerror(-err));
		return EXIT_FAILED;
	}
	if (!ledger->residue)
		return 0;
	log_error(NULL, "scenario %s: frames are not accounted for: %s", m->scenario->name,
		  rig_residue_where(m->rig));
	return EXIT_LEDGER;
}

static void describe(struct measurement *m)
{
	const struct scenario *scenario = m->scenario;
	struct bench_result *result = m->result;

	snprintf(result->name, sizeof(result->name), "%s", scenario->name);
	snprintf(result->floor, sizeof(result->floor), "%s", scenario_floor(scenario)->name);
	snprintf(result->summary, sizeof(result->summary), "%s", scenario->summary);
	result->frame_bytes = rig_frame_bytes(m->rig);
	result->loss_free_pps = NAN;
	for (int role = 0; role < BENCH_ROLES; role++)
		result->stage[role] = not_measured;
	result->device = not_measured;
}

static int measure(struct measurement *m)
{
	int err;

	describe(m);
	cpu_time_pin();
	err = measure_speed(m);
	if (!err && m->scenario->way != WAY_TRAFGEN)
		err = measure_stages(m);
	cpu_time_unpin();
	if (err && err != -EINTR)
		log_error(NULL, "scenario %s: frames cannot be sent: %s", m->scenario->name, strerror(-err));
	if (err)
		return EXIT_FAILED;
	if (m->scenario->way != WAY_TRAFGEN)
		err = calls_count(m->scenario, m->result);
	if (!err && m->options->rates && m->scenario->rates)
		err = search_rate(m);
	if (!err && !isnan(m->result->loss_free_pps))
		err = measure_latency(m);
	return err ? err : close_ledger(m);
}

static int alloc_pairs(struct pairs *pairs, unsigned int count)
{
	pairs->ratio = calloc(count, sizeof(double));
	pairs->ns = calloc(count, sizeof(double));
	pairs->pps = calloc(count, sizeof(double));
	return pairs->ratio && pairs->ns && pairs->pps ? 0 : EXIT_FAILED;
}

/* Only a device that is a program of ours can have one. */
static int find_handicap(const struct measurement *m, unsigned int *idle_turns)
{
	double percent = m->options->handicap_percent;

	if (!(percent > 0) || !scenario_is_ours(m->scenario))
		return 0;
	progress(m, "handicap", 0, 1);
	return handicap_find(m->scenario, percent, idle_turns);
}

static int run_scenario(const struct runner_options *options, const struct scenario *scenario,
			struct bench_result *result)
{
	struct measurement m = {.options = options, .scenario = scenario, .result = result};
	const struct scenario *floor = scenario_floor(scenario);
	struct rig_options rig_options = {.split = options->split};
	int err = alloc_pairs(&m.pairs, options->rounds * options->slices);

	progress(&m, "setting up", 0, 1);
	if (!err)
		err = find_handicap(&m, &rig_options.idle_turns);
	if (!err)
		err = rig_open(&m.rig, scenario, &rig_options);
	m.floor = m.rig;
	rig_options.idle_turns = 0;
	if (!err && floor != scenario)
		err = rig_open(&m.floor, floor, &rig_options);
	if (!err)
		err = measure(&m);
	if (m.floor != m.rig)
		rig_close(m.floor);
	rig_close(m.rig);
	free(m.pairs.ratio);
	free(m.pairs.ns);
	free(m.pairs.pps);
	return err;
}

static void read_cpu_model(char *text, size_t bytes)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[256];

	snprintf(text, bytes, "unknown");
	while (file && fgets(line, sizeof(line), file)) {
		char *value = strstr(line, ": ");

		if (strncmp(line, "model name", 10) || !value)
			continue;
		value[strcspn(value, "\n")] = 0;
		snprintf(text, bytes, "%s", value + 2);
		break;
	}
	if (file)
		fclose(file);
}

static void describe_machine(struct bench_run *run)
{
	struct utsname system;

	uname(&system);
	run->time_s = time(NULL);
	run->cpus = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN);
	snprintf(run->version, sizeof(run->version), "%s", XDPLIFE_VERSION);
	snprintf(run->kernel, sizeof(run->kernel), "%.60s", system.release);
	snprintf(run->compiler, sizeof(run->compiler), "%s", XDPLIFE_BPF_COMPILER);
	read_cpu_model(run->cpu, sizeof(run->cpu));
}

int runner_run(const struct runner_options *options, struct bench_run *run)
{
	int err = 0;

	describe_machine(run);
	run->split = options->split;
	for (const struct scenario *const *scenario = options->scenarios;
	     *scenario && !err && !stop_requested(); scenario++)
		err = run_scenario(options, *scenario, &run->result[run->results++]);
	if (options->progress)
		options->progress(NULL, NULL, 0, 0);
	return err;
}
