// SPDX-License-Identifier: GPL-2.0-only
/* xdplife: the table of subcommands and their dispatch. */
#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "util/log.h"

static const struct command *const commands[] = {
	&cmd_trace, &cmd_forward, &cmd_fetch, &cmd_generate, &cmd_decode, &cmd_lab, NULL,
};

static void print_help(FILE *out)
{
	fputs("xdplife: see, route and craft TCP packets in the kernel (eBPF/XDP)\n\n"
	      "usage: xdplife COMMAND [ARGUMENTS]      xdplife COMMAND --help\n\n",
	      out);
	for (size_t i = 0; commands[i]; i++)
		fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
	fputs("\nexample: xdplife trace eth0\n", out);
}

static int run(const struct command *command, int argc, char **argv)
{
	char name[64];

	snprintf(name, sizeof(name), "xdplife %s", command->name);
	argv[0] = name;
	return command->run(argc, argv);
}

int main(int argc, char **argv)
{
	argp_err_exit_status = EXIT_USAGE;
	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "help") || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		print_help(stdout);
		return EXIT_DONE;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts("xdplife " XDPLIFE_VERSION);
		return EXIT_DONE;
	}
	for (size_t i = 0; commands[i]; i++)
		if (!strcmp(argv[1], commands[i]->name))
			return run(commands[i], argc - 1, argv + 1);
	log_error("xdplife help", "no such command: %s", argv[1]);
	return EXIT_USAGE;
}
