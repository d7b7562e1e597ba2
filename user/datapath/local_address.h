/* SPDX-License-Identifier: GPL-2.0-only */
/* Whether an address is one of this host's: the kernel's routing table is asked, seldom, and its answers remembered. */
#ifndef XDPLIFE_LOCAL_ADDRESS_H
#define XDPLIFE_LOCAL_ADDRESS_H

#include "xdplife/wire.h"

struct local_addresses;

/* Return: to be freed by local_addresses_close(); NULL: no memory. */
struct local_addresses *local_addresses_open(void);

enum locality {
	LOCALITY_UNKNOWN, /* asked too often already */
	LOCALITY_HERE,    /* an address of this host, in this network namespace */
	LOCALITY_ELSEWHERE,
};

/**
 * local_addresses_find() - whether the address is one of ours
 * An answer holds for some seconds. There are no more than a thousand questions a second.
 *
 * @now_ns: CLOCK_MONOTONIC
 */
enum locality local_addresses_find(struct local_addresses *addresses, int ip_version,
				   const union ip_addr *address, __u64 now_ns);

/* NULL is allowed. */
void local_addresses_close(struct local_addresses *addresses);

#endif
