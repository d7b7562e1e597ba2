// SPDX-License-Identifier: GPL-2.0-only
/* The text sink: a line for each event of a connection; with packets, a line for each packet too. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/owner.h"
#include "out/sink.h"
#include "out/story.h"
#include "proto/proto.h"
#include "util/names.h"
#include "util/terminal.h"

struct text_sink {
	struct sink sink;
	bool heading_said;
	int ends_columns; /* as wide as the widest so far, so that the columns stay aligned */
};

#define ENDS_COLUMNS 32 /* for IPv4 */

static enum style style_of(enum tcp_event_index index)
{
	switch (index) {
	case TCP_EVENT_INDEX_ESTABLISHED:
		return STYLE_GOOD;
	case TCP_EVENT_INDEX_REFUSED:
	case TCP_EVENT_INDEX_RESET:
		return STYLE_BAD;
	case TCP_EVENT_INDEX_SYN_RETRANSMIT:
	case TCP_EVENT_INDEX_SYNACK_RETRANSMIT:
	case TCP_EVENT_INDEX_RETRANSMIT:
	case TCP_EVENT_INDEX_RST_IGNORED:
	case TCP_EVENT_INDEX_SYN_IGNORED:
	case TCP_EVENT_INDEX_ACK_IGNORED:
	case TCP_EVENT_INDEX_OUT_OF_WINDOW:
	case TCP_EVENT_INDEX_ISN_CHANGED:
		return STYLE_WARN;
	default:
		return STYLE_BOLD;
	}
}

static void ttl_text(char *text, size_t bytes, const struct trace_event *event)
{
	if (event->ttl_out)
		snprintf(text, bytes, "ttl %u→%u", event->pkt.ttl, event->ttl_out);
	else
		snprintf(text, bytes, "ttl %u", event->pkt.ttl);
}

/* printf pads by bytes; these texts hold characters of several. */
static int columns_of(const char *text)
{
	int columns = 0;

	for (; *text; text++)
		columns += (*text & 0xc0) != 0x80;
	return columns;
}

static void print_padded(const char *text, int columns)
{
	int missing = columns - columns_of(text);

	printf("%s%*s ", text, missing > 0 ? missing : 0, "");
}

/* Time, interface and, the client on the left, the two ends with the packet's direction between them. */
static void print_prefix(struct text_sink *self, const struct trace_event *event)
{
	const struct sink_session *session = self->sink.session;
	char left[STORY_ENDPOINT_BYTES], right[STORY_ENDPOINT_BYTES], ends[2 * STORY_ENDPOINT_BYTES + 8],
		ttl[24];
	const struct packet *pkt = &event->pkt;
	bool from_client = story_from_client(event);

	story_endpoint(left, sizeof(left), from_client ? &pkt->src : &pkt->dst,
		       from_client ? pkt->src_port : pkt->dst_port, pkt->ip_version);
	story_endpoint(right, sizeof(right), from_client ? &pkt->dst : &pkt->src,
		       from_client ? pkt->dst_port : pkt->src_port, pkt->ip_version);
	snprintf(ends, sizeof(ends), "%s %s %s", left, from_client ? "→" : "←", right);
	ttl_text(ttl, sizeof(ttl), event);
	printf("%s%11.6f%s ", terminal_style(stdout, STYLE_DIM),
	       (double)(__s64)(event->time_ns - session->start_ns) / 1e9,
	       terminal_style(stdout, STYLE_RESET));
	print_padded(sink_interface_name(session, event->ifindex), 6);
	if (columns_of(ends) > self->ends_columns)
		self->ends_columns = columns_of(ends);
	print_padded(ends, self->ends_columns);
	print_padded(ttl, 9);
}

