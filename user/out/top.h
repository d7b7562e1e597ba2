/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The live table of connections: it has the whole terminal from top_open() to top_close() (screen.h).
 */
#ifndef XDPLIFE_TOP_H
#define XDPLIFE_TOP_H

#include <stdbool.h>

#include "observer/connection.h"
#include "observer/summary.h"
#include "out/sink.h"

#define TOP_MAX_ROWS 4096 /* looked at in one turn */

struct top;

struct top_source {
	/* Fills up to @max rows. @total: as many as there are. Return: how many rows, or -errno. */
	long (*read)(void *context, struct connection *rows, size_t max, __u64 *total);
	int (*sums)(void *context, struct summary *now); /* 0 or -errno */
	void *context;
};

/* Return: 0; an exit_code with the error and its cure said. @shown is borrowed, @source copied. */
int top_open(struct top **top, const struct top_source *source, const struct sink_session *shown);

/* Takes keys and draws; several times a second. Return: false: the person wants to quit. */
bool top_tick(struct top *top, __u64 now_ns);

/* The terminal is as it was before. NULL is allowed. */
void top_close(struct top *top);

#endif
