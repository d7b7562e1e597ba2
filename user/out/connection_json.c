// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "datapath/owner.h"
#include "observer/outcome.h"
#include "out/connection_json.h"
#include "out/host_names.h"
#include "out/json_set.h"
#include "out/story.h"
#include "proto/proto.h"
#include "util/names.h"
#include "util/siphash.h"
#include "util/terminal.h"

void connection_id(char id[CONNECTION_ID_BYTES], const struct sink_session *session,
		   const struct trace_event *event)
{
	static const uint8_t no_key[16];
	struct {
		struct flow_key key;
		__u32 _pad; /* no hidden bytes in what is hashed */
		__u64 first_ns;
	} hashed = {.key = event->key, .first_ns = event->conn.first_ns + session->to_epoch_ns};

	snprintf(id, CONNECTION_ID_BYTES, "%016" PRIx64, siphash(no_key, &hashed, sizeof(hashed)));
}

/* --- the two ends -------------------------------------------------------------------------------------------- */

static json_t *rtt_json(const struct tcp_rtt *rtt)
{
	json_t *object = json_object(), *histogram = json_array();

	json_set_number(object, "samples", rtt->samples);
	json_set_number(object, "min_us", rtt->min_us);
	json_set_number(object, "smoothed_us", rtt->smoothed_us);
	json_set_number(object, "last_us", rtt->last_us);
	for (int i = 0; i < TCP_RTT_BUCKETS; i++)
		json_array_append_new(histogram, json_integer(rtt->bucket[i]));
	json_object_set_new(object, "histogram", histogram);
	return object;
}

static json_t *side_json(const struct tcp_side *side)
{
	json_t *object = json_object();

	json_set_number(object, "packets", side->packets);
	json_set_number(object, "bytes", side->bytes);
	json_set_number(object, "retransmits", side->retransmits);
	json_set_number(object, "out_of_order", side->out_of_order);
	json_set_number(object, "duplicates", side->duplicates);
	json_set_number(object, "zero_windows", side->zero_windows);
	json_set_number(object, "ttl", side->ttl);
	if (side->flags & TCP_SIDE_SYN)
		json_set_number(object, "isn", side->isn);
	if (side->rtt.samples)
		json_object_set_new(object, "rtt", rtt_json(&side->rtt));
	return object;
}

static void set_end(json_t *object, const char *key, const struct sink_session *session, struct story_end end)
{
	char text[STORY_ENDPOINT_BYTES], host[HOST_NAME_BYTES], name_key[16];

	story_endpoint(text, sizeof(text), &end.addr, end.port, end.ip_version);
	json_set_text(object, key, text);
	if (!session->names || !host_names_find(session->names, &end.addr, end.ip_version, host))
		return;
	snprintf(name_key, sizeof(name_key), "%s_name", key);
	json_set_text(object, name_key, host);
}

static void set_service(json_t *object, const struct sink_session *session, struct story_end server)
{
	char name[SERVICE_NAME_BYTES];

	if (session->names && host_names_service(session->names, server.port, name))
		json_set_text(object, "service", name);
}

static const char *end_key(const struct tcp_track *conn, __u8 end)
{
	if (conn->client == TCP_END_UNKNOWN || end == TCP_END_UNKNOWN)
		return NULL;
	return end == conn->client ? "client" : "server";
}

static void set_end_key(json_t *object, const char *key, const struct tcp_track *conn, __u8 end)
{
	if (end_key(conn, end))
		json_set_text(object, key, end_key(conn, end));
}

static void set_sender(json_t *object, const struct trace_event *event)
{
	if (story_is_icmp(event))
		json_set_text(object, "from", "network");
	else if (event->hook != HOOK_NONE)
		json_set_text(object, "from", story_from_client(event) ? "client" : "server");
}

/* --- the handshake ------------------------------------------------------------------------------------------- */

