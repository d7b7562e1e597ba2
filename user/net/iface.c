// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/iface.h"
#include "net/netlink.h"

static int read_kind(const struct nlattr *attr, void *data)
{
	struct iface *iface = data;

	if (mnl_attr_get_type(attr) == IFLA_INFO_KIND && !mnl_attr_validate(attr, MNL_TYPE_STRING))
		snprintf(iface->kind, sizeof(iface->kind), "%s", mnl_attr_get_str(attr));
	return MNL_CB_OK;
}

static enum iface_xdp_mode xdp_mode(uint8_t attached)
{
	switch (attached) {
	case XDP_ATTACHED_NONE:
		return IFACE_XDP_NONE;
	case XDP_ATTACHED_SKB:
		return IFACE_XDP_GENERIC;
	case XDP_ATTACHED_DRV:
		return IFACE_XDP_NATIVE;
	case XDP_ATTACHED_HW:
		return IFACE_XDP_OFFLOADED;
	default:
		return IFACE_XDP_MULTIPLE;
	}
}

static int read_xdp(const struct nlattr *attr, void *data)
{
	struct iface *iface = data;

	if (mnl_attr_get_type(attr) == IFLA_XDP_ATTACHED)
		iface->xdp_mode = xdp_mode(mnl_attr_get_u8(attr));
	else if (mnl_attr_get_type(attr) == IFLA_XDP_PROG_ID)
		iface->xdp_prog_id = mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

static int read_attribute(const struct nlattr *attr, void *data)
{
	struct iface *iface = data;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		snprintf(iface->name, sizeof(iface->name), "%s", mnl_attr_get_str(attr));
		break;
	case IFLA_ADDRESS:
		if (mnl_attr_get_payload_len(attr) == sizeof(iface->mac))
			memcpy(iface->mac, mnl_attr_get_payload(attr), sizeof(iface->mac));
		break;
	case IFLA_MTU:
		iface->mtu = mnl_attr_get_u32(attr);
		break;
	case IFLA_LINK:
		iface->link_index = mnl_attr_get_u32(attr);
		break;
	case IFLA_LINK_NETNSID:
		iface->link_nsid = (int)mnl_attr_get_u32(attr);
		break;
	case IFLA_NUM_RX_QUEUES:
		iface->rx_queues = mnl_attr_get_u32(attr);
		break;
	case IFLA_LINKINFO:
		return mnl_attr_parse_nested(attr, read_kind, iface);
	case IFLA_XDP:
		return mnl_attr_parse_nested(attr, read_xdp, iface);
	}
	return MNL_CB_OK;
}

static int read_link(const struct nlmsghdr *message, void *data)
{
	const struct ifinfomsg *link = mnl_nlmsg_get_payload(message);
	struct iface *iface = data;

	iface->index = link->ifi_index;
	iface->ethernet = link->ifi_type == ARPHRD_ETHER;
	iface->loopback = link->ifi_flags & IFF_LOOPBACK;
	iface->up = link->ifi_flags & IFF_UP;
	iface->running = link->ifi_flags & IFF_RUNNING;
	return mnl_attr_parse(message, sizeof(*link), read_attribute, iface);
}

/* netlink tells how many queues were allocated; a veth allocates one a CPU and uses one. */
static void read_queues_in_use(struct iface *iface)
{
	struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
	struct ifreq request = {.ifr_data = (void *)&channels};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	memcpy(request.ifr_name, iface->name, IF_NAMESIZE);
	if (!ioctl(fd, SIOCETHTOOL, &request) && channels.rx_count + channels.combined_count)
		iface->rx_queues = channels.rx_count + channels.combined_count;
	close(fd);
}

/* Asks for one link, by name or by index. */
static int ask(const char *name, unsigned int index, mnl_cb_t each, void *data)
{
	uint8_t buffer[NETLINK_BUFFER_BYTES];
	struct ifinfomsg *link = netlink_question(buffer, RTM_GETLINK, 0, sizeof(*link));

	link->ifi_family = AF_UNSPEC;
	link->ifi_index = (int)index;
	if (name)
		mnl_attr_put_strz((struct nlmsghdr *)buffer, IFLA_IFNAME, name);
	return netlink_ask(buffer, each, data);
}

static int get(const char *name, unsigned int index, struct iface *iface)
{
	int err;

	*iface = (struct iface){.link_nsid = -1, .rx_queues = 1};
	err = ask(name, index, read_link, iface);
	if (err)
		return err;
	read_queues_in_use(iface);
	return 0;
}

static int take_statistics(const struct nlattr *attr, void *data)
{
	if (mnl_attr_get_type(attr) == IFLA_STATS64 &&
	    mnl_attr_get_payload_len(attr) >= sizeof(struct rtnl_link_stats64))
		memcpy(data, mnl_attr_get_payload(attr), sizeof(struct rtnl_link_stats64));
	return MNL_CB_OK;
}

static int read_statistics(const struct nlmsghdr *message, void *data)
{
	return mnl_attr_parse(message, sizeof(struct ifinfomsg), take_statistics, data);
}

int iface_statistics(const char *name, struct rtnl_link_stats64 *statistics)
{
	memset(statistics, 0, sizeof(*statistics));
	return ask(name, 0, read_statistics, statistics);
}

int iface_get(const char *name, struct iface *iface)
{
	if (!*name || strlen(name) >= IF_NAMESIZE)
		return -ENODEV;
	return get(name, 0, iface);
}

int iface_get_by_index(unsigned int index, struct iface *iface)
{
	return index ? get(NULL, index, iface) : -ENODEV;
}

const char *iface_xdp_mode_text(enum iface_xdp_mode mode)
{
	static const char *const text[] = {
		[IFACE_XDP_NONE] = "none",
		[IFACE_XDP_GENERIC] = "generic",
		[IFACE_XDP_NATIVE] = "native",
		[IFACE_XDP_OFFLOADED] = "offloaded",
		[IFACE_XDP_MULTIPLE] = "several modes",
	};

	return text[mode];
}
