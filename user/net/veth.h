/* SPDX-License-Identifier: GPL-2.0-only */
/* The other end of a veth pair, which decides whether frames can be redirected to this end. */
#ifndef XDPLIFE_VETH_H
#define XDPLIFE_VETH_H

#include <limits.h>

#include "net/iface.h"

struct veth_peer {
	struct iface iface;
	bool gro;                 /* generic receive offload is on */
	char netns[NAME_MAX + 1]; /* its namespace as `ip netns` names it; empty: this one, or one without a name */
};

/**
 * veth_peer_get() - look up the peer, in whichever network namespace it is
 * The thread enters that namespace and comes back.
 *
 * Return: 0; -ENOENT if no process and no name of `ip netns` leads to its namespace; another -errno.
 */
int veth_peer_get(const struct iface *iface, struct veth_peer *peer);

#endif
