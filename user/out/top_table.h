/* SPDX-License-Identifier: GPL-2.0-only */
/* The table of connections that --top shows: its columns, their order, what a filter leaves. Pure; top.c draws it. */
#ifndef XDPLIFE_TOP_TABLE_H
#define XDPLIFE_TOP_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "observer/connection.h"

/*
 * X(name, letter, heading, columns, text). The letter sorts by it; the first two share what the others leave of the width.
 * How to add one: a line here, and a case in top_value() or top_cell().
 */
#define XL_TOP_COLUMNS(X)                                                                                    \
	X(CLIENT, 'c', "client", 15, "client")                                                               \
	X(SERVER, 's', "server", 15, "server")                                                               \
	X(STATE, 't', "state", 12, "state")                                                                  \
	X(SERVER_LEG, 'h', "syn-synack", 11, "handshake, SYN to SYN-ACK")                                    \
	X(CLIENT_LEG, 'k', "synack-ack", 11, "handshake, SYN-ACK to ACK")                                    \
	X(RTT_SERVER, 'r', "rtt server", 11, "smoothed round trip to the server")                            \
	X(RTT_CLIENT, 'e', "rtt client", 11, "smoothed round trip to the client")                            \
	X(AGAIN, 'x', "retrans", 8, "segments sent again, both ways")                                        \
	X(TO_SERVER, 'b', "to server", 10, "bytes to the server")                                            \
	X(TO_CLIENT, 'd', "to client", 10, "bytes to the client")                                            \
	X(IDLE, 'i', "idle", 9, "time since the last packet")

#define XL_TOP_ENUM(name, letter, heading, columns, text) TOP_##name,

enum top_column { XL_TOP_COLUMNS(XL_TOP_ENUM) TOP_COLUMN_COUNT };

#define TOP_CELL_BYTES   64
#define TOP_FILTER_BYTES 48

struct top_view {
	enum top_column sort;
	bool reversed; /* against the column's own order: texts and idle times upwards, numbers downwards */
	char filter[TOP_FILTER_BYTES]; /* part of the client, the server or the state; "": all */
	__u64 now_ns;
	bool unicode;
};

const char *top_heading(enum top_column column);
int top_columns(enum top_column column); /* how wide */
char top_letter(enum top_column column);
const char *top_text(enum top_column column);

/* Whether failures are to be seen at once: the state is one. */
bool top_is_failure(const struct connection *row);

/* "-" where it is not known. */
void top_cell(char text[TOP_CELL_BYTES], const struct connection *row, enum top_column column,
	      const struct top_view *view);

/* Moves those that the filter leaves to the front, in order. Return: how many. */
size_t top_arrange(struct connection *rows, size_t count, const struct top_view *view);

#endif
