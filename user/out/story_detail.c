// SPDX-License-Identifier: GPL-2.0-only
/* The detail beside the name of each kind of event. */
#include <arpa/inet.h>
#include <stdio.h>

#include "observer/outcome.h"
#include "out/story.h"
#include "util/append.h"

#define DURATION_BYTES 32
#define OFFER_BYTES    128
#define LEG_BYTES      (2 * DURATION_BYTES + sizeof(" to "))

static const char *sender_role(const struct trace_event *event)
{
	return story_role(event, event->sender & 1);
}

static void append_duration(char *text, size_t bytes, __u64 from_ns, __u64 to_ns)
{
	char duration[DURATION_BYTES];

	story_duration(duration, sizeof(duration), story_elapsed_ns(from_ns, to_ns));
	append_texts(text, bytes, duration, NULL);
}

/* What the segment itself offers. */
static void append_offer(char *text, size_t bytes, const struct packet *pkt)
{
	char offer[OFFER_BYTES];

	story_offer_of(offer, sizeof(offer), pkt);
	if (*offer)
		append_texts(text, bytes, *text ? "; " : "", offer, NULL);
}

static void append_times(char *text, size_t bytes, __u32 times)
{
	if (times == 1)
		append(text, bytes, "once");
	else
		append(text, bytes, "%u times", times);
}

/* --- the handshake ------------------------------------------------------------------------------------------- */

/* One leg; where what starts it was sent several times, counted from the last and from the first. */
static void leg_text(char *text, size_t bytes, __u64 first_ns, __u64 last_ns, __u64 end_ns)
{
	*text = 0;
	append_duration(text, bytes, last_ns, end_ns);
	if (first_ns == last_ns)
		return;
	append_texts(text, bytes, " to ", NULL);
	append_duration(text, bytes, first_ns, end_ns);
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
		append_texts(text, bytes, "its SYN was not seen: client ", client, " (SYN-ACK to ACK)", doubt,
			     NULL);
		return;
	}
	leg_text(server, sizeof(server), conn->syn_first_ns, conn->syn_last_ns, conn->synack_first_ns);
	story_duration(whole, sizeof(whole), story_elapsed_ns(conn->syn_first_ns, conn->established_ns));
	append_texts(text, bytes, "handshake ", whole, ": server ", server, " (SYN to SYN-ACK), client ",
		     client, " (SYN-ACK to ACK)", doubt, NULL);
}

static void since(char *text, size_t bytes, __u64 from_ns, __u64 to_ns, const char *what)
{
	if (!from_ns)
		return;
	append_duration(text, bytes, from_ns, to_ns);
	append_texts(text, bytes, " after ", what, NULL);
}

static void syn_data_text(char *text, size_t bytes, const struct trace_event *event)
{
	__u8 options = event->pkt.tcp_options.flags;

	snprintf(text, bytes, "%u bytes, %s", event->pkt.payload_bytes,
		 options & TCP_HAS_COOKIE      ? "with a fast open cookie"
		 : options & TCP_HAS_FAST_OPEN ? "with a request for a fast open cookie"
					       : "without fast open");
}

static void isn_text(char *text, size_t bytes, const struct trace_event *event)
{
	const struct tcp_side *sender = &event->conn.side[event->sender & 1];

	snprintf(text, bytes, "%u, the first was %u", event->pkt.tcp_seq, sender->isn);
}

/* --- the ends ------------------------------------------------------------------------------------------------ */

static void append_sent(char *text, size_t bytes, const struct tcp_side *side)
{
	append_number(text, bytes, side->packets);
	append_texts(text, bytes, " packets ", NULL);
	append_number(text, bytes, side->bytes);
	append_texts(text, bytes, " bytes", NULL);
}

static void append_volume(char *text, size_t bytes, const struct trace_event *event)
{
	const struct tcp_side *client = &event->conn.side[story_client(event)],
			      *server = &event->conn.side[!story_client(event)];

	append_texts(text, bytes, *text ? "; " : "", "→ ", NULL);
	append_sent(text, bytes, client);
	append_texts(text, bytes, ", ← ", NULL);
	append_sent(text, bytes, server);
}

static void ending_text(char *text, size_t bytes, const struct trace_event *event, __u8 by)
{
	append_texts(text, bytes, "by ", story_role(event, by), " after ", NULL);
	append_duration(text, bytes, event->conn.first_ns, event->conn.last_ns);
	append_volume(text, bytes, event);
}

