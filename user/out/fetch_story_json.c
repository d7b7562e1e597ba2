// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "out/fetch_story.h"
#include "util/terminal.h"

#define MAC_BYTES  sizeof("00:11:22:33:44:55")
#define SAFE_BYTES 4096 /* of a header that is shown */

/* One line. A reader that is gone shows when the body or the summary is flushed. */
static void emit(json_t *event)
{
	if (!event)
		return;
	json_dumpf(event, stdout, JSON_COMPACT);
	fputc('\n', stdout);
	fflush(stdout);
	json_decref(event);
}

static void mac_text(const uint8_t *mac, char text[MAC_BYTES])
{
	snprintf(text, MAC_BYTES, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
		 mac[5]);
}

static void tell_address(struct fetch_story *story, const char *host, const struct net_path *path)
{
	char address[INET6_ADDRSTRLEN];

	(void)story;
	ip_addr_text(path->ip_version, &path->remote, address);
	emit(json_pack("{s:s, s:s, s:s, s:i, s:s, s:I}", "event", "address", "host", host, "address", address,
		       "port", path->remote_port, "source", path->literal ? "literal" : "getaddrinfo",
		       "took_ns", (json_int_t)path->name_ns));
}

static void tell_route(struct fetch_story *story, const struct net_path *path)
{
	char gateway[INET6_ADDRSTRLEN], source[INET6_ADDRSTRLEN], prefix[INET6_ADDRSTRLEN];
	const struct route *route = &path->route;
	json_t *event;

	(void)story;
	ip_addr_text(path->next_hop_version, &path->next_hop, gateway);
	ip_addr_text(path->ip_version, &route->source, source);
	ip_addr_text(path->ip_version, &route->prefix, prefix);
	event = json_pack("{s:s, s:s*, s:b, s:s, s:s, s:i, s:s, s:I}", "event", "route", "gateway",
			  route->has_gateway ? gateway : NULL, "on_link", !route->has_gateway, "interface",
			  path->iface.name, "source_address", source, "mtu", (int)path->mtu, "source",
			  "RTM_GETROUTE", "took_ns", (json_int_t)path->route_ns);
	if (event && route->has_prefix)
		json_object_set_new(event, "entry", json_sprintf("%s/%u", prefix, route->prefix_length));
	emit(event);
}

static void tell_neighbour(struct fetch_story *story, const struct net_path *path)
{
	char address[INET6_ADDRSTRLEN], mac[MAC_BYTES];

	(void)story;
	ip_addr_text(path->next_hop_version, &path->next_hop, address);
	mac_text(path->neighbour.mac, mac);
	emit(json_pack("{s:s, s:s, s:s, s:s, s:b, s:s, s:I}", "event", "neighbour", "address", address, "mac",
		       mac, "state", neighbour_state_text(path->neighbour.state), "resolved_now",
		       path->neighbour.resolved_now, "source", "RTM_GETNEIGH", "took_ns",
		       (json_int_t)path->neighbour_ns));
}

static void tell_port(struct fetch_story *story, const struct net_path *path)
{
	(void)story;
	emit(json_pack("{s:s, s:i}", "event", "port", "port", path->local_port));
}

static void tell_attached(struct fetch_story *story, const struct net_path *path, bool native)
{
	(void)story;
	emit(json_pack("{s:s, s:s, s:s}", "event", "attached", "interface", path->iface.name, "mode",
		       native ? "native" : "generic"));
}

/* The frame's dissection under "packet". */
static void add_dissection(json_t *event, const uint8_t *data, uint32_t bytes)
{
	struct dissection d;

	if (!dissect(&d, data, bytes, bytes, LINK_ETHERNET))
		json_object_set_new(event, "packet", dissection_json(&d));
	dissection_free(&d);
}

