// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/append.h"

static void append_list(char *text, size_t bytes, const char *format, va_list args)
{
	size_t used = strlen(text);

	if (used < bytes)
		vsnprintf(text + used, bytes - used, format, args);
}

void append(char *text, size_t bytes, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	append_list(text, bytes, format, args);
	va_end(args);
}

void append_item(char *text, size_t bytes, const char *separator, const char *format, ...)
{
	va_list args;

	if (*text)
		append(text, bytes, "%s", separator);
	va_start(args, format);
	append_list(text, bytes, format, args);
	va_end(args);
}
