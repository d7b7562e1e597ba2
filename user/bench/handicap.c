// SPDX-License-Identifier: GPL-2.0-only
#include <math.h>
#include <string.h>

#include "bench/cpu_time.h"
#include "bench/handicap.h"
#include "bench/rig.h"
#include "bench/stages.h"
#include "command.h"
#include "util/log.h"

#define TRIAL_TURNS 256
#define FRAMES      20000
#define SAMPLES     40

static int sample(struct stages *stages)
{
	int err = 0;

	for (int i = 0; i < SAMPLES && !err; i++)
		err = stages_sample(stages, FRAMES);
	return err;
}

/* What the device's program takes for a frame when it idles so long: the median. */
static int measure(const struct scenario *scenario, unsigned int idle_turns, double *ns)
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
	*ns = result.stage[BENCH_DEVICE].median;
	if (err)
		log_error(NULL, "scenario %s: the handicap cannot be tried out: %s", scenario->name,
			  strerror(-err));
	return err ? EXIT_FAILED : 0;
}

int handicap_find(const struct scenario *scenario, double percent, unsigned int *idle_turns)
{
	double bare_ns, idle_ns, a_turn_ns;
	int err = measure(scenario, 0, &bare_ns);

	if (!err)
		err = measure(scenario, TRIAL_TURNS, &idle_ns);
	if (err)
		return err;
	a_turn_ns = (idle_ns - bare_ns) / TRIAL_TURNS;
	*idle_turns = (unsigned int)lround(bare_ns * percent / 100 / a_turn_ns);
	log_info("%s: %.0f ns a frame, made %.0f %% slower by %u turns of %.2f ns", scenario->name, bare_ns,
		 percent, *idle_turns, a_turn_ns);
	return 0;
}
