/* SPDX-License-Identifier: GPL-2.0-only */
/* What each stage of a scenario costs: the run time of its BPF programs a frame, less that of an empty program. */
#ifndef XDPLIFE_STAGES_H
#define XDPLIFE_STAGES_H

#include "bench/bench.h"
#include "bench/rig.h"

#define STAGES_MAX_SAMPLES (24 * 256)

/* The samples of one scenario, from one rig after the other. */
struct stages;

struct stages *stages_new(void); /* NULL without memory */

/**
 * stages_begin() - the samples that follow are of this rig's programs
 * Run statistics are on until stages_end(), which comes before rig_close(). 0 or -errno.
 */
int stages_begin(struct stages *stages, struct rig *rig);
void stages_end(struct stages *stages);

/* Sends so many frames and takes one sample of each program. Return: 0; -EINTR; another -errno. */
int stages_sample(struct stages *stages, unsigned int frames);

/* Sets program[]: what does not change, of the rig that is open. 0 or -errno. */
int stages_facts(const struct stages *stages, struct bench_result *result);

/* Sets what was measured, in program[], stage[] and device: if there are @rounds * @slices samples. */
void stages_result(struct stages *stages, unsigned int rounds, unsigned int slices,
		   struct bench_result *result);

/* NULL is allowed. */
void stages_free(struct stages *stages);

#endif
