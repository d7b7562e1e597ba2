// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdio.h>

#include <bpf/libbpf.h>

#include "datapath/memory.h"

static uint64_t memory_of(int fd)
{
	char path[64], line[128];
	uint64_t bytes = 0;
	FILE *info;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = fopen(path, "re");
	if (!info)
		return 0;
	while (!bytes && fgets(line, sizeof(line), info))
		if (sscanf(line, "memlock: %" SCNu64, &bytes) != 1)
			bytes = 0;
	fclose(info);
	return bytes;
}

uint64_t memory_of_maps(const struct bpf_object *object)
{
	const struct bpf_map *map;
	uint64_t sum = 0;

	bpf_object__for_each_map(map, object)
	{
		if (bpf_map__fd(map) >= 0)
			sum += memory_of(bpf_map__fd(map));
	}
	return sum;
}
