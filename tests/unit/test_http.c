// SPDX-License-Identifier: GPL-2.0-only
/* The URL parser, the request, and the response parser: every response is fed whole, byte by byte and split
 * in two anywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/http.h"

#define BODY_BYTES 256

struct outcome {
	struct http_parser parser;
	char body[BODY_BYTES];
	size_t body_bytes;
	size_t consumed;
};

/* Feeds exactly these bytes from memory of exactly that size, so that a read beyond them is seen by the
 * sanitizer. */
static void feed(struct outcome *o, const char *text, size_t bytes)
{
	uint8_t *exact = malloc(bytes ? bytes : 1), *at = exact;
	struct http_slice body;
	size_t consumed = 1;

	assert_non_null(exact);
	memcpy(exact, text, bytes);
	while (bytes && consumed) {
		consumed = http_parse(&o->parser, at, bytes, &body);
		assert_true(consumed <= bytes);
		assert_true(o->body_bytes + body.bytes <= sizeof(o->body));
		if (body.bytes)
			memcpy(o->body + o->body_bytes, body.data, body.bytes);
		o->body_bytes += body.bytes;
		o->consumed += consumed;
		at += consumed;
		bytes -= consumed;
	}
	free(exact);
}

static void begin(struct outcome *o)
{
	o->body_bytes = o->consumed = 0;
	http_parser_init(&o->parser);
}

/* What a response must come to, however it is split. */
struct expected {
	const char *text;
	size_t bytes; /* 0: strlen(text) */
	enum http_error error;
	int status;
	enum http_framing framing;
	const char *body;
	size_t left_over; /* bytes behind the end of the response */
};

static void check(const struct outcome *o, const struct expected *e, size_t bytes)
{
	assert_string_equal(http_error_text(o->parser.error), http_error_text(e->error));
	assert_int_equal(http_failed(&o->parser), e->error != HTTP_ERROR_NONE);
	if (e->error != HTTP_ERROR_NONE)
		return;
	assert_true(http_done(&o->parser));
	assert_int_equal(o->parser.status, e->status);
	assert_int_equal(o->parser.framing, e->framing);
	assert_int_equal(o->body_bytes, strlen(e->body));
	assert_int_equal(o->parser.body_bytes, strlen(e->body));
	assert_memory_equal(o->body, e->body, strlen(e->body));
	assert_int_equal(o->consumed, bytes - e->left_over);
}

static void expect(const struct expected *e)
{
	size_t bytes = e->bytes ? e->bytes : strlen(e->text);
	struct outcome *o = calloc(1, sizeof(*o));

	assert_non_null(o);
	for (size_t split = 0; split <= bytes; split++) { /* 0: whole */
		begin(o);
		feed(o, e->text, split);
		feed(o, e->text + split, bytes - split);
		http_parse_eof(&o->parser);
		check(o, e, bytes);
	}
	begin(o);
	for (size_t i = 0; i < bytes; i++)
		feed(o, e->text + i, 1);
	http_parse_eof(&o->parser);
	check(o, e, bytes);
	free(o);
}

/* --- responses that are right --- */

static void test_content_length(void **state)
{
	(void)state;
	expect(&(struct expected){
		.text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\nhello",
		.status = 200,
		.framing = HTTP_FRAMING_LENGTH,
		.body = "hello",
	});
	expect(&(struct expected){
		.text = "HTTP/1.0 404 Not Found\r\ncontent-length:\t0 \r\n\r\n",
		.status = 404,
		.framing = HTTP_FRAMING_LENGTH,
		.body = "",
	});
	/* What comes behind the body is not part of it. */
	expect(&(struct expected){
		.text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhello",
		.status = 200,
		.framing = HTTP_FRAMING_LENGTH,
		.body = "he",
		.left_over = 3,
	});
}

static void test_chunked(void **state)
{
	(void)state;
	expect(&(struct expected){
		.text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\nContent-Length: 3\r\n\r\n"
			"5\r\nhello\r\n"
			"0a ; name=\"value\"\r\n, world!\r\n\r\n"
			"0\r\nTrailer: x\r\nAnother: y\r\n\r\nnext",
		.status = 200,
		.framing = HTTP_FRAMING_CHUNKED, /* RFC 9112 §6.3: it overrides the length */
		.body = "hello, world!\r\n",
		.left_over = 4,
	});
	expect(&(struct expected){
		.text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		.status = 200,
		.framing = HTTP_FRAMING_CHUNKED,
		.body = "",
	});
}

