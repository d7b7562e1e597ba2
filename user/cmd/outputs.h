/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the events of a session go, live or from a file: the sinks that its options ask for. */
#ifndef XDPLIFE_OUTPUTS_H
#define XDPLIFE_OUTPUTS_H

#include <stdbool.h>

#include "cmd/session.h"
#include "out/sink.h"

#define MAX_OUTPUTS 2 /* the terminal or JSON, and a capture file */

struct output {
	struct sink *sink;
	const char *name;
};

struct outputs {
	const struct session_options *options;
	struct sink_session *shown;
	struct output output[MAX_OUTPUTS];
	int count;
	unsigned long seen; /* events, or packets, that count */
	bool failed;        /* and said so; outputs_failed() */
};

/* @shown: completed by what the options say of how it is shown; both are borrowed. Return: 0; an exit_code, with the error said. */
int outputs_open(struct outputs *outputs, const struct session_options *options, struct sink_session *shown);

/* Whether there are fewer events yet than were asked for. */
bool outputs_want_more(const struct outputs *outputs);

/* Whether any has failed. From any thread. */
bool outputs_failed(const struct outputs *outputs);

/* Hands an event to all of them, unless there were enough or one has failed, which it says. */
void outputs_event(struct outputs *outputs, const struct trace_event *event, const __u8 *bytes);

/* What is on its way to standard output. Return: 0; EXIT_FAILED if any output has failed until now. */
int outputs_flush(struct outputs *outputs);

/* With the counters of all interfaces; this can fail too. */
void outputs_close(struct outputs *outputs);

#endif
