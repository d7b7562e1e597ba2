// SPDX-License-Identifier: GPL-2.0-only
// links: user/datapath/filter_translate.c user/datapath/filter_emit.c user/datapath/filter_load.c
/*
 * The filter translator on arbitrary programs: it refuses what libpcap's bpf_validate() refuses, and what it
 * gives has the form that the kernel's verifier wants before it looks at anything else.
 *
 * Input: a byte for the hook, then classic instructions of eight bytes. A byte that is no opcode of classic
 * BPF most often makes one, or nearly every input would end there.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/filter_translate.h"

/* libpcap's, by the name of linux/filter.h: its struct bpf_insn has the name of eBPF's. */
int bpf_validate(const struct sock_filter *program, int count);

#define MAX_CLASSIC 4200 /* more than BPF_MAXINSNS */
#define STACK_BYTES 80

static void require(bool condition)
{
	if (!condition)
		abort();
}

static bool is_jump(const struct bpf_insn *insn)
{
	__u8 class = BPF_CLASS(insn->code), op = BPF_OP(insn->code);

	return class == BPF_JMP32 || (class == BPF_JMP && op != BPF_CALL && op != BPF_EXIT);
}

/* To the next instruction. */
static bool falls_through(const struct bpf_insn *insn)
{
	return insn->code != (BPF_JMP | BPF_EXIT) && insn->code != (BPF_JMP | BPF_JA);
}

/* The stack is reached by constant offsets, but for bytes of the window, whose address is in R1. */
static void require_stack(const struct bpf_insn *insn)
{
	__u8 class = BPF_CLASS(insn->code);
	bool memory = class == BPF_LDX || class == BPF_STX;
	__u8 base = class == BPF_LDX ? insn->src_reg : insn->dst_reg;

	if (memory && base == BPF_REG_10)
		require(insn->off < 0 && insn->off >= -STACK_BYTES);
}

struct walk {
	bool reached[FILTER_MAX_INSNS];
	size_t pending[FILTER_MAX_INSNS]; /* reached, and not yet looked at */
	size_t pending_count;
};

static void reach(struct walk *walk, long to, size_t insns)
{
	require(to >= 0 && to < (long)insns);
	if (walk->reached[to])
		return;
	walk->reached[to] = true;
	walk->pending[walk->pending_count++] = (size_t)to;
}

/* Whatever is reached stays inside, and everything is reached. */
static void require_form(const struct bpf_insn *insn, size_t insns)
{
	static struct walk walk;

	require(insns > 0 && insns <= FILTER_MAX_INSNS);
	memset(walk.reached, 0, sizeof(walk.reached));
	reach(&walk, 0, insns);
	while (walk.pending_count) {
		size_t i = walk.pending[--walk.pending_count];

		require(insn[i].dst_reg <= BPF_REG_10 && insn[i].src_reg <= BPF_REG_10);
		require_stack(&insn[i]);
		if (is_jump(&insn[i]))
			reach(&walk, (long)i + 1 + insn[i].off, insns);
		if (falls_through(&insn[i]))
			reach(&walk, (long)i + 1, insns);
	}
	for (size_t i = 0; i < insns; i++)
		require(walk.reached[i]);
}

/* From any two bytes an opcode that exists, seven times in eight. */
static __u16 opcode_of(__u16 bytes)
{
	static const __u16 codes[] = {0x00, 0x01, 0x02, 0x03, 0x04, 0x0c, 0x05, 0x06, 0x07, 0x14,
				      0x1c, 0x15, 0x1d, 0x16, 0x20, 0x24, 0x2c, 0x25, 0x2d, 0x28,
				      0x30, 0x34, 0x3c, 0x35, 0x3d, 0x40, 0x44, 0x4c, 0x45, 0x4d,
				      0x48, 0x50, 0x54, 0x5c, 0x60, 0x61, 0x64, 0x6c, 0x74, 0x7c,
				      0x80, 0x81, 0x84, 0x87, 0x94, 0x9c, 0xa4, 0xac, 0xb1};

	return bytes % 8 ? codes[(bytes >> 3) % (sizeof(codes) / sizeof(codes[0]))] : bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sock_filter classic[MAX_CLASSIC];
	size_t count = size ? (size - 1) / sizeof(classic[0]) : 0, insns;
	struct bpf_insn *insn;
	int err;

	if (!size)
		return 0;
	if (count > MAX_CLASSIC)
		count = MAX_CLASSIC;
	memcpy(classic, data + 1, count * sizeof(classic[0]));
	for (size_t i = 0; i < count; i++)
		classic[i].code = opcode_of(classic[i].code);
	err = filter_translate(&insn, &insns, classic, count, data[0] % 3);
	if (!bpf_validate(classic, (int)count))
		require(err == -EINVAL || err == -ELOOP || err == -E2BIG);
	if (!err) {
		require_form(insn, insns);
		free(insn);
	}
	return 0;
}
