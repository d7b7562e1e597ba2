/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What became of the frames that were handed to an interface: only the kernel's tracepoints tell what its driver took
 * and what it refused, because the far end's ring was full or the interface down.
 */
#ifndef XDPLIFE_TAKEN_H
#define XDPLIFE_TAKEN_H

#include <linux/types.h>

struct taken;

struct taken_report {
	__u64 taken, refused; /* frames */
};

/**
 * taken_open() - count from now on what this process sends by the interface as live frames
 * Return: 0; -EOPNOTSUPP where the kernel has no BTF; another -errno.
 */
int taken_open(struct taken **taken, unsigned int ifindex);

/* 0 or -errno. */
int taken_read(const struct taken *taken, struct taken_report *report);

/* NULL is allowed. */
void taken_close(struct taken *taken);

#endif
