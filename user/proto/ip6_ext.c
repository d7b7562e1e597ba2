// SPDX-License-Identifier: GPL-2.0-only
/*
 * The IPv6 extension headers, RFC 8200 §4, and AH, RFC 4302, which IPv4 has too.
 *
 *  most:      |  next header  | length (8 bytes, the first not counted) | ... |
 *  fragment:  |  next header  |   reserved    |  offset (13 bits) | 0 | M | identification (4 bytes) |
 *  AH:        |  next header  | length (4 bytes, minus 2) | reserved | SPI | sequence | ICV |
 */
#include "proto/dissect.h"

#define OPTION_PAD1         0
#define OPTION_PADN         1
#define OPTION_ROUTER_ALERT 5
#define OPTION_JUMBO        0xc2

#define ROUTING_SOURCE  0 /* RFC 5095: deprecated */
#define ROUTING_MOBILE  2 /* RFC 6275 §6.4 */
#define ROUTING_SEGMENT 4 /* RFC 8754 §2 */

#define ROUTING_FIXED_BYTES 8
#define AH_FIXED_BYTES      12

static void dissect_next_header(struct dissector *ds, const char *filter)
{
	uint8_t next = read8(ds, ds->at);
	struct field *field = field_number(ds, ds->at, 1, "next header", filter);

	field_means(ds, field, "%s", ip_protocol_name(next) ? ip_protocol_name(next) : "unknown to xdplife");
	/* Behind the header of a later fragment is payload, whatever the number says. */
	if (!ds->ip.later_fragment)
		dissect_next(ds, ds->ip.version == 4 ? UNDER_IP4 : UNDER_IP6, next);
}

/* The length octet. Return: the header's bytes. */
static uint32_t dissect_length(struct dissector *ds, const char *filter)
{
	uint32_t bytes = (read8(ds, ds->at + 1) + 1) * 8;
	struct field *field = field_number(ds, ds->at + 1, 1, "header length", filter);

	field_means(ds, field, "+ 1, × 8 = %u bytes", bytes);
	return bytes;
}

static const char *option_name(uint8_t type)
{
	switch (type) {
	case OPTION_PAD1:
		return "one byte of padding (Pad1)";
	case OPTION_PADN:
		return "padding (PadN)";
	case OPTION_ROUTER_ALERT:
		return "router alert: every router is to look at the packet (RFC 2711)";
	case OPTION_JUMBO:
		return "jumbo payload (RFC 2675)";
	default:
		return "unknown to xdplife";
	}
}

static void dissect_options(struct dissector *ds, uint32_t at, uint32_t end)
{
	while (captured(ds, at, end)) {
		uint8_t type = read8(ds, at), bytes = read8(ds, at + 1);
		struct field *field = field_hex(ds, at, 1, "option type", "ipv6.opt.type");

		field_means(ds, field, "%s", option_name(type));
		at++;
		if (type == OPTION_PAD1)
			continue;
		field = field_number(ds, at, 1, "option length", "ipv6.opt.length");
		at++;
		if (bytes > end - at) {
			field_means(ds, field, "wrong: beyond the header");
			return;
		}
		field_means(ds, field, "bytes that follow");
		field_blob(ds, at, bytes, "option data", NULL);
		at += bytes;
	}
}

static void dissect_hop_by_hop(struct dissector *ds)
{
	uint32_t bytes;

	dissect_next_header(ds, "ipv6.hopopts.nxt");
	bytes = dissect_length(ds, "ipv6.hopopts.len");
	dissect_options(ds, ds->at + 2, ds->at + bytes);
	ds->at += bytes;
}

const struct proto proto_ip6_hop_by_hop = {
	.name = "IPv6 hop-by-hop options",
	.key = "ipv6.hopopts",
	.source = "RFC 8200 §4.3",
	.under = UNDER_IP6,
	PROTO_NUMBERS(NEXTHDR_HOP_BY_HOP),
	.dissect = dissect_hop_by_hop,
};

