// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "datapath/cgroup.h"

#define CONTAINER_DIGITS (CONTAINER_ID_BYTES - 1)
#define HEX_DIGITS       "0123456789abcdef"
#define SCOPE            ".scope"
#define MONITOR          "conmon-"
#define KERNFS_HANDLE    0xfe /* FILEID_KERNFS: the 64-bit number of a kernfs node */
#define CACHE_SLOTS      64
#define PROC_BYTES       4096 /* of /proc/PID/cgroup: a dozen lines */

static bool ends_with(const char *text, size_t length, const char *end)
{
	size_t end_length = strlen(end);

	return length >= end_length && !memcmp(text + length - end_length, end, end_length);
}

/* One component of a path. Return: its container's id, CONTAINER_DIGITS long, or NULL. */
static const char *component_container(const char *name, size_t length)
{
	if (ends_with(name, length, SCOPE))
		length -= strlen(SCOPE);
	if (length < CONTAINER_DIGITS)
		return NULL;
	length -= CONTAINER_DIGITS;
	if (strspn(name + length, HEX_DIGITS) < CONTAINER_DIGITS || ends_with(name, length, MONITOR))
		return NULL;
	return !length || name[length - 1] == '-' || name[length - 1] == ':' ? name + length : NULL;
}

void cgroup_container(const char *path, char *id)
{
	*id = '\0';
	while (*path) {
		size_t length = strcspn(path, "/");
		const char *found = component_container(path, length);

		if (found)
			snprintf(id, CONTAINER_ID_BYTES, "%.*s", CONTAINER_DIGITS, found);
		path += length + (path[length] == '/');
	}
}

/* How much a line "HIERARCHY:CONTROLLERS:PATH" tells. */
static int line_rank(const char *controllers, const char *path)
{
	char id[CONTAINER_ID_BYTES];

	cgroup_container(path, id);
	if (*id)
		return 4;
	if (!strcmp(path, "/"))
		return 1;
	return !*controllers || !strcmp(controllers, "name=systemd") ? 3 : 2;
}

void cgroup_choose(const char *lines, char *path, size_t path_bytes)
{
	char line[CGROUP_PATH_BYTES];
	int best = 0;

	*path = '\0';
	for (size_t length; *lines; lines += length + (lines[length] == '\n')) {
		char *controllers, *at;
		int rank;

		length = strcspn(lines, "\n");
		snprintf(line, sizeof(line), "%.*s", (int)length, lines);
		controllers = strchr(line, ':');
		at = controllers ? strchr(controllers + 1, ':') : NULL;
		if (!at)
			continue;
		*at++ = '\0';
		rank = line_rank(controllers + 1, at);
		if (rank <= best)
			continue;
		best = rank;
		snprintf(path, path_bytes, "%s", at);
	}
}

/* What a path was found for: by number alone, or a process in the root. */
struct entry {
	__u64 id;
	__u64 since_ns;
	__u32 pid;
	char path[CGROUP_PATH_BYTES];
};

struct cgroups {
	int root; /* fd, of version 2; -1: none */
	struct entry cache[CACHE_SLOTS];
};

/* The root of a mount of our own, that nobody else sees: /sys/fs/cgroup is not everywhere (`ip netns exec` hides it). */
static int open_root(void)
{
	int context = fsopen("cgroup2", FSOPEN_CLOEXEC), mount = -1, root = -1;

	if (context < 0)
		return -1;
	if (!fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		mount = fsmount(context, FSMOUNT_CLOEXEC, 0);
	close(context);
	if (mount < 0)
		return -1;
	root = openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	close(mount);
	return root;
}

struct cgroups *cgroups_open(void)
{
	struct cgroups *cgroups = calloc(1, sizeof(*cgroups));

	if (cgroups)
		cgroups->root = open_root();
	return cgroups;
}

/* Where an open directory is, from the root of its mount. */
static void path_of(int fd, char *path, size_t path_bytes)
{
	char link[32];
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, path_bytes - 1);
	path[length > 0 ? length : 0] = '\0';
}

static void ask_by_number(int root, __u64 id, char *path, size_t path_bytes)
{
	union {
		struct file_handle handle;
		__u8 bytes[sizeof(struct file_handle) + sizeof(id)];
	} node = {.handle = {.handle_bytes = sizeof(id), .handle_type = KERNFS_HANDLE}};
	int fd;

	memcpy(node.handle.f_handle, &id, sizeof(id));
	fd = open_by_handle_at(root, &node.handle, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return;
	path_of(fd, path, path_bytes);
	close(fd);
}

static void ask_process(__u32 pid, char *path, size_t path_bytes)
{
	char name[32], lines[PROC_BYTES];
	ssize_t length;
	int fd;

	snprintf(name, sizeof(name), "/proc/%u/cgroup", pid);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return; /* it has ended */
	length = read(fd, lines, sizeof(lines) - 1);
	close(fd);
	lines[length > 0 ? length : 0] = '\0';
	cgroup_choose(lines, path, path_bytes);
}

static struct entry *slot_of(struct cgroups *cgroups, __u64 id, __u32 pid, __u64 since_ns, bool *known)
{
	struct entry *entry = &cgroups->cache[(id + pid) % CACHE_SLOTS];

	*known = entry->id == id && entry->pid == pid && entry->since_ns == since_ns && *entry->path;
	if (!*known)
		*entry = (struct entry){.id = id, .pid = pid, .since_ns = since_ns};
	return entry;
}

const char *cgroups_path(struct cgroups *cgroups, __u64 id, __u32 pid, __u64 since_ns)
{
	struct entry *group, *process;
	bool known;

	group = slot_of(cgroups, id, 0, 0, &known);
	if (!known)
		ask_by_number(cgroups->root, id, group->path, sizeof(group->path));
	if (!pid || (*group->path && strcmp(group->path, "/")))
		return group->path;
	process = slot_of(cgroups, id, pid, since_ns, &known);
	if (!known)
		ask_process(pid, process->path, sizeof(process->path));
	return process->path;
}

void cgroups_close(struct cgroups *cgroups)
{
	if (!cgroups)
		return;
	if (cgroups->root >= 0)
		close(cgroups->root);
	free(cgroups);
}
