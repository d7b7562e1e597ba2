// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "out/story.h"

#define DURATION_BYTES 32
#define LEG_BYTES      (2 * DURATION_BYTES + sizeof(" to "))

void story_endpoint(char *text, size_t bytes, const union ip_addr *addr, __be16 port, __u8 ip_version)
{
	char host[INET6_ADDRSTRLEN] = "?";

	inet_ntop(ip_version == 6 ? AF_INET6 : AF_INET, addr, host, sizeof(host));
	snprintf(text, bytes, ip_version == 6 ? "[%s]:%u" : "%s:%u", host, FROM_BE16(port));
}

/* Four digits: as many behind the point as the number in front of it leaves. */
static void print_scaled(char *text, size_t bytes, double value, const char *unit)
{
	int decimals = value < 9.9995 ? 3 : value < 99.995 ? 2 : value < 999.95 ? 1 : 0;

	snprintf(text, bytes, "%.*f %s", decimals, value, unit);
}

void story_duration(char *text, size_t bytes, __u64 ns)
{
	if (ns < 999950)
		print_scaled(text, bytes, ns / 1e3, "µs");
	else if (ns < 999950000)
		print_scaled(text, bytes, ns / 1e6, "ms");
	else
		print_scaled(text, bytes, ns / 1e9, "s");
}

__u64 story_elapsed_ns(__u64 from_ns, __u64 to_ns)
{
	return from_ns && to_ns > from_ns ? to_ns - from_ns : 0;
}

int story_from_client(const struct trace_event *event)
{
	return event->conn.client == TCP_END_UNKNOWN || event->conn.client == event->sender;
}

static const char *role(const struct tcp_track *conn, __u8 end)
{
	if (conn->client == TCP_END_UNKNOWN || end == TCP_END_UNKNOWN)
		return "one end (who opened it is unknown)";
	return end == conn->client ? "the client" : "the server";
}

static void options_text(char *text, size_t bytes, const struct tcp_options_summary *options)
{
	int used = 0;

	*text = 0;
	if (options->flags & TCP_HAS_MSS)
		used += snprintf(text + used, bytes - used, "mss %u", options->mss);
	if (options->flags & TCP_HAS_WINDOW_SCALE)
		used += snprintf(text + used, bytes - used, "%swscale %u", used ? ", " : "",
				 options->window_scale);
	if (options->flags & TCP_HAS_SACK_PERMITTED)
		used += snprintf(text + used, bytes - used, "%ssack", used ? ", " : "");
	if (options->flags & TCP_HAS_TIMESTAMPS)
		used += snprintf(text + used, bytes - used, "%sts", used ? ", " : "");
	if (options->flags & TCP_HAS_FAST_OPEN)
		used += snprintf(text + used, bytes - used, "%sfast open", used ? ", " : "");
	if (options->flags & TCP_HAS_MPTCP)
		snprintf(text + used, bytes - used, "%smptcp", used ? ", " : "");
}

/* One leg; where what starts it was sent several times, counted from the last and from the first. */
static void leg_text(char *text, size_t bytes, __u64 first_ns, __u64 last_ns, __u64 end_ns)
{
	char shortest[DURATION_BYTES], longest[DURATION_BYTES];

	story_duration(shortest, sizeof(shortest), story_elapsed_ns(last_ns, end_ns));
	story_duration(longest, sizeof(longest), story_elapsed_ns(first_ns, end_ns));
	if (first_ns == last_ns)
		snprintf(text, bytes, "%s", shortest);
	else
		snprintf(text, bytes, "%s to %s", shortest, longest);
}

/* Both legs: to the server and back to the client. */
static void handshake_text(char *text, size_t bytes, const struct tcp_track *conn)
{
	char whole[DURATION_BYTES], server[LEG_BYTES], client[LEG_BYTES];
	const char *doubt = conn->flags & TCP_TRACK_AMBIGUOUS
				    ? "; ambiguous: SYN or SYN-ACK was sent again or overtaken"
				    : "";

	leg_text(client, sizeof(client), conn->synack_first_ns, conn->synack_last_ns, conn->established_ns);
	if (!conn->syn_first_ns) {
		snprintf(text, bytes, "its SYN was not seen: client %s (SYN-ACK to ACK)%s", client, doubt);
		return;
	}
	leg_text(server, sizeof(server), conn->syn_first_ns, conn->syn_last_ns, conn->synack_first_ns);
	story_duration(whole, sizeof(whole), story_elapsed_ns(conn->syn_first_ns, conn->established_ns));
	snprintf(text, bytes, "handshake %s: server %s (SYN to SYN-ACK), client %s (SYN-ACK to ACK)%s", whole,
		 server, client, doubt);
}

static void volume_text(char *text, size_t bytes, const struct tcp_track *conn)
{
	const struct tcp_side *client = &conn->side[conn->client == 1],
			      *server = &conn->side[conn->client != 1];

	snprintf(text, bytes,
		 "→ %" PRIu64 " packets %" PRIu64 " bytes, ← %" PRIu64 " packets %" PRIu64 " bytes",
		 (uint64_t)client->packets, (uint64_t)client->bytes, (uint64_t)server->packets,
		 (uint64_t)server->bytes);
}