/* "SYN sent 4 times in 7.050 s" */
static void append_attempts(char *text, size_t bytes, const char *what, const struct evidence *sent)
{
	append_item(text, bytes, "; ", "%s sent ", what);
	append_times(text, bytes, sent->count);
	if (sent->last_ns == sent->first_ns)
		return;
	append(text, bytes, " in ");
	append_duration(text, bytes, sent->first_ns, sent->last_ns);
}

static bool find_proof(struct evidence *found, const struct trace_event *event, enum outcome outcome,
		       enum proof proof)
{
	struct evidence list[PROOF_COUNT];
	size_t count = outcome_evidence(list, &event->conn, outcome);

	for (size_t i = 0; i < count; i++) {
		if (list[i].proof != proof || !list[i].count)
			continue;
		*found = list[i];
		return true;
	}
	return false;
}

static void timed_out_text(char *text, size_t bytes, const struct trace_event *event)
{
	struct evidence syn;

	if (!find_proof(&syn, event, OUTCOME_TIMED_OUT, PROOF_SYN))
		return;
	append_attempts(text, bytes, "SYN", &syn);
	append(text, bytes, ", no answer in ");
	append_duration(text, bytes, syn.last_ns, event->time_ns);
}

static void half_open_text(char *text, size_t bytes, const struct trace_event *event)
{
	struct evidence sent;

	if (find_proof(&sent, event, OUTCOME_HALF_OPEN, PROOF_SYNACK)) {
		append_attempts(text, bytes, "SYN-ACK", &sent);
		append(text, bytes, ", not acknowledged in ");
	} else if (find_proof(&sent, event, OUTCOME_HALF_OPEN, PROOF_SYN)) {
		append_attempts(text, bytes, "SYN", &sent);
		append(text, bytes, ", no answer yet in ");
	} else {
		return;
	}
	append_duration(text, bytes, sent.last_ns, event->time_ns);
}

/* How far it has come: open, or closed by one end. */
static void silence_text(char *text, size_t bytes, const struct trace_event *event)
{
	const struct tcp_track *conn = &event->conn;

	if (conn->phase == TCP_PHASE_CLOSING)
		append(text, bytes, "closed by %s alone, ", story_role(event, conn->closer));
	append(text, bytes, "silent for ");
	append_duration(text, bytes, conn->last_ns, event->time_ns);
	append_volume(text, bytes, event);
}

static void still_open_text(char *text, size_t bytes, const struct trace_event *event)
{
	const struct tcp_track *conn = &event->conn;

	if (conn->phase == TCP_PHASE_CLOSING)
		append(text, bytes, "closed by %s alone, ", story_role(event, conn->closer));
	append(text, bytes, "seen for ");
	append_duration(text, bytes, conn->first_ns, event->time_ns);
	append_volume(text, bytes, event);
}

static void predecessor_text(char *text, size_t bytes, enum tcp_event_index index)
{
	static const char *const texts[TCP_EVENT_COUNT] = {
		[TCP_EVENT_INDEX_TIMED_OUT] = "the attempt before on these ports was never answered",
		[TCP_EVENT_INDEX_HALF_OPEN] = "the handshake before on these ports was never completed",
		[TCP_EVENT_INDEX_ABANDONED] = "the connection before on these ports was never closed",
	};

	snprintf(text, bytes, "%s", texts[index] ? texts[index] : "");
}

static void unreachable_text(char *text, size_t bytes, const struct trace_event *event)
{
	char router[INET6_ADDRSTRLEN];
	struct evidence syn;

	story_icmp(text, bytes, event);
	if (story_is_icmp(event) && inet_ntop(event->pkt.ip_version == 6 ? AF_INET6 : AF_INET,
					      &event->pkt.src, router, sizeof(router)))
		append(text, bytes, ", says %s", router);
	if (!find_proof(&syn, event, OUTCOME_UNREACHABLE, PROOF_SYN))
		return;
	append(text, bytes, ", ");
	append_duration(text, bytes, syn.last_ns, event->time_ns);
	append(text, bytes, " after SYN");
	if (syn.count > 1)
		append_attempts(text, bytes, "SYN", &syn);
}

static void fin_text(char *text, size_t bytes, const struct trace_event *event)
{
	const struct tcp_track *conn = &event->conn;

	append_texts(text, bytes, sender_role(event), " closes",
		     conn->closer == event->sender ? " first" : " too", NULL);
	if (conn->flags & TCP_TRACK_SIMULTANEOUS_CLOSE)
		append(text, bytes, "; simultaneous close");
}

