/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The CPU time of everything that a frame passes on one core: this thread and the programs that it has
 * run, the soft interrupts that run in them, and those that the kernel hands to the core's ksoftirqd. Unlike the wall clock it does not count who else wants the core.
 */
#ifndef XDPLIFE_CPU_TIME_H
#define XDPLIFE_CPU_TIME_H

#include <stdint.h>

/* Pins this thread to the first CPU that it may use, until cpu_time_unpin(). 0 or -errno. */
int cpu_time_pin(void);
void cpu_time_unpin(void);

/* Nanoseconds since some time; only differences mean something. */
uint64_t cpu_time_ns(void);

#endif
