// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "observer/outcome.h"

struct name {
	const char *key;
	const char *text;
};

#define OUTCOME_NAME(name, key, text) [OUTCOME_##name] = {key, text},
static const struct name names[OUTCOME_COUNT] = {XL_OUTCOMES(OUTCOME_NAME)};

const char *outcome_key(enum outcome outcome)
{
	return (unsigned int)outcome < OUTCOME_COUNT ? names[outcome].key : "unknown";
}

const char *outcome_text(enum outcome outcome)
{
	return (unsigned int)outcome < OUTCOME_COUNT ? names[outcome].text : "unknown";
}

flow_end outcome_client(const struct tcp_track *t)
{
	return t->client == 1;
}

/* Before the answer to its SYN. */
static bool was_refused(const struct tcp_track *t)
{
	return t->reset_phase <= TCP_PHASE_OPENING && t->client != TCP_END_UNKNOWN &&
	       t->resetter != t->client;
}

static enum outcome unanswered(const struct tcp_track *t, __u32 events)
{
	if (t->flags & TCP_TRACK_UNREACHABLE)
		return OUTCOME_UNREACHABLE;
	if (events & TCP_EVENT_TIMED_OUT)
		return OUTCOME_TIMED_OUT;
	return events & TCP_EVENT_HALF_OPEN ? OUTCOME_HALF_OPEN : OUTCOME_OPENING;
}

enum outcome outcome_of(const struct tcp_track *t, __u32 events)
{
	switch (t->phase) {
	case TCP_PHASE_OPENING:
		return unanswered(t, events);
	case TCP_PHASE_ANSWERED:
		return events & TCP_EVENT_HALF_OPEN ? OUTCOME_HALF_OPEN : OUTCOME_OPENING;
	case TCP_PHASE_ESTABLISHED:
		return events & TCP_EVENT_ABANDONED ? OUTCOME_ABANDONED : OUTCOME_OPEN;
	case TCP_PHASE_CLOSING:
		return events & TCP_EVENT_ABANDONED ? OUTCOME_ABANDONED : OUTCOME_CLOSING;
	case TCP_PHASE_CLOSED:
		return OUTCOME_CLOSED;
	case TCP_PHASE_RESET:
		return was_refused(t) ? OUTCOME_REFUSED : OUTCOME_RESET;
	default:
		return OUTCOME_NONE;
	}
}

const char *outcome_stage_key(const struct tcp_track *t)
{
	if (t->reset_phase < TCP_PHASE_ESTABLISHED)
		return "handshake";
	return t->reset_phase == TCP_PHASE_ESTABLISHED ? "open" : "closing";
}

bool outcome_is_of_predecessor(const struct trace_event *event, enum tcp_event_index index)
{
	return event->hook != HOOK_NONE &&
	       (index == TCP_EVENT_INDEX_TIMED_OUT || index == TCP_EVENT_INDEX_HALF_OPEN ||
		index == TCP_EVENT_INDEX_ABANDONED);
}

bool outcome_is_final(enum tcp_event_index index)
{
	switch (index) {
	case TCP_EVENT_INDEX_TIMED_OUT:
	case TCP_EVENT_INDEX_HALF_OPEN:
	case TCP_EVENT_INDEX_ABANDONED:
	case TCP_EVENT_INDEX_STILL_OPEN:
	case TCP_EVENT_INDEX_CLOSED:
	case TCP_EVENT_INDEX_REFUSED:
	case TCP_EVENT_INDEX_UNREACHABLE:
	case TCP_EVENT_INDEX_RESET:
		return true;
	default:
		return false;
	}
}

/* --- as others call it --------------------------------------------------------------------------------------- */

static const struct name zeek_states[] = {
	{"S0", "attempt seen, no reply"},
	{"S1", "established, not terminated"},
	{"SF", "normal establishment and termination"},
	{"REJ", "attempt rejected"},
	{"S2", "established, close attempt by the originator seen, no reply to it"},
	{"S3", "established, close attempt by the responder seen, no reply to it"},
	{"RSTO", "established, the originator aborted"},
	{"RSTR", "the responder sent a RST"},
	{"RSTOS0", "the originator sent a SYN followed by a RST, no SYN-ACK was seen"},
	{"RSTRH", "the responder sent a SYN-ACK followed by a RST, no SYN was seen"},
	{"SH", "the originator sent a SYN followed by a FIN, no SYN-ACK was seen"},
	{"SHR", "the responder sent a SYN-ACK followed by a FIN, no SYN was seen"},
	{"OTH", "no SYN seen, midstream traffic"},
};

const char *outcome_zeek_text(const char *state)
{
	for (size_t i = 0; i < sizeof(zeek_states) / sizeof(*zeek_states); i++)
		if (!strcmp(zeek_states[i].key, state))
			return zeek_states[i].text;
	return "";
}

