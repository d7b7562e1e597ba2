// SPDX-License-Identifier: GPL-2.0-only
/* Programs written out by hand, and what is to become of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "bench/call_stubs.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#define MAP_FD 77

#define INSN(opcode, source, value)                                                                          \
	{                                                                                                    \
		.code = (opcode), .src_reg = (source), .imm = (value)                                        \
	}
#define HELPER(id)     INSN(BPF_JMP | BPF_CALL, 0, BPF_FUNC_##id)
#define CALL(distance) INSN(BPF_JMP | BPF_CALL, BPF_PSEUDO_CALL, distance)
#define KFUNC(type)    INSN(BPF_JMP | BPF_CALL, BPF_PSEUDO_KFUNC_CALL, type)
#define ADD(value)     INSN(BPF_ALU64 | BPF_ADD | BPF_K, 0, value)
#define EXIT           INSN(BPF_JMP | BPF_EXIT, 0, 0)

static const struct bpf_insn program[] = {
	HELPER(spin_lock), HELPER(fib_lookup), HELPER(spin_unlock),  CALL(2), ADD(BPF_FUNC_fib_lookup), EXIT,
	KFUNC(9),          HELPER(tail_call),  HELPER(ktime_get_ns), EXIT,
};

static const __s32 sites[] = {1, 8};

static void assert_same_insn(const struct bpf_insn *is, const struct bpf_insn *should)
{
	assert_memory_equal(is, should, sizeof(*is));
}

static void each_call_that_can_have_one_gets_a_stub(void **state)
{
	static const struct bpf_insn none[] = {HELPER(spin_lock), HELPER(spin_unlock), EXIT};

	(void)state;
	assert_int_equal(call_stubs_count(program, LENGTH(program)), LENGTH(sites));
	assert_int_equal(call_stubs_count(none, LENGTH(none)), 0);
}

/* r6 = &counter; r0 = *r6; r0 += 1; *r6 = r0; the call; exit */
static void assert_stub(const struct bpf_insn *stub, const struct bpf_insn *call, size_t counter)
{
	const struct bpf_insn should[CALL_STUB_INSNS] = {
		{.code = BPF_LD | BPF_IMM | BPF_DW,
		 .dst_reg = 6,
		 .src_reg = BPF_PSEUDO_MAP_VALUE,
		 .imm = MAP_FD},
		{.imm = (__s32)(counter * sizeof(struct call_counter))},
		{.code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = 0, .src_reg = 6},
		{.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 0, .imm = 1},
		{.code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = 6, .src_reg = 0},
		*call,
		EXIT,
	};

	for (size_t i = 0; i < CALL_STUB_INSNS; i++)
		assert_same_insn(&stub[i], &should[i]);
}

static void stubs_count_and_call(void **state)
{
	struct bpf_insn insn[LENGTH(program) + LENGTH(sites) * CALL_STUB_INSNS];
	struct call_counter counters[LENGTH(sites)];

	(void)state;
	memset(counters, 0xa5, sizeof(counters));
	memcpy(insn, program, sizeof(program));
	call_stubs_add(insn, LENGTH(program), MAP_FD, counters);
	for (size_t i = 0; i < LENGTH(sites); i++) {
		size_t stub = LENGTH(program) + i * CALL_STUB_INSNS;
		struct bpf_insn call = CALL((__s32)stub - sites[i] - 1);

		assert_same_insn(&insn[sites[i]], &call);
		assert_stub(&insn[stub], &program[sites[i]], i);
		assert_int_equal(counters[i].calls, 0);
		assert_int_equal(counters[i].helper, program[sites[i]].imm);
		insn[sites[i]] = program[sites[i]];
	}
	assert_memory_equal(insn, program, sizeof(program)); /* and nothing else has changed */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_call_that_can_have_one_gets_a_stub),
		cmocka_unit_test(stubs_count_and_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
