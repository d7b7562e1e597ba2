/* SPDX-License-Identifier: GPL-2.0-only */
/* An http URL taken apart (RFC 3986, RFC 9110 §4.2.1), strictly: what goes into a request must not be able to
 * break it. */
#ifndef XDPLIFE_URL_H
#define XDPLIFE_URL_H

#include <stdbool.h>
#include <stdint.h>

#define URL_MAX_HOST_BYTES   256  /* a DNS name has 253 at most, and the terminator */
#define URL_MAX_TARGET_BYTES 8192 /* what servers take for a request line */
#define URL_HTTP_PORT        80

struct url {
	char host[URL_MAX_HOST_BYTES];     /* without the brackets of an IPv6 literal; with its %zone */
	char target[URL_MAX_TARGET_BYTES]; /* path and query; "/" if there is none; no fragment */
	uint16_t port;
	bool ip6_literal;
};

/**
 * url_parse() - take @text apart
 * @problem: on failure what is wrong with it, in words
 *
 * Return: 0, or -EINVAL.
 */
int url_parse(const char *text, struct url *url, const char **problem);

#endif
