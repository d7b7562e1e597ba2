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
#define STAGE_SLICES 24                 /* a round */
#define SEARCH_STEPS 7                  /* each halves what is left: to 1 % of the highest rate */
#define SEARCH_TRIES 2
#define SEARCH_S     0.2
#define LATENCY_S    0.4

static const double loads[BENCH_LOADS] = {0.1, 0.5, 0.9};

static const struct bench_spread not_measured = {.median = NAN, .low = NAN, .high = NAN, .noise = NAN};

/* One scenario, over all rounds. */
struct job {
	const struct scenario *scenario;
	struct bench_result *result;
	unsigned int idle_turns;
	double *ratio, *ns, *pps; /* of each pair of slices */
	unsigned int pairs;
	struct stages *stages;
};

struct runner {
	const struct runner_options *options;
	struct job job[BENCH_SCENARIOS];
	unsigned int jobs;
	unsigned int round;
};

/* A job's lab and its floor's, for one round; the same where a scenario is its own floor. */
struct pair {
	struct rig *rig, *floor;
};

static void progress(const struct runner *runner, const struct job *job, const char *what)
{
	if (runner->options->progress)
		runner->options->progress(job->scenario->name, what, runner->round + 1,
					  runner->options->rounds);
}

static int slice(struct rig *rig, const struct scenario *scenario, double *ns)
{
	return rig_slice(rig, scenario->way == WAY_TRAFGEN ? PEER_FRAMES : SLICE_FRAMES, ns);
}

/* A B, then B A, so that what drifts hits both alike. */
static int measure_pair(struct job *job, const struct pair *pair, bool floor_first)
{
	const struct scenario *floor = scenario_floor(job->scenario);
	double floor_ns, ns;
	int err;

	if (pair->floor == pair->rig) {
		err = slice(pair->rig, job->scenario, &ns);
		floor_ns = ns;
	} else if (floor_first) {
		err = slice(pair->floor, floor, &floor_ns);
		err = err ? err : slice(pair->rig, job->scenario, &ns);
	} else {
		err = slice(pair->rig, job->scenario, &ns);
		err = err ? err : slice(pair->floor, floor, &floor_ns);
	}
	if (err)
		return err;
	job->ratio[job->pairs] = floor_ns / ns;
	job->ns[job->pairs] = ns;
	job->pps[job->pairs] = 1e9 / ns;
	job->pairs++;
	return 0;
}

static int measure_speed(const struct runner *runner, struct job *job, const struct pair *pair)
{
	double ns;
	int err = slice(pair->rig, job->scenario, &ns); /* caches and tables get warm */

	if (!err)
		err = slice(pair->floor, scenario_floor(job->scenario), &ns);
	for (unsigned int i = 0; i < runner->options->slices && !err; i++)
		err = measure_pair(job, pair, i % 2);
	return err;
}

static int measure_stages(const struct runner *runner, struct job *job, struct rig *rig)
{
	int err = stages_begin(job->stages, rig);

	if (!err && !runner->round)
		err = stages_facts(job->stages, job->result);
	for (unsigned int i = 0; i < STAGE_SLICES && !err; i++)
		err = stages_sample(job->stages, SLICE_FRAMES);
	stages_end(job->stages);
	return err;
}

/* What is sent from this thread, timed by its CPU time. */
static int measure_slices(const struct runner *runner, struct job *job, const struct pair *pair)
{
	int err;

	cpu_time_pin();
	err = measure_speed(runner, job, pair);
	if (!err && job->scenario->way != WAY_TRAFGEN)
		err = measure_stages(runner, job, pair->rig);
	cpu_time_unpin();
	if (err && err != -EINTR)
		log_error(NULL, "scenario %s: frames cannot be sent: %s", job->scenario->name,
			  strerror(-err));
	return err ? EXIT_FAILED : 0;
}

