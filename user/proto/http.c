// SPDX-License-Identifier: GPL-2.0-only
/*
 * HTTP/1, RFC 9112: the first line and the headers of a message that begins in this segment.
 *
 *  GET /index.html HTTP/1.0          HTTP/1.1 200 OK
 *  Name: value                       Name: value
 *  (an empty line, then the body)
 */
#include <string.h>

#include "proto/dissect.h"

static const char *const methods[] = {"GET ",     "HEAD ",    "POST ",  "PUT ",  "DELETE ",
				      "CONNECT ", "OPTIONS ", "TRACE ", "PATCH "};

static bool begins(const uint8_t *bytes, size_t count, const char *with)
{
	size_t length = strlen(with);

	return count >= length && !memcmp(bytes, with, length);
}

static bool recognise_http(const uint8_t *bytes, size_t count)
{
	if (begins(bytes, count, "HTTP/1."))
		return true;
	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++)
		if (begins(bytes, count, methods[i]))
			return true;
	return false;
}

/* How many bytes from @at to the line's end, CR and LF not counted. *@next: where the next line starts. */
static uint32_t line_bytes(const struct dissector *ds, uint32_t at, uint32_t *next)
{
	uint32_t count = captured(ds, at, ds->end);
	const uint8_t *start = ds->d->data + at, *lf = memchr(start, '\n', count);
	uint32_t bytes = lf ? lf - start : count;

	*next = at + bytes + (lf ? 1 : 0);
	return bytes && start[bytes - 1] == '\r' ? bytes - 1 : bytes;
}

/* Bytes up to the next @stop, at most @bytes. */
static uint32_t word_bytes(const struct dissector *ds, uint32_t at, uint32_t bytes, char stop)
{
	const uint8_t *start = ds->d->data + at, *end = memchr(start, stop, bytes);

	return end ? end - start : bytes;
}

/* Three words with a space between: the third may have spaces in it. */
static void dissect_first_line(struct dissector *ds, uint32_t at, uint32_t bytes)
{
	static const char *const request[][2] = {{"method", "http.request.method"},
						 {"target", "http.request.uri"},
						 {"version", "http.request.version"}};
	static const char *const response[][2] = {{"version", "http.response.version"},
						  {"status", "http.response.code"},
						  {"reason", "http.response.phrase"}};
	const char *const(*words)[2] = begins(ds->d->data + at, bytes, "HTTP/") ? response : request;

	layer_summary(ds, "%s", text_of(ds, at, bytes));
	for (int i = 0; i < 3 && bytes; i++) {
		uint32_t word = i < 2 ? word_bytes(ds, at, bytes, ' ') : bytes;

		if (word)
			field_text(ds, at, word, words[i][0], words[i][1]);
		word += word < bytes; /* the space */
		at += word;
		bytes -= word;
	}
}

static void dissect_header(struct dissector *ds, uint32_t at, uint32_t bytes)
{
	uint32_t name = word_bytes(ds, at, bytes, ':'), value = name + 1;
	struct field *field = field_text(ds, at, bytes, text_of(ds, at, name), NULL);

	while (value < bytes && ds->d->data[at + value] == ' ')
		value++;
	if (field)
		field->value = value < bytes ? text_of(ds, at + value, bytes - value) : "";
	field_from(field, "RFC 9110 §5");
}

static void dissect_http(struct dissector *ds)
{
	uint32_t at = ds->at, next, bytes = line_bytes(ds, at, &next);

	dissect_first_line(ds, at, bytes);
	for (at = next; captured(ds, at, ds->end); at = next) {
		bytes = line_bytes(ds, at, &next);
		if (!bytes) {
			at = next; /* the empty line: what follows is the body */
			break;
		}
		dissect_header(ds, at, bytes);
	}
	ds->at = at;
}

static void line_http(struct line *line, const struct dissection *d, const struct layer *layer,
		      const struct line_options *options)
{
	(void)d;
	(void)options;
	line_add(line, "HTTP \"%s\" ", layer->summary);
}

const struct proto proto_http = {
	.name = "HTTP",
	.key = "http",
	.source = "RFC 9112 §3, §4",
	.under = UNDER_TCP,
	.recognise = recognise_http,
	.dissect = dissect_http,
	.line = line_http,
};
