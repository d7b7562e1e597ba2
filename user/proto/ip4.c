// SPDX-License-Identifier: GPL-2.0-only
/*
 * IPv4, RFC 791 §3.1.
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *  |version|  IHL  |type of service|          total length         |
 *  |        identification         |flags|     fragment offset     |
 *  | time to live  |   protocol    |        header checksum        |
 *  |                        source address                         |
 *  |                      destination address                      |
 *  |                    options, if IHL is over 5                  |
 */
#include "proto/dissect.h"
#include "xdplife/checksum.h"

#define OPTION_END          0
#define OPTION_NOP          1
#define OPTION_RECORD_ROUTE 7
#define OPTION_TIMESTAMP    68
#define OPTION_SECURITY     130
#define OPTION_LOOSE_ROUTE  131
#define OPTION_STREAM       136
#define OPTION_STRICT_ROUTE 137
#define OPTION_ROUTER_ALERT 148

static const char *option_name(uint8_t type)
{
	switch (type) {
	case OPTION_END:
		return "end of the options";
	case OPTION_NOP:
		return "no operation (padding)";
	case OPTION_RECORD_ROUTE:
		return "record route";
	case OPTION_TIMESTAMP:
		return "timestamps";
	case OPTION_SECURITY:
		return "security";
	case OPTION_LOOSE_ROUTE:
		return "loose source route";
	case OPTION_STREAM:
		return "stream identifier";
	case OPTION_STRICT_ROUTE:
		return "strict source route";
	case OPTION_ROUTER_ALERT:
		return "router alert: every router is to look at the packet (RFC 2113)";
	default:
		return "unknown to xdplife";
	}
}

static void dissect_route(struct dissector *ds, uint32_t at, uint8_t bytes, bool source_route)
{
	uint8_t pointer = read8(ds, at + 2);
	struct field *field = field_number(ds, at + 2, 1, "option pointer", "ip.opt.ptr");

	field_means(ds, field, "%s",
		    pointer > bytes ? "behind the last address"
				    : "the next address, counted from the type octet");
	for (uint32_t i = 3; i + 4 <= bytes; i += 4)
		field_ip4(ds, at + i, "route address", NULL);
	/* The checksum above covers the last address of the route, not the one in the header. */
	if (source_route && pointer <= bytes)
		ds->ip.addresses_known = false;
}

static void dissect_option_data(struct dissector *ds, uint32_t at, uint8_t type, uint8_t bytes)
{
	if (type == OPTION_ROUTER_ALERT && bytes == 4)
		field_number(ds, at + 2, 2, "router alert", "ip.opt.ra");
	else if (type == OPTION_RECORD_ROUTE && bytes >= 3)
		dissect_route(ds, at, bytes, false);
	else if ((type == OPTION_LOOSE_ROUTE || type == OPTION_STRICT_ROUTE) && bytes >= 3)
		dissect_route(ds, at, bytes, true);
	else if (bytes > 2)
		field_blob(ds, at + 2, bytes - 2, "option data", NULL);
}

static void dissect_options(struct dissector *ds, uint32_t at, uint32_t end)
{
	while (captured(ds, at, end)) {
		uint8_t type = read8(ds, at), bytes = read8(ds, at + 1);
		struct field *field = field_number(ds, at, 1, "option type", "ip.opt.type");

		field_means(ds, field, "%s", option_name(type));
		if (type == OPTION_END) {
			field_blob(ds, at + 1, end - at - 1, "padding", NULL);
			return;
		}
		if (type == OPTION_NOP) {
			at++;
			continue;
		}
		field = field_number(ds, at + 1, 1, "option length", "ip.opt.len");
		if (bytes < 2 || bytes > end - at) {
			field_means(ds, field, "wrong: below 2 or beyond the header");
			return;
		}
		field_means(ds, field, "bytes, type and length included");
		dissect_option_data(ds, at, type, bytes);
		at += bytes;
	}
}

static void dissect_tos(struct dissector *ds, uint32_t at)
{
	static const char *const precedences[] = {"routine",
						  "priority",
						  "immediate",
						  "flash",
						  "flash override",
						  "CRITIC/ECP",
						  "internetwork control",
						  "network control"};
	uint8_t tos = read8(ds, at), wish = tos >> 1 & 0xf;
	struct field *field = field_hex(ds, at, 1, "type of service", "ip.dsfield");

	field_means(ds, field, "precedence %u (%s), %s", tos >> 5, precedences[tos >> 5],
		    wish == 8   ? "minimise delay"
		    : wish == 4 ? "maximise throughput"
		    : wish == 2 ? "maximise reliability"
		    : wish == 1 ? "minimise cost"
		    : wish == 0 ? "normal service"
				: "several wishes at once");
	field_from(field, "RFC 791, RFC 1349");
	field = field_bits(ds, at, 0, 6, "  or today: DSCP", "ip.dsfield.dscp");
	field_means(ds, field, "%s", dscp_name(tos >> 2));
	field_from(field, "RFC 2474 §3");
	field = field_bits(ds, at, 6, 2, "  and ECN", "ip.dsfield.ecn");
	field_means(ds, field, "%s", ecn_meaning(tos));
	field_from(field, "RFC 3168 §5");
}

