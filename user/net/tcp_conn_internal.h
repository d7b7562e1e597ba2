/* SPDX-License-Identifier: GPL-2.0-only */
/* The inside of struct tcp_conn, shared by its receiving half (tcp_input.c) and its sending half
 * (tcp_output.c). */
#ifndef XDPLIFE_TCP_CONN_INTERNAL_H
#define XDPLIFE_TCP_CONN_INTERNAL_H

#include "net/tcp_conn.h"
#include "net/tcp_reassembly.h"
#include "net/tcp_rto.h"

/* The names are those of RFC 9293 §3.3.1, RFC 5681 and RFC 7323 where they have one. */
struct tcp_conn {
	struct tcp_conn_config config;
	enum tcp_state state;
	int error;

	/* sending */
	uint32_t snd_una;
	uint32_t snd_nxt; /* goes back to snd_una when the timer runs out */
	uint32_t snd_max; /* behind the highest number ever sent */
	uint32_t snd_wnd; /* scaled */
	uint32_t snd_wl1;
	uint32_t snd_wl2;
	uint32_t max_snd_wnd;
	uint32_t cwnd;
	uint32_t ssthresh;
	uint16_t snd_mss; /* data bytes of a full segment: options are taken off */
	uint8_t snd_scale;
	bool fin_queued;
	bool probe;           /* send one byte into a closed window */
	uint8_t *send_buffer; /* what is not acknowledged; its first byte has the number queue_seq */
	uint32_t queue_seq;
	uint32_t queue_bytes;

	/* retransmission */
	struct tcp_rto rto;
	uint64_t rto_deadline_ns;
	unsigned int times_sent; /* what is at snd_una */
	bool timing;             /* a segment is being timed: */
	uint32_t timed_end;      /* acknowledged by this number, */
	uint64_t timed_ns;       /* sent at that time */

	/* receiving */
	struct tcp_reassembly in;
	uint32_t irs;
	uint32_t advertised_edge; /* the right edge of the window that the peer knows of */
	uint32_t fin_seq;         /* the peer's FIN, where has_fin */
	uint8_t rcv_scale;
	bool has_fin;
	bool fin_taken;
	bool sack;
	bool timestamps;
	uint32_t ts_recent;
	uint32_t last_ack_sent;
	bool ack_now;
	unsigned int unacked_segments;
	uint64_t delayed_ack_ns; /* deadline */
	uint64_t time_wait_deadline_ns;

	/* challenge ACKs (RFC 5961 §7) and resets */
	uint64_t challenge_window_ns;
	unsigned int challenges;
	bool reset_due;
	struct tcp_segment reset;

	struct tcp_conn_stats stats;
};

/* RCV.NXT: behind the peer's FIN once that is taken. */
static inline uint32_t tcp_rcv_nxt(const struct tcp_conn *conn)
{
	return conn->in.next + conn->fin_taken;
}

/* The number of our own FIN, where fin_queued. */
static inline uint32_t tcp_own_fin_seq(const struct tcp_conn *conn)
{
	return conn->queue_seq + conn->queue_bytes;
}

/* Is there anything that has not been sent, or has to be sent again? */
static inline bool tcp_has_unsent(const struct tcp_conn *conn)
{
	return tcp_before(conn->snd_nxt, tcp_own_fin_seq(conn) + conn->fin_queued);
}

/* Half the buffer, or a segment where that is less: the step in which the window opens (RFC 9293 §3.8.6.2.2).
 */
static inline uint32_t tcp_window_step(const struct tcp_conn *conn)
{
	uint32_t half = conn->in.capacity / 2;

	return conn->config.mss < half ? conn->config.mss : half;
}

/* Ends the connection: no timer runs, nothing more is sent but a reset that is due. */
void tcp_conn_close_now(struct tcp_conn *conn, int error);

/* Starts, keeps or stops the retransmission timer, as what is in flight demands (RFC 6298 §5). */
void tcp_conn_update_timer(struct tcp_conn *conn, uint64_t now_ns);

/* New data was acknowledged (RFC 6298 §5.3, RFC 5681 §3.1). @ack: acceptable and beyond SND.UNA */
void tcp_conn_acknowledged(struct tcp_conn *conn, uint32_t ack, uint64_t now_ns);

/* RFC 9293 §3.10.7: the reset that answers a segment which acknowledges nonsense. */
void tcp_conn_answer_reset(struct tcp_conn *conn, uint32_t seq);

#endif
