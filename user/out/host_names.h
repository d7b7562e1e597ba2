/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names of hosts and services that never make anybody wait: a thread of its own asks the resolver, and until it has
 * answered there is no name. Names come from whoever runs the reverse zone: they are made safe for a terminal.
 */
#ifndef XDPLIFE_HOST_NAMES_H
#define XDPLIFE_HOST_NAMES_H

#include <stdbool.h>

#include "xdplife/flow.h"

#define HOST_NAME_BYTES    64
#define SERVICE_NAME_BYTES 24

struct host_names;

/* Asks for one name, as long as that takes. Return: 0; else it has none. */
typedef int (*host_resolver)(char name[HOST_NAME_BYTES], const union ip_addr *addr, __u8 ip_version);

/* @resolver: NULL: getnameinfo(3). Return: to be closed by host_names_close(); NULL with errno set. */
struct host_names *host_names_open(host_resolver resolver);

/**
 * host_names_find() - the name of a host, if it is known by now; else it is being asked for
 * Return: whether @name was filled.
 */
bool host_names_find(struct host_names *names, const union ip_addr *addr, __u8 ip_version,
		     char name[HOST_NAME_BYTES]);

/* The TCP service of a port (/etc/services). Return: whether it has a name. */
bool host_names_service(struct host_names *names, __be16 port, char name[SERVICE_NAME_BYTES]);

/* Does not wait for a question that is under way. NULL is allowed. */
void host_names_close(struct host_names *names);

#endif