/* Once more if it fails: whoever else wants the core can only make it slower. */
static int try_rate(struct rig *rig, double rate_pps, bool *passed)
{
	int err = 0;

	*passed = false;
	for (int i = 0; i < SEARCH_TRIES && !err && !*passed && !stop_requested(); i++) {
		struct rig_trial trial = {.rate_pps = rate_pps, .duration_s = SEARCH_S};

		err = rig_trial(rig, &trial);
		*passed = !err && rig_trial_passed(&trial);
	}
	return err;
}

/* RFC 2544 §26.1: the highest rate at which nothing is lost, by halves. */
static int search_rate(struct rig *rig, double expected_pps, double *found)
{
	double low = 0, high = 1.2 * expected_pps;
	int err = 0;

	for (unsigned int i = 0; i < SEARCH_STEPS && !err && !stop_requested(); i++) {
		double middle = (low + high) / 2;
		bool passed;

		err = try_rate(rig, middle, &passed);
		*(passed ? &low : &high) = middle;
	}
	*found = low > 0 ? low : NAN;
	return err;
}

static int measure_latency(struct rig *rig, struct bench_result *result)
{
	int err = 0;

	for (unsigned int i = 0; i < BENCH_LOADS && !err && !stop_requested(); i++) {
		struct rig_trial trial = {.rate_pps = loads[i] * result->loss_free_pps,
					  .duration_s = LATENCY_S};

		err = rig_trial(rig, &trial);
		result->latency[i] = trial.latency;
		result->latency[i].load = loads[i];
		result->latencies = i + 1;
	}
	return err;
}

static int measure_rates(const struct runner *runner, struct job *job, struct rig *rig)
{
	struct bench_result *result = job->result;
	double pps = statistic_quantile(job->pps, job->pairs, 0.5);
	int err;

	progress(runner, job, "loss-free rate");
	err = search_rate(rig, pps, &result->loss_free_pps);
	if (err || isnan(result->loss_free_pps))
		return err;
	progress(runner, job, "latency");
	return measure_latency(rig, result);
}

static void add_drop(struct bench_ledger *sum, const struct bench_drop *drop)
{
	unsigned int i = 0;

	while (i < sum->drops && strcmp(sum->drop[i].where, drop->where))
		i++;
	if (i == BENCH_DROPS)
		return;
	if (i == sum->drops) {
		sum->drop[i] = *drop;
		sum->drops++;
	} else {
		sum->drop[i].packets += drop->packets;
	}
}

/* What this rig has sent is accounted for, and added to the scenario's. */
static int close_ledger(struct job *job, struct rig *rig)
{
	struct bench_ledger *sum = &job->result->ledger, ledger;
	int err = rig_ledger(rig, &ledger);

	if (err) {
		log_error(NULL, "scenario %s: the counters cannot be read: %s", job->scenario->name,
			  strerror(-err));
		return EXIT_FAILED;
	}
	sum->sent += ledger.sent;
	sum->received += ledger.received;
	sum->duplicates += ledger.duplicates;
	sum->reordered += ledger.reordered;
	sum->residue += ledger.residue;
	for (unsigned int i = 0; i < ledger.drops; i++)
		add_drop(sum, &ledger.drop[i]);
	if (!ledger.residue)
		return 0;
	log_error(NULL, "scenario %s: frames are not accounted for: %s", job->scenario->name,
		  rig_residue_where(rig));
	return EXIT_LEDGER;
}

/* What is measured once is measured in the first round. */
static int measure(const struct runner *runner, struct job *job, const struct pair *pair)
{
	bool first = !runner->round;
	int err;

	if (first)
		job->result->frame_bytes = rig_frame_bytes(pair->rig);
	err = measure_slices(runner, job, pair);
	if (!err && first && job->scenario->way != WAY_TRAFGEN)
		err = calls_count(job->scenario, job->result);
	if (!err && first && runner->options->rates && job->scenario->rates)
		err = measure_rates(runner, job, pair->rig);
	return err ? err : close_ledger(job, pair->rig);
}

