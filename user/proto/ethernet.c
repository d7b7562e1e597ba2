// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ethernet II (IEEE 802.3 §3.2) and VLAN tags (IEEE 802.1Q §9.6).
 *
 *  |      destination (6 bytes)    |       source (6 bytes)        | type (2) |
 *  a tag, in front of the type:  | TPID (2) | priority 3 | DEI 1 | VLAN identifier 12 |
 */
#include "proto/dissect.h"

#define LENGTH_MAX     1500 /* IEEE 802.3 §3.2.6: up to this the type field is a length */
#define ETHERNET_BYTES 14

static void dissect_type(struct dissector *ds, uint32_t at, const char *type_filter,
			 const char *length_filter)
{
	uint16_t type = read16(ds, at);
	const char *name = ether_type_name(type);
	struct field *field;

	if (type <= LENGTH_MAX) {
		field = field_number(ds, at, 2, "length", length_filter);
		field_means(ds, field, "bytes that follow (IEEE 802.3; LLC, not a type)");
		ds->at = at + 2;
		dissect_limit(ds, ds->at + type);
		return;
	}
	field = field_hex(ds, at, 2, "type", type_filter);
	field_means(ds, field, "what follows: %s", name ? name : "unknown to xdplife");
	ds->at = at + 2;
	dissect_next(ds, UNDER_ETHERNET, type);
}

static void dissect_ethernet(struct dissector *ds)
{
	const struct field *src;
	const char *dst_text = "";

	src = field_mac(ds, ds->at, "destination", "eth.dst");
	if (src)
		dst_text = src->value;
	src = field_mac(ds, ds->at + 6, "source", "eth.src");
	layer_summary(ds, "%s → %s", src ? src->value : "?", dst_text);
	dissect_type(ds, ds->at + 12, "eth.type", "eth.len");
}

/* Where IP or ARP follows, their line says more. */
static void line_ethernet(struct line *line, const struct dissection *d, const struct layer *layer,
			  const struct line_options *options)
{
	(void)options;
	if (dissection_layer(d, "IPv4") || dissection_layer(d, "IPv6") || dissection_layer(d, "ARP"))
		return;
	line_add(line, "%s ", layer->summary);
	if (d->packet.eth_type)
		line_add(line, "type 0x%04x ", FROM_BE16(d->packet.eth_type));
	line_add(line, "len %zu ", d->wire_bytes);
}

const struct proto proto_ethernet = {
	.name = "Ethernet",
	.key = "eth",
	.source = "IEEE 802.3 §3.2",
	.dissect = dissect_ethernet,
	.line = line_ethernet,
};

static void dissect_vlan(struct dissector *ds)
{
	bool service = ds->number == ETH_P_8021AD;
	uint32_t at = ds->at;
	struct field *field;
	uint16_t vid = read16(ds, at) & VLAN_VID_MASK;

	field = field_bits(ds, at, 0, 3, "priority", service ? "ieee8021ad.priority" : "vlan.priority");
	field_means(ds, field, "%s",
		    field && field->raw == 0 ? "best effort"
					     : "0 to 7; the standard's order is 1 0 2 3 4 5 6 7");
	field_flag(ds, at, 3, "drop eligible", service ? "ieee8021ad.dei" : "vlan.dei",
		   "may be dropped first", "not to be dropped before others");
	field = field_bits(ds, at, 4, 12, "VLAN identifier", service ? "ieee8021ad.id" : "vlan.id");
	field_means(ds, field, "%s",
		    vid == 0  ? "none: the tag carries a priority only"
		    : service ? "of the provider (S-tag)"
			      : "");
	layer_summary(ds, "VLAN %u%s", vid, service ? " (service tag)" : "");
	dissect_type(ds, at + 2, service ? "ieee8021ah.etype" : "vlan.etype", "vlan.len");
}

static void line_vlan(struct line *line, const struct dissection *d, const struct layer *layer,
		      const struct line_options *options)
{
	(void)d;
	(void)options;
	for (size_t i = 0; i < layer->field_count; i++)
		if (layer->fields[i].bits == 12)
			line_add(line, "vlan %s ", layer->fields[i].value);
}

const struct proto proto_vlan = {
	.name = "VLAN",
	.key = "vlan",
	.source = "IEEE 802.1Q §9.6",
	.under = UNDER_ETHERNET,
	PROTO_NUMBERS(ETH_P_8021Q, ETH_P_8021AD),
	.dissect = dissect_vlan,
	.line = line_vlan,
};
