// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>

#include "net/http_exchange.h"
#include "util/clock.h"
#include "util/stop.h"

#define READ_BYTES       16384
#define STOP_LATENCY_NS  (200 * NS_PER_MS) /* a signal between the check and the wait is seen after this */
#define CLOSE_TIMEOUT_NS (3 * NS_PER_S)    /* for the peer's FIN once the response is complete */

/* A run in progress. */
struct run {
	struct http_exchange *exchange;
	struct tcp_client *client;
	struct tcp_conn *conn;
	bool asked;
	bool head_shown;
};

/* Since the SYN. */
static uint64_t since_start(const struct run *run)
{
	return clock_monotonic_ns() - tcp_client_start_ns(run->client);
}

static bool is_open(const struct run *run)
{
	return tcp_conn_state(run->conn) >= TCP_STATE_ESTABLISHED;
}

/* The request waits for the connection, so that the handshake's ACK goes out by itself. */
static void ask(struct run *run)
{
	struct http_exchange *exchange = run->exchange;

	if (run->asked || !is_open(run))
		return;
	exchange->handshake_ns = tcp_client_heard_ns(run->client) - tcp_client_start_ns(run->client);
	tcp_conn_send(run->conn, exchange->request, exchange->request_bytes);
	run->asked = true;
}

/* Feeds one stretch of the stream to the parser. Return: 0, or what on_body returned. */
static int parse(struct run *run, const uint8_t *in, size_t bytes)
{
	struct http_exchange *exchange = run->exchange;
	struct http_slice body;
	size_t consumed = 1;
	int err = 0;

	while (!err && bytes && consumed) {
		consumed = http_parse(exchange->parser, in, bytes, &body);
		in += consumed;
		bytes -= consumed;
		if (!run->head_shown && http_head_complete(exchange->parser)) {
			run->head_shown = true;
			exchange->on_head(exchange->context, exchange->parser);
		}
		if (body.bytes)
			err = exchange->on_body(exchange->context, &body);
	}
	return err;
}

static int read_stream(struct run *run)
{
	uint8_t buffer[READ_BYTES];
	size_t bytes;
	int err = 0;

	while (!err && (bytes = tcp_conn_read(run->conn, buffer, sizeof(buffer)))) {
		if (!run->exchange->first_byte_ns)
			run->exchange->first_byte_ns = since_start(run);
		err = parse(run, buffer, bytes);
	}
	if (!err && tcp_conn_peer_finished(run->conn))
		http_parse_eof(run->exchange->parser);
	return err;
}

static uint64_t silent_ns(const struct run *run)
{
	uint64_t last_ns = tcp_client_heard_ns(run->client);

	if (!last_ns)
		last_ns = tcp_client_start_ns(run->client);
	return last_ns ? clock_monotonic_ns() - last_ns : 0;
}

static enum exchange_end end_of_connection(const struct run *run)
{
	switch (tcp_conn_error(run->conn)) {
	case -ECONNREFUSED:
		return EXCHANGE_REFUSED;
	case -ECONNRESET:
		return EXCHANGE_RESET;
	default:
		return run->asked ? EXCHANGE_STALLED : EXCHANGE_NO_ANSWER;
	}
}

static int step(const struct run *run, uint64_t left_ns)
{
	int err = tcp_client_step(run->client, left_ns < STOP_LATENCY_NS ? left_ns : STOP_LATENCY_NS);

	return err == -EINTR ? 0 : err;
}

static enum exchange_end transfer(struct run *run)
{
	struct http_exchange *exchange = run->exchange;
	const struct http_parser *parser = exchange->parser;

	while (!stop_requested()) {
		uint64_t silence_ns = silent_ns(run);

		if (silence_ns >= exchange->timeout_ns)
			return run->asked ? EXCHANGE_STALLED : EXCHANGE_NO_ANSWER;
		exchange->err = step(run, exchange->timeout_ns - silence_ns);
		if (exchange->err)
			return EXCHANGE_IO_FAILED;
		ask(run);
		exchange->err = read_stream(run);
		if (exchange->err)
			return EXCHANGE_BODY_FAILED;
		if (http_failed(parser))
			return EXCHANGE_BAD_RESPONSE;
		if (http_done(parser)) {
			exchange->last_byte_ns = since_start(run);
			return EXCHANGE_COMPLETE;
		}
		if (tcp_conn_state(run->conn) == TCP_STATE_CLOSED)
			return end_of_connection(run);
	}
	return EXCHANGE_INTERRUPTED;
}

/* Where packets were lost our last ACK may be lost too: only then it is worth staying to repeat it. */
static bool may_leave(const struct run *run)
{
	struct tcp_conn_stats stats = tcp_conn_stats(run->conn);
	enum tcp_state state = tcp_conn_state(run->conn);

	return state == TCP_STATE_CLOSED || (state == TCP_STATE_TIME_WAIT && !stats.retransmitted &&
					     !stats.duplicates && !stats.out_of_order);
}

/* FIN both ways. The response is there: nothing that happens now makes it a failure. */
static void close_connection(struct run *run)
{
	uint64_t deadline_ns = clock_monotonic_ns() + CLOSE_TIMEOUT_NS;
	uint8_t ignored[READ_BYTES];

	tcp_conn_shutdown(run->conn);
	while (!may_leave(run) && !stop_requested()) {
		uint64_t now_ns = clock_monotonic_ns();

		if (now_ns >= deadline_ns || step(run, deadline_ns - now_ns))
			break;
		while (tcp_conn_read(run->conn, ignored, sizeof(ignored)))
			;
	}
}

enum exchange_end http_exchange_run(struct http_exchange *exchange)
{
	struct run run = {
		.exchange = exchange,
		.client = exchange->client,
		.conn = tcp_client_conn(exchange->client),
	};
	enum exchange_end end;

	tcp_conn_connect(run.conn);
	end = transfer(&run);
	if (end == EXCHANGE_COMPLETE)
		close_connection(&run);
	if (!may_leave(&run)) {
		tcp_conn_abort(run.conn);
		tcp_client_flush(run.client); /* nobody is left to tell if this fails */
	}
	return end;
}
