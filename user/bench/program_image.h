/* SPDX-License-Identifier: GPL-2.0-only */
/* A loaded BPF program as the kernel shows it: the instructions that run and where its functions begin. */
#ifndef XDPLIFE_PROGRAM_IMAGE_H
#define XDPLIFE_PROGRAM_IMAGE_H

#include <linux/bpf.h>

struct program_image {
	struct bpf_prog_info info;
	struct bpf_insn *insn;
	__u32 insns;
	struct bpf_func_info *function; /* the main program first, then in the order of the instructions */
	__u32 functions;                /* 0: the program was loaded without BTF */
};

/* Return: 0 with *image to be freed by program_image_free(); -errno, nothing to be freed. */
int program_image_read(struct program_image *image, int prog_fd);
void program_image_free(struct program_image *image);

/**
 * program_image_stack() - the bytes of stack of the deepest chain of calls, callbacks taken for calls
 * @log: what the verifier wrote with BPF_LOG_STATS; it has the stack depth of each function
 *
 * They are the functions' own bytes; the kernel, which allows 512, rounds each up (to 16 or 32). Where the
 * call graph is not to be had (no BTF, no JIT), the sum of all functions: never less than any chain has.
 *
 * Return: 0 with *bytes set; -ENODATA if the log does not say.
 */
int program_image_stack(const struct program_image *image, const char *log, unsigned int *bytes);

#endif
