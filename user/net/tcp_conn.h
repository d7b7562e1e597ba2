/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The client's end of one TCP connection, as a pure state machine: segments and time in, segments out (RFC
 * 9293).
 *
 * It does no I/O and reads no clock. The caller loops: hand in what has arrived (tcp_conn_input), let time
 * pass (tcp_conn_advance), take everything that is to be sent (tcp_conn_output until it returns false), read
 * the bytes that are in order (tcp_conn_read), and wait until tcp_conn_deadline() or the next segment. Times
 * are nanoseconds of any monotonic clock.
 *
 * Ownership: tcp_conn_new() allocates everything at once, tcp_conn_free() frees it. Data that is handed in is
 * copied; the data of an outgoing segment points into the connection and is valid until the next call that
 * changes it. Closing: tcp_conn_shutdown() sends FIN behind what is queued, reading goes on (half-close);
 * tcp_conn_abort() sends RST. A connection that ended by itself says why in tcp_conn_error(). Implemented:
 * RFC 9293 acceptability and states, simultaneous open and close included; RFC 6298 (RTO, Karn), RFC 5681
 * slow start and congestion avoidance, RFC 7323 (window scale, timestamps, PAWS), RFC 2018 (SACK generated),
 * RFC 5961 (challenge ACKs), delayed ACKs, zero-window probes, silly-window avoidance on both sides. Limits:
 * SACK blocks of the peer are not used, and there is no fast retransmit: the client's few segments are sent
 * again by the timer, from the first that is missing. Urgent data is read in line.
 */
#ifndef XDPLIFE_TCP_CONN_H
#define XDPLIFE_TCP_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/tcp_segment.h"

#define TCP_MAX_SYN_SENT   7 /* a SYN and six retransmissions: 127 seconds, as Linux gives up */
#define TCP_MAX_DATA_SENT  11
#define TCP_NEVER          UINT64_MAX
#define TCP_DELAYED_ACK_NS 40000000ull /* RFC 9293 §3.8.6.3: below 500 ms */

enum tcp_state {
	TCP_STATE_CLOSED,
	TCP_STATE_SYN_SENT,
	TCP_STATE_SYN_RECEIVED, /* simultaneous open */
	TCP_STATE_ESTABLISHED,
	TCP_STATE_FIN_WAIT_1,
	TCP_STATE_FIN_WAIT_2,
	TCP_STATE_CLOSE_WAIT,
	TCP_STATE_CLOSING,
	TCP_STATE_LAST_ACK,
	TCP_STATE_TIME_WAIT,
};

/* X(name, text): what became of a segment that came in. The first says that nothing is to be said. */
#define TCP_VERDICTS(X)                                                                                      \
	X(ACCEPTED, "accepted")                                                                              \
	X(AHEAD, "out of order: kept until the gap before it is filled")                                     \
	X(DUPLICATE, "duplicate: nothing new in it, acknowledged again")                                     \
	X(NO_ROOM, "too many gaps: not taken")                                                               \
	X(UNACCEPTABLE, "outside the receive window: ignored, acknowledged again (RFC 9293 §3.10.7.4)")      \
	X(OLD_TIMESTAMP, "timestamp older than the last: ignored (PAWS, RFC 7323 §5)")                       \
	X(NO_TIMESTAMP, "without the negotiated timestamp: ignored (RFC 7323 §3.2)")                         \
	X(NO_SYN, "not the SYN that opens a connection: ignored")                                            \
	X(NO_ACK, "without ACK: ignored")                                                                    \
	X(ACK_INVALID, "acknowledges what was never sent: ignored (RFC 5961 §5)")                            \
	X(SYN_CHALLENGED, "SYN on a synchronized connection: challenge ACK (RFC 5961 §4)")                   \
	X(RST_CHALLENGED, "RST inside the window, not at its start: challenge ACK (RFC 5961 §3)")            \
	X(RST_IGNORED, "RST that fits nothing we sent: ignored (RFC 9293 §3.10.7)")                          \
	X(REFUSED, "connection refused")                                                                     \
	X(RESET, "connection reset by the peer")                                                             \
	X(CLOSED, "the connection is closed: ignored")

