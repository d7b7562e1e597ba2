/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The filter: two functions whose instructions userspace replaces by the person's pcap-filter(7), translated,
 * while it loads the programs (user/datapath/filter_install.h). They return 0 for a frame that the filter
 * does not want.
 *
 * Global and by these names: the verifier walks through each once, and they are found by their names. What
 * they return here, and that they need the context, is hidden from the compiler, or it would build on it.
 */
#ifndef XDPLIFE_BPF_FILTER_H
#define XDPLIFE_BPF_FILTER_H

#include "maps.h"

__noinline int filter_xdp(struct xdp_md *ctx)
{
	int match = 1;

	asm volatile("" : "+r"(match) : "r"(ctx));
	return match;
}

__noinline int filter_tc(struct __sk_buff *skb)
{
	int match = 1;

	asm volatile("" : "+r"(match) : "r"(skb));
	return match;
}

static __always_inline int filtered_xdp(struct xdp_md *ctx, struct port_counters *count)
{
	if (!cfg.filter || filter_xdp(ctx))
		return 0;
	count->observed[OBSERVED_FILTERED]++;
	return 1;
}

static __always_inline int filtered_tc(struct __sk_buff *skb, struct port_counters *count)
{
	if (!cfg.filter || filter_tc(skb))
		return 0;
	count->observed[OBSERVED_FILTERED]++;
	return 1;
}

#endif
