// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>

#include "net/http_exchange.h"
#include "util/clock.h"
#include "util/stop.h"

#define READ_BYTES      16384
#define STOP_LATENCY_NS (200 * NS_PER_MS) /* a signal between the check and the wait is seen after this */
#define PEER_CLOSE_NS                                                                                        \
	(100 * NS_PER_MS) /* for the peer's FIN once the response is complete, then we close first */
#define CLOSE_TIMEOUT_NS (3 * NS_PER_S) /* from our FIN on */

#define EXCHANGE_END_KEY(name, key, text)  [EXCHANGE_##name] = key,
#define EXCHANGE_END_TEXT(name, key, text) [EXCHANGE_##name] = text,

const char *exchange_end_key(enum exchange_end end)
{
	static const char *const keys[] = {EXCHANGE_ENDS(EXCHANGE_END_KEY)};

	return keys[end];
}

const char *exchange_end_text(enum exchange_end end)
{
	static const char *const texts[] = {EXCHANGE_ENDS(EXCHANGE_END_TEXT)};

	return texts[end];
}

static struct tcp_conn *conn_of(const struct http_exchange *exchange)
{
	return tcp_client_conn(exchange->client);
}

/* Since the SYN. */
static uint64_t since_start(const struct http_exchange *exchange)
{
	return clock_monotonic_ns() - tcp_client_start_ns(exchange->client);
}

/* The request waits for the connection, so that the handshake's ACK goes out by itself. */
static void ask(struct http_exchange *exchange)
{
	struct tcp_client *client = exchange->client;

	if (exchange->phase != EXCHANGE_CONNECTING ||
	    tcp_conn_state(conn_of(exchange)) < TCP_STATE_ESTABLISHED)
		return;
	exchange->handshake_ns = tcp_client_heard_ns(client) - tcp_client_start_ns(client);
	tcp_conn_send(conn_of(exchange), exchange->request, exchange->request_bytes);
	exchange->phase = EXCHANGE_ASKED;
}

/* Feeds one stretch of the stream to the parser. Return: 0, or what on_body returned. */
static int parse(struct http_exchange *exchange, const uint8_t *in, size_t bytes)
{
	struct http_slice body;
	size_t consumed = 1;
	int err = 0;

	while (!err && bytes && consumed) {
		consumed = http_parse(exchange->parser, in, bytes, &body);
		in += consumed;
		bytes -= consumed;
		if (!exchange->head_shown && http_head_complete(exchange->parser)) {
			exchange->head_shown = true;
			if (exchange->on_head)
				exchange->on_head(exchange->context, exchange->parser);
		}
		if (body.bytes && exchange->on_body)
			err = exchange->on_body(exchange->context, &body);
	}
	return err;
}

static int read_stream(struct http_exchange *exchange)
{
	struct tcp_conn *conn = conn_of(exchange);
	uint8_t buffer[READ_BYTES];
	size_t bytes;
	int err = 0;

	while (!err && (bytes = tcp_conn_read(conn, buffer, sizeof(buffer)))) {
		if (!exchange->first_byte_ns)
			exchange->first_byte_ns = since_start(exchange);
		err = parse(exchange, buffer, bytes);
	}
	if (!err && tcp_conn_peer_finished(conn))
		http_parse_eof(exchange->parser);
	return err;
}

/* When the peer's silence is over-long; nothing is expected before the SYN is out. */
static uint64_t silence_deadline_ns(const struct http_exchange *exchange)
{
	uint64_t last_ns = tcp_client_heard_ns(exchange->client);

	if (!last_ns)
		last_ns = tcp_client_start_ns(exchange->client);
	return last_ns ? last_ns + exchange->timeout_ns : TCP_NEVER;
}

static enum exchange_end end_by_silence(const struct http_exchange *exchange)
{
	return exchange->phase == EXCHANGE_CONNECTING ? EXCHANGE_NO_ANSWER : EXCHANGE_STALLED;
}

static enum exchange_end end_of_connection(const struct http_exchange *exchange)
{
	switch (tcp_conn_error(conn_of(exchange))) {
	case -ECONNREFUSED:
		return EXCHANGE_REFUSED;
	case -ECONNRESET:
		return EXCHANGE_RESET;
	default:
		return end_by_silence(exchange);
	}
}

/* Where packets were lost our last ACK may be lost too: only then it is worth staying to repeat it. */
static bool may_leave(const struct http_exchange *exchange)
{
	struct tcp_conn_stats stats = tcp_conn_stats(conn_of(exchange));
	enum tcp_state state = tcp_conn_state(conn_of(exchange));

	return state == TCP_STATE_CLOSED || (state == TCP_STATE_TIME_WAIT && !stats.retransmitted &&
					     !stats.duplicates && !stats.out_of_order);
}

