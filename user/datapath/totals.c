// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "datapath/flows.h"
#include "datapath/map_walk.h"
#include "datapath/totals.h"
#include "util/sysctl.h"

static int read_counters(const struct datapath *dp, struct summary *summary)
{
	struct port_counters counters;
	int err = 0;

	for (int i = 0; i < datapath_port_count(dp) && !err; i++) {
		err = datapath_counters(dp, i, &counters);
		if (!err)
			summary_add_counters(summary, &counters);
	}
	return err;
}

static int read_handshakes(int fd, struct summary *summary)
{
	int cpus = libbpf_num_possible_cpus(), err;
	struct handshakes *each;
	__u32 zero = 0;

	if (cpus < 0)
		return cpus;
	each = calloc(cpus, sizeof(*each));
	if (!each)
		return -ENOMEM;
	err = bpf_map_lookup_elem(fd, &zero, each);
	for (int i = 0; i < cpus && !err; i++)
		summary_add_handshakes(summary, &each[i]);
	free(each);
	return err;
}

static int add_talker(void *summary, const void *key, const void *sum)
{
	summary_add_talker(summary, key, sum);
	return 0;
}

int totals_read(const struct datapath *dp, struct summary *summary, bool talkers)
{
	int err = read_counters(dp, summary);

	if (!err)
		err = read_handshakes(datapath_map_fd(dp, "handshake_times"), summary);
	if (!err && talkers)
		err = map_walk(datapath_map_fd(dp, "talkers"), sizeof(struct talker_key),
			       sizeof(struct talker), add_talker, summary);
	return err;
}

int totals_occupancy(const struct datapath *dp, struct occupancy *table)
{
	__u64 opened = 0, out = datapath_swept(dp);

	for (int i = 0; i < datapath_port_count(dp); i++) {
		struct port_counters counters;
		int err = datapath_counters(dp, i, &counters);

		if (err)
			return err;
		opened += counters.opened;
		out += counters.evicted;
	}
	/* One that was swept between the two readings may be missing in the first. */
	table->used = opened > out ? opened - out : 0;
	table->max = datapath_flows(dp)->max;
	return 0;
}

bool totals_program_times_on(void)
{
	int on;

	return !sysctl_read("kernel/bpf_stats_enabled", &on) && on;
}

static struct program_time program_time(int fd)
{
	struct bpf_prog_info info = {0};
	__u32 bytes = sizeof(info);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &bytes))
		return (struct program_time){0};
	return (struct program_time){.runs = info.run_cnt, .run_ns = info.run_time_ns};
}

void totals_program_times(const struct datapath *dp, int port, struct program_time *xdp,
			  struct program_time *egress)
{
	*xdp = program_time(datapath_program(dp, port));
	*egress = program_time(datapath_egress_program(dp, port));
}
