// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>

#include "util/log.h"
#include "util/terminal.h"

static void print(const char *style, const char *label, const char *cure, const char *format, va_list args)
{
	flockfile(stderr);
	fprintf(stderr, "xdplife: %s%s%s", style, label, *style ? terminal_style(stderr, STYLE_RESET) : "");
	vfprintf(stderr, format, args);
	if (cure)
		fprintf(stderr, "; try: %s", cure);
	fputc('\n', stderr);
	funlockfile(stderr);
}

void log_error(const char *cure, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print(terminal_style(stderr, STYLE_BAD), "", cure, format, args);
	va_end(args);
}

void log_warn(const char *cure, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print(terminal_style(stderr, STYLE_WARN), "warning: ", cure, format, args);
	va_end(args);
}

void log_info(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print("", "", NULL, format, args);
	va_end(args);
}
