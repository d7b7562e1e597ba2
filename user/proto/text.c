// SPDX-License-Identifier: GPL-2.0-only
/* The texts of a dissection: they all live until it is freed, so they are cut from a list of chunks. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "proto/dissect.h"
#include "util/terminal.h"

#define CHUNK_BYTES 4096

struct text_chunk {
	struct text_chunk *next;
	size_t used, bytes;
	char text[];
};

static char *text_alloc(struct dissector *ds, size_t bytes)
{
	struct text_chunk *chunk = ds->d->texts;

	if (!chunk || chunk->bytes - chunk->used < bytes) {
		size_t size = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;

		chunk = malloc(sizeof(*chunk) + size);
		if (!chunk) {
			ds->failed = true;
			return NULL;
		}
		*chunk = (struct text_chunk){.next = ds->d->texts, .bytes = size};
		ds->d->texts = chunk;
	}
	chunk->used += bytes;
	return chunk->text + chunk->used - bytes;
}

static const char *text_vformat(struct dissector *ds, const char *format, va_list args)
{
	va_list again;
	char *text;
	int length;

	va_copy(again, args);
	length = vsnprintf(NULL, 0, format, again);
	va_end(again);
	text = length > 0 ? text_alloc(ds, length + 1) : NULL;
	if (!text)
		return "";
	vsnprintf(text, length + 1, format, args);
	return text;
}

const char *text_format(struct dissector *ds, const char *format, ...)
{
	const char *text;
	va_list args;

	va_start(args, format);
	text = text_vformat(ds, format, args);
	va_end(args);
	return text;
}

const char *text_of(struct dissector *ds, uint32_t at, uint32_t bytes)
{
	uint32_t count = captured(ds, at, at + bytes);
	size_t room = 4 * (size_t)count + 1; /* each byte may become \xNN */
	char *text = text_alloc(ds, room);

	if (!text)
		return "";
	terminal_safe(text, room, ds->d->data + at, count);
	return text;
}

void texts_free(struct dissection *d)
{
	while (d->texts) {
		struct text_chunk *next = d->texts->next;

		free(d->texts);
		d->texts = next;
	}
}

void field_means(struct dissector *ds, struct field *field, const char *format, ...)
{
	va_list args;

	if (!field)
		return;
	va_start(args, format);
	field->meaning = text_vformat(ds, format, args);
	va_end(args);
}

void field_shows(struct dissector *ds, struct field *field, const char *format, ...)
{
	va_list args;

	if (!field)
		return;
	va_start(args, format);
	field->value = text_vformat(ds, format, args);
	va_end(args);
}

void layer_summary(struct dissector *ds, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	ds->layer->summary = text_vformat(ds, format, args);
	va_end(args);
}
