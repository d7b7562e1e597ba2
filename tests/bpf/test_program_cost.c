// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a program costs: the verifier's facts against what the kernel and the verifier's log say by
 * themselves, run counts to the run. No time is asserted.
 */
#include "fixture.h"

#include <fcntl.h>
#include <math.h>

#include "bench/program_cost.h"
#include "xdplife.skel.h"

static struct xdplife_bpf *loaded(const struct port_config *config, struct program_logs *logs)
{
	struct xdplife_bpf *skel = xdplife_bpf__open();

	assert_non_null(skel);
	memcpy((void *)&skel->rodata->cfg, config, sizeof(*config));
	bpf_program__set_autoload(skel->progs.xdplife_egress, false);
	logs->count = 0;
	assert_int_equal(program_logs_attach(logs, skel->obj), 0);
	assert_int_equal(logs->count, 1);
	assert_ptr_equal(logs->log[0].program, skel->progs.xdplife_xdp);
	assert_int_equal(xdplife_bpf__load(skel), 0);
	return skel;
}

static struct bench_program facts_of(const struct port_config *config, struct program_logs *logs)
{
	struct xdplife_bpf *skel = loaded(config, logs);
	struct bench_program facts = {};
	struct bpf_prog_info info = {};
	__u32 bytes = sizeof(info);
	int program = bpf_program__fd(skel->progs.xdplife_xdp);

	assert_int_equal(program_facts(&facts, program, &logs->log[0]), 0);
	assert_int_equal(bpf_obj_get_info_by_fd(program, &info, &bytes), 0);
	assert_string_equal(facts.name, "xdplife_xdp");
	assert_true(facts.verified_insns > facts.insns);
	assert_int_equal(facts.verified_insns, info.verified_insns);
	assert_int_equal(facts.insns * sizeof(struct bpf_insn), info.xlated_prog_len);
	assert_true(facts.jited_bytes > 0);
	assert_int_equal(facts.jited_bytes, info.jited_prog_len);
	xdplife_bpf__destroy(skel);
	return facts;
}

static void facts_are_the_same_every_time(void **state)
{
	static const struct port_config config = {.forward = 1, .observe = 1, .event_mask = TCP_EVENTS_ALL};
	static struct program_logs logs;
	struct bench_program first = facts_of(&config, &logs), second = facts_of(&config, &logs);

	(void)state;
	assert_memory_equal(&first, &second, sizeof(first));
}

/* What the verifier has processed it also says in its log: so this is the log of that program. */
static void logs_are_of_this_load(void **state)
{
	static const struct port_config config = {.forward = 1};
	static struct program_logs logs;
	struct bench_program facts = facts_of(&config, &logs);
	const char *processed = strstr(logs.log[0].text, "processed ");
	unsigned int insns;

	(void)state;
	assert_non_null(processed);
	assert_int_equal(sscanf(processed, "processed %u insns", &insns), 1);
	assert_int_equal(insns, facts.verified_insns);
}

struct depths {
	unsigned int functions, entry, largest,
		sum; /* of their stacks, bytes; the largest is not the entry's */
};

static struct depths depths_of(const struct program_log *log)
{
	const char *depth = strstr(log->text, "stack depth ");
	struct depths depths = {};
	unsigned int bytes;

	assert_non_null(depth);
	for (depth += strlen("stack depth "); sscanf(depth, "%u", &bytes) == 1;) {
		if (!depths.functions++)
			depths.entry = bytes;
		else if (bytes > depths.largest)
			depths.largest = bytes;
		depths.sum += bytes;
		depth += strcspn(depth, "+\n");
		if (*depth++ == '\n')
			break;
	}
	return depths;
}

/* The router alone: it calls one function after another. Before 6.8 the kernel keeps those it does not call. */
static void stack_of_the_router(void **state)
{
	static const struct port_config config = {.forward = 1};
	static struct program_logs logs;
	struct bench_program facts = facts_of(&config, &logs);
	struct depths depths = depths_of(&logs.log[0]);

	(void)state;
	assert_true(depths.functions >= 3);
	assert_in_range(facts.stack_bytes, depths.entry + 1, depths.sum - 1);
}

/* The observing router: the deepest chain is more than any one of them, and less than all. */
static void stack_of_the_observing_router(void **state)
{
	static const struct port_config config = {.forward = 1, .observe = 1, .event_mask = TCP_EVENTS_ALL};
	static struct program_logs logs;
	struct bench_program facts = facts_of(&config, &logs);
	struct depths depths = depths_of(&logs.log[0]);

	(void)state;
	assert_true(depths.functions > 5);
	assert_in_range(facts.stack_bytes, depths.entry + depths.largest, 512);
	assert_true(facts.stack_bytes < depths.sum);
}

