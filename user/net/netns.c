// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "net/netns.h"

#define NETNS_DIRECTORY "/run/netns/"
#define NAME_BYTES      256 /* NAME_MAX and the end */

static int open_named(const char *name)
{
	char path[sizeof(NETNS_DIRECTORY) + NAME_BYTES];
	struct statfs on;
	int fd;

	snprintf(path, sizeof(path), NETNS_DIRECTORY "%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* The name is a bind mount of the namespace. Without the mount an empty file is left. */
	if (fstatfs(fd, &on) || on.f_type != NSFS_MAGIC) {
		close(fd);
		return -ESTALE;
	}
	return fd;
}

int netns_exists(const char *name)
{
	int fd = open_named(name);

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	close(fd);
	return 1;
}

int netns_enter(const char *name)
{
	int fd = open_named(name);

	return fd < 0 ? fd : netns_return(fd);
}

unsigned int netns_inum(void)
{
	struct stat st;

	return stat("/proc/thread-self/ns/net", &st) ? 0 : (unsigned int)st.st_ino;
}

int netns_current(void)
{
	int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int netns_return(int fd)
{
	int error = setns(fd, CLONE_NEWNET) ? -errno : 0;

	close(fd);
	return error;
}
