/* SPDX-License-Identifier: GPL-2.0-only */
/* The story that `fetch` tells while it works: as text for a person (on stderr) or as NDJSON (on stdout). */
#ifndef XDPLIFE_FETCH_STORY_H
#define XDPLIFE_FETCH_STORY_H

#include <stdbool.h>
#include <stdint.h>

#include "net/http.h"
#include "net/path.h"
#include "net/tcp_client.h"
#include "proto/proto.h"

#define FETCH_STORY_LINE_BYTES (2 * LINE_BYTES)

/* What is known at the end, also of a failure. Times are 0 where it did not get that far. */
struct fetch_summary {
	const char *problem; /* NULL: the response came in full */
	int status;          /* 0: none came */
	uint64_t body_bytes;
	uint64_t name_ns; /* each step's duration */
	uint64_t route_ns;
	uint64_t neighbour_ns;
	uint64_t handshake_ns;  /* SYN to established */
	uint64_t first_byte_ns; /* since the SYN */
	uint64_t last_byte_ns;  /* since the SYN */
	uint64_t total_ns;      /* since the start of the program */
	uint64_t frames_sent;
	uint64_t frames_received;
	uint64_t frames_dropped; /* by the kernel, for lack of room in the socket */
	struct tcp_conn_stats tcp;
};

struct fetch_story;

/* Called in this order. Those with a frame may be called often. */
struct fetch_story_ops {
	void (*address)(struct fetch_story *story, const char *host, const struct net_path *path);
	void (*route)(struct fetch_story *story, const struct net_path *path);
	void (*neighbour)(struct fetch_story *story, const struct net_path *path);
	void (*port)(struct fetch_story *story, const struct net_path *path);
	void (*attached)(struct fetch_story *story, const struct net_path *path, bool native);
	/* The SYN so far, after its layer number @step (from 1) was put on. */
	void (*layer)(struct fetch_story *story, int step, const struct frame *frame);
	void (*frame)(struct fetch_story *story, const struct client_frame *frame);
	void (*response)(struct fetch_story *story, const struct http_parser *parser);
	void (*summary)(struct fetch_story *story, const struct fetch_summary *summary);
};

struct fetch_story {
	const struct fetch_story_ops *ops;
	bool verbose;      /* every frame in full */
	uint64_t first_ns; /* monotonic time of the first frame: text shows times since then; 0 before it */
};

/* The frame in one line; sequence numbers count from the connection's start. @line: FETCH_STORY_LINE_BYTES */
void fetch_story_line(const struct client_frame *frame, const struct dissection *d, char *line);

extern const struct fetch_story_ops fetch_story_text;
extern const struct fetch_story_ops fetch_story_json;

#endif
