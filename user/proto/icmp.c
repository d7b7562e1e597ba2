// SPDX-License-Identifier: GPL-2.0-only
/*
 * ICMP, RFC 792.
 *
 *  |     type      |     code      |           checksum            |
 *  |       by type: identifier and sequence number, gateway, MTU   |
 *  |       echo: data; errors: the packet that they are about      |
 */
#include <string.h>

#include "proto/dissect.h"

#define ECHO_REPLY        0
#define UNREACHABLE       3
#define REDIRECT          5
#define ECHO_REQUEST      8
#define TIME_EXCEEDED     11
#define PARAMETER_PROBLEM 12
#define CODE_FRAG_NEEDED  4
#define ICMP_HEADER_BYTES 8

static const char *type_name(uint8_t type)
{
	switch (type) {
	case ECHO_REPLY:
		return "echo reply";
	case UNREACHABLE:
		return "destination unreachable";
	case REDIRECT:
		return "redirect";
	case ECHO_REQUEST:
		return "echo request";
	case 9:
		return "router advertisement";
	case 10:
		return "router solicitation";
	case TIME_EXCEEDED:
		return "time exceeded";
	case PARAMETER_PROBLEM:
		return "parameter problem";
	case 13:
		return "timestamp request";
	case 14:
		return "timestamp reply";
	default:
		return "type unknown to xdplife";
	}
}

static const char *code_name(uint8_t type, uint8_t code)
{
	static const char *const unreachable[] = {"network unreachable",
						  "host unreachable",
						  "protocol unreachable",
						  "port unreachable",
						  "fragmentation needed, but don't-fragment is set",
						  "source route failed",
						  "network unknown",
						  "host unknown",
						  "source host isolated",
						  "network prohibited",
						  "host prohibited",
						  "network unreachable for this service",
						  "host unreachable for this service",
						  "prohibited by a filter",
						  "host precedence violation",
						  "precedence cutoff"};
	static const char *const redirect[] = {"for the network", "for the host",
					       "for the service and network", "for the service and host"};
	static const char *const exceeded[] = {"TTL ran out on the way", "fragments did not arrive in time"};

	if (type == UNREACHABLE && code < sizeof(unreachable) / sizeof(*unreachable))
		return unreachable[code];
	if (type == REDIRECT && code < sizeof(redirect) / sizeof(*redirect))
		return redirect[code];
	if (type == TIME_EXCEEDED && code < sizeof(exceeded) / sizeof(*exceeded))
		return exceeded[code];
	return "";
}

const char *icmp_error_text(uint8_t ip_version, uint8_t type, uint8_t code)
{
	const char *detail = code_name(type, code);

	if (ip_version == 6)
		return icmp6_error_text(type, code);
	return *detail ? detail : type_name(type);
}

static bool is_error(uint8_t type)
{
	return type == UNREACHABLE || type == REDIRECT || type == TIME_EXCEEDED || type == PARAMETER_PROBLEM;
}

static void dissect_rest_of_header(struct dissector *ds, uint32_t at, uint8_t type, uint8_t code)
{
	if (type == ECHO_REPLY || type == ECHO_REQUEST) {
		field_means(ds, field_number(ds, at, 2, "identifier", "icmp.ident"),
			    "names the pinging process");
		field_means(ds, field_number(ds, at + 2, 2, "sequence number", "icmp.seq"),
			    "counts the pings");
	} else if (type == UNREACHABLE && code == CODE_FRAG_NEEDED) {
		field_number(ds, at, 2, "unused", NULL);
		field_from(field_number(ds, at + 2, 2, "next-hop MTU", "icmp.mtu"), "RFC 1191 §4");
	} else if (type == REDIRECT) {
		field_means(ds, field_ip4(ds, at, "gateway", "icmp.redir_gw"), "the better next hop");
	} else {
		field_blob(ds, at, 4, is_error(type) ? "unused" : "rest of the header", NULL);
	}
}

static void dissect_icmp(struct dissector *ds)
{
	uint32_t at = ds->at;
	uint8_t type = read8(ds, at), code = read8(ds, at + 1);
	const char *detail = code_name(type, code);

	field_means(ds, field_number(ds, at, 1, "type", "icmp.type"), "%s", type_name(type));
	field_means(ds, field_number(ds, at + 1, 1, "code", "icmp.code"), "%s", detail);
	check_upper_layer(ds, field_hex(ds, at + 2, 2, "checksum", "icmp.checksum"), at, ds->end - at,
			  IPPROTO_ICMP, false);
	dissect_rest_of_header(ds, at + 4, type, code);
	layer_summary(ds, "%s%s%s", type_name(type), *detail ? ": " : "", detail);
	ds->at = at + ICMP_HEADER_BYTES;
	if (is_error(type) && !ds->quoted) {
		ds->quoted = true;
		dissect_next(ds, UNDER_ETHERNET, ETH_P_IP);
	}
}

void line_icmp(struct line *line, const struct dissection *d, const struct layer *layer,
	       const struct line_options *options)
{
	const struct layer *quoted = layer + 1;

	(void)options;
	line_add(line, "%s %s ", layer->proto->name, layer->summary);
	for (size_t i = 0; i < layer->field_count; i++) {
		const struct field *field = &layer->fields[i];

		if (!strcmp(field->name, "identifier"))
			line_add(line, "id %s ", field->value);
		else if (!strcmp(field->name, "sequence number"))
			line_add(line, "seq %s ", field->value);
		else if (!strcmp(field->name, "next-hop MTU") || !strcmp(field->name, "MTU"))
			line_add(line, "mtu %s ", field->value);
		else if (!strcmp(field->name, "target address"))
			line_add(line, "%s ", field->value);
	}
	if (quoted < d->layers + d->layer_count && quoted->quoted)
		line_add(line, "(about %s", quoted->summary);
	for (; quoted < d->layers + d->layer_count && quoted->quoted; quoted++)
		if (quoted->proto == &proto_tcp || quoted->proto == &proto_udp)
			line_add(line, " %s %s", quoted->proto->name, quoted->summary);
	if (layer + 1 < d->layers + d->layer_count && layer[1].quoted)
		line_add(line, ") ");
}

const struct proto proto_icmp = {
	.name = "ICMP",
	.key = "icmp",
	.source = "RFC 792",
	.under = UNDER_IP4,
	PROTO_NUMBERS(IPPROTO_ICMP),
	.dissect = dissect_icmp,
	.line = line_icmp,
};
