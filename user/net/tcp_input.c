// SPDX-License-Identifier: GPL-2.0-only
/* The receiving half of a connection: RFC 9293 §3.10.7, in its order, hardened by RFC 5961 and RFC 7323. */
#include <errno.h>

#include "net/tcp_conn_internal.h"
#include "util/clock.h"

#define INITIAL_WINDOW_SEGMENTS 10  /* RFC 6928 */
#define MIN_SEND_MSS            64u /* a peer that announces less is not believed: it would be all headers */
#define CHALLENGES_PER_SECOND   10  /* RFC 5961 §7 */
#define SEGMENTS_PER_ACK        2   /* RFC 9293 §3.8.6.3 */

/* The peer's SYN: its numbers and what it can do. */
static void take_syn(struct tcp_conn *conn, const struct tcp_segment *segment)
{
	uint16_t mss = segment->options & TCP_HAS_MSS ? segment->mss : conn->config.default_mss;

	conn->irs = segment->seq;
	conn->in.read = conn->in.next = segment->seq + 1;
	conn->advertised_edge += conn->in.next; /* the SYN went out before there was a number to count from */
	conn->timestamps = segment->options & TCP_HAS_TIMESTAMPS;
	conn->sack = segment->options & TCP_HAS_SACK_PERMITTED;
	conn->ts_recent = segment->ts_value;
	if (segment->options & TCP_HAS_WINDOW_SCALE)
		conn->snd_scale = segment->window_scale < TCP_MAX_WINDOW_SCALE ? segment->window_scale
									       : TCP_MAX_WINDOW_SCALE;
	else
		conn->rcv_scale = 0;
	if (mss > conn->config.mss)
		mss = conn->config.mss;
	if (mss < MIN_SEND_MSS)
		mss = MIN_SEND_MSS;
	conn->snd_mss = mss - (conn->timestamps ? TCP_TIMESTAMPS_BYTES_PADDED : 0); /* RFC 6691 §2 */
	conn->snd_wnd = conn->max_snd_wnd = segment->window; /* never scaled in a SYN */
	conn->snd_wl1 = segment->seq;
	conn->snd_wl2 = segment->ack;
}

static void become_established(struct tcp_conn *conn)
{
	conn->state = conn->fin_queued ? TCP_STATE_FIN_WAIT_1 : TCP_STATE_ESTABLISHED;
	conn->cwnd = INITIAL_WINDOW_SEGMENTS * conn->snd_mss;
	conn->ssthresh = UINT32_MAX;
	if (!conn->rto.srtt_ns) /* RFC 6298 §5.7: the SYN was lost, nothing was measured */
		conn->rto.rto_ns = TCP_RTO_AFTER_SYN_NS;
}

static void input_payload(struct tcp_conn *conn, const struct tcp_segment *segment, uint64_t now_ns,
			  enum tcp_verdict *verdict);

/* §3.10.7.3. Data on the SYN-ACK is taken too. */
static enum tcp_verdict input_syn_sent(struct tcp_conn *conn, const struct tcp_segment *segment,
				       uint64_t now_ns)
{
	bool has_ack = segment->flags & TCPHDR_ACK, is_rst = segment->flags & TCPHDR_RST;
	enum tcp_verdict verdict = TCP_ACCEPTED;

	if (has_ack && segment->ack != conn->config.isn + 1) {
		if (is_rst)
			return TCP_RST_IGNORED;
		tcp_conn_answer_reset(conn, segment->ack);
		return TCP_ACK_INVALID;
	}
	if (is_rst) {
		if (!has_ack)
			return TCP_RST_IGNORED;
		tcp_conn_close_now(conn, -ECONNREFUSED);
		return TCP_REFUSED;
	}
	if (!(segment->flags & TCPHDR_SYN))
		return TCP_NO_SYN;
	take_syn(conn, segment);
	if (!has_ack) { /* simultaneous open: our SYN again, now with an ACK */
		conn->state = TCP_STATE_SYN_RECEIVED;
		conn->snd_nxt = conn->config.isn;
		return TCP_ACCEPTED;
	}
	tcp_conn_acknowledged(conn, segment->ack, now_ns);
	become_established(conn);
	conn->ack_now = true;
	input_payload(conn, segment, now_ns, &verdict);
	return verdict;
}

