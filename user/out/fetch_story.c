// SPDX-License-Identifier: GPL-2.0-only
#include "out/fetch_story.h"

/* The peer's initial sequence number is known once its SYN is here, that very frame included. */
void fetch_story_line(const struct client_frame *frame, const struct dissection *d, char *line)
{
	struct line_options options = {
		.relative = true,
		.seq_base = frame->sent ? frame->local_isn : frame->remote_isn,
		.ack_base = frame->sent ? frame->remote_isn : frame->local_isn,
	};

	dissection_line(d, &options, line, FETCH_STORY_LINE_BYTES);
}
