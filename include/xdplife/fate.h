/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What became of a connection: once, as a list with its human text. Each connection ends in exactly one.
 *
 * How to add one: add a line, and say in summary.h when it is that. The counters, the summary's text and JSON and the
 * metrics follow.
 */
#ifndef XDPLIFE_FATE_H
#define XDPLIFE_FATE_H

#include <linux/types.h>

/* X(name, key, text). Those before FAILURE_COUNT never were open. */
#define XL_ENDINGS(X)                                                                                        \
	X(REFUSED, "refused", "RST in answer to the SYN")                                                    \
	X(UNREACHABLE, "unreachable", "ICMP error in answer to the SYN")                                     \
	X(SILENT, "no-answer", "nothing came back for the SYN")                                              \
	X(HALF_OPEN, "half-open", "SYN-ACK, but no ACK for it")                                              \
	X(ABORTED, "aborted", "RST during the handshake")                                                    \
	X(RESET, "reset", "RST on an open connection")                                                       \
	X(CLOSED, "closed", "FIN and its ACK both ways")                                                     \
	X(ABANDONED, "abandoned", "fell silent, or its ports were used again")                               \
	X(OPEN, "still-open", "when the observer stopped")

/*
 * X(name, ending, key, text). The text tells it from the others of the same ending. The resets are in the order of stage
 * and sender that reset_fate() counts on; UNKNOWN: who opened the connection was not seen.
 */
#define XL_FATES(X)                                                                                          \
	X(REFUSED, REFUSED, "refused", "")                                                                   \
	X(UNREACHABLE, UNREACHABLE, "unreachable", "")                                                       \
	X(TIMED_OUT, SILENT, "timed-out", "for as long as a client waits")                                   \
	X(UNANSWERED, SILENT, "unanswered", "until the observer stopped")                                    \
	X(HALF_OPEN, HALF_OPEN, "half-open", "")                                                             \
	X(RESET_OPENING_CLIENT, ABORTED, "aborted-by-client", "by the client")                               \
	X(RESET_OPENING_SERVER, ABORTED, "aborted-by-server", "by the server")                               \
	X(RESET_OPEN_CLIENT, RESET, "reset-by-client", "by the client")                                      \
	X(RESET_OPEN_SERVER, RESET, "reset-by-server", "by the server")                                      \
	X(RESET_CLOSING_CLIENT, RESET, "reset-closing-by-client", "by the client, after a FIN")              \
	X(RESET_CLOSING_SERVER, RESET, "reset-closing-by-server", "by the server, after a FIN")              \
	X(RESET_UNKNOWN, RESET, "reset-by-unknown", "by an end of unknown role")                             \
	X(CLOSED_CLIENT, CLOSED, "closed-by-client", "the client first")                                     \
	X(CLOSED_SERVER, CLOSED, "closed-by-server", "the server first")                                     \
	X(CLOSED_BOTH, CLOSED, "closed-by-both", "both at once")                                             \
	X(CLOSED_UNKNOWN, CLOSED, "closed-by-unknown", "an end of unknown role first")                       \
	X(ABANDONED, ABANDONED, "abandoned", "")                                                             \
	X(STILL_OPEN, OPEN, "still-open", "")

#define XL_ENDING_ENUM(name, key, text)       ENDING_##name,
#define XL_FATE_ENUM(name, ending, key, text) FATE_##name,

enum ending { XL_ENDINGS(XL_ENDING_ENUM) ENDING_COUNT };
enum fate { XL_FATES(XL_FATE_ENUM) FATE_COUNT };

#define FAILURE_COUNT ENDING_RESET /* endings that are failures to open */

/* Connections. All of those that began have ended: started = Σ ended - recovered + those pushed out of the table. */
struct fate_counts {
	__u64 started;           /* their beginning was seen */
	__u64 midstream;         /* they were running already */
	__u64 recovered;         /* of ended[UNREACHABLE]: something else became of it after all */
	__u64 ended[FATE_COUNT]; /* of those started */
	__u64 midstream_ended[FATE_COUNT];
};

#endif
