/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a segment, an ICMP error or the passing of time can do to a TCP connection: once, as a list with its human text.
 *
 * How to add one: add a line. The bit, the per-interface counters, text, JSON, summary and metrics follow.
 */
#ifndef XDPLIFE_TCP_EVENTS_H
#define XDPLIFE_TCP_EVENTS_H

/*
 * X(name, key, text). Bits, because one segment can do several things; in the order in which they are told: what became
 * of a connection that went before on the same ports comes first.
 */
#define XL_TCP_EVENTS(X)                                                                                     \
	X(TIMED_OUT, "timed-out", "timed out")                                                               \
	X(HALF_OPEN, "half-open", "half-open")                                                               \
	X(ABANDONED, "abandoned", "abandoned")                                                               \
	X(STILL_OPEN, "still-open", "still open")                                                            \
	X(REUSED, "reused", "ports used again")                                                              \
	X(SYN, "syn", "SYN")                                                                                 \
	X(SYN_RETRANSMIT, "syn-retransmit", "SYN again")                                                     \
	X(SYNACK, "syn-ack", "SYN-ACK")                                                                      \
	X(SYNACK_RETRANSMIT, "syn-ack-retransmit", "SYN-ACK again")                                          \
	X(SIMULTANEOUS, "simultaneous-open", "simultaneous open")                                            \
	X(SPLIT, "split-handshake", "split handshake")                                                       \
	X(ISN_CHANGED, "isn-changed", "with another ISN")                                                    \
	X(SYN_DATA, "syn-data", "data on the SYN")                                                           \
	X(ESTABLISHED, "established", "established")                                                         \
	X(MIDSTREAM, "midstream", "already running, direction unknown")                                      \
	X(RETRANSMIT, "retransmit", "retransmission")                                                        \
	X(OUT_OF_ORDER, "out-of-order", "out of order")                                                      \
	X(DUPLICATE, "duplicate", "needless retransmission")                                                 \
	X(KEEP_ALIVE, "keep-alive", "keep-alive")                                                            \
	X(ZERO_WINDOW, "zero-window", "window closed")                                                       \
	X(WINDOW_OPEN, "window-open", "window open again")                                                   \
	X(CHALLENGE_ACK, "challenge-ack", "challenge ACK")                                                   \
	X(FIN, "fin", "FIN")                                                                                 \
	X(FIN_RETRANSMIT, "fin-retransmit", "FIN again")                                                     \
	X(CLOSED, "closed", "closed")                                                                        \
	X(REFUSED, "refused", "refused")                                                                     \
	X(UNREACHABLE, "unreachable", "unreachable")                                                         \
	X(RESET, "reset", "reset")                                                                           \
	X(RST_IGNORED, "rst-ignored", "RST ignored")                                                         \
	X(SYN_IGNORED, "syn-ignored", "SYN on an open connection ignored")                                   \
	X(ACK_IGNORED, "ack-ignored", "segment ignored: its acknowledgment is missing or wrong")             \
	X(OUT_OF_WINDOW, "out-of-window", "segment outside the window ignored")

#define XL_TCP_EVENT_INDEX(name, key, text) TCP_EVENT_INDEX_##name,
#define XL_TCP_EVENT_BIT(name, key, text)   TCP_EVENT_##name = 1u << TCP_EVENT_INDEX_##name,

enum tcp_event_index { XL_TCP_EVENTS(XL_TCP_EVENT_INDEX) TCP_EVENT_COUNT };
enum tcp_event { XL_TCP_EVENTS(XL_TCP_EVENT_BIT) };

#define TCP_EVENTS_ALL 0xffffffffu

_Static_assert(TCP_EVENT_COUNT <= 32, "a bit each in trace_event.tcp_events");

#endif
