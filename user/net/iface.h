/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel knows of one network interface: rtnetlink's RTM_GETLINK, and the queues in use from
 * ethtool. */
#ifndef XDPLIFE_IFACE_H
#define XDPLIFE_IFACE_H

#include <linux/if_link.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#define IFACE_KIND_BYTES 16

enum iface_xdp_mode {
	IFACE_XDP_NONE,
	IFACE_XDP_GENERIC,
	IFACE_XDP_NATIVE,
	IFACE_XDP_OFFLOADED,
	IFACE_XDP_MULTIPLE, /* programs in several modes */
};

struct iface {
	char name[IF_NAMESIZE];
	char kind[IFACE_KIND_BYTES]; /* "veth", "vlan", "bridge", ...; empty for hardware */
	unsigned int index;
	unsigned int link_index; /* veth: the peer; VLAN: the parent; 0: none */
	int link_nsid;        /* the namespace of link_index as this one numbers it; -1: the same namespace */
	uint32_t mtu;         /* bytes of an IP packet */
	uint32_t rx_queues;   /* in use, not merely allocated */
	uint32_t xdp_prog_id; /* 0: none, or several (IFACE_XDP_MULTIPLE) */
	enum iface_xdp_mode xdp_mode;
	uint8_t mac[6];
	bool ethernet; /* its frames have Ethernet headers */
	bool loopback;
	bool up;      /* set up by the administrator */
	bool running; /* and has a carrier */
};

/**
 * iface_get() - look up an interface of the current network namespace
 * Return: 0 with *iface filled; -ENODEV if there is none of this name; another -errno of netlink.
 */
int iface_get(const char *name, struct iface *iface);
int iface_get_by_index(unsigned int index, struct iface *iface);

/* What the kernel counts at the interface: frames and bytes, both ways, and what was dropped. 0 or -errno. */
int iface_statistics(const char *name, struct rtnl_link_stats64 *statistics);

/* "native", "generic", ... */
const char *iface_xdp_mode_text(enum iface_xdp_mode mode);

#endif
