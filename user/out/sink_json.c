// SPDX-License-Identifier: GPL-2.0-only
/* The JSON sink: one object a line for each event of a connection, and for each packet if packets are wanted.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "datapath/owner.h"
#include "out/sink.h"
#include "out/story.h"
#include "proto/proto.h"
#include "util/names.h"
#include "util/terminal.h"

static const char *const hooks[] = {
	[HOOK_INGRESS] = "xdp",
	[HOOK_EGRESS] = "tc-egress",
	[HOOK_FORWARD] = "xdp-forward",
};

static void set_text(json_t *object, const char *key, const char *text)
{
	json_object_set_new(object, key, json_string(text));
}

static void set_number(json_t *object, const char *key, __u64 number)
{
	json_object_set_new(object, key, json_integer((json_int_t)number));
}

static void set_endpoint(json_t *object, const char *key, const union ip_addr *addr, __be16 port,
			 __u8 ip_version)
{
	char text[STORY_ENDPOINT_BYTES];

	story_endpoint(text, sizeof(text), addr, port, ip_version);
	set_text(object, key, text);
}

static json_t *side_json(const struct tcp_side *side)
{
	json_t *object = json_object();

	set_number(object, "packets", side->packets);
	set_number(object, "bytes", side->bytes);
	set_number(object, "retransmits", side->retransmits);
	set_number(object, "ttl", side->ttl);
	if (side->flags & TCP_SIDE_SYN)
		set_number(object, "isn", side->isn);
	return object;
}

/* A leg is counted from the last SYN (or SYN-ACK), and from the first: they differ where it was sent again.
 */
static void set_leg(json_t *object, const char *key, const char *key_from_first, __u64 first_ns,
		    __u64 last_ns, __u64 end_ns)
{
	if (!first_ns || !end_ns)
		return;
	set_number(object, key, story_elapsed_ns(last_ns, end_ns));
	set_number(object, key_from_first, story_elapsed_ns(first_ns, end_ns));
}

static json_t *handshake_json(const struct tcp_track *conn)
{
	json_t *object = json_object();

	set_leg(object, "server_ns", "server_from_first_ns", conn->syn_first_ns, conn->syn_last_ns,
		conn->synack_first_ns);
	set_leg(object, "client_ns", "client_from_first_ns", conn->synack_first_ns, conn->synack_last_ns,
		conn->established_ns);
	if (conn->established_ns && conn->syn_first_ns)
		set_number(object, "total_ns", story_elapsed_ns(conn->syn_first_ns, conn->established_ns));
	json_object_set_new(object, "ambiguous", json_boolean(conn->flags & TCP_TRACK_AMBIGUOUS));
	return object;
}

static const char *end_key(const struct tcp_track *conn, __u8 end)
{
	if (conn->client == TCP_END_UNKNOWN || end == TCP_END_UNKNOWN)
		return NULL;
	return end == conn->client ? "client" : "server";
}

/* What packets and connection events have in common. */
static json_t *base_json(const struct sink_session *session, const struct trace_event *event,
			 const char *type)
{
	json_t *object = json_object();

	set_text(object, "type", type);
	set_number(object, "time_ns", event->time_ns + session->to_epoch_ns);
	set_text(object, "interface", sink_interface_name(session, event->ifindex));
	set_text(object, "hook", hooks[event->hook]);
	if (event->pkt.ip_version)
		set_number(object, "ttl", event->pkt.ttl);
	if (event->ttl_out) {
		set_number(object, "ttl_out", event->ttl_out);
		set_text(object, "egress", sink_interface_name(session, event->egress_ifindex));
	}
	if (event->hook == HOOK_INGRESS)
		set_text(object, "verdict", verdict_key(event->verdict));
	return object;
}

/* A process and a control group may have any bytes in their names; JSON escapes but a part of what a terminal obeys. */
static void set_name(json_t *object, const char *key, const char *name)
{
	char text[4 * CGROUP_PATH_BYTES];

	terminal_safe(text, sizeof(text), name, strlen(name));
	set_text(object, key, text);
}