static void test_close_delimited(void **state)
{
	(void)state;
	expect(&(struct expected){
		.text = "HTTP/1.0 200 OK\r\nServer: old\r\n\r\nall of it",
		.status = 200,
		.framing = HTTP_FRAMING_CLOSE,
		.body = "all of it",
	});
	expect(&(struct expected){
		.text = "HTTP/1.1 500 \r\n\r\n",
		.status = 500,
		.framing = HTTP_FRAMING_CLOSE,
		.body = "",
	});
	expect(&(struct expected){
		.text = "HTTP/1.1 302\r\nLocation: /x\r\n\r\n",
		.status = 302,
		.framing = HTTP_FRAMING_CLOSE,
		.body = "",
	});
}

/* 1xx come before the response; 204 and 304 have no body, whatever their headers say. */
static void test_interim_and_empty(void **state)
{
	(void)state;
	expect(&(struct expected){
		.text = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\nContent-Length: "
			"9\r\n\r\n"
			"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
		.status = 200,
		.framing = HTTP_FRAMING_LENGTH,
		.body = "x",
	});
	expect(&(struct expected){
		.text = "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
		.status = 204,
		.framing = HTTP_FRAMING_NONE,
		.body = "",
	});
	expect(&(struct expected){
		.text = "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n",
		.status = 304,
		.framing = HTTP_FRAMING_NONE,
		.body = "",
	});
}

static void test_headers(void **state)
{
	static const char text[] = "HTTP/1.1 200 Very  fine\r\n"
				   "Server:  nginx/1 \t\r\n"
				   "X-Folded: one\r\n"
				   "\ttwo\r\n"
				   "   three\r\n"
				   "Empty:\r\n"
				   "X-Bytes: \xc3\xa9\r\n\r\n";
	struct outcome *o = calloc(1, sizeof(*o));

	(void)state;
	assert_non_null(o);
	begin(o);
	assert_false(http_head_complete(&o->parser));
	feed(o, text, strlen(text));
	assert_true(http_head_complete(&o->parser));
	assert_int_equal(o->parser.minor_version, 1);
	assert_string_equal(o->parser.reason, "Very  fine");
	assert_int_equal(o->parser.header_count, 4);
	assert_string_equal(http_header_value(&o->parser, "SERVER"), "nginx/1");
	assert_string_equal(http_header_value(&o->parser, "x-folded"), "one  \ttwo     three");
	assert_string_equal(http_header_value(&o->parser, "empty"), "");
	assert_string_equal(http_header_value(&o->parser, "x-bytes"), "\xc3\xa9");
	assert_null(http_header_value(&o->parser, "serve"));
	free(o);
}

/* --- responses that are not --- */

static void test_malformed(void **state)
{
	static const struct {
		const char *text;
		enum http_error error;
	} cases[] = {
		{"", HTTP_ERROR_EMPTY},
		{"SSH-2.0-OpenSSH\r\n\r\n", HTTP_ERROR_STATUS_LINE},
		{"\r\n", HTTP_ERROR_STATUS_LINE},
		{"HTTP/2.0 200 OK\r\n\r\n", HTTP_ERROR_STATUS_LINE},
		{"HTTP/1.1  200 OK\r\n\r\n", HTTP_ERROR_STATUS_LINE},
		{"HTTP/1.1 20 OK\r\n\r\n", HTTP_ERROR_STATUS_LINE},
		{"HTTP/1.1 2000 OK\r\n\r\n", HTTP_ERROR_STATUS_LINE},
		{"HTTP/1.1 099 OK\r\n\r\n", HTTP_ERROR_STATUS_LINE},
		{"HTTP/1.1 200 O\x1bK\r\n\r\n", HTTP_ERROR_STATUS_LINE},
		{"HTTP/1.1 200 OK\n\n", HTTP_ERROR_LINE_END},
		{"HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n", HTTP_ERROR_LINE_END},
		{"HTTP/1.1 200 OK\r\nNo colon\r\n\r\n", HTTP_ERROR_HEADER_NAME},
		{"HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello", HTTP_ERROR_HEADER_NAME},
		{"HTTP/1.1 200 OK\r\n: 5\r\n\r\nhello", HTTP_ERROR_HEADER_NAME},
		{"HTTP/1.1 200 OK\r\nA: b\x01\r\n\r\n", HTTP_ERROR_HEADER_VALUE},
		{"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello", HTTP_ERROR_CONTENT_LENGTH},
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
		 HTTP_ERROR_CONTENT_LENGTH},
		{"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello", HTTP_ERROR_CONTENT_LENGTH},
		{"HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello", HTTP_ERROR_CONTENT_LENGTH},
		{"HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nhello", HTTP_ERROR_CONTENT_LENGTH},
		{"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551616\r\n\r\n",
		 HTTP_ERROR_CONTENT_LENGTH},
		{"HTTP/1.1 200 OK\r\nContent-Length: 30000000000000000000\r\n\r\n",
		 HTTP_ERROR_CONTENT_LENGTH},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", HTTP_ERROR_TRANSFER_CODING},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
		 HTTP_ERROR_TRANSFER_CODING},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", HTTP_ERROR_CHUNK_SIZE},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", HTTP_ERROR_CHUNK_SIZE},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5 5\r\n", HTTP_ERROR_CHUNK_SIZE},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000005\r\n",
		 HTTP_ERROR_CHUNK_SIZE},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello", HTTP_ERROR_LINE_END},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloo\r\n",
		 HTTP_ERROR_CHUNK_END},
		{"HTTP/1.1 101 Switching Protocols\r\n\r\n", HTTP_ERROR_SWITCHED},
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", HTTP_ERROR_TRUNCATED},
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", HTTP_ERROR_TRUNCATED},
		{"HTTP/1.1 100 Continue\r\n\r\n", HTTP_ERROR_TRUNCATED},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
		 HTTP_ERROR_TRUNCATED},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello", HTTP_ERROR_TRUNCATED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect(&(struct expected){.text = cases[i].text, .error = cases[i].error});
	/* A NUL in a header. */
	expect(&(struct expected){
		.text = "HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n",
		.bytes = sizeof("HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n") - 1,
		.error = HTTP_ERROR_HEADER_VALUE,
	});
}

