// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "datapath/route_cache.h"
#include "net/route_watch.h"

#define PAIR_BYTES 128 /* struct route_pair in bpf/maps.h */
#define MAX_PAIRS  131072
#define MAX_BYTES  (64 << 20)

__u32 route_cache_pairs(int cpus)
{
	__u32 pairs = MAX_PAIRS;

	while (pairs > 1 && (__u64)pairs * PAIR_BYTES * cpus > MAX_BYTES)
		pairs /= 2;
	return pairs;
}

int route_cache_start(struct route_cache *cache, int generation_fd)
{
	void *memory =
		mmap(NULL, sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_SHARED, generation_fd, 0);
	int err;

	*cache = (struct route_cache){0};
	if (memory == MAP_FAILED)
		return -errno;
	cache->generation = memory;
	err = route_watch_start(&cache->watch, cache->generation);
	if (err)
		route_cache_stop(cache);
	return err;
}

void route_cache_stop(struct route_cache *cache)
{
	route_watch_stop(cache->watch);
	if (cache->generation)
		munmap(cache->generation, sysconf(_SC_PAGESIZE));
	*cache = (struct route_cache){0};
}
