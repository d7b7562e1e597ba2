// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include <bpf/bpf.h>

#include "datapath/flows.h"
#include "observer/expiry.h"

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

static int tell(const struct flows_sweep *sweep, const struct flow_key *key, const struct tcp_track *track)
{
	struct trace_event event;

	if (!expiry_event(&event, key, track, sweep->now_ns, sweep->stopped))
		return 0;
	return sweep->handler(sweep->context, &event, NULL);
}

static int remove_old(int fd, const struct batch *batch, __u32 count, const struct flows_sweep *sweep)
{
	int removed = 0;

	for (__u32 i = 0; i < count; i++) {
		const struct tcp_track *track = &batch->values[i].track;
		int err;

		if (!sweep->stopped && sweep->now_ns < expiry_ns(track))
			continue;
		if (bpf_map_delete_elem(fd, &batch->keys[i])) /* pushed out meanwhile */
			continue;
		removed++;
		err = tell(sweep, &batch->keys[i], track);
		if (err)
			return err;
	}
	return removed;
}

int flows_sweep(int fd, const struct flows_sweep *sweep)
{
	struct batch *batch = malloc(sizeof(*batch));
	__u32 position, *from = NULL;
	int err = batch ? 0 : -ENOMEM, sum = 0, removed = 0;

	while (!err && removed >= 0) {
		__u32 count = BATCH;

		err = bpf_map_lookup_batch(fd, from, &position, batch->keys, batch->values, &count, NULL);
		from = &position;
		if (!err || err == -ENOENT) /* ENOENT: that was the last batch */
			removed = remove_old(fd, batch, count, sweep);
		sum += removed;
	}
	free(batch);
	if (removed < 0)
		return removed;
	return err == -ENOENT ? sum : err;
}
