// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include "command.h"
#include "datapath/attach.h"
#include "net/iface.h"
#include "util/log.h"

/* enum bpf_attach_type of 6.6, which the uapi headers of 6.1 lack. */
#define ATTACH_TCX_INGRESS 46
#define ATTACH_TCX_EGRESS  47

/* Where our clsact filter stands, should another process want to look for it. */
#define CLSACT_HANDLE   0x7864 /* "xd" */
#define CLSACT_PRIORITY 50000

static int link_xdp(int prog_fd, unsigned int ifindex, __u32 mode)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = mode);

	return bpf_link_create(prog_fd, ifindex, BPF_XDP, &options);
}

static int say_busy(const char *ifname, unsigned int ifindex)
{
	struct iface iface = {};
	char cure[128];

	iface_get_by_index(ifindex, &iface);
	snprintf(cure, sizeof(cure),
		 "end the program that attached it (bpftool net; bpftool link), or: ip link set %s xdp%s off",
		 ifname, iface.xdp_mode == IFACE_XDP_GENERIC ? "generic" : "");
	log_error(cure, "%s: another XDP program is attached (id %u, %s)", ifname, iface.xdp_prog_id,
		  iface_xdp_mode_text(iface.xdp_mode));
	return EXIT_FAILED;
}

static bool is_gone(unsigned int ifindex)
{
	struct iface iface;

	return iface_get_by_index(ifindex, &iface) == -ENODEV;
}

int attach_xdp(int prog_fd, const char *ifname, unsigned int ifindex, int *link, bool *native)
{
	int fd = link_xdp(prog_fd, ifindex, XDP_FLAGS_DRV_MODE), err = fd;

	*native = fd >= 0;
	if (fd == -EBUSY || fd == -EEXIST)
		return say_busy(ifname, ifindex);
	if (fd < 0)
		fd = link_xdp(prog_fd, ifindex, XDP_FLAGS_SKB_MODE);
	if (fd == -EBUSY || fd == -EEXIST)
		return say_busy(ifname, ifindex);
	if (fd == -ENODEV || (fd < 0 && is_gone(ifindex))) {
		log_error(NULL, "%s: the interface is gone", ifname);
		return EXIT_FAILED;
	}
	if (fd < 0) {
		log_error("a kernel of 5.9 or later with CONFIG_XDP_SOCKETS and CONFIG_BPF_SYSCALL",
			  "%s: XDP could not be attached: %s", ifname, strerror(-fd));
		return EXIT_NEEDS;
	}
	if (!*native)
		log_warn(err == -EOPNOTSUPP ? NULL : "a smaller MTU, or fewer queues (ethtool -L)",
			 "%s: no native XDP (%s): generic mode, which is slower and sees frames later",
			 ifname, err == -EOPNOTSUPP ? "the driver has none" : strerror(-err));
	*link = fd;
	return 0;
}

bool attach_xdp_is_off(int link)
{
	struct bpf_link_info info = {};
	__u32 bytes = sizeof(info);

	return !bpf_obj_get_info_by_fd(link, &info, &bytes) && !info.xdp.ifindex;
}

int attach_ingress(int prog_fd, const char *ifname, unsigned int ifindex, int *link)
{
	*link = bpf_link_create(prog_fd, ifindex, ATTACH_TCX_INGRESS, NULL);
	if (*link >= 0)
		return 0;
	log_error("a kernel with tcx (6.6)", "%s: nothing could be attached in front of the stack: %s",
		  ifname, strerror(-*link));
	return EXIT_NEEDS;
}

static void remove_clsact(void *context)
{
	const struct egress_link *link = context;
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)link->ifindex, .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, filter, .handle = CLSACT_HANDLE, .priority = CLSACT_PRIORITY);

	if (link->ifindex)
		bpf_tc_detach(&hook, &filter);
	if (!link->qdisc_is_ours)
		return;
	hook.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS; /* both: the qdisc itself */
	bpf_tc_hook_destroy(&hook);
}

static int attach_clsact(int prog_fd, unsigned int ifindex, struct egress_link *link)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, options, .prog_fd = prog_fd, .handle = CLSACT_HANDLE,
		    .priority = CLSACT_PRIORITY, .flags = BPF_TC_F_REPLACE);
	int err = bpf_tc_hook_create(&hook);

	if (err && err != -EEXIST)
		return err;
	link->qdisc_is_ours = !err;
	link->ifindex = ifindex;
	err = bpf_tc_attach(&hook, &options);
	if (err)
		detach_egress(link);
	else
		keeper_start(&link->keeper, remove_clsact, link);
	return err;
}

int attach_egress(int prog_fd, const char *ifname, unsigned int ifindex, struct egress_link *link)
{
	int err;

	*link = EGRESS_LINK_NONE;
	link->tcx_fd = bpf_link_create(prog_fd, ifindex, ATTACH_TCX_EGRESS, NULL);
	if (link->tcx_fd >= 0)
		return 0;
	err = attach_clsact(prog_fd, ifindex, link);
	if (err)
		log_warn("a kernel with tcx (6.6) or with sch_clsact and cls_bpf",
			 "%s: what it sends is not observed: %s", ifname, strerror(-err));
	return err;
}

void detach_egress(struct egress_link *link)
{
	if (link->tcx_fd >= 0)
		close(link->tcx_fd);
	remove_clsact(link);
	keeper_dismiss(&link->keeper);
	*link = EGRESS_LINK_NONE;
}