static void logs_are_for_so_many_programs(void **state)
{
	static struct program_logs logs = {.count = BENCH_PROGRAMS - 1};
	struct xdplife_bpf *skel = xdplife_bpf__open();

	(void)state;
	assert_non_null(skel);
	assert_int_equal(program_logs_attach(&logs, skel->obj), -E2BIG); /* it has two */
	xdplife_bpf__destroy(skel);
}

static void facts_of_no_program(void **state)
{
	static const struct port_config config = {.forward = 1};
	static struct program_logs logs;
	static const struct program_log silent;
	struct xdplife_bpf *skel = loaded(&config, &logs);
	struct bench_program facts = {};
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(program_facts(&facts, -1, &logs.log[0]), -EBADFD);
	assert_int_equal(program_facts(&facts, null, &logs.log[0]), -EINVAL);
	assert_int_equal(program_facts(&facts, bpf_program__fd(skel->progs.xdplife_xdp), &silent), -ENODATA);
	close(null);
	xdplife_bpf__destroy(skel);
}

static const struct bpf_insn ask_the_time[] = {
	{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_ktime_get_ns},
	{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0},
	{.code = BPF_JMP | BPF_EXIT},
};

static int load_plain(void)
{
	int program = bpf_prog_load(BPF_PROG_TYPE_XDP, "plain", "GPL", ask_the_time, 3, NULL);

	assert_true(program >= 0);
	return program;
}

static void run_plain(int program, unsigned int runs)
{
	static const __u8 frame[64];
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = (int)runs);

	assert_int_equal(bpf_prog_test_run_opts(program, &options), 0);
}

/* How many descriptors of ours keep run statistics on. */
static unsigned int statistics_fds(void)
{
	unsigned int count = 0;

	for (int fd = 0; fd < 256; fd++) {
		char path[64], target[64] = "";

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		if (readlink(path, target, sizeof(target) - 1) > 0 && strstr(target, "bpf-stats"))
			count++;
	}
	return count;
}

static void clock_counts_each_run(void **state)
{
	int programs[] = {load_plain(), load_plain()};
	struct program_clock *clock;
	struct program_time since[2];

	(void)state;
	assert_int_equal(program_clock_open(&clock, programs, 2), 0);
	assert_int_equal(statistics_fds(), 1);
	run_plain(programs[0], 1000);
	run_plain(programs[1], 10);
	assert_int_equal(program_clock_read(clock, since), 0);
	assert_int_equal(since[0].runs, 1000);
	assert_int_equal(since[1].runs, 10);
	assert_true(since[0].run_ns > 0);
	assert_int_equal(program_clock_start(clock), 0);
	run_plain(programs[1], 7);
	assert_int_equal(program_clock_read(clock, since), 0);
	assert_int_equal(since[0].runs, 0);
	assert_int_equal(since[0].run_ns, 0);
	assert_int_equal(since[1].runs, 7);
	program_clock_close(clock);
	assert_int_equal(statistics_fds(), 0);
	close(programs[0]);
	close(programs[1]);
}

static void clock_of_the_empty_program(void **state)
{
	struct program_clock *clock;
	struct program_time time;

	(void)state;
	assert_int_equal(program_clock_open(&clock, NULL, 0), 0);
	for (unsigned int runs = 1; runs <= 10000; runs *= 100) {
		assert_int_equal(program_clock_empty(clock, runs, &time), 0);
		assert_int_equal(time.runs, runs);
	}
	assert_true(time.run_ns > 0);
	program_clock_close(clock);
}

static void clock_of_no_program(void **state)
{
	int programs[BENCH_PROGRAMS + 1] = {-1};
	struct program_clock *clock = NULL;

	(void)state;
	assert_int_equal(program_clock_open(&clock, programs, 1), -EBADFD);
	assert_int_equal(program_clock_open(&clock, programs, BENCH_PROGRAMS + 1), -E2BIG);
	assert_null(clock);
	assert_int_equal(statistics_fds(), 0);
	program_clock_close(clock);
}

static void time_of_a_packet(void **state)
{
	const struct program_time none = {}, time = {.run_ns = 1000, .runs = 10};

	(void)state;
	assert_true(program_time_per_run(&time) == 100);
	assert_true(program_time_per_packet(&time, 40, 5) == 120);
	assert_true(program_time_per_packet(&time, 0, 10) == 100);
	assert_true(program_time_per_packet(&time, 110, 10) == -10); /* noise is not hidden */
	assert_true(isnan(program_time_per_run(&none)));
	assert_true(isnan(program_time_per_packet(&time, 40, 0)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(facts_are_the_same_every_time),
		cmocka_unit_test(logs_are_of_this_load),
		cmocka_unit_test(stack_of_the_router),
		cmocka_unit_test(stack_of_the_observing_router),
		cmocka_unit_test(logs_are_for_so_many_programs),
		cmocka_unit_test(facts_of_no_program),
		cmocka_unit_test(clock_counts_each_run),
		cmocka_unit_test(clock_of_the_empty_program),
		cmocka_unit_test(clock_of_no_program),
		cmocka_unit_test(time_of_a_packet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
