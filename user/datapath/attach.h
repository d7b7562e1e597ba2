/* SPDX-License-Identifier: GPL-2.0-only */
/* Attachment to the two hooks of an interface, by bpf_link wherever the kernel has one. */
#ifndef XDPLIFE_ATTACH_H
#define XDPLIFE_ATTACH_H

#include <stdbool.h>

#include "util/keeper.h"

/**
 * attach_xdp() - native mode, or generic with a warning
 * @link:   set to the link's file descriptor; closing it detaches
 * @native: set
 *
 * Return: 0, or an exit_code with the error and its cure said.
 */
int attach_xdp(int prog_fd, const char *ifname, unsigned int ifindex, int *link, bool *native);

/* Whether the kernel has detached the link of attach_xdp() itself, because the interface went away. */
bool attach_xdp_is_off(int link);

/* In front of the stack, by tcx (6.6): for tools of our own, without the fallback of attach_egress(). As attach_xdp(). */
int attach_ingress(int prog_fd, const char *ifname, unsigned int ifindex, int *link);

/* tcx (6.6) by a link; before it a clsact filter, which a keeper removes should we be killed. */
struct egress_link {
	int tcx_fd;           /* -1: none */
	unsigned int ifindex; /* of the clsact filter; 0: none */
	bool qdisc_is_ours;
	struct keeper keeper;
};

#define EGRESS_LINK_NONE ((struct egress_link){.tcx_fd = -1})

/* Return: 0, or -errno with a warning said: what leaves the interface is then not observed. */
int attach_egress(int prog_fd, const char *ifname, unsigned int ifindex, struct egress_link *link);
void detach_egress(struct egress_link *link);

#endif