/* §3.10.7.4, first: is any of it within the window? A closed window still takes ACK and RST at its edge. */
static bool in_window(const struct tcp_conn *conn, const struct tcp_segment *segment)
{
	uint32_t nxt = tcp_rcv_nxt(conn), window = tcp_reassembly_window(&conn->in);
	uint32_t length = tcp_segment_length(segment);

	if (!window)
		return segment->seq == nxt;
	if (!length)
		return !tcp_before(segment->seq, nxt) && tcp_before(segment->seq, nxt + window);
	return tcp_before(segment->seq, nxt + window) && tcp_before(nxt, segment->seq + length);
}

/* RFC 5961 §7: no more than so many a second. */
static void challenge(struct tcp_conn *conn, uint64_t now_ns)
{
	if (now_ns - conn->challenge_window_ns >= NS_PER_S) {
		conn->challenge_window_ns = now_ns;
		conn->challenges = 0;
	}
	if (conn->challenges++ < CHALLENGES_PER_SECOND)
		conn->ack_now = true;
}

/* Behind both FINs a reset takes nothing away from anybody. */
static enum tcp_verdict take_reset(struct tcp_conn *conn)
{
	bool harmless = conn->state == TCP_STATE_CLOSING || conn->state == TCP_STATE_LAST_ACK ||
			conn->state == TCP_STATE_TIME_WAIT;
	int error = conn->state == TCP_STATE_SYN_RECEIVED ? -ECONNREFUSED : -ECONNRESET;

	tcp_conn_close_now(conn, harmless ? 0 : error);
	return TCP_RESET;
}

/* RFC 7323 §5.3, R1: a timestamp that goes back is that of an old duplicate. */
static enum tcp_verdict check_timestamp(struct tcp_conn *conn, const struct tcp_segment *segment)
{
	if (!conn->timestamps || segment->flags & TCPHDR_RST)
		return TCP_ACCEPTED;
	if (!(segment->options & TCP_HAS_TIMESTAMPS))
		return TCP_NO_TIMESTAMP;
	if (!tcp_before(segment->ts_value, conn->ts_recent))
		return TCP_ACCEPTED;
	conn->ack_now = true;
	return TCP_OLD_TIMESTAMP;
}

/* RFC 7323 §4.3: what is echoed is the timestamp of the segment that the last ACK waited for. */
static void note_timestamp(struct tcp_conn *conn, const struct tcp_segment *segment)
{
	if (conn->timestamps && segment->options & TCP_HAS_TIMESTAMPS &&
	    !tcp_before(conn->last_ack_sent, segment->seq))
		conn->ts_recent = segment->ts_value;
}

/* First to fourth of §3.10.7.4: what may be looked at at all. */
static enum tcp_verdict check_acceptable(struct tcp_conn *conn, const struct tcp_segment *segment,
					 uint64_t now_ns)
{
	bool is_rst = segment->flags & TCPHDR_RST;
	enum tcp_verdict verdict = check_timestamp(conn, segment);

	if (verdict != TCP_ACCEPTED)
		return verdict;
	if (!in_window(conn, segment)) {
		conn->ack_now |= !is_rst;
		if (is_rst)
			return TCP_RST_IGNORED;
		return tcp_before(segment->seq, tcp_rcv_nxt(conn)) ? TCP_DUPLICATE : TCP_UNACCEPTABLE;
	}
	if (is_rst && segment->seq == tcp_rcv_nxt(conn))
		return take_reset(conn);
	if (is_rst || segment->flags & TCPHDR_SYN) {
		challenge(conn, now_ns);
		return is_rst ? TCP_RST_CHALLENGED : TCP_SYN_CHALLENGED;
	}
	note_timestamp(conn, segment);
	return segment->flags & TCPHDR_ACK ? TCP_ACCEPTED : TCP_NO_ACK;
}

