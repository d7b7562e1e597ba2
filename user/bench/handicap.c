// SPDX-License-Identifier: GPL-2.0-only
#include <math.h>
#include <string.h>

#include "bench/cpu_time.h"
#include "bench/handicap.h"
#include "bench/rig.h"
#include "bench/stages.h"
#include "bench/statistic.h"
#include "command.h"
#include "util/log.h"

#define FIRST_TURNS 32
#define MAX_TURNS   4096 /* bpf/xdplife.bpf.c: MAX_IDLE_TURNS */
#define FRAMES      20000
#define SAMPLES     30
#define ROUNDS      3
#define STEPS       6
#define LEAST_STEP  0.25
#define MOST_STEP   2.0
#define NEAR_ENOUGH 0.1 /* of what is wanted */

static int sample(struct stages *stages)
{
	int err = 0;

	for (int i = 0; i < SAMPLES && !err; i++)
		err = stages_sample(stages, FRAMES);
	return err;
}

/* What the device's program takes for a frame when it idles so long, to all else: the median. */
static int measure(const struct scenario *scenario, unsigned int idle_turns, double *device)
{
	struct rig_options options = {.idle_turns = idle_turns};
	static struct bench_result result;
	struct stages *stages = stages_new();
	struct rig *rig = NULL;
	int err = stages ? rig_open(&rig, scenario, &options) : EXIT_FAILED;

	if (err) {
		stages_free(stages);
		return err;
	}
	cpu_time_pin();
	err = stages_begin(stages, rig);
	if (!err)
		err = sample(stages);
	cpu_time_unpin();
	stages_result(stages, 1, SAMPLES, &result);
	stages_free(stages);
	rig_close(rig);
	*device = result.device.median;
	if (err)
		log_error(NULL, "scenario %s: the handicap cannot be tried out: %s", scenario->name,
			  strerror(-err));
	return err ? EXIT_FAILED : 0;
}

/* How much slower the device becomes, a fraction: side by side, and each time anew, for no two labs are quite alike. */
static int measure_slower(const struct scenario *scenario, unsigned int idle_turns, double *slower)
{
	double ratio[ROUNDS], bare, idle;
	int err = 0;

	for (int i = 0; i < ROUNDS && !err; i++) {
		err = measure(scenario, 0, &bare);
		if (!err)
			err = measure(scenario, idle_turns, &idle);
		ratio[i] = err ? 0 : idle / bare;
	}
	*slower = statistic_quantile(ratio, ROUNDS, 0.5) - 1;
	return err;
}

/*
 * Step by step: a few turns cost nothing, because the CPU does them beside what follows, and so a turn has no price that
 * could be multiplied.
 */
int handicap_find(const struct scenario *scenario, double percent, unsigned int *idle_turns)
{
	double wanted = percent / 100, slower, best = INFINITY;
	unsigned int turns = FIRST_TURNS;
	int err = 0;

	for (int i = 0; i < STEPS && !err && fabs(best - wanted) > NEAR_ENOUGH * wanted; i++) {
		err = measure_slower(scenario, turns, &slower);
		if (!err && fabs(slower - wanted) < fabs(best - wanted)) {
			best = slower;
			*idle_turns = turns;
		}
		turns = (unsigned int)lround(turns * fmax(LEAST_STEP, fmin(MOST_STEP, wanted / slower)));
		turns = turns < MAX_TURNS ? turns : MAX_TURNS;
	}
	if (!err)
		log_info("%s: made %.1f %% slower by %u turns of idling", scenario->name, best * 100,
			 *idle_turns);
	return err;
}
