// SPDX-License-Identifier: GPL-2.0-only
/* xdplife generate: load by packets built by hand. */
#include <argp.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "traffic/http_load.h"
#include "util/clock.h"
#include "util/log.h"

#define DEFAULT_FLOWS     1
#define DEFAULT_TIMEOUT_S 20
#define MIN_RATE          0.001
#define MAX_RATE          1e7
#define MAX_SECONDS       1e6
#define URL_BYTES         (URL_MAX_HOST_BYTES + URL_MAX_TARGET_BYTES)

struct arguments {
	const char *ifname, *to, *path, *kind;
	bool json;
	struct url url;
	struct http_load_options http;
};

enum {
	OPTION_TO = 256,
	OPTION_KIND,
	OPTION_PATH,
	OPTION_FLOWS,
	OPTION_PORTS,
	OPTION_RATE,
	OPTION_COUNT,
	OPTION_DURATION,
	OPTION_TIMEOUT,
	OPTION_JSON
};

static const struct argp_option option_table[] = {
	{"to", OPTION_TO, "ADDR[:PORT]", 0,
	 "the server (port 80 unless said); an IPv6 address with a port in []", 0},
	{"kind", OPTION_KIND, "KIND", 0, "http: whole exchanges, each a TCP connection from SYN to FIN", 0},
	{"path", OPTION_PATH, "PATH", 0, "http: what to GET (default /)", 0},
	{"flows", OPTION_FLOWS, "N", 0, "connections at once, each with a source port of its own (default 1)",
	 0},
	{"ports", OPTION_PORTS, "N", 0,
	 "http: source ports that the connections take turns with (default: 1024 more than --flows)", 0},
	{"rate", OPTION_RATE, "R", 0,
	 "start R a second, whether or not those before are done (default: as soon as those are)", 0},
	{"count", OPTION_COUNT, "N", 0, "start N and bring them to an end", 0},
	{"duration", OPTION_DURATION, "S", 0, "start for S seconds", 0},
	{"timeout", OPTION_TIMEOUT, "S", 0,
	 "http: an exchange fails when nothing new came for S seconds (default 20)", 0},
	{"json", OPTION_JSON, NULL, 0, "the report as one JSON object on stdout", 0},
	{0},
};

static double parse_number(const char *name, const char *text, double min, double max,
			   struct argp_state *state)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value >= min && value <= max))
		argp_error(state, "--%s %s: must be a number from %g to %g", name, text, min, max);
	return value;
}

static uint64_t parse_whole(const char *name, const char *text, uint64_t max, struct argp_state *state)
{
	uint64_t value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || !value || value > max)
		argp_error(state, "--%s %s: must be a whole number from 1 to %llu", name, text,
			   (unsigned long long)max);
	return value;
}

/*
 * As a URL, so that what goes into a request is checked where all such text is. A bare IPv6 address has
 * several colons.
 */
static void parse_target(struct arguments *arguments, struct argp_state *state)
{
	const char *to = arguments->to, *colon = strchr(to, ':'), *problem;
	bool bare = *to != '[' && colon && strchr(colon + 1, ':');
	char text[URL_BYTES];

	snprintf(text, sizeof(text), "http://%s%s%s%s", bare ? "[" : "", to, bare ? "]" : "",
		 arguments->path);
	if (url_parse(text, &arguments->url, &problem))
		argp_error(state, "%s: %s; try: --to ADDR[:PORT] --path /PATH", text, problem);
	arguments->http.url = &arguments->url;
	arguments->http.ifname = arguments->ifname;
}