static void dissect_fragmentation(struct dissector *ds, uint32_t at)
{
	uint16_t word = read16(ds, at), offset = word & IP4_OFFSET_MASK;
	struct field *field;

	field_flag(ds, at, 0, "reserved flag", "ip.flags.rb", "must be 0", "");
	field_flag(ds, at, 1, "don't fragment", "ip.flags.df", "routers must drop it rather than split it",
		   "routers may split it");
	field_flag(ds, at, 2, "more fragments", "ip.flags.mf", "this is not the last fragment",
		   offset ? "this is the last fragment" : "this is the whole packet");
	field = field_bits(ds, at, 3, 13, "fragment offset", "ip.frag_offset");
	field_means(ds, field, "%s",
		    offset ? text_format(ds, "× 8: starts at byte %u of the datagram", offset * 8)
			   : "the datagram's beginning");
	ds->ip.fragment = word & (IP4_FLAG_MF | IP4_OFFSET_MASK);
	ds->ip.later_fragment = offset;
}

static void dissect_checksum(struct dissector *ds, uint32_t at, uint32_t header_bytes)
{
	struct field *field = field_hex(ds, at + 10, 2, "header checksum", "ip.checksum");
	const uint8_t *header = read_bytes(ds, at, header_bytes);
	uint64_t sum;

	if (!field)
		return;
	if (!header || header_bytes < sizeof(struct iphdr)) {
		field->check = FIELD_CHECK_UNVERIFIABLE;
		field_means(ds, field, "not verifiable (%s)",
			    header ? "the header length is wrong" : "truncated capture");
		return;
	}
	sum = checksum_bytes(header + 12, header_bytes - 12, checksum_bytes(header, 10, 0));
	check_result(ds, field, field->raw, FROM_BE16(~checksum_fold(sum)));
}

static void dissect_fixed(struct dissector *ds, uint32_t at, uint32_t header_bytes, uint32_t total_bytes)
{
	uint8_t version = read8(ds, at) >> 4, proto = read8(ds, at + 9);
	struct field *field = field_bits(ds, at, 0, 4, "version", "ip.version");

	field_means(ds, field, "%s", version == 4 ? "IPv4" : "wrong: must be 4");
	field = field_bits(ds, at, 4, 4, "header length", "ip.hdr_len");
	field_means(ds, field, "× 4 = %u bytes%s", header_bytes,
		    header_bytes < sizeof(struct iphdr) ? ", wrong: at least 5 words" : "");
	dissect_tos(ds, at + 1);
	field = field_number(ds, at + 2, 2, "total length", "ip.len");
	field_means(ds, field, "bytes, header included%s",
		    total_bytes < header_bytes ? "; wrong: shorter than it" : "");
	field_means(ds, field_hex(ds, at + 4, 2, "identification", "ip.id"),
		    "the same in all fragments of a datagram");
	dissect_fragmentation(ds, at + 6);
	field = field_number(ds, at + 8, 1, "time to live", "ip.ttl");
	field_means(ds, field, "hops that it may still take; each router takes one off");
	field = field_number(ds, at + 9, 1, "protocol", "ip.proto");
	field_means(ds, field, "%s",
		    ip_protocol_name(proto) ? ip_protocol_name(proto) : "unknown to xdplife");
	dissect_checksum(ds, at, header_bytes);
}

static void dissect_ip4(struct dissector *ds)
{
	uint32_t at = ds->at, header_bytes = (read8(ds, at) & 0xf) * 4, total_bytes = read16(ds, at + 2);
	const struct field *src, *dst;
	const uint8_t *addresses;
	const char *src_text = "?";

	if (total_bytes >= header_bytes && total_bytes >= sizeof(struct iphdr))
		dissect_limit(ds, at + total_bytes);
	ds->ip.version = 4;
	ds->ip.addresses_known = true;
	dissect_fixed(ds, at, header_bytes, total_bytes);
	src = field_ip4(ds, at + 12, "source address", "ip.src");
	if (src)
		src_text = src->value;
	dst = field_ip4(ds, at + 16, "destination address", "ip.dst");
	layer_summary(ds, "%s → %s", src_text, dst ? dst->value : "?");
	addresses = read_bytes(ds, at + 12, 8);
	if (addresses) {
		__builtin_memcpy(ds->ip.src.byte, addresses, 4);
		__builtin_memcpy(ds->ip.dst.byte, addresses + 4, 4);
	}
	ds->at = at + sizeof(struct iphdr);
	if (header_bytes < sizeof(struct iphdr))
		return;
	dissect_options(ds, ds->at, at + header_bytes);
	ds->at = at + header_bytes;
	if (!ds->ip.later_fragment)
		dissect_next(ds, UNDER_IP4, read8(ds, at + 9));
}

static void line_ip4(struct line *line, const struct dissection *d, const struct layer *layer,
		     const struct line_options *options)
{
	const struct field *offset = layer_field(layer, "ip.frag_offset"),
			   *more = layer_field(layer, "ip.flags.mf");
	const struct field *proto = layer_field(layer, "ip.proto");

	(void)options;
	line_ends(line, d, layer, "ip.src", "ip.dst");
	if (offset && more && (offset->raw || more->raw))
		line_add(line, "fragment id %s offset %u%s ", layer_field(layer, "ip.id")->value,
			 (unsigned int)offset->raw * 8, more->raw ? " more follow" : " last");
	if (proto && layer_is_last(d, layer))
		line_add(line, "%s ", proto->meaning);
}

const struct proto proto_ip4 = {
	.name = "IPv4",
	.key = "ip",
	.source = "RFC 791 §3.1",
	.under = UNDER_ETHERNET,
	PROTO_NUMBERS(ETH_P_IP),
	.dissect = dissect_ip4,
	.line = line_ip4,
};
