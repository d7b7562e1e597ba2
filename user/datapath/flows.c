// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include <bpf/bpf.h>

#include "datapath/flows.h"
#include "util/clock.h"
#include "xdplife/flow.h"
#include "xdplife/tcp_track.h"

#define BATCH 1024 /* entries a system call */

/* Seconds of silence after which a connection in that phase is forgotten. */
static const __u32 patience_s[] = {
	[TCP_PHASE_NONE] = 10,     [TCP_PHASE_OPENING] = 120,
	[TCP_PHASE_ANSWERED] = 60, [TCP_PHASE_ESTABLISHED] = 5 * 24 * 3600,
	[TCP_PHASE_CLOSING] = 120, [TCP_PHASE_CLOSED] = 120,
	[TCP_PHASE_RESET] = 10,
};

/* As struct flow_entry in bpf/maps.h: the lock, then the state. */
struct flow_value {
	__u32 lock[2];
	struct tcp_track track;
};

struct batch {
	struct flow_key keys[BATCH];
	struct flow_value values[BATCH];
};

static int is_over(const struct tcp_track *track, __u64 now_ns)
{
	__u8 phase = track->phase <= TCP_PHASE_RESET ? track->phase : TCP_PHASE_NONE;

	return now_ns > track->last_ns && now_ns - track->last_ns > patience_s[phase] * NS_PER_S;
}

static int remove_old(int fd, const struct batch *batch, __u32 count, __u64 now_ns)
{
	int removed = 0;

	for (__u32 i = 0; i < count; i++)
		if (is_over(&batch->values[i].track, now_ns) && !bpf_map_delete_elem(fd, &batch->keys[i]))
			removed++;
	return removed;
}

int flows_sweep(int fd, __u64 now_ns)
{
	struct batch *batch = malloc(sizeof(*batch));
	__u32 position, *from = NULL;
	int err = batch ? 0 : -ENOMEM, removed = 0;

	while (!err) {
		__u32 count = BATCH;

		err = bpf_map_lookup_batch(fd, from, &position, batch->keys, batch->values, &count, NULL);
		from = &position;
		if (!err || err == -ENOENT) /* ENOENT: that was the last batch */
			removed += remove_old(fd, batch, count, now_ns);
	}
	free(batch);
	return err == -ENOENT ? removed : err;
}
