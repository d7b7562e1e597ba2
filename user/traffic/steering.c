// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "command.h"
#include "datapath/datapath.h"
#include "traffic/steering.h"
#include "util/clock.h"
#include "util/log.h"

#define MAX_RECEIVE_BYTES (1u << 20)
#define MIN_RECEIVE_BYTES (1u << 14) /* an initial window of ten segments (RFC 6928), nearly */
#define DEFAULT_MSS_IP4   536        /* RFC 9293 §3.7.1 */
#define DEFAULT_MSS_IP6   1220

struct steering {
	const struct net_path *path;
	unsigned int connections;
	struct datapath *datapath;
	struct xsk *xsk;
	int ioctl_fd; /* any socket; -1: none */
};

static int open_sockets(struct steering *steering)
{
	const struct iface *iface = &steering->path->iface;
	int err = xsk_open(&steering->xsk, iface, datapath_xsk_map_fd(steering->datapath));

	return err ? xsk_say_error(iface->name, err) : EXIT_DONE;
}

/* The sockets are in the map before the first flow is steered. */
static int attach(struct steering *steering, unsigned int ports)
{
	const struct datapath_options options = {.steer = ports};
	char ifname[IF_NAMESIZE], *const ifnames[] = {ifname, NULL};
	int exit_code = datapath_open(&steering->datapath, &options);

	memcpy(ifname, steering->path->iface.name, sizeof(ifname));
	if (!exit_code)
		exit_code = datapath_add_ports(steering->datapath, ifnames);
	if (!exit_code)
		exit_code = open_sockets(steering);
	return exit_code;
}

int steering_open(struct steering **out, const struct net_path *path, unsigned int connections,
		  unsigned int ports)
{
	struct steering *steering = calloc(1, sizeof(*steering));
	int exit_code;

	if (!steering) {
		log_error(NULL, "%s", strerror(ENOMEM));
		return EXIT_FAILED;
	}
	steering->path = path;
	steering->connections = connections;
	steering->ioctl_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	exit_code = attach(steering, ports);
	if (exit_code)
		steering_close(steering);
	else
		*out = steering;
	return exit_code;
}

int steering_add(struct steering *steering, uint16_t local_port)
{
	const struct net_path *path = steering->path;
	const struct steer_key key = {
		.remote = path->remote,
		.local = path->route.source,
		.remote_port = TO_BE16(path->remote_port),
		.local_port = TO_BE16(local_port),
		.ip_version = (__u8)path->ip_version,
	};
	int err = datapath_steer(steering->datapath, &key);

	if (!err)
		return EXIT_DONE;
	log_error(NULL, "%s: the connection cannot be steered: %s", path->iface.name, strerror(-err));
	return EXIT_FAILED;
}

static uint32_t receive_bytes(const struct steering *steering, uint16_t mss)
{
	uint32_t share = xsk_queue_frames(steering->xsk) * mss / steering->connections;
	uint32_t bytes = MAX_RECEIVE_BYTES;

	while (bytes > share && bytes > MIN_RECEIVE_BYTES)
		bytes /= 2;
	return bytes;
}

void steering_conn(const struct steering *steering, struct tcp_conn_config *conn)
{
	const struct net_path *path = steering->path;

	conn->mss = (uint16_t)(path->mtu - frame_header_bytes(path->ip_version));
	conn->default_mss = path->ip_version == 4 ? DEFAULT_MSS_IP4 : DEFAULT_MSS_IP6;
	conn->receive_bytes = receive_bytes(steering, conn->mss);
	conn->time_wait_ns = NS_PER_S / 2; /* only after losses: long enough for a server to repeat its FIN */
}

struct xsk *steering_xsk(const struct steering *steering)
{
	return steering->xsk;
}

bool steering_native(const struct steering *steering)
{
	return datapath_port(steering->datapath, 0)->native;
}

/* The flags by ioctl(2): unlike netlink it never waits for somebody else's configuring. */
int steering_check(const struct steering *steering)
{
	struct ifreq request = {};

	if (datapath_port_gone(steering->datapath, 0))
		return -ENODEV;
	memcpy(request.ifr_name, steering->path->iface.name, sizeof(request.ifr_name));
	if (!ioctl(steering->ioctl_fd, SIOCGIFFLAGS, &request) && !(request.ifr_flags & IFF_UP))
		return -ENETDOWN;
	return 0;
}

void steering_close(struct steering *steering)
{
	if (!steering)
		return;
	if (steering->ioctl_fd >= 0)
		close(steering->ioctl_fd);
	xsk_close(steering->xsk);
	datapath_close(steering->datapath);
	free(steering);
}
