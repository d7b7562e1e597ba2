// SPDX-License-Identifier: GPL-2.0-only
/* The sending half of a connection: which segment is due, and what its header says. */
#include <string.h>

#include "net/tcp_conn_internal.h"
#include "util/clock.h"

#define TCP_MAX_WINDOW_FIELD 65535u

/* Clock of the timestamps: one tick a millisecond (RFC 7323 §5.4). */
static uint32_t timestamp(const struct tcp_conn *conn, uint64_t now_ns)
{
	return (uint32_t)(now_ns / NS_PER_MS) + conn->config.timestamp_offset;
}

/*
 * The window field. Its right edge goes back by no more than the rounding of the scale (RFC 9293 §3.8.6, RFC
 * 7323 §2.4), and moves on only by a worthwhile step (§3.8.6.2.2).
 */
static uint16_t window_field(struct tcp_conn *conn, uint8_t scale)
{
	uint32_t nxt = tcp_rcv_nxt(conn), free_bytes = tcp_reassembly_window(&conn->in);
	uint32_t known = tcp_before(nxt, conn->advertised_edge) ? conn->advertised_edge - nxt : 0, field;

	if (free_bytes < known + tcp_window_step(conn) && free_bytes < conn->in.capacity)
		free_bytes = known;
	field = free_bytes >> scale;
	if (field > TCP_MAX_WINDOW_FIELD)
		field = TCP_MAX_WINDOW_FIELD;
	if (tcp_before(conn->advertised_edge, nxt + (field << scale)))
		conn->advertised_edge = nxt + (field << scale);
	return (uint16_t)field;
}

static void put_sack(struct tcp_conn *conn, struct tcp_segment *segment)
{
	int max =
		conn->timestamps ? TCP_MAX_SACK_BLOCKS - 1 : TCP_MAX_SACK_BLOCKS; /* 40 bytes hold no more */

	if (conn->sack)
		segment->sack_count = tcp_reassembly_sack(&conn->in, segment->sack, max);
}

/* What every segment but SYN and RST carries; whatever is owed to the peer as an ACK is paid with it. */
static void fill(struct tcp_conn *conn, struct tcp_segment *segment, uint32_t seq, uint8_t flags,
		 uint64_t now_ns)
{
	*segment = (struct tcp_segment){.seq = seq, .ack = tcp_rcv_nxt(conn), .flags = flags | TCPHDR_ACK};
	segment->window = window_field(conn, conn->rcv_scale);
	if (conn->timestamps) {
		segment->options |= TCP_HAS_TIMESTAMPS;
		segment->ts_value = timestamp(conn, now_ns);
		segment->ts_echo = conn->ts_recent;
	}
	conn->last_ack_sent = segment->ack;
	conn->ack_now = false;
	conn->unacked_segments = 0;
	conn->delayed_ack_ns = TCP_NEVER;
}

/* Accounts for sequence space that has gone out: SND.NXT, the timer, what is being timed. */
static void note_sent(struct tcp_conn *conn, const struct tcp_segment *segment, uint64_t now_ns)
{
	uint32_t end = segment->seq + tcp_segment_length(segment);

	if (tcp_before(segment->seq, conn->snd_max)) {
		conn->stats.retransmitted++;
	} else if (!conn->timing) { /* Karn: only what is sent for the first time */
		conn->timing = true;
		conn->timed_end = end;
		conn->timed_ns = now_ns;
	}
	if (segment->seq == conn->snd_una)
		conn->times_sent++;
	conn->snd_nxt = end;
	if (tcp_before(conn->snd_max, end))
		conn->snd_max = end;
	conn->probe = false;
	tcp_conn_update_timer(conn, now_ns);
}

/* RFC 9293 §3.7.1, RFC 7323, RFC 2018: what we can do is said in the SYN; in a SYN-ACK only what the peer can
 * too. */
static void fill_syn(struct tcp_conn *conn, struct tcp_segment *segment, uint64_t now_ns)
{
	bool answer = conn->state == TCP_STATE_SYN_RECEIVED;
	uint8_t scale = conn->rcv_scale;

	if (answer) {
		fill(conn, segment, conn->config.isn, TCPHDR_SYN, now_ns);
	} else {
		*segment = (struct tcp_segment){.seq = conn->config.isn, .flags = TCPHDR_SYN};
		segment->options = TCP_HAS_WINDOW_SCALE | TCP_HAS_SACK_PERMITTED | TCP_HAS_TIMESTAMPS;
		segment->ts_value = timestamp(conn, now_ns);
	}
	if (answer && scale)
		segment->options |= TCP_HAS_WINDOW_SCALE;
	if (answer && conn->sack)
		segment->options |= TCP_HAS_SACK_PERMITTED;
	segment->options |= TCP_HAS_MSS;
	segment->mss = conn->config.mss;
	segment->window_scale = scale;
	segment->window = window_field(conn, 0); /* RFC 7323 §2.2: never scaled in a SYN */
}

