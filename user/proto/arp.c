// SPDX-License-Identifier: GPL-2.0-only
/*
 * ARP, RFC 826: which MAC has this address?
 *
 *  | hardware type | protocol type | hardware size | protocol size | operation |
 *  | sender MAC, sender address, target MAC, target address                    |
 */
#include "proto/dissect.h"

#define ARP_FIXED_BYTES 8

static void dissect_addresses(struct dissector *ds, uint32_t at)
{
	field_mac(ds, at, "sender MAC", "arp.src.hw_mac");
	field_ip4(ds, at + 6, "sender address", "arp.src.proto_ipv4");
	field_mac(ds, at + 10, "target MAC", "arp.dst.hw_mac");
	field_ip4(ds, at + 16, "target address", "arp.dst.proto_ipv4");
}

/* Sizes other than those of Ethernet and IPv4. */
static void dissect_blobs(struct dissector *ds, uint32_t at, uint8_t hw, uint8_t proto)
{
	field_blob(ds, at, hw, "sender hardware address", "arp.src.hw");
	field_blob(ds, at + hw, proto, "sender protocol address", "arp.src.proto");
	field_blob(ds, at + hw + proto, hw, "target hardware address", "arp.dst.hw");
	field_blob(ds, at + 2 * hw + proto, proto, "target protocol address", "arp.dst.proto");
}

static void dissect_arp(struct dissector *ds)
{
	static const char *const operations[] = {"reserved", "request: who has the target address?",
						 "reply: the sender has it"};
	uint32_t at = ds->at;
	uint16_t htype = read16(ds, at), ptype = read16(ds, at + 2), op = read16(ds, at + 6);
	uint8_t hw = read8(ds, at + 4), proto = read8(ds, at + 5);
	struct field *field;

	field = field_number(ds, at, 2, "hardware type", "arp.hw.type");
	field_means(ds, field, "%s", htype == ARP_HTYPE_ETHER ? "Ethernet" : "");
	field = field_hex(ds, at + 2, 2, "protocol type", "arp.proto.type");
	field_means(ds, field, "%s", ether_type_name(ptype) ? ether_type_name(ptype) : "");
	field_means(ds, field_number(ds, at + 4, 1, "hardware size", "arp.hw.size"), "bytes");
	field_means(ds, field_number(ds, at + 5, 1, "protocol size", "arp.proto.size"), "bytes");
	field = field_number(ds, at + 6, 2, "operation", "arp.opcode");
	field_means(ds, field, "%s", op <= ARP_OP_REPLY ? operations[op] : "");
	ds->at = at + ARP_FIXED_BYTES + 2 * (hw + proto);
	layer_summary(ds, "%s", op == ARP_OP_REQUEST ? "request" : op == ARP_OP_REPLY ? "reply" : "");
	if (htype == ARP_HTYPE_ETHER && ptype == ETH_P_IP && hw == 6 && proto == 4)
		dissect_addresses(ds, at + ARP_FIXED_BYTES);
	else
		dissect_blobs(ds, at + ARP_FIXED_BYTES, hw, proto);
	dissect_limit(ds, ds->at); /* what follows fills the frame up to its least size */
}

static void line_arp(struct line *line, const struct dissection *d, const struct layer *layer,
		     const struct line_options *options)
{
	const struct field *mac = layer_field(layer, "arp.src.hw_mac"),
			   *op = layer_field(layer, "arp.opcode");
	const struct field *from = layer_field(layer, "arp.src.proto_ipv4"),
			   *to = layer_field(layer, "arp.dst.proto_ipv4");

	(void)d;
	(void)options;
	line_add(line, "ARP ");
	if (!op || !mac || !from || !to)
		line_add(line, "operation %s ", op ? op->value : "?");
	else if (op->raw == ARP_OP_REQUEST && from->raw == to->raw)
		line_add(line, "announcement: %s is at %s ", from->value, mac->value);
	else if (op->raw == ARP_OP_REQUEST)
		line_add(line, "who has %s? tell %s (%s) ", to->value, from->value, mac->value);
	else if (op->raw == ARP_OP_REPLY)
		line_add(line, "%s is at %s ", from->value, mac->value);
	else
		line_add(line, "operation %s from %s ", op->value, from->value);
}

const struct proto proto_arp = {
	.name = "ARP",
	.key = "arp",
	.source = "RFC 826",
	.under = UNDER_ETHERNET,
	PROTO_NUMBERS(ETH_P_ARP),
	.dissect = dissect_arp,
	.line = line_arp,
};
