/* SPDX-License-Identifier: GPL-2.0-only */
/* One GET and its response over a connection: opened, asked, answered, closed. */
#ifndef XDPLIFE_HTTP_EXCHANGE_H
#define XDPLIFE_HTTP_EXCHANGE_H

#include <stdint.h>

#include "net/http.h"
#include "net/tcp_client.h"

/* How it ended. All but COMPLETE are failures; the connection is then reset, if it is still there. */
enum exchange_end {
	EXCHANGE_COMPLETE,
	EXCHANGE_NO_ANSWER,    /* nothing came back to the SYN */
	EXCHANGE_REFUSED,      /* RST to the SYN */
	EXCHANGE_STALLED,      /* the peer fell silent */
	EXCHANGE_RESET,        /* RST in the middle */
	EXCHANGE_BAD_RESPONSE, /* parser->error says why */
	EXCHANGE_INTERRUPTED,  /* a signal (util/stop.h) */
	EXCHANGE_BODY_FAILED,  /* on_body returned an error: in err */
	EXCHANGE_IO_FAILED,    /* sending or receiving: in err */
};

struct http_exchange {
	struct tcp_client *client;
	struct http_parser *parser; /* initialised */
	const void *request;
	size_t request_bytes;
	uint64_t timeout_ns; /* gives up when nothing new came for so long */
	/* Called once, when status and headers are there; and for each piece of body. 0 or -errno. */
	void (*on_head)(void *context, const struct http_parser *parser);
	int (*on_body)(void *context, const struct http_slice *body);
	void *context;

	/* results */
	int err;
	uint64_t handshake_ns;  /* SYN to established; 0: never */
	uint64_t first_byte_ns; /* SYN to the first byte of the response; 0: never */
	uint64_t last_byte_ns;  /* SYN to the end of the response; 0: never */
};

enum exchange_end http_exchange_run(struct http_exchange *exchange);

#endif