/* The SYN of that end itself was seen, not only what answers it. */
static bool syn_seen(const struct tcp_side *side)
{
	return side->flags & TCP_SIDE_OPTIONS;
}

static const char *zeek_reset(const struct tcp_track *t, bool originator, bool responder)
{
	if (t->resetter == outcome_client(t)) {
		if (!originator)
			return "OTH";
		return responder ? "RSTO" : "RSTOS0";
	}
	if (originator)
		return responder ? "RSTR" : "REJ";
	return responder ? "RSTRH" : "OTH";
}

static const char *zeek_close(const struct tcp_track *t, bool originator, bool responder)
{
	flow_end client = outcome_client(t);
	bool by_originator = t->side[client].flags & TCP_SIDE_FIN,
	     by_responder = t->side[!client].flags & TCP_SIDE_FIN;

	if (!originator)
		return by_responder ? "SHR" : "OTH";
	if (!responder)
		return by_originator ? "SH" : "OTH";
	if (by_originator && by_responder)
		return "SF";
	return by_originator ? "S2" : "S3";
}

const char *outcome_zeek_state(const struct tcp_track *t)
{
	flow_end client = outcome_client(t);
	bool originator = syn_seen(&t->side[client]), responder = syn_seen(&t->side[!client]);

	if (t->client == TCP_END_UNKNOWN || !(originator || responder))
		return "OTH";
	if (t->phase == TCP_PHASE_RESET)
		return zeek_reset(t, originator, responder);
	if ((t->side[0].flags | t->side[1].flags) & TCP_SIDE_FIN)
		return zeek_close(t, originator, responder);
	if (!originator)
		return "OTH";
	return responder ? "S1" : "S0";
}

#define HANDSHAKE_SEEN (TCP_SEEN_SYN | TCP_SEEN_SYNACK | TCP_SEEN_ACK)

const char *outcome_completeness_text(__u8 seen)
{
	if ((seen & HANDSHAKE_SEEN) == HANDSHAKE_SEEN && seen & (TCP_SEEN_FIN | TCP_SEEN_RST))
		return seen & TCP_SEEN_DATA ? "Complete, WITH_DATA" : "Complete, NO_DATA";
	switch (seen) {
	case TCP_SEEN_SYN:
		return "Incomplete, SYN_SENT";
	case TCP_SEEN_SYN | TCP_SEEN_SYNACK:
		return "Incomplete, CLIENT_ESTABLISHED";
	case HANDSHAKE_SEEN:
		return "Incomplete, ESTABLISHED";
	case HANDSHAKE_SEEN | TCP_SEEN_DATA:
		return "Incomplete, DATA";
	default:
		return "Incomplete";
	}
}

void outcome_completeness_letters(char letters[COMPLETENESS_LETTERS], __u8 seen)
{
	static const char of_bit[] = "SSADFR";

	for (int bit = 0; bit < COMPLETENESS_LETTERS - 1; bit++)
		letters[COMPLETENESS_LETTERS - 2 - bit] = seen & 1 << bit ? of_bit[bit] : '.';
	letters[COMPLETENESS_LETTERS - 1] = 0;
}

/* --- evidence ------------------------------------------------------------------------------------------------ */

const char *proof_key(enum proof proof)
{
	static const char *const keys[PROOF_COUNT] = {
		[PROOF_SYN] = "syn", [PROOF_SYNACK] = "syn-ack", [PROOF_ACK] = "ack",   [PROOF_FIN] = "fin",
		[PROOF_RST] = "rst", [PROOF_ICMP] = "icmp",      [PROOF_LAST] = "last",
	};

	return (unsigned int)proof < PROOF_COUNT ? keys[proof] : "unknown";
}

struct evidence_list {
	struct evidence *at;
	size_t count;
};

static void prove(struct evidence_list *list, struct evidence evidence)
{
	if (evidence.first_ns)
		list->at[list->count++] = evidence;
}

/* Until it is open an end repeats nothing but its SYN; later, how many of what it has repeated were that is not known. */
static __u32 syns_sent(const struct tcp_track *t, const struct tcp_side *side)
{
	return t->established_ns || !syn_seen(side) ? 0 : 1 + side->retransmits;
}

static void prove_handshake(struct evidence_list *list, const struct tcp_track *t)
{
	flow_end client = outcome_client(t);

	prove(list, (struct evidence){.proof = PROOF_SYN,
				      .from = client,
				      .first_ns = t->syn_first_ns,
				      .last_ns = t->syn_last_ns,
				      .count = syns_sent(t, &t->side[client])});
	prove(list, (struct evidence){.proof = PROOF_SYNACK,
				      .from = !client,
				      .first_ns = t->synack_first_ns,
				      .last_ns = t->synack_last_ns,
				      .count = syns_sent(t, &t->side[!client])});
	prove(list, (struct evidence){.proof = PROOF_ACK,
				      .from = client,
				      .first_ns = t->established_ns,
				      .last_ns = t->established_ns,
				      .count = t->established_ns ? 1 : 0});
}

