/* SPDX-License-Identifier: GPL-2.0-only */
/* The MAC of a next hop, from the kernel's neighbour table, which resolves it by ARP (RFC 826) or NDP (RFC
 * 4861). */
#ifndef XDPLIFE_NEIGHBOUR_H
#define XDPLIFE_NEIGHBOUR_H

#include <stdbool.h>
#include <stdint.h>

#include "xdplife/wire.h"

struct neighbour {
	uint8_t mac[6];
	uint16_t state;    /* NUD_* of linux/neighbour.h */
	bool resolved_now; /* the table had no usable entry: the kernel asked the link for us */
};

/**
 * neighbour_resolve() - the MAC of @address on interface @ifindex
 * @ip_version: 4 or 6
 * @timeout_ns: how long to wait where the kernel has to ask the link first; it gives up after about three
 * seconds
 *
 * An entry that is usable but stale is used, and the kernel is told to verify it.
 * Return: 0; -EHOSTUNREACH if nobody answered; -EPERM without CAP_NET_ADMIN; -EINTR on a signal; another
 * -errno.
 */
int neighbour_resolve(unsigned int ifindex, int ip_version, const union ip_addr *address, uint64_t timeout_ns,
		      struct neighbour *neighbour);

/* Makes the kernel ask the link for @address, and returns without waiting for the answer. 0 or -errno. */
int neighbour_ask(unsigned int ifindex, int ip_version, const union ip_addr *address);

/* "REACHABLE", "STALE", ... (RFC 4861 §7.3.2 and Linux's own) */
const char *neighbour_state_text(uint16_t state);

#endif
