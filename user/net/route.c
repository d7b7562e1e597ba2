// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "net/netlink.h"
#include "net/route.h"

struct answer {
	struct route *route;
	int ip_version;
};

static int read_metric(const struct nlattr *attr, void *data)
{
	struct route *route = data;

	if (mnl_attr_get_type(attr) == RTAX_MTU)
		route->mtu = mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

/* RTA_VIA: a gateway of another address family. */
static void read_via(struct route *route, const struct nlattr *attr)
{
	const struct rtvia *via = mnl_attr_get_payload(attr);

	if (via->rtvia_family != AF_INET6 || mnl_attr_get_payload_len(attr) < sizeof(*via) + 16)
		return;
	memcpy(&route->gateway, via->rtvia_addr, 16);
	route->gateway_version = 6;
	route->has_gateway = true;
}

static int read_attribute(const struct nlattr *attr, void *data)
{
	const struct answer *answer = data;
	struct route *route = answer->route;

	switch (mnl_attr_get_type(attr)) {
	case RTA_PREFSRC:
		route->source = netlink_address(attr, answer->ip_version);
		break;
	case RTA_GATEWAY:
		route->gateway = netlink_address(attr, answer->ip_version);
		route->gateway_version = answer->ip_version;
		route->has_gateway = true;
		break;
	case RTA_VIA:
		read_via(route, attr);
		break;
	case RTA_OIF:
		route->ifindex = mnl_attr_get_u32(attr);
		break;
	case RTA_METRICS:
		return mnl_attr_parse_nested(attr, read_metric, route);
	}
	return MNL_CB_OK;
}

static int read_route(const struct nlmsghdr *message, void *data)
{
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);
	struct answer *answer = data;

	if (header->rtm_type == RTN_UNICAST)
		answer->route->kind = ROUTE_UNICAST;
	else if (header->rtm_type == RTN_LOCAL)
		answer->route->kind = ROUTE_LOCAL;
	else
		answer->route->kind = ROUTE_OTHER;
	return mnl_attr_parse(message, sizeof(*header), read_attribute, answer);
}

static int read_prefix_attribute(const struct nlattr *attr, void *data)
{
	const struct answer *answer = data;

	if (mnl_attr_get_type(attr) == RTA_DST)
		answer->route->prefix = netlink_address(attr, answer->ip_version);
	return MNL_CB_OK;
}

static int read_prefix(const struct nlmsghdr *message, void *data)
{
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);
	struct answer *answer = data;

	answer->route->prefix_length = header->rtm_dst_len;
	answer->route->has_prefix = true;
	return mnl_attr_parse(message, sizeof(*header), read_prefix_attribute, answer);
}

/* @flags: RTM_F_FIB_MATCH asks for the entry of the table; without it, for what a packet to the address gets.
 */
static int ask(uint32_t flags, const union ip_addr *destination, unsigned int ifindex, mnl_cb_t each,
	       struct answer *answer)
{
	uint8_t buffer[NETLINK_BUFFER_BYTES];
	struct rtmsg *header = netlink_question(buffer, RTM_GETROUTE, 0, sizeof(*header));
	int bytes = netlink_address_bytes(answer->ip_version);

	header->rtm_family = netlink_family(answer->ip_version);
	header->rtm_dst_len = bytes * 8;
	header->rtm_flags = flags;
	mnl_attr_put((struct nlmsghdr *)buffer, RTA_DST, bytes, destination);
	if (ifindex)
		mnl_attr_put_u32((struct nlmsghdr *)buffer, RTA_OIF, ifindex);
	return netlink_ask(buffer, each, answer);
}

int route_get(int ip_version, const union ip_addr *destination, unsigned int ifindex, struct route *route)
{
	struct answer answer = {.route = route, .ip_version = ip_version};
	int err;

	*route = (struct route){};
	err = ask(0, destination, ifindex, read_route, &answer);
	if (err)
		return err;
	/* Only to be shown: where the kernel cannot say which entry matched, has_prefix stays false. */
	if (ask(RTM_F_FIB_MATCH, destination, ifindex, read_prefix, &answer))
		route->has_prefix = false;
	return 0;
}
