// SPDX-License-Identifier: GPL-2.0-only
/* xdplife bench: how fast each path is, as a fraction of a floor measured in the same run. */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bench/chart.h"
#include "bench/gate.h"
#include "bench/json.h"
#include "bench/runner.h"
#include "bench/split.h"
#include "bench/table.h"
#include "command.h"
#include "datapath/preflight.h"
#include "util/log.h"
#include "util/new_file.h"
#include "util/stop.h"

#define MIN_ROUNDS        5
#define MAX_ROUNDS        64
#define DEFAULT_SLICES    12
#define DEFAULT_TOLERANCE 5
#define MAX_PERCENT       1000

struct arguments {
	const struct scenario *chosen[BENCH_SCENARIOS + 1];
	char *names[BENCH_SCENARIOS + 1];
	unsigned int count;
	const char *json, *baseline, *svg, *runs;
	double tolerance;
	bool list, draw_only;
	struct runner_options options;
};

enum {
	OPTION_JSON = 'j',
	OPTION_BASELINE = 'b',
	OPTION_TOLERANCE = 't',
	OPTION_ROUNDS = 'r',
	OPTION_LIST = 'l',
	OPTION_SVG = 256,
	OPTION_RUNS,
	OPTION_DRAW_ONLY,
	OPTION_QUICK,
	OPTION_SPLIT,
	OPTION_HANDICAP
};

static const struct argp_option option_table[] = {
	{"json", OPTION_JSON, "FILE", 0, "write the results (- is standard output; their schema: user/bench/schema.json)",
	 0},
	{"baseline", OPTION_BASELINE, "FILE", 0, "compare with a file that --json wrote; worse is exit status 1", 0},
	{"tolerance", OPTION_TOLERANCE, "PCT", 0,
	 "how much worse is still good (default 5); where the run is noisier than that, its noise decides", 0},
	{"runs", OPTION_RUNS, "DIR", 0, "keep the results there too, under the name of the time", 0},
	{"svg", OPTION_SVG, "FILE", 0, "draw all runs in the --runs directory, over time", 0},
	{"draw-only", OPTION_DRAW_ONLY, NULL, 0, "measure nothing, only draw", 0},
	{"quick", OPTION_QUICK, NULL, 0, "speed and programs only: no loss-free rate, no latency", 0},
	{"rounds", OPTION_ROUNDS, "N", 0, "more rounds, for less noise (default 5, which is the least)", 0},
	{"split", OPTION_SPLIT, NULL, 0, "device and sink on cores of their own, by threaded NAPI", 0},
	{"handicap", OPTION_HANDICAP, "PCT", 0, "slow xdplife's own programs down by so much, to see that the gate sees it",
	 0},
	{"list", OPTION_LIST, NULL, 0, "list the scenarios", 0},
	{0},
};

static double parse_percent(struct argp_state *state, const char *option, const char *text)
{
	char *end;
	double percent = strtod(text, &end);

	if (*end || end == text || !(percent >= 0) || percent > MAX_PERCENT)
		argp_error(state, "--%s %s: must be a percentage from 0 to %d", option, text, MAX_PERCENT);
	return percent;
}

static unsigned int parse_rounds(struct argp_state *state, const char *text)
{
	char *end;
	unsigned long rounds = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || rounds < MIN_ROUNDS || rounds > MAX_ROUNDS)
		argp_error(state, "--rounds %s: must be a whole number from %d to %d", text, MIN_ROUNDS, MAX_ROUNDS);
	return rounds;
}

static void choose(struct arguments *arguments, const struct scenario *scenario)
{
	arguments->chosen[arguments->count] = scenario;
	arguments->names[arguments->count++] = (char *)scenario->name;
}

static void choose_by_name(struct argp_state *state, const char *name)
{
	struct arguments *arguments = state->input;
	const struct scenario *scenario = scenario_find(name);

	if (!scenario)
		argp_error(state, "%s: no such scenario; bench --list shows them", name);
	else if (arguments->count == BENCH_SCENARIOS)
		argp_error(state, "%s: at most %d scenarios", name, BENCH_SCENARIOS);
	else
		choose(arguments, scenario);
}

