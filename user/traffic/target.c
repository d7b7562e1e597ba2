// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "traffic/target.h"

#define TEXT_BYTES      128
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Takes "/PREFIX" off the end of @text. */
static int take_prefix(char *text, struct target *target, const char **problem)
{
	unsigned long most = target->ip_version == 4 ? 32 : 128, prefix = most;
	char *slash = strchr(text, '/'), *end;

	if (slash) {
		*slash++ = 0;
		prefix = strtoul(slash, &end, 10);
		if (*slash < '0' || *slash > '9' || *end || prefix > most) {
			*problem = most == 32 ? "the prefix length must be 0 to 32"
					      : "the prefix length must be 0 to 128";
			return -EINVAL;
		}
	}
	target->prefix = prefix;
	return 0;
}

static int take_port(const char *text, struct target *target, const char **problem)
{
	char *end;
	unsigned long port = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || !port || port > 65535) {
		*problem = "the port must be 1 to 65535";
		return -EINVAL;
	}
	target->port = port;
	return 0;
}

static int take_address(const char *text, struct target *target, const char **problem)
{
	if (inet_pton(target->ip_version == 4 ? AF_INET : AF_INET6, text, &target->address) == 1)
		return 0;
	*problem = target->ip_version == 4 ? "not an IPv4 address (names are not looked up)"
					   : "not an IPv6 address (names are not looked up)";
	return -EINVAL;
}

/* [ADDR] or [ADDR/PREFIX], then /PREFIX, then :PORT. */
static int parse_brackets(char *text, struct target *target, const char **problem)
{
	char *close = strchr(text, ']'), *port;
	int err;

	if (!close) {
		*problem = "the ] is missing";
		return -EINVAL;
	}
	*close++ = 0;
	port = strchr(close, ':');
	if (port)
		*port++ = 0;
	if (*close && (*close != '/' || strchr(text, '/'))) {
		*problem = "after ] only /PREFIX and :PORT can come";
		return -EINVAL;
	}
	err = take_prefix(*close ? close : text + 1, target, problem);
	if (!err)
		err = take_address(text + 1, target, problem);
	return err || !port ? err : take_port(port, target, problem);
}

int target_parse(const char *from, struct target *target, const char **problem)
{
	char text[TEXT_BYTES], *port;
	int err;

	*target = (struct target){.ip_version = strchr(from, '.') && !strchr(from, '[') ? 4 : 6};
	*problem = "too long";
	if (strlen(from) >= sizeof(text))
		return -EINVAL;
	strcpy(text, from);
	if (*text == '[')
		return parse_brackets(text, target, problem);
	port = target->ip_version == 4 ? strchr(text, ':') : NULL;
	if (port)
		*port++ = 0;
	err = take_prefix(text, target, problem);
	if (!err)
		err = take_address(text, target, problem);
	return err || !port ? err : take_port(port, target, problem);
}

struct range {
	const char *address;
	uint8_t prefix;
};

/* Whether the first @bits of the target's address are those of the range. */
static bool agree(const struct target *target, const struct range *range, unsigned int bits)
{
	uint8_t base[16];

	inet_pton(target->ip_version == 4 ? AF_INET : AF_INET6, range->address, base);
	for (unsigned int bit = 0; bit < bits; bit++)
		if ((base[bit / 8] ^ target->address.byte[bit / 8]) & 0x80 >> bit % 8)
			return false;
	return true;
}

static bool is_within(const struct target *target, const struct range *range)
{
	return target->prefix >= range->prefix && agree(target, range, range->prefix);
}

/* Of two prefixes one lies within the other, or they have nothing in common. */
static bool overlaps(const struct target *target, const struct range *range)
{
	return agree(target, range, target->prefix < range->prefix ? target->prefix : range->prefix);
}

static bool any(const struct target *target, bool (*test)(const struct target *, const struct range *),
		const struct range *ip4, size_t ip4_count, const struct range *ip6, size_t ip6_count)
{
	const struct range *range = target->ip_version == 4 ? ip4 : ip6;

	for (size_t n = target->ip_version == 4 ? ip4_count : ip6_count; n; n--, range++)
		if (test(target, range))
			return true;
	return false;
}

bool target_is_private(const struct target *target)
{
	static const struct range ip4[] = {
		{"10.0.0.0", 8},     {"172.16.0.0", 12},   {"192.168.0.0", 16}, {"198.18.0.0", 15},
		{"192.0.2.0", 24},   {"198.51.100.0", 24}, {"203.0.113.0", 24}, {"100.64.0.0", 10},
		{"169.254.0.0", 16}, {"127.0.0.0", 8},
	};
	static const struct range ip6[] = {
		{"fc00::", 7},    {"2001:db8::", 32}, {"3fff::", 20},
		{"2001:2::", 48}, {"fe80::", 10},     {"::1", 128},
	};

	return any(target, is_within, ip4, COUNT_OF(ip4), ip6, COUNT_OF(ip6));
}

bool target_is_group(const struct target *target)
{
	static const struct range ip4[] = {{"224.0.0.0", 4}, {"255.255.255.255", 32}, {"0.0.0.0", 32}};
	static const struct range ip6[] = {{"ff00::", 8}, {"::", 128}};

	return any(target, overlaps, ip4, COUNT_OF(ip4), ip6, COUNT_OF(ip6));
}
