// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>

#include "net/netlink.h"
#include "net/netns.h"
#include "net/veth.h"

static int take_nsid(const struct nlmsghdr *message, void *data)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, message, sizeof(struct rtgenmsg)) if (mnl_attr_get_type(attr) == NETNSA_NSID)
		*(int *)data = (int)mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

/* What this namespace calls the one behind @fd; -1 where it has no number for it. */
static int nsid_of(int fd)
{
	char buffer[NETLINK_BUFFER_BYTES];
	int nsid = -1;

	netlink_question(buffer, RTM_GETNSID, 0, sizeof(struct rtgenmsg));
	mnl_attr_put_u32((struct nlmsghdr *)buffer, NETNSA_FD, fd);
	netlink_ask(buffer, take_nsid, &nsid);
	return nsid;
}

static int open_if_nsid(const char *path, int nsid)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && nsid_of(fd) != nsid) {
		close(fd);
		return -1;
	}
	return fd;
}

/* The first entry of @directory whose namespace has the number; @format makes its path. */
static int search(const char *directory, const char *format, int nsid, char *name)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;
	int fd = -1;

	while (dir && fd < 0 && (entry = readdir(dir))) {
		char path[PATH_MAX];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), format, entry->d_name);
		fd = open_if_nsid(path, nsid);
		if (fd >= 0 && name)
			snprintf(name, NAME_MAX + 1, "%s", entry->d_name);
	}
	if (dir)
		closedir(dir);
	return fd;
}

static bool gro_is_on(const char *ifname)
{
	struct ethtool_value value = {.cmd = ETHTOOL_GGRO};
	struct ifreq request = {.ifr_data = (void *)&value};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int err;

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", ifname);
	err = ioctl(fd, SIOCETHTOOL, &request);
	close(fd);
	return !err && value.data;
}

static int get_here(unsigned int index, struct veth_peer *peer)
{
	int err = iface_get_by_index(index, &peer->iface);

	if (!err)
		peer->gro = gro_is_on(peer->iface.name);
	return err;
}

int veth_peer_get(const struct iface *iface, struct veth_peer *peer)
{
	int fd, home, err;

	memset(peer, 0, sizeof(*peer));
	if (iface->link_nsid < 0)
		return get_here(iface->link_index, peer);
	fd = search("/run/netns", "/run/netns/%s", iface->link_nsid, peer->netns);
	if (fd < 0)
		fd = search("/proc", "/proc/%s/ns/net", iface->link_nsid, NULL);
	if (fd < 0)
		return -ENOENT;
	home = netns_current();
	err = home < 0 ? home : setns(fd, CLONE_NEWNET) ? -errno : get_here(iface->link_index, peer);
	if (home >= 0)
		netns_return(home);
	close(fd);
	return err;
}
