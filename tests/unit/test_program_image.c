// SPDX-License-Identifier: GPL-2.0-only
/* The stack of the deepest chain of calls, in programs written out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "bench/program_image.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* As the kernel shows them: a call by the distance from the next instruction, a callback likewise. */
#define INSN(opcode, source, distance, value)                                                                \
	{                                                                                                    \
		.code = (opcode), .src_reg = (source), .off = (distance), .imm = (value)                     \
	}
#define CALL(distance) INSN(BPF_JMP | BPF_CALL, BPF_PSEUDO_CALL, distance, -1)
#define HELPER         INSN(BPF_JMP | BPF_CALL, 0, 1, 1)
#define EXIT           INSN(BPF_JMP | BPF_EXIT, 0, 0, 0)

/* Of two instructions. */
#define LOAD(source, value) INSN(BPF_LD | BPF_IMM | BPF_DW, source, 0, value), INSN(0, 0, 0, 0)
#define CALLBACK(distance)  LOAD(BPF_PSEUDO_FUNC, distance)
#define MAP(id)             LOAD(BPF_PSEUDO_MAP_FD, id)

#define LOG(depths) "verification time 7 usec\nstack depth " depths "\nprocessed 9 insns (limit 1000000)\n"

static unsigned int stack_of(struct bpf_insn *insn, __u32 insns, struct bpf_func_info *function,
			     __u32 functions, const char *log)
{
	struct program_image image = {
		.info.jited_prog_len = 1,
		.insn = insn,
		.insns = insns,
		.function = function,
		.functions = functions,
	};
	unsigned int bytes = 12345;

	assert_int_equal(program_image_stack(&image, log, &bytes), 0);
	return bytes;
}

/* 0 calls 1 and 2, 1 calls 2: the chain of all three is the deepest, whatever each needs. */
static void nested_calls_add_up(void **state)
{
	static struct bpf_insn insn[] = {CALL(3), CALL(1), EXIT, CALL(0), EXIT};
	static struct bpf_func_info function[] = {{.insn_off = 0}, {.insn_off = 3}, {.insn_off = 4}};

	(void)state;
	assert_int_equal(stack_of(insn, 5, function, 3, LOG("100+20+3")), 123);
	assert_int_equal(stack_of(insn, 5, function, 3, LOG("0+0+3")), 3);
	assert_int_equal(stack_of(insn, 5, function, 3, LOG("0+0+0")), 0);
}

/* 0 calls 1, then 2: one after the other; the first, then the second is the deeper. */
static void calls_in_turn_do_not_add_up(void **state)
{
	static struct bpf_insn insn[] = {HELPER, CALL(2), CALL(2), EXIT, EXIT, HELPER, EXIT};
	static struct bpf_func_info function[] = {{.insn_off = 0}, {.insn_off = 4}, {.insn_off = 5}};

	(void)state;
	assert_int_equal(stack_of(insn, 7, function, 3, LOG("8+40+16")), 48);
	assert_int_equal(stack_of(insn, 7, function, 3, LOG("8+16+40")), 48);
}

/* 0 hands 1 to a helper, and 1 calls 2; a map's number is no distance; nobody calls 3. */
static void callbacks_are_calls(void **state)
{
	static struct bpf_insn insn[] = {MAP(3), CALLBACK(3), HELPER, EXIT, CALL(1), EXIT, EXIT, EXIT};
	static struct bpf_func_info function[] = {
		{.insn_off = 0}, {.insn_off = 6}, {.insn_off = 8}, {.insn_off = 9}};

	(void)state;
	assert_int_equal(stack_of(insn, LENGTH(insn), function, 4, LOG("16+32+64+128")), 112);
}

static void functions_that_are_not_called_do_not_count(void **state)
{
	static struct bpf_insn insn[] = {EXIT, EXIT};
	static struct bpf_func_info function[] = {{.insn_off = 0}, {.insn_off = 1}};

	(void)state;
	assert_int_equal(stack_of(insn, 2, function, 2, LOG("16+32")), 16);
	assert_int_equal(stack_of(insn, 2, function, 1, LOG("24")), 24);
}

/* No BTF; fewer functions than the log has; a call that leads to none. 2 is not called. */
static void without_a_call_graph_it_is_the_sum(void **state)
{
	static struct bpf_insn insn[] = {CALL(1), EXIT, EXIT, EXIT};
	static struct bpf_func_info function[] = {{.insn_off = 0}, {.insn_off = 2}, {.insn_off = 3}};

	(void)state;
	assert_int_equal(stack_of(insn, 4, function, 3, LOG("8+16+32")), 24);
	assert_int_equal(stack_of(insn, 4, function, 0, LOG("8+16+32")), 56);
	assert_int_equal(stack_of(insn, 4, function, 2, LOG("8+16+32")), 56);
	function[1].insn_off = 1;
	assert_int_equal(stack_of(insn, 4, function, 3, LOG("8+16+32")), 56);
}

static void interpreted_it_is_the_sum(void **state)
{
	static struct bpf_insn insn[] = {CALL(1), CALL(1), EXIT, EXIT};
	static struct bpf_func_info function[] = {{.insn_off = 0}, {.insn_off = 2}, {.insn_off = 3}};
	struct program_image image = {.insn = insn, .insns = 4, .function = function, .functions = 3};
	unsigned int bytes;

	(void)state;
	assert_int_equal(program_image_stack(&image, LOG("8+16+32"), &bytes), 0);
	assert_int_equal(bytes, 56);
}

static void logs_that_do_not_say(void **state)
{
	static const char *const logs[] = {"", "processed 9 insns", "stack depth ", "stack depth +"};
	struct program_image image = {};
	unsigned int bytes = 1;

	(void)state;
	for (size_t i = 0; i < LENGTH(logs); i++)
		assert_int_equal(program_image_stack(&image, logs[i], &bytes), -ENODATA);
	assert_int_equal(bytes, 1);
}

/* A log that was cut within the numbers, or has more of them than a program has functions. */
static void logs_that_are_odd(void **state)
{
	struct program_image image = {};
	char log[2048] = "stack depth 1";
	unsigned int bytes;

	(void)state;
	assert_int_equal(program_image_stack(&image, "stack depth 8+16+", &bytes), 0);
	assert_int_equal(bytes, 24);
	for (size_t i = strlen(log); i < 13 + 2 * 300; i += 2)
		memcpy(log + i, "+1", 3);
	assert_int_equal(program_image_stack(&image, log, &bytes), 0);
	assert_int_equal(bytes, 256);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nested_calls_add_up),
		cmocka_unit_test(calls_in_turn_do_not_add_up),
		cmocka_unit_test(callbacks_are_calls),
		cmocka_unit_test(functions_that_are_not_called_do_not_count),
		cmocka_unit_test(without_a_call_graph_it_is_the_sum),
		cmocka_unit_test(interpreted_it_is_the_sum),
		cmocka_unit_test(logs_that_do_not_say),
		cmocka_unit_test(logs_that_are_odd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
