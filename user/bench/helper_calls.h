/* SPDX-License-Identifier: GPL-2.0-only */
/* How often an XDP program calls each helper of the kernel for one packet: counted, not estimated. */
#ifndef XDPLIFE_HELPER_CALLS_H
#define XDPLIFE_HELPER_CALLS_H

#include <bpf/bpf.h>

#include "bench/bench.h"

/* While it is there, XDP programs that this process opens and loads count their calls. */
struct helper_calls;

/**
 * helper_calls_open() - let XDP programs count their calls of helpers
 * Those of objects that are opened and loaded from now on, in the sections "xdp" and "xdp.frags". They get
 * longer and slower by it (call_stubs.h): take neither their facts nor their time. It is for the process, as
 * libbpf's handlers are: no other thread may load objects meanwhile.
 *
 * Return: 0 with *calls to be closed by helper_calls_close(); -EBUSY if one is open already; -errno.
 */
int helper_calls_open(struct helper_calls **calls);

/* What is loaded by then goes on counting, what is opened later does not. NULL is allowed. */
void helper_calls_close(struct helper_calls *calls);

/**
 * helper_calls_count() - run a program that counts its calls
 * @program: helper[] and helpers are set, the rest is left alone
 * @prog_fd: loaded while a struct helper_calls was open; detached, or without traffic
 * @once:    as for bpf_prog_test_run_opts(): the frame, its context. Each run begins with this same frame
 * @runs:    that many; what only a first frame causes (a new flow) is in the mean, so run it once before to
 *           leave that out
 *
 * The helpers that were called stand in the order of their first calls in the program's text. These are the
 * calls that the program makes, the same on every kernel; some (an array's lookup) the verifier replaces by
 * instructions. Not among them: bpf_spin_lock(), bpf_spin_unlock() and tail calls (call_stubs.h says why).
 *
 * Return: 0; or, with helpers 0, -ENOENT if the program does not count; -E2BIG for more than BENCH_HELPERS
 * helpers; -EBUSY if it ran on other frames too; -EPERM without CAP_SYS_ADMIN; -errno.
 */
int helper_calls_count(struct bench_program *program, int prog_fd, const struct bpf_test_run_opts *once,
		       unsigned int runs);

#endif
