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

/* Frames of a capture, instead of crafted ones. */
struct sender_replay {
	uint32_t largest_bytes;
	bool own_timing; /* each when its slot says; else at the rate */
};

struct sender_config {
	const struct craft_config *craft;
	const struct sender_replay *replay; /* NULL: none; else craft is not used */
	unsigned int index;        /* of the thread */
	const struct iface *iface; /* of the current network namespace */
	double rate_pps;           /* 0: as fast as it goes */
	bool constant; /* live frames only: the same frame over and over, to measure what the frames cost */
};

struct sender {
	const struct sender_ops *ops;
	struct generator_run *run; /* where it stands; the caller sets limit and stop, at any time */
	int program; /* the BPF program that makes the frames, for whoever measures it; -1: none */
	struct replay_slot *slots; /* REPLAY_SLOTS of them, for a replay's frames; else NULL */
};

struct sender_ops {
	const char *name; /* "live frames" */
	/* Return: 0; -EOPNOTSUPP where the kernel cannot; -EPERM; another -errno. */
	int (*open)(struct sender **sender, const struct sender_config *config);
	/*
	 * Makes and sends frames until run->limit is reached, or run->stop is set and the thread gets a signal; it wants
	 * one when run->rest is set, too. In the namespace of the interface; -EXDEV in another.
	 * Return: 0, or -errno if the interface or the kernel will have no more.
	 */
	int (*send)(struct sender *sender);
	void (*close)(struct sender *sender);
	/* Says why open() has failed with @err, and what to try. Return: an exit_code. */
	int (*say_error)(const struct iface *iface, int err);
};

extern const struct sender_ops sender_live;
extern const struct sender_ops sender_af_xdp;

#endif