static void dissect_dest_opts(struct dissector *ds)
{
	uint32_t bytes;

	dissect_next_header(ds, "ipv6.dstopts.nxt");
	bytes = dissect_length(ds, "ipv6.dstopts.len");
	dissect_options(ds, ds->at + 2, ds->at + bytes);
	ds->at += bytes;
}

const struct proto proto_ip6_dest_opts = {
	.name = "IPv6 destination options",
	.key = "ipv6.dstopts",
	.source = "RFC 8200 §4.6",
	.under = UNDER_IP6,
	PROTO_NUMBERS(NEXTHDR_DEST_OPTS),
	.dissect = dissect_dest_opts,
};

/*
 * RFC 8200 §8.1: the checksum above covers the final destination, which a route not yet at its end carries
 * inside. It is the last address of a source route and the first of a segment list, which runs backwards.
 */
static void final_destination(struct dissector *ds, uint8_t type, uint32_t addresses, uint32_t bytes)
{
	uint32_t last = addresses + bytes - ROUTING_FIXED_BYTES - sizeof(ds->ip.dst);
	const uint8_t *address = NULL;

	if (bytes < ROUTING_FIXED_BYTES + sizeof(ds->ip.dst))
		address = NULL;
	else if (type == ROUTING_SOURCE || type == ROUTING_MOBILE)
		address = read_bytes(ds, last, sizeof(ds->ip.dst));
	else if (type == ROUTING_SEGMENT)
		address = read_bytes(ds, addresses, sizeof(ds->ip.dst));
	ds->ip.addresses_known = address;
	if (address)
		__builtin_memcpy(ds->ip.dst.byte, address, sizeof(ds->ip.dst));
}

static const char *routing_name(uint8_t type)
{
	switch (type) {
	case ROUTING_SOURCE:
		return "source route, deprecated (RFC 5095)";
	case ROUTING_MOBILE:
		return "home address of a mobile node (RFC 6275 §6.4)";
	case ROUTING_SEGMENT:
		return "segment routing (RFC 8754 §2)";
	default:
		return "unknown to xdplife";
	}
}

static void dissect_routing(struct dissector *ds)
{
	uint32_t at = ds->at, bytes;
	uint8_t type = read8(ds, at + 2), left = read8(ds, at + 3);
	struct field *field;

	dissect_next_header(ds, "ipv6.routing.nxt");
	bytes = dissect_length(ds, "ipv6.routing.len");
	field = field_number(ds, at + 2, 1, "routing type", "ipv6.routing.type");
	field_means(ds, field, "%s", routing_name(type));
	field = field_number(ds, at + 3, 1, "segments left", "ipv6.routing.segleft");
	field_means(ds, field, "%s", left ? "nodes still to be visited" : "the packet is where it should go");
	field_blob(ds, at + 4, 4, "type-specific data", NULL);
	for (uint32_t i = ROUTING_FIXED_BYTES; i + 16 <= bytes && captured(ds, at + i, at + bytes); i += 16)
		field_ip6(ds, at + i, "address", NULL);
	if (left)
		final_destination(ds, type, at + ROUTING_FIXED_BYTES, bytes);
	ds->at += bytes;
}

const struct proto proto_ip6_routing = {
	.name = "IPv6 routing",
	.key = "ipv6.routing",
	.source = "RFC 8200 §4.4",
	.under = UNDER_IP6,
	PROTO_NUMBERS(NEXTHDR_ROUTING),
	.dissect = dissect_routing,
};

