// SPDX-License-Identifier: GPL-2.0-only
#include <linux/if_ether.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "datapath/preflight.h"
#include "net/veth.h"
#include "traffic/cable.h"
#include "util/log.h"

#define VLAN_ROOM  4 /* what the kernel lets a frame have above MTU and Ethernet header */
#define CURE_BYTES (NAME_MAX + 96)

/* The command that sets something of an end; @netns: "" is here */
static void make_cure(char cure[CURE_BYTES], const char *netns, const struct iface *iface,
		      const char *setting)
{
	snprintf(cure, CURE_BYTES, "ip %s%s%slink set %s %s", *netns ? "-n " : "", netns, *netns ? " " : "",
		 iface->name, setting);
}

bool cable_fits(const struct iface *iface, uint32_t frame_bytes)
{
	return frame_bytes <= iface->mtu + ETH_HLEN + VLAN_ROOM;
}

static int check_size(const struct iface *iface, const char *netns, uint32_t frame_bytes)
{
	char cure[CURE_BYTES], setting[64];

	if (cable_fits(iface, frame_bytes))
		return 0;
	snprintf(setting, sizeof(setting), "mtu %u, or a smaller --size", frame_bytes - ETH_HLEN);
	make_cure(cure, netns, iface, setting);
	log_error(cure, "%s: frames of %u bytes are larger than its MTU of %u allows", iface->name,
		  frame_bytes, iface->mtu);
	return EXIT_FAILED;
}

int cable_get(const char *ifname, struct iface *iface)
{
	char *const names[] = {(char *)ifname, NULL};
	int err = preflight_names(names);
	char cure[CURE_BYTES];

	if (err)
		return err;
	if (iface_get(ifname, iface)) {
		log_error("ip link", "%s: the interface is gone", ifname);
		return EXIT_FAILED;
	}
	if (iface->up)
		return 0;
	make_cure(cure, "", iface, "up");
	log_error(cure, "%s: the interface is down", ifname);
	return EXIT_FAILED;
}

int cable_check(const struct iface *iface, uint32_t frame_bytes, bool live)
{
	struct veth_peer peer;
	char cure[CURE_BYTES];
	int err = check_size(iface, "", frame_bytes);

	if (err || strcmp(iface->kind, "veth"))
		return err;
	if (veth_peer_get(iface, &peer))
		return live ? preflight_veth_peer(iface) : 0; /* which says so */
	if (!peer.iface.up) {
		make_cure(cure, peer.netns, &peer.iface, "up");
		log_error(cure, "%s: the other end of the cable, %s, is down", iface->name, peer.iface.name);
		return EXIT_FAILED;
	}
	err = check_size(&peer.iface, peer.netns, frame_bytes);
	return err || !live ? err : preflight_veth_peer(iface);
}