/* --- what is ignored ----------------------------------------------------------------------------------------- */

/* What an acceptable RST would have had to say, for whoever wonders why this one does not count. */
static void ignored_rst_text(char *text, size_t bytes, const struct trace_event *event)
{
	const struct tcp_track *conn = &event->conn;
	const struct tcp_side *sender = &conn->side[event->sender & 1],
			      *receiver = &conn->side[!(event->sender & 1)];
	bool acked = receiver->flags & TCP_SIDE_ACKED, sent = sender->flags & TCP_SIDE_SENT;

	if (conn->phase == TCP_PHASE_OPENING && event->sender != conn->client) {
		if (event->pkt.tcp_flags & TCPHDR_ACK)
			append(text, bytes, "acknowledges %u, needs %u", event->pkt.tcp_ack,
			       receiver->isn + 1);
		else
			append(text, bytes, "acknowledges nothing, needs %u", receiver->isn + 1);
		if (receiver->syn_bytes)
			append(text, bytes, " to %u", receiver->next);
		return;
	}
	append(text, bytes, "its sequence number is %u, needs %u", event->pkt.tcp_seq,
	       acked ? receiver->acked : sender->next);
	if (acked && sent && sender->next != receiver->acked)
		append(text, bytes, " or %u", sender->next);
}

static void ignored_ack_text(char *text, size_t bytes, const struct trace_event *event)
{
	const struct tcp_side *sender = &event->conn.side[event->sender & 1],
			      *receiver = &event->conn.side[!(event->sender & 1)];
	__u32 most = receiver->next;

	if (!(event->pkt.tcp_flags & TCPHDR_ACK)) {
		append(text, bytes, "no ACK flag");
		return;
	}
	if (sender->flags & TCP_SIDE_ACKED && seq_after(sender->edge, most))
		most = sender->edge;
	append(text, bytes, "acknowledges %u, needs ", event->pkt.tcp_ack);
	if (event->conn.phase == TCP_PHASE_OPENING)
		append(text, bytes, "%u: the answer to another connection?", receiver->isn + 1);
	else if (event->conn.phase == TCP_PHASE_ANSWERED && most != receiver->isn + 1)
		append(text, bytes, "%u to %u", receiver->isn + 1, most);
	else
		append(text, bytes, "at most %u", most);
}

/* Relative to the first number of their sender, where that is known. */
static __u32 relative(const struct tcp_side *sender, __u32 seq)
{
	return sender->flags & TCP_SIDE_SYN ? seq - sender->isn : seq;
}

static void segment_text(char *text, size_t bytes, const struct trace_event *event)
{
	snprintf(text, bytes, "seq %u, %u bytes",
		 relative(&event->conn.side[event->sender & 1], event->pkt.tcp_seq),
		 event->pkt.payload_bytes);
}

static void out_of_window_text(char *text, size_t bytes, const struct trace_event *event)
{
	const struct tcp_side *sender = &event->conn.side[event->sender & 1],
			      *receiver = &event->conn.side[!(event->sender & 1)];

	segment_text(text, bytes, event);
	append(text, bytes, "; needs %u to %u", relative(sender, receiver->acked - receiver->window_max),
	       relative(sender, receiver->edge));
}

static void window_text(char *text, size_t bytes, const struct trace_event *event)
{
	const struct tcp_side *sender = &event->conn.side[event->sender & 1],
			      *receiver = &event->conn.side[!(event->sender & 1)];

	if (sender->flags & receiver->flags & TCP_SIDE_OPTIONS)
		snprintf(text, bytes, "%s takes %u bytes", sender_role(event),
			 window_bytes(sender, receiver, &event->pkt));
	else
		snprintf(text, bytes, "%s takes data again", sender_role(event));
}

static void zero_window_text(char *text, size_t bytes, const struct trace_event *event)
{
	__u32 times = event->conn.side[event->sender & 1].zero_windows;

	append(text, bytes, "%s takes no more", sender_role(event));
	if (times > 1)
		append(text, bytes, ", %u times so far", times);
}

static void midstream_text(char *text, size_t bytes, const struct trace_event *event)
{
	if (event->conn.client != TCP_END_UNKNOWN)
		snprintf(text, bytes, "but its SYN-ACK tells who opened it");
}