/* A leg is counted from the last SYN (or SYN-ACK), and from the first: they differ where it was sent again. */
static void set_leg(json_t *object, const char *key, const char *key_from_first, __u64 first_ns,
		    __u64 last_ns, __u64 end_ns)
{
	if (!first_ns || !end_ns)
		return;
	json_set_number(object, key, story_elapsed_ns(last_ns, end_ns));
	json_set_number(object, key_from_first, story_elapsed_ns(first_ns, end_ns));
}

static json_t *handshake_json(const struct sink_session *session, const struct trace_event *event)
{
	const struct tcp_track *conn = &event->conn;
	json_t *object = json_object();
	char measured[64];

	set_leg(object, "server_ns", "server_from_first_ns", conn->syn_first_ns, conn->syn_last_ns,
		conn->synack_first_ns);
	set_leg(object, "client_ns", "client_from_first_ns", conn->synack_first_ns, conn->synack_last_ns,
		conn->established_ns);
	if (conn->established_ns && conn->syn_first_ns)
		json_set_number(object, "total_ns",
				story_elapsed_ns(conn->syn_first_ns, conn->established_ns));
	json_set_bool(object, "ambiguous", conn->flags & TCP_TRACK_AMBIGUOUS);
	if (event->hook != HOOK_NONE) {
		snprintf(measured, sizeof(measured), "%s/%s", sink_hook(session, event->hook),
			 sink_clock(session));
		json_set_text(object, "measured_by", measured);
	}
	return object;
}

static json_t *offer_json(const struct tcp_side *side)
{
	__u8 options = side->options;
	json_t *object;

	if (!(side->flags & TCP_SIDE_OPTIONS))
		return json_null();
	object = json_object();
	if (options & TCP_HAS_MSS)
		json_set_number(object, "mss", side->mss);
	if (options & TCP_HAS_WINDOW_SCALE)
		json_set_number(object, "window_scale", side->window_scale);
	json_set_bool(object, "sack", options & TCP_HAS_SACK_PERMITTED);
	json_set_bool(object, "timestamps", options & TCP_HAS_TIMESTAMPS);
	if (!(side->syn_flags & TCPHDR_ACK)) /* the answer is told by what is accepted */
		json_set_text(object, "ecn", ecn_mode_key(ecn_offered(side->syn_flags)));
	json_set_text(object, "fast_open",
		      options & TCP_HAS_COOKIE      ? "cookie"
		      : options & TCP_HAS_FAST_OPEN ? "request"
						    : "none");
	json_set_bool(object, "mptcp", options & TCP_HAS_MPTCP);
	json_set_bool(object, "unknown_options", options & TCP_HAS_OTHER);
	json_set_number(object, "data_bytes", side->syn_bytes);
	return object;
}

static json_t *accepted_json(const struct trace_event *event)
{
	struct agreement agreement = outcome_agreement(&event->conn);
	json_t *object;

	if (!agreement.known)
		return json_null();
	object = json_object();
	if (agreement.mss)
		json_set_number(object, "mss", agreement.mss);
	json_set_bool(object, "window_scale", agreement.window_scale);
	json_set_bool(object, "sack", agreement.sack);
	json_set_bool(object, "timestamps", agreement.timestamps);
	json_set_text(object, "ecn", ecn_mode_key(agreement.ecn));
	json_set_bool(object, "mptcp", agreement.mptcp);
	json_set_bool(object, "fast_open_cookie", agreement.fast_open_cookie);
	if (agreement.syn_data)
		json_set_bool(object, "syn_data", agreement.syn_data_taken);
	return object;
}

static json_t *stripped_json(__u8 options)
{
	static const char *const names[] = {"mss",       "window-scale", "sack",   "timestamps",
					    "fast-open", "mptcp",        "cookie", "unknown"};
	json_t *array = json_array();

	for (int bit = 0; bit < 8; bit++)
		if (options & 1 << bit)
			json_array_append_new(array, json_string(names[bit]));
	return array;
}

