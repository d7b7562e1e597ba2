// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>

#include "datapath/filter_emit.h"

void emit(struct emitter *e, struct bpf_insn insn)
{
	if (e->insns == FILTER_MAX_INSNS)
		e->err = -E2BIG;
	else
		e->insn[e->insns++] = insn;
}

void emit_imm(struct emitter *e, __u8 code, __u8 dst, __u32 imm)
{
	emit(e, (struct bpf_insn){.code = code | BPF_K, .dst_reg = dst, .imm = (__s32)imm});
}

void emit_reg(struct emitter *e, __u8 code, __u8 dst, __u8 src)
{
	emit(e, (struct bpf_insn){.code = code | BPF_X, .dst_reg = dst, .src_reg = src});
}

void emit_ldx(struct emitter *e, __u8 size, __u8 dst, __u8 base, int off)
{
	emit(e,
	     (struct bpf_insn){
		     .code = BPF_LDX | BPF_MEM | size, .dst_reg = dst, .src_reg = base, .off = (__s16)off});
}

void emit_stx(struct emitter *e, __u8 size, __u8 src, int off)
{
	emit(e, (struct bpf_insn){.code = BPF_STX | BPF_MEM | size,
				  .dst_reg = BPF_REG_10,
				  .src_reg = src,
				  .off = (__s16)off});
}

void emit_call(struct emitter *e, enum bpf_func_id helper)
{
	emit(e, (struct bpf_insn){.code = BPF_JMP | BPF_CALL, .imm = (__s32)helper});
}

void emit_be(struct emitter *e, __u8 reg, int bits)
{
	emit(e, (struct bpf_insn){.code = BPF_ALU | BPF_END | BPF_TO_BE, .dst_reg = reg, .imm = bits});
}

void emit_exit(struct emitter *e)
{
	emit(e, (struct bpf_insn){.code = BPF_JMP | BPF_EXIT});
}

size_t emit_new_labels(struct emitter *e, size_t count)
{
	size_t first = e->labels;

	if (count > EMIT_MAX_LABELS - first) {
		e->err = -E2BIG;
		return EMIT_REJECT;
	}
	e->labels += count;
	return first;
}

void emit_label(struct emitter *e, size_t label)
{
	e->place[label] = (__u16)e->insns;
}

static void emit_jump(struct emitter *e, struct bpf_insn insn, size_t label)
{
	if (e->insns < FILTER_MAX_INSNS) /* and there are not more jumps than instructions */
		e->jump[e->jumps++] = (struct emitted_jump){.at = (__u16)e->insns, .to = (__u16)label};
	emit(e, insn);
}

void emit_goto(struct emitter *e, size_t label)
{
	emit_jump(e, (struct bpf_insn){.code = BPF_JMP | BPF_JA}, label);
}

void emit_jump_imm(struct emitter *e, __u8 code, __u8 reg, __u32 imm, size_t label)
{
	emit_jump(e, (struct bpf_insn){.code = code | BPF_K, .dst_reg = reg, .imm = (__s32)imm}, label);
}

void emit_jump_reg(struct emitter *e, __u8 code, __u8 left, __u8 right, size_t label)
{
	emit_jump(e, (struct bpf_insn){.code = code | BPF_X, .dst_reg = left, .src_reg = right}, label);
}

/* The verifier refuses code that nothing leads to. */
static void emit_reject(struct emitter *e)
{
	bool used = false;

	for (size_t i = 0; i < e->jumps; i++)
		used = used || e->jump[i].to == EMIT_REJECT;
	if (!used)
		return;
	emit_label(e, EMIT_REJECT);
	emit_imm(e, BPF_ALU | BPF_MOV, BPF_REG_0, 0);
	emit_exit(e);
}

void emit_finish(struct emitter *e)
{
	emit_reject(e);
	for (size_t i = 0; i < e->jumps; i++)
		e->insn[e->jump[i].at].off = (__s16)(e->place[e->jump[i].to] - e->jump[i].at - 1);
}
