/* SPDX-License-Identifier: GPL-2.0-only */
/* The steer stage: exactly the flows that our AF_XDP sockets have asked for go to them, everything else goes on. */
#ifndef XDPLIFE_BPF_STEER_H
#define XDPLIFE_BPF_STEER_H

#include "maps.h"

static __always_inline enum verdict steer(struct xdp_md *ctx, const struct packet *pkt)
{
	struct steer_key key;
	__u64 *frames;

	if (!(pkt->flags & PACKET_HAS_L4) || pkt->ip_proto != IPPROTO_TCP)
		return VERDICT_PASS;
	steer_key_of(&key, pkt);
	frames = bpf_map_lookup_elem(&steered_flows, &key);
	if (!frames)
		return VERDICT_PASS;
	if (bpf_redirect_map(&xsks, ctx->rx_queue_index, XDP_PASS) != XDP_REDIRECT)
		return VERDICT_STEER_NO_SOCKET;
	__sync_fetch_and_add(frames, 1);
	return VERDICT_STEER;
}

#endif
