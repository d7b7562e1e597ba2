// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>

#include "util/hex.h"
#include "util/terminal.h"

static int digit(const char *text, size_t length, size_t at)
{
	if (at >= length || !isxdigit((unsigned char)text[at]))
		return -1;
	if (isdigit((unsigned char)text[at]))
		return text[at] - '0';
	return tolower((unsigned char)text[at]) - 'a' + 10;
}

static int is_separator(char c)
{
	return isspace((unsigned char)c) || c == ':';
}

static long fail(const char *text, size_t length, size_t at, const char *reason, struct hex_error *error)
{
	error->position = at + 1;
	error->reason = reason;
	terminal_safe(error->character, sizeof(error->character), text + at, at < length);
	return -EINVAL;
}

long hex_parse(const char *text, size_t length, uint8_t *bytes, size_t room, struct hex_error *error)
{
	size_t count = 0, at = 0;
	int group_starts = 1;

	while (at < length) {
		int high = digit(text, length, at), low = digit(text, length, at + 1);

		if (is_separator(text[at])) {
			at++;
			group_starts = 1;
			continue;
		}
		if (group_starts && text[at] == '0' && at + 1 < length &&
		    tolower((unsigned char)text[at + 1]) == 'x') {
			at += 2;
			group_starts = 0;
			if (digit(text, length, at) < 0)
				return fail(text, length, at, "0x with no digit behind it", error);
			continue;
		}
		if (high < 0)
			return fail(text, length, at, "not a hexadecimal digit", error);
		if (low < 0 && at + 1 < length && !is_separator(text[at + 1]))
			return fail(text, length, at + 1, "not a hexadecimal digit", error);
		if (low < 0)
			return fail(text, length, at, "a digit without its second: a byte is two digits",
				    error);
		if (count == room)
			return -E2BIG;
		bytes[count++] = high << 4 | low;
		at += 2;
		group_starts = 0;
	}
	return (long)count;
}
