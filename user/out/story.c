// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "observer/outcome.h"
#include "out/story.h"
#include "proto/proto.h"
#include "util/append.h"
#include "util/clock.h"
#include "util/digits.h"

static void print_address(char *text, size_t bytes, const union ip_addr *addr, __u8 ip_version)
{
	snprintf(text, bytes, "?");
	inet_ntop(ip_version == 6 ? AF_INET6 : AF_INET, addr, text, bytes);
}

static void print_endpoint4(char *text, const union ip_addr *addr, __be16 port)
{
	for (int i = 0; i < 4; i++) {
		text = digits_put(text, addr->byte[i]);
		*text++ = i < 3 ? '.' : ':';
	}
	*digits_put(text, FROM_BE16(port)) = 0;
}

void story_endpoint(char *text, size_t bytes, const union ip_addr *addr, __be16 port, __u8 ip_version)
{
	char host[INET6_ADDRSTRLEN];

	if (ip_version != 6 && bytes >= sizeof("255.255.255.255:65535")) {
		print_endpoint4(text, addr, port);
		return;
	}
	print_address(host, sizeof(host), addr, ip_version);
	snprintf(text, bytes, ip_version == 6 ? "[%s]:%u" : "%s:%u", host, FROM_BE16(port));
}

/* Four digits: as many behind the point as the number in front of it leaves. @unit_ns: at least 1000 */
static void print_scaled(char *text, size_t bytes, __u64 ns, __u64 unit_ns, const char *unit)
{
	unsigned int decimals = ns < 10 * unit_ns - unit_ns / 2000   ? 3
				: ns < 100 * unit_ns - unit_ns / 200 ? 2
				: ns < 1000 * unit_ns - unit_ns / 20 ? 1
								     : 0;
	static const __u32 powers[] = {1, 10, 100, 1000};
	__u64 step_ns = unit_ns / powers[decimals],
	      steps = ns / step_ns + (ns % step_ns >= (step_ns + 1) / 2);
	char number[2 * DIGITS_MAX], *end = digits_put(number, steps / powers[decimals]);

	if (decimals) {
		*end++ = '.';
		end = digits_put_fixed(end, steps, decimals);
	}
	*end = 0;
	*text = 0;
	append_texts(text, bytes, number, " ", unit, NULL);
}

void story_duration(char *text, size_t bytes, __u64 ns)
{
	if (ns < 999950)
		print_scaled(text, bytes, ns, NS_PER_US, "µs");
	else if (ns < 999950000)
		print_scaled(text, bytes, ns, NS_PER_MS, "ms");
	else
		print_scaled(text, bytes, ns, NS_PER_S, "s");
}

__u64 story_elapsed_ns(__u64 from_ns, __u64 to_ns)
{
	return from_ns && to_ns > from_ns ? to_ns - from_ns : 0;
}

/* --- who ----------------------------------------------------------------------------------------------------- */

/* An event without the key of its connection is about one whose packet it is. */
struct flow_key story_key(const struct trace_event *event)
{
	struct flow_key key = event->key;

	if (!key.ip_version)
		flow_key_of(&key, &event->pkt);
	return key;
}

flow_end story_client(const struct trace_event *event)
{
	struct flow_key key;

	if (event->conn.client != TCP_END_UNKNOWN)
		return event->conn.client & 1;
	key = story_key(event);
	return FROM_BE16(key.port[1]) > FROM_BE16(key.port[0]);
}

bool story_from_client(const struct trace_event *event)
{
	return (event->sender & 1) == story_client(event);
}

struct story_end story_end(const struct trace_event *event, flow_end end)
{
	struct flow_key key = story_key(event);

	return (struct story_end){
		.addr = key.addr[end & 1], .port = key.port[end & 1], .ip_version = key.ip_version};
}

const char *story_role(const struct trace_event *event, __u8 end)
{
	if (event->conn.client == TCP_END_UNKNOWN || end == TCP_END_UNKNOWN)
		return "one end (who opened it is unknown)";
	return end == event->conn.client ? "the client" : "the server";
}

/* --- what it came in ----------------------------------------------------------------------------------------- */

bool story_is_icmp(const struct trace_event *event)
{
	return event->hook != HOOK_NONE && event->pkt.ip_proto != IPPROTO_TCP &&
	       event->tcp_events & TCP_EVENT_UNREACHABLE;
}

