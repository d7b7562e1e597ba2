/* SPDX-License-Identifier: GPL-2.0-only */
/* A generator is a weapon: what it may be pointed at without being told that the network is one's own. */
#ifndef XDPLIFE_GUARD_H
#define XDPLIFE_GUARD_H

#include <stdbool.h>

#include "net/iface.h"
#include "traffic/target.h"

/**
 * guard_check() - refuse what could hurt others
 * @owned: the user says that the network is theirs
 *
 * Allowed without that is a veth, to private and test addresses only. No flag allows broadcast and multicast.
 * Return: 0, or EXIT_FAILED with the reason said.
 */
int guard_check(const struct iface *iface, const struct target *to, bool owned);

/* The same of the interface alone. */
int guard_iface(const struct iface *iface, bool owned);

/* Of sources other than our own address: whoever has them gets the answers. */
int guard_source(const struct target *from, bool owned);

/* The next hop's MAC is that of one station, whatever the flag. */
int guard_mac(const uint8_t mac[6]);

/**
 * guard_frame() - whether a frame of somebody's capture may be sent on a veth
 * @address: INET6_ADDRSTRLEN of room; its destination if it may not
 *
 * What has no IP destination goes no further than the cable, and broadcast and multicast are part of nearly every
 * capture: these may. A host must have a private or test address.
 */
bool guard_frame(const void *frame, uint32_t bytes, char *address);

#endif
