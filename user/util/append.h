/* SPDX-License-Identifier: GPL-2.0-only */
/* Text that grows to the right and never beyond its place. */
#ifndef XDPLIFE_APPEND_H
#define XDPLIFE_APPEND_H

#include <stddef.h>

/* Behind what @text holds, which must be terminated; what does not fit into @bytes is cut off. */
void append(char *text, size_t bytes, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* As append() with "%s" for each text, a tenth of its price. The last is NULL. */
void append_texts(char *text, size_t bytes, ...) __attribute__((sentinel));

/* As append() with "%llu". */
void append_number(char *text, size_t bytes, unsigned long long number);

/* As append(), with @separator before it if @text is not empty. */
void append_item(char *text, size_t bytes, const char *separator, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

#endif