size_t outcome_evidence(struct evidence list[PROOF_COUNT], const struct tcp_track *t, enum outcome outcome)
{
	struct evidence_list found = {.at = list};
	struct evidence end = {.first_ns = t->ended_ns, .last_ns = t->ended_ns, .count = 1};

	if (t->client != TCP_END_UNKNOWN)
		prove_handshake(&found, t);
	switch (outcome) {
	case OUTCOME_REFUSED:
	case OUTCOME_RESET:
		end.proof = PROOF_RST;
		end.from = t->resetter;
		break;
	case OUTCOME_CLOSING:
	case OUTCOME_CLOSED:
		end.proof = PROOF_FIN;
		end.from = t->closer;
		break;
	case OUTCOME_UNREACHABLE:
		end.proof = PROOF_ICMP;
		end.from = TCP_END_UNKNOWN;
		break;
	case OUTCOME_OPEN:
	case OUTCOME_ABANDONED:
		end = (struct evidence){.proof = PROOF_LAST,
					.from = TCP_END_UNKNOWN,
					.first_ns = t->last_ns,
					.last_ns = t->last_ns,
					.count = 1};
		break;
	default:
		return found.count;
	}
	prove(&found, end);
	return found.count;
}

/* --- what the ends have agreed on ---------------------------------------------------------------------------- */

#define ECN_FLAGS (TCP_SYN_FLAG_AE | TCPHDR_CWR | TCPHDR_ECE)

const char *ecn_mode_key(enum ecn_mode mode)
{
	static const char *const keys[] = {
		[ECN_NONE] = "none", [ECN_CLASSIC] = "ecn", [ECN_ACCURATE] = "accecn"};

	return keys[mode];
}

/* Any combination but the two others asks for AccECN: RFC 9768 §3.1.3. */
enum ecn_mode ecn_offered(__u16 syn_flags)
{
	switch (syn_flags & ECN_FLAGS) {
	case 0:
		return ECN_NONE;
	case TCPHDR_CWR | TCPHDR_ECE:
		return ECN_CLASSIC;
	default:
		return ECN_ACCURATE;
	}
}

/* RFC 3168 §6.1.1; RFC 9768 §3.1.2, table 2: "broken" is a SYN-ACK that only mirrors the SYN's flags. */
enum ecn_mode ecn_accepted(__u16 syn_flags, __u16 synack_flags)
{
	enum ecn_mode offered = ecn_offered(syn_flags);
	__u16 answer = synack_flags & ECN_FLAGS;

	if (offered == ECN_NONE || answer == 0)
		return ECN_NONE;
	if (answer == TCPHDR_ECE)
		return ECN_CLASSIC;
	return offered == ECN_CLASSIC || answer == ECN_FLAGS ? ECN_NONE : ECN_ACCURATE;
}

const char *ecn_of_syn(__u16 syn_flags, __u16 synack_flags)
{
	if (ecn_accepted(syn_flags, synack_flags) != ECN_ACCURATE)
		return NULL;
	switch (synack_flags & ECN_FLAGS) {
	case TCPHDR_CWR:
		return "Not-ECT";
	case TCPHDR_CWR | TCPHDR_ECE:
		return "ECT(1)";
	case TCP_SYN_FLAG_AE:
		return "ECT(0)";
	case TCP_SYN_FLAG_AE | TCPHDR_CWR:
		return "CE";
	default:
		return NULL;
	}
}

static __u16 smaller_mss(const struct tcp_side *a, const struct tcp_side *b)
{
	bool a_says = a->options & TCP_HAS_MSS, b_says = b->options & TCP_HAS_MSS;

	if (a_says && b_says)
		return a->mss < b->mss ? a->mss : b->mss;
	return a_says ? a->mss : b_says ? b->mss : 0;
}

struct agreement outcome_agreement(const struct tcp_track *t)
{
	const struct tcp_side *client = &t->side[outcome_client(t)], *server = &t->side[!outcome_client(t)];
	__u8 both = client->options & server->options;

	if (t->client == TCP_END_UNKNOWN || !syn_seen(client) || !syn_seen(server))
		return (struct agreement){.known = false};
	return (struct agreement){
		.known = true,
		.window_scale = both & TCP_HAS_WINDOW_SCALE,
		.sack = both & TCP_HAS_SACK_PERMITTED,
		.timestamps = both & TCP_HAS_TIMESTAMPS,
		.mptcp = both & TCP_HAS_MPTCP,
		.fast_open_cookie = client->options & TCP_HAS_FAST_OPEN && server->options & TCP_HAS_COOKIE,
		.syn_data = client->syn_bytes,
		.syn_data_taken = t->flags & TCP_TRACK_SYN_DATA_TAKEN,
		.mss = smaller_mss(client, server),
		.ecn = ecn_accepted(client->syn_flags, server->syn_flags),
	};
}
