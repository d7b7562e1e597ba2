/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of scenarios: which frames meet which device, and what that is measured against.
 *
 * How to add one: add an entry to the table in scenario.c. The runs, the report, the JSON, the chart and the gate
 * follow. One whose floor is another scenario's name is given as a fraction of that.
 */
#ifndef XDPLIFE_SCENARIO_H
#define XDPLIFE_SCENARIO_H

#include <stdbool.h>

#include "bench/device.h"
#include "xdplife/craft.h"

enum scenario_way {
	WAY_LIVE,     /* live frames, each made anew */
	WAY_CONSTANT, /* live frames, never looked at */
	WAY_AF_XDP,
	WAY_TRAFGEN, /* netsniff-ng's generator, where it is installed */
};

struct scenario {
	const char *name;
	const char *summary; /* what happens to each frame, in one line */
	const char *floor;   /* NULL: itself */
	enum device_kind device;
	enum scenario_way way;
	enum craft_kind kind;
	const char *from, *to; /* as --from and --to take them */
	unsigned int flows;
	unsigned int routes; /* topology_options */
	unsigned int size;   /* frame bytes; 0: the smallest */
	bool sink_at_device; /* on r0, not on s0 */
	bool sink_after_stack;
	bool rates;      /* search the highest loss-free rate, and measure latency at parts of it */
	bool on_request; /* not part of a run without names */
};

extern const struct scenario scenarios[];
extern const unsigned int scenario_count;

/* NULL if there is none of this name. */
const struct scenario *scenario_find(const char *name);

/* Whether its device is a program of xdplife. */
bool scenario_is_ours(const struct scenario *scenario);

/* What it is a fraction of. */
const struct scenario *scenario_floor(const struct scenario *scenario);

#endif