/* RFC 9293 §3.10.7.4, fifth: SND.WND. A window that opens is filled from SND.UNA: what probed it was not
 * taken. */
static void update_window(struct tcp_conn *conn, const struct tcp_segment *segment)
{
	uint32_t window = (uint32_t)segment->window << conn->snd_scale;
	bool newer = tcp_before(conn->snd_wl1, segment->seq) ||
		     (conn->snd_wl1 == segment->seq && !tcp_before(segment->ack, conn->snd_wl2));

	if (!newer)
		return;
	if (!conn->snd_wnd && window) {
		conn->snd_nxt = conn->snd_una;
		conn->times_sent = 0;
		conn->timing = false;
	}
	conn->snd_wnd = window;
	conn->snd_wl1 = segment->seq;
	conn->snd_wl2 = segment->ack;
	if (window > conn->max_snd_wnd)
		conn->max_snd_wnd = window;
}

static void enter_time_wait(struct tcp_conn *conn, uint64_t now_ns)
{
	conn->state = TCP_STATE_TIME_WAIT;
	conn->time_wait_deadline_ns = now_ns + conn->config.time_wait_ns;
}

/* Our FIN is acknowledged. */
static void own_fin_acknowledged(struct tcp_conn *conn, uint64_t now_ns)
{
	if (conn->state == TCP_STATE_FIN_WAIT_1)
		conn->state = TCP_STATE_FIN_WAIT_2;
	else if (conn->state == TCP_STATE_CLOSING)
		enter_time_wait(conn, now_ns);
	else if (conn->state == TCP_STATE_LAST_ACK)
		tcp_conn_close_now(conn, 0);
}

/* RFC 9293 §3.10.7.4, fifth; RFC 5961 §5 bounds an old acknowledgment. */
static enum tcp_verdict input_ack(struct tcp_conn *conn, const struct tcp_segment *segment, uint64_t now_ns)
{
	uint32_t ack = segment->ack;

	if (conn->state == TCP_STATE_SYN_RECEIVED) {
		if (ack != conn->config.isn + 1) {
			tcp_conn_answer_reset(conn, ack);
			return TCP_ACK_INVALID;
		}
		become_established(conn);
	}
	if (tcp_before(conn->snd_max, ack) || tcp_before(ack, conn->snd_una - conn->max_snd_wnd)) {
		challenge(conn, now_ns);
		return TCP_ACK_INVALID;
	}
	if (tcp_before(ack, conn->snd_una))
		return TCP_ACCEPTED; /* an old one: its data may still be new */
	update_window(conn, segment);
	if (tcp_before(conn->snd_una, ack))
		tcp_conn_acknowledged(conn, ack, now_ns);
	if (conn->fin_queued && tcp_before(tcp_own_fin_seq(conn), conn->snd_una))
		own_fin_acknowledged(conn, now_ns);
	return TCP_ACCEPTED;
}

/* In order and nothing missing: an ACK for every second segment, or after a while. Else at once (RFC 5681
 * §4.2). */
static void owe_ack(struct tcp_conn *conn, bool at_once, uint64_t now_ns)
{
	conn->unacked_segments++;
	if (at_once || conn->unacked_segments >= SEGMENTS_PER_ACK)
		conn->ack_now = true;
	else if (conn->delayed_ack_ns == TCP_NEVER)
		conn->delayed_ack_ns = now_ns + TCP_DELAYED_ACK_NS;
}

static void input_data(struct tcp_conn *conn, const struct tcp_segment *segment, uint64_t now_ns,
		       enum tcp_verdict *verdict)
{
	uint32_t seq = segment->seq + !!(segment->flags & TCPHDR_SYN), bytes = segment->data_bytes;
	bool had_gap = conn->in.count;

