// SPDX-License-Identifier: GPL-2.0-only
/* xdplife forward: a router in XDP, by the kernel's own routes and neighbours. */
#include <argp.h>

#include "cmd/operands.h"
#include "cmd/session.h"
#include "command.h"
#include "util/log.h"

struct arguments {
	struct session_options session;
	char **words; /* IFACE IFACE... [FILTER] */
};

enum { OPTION_TRACE = 't' };

static const struct argp_option option_table[] = {
	{"trace", OPTION_TRACE, NULL, 0, "show the TCP connections that are forwarded", 0},
	{0},
};

static const char doc[] =
	"Route between the interfaces in XDP: the kernel's routing table and neighbours decide "
	"(bpf_fib_lookup), the TTL "
	"is decremented, the MACs are rewritten, the frame is redirected. What is not plainly to be "
	"forwarded (TTL run "
	"out, IP options, a next hop that is not resolved, frames for the router itself, ...) goes to the "
	"kernel's stack "
	"as it came.\v"
	"examples:\n"
	"  xdplife forward r0 r1                              route until Ctrl-C, then print the ledger\n"
	"  xdplife forward r0 r1 --trace                      and show the connections that pass\n"
	"  xdplife forward r0 r1 --trace tcp port 443         and of these only what matches pcap-filter(7)\n"
	"  xdplife forward r0 r1 --trace --write both.pcapng  and keep each packet as it came and as it "
	"left\n\n"
	"net.ipv4.conf.IFACE.forwarding (and ipv6) is set on these interfaces while it runs, because the "
	"kernel's FIB "
	"lookup refuses to route without it. Exit status: 0 done, 1 failed, 2 usage, 3 a privilege or kernel "
	"feature is "
	"missing, 4 the ledger does not close.";

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	(void)arg;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &arguments->session;
		return 0;
	case OPTION_TRACE:
		arguments->session.events = true;
		return 0;
	case ARGP_KEY_ARGS:
		arguments->words = state->argv + state->next; /* NULL-terminated, like argv */
		if (state->argc - state->next < ROUTER_PORTS)
			argp_error(state, "a router has at least two interfaces");
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "no interfaces given; `ip -br link` lists them");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Of a router the filter says only what is shown. */
static bool shows_nothing(const struct session_options *session)
{
	return !session->events && !session->write;
}

static int forward(const struct arguments *arguments, const struct filter *filter)
{
	const struct datapath_options datapath = {.forward = true, .filter = filter};

	if (filter && shows_nothing(&arguments->session)) {
		log_error("--trace or --write", "FILTER says what is shown, and nothing is to be shown");
		return EXIT_USAGE;
	}
	return session_run(&arguments->session, datapath, arguments->words, "forwarding on");
}

static int run(int argc, char **argv)
{
	static const struct argp_child children[] = {{&session_argp, 0, NULL, 0}, {0}};
	static const struct argp argp = {.options = option_table,
					 .parser = parse_option,
					 .args_doc = "IFACE IFACE... [FILTER]",
					 .doc = doc,
					 .children = children};
	struct arguments arguments = {.session = {.command_line = argv[0]}};
	char **behind = operands_cut(&argc, argv);
	struct filter *filter;
	int err;

	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	err = operands_filter(arguments.words, ROUTER_PORTS, behind, &filter);
	if (!err)
		err = forward(&arguments, filter);
	filter_free(filter);
	return err;
}

const struct command cmd_forward = {
	.name = "forward",
	.summary = "route between interfaces in XDP, by the kernel's routes and neighbours",
	.run = run,
};
