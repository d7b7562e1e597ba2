/* SPDX-License-Identifier: GPL-2.0-only */
/* Bytes from the hexadecimal text that people paste. */
#ifndef XDPLIFE_HEX_H
#define XDPLIFE_HEX_H

#include <stddef.h>
#include <stdint.h>

struct hex_error {
	size_t position;    /* of the offending character, counted from 1 */
	const char *reason; /* what is wrong with it */
	char character[8];  /* it, safe for a terminal; "" at the end of the text */
};

/**
 * hex_parse() - read pairs of hexadecimal digits
 * @text:  digits, with white space and colons between bytes and 0x in front of any group
 * @bytes: filled, up to @room
 * @error: filled if the text is bad
 *
 * Return: how many bytes were read; -EINVAL with @error filled; -E2BIG: more than @room.
 */
long hex_parse(const char *text, size_t length, uint8_t *bytes, size_t room, struct hex_error *error);

#endif
