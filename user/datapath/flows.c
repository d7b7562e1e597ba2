// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>

#include "datapath/flows.h"
#include "datapath/map_walk.h"
#include "observer/expiry.h"

struct walk {
	int fd;
	int removed;
	const struct flows_sweep *sweep;
};

static int tell(const struct flows_sweep *sweep, const struct flow_key *key, const struct tcp_track *track)
{
	struct trace_event event;

	if (!expiry_event(&event, key, track, sweep->now_ns, sweep->stopped))
		return 0;
	return sweep->handler(sweep->context, &event, NULL);
}

static int remove_old(void *context, const void *key, const void *value)
{
	const struct tcp_track *track = &((const struct flow_value *)value)->track;
	struct walk *walk = context;

	if (!walk->sweep->stopped && walk->sweep->now_ns < expiry_ns(track))
		return 0;
	if (bpf_map_delete_elem(walk->fd, key)) /* pushed out meanwhile */
		return 0;
	walk->removed++;
	return tell(walk->sweep, key, track);
}

int flows_sweep(int fd, const struct flows_sweep *sweep)
{
	struct walk walk = {.fd = fd, .sweep = sweep};
	int err = map_walk(fd, sizeof(struct flow_key), sizeof(struct flow_value), remove_old, &walk);

	return err ? err : walk.removed;
}