static json_t *both(json_t *client, json_t *server)
{
	json_t *object = json_object();

	json_object_set_new(object, "client", client);
	json_object_set_new(object, "server", server);
	return object;
}

static void set_negotiation(json_t *object, const struct trace_event *event)
{
	flow_end end = story_client(event);
	const struct tcp_side *client = &event->conn.side[end], *server = &event->conn.side[!end];

	json_object_set_new(object, "offered", both(offer_json(client), offer_json(server)));
	json_object_set_new(object, "accepted", accepted_json(event));
	json_object_set_new(object, "stripped",
			    both(stripped_json(client->stripped), stripped_json(server->stripped)));
}

/* --- the end ------------------------------------------------------------------------------------------------- */

static json_t *proof_json(const struct sink_session *session, const struct trace_event *event,
			  const struct evidence *evidence)
{
	json_t *object = json_object();

	json_set_text(object, "packet", proof_key(evidence->proof));
	set_end_key(object, "from", &event->conn, evidence->from);
	json_set_number(object, "first_ns", evidence->first_ns + session->to_epoch_ns);
	json_set_number(object, "last_ns", evidence->last_ns + session->to_epoch_ns);
	if (evidence->count)
		json_set_number(object, "count", evidence->count);
	if (evidence->proof != PROOF_RST || event->hook == HOOK_NONE || !(event->pkt.tcp_flags & TCPHDR_RST))
		return object;
	json_set_number(object, "seq", event->pkt.tcp_seq);
	if (event->pkt.tcp_flags & TCPHDR_ACK)
		json_set_number(object, "ack", event->pkt.tcp_ack);
	return object;
}

static void set_outcome(json_t *object, const struct sink_session *session, const struct trace_event *event)
{
	enum outcome outcome = outcome_of(&event->conn, event->tcp_events);
	struct evidence list[PROOF_COUNT];
	size_t count = outcome_evidence(list, &event->conn, outcome);
	json_t *array = json_array();

	json_set_text(object, "outcome", outcome_key(outcome));
	if (outcome == OUTCOME_RESET || outcome == OUTCOME_REFUSED) {
		set_end_key(object, "reset_by", &event->conn, event->conn.resetter);
		json_set_text(object, "reset_stage", outcome_stage_key(&event->conn));
	}
	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, proof_json(session, event, &list[i]));
	json_object_set_new(object, "evidence", array);
}

static json_t *completeness_json(__u8 seen)
{
	char letters[COMPLETENESS_LETTERS];
	json_t *object = json_object();

	outcome_completeness_letters(letters, seen);
	json_set_number(object, "value", seen);
	json_set_text(object, "letters", letters);
	json_set_text(object, "text", outcome_completeness_text(seen));
	return object;
}

/* --- what it came in, whose it is ---------------------------------------------------------------------------- */

static void set_address(json_t *object, const char *key, const union ip_addr *addr, __u8 ip_version)
{
	char text[INET6_ADDRSTRLEN];

	if (inet_ntop(ip_version == 6 ? AF_INET6 : AF_INET, addr, text, sizeof(text)))
		json_set_text(object, key, text);
}

static void set_encapsulation(json_t *object, const struct trace_event *event)
{
	const struct tunnel *tunnel = &event->tunnel;
	json_t *vlan, *outer;

	if (event->pkt.vlan_count) {
		vlan = json_array();
		for (int i = 0; i < event->pkt.vlan_count && i < VLAN_MAX_TAGS; i++)
			json_array_append_new(vlan, json_integer(event->pkt.vlan_tci[i] & VLAN_VID_MASK));
		json_object_set_new(object, "vlan", vlan);
	}
	if (tunnel->kind == TUNNEL_NONE)
		return;
	outer = json_object();
	json_set_text(outer, "kind", story_tunnel_key(tunnel->kind));
	set_address(outer, "source", &tunnel->src, tunnel->ip_version);
	set_address(outer, "destination", &tunnel->dst, tunnel->ip_version);
	if (tunnel->flags & TUNNEL_HAS_ID)
		json_set_number(outer, "id", tunnel->id);
	json_object_set_new(object, "tunnel", outer);
}

