// SPDX-License-Identifier: GPL-2.0-only
/*
 * xdplife lab: three network namespaces in a row, to try everything in without touching the machine's own
 *network.
 *
 *	 xl-client                  xl-router                  xl-server
 *	+---------+   10.0.1.0/24  +---------+   10.0.2.0/24  +---------+
 *	|      c0 +----------------+ r0   r1 +----------------+ s0      |
 *	+---------+   fd00:1::/64  +---------+   fd00:2::/64  +---------+
 *	        .2 ::2        ::1 .1         .1 ::1        ::2 .2
 */
#include <argp.h>
#include <cap-ng.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cmd/lab.h"
#include "command.h"
#include "net/netns.h"
#include "util/log.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define NETNS_PREFIX    "xl-"

struct arguments {
	const struct action *action;
	const char *in;
	bool show, verbose, json;
	char **command;
};

static int lab_status(const struct arguments *arguments)
{
	return lab_print_status(arguments->json);
}

static int lab_up(const struct arguments *arguments)
{
	if (arguments->show) {
		lab_show_build();
		return EXIT_DONE;
	}
	if (lab_build(arguments->verbose))
		return EXIT_FAILED;
	return lab_print_status(arguments->json);
}

static int lab_down(const struct arguments *arguments)
{
	if (arguments->show) {
		lab_show_remove();
		return EXIT_DONE;
	}
	return lab_remove(arguments->verbose);
}

/* What `env` and the shells say of a command that cannot be run; its own status is whatever it exits with. */
enum { STATUS_CANNOT_RUN = 126, STATUS_NOT_FOUND = 127 };

static int lab_run(const struct arguments *arguments)
{
	char netns[sizeof(NETNS_PREFIX) + 16];
	int error;

	snprintf(netns, sizeof(netns), NETNS_PREFIX "%s", arguments->in);
	error = netns_enter(netns);
	if (error == -ENOENT || error == -ESTALE) {
		log_error("xdplife lab up", "the lab is not up: there is no network namespace %s", netns);
		return EXIT_FAILED;
	}
	if (error) {
		log_error(NULL, "%s: cannot enter the network namespace: %s", netns, strerror(-error));
		return EXIT_FAILED;
	}
	execvp(arguments->command[0], arguments->command);
	error = errno;
	log_error(NULL, "%s: %s", arguments->command[0], strerror(error));
	return error == ENOENT ? STATUS_NOT_FOUND : STATUS_CANNOT_RUN;
}

static const struct action {
	const char *name;
	int (*run)(const struct arguments *arguments);
} actions[] = {
	{"up", lab_up},
	{"down", lab_down},
	{"status", lab_status},
	{"run", lab_run},
};

/* --- the command line --- */

enum { OPTION_SHOW = 256, OPTION_JSON, OPTION_IN };

static const struct argp_option options[] = {
	{"show", OPTION_SHOW, NULL, 0, "up, down: print the commands, to type them by hand; run none", 0},
	{"verbose", 'v', NULL, 0, "up, down: print each command as it runs", 0},
	{"json", OPTION_JSON, NULL, 0, "up, status: the state as one JSON object", 0},
	{"in", OPTION_IN, "MACHINE", 0, "run: client (the default), router or server", 0},
	{0},
};

static const char doc[] =
	"Client, router and server: three network namespaces joined by veth pairs, with IPv4 and IPv6.\v"
	"up twice completes what is missing; down removes all of it. run exits with the status of "
	"COMMAND.\n\n"
	"example: xdplife lab up\n"
	"         xdplife lab run -- ping -c 1 10.0.2.2\n"
	"         xdplife lab run --in router -- xdplife forward r0 r1";

static void set_action(struct arguments *arguments, const char *name, struct argp_state *state)
{
	for (size_t i = 0; i < COUNT_OF(actions); i++)
		if (!strcmp(name, actions[i].name))
			arguments->action = &actions[i];
	if (!arguments->action)
		argp_error(state, "no such action: %s", name);
}

static void take_argument(struct arguments *arguments, char *argument, struct argp_state *state)
{
	if (!arguments->action) {
		set_action(arguments, argument, state);
	} else if (arguments->action->run == lab_run) {
		arguments->command = &state->argv[state->next - 1];
		state->next = state->argc;
	} else {
		argp_error(state, "%s takes no argument: %s", arguments->action->name, argument);
	}
}

static void check(const struct arguments *arguments, struct argp_state *state)
{
	if (!arguments->action)
		argp_error(state, "up, down, status or run?");
	else if (arguments->action->run == lab_run && !arguments->command)
		argp_error(state, "run what? For example: xdplife lab run -- ip address");
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case OPTION_SHOW:
		arguments->show = true;
		break;
	case 'v':
		arguments->verbose = true;
		break;
	case OPTION_JSON:
		arguments->json = true;
		break;
	case OPTION_IN:
		if (strcmp(argument, "client") && strcmp(argument, "router") && strcmp(argument, "server"))
			argp_error(state, "--in %s: client, router or server?", argument);
		arguments->in = argument;
		break;
	case ARGP_KEY_ARG:
		take_argument(arguments, argument, state);
		break;
	case ARGP_KEY_END:
		check(arguments, state);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static bool may_build(void)
{
	return !capng_get_caps_process() && capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN) &&
	       capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_ADMIN);
}

static int run(int argc, char **argv)
{
	static const struct argp argp = {
		options, parse, "up|down|status\nrun [--in MACHINE] -- COMMAND...", doc, NULL, NULL, NULL};
	struct arguments arguments = {.in = "client"};

	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &arguments);
	if (!arguments.show && !may_build()) {
		log_error("sudo xdplife lab ...", "namespaces need the capabilities NET_ADMIN and SYS_ADMIN");
		return EXIT_NEEDS;
	}
	return arguments.action->run(&arguments);
}

const struct command cmd_lab = {
	.name = "lab",
	.summary = "client, router, server: a network in namespaces to try everything in",
	.run = run,
};