static enum http_error error_of(struct outcome *o)
{
	return o->parser.error;
}

static void test_limits(void **state)
{
	static char big[HTTP_MAX_HEAD_BYTES + 1];
	struct outcome *o = calloc(1, sizeof(*o));
	static const char status[] = "HTTP/1.1 200 OK\r\n";
	static const char chunked[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

	(void)state;
	assert_non_null(o);
	memset(big, 'a', sizeof(big));
	begin(o);
	feed(o, status, strlen(status));
	feed(o, big, sizeof(big));
	assert_int_equal(error_of(o), HTTP_ERROR_HEAD_TOO_LONG);
	assert_true(o->consumed <= HTTP_MAX_HEAD_BYTES);

	for (int count = HTTP_MAX_HEADERS; count <= HTTP_MAX_HEADERS + 1; count++) {
		begin(o);
		feed(o, status, strlen(status));
		for (int i = 0; i < count; i++)
			feed(o, "a: b\r\n", 6);
		feed(o, "\r\n", 2);
		assert_int_equal(error_of(o),
				 count > HTTP_MAX_HEADERS ? HTTP_ERROR_TOO_MANY_HEADERS : HTTP_ERROR_NONE);
	}
	for (int count = HTTP_MAX_INTERIM; count <= HTTP_MAX_INTERIM + 1; count++) {
		begin(o);
		for (int i = 0; i < count; i++)
			feed(o, "HTTP/1.1 100 C\r\n\r\n", 18);
		assert_int_equal(error_of(o),
				 count > HTTP_MAX_INTERIM ? HTTP_ERROR_TOO_MANY_INTERIM : HTTP_ERROR_NONE);
	}
	begin(o);
	feed(o, chunked, strlen(chunked));
	feed(o, "5;", 2);
	feed(o, big, HTTP_MAX_LINE_BYTES);
	assert_int_equal(error_of(o), HTTP_ERROR_LINE_TOO_LONG);
	free(o);
}

/* A length near 2^64 is a number like any other. */
static void test_huge_length(void **state)
{
	static const char text[] = "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\nabc";
	struct outcome *o = calloc(1, sizeof(*o));

	(void)state;
	assert_non_null(o);
	begin(o);
	feed(o, text, strlen(text));
	assert_int_equal(o->parser.content_length, UINT64_MAX);
	assert_int_equal(o->body_bytes, 3);
	http_parse_eof(&o->parser);
	assert_int_equal(error_of(o), HTTP_ERROR_TRUNCATED);
	free(o);
}

/* --- request and URL --- */

static void test_request(void **state)
{
	char out[HTTP_MAX_REQUEST_BYTES];
	const char *problem;
	struct url url;

	(void)state;
	assert_int_equal(url_parse("http://10.0.2.2/a?b=c#d", &url, &problem), 0);
	assert_true(http_request(&url, "xdplife/1", out, sizeof(out)) > 0);
	assert_string_equal(out, "GET /a?b=c HTTP/1.1\r\nHost: 10.0.2.2\r\nUser-Agent: xdplife/1\r\n"
				 "Accept: */*\r\nConnection: close\r\n\r\n");
	assert_int_equal(url_parse("http://[fe80::1%25eth0]:8080", &url, &problem), 0);
	assert_string_equal(url.host, "fe80::1%eth0");
	assert_true(http_request(&url, "x", out, sizeof(out)) > 0);
	assert_non_null(strstr(
		out, "GET / HTTP/1.1\r\nHost: [fe80::1]:8080\r\n")); /* no zone on the wire: RFC 6874 */
	assert_int_equal(http_request(&url, "x", out, 20), -EMSGSIZE);
}

static void test_url(void **state)
{
	static const struct {
		const char *text, *host, *target;
		unsigned int port;
	} good[] = {
		{"http://host", "host", "/", 80},
		{"HTTP://Host.Example:8080/", "Host.Example", "/", 8080},
		{"http://host?q", "host", "/?q", 80},
		{"http://host:/x", "host", "/x", 80},
		{"http://host#frag", "host", "/", 80},
		{"http://[::1]/x", "::1", "/x", 80},
		{"http://[fe80::1%eth0]:65535/", "fe80::1%eth0", "/", 65535},
		{"http://a_b-c.d/@:[]", "a_b-c.d", "/@:[]", 80},
	};
	static const char *const bad[] = {
		"",
		"host",
		"ftp://host/",
		"https://host/",
		"http://",
		"http:///path",
		"http://:80/",
		"http://host:0/",
		"http://host:65536/",
		"http://host:4294967376/",
		"http://host:8a/",
		"http://user@host/",
		"http://user:secret@host/",
		"http://ho st/",
		"http://host/a b",
		"http://host/a\r\nX: y",
		"http://host/\xc3\xa9",
		"http://host\r\n/",
		"http://[::1",
		"http://[::1]x/",
		"http://[::g]/",
		"http://[]/",
		"http://[1.2.3.4]/",
		"http://[fe80::1%]/",
	};
	const char *problem;
	struct url url;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(url_parse(good[i].text, &url, &problem), 0);
		assert_string_equal(url.host, good[i].host);
		assert_string_equal(url.target, good[i].target);
		assert_int_equal(url.port, good[i].port);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		problem = NULL;
		if (url_parse(bad[i], &url, &problem) != -EINVAL || !problem)
			fail_msg("taken: %s", bad[i]);
	}
}