void story_icmp(char *text, size_t bytes, const struct trace_event *event)
{
	const struct tcp_track *conn = &event->conn;
	__u8 ip_version = story_key(event).ip_version;

	*text = 0;
	if (conn->flags & TCP_TRACK_UNREACHABLE)
		snprintf(text, bytes, "%s (%s type %u code %u)",
			 icmp_error_text(ip_version, conn->icmp_type, conn->icmp_code),
			 ip_version == 6 ? "ICMPv6" : "ICMP", conn->icmp_type, conn->icmp_code);
}

struct tunnel_name {
	const char *key;
	const char *text;
};

static const struct tunnel_name tunnels[] = {
	[TUNNEL_NONE] = {"none", "no tunnel"}, [TUNNEL_IPIP] = {"ipip", "IPIP"},
	[TUNNEL_6IN4] = {"6in4", "6in4"},      [TUNNEL_4IN6] = {"4in6", "4in6"},
	[TUNNEL_6IN6] = {"6in6", "6in6"},      [TUNNEL_GRE] = {"gre", "GRE"},
	[TUNNEL_VXLAN] = {"vxlan", "VXLAN"},
};

const char *story_tunnel_key(__u8 kind)
{
	return kind < sizeof(tunnels) / sizeof(*tunnels) ? tunnels[kind].key : "unknown";
}

static void append_tunnel(char *text, size_t bytes, const struct tunnel *tunnel)
{
	char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];

	if (tunnel->kind == TUNNEL_NONE || tunnel->kind >= sizeof(tunnels) / sizeof(*tunnels))
		return;
	print_address(from, sizeof(from), &tunnel->src, tunnel->ip_version);
	print_address(to, sizeof(to), &tunnel->dst, tunnel->ip_version);
	append_item(text, bytes, ", ", "%s ", tunnels[tunnel->kind].text);
	if (tunnel->flags & TUNNEL_HAS_ID)
		append(text, bytes, "%u ", tunnel->id);
	append(text, bytes, "%s → %s", from, to);
}

void story_encapsulation(char *text, size_t bytes, const struct trace_event *event)
{
	const struct packet *pkt = &event->pkt;

	*text = 0;
	for (int i = 0; i < pkt->vlan_count && i < VLAN_MAX_TAGS; i++)
		append(text, bytes, "%s%u", i ? "." : "vlan ", pkt->vlan_tci[i] & VLAN_VID_MASK);
	append_tunnel(text, bytes, &event->tunnel);
}

/* --- what is offered ----------------------------------------------------------------------------------------- */

static void append_option(char *text, size_t bytes, const char *name)
{
	append_texts(text, bytes, *text ? ", " : "", name, NULL);
}

static void append_options(char *text, size_t bytes, __u8 options, __u16 mss, __u8 window_scale)
{
	if (options & TCP_HAS_MSS) {
		append_option(text, bytes, "mss ");
		append_number(text, bytes, mss);
	}
	if (options & TCP_HAS_WINDOW_SCALE) {
		append_option(text, bytes, "wscale ");
		append_number(text, bytes, window_scale);
	}
	if (options & TCP_HAS_SACK_PERMITTED)
		append_option(text, bytes, "sack");
	if (options & TCP_HAS_TIMESTAMPS)
		append_option(text, bytes, "ts");
	if (options & TCP_HAS_FAST_OPEN)
		append_option(text, bytes,
			      options & TCP_HAS_COOKIE ? "fast open cookie" : "fast open cookie request");
	if (options & TCP_HAS_MPTCP)
		append_option(text, bytes, "mptcp");
	if (options & TCP_HAS_OTHER)
		append_option(text, bytes, "an unknown option");
}

/* What a SYN-ACK says of ECN has a meaning only beside the SYN: ecn_accepted(). */
static void append_ecn(char *text, size_t bytes, __u16 syn_flags)
{
	enum ecn_mode mode = ecn_offered(syn_flags);

	if (mode != ECN_NONE && !(syn_flags & TCPHDR_ACK))
		append_item(text, bytes, ", ", "%s", ecn_mode_key(mode));
}

void story_offer(char *text, size_t bytes, const struct tcp_side *side)
{
	*text = 0;
	append_options(text, bytes, side->options, side->mss, side->window_scale);
	append_ecn(text, bytes, side->syn_flags);
}

void story_offer_of(char *text, size_t bytes, const struct packet *pkt)
{
	struct tcp_side side = {.options = pkt->tcp_options.flags,
				.mss = pkt->tcp_options.mss,
				.window_scale = pkt->tcp_options.window_scale,
				.syn_flags =
					pkt->tcp_flags | (pkt->flags & PACKET_TCP_AE ? TCP_SYN_FLAG_AE : 0)};

	story_offer(text, bytes, &side);
}