	/* Nothing is behind a FIN; what claims to be is not part of the stream. */
	if (conn->has_fin && tcp_before(conn->fin_seq, seq + bytes))
		bytes = tcp_before(seq, conn->fin_seq) ? conn->fin_seq - seq : 0;
	switch (tcp_reassembly_add(&conn->in, seq, segment->data, bytes)) {
	case TCP_PLACED_IN_ORDER:
		owe_ack(conn, had_gap, now_ns);
		return;
	case TCP_PLACED_AHEAD:
		*verdict = TCP_AHEAD;
		break;
	case TCP_PLACED_NO_ROOM:
		*verdict = TCP_NO_ROOM;
		break;
	case TCP_PLACED_NOTHING:
		*verdict = TCP_DUPLICATE;
		break;
	}
	owe_ack(conn, true, now_ns);
}

/* §3.10.7.4, eighth: the peer's FIN, once everything before it is there. */
static void take_fin(struct tcp_conn *conn, uint64_t now_ns)
{
	conn->fin_taken = true;
	conn->ack_now = true;
	if (conn->state == TCP_STATE_ESTABLISHED)
		conn->state = TCP_STATE_CLOSE_WAIT;
	else if (conn->state == TCP_STATE_FIN_WAIT_1)
		conn->state = TCP_STATE_CLOSING;
	else if (conn->state == TCP_STATE_FIN_WAIT_2)
		enter_time_wait(conn, now_ns);
}

/* §3.10.7.4, seventh and eighth: data and FIN. */
static void input_payload(struct tcp_conn *conn, const struct tcp_segment *segment, uint64_t now_ns,
			  enum tcp_verdict *verdict)
{
	uint32_t end = segment->seq + !!(segment->flags & TCPHDR_SYN) + segment->data_bytes;

	if (conn->fin_taken) { /* a retransmission: our ACK was lost (TIME-WAIT starts again) */
		if (tcp_segment_length(segment))
			conn->ack_now = true;
		return;
	}
	if (segment->data_bytes)
		input_data(conn, segment, now_ns, verdict);
	/* A FIN that would cut off what has arrived already is not believed. */
	if (segment->flags & TCPHDR_FIN && !conn->has_fin && !tcp_before(end, conn->in.next)) {
		conn->has_fin = true;
		conn->fin_seq = end;
	}
	if (conn->has_fin && conn->in.next == conn->fin_seq)
		take_fin(conn, now_ns);
	else if (segment->flags & TCPHDR_FIN)
		conn->ack_now = true;
}

static enum tcp_verdict input_synchronized(struct tcp_conn *conn, const struct tcp_segment *segment,
					   uint64_t now_ns)
{
	enum tcp_verdict verdict = check_acceptable(conn, segment, now_ns);

	if (conn->state == TCP_STATE_TIME_WAIT && verdict == TCP_DUPLICATE && segment->flags & TCPHDR_FIN)
		conn->time_wait_deadline_ns = now_ns + conn->config.time_wait_ns;
	if (verdict != TCP_ACCEPTED)
		return verdict;
	verdict = input_ack(conn, segment, now_ns);
	if (verdict == TCP_ACCEPTED && conn->state != TCP_STATE_CLOSED)
		input_payload(conn, segment, now_ns, &verdict);
	return verdict;
}

enum tcp_verdict tcp_conn_input(struct tcp_conn *conn, const struct tcp_segment *segment, uint64_t now_ns)
{
	enum tcp_verdict verdict = TCP_CLOSED;

	conn->stats.segments_received++;
	if (conn->state == TCP_STATE_SYN_SENT)
		verdict = input_syn_sent(conn, segment, now_ns);
	else if (conn->state != TCP_STATE_CLOSED)
		verdict = input_synchronized(conn, segment, now_ns);
	tcp_conn_update_timer(conn, now_ns);
	if (verdict == TCP_AHEAD)
		conn->stats.out_of_order++;
	else if (verdict == TCP_DUPLICATE)
		conn->stats.duplicates++;
	else if (verdict != TCP_ACCEPTED && verdict != TCP_REFUSED && verdict != TCP_RESET)
		conn->stats.ignored++;
	return verdict;
}
