/* SPDX-License-Identifier: GPL-2.0-only */
/* The time as of the last tick (some milliseconds), for what needs no better: without a call, but for one a tick. */
#ifndef XDPLIFE_BPF_CLOCK_H
#define XDPLIFE_BPF_CLOCK_H

#include "maps.h"

/* CLOCK_MONOTONIC. The jiffies are read by one instruction (the verifier sees to it), the clock by a call. */
static __always_inline __u64 clock_coarse_ns(void)
{
	__u32 zero = 0;
	struct tick *tick = bpf_map_lookup_elem(&ticks, &zero);
	__u64 jiffies = bpf_jiffies64();

	if (!tick)
		return bpf_ktime_get_coarse_ns();
	if (tick->jiffies != jiffies) {
		tick->time_ns = bpf_ktime_get_coarse_ns();
		tick->jiffies = jiffies;
	}
	return tick->time_ns;
}

#endif
