// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/topology.h"
#include "command.h"
#include "net/iface.h"
#include "net/netns.h"
#include "util/log.h"
#include "util/run.h"

#define BATCH_BYTES   (1 << 20) /* 10,000 routes need 600 KiB */
#define COMMAND_BYTES 128

struct node {
	pid_t keeper; /* a process in the namespace, which keeps it; 0: none */
	int fd;
};

struct topology {
	struct node node[NODES];
	int home;
};

static const struct {
	const char *name;
	enum topology_node node;
} ports[PORTS] = {
	[PORT_C0] = {"c0", NODE_CLIENT},
	[PORT_R0] = {"r0", NODE_ROUTER},
	[PORT_R1] = {"r1", NODE_ROUTER},
	[PORT_S0] = {"s0", NODE_SERVER},
};

enum topology_node topology_node_of(enum topology_port port)
{
	return ports[port].node;
}

const char *topology_ifname(enum topology_port port)
{
	return ports[port].name;
}

void topology_mac(enum topology_port port, uint8_t mac[6])
{
	const uint8_t fixed[6] = {0x02, 0, 0, 0, 0, (uint8_t)(port + 1)};

	memcpy(mac, fixed, sizeof(fixed));
}

/* In the child: a namespace of its own, then nothing until the parent dies. */
static void keep(int ready, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGINT, SIG_IGN); /* a terminal sends it to all of us; the parent decides */
	if (getppid() == parent && !unshare(CLONE_NEWNET) && write(ready, "", 1) == 1)
		for (;;)
			pause();
	_exit(1);
}

static int open_node(struct node *node)
{
	char path[64], byte;
	int ready[2], err = 0;
	pid_t parent = getpid();

	if (pipe2(ready, O_CLOEXEC))
		return -errno;
	node->keeper = fork();
	if (!node->keeper)
		keep(ready[1], parent);
	close(ready[1]);
	if (node->keeper < 0 || read(ready[0], &byte, 1) != 1)
		err = -EPERM;
	close(ready[0]);
	if (err)
		return err;
	snprintf(path, sizeof(path), "/proc/%d/ns/net", node->keeper);
	node->fd = open(path, O_RDONLY | O_CLOEXEC);
	return node->fd < 0 ? -errno : 0;
}

static void close_node(struct node *node)
{
	if (node->fd >= 0)
		close(node->fd);
	if (node->keeper <= 0)
		return;
	kill(node->keeper, SIGKILL);
	waitpid(node->keeper, NULL, 0);
}

int topology_enter(const struct topology *topology, enum topology_node node)
{
	return setns(topology->node[node].fd, CLONE_NEWNET) ? -errno : 0;
}

void topology_leave(const struct topology *topology)
{
	setns(topology->home, CLONE_NEWNET);
}

/* Return: 0, or EXIT_FAILED with the command that failed said. */
static int run_in(const struct topology *topology, enum topology_node node, const char *command,
		  const char *input)
{
	int status = topology_enter(topology, node);

	if (!status)
		status = run_command(command, input);
	topology_leave(topology);
	if (!status)
		return 0;
	if (status == -ENOENT)
		log_error("make deps", "%.*s: no such program", (int)strcspn(command, " "), command);
	else
		log_error(NULL, "the bench's lab: this failed (%d): %s", status, command);
	return EXIT_FAILED;
}

/* Its links exist, with nobody's traffic but ours. */
static int make_links(const struct topology *topology)
{
	char batch[512];
	int err = 0;

	for (int i = 0; i < NODES && !err; i++)
		err = run_in(topology, i,
			     i == NODE_ROUTER ? "sysctl -q -w net.ipv6.conf.default.accept_dad=0 "
						"net.ipv6.conf.default.autoconf=0 net.ipv4.ip_forward=1 "
						"net.ipv6.conf.all.forwarding=1"
					      : "sysctl -q -w net.ipv6.conf.all.disable_ipv6=1 "
						"net.ipv6.conf.default.disable_ipv6=1",
			     NULL);
	snprintf(batch, sizeof(batch),
		 "link add c0 address 02:00:00:00:00:01 type veth peer name r0 address 02:00:00:00:00:02 "
		 "netns %d\n"
		 "link set c0 up\n",
		 topology->node[NODE_ROUTER].keeper);
	if (!err)
		err = run_in(topology, NODE_CLIENT, "ip -batch -", batch);
	snprintf(batch, sizeof(batch),
		 "link add s0 address 02:00:00:00:00:04 type veth peer name r1 address 02:00:00:00:00:03 "
		 "netns %d\n"
		 "link set s0 up\n",
		 topology->node[NODE_ROUTER].keeper);
	return err ? err : run_in(topology, NODE_SERVER, "ip -batch -", batch);
}

