// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "bench/program_cost.h"
#include "bench/program_image.h"

#define LOG_STATS 4 /* the kernel's BPF_LOG_STATS, which is in no uapi header */

struct program_clock {
	int statistics; /* fd: while it is open they are on */
	int empty;      /* fd of the program that does nothing */
	unsigned int programs;
	int prog_fd[BENCH_PROGRAMS];
	struct program_time start[BENCH_PROGRAMS];
};

static int attach_log(struct program_log *log, struct bpf_program *program)
{
	int err = bpf_program__set_log_buf(program, log->text, sizeof(log->text));

	*log->text = '\0';
	log->program = program;
	return err ? err : bpf_program__set_log_level(program, LOG_STATS);
}

int program_logs_attach(struct program_logs *logs, struct bpf_object *object)
{
	struct bpf_program *program;
	int err;

	bpf_object__for_each_program(program, object)
	{
		if (!bpf_program__autoload(program))
			continue;
		if (logs->count == BENCH_PROGRAMS)
			return -E2BIG;
		err = attach_log(&logs->log[logs->count++], program);
		if (err)
			return err;
	}
	return 0;
}

int program_facts(struct bench_program *facts, int prog_fd, const struct program_log *log)
{
	struct program_image image;
	int err = program_image_read(&image, prog_fd);

	if (err)
		return err;
	snprintf(facts->name, sizeof(facts->name), "%s", image.info.name);
	facts->verified_insns = image.info.verified_insns;
	facts->insns = image.insns;
	facts->jited_bytes = image.info.jited_prog_len;
	err = program_image_stack(&image, log->text, &facts->stack_bytes);
	program_image_free(&image);
	return err;
}

static int read_time(int prog_fd, struct program_time *time)
{
	struct bpf_prog_info info = {};
	__u32 bytes = sizeof(info);
	int err = bpf_obj_get_info_by_fd(prog_fd, &info, &bytes);

	*time = (struct program_time){.run_ns = info.run_time_ns, .runs = info.run_cnt};
	return err;
}

static int read_since(int prog_fd, const struct program_time *start, struct program_time *since)
{
	int err = read_time(prog_fd, since);

	since->run_ns -= start->run_ns;
	since->runs -= start->runs;
	return err;
}

/* Return: a program fd, or -errno. */
static int load_empty(void)
{
	static const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_DROP},
		{.code = BPF_JMP | BPF_EXIT},
	};

	return bpf_prog_load(BPF_PROG_TYPE_XDP, "empty", "GPL", insns, sizeof(insns) / sizeof(insns[0]),
			     NULL);
}

static int clock_fill(struct program_clock *clock)
{
	clock->empty = load_empty();
	if (clock->empty < 0)
		return clock->empty;
	clock->statistics = bpf_enable_stats(BPF_STATS_RUN_TIME);
	return clock->statistics < 0 ? clock->statistics : program_clock_start(clock);
}

int program_clock_open(struct program_clock **result, const int *prog_fds, unsigned int programs)
{
	struct program_clock *clock;
	int err;

	if (programs > BENCH_PROGRAMS)
		return -E2BIG;
	clock = malloc(sizeof(*clock));
	if (!clock)
		return -ENOMEM;
	*clock = (struct program_clock){.statistics = -1, .empty = -1, .programs = programs};
	for (unsigned int i = 0; i < programs; i++)
		clock->prog_fd[i] = prog_fds[i];
	err = clock_fill(clock);
	if (err) {
		program_clock_close(clock);
		return err;
	}
	*result = clock;
	return 0;
}

void program_clock_close(struct program_clock *clock)
{
	if (!clock)
		return;
	if (clock->statistics >= 0)
		close(clock->statistics);
	if (clock->empty >= 0)
		close(clock->empty);
	free(clock);
}

int program_clock_start(struct program_clock *clock)
{
	int err = 0;

	for (unsigned int i = 0; !err && i < clock->programs; i++)
		err = read_time(clock->prog_fd[i], &clock->start[i]);
	return err;
}

int program_clock_read(const struct program_clock *clock, struct program_time *since)
{
	int err = 0;

	for (unsigned int i = 0; !err && i < clock->programs; i++)
		err = read_since(clock->prog_fd[i], &clock->start[i], &since[i]);
	return err;
}

int program_clock_empty(struct program_clock *clock, unsigned int runs, struct program_time *time)
{
	static const char frame[64];
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = (int)runs);
	struct program_time start;
	int err = read_time(clock->empty, &start);

	if (!err)
		err = bpf_prog_test_run_opts(clock->empty, &options);
	return err ? err : read_since(clock->empty, &start, time);
}

double program_time_per_run(const struct program_time *time)
{
	return program_time_per_packet(time, 0, time->runs);
}

double program_time_per_packet(const struct program_time *time, double empty_ns, __u64 packets)
{
	return packets ? ((double)time->run_ns - empty_ns * (double)time->runs) / (double)packets : NAN;
}
