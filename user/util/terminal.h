/* SPDX-License-Identifier: GPL-2.0-only */
/* Colour where it helps: only on a terminal, never with NO_COLOR, always with CLICOLOR_FORCE. */
#ifndef XDPLIFE_TERMINAL_H
#define XDPLIFE_TERMINAL_H

#include <stddef.h>
#include <stdio.h>

enum style {
	STYLE_RESET,
	STYLE_BOLD,
	STYLE_DIM,
	STYLE_GOOD,  /* green */
	STYLE_WARN,  /* yellow */
	STYLE_BAD,   /* red */
	STYLE_NAME,  /* cyan: names, headings */
	STYLE_VALUE, /* blue */
};

/* The escape sequence for @style on @stream, or "" where colour is not wanted. */
const char *terminal_style(FILE *stream, enum style style);

/* Copies @in to @out (always terminated) with every byte that a terminal would act on as \xNN. For text from
 * packets. */
void terminal_safe(char *out, size_t out_bytes, const void *in, size_t in_bytes);

#endif
