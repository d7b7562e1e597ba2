/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whose local sockets are at the ends of a connection, where the kernel can tell: the process that connected, or that
 * listened, and its container.
 *
 * Known is what happens in the observer's network namespace from owners_open() on, and what is open then. A connection
 * that is only forwarded has no owner here, nor has a transparent proxy's, on addresses that are not this host's.
 */
#ifndef XDPLIFE_DATAPATH_OWNER_H
#define XDPLIFE_DATAPATH_OWNER_H

#include "datapath/cgroup.h"
#include "xdplife/owner.h"

struct owners;

struct owner {
	__u32 pid;                      /* as our PID namespace numbers it; 0: it is not in there */
	__u8 how;                       /* enum owner_how: why it is the owner */
	char comm[OWNER_COMM_BYTES];    /* terminated; any bytes: for a terminal through terminal_safe() */
	__u64 cgroup_id;                /* version 2 */
	char cgroup[CGROUP_PATH_BYTES]; /* "" if it cannot be told; any bytes as well */
	char container[CONTAINER_ID_BYTES]; /* "" if it is in none that we can see */
};

/**
 * owners_open() - look who holds which socket, and watch from here on
 * Needs kernel BTF (CONFIG_DEBUG_INFO_BTF) and Linux 5.11. What is missing is said, as a warning, and is no error.
 *
 * Return: to be closed by owners_close(); NULL: the kernel cannot tell, and that was said.
 */
struct owners *owners_open(void);

/**
 * owners_find() - whose socket is at that end of the connection
 * A socket that waits for an answer to its SYN may be found only by looking again through all open files; that is
 * done seldom, and so not for each.
 *
 * @owners:   NULL is allowed: nobody knows
 * @key:      its VLANs do not matter: a socket has none
 * @end:      flow_end, an index into @key
 * @first_ns: CLOCK_MONOTONIC, the connection's first packet and its latest: ports are used again
 * @owner:    filled on success
 *
 * Return: 0; -ENOENT: there is no local socket, or its owner is not known.
 */
int owners_find(struct owners *owners, const struct flow_key *key, flow_end end, __u64 first_ns,
		__u64 last_ns, struct owner *owner);

/* "connect", "listen", "close", "open-file"; "unknown" beyond the list. */
const char *owner_how_key(__u8 how);

/* NULL is allowed. */
void owners_close(struct owners *owners);

#endif
