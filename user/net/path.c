// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "command.h"
#include "net/netlink.h"
#include "net/path.h"
#include "net/xsk.h"
#include "util/clock.h"
#include "util/log.h"

#define NEIGHBOUR_TIMEOUT_NS (5 * NS_PER_S) /* the kernel gives up after three seconds */

void path_init(struct net_path *path)
{
	*path = (struct net_path){.port_fd = -1};
}

void ip_addr_text(int ip_version, const union ip_addr *address, char text[INET6_ADDRSTRLEN])
{
	if (!inet_ntop(netlink_family(ip_version), address, text, INET6_ADDRSTRLEN))
		*text = 0;
}

static void take_address(struct net_path *path, const struct addrinfo *info)
{
	const struct sockaddr_in6 *in6 = (const void *)info->ai_addr;
	const struct sockaddr_in *in = (const void *)info->ai_addr;

	if (info->ai_family == AF_INET) {
		path->ip_version = 4;
		path->remote.v4 = in->sin_addr.s_addr;
		return;
	}
	path->ip_version = 6;
	path->scope = in6->sin6_scope_id;
	memcpy(&path->remote, &in6->sin6_addr, sizeof(in6->sin6_addr));
}

/* The resolver's first answer: it sorts by what has a route and by preference (RFC 6724). */
int path_find_address(struct net_path *path, const char *host, uint16_t port)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST}, *found;
	uint64_t start_ns = clock_monotonic_ns();
	int err = getaddrinfo(host, NULL, &hints, &found);

	path->literal = !err;
	if (err) {
		hints.ai_flags = AI_ADDRCONFIG;
		err = getaddrinfo(host, NULL, &hints, &found);
	}
	path->name_ns = clock_monotonic_ns() - start_ns;
	if (err) {
		log_error("another name, or an address; getent ahosts NAME shows what the system knows",
			  "%s: the name cannot be resolved: %s", host, gai_strerror(err));
		return EXIT_FAILED;
	}
	take_address(path, found);
	path->remote_port = port;
	freeaddrinfo(found);
	return EXIT_DONE;
}

static int route_error(const struct net_path *path, const char *ifname, int err)
{
	char address[INET6_ADDRSTRLEN];

	ip_addr_text(path->ip_version, &path->remote, address);
	switch (err) {
	case -EACCES:
		log_error(NULL, "%s: a route forbids it (prohibit)", address);
		break;
	case -EINVAL: /* what the kernel says of a blackhole, and of a link-local address without an interface
		       */
		log_error("ip route get, or --iface for a link-local address", "%s: the route leads nowhere",
			  address);
		break;
	default:
		log_error("ip route; a default route: ip route add default via GATEWAY",
			  "%s: no route%s%s: %s", address, ifname ? " by " : "", ifname ? ifname : "",
			  strerror(-err));
	}
	return EXIT_FAILED;
}

/* What a frame cannot be sent by. */
static int check_route(const struct net_path *path)
{
	static const union ip_addr none;
	char address[INET6_ADDRSTRLEN];

	ip_addr_text(path->ip_version, &path->remote, address);
	if (path->route.kind == ROUTE_LOCAL || path->iface.loopback)
		log_error("from another host or network namespace, or curl",
			  "%s is an address of this host: its frames never leave through an interface",
			  address);
	else if (path->route.kind != ROUTE_UNICAST)
		log_error(NULL, "%s is a broadcast, multicast or anycast address: TCP speaks to one host",
			  address);
	else if (!path->iface.ethernet)
		log_error("--iface with an Ethernet interface",
			  "%s: not Ethernet, so that no frame can be built for it", path->iface.name);
	else if (!memcmp(&path->route.source, &none, sizeof(none)))
		log_error("ip address add ADDRESS/LENGTH dev IFACE", "%s: no source address of ours on %s",
			  address, path->iface.name);
	else
		return EXIT_DONE;
	return EXIT_FAILED;
}

static void choose_mtu(struct net_path *path)
{
	const uint32_t most = XSK_MAX_FRAME_BYTES - sizeof(struct ethhdr);

	path->mtu = path->route.mtu && path->route.mtu < path->iface.mtu ? path->route.mtu : path->iface.mtu;
	if (path->mtu > most)
		path->mtu = most;
}

