// SPDX-License-Identifier: GPL-2.0-only
/* xdplife bench: how fast each path is, as a fraction of a floor measured in the same run. */
#include <argp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/runner.h"
#include "command.h"
#include "datapath/preflight.h"
#include "util/log.h"
#include "util/stop.h"

static void show_progress(const char *scenario, const char *what, unsigned int done, unsigned int all)
{
	if (!isatty(STDERR_FILENO))
		return;
	fputs("\r\033[K", stderr);
	if (scenario)
		fprintf(stderr, "%s: %s %u/%u", scenario, what, done, all);
	fflush(stderr);
}

static int run(int argc, char **argv)
{
	const struct scenario *chosen[BENCH_SCENARIOS + 1] = {0};
	struct runner_options options = {
		.scenarios = chosen, .rounds = 5, .slices = 8, .rates = true, .progress = show_progress};
	static struct bench_run result;
	int n=0, err;
	if (getenv("HANDICAP")) options.handicap_percent = atof(getenv("HANDICAP"));
	options.split = getenv("SPLIT") != 0;
	if (getenv("NORATES")) options.rates=false;
	if (getenv("SLICES")) options.slices=atoi(getenv("SLICES"));
	if (argc < 2) for (unsigned i=0;i<scenario_count;i++) { if (!scenarios[i].on_request) chosen[n++]=&scenarios[i]; }
	else for (int i=1;i<argc;i++) chosen[n++]=scenario_find(argv[i]);
	stop_on_signals();
	err = preflight_privileges();
	if (!err) err = runner_run(&options, &result);
	for (unsigned i=0;i<result.results;i++) { struct bench_result*r=&result.result[i];
		printf("%-16s ratio %.4f ±%.4f [%.3f %.3f] ns %.1f ±%.1f  lossfree %.3f", r->name, r->ratio.median,r->ratio.noise,r->ratio.low,r->ratio.high,r->ns.median,r->ns.noise, r->loss_free_pps/1e6);
		for(unsigned k=0;k<r->latencies;k++) printf(" | %.0f %.0f %.0f", r->latency[k].p50_ns,r->latency[k].p99_ns,r->latency[k].p999_ns);
		printf(" sent %llu recv %llu res %lld", r->ledger.sent,r->ledger.received,r->ledger.residue);
		for(unsigned k=0;k<r->ledger.drops;k++) printf(" %s %llu", r->ledger.drop[k].where,r->ledger.drop[k].packets);
		for(unsigned k=0;k<r->programs;k++) printf("\n   %d %-15s %.1f ±%.1f verified %u insns %u jited %u stack %u", r->program[k].role,r->program[k].name,r->program[k].ns.median,r->program[k].ns.noise,r->program[k].verified_insns,r->program[k].insns,r->program[k].jited_bytes,r->program[k].stack_bytes);
		printf("\n"); }
	return err;
}

const struct command cmd_bench = {
	.name = "bench",
	.summary = "measure each path as a fraction of a floor",
	.run = run,
};
