// SPDX-License-Identifier: GPL-2.0-only
#include <stdbool.h>
#include <string.h>

#include "bench/call_stubs.h"

static bool wants_stub(const struct bpf_insn *insn)
{
	return insn->code == (BPF_JMP | BPF_CALL) && !insn->src_reg && insn->imm != BPF_FUNC_tail_call &&
	       insn->imm != BPF_FUNC_spin_lock && insn->imm != BPF_FUNC_spin_unlock;
}

unsigned int call_stubs_count(const struct bpf_insn *insn, size_t insns)
{
	unsigned int count = 0;

	for (size_t i = 0; i < insns; i++)
		count += wants_stub(&insn[i]);
	return count;
}

/* Not atomic: the one thread that runs the program to count its calls is alone with it. */
static void write_stub(struct bpf_insn *stub, const struct bpf_insn *call, int map_fd, size_t counter_offset)
{
	const struct bpf_insn insns[CALL_STUB_INSNS] = {
		{.code = BPF_LD | BPF_IMM | BPF_DW,
		 .dst_reg = BPF_REG_6,
		 .src_reg = BPF_PSEUDO_MAP_VALUE,
		 .imm = map_fd},
		{.imm = (__s32)counter_offset},
		{.code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_0, .src_reg = BPF_REG_6},
		{.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = BPF_REG_0, .imm = 1},
		{.code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_6, .src_reg = BPF_REG_0},
		*call,
		{.code = BPF_JMP | BPF_EXIT},
	};

	memcpy(stub, insns, sizeof(insns));
}

void call_stubs_add(struct bpf_insn *insn, size_t insns, int map_fd, struct call_counter *counters)
{
	size_t end = insns, counter = 0;

	for (size_t i = 0; i < insns; i++) {
		if (!wants_stub(&insn[i]))
			continue;
		write_stub(&insn[end], &insn[i], map_fd,
			   counter * sizeof(*counters) + offsetof(struct call_counter, calls));
		counters[counter++] = (struct call_counter){.helper = (__u32)insn[i].imm};
		insn[i].src_reg = BPF_PSEUDO_CALL;
		insn[i].imm = (__s32)(end - i - 1);
		end += CALL_STUB_INSNS;
	}
}
