// SPDX-License-Identifier: GPL-2.0-only
/*
 * ICMPv6, RFC 4443 §2.1, and Neighbour Discovery, RFC 4861 §4.
 *
 *  |     type      |     code      |           checksum            |
 *  |       by type: identifier and sequence number, MTU, flags     |
 *  |       echo: data; errors: the packet that they are about;     |
 *  |       neighbours: target address (16 bytes), options          |
 */
#include "proto/dissect.h"

#define UNREACHABLE             1
#define TOO_BIG                 2
#define TIME_EXCEEDED           3
#define PARAMETER_PROBLEM       4
#define ECHO_REQUEST            128
#define ECHO_REPLY              129
#define ROUTER_SOLICITATION     133
#define ROUTER_ADVERTISEMENT    134
#define NEIGHBOUR_SOLICITATION  135
#define NEIGHBOUR_ADVERTISEMENT 136
#define FIRST_INFORMATIONAL     128 /* RFC 4443 §2.1: errors are below */

#define OPTION_SOURCE_MAC 1
#define OPTION_TARGET_MAC 2
#define OPTION_PREFIX     3
#define OPTION_MTU        5

#define ICMP6_HEADER_BYTES 8

static const char *type_name(uint8_t type)
{
	switch (type) {
	case UNREACHABLE:
		return "destination unreachable";
	case TOO_BIG:
		return "packet too big";
	case TIME_EXCEEDED:
		return "time exceeded";
	case PARAMETER_PROBLEM:
		return "parameter problem";
	case ECHO_REQUEST:
		return "echo request";
	case ECHO_REPLY:
		return "echo reply";
	case 130:
		return "multicast listener query";
	case 131:
		return "multicast listener report";
	case 132:
		return "multicast listener done";
	case ROUTER_SOLICITATION:
		return "router solicitation";
	case ROUTER_ADVERTISEMENT:
		return "router advertisement";
	case NEIGHBOUR_SOLICITATION:
		return "neighbour solicitation";
	case NEIGHBOUR_ADVERTISEMENT:
		return "neighbour advertisement";
	case 137:
		return "redirect";
	case 143:
		return "multicast listener report v2";
	default:
		return "type unknown to xdplife";
	}
}

static const char *code_name(uint8_t type, uint8_t code)
{
	static const char *const unreachable[] = {"no route",
						  "prohibited by a filter",
						  "beyond the scope of the source",
						  "address unreachable",
						  "port unreachable",
						  "source address fails the policy",
						  "route rejected"};
	static const char *const exceeded[] = {"hop limit ran out on the way",
					       "fragments did not arrive in time"};
	static const char *const problem[] = {"header field", "unknown next header", "unknown option"};

	if (type == UNREACHABLE && code < sizeof(unreachable) / sizeof(*unreachable))
		return unreachable[code];
	if (type == TIME_EXCEEDED && code < sizeof(exceeded) / sizeof(*exceeded))
		return exceeded[code];
	if (type == PARAMETER_PROBLEM && code < sizeof(problem) / sizeof(*problem))
		return problem[code];
	return "";
}

const char *icmp6_error_text(uint8_t type, uint8_t code)
{
	const char *detail = code_name(type, code);

	return *detail ? detail : type_name(type);
}

static void dissect_prefix(struct dissector *ds, uint32_t at)
{
	field_means(ds, field_number(ds, at + 2, 1, "prefix length", "icmpv6.opt.prefix.length"), "bits");
	field_flag(ds, at + 3, 0, "on link", "icmpv6.opt.prefix.flag.l", "neighbours have such addresses",
		   "");
	field_flag(ds, at + 3, 1, "autonomous", "icmpv6.opt.prefix.flag.a", "hosts may form addresses of it",
		   "");
	field_means(ds, field_number(ds, at + 4, 4, "valid lifetime", "icmpv6.opt.prefix.valid_lifetime"),
		    "seconds");
	field_means(ds,
		    field_number(ds, at + 8, 4, "preferred lifetime", "icmpv6.opt.prefix.preferred_lifetime"),
		    "seconds");
	field_ip6(ds, at + 16, "prefix", "icmpv6.opt.prefix");
}

/* RFC 4861 §4.6: type, length in units of 8 bytes, data. */
static void dissect_options(struct dissector *ds, uint32_t at)
{
	while (captured(ds, at, ds->end)) {
		uint8_t type = read8(ds, at);
		uint32_t bytes = read8(ds, at + 1) * 8;
		struct field *field = field_number(ds, at, 1, "option type", "icmpv6.opt.type");

		field_means(ds, field, "%s",
			    type == OPTION_SOURCE_MAC   ? "source's MAC"
			    : type == OPTION_TARGET_MAC ? "target's MAC"
			    : type == OPTION_PREFIX     ? "prefix"
			    : type == OPTION_MTU        ? "MTU"
							: "unknown to xdplife");
		field = field_number(ds, at + 1, 1, "option length", "icmpv6.opt.length");
		if (bytes == 0) {
			field_means(ds, field, "wrong: must not be 0");
			break;
		}
		field_means(ds, field, "× 8 = %u bytes", bytes);
		if (type <= OPTION_TARGET_MAC && bytes == 8)
			field_mac(ds, at + 2, "MAC", "icmpv6.opt.linkaddr");
		else if (type == OPTION_PREFIX && bytes == 32)
			dissect_prefix(ds, at);
		else if (type == OPTION_MTU && bytes == 8)
			field_number(ds, at + 4, 4, "MTU", "icmpv6.opt.mtu");
		else
			field_blob(ds, at + 2, bytes - 2, "option data", NULL);
		at += bytes;
	}
	ds->at = ds->end;
}

