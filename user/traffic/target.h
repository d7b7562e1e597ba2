/* SPDX-License-Identifier: GPL-2.0-only */
/* "ADDR[/PREFIX][:PORT]" as people write it, and what kind of network an address is in. Pure. */
#ifndef XDPLIFE_TARGET_H
#define XDPLIFE_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "xdplife/wire.h"

struct target {
	int ip_version;
	union ip_addr address;
	uint8_t prefix; /* of /PREFIX; else the whole address */
	uint16_t port;  /* 0: none was given */
};

/**
 * target_parse() - 10.0.2.2, 10.0.2.2:80, 10.2.0.0/16:80, fd00::2, [fd00::2]:80, [fd00::]/64:80, [fd00::/64]:80
 * @problem: on failure what is wrong, in words
 *
 * Return: 0, or -EINVAL.
 */
int target_parse(const char *text, struct target *target, const char **problem);

/*
 * Whether all of the prefix is set aside for private use, tests or documentation: RFC 1918, RFC 2544 (198.18/15),
 * RFC 5737, RFC 6598 (100.64/10), RFC 3927, loopback; RFC 4193 (fc00::/7), RFC 3849, RFC 9637, RFC 5180, link-local.
 */
bool target_is_private(const struct target *target);

/* Multicast, broadcast, unspecified, in any part of the prefix: not one host. */
bool target_is_group(const struct target *target);

#endif
