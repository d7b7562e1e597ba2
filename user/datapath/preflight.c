// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>
#include <cap-ng.h>
#include <linux/bpf.h>

#include "command.h"
#include "datapath/preflight.h"
#include "net/veth.h"
#include "util/log.h"
#include "util/sysctl.h"
#include "xdplife/config.h"

/* libbpf's own messages are for developers; what a user can mend, we say ourselves. XDPLIFE_DEBUG=1 shows them. */
static int print_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	static int debug = -1;

	if (debug < 0)
		debug = getenv("XDPLIFE_DEBUG") != NULL;
	return debug && level <= LIBBPF_INFO ? vfprintf(stderr, format, args) : 0;
}

/* CAP_SYS_ADMIN is what kernels before 5.8 have for CAP_BPF; tp_btf programs want CAP_PERFMON beside it. */
int preflight_privileges(void)
{
	libbpf_set_print(print_libbpf);
	capng_get_caps_process();
	if (capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN) &&
	    (capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_ADMIN) ||
	     (capng_have_capability(CAPNG_EFFECTIVE, CAP_BPF) &&
	      capng_have_capability(CAPNG_EFFECTIVE, CAP_PERFMON))))
		return 0;
	log_error("sudo",
		  "XDP needs the capabilities CAP_NET_ADMIN, CAP_BPF and CAP_PERFMON (or CAP_SYS_ADMIN)");
	return EXIT_NEEDS;
}

static int look_up(const char *ifname, struct iface *iface)
{
	int err = strlen(ifname) < IF_NAMESIZE ? iface_get(ifname, iface) : -ENODEV;

	if (err == -ENODEV) {
		log_error("ip link (in the right network namespace?)", "%s: no such interface", ifname);
		return EXIT_FAILED;
	}
	if (err) {
		log_error(NULL, "%s: netlink: %s", ifname, strerror(-err));
		return EXIT_FAILED;
	}
	if (!iface->ethernet && !iface->loopback) {
		log_error("an Ethernet interface", "%s: its frames have no Ethernet header", ifname);
		return EXIT_FAILED;
	}
	return 0;
}

int preflight_names(char *const *ifnames)
{
	unsigned int seen[CONFIG_MAX_PORTS];
	struct iface iface;

	for (int i = 0; ifnames[i]; i++) {
		int err = look_up(ifnames[i], &iface);

		if (err)
			return err;
		if (i == CONFIG_MAX_PORTS) {
			log_error(NULL, "%s: more than %d interfaces", ifnames[i], CONFIG_MAX_PORTS);
			return EXIT_USAGE;
		}
		for (int j = 0; j < i; j++)
			if (seen[j] == iface.index) {
				log_error("name each interface once", "%s: given twice", ifnames[i]);
				return EXIT_USAGE;
			}
		seen[i] = iface.index;
	}
	return 0;
}

int preflight_iface(const char *ifname, struct iface *iface)
{
	int err = look_up(ifname, iface);
	char cure[64];

	if (!err && !iface->up) {
		snprintf(cure, sizeof(cure), "ip link set %s up", ifname);
		log_warn(cure, "%s: the interface is down", ifname);
	}
	return err;
}

int preflight_veth_peer(const struct iface *iface)
{
	struct veth_peer peer;
	char cure[NAME_MAX + 64];
	int err;

	if (strcmp(iface->kind, "veth"))
		return 0;
	err = veth_peer_get(iface, &peer);
	if (err) {
		log_warn("ethtool -K PEER gro on",
			 "%s: the veth peer is in a namespace that cannot be looked into; without GRO or an "
			 "XDP "
			 "program there, redirected frames are dropped",
			 iface->name);
		return 0;
	}
	if (peer.gro || (peer.iface.xdp_mode != IFACE_XDP_NONE && peer.iface.xdp_mode != IFACE_XDP_GENERIC))
		return 0;
	snprintf(cure, sizeof(cure), "%s%s%sethtool -K %s gro on", *peer.netns ? "ip netns exec " : "",
		 peer.netns, *peer.netns ? " " : "", peer.iface.name);
	log_error(cure, "%s: %s and no GRO on the veth peer %s, so redirected frames would be dropped",
		  iface->name,
		  peer.iface.xdp_mode == IFACE_XDP_NONE ? "no XDP program" : "only a generic XDP program",
		  peer.iface.name);
	return EXIT_FAILED;
}

