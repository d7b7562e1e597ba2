/* SPDX-License-Identifier: GPL-2.0-only */
/* Gives a function of a BPF program other instructions, while the program is loaded. */
#ifndef XDPLIFE_SPLICE_H
#define XDPLIFE_SPLICE_H

#include <stddef.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

/* What a program is loaded with; libbpf does not tell when that is over. Begins as zeros, serves many. */
struct splice {
	void *func_info;
	void *line_info;
};

/**
 * splice_function() - from a loading_edit (loading.h)
 * What stands behind the function moves, calls and the notes on functions and source lines follow. The
 * function keeps its name and its type.
 * @function: its name in C; it is not static, and something calls it
 * @body:     insns of them, from the first to the exit; no calls of other functions
 *
 * Return: 0; -ENOENT: the program has no such function, or no BTF that tells; -errno.
 */
int splice_function(struct splice *splice, struct bpf_program *program, struct bpf_prog_load_opts *opts,
		    const char *function, const struct bpf_insn *body, size_t insns);

/* When the programs are loaded. */
void splice_free(struct splice *splice);

#endif
