// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machine of classic BPF in eBPF: A and X are registers that survive calls, used with 32-bit operations;
 * M[] lies on the stack. What is loaded from the frame is in filter_load.c.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/filter_emit.h"
#include "datapath/filter_load.h"
#include "datapath/filter_translate.h"

struct translation {
	const struct sock_filter *classic;
	size_t count;
	bool reachable[BPF_MAXINSNS];
	struct emitter emitter;
	struct loader loader;
	size_t first_label; /* of the first classic instruction of this copy; those of the others follow */
};

static __u8 bytes_of(__u16 code)
{
	return BPF_SIZE(code) == BPF_W ? 4 : BPF_SIZE(code) == BPF_H ? 2 : 1;
}

static bool is_packet_load(const struct sock_filter *classic)
{
	__u16 class = BPF_CLASS(classic->code), mode = BPF_MODE(classic->code);

	return (class == BPF_LD && (mode == BPF_ABS || mode == BPF_IND)) ||
	       (class == BPF_LDX && mode == BPF_MSH);
}

static bool is_hopeless(const struct translation *t, const struct sock_filter *classic)
{
	return is_packet_load(classic) && load_is_hopeless(&t->loader, classic->k);
}

static void emit_packet_load(struct translation *t, const struct sock_filter *classic)
{
	bool header_length = BPF_MODE(classic->code) == BPF_MSH;
	struct load load = {
		.to = header_length ? FILTER_X : FILTER_A,
		.bytes = bytes_of(classic->code),
		.indexed = BPF_MODE(classic->code) == BPF_IND,
		.offset = classic->k,
	};

	if (is_hopeless(t, classic)) {
		emit_goto(&t->emitter, EMIT_REJECT);
		return;
	}
	load_packet(&t->loader, &load);
	if (header_length) { /* of an IPv4 header: its low four bits, in words */
		emit_imm(&t->emitter, BPF_ALU | BPF_AND, FILTER_X, 0xf);
		emit_imm(&t->emitter, BPF_ALU | BPF_LSH, FILTER_X, 2);
	}
}

static int scratch(__u32 word)
{
	return FILTER_SCRATCH + 4 * (int)word;
}

static void emit_ld(struct translation *t, const struct sock_filter *classic)
{
	__u8 to = BPF_CLASS(classic->code) == BPF_LD ? FILTER_A : FILTER_X;

	switch (BPF_MODE(classic->code)) {
	case BPF_IMM:
		emit_imm(&t->emitter, BPF_ALU | BPF_MOV, to, classic->k);
		break;
	case BPF_MEM:
		emit_ldx(&t->emitter, BPF_W, to, BPF_REG_10, scratch(classic->k));
		break;
	case BPF_LEN:
		load_length(&t->loader, to);
		break;
	default:
		emit_packet_load(t, classic);
	}
}

static void emit_alu(struct translation *t, const struct sock_filter *classic)
{
	__u8 op = BPF_OP(classic->code);
	size_t done;

	if (op == BPF_NEG) {
		emit_imm(&t->emitter, BPF_ALU | op, FILTER_A, 0);
		return;
	}
	if (BPF_SRC(classic->code) == BPF_K) {
		emit_imm(&t->emitter, BPF_ALU | op, FILTER_A, classic->k);
		return;
	}
	if (op == BPF_DIV || op == BPF_MOD)
		emit_jump_imm(&t->emitter, BPF_JMP32 | BPF_JEQ, FILTER_X, 0, EMIT_REJECT);
	emit_reg(&t->emitter, BPF_ALU | op, FILTER_A, FILTER_X);
	if (op != BPF_LSH && op != BPF_RSH)
		return;
	done = emit_new_labels(&t->emitter, 1);
	emit_jump_imm(&t->emitter, BPF_JMP32 | BPF_JLT, FILTER_X, 32, done);
	emit_imm(&t->emitter, BPF_ALU | BPF_MOV, FILTER_A, 0);
	emit_label(&t->emitter, done);
}

static void emit_condition(struct translation *t, const struct sock_filter *classic, __u8 op, size_t label)
{
	if (BPF_SRC(classic->code) == BPF_K)
		emit_jump_imm(&t->emitter, BPF_JMP32 | op, FILTER_A, classic->k, label);
	else
		emit_jump_reg(&t->emitter, BPF_JMP32 | op, FILTER_A, FILTER_X, label);
}

/* The opposite condition; 0: eBPF has none. */
static __u8 opposite(__u8 op)
{
	switch (op) {
	case BPF_JEQ:
		return BPF_JNE;
	case BPF_JGT:
		return BPF_JLE;
	case BPF_JGE:
		return BPF_JLT;
	default:
		return 0;
	}
}