int path_find_route(struct net_path *path, const char *ifname)
{
	uint64_t start_ns = clock_monotonic_ns();
	unsigned int ifindex = path->scope;
	int err;

	if (ifname) {
		if (iface_get(ifname, &path->iface)) {
			log_error("ip link", "%s: no such interface", ifname);
			return EXIT_FAILED;
		}
		ifindex = path->iface.index;
	}
	err = route_get(path->ip_version, &path->remote, ifindex, &path->route);
	if (err)
		return route_error(path, ifname, err);
	err = iface_get_by_index(path->route.ifindex, &path->iface);
	if (err)
		return route_error(path, ifname, err);
	path->next_hop = path->route.has_gateway ? path->route.gateway : path->remote;
	path->next_hop_version = path->route.has_gateway ? path->route.gateway_version : path->ip_version;
	choose_mtu(path);
	path->route_ns = clock_monotonic_ns() - start_ns;
	return check_route(path);
}

int path_find_neighbour(struct net_path *path)
{
	const char *protocol = path->next_hop_version == 4 ? "ARP" : "NDP";
	uint64_t start_ns = clock_monotonic_ns();
	char address[INET6_ADDRSTRLEN];
	int err;

	err = neighbour_resolve(path->iface.index, path->next_hop_version, &path->next_hop,
				NEIGHBOUR_TIMEOUT_NS, &path->neighbour);
	path->neighbour_ns = clock_monotonic_ns() - start_ns;
	if (!err)
		return EXIT_DONE;
	ip_addr_text(path->next_hop_version, &path->next_hop, address);
	if (err == -EPERM) {
		log_error("as root", "%s: making the kernel resolve a neighbour needs CAP_NET_ADMIN",
			  address);
		return EXIT_NEEDS;
	}
	if (err == -EHOSTUNREACH)
		log_error("ip neigh; is that host up, and on this link?",
			  "%s: nobody on %s answers for it (%s)", address, path->iface.name, protocol);
	else
		log_error(NULL, "%s: its MAC cannot be found: %s", address, strerror(-err));
	return EXIT_FAILED;
}

static socklen_t local_sockaddr(const struct net_path *path, struct sockaddr_storage *storage)
{
	struct sockaddr_in6 *in6 = (void *)storage;
	struct sockaddr_in *in = (void *)storage;

	memset(storage, 0, sizeof(*storage));
	if (path->ip_version == 4) {
		in->sin_family = AF_INET;
		in->sin_addr.s_addr = path->route.source.v4;
		return sizeof(*in);
	}
	in6->sin6_family = AF_INET6;
	memcpy(&in6->sin6_addr, &path->route.source, sizeof(in6->sin6_addr));
	if (IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr))
		in6->sin6_scope_id = path->iface.index;
	return sizeof(*in6);
}

int path_bind_port(const struct net_path *path, uint16_t *port)
{
	int fd = socket(netlink_family(path->ip_version), SOCK_STREAM | SOCK_CLOEXEC, 0), err;
	struct sockaddr_storage address;
	socklen_t bytes = local_sockaddr(path, &address);

	if (fd < 0)
		return -errno;
	if (!bind(fd, (struct sockaddr *)&address, bytes) &&
	    !getsockname(fd, (struct sockaddr *)&address, &bytes)) {
		/* The port is at the same place in both kinds of address. */
		*port = FROM_BE16(((struct sockaddr_in *)&address)->sin_port);
		return fd;
	}
	err = -errno;
	close(fd);
	return err;
}

int path_reserve_port(struct net_path *path)
{
	int fd = path_bind_port(path, &path->local_port);
	char source[INET6_ADDRSTRLEN];

	if (fd >= 0) {
		path->port_fd = fd;
		return EXIT_DONE;
	}
	ip_addr_text(path->ip_version, &path->route.source, source);
	log_error("ip address", "%s: no port can be reserved: %s", source, strerror(-fd));
	return EXIT_FAILED;
}

void path_close(struct net_path *path)
{
	if (path->port_fd >= 0)
		close(path->port_fd);
	path->port_fd = -1;
}

void path_frame(const struct net_path *path, struct frame_path *frame)
{
	*frame = (struct frame_path){
		.ip_version = (uint8_t)path->ip_version,
		.local = path->route.source,
		.remote = path->remote,
		.local_port = TO_BE16(path->local_port),
		.remote_port = TO_BE16(path->remote_port),
	};
	memcpy(frame->local_mac, path->iface.mac, sizeof(frame->local_mac));
	memcpy(frame->next_mac, path->neighbour.mac, sizeof(frame->next_mac));
}
