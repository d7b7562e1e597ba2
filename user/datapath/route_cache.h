/* SPDX-License-Identifier: GPL-2.0-only */
/* Userspace's part of the route cache (bpf/route_cache.h): how large it is, and what makes its answers void. */
#ifndef XDPLIFE_ROUTE_CACHE_H
#define XDPLIFE_ROUTE_CACHE_H

#include <linux/types.h>

struct route_watch;

struct route_cache {
	__u32 *generation; /* the map `route_generation`, in our memory */
	struct route_watch *watch;
};

/* Pairs of slots for each of so many CPUs, a power of two: enough for 65,536 destinations, and 64 MiB in all at most. */
__u32 route_cache_pairs(int cpus);

/**
 * route_cache_start() - watch for changes of what routes depend on
 * @generation_fd: of the map `route_generation`
 *
 * Return: 0 with *cache to be stopped by route_cache_stop(); -errno, nothing to be stopped.
 */
int route_cache_start(struct route_cache *cache, int generation_fd);

/* Also what was only zeroed. */
void route_cache_stop(struct route_cache *cache);

#endif
