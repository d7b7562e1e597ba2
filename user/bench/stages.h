/* SPDX-License-Identifier: GPL-2.0-only */
/* What each stage of a scenario costs: the run time of its BPF programs a frame, less that of an empty program. */
#ifndef XDPLIFE_STAGES_H
#define XDPLIFE_STAGES_H

#include "bench/bench.h"
#include "bench/rig.h"

#define STAGES_MAX_SAMPLES 1024

/* The programs of one rig, measured again and again. Run statistics are on while it is open. */
struct stages;

/* Return: 0 with *stages to be closed by stages_close(); -errno. @rig: outlives it */
int stages_open(struct stages **stages, struct rig *rig);

/* Sends so many frames and takes one sample of each program. Return: 0; -EINTR; another -errno. */
int stages_sample(struct stages *stages, unsigned int frames);

/* Fills in program[], stage[]: of all samples, which were @rounds * @slices. 0 or -errno. */
int stages_result(struct stages *stages, unsigned int rounds, unsigned int slices,
		  struct bench_result *result);

/* NULL is allowed. */
void stages_close(struct stages *stages);

#endif
