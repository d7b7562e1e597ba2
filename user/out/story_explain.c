// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "datapath/owner.h"
#include "observer/outcome.h"
#include "out/story.h"
#include "out/story_explain.h"
#include "util/append.h"
#include "util/terminal.h"

#define DURATION_BYTES 32
#define OFFER_BYTES    128
#define SAFE_BYTES     128
#define US_NS          1000ull

/* A new line; its text is empty. */
static char *add_line(struct explanation *explanation, const char *label)
{
	struct explanation_line *line = &explanation->line[explanation->count];

	if (explanation->count < EXPLANATION_LINES - 1)
		explanation->count++;
	line->label = label;
	*line->text = 0;
	return line->text;
}

#define LINE_BYTES EXPLANATION_LINE_BYTES

static void explain_meaning(struct explanation *explanation, enum tcp_event_index index)
{
	char *text;

	if (!*story_meaning(index))
		return;
	text = add_line(explanation, "means");
	append(text, LINE_BYTES, "%s", story_meaning(index));
	if (*story_source(index))
		append(text, LINE_BYTES, " (%s)", story_source(index));
}

/* --- evidence ------------------------------------------------------------------------------------------------ */

static const char *proof_text(enum proof proof)
{
	static const char *const texts[PROOF_COUNT] = {
		[PROOF_SYN] = "SYN",          [PROOF_SYNACK] = "SYN-ACK", [PROOF_ACK] = "ACK",
		[PROOF_FIN] = "FIN",          [PROOF_RST] = "RST",        [PROOF_ICMP] = "ICMP error",
		[PROOF_LAST] = "last packet",
	};

	return texts[proof];
}

static void append_seconds(char *text, const struct sink_session *session, __u64 ns)
{
	append(text, LINE_BYTES, " at %.6f", (double)(__s64)(ns - session->start_ns) / 1e9);
}

static void append_proof(char *text, const struct sink_session *session, const struct trace_event *event,
			 const struct evidence *evidence)
{
	append_item(text, LINE_BYTES, "; ", "%s", proof_text(evidence->proof));
	if (evidence->from != TCP_END_UNKNOWN && evidence->proof >= PROOF_FIN)
		append(text, LINE_BYTES, " of %s", story_role(event, evidence->from));
	append_seconds(text, session, evidence->first_ns);
	if (evidence->count > 1)
		append(text, LINE_BYTES, ", sent %u times", evidence->count);
	if (evidence->last_ns > evidence->first_ns) {
		append(text, LINE_BYTES, ", the last");
		append_seconds(text, session, evidence->last_ns);
	}
	if (evidence->proof == PROOF_RST && event->hook != HOOK_NONE && event->pkt.tcp_flags & TCPHDR_RST &&
	    event->pkt.tcp_flags & TCPHDR_ACK)
		append(text, LINE_BYTES, ", acknowledges %u", event->pkt.tcp_ack);
	if (evidence->proof == PROOF_RST && evidence->from != TCP_END_UNKNOWN &&
	    event->conn.side[!(evidence->from & 1)].flags & TCP_SIDE_SYN)
		append(text, LINE_BYTES, " (the SYN's number is %u)",
		       event->conn.side[!(evidence->from & 1)].isn);
}

static void explain_evidence(struct explanation *explanation, const struct sink_session *session,
			     const struct trace_event *event)
{
	struct evidence list[PROOF_COUNT];
	size_t count = outcome_evidence(list, &event->conn, outcome_of(&event->conn, event->tcp_events));
	char *text;

	if (!count)
		return;
	text = add_line(explanation, "evidence");
	for (size_t i = 0; i < count; i++)
		append_proof(text, session, event, &list[i]);
}

/* --- what was agreed on -------------------------------------------------------------------------------------- */

static void append_side_offer(char *text, const char *who, const struct tcp_side *side)
{
	char offer[OFFER_BYTES];

	if (!(side->flags & TCP_SIDE_OPTIONS))
		return;
	story_offer(offer, sizeof(offer), side);
	append_item(text, LINE_BYTES, "; ", "%s: %s", who, *offer ? offer : "no options");
}

static void explain_offers(struct explanation *explanation, const struct trace_event *event)
{
	flow_end client = story_client(event);
	char *text;

	if (!((event->conn.side[0].flags | event->conn.side[1].flags) & TCP_SIDE_OPTIONS))
		return;
	text = add_line(explanation, "offered");
	append_side_offer(text, "client", &event->conn.side[client]);
	append_side_offer(text, "server", &event->conn.side[!client]);
}

