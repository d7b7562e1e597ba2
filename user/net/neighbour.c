// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <string.h>

#include "net/neighbour.h"
#include "net/netlink.h"
#include "util/clock.h"

#define NUD_HAS_MAC (NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY)

/* What is asked for, and what came of it. */
struct lookup {
	unsigned int ifindex;
	int ip_version;
	const union ip_addr *address;
	struct neighbour *neighbour;
};

struct entry {
	union ip_addr address;
	uint8_t mac[6];
	int ip_version;
};

static int read_attribute(const struct nlattr *attr, void *data)
{
	struct entry *entry = data;

	if (mnl_attr_get_type(attr) == NDA_DST)
		entry->address = netlink_address(attr, entry->ip_version);
	else if (mnl_attr_get_type(attr) == NDA_LLADDR &&
		 mnl_attr_get_payload_len(attr) == sizeof(entry->mac))
		memcpy(entry->mac, mnl_attr_get_payload(attr), sizeof(entry->mac));
	return MNL_CB_OK;
}

/* Takes over a message about the entry that is looked for; others (in notifications) are passed by. */
static int read_neighbour(const struct nlmsghdr *message, void *data)
{
	const struct ndmsg *header = mnl_nlmsg_get_payload(message);
	const struct lookup *lookup = data;
	struct entry entry = {.ip_version = lookup->ip_version};

	if (message->nlmsg_type != RTM_NEWNEIGH || header->ndm_ifindex != (int)lookup->ifindex ||
	    header->ndm_family != netlink_family(lookup->ip_version))
		return MNL_CB_OK;
	if (mnl_attr_parse(message, sizeof(*header), read_attribute, &entry) < 0)
		return MNL_CB_ERROR;
	if (memcmp(&entry.address, lookup->address, netlink_address_bytes(lookup->ip_version)))
		return MNL_CB_OK;
	lookup->neighbour->state = header->ndm_state;
	memcpy(lookup->neighbour->mac, entry.mac, sizeof(entry.mac));
	return MNL_CB_OK;
}

static struct ndmsg *question(void *buffer, uint16_t type, uint16_t flags, const struct lookup *lookup)
{
	struct ndmsg *header = netlink_question(buffer, type, flags, sizeof(*header));

	header->ndm_family = netlink_family(lookup->ip_version);
	header->ndm_ifindex = (int)lookup->ifindex;
	mnl_attr_put(buffer, NDA_DST, netlink_address_bytes(lookup->ip_version), lookup->address);
	return header;
}

static int ask_table(struct lookup *lookup)
{
	uint8_t buffer[NETLINK_BUFFER_BYTES];
	int err;

	question(buffer, RTM_GETNEIGH, 0, lookup);
	err = netlink_ask(buffer, read_neighbour, lookup);
	return err == -ENOENT ? 0 : err; /* no entry is an answer: the state stays NUD_NONE */
}

/* As if a packet were to be sent there: a missing entry is resolved, a stale one is verified. */
static int make_kernel_use(const struct lookup *lookup)
{
	uint8_t buffer[NETLINK_BUFFER_BYTES];
	struct ndmsg *header = question(buffer, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, lookup);

	header->ndm_flags = NTF_USE;
	return netlink_ask(buffer, NULL, NULL);
}

int neighbour_ask(unsigned int ifindex, int ip_version, const union ip_addr *address)
{
	struct lookup lookup = {.ifindex = ifindex, .ip_version = ip_version, .address = address};

	return make_kernel_use(&lookup);
}

static struct mnl_socket *listen_to_changes(void)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (socket && mnl_socket_bind(socket, RTMGRP_NEIGH, MNL_SOCKET_AUTOPID)) {
		mnl_socket_close(socket);
		return NULL;
	}
	return socket;
}

/* Reads all notifications that are there. A lost one (ENOBUFS) is made good by asking the table. */
static int read_changes(struct mnl_socket *socket, struct lookup *lookup)
{
	uint8_t buffer[NETLINK_BUFFER_BYTES];
	ssize_t bytes;

	while ((bytes = mnl_socket_recvfrom(socket, buffer, sizeof(buffer))) > 0)
		if (mnl_cb_run(buffer, bytes, 0, 0, read_neighbour, lookup) < 0)
			return -errno;
	if (bytes < 0 && errno == ENOBUFS)
		return ask_table(lookup);
	return bytes < 0 && errno != EAGAIN ? -errno : 0;
}

static int wait_for_answer(struct mnl_socket *socket, struct lookup *lookup, uint64_t deadline_ns)
{
	struct pollfd pollfd = {.fd = mnl_socket_get_fd(socket), .events = POLLIN};
	int err = 0;

	while (!err && !(lookup->neighbour->state & (NUD_HAS_MAC | NUD_FAILED))) {
		uint64_t now_ns = clock_monotonic_ns();

		if (now_ns >= deadline_ns)
			return -EHOSTUNREACH;
		if (poll(&pollfd, 1, clock_poll_timeout_ms(deadline_ns - now_ns)) < 0)
			return -errno;
		err = read_changes(socket, lookup);
	}
	if (!err && lookup->neighbour->state & NUD_FAILED)
		return -EHOSTUNREACH;
	return err;
}

static int resolve(struct lookup *lookup, uint64_t timeout_ns)
{
	struct mnl_socket *socket = listen_to_changes();
	int err;

	if (!socket)
		return -errno;
	lookup->neighbour->resolved_now = true;
	lookup->neighbour->state = NUD_NONE;
	err = make_kernel_use(lookup);
	if (!err)
		err = wait_for_answer(socket, lookup, clock_monotonic_ns() + timeout_ns);
	mnl_socket_close(socket);
	return err;
}

int neighbour_resolve(unsigned int ifindex, int ip_version, const union ip_addr *address, uint64_t timeout_ns,
		      struct neighbour *neighbour)
{
	struct lookup lookup = {
		.ifindex = ifindex, .ip_version = ip_version, .address = address, .neighbour = neighbour};
	int err;

	*neighbour = (struct neighbour){};
	err = ask_table(&lookup);
	if (err)
		return err;
	if (!(neighbour->state & NUD_HAS_MAC))
		return resolve(&lookup, timeout_ns);
	return neighbour->state & NUD_STALE ? make_kernel_use(&lookup) : 0;
}

const char *neighbour_state_text(uint16_t state)
{
	static const struct {
		uint16_t state;
		const char *text;
	} names[] = {
		{NUD_INCOMPLETE, "INCOMPLETE"}, {NUD_REACHABLE, "REACHABLE"}, {NUD_STALE, "STALE"},
		{NUD_DELAY, "DELAY"},           {NUD_PROBE, "PROBE"},         {NUD_FAILED, "FAILED"},
		{NUD_NOARP, "NOARP"},           {NUD_PERMANENT, "PERMANENT"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (state == names[i].state)
			return names[i].text;
	return "NONE";
}
