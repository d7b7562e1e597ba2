/* SPDX-License-Identifier: GPL-2.0-only */
/* One scenario, set up: its lab, its device, its sink and its generator, ready to be measured again and again. */
#ifndef XDPLIFE_RIG_H
#define XDPLIFE_RIG_H

#include "bench/bench.h"
#include "bench/program_cost.h"
#include "bench/scenario.h"

struct rig;

struct rig_options {
	bool split;              /* cores of their own; see split.h */
	unsigned int idle_turns; /* a handicap for the device; see handicap.h */
};

/* Return: 0 with *rig to be closed by rig_close(); an exit_code with the error said. */
int rig_open(struct rig **rig, const struct scenario *scenario, const struct rig_options *options);

/**
 * rig_slice() - send some frames at full speed, in this thread
 * @ns: the CPU time that a frame took from the generator to the sink, all of it on this CPU; in a split rig the time
 *      from one frame to the next at the sink
 *
 * Return: 0; -EINTR; another -errno.
 */
int rig_slice(struct rig *rig, unsigned int frames, double *ns);

/* A stream at a rate, with a watch of its own. */
struct rig_trial {
	double rate_pps, duration_s;
	/* results */
	__u64 sent, received;
	double elapsed_s;
	struct bench_latency latency; /* all but load */
};

/* Return: 0; an exit_code with the error said. */
int rig_trial(struct rig *rig, struct rig_trial *trial);

/* Whether each frame came, in time: RFC 2544 §26.1. */
bool rig_trial_passed(const struct rig_trial *trial);

/* One program of the rig. The log is what the verifier wrote when it was loaded; NULL: it is not to be had. */
struct rig_program {
	int fd;
	bool xdp; /* else tc */
	enum bench_role role;
	const struct program_log *log;
};

/* The programs that a frame passes, in that order. Return: how many. */
unsigned int rig_programs(const struct rig *rig, struct rig_program programs[BENCH_PROGRAMS]);

/* The stream that its generator sends. */
const struct craft_config *rig_craft(const struct rig *rig);

/* Enters the namespace where a program of that role meets the frames. Return: the interface's number, or -errno. */
int rig_enter(const struct rig *rig, enum bench_role role);
void rig_leave(const struct rig *rig);

/* Of all that was sent since rig_open(). 0 or -errno. */
int rig_ledger(struct rig *rig, struct bench_ledger *ledger);

/* Where the residue is, in words; empty if there is none. */
const char *rig_residue_where(const struct rig *rig);

unsigned int rig_frame_bytes(const struct rig *rig);

/* NULL is allowed. */
void rig_close(struct rig *rig);

#endif