static void append_ecn(char *text, const struct tcp_track *conn, enum ecn_mode mode)
{
	flow_end client = outcome_client(conn);
	const char *was = ecn_of_syn(conn->side[client].syn_flags, conn->side[!client].syn_flags);

	if (mode == ECN_NONE)
		return;
	append_item(text, LINE_BYTES, ", ", "%s", ecn_mode_key(mode));
	if (was)
		append(text, LINE_BYTES, " (the SYN arrived as %s)", was);
}

static void explain_agreement(struct explanation *explanation, const struct trace_event *event)
{
	struct agreement agreement = outcome_agreement(&event->conn);
	char *text;

	if (!agreement.known)
		return;
	text = add_line(explanation, "agreed");
	if (agreement.mss)
		append(text, LINE_BYTES, "mss at most %u", agreement.mss);
	if (agreement.window_scale)
		append_item(text, LINE_BYTES, ", ", "window scaling");
	if (agreement.sack)
		append_item(text, LINE_BYTES, ", ", "sack");
	if (agreement.timestamps)
		append_item(text, LINE_BYTES, ", ", "timestamps");
	append_ecn(text, &event->conn, agreement.ecn);
	if (agreement.mptcp)
		append_item(text, LINE_BYTES, ", ", "mptcp");
	if (agreement.fast_open_cookie)
		append_item(text, LINE_BYTES, ", ", "a fast open cookie for next time");
	if (agreement.syn_data)
		append_item(text, LINE_BYTES, ", ", "data on the SYN %s",
			    agreement.syn_data_taken ? "accepted" : "not accepted");
	if (!*text)
		append(text, LINE_BYTES, "nothing beyond plain TCP");
}

static void append_stripped(char *text, const char *who, const struct tcp_side *side)
{
	struct tcp_side gone = {
		.options = side->stripped, .mss = side->mss, .window_scale = side->window_scale};
	char names[OFFER_BYTES];

	if (!side->stripped)
		return;
	story_offer(names, sizeof(names), &gone);
	append_item(text, LINE_BYTES, "; ", "%s's SYN: %s", who, names);
}

static void explain_stripped(struct explanation *explanation, const struct trace_event *event)
{
	flow_end client = story_client(event);
	char *text;

	if (!(event->conn.side[0].stripped | event->conn.side[1].stripped))
		return;
	text = add_line(explanation, "stripped");
	append_stripped(text, "client", &event->conn.side[client]);
	append_stripped(text, "server", &event->conn.side[!client]);
	append(text, LINE_BYTES, ": gone at the second hook");
}

/* --- round trips --------------------------------------------------------------------------------------------- */

static __u64 bucket_from_ns(int bucket)
{
	return bucket ? (1ull << (TCP_RTT_FIRST_SHIFT + bucket - 1)) * US_NS : 0;
}

