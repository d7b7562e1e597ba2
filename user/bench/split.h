/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Generator, device and sink on cores of their own: the veths' receive work is done by kernel threads (threaded NAPI,
 * Linux 5.12), which can be pinned. With two cores device and sink share the second.
 */
#ifndef XDPLIFE_SPLIT_H
#define XDPLIFE_SPLIT_H

#include "bench/topology.h"

/* How many CPUs this process may use: a split run needs two. */
unsigned int split_cpus(void);

/**
 * split_apply() - make r0 and s0 receive in threads, r0's on the second CPU, s0's on the third
 * When both are up and receive by NAPI (GRO or an XDP program is on). Return: 0; an exit_code with the error said.
 */
int split_apply(const struct topology *topology);

#endif
