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
		  iface->name, *iface->kind ? "a " : "hardware", iface->kind);
	return EXIT_FAILED;
}

int guard_check(const struct iface *iface, const struct target *to, bool owned)
{
	char address[INET6_ADDRSTRLEN];
	int err;

	ip_addr_text(to->ip_version, &to->address, address);
	if (target_is_group(to)) {
		log_error("the address of one host",
			  "%s: not one host: every host of a network would have to answer", address);
		return EXIT_FAILED;
	}
	err = guard_iface(iface, owned);
	if (err || owned || target_is_private(to))
		return err;
	log_error(CURE,
		  "%s/%d: refused: not a private or test network (RFC 1918, 2544, 4193, 5737), so it may be "
		  "somebody else's",
		  address, to->prefix);
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
