/* SPDX-License-Identifier: GPL-2.0-only */
/* What became of a connection, on what evidence, and what its ends have agreed on: read off its struct tcp_track. */
#ifndef XDPLIFE_OUTCOME_H
#define XDPLIFE_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>

#include "xdplife/event.h"

/* X(name, key, text) */
#define XL_OUTCOMES(X)                                                                                       \
	X(NONE, "none", "nothing that counts was seen")                                                      \
	X(OPENING, "opening", "not open yet")                                                                \
	X(OPEN, "open", "open")                                                                              \
	X(CLOSING, "closing", "one end has closed")                                                          \
	X(CLOSED, "closed", "closed by both ends")                                                           \
	X(REFUSED, "refused", "the SYN was answered by RST")                                                 \
	X(UNREACHABLE, "unreachable", "an ICMP error says that the SYN did not arrive")                      \
	X(TIMED_OUT, "timed-out", "nothing came back")                                                       \
	X(HALF_OPEN, "half-open", "the handshake was not completed")                                         \
	X(RESET, "reset", "ended by RST")                                                                    \
	X(ABANDONED, "abandoned", "silent without an end")

#define XL_OUTCOME_ENUM(name, key, text) OUTCOME_##name,
enum outcome { XL_OUTCOMES(XL_OUTCOME_ENUM) OUTCOME_COUNT };

/**
 * outcome_of() - what has become of it so far, or for good
 * @events: TCP_EVENT_*; of these only what tcp_track_give_up() says of the very same connection matters
 */
enum outcome outcome_of(const struct tcp_track *t, __u32 events);

const char *outcome_key(enum outcome outcome);  /* "timed-out" */
const char *outcome_text(enum outcome outcome); /* "nothing came back" */

/* Where in its life a RST ended it. */
const char *outcome_stage_key(const struct tcp_track *t); /* "handshake", "open", "closing" */

/**
 * outcome_is_of_predecessor() - does the event tell of the connection that had the same ports before?
 * The packet that says so begins the next one, and the event holds the state of that.
 */
bool outcome_is_of_predecessor(const struct trace_event *event, enum tcp_event_index index);

/* Whether a connection ends with that event (a TCP_EVENT_INDEX_*), or the observer with it. */
bool outcome_is_final(enum tcp_event_index index);

/* As conn_state in Zeek's conn.log: "SF", "RSTOS0", ... (docs.zeek.org, base/protocols/conn). */
const char *outcome_zeek_state(const struct tcp_track *t);
const char *outcome_zeek_text(const char *state); /* what that means */

/* As Wireshark's tcp.completeness shows t->seen, without the number: "Complete, WITH_DATA". */
const char *outcome_completeness_text(__u8 seen);

#define COMPLETENESS_LETTERS 7
/* As tcp.completeness.str, with "." for what was not seen: RST, FIN, data, ACK, SYN-ACK, SYN: ".FDASS". */
void outcome_completeness_letters(char letters[COMPLETENESS_LETTERS], __u8 seen);

enum proof {
	PROOF_SYN,
	PROOF_SYNACK, /* or the other end's SYN, in a simultaneous open */
	PROOF_ACK,    /* what completed the handshake */
	PROOF_FIN,
	PROOF_RST,
	PROOF_ICMP,
	PROOF_LAST, /* the last packet, whatever it was */
	PROOF_COUNT,
};

/* One kind of packet that was seen, or several alike. */
struct evidence {
	__u64 first_ns;
	__u64 last_ns;
	__u32 count; /* how many; 0: not known */
	__u8 proof;  /* enum proof */
	__u8 from;   /* flow_end, or TCP_END_UNKNOWN: neither of the two */
};

const char *proof_key(enum proof proof); /* "syn-ack" */

/**
 * outcome_evidence() - the packets that prove the outcome, in the order in which they passed
 * @list: PROOF_COUNT of them at most
 *
 * Return: how many there are.
 */
size_t outcome_evidence(struct evidence list[PROOF_COUNT], const struct tcp_track *t, enum outcome outcome);

/* What the two SYNs say of ECN: RFC 3168 §6.1.1, RFC 9768 §3.1. */
enum ecn_mode {
	ECN_NONE,
	ECN_CLASSIC,
	ECN_ACCURATE,
};

const char *ecn_mode_key(enum ecn_mode mode); /* "none", "ecn", "accecn" */

/* What a SYN asks for, and what a SYN-ACK does with that. @syn_flags: tcp_side.syn_flags */
enum ecn_mode ecn_offered(__u16 syn_flags);
enum ecn_mode ecn_accepted(__u16 syn_flags, __u16 synack_flags);

/* In what state the SYN arrived, of which its AccECN SYN-ACK tells: "Not-ECT", "ECT(0)"; NULL if it does not. */
const char *ecn_of_syn(__u16 syn_flags, __u16 synack_flags);

/* Meaningful if the SYNs of both ends were seen: known. */
struct agreement {
	bool known;
	bool window_scale;
	bool sack;
	bool timestamps;
	bool mptcp;
	bool fast_open_cookie; /* the server has granted one */
	bool syn_data;         /* there was data on the SYN ... */
	bool syn_data_taken;   /* ... and the SYN-ACK acknowledges it */
	__u16 mss;             /* the smaller of the two; 0: neither has said one */
	enum ecn_mode ecn;
};

/* What both ends have offered, and so what counts. */
struct agreement outcome_agreement(const struct tcp_track *t);

/* The end that opened it; as long as nobody knows, end 0. */
flow_end outcome_client(const struct tcp_track *t);

#endif
