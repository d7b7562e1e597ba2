// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "net/http.h"

#define STATUS_PREFIX       "HTTP/1."
#define STATUS_NO_CONTENT   204
#define STATUS_NOT_MODIFIED 304
#define STATUS_SWITCHING    101

int http_request(const struct url *url, const char *user_agent, char *out, size_t out_bytes)
{
	int host_bytes = url->ip6_literal ? (int)strcspn(url->host, "%") : (int)strlen(url->host);
	char port[sizeof(":65535")] = "";
	int bytes;

	if (url->port != URL_HTTP_PORT)
		snprintf(port, sizeof(port), ":%u", url->port);
	bytes = snprintf(out, out_bytes,
			 "GET %s HTTP/1.1\r\nHost: %s%.*s%s%s\r\nUser-Agent: %s\r\nAccept: */*\r\n"
			 "Connection: close\r\n\r\n",
			 url->target, url->ip6_literal ? "[" : "", host_bytes, url->host,
			 url->ip6_literal ? "]" : "", port, user_agent);
	return bytes < 0 || (size_t)bytes >= out_bytes ? -EMSGSIZE : bytes;
}

void http_parser_init(struct http_parser *parser)
{
	parser->minor_version = parser->status = 0;
	parser->reason = "";
	parser->header_count = 0;
	parser->framing = HTTP_FRAMING_NONE;
	parser->content_length = parser->body_bytes = parser->left = 0;
	parser->error = HTTP_ERROR_NONE;
	parser->phase = HTTP_HEAD;
	parser->head_bytes = parser->line_bytes = 0;
	parser->interim = 0;
}

static void fail(struct http_parser *parser, enum http_error error)
{
	parser->phase = HTTP_FAILED;
	parser->error = error;
}

/* RFC 9110 §5.6.2 */
static bool is_token(const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if (!isalnum((unsigned char)text[i]) && (!text[i] || !strchr("!#$%&'*+-.^_`|~", text[i])))
			return false;
	return bytes > 0;
}

/* RFC 9110 §5.5: visible ASCII, obs-text, space and tab. */
static bool is_field_value(const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if (((unsigned char)text[i] < 0x20 && text[i] != '\t') || text[i] == 0x7f)
			return false;
	return true;
}

/* status-line = "HTTP/1." DIGIT SP 3DIGIT [ SP reason ]; servers that leave out the last space are
 * understood. */
static enum http_error parse_status_line(struct http_parser *parser, char *line, size_t bytes)
{
	const char *at = line + strlen(STATUS_PREFIX); /* that it begins so was seen to while it was read */

	if (bytes < strlen(STATUS_PREFIX "1 200") || !isdigit((unsigned char)at[0]) || at[1] != ' ' ||
	    at[2] < '1' || at[2] > '9' || !isdigit((unsigned char)at[3]) || !isdigit((unsigned char)at[4]) ||
	    (at[5] && at[5] != ' ') || !is_field_value(line, bytes))
		return HTTP_ERROR_STATUS_LINE;
	parser->minor_version = at[0] - '0';
	parser->status = (at[2] - '0') * 100 + (at[3] - '0') * 10 + (at[4] - '0');
	parser->reason = at[5] ? at + 6 : "";
	return HTTP_ERROR_NONE;
}

static char *trim(char *text)
{
	size_t bytes;

	text += strspn(text, " \t");
	bytes = strlen(text);
	while (bytes && (text[bytes - 1] == ' ' || text[bytes - 1] == '\t'))
		text[--bytes] = 0;
	return text;
}

static enum http_error parse_header(struct http_parser *parser, char *line, size_t bytes)
{
	char *colon = memchr(line, ':', bytes);
	struct http_header *header;

