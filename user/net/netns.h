/* SPDX-License-Identifier: GPL-2.0-only */
/* Named network namespaces, as `ip netns` keeps them. */
#ifndef XDPLIFE_NETNS_H
#define XDPLIFE_NETNS_H

/**
 * netns_exists() - is there a namespace of that name
 * Return: 1; 0; -ESTALE where the name is left but the namespace is gone (`ip netns delete` removes it).
 */
int netns_exists(const char *name);

/**
 * netns_enter() - move this thread into the namespace
 * Only the network: unlike `ip netns exec`, /sys, bpffs and tracefs stay as they are.
 *
 * Return: 0; -ENOENT, -ESTALE as above; -errno.
 */
int netns_enter(const char *name);

/* The number of this thread's namespace, by which BPF programs tell it from others; 0 if it cannot be told. */
unsigned int netns_inum(void);

/* The namespace that this thread is in, for netns_return(). Return: a file descriptor or -errno. */
int netns_current(void);

/* Goes back to where netns_current() was called, and closes @fd. Return: 0 or -errno. */
int netns_return(int fd);

#endif
