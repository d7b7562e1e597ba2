// SPDX-License-Identifier: GPL-2.0-only
/* What the bench compares with: the least that a program can do with a frame. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

const volatile __u32 egress_ifindex = 0;

/* The floor of everything that forwards: no look at the frame, no edit. */
SEC("xdp")
int xl_redirect(struct xdp_md *ctx __attribute__((unused)))
{
	return bpf_redirect(egress_ifindex, 0);
}

char LICENSE[] SEC("license") = "GPL";
