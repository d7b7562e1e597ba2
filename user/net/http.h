/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * HTTP/1.1 as a client speaks it (RFC 9112): the request, and an incremental, strict and bounded response
 * parser.
 *
 * The parser is pure: bytes in, slices of body out, no allocation, nothing kept of the input. It is fed with
 * http_parse() until everything is consumed, and told of the end of the stream with http_parse_eof().
 * Strict: lines end in CR LF; header names are tokens directly followed by a colon; Content-Length and chunk
 * sizes are plain digits that must agree; the only transfer coding is chunked. Responses with a status of 1xx
 * are passed over. Limits: HTTP_MAX_HEAD_BYTES for status line and headers together, HTTP_MAX_HEADERS,
 * HTTP_MAX_LINE_BYTES for a chunk's first line and for each trailer, HTTP_MAX_INTERIM responses with a status
 * of 1xx.
 */
#ifndef XDPLIFE_HTTP_H
#define XDPLIFE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/url.h"

#define HTTP_MAX_HEAD_BYTES    65536
#define HTTP_MAX_HEADERS       128
#define HTTP_MAX_LINE_BYTES    4096
#define HTTP_MAX_INTERIM       16
#define HTTP_MAX_REQUEST_BYTES (URL_MAX_TARGET_BYTES + URL_MAX_HOST_BYTES + 256)

/* Writes a GET request. Return: its length in bytes, or -EMSGSIZE. */
int http_request(const struct url *url, const char *user_agent, char *out, size_t out_bytes);

/* X(name, text): what can be wrong with a response. */
#define HTTP_ERRORS(X)                                                                                       \
	X(NONE, "nothing")                                                                                   \
	X(STATUS_LINE, "the status line is not HTTP/1.x (RFC 9112 §4)")                                      \
	X(LINE_END, "a line does not end in CR LF (RFC 9112 §2.2)")                                          \
	X(HEADER_NAME,                                                                                       \
	  "a header's name is empty, has a forbidden character or a space before its colon (RFC 9112 §5)")   \
	X(HEADER_VALUE, "a header's value has a control character (RFC 9110 §5.5)")                          \
	X(HEAD_TOO_LONG, "status line and headers are longer than 65536 bytes")                              \
	X(TOO_MANY_HEADERS, "more than 128 headers")                                                         \
	X(TOO_MANY_INTERIM, "more than 16 interim (1xx) responses")                                          \
	X(SWITCHED, "101: the server switches to a protocol that nobody asked for")                          \
	X(CONTENT_LENGTH, "Content-Length is not one number (RFC 9112 §6.3)")                                \
	X(TRANSFER_CODING, "a transfer coding other than chunked (RFC 9112 §6.1)")                           \
	X(CHUNK_SIZE, "a chunk's size is not a hexadecimal number (RFC 9112 §7.1)")                          \
	X(CHUNK_END, "a chunk is not followed by CR LF (RFC 9112 §7.1)")                                     \
	X(LINE_TOO_LONG, "a chunk's first line or a trailer is longer than 4096 bytes")                      \
	X(TRUNCATED, "the connection ended before the response did")                                         \
	X(EMPTY, "the connection ended without a response")

#define HTTP_ERROR_ENUM(name, text) HTTP_ERROR_##name,
enum http_error { HTTP_ERRORS(HTTP_ERROR_ENUM) HTTP_ERROR_COUNT };

enum http_framing {
	HTTP_FRAMING_NONE, /* 204 and 304 have no body */
	HTTP_FRAMING_LENGTH,
	HTTP_FRAMING_CHUNKED,
	HTTP_FRAMING_CLOSE, /* up to the end of the connection */
};

enum http_phase {
	HTTP_HEAD,
	HTTP_BODY, /* of length or close framing */
	HTTP_CHUNK_SIZE,
	HTTP_CHUNK_DATA,
	HTTP_CHUNK_CRLF,
	HTTP_TRAILERS,
	HTTP_DONE,
	HTTP_FAILED,
};

struct http_header {
	const char *name; /* both terminated, in the parser */
	const char *value;
};

/* Fields above the line are results, valid once http_head_complete(); the rest is the parser's own. */
struct http_parser {
	int minor_version;
	int status;
	const char *reason; /* may be empty */
	struct http_header headers[HTTP_MAX_HEADERS];
	size_t header_count;
	enum http_framing framing;
	uint64_t content_length; /* with HTTP_FRAMING_LENGTH */
	uint64_t body_bytes;     /* so far, decoded */
	enum http_error error;
	/* ---- */
	enum http_phase phase;
	uint64_t left;     /* of the body, or of the chunk */
	size_t line_bytes; /* of the line being read in chunked framing */
	size_t head_bytes;
	unsigned int interim;
	char head[HTTP_MAX_HEAD_BYTES];
	char line[HTTP_MAX_LINE_BYTES];
};

struct http_slice {
	const uint8_t *data; /* into the input; NULL if there is no body in it */
	size_t bytes;
};

void http_parser_init(struct http_parser *parser);

/**
 * http_parse() - take in the next bytes of the stream
 * @body: the piece of body among them, if any
 *
 * Return: how many bytes were consumed; fewer than @bytes means: call again with the rest, or that the
 * response is complete or has failed (then 0).
 */
size_t http_parse(struct http_parser *parser, const uint8_t *in, size_t bytes, struct http_slice *body);

/* The stream has ended. */
void http_parse_eof(struct http_parser *parser);

bool http_head_complete(const struct http_parser *parser);
bool http_done(const struct http_parser *parser);   /* all of it has arrived */
bool http_failed(const struct http_parser *parser); /* parser->error says why */

/* The value of the first header of this name, in any case; NULL. */
const char *http_header_value(const struct http_parser *parser, const char *name);

const char *http_error_text(enum http_error error);

#endif
