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

#endif
