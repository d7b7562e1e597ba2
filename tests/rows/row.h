/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rows that prove the engine: each a connection, or what claims to be one, frame by frame, with what must come of it.
 * test_rows.c runs the same bytes through the engine in userspace and through the BPF program in the kernel.
 *
 * A step is a line, which build.h makes a frame of, or the frame itself as hexadecimal digits. A line:
 *
 *   C S. 5000 ack 1001 win 64240 mss 1460      who sends it, flags, sequence number, then any of the words in build.h
 *   icmp 3 1 C 1000                            ICMP type and code; whose segment it quotes, and its sequence number
 *   again C S 1000 mss 1400                    at the second hook of the machine
 *
 * C is the client, S the server. Flags as tcpdump writes them: S F R P U E W, "." for ACK, "-" for none, and A for AE.
 * To add a row: a line in the table that it belongs to. Each is run with the client as either end of the flow key.
 */
#ifndef XDPLIFE_ROW_H
#define XDPLIFE_ROW_H

#include <string.h>

#include "xdplife/counters.h"

/* What a row leaves out is 0, and meant to be. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

#define ROW_STEPS         16
#define ROW_NO_CONNECTION -1
#define ROW_AGAIN         "again "

struct row_step {
	int ms;
	const char *line;
	__u32 events;             /* TCP_EVENT_* that it must cause: these, and no others */
	enum observed observed;   /* what the observer makes of the frame */
	enum malformed malformed; /* of the packet, or of the one inside */
};

struct row {
	const char *name;
	struct row_step step[ROW_STEPS]; /* up to the first without a line */
	const char *end;                 /* what is known of the last step's connection then: known.h */
	int connections;                 /* that there are then; 0: one */
	const char *needs_time; /* why it cannot run with the kernel's clock, which is not ours to set */
};

#define E(name) TCP_EVENT_##name

/* Client 1000, server 5000; windows of 65535, no options. */
#define OPENED                                                                                               \
	{0, "C S 1000", E(SYN)}, {1, "S S. 5000 ack 1001", E(SYNACK)},                                       \
	{                                                                                                    \
		2, "C . 1001 ack 5001", E(ESTABLISHED)                                                       \
	}

static inline int row_connections(const struct row *row)
{
	if (row->connections == ROW_NO_CONNECTION)
		return 0;
	return row->connections ? row->connections : 1;
}

/* Whether its frames are spelt out: then it has its own ports, and the client is end 0. */
static inline int row_is_literal(const struct row *row)
{
	return *row->step[0].line == '0';
}

static inline int row_is_again(const struct row_step *step)
{
	return !strncmp(step->line, ROW_AGAIN, sizeof(ROW_AGAIN) - 1);
}

#endif