static void dissect_fragment(struct dissector *ds)
{
	uint32_t at = ds->at;
	uint16_t word = read16(ds, at + 2), offset = word & IP6_FRAG_OFFSET_MASK;
	struct field *field;

	ds->ip.fragment = word & (IP6_FRAG_OFFSET_MASK | IP6_FRAG_MORE);
	ds->ip.later_fragment = offset;
	dissect_next_header(ds, "ipv6.fraghdr.nxt");
	field_number(ds, at + 1, 1, "reserved", "ipv6.fraghdr.reserved_octet");
	field = field_bits(ds, at + 2, 0, 13, "fragment offset", "ipv6.fraghdr.offset");
	field_means(ds, field, "× 8: starts at byte %u", offset);
	field_bits(ds, at + 3, 5, 2, "reserved", "ipv6.fraghdr.reserved_bits");
	field_flag(ds, at + 3, 7, "more fragments", "ipv6.fraghdr.more", "this is not the last fragment",
		   offset ? "this is the last fragment" : "an atomic fragment: the whole packet (RFC 6946)");
	field_means(ds, field_hex(ds, at + 4, 4, "identification", "ipv6.fraghdr.ident"),
		    "the same in all fragments of a packet");
	ds->at += sizeof(struct ip6_fragment);
}

static void line_fragment(struct line *line, const struct dissection *d, const struct layer *layer,
			  const struct line_options *options)
{
	const struct field *offset = layer_field(layer, "ipv6.fraghdr.offset"),
			   *more = layer_field(layer, "ipv6.fraghdr.more"),
			   *id = layer_field(layer, "ipv6.fraghdr.ident");

	(void)d;
	(void)options;
	if (!offset || !more || !id)
		return;
	line_add(line, "fragment id %s offset %u%s ", id->value, (unsigned int)offset->raw * 8,
		 more->raw     ? " more follow"
		 : offset->raw ? " last"
			       : " atomic");
	if (layer_is_last(d, layer))
		line_add(line, "%s ", layer_field(layer, "ipv6.fraghdr.nxt")->meaning);
}

const struct proto proto_ip6_fragment = {
	.name = "IPv6 fragment",
	.key = "ipv6.fraghdr",
	.source = "RFC 8200 §4.5",
	.under = UNDER_IP6,
	PROTO_NUMBERS(NEXTHDR_FRAGMENT),
	.dissect = dissect_fragment,
	.line = line_fragment,
};

static void dissect_mobility(struct dissector *ds)
{
	uint32_t bytes;

	dissect_next_header(ds, NULL);
	bytes = dissect_length(ds, NULL);
	field_number(ds, ds->at + 2, 1, "message type", NULL);
	field_blob(ds, ds->at + 3, bytes - 3, "message", NULL);
	ds->at += bytes;
}

const struct proto proto_ip6_mobility = {
	.name = "IPv6 mobility",
	.key = "mip6",
	.source = "RFC 6275 §6.1.1",
	.under = UNDER_IP6,
	PROTO_NUMBERS(NEXTHDR_MOBILITY),
	.dissect = dissect_mobility,
};

static void dissect_ah(struct dissector *ds)
{
	uint32_t at = ds->at, bytes = (read8(ds, at + 1) + 2) * 4;
	struct field *field;

	dissect_next_header(ds, "ah.next_header");
	field = field_number(ds, at + 1, 1, "header length", "ah.length");
	field_means(ds, field, "+ 2, × 4 = %u bytes", bytes);
	field_number(ds, at + 2, 2, "reserved", "ah.reserved");
	field_means(ds, field_hex(ds, at + 4, 4, "SPI", "ah.spi"), "names the security association");
	field_means(ds, field_number(ds, at + 8, 4, "sequence number", "ah.sequence"),
		    "against replayed packets");
	if (bytes > AH_FIXED_BYTES)
		field_means(ds,
			    field_blob(ds, at + AH_FIXED_BYTES, bytes - AH_FIXED_BYTES, "integrity check",
				       "ah.icv"),
			    "cannot be verified without the key");
	ds->at += bytes;
}

const struct proto proto_ah = {
	.name = "AH",
	.key = "ah",
	.source = "RFC 4302 §2",
	.under = UNDER_IP4 | UNDER_IP6,
	PROTO_NUMBERS(NEXTHDR_AH),
	.dissect = dissect_ah,
};
