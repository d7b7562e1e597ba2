/* SPDX-License-Identifier: GPL-2.0-only */
/* Ending cleanly on Ctrl-C: a flag instead of a sudden death, so that the summary and the ledger are printed. */
#ifndef XDPLIFE_STOP_H
#define XDPLIFE_STOP_H

#include <stdbool.h>

/* From here on SIGINT, SIGTERM and SIGHUP set the flag and interrupt what waits; a second one kills. */
void stop_on_signals(void);

bool stop_requested(void);

#endif