static void set_owner(json_t *object, const char *key, const struct sink_session *session,
		      const struct trace_event *event, bool client)
{
	struct owner owner;
	json_t *json;

	if (sink_owner(session, event, client, &owner))
		return;
	json = json_object();
	if (owner.pid)
		set_number(json, "pid", owner.pid);
	set_name(json, "comm", owner.comm);
	set_text(json, "by", owner_how_key(owner.how));
	if (*owner.cgroup)
		set_name(json, "cgroup", owner.cgroup);
	if (*owner.container)
		set_text(json, "container", owner.container);
	json_object_set_new(object, key, json);
}

static json_t *connection_json(const struct sink_session *session, const struct trace_event *event,
			       enum tcp_event_index index)
{
	json_t *object = base_json(session, event, "connection");
	const struct tcp_track *conn = &event->conn;
	const struct packet *pkt = &event->pkt;
	bool from_client = story_from_client(event);
	flow_end client = from_client ? event->sender : !event->sender;
	char detail[STORY_DETAIL_BYTES];

	set_text(object, "event", tcp_event_key(index));
	set_endpoint(object, "client", from_client ? &pkt->src : &pkt->dst,
		     from_client ? pkt->src_port : pkt->dst_port, pkt->ip_version);
	set_endpoint(object, "server", from_client ? &pkt->dst : &pkt->src,
		     from_client ? pkt->dst_port : pkt->src_port, pkt->ip_version);
	json_object_set_new(object, "direction_known", json_boolean(conn->client != TCP_END_UNKNOWN));
	set_text(object, "from", from_client ? "client" : "server");
	if (end_key(conn, conn->closer))
		set_text(object, "closed_by", end_key(conn, conn->closer));
	set_number(object, "duration_ns", story_elapsed_ns(conn->first_ns, conn->last_ns));
	json_object_set_new(object, "handshake", handshake_json(conn));
	json_object_set_new(object, "to_server", side_json(&conn->side[client & 1]));
	json_object_set_new(object, "to_client", side_json(&conn->side[!(client & 1)]));
	set_owner(object, "client_owner", session, event, true);
	set_owner(object, "server_owner", session, event, false);
	story_detail(detail, sizeof(detail), event, index);
	set_text(object, "detail", detail);
	return object;
}

static json_t *packet_json(const struct sink_session *session, const struct trace_event *event,
			   const __u8 *bytes)
{
	json_t *object = base_json(session, event, "packet");
	struct dissection dissection;

	set_number(object, "wire_bytes", event->pkt.wire_bytes);
	set_number(object, "captured_bytes", event->captured_bytes);
	if (!dissect(&dissection, bytes, event->captured_bytes, event->pkt.wire_bytes, LINK_ETHERNET))
		json_object_set_new(object, "packet", dissection_json(&dissection));
	dissection_free(&dissection);
	return object;
}

static int print_line(json_t *object)
{
	int err = json_dumpf(object, stdout, JSON_COMPACT) || putchar('\n') == EOF ? -EIO : 0;

	json_decref(object);
	return err;
}

static int json_event(struct sink *sink, const struct trace_event *event, const __u8 *bytes)
{
	int err = 0;

	if (sink->session->packets && event->captured_bytes)
		err = print_line(packet_json(sink->session, event, bytes));
	for (int i = 0; i < TCP_EVENT_COUNT && !err; i++)
		if (event->tcp_events & 1u << i)
			err = print_line(connection_json(sink->session, event, i));
	return err;
}

static int json_close(struct sink *sink)
{
	int err = fflush(stdout) ? -errno : 0;

	free(sink);
	return err;
}

static const struct sink_ops json_ops = {.event = json_event, .close = json_close};

struct sink *sink_json_open(const struct sink_session *session)
{
	struct sink *sink = calloc(1, sizeof(*sink));

	if (sink)
		*sink = (struct sink){.ops = &json_ops, .session = session};
	return sink;
}