/*
 * bpf_fib_lookup() answers FWD_DISABLED where the interface may not forward. The interface's own setting is
 * enough; it is set for the ports alone, so that nothing else on this machine becomes a router.
 */
static int enable_forwarding(const char *ifname, int ip_version, bool *set)
{
	char name[SYSCTL_NAME_BYTES];
	int value, err;

	snprintf(name, sizeof(name), "net/ipv%d/conf/%s/forwarding", ip_version, ifname);
	err = sysctl_read(name, &value);
	if (err || value) /* no such setting: this IP version is off on the interface */
		return 0;
	err = sysctl_write(name, 1);
	if (err) {
		log_error("mount /proc/sys writable",
			  "%s: %s is 0, so the FIB lookup refuses to route, and it "
			  "cannot be set: %s",
			  ifname, name, strerror(-err));
		return EXIT_FAILED;
	}
	*set = true;
	log_info("%s: %s was 0, and the kernel's FIB lookup then refuses to route: it is 1 while we run",
		 ifname, name);
	return 0;
}

static void restore_forwarding(const char *ifname, int ip_version, bool *set)
{
	char name[SYSCTL_NAME_BYTES];

	if (!*set)
		return;
	snprintf(name, sizeof(name), "net/ipv%d/conf/%s/forwarding", ip_version, ifname);
	sysctl_write(name, 0);
	*set = false;
}

/* Linux takes the larger of the two (Documentation/networking/ip-sysctl.rst). */
static int effective_rp_filter(const char *ifname)
{
	char name[SYSCTL_NAME_BYTES];
	int all = 0, own = 0;

	snprintf(name, sizeof(name), "net/ipv4/conf/%s/rp_filter", ifname);
	sysctl_read("net/ipv4/conf/all/rp_filter", &all);
	sysctl_read(name, &own);
	return all > own ? all : own;
}

static void restore(void *context)
{
	struct preflight *port = context;

	restore_forwarding(port->ifname, 6, &port->set_forwarding_6);
	restore_forwarding(port->ifname, 4, &port->set_forwarding_4);
}

int preflight_port(struct preflight *port, const struct iface *iface, bool forward)
{
	int err = 0;

	memcpy(port->ifname, iface->name, sizeof(port->ifname));
	if (!forward)
		return 0;
	err = preflight_veth_peer(iface);
	if (!err)
		err = enable_forwarding(iface->name, 4, &port->set_forwarding_4);
	if (!err)
		err = enable_forwarding(iface->name, 6, &port->set_forwarding_6);
	port->rp_filter = effective_rp_filter(iface->name);
	if (!err && (port->set_forwarding_4 || port->set_forwarding_6))
		keeper_start(&port->keeper, restore, port);
	if (err)
		preflight_undo(port);
	return err;
}

void preflight_undo(struct preflight *port)
{
	restore(port);
	keeper_dismiss(&port->keeper);
}

bool preflight_has_frags(void)
{
	return libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_xdp_get_buff_len, NULL) == 1;
}

const char *preflight_load_cure(int err)
{
	switch (err) {
	case -EPERM:
		return "sudo, and a kernel that allows bpf(2) here (lockdown, seccomp, "
		       "kernel.unprivileged_bpf_disabled)";
	case -ENOSYS:
		return "a kernel with CONFIG_BPF_SYSCALL";
	default: /* EACCES, EINVAL, E2BIG: the verifier's ways to say no */
		return "a kernel of 6.1 or later; XDPLIFE_DEBUG=1 shows what the kernel says";
	}
}
