/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rewrites a BPF program so that it counts its calls of helpers: each call goes to a stub of its own instead,
 * a function behind the program's that adds one to a counter, calls the helper and returns what it returned.
 *
 * So no instruction moves, and a stub, being a function, finds registers free that the program may not have.
 * Left as they are: a tail call, which in a stub would end only the stub, and bpf_spin_lock() and
 * bpf_spin_unlock(), for to many kernels a function may neither return with the lock held nor begin with it.
 */
#ifndef XDPLIFE_CALL_STUBS_H
#define XDPLIFE_CALL_STUBS_H

#include <linux/bpf.h>
#include <stddef.h>

#define CALL_STUB_INSNS 7

/* What a stub counts, and the value of the counters' map: an array of so many as there are stubs. */
struct call_counter {
	__u64 calls;
	__u32 helper; /* enum bpf_func_id */
	__u32 _pad;
};

/* How many stubs a program is to have. */
unsigned int call_stubs_count(const struct bpf_insn *insn, size_t insns);

/**
 * call_stubs_add() - the program with its stubs
 * @insn:     has room for CALL_STUB_INSNS more for each stub
 * @map_fd:   of an array with one element: the counters
 * @counters: set to no calls of the helpers
 */
void call_stubs_add(struct bpf_insn *insn, size_t insns, int map_fd, struct call_counter *counters);

#endif