/* Only the layer that was put on: what is below it was shown, what comes above it is not there yet. */
static void tell_layer(struct fetch_story *story, int step, const struct frame *frame)
{
	json_t *event =
		json_pack("{s:s, s:i, s:i}", "event", "layer", "step", step, "bytes", (int)frame->bytes);
	struct dissection d;
	json_t *all = NULL;

	(void)story;
	if (!dissect(&d, frame->data, frame->bytes, frame->bytes, LINK_ETHERNET))
		all = dissection_json(&d);
	if (event)
		json_object_set(event, "layer",
				json_array_get(json_object_get(all, "layers"), (size_t)step - 1));
	json_decref(all);
	dissection_free(&d);
	emit(event);
}

static json_t *line_of(const struct client_frame *frame)
{
	char line[FETCH_STORY_LINE_BYTES] = "";
	struct dissection d;

	if (!dissect(&d, frame->data, frame->bytes, frame->bytes, LINK_ETHERNET))
		fetch_story_line(frame, &d, line);
	dissection_free(&d);
	return json_string(line);
}

static void tell_frame(struct fetch_story *story, const struct client_frame *frame)
{
	json_t *event;

	if (!story->first_ns)
		story->first_ns = frame->time_ns;
	event = json_pack("{s:s, s:s, s:I, s:I, s:i, s:o, s:s*}", "event", "packet", "direction",
			  frame->sent ? "sent" : "received", "time_ns", (json_int_t)frame->realtime_ns,
			  "since_syn_ns", (json_int_t)(frame->time_ns - story->first_ns), "bytes",
			  (int)frame->bytes, "line", line_of(frame), "note", frame->note);
	if (event && story->verbose)
		add_dissection(event, frame->data, frame->bytes);
	emit(event);
}

/* Bytes of a response need not be UTF-8: shown as a terminal would be. */
static json_t *safe_string(const char *text)
{
	char safe[SAFE_BYTES];

	terminal_safe(safe, sizeof(safe), text, strlen(text));
	return json_string(safe);
}

static void tell_response(struct fetch_story *story, const struct http_parser *parser)
{
	json_t *headers = json_array();

	(void)story;
	for (size_t i = 0; i < parser->header_count; i++)
		json_array_append_new(headers, json_pack("[o, o]", safe_string(parser->headers[i].name),
							 safe_string(parser->headers[i].value)));
	emit(json_pack("{s:s, s:i, s:o, s:o}", "event", "response", "status", parser->status, "reason",
		       safe_string(parser->reason), "headers", headers));
}

static void add_ns(json_t *event, const char *key, uint64_t time_ns)
{
	if (time_ns)
		json_object_set_new(event, key, json_integer((json_int_t)time_ns));
}

static void tell_summary(struct fetch_story *story, const struct fetch_summary *summary)
{
	const struct tcp_conn_stats *tcp = &summary->tcp;
	json_t *event = json_pack(
		"{s:s, s:b, s:s*, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "event", "summary", "ok",
		!summary->problem, "problem", summary->problem, "status", summary->status, "body_bytes",
		(json_int_t)summary->body_bytes, "frames_sent", (json_int_t)summary->frames_sent,
		"frames_received", (json_int_t)summary->frames_received, "frames_dropped",
		(json_int_t)summary->frames_dropped, "retransmitted", (json_int_t)tcp->retransmitted,
		"out_of_order", (json_int_t)tcp->out_of_order, "duplicates", (json_int_t)tcp->duplicates,
		"ignored", (json_int_t)tcp->ignored);

	(void)story;
	if (event) {
		add_ns(event, "name_ns", summary->name_ns);
		add_ns(event, "route_ns", summary->route_ns);
		add_ns(event, "neighbour_ns", summary->neighbour_ns);
		add_ns(event, "handshake_ns", summary->handshake_ns);
		add_ns(event, "first_byte_ns", summary->first_byte_ns);
		add_ns(event, "last_byte_ns", summary->last_byte_ns);
		add_ns(event, "total_ns", summary->total_ns);
		add_ns(event, "srtt_ns", tcp->srtt_ns);
	}
	emit(event);
}

const struct fetch_story_ops fetch_story_json = {
	.address = tell_address,
	.route = tell_route,
	.neighbour = tell_neighbour,
	.port = tell_port,
	.attached = tell_attached,
	.layer = tell_layer,
	.frame = tell_frame,
	.response = tell_response,
	.summary = tell_summary,
};
