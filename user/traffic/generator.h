/* SPDX-License-Identifier: GPL-2.0-only */
/* A stream of frames by several threads, each pinned to a CPU with a sender of its own, watched from outside. */
#ifndef XDPLIFE_GENERATOR_H
#define XDPLIFE_GENERATOR_H

#include "net/iface.h"
#include "traffic/plan.h"
#include "traffic/replay.h"
#include "traffic/sender.h"

struct generator_options {
	const struct traffic_plan *plan;
	struct replay *replay;     /* NULL: the plan's frames; else these, by the plan's one thread */
	const struct iface *iface; /* in the current network namespace */
	double rate_pps;           /* of all threads together; 0: as fast as it goes */
	uint64_t count;            /* frames, exactly; 0: no limit */
	uint64_t duration_ns;      /* 0: no limit. With a rate it is rate * duration frames, exactly */
	bool no_live_frames;
	bool constant; /* as in sender.h */
};

struct generator_report {
	uint64_t made; /* frames handed to the interface */
	/* What its driver took and refused of them; where taken_known. */
	bool taken_known;
	uint64_t taken, refused;
	uint64_t elapsed_ns;
	bool running;
	int err; /* -errno of the first thread that had to give up; 0 */
};

struct generator;

/* Loads everything, sends nothing. Return: 0, or an exit_code with the error and its cure said. */
int generator_open(struct generator **generator, const struct generator_options *options);

/* "live frames" or "AF_XDP" */
const char *generator_way(const struct generator *generator);

/* 0 or -errno. */
int generator_start(struct generator *generator);

/**
 * generator_wait() - sleep until the stream is over, or for @wait_ns
 * Ends the stream when its duration is over, or its interface has gone.
 *
 * Return: true while it runs.
 */
bool generator_wait(struct generator *generator, uint64_t wait_ns);

/* Makes the threads stop, and waits for them. What was begun is sent and counted. */
void generator_stop(struct generator *generator);

void generator_read(const struct generator *generator, struct generator_report *report);

/* Stops, frees. NULL is allowed. */
void generator_close(struct generator *generator);

#endif