static void emit_branch(struct translation *t, const struct sock_filter *classic)
{
	size_t next = t->first_label + (size_t)(classic - t->classic) + 1;
	__u8 op = BPF_OP(classic->code), not_op = opposite(op);

	if (op == BPF_JA || classic->jt == classic->jf) {
		__u32 skip = op == BPF_JA ? classic->k : classic->jt;

		if (skip)
			emit_goto(&t->emitter, next + skip);
	} else if (!classic->jt && not_op) {
		emit_condition(t, classic, not_op, next + classic->jf);
	} else {
		emit_condition(t, classic, op, next + classic->jt);
		if (classic->jf)
			emit_goto(&t->emitter, next + classic->jf);
	}
}

static void emit_ret(struct translation *t, const struct sock_filter *classic)
{
	if (BPF_RVAL(classic->code) == BPF_A)
		emit_reg(&t->emitter, BPF_ALU | BPF_MOV, BPF_REG_0, FILTER_A);
	else
		emit_imm(&t->emitter, BPF_ALU | BPF_MOV, BPF_REG_0, classic->k);
	emit_exit(&t->emitter);
}

static void emit_misc(struct translation *t, const struct sock_filter *classic)
{
	if (BPF_MISCOP(classic->code) == BPF_TAX)
		emit_reg(&t->emitter, BPF_ALU | BPF_MOV, FILTER_X, FILTER_A);
	else
		emit_reg(&t->emitter, BPF_ALU | BPF_MOV, FILTER_A, FILTER_X);
}

static void emit_classic(struct translation *t, const struct sock_filter *classic)
{
	switch (BPF_CLASS(classic->code)) {
	case BPF_LD:
	case BPF_LDX:
		emit_ld(t, classic);
		break;
	case BPF_ST:
		emit_stx(&t->emitter, BPF_W, FILTER_A, scratch(classic->k));
		break;
	case BPF_STX:
		emit_stx(&t->emitter, BPF_W, FILTER_X, scratch(classic->k));
		break;
	case BPF_ALU:
		emit_alu(t, classic);
		break;
	case BPF_JMP:
		emit_branch(t, classic);
		break;
	case BPF_RET:
		emit_ret(t, classic);
		break;
	case BPF_MISC:
		emit_misc(t, classic);
		break;
	}
}

/* --- the whole --- */

static bool is_known_code(__u16 code)
{
	switch (code) {
	case BPF_RET | BPF_K:
	case BPF_RET | BPF_A:
	case BPF_LD | BPF_W | BPF_ABS:
	case BPF_LD | BPF_H | BPF_ABS:
	case BPF_LD | BPF_B | BPF_ABS:
	case BPF_LD | BPF_W | BPF_IND:
	case BPF_LD | BPF_H | BPF_IND:
	case BPF_LD | BPF_B | BPF_IND:
	case BPF_LDX | BPF_B | BPF_MSH:
	case BPF_LD | BPF_W | BPF_LEN:
	case BPF_LDX | BPF_W | BPF_LEN:
	case BPF_LD | BPF_IMM:
	case BPF_LDX | BPF_IMM:
	case BPF_LD | BPF_MEM:
	case BPF_LDX | BPF_MEM:
	case BPF_ST:
	case BPF_STX:
	case BPF_JMP | BPF_JA:
	case BPF_ALU | BPF_NEG:
	case BPF_MISC | BPF_TAX:
	case BPF_MISC | BPF_TXA:
		return true;
	}
	if (BPF_CLASS(code) == BPF_JMP) /* K or X */
		return code == (BPF_JMP | BPF_SRC(code) | BPF_OP(code)) && BPF_OP(code) > BPF_JA &&
		       BPF_OP(code) <= BPF_JSET;
	return code == (BPF_ALU | BPF_SRC(code) | BPF_OP(code)) && BPF_OP(code) != BPF_NEG &&
	       BPF_OP(code) <= BPF_XOR;
}

/* Operands that bpf_validate() refuses. */
static bool is_good_operand(const struct sock_filter *classic)
{
	switch (classic->code) {
	case BPF_ALU | BPF_DIV | BPF_K:
	case BPF_ALU | BPF_MOD | BPF_K:
		return classic->k != 0;
	case BPF_ALU | BPF_LSH | BPF_K: /* by libpcap 1.11, and by the kernel */
	case BPF_ALU | BPF_RSH | BPF_K:
		return classic->k < 32;
	case BPF_LD | BPF_MEM:
	case BPF_LDX | BPF_MEM:
	case BPF_ST:
	case BPF_STX:
		return classic->k < BPF_MEMWORDS;
	default:
		return true;
	}
}

