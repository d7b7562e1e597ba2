// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "net/netlink.h"
#include "net/route_watch.h"

static const unsigned int groups[] = {
	RTNLGRP_IPV4_ROUTE,   RTNLGRP_IPV6_ROUTE,   RTNLGRP_IPV4_RULE,   RTNLGRP_IPV6_RULE,
	RTNLGRP_NEXTHOP,      RTNLGRP_NEIGH,        RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
	RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF, RTNLGRP_LINK,
};

struct route_watch {
	__u32 *generation;
	struct mnl_socket *socket;
	int stop; /* an eventfd */
	pthread_t thread;
};

/* What a message says is of no interest: the next lookup asks the kernel. */
static void *watch(void *context)
{
	struct route_watch *self = context;
	struct pollfd polled[] = {{.fd = mnl_socket_get_fd(self->socket), .events = POLLIN},
				  {.fd = self->stop, .events = POLLIN}};
	char buffer[NETLINK_BUFFER_BYTES];

	for (;;) {
		if (poll(polled, 2, -1) < 0 && errno != EINTR)
			return NULL;
		if (polled[1].revents)
			return NULL;
		if (mnl_socket_recvfrom(self->socket, buffer, sizeof(buffer)) >= 0 || errno == ENOBUFS)
			__atomic_fetch_add(self->generation, 1, __ATOMIC_RELEASE);
	}
}

static int join(struct mnl_socket *socket)
{
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		int group = groups[i];

		if (mnl_socket_setsockopt(socket, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)))
			return -errno;
	}
	return 0;
}

/* Signals are for other threads. */
static int start_thread(struct route_watch *self)
{
	sigset_t blocked, before;
	int err;

	sigfillset(&blocked);
	pthread_sigmask(SIG_SETMASK, &blocked, &before);
	err = pthread_create(&self->thread, NULL, watch, self);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -err;
}

static void release(struct route_watch *self)
{
	if (self->socket)
		mnl_socket_close(self->socket);
	if (self->stop >= 0)
		close(self->stop);
	free(self);
}

int route_watch_start(struct route_watch **result, __u32 *generation)
{
	struct route_watch *self = calloc(1, sizeof(*self));
	int err;

	if (!self)
		return -ENOMEM;
	self->generation = generation;
	self->stop = eventfd(0, EFD_CLOEXEC);
	self->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	err = self->stop < 0 || !self->socket || mnl_socket_bind(self->socket, 0, MNL_SOCKET_AUTOPID)
		      ? -errno
		      : join(self->socket);
	if (!err)
		err = start_thread(self);
	if (err) {
		release(self);
		return err;
	}
	*result = self;
	return 0;
}

void route_watch_stop(struct route_watch *watch)
{
	if (!watch)
		return;
	eventfd_write(watch->stop, 1);
	pthread_join(watch->thread, NULL);
	release(watch);
}
