// SPDX-License-Identifier: GPL-2.0-only
/* xdplife trace: what happens to the TCP connections on one or several interfaces, as it happens. */
#include <argp.h>

#include "cmd/operands.h"
#include "cmd/read.h"
#include "cmd/session.h"
#include "command.h"
#include "util/log.h"

struct arguments {
	struct session_options session;
	const char *read;
	char **words; /* IFACE... [FILTER] */
};

static const struct argp_option option_table[] = {
	{"read", 'r', "FILE", 0, "read a capture (pcap, pcapng; -: standard input) instead of interfaces", 0},
	{0},
};

static const char doc[] =
	"Show the TCP connections that pass the interfaces: who opens them, how long each leg of the "
	"handshake takes, "
	"how they end. Frames are seen at XDP as they come in and at tc egress as they go out, and are not "
	"touched.\v"
	"examples:\n"
	"  xdplife trace eth0                      connections, live\n"
	"  xdplife trace eth0 tcp port 443         only what matches; quote ( ) & | < > !\n"
	"  xdplife trace eth0 --packets            every packet too\n"
	"  xdplife trace --read all.pcapng         the same story, from a capture\n"
	"  xdplife trace r0 r1 --write all.pcapng  for Wireshark, with what each packet did as a comment\n"
	"  xdplife trace eth0 --json --duration 10 | jq -c 'select(.event == \"established\") | "
	".handshake'\n\n"
	"FILTER is pcap-filter(7), compiled by libpcap, and runs in the kernel: what does not match is "
	"counted and not "
	"looked at. The first word that is no interface begins it; -- separates, should one be both.\n\n"
	"On exit the ledger shows where each frame and each event went. Exit status: 0 done, 1 failed, 2 "
	"usage, 3 a "
	"privilege or kernel feature is missing, 4 the ledger does not close.";

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case 'r':
		arguments->read = arg;
		return 0;
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &arguments->session;
		return 0;
	case ARGP_KEY_ARGS:
		arguments->words = state->argv + state->next; /* NULL-terminated, like argv */
		return 0;
	case ARGP_KEY_NO_ARGS:
		if (arguments->read)
			return 0;
		argp_error(state, "no interface given; `ip -br link` lists them");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int trace(struct arguments *arguments, struct filter *filter)
{
	const struct datapath_options datapath = {.filter = filter};

	if (arguments->read && arguments->words && *arguments->words) {
		log_error("one or the other", "--read %s, and interfaces: a capture has its own",
			  arguments->read);
		return EXIT_USAGE;
	}
	if (arguments->read)
		return read_run(&arguments->session, arguments->read, filter);
	return session_run(&arguments->session, datapath, arguments->words, "tracing");
}

static int run(int argc, char **argv)
{
	static const struct argp_child children[] = {{&session_argp, 0, NULL, 0}, {0}};
	static const struct argp argp = {.options = option_table,
					 .parser = parse_option,
					 .args_doc = "IFACE... [FILTER]\n--read FILE [FILTER]",
					 .doc = doc,
					 .children = children};
	struct arguments arguments = {.session = {.events = true, .command_line = argv[0]}};
	char **behind = operands_cut(&argc, argv);
	struct filter *filter;
	int err;

	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	err = operands_filter(arguments.words, arguments.read ? 0 : 1, behind, &filter);
	if (!err)
		err = trace(&arguments, filter);
	filter_free(filter);
	return err;
}

const struct command cmd_trace = {
	.name = "trace",
	.summary = "show TCP connections live: handshakes, their times, how they end",
	.run = run,
};