static void check_arguments(struct arguments *arguments, struct argp_state *state)
{
	if (!arguments->ifname)
		argp_error(state, "no interface given; `ip -br link` lists them");
	else if (!arguments->to)
		argp_error(state, "no --to: whom to send to");
	else if (!arguments->kind)
		argp_error(state, "no --kind: what to send");
	else if (strcmp(arguments->kind, "http"))
		argp_error(state, "--kind %s: there is http", arguments->kind);
	else if (arguments->http.ports && arguments->http.ports < arguments->http.connections)
		argp_error(state, "--ports %u: fewer than --flows %u", arguments->http.ports,
			   arguments->http.connections);
	else if (*arguments->path != '/')
		argp_error(state, "--path %s: must begin with /", arguments->path);
	else
		parse_target(arguments, state);
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct arguments *arguments = state->input;
	struct http_load_options *http = &arguments->http;

	switch (key) {
	case OPTION_TO:
		arguments->to = arg;
		return 0;
	case OPTION_KIND:
		arguments->kind = arg;
		return 0;
	case OPTION_PATH:
		arguments->path = arg;
		return 0;
	case OPTION_FLOWS:
		http->connections = (unsigned int)parse_whole("flows", arg, HTTP_LOAD_MAX_CONNECTIONS, state);
		return 0;
	case OPTION_PORTS:
		http->ports = (unsigned int)parse_whole("ports", arg, UINT16_MAX, state);
		return 0;
	case OPTION_RATE:
		http->rate_per_s = parse_number("rate", arg, MIN_RATE, MAX_RATE, state);
		return 0;
	case OPTION_COUNT:
		http->count = parse_whole("count", arg, INT64_MAX, state);
		return 0;
	case OPTION_DURATION:
		http->duration_s = parse_number("duration", arg, 1e-3, MAX_SECONDS, state);
		return 0;
	case OPTION_TIMEOUT:
		http->timeout_ns =
			(uint64_t)(parse_number("timeout", arg, 1e-3, MAX_SECONDS, state) * (double)NS_PER_S);
		return 0;
	case OPTION_JSON:
		arguments->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (arguments->ifname)
			argp_error(state, "one interface at a time: %s, then %s", arguments->ifname, arg);
		arguments->ifname = arg;
		return 0;
	case ARGP_KEY_END:
		check_arguments(arguments, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = option_table,
	.parser = parse_option,
	.args_doc = "IFACE",
	.doc = "Generate load by packets built by hand, past the kernel's stack. With --kind http each flow "
	       "is a real TCP connection: SYN, GET, response, FIN, one exchange after the other."
	       "\v"
	       "Ends after --count, --duration or Ctrl-C, with a report on stdout. Exit status: 0 done; 1 an "
	       "exchange failed, or the interface; 2 usage; 3 a privilege or kernel feature is missing; 4 "
	       "the "
	       "ledger does not close.\n\n"
	       "examples:\n"
	       "  xdplife generate eth0 --to 10.0.2.2 --kind http --flows 64 --duration 10\n"
	       "  xdplife generate eth0 --to [fd00:2::2]:8080 --kind http --path /x --rate 1000 --count "
	       "60000\n"
	       "  xdplife generate eth0 --to 10.0.2.2 --kind http --count 9 --json | jq .failed",
};

static int print_report(const struct http_load_report *report, bool json, int exit_code)
{
	json_t *object;

	if (!report->started)
		return exit_code;
	if (!json) {
		http_load_report_print(report, stdout);
	} else {
		object = http_load_report_json(report);
		json_dumpf(object, stdout, JSON_COMPACT);
		fputc('\n', stdout);
		json_decref(object);
	}
	if (!fflush(stdout))
		return exit_code;
	log_error(NULL, "stdout: %s", strerror(errno));
	return exit_code ? exit_code : EXIT_FAILED;
}

static int run(int argc, char **argv)
{
	struct arguments arguments = {
		.path = "/",
		.http = {.connections = DEFAULT_FLOWS, .timeout_ns = DEFAULT_TIMEOUT_S * NS_PER_S},
	};
	struct http_load_report *report = malloc(sizeof(*report));
	int exit_code;

	if (!report) {
		log_error(NULL, "%s", strerror(ENOMEM));
		return EXIT_FAILED;
	}
	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	exit_code = http_load_run(&arguments.http, report);
	exit_code = print_report(report, arguments.json, exit_code);
	free(report);
	return exit_code;
}

const struct command cmd_generate = {
	.name = "generate",
	.summary = "generate load by packets built by hand: whole HTTP exchanges",
	.run = run,
};
