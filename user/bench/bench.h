/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a bench run found: plain data, filled by the runner, read by the table, the JSON, the chart and the gate.
 *
 * A speed is a ratio: rates of different runs are not comparable, ratios to the floor of the same run are. Times are in
 * ns, rates in packets a second, sizes in bytes, unless a name says otherwise. NAN is "not measured".
 */
#ifndef XDPLIFE_BENCH_H
#define XDPLIFE_BENCH_H

#include <linux/types.h>
#include <stdbool.h>

#define BENCH_NAME_MAX    32
#define BENCH_SUMMARY_MAX 128
#define BENCH_SCENARIOS   32
#define BENCH_PROGRAMS    8
#define BENCH_HELPERS     24
#define BENCH_DROPS       16
#define BENCH_LOADS       3

/* The median of a figure over the rounds, and how sure it is. */
struct bench_spread {
	double median;
	double low, high; /* quartiles of the rounds */
	double noise;     /* standard error of the median, in the figure's own unit */
	unsigned int rounds;
};

/* One-way latency while a fraction of the highest loss-free rate is offered. */
struct bench_latency {
	double load; /* 0.1, 0.5, 0.9 */
	double offered_pps;
	__u64 packets; /* that carried a time stamp and arrived */
	double p50_ns, p99_ns, p999_ns, max_ns;
};

enum bench_role { BENCH_GENERATOR, BENCH_DEVICE, BENCH_SINK, BENCH_ROLES };

struct bench_helper {
	char name[BENCH_NAME_MAX];
	double calls; /* a packet */
};

/* One BPF program of a scenario. All but ns is deterministic for a given kernel and compiler; of insns and bytes, 0 is
 * "not known". */
struct bench_program {
	char name[BENCH_NAME_MAX];
	enum bench_role role;
	unsigned int verified_insns; /* what the verifier processed */
	unsigned int insns;          /* after dead code was removed */
	unsigned int jited_bytes;
	unsigned int stack_bytes; /* the deepest chain of frames; 0: none */
	struct bench_helper helper[BENCH_HELPERS];
	unsigned int helpers;
	struct bench_spread ns; /* a packet, less what an empty program costs */
};

struct bench_drop {
	char where[BENCH_NAME_MAX]; /* the counter's name */
	__u64 packets;
};

/* sent = received + the sum of the named drops + residue; a residue that is not 0 fails the run. */
struct bench_ledger {
	__u64 sent, received;
	struct bench_drop drop[BENCH_DROPS];
	unsigned int drops;
	__s64 residue;
	__u64 duplicates, reordered; /* of those received */
};

struct bench_result {
	char name[BENCH_NAME_MAX];
	char floor[BENCH_NAME_MAX];      /* the scenario that it is a fraction of */
	char summary[BENCH_SUMMARY_MAX]; /* one line: what happens to each packet */
	unsigned int frame_bytes;        /* without the FCS */
	struct bench_spread ratio; /* floor's ns a packet / ours, of slices measured next to each other */
	struct bench_spread pps;
	struct bench_spread ns;                 /* CPU time of all stages together, a packet */
	struct bench_spread stage[BENCH_ROLES]; /* ns a packet in BPF programs of that role */
	/* The device's program, as a fraction of all else that the same frames took: what drifts is on both sides. */
	struct bench_spread device;
	double loss_free_pps;
	struct bench_latency latency[BENCH_LOADS];
	unsigned int latencies;
	struct bench_program program[BENCH_PROGRAMS];
	unsigned int programs;
	struct bench_ledger ledger; /* of everything that was sent in this scenario */
};

struct bench_run {
	__s64 time_s; /* since the epoch */
	char version[64], kernel[64], compiler[64], cpu[64];
	unsigned int cpus;
	bool split; /* generator, device and sink on cores of their own; else they share one */
	struct bench_result result[BENCH_SCENARIOS];
	unsigned int results;
};

#endif
