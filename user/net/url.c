// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "net/url.h"

#define SCHEME        "http://"
#define SECURE_SCHEME "https://"

static int fail(const char **problem, const char *text)
{
	*problem = text;
	return -EINVAL;
}

/* A zone in a URL is written %25eth0 (RFC 6874); %eth0, as people write it, is taken too. */
static int parse_ip6_literal(const char *text, size_t bytes, struct url *url, const char **problem)
{
	const char *zone = memchr(text, '%', bytes);
	size_t address_bytes = zone ? (size_t)(zone - text) : bytes;
	size_t zone_bytes = bytes - address_bytes;
	struct in6_addr address;

	if (bytes >= sizeof(url->host))
		return fail(problem, "the address in [] is too long");
	memcpy(url->host, text, address_bytes);
	url->host[address_bytes] = 0;
	if (inet_pton(AF_INET6, url->host, &address) != 1)
		return fail(problem, "what stands in [] is not an IPv6 address");
	url->ip6_literal = true;
	if (!zone)
		return 0;
	if (zone_bytes > 3 && !strncmp(zone, "%25", 3)) {
		zone += 2;
		zone_bytes -= 2;
	}
	if (zone_bytes < 2)
		return fail(problem, "the zone behind % is empty");
	url->host[address_bytes] = '%';
	memcpy(url->host + address_bytes + 1, zone + 1, zone_bytes - 1);
	url->host[address_bytes + zone_bytes] = 0;
	return 0;
}

static int parse_name(const char *text, size_t bytes, struct url *url, const char **problem)
{
	if (!bytes)
		return fail(problem, "no host in it");
	if (bytes >= sizeof(url->host))
		return fail(problem, "the host's name is too long");
	for (size_t i = 0; i < bytes; i++)
		if (!isalnum((unsigned char)text[i]) && !strchr("-._", text[i]))
			return fail(problem, "a character in the host that no host name has");
	memcpy(url->host, text, bytes);
	url->host[bytes] = 0;
	return 0;
}

static int parse_port(const char *text, size_t bytes, struct url *url, const char **problem)
{
	uint32_t port = 0;

	for (size_t i = 0; i < bytes; i++) {
		if (!isdigit((unsigned char)text[i]))
			return fail(problem, "the port is not a number");
		port = port * 10 + (uint32_t)(text[i] - '0');
		if (port > UINT16_MAX)
			break;
	}
	if (!port || port > UINT16_MAX)
		return fail(problem, "the port is not between 1 and 65535");
	url->port = (uint16_t)port;
	return 0;
}

/* authority = host [":" port]; a name and a password in it are refused: they would go out in the clear. */
static int parse_authority(const char *text, size_t bytes, struct url *url, const char **problem)
{
	const char *end = text + bytes, *host_end, *port;
	int err;

	if (memchr(text, '@', bytes))
		return fail(problem, "a user name in the URL is not supported");
	if (bytes && *text == '[') {
		host_end = memchr(text, ']', bytes);
		if (!host_end)
			return fail(problem, "a [ without its ]");
		err = parse_ip6_literal(text + 1, (size_t)(host_end - text - 1), url, problem);
		port = host_end + 1;
	} else {
		port = memchr(text, ':', bytes);
		if (!port)
			port = end;
		err = parse_name(text, (size_t)(port - text), url, problem);
	}
	if (err || port == end)
		return err;
	if (*port != ':')
		return fail(problem, "something between ] and the port or the path");
	return port + 1 == end ? 0 : parse_port(port + 1, (size_t)(end - port - 1), url, problem);
}

static int parse_target(const char *text, struct url *url, const char **problem)
{
	size_t bytes = strcspn(text, "#"), used = 0;

	if (bytes + 2 > sizeof(url->target))
		return fail(problem, "the path is too long");
	if (*text != '/')
		url->target[used++] = '/';
	for (size_t i = 0; i < bytes; i++) {
		if (!isgraph((unsigned char)text[i]))
			return fail(problem, "a space, control or non-ASCII character; write it as %XX");
		url->target[used++] = text[i];
	}
	url->target[used] = 0;
	return 0;
}

int url_parse(const char *text, struct url *url, const char **problem)
{
	size_t authority_bytes;
	int err;

	*url = (struct url){.port = URL_HTTP_PORT};
	if (!strncasecmp(text, SECURE_SCHEME, strlen(SECURE_SCHEME)))
		return fail(problem, "https is encrypted and xdplife speaks plain HTTP only");
	if (strncasecmp(text, SCHEME, strlen(SCHEME)))
		return fail(problem, "it does not begin with http://");
	text += strlen(SCHEME);
	authority_bytes = strcspn(text, "/?#");
	err = parse_authority(text, authority_bytes, url, problem);
	return err ? err : parse_target(text + authority_bytes, url, problem);
}
