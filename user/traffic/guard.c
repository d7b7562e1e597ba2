// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "command.h"
#include "net/path.h"
#include "traffic/guard.h"
#include "util/log.h"

#define CURE "a veth pair between network namespaces (xdplife lab up), or --i-own-this-network"

int guard_check(const struct iface *iface, const struct target *to, bool owned)
{
	char address[INET6_ADDRSTRLEN];

	ip_addr_text(to->ip_version, &to->address, address);
	if (target_is_group(to)) {
		log_error("the address of one host",
			  "%s: not one host: every host of a network would have to answer", address);
		return EXIT_FAILED;
	}
	if (owned)
		return 0;
	if (strcmp(iface->kind, "veth")) {
		log_error(CURE,
			  "%s: refused: it is %s%s, not a veth, and a stream at full speed would hit a real "
			  "network",
			  iface->name, *iface->kind ? "a " : "hardware", iface->kind);
		return EXIT_FAILED;
	}
	if (!target_is_private(to)) {
		log_error(CURE,
			  "%s/%d: refused: not a private or test network (RFC 1918, 2544, 4193, 5737), so it "
			  "may be "
			  "somebody else's",
			  address, to->prefix);
		return EXIT_FAILED;
	}
	return 0;
}
