/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bench's own lab: three network namespaces without names, each kept by a process that dies with us, so that
 * nothing is left behind, however we end.
 *
 *     client             router                server
 *   ┌────────┐  10.0.1/24  ┌───────────┐  10.0.2/24  ┌────────┐
 *   │     c0 ├─────────────┤ r0     r1 ├─────────────┤ s0     │     10.2.0.0/16 and fd02::/48 are behind s0
 *   └────────┘  fd00:1::/64└───────────┘ fd00:2::/64 └────────┘
 *
 * Neighbours are permanent and nobody but the generator speaks, so that each frame has one right way.
 */
#ifndef XDPLIFE_TOPOLOGY_H
#define XDPLIFE_TOPOLOGY_H

#include <linux/if_link.h>
#include <stdbool.h>
#include <stdint.h>

enum topology_node { NODE_CLIENT, NODE_ROUTER, NODE_SERVER, NODES };
enum topology_port { PORT_C0, PORT_R0, PORT_R1, PORT_S0, PORTS };

struct topology;

struct topology_options {
	unsigned int routes; /* that 10.2.0.0/16 is cut into; 0 or 1: it is one */
};

/* Return: 0 with *topology to be closed by topology_close(); an exit_code with the error said. */
int topology_open(struct topology **topology, const struct topology_options *options);

/* Moves this thread into the node's namespace. Return: 0 or -errno. */
int topology_enter(const struct topology *topology, enum topology_node node);

/* Moves it back to where topology_open() was called. */
void topology_leave(const struct topology *topology);

enum topology_node topology_node_of(enum topology_port port);
const char *topology_ifname(enum topology_port port);

/* Its MAC: the same in every lab. */
void topology_mac(enum topology_port port, uint8_t mac[6]);

/* What the kernel counts at the port (rtnetlink's IFLA_STATS64). 0 or -errno. */
int topology_statistics(const struct topology *topology, enum topology_port port,
			struct rtnl_link_stats64 *statistics);

/* NULL is allowed. */
void topology_close(struct topology *topology);

#endif
