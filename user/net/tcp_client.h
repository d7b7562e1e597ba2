/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A TCP connection on the wire: tcp_conn's segments in frames, sent and received through AF_XDP.
 *
 * Whoever has one connection turns it by tcp_client_step(). Whoever has many on one socket receives by
 * itself: it hands each frame to the connection that it belongs to (tcp_client_input) and calls
 * tcp_client_advance() at tcp_client_deadline_ns().
 *
 * Ownership: the client has its tcp_conn; xsk is the caller's and must outlive it. The observer sees every
 * frame of the connection, in order, before anything else happens; what it is shown is valid during the call.
 */
#ifndef XDPLIFE_TCP_CLIENT_H
#define XDPLIFE_TCP_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "net/frame.h"
#include "net/tcp_conn.h"
#include "net/xsk.h"

/* One frame of the connection as it went out or came in. */
struct client_frame {
	const uint8_t *data;
	uint32_t bytes;
	bool sent;
	const char *note;     /* what is particular about it: retransmission, duplicate, ...; NULL */
	uint64_t time_ns;     /* monotonic */
	uint64_t realtime_ns; /* since the Unix epoch */
	uint32_t local_isn;
	uint32_t remote_isn; /* 0 before the peer's SYN */
};

/* Either function may be NULL. */
struct client_observer {
	/* Each frame, right after it was sent or taken in. */
	void (*frame)(void *context, const struct client_frame *frame);
	/* The very first frame, the SYN, after layer number @step (from 1) was put on; before it is sent. */
	void (*layer)(void *context, int step, const struct frame *frame);
	void *context;
};

struct tcp_client_config {
	struct frame_path path;
	struct tcp_conn_config conn;
	struct xsk *xsk;
	struct client_observer observer;
};

struct tcp_client;

/* Return: NULL without memory. */
struct tcp_client *tcp_client_new(const struct tcp_client_config *config);
void tcp_client_free(struct tcp_client *client);

struct tcp_conn *tcp_client_conn(struct tcp_client *client);

/**
 * tcp_client_input() - take in a frame that came for this connection, and answer it
 * @pkt: the frame as parse_packet() left it; of other connections and malformed ones are ignored
 *
 * Return: 0 or -errno of xsk.
 */
int tcp_client_input(struct tcp_client *client, const struct xsk_frame *frame, const struct packet *pkt);

/* Runs the connection's timers that are due and sends what is due. 0 or -errno of xsk. */
int tcp_client_advance(struct tcp_client *client);

/* When tcp_client_advance() has something to do; monotonic; TCP_NEVER. */
uint64_t tcp_client_deadline_ns(const struct tcp_client *client);

/**
 * tcp_client_step() - send what is due, wait for one frame or a timer of the connection, take it in, answer
 * it
 * @wait_ns: the longest wait
 *
 * Return: 0; -EINTR on a signal; another -errno of xsk.
 */
int tcp_client_step(struct tcp_client *client, uint64_t wait_ns);

/* Sends what is due, without waiting. 0 or -errno of xsk. */
int tcp_client_flush(struct tcp_client *client);

/* When the SYN went out; monotonic; 0: not yet. */
uint64_t tcp_client_start_ns(const struct tcp_client *client);

/* When the peer was last heard of with something new or an acknowledgment; monotonic; 0: never. */
uint64_t tcp_client_heard_ns(const struct tcp_client *client);

#endif
