/* SPDX-License-Identifier: GPL-2.0-only */
/* An event of a connection as a JSON object: trace_schema.json says what is in it. */
#ifndef XDPLIFE_CONNECTION_JSON_H
#define XDPLIFE_CONNECTION_JSON_H

#include <jansson.h>

#include "out/sink.h"

#define CONNECTION_ID_BYTES 17

/*
 * The same for all events of a connection, live and from a capture of the same packets: a hash of its addresses, ports
 * and VLANs and of the time of its first packet.
 */
void connection_id(char id[CONNECTION_ID_BYTES], const struct sink_session *session,
		   const struct trace_event *event);

/* Adds to @object, which has what packets and connection events have in common, what is told of the connection. */
void connection_json(json_t *object, const struct sink_session *session, const struct trace_event *event,
		     enum tcp_event_index index);

#endif
