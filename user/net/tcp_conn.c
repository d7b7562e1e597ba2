// SPDX-License-Identifier: GPL-2.0-only
/* The connection's life: made, opened, closed; its timers. tcp_input.c receives, tcp_output.c sends. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "net/tcp_conn_internal.h"

#define TCP_MAX_UNSCALED_WINDOW 65535u

static uint8_t scale_for(uint32_t receive_bytes)
{
	uint8_t scale = 0;

	while (scale < TCP_MAX_WINDOW_SCALE && receive_bytes >> scale > TCP_MAX_UNSCALED_WINDOW)
		scale++;
	return scale;
}

struct tcp_conn *tcp_conn_new(const struct tcp_conn_config *config)
{
	struct tcp_conn *conn = calloc(1, sizeof(*conn));

	if (!conn)
		return NULL;
	conn->config = *config;
	conn->send_buffer = malloc(config->send_bytes);
	if (!conn->send_buffer || tcp_reassembly_init(&conn->in, config->receive_bytes, 0)) {
		tcp_conn_free(conn);
		return NULL;
	}
	conn->snd_una = conn->snd_nxt = conn->snd_max = config->isn;
	conn->queue_seq = config->isn + 1;
	conn->snd_mss = config->default_mss;
	conn->rcv_scale = scale_for(config->receive_bytes);
	tcp_rto_init(&conn->rto);
	tcp_conn_close_now(conn, 0);
	return conn;
}

void tcp_conn_free(struct tcp_conn *conn)
{
	if (!conn)
		return;
	tcp_reassembly_free(&conn->in);
	free(conn->send_buffer);
	free(conn);
}

void tcp_conn_connect(struct tcp_conn *conn)
{
	conn->state = TCP_STATE_SYN_SENT;
}

size_t tcp_conn_send(struct tcp_conn *conn, const void *data, size_t bytes)
{
	size_t room = conn->config.send_bytes - conn->queue_bytes;

	if (conn->state == TCP_STATE_CLOSED || conn->fin_queued)
		return 0;
	if (bytes > room)
		bytes = room;
	memcpy(conn->send_buffer + conn->queue_bytes, data, bytes);
	conn->queue_bytes += bytes;
	return bytes;
}

void tcp_conn_shutdown(struct tcp_conn *conn)
{
	switch (conn->state) {
	case TCP_STATE_SYN_SENT: /* RFC 9293 §3.10.4: nobody knows of us */
		tcp_conn_close_now(conn, 0);
		return;
	case TCP_STATE_SYN_RECEIVED:
	case TCP_STATE_ESTABLISHED:
		conn->state = conn->state == TCP_STATE_ESTABLISHED ? TCP_STATE_FIN_WAIT_1 : conn->state;
		break;
	case TCP_STATE_CLOSE_WAIT:
		conn->state = TCP_STATE_LAST_ACK;
		break;
	default:
		return;
	}
	conn->fin_queued = true;
}

/* RFC 9293 §3.10.5. In SYN-SENT and behind both FINs there is nobody to tell. */
void tcp_conn_abort(struct tcp_conn *conn)
{
	switch (conn->state) {
	case TCP_STATE_CLOSED:
		return;
	case TCP_STATE_SYN_RECEIVED:
	case TCP_STATE_ESTABLISHED:
	case TCP_STATE_FIN_WAIT_1:
	case TCP_STATE_FIN_WAIT_2:
	case TCP_STATE_CLOSE_WAIT:
		tcp_conn_answer_reset(conn, conn->snd_max);
		conn->reset.flags |= TCPHDR_ACK;
		conn->reset.ack = tcp_rcv_nxt(conn);
		break;
	default:
		break;
	}
	tcp_conn_close_now(conn, -ECONNABORTED);
}

void tcp_conn_answer_reset(struct tcp_conn *conn, uint32_t seq)
{
	conn->reset = (struct tcp_segment){.seq = seq, .flags = TCPHDR_RST};
	conn->reset_due = true;
}

void tcp_conn_close_now(struct tcp_conn *conn, int error)
{
	conn->state = TCP_STATE_CLOSED;
	conn->error = error;
	conn->ack_now = false;
	conn->rto_deadline_ns = TCP_NEVER;
	conn->delayed_ack_ns = TCP_NEVER;
	conn->time_wait_deadline_ns = TCP_NEVER;
}

void tcp_conn_update_timer(struct tcp_conn *conn, uint64_t now_ns)
{
	bool in_flight = conn->snd_una != conn->snd_max;
	bool window_closed = !conn->snd_wnd && tcp_has_unsent(conn);

	if (conn->state == TCP_STATE_CLOSED || !(in_flight || window_closed))
		conn->rto_deadline_ns = TCP_NEVER;
	else if (conn->rto_deadline_ns == TCP_NEVER)
		conn->rto_deadline_ns = now_ns + conn->rto.rto_ns;
}

