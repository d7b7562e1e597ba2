// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "datapath/local_address.h"
#include "datapath/owner.h"
#include "datapath/preflight.h"
#include "net/netns.h"
#include "owner.skel.h"
#include "util/clock.h"
#include "util/log.h"

#define KERNEL_BTF      "/sys/kernel/btf/vmlinux"
#define LOOK_READS      8 /* each goes through a million files at most */
#define PAUSE_MIN_NS    (100 * NS_PER_MS)
#define PAUSE_MAX_NS    (60 * NS_PER_S)
#define LOOK_REST_TIMES 20 /* as long as a look took: it may take a twentieth of our time */

struct owners {
	struct owner_bpf *skel;
	struct cgroups *cgroups;
	struct local_addresses *local;
	__u64 looked_ns;
	__u64 took_ns;
	__u64 pause_ns;
};

static int load(struct owner_bpf *skel)
{
	struct stat pidns;
	int err;

	skel->rodata->netns_inum = netns_inum();
	if (!stat("/proc/self/ns/pid", &pidns))
		skel->rodata->pidns_inum = (unsigned int)pidns.st_ino;
	err = owner_bpf__load(skel);
	return err ? err : owner_bpf__attach(skel);
}

/* Has the kernel go through all open files. */
static void look(struct owners *owners)
{
	__u64 began_ns = clock_monotonic_ns();
	int fd = bpf_iter_create(bpf_link__fd(owners->skel->links.xdplife_files));
	char nothing[1];

	for (int i = 0; fd >= 0 && i < LOOK_READS; i++)
		if (read(fd, nothing, sizeof(nothing)) >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
	if (fd >= 0)
		close(fd);
	owners->looked_ns = clock_monotonic_ns();
	owners->took_ns = owners->looked_ns - began_ns;
}

struct owners *owners_open(void)
{
	struct owners *owners;
	int err = -ENOMEM;

	if (access(KERNEL_BTF, R_OK)) {
		log_warn("a kernel with CONFIG_DEBUG_INFO_BTF",
			 "connections are shown without their processes: no " KERNEL_BTF);
		return NULL;
	}
	owners = calloc(1, sizeof(*owners));
	if (!owners)
		return NULL;
	owners->cgroups = cgroups_open();
	owners->local = local_addresses_open();
	owners->skel = owner_bpf__open();
	if (owners->skel && owners->cgroups && owners->local)
		err = load(owners->skel);
	if (!err) {
		look(owners); /* when we watch already: nothing falls between */
		return owners;
	}
	log_warn(preflight_load_cure(err), "connections are shown without their processes: %s",
		 strerror(-err));
	owners_close(owners);
	return NULL;
}

static void socket_key(struct steer_key *socket, const struct flow_key *key, flow_end end)
{
	*socket = (struct steer_key){
		.local = key->addr[end],
		.remote = key->addr[!end],
		.local_port = key->port[end],
		.remote_port = key->port[!end],
		.ip_version = key->ip_version,
	};
}

/* The socket was there during that time: not one before, nor one after, with the same addresses and ports. */
static bool was_there(const struct owner_record *record, __u64 first_ns, __u64 last_ns)
{
	return record->since_ns <= last_ns && (!record->closed_ns || record->closed_ns >= first_ns);
}

static bool look_up(const struct owners *owners, const struct steer_key *socket, __u64 first_ns,
		    __u64 last_ns, struct owner_record *record)
{
	return !bpf_map_lookup_elem(bpf_map__fd(owners->skel->maps.owners), socket, record) &&
	       was_there(record, first_ns, last_ns);
}

/* Each look in vain doubles the time until the next: an address of ours need not have a socket (a scan, a flood). */
static bool look_again(struct owners *owners, const struct steer_key *socket, __u64 first_ns, __u64 last_ns,
		       struct owner_record *record)
{
	__u64 rested_ns = clock_monotonic_ns() - owners->looked_ns;
	bool found;

	if (rested_ns < owners->pause_ns || rested_ns < owners->took_ns * LOOK_REST_TIMES)
		return false;
	look(owners);
	found = look_up(owners, socket, first_ns, last_ns, record);
	owners->pause_ns = found ? 0 : 2 * owners->pause_ns;
	if (!found && owners->pause_ns < PAUSE_MIN_NS)
		owners->pause_ns = PAUSE_MIN_NS;
	if (owners->pause_ns > PAUSE_MAX_NS)
		owners->pause_ns = PAUSE_MAX_NS;
	return found;
}

/* The far end of a connection, and both ends of one that is only forwarded, are in no file here. */
static bool find_record(struct owners *owners, const struct steer_key *socket, __u64 first_ns, __u64 last_ns,
			struct owner_record *record)
{
	enum locality locality =
		local_addresses_find(owners->local, socket->ip_version, &socket->local, clock_monotonic_ns());

	if (locality == LOCALITY_ELSEWHERE)
		return false;
	if (look_up(owners, socket, first_ns, last_ns, record))
		return true;
	return locality == LOCALITY_HERE && look_again(owners, socket, first_ns, last_ns, record);
}

int owners_find(struct owners *owners, const struct flow_key *key, flow_end end, __u64 first_ns,
		__u64 last_ns, struct owner *owner)
{
	struct owner_record record;
	struct steer_key socket;

	if (!owners)
		return -ENOENT;
	socket_key(&socket, key, end);
	if (!find_record(owners, &socket, first_ns, last_ns, &record))
		return -ENOENT;
	*owner = (struct owner){.pid = record.pid, .how = record.how, .cgroup_id = record.cgroup_id};
	memcpy(owner->comm, record.comm, sizeof(owner->comm) - 1);
	snprintf(owner->cgroup, sizeof(owner->cgroup), "%s",
		 cgroups_path(owners->cgroups, record.cgroup_id, record.pid, record.since_ns));
	cgroup_container(owner->cgroup, owner->container);
	return 0;
}

const char *owner_how_key(__u8 how)
{
	static const char *const keys[] = {
		[OWNER_CONNECTED] = "connect",
		[OWNER_LISTENED] = "listen",
		[OWNER_CLOSED] = "close",
		[OWNER_HELD] = "open-file",
	};

	return how < sizeof(keys) / sizeof(keys[0]) ? keys[how] : "unknown";
}

void owners_close(struct owners *owners)
{
	if (!owners)
		return;
	owner_bpf__destroy(owners->skel);
	local_addresses_close(owners->local);
	cgroups_close(owners->cgroups);
	free(owners);
}
