/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Translates a classic BPF program, as libpcap compiles a filter to, into eBPF for the hooks of the datapath.
 *
 * It is a function: bytes in, bytes out, no kernel. What the result says of a frame is what libpcap's
 * bpf_filter() says of the frame as it is on the wire.
 */
#ifndef XDPLIFE_FILTER_TRANSLATE_H
#define XDPLIFE_FILTER_TRANSLATE_H

#include <linux/bpf.h>
#include <linux/filter.h>
#include <stddef.h>

/* Where the filter is to run, and so what R1 holds: a struct xdp_md or a struct __sk_buff. */
enum filter_hook {
	FILTER_XDP,
	FILTER_XDP_LINEAR, /* before Linux 5.18: there is nothing but the linear part */
	FILTER_TC,         /* whose struct __sk_buff keeps the outermost VLAN tag beside the frame */
};

/* So long a result may be; any jump then reaches. */
#define FILTER_MAX_INSNS 32767

/**
 * filter_translate() - from classic BPF to the body of a function `int filter(context)`
 * @insn:    set to the instructions, to be freed by free(); they use no map and 80 bytes of stack at most
 * @insns:   set to how many they are
 * @classic: count of them
 *
 * The function returns, unsigned, what bpf_filter() would: not 0 if the frame matches.
 *
 * Return: 0; -EINVAL for what bpf_validate() or bpf_filter() refuses; -ELOOP for a jump backwards (libpcap's
 * "ip6 protochain" has them); -E2BIG for more than BPF_MAXINSNS or a result of more than FILTER_MAX_INSNS;
 * -ENOMEM.
 */
int filter_translate(struct bpf_insn **insn, size_t *insns, const struct sock_filter *classic, size_t count,
		     enum filter_hook hook);

#endif
