// SPDX-License-Identifier: GPL-2.0-only
/* What the events mean, and where that is written. */
#include "out/story_explain.h"

struct meaning {
	const char *text;
	const char *source;
};

/* clang-format off */
static const struct meaning meanings[TCP_EVENT_COUNT] = {
	[TCP_EVENT_INDEX_TIMED_OUT] = {
		"the server is down, the way there or back is broken, or a filter drops it without a word",
		"RFC 9293 §3.8.3"},
	[TCP_EVENT_INDEX_HALF_OPEN] = {
		"the handshake has a beginning and no end: the client is gone, its address is forged (a SYN flood), or "
		"answers are lost", "RFC 4987 §2"},
	[TCP_EVENT_INDEX_ABANDONED] = {
		"no end was seen, and so long a silence that the observer forgets it", "RFC 9293 §3.5.1"},
	[TCP_EVENT_INDEX_STILL_OPEN] = {"the trace ends, the connection goes on", ""},
	[TCP_EVENT_INDEX_REUSED] = {
		"the same addresses and ports, but another connection: it begins with a number of its own",
		"RFC 9293 §3.6.1, RFC 6191 §2"},
	[TCP_EVENT_INDEX_SYN] = {"a client asks for a connection and says what it is capable of", "RFC 9293 §3.5"},
	[TCP_EVENT_INDEX_SYN_RETRANSMIT] = {
		"no answer came in time: one of the two was lost, or nobody answers", "RFC 6298 §5"},
	[TCP_EVENT_INDEX_SYNACK] = {
		"the server is willing, and says what it is capable of", "RFC 9293 §3.5"},
	[TCP_EVENT_INDEX_SYNACK_RETRANSMIT] = {
		"no acknowledgment came in time: one of the two was lost, or the client does not want to know",
		"RFC 6298 §5"},
	[TCP_EVENT_INDEX_SIMULTANEOUS] = {
		"each end has asked before it saw that the other did; neither is the server", "RFC 9293 §3.5"},
	[TCP_EVENT_INDEX_SPLIT] = {
		"acknowledgment and SYN came apart: allowed, but some firewalls take the server for a client then",
		"RFC 9293 §3.5"},
	[TCP_EVENT_INDEX_ISN_CHANGED] = {
		"its sender has forgotten the first one, or there are two of them; which counts, an acknowledgment tells",
		"RFC 9293 §3.4.1"},
	[TCP_EVENT_INDEX_SYN_DATA] = {
		"the request comes with the SYN and saves a round trip, if the server takes it", "RFC 7413 §4.2"},
	[TCP_EVENT_INDEX_ESTABLISHED] = {
		"each end has acknowledged the other's SYN", "RFC 9293 §3.5"},
	[TCP_EVENT_INDEX_MIDSTREAM] = {"the connection is older than the trace", ""},
	[TCP_EVENT_INDEX_RETRANSMIT] = {
		"it was lost behind us, or its acknowledgment was, or came late", "RFC 6298 §5, RFC 5681 §3.2"},
	[TCP_EVENT_INDEX_OUT_OF_ORDER] = {
		"what was sent later came sooner: several paths or queues", "RFC 4737 §3"},
	[TCP_EVENT_INDEX_DUPLICATE] = {
		"it had been acknowledged: the acknowledgment was lost, or its sender did not wait for it",
		"RFC 2883 §4"},
	[TCP_EVENT_INDEX_KEEP_ALIVE] = {
		"nothing new: it only wants an acknowledgment", "RFC 9293 §3.8.4"},
	[TCP_EVENT_INDEX_ZERO_WINDOW] = {
		"the application does not read what has come; the other end has to wait, and to probe",
		"RFC 9293 §3.8.6.1"},
	[TCP_EVENT_INDEX_WINDOW_OPEN] = {"the application reads again", "RFC 9293 §3.8.6"},
	[TCP_EVENT_INDEX_CHALLENGE_ACK] = {
		"the answer to a SYN or RST that a stranger could have forged: if it was real, its sender answers by RST",
		"RFC 5961 §3.2, §4.2"},
	[TCP_EVENT_INDEX_FIN] = {"it will send no more, and goes on receiving", "RFC 9293 §3.6"},
	[TCP_EVENT_INDEX_FIN_RETRANSMIT] = {
		"it has not been acknowledged in time", "RFC 9293 §3.6, RFC 6298 §5"},
	[TCP_EVENT_INDEX_CLOSED] = {"both ends have closed and acknowledged it", "RFC 9293 §3.6"},
	[TCP_EVENT_INDEX_REFUSED] = {
		"nothing listens there, or a filter rejects it", "RFC 9293 §3.10.7.1, §3.10.7.3"},
	[TCP_EVENT_INDEX_UNREACHABLE] = {
		"somebody on the way says that the SYN does not get there", "RFC 1122 §4.2.3.9, RFC 5461 §4"},
	[TCP_EVENT_INDEX_RESET] = {
		"an end knows nothing of the connection any more, or its application has thrown it away",
		"RFC 9293 §3.5.2"},
	[TCP_EVENT_INDEX_RST_IGNORED] = {
		"its receiver will not believe it: too late, or forged by somebody who guesses",
		"RFC 9293 §3.10.7, RFC 5961 §3.2"},
	[TCP_EVENT_INDEX_SYN_IGNORED] = {
		"an end that has lost its memory, or a forgery: its receiver asks back", "RFC 5961 §4.2"},
	[TCP_EVENT_INDEX_ACK_IGNORED] = {
		"its receiver drops it: it is of another connection, or forged", "RFC 9293 §3.10.7.4"},
	[TCP_EVENT_INDEX_OUT_OF_WINDOW] = {
		"its receiver drops it: too old, too far ahead, or forged", "RFC 9293 §3.10.7.4"},
};
/* clang-format on */

const char *story_meaning(enum tcp_event_index index)
{
	return (unsigned int)index < TCP_EVENT_COUNT && meanings[index].text ? meanings[index].text : "";
}

const char *story_source(enum tcp_event_index index)
{
	return (unsigned int)index < TCP_EVENT_COUNT && meanings[index].source ? meanings[index].source : "";
}
