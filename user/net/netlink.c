// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "net/netlink.h"

#define NETLINK_SEQUENCE 1 /* one request a socket */

int netlink_family(int ip_version)
{
	return ip_version == 4 ? AF_INET : AF_INET6;
}

int netlink_address_bytes(int ip_version)
{
	return ip_version == 4 ? 4 : 16;
}

void *netlink_question(void *buffer, __u16 type, __u16 flags, size_t extra_bytes)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);

	header->nlmsg_type = type;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	header->nlmsg_seq = NETLINK_SEQUENCE;
	return mnl_nlmsg_put_extra_header(header, extra_bytes);
}

/* Reads until the acknowledgment that every request asks for. */
static int read_answers(struct mnl_socket *socket, void *buffer, mnl_cb_t each, void *data)
{
	int more = MNL_CB_OK;

	while (more > MNL_CB_STOP) {
		ssize_t bytes = mnl_socket_recvfrom(socket, buffer, NETLINK_BUFFER_BYTES);

		if (bytes < 0 && errno == EINTR)
			continue;
		if (bytes < 0)
			return -errno;
		more = mnl_cb_run(buffer, bytes, NETLINK_SEQUENCE, mnl_socket_get_portid(socket), each, data);
	}
	return more < 0 ? -errno : 0;
}

int netlink_ask(void *buffer, mnl_cb_t each, void *data)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	int err;

	if (!socket)
		return -errno;
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) ||
	    mnl_socket_sendto(socket, buffer, ((struct nlmsghdr *)buffer)->nlmsg_len) < 0)
		err = -errno;
	else
		err = read_answers(socket, buffer, each, data);
	mnl_socket_close(socket);
	return err;
}

union ip_addr netlink_address(const struct nlattr *attr, int ip_version)
{
	union ip_addr address = {};

	if (mnl_attr_get_payload_len(attr) == netlink_address_bytes(ip_version))
		memcpy(&address, mnl_attr_get_payload(attr), netlink_address_bytes(ip_version));
	return address;
}
