/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel side has summed up over all connections, read out: exact at any rate, for no event is needed for it. */
#ifndef XDPLIFE_TOTALS_H
#define XDPLIFE_TOTALS_H

#include <stdbool.h>
#include <stddef.h>

#include "datapath/datapath.h"
#include "observer/summary.h"

/**
 * totals_read() - add what was counted until now
 * @talkers: add the talkers too; they are as many as the map holds
 *
 * Return: 0 or -errno. May be called while frames flow; then the parts are some microseconds apart.
 */
int totals_read(const struct datapath *dp, struct summary *summary, bool talkers);

/* Entries of the table of connections. */
struct occupancy {
	__u64 used;
	__u64 max;
};

/* 0 or -errno. */
int totals_occupancy(const struct datapath *dp, struct occupancy *table);

/* What the kernel knows of a program; all zero unless its statistics are on (kernel.bpf_stats_enabled). */
struct program_time {
	__u64 runs;
	__u64 run_ns;
};

bool totals_program_times_on(void);

/* The programs of a port; zero where there is none. */
void totals_program_times(const struct datapath *dp, int port, struct program_time *xdp,
			  struct program_time *egress);

#endif
