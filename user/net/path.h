/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The way to a server, found step by step before a frame can be built: address, route, next hop's MAC, a port
 * of ours.
 *
 * Each step says what is wrong by itself, with the cure, and then returns an exit_code. Ownership:
 * path_close() gives the reserved port back; it is safe after any step, also one that failed.
 */
#ifndef XDPLIFE_PATH_H
#define XDPLIFE_PATH_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "net/frame.h"
#include "net/iface.h"
#include "net/neighbour.h"
#include "net/route.h"

struct net_path {
	int ip_version;
	union ip_addr remote;
	uint16_t remote_port;
	bool literal;       /* the host was an address: nothing was looked up */
	unsigned int scope; /* interface of a link-local address; 0 */
	struct route route;
	struct iface iface;
	int next_hop_version;
	union ip_addr next_hop; /* the gateway, or the server itself */
	struct neighbour neighbour;
	uint32_t mtu; /* bytes of an IP packet */
	uint16_t local_port;
	int port_fd;      /* holds the port against the kernel; -1 */
	uint64_t name_ns; /* how long each step took */
	uint64_t route_ns;
	uint64_t neighbour_ns;
};

void path_init(struct net_path *path);

/* @host: a name, or an address (IPv6 with or without %zone). */
int path_find_address(struct net_path *path, const char *host, uint16_t port);

/* @ifname: the interface to use; NULL: what the routing table says. */
int path_find_route(struct net_path *path, const char *ifname);

int path_find_neighbour(struct net_path *path);

/* Binds a kernel TCP socket, which never listens nor connects, so that the kernel gives the port to nobody
 * else. */
int path_reserve_port(struct net_path *path);

/*
 * One more such port, for whoever needs many. Return: the socket, the caller's, with *port; -errno, with
 * nothing said.
 */
int path_bind_port(const struct net_path *path, uint16_t *port);

void path_close(struct net_path *path);

/* What every frame on this path has in common. The flow label is left zero. */
void path_frame(const struct net_path *path, struct frame_path *frame);

/* An address as text. */
void ip_addr_text(int ip_version, const union ip_addr *address, char text[INET6_ADDRSTRLEN]);

#endif
