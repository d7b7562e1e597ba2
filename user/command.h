/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of subcommands.
 *
 * How to add one: write user/cmd/NAME.c, which ends in its `const struct command cmd_NAME`, declare that below and put
 * it in the table of main.c. `xdplife help`, the dispatch and the build follow.
 */
#ifndef XDPLIFE_COMMAND_H
#define XDPLIFE_COMMAND_H

/* The exit codes, part of the command-line contract. */
enum exit_code {
	EXIT_DONE = 0,
	EXIT_FAILED =
		1, /* fetch: no answer; trace: events lost under --strict; anything else that went wrong */
	EXIT_USAGE = 2,  /* argp_err_exit_status is set to it */
	EXIT_NEEDS = 3,  /* a missing privilege or kernel feature */
	EXIT_LEDGER = 4, /* the ledger does not close */
};

struct command {
	const char *name;
	const char *summary; /* one line, for `xdplife help` */
	/* Runs with argv[0] set to "xdplife NAME"; returns an exit_code. */
	int (*run)(int argc, char **argv);
};

extern const struct command cmd_decode;
extern const struct command cmd_fetch;
extern const struct command cmd_forward;
extern const struct command cmd_generate;
extern const struct command cmd_lab;
extern const struct command cmd_trace;

#endif
