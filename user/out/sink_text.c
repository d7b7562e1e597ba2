// SPDX-License-Identifier: GPL-2.0-only
/* The text sink: a line for each event of a connection; with packets, a line for each packet too. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "datapath/owner.h"
#include "out/host_names.h"
#include "out/sink.h"
#include "out/story.h"
#include "out/story_explain.h"
#include "proto/proto.h"
#include "util/clock.h"
#include "util/digits.h"
#include "util/names.h"
#include "util/terminal.h"

struct text_sink {
	struct sink sink;
	bool heading_said;
	int ends_columns; /* as wide as the widest so far, so that the columns stay aligned */
	__u64 before_ns;  /* the time on the line before; 0: there is none */
};

#define ENDS_COLUMNS      32 /* for IPv4 */
#define INTERFACE_COLUMNS 6
#define TTL_COLUMNS       9
#define EVENT_COLUMNS     14 /* "retransmission"; few are longer */
#define LABEL_COLUMNS     10 /* of what explains */
#define EXPLAINED_INDENT  8
#define SECONDS_COLUMNS   11
#define ABSOLUTE_COLUMNS  32 /* 2026-01-31T23:59:59.123456+01:00 */
#define ENDPOINT_BYTES    (HOST_NAME_BYTES + SERVICE_NAME_BYTES + STORY_ENDPOINT_BYTES)

static enum style style_of(enum tcp_event_index index)
{
	switch (index) {
	case TCP_EVENT_INDEX_ESTABLISHED:
		return STYLE_GOOD;
	case TCP_EVENT_INDEX_REFUSED:
	case TCP_EVENT_INDEX_UNREACHABLE:
	case TCP_EVENT_INDEX_TIMED_OUT:
	case TCP_EVENT_INDEX_HALF_OPEN:
	case TCP_EVENT_INDEX_ABANDONED:
	case TCP_EVENT_INDEX_RESET:
		return STYLE_BAD;
	case TCP_EVENT_INDEX_SYN_RETRANSMIT:
	case TCP_EVENT_INDEX_SYNACK_RETRANSMIT:
	case TCP_EVENT_INDEX_RETRANSMIT:
	case TCP_EVENT_INDEX_OUT_OF_ORDER:
	case TCP_EVENT_INDEX_DUPLICATE:
	case TCP_EVENT_INDEX_FIN_RETRANSMIT:
	case TCP_EVENT_INDEX_ZERO_WINDOW:
	case TCP_EVENT_INDEX_CHALLENGE_ACK:
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
	if (event->hook == HOOK_NONE)
		snprintf(text, bytes, "-");
	else if (event->ttl_out)
		snprintf(text, bytes, "ttl %u→%u", event->pkt.ttl, event->ttl_out);
	else
		*digits_put(stpcpy(text, "ttl "), event->pkt.ttl) = 0;
}

/* printf pads by bytes; these texts hold characters of several. */
static int columns_of(const char *text)
{
	int columns = 0;

	for (; *text; text++)
		columns += (*text & 0xc0) != 0x80;
	return columns;
}

static void print_spaces(int count)
{
	static const char spaces[] = "                                                                ";
	const int most = sizeof(spaces) - 1;

	for (; count > 0; count -= most)
		fwrite_unlocked(spaces, count < most ? count : most, 1, stdout);
}

/* And one space more, or one at all. */
static void print_padded(const char *text, int columns)
{
	int missing = columns - columns_of(text);

	fputs_unlocked(text, stdout);
	print_spaces(missing > 0 ? missing + 1 : 1);
}

/* RFC 3339 in the local zone, with microseconds. */
static void absolute_text(char *text, size_t bytes, __u64 epoch_ns)
{
	char day[32] = "?", zone[8] = "";
	time_t seconds = (time_t)(epoch_ns / NS_PER_S);
	struct tm local;

	if (localtime_r(&seconds, &local)) {
		strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &local);
		strftime(zone, sizeof(zone), "%z", &local);
	}
	snprintf(text, bytes, "%s.%06" PRIu64 "%.3s:%.2s", day, (uint64_t)(epoch_ns % NS_PER_S / NS_PER_US),
		 zone, *zone ? zone + 3 : "");
}

/* As "%11.6f" does it. */
static void print_seconds(__u64 time_ns, __u64 base_ns)
{
	__u64 ns = time_ns >= base_ns ? time_ns - base_ns : base_ns - time_ns,
	      us = (ns + NS_PER_US / 2) / NS_PER_US;
	char text[2 * DIGITS_MAX], *end = text;

	if (time_ns < base_ns)
		*end++ = '-';
	end = digits_put(end, us / 1000000);
	*end++ = '.';
	end = digits_put_fixed(end, us, 6);
	print_spaces(SECONDS_COLUMNS - (int)(end - text));
	fwrite_unlocked(text, end - text, 1, stdout);
}

static void print_time(struct text_sink *self, const struct trace_event *event)
{
	const struct sink_session *session = self->sink.session;
	__u64 base_ns = session->start_ns;
	char absolute[64];

	fputs_unlocked(terminal_style(stdout, STYLE_DIM), stdout);
	if (session->time_style == TIME_ABSOLUTE) {
		absolute_text(absolute, sizeof(absolute), event->time_ns + session->to_epoch_ns);
		printf("%s", absolute);
	} else {
		if (session->time_style == TIME_DELTA)
			base_ns = self->before_ns ? self->before_ns : event->time_ns;
		print_seconds(event->time_ns, base_ns);
	}
	fputs_unlocked(terminal_style(stdout, STYLE_RESET), stdout);
	putchar_unlocked(' ');
	self->before_ns = event->time_ns;
}