	if (!colon || !is_token(line, (size_t)(colon - line)))
		return HTTP_ERROR_HEADER_NAME;
	if (!is_field_value(colon, bytes - (size_t)(colon - line)))
		return HTTP_ERROR_HEADER_VALUE;
	if (parser->header_count == HTTP_MAX_HEADERS)
		return HTTP_ERROR_TOO_MANY_HEADERS;
	*colon = 0;
	header = &parser->headers[parser->header_count++];
	*header = (struct http_header){.name = line, .value = trim(colon + 1)};
	return HTTP_ERROR_NONE;
}

/* 1*DIGIT that fits into 64 bits. */
static bool parse_decimal(const char *text, uint64_t *value)
{
	*value = 0;
	for (const char *at = text; *at; at++) {
		if (!isdigit((unsigned char)*at) || __builtin_mul_overflow(*value, 10, value) ||
		    __builtin_add_overflow(*value, (uint64_t)(*at - '0'), value))
			return false;
	}
	return *text;
}

/* RFC 9112 §6.3: repeated Content-Length headers must agree; Transfer-Encoding overrides them. */
static enum http_error find_framing(struct http_parser *parser)
{
	bool has_length = false;
	uint64_t length;

	parser->framing = HTTP_FRAMING_CLOSE;
	for (size_t i = 0; i < parser->header_count; i++) {
		const struct http_header *header = &parser->headers[i];

		if (!strcasecmp(header->name, "Transfer-Encoding")) {
			if (parser->framing == HTTP_FRAMING_CHUNKED || strcasecmp(header->value, "chunked"))
				return HTTP_ERROR_TRANSFER_CODING;
			parser->framing = HTTP_FRAMING_CHUNKED;
		} else if (!strcasecmp(header->name, "Content-Length")) {
			if (!parse_decimal(header->value, &length) ||
			    (has_length && length != parser->content_length))
				return HTTP_ERROR_CONTENT_LENGTH;
			parser->content_length = length;
			has_length = true;
		}
	}
	if (parser->status == STATUS_NO_CONTENT || parser->status == STATUS_NOT_MODIFIED)
		parser->framing = HTTP_FRAMING_NONE;
	else if (has_length && parser->framing == HTTP_FRAMING_CLOSE)
		parser->framing = HTTP_FRAMING_LENGTH;
	return HTTP_ERROR_NONE;
}

static void begin_body(struct http_parser *parser)
{
	switch (parser->framing) {
	case HTTP_FRAMING_NONE:
		parser->phase = HTTP_DONE;
		break;
	case HTTP_FRAMING_LENGTH:
		parser->left = parser->content_length;
		parser->phase = parser->left ? HTTP_BODY : HTTP_DONE;
		break;
	case HTTP_FRAMING_CHUNKED:
		parser->phase = HTTP_CHUNK_SIZE;
		break;
	case HTTP_FRAMING_CLOSE:
		parser->left = UINT64_MAX;
		parser->phase = HTTP_BODY;
		break;
	}
}

/* RFC 9110 §15.2: what comes before the final response is passed over. */
static enum http_error pass_interim(struct http_parser *parser)
{
	unsigned int interim = parser->interim + 1;

	if (parser->status == STATUS_SWITCHING)
		return HTTP_ERROR_SWITCHED;
	if (interim > HTTP_MAX_INTERIM)
		return HTTP_ERROR_TOO_MANY_INTERIM;
	http_parser_init(parser);
	parser->interim = interim;
	return HTTP_ERROR_NONE;
}

/* Cuts the next line off the head at its CR LF. Return: the line behind it. */
static char *cut_line(char *line, size_t *bytes)
{
	char *end = strstr(line, "\r\n");

	*bytes = (size_t)(end - line);
	*end = 0;
	return end + 2;
}

/* A line that begins with white space continues the one before (obs-fold): RFC 9112 §5.2 wants spaces in its
 * place. */
static void unfold(char *head, size_t bytes)
{
	for (size_t i = 0; i + 2 < bytes; i++)
		if (head[i] == '\r' && head[i + 1] == '\n' && (head[i + 2] == ' ' || head[i + 2] == '\t'))
			head[i] = head[i + 1] = ' ';
}

