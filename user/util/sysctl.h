/* SPDX-License-Identifier: GPL-2.0-only */
/* Whole-number kernel settings under /proc/sys, of the network namespace that this thread is in. */
#ifndef XDPLIFE_SYSCTL_H
#define XDPLIFE_SYSCTL_H

#define SYSCTL_NAME_BYTES 96

/* @name: with slashes, such as "net/ipv4/conf/r0/forwarding" (an interface's name may hold dots). 0 or -errno. */
int sysctl_read(const char *name, int *value);
int sysctl_write(const char *name, int value);

#endif
