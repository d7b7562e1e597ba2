// SPDX-License-Identifier: GPL-2.0-only
/*
 * The JSON sink: a line that says what is traced, then an object a line for each event of a connection, and for each
 * packet if packets are wanted. trace_schema.json says what is in them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "out/connection_json.h"
#include "out/json_set.h"
#include "out/sink.h"
#include "proto/proto.h"
#include "util/names.h"

#define MAC_TEXT_BYTES 18

static const char schema[] =
#include "trace_schema.inc"
	;

int sink_json_schema(FILE *out)
{
	return fputs(schema, out) == EOF || fflush(out) ? -errno : 0;
}

static void set_interface(json_t *object, const char *key, const struct sink_session *session,
			  unsigned int ifindex)
{
	int number = sink_interface_of(session, ifindex);

	if (number < 0)
		json_object_set_new(object, key, json_null());
	else
		json_set_text(object, key, session->interface[number].name);
}

/* What packets and connection events have in common. */
static json_t *base_json(const struct sink_session *session, const struct trace_event *event,
			 const char *type)
{
	json_t *object = json_object();

	json_set_text(object, "type", type);
	json_set_number(object, "time_ns", event->time_ns + session->to_epoch_ns);
	set_interface(object, "interface", session, event->ifindex);
	json_set_text(object, "hook", sink_hook(session, event->hook));
	if (event->hook == HOOK_NONE)
		return object;
	if (event->pkt.ip_version)
		json_set_number(object, "ttl", event->pkt.ttl);
	if (event->ttl_out) {
		json_set_number(object, "ttl_out", event->ttl_out);
		set_interface(object, "egress", session, event->egress_ifindex);
	}
	if (event->hook == HOOK_INGRESS && !session->offline)
		json_set_text(object, "verdict", verdict_key(event->verdict));
	return object;
}

static json_t *event_json(const struct sink_session *session, const struct trace_event *event,
			  enum tcp_event_index index)
{
	json_t *object = base_json(session, event, "connection");

	connection_json(object, session, event, index);
	return object;
}

static json_t *packet_json(const struct sink_session *session, const struct trace_event *event,
			   const __u8 *bytes)
{
	json_t *object = base_json(session, event, "packet");
	struct dissection dissection;

	json_set_number(object, "wire_bytes", event->pkt.wire_bytes);
	json_set_number(object, "captured_bytes", event->captured_bytes);
	if (!dissect(&dissection, bytes, event->captured_bytes, event->pkt.wire_bytes,
		     sink_link(session, event)))
		json_object_set_new(object, "packet", dissection_json(&dissection));
	dissection_free(&dissection);
	return object;
}

static json_t *interface_json(const struct sink_interface *interface)
{
	json_t *object = json_object();
	const __u8 *mac = interface->mac;
	char text[MAC_TEXT_BYTES];

	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
		 mac[5]);
	json_set_text(object, "name", interface->name);
	json_set_number(object, "ifindex", interface->ifindex);
	json_set_text(object, "mac", text);
	return object;
}

/* The first line. */
static json_t *trace_json(const struct sink_session *session)
{
	json_t *object = json_object(), *interfaces = json_array();

	for (int i = 0; i < session->interface_count; i++)
		json_array_append_new(interfaces, interface_json(&session->interface[i]));
	json_set_text(object, "type", "trace");
	json_set_number(object, "schema", SINK_JSON_SCHEMA);
	json_set_text(object, "version", XDPLIFE_VERSION);
	json_object_set_new(object, "interfaces", interfaces);
	json_object_set_new(object, "filter", session->filter ? json_string(session->filter) : json_null());
	json_object_set_new(object, "capture",
			    session->capture ? json_string(session->capture) : json_null());
	json_set_text(object, "clock", sink_clock(session));
	json_set_number(object, "start_ns", session->start_ns + session->to_epoch_ns);
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
			err = print_line(event_json(sink->session, event, i));
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

	if (!sink)
		return NULL;
	*sink = (struct sink){.ops = &json_ops, .session = session};
	if (!print_line(trace_json(session)))
		return sink;
	free(sink);
	errno = EIO;
	return NULL;
}