/* It is over; what has not been closed is reset. */
static void leave(struct http_exchange *exchange)
{
	if (!may_leave(exchange)) {
		tcp_conn_abort(conn_of(exchange));
		tcp_client_flush(exchange->client); /* nobody is left to tell if this fails */
	}
	exchange->phase = EXCHANGE_OVER;
}

static void end_with(struct http_exchange *exchange, enum exchange_end end, int err)
{
	exchange->end = end;
	exchange->err = err;
	leave(exchange);
}

/*
 * The response is there: nothing that happens from now on makes it a failure. A server that was told
 * "Connection: close" closes first (RFC 9112 §9.6); a FIN that crosses its FIN would leave TIME-WAIT to both
 * of us.
 */
static void answered(struct http_exchange *exchange)
{
	exchange->end = EXCHANGE_COMPLETE;
	exchange->last_byte_ns = since_start(exchange);
	exchange->phase = EXCHANGE_ANSWERED;
	exchange->phase_end_ns = clock_monotonic_ns() + PEER_CLOSE_NS;
}

static void transfer(struct http_exchange *exchange)
{
	int err;

	ask(exchange);
	err = read_stream(exchange);
	if (err)
		end_with(exchange, EXCHANGE_BODY_FAILED, err);
	else if (http_failed(exchange->parser))
		end_with(exchange, EXCHANGE_BAD_RESPONSE, 0);
	else if (http_done(exchange->parser))
		answered(exchange);
	else if (tcp_conn_state(conn_of(exchange)) == TCP_STATE_CLOSED)
		end_with(exchange, end_of_connection(exchange), 0);
	else if (clock_monotonic_ns() >= silence_deadline_ns(exchange))
		end_with(exchange, end_by_silence(exchange), 0);
}

static void close_connection(struct http_exchange *exchange)
{
	struct tcp_conn *conn = conn_of(exchange);
	uint64_t now_ns = clock_monotonic_ns();
	uint8_t ignored[READ_BYTES];

	while (tcp_conn_read(conn, ignored, sizeof(ignored)))
		;
	if (exchange->phase == EXCHANGE_ANSWERED &&
	    (tcp_conn_peer_finished(conn) || now_ns >= exchange->phase_end_ns)) {
		tcp_conn_shutdown(conn);
		exchange->phase = EXCHANGE_CLOSING;
		exchange->phase_end_ns = now_ns + CLOSE_TIMEOUT_NS;
	}
	if (may_leave(exchange) || now_ns >= exchange->phase_end_ns)
		leave(exchange);
}

static void io_failed(struct http_exchange *exchange, int err)
{
	if (exchange->phase < EXCHANGE_ANSWERED)
		end_with(exchange, EXCHANGE_IO_FAILED, err);
	else
		leave(exchange);
}

void http_exchange_begin(struct http_exchange *exchange)
{
	tcp_conn_connect(conn_of(exchange));
	http_exchange_advance(exchange, 0);
}

void http_exchange_advance(struct http_exchange *exchange, int io_err)
{
	if (!io_err && exchange->phase < EXCHANGE_ANSWERED)
		transfer(exchange);
	if (!io_err && (exchange->phase == EXCHANGE_ANSWERED || exchange->phase == EXCHANGE_CLOSING))
		close_connection(exchange);
	if (!io_err && !http_exchange_over(exchange))
		io_err = tcp_client_flush(exchange->client);
	if (io_err && !http_exchange_over(exchange))
		io_failed(exchange, io_err);
}

uint64_t http_exchange_deadline_ns(const struct http_exchange *exchange)
{
	uint64_t own_ns =
		exchange->phase < EXCHANGE_ANSWERED ? silence_deadline_ns(exchange) : exchange->phase_end_ns;
	uint64_t timer_ns = tcp_client_deadline_ns(exchange->client);

	return own_ns < timer_ns ? own_ns : timer_ns;
}

void http_exchange_interrupt(struct http_exchange *exchange)
{
	if (exchange->phase < EXCHANGE_ANSWERED)
		end_with(exchange, EXCHANGE_INTERRUPTED, 0);
	else if (!http_exchange_over(exchange))
		leave(exchange);
}

/* Until the next deadline, but not for long: signals. */
static int step(struct http_exchange *exchange)
{
	uint64_t deadline_ns = http_exchange_deadline_ns(exchange), now_ns = clock_monotonic_ns();
	uint64_t left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
	int err = tcp_client_step(exchange->client, left_ns < STOP_LATENCY_NS ? left_ns : STOP_LATENCY_NS);

	return err == -EINTR ? 0 : err;
}

enum exchange_end http_exchange_run(struct http_exchange *exchange)
{
	http_exchange_begin(exchange);
	while (!http_exchange_over(exchange) && !stop_requested())
		http_exchange_advance(exchange, step(exchange));
	http_exchange_interrupt(exchange);
	return exchange->end;
}