/* Bytes that may go out from SND.NXT on. */
static uint32_t usable_window(const struct tcp_conn *conn)
{
	uint32_t window = conn->snd_wnd < conn->cwnd ? conn->snd_wnd : conn->cwnd;
	uint32_t in_flight = conn->snd_nxt - conn->snd_una;

	if (conn->probe)
		return 1;
	return window > in_flight ? window - in_flight : 0;
}

/* Data, the FIN, or both; a FIN needs room in the window like a byte. */
static bool next_data(struct tcp_conn *conn, struct tcp_segment *segment, uint64_t now_ns)
{
	uint32_t window = usable_window(conn), offset = conn->snd_nxt - conn->queue_seq;
	uint32_t bytes = offset < conn->queue_bytes ? conn->queue_bytes - offset : 0;
	bool last = true;

	if (!tcp_has_unsent(conn) || !window)
		return false;
	if (bytes > conn->snd_mss || bytes > window) {
		bytes = conn->snd_mss < window ? conn->snd_mss : window;
		last = false;
	}
	/* RFC 9293 §3.8.6.2.1: no small segment while others are in flight, unless it is the last. */
	if (!last && bytes < conn->snd_mss && conn->snd_nxt != conn->snd_una)
		return false;
	fill(conn, segment, conn->snd_nxt, 0, now_ns);
	segment->data = conn->send_buffer + offset;
	segment->data_bytes = bytes;
	if (last && bytes)
		segment->flags |= TCPHDR_PSH;
	if (last && conn->fin_queued && bytes < window)
		segment->flags |= TCPHDR_FIN;
	return true;
}

static bool next_segment(struct tcp_conn *conn, struct tcp_segment *segment, uint64_t now_ns)
{
	bool syn_due = conn->snd_nxt == conn->config.isn && conn->snd_una == conn->config.isn;

	switch (conn->state) {
	case TCP_STATE_CLOSED:
		return false;
	case TCP_STATE_SYN_SENT:
	case TCP_STATE_SYN_RECEIVED:
		if (syn_due)
			fill_syn(conn, segment, now_ns);
		else if (conn->ack_now && conn->state == TCP_STATE_SYN_RECEIVED)
			fill(conn, segment, conn->snd_nxt, 0, now_ns);
		else
			return false;
		return true;
	default:
		if (next_data(conn, segment, now_ns))
			return true;
	}
	if (!conn->ack_now)
		return false;
	fill(conn, segment, conn->snd_max, 0, now_ns);
	put_sack(conn, segment);
	return true;
}

bool tcp_conn_output(struct tcp_conn *conn, struct tcp_segment *segment, uint64_t now_ns)
{
	if (conn->reset_due) {
		conn->reset_due = false;
		*segment = conn->reset;
	} else if (!next_segment(conn, segment, now_ns)) {
		tcp_conn_update_timer(conn, now_ns);
		return false;
	}
	conn->stats.segments_sent++;
	if (tcp_segment_length(segment))
		note_sent(conn, segment, now_ns);
	return true;
}

/* RFC 5681 §3.1: slow start, then congestion avoidance. */
static void grow_congestion_window(struct tcp_conn *conn, uint32_t acked)
{
	uint32_t mss = conn->snd_mss, step = mss * mss / conn->cwnd;

	if (conn->cwnd < conn->ssthresh)
		conn->cwnd += acked < mss ? acked : mss;
	else
		conn->cwnd += step ? step : 1;
	if (conn->cwnd > conn->config.send_bytes + mss) /* more is never in flight */
		conn->cwnd = conn->config.send_bytes + mss;
}

static void drop_from_queue(struct tcp_conn *conn)
{
	uint32_t done = conn->snd_una - conn->queue_seq;

	if (tcp_before(conn->snd_una, conn->queue_seq))
		return;
	if (done > conn->queue_bytes) /* our FIN is acknowledged too */
		done = conn->queue_bytes;
	conn->queue_bytes -= done;
	conn->queue_seq += done;
	memmove(conn->send_buffer, conn->send_buffer + done, conn->queue_bytes);
}

void tcp_conn_acknowledged(struct tcp_conn *conn, uint32_t ack, uint64_t now_ns)
{
	uint32_t acked = ack - conn->snd_una;

	if (conn->timing && !tcp_before(ack, conn->timed_end)) {
		tcp_rto_sample(&conn->rto, now_ns - conn->timed_ns);
		conn->timing = false;
	}
	conn->snd_una = ack;
	if (tcp_before(conn->snd_nxt, ack))
		conn->snd_nxt = ack;
	conn->times_sent = 0;
	if (conn->cwnd)
		grow_congestion_window(conn, acked);
	drop_from_queue(conn);
	conn->rto_deadline_ns = TCP_NEVER; /* RFC 6298 §5.3: start again */
	tcp_conn_update_timer(conn, now_ns);
}
