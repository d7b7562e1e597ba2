// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>

#include <bpf/bpf.h>

#include "datapath/map_walk.h"

#define BATCH 1024 /* entries a system call */

int map_walk(int fd, size_t key_bytes, size_t value_bytes, map_entry_handler each, void *context)
{
	char *keys = malloc(BATCH * (key_bytes + value_bytes)), *values = keys + BATCH * key_bytes;
	__u32 position, *from = NULL;
	int err = keys ? 0 : -ENOMEM, ended = 0;

	while (!err && !ended) {
		__u32 count = BATCH;

		err = bpf_map_lookup_batch(fd, from, &position, keys, values, &count, NULL);
		from = &position;
		if (err && err != -ENOENT) /* ENOENT: that was the last batch */
			break;
		for (__u32 i = 0; i < count && !ended; i++)
			ended = each(context, keys + i * key_bytes, values + i * value_bytes);
	}
	free(keys);
	return ended ? ended : err == -ENOENT ? 0 : err;
}
