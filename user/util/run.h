/* SPDX-License-Identifier: GPL-2.0-only */
/* Other people's programs: ip, ethtool, sysctl. */
#ifndef XDPLIFE_RUN_H
#define XDPLIFE_RUN_H

/**
 * run_command() - run a program and wait for its end
 * @command: words separated by single spaces; nothing is quoted, no shell is involved
 * @input:   what it reads from standard input; NULL: nothing
 *
 * Its standard error is ours; what it writes to standard output is thrown away.
 * Return: its exit status; -ENOENT if there is no such program; another -errno.
 */
int run_command(const char *command, const char *input);

#endif
