// SPDX-License-Identifier: GPL-2.0-only
/* What the translator refuses, and the form of what it gives. tests/bpf/test_filter.c runs it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/filter_translate.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#define RET BPF_STMT(BPF_RET | BPF_K, 1)

static int translate(const struct sock_filter *classic, size_t count, enum filter_hook hook, size_t *insns)
{
	struct bpf_insn *insn = NULL;
	int err = filter_translate(&insn, insns, classic, count, hook);

	free(insn);
	return err;
}

/* At each hook the same. */
static void assert_result(const char *name, const struct sock_filter *classic, size_t count, int should)
{
	size_t insns;

	for (int hook = FILTER_XDP; hook <= FILTER_TC; hook++) {
		int err = translate(classic, count, hook, &insns);

		if (err != should)
			fail_msg("%s: %d, should be %d", name, err, should);
	}
}

static void what_bpf_validate_refuses(void **state)
{
	static const struct {
		const char *name;
		struct sock_filter classic[2];
		size_t count;
	} refused[] = {
		{"nothing", {RET}, 0},
		{"no RET at the end", {RET, BPF_STMT(BPF_LD | BPF_IMM, 1)}, 2},
		{"division by 0", {BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), RET}, 2},
		{"modulus by 0", {BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, 0), RET}, 2},
		{"shift by 32", {BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 32), RET}, 2},
		{"shift by 32", {BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 32), RET}, 2},
		{"M[16]", {BPF_STMT(BPF_LD | BPF_MEM, 16), RET}, 2},
		{"M[16]", {BPF_STMT(BPF_LDX | BPF_MEM, 16), RET}, 2},
		{"M[16]", {BPF_STMT(BPF_ST, 16), RET}, 2},
		{"M[-1]", {BPF_STMT(BPF_STX, 0xffffffff), RET}, 2},
		{"a jump behind the end", {BPF_STMT(BPF_JMP | BPF_JA, 1), RET}, 2},
		{"a jump behind the end", {BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0), RET}, 2},
		{"a jump behind the end", {BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, 0, 1), RET}, 2},
		{"no such jump", {BPF_JUMP(BPF_JMP | 0x50, 0, 0, 0), RET}, 2},
		{"no such operation", {BPF_STMT(BPF_ALU | 0xb0, 1), RET}, 2},
		{"no such size", {BPF_STMT(BPF_LD | BPF_ABS | 0x18, 1), RET}, 2},
		{"no such mode", {BPF_STMT(BPF_LD | BPF_W | BPF_MSH, 1), RET}, 2},
		{"no such mode", {BPF_STMT(BPF_LDX | BPF_W | BPF_ABS, 1), RET}, 2},
		{"no such code", {BPF_STMT(0x100 | BPF_LD | BPF_IMM, 1), RET}, 2},
		{"no such code", {BPF_STMT(BPF_MISC | 0x40, 1), RET}, 2},
		{"X is nothing to return", {RET, BPF_STMT(BPF_RET | BPF_X, 1)}, 2},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(refused); i++)
		assert_result(refused[i].name, refused[i].classic, refused[i].count, -EINVAL);
}

static void loops(void **state)
{
	static const struct sock_filter loop[] = {BPF_STMT(BPF_ALU | BPF_NEG, 0),
						  BPF_STMT(BPF_JMP | BPF_JA, (__u32)-2), RET};

	(void)state;
	assert_result("a loop", loop, LENGTH(loop), -ELOOP);
}

