// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <string.h>

#include "command.h"
#include "net/path.h"
#include "traffic/guard.h"
#include "util/log.h"
#include "xdplife/parse.h"

#define CURE "a veth pair between network namespaces (xdplife lab up), or --i-own-this-network"

int guard_iface(const struct iface *iface, bool owned)
{
	if (owned || !strcmp(iface->kind, "veth"))
		return 0;
	log_error(CURE,
		  "%s: refused: it is %s%s, not a veth, and a stream at full speed would hit a real network",
		  iface->name,
		  *iface->kind      ? "a "
		  : iface->loopback ? "the loopback"
				    : "hardware",
		  iface->kind);
	return EXIT_FAILED;
}

/* @harm: what could come of it */
static int check_address(const struct target *target, bool owned, const char *harm)
{
	char address[INET6_ADDRSTRLEN];

	ip_addr_text(target->ip_version, &target->address, address);
	if (target_is_group(target)) {
		log_error("the address of one host, or a prefix of hosts",
			  "%s/%d: refused: broadcast, multicast or unspecified, in whole or in part", address,
			  target->prefix);
		return EXIT_FAILED;
	}
	if (owned || target_is_private(target))
		return 0;
	log_error(CURE, "%s/%d: refused: not a private or test network (RFC 1918, 2544, 4193, 5737), so %s",
		  address, target->prefix, harm);
	return EXIT_FAILED;
}

int guard_check(const struct iface *iface, const struct target *to, bool owned)
{
	int err = guard_iface(iface, owned);

	return err ? err : check_address(to, owned, "it may be somebody else's");
}

int guard_source(const struct target *from, bool owned)
{
	return check_address(from, owned, "somebody else may get the answers");
}

int guard_mac(const uint8_t mac[6])
{
	if (!(mac[0] & 1))
		return 0;
	log_error("the MAC of one station",
		  "%02x:%02x:%02x:%02x:%02x:%02x: refused: every station of a network would get the frames",
		  mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
	return EXIT_FAILED;
}

bool guard_frame(const void *frame, uint32_t bytes, char *address)
{
	struct packet packet = {};
	struct target to;

	parse_packet(&packet, frame, (const uint8_t *)frame + bytes, bytes);
	to = (struct target){
		.ip_version = packet.ip_version,
		.address = packet.dst,
		.prefix = packet.ip_version == 4 ? 32 : 128,
	};
	if (!packet.ip_version || target_is_private(&to) || target_is_group(&to))
		return true;
	ip_addr_text(to.ip_version, &to.address, address);
	return false;
}