static void choose_all(struct arguments *arguments)
{
	for (unsigned int i = 0; i < scenario_count; i++)
		if (!scenarios[i].on_request)
			choose(arguments, &scenarios[i]);
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case OPTION_JSON:
		arguments->json = arg;
		return 0;
	case OPTION_BASELINE:
		arguments->baseline = arg;
		return 0;
	case OPTION_TOLERANCE:
		arguments->tolerance = parse_percent(state, "tolerance", arg);
		return 0;
	case OPTION_ROUNDS:
		arguments->options.rounds = parse_rounds(state, arg);
		return 0;
	case OPTION_LIST:
		arguments->list = true;
		return 0;
	case OPTION_SVG:
		arguments->svg = arg;
		return 0;
	case OPTION_RUNS:
		arguments->runs = arg;
		return 0;
	case OPTION_DRAW_ONLY:
		arguments->draw_only = true;
		return 0;
	case OPTION_QUICK:
		arguments->options.rates = false;
		return 0;
	case OPTION_SPLIT:
		arguments->options.split = true;
		return 0;
	case OPTION_HANDICAP:
		arguments->options.handicap_percent = parse_percent(state, "handicap", arg);
		return 0;
	case ARGP_KEY_ARG:
		choose_by_name(state, arg);
		return 0;
	case ARGP_KEY_END:
		if (arguments->svg && !arguments->runs)
			argp_error(state, "--svg %s: of which runs? --runs DIR says so", arguments->svg);
		if (arguments->draw_only && !arguments->svg)
			argp_error(state, "--draw-only: --svg FILE is missing");
		if (!arguments->count)
			choose_all(arguments);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const char doc[] =
	"Measure how fast each path is, as a fraction of a floor (a blind redirect) that is measured next to it in turns."
	"\v"
	"The lab is made of network namespaces without names, which are gone when bench ends, however it ends. Absolute "
	"rates are shown, but mean something only beside each other: on a shared machine only ratios can be compared.\n\n"
	"In CI: keep a baseline, and let a later run be compared with it.\n"
	"  xdplife bench --quick --json baseline.json\n"
	"  xdplife bench --quick --baseline baseline.json --tolerance 5\n\n"
	"Exit status: 0 measured, and not worse; 1 worse than the baseline, or it could not be measured; 2 wrong usage; "
	"3 missing privilege or kernel feature; 4 packets are not accounted for.";

static void show_progress(const char *scenario, const char *what, unsigned int done, unsigned int all)
{
	if (!isatty(STDERR_FILENO))
		return;
	fputs("\r\033[K", stderr);
	if (scenario)
		fprintf(stderr, "%s: %s %u/%u", scenario, what, done, all);
	fflush(stderr);
}

static void list_scenarios(void)
{
	for (unsigned int i = 0; i < scenario_count; i++)
		printf("%-16s %s%s\n", scenarios[i].name, scenarios[i].summary,
		       scenarios[i].on_request ? " (only by name)" : "");
}

static int save(const struct bench_run *run, const char *path)
{
	int err = bench_json_save(run, path);

	if (!err)
		return 0;
	log_error("another file or folder", "%s: could not be written: %s", path, strerror(-err));
	return EXIT_FAILED;
}

/* DIR/2026-11-22T07-37-19Z.json */
static int keep(const struct bench_run *run, const char *directory)
{
	char path[4096], name[32];
	time_t when = run->time_s;

	strftime(name, sizeof(name), "%Y-%m-%dT%H-%M-%SZ", gmtime(&when));
	if (mkdir(directory, 0777) && errno != EEXIST) {
		log_error("another folder", "%s: %s", directory, strerror(errno));
		return EXIT_FAILED;
	}
	snprintf(path, sizeof(path), "%s/%s.json", directory, name);
	return save(run, path);
}

static int draw(const struct arguments *arguments)
{
	struct new_file *file = new_file_open(arguments->svg);
	int err = file ? bench_chart_write(new_file_stream(file), arguments->runs) : -errno;

	if (!file || (!err && new_file_commit(file))) {
		log_error("another file or folder", "%s: could not be written: %s", arguments->svg, strerror(errno));
		return EXIT_FAILED;
	}
	if (err)
		new_file_discard(file);
	return err ? EXIT_FAILED : 0;
}

/* Before anything is measured: minutes later is too late to say that a file is no baseline. */
static int load_baseline(const struct arguments *arguments, struct bench_run *baseline)
{
	char why[256];

	if (!arguments->baseline || !bench_json_load(arguments->baseline, baseline, why, sizeof(why)))
		return 0;
	log_error("xdplife bench --json FILE writes one", "%s", why);
	return EXIT_FAILED;
}

static int finish(const struct arguments *arguments, const struct bench_run *run, const struct bench_run *baseline)
{
	bool json_on_stdout = arguments->json && !strcmp(arguments->json, "-");
	FILE *out = json_on_stdout ? stderr : stdout;
	int err = 0;

	bench_table_print(run, out);
	if (arguments->json)
		err = save(run, arguments->json);
	if (!err && arguments->runs)
		err = keep(run, arguments->runs);
	if (!err && arguments->svg)
		err = draw(arguments);
	if (arguments->baseline &&
	    bench_gate(baseline, run, arguments->names, arguments->tolerance, out))
		return EXIT_FAILED;
	return err;
}

static int measure(const struct arguments *arguments)
{
	static struct bench_run run, baseline; /* too large for the stack */
	int err = load_baseline(arguments, &baseline);

	if (!err)
		err = preflight_privileges();
	if (!err && arguments->options.split && split_cpus() < 2) {
		log_error("without --split", "--split needs two CPUs, and there is one");
		err = EXIT_NEEDS;
	}
	if (err)
		return err;
	stop_on_signals();
	err = runner_run(&arguments->options, &run);
	if (!stop_requested() && !err)
		return finish(arguments, &run, &baseline);
	if (stop_requested())
		log_warn(NULL, "interrupted: what was not measured to its end is not shown");
	bench_table_print(&run, stderr);
	return err ? err : EXIT_FAILED;
}

static int run(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_table, .parser = parse_option, .args_doc = "[SCENARIO]...", .doc = doc};
	struct arguments arguments = {
		.tolerance = DEFAULT_TOLERANCE,
		.options = {.rounds = MIN_ROUNDS, .slices = DEFAULT_SLICES, .rates = true, .progress = show_progress},
	};

	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	arguments.options.scenarios = arguments.chosen;
	if (arguments.list) {
		list_scenarios();
		return 0;
	}
	return arguments.draw_only ? draw(&arguments) : measure(&arguments);
}

const struct command cmd_bench = {
	.name = "bench",
	.summary = "measure each path as a fraction of a floor",
	.run = run,
};
