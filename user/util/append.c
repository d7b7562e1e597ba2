// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/append.h"
#include "util/digits.h"

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

void append_texts(char *text, size_t bytes, ...)
{
	size_t used = strlen(text);
	const char *more;
	va_list args;

	va_start(args, bytes);
	for (more = va_arg(args, const char *); more && used < bytes; more = va_arg(args, const char *)) {
		size_t length = strnlen(more, bytes - used - 1);

		memcpy(text + used, more, length);
		used += length;
		text[used] = 0;
	}
	va_end(args);
}

void append_number(char *text, size_t bytes, unsigned long long number)
{
	char digits[DIGITS_MAX + 1];

	*digits_put(digits, number) = 0;
	append_texts(text, bytes, digits, NULL);
}

void append_item(char *text, size_t bytes, const char *separator, const char *format, ...)
{
	va_list args;

	if (*text)
		append_texts(text, bytes, separator, NULL);
	va_start(args, format);
	append_list(text, bytes, format, args);
	va_end(args);
}