static void print_interface(const struct text_sink *self, const struct trace_event *event)
{
	print_padded(event->hook == HOOK_NONE ? "-" : sink_interface_name(self->sink.session, event->ifindex),
		     INTERFACE_COLUMNS);
}

/* With names where they are wanted and known by now. */
static void end_text(char *text, size_t bytes, const struct sink_session *session, struct story_end end)
{
	char host[HOST_NAME_BYTES], service[SERVICE_NAME_BYTES], number[STORY_ENDPOINT_BYTES];
	const char *port;
	size_t host_bytes;
	bool has_host, has_service;

	if (!session->names) {
		story_endpoint(text, bytes, &end.addr, end.port, end.ip_version);
		return;
	}
	story_endpoint(number, sizeof(number), &end.addr, end.port, end.ip_version);
	port = strrchr(number, ':') + 1;
	host_bytes = (size_t)(port - 1 - number);
	has_host = host_names_find(session->names, &end.addr, end.ip_version, host);
	has_service = host_names_service(session->names, end.port, service);
	snprintf(text, bytes, "%.*s:%s", (int)(has_host ? strlen(host) : host_bytes),
		 has_host ? host : number, has_service ? service : port);
}

/* Who has sent it: an ICMP error comes back to the client; nobody has sent what only time has brought about. */
static const char *arrow_of(const struct trace_event *event)
{
	if (event->hook == HOOK_NONE)
		return "—";
	return story_from_client(event) && !story_is_icmp(event) ? "→" : "←";
}

/* Time, interface and, the client on the left, the two ends with the packet's direction between them. */
static void print_prefix(struct text_sink *self, const struct trace_event *event)
{
	const struct sink_session *session = self->sink.session;
	char left[ENDPOINT_BYTES], right[ENDPOINT_BYTES], ends[2 * ENDPOINT_BYTES + 8], ttl[24];
	flow_end client = story_client(event);
	int columns;

	end_text(left, sizeof(left), session, story_end(event, client));
	end_text(right, sizeof(right), session, story_end(event, !client));
	stpcpy(stpcpy(stpcpy(stpcpy(stpcpy(ends, left), " "), arrow_of(event)), " "), right);
	ttl_text(ttl, sizeof(ttl), event);
	print_time(self, event);
	print_interface(self, event);
	columns = columns_of(ends);
	self->ends_columns = columns > self->ends_columns ? columns : self->ends_columns;
	print_padded(ends, self->ends_columns);
	print_padded(ttl, TTL_COLUMNS);
}

static void print_explanation(const struct text_sink *self, const struct trace_event *event,
			      enum tcp_event_index index)
{
	struct explanation explanation;

	story_explain(&explanation, self->sink.session, event, index);
	for (int i = 0; i < explanation.count; i++) {
		printf("%*s%s", EXPLAINED_INDENT, "", terminal_style(stdout, STYLE_NAME));
		print_padded(explanation.line[i].label, LABEL_COLUMNS);
		printf("%s%s\n", terminal_style(stdout, STYLE_RESET), explanation.line[i].text);
	}
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
	char detail[STORY_DETAIL_BYTES], encapsulation[STORY_DETAIL_BYTES];

	print_prefix(self, event);
	story_detail(detail, sizeof(detail), event, index);
	story_encapsulation(encapsulation, sizeof(encapsulation), event);
	fputs_unlocked(terminal_style(stdout, style_of(index)), stdout);
	if (*detail || *encapsulation)
		print_padded(tcp_event_text(index), EVENT_COLUMNS);
	else
		fputs_unlocked(tcp_event_text(index), stdout);
	fputs_unlocked(terminal_style(stdout, STYLE_RESET), stdout);
	fputs_unlocked(detail, stdout);
	if (*encapsulation)
		printf("%s%s[%s]%s", *detail ? "  " : "", terminal_style(stdout, STYLE_DIM), encapsulation,
		       terminal_style(stdout, STYLE_RESET));
	if (tells_owner(index)) {
		print_owner(self->sink.session, event, true);
		print_owner(self->sink.session, event, false);
	}
	putchar_unlocked('\n');
	if (self->sink.session->explain)
		print_explanation(self, event, index);
}

static const char *const directions[] = {
	[HOOK_INGRESS] = "in ",
	[HOOK_EGRESS] = "out",
	[HOOK_FORWARD] = "fwd",
};

static void print_packet(struct text_sink *self, const struct trace_event *event, const __u8 *bytes)
{
	struct dissection dissection;
	char line[LINE_BYTES];

	if (!event->captured_bytes)
		return;
	if (!dissect(&dissection, bytes, event->captured_bytes, event->pkt.wire_bytes,
		     sink_link(self->sink.session, event))) {
		dissection_line(&dissection, NULL, line, sizeof(line));
		print_time(self, event);
		print_interface(self, event);
		printf("%s %s", directions[event->hook], line);
		if (event->hook == HOOK_INGRESS)
			printf("  %s[%s]%s", terminal_style(stdout, STYLE_DIM), verdict_key(event->verdict),
			       terminal_style(stdout, STYLE_RESET));
		putchar('\n');
	}
	dissection_free(&dissection);
}

static void print_heading(struct text_sink *self)
{
	bool absolute = self->sink.session->time_style == TIME_ABSOLUTE;

	if (self->heading_said)
		return;
	self->heading_said = true;
	printf("%s%*s ", terminal_style(stdout, STYLE_DIM), absolute ? -ABSOLUTE_COLUMNS : SECONDS_COLUMNS,
	       absolute ? "time" : "seconds");
	print_padded("iface", INTERFACE_COLUMNS);
	print_padded("client → server", self->ends_columns);
	print_padded("TTL", TTL_COLUMNS);
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
