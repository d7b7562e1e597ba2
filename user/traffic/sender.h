/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One thread's end of a stream: makes the frames of its craft_config and gives them to an interface.
 *
 * Two ways: live frames (BPF_PROG_TEST_RUN with BPF_F_TEST_XDP_LIVE_FRAMES, Linux 5.18), where a BPF program writes
 * them and no system call is made for each; and AF_XDP, which every kernel has that we run on, several times slower.
 * Both write the same bytes.
 *
 * How to add one: a file that ends in its struct sender_ops, and a line in generator.c.
 */
#ifndef XDPLIFE_SENDER_H
#define XDPLIFE_SENDER_H

#include <stdbool.h>

#include "net/iface.h"
#include "xdplife/generate.h"

struct sender_config {
	const struct craft_config *craft;
	const struct iface *iface; /* of the current network namespace */
	double rate_pps;           /* 0: as fast as it goes */
	bool constant; /* live frames only: the same frame over and over, to measure what the frames cost */
};

struct sender {
	const struct sender_ops *ops;
	struct generator_run *run; /* where it stands; the caller sets limit and stop, at any time */
	int program; /* the BPF program that makes the frames, for whoever measures it; -1: none */
};

struct sender_ops {
	const char *name; /* "live frames" */
	/* Return: 0; -EOPNOTSUPP where the kernel cannot; -EPERM; another -errno. */
	int (*open)(struct sender **sender, const struct sender_config *config);
	/*
	 * Makes and sends frames until run->limit is reached, or run->stop is set and the thread gets a signal.
	 * In the namespace of the interface; -EXDEV in another.
	 * Return: 0, or -errno if the interface or the kernel will have no more.
	 */
	int (*send)(struct sender *sender);
	void (*close)(struct sender *sender);
};

extern const struct sender_ops sender_live;

/* Nanoseconds between two frames << PACE_SHIFT, or 0 for as fast as it goes. */
static inline __u64 sender_interval(double rate_pps)
{
	return rate_pps > 0 ? (__u64)(1e9 * (1 << PACE_SHIFT) / rate_pps) : 0;
}

#endif
