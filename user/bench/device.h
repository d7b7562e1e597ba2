/* SPDX-License-Identifier: GPL-2.0-only */
/* The device under test: what stands on the bench's router, between the generator and the sink. */
#ifndef XDPLIFE_DEVICE_H
#define XDPLIFE_DEVICE_H

#include <linux/types.h>

#include "bench/bench.h"
#include "bench/topology.h"

enum device_kind {
	DEVICE_NONE,     /* the sink itself is on r0 */
	DEVICE_REDIRECT, /* a blind bpf_redirect from r0 to r1 */
	DEVICE_KERNEL,   /* no program: the kernel forwards */
	DEVICE_FORWARD,  /* xdplife forward */
	DEVICE_FORWARD_TRACE,
};

struct device;

/**
 * device_open() - load it and attach it to the router's interfaces
 * @idle_turns: a handicap for a program of ours, as in datapath_options
 *
 * Return: 0 with *device to be closed by device_close(); an exit_code with the error said.
 */
int device_open(struct device **device, enum device_kind kind, const struct topology *topology,
		unsigned int idle_turns);

/* The XDP program that each frame passes: a file descriptor, owned by the device; -1: none. */
int device_program(const struct device *device);

/* What the device itself says that it did, since it was opened. */
struct device_ledger {
	int known;       /* 0: this device does not count */
	__u64 seen;      /* frames that came in */
	__u64 forwarded; /* and left */
	__u64 failed;    /* were to leave, and the next interface did not take them */
	__u64 passed;    /* and went to the stack */
	__u64 dropped;   /* by a verdict */
	__u64 events, events_lost;
};

/* 0 or -errno. */
int device_ledger(const struct device *device, struct device_ledger *ledger);

/* NULL is allowed. */
void device_close(struct device *device);

#endif