/* The head ends in an empty line and holds no NUL: that was seen to while it was read. */
static enum http_error parse_head(struct http_parser *parser)
{
	enum http_error error;
	char *line = parser->head, *next;
	size_t bytes;

	next = cut_line(line, &bytes);
	unfold(next, parser->head_bytes - (size_t)(next - parser->head));
	error = parse_status_line(parser, line, bytes);
	while (error == HTTP_ERROR_NONE) {
		line = next;
		next = cut_line(line, &bytes);
		if (!bytes)
			break;
		error = parse_header(parser, line, bytes);
	}
	if (error == HTTP_ERROR_NONE && parser->status < 200)
		return pass_interim(parser);
	if (error == HTTP_ERROR_NONE)
		error = find_framing(parser);
	if (error == HTTP_ERROR_NONE)
		begin_body(parser);
	return error;
}

/* @last: the byte that is added to the line. CR and LF come as a pair only; Return: false if they do not. */
static bool line_byte_ok(const char *line, size_t bytes, char last)
{
	bool after_cr = bytes && line[bytes - 1] == '\r';

	return last == '\n' ? after_cr : !after_cr && last;
}

/* Adds one byte. What does not begin as HTTP is told apart at once: it may never have a line's end. */
static enum http_error add_to_head(struct http_parser *parser, char byte)
{
	size_t used = parser->head_bytes;

	if (used < strlen(STATUS_PREFIX) && byte != STATUS_PREFIX[used])
		return HTTP_ERROR_STATUS_LINE;
	if (!line_byte_ok(parser->head, used, byte))
		return byte ? HTTP_ERROR_LINE_END : HTTP_ERROR_HEADER_VALUE;
	if (used + 1 == sizeof(parser->head))
		return HTTP_ERROR_HEAD_TOO_LONG;
	parser->head[used++] = byte;
	parser->head[used] = 0;
	parser->head_bytes = used;
	return HTTP_ERROR_NONE;
}

static size_t take_head(struct http_parser *parser, const uint8_t *in, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		enum http_error error = add_to_head(parser, (char)in[i]);
		size_t used = parser->head_bytes;
		bool complete = error == HTTP_ERROR_NONE && in[i] == '\n' && used >= 4 &&
				!memcmp(parser->head + used - 4, "\r\n\r\n", 4);

		if (complete)
			error = parse_head(parser);
		if (error != HTTP_ERROR_NONE)
			fail(parser, error);
		if (complete || error != HTTP_ERROR_NONE)
			return i + 1;
	}
	return bytes;
}

/* Reads up to a CR LF into parser->line, which is then terminated without it. Return: whether the line is
 * complete. */
static bool take_line(struct http_parser *parser, const uint8_t *in, size_t bytes, size_t *consumed)
{
	for (*consumed = 0; *consumed < bytes;) {
		char byte = (char)in[(*consumed)++];

		if (!line_byte_ok(parser->line, parser->line_bytes, byte)) {
			fail(parser, HTTP_ERROR_LINE_END);
			return false;
		}
		if (parser->line_bytes == sizeof(parser->line)) {
			fail(parser, HTTP_ERROR_LINE_TOO_LONG);
			return false;
		}
		parser->line[parser->line_bytes++] = byte;
		if (byte == '\n') {
			parser->line[parser->line_bytes - 2] = 0;
			return true;
		}
	}
	return false;
}

