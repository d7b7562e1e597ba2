/* SPDX-License-Identifier: GPL-2.0-only */
/* What became of all connections, as text and as JSON, and the line of progress until then. */
#ifndef XDPLIFE_SUMMARY_REPORT_H
#define XDPLIFE_SUMMARY_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "observer/summary.h"

void summary_print(const struct summary *summary, __u64 elapsed_ns, FILE *out);

/* {"type": "summary", ...}; NULL: no memory. */
json_t *summary_json(const struct summary *summary, __u64 elapsed_ns);

/**
 * summary_report() - either, on standard output
 * Return: EXIT_DONE; EXIT_LEDGER if it does not add up, which is said.
 */
int summary_report(const struct summary *summary, __u64 elapsed_ns, bool json);

struct summary_progress {
	__u64 last_ns; /* elapsed, at the last line; 0: none yet */
	__u64 last_started;
};

/* One line that is written over and over, on a terminal only. @elapsed_ns: since the beginning. */
void summary_progress(struct summary_progress *progress, const struct summary *summary, __u64 elapsed_ns,
		      FILE *out);
void summary_progress_end(FILE *out);

#endif
