/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a running session has counted, as OpenMetrics 1.0 or in the older Prometheus text format. The number of series
 * depends on the interfaces alone: no address, port or name of a peer is a label.
 */
#ifndef XDPLIFE_METRICS_H
#define XDPLIFE_METRICS_H

#include <stdbool.h>
#include <stdio.h>

#include "observer/summary.h"
#include "out/sink.h"
#include "xdplife/config.h"

#define METRICS_PATH "/metrics"

struct metrics_table {
	__u64 used;
	__u64 max;
};

/* What the kernel says of one program; only with its statistics on. */
struct metrics_program {
	__u64 runs;
	__u64 run_ns;
};

struct metrics_sample {
	const struct sink_session *session; /* its interfaces */
	struct summary summary;             /* without talkers */
	struct port_counters port[CONFIG_MAX_PORTS];
	struct metrics_table table;
	bool programs; /* the kernel's statistics are on */
	struct metrics_program xdp[CONFIG_MAX_PORTS], egress[CONFIG_MAX_PORTS];
};

/**
 * metrics_print() - all of it
 * @accept: of the request: OpenMetrics unless it asks for text/plain and not for OpenMetrics
 *
 * Return: the content type.
 */
const char *metrics_print(const struct metrics_sample *sample, const char *accept, FILE *out);

#endif
