// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <unistd.h>

#include "util/terminal.h"

static const char *const sequences[] = {
	[STYLE_RESET] = "\033[0m", [STYLE_BOLD] = "\033[1m",   [STYLE_DIM] = "\033[2m",
	[STYLE_GOOD] = "\033[32m", [STYLE_WARN] = "\033[33m",  [STYLE_BAD] = "\033[31m",
	[STYLE_NAME] = "\033[36m", [STYLE_VALUE] = "\033[34m",
};

static int wants_colour(FILE *stream)
{
	const char *no = getenv("NO_COLOR"), *force = getenv("CLICOLOR_FORCE");

	if (no && *no)
		return 0;
	return (force && *force && *force != '0') || isatty(fileno(stream));
}

/* Asked for each word that is printed: of the two streams that matter it is found out once. */
const char *terminal_style(FILE *stream, enum style style)
{
	static int out = -1, err = -1;
	int *known = stream == stdout ? &out : stream == stderr ? &err : NULL, wants;

	wants = known && *known >= 0 ? *known : wants_colour(stream);
	if (known)
		*known = wants;
	return wants ? sequences[style] : "";
}

void terminal_safe(char *out, size_t out_bytes, const void *in, size_t in_bytes)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *byte = in;
	size_t used = 0;

	for (size_t i = 0; i < in_bytes; i++) {
		int plain = byte[i] >= 0x20 && byte[i] < 0x7f;

		if (used + (plain ? 1 : 4) + 1 > out_bytes)
			break;
		if (plain) {
			out[used++] = (char)byte[i];
		} else {
			out[used++] = '\\';
			out[used++] = 'x';
			out[used++] = hex[byte[i] >> 4];
			out[used++] = hex[byte[i] & 15];
		}
	}
	if (out_bytes)
		out[used] = 0;
}
