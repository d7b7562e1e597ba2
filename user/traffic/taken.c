// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "net/netns.h"
#include "traffic/taken.h"
#include "xdplife/counters.h"

#include "xmit.skel.h"

struct taken {
	struct xmit_bpf *skel;
	struct port_counters *each; /* one a CPU */
	int cpus;
};

/* Others may send by the same interface at the same time. */
static int count_only_ours(struct xmit_bpf *skel)
{
	struct stat pidns;

	if (stat("/proc/self/ns/pid", &pidns))
		return -errno;
	skel->rodata->netns_inum = netns_inum();
	skel->rodata->sender_tgid = (__u32)getpid();
	skel->rodata->sender_pidns_dev = pidns.st_dev;
	skel->rodata->sender_pidns_ino = pidns.st_ino;
	return 0;
}

/* The tracepoints' object has all maps of the datapath; here it needs two. */
static int load(struct xmit_bpf *skel)
{
	struct bpf_map *map;
	int err = count_only_ours(skel);

	bpf_object__for_each_map(
		map, skel->obj) if (!bpf_map__is_internal(map) && map != skel->maps.counters &&
				    map != skel->maps.port_of_ifindex) bpf_map__set_autocreate(map, false);
	return err ? err : xmit_bpf__load(skel);
}

int taken_open(struct taken **result, unsigned int ifindex)
{
	struct taken *taken;
	__u32 port = 0;
	int err;

	if (access("/sys/kernel/btf/vmlinux", R_OK))
		return -EOPNOTSUPP;
	taken = calloc(1, sizeof(*taken));
	if (!taken)
		return -ENOMEM;
	taken->cpus = libbpf_num_possible_cpus();
	taken->each = taken->cpus < 0 ? NULL : calloc(taken->cpus, sizeof(*taken->each));
	taken->skel = xmit_bpf__open();
	err = taken->each && taken->skel ? load(taken->skel) : -ENOMEM;
	if (!err)
		err = bpf_map_update_elem(bpf_map__fd(taken->skel->maps.port_of_ifindex), &ifindex, &port,
					  BPF_ANY);
	if (!err)
		err = xmit_bpf__attach(taken->skel);
	if (err) {
		taken_close(taken);
		return err;
	}
	*result = taken;
	return 0;
}

int taken_read(const struct taken *taken, struct taken_report *report)
{
	__u32 port = 0;
	int err = bpf_map_lookup_elem(bpf_map__fd(taken->skel->maps.counters), &port, taken->each);

	*report = (struct taken_report){0};
	for (int i = 0; !err && i < taken->cpus; i++) {
		report->taken += taken->each[i].xmit_sent;
		report->refused += taken->each[i].after[AFTER_EGRESS];
	}
	return err;
}

void taken_close(struct taken *taken)
{
	if (!taken)
		return;
	xmit_bpf__destroy(taken->skel);
	free(taken->each);
	free(taken);
}
