/* SPDX-License-Identifier: GPL-2.0-only */
/* What a session says in sum, beside its events: the summary at its end, the live table, the metrics. */
#ifndef XDPLIFE_SUMS_H
#define XDPLIFE_SUMS_H

#include <stdbool.h>

#include "datapath/datapath.h"
#include "out/sink.h"

struct sums;

struct sums_options {
	bool summary;
	bool top;            /* the live table; it has the terminal until sums_stop() */
	const char *metrics; /* ADDR:PORT; NULL: none */
	bool json;
};

/**
 * sums_open() - begin, when everything is attached
 * @shown: borrowed until sums_close(), as @dp is
 *
 * Return: 0; an exit_code with the error and its cure said. *sums stays NULL where no option is set; all functions below
 * take that.
 */
int sums_open(struct sums **sums, const struct sums_options *options, const struct datapath *dp,
	      const struct sink_session *shown);

/* An event that is no frame's (HOOK_NONE): those are the ones that the kernel side has not summed up. */
void sums_add(struct sums *sums, const struct trace_event *event);

/* To be called several times a second. Return: false: the person wants to quit. */
bool sums_tick(struct sums *sums, __u64 now_ns);

/* The table gives the terminal back, the metrics are no longer served: first of all, before anything is printed. */
void sums_stop(struct sums *sums);

/* The summary, once all ends have been told. Return: an exit_code. */
int sums_report(struct sums *sums, __u64 now_ns);

/* NULL is allowed. */
void sums_close(struct sums *sums);

#endif
