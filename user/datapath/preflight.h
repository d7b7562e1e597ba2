/* SPDX-License-Identifier: GPL-2.0-only */
/* What is looked at, and set, before anything is attached: so that what cannot work is said first, with the
 * cure. */
#ifndef XDPLIFE_PREFLIGHT_H
#define XDPLIFE_PREFLIGHT_H

#include <stdbool.h>

#include "net/iface.h"
#include "util/keeper.h"

/* What was found for one port, and what preflight_undo() has to restore. */
struct preflight {
	char ifname[IF_NAMESIZE];
	int rp_filter;         /* 0 off, 1 strict, 2 loose: the larger of all/ and this interface's */
	bool set_forwarding_4; /* net.ipv4.conf.IFACE.forwarding was 0 and is 1 while we run */
	bool set_forwarding_6;
	struct keeper keeper; /* restores them should we be killed */
};

/* The first step of every job with BPF: libbpf is silent from here on. Return: 0, or EXIT_NEEDS, capabilities named. */
int preflight_privileges(void);

/*
 * All names before any of them is touched: each is an Ethernet interface, no two are the same.
 * @ifnames: NULL-terminated. Return: 0, or an exit_code with the error said.
 */
int preflight_names(char *const *ifnames);

/* The interface, if it exists, is Ethernet; a warning if it is down. Return: 0, or an exit_code with the error said. */
int preflight_iface(const char *ifname, struct iface *iface);

/*
 * A veth takes redirected frames only if its peer polls (NAPI): with GRO on or an XDP program of its own.
 * Return: 0, also for what is no veth; an exit_code with the error and its cure said.
 */
int preflight_veth_peer(const struct iface *iface);

/**
 * preflight_port() - whether the job can work on this interface
 * @forward: it shall route: the veth peer must take redirected frames, and the FIB lookup needs forwarding to
 * be on
 *
 * Return: 0 with @port filled; an exit_code with the error and its cure said, nothing changed.
 */
int preflight_port(struct preflight *port, const struct iface *iface, bool forward);
void preflight_undo(struct preflight *port);

/* Whether the kernel has multi-buffer XDP (bpf_xdp_get_buff_len, 5.18): probed, not guessed from the version.
 */
bool preflight_has_frags(void);

/* What to try when the kernel refused a map or a program with @err (-errno). */
const char *preflight_load_cure(int err);

#endif