static void set_icmp(json_t *object, const struct trace_event *event, __u8 ip_version)
{
	const struct tcp_track *conn = &event->conn;
	json_t *icmp;

	if (!(conn->flags & TCP_TRACK_UNREACHABLE))
		return;
	icmp = json_object();
	json_set_number(icmp, "type", conn->icmp_type);
	json_set_number(icmp, "code", conn->icmp_code);
	json_set_text(icmp, "text", icmp_error_text(ip_version, conn->icmp_type, conn->icmp_code));
	if (story_is_icmp(event))
		set_address(icmp, "from", &event->pkt.src, event->pkt.ip_version);
	json_object_set_new(object, "icmp", icmp);
}

/* A process and a control group may have any bytes in their names; JSON escapes but a part of what a terminal obeys. */
static void set_name(json_t *object, const char *key, const char *name)
{
	char text[4 * CGROUP_PATH_BYTES];

	terminal_safe(text, sizeof(text), name, strlen(name));
	json_set_text(object, key, text);
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
		json_set_number(json, "pid", owner.pid);
	set_name(json, "comm", owner.comm);
	json_set_text(json, "by", owner_how_key(owner.how));
	if (*owner.cgroup)
		set_name(json, "cgroup", owner.cgroup);
	if (*owner.container)
		json_set_text(json, "container", owner.container);
	json_object_set_new(object, key, json);
}

/* --- the whole ----------------------------------------------------------------------------------------------- */

/* What the state of the connection says: not of the one before it on the same ports, whose state is gone. */
static void set_state(json_t *object, const struct sink_session *session, const struct trace_event *event,
		      enum tcp_event_index index)
{
	bool final = outcome_is_final(index);
	const struct tcp_track *conn = &event->conn;
	flow_end client = story_client(event);
	char id[CONNECTION_ID_BYTES];

	connection_id(id, session, event);
	json_set_text(object, "id", id);
	set_end_key(object, "closed_by", conn, conn->closer);
	if (final)
		set_outcome(object, session, event);
	json_set_number(object, "duration_ns", story_elapsed_ns(conn->first_ns, conn->last_ns));
	json_object_set_new(object, "handshake", handshake_json(session, event));
	json_object_set_new(object, "to_server", side_json(&conn->side[client]));
	json_object_set_new(object, "to_client", side_json(&conn->side[!client]));
	json_set_text(object, "conn_state", outcome_zeek_state(conn));
	json_object_set_new(object, "completeness", completeness_json(conn->seen));
	set_icmp(object, event, story_end(event, client).ip_version);
	set_owner(object, "client_owner", session, event, true);
	set_owner(object, "server_owner", session, event, false);
	if (final || index == TCP_EVENT_INDEX_ESTABLISHED)
		set_negotiation(object, event);
}

void connection_json(json_t *object, const struct sink_session *session, const struct trace_event *event,
		     enum tcp_event_index index)
{
	struct story_end client = story_end(event, story_client(event)),
			 server = story_end(event, !story_client(event));
	bool before = outcome_is_of_predecessor(event, index);
	char detail[STORY_DETAIL_BYTES];

	json_set_text(object, "event", tcp_event_key(index));
	json_set_number(object, "ip_version", client.ip_version);
	set_end(object, "client", session, client);
	set_end(object, "server", session, server);
	set_service(object, session, server);
	set_encapsulation(object, event);
	json_set_bool(object, "direction_known", event->conn.client != TCP_END_UNKNOWN);
	set_sender(object, event);
	if (before)
		json_set_bool(object, "previous", true);
	else
		set_state(object, session, event, index);
	story_detail(detail, sizeof(detail), event, index);
	json_set_text(object, "detail", detail);
}
