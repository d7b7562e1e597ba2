/* SPDX-License-Identifier: GPL-2.0-only */
/* Makes room in the table of connections: what has ended or fallen silent leaves it. */
#ifndef XDPLIFE_FLOWS_H
#define XDPLIFE_FLOWS_H

#include <linux/types.h>

/**
 * flows_sweep() - forget connections that are over
 * Closed or reset ones stay as long as their last segments may still be repeated; silent ones as long as
 * Linux keeps them itself (nf_conntrack's figures for the same cases).
 * @fd:     of the map `flows`
 * @now_ns: CLOCK_MONOTONIC
 *
 * Return: how many were removed, or -errno.
 */
int flows_sweep(int fd, __u64 now_ns);

#endif