static void long_programs(void **state)
{
	static struct sock_filter classic[BPF_MAXINSNS + 1];
	size_t insns;

	(void)state;
	for (size_t i = 0; i < BPF_MAXINSNS; i++)
		classic[i] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_NEG, 0);
	classic[BPF_MAXINSNS - 1] = classic[BPF_MAXINSNS] = (struct sock_filter)RET;
	assert_result("the longest", classic, BPF_MAXINSNS, 0);
	assert_result("longer", classic, BPF_MAXINSNS + 1, -E2BIG);
	for (size_t i = 0; i < BPF_MAXINSNS - 1; i++)
		classic[i] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_IND, 0);
	assert_result("too many loads", classic, BPF_MAXINSNS, -E2BIG);
	/* A load from a tagged frame takes the most; so many still fit, and every jump reaches. */
	classic[500] = (struct sock_filter)RET;
	assert_int_equal(translate(classic, 501, FILTER_TC, &insns), 0);
	assert_in_range(insns, 501, FILTER_MAX_INSNS);
}

static bool has_code(const struct sock_filter *classic, size_t count, enum filter_hook hook, __u8 code,
		     __s32 imm)
{
	struct bpf_insn *insn;
	size_t insns;
	bool found = false;

	assert_int_equal(filter_translate(&insn, &insns, classic, count, hook), 0);
	for (size_t i = 0; i < insns; i++)
		found = found || (insn[i].code == code && insn[i].imm == imm);
	free(insn);
	return found;
}

/* The verifier refuses code that nothing leads to; libpcap's optimiser leaves none, other people's may. */
static void unreachable_code_goes(void **state)
{
	static const struct sock_filter jumped_over[] = {BPF_STMT(BPF_JMP | BPF_JA, 1),
							 BPF_STMT(BPF_ALU | BPF_XOR | BPF_K, 4711), RET};
	static const struct sock_filter behind_a_hopeless_load[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0xfffff000), BPF_STMT(BPF_ALU | BPF_XOR | BPF_K, 4711),
		RET};
	static const struct sock_filter reachable[] = {BPF_JUMP(BPF_JMP | BPF_JGT | BPF_X, 0, 0, 1),
						       BPF_STMT(BPF_ALU | BPF_XOR | BPF_K, 4711), RET};
	static const struct sock_filter behind_all_that_is_linear[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0x7ffc), BPF_STMT(BPF_ALU | BPF_XOR | BPF_K, 4711), RET};
	const __u8 xor = BPF_ALU | BPF_XOR | BPF_K;

	(void)state;
	assert_false(has_code(behind_all_that_is_linear, 3, FILTER_XDP_LINEAR, xor, 4711));
	assert_true(has_code(behind_all_that_is_linear, 3, FILTER_XDP, xor, 4711));
	for (int hook = FILTER_XDP; hook <= FILTER_TC; hook++) {
		assert_false(has_code(jumped_over, 3, hook, xor, 4711));
		assert_false(has_code(behind_a_hopeless_load, 3, hook, xor, 4711));
		assert_true(has_code(reachable, 3, hook, xor, 4711));
	}
}

/* Before 5.18 there is no helper for what is not linear, and no program may name it. */
static void linear_needs_no_helper(void **state)
{
	static const struct sock_filter loads[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),    BPF_STMT(BPF_LD | BPF_B | BPF_IND, 14),
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 14),   BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 40000), RET};
	const __u8 call = BPF_JMP | BPF_CALL;

	(void)state;
	assert_false(has_code(loads, LENGTH(loads), FILTER_XDP_LINEAR, call, BPF_FUNC_xdp_load_bytes));
	assert_false(has_code(loads, LENGTH(loads), FILTER_XDP_LINEAR, call, BPF_FUNC_xdp_get_buff_len));
	assert_true(has_code(loads, LENGTH(loads), FILTER_XDP, call, BPF_FUNC_xdp_load_bytes));
	assert_true(has_code(loads, LENGTH(loads), FILTER_XDP, call, BPF_FUNC_xdp_get_buff_len));
	assert_true(has_code(loads, LENGTH(loads), FILTER_TC, call, BPF_FUNC_skb_load_bytes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_bpf_validate_refuses),
		cmocka_unit_test(loops),
		cmocka_unit_test(long_programs),
		cmocka_unit_test(unreachable_code_goes),
		cmocka_unit_test(linear_needs_no_helper),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