/*
 * Each round has labs of its own, and the rounds of one scenario are apart in time: so what differs from one setting-up
 * to the next, or from one minute to the next, shows as spread.
 */
static int run_job(const struct runner *runner, struct job *job)
{
	struct rig_options options = {.split = runner->options->split, .idle_turns = job->idle_turns};
	const struct scenario *floor = scenario_floor(job->scenario);
	struct pair pair = {0};
	int err;

	progress(runner, job, "speed");
	err = rig_open(&pair.rig, job->scenario, &options);
	pair.floor = pair.rig;
	options.idle_turns = 0;
	if (!err && floor != job->scenario)
		err = rig_open(&pair.floor, floor, &options);
	if (!err)
		err = measure(runner, job, &pair);
	if (pair.floor != pair.rig)
		rig_close(pair.floor);
	rig_close(pair.rig);
	return err;
}

/* Only a device that is a program of ours can have one. */
static int find_handicap(const struct runner *runner, struct job *job)
{
	double percent = runner->options->handicap_percent;

	if (!(percent > 0) || !scenario_is_ours(job->scenario))
		return 0;
	progress(runner, job, "handicap");
	return handicap_find(job->scenario, percent, &job->idle_turns);
}

static void describe(const struct scenario *scenario, struct bench_result *result)
{
	snprintf(result->name, sizeof(result->name), "%s", scenario->name);
	snprintf(result->floor, sizeof(result->floor), "%s", scenario_floor(scenario)->name);
	snprintf(result->summary, sizeof(result->summary), "%s", scenario->summary);
	result->ratio = result->ns = result->pps = result->device = not_measured;
	for (int role = 0; role < BENCH_ROLES; role++)
		result->stage[role] = not_measured;
	result->loss_free_pps = NAN;
}

static int open_job(struct runner *runner, const struct scenario *scenario, struct bench_result *result)
{
	struct job *job = &runner->job[runner->jobs++];
	unsigned int pairs = runner->options->rounds * runner->options->slices;

	*job = (struct job){.scenario = scenario, .result = result};
	describe(scenario, result);
	job->ratio = calloc(pairs, sizeof(double));
	job->ns = calloc(pairs, sizeof(double));
	job->pps = calloc(pairs, sizeof(double));
	job->stages = stages_new();
	if (!job->ratio || !job->ns || !job->pps || !job->stages)
		return EXIT_FAILED;
	return find_handicap(runner, job);
}

/* A scenario that was interrupted has no figures. */
static void close_job(const struct runner *runner, struct job *job)
{
	unsigned int rounds = runner->options->rounds, slices = runner->options->slices;
	struct bench_result *result = job->result;

	if (job->pairs == rounds * slices) {
		result->ratio = statistic_spread(job->ratio, rounds, slices);
		result->ns = statistic_spread(job->ns, rounds, slices);
		result->pps = statistic_spread(job->pps, rounds, slices);
		stages_result(job->stages, rounds, STAGE_SLICES, result);
	}
	free(job->ratio);
	free(job->ns);
	free(job->pps);
	stages_free(job->stages);
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

static int run_rounds(struct runner *runner)
{
	int err = 0;

	for (runner->round = 0; runner->round < runner->options->rounds; runner->round++)
		for (unsigned int i = 0; i < runner->jobs && !err && !stop_requested(); i++)
			err = run_job(runner, &runner->job[i]);
	return err;
}

int runner_run(const struct runner_options *options, struct bench_run *run)
{
	static struct runner runner; /* too large for the stack */
	int err = 0;

	describe_machine(run);
	run->split = options->split;
	runner = (struct runner){.options = options};
	for (const struct scenario *const *scenario = options->scenarios; *scenario && !err; scenario++)
		err = open_job(&runner, *scenario, &run->result[run->results++]);
	if (!err)
		err = run_rounds(&runner);
	for (unsigned int i = 0; i < runner.jobs; i++)
		close_job(&runner, &runner.job[i]);
	if (options->progress)
		options->progress(NULL, NULL, 0, 0);
	return err;
}
