/* SPDX-License-Identifier: GPL-2.0-only */
/* What stands behind an event, for who wants to know more: what it means, who says so, and what proves it. */
#ifndef XDPLIFE_STORY_EXPLAIN_H
#define XDPLIFE_STORY_EXPLAIN_H

#include "out/sink.h"

#define EXPLANATION_LINES      16
#define EXPLANATION_LINE_BYTES 384

struct explanation_line {
	const char *label; /* "evidence" */
	char text[EXPLANATION_LINE_BYTES];
};

struct explanation {
	struct explanation_line line[EXPLANATION_LINES];
	int count;
};

/* @session: for the clock, and who owns a socket. @index: the event, of several that the packet may be */
void story_explain(struct explanation *explanation, const struct sink_session *session,
		   const struct trace_event *event, enum tcp_event_index index);

/* What the event means, and where that is written ("RFC 9293 §3.5"; "" if nowhere). */
const char *story_meaning(enum tcp_event_index index);
const char *story_source(enum tcp_event_index index);

#endif