/* RFC 5681 §3.1 equation 4, and one segment to begin again with. */
static void shrink_congestion_window(struct tcp_conn *conn)
{
	uint32_t half_flight = (conn->snd_max - conn->snd_una) / 2, floor = 2u * conn->snd_mss;

	conn->ssthresh = half_flight > floor ? half_flight : floor;
	conn->cwnd = conn->snd_mss;
}

/* RFC 6298 §5.4 to §5.6; into a closed window it is the probe of RFC 9293 §3.8.6.1, which never gives up. */
static void retransmission_timeout(struct tcp_conn *conn, uint64_t now_ns)
{
	bool synchronized = conn->state > TCP_STATE_SYN_RECEIVED;
	bool probing = synchronized && !conn->snd_wnd;

	if (!probing && conn->times_sent >= (synchronized ? TCP_MAX_DATA_SENT : TCP_MAX_SYN_SENT)) {
		tcp_conn_close_now(conn, -ETIMEDOUT);
		return;
	}
	if (!probing)
		shrink_congestion_window(conn);
	conn->probe = probing;
	conn->snd_nxt = conn->snd_una;
	conn->timing = false;
	tcp_rto_back_off(&conn->rto);
	conn->rto_deadline_ns = now_ns + conn->rto.rto_ns;
}

void tcp_conn_advance(struct tcp_conn *conn, uint64_t now_ns)
{
	if (now_ns >= conn->rto_deadline_ns)
		retransmission_timeout(conn, now_ns);
	if (now_ns >= conn->delayed_ack_ns) {
		conn->delayed_ack_ns = TCP_NEVER;
		conn->ack_now = true;
	}
	if (now_ns >= conn->time_wait_deadline_ns)
		tcp_conn_close_now(conn, 0);
}

uint64_t tcp_conn_deadline(const struct tcp_conn *conn)
{
	uint64_t first = conn->rto_deadline_ns;

	if (conn->delayed_ack_ns < first)
		first = conn->delayed_ack_ns;
	if (conn->time_wait_deadline_ns < first)
		first = conn->time_wait_deadline_ns;
	return first;
}

size_t tcp_conn_read(struct tcp_conn *conn, void *out, size_t bytes)
{
	size_t copied = tcp_reassembly_read(&conn->in, out, bytes);
	uint32_t edge = conn->in.next + tcp_reassembly_window(&conn->in);
	uint32_t known = conn->advertised_edge - conn->in.next;

	/* A peer that sees no room waits for this. */
	if (copied && conn->state != TCP_STATE_CLOSED && !conn->has_fin && known < tcp_window_step(conn) &&
	    edge - conn->advertised_edge >= tcp_window_step(conn))
		conn->ack_now = true;
	return copied;
}

bool tcp_conn_peer_finished(const struct tcp_conn *conn)
{
	return conn->fin_taken;
}

enum tcp_state tcp_conn_state(const struct tcp_conn *conn)
{
	return conn->state;
}

int tcp_conn_error(const struct tcp_conn *conn)
{
	return conn->error;
}

struct tcp_conn_stats tcp_conn_stats(const struct tcp_conn *conn)
{
	struct tcp_conn_stats stats = conn->stats;

	stats.srtt_ns = conn->rto.srtt_ns;
	return stats;
}

uint32_t tcp_conn_peer_isn(const struct tcp_conn *conn)
{
	return conn->irs;
}

const char *tcp_state_text(enum tcp_state state)
{
	static const char *const text[] = {
		[TCP_STATE_CLOSED] = "CLOSED",
		[TCP_STATE_SYN_SENT] = "SYN-SENT",
		[TCP_STATE_SYN_RECEIVED] = "SYN-RECEIVED",
		[TCP_STATE_ESTABLISHED] = "ESTABLISHED",
		[TCP_STATE_FIN_WAIT_1] = "FIN-WAIT-1",
		[TCP_STATE_FIN_WAIT_2] = "FIN-WAIT-2",
		[TCP_STATE_CLOSE_WAIT] = "CLOSE-WAIT",
		[TCP_STATE_CLOSING] = "CLOSING",
		[TCP_STATE_LAST_ACK] = "LAST-ACK",
		[TCP_STATE_TIME_WAIT] = "TIME-WAIT",
	};

	return text[state];
}

#define TCP_VERDICT_TEXT(name, text) [TCP_##name] = text,

const char *tcp_verdict_text(enum tcp_verdict verdict)
{
	static const char *const text[] = {TCP_VERDICTS(TCP_VERDICT_TEXT)};

	return text[verdict];
}