static void dissect_router_advertisement(struct dissector *ds, uint32_t at)
{
	field_means(ds, field_number(ds, at, 1, "hop limit to use", "icmpv6.nd.ra.cur_hop_limit"),
		    "0: not said");
	field_flag(ds, at + 1, 0, "managed", "icmpv6.nd.ra.flag.m", "addresses come by DHCPv6", "");
	field_flag(ds, at + 1, 1, "other", "icmpv6.nd.ra.flag.o", "other configuration comes by DHCPv6", "");
	field_means(ds, field_number(ds, at + 2, 2, "router lifetime", "icmpv6.nd.ra.router_lifetime"),
		    "seconds");
	field_means(ds, field_number(ds, at + 4, 4, "reachable time", "icmpv6.nd.ra.reachable_time"),
		    "milliseconds");
	field_means(ds, field_number(ds, at + 8, 4, "retransmission timer", "icmpv6.nd.ra.retrans_timer"),
		    "milliseconds");
	dissect_options(ds, at + 12);
}

static void dissect_neighbour(struct dissector *ds, uint32_t at, uint8_t type)
{
	bool advertisement = type == NEIGHBOUR_ADVERTISEMENT;

	if (advertisement) {
		field_flag(ds, at, 0, "router", "icmpv6.nd.na.flag.r", "the sender is a router", "");
		field_flag(ds, at, 1, "solicited", "icmpv6.nd.na.flag.s", "the answer to a solicitation", "");
		field_flag(ds, at, 2, "override", "icmpv6.nd.na.flag.o", "replaces what is known", "");
	} else {
		field_number(ds, at, 4, "reserved", NULL);
	}
	field_ip6(ds, at + 4, "target address",
		  advertisement ? "icmpv6.nd.na.target_address" : "icmpv6.nd.ns.target_address");
	dissect_options(ds, at + 20);
}

static void dissect_message(struct dissector *ds, uint32_t at, uint8_t type)
{
	switch (type) {
	case ECHO_REQUEST:
	case ECHO_REPLY:
		field_means(ds, field_number(ds, at, 2, "identifier", "icmpv6.echo.identifier"),
			    "names the pinging process");
		field_means(ds, field_number(ds, at + 2, 2, "sequence number", "icmpv6.echo.sequence_number"),
			    "counts the pings");
		return;
	case TOO_BIG:
		field_means(ds, field_number(ds, at, 4, "MTU", "icmpv6.mtu"),
			    "of the link that it did not fit");
		return;
	case PARAMETER_PROBLEM:
		field_means(ds, field_number(ds, at, 4, "pointer", "icmpv6.pointer"),
			    "the byte that is the problem");
		return;
	case ROUTER_SOLICITATION:
		field_number(ds, at, 4, "reserved", NULL);
		dissect_options(ds, at + 4);
		return;
	case ROUTER_ADVERTISEMENT:
		dissect_router_advertisement(ds, at);
		return;
	case NEIGHBOUR_SOLICITATION:
	case NEIGHBOUR_ADVERTISEMENT:
		dissect_neighbour(ds, at, type);
		return;
	default:
		field_blob(ds, at, 4, type < FIRST_INFORMATIONAL ? "unused" : "rest of the header", NULL);
	}
}

static void dissect_icmp6(struct dissector *ds)
{
	uint32_t at = ds->at;
	uint8_t type = read8(ds, at), code = read8(ds, at + 1);
	const char *detail = code_name(type, code);

	field_means(ds, field_number(ds, at, 1, "type", "icmpv6.type"), "%s", type_name(type));
	field_means(ds, field_number(ds, at + 1, 1, "code", "icmpv6.code"), "%s", detail);
	check_upper_layer(ds, field_hex(ds, at + 2, 2, "checksum", "icmpv6.checksum"), at, ds->end - at,
			  NEXTHDR_ICMPV6, true);
	layer_summary(ds, "%s%s%s", type_name(type), *detail ? ": " : "", detail);
	ds->at = at + ICMP6_HEADER_BYTES;
	dissect_message(ds, at + 4, type);
	if (type < FIRST_INFORMATIONAL && type >= UNREACHABLE && type <= PARAMETER_PROBLEM && !ds->quoted) {
		ds->quoted = true;
		dissect_next(ds, UNDER_ETHERNET, ETH_P_IPV6);
	}
}

const struct proto proto_icmp6 = {
	.name = "ICMPv6",
	.key = "icmpv6",
	.source = "RFC 4443 §2.1",
	.under = UNDER_IP6,
	PROTO_NUMBERS(NEXTHDR_ICMPV6),
	.dissect = dissect_icmp6,
	.line = line_icmp,
};