/* "64.00 µs ▂█▁ 512.0 µs": how many times fell into each power of two between the two. */
static void append_histogram(char *text, const struct tcp_rtt *rtt)
{
	static const char *const bars[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	const unsigned int highest_bar = sizeof(bars) / sizeof(*bars) - 1;
	int first = TCP_RTT_BUCKETS, last = -1;
	__u16 most = 0;
	char from[DURATION_BYTES], to[DURATION_BYTES] = "";

	for (int i = 0; i < TCP_RTT_BUCKETS; i++) {
		if (!rtt->bucket[i])
			continue;
		first = first < i ? first : i;
		last = i;
		most = most > rtt->bucket[i] ? most : rtt->bucket[i];
	}
	if (last < 0)
		return;
	story_duration(from, sizeof(from), bucket_from_ns(first));
	append(text, LINE_BYTES, "  %s ", first ? from : "0");
	for (int i = first; i <= last; i++)
		append(text, LINE_BYTES, "%s", bars[(rtt->bucket[i] * highest_bar + most - 1) / most]);
	if (last < TCP_RTT_BUCKETS - 1)
		story_duration(to, sizeof(to), bucket_from_ns(last + 1));
	append(text, LINE_BYTES, " %s", *to ? to : "and more");
}

static void explain_round_trip(struct explanation *explanation, const char *label, const struct tcp_rtt *rtt)
{
	char min[DURATION_BYTES], smoothed[DURATION_BYTES];
	char *text;

	if (!rtt->samples)
		return;
	text = add_line(explanation, label);
	story_duration(min, sizeof(min), rtt->min_us * US_NS);
	story_duration(smoothed, sizeof(smoothed), rtt->smoothed_us * US_NS);
	append(text, LINE_BYTES, "minimum %s, smoothed %s, %u sample%s", min, smoothed, rtt->samples,
	       rtt->samples == 1 ? "" : "s");
	append_histogram(text, rtt);
}

static void explain_round_trips(struct explanation *explanation, const struct trace_event *event)
{
	flow_end client = story_client(event);

	explain_round_trip(explanation, "rtt → ←", &event->conn.side[client].rtt);
	explain_round_trip(explanation, "rtt ← →", &event->conn.side[!client].rtt);
}

static void append_count(char *text, const char *arrow, __u32 count, const char *what)
{
	if (count)
		append_item(text, LINE_BYTES, ", ", "%s %u %s", arrow, count, what);
}

static void append_side_counts(char *text, const char *arrow, const struct tcp_side *side)
{
	append_count(text, arrow, side->retransmits, "sent again");
	append_count(text, arrow, side->duplicates, "of them needlessly");
	append_count(text, arrow, side->out_of_order, "out of order");
	append_count(text, arrow, side->zero_windows, "windows closed");
}

static void explain_counts(struct explanation *explanation, const struct trace_event *event)
{
	flow_end client = story_client(event);
	char *text = add_line(explanation, "trouble");

	append_side_counts(text, "→", &event->conn.side[client]);
	append_side_counts(text, "←", &event->conn.side[!client]);
	if (!*text)
		append(text, LINE_BYTES, "none: nothing sent again, nothing out of order, no closed window");
}

/* --- the whole ----------------------------------------------------------------------------------------------- */

static void explain_state(struct explanation *explanation, const struct trace_event *event)
{
	const struct tcp_track *conn = &event->conn;
	enum outcome outcome = outcome_of(conn, event->tcp_events);
	const char *zeek = outcome_zeek_state(conn);
	char letters[COMPLETENESS_LETTERS];
	char *text = add_line(explanation, "outcome");

	append(text, LINE_BYTES, "%s: %s", outcome_key(outcome), outcome_text(outcome));
	text = add_line(explanation, "zeek");
	append(text, LINE_BYTES, "conn_state %s: %s", zeek, outcome_zeek_text(zeek));
	outcome_completeness_letters(letters, conn->seen);
	text = add_line(explanation, "wireshark");
	append(text, LINE_BYTES, "completeness %u, %s: %s", conn->seen, letters,
	       outcome_completeness_text(conn->seen));
}

static void explain_clock(struct explanation *explanation, const struct sink_session *session,
			  const struct trace_event *event)
{
	char *text = add_line(explanation, "measured");

	append(text, LINE_BYTES, "%s/%s, from packet to packet as they pass %s",
	       sink_hook(session, event->hook), sink_clock(session),
	       sink_interface_name(session, event->ifindex));
}

static void append_safe(char *text, const char *before, const char *unsafe)
{
	char safe[SAFE_BYTES];

	if (!*unsafe)
		return;
	terminal_safe(safe, sizeof(safe), unsafe, strlen(unsafe));
	append(text, LINE_BYTES, "%s%s", before, safe);
}

static void explain_owner(struct explanation *explanation, const struct sink_session *session,
			  const struct trace_event *event, bool client)
{
	struct owner owner;
	char *text;

	if (sink_owner(session, event, client, &owner))
		return;
	text = add_line(explanation, client ? "client is" : "server is");
	append_safe(text, "", owner.comm);
	if (owner.pid)
		append(text, LINE_BYTES, ", pid %u", owner.pid);
	append_safe(text, ", container ", owner.container);
	append_safe(text, ", cgroup ", owner.cgroup);
	append(text, LINE_BYTES, " (known by: %s)", owner_how_key(owner.how));
}

void story_explain(struct explanation *explanation, const struct sink_session *session,
		   const struct trace_event *event, enum tcp_event_index index)
{
	bool final = outcome_is_final(index), opened = index == TCP_EVENT_INDEX_ESTABLISHED;

	explanation->count = 0;
	explain_meaning(explanation, index);
	if (outcome_is_of_predecessor(event, index))
		return;
	if (final)
		explain_evidence(explanation, session, event);
	if (opened)
		explain_clock(explanation, session, event);
	if (opened || final) {
		explain_offers(explanation, event);
		explain_agreement(explanation, event);
		explain_stripped(explanation, event);
		explain_owner(explanation, session, event, true);
		explain_owner(explanation, session, event, false);
	}
	if (!final)
		return;
	explain_counts(explanation, event);
	explain_round_trips(explanation, event);
	explain_state(explanation, event);
}