/*
 * Where no XDP program is attached, GRO is what lets a veth take redirected frames. When both ends are up: the kernel
 * tells the other end that it may redirect only if this end is up when GRO goes on, or this end comes up first.
 */
static int make_gro(const struct topology *topology)
{
	int err = 0;

	for (int i = 0; i < PORTS && !err; i++) {
		char command[COMMAND_BYTES];

		snprintf(command, sizeof(command), "ethtool -K %s gro on", ports[i].name);
		err = run_in(topology, ports[i].node, command, NULL);
	}
	return err;
}

/* 10.2.0.0/16 as @routes routes: 8192 of /29 cover it, and addresses of their own make up the rest. */
static void write_routes(FILE *batch, unsigned int routes)
{
	if (routes <= 1) {
		fputs("route add 10.2.0.0/16 via 10.0.2.2\n", batch);
		return;
	}
	for (unsigned int i = 0; i < 8192; i++)
		fprintf(batch, "route add 10.2.%u.%u/29 via 10.0.2.2\n", i >> 5, i << 3 & 0xff);
	for (unsigned int i = 8192; i < routes; i++)
		fprintf(batch, "route add 10.2.%u.%u/32 via 10.0.2.2\n", (i - 8192) * 7 >> 8 & 0xff,
			(i - 8192) * 7 & 0xff);
}

static int make_routes(const struct topology *topology, unsigned int routes)
{
	char *text = malloc(BATCH_BYTES);
	FILE *batch = text ? fmemopen(text, BATCH_BYTES, "w") : NULL;
	int err = EXIT_FAILED;

	if (batch) {
		fputs("link set lo up\nlink set r0 up\nlink set r1 up\n"
		      "address add 10.0.1.1/24 dev r0\naddress add fd00:1::1/64 dev r0 nodad\n"
		      "address add 10.0.2.1/24 dev r1\naddress add fd00:2::1/64 dev r1 nodad\n"
		      "neighbour add 10.0.2.2 lladdr 02:00:00:00:00:04 dev r1 nud permanent\n"
		      "neighbour add fd00:2::2 lladdr 02:00:00:00:00:04 dev r1 nud permanent\n"
		      "neighbour add 10.0.1.2 lladdr 02:00:00:00:00:01 dev r0 nud permanent\n"
		      "route add 198.18.0.0/15 via 10.0.1.2\n"
		      "route add fd02::/48 via fd00:2::2\nroute add fd01::/48 via fd00:1::2\n",
		      batch);
		write_routes(batch, routes);
		err = 0;
	}
	if (batch && fclose(batch))
		err = EXIT_FAILED;
	if (!err)
		err = run_in(topology, NODE_ROUTER, "ip -batch -", text);
	free(text);
	return err;
}

int topology_open(struct topology **result, const struct topology_options *options)
{
	struct topology *topology = calloc(1, sizeof(*topology));
	int err;

	if (!topology)
		return EXIT_FAILED;
	for (int i = 0; i < NODES; i++)
		topology->node[i].fd = -1;
	topology->home = netns_current();
	err = topology->home < 0 ? topology->home : 0;
	for (int i = 0; i < NODES && !err; i++)
		err = open_node(&topology->node[i]);
	if (err) {
		log_error("as root", "the bench's network namespaces cannot be made: %s", strerror(-err));
		err = EXIT_NEEDS;
	}
	if (!err)
		err = make_links(topology);
	if (!err)
		err = make_routes(topology, options->routes);
	if (!err)
		err = make_gro(topology);
	if (err) {
		topology_close(topology);
		return err;
	}
	*result = topology;
	return 0;
}

int topology_statistics(const struct topology *topology, enum topology_port port,
			struct rtnl_link_stats64 *statistics)
{
	int err = topology_enter(topology, ports[port].node);

	if (!err)
		err = iface_statistics(ports[port].name, statistics);
	topology_leave(topology);
	return err;
}

void topology_close(struct topology *topology)
{
	if (!topology)
		return;
	for (int i = 0; i < NODES; i++)
		close_node(&topology->node[i]);
	if (topology->home >= 0)
		close(topology->home);
	free(topology);
}
