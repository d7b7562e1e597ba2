// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>

#include "net/tcp_client.h"
#include "util/clock.h"

struct tcp_client {
	struct tcp_client_config config;
	struct tcp_conn *conn;
	struct frame frame; /* the one being sent */
	uint16_t
		next_id; /* IPv4 identification: don't-fragment frames need none, people like to count them */
	uint64_t start_ns;
	uint64_t heard_ns;
	struct client_frame *
		unshown; /* received, and shown once its answer is out: showing takes longer than answering */
};

struct tcp_client *tcp_client_new(const struct tcp_client_config *config)
{
	struct tcp_client *client = calloc(1, sizeof(*client));

	if (!client)
		return NULL;
	client->config = *config;
	client->conn = tcp_conn_new(&config->conn);
	client->next_id = 1;
	if (!client->conn) {
		free(client);
		return NULL;
	}
	return client;
}

void tcp_client_free(struct tcp_client *client)
{
	if (!client)
		return;
	tcp_conn_free(client->conn);
	free(client);
}

struct tcp_conn *tcp_client_conn(struct tcp_client *client)
{
	return client->conn;
}

uint64_t tcp_client_start_ns(const struct tcp_client *client)
{
	return client->start_ns;
}

uint64_t tcp_client_heard_ns(const struct tcp_client *client)
{
	return client->heard_ns;
}

static void show(const struct tcp_client *client, struct client_frame *frame)
{
	const struct client_observer *observer = &client->config.observer;

	if (!observer->frame)
		return;
	frame->local_isn = client->config.conn.isn;
	frame->remote_isn = tcp_conn_peer_isn(client->conn);
	observer->frame(observer->context, frame);
}

static void show_received(struct tcp_client *client)
{
	if (client->unshown)
		show(client, client->unshown);
	client->unshown = NULL;
}

/* The first frame is shown while it grows. */
static int build(struct tcp_client *client, const struct tcp_segment *segment)
{
	const struct client_observer *observer = &client->config.observer;
	const struct frame_path *path = &client->config.path;
	struct frame *frame = &client->frame;
	int err;

	if (client->start_ns || !observer->layer)
		return frame_build(frame, path, client->next_id++, segment);
	frame_push_ethernet(frame, path);
	observer->layer(observer->context, 1, frame);
	frame_push_ip(frame, path, client->next_id++);
	observer->layer(observer->context, 2, frame);
	err = frame_push_tcp(frame, path, segment);
	if (!err)
		observer->layer(observer->context, 3, frame);
	return err;
}

static int send_segment(struct tcp_client *client, const struct tcp_segment *segment, bool again)
{
	struct client_frame shown = {.sent = true, .data = client->frame.data};
	int err = build(client, segment);

	if (err)
		return err;
	shown.bytes = client->frame.bytes;
	shown.note = again ? "retransmission: no acknowledgment in time" : NULL;
	shown.time_ns = clock_monotonic_ns();
	shown.realtime_ns = clock_realtime_ns();
	if (!client->start_ns)
		client->start_ns = shown.time_ns;
	err = xsk_send(client->config.xsk, client->frame.data, client->frame.bytes);
	show_received(client);
	if (!err)
		show(client, &shown);
	return err;
}

int tcp_client_flush(struct tcp_client *client)
{
	uint64_t retransmitted = tcp_conn_stats(client->conn).retransmitted;
	struct tcp_segment segment;
	int err = 0;

	while (!err && tcp_conn_output(client->conn, &segment, clock_monotonic_ns())) {
		uint64_t now_retransmitted = tcp_conn_stats(client->conn).retransmitted;

		err = send_segment(client, &segment, now_retransmitted > retransmitted);
		retransmitted = now_retransmitted;
	}
	return err;
}

/* Is it a whole, right TCP segment of this connection? Return: NULL, or why not. */
static const char *read_segment(const struct tcp_client *client, const struct xsk_frame *frame,
				const struct packet *pkt, struct tcp_segment *segment)
{
	const struct frame_path *path = &client->config.path;

	if (pkt->malformed_l3 || !(pkt->flags & PACKET_HAS_L4) || pkt->ip_proto != IPPROTO_TCP)
		return "malformed: ignored";
	if (pkt->flags & PACKET_IS_FRAGMENT)
		return "a fragment: ignored";
	if (pkt->src_port != path->remote_port || pkt->dst_port != path->local_port)
		return "not of this connection: ignored";
	if (frame_tcp_checksum(pkt, frame->data) == FRAME_CHECKSUM_WRONG)
		return "TCP checksum wrong: ignored";
	tcp_segment_read(segment, pkt, frame->data);
	return NULL;
}

/* Hands the frame to the state machine. Return: what the observer is told of it; NULL. */
static const char *take_frame(struct tcp_client *client, const struct xsk_frame *frame,
			      const struct packet *pkt, uint64_t now_ns)
{
	struct tcp_segment segment;
	const char *note = read_segment(client, frame, pkt, &segment);
	enum tcp_verdict verdict;

	if (note)
		return note;
	verdict = tcp_conn_input(client->conn, &segment, now_ns);
	if (verdict == TCP_ACCEPTED || verdict == TCP_AHEAD)
		client->heard_ns = now_ns;
	return verdict == TCP_ACCEPTED ? NULL : tcp_verdict_text(verdict);
}

int tcp_client_input(struct tcp_client *client, const struct xsk_frame *frame, const struct packet *pkt)
{
	struct client_frame shown = {
		.data = frame->data,
		.bytes = frame->bytes,
		.time_ns = clock_monotonic_ns(),
		.realtime_ns = clock_realtime_ns(),
	};
	int err;

	shown.note = take_frame(client, frame, pkt, shown.time_ns);
	client->unshown = &shown;
	err = tcp_client_flush(client);
	show_received(client);
	return err;
}

int tcp_client_advance(struct tcp_client *client)
{
	tcp_conn_advance(client->conn, clock_monotonic_ns());
	return tcp_client_flush(client);
}

uint64_t tcp_client_deadline_ns(const struct tcp_client *client)
{
	return tcp_conn_deadline(client->conn);
}

static uint64_t shorter_wait(const struct tcp_client *client, uint64_t wait_ns)
{
	uint64_t deadline_ns = tcp_client_deadline_ns(client), now_ns = clock_monotonic_ns();
	uint64_t left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;

	return left_ns < wait_ns ? left_ns : wait_ns;
}

int tcp_client_step(struct tcp_client *client, uint64_t wait_ns)
{
	struct xsk_frame frame;
	struct packet pkt = {};
	int err = tcp_client_advance(client);

	if (err)
		return err;
	err = xsk_receive(client->config.xsk, &frame, shorter_wait(client, wait_ns));
	if (err <= 0)
		return err;
	parse_packet(&pkt, frame.data, frame.data + frame.bytes, frame.bytes);
	return tcp_client_input(client, &frame, &pkt);
}
