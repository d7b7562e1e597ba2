/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a process belongs: the path of its control group, and the container that the path tells. */
#ifndef XDPLIFE_CGROUP_H
#define XDPLIFE_CGROUP_H

#include <linux/types.h>
#include <stddef.h>

#define CGROUP_PATH_BYTES  512
#define CONTAINER_ID_BYTES 65 /* 64 hexadecimal digits and the end */

/**
 * cgroup_container() - the container that a control group belongs to
 * The engines name the group after the container's 64 hexadecimal digits: "/docker/ID", "/…/docker-ID.scope",
 * "/kubepods/…/ID", "/…/cri-containerd-ID.scope", "/…:cri-containerd:ID", "/…/crio-ID.scope", "/…/libpod-ID.scope/…".
 * Of several, one inside the other, the innermost counts. The monitor beside a container (conmon) is not in it.
 *
 * @id: CONTAINER_ID_BYTES; "" where there is none
 */
void cgroup_container(const char *path, char *id);

/**
 * cgroup_choose() - the path that tells most, of the lines of /proc/PID/cgroup (cgroups(7))
 * One with a container's id comes first, then the one of version 2 (or systemd's, which says the same), then any but
 * the root, then the root.
 *
 * @path: filled, cut off if it does not fit; "" if there is no line that can be read
 */
void cgroup_choose(const char *lines, char *path, size_t path_bytes);

struct cgroups;

/* Return: to be freed by cgroups_close(); NULL: no memory. */
struct cgroups *cgroups_open(void);

/**
 * cgroups_path() - the path of a control group
 * @id:       in the hierarchy of version 2: its path is found as long as the group exists
 * @pid:      asked where that is the root, as it is where only version 1 is used; 0: nobody
 * @since_ns: tells one process of that number from the next
 *
 * Return: borrowed, until the next call; "" if it cannot be told. The names in it are text of others.
 */
const char *cgroups_path(struct cgroups *cgroups, __u64 id, __u32 pid, __u64 since_ns);

/* NULL is allowed. */
void cgroups_close(struct cgroups *cgroups);

#endif
