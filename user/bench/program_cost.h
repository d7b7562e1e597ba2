/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a loaded BPF program costs: the facts that the verifier and the JIT settled, which are the same every
 * time, and the time that its runs take. How often it calls the kernel's helpers is in helper_calls.h.
 */
#ifndef XDPLIFE_PROGRAM_COST_H
#define XDPLIFE_PROGRAM_COST_H

#include <bpf/libbpf.h>

#include "bench/bench.h"

#define PROGRAM_LOG_BYTES 4096

/* The verifier's statistics on one program. Only the log has its stack, and only while it is loaded. */
struct program_log {
	const struct bpf_program *program; /* has an fd once it is loaded; goes with its object */
	char text[PROGRAM_LOG_BYTES];
};

/* Of all programs that are to be loaded in some objects; {} to begin with. */
struct program_logs {
	struct program_log log[BENCH_PROGRAMS];
	unsigned int count;
};

/**
 * program_logs_attach() - let the verifier write down its statistics when this object is loaded
 * To be called between open and load, when it is settled which programs are loaded (autoload). The logs stay
 * the caller's, and where they are until the object is loaded.
 *
 * Return: 0; -E2BIG for more than BENCH_PROGRAMS; -errno.
 */
int program_logs_attach(struct program_logs *logs, struct bpf_object *object);

/**
 * program_facts() - what does not change from load to load
 * @facts: name, verified_insns, insns, jited_bytes and stack_bytes are set, the rest is left alone
 * @log:   written when this program was loaded; stack_bytes is that of the deepest chain of calls
 *         (program_image_stack() says what that means)
 *
 * Return: 0; -ENODATA if the log has no statistics; -errno.
 */
int program_facts(struct bench_program *facts, int prog_fd, const struct program_log *log);

/* The time that a program ran and how often, as the kernel's run statistics have it. */
struct program_time {
	__u64 run_ns;
	__u64 runs;
};

/* Reads the run time of some programs. While one is open, each BPF program of the machine is a bit slower. */
struct program_clock;

/**
 * program_clock_open() - switch run statistics on; the clock is started
 * By bpf_enable_stats(), not by the sysctl: they go off with the last clock, however its process ends.
 * @prog_fds: at most BENCH_PROGRAMS; they stay the caller's, and open as long as the clock
 *
 * Return: 0 with *clock to be closed by program_clock_close(); -E2BIG for more programs; -EPERM without
 * CAP_SYS_ADMIN; -errno.
 */
int program_clock_open(struct program_clock **clock, const int *prog_fds, unsigned int programs);
void program_clock_close(struct program_clock *clock); /* NULL is allowed */

/* Begins anew: what ran until now is forgotten. 0 or -errno. */
int program_clock_start(struct program_clock *clock);

/* since[]: of each program in the order of prog_fds, what it ran since the start. 0 or -errno. */
int program_clock_read(const struct program_clock *clock, struct program_time *since);

/**
 * program_clock_empty() - run a program that does nothing so many times
 * The statistics themselves read a clock twice, part of which they take for run time: measured next to a
 * program, this is what to subtract from it.
 *
 * Return: 0 with *time set (runs is exact); -EINTR after a signal; -errno.
 */
int program_clock_empty(struct program_clock *clock, unsigned int runs, struct program_time *time);

/* Mean ns of a run; NAN if there was none. */
double program_time_per_run(const struct program_time *time);

/*
 * ns a packet, less @empty_ns (program_time_per_run() of the empty program) for each run; NAN if there was no
 * packet. A program may run more or less than once a packet: at the tracepoints, once a batch.
 */
double program_time_per_packet(const struct program_time *time, double empty_ns, __u64 packets);

#endif
