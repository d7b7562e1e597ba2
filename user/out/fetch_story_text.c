// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "out/fetch_story.h"
#include "out/story.h"
#include "util/clock.h"
#include "util/terminal.h"

#define LABEL_WIDTH    10
#define SAFE_BYTES     1024 /* of a header that is shown */
#define DURATION_BYTES 32

static void heading(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void heading(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "\n%s", terminal_style(stderr, STYLE_BOLD));
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "%s\n", terminal_style(stderr, STYLE_RESET));
}

/* "route      via 10.0.1.1 ...": a name and what is said of it; the source and the time come in the line
 * behind. */
static void say(const char *label, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(const char *label, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s%-*s%s ", terminal_style(stderr, STYLE_NAME), LABEL_WIDTH, label,
		terminal_style(stderr, STYLE_RESET));
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

static void say_source(const char *source, uint64_t took_ns)
{
	char duration[DURATION_BYTES];

	story_duration(duration, sizeof(duration), took_ns);
	fprintf(stderr, "%*s %s%s, %s%s\n", LABEL_WIDTH, "", terminal_style(stderr, STYLE_DIM), source,
		duration, terminal_style(stderr, STYLE_RESET));
}

static void tell_address(struct fetch_story *story, const char *host, const struct net_path *path)
{
	char address[INET6_ADDRSTRLEN];

	(void)story;
	ip_addr_text(path->ip_version, &path->remote, address);
	heading("The way to %s", host);
	say("address", "%s, port %u", address, path->remote_port);
	say_source(path->literal ? "literal: nothing to look up" : "the system's resolver, getaddrinfo()",
		   path->name_ns);
}

static void tell_route(struct fetch_story *story, const struct net_path *path)
{
	char gateway[INET6_ADDRSTRLEN], source[INET6_ADDRSTRLEN], prefix[INET6_ADDRSTRLEN];
	const struct route *route = &path->route;

	(void)story;
	ip_addr_text(path->next_hop_version, &path->next_hop, gateway);
	ip_addr_text(path->ip_version, &route->source, source);
	ip_addr_text(path->ip_version, &route->prefix, prefix);
	say("route", "%s%s, interface %s, source %s, MTU %u", route->has_gateway ? "gateway " : "on the link",
	    route->has_gateway ? gateway : "", path->iface.name, source, path->mtu);
	if (route->has_prefix)
		fprintf(stderr, "%*s entry %s%s/%u\n", LABEL_WIDTH, "",
			route->prefix_length ? "" : "default, ", prefix, route->prefix_length);
	say_source("kernel routing table, RTM_GETROUTE", path->route_ns);
}

static void tell_neighbour(struct fetch_story *story, const struct net_path *path)
{
	const uint8_t *mac = path->neighbour.mac;
	char address[INET6_ADDRSTRLEN];
	const char *source = "kernel neighbour table, RTM_GETNEIGH";

	(void)story;
	if (path->neighbour.resolved_now)
		source = path->next_hop_version == 4 ? "resolved now by the kernel (ARP)"
						     : "resolved now by the kernel (NDP)";
	ip_addr_text(path->next_hop_version, &path->next_hop, address);
	say("neighbour", "%s is at %02x:%02x:%02x:%02x:%02x:%02x, %s", address, mac[0], mac[1], mac[2],
	    mac[3], mac[4], mac[5], neighbour_state_text(path->neighbour.state));
	say_source(source, path->neighbour_ns);
}

static void tell_port(struct fetch_story *story, const struct net_path *path)
{
	(void)story;
	say("port", "%u, held by a bound kernel socket that never connects", path->local_port);
}

static void tell_attached(struct fetch_story *story, const struct net_path *path, bool native)
{
	char address[INET6_ADDRSTRLEN];

	(void)story;
	ip_addr_text(path->ip_version, &path->remote, address);
	say("XDP", "%s mode on %s: TCP from %s port %u to our port %u comes to us,",
	    native ? "native" : "generic", path->iface.name, address, path->remote_port, path->local_port);
	fprintf(stderr, "%*s everything else goes to the kernel as before\n", LABEL_WIDTH, "");
}

static void print_layers(const struct dissection *d, size_t first)
{
	for (size_t i = first; i < d->layer_count; i++)
		layer_print(stderr, &d->layers[i]);
}

static const char *value_of(const struct layer *layer, const char *filter)
{
	const struct field *field = layer ? layer_field(layer, filter) : NULL;

	return field ? field->value : NULL;
}

/* TCP is on: what IP says of its length, and its checksum, have changed with it. */
static void tell_ip_completed(const struct dissection *d)
{
	const struct layer *ip4 = dissection_layer(d, "IPv4"), *ip6 = dissection_layer(d, "IPv6");

	if (ip4)
		fprintf(stderr, "   IPv4 now says: total length %s, header checksum %s\n",
			value_of(ip4, "ip.len"), value_of(ip4, "ip.checksum"));
	else if (ip6)
		fprintf(stderr, "   IPv6 now says: payload length %s\n", value_of(ip6, "ipv6.plen"));
}

static void tell_layer(struct fetch_story *story, int step, const struct frame *frame)
{
	struct dissection d;

	(void)story;
	if (step == 1)
		heading("The SYN, built layer by layer");
	else
		fputc('\n', stderr);
	if (!dissect(&d, frame->data, frame->bytes, frame->bytes, LINK_ETHERNET)) {
		fprintf(stderr, "%d. the frame has %u bytes\n", step, frame->bytes);
		if (step == 3)
			tell_ip_completed(&d);
		print_layers(&d, (size_t)step - 1);
	}
	dissection_free(&d);
}

static void tell_frame(struct fetch_story *story, const struct client_frame *frame)
{
	const char *reset = terminal_style(stderr, STYLE_RESET);
	char line[FETCH_STORY_LINE_BYTES];
	struct dissection d;

	if (!story->first_ns) {
		story->first_ns = frame->time_ns;
		heading("The packets (time since the SYN, sequence numbers relative)");
	}
	if (!dissect(&d, frame->data, frame->bytes, frame->bytes, LINK_ETHERNET)) {
		fetch_story_line(frame, &d, line);
		fprintf(stderr, "%s%10.3f ms %s%s %s\n",
			terminal_style(stderr, frame->sent ? STYLE_VALUE : STYLE_GOOD),
			(double)(frame->time_ns - story->first_ns) / (double)NS_PER_MS,
			frame->sent ? "sent    " : "received", reset, line);
		if (frame->note)
			fprintf(stderr, "%22s %s%s%s\n", "", terminal_style(stderr, STYLE_WARN), frame->note,
				reset);
		if (story->verbose)
			print_layers(&d, 0);
	}
	dissection_free(&d);
}

static void tell_response(struct fetch_story *story, const struct http_parser *parser)
{
	char name[SAFE_BYTES], value[SAFE_BYTES];

	if (!story->verbose)
		return;
	terminal_safe(value, sizeof(value), parser->reason, strlen(parser->reason));
	heading("Response: %d %s", parser->status, value);
	for (size_t i = 0; i < parser->header_count; i++) {
		const struct http_header *header = &parser->headers[i];

		terminal_safe(name, sizeof(name), header->name, strlen(header->name));
		terminal_safe(value, sizeof(value), header->value, strlen(header->value));
		say(name, "%s", value);
	}
}

static void say_time(const char *label, uint64_t time_ns, const char *note)
{
	char duration[DURATION_BYTES];

	if (!time_ns)
		return;
	story_duration(duration, sizeof(duration), time_ns);
	say(label, "%*s  %s", LABEL_WIDTH, duration, note);
}

static void tell_summary(struct fetch_story *story, const struct fetch_summary *summary)
{
	(void)story;
	if (summary->problem)
		heading("Failed: %s", summary->problem);
	else
		heading("HTTP %d, %" PRIu64 " bytes of body", summary->status, summary->body_bytes);
	say_time("name", summary->name_ns, "to find the address");
	say_time("route", summary->route_ns, "to ask the routing table");
	say_time("neighbour", summary->neighbour_ns, "to find the next hop's MAC");
	say_time("handshake", summary->handshake_ns, "from SYN to SYN-ACK");
	say_time("first byte", summary->first_byte_ns, "since the SYN");
	say_time("last byte", summary->last_byte_ns, "since the SYN");
	say_time("total", summary->total_ns, "since the start");
	say("packets",
	    "%" PRIu64 " sent, %" PRIu64 " received; retransmitted %" PRIu64 ", out of order %" PRIu64
	    ", duplicates %" PRIu64 ", ignored %" PRIu64 ", dropped by the socket %" PRIu64,
	    summary->frames_sent, summary->frames_received, summary->tcp.retransmitted,
	    summary->tcp.out_of_order, summary->tcp.duplicates, summary->tcp.ignored,
	    summary->frames_dropped);
}

const struct fetch_story_ops fetch_story_text = {
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