/* What must be clear to the person: no secrets in the clear, no TLS. */
static void test_url_problems(void **state)
{
	const char *problem;
	struct url url;

	(void)state;
	url_parse("http://me:secret@host/", &url, &problem);
	assert_non_null(strstr(problem, "user name"));
	url_parse("https://host/", &url, &problem);
	assert_non_null(strstr(problem, "plain HTTP"));
}

static void test_url_limits(void **state)
{
	static char text[URL_MAX_TARGET_BYTES + 64];
	const char *problem;
	struct url url;

	(void)state;
	snprintf(text, sizeof(text), "http://h/%0*d", URL_MAX_TARGET_BYTES - 3, 0);
	assert_int_equal(url_parse(text, &url, &problem), 0);
	snprintf(text, sizeof(text), "http://h/%0*d", URL_MAX_TARGET_BYTES, 0);
	assert_int_equal(url_parse(text, &url, &problem), -EINVAL);
	snprintf(text, sizeof(text), "http://%0*d/", URL_MAX_HOST_BYTES - 1, 0);
	assert_int_equal(url_parse(text, &url, &problem), 0);
	snprintf(text, sizeof(text), "http://%0*d/", URL_MAX_HOST_BYTES, 0);
	assert_int_equal(url_parse(text, &url, &problem), -EINVAL);
	snprintf(text, sizeof(text), "http://[fe80::1%%%0*d]/", URL_MAX_HOST_BYTES, 0);
	assert_int_equal(url_parse(text, &url, &problem), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_content_length),  cmocka_unit_test(test_chunked),
		cmocka_unit_test(test_close_delimited), cmocka_unit_test(test_interim_and_empty),
		cmocka_unit_test(test_headers),         cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_limits),          cmocka_unit_test(test_huge_length),
		cmocka_unit_test(test_request),         cmocka_unit_test(test_url),
		cmocka_unit_test(test_url_problems),    cmocka_unit_test(test_url_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
