/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's answer to "which way to this address?": RTM_GETROUTE. */
#ifndef XDPLIFE_ROUTE_H
#define XDPLIFE_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "xdplife/wire.h"

enum route_kind {
	ROUTE_UNICAST,
	ROUTE_LOCAL, /* the address is one of this host's */
	ROUTE_OTHER, /* broadcast, multicast, anycast */
};

struct route {
	union ip_addr source;    /* what the kernel would send from */
	union ip_addr gateway;   /* where has_gateway; else the destination is on the link */
	uint8_t gateway_version; /* 4 or 6: an IPv4 route may have an IPv6 gateway (RFC 8950) */
	bool has_gateway;
	enum route_kind kind;
	unsigned int ifindex;
	uint32_t mtu;         /* bytes; 0: the interface's */
	union ip_addr prefix; /* of the matching entry of the table, where has_prefix */
	uint8_t prefix_length;
	bool has_prefix;
};

/**
 * route_get() - ask the kernel's routing table for the way to @destination
 * @ip_version: 4 or 6
 * @ifindex:    restrict to this interface; 0: any
 *
 * Return: 0 with *route filled; -ENETUNREACH, -EHOSTUNREACH or -EACCES where there is no route or a
 * forbidding one; another -errno of netlink.
 */
int route_get(int ip_version, const union ip_addr *destination, unsigned int ifindex, struct route *route);

#endif
