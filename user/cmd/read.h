/* SPDX-License-Identifier: GPL-2.0-only */
/* `trace --read`: a capture file instead of interfaces, through the same engine to the same outputs. */
#ifndef XDPLIFE_READ_H
#define XDPLIFE_READ_H

#include "cmd/session.h"

/**
 * read_run() - show what happens in a capture, end with the ledger
 * @file:   pcap or pcapng; "-": standard input
 * @filter: what is looked at, compiled for each link type of the file that is met; NULL: everything
 *
 * Return: an exit_code; errors have been said.
 */
int read_run(const struct session_options *options, const char *file, struct filter *filter);

#endif