/* "  client curl[4711]": once when it begins, once when its fate is known. */
static void print_owner(const struct sink_session *session, const struct trace_event *event, bool client)
{
	char comm[4 * OWNER_COMM_BYTES];
	struct owner owner;

	if (sink_owner(session, event, client, &owner))
		return;
	terminal_safe(comm, sizeof(comm), owner.comm, strlen(owner.comm));
	printf("  %s%s %s", terminal_style(stdout, STYLE_NAME), client ? "client" : "server", comm);
	if (owner.pid)
		printf("[%u]", owner.pid);
	fputs(terminal_style(stdout, STYLE_RESET), stdout);
}

static bool tells_owner(enum tcp_event_index index)
{
	return index == TCP_EVENT_INDEX_SYN || index == TCP_EVENT_INDEX_ESTABLISHED ||
	       index == TCP_EVENT_INDEX_REFUSED;
}

static void print_connection_event(struct text_sink *self, const struct trace_event *event,
				   enum tcp_event_index index)
{
	char detail[STORY_DETAIL_BYTES];

	print_prefix(self, event);
	story_detail(detail, sizeof(detail), event, index);
	fputs(terminal_style(stdout, style_of(index)), stdout);
	print_padded(tcp_event_text(index), *detail ? 12 : 0);
	printf("%s%s", terminal_style(stdout, STYLE_RESET), detail);
	if (tells_owner(index)) {
		print_owner(self->sink.session, event, true);
		print_owner(self->sink.session, event, false);
	}
	putchar('\n');
}

static const char *const arrows[] = {
	[HOOK_INGRESS] = "in ",
	[HOOK_EGRESS] = "out",
	[HOOK_FORWARD] = "fwd",
};

static void print_packet(const struct text_sink *self, const struct trace_event *event, const __u8 *bytes)
{
	const struct sink_session *session = self->sink.session;
	struct dissection dissection;
	char line[LINE_BYTES];

	if (!event->captured_bytes)
		return;
	if (!dissect(&dissection, bytes, event->captured_bytes, event->pkt.wire_bytes, LINK_ETHERNET)) {
		dissection_line(&dissection, NULL, line, sizeof(line));
		printf("%s%11.6f%s ", terminal_style(stdout, STYLE_DIM),
		       (double)(__s64)(event->time_ns - session->start_ns) / 1e9,
		       terminal_style(stdout, STYLE_RESET));
		print_padded(sink_interface_name(session, event->ifindex), 6);
		printf("%s %s", arrows[event->hook], line);
		if (event->hook == HOOK_INGRESS)
			printf("  %s[%s]%s", terminal_style(stdout, STYLE_DIM), verdict_key(event->verdict),
			       terminal_style(stdout, STYLE_RESET));
		putchar('\n');
	}
	dissection_free(&dissection);
}

static void print_heading(struct text_sink *self)
{
	if (self->heading_said)
		return;
	self->heading_said = true;
	printf("%s%11s ", terminal_style(stdout, STYLE_DIM), "seconds");
	print_padded("iface", 6);
	print_padded("client → server", self->ends_columns);
	print_padded("TTL", 9);
	printf("event%s\n", terminal_style(stdout, STYLE_RESET));
}

static int text_event(struct sink *sink, const struct trace_event *event, const __u8 *bytes)
{
	struct text_sink *self = (struct text_sink *)sink;

	if (sink->session->packets)
		print_packet(self, event, bytes);
	else if (event->tcp_events)
		print_heading(self);
	for (int i = 0; i < TCP_EVENT_COUNT; i++)
		if (event->tcp_events & 1u << i)
			print_connection_event(self, event, i);
	return ferror(stdout) ? -EIO : 0;
}

static int text_close(struct sink *sink)
{
	int err = fflush(stdout) ? -errno : 0;

	free(sink);
	return err;
}

static const struct sink_ops text_ops = {.event = text_event, .close = text_close};

struct sink *sink_text_open(const struct sink_session *session)
{
	struct text_sink *self = calloc(1, sizeof(*self));

	if (!self)
		return NULL;
	self->sink = (struct sink){.ops = &text_ops, .session = session};
	self->ends_columns = ENDS_COLUMNS;
	return &self->sink;
}
