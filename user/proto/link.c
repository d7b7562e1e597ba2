// SPDX-License-Identifier: GPL-2.0-only
/*
 * What captures have in place of an Ethernet header (tcpdump.org/linktypes.html).
 *
 *  Linux cooked (SLL), of the interface "any":
 *  | packet type 2 | device type 2 | address length 2 | address 8 | protocol 2 |
 *  its second version (SLL2):
 *  | protocol 2 | reserved 2 | interface index 4 | device type 2 | packet type 1 | address length 1 | address 8 |
 *  BSD loopback (NULL, LOOP):
 *  | address family 4 |
 */
#include "proto/dissect.h"

#define ADDRESS_BYTES 8
#define MAC_BYTES     6

static const char *packet_type_meaning(uint64_t type)
{
	switch (type) {
	case PACKET_HOST:
		return "in: to this machine";
	case PACKET_BROADCAST:
		return "in: to all";
	case PACKET_MULTICAST:
		return "in: to a group";
	case PACKET_OTHERHOST:
		return "in: to another machine, and seen";
	case PACKET_OUTGOING:
		return "out: sent by this machine";
	default:
		return "unknown to xdplife";
	}
}

static const char *device_type_meaning(uint64_t type)
{
	switch (type) {
	case LINK_DEVICE_ETHERNET:
		return "Ethernet";
	case LINK_DEVICE_PPP:
		return "PPP";
	case LINK_DEVICE_LOOPBACK:
		return "the loopback interface";
	case LINK_DEVICE_NONE:
		return "none: a tun, WireGuard";
	case LINK_DEVICE_TUNNEL:
		return "IPIP tunnel";
	case LINK_DEVICE_TUNNEL6:
		return "tunnel over IPv6";
	case LINK_DEVICE_SIT:
		return "6in4 tunnel";
	case LINK_DEVICE_GRE:
		return "GRE tunnel";
	case LINK_DEVICE_NETLINK:
		return "netlink";
	default:
		return "";
	}
}

static void packet_type(struct dissector *ds, uint32_t at, uint32_t bytes)
{
	struct field *field = field_number(ds, at, bytes, "packet type", "sll.pkttype");

	if (field)
		field_means(ds, field, "%s", packet_type_meaning(field->raw));
}

/* Return: the type. */
static uint16_t device_type(struct dissector *ds, uint32_t at)
{
	struct field *field = field_number(ds, at, 2, "device type", "sll.hatype");

	if (field)
		field_means(ds, field, "%s", device_type_meaning(field->raw));
	return read16(ds, at);
}

/* The length, and as much of eight bytes as it says; they are the sender's. */
static void address(struct dissector *ds, uint32_t length_at, uint32_t length_bytes, uint32_t at)
{
	struct field *field = field_number(ds, length_at, length_bytes, "address length", "sll.halen");
	uint32_t bytes = field && field->raw < ADDRESS_BYTES ? field->raw : ADDRESS_BYTES;

	if (bytes == MAC_BYTES)
		field_mac(ds, at, "source", "sll.src.eth");
	else if (bytes)
		field_blob(ds, at, bytes, "source", "sll.src.other");
	if (bytes < ADDRESS_BYTES)
		field_blob(ds, at + bytes, ADDRESS_BYTES - bytes, "unused", "sll.unused");
}

static void protocol(struct dissector *ds, uint32_t at, uint16_t device)
{
	__be16 type = link_cooked_type(TO_BE16(device), TO_BE16(read16(ds, at)));
	const char *name = ether_type_name(FROM_BE16(type));
	struct field *field = field_hex(ds, at, 2, "protocol", type ? "sll.etype" : NULL);

	field_means(ds, field, "%s%s", type ? "what follows: " : "no EtherType on such a device",
		    !type  ? ""
		    : name ? name
			   : "unknown to xdplife");
	if (type)
		dissect_next(ds, UNDER_ETHERNET, FROM_BE16(type));
}

static void dissect_cooked(struct dissector *ds)
{
	uint32_t at = ds->at;
	uint16_t device;

	packet_type(ds, at, 2);
	device = device_type(ds, at + 2);
	address(ds, at + 4, 2, at + 6);
	protocol(ds, at + 14, device);
	layer_summary(ds, "%s", packet_type_meaning(read16(ds, at)));
	ds->at = at + sizeof(struct link_cooked);
}

static void dissect_cooked2(struct dissector *ds)
{
	uint32_t at = ds->at;

	protocol(ds, at, read16(ds, at + 8));
	field_hex(ds, at + 2, 2, "reserved", NULL);
	field_number(ds, at + 4, 4, "interface index", "sll.ifindex");
	device_type(ds, at + 8);
	packet_type(ds, at + 10, 1);
	address(ds, at + 11, 1, at + 12);
	layer_summary(ds, "%s", packet_type_meaning(read8(ds, at + 10)));
	ds->at = at + sizeof(struct link_cooked2);
}

static void dissect_family(struct dissector *ds)
{
	struct field *field = field_hex(ds, ds->at, sizeof(uint32_t), "address family", "null.family");
	const uint8_t *byte = read_bytes(ds, ds->at, sizeof(uint32_t));
	uint32_t family = byte ? link_family(byte) : 0;
	uint16_t type = FROM_BE16(link_family_type(family));

	field_means(ds, field, "%u, in the byte order of the machine that captured: %s", family,
		    type ? ether_type_name(type) : "unknown to xdplife");
	layer_summary(ds, "%s", type ? ether_type_name(type) : "unknown");
	if (type)
		dissect_next(ds, UNDER_ETHERNET, type);
	ds->at += sizeof(uint32_t);
}

/* Where IP or ARP follows, their line says more. */
static void line_link(struct line *line, const struct dissection *d, const struct layer *layer,
		      const struct line_options *options)
{
	(void)options;
	if (!layer_is_last(d, layer))
		return;
	line_add(line, "%s %s ", layer_name(layer), layer->summary);
	if (d->packet.eth_type)
		line_add(line, "type 0x%04x ", FROM_BE16(d->packet.eth_type));
	line_add(line, "len %zu ", d->wire_bytes);
}

const struct proto proto_cooked = {
	.name = "Linux cooked",
	.key = "sll",
	.source = "LINKTYPE_LINUX_SLL",
	.dissect = dissect_cooked,
	.line = line_link,
};

const struct proto proto_cooked2 = {
	.name = "Linux cooked v2",
	.key = "sll2",
	.source = "LINKTYPE_LINUX_SLL2",
	.dissect = dissect_cooked2,
	.line = line_link,
};

const struct proto proto_family = {
	.name = "Loopback",
	.key = "null",
	.source = "LINKTYPE_NULL",
	.dissect = dissect_family,
	.line = line_link,
};
