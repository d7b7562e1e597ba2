// SPDX-License-Identifier: GPL-2.0-only
/*
 * IPv6, RFC 8200 §3.
 *
 *  |version| traffic class |              flow label               |
 *  |        payload length         |  next header  |   hop limit   |
 *  |                   source address (16 bytes)                   |
 *  |                 destination address (16 bytes)                |
 */
#include "proto/dissect.h"

static void dissect_fixed(struct dissector *ds, uint32_t at)
{
	uint8_t next = read8(ds, at + 6), class = read16(ds, at) >> 4;
	struct field *field = field_bits(ds, at, 0, 4, "version", "ipv6.version");

	field_means(ds, field, "%s", read8(ds, at) >> 4 == 6 ? "IPv6" : "wrong: must be 6");
	field = field_bits(ds, at, 4, 8, "traffic class", "ipv6.tclass");
	field_means(ds, field, "DSCP and ECN together");
	field = field_bits(ds, at, 4, 6, "  DSCP", "ipv6.tclass.dscp");
	field_means(ds, field, "%s", dscp_name(class >> 2));
	field_from(field, "RFC 2474 §3");
	field = field_bits(ds, at + 1, 2, 2, "  ECN", "ipv6.tclass.ecn");
	field_means(ds, field, "%s", ecn_meaning(class));
	field_from(field, "RFC 3168 §5");
	field = field_bits(ds, at + 1, 4, 20, "flow label", "ipv6.flow");
	field_means(ds, field, "%s", field && field->raw ? "the same in all packets of a flow" : "none");
	field_from(field, "RFC 6437 §2");
	field_means(ds, field_number(ds, at + 4, 2, "payload length", "ipv6.plen"),
		    "bytes behind this header");
	field = field_number(ds, at + 6, 1, "next header", "ipv6.nxt");
	field_means(ds, field, "%s", ip_protocol_name(next) ? ip_protocol_name(next) : "unknown to xdplife");
	field = field_number(ds, at + 7, 1, "hop limit", "ipv6.hlim");
	field_means(ds, field, "hops that it may still take; each router takes one off");
}

static void dissect_ip6(struct dissector *ds)
{
	uint32_t at = ds->at;
	const struct field *src, *dst;
	const uint8_t *addresses;
	const char *src_text = "?";

	if (read_bytes(ds, at + 4, 2))
		dissect_limit(ds, at + sizeof(struct ipv6hdr) + read16(ds, at + 4));
	ds->ip.version = 6;
	ds->ip.fragment = ds->ip.later_fragment = false;
	ds->ip.addresses_known = true;
	dissect_fixed(ds, at);
	src = field_ip6(ds, at + 8, "source address", "ipv6.src");
	if (src)
		src_text = src->value;
	dst = field_ip6(ds, at + 24, "destination address", "ipv6.dst");
	layer_summary(ds, "%s → %s", src_text, dst ? dst->value : "?");
	addresses = read_bytes(ds, at + 8, 32);
	if (addresses) {
		__builtin_memcpy(ds->ip.src.byte, addresses, 16);
		__builtin_memcpy(ds->ip.dst.byte, addresses + 16, 16);
	}
	ds->at = at + sizeof(struct ipv6hdr);
	dissect_next(ds, UNDER_IP6, read8(ds, at + 6));
}

static void line_ip6(struct line *line, const struct dissection *d, const struct layer *layer,
		     const struct line_options *options)
{
	const struct field *next = layer_field(layer, "ipv6.nxt");

	(void)options;
	line_ends(line, d, layer, "ipv6.src", "ipv6.dst");
	if (next && layer_is_last(d, layer))
		line_add(line, "%s ", next->meaning);
}

const struct proto proto_ip6 = {
	.name = "IPv6",
	.key = "ipv6",
	.source = "RFC 8200 §3",
	.under = UNDER_ETHERNET,
	PROTO_NUMBERS(ETH_P_IPV6),
	.dissect = dissect_ip6,
	.line = line_ip6,
};