/* What is said of a connection that went on. */
static void detail_of_life(char *text, size_t bytes, const struct trace_event *event,
			   enum tcp_event_index index)
{
	const struct tcp_track *conn = &event->conn;

	switch (index) {
	case TCP_EVENT_INDEX_REUSED:
		snprintf(text, bytes, "by another connection");
		break;
	case TCP_EVENT_INDEX_SYN:
		append_offer(text, bytes, &event->pkt);
		break;
	case TCP_EVENT_INDEX_SYN_RETRANSMIT:
		since(text, bytes, conn->syn_first_ns, event->time_ns, "the first SYN");
		break;
	case TCP_EVENT_INDEX_SYNACK:
		since(text, bytes, conn->syn_last_ns, event->time_ns, "SYN");
		append_offer(text, bytes, &event->pkt);
		break;
	case TCP_EVENT_INDEX_SYNACK_RETRANSMIT:
		since(text, bytes, conn->syn_last_ns, event->time_ns, "SYN");
		break;
	case TCP_EVENT_INDEX_ISN_CHANGED:
		isn_text(text, bytes, event);
		break;
	case TCP_EVENT_INDEX_SYN_DATA:
		syn_data_text(text, bytes, event);
		break;
	case TCP_EVENT_INDEX_ESTABLISHED:
		handshake_text(text, bytes, conn);
		break;
	case TCP_EVENT_INDEX_MIDSTREAM:
		midstream_text(text, bytes, event);
		break;
	case TCP_EVENT_INDEX_RETRANSMIT:
	case TCP_EVENT_INDEX_OUT_OF_ORDER:
	case TCP_EVENT_INDEX_DUPLICATE:
		segment_text(text, bytes, event);
		break;
	case TCP_EVENT_INDEX_KEEP_ALIVE:
		append(text, bytes, "%s asks whether the other end is there", sender_role(event));
		break;
	case TCP_EVENT_INDEX_ZERO_WINDOW:
		zero_window_text(text, bytes, event);
		break;
	case TCP_EVENT_INDEX_WINDOW_OPEN:
		window_text(text, bytes, event);
		break;
	case TCP_EVENT_INDEX_CHALLENGE_ACK:
		append(text, bytes, "%s expects %u", sender_role(event), event->pkt.tcp_ack);
		break;
	default:
		break;
	}
}

static void detail_of_ignored(char *text, size_t bytes, const struct trace_event *event,
			      enum tcp_event_index index)
{
	switch (index) {
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
	case TCP_EVENT_INDEX_OUT_OF_WINDOW:
		out_of_window_text(text, bytes, event);
		break;
	default:
		break;
	}
}

static void detail_of_end(char *text, size_t bytes, const struct trace_event *event,
			  enum tcp_event_index index)
{
	const struct tcp_track *conn = &event->conn;

	switch (index) {
	case TCP_EVENT_INDEX_TIMED_OUT:
		timed_out_text(text, bytes, event);
		break;
	case TCP_EVENT_INDEX_HALF_OPEN:
		half_open_text(text, bytes, event);
		break;
	case TCP_EVENT_INDEX_ABANDONED:
		silence_text(text, bytes, event);
		break;
	case TCP_EVENT_INDEX_STILL_OPEN:
		still_open_text(text, bytes, event);
		break;
	case TCP_EVENT_INDEX_FIN:
		fin_text(text, bytes, event);
		break;
	case TCP_EVENT_INDEX_FIN_RETRANSMIT:
		append(text, bytes, "of %s", sender_role(event));
		break;
	case TCP_EVENT_INDEX_CLOSED:
		ending_text(text, bytes, event, conn->closer);
		break;
	case TCP_EVENT_INDEX_RESET:
		ending_text(text, bytes, event, event->conn.resetter);
		break;
	case TCP_EVENT_INDEX_REFUSED:
		since(text, bytes, conn->syn_last_ns, event->time_ns, "SYN");
		break;
	case TCP_EVENT_INDEX_UNREACHABLE:
		unreachable_text(text, bytes, event);
		break;
	default:
		detail_of_ignored(text, bytes, event, index);
		break;
	}
}

void story_detail(char *text, size_t bytes, const struct trace_event *event, enum tcp_event_index index)
{
	*text = 0;
	if (outcome_is_of_predecessor(event, index)) {
		predecessor_text(text, bytes, index);
		return;
	}
	detail_of_life(text, bytes, event, index);
	if (!*text)
		detail_of_end(text, bytes, event, index);
}