static void ending_text(char *text, size_t bytes, const struct tcp_track *conn)
{
	char lasted[DURATION_BYTES], volume[128];

	story_duration(lasted, sizeof(lasted), story_elapsed_ns(conn->first_ns, conn->last_ns));
	volume_text(volume, sizeof(volume), conn);
	snprintf(text, bytes, "by %s after %s; %s", role(conn, conn->closer), lasted, volume);
}

static void since(char *text, size_t bytes, __u64 from_ns, __u64 to_ns, const char *what)
{
	char duration[DURATION_BYTES];

	if (!from_ns)
		return;
	story_duration(duration, sizeof(duration), story_elapsed_ns(from_ns, to_ns));
	snprintf(text, bytes, "%s after %s", duration, what);
}

/* What an acceptable RST would have had to say, for whoever wonders why this one does not count. */
static void ignored_rst_text(char *text, size_t bytes, const struct trace_event *event)
{
	const struct tcp_track *conn = &event->conn;
	const struct tcp_side *sender = &conn->side[event->sender & 1],
			      *receiver = &conn->side[!(event->sender & 1)];

	if (conn->phase != TCP_PHASE_OPENING || event->sender == conn->client)
		snprintf(text, bytes, "its sequence number is %u, needs %u", event->pkt.tcp_seq,
			 receiver->flags & TCP_SIDE_ACKED ? receiver->acked : sender->next);
	else if (event->pkt.tcp_flags & TCPHDR_ACK)
		snprintf(text, bytes, "acknowledges %u, needs %u", event->pkt.tcp_ack, receiver->isn + 1);
	else
		snprintf(text, bytes, "acknowledges nothing, needs %u", receiver->isn + 1);
}

static void ignored_ack_text(char *text, size_t bytes, const struct trace_event *event)
{
	const struct tcp_side *receiver = &event->conn.side[!(event->sender & 1)];

	if (!(event->pkt.tcp_flags & TCPHDR_ACK))
		snprintf(text, bytes, "no ACK flag");
	else if (event->conn.phase == TCP_PHASE_OPENING)
		snprintf(text, bytes, "acknowledges %u, needs %u: the answer to another connection?",
			 event->pkt.tcp_ack, receiver->isn + 1);
	else
		snprintf(text, bytes, "acknowledges %u, sent was up to %u", event->pkt.tcp_ack,
			 receiver->next);
}

static void segment_text(char *text, size_t bytes, const struct trace_event *event)
{
	const struct tcp_side *sender = &event->conn.side[event->sender & 1];

	snprintf(text, bytes, "seq %u, %u bytes",
		 sender->flags & TCP_SIDE_SYN ? event->pkt.tcp_seq - sender->isn : event->pkt.tcp_seq,
		 event->pkt.payload_bytes);
}

void story_detail(char *text, size_t bytes, const struct trace_event *event, enum tcp_event_index index)
{
	const struct tcp_track *conn = &event->conn;

	*text = 0;
	switch (index) {
	case TCP_EVENT_INDEX_SYN:
		options_text(text, bytes, &event->pkt.tcp_options);
		break;
	case TCP_EVENT_INDEX_SYN_RETRANSMIT:
		since(text, bytes, conn->syn_first_ns, event->time_ns, "the first SYN");
		break;
	case TCP_EVENT_INDEX_SYNACK:
	case TCP_EVENT_INDEX_SYNACK_RETRANSMIT:
		since(text, bytes, conn->syn_last_ns, event->time_ns, "SYN");
		break;
	case TCP_EVENT_INDEX_ESTABLISHED:
		handshake_text(text, bytes, conn);
		break;
	case TCP_EVENT_INDEX_FIN:
		snprintf(text, bytes, "%s closes%s", role(conn, event->sender),
			 conn->closer == event->sender ? " first" : " too");
		break;
	case TCP_EVENT_INDEX_CLOSED:
	case TCP_EVENT_INDEX_RESET:
		ending_text(text, bytes, conn);
		break;
	case TCP_EVENT_INDEX_REFUSED:
		since(text, bytes, conn->syn_last_ns, event->time_ns, "SYN");
		break;
	case TCP_EVENT_INDEX_RST_IGNORED:
		ignored_rst_text(text, bytes, event);
		break;
	case TCP_EVENT_INDEX_ACK_IGNORED:
		ignored_ack_text(text, bytes, event);
		break;
	case TCP_EVENT_INDEX_SYN_IGNORED:
		snprintf(text, bytes, "seq %u; a new connection if it is answered by SYN-ACK",
			 event->pkt.tcp_seq);
		break;
	case TCP_EVENT_INDEX_RETRANSMIT:
	case TCP_EVENT_INDEX_OUT_OF_WINDOW:
		segment_text(text, bytes, event);
		break;
	default:
		break;
	}
}
