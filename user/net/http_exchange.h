/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One GET and its response over a connection: opened, asked, answered, closed.
 *
 * http_exchange_run() does it all and waits. Whoever turns many at once calls http_exchange_begin(), and
 * http_exchange_advance() after everything that happened to the connection (tcp_client_input,
 * tcp_client_advance) and at http_exchange_deadline_ns(), until http_exchange_over().
 */
#ifndef XDPLIFE_HTTP_EXCHANGE_H
#define XDPLIFE_HTTP_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "net/http.h"
#include "net/tcp_client.h"

/*
 * X(name, key, text): how it ended. All but COMPLETE are failures; the connection is then reset, if it is
 * still there. Of BAD_RESPONSE parser->error says more, of BODY_FAILED (on_body returned an error) and
 * IO_FAILED err does.
 */
#define EXCHANGE_ENDS(X)                                                                                     \
	X(COMPLETE, "complete", "complete")                                                                  \
	X(NO_ANSWER, "no-answer", "no answer to the SYN")                                                    \
	X(REFUSED, "refused", "connection refused (RST)")                                                    \
	X(STALLED, "stalled", "the server fell silent before the response was complete")                     \
	X(RESET, "reset", "the server reset the connection before the response was complete")                \
	X(BAD_RESPONSE, "bad-response", "what came back is not a whole HTTP/1.x response")                   \
	X(INTERRUPTED, "interrupted", "interrupted")                                                         \
	X(BODY_FAILED, "body-failed", "the body could not be taken")                                         \
	X(IO_FAILED, "io-failed", "frames could not be sent or received")

#define EXCHANGE_END_ENUM(name, key, text) EXCHANGE_##name,
enum exchange_end { EXCHANGE_ENDS(EXCHANGE_END_ENUM) EXCHANGE_END_COUNT };

const char *exchange_end_key(enum exchange_end end); /* "no-answer" */
const char *exchange_end_text(enum exchange_end end);

enum exchange_phase {
	EXCHANGE_CONNECTING,
	EXCHANGE_ASKED,
	EXCHANGE_ANSWERED, /* the response is there; the server was asked to close */
	EXCHANGE_CLOSING,  /* our FIN too */
	EXCHANGE_OVER,
};

struct http_exchange {
	struct tcp_client *client;
	struct http_parser *parser; /* initialised */
	const void *request;
	size_t request_bytes;
	uint64_t timeout_ns; /* gives up when nothing new came for so long */
	/*
	 * Called once, when status and headers are there; and for each piece of body: 0 or -errno. May be
	 * NULL.
	 */
	void (*on_head)(void *context, const struct http_parser *parser);
	int (*on_body)(void *context, const struct http_slice *body);
	void *context;

	/* results; @end once it is over */
	enum exchange_end end;
	int err;
	uint64_t handshake_ns;  /* SYN to established; 0: never */
	uint64_t first_byte_ns; /* SYN to the first byte of the response; 0: never */
	uint64_t last_byte_ns;  /* SYN to the end of the response; 0: never */

	/* its own, zero at first */
	enum exchange_phase phase;
	bool head_shown;
	uint64_t phase_end_ns; /* from EXCHANGE_ANSWERED on: how long it may last */
};

/* From the SYN to the last ACK, or to a signal (util/stop.h). */
enum exchange_end http_exchange_run(struct http_exchange *exchange);

/* Sends the SYN. */
void http_exchange_begin(struct http_exchange *exchange);

/*
 * Does what follows from what the connection has become, and sends it. @io_err: -errno ends the exchange; 0
 */
void http_exchange_advance(struct http_exchange *exchange, int io_err);

/*
 * When tcp_client_advance() and http_exchange_advance() have something to do even if no frame comes;
 * monotonic.
 */
uint64_t http_exchange_deadline_ns(const struct http_exchange *exchange);

/* Ends it now, with a reset; one whose response is there stays complete. */
void http_exchange_interrupt(struct http_exchange *exchange);

static inline bool http_exchange_over(const struct http_exchange *exchange)
{
	return exchange->phase == EXCHANGE_OVER;
}

#endif
