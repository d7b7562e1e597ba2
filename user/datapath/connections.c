// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>

#include <bpf/bpf.h>

#include "datapath/connections.h"

#define BATCH 1024 /* entries a system call */

/* As struct flow_entry in bpf/maps.h. */
struct flow_value {
	__u32 lock, changes, proven, _pad;
	struct tcp_track track;
};

struct batch {
	struct flow_key keys[BATCH];
	struct flow_value values[BATCH];
};

long connections_read(const struct datapath *dp, struct connection *rows, size_t max)
{
	int fd = datapath_map_fd(dp, "flows"), err = 0;
	struct batch *batch = malloc(sizeof(*batch));
	__u32 position, *from = NULL;
	size_t used = 0;

	if (!batch)
		return -ENOMEM;
	while (!err && used < max) {
		__u32 count = BATCH;

		err = bpf_map_lookup_batch(fd, from, &position, batch->keys, batch->values, &count, NULL);
		from = &position;
		for (__u32 i = 0; (!err || err == -ENOENT) && i < count && used < max;
		     i++) /* ENOENT: the last */
			rows[used++] =
				(struct connection){.key = batch->keys[i], .track = batch->values[i].track};
	}
	free(batch);
	return err && err != -ENOENT ? err : (long)used;
}