#define TCP_VERDICT_ENUM(name, text) TCP_##name,
enum tcp_verdict { TCP_VERDICTS(TCP_VERDICT_ENUM) TCP_VERDICT_COUNT };

struct tcp_conn_config {
	uint32_t isn;              /* RFC 6528: unpredictable; the caller's */
	uint32_t timestamp_offset; /* likewise (RFC 7323 §5.4) */
	uint32_t receive_bytes;    /* receive buffer: a power of two, at most 1 GiB */
	uint32_t send_bytes;       /* send buffer */
	uint16_t mss;          /* what we announce: the MTU less the IP and TCP headers (RFC 9293 §3.7.1) */
	uint16_t default_mss;  /* the peer's if it announces none: 536 over IPv4, 1220 over IPv6 */
	uint64_t time_wait_ns; /* 2 MSL where the caller means to stay that long */
};

struct tcp_conn_stats {
	uint64_t segments_sent;
	uint64_t segments_received;
	uint64_t retransmitted; /* of those sent */
	uint64_t duplicates;    /* of those received */
	uint64_t out_of_order;  /* likewise */
	uint64_t ignored;       /* likewise, for all other reasons */
	uint64_t srtt_ns;       /* smoothed round trip; 0: not measured */
};

struct tcp_conn;

/* Return: a closed connection, or NULL without memory. */
struct tcp_conn *tcp_conn_new(const struct tcp_conn_config *config);
void tcp_conn_free(struct tcp_conn *conn);

/* Active open: the SYN is the next output. */
void tcp_conn_connect(struct tcp_conn *conn);

/* Queues data behind what is queued. Return: bytes taken, less than @bytes when the buffer is full or closed.
 */
size_t tcp_conn_send(struct tcp_conn *conn, const void *data, size_t bytes);

/* No more data from us: FIN behind what is queued. */
void tcp_conn_shutdown(struct tcp_conn *conn);

/* RST, if there is a peer to tell; the connection is closed with -ECONNABORTED. */
void tcp_conn_abort(struct tcp_conn *conn);

enum tcp_verdict tcp_conn_input(struct tcp_conn *conn, const struct tcp_segment *segment, uint64_t now_ns);

/* The next segment that is due now. Return: false if there is none. */
bool tcp_conn_output(struct tcp_conn *conn, struct tcp_segment *segment, uint64_t now_ns);

/* Runs the timers that are due. */
void tcp_conn_advance(struct tcp_conn *conn, uint64_t now_ns);

/* When tcp_conn_advance() has something to do; TCP_NEVER. */
uint64_t tcp_conn_deadline(const struct tcp_conn *conn);

/* Copies out bytes in order and so opens the window again. Return: how many, 0 if there are none now. */
size_t tcp_conn_read(struct tcp_conn *conn, void *out, size_t bytes);

/* Every byte up to the peer's FIN has arrived in order (there may still be some to read). */
bool tcp_conn_peer_finished(const struct tcp_conn *conn);

enum tcp_state tcp_conn_state(const struct tcp_conn *conn);

/* Why it ended: 0, -ECONNREFUSED, -ECONNRESET, -ETIMEDOUT, -ECONNABORTED. */
int tcp_conn_error(const struct tcp_conn *conn);

struct tcp_conn_stats tcp_conn_stats(const struct tcp_conn *conn);

/* The peer's initial sequence number, for showing relative ones; 0 before its SYN. */
uint32_t tcp_conn_peer_isn(const struct tcp_conn *conn);

const char *tcp_state_text(enum tcp_state state);
const char *tcp_verdict_text(enum tcp_verdict verdict);

#endif
