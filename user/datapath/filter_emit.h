/* SPDX-License-Identifier: GPL-2.0-only */
/* Writes eBPF instruction by instruction, with jumps to labels. What does not fit is an error and left out. */
#ifndef XDPLIFE_FILTER_EMIT_H
#define XDPLIFE_FILTER_EMIT_H

#include <linux/bpf.h>
#include <stddef.h>

#include "datapath/filter_translate.h"

#define EMIT_MAX_LABELS (2 * BPF_MAXINSNS + FILTER_MAX_INSNS)

/* The first label, which a new emitter has: where the frame does not match. */
#define EMIT_REJECT 0

struct emitted_jump {
	__u16 at; /* the instruction */
	__u16 to; /* the label */
};

/* Begins as zeros, with emit_new_labels(e, 1) for EMIT_REJECT. */
struct emitter {
	struct bpf_insn insn[FILTER_MAX_INSNS];
	size_t insns;
	struct emitted_jump jump[FILTER_MAX_INSNS];
	size_t jumps;
	__u16 place[EMIT_MAX_LABELS]; /* label -> instruction */
	size_t labels;
	int err; /* -E2BIG */
};

void emit(struct emitter *e, struct bpf_insn insn);

/* An operation of BPF_ALU or BPF_ALU64 with a constant, or with a register. */
void emit_imm(struct emitter *e, __u8 code, __u8 dst, __u32 imm);
void emit_reg(struct emitter *e, __u8 code, __u8 dst, __u8 src);

/* From memory to a register; from a register to the stack. @size: BPF_W, BPF_H, BPF_B */
void emit_ldx(struct emitter *e, __u8 size, __u8 dst, __u8 base, int off);
void emit_stx(struct emitter *e, __u8 size, __u8 src, int off);

void emit_call(struct emitter *e, enum bpf_func_id helper);

/* From the wire's order to the host's, or back. */
void emit_be(struct emitter *e, __u8 reg, int bits);
void emit_exit(struct emitter *e);

/* Return: the first of so many new labels. */
size_t emit_new_labels(struct emitter *e, size_t count);

/* The label is here. */
void emit_label(struct emitter *e, size_t label);

/* Jumps, also to labels that have no place yet. @code: BPF_JMP or BPF_JMP32 and the condition */
void emit_goto(struct emitter *e, size_t label);
void emit_jump_imm(struct emitter *e, __u8 code, __u8 reg, __u32 imm, size_t label);
void emit_jump_reg(struct emitter *e, __u8 code, __u8 left, __u8 right, size_t label);

/* The end: writes what stands at EMIT_REJECT, if anything leads there, and resolves the jumps. */
void emit_finish(struct emitter *e);

#endif