/* chunk-size [ chunk-ext ]: extensions are passed over, as RFC 9112 §7.1.1 has it. */
static void parse_chunk_size(struct http_parser *parser)
{
	size_t digits = strspn(parser->line, "0123456789abcdefABCDEF");
	const char *rest = parser->line + digits;

	rest += strspn(rest, " \t");
	if (!digits || digits > 2 * sizeof(parser->left) || (*rest && *rest != ';')) {
		fail(parser, HTTP_ERROR_CHUNK_SIZE);
		return;
	}
	parser->left = 0;
	for (size_t i = 0; i < digits; i++) {
		char digit = parser->line[i];

		parser->left =
			parser->left << 4 |
			(uint64_t)(isdigit((unsigned char)digit) ? digit - '0' : (digit | 0x20) - 'a' + 10);
	}
	parser->phase = parser->left ? HTTP_CHUNK_DATA : HTTP_TRAILERS;
}

static size_t take_chunk_line(struct http_parser *parser, const uint8_t *in, size_t bytes)
{
	size_t consumed;

	if (!take_line(parser, in, bytes, &consumed))
		return consumed;
	if (parser->phase == HTTP_CHUNK_SIZE)
		parse_chunk_size(parser);
	else if (parser->phase == HTTP_TRAILERS && !*parser->line)
		parser->phase = HTTP_DONE;
	else if (parser->phase == HTTP_CHUNK_CRLF && *parser->line)
		fail(parser, HTTP_ERROR_CHUNK_END);
	else if (parser->phase == HTTP_CHUNK_CRLF)
		parser->phase = HTTP_CHUNK_SIZE;
	parser->line_bytes = 0;
	return consumed;
}

static size_t take_body(struct http_parser *parser, const uint8_t *in, size_t bytes, struct http_slice *body)
{
	if (bytes > parser->left)
		bytes = (size_t)parser->left;
	*body = (struct http_slice){.data = in, .bytes = bytes};
	parser->body_bytes += bytes;
	if (parser->framing == HTTP_FRAMING_CLOSE)
		return bytes;
	parser->left -= bytes;
	if (!parser->left)
		parser->phase = parser->phase == HTTP_CHUNK_DATA ? HTTP_CHUNK_CRLF : HTTP_DONE;
	return bytes;
}

size_t http_parse(struct http_parser *parser, const uint8_t *in, size_t bytes, struct http_slice *body)
{
	*body = (struct http_slice){};
	switch (parser->phase) {
	case HTTP_HEAD:
		return take_head(parser, in, bytes);
	case HTTP_BODY:
	case HTTP_CHUNK_DATA:
		return take_body(parser, in, bytes, body);
	case HTTP_CHUNK_SIZE:
	case HTTP_CHUNK_CRLF:
	case HTTP_TRAILERS:
		return take_chunk_line(parser, in, bytes);
	case HTTP_DONE:
	case HTTP_FAILED:
		break;
	}
	return 0;
}

void http_parse_eof(struct http_parser *parser)
{
	if (parser->phase == HTTP_DONE || parser->phase == HTTP_FAILED)
		return;
	if (parser->phase == HTTP_BODY && parser->framing == HTTP_FRAMING_CLOSE)
		parser->phase = HTTP_DONE;
	else if (parser->phase == HTTP_HEAD && !parser->head_bytes && !parser->interim)
		fail(parser, HTTP_ERROR_EMPTY);
	else
		fail(parser, HTTP_ERROR_TRUNCATED);
}

bool http_head_complete(const struct http_parser *parser)
{
	return parser->phase > HTTP_HEAD && parser->phase < HTTP_FAILED;
}

bool http_done(const struct http_parser *parser)
{
	return parser->phase == HTTP_DONE;
}

bool http_failed(const struct http_parser *parser)
{
	return parser->phase == HTTP_FAILED;
}

const char *http_header_value(const struct http_parser *parser, const char *name)
{
	for (size_t i = 0; i < parser->header_count; i++)
		if (!strcasecmp(parser->headers[i].name, name))
			return parser->headers[i].value;
	return NULL;
}

#define HTTP_ERROR_TEXT(name, text) [HTTP_ERROR_##name] = text,

const char *http_error_text(enum http_error error)
{
	static const char *const text[] = {HTTP_ERRORS(HTTP_ERROR_TEXT)};

	return text[error];
}