static int check_jump(const struct sock_filter *classic, size_t left)
{
	if (BPF_CLASS(classic->code) != BPF_JMP)
		return 0;
	if (BPF_OP(classic->code) != BPF_JA)
		return classic->jt < left && classic->jf < left ? 0 : -EINVAL;
	if ((__s32)classic->k < 0)
		return -ELOOP;
	return classic->k < left ? 0 : -EINVAL;
}

static int check(const struct sock_filter *classic, size_t count)
{
	int err = 0;

	if (count > BPF_MAXINSNS)
		return -E2BIG;
	if (!count || BPF_CLASS(classic[count - 1].code) != BPF_RET)
		return -EINVAL;
	for (size_t i = 0; i < count && !err; i++) {
		if (!is_known_code(classic[i].code) || !is_good_operand(&classic[i]))
			return -EINVAL;
		err = check_jump(&classic[i], count - i - 1);
	}
	return err;
}

/* The verifier refuses code that nothing leads to. Jumps go forward only: one pass. */
static void find_reachable(struct translation *t)
{
	t->reachable[0] = true;
	for (size_t i = 0; i < t->count; i++) {
		const struct sock_filter *classic = &t->classic[i];

		if (!t->reachable[i] || BPF_CLASS(classic->code) == BPF_RET || is_hopeless(t, classic))
			continue;
		if (BPF_CLASS(classic->code) != BPF_JMP) {
			t->reachable[i + 1] = true;
		} else if (BPF_OP(classic->code) == BPF_JA) {
			t->reachable[i + 1 + classic->k] = true;
		} else {
			t->reachable[i + 1 + classic->jt] = true;
			t->reachable[i + 1 + classic->jf] = true;
		}
	}
}

static void emit_copy(struct translation *t, bool tagged)
{
	t->loader.tagged = tagged;
	t->first_label = emit_new_labels(&t->emitter, t->count);
	for (size_t i = 0; i < t->count && !t->emitter.err; i++) {
		emit_label(&t->emitter, t->first_label + i);
		if (t->reachable[i])
			emit_classic(t, &t->classic[i]);
	}
	load_cold(&t->loader);
}

/* M[] begins with zeros, as A and X do; words that are only written need none. */
static void emit_start(struct translation *t)
{
	bool cleared[BPF_MEMWORDS] = {false};

	emit_reg(&t->emitter, BPF_ALU64 | BPF_MOV, FILTER_CTX, BPF_REG_1);
	emit_imm(&t->emitter, BPF_ALU | BPF_MOV, FILTER_A, 0);
	emit_imm(&t->emitter, BPF_ALU | BPF_MOV, FILTER_X, 0);
	for (size_t i = 0; i < t->count; i++) {
		const struct sock_filter *classic = &t->classic[i];

		if ((classic->code != (BPF_LD | BPF_MEM) && classic->code != (BPF_LDX | BPF_MEM)) ||
		    cleared[classic->k])
			continue;
		cleared[classic->k] = true;
		emit_stx(&t->emitter, BPF_W, FILTER_A, scratch(classic->k));
	}
}

static void translate(struct translation *t)
{
	size_t tagged;

	emit_new_labels(&t->emitter, 1); /* EMIT_REJECT */
	find_reachable(t);
	emit_start(t);
	if (t->loader.hook == FILTER_TC) {
		tagged = emit_new_labels(&t->emitter, 1);
		emit_ldx(&t->emitter, BPF_W, BPF_REG_1, FILTER_CTX, offsetof(struct __sk_buff, vlan_present));
		emit_jump_imm(&t->emitter, BPF_JMP | BPF_JNE, BPF_REG_1, 0, tagged);
		emit_copy(t, false);
		emit_label(&t->emitter, tagged);
		load_window(&t->loader);
	}
	emit_copy(t, t->loader.hook == FILTER_TC);
	emit_finish(&t->emitter);
}

int filter_translate(struct bpf_insn **insn, size_t *insns, const struct sock_filter *classic, size_t count,
		     enum filter_hook hook)
{
	int err = check(classic, count);
	struct translation *t;

	if (err)
		return err;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->classic = classic;
	t->count = count;
	t->loader.emitter = &t->emitter;
	t->loader.hook = hook;
	translate(t);
	err = t->emitter.err;
	*insn = err ? NULL : malloc(t->emitter.insns * sizeof(**insn));
	if (!err && !*insn)
		err = -ENOMEM;
	if (!err) {
		memcpy(*insn, t->emitter.insn, t->emitter.insns * sizeof(**insn));
		*insns = t->emitter.insns;
	}
	free(t);
	return err;
}
