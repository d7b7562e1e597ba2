// SPDX-License-Identifier: GPL-2.0-only
/* The table of protocols, and the walk from one layer to the next. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/dissect.h"

/* Looked through in this order; links, data and padding are reached by name. */
static const struct proto *const protos[] = {
	&proto_vlan,          &proto_arp,         &proto_ip4,
	&proto_ip6,           &proto_tcp,         &proto_udp,
	&proto_icmp,          &proto_icmp6,       &proto_ip6_hop_by_hop,
	&proto_ip6_dest_opts, &proto_ip6_routing, &proto_ip6_fragment,
	&proto_ip6_mobility,  &proto_ah,          &proto_http,
};

static bool proto_has_number(const struct proto *proto, uint16_t number)
{
	for (size_t i = 0; i < proto->number_count; i++)
		if (proto->numbers[i] == number)
			return true;
	return false;
}

static const struct proto *find_next(const struct dissector *ds)
{
	uint32_t count = captured(ds, ds->at, ds->end);

	for (size_t i = 0; i < sizeof(protos) / sizeof(*protos); i++) {
		const struct proto *proto = protos[i];

		if (!(proto->under & ds->next_under))
			continue;
		if (proto->recognise ? proto->recognise(ds->d->data + ds->at, count)
				     : proto_has_number(proto, ds->next_number))
			return proto;
	}
	return &proto_data;
}

void dissect_next(struct dissector *ds, enum proto_under under, uint16_t number)
{
	ds->next_under = under;
	ds->next_number = number;
}

void dissect_limit(struct dissector *ds, uint32_t end)
{
	if (end < ds->end)
		ds->end = end;
	if (!ds->quoted)
		ds->packet_end = ds->end;
}

static void dissect_layer(struct dissector *ds, const struct proto *proto)
{
	struct dissection *d = ds->d;

	ds->layer = &d->layers[d->layer_count++];
	*ds->layer = (struct layer){.proto = proto, .offset = ds->at, .quoted = ds->quoted, .summary = ""};
	ds->number = ds->next_number;
	dissect_next(ds, UNDER_NOTHING, 0);
	proto->dissect(ds);
	ds->layer->bytes = captured(ds, ds->layer->offset, ds->at);
	if (ds->layer->cut) /* the part of a header that is there belongs to its layer, not to what would
			       follow */
		ds->at = ds->end;
}

static const struct proto *first_of_ip(const struct dissector *ds)
{
	switch (read8(ds, 0) >> 4) {
	case 4:
		return &proto_ip4;
	case 6:
		return &proto_ip6;
	default:
		return &proto_data;
	}
}

static const struct proto *first_proto(const struct dissector *ds)
{
	switch (ds->d->link) {
	case LINK_ETHERNET:
		return &proto_ethernet;
	case LINK_RAW_IP:
		return first_of_ip(ds);
	case LINK_COOKED:
		return &proto_cooked;
	case LINK_COOKED2:
		return &proto_cooked2;
	case LINK_FAMILY:
		return &proto_family;
	default:
		return &proto_data;
	}
}

static void dissect_rest(struct dissector *ds, uint32_t end, const struct proto *proto)
{
	ds->end = end;
	ds->quoted = false;
	if (captured(ds, ds->at, end) && ds->d->layer_count < DISSECT_MAX_LAYERS)
		dissect_layer(ds, proto);
	ds->at = end;
}

static void dissect_all(struct dissector *ds)
{
	const struct proto *proto = first_proto(ds);

	/* Two layers are kept for the rest of the packet and the padding behind it. */
	while (captured(ds, ds->at, ds->end) && ds->d->layer_count < DISSECT_MAX_LAYERS - 2) {
		dissect_layer(ds, proto);
		proto = find_next(ds);
	}
	dissect_rest(ds, ds->packet_end, &proto_data);
	dissect_rest(ds, ds->d->wire_bytes, &proto_padding);
}

int dissect(struct dissection *d, const void *data, size_t captured_bytes, size_t wire_bytes,
	    enum link_kind link)
{
	struct dissector ds = {.d = d, .end = wire_bytes, .packet_end = wire_bytes};

	memset(&d->packet, 0, sizeof(d->packet));
	d->link = link;
	d->data = data;
	d->captured_bytes = captured_bytes;
	d->wire_bytes = wire_bytes;
	d->layer_count = 0;
	d->texts = NULL;
	parse_link(&d->packet, link, data, d->data + captured_bytes, wire_bytes);
	parse_syn_options(&d->packet, data);
	dissect_all(&ds);
	return ds.failed ? -ENOMEM : 0;
}

void dissection_free(struct dissection *d)
{
	for (size_t i = 0; i < d->layer_count; i++)
		free(d->layers[i].fields);
	d->layer_count = 0;
	texts_free(d);
}

bool dissection_is_cut(const struct dissection *d)
{
	if (d->captured_bytes >= d->wire_bytes)
		return false;
	switch (packet_malformed(&d->packet)) {
	case MALFORMED_ETH_TRUNCATED:
	case MALFORMED_VLAN_TRUNCATED:
	case MALFORMED_ARP_TRUNCATED:
	case MALFORMED_IP4_TRUNCATED:
	case MALFORMED_IP6_TRUNCATED:
	case MALFORMED_IP6_EXT_TRUNCATED:
	case MALFORMED_FRAGMENT_TINY:
	case MALFORMED_TCP_TRUNCATED:
	case MALFORMED_UDP_TRUNCATED:
	case MALFORMED_ICMP_TRUNCATED:
	case MALFORMED_ICMP6_TRUNCATED:
		return true;
	default:
		return false;
	}
}

const struct layer *dissection_layer(const struct dissection *d, const char *name)
{
	for (size_t i = 0; i < d->layer_count; i++)
		if (!d->layers[i].quoted && !strcmp(d->layers[i].proto->name, name))
			return &d->layers[i];
	return NULL;
}

const struct field *layer_field(const struct layer *layer, const char *filter)
{
	for (size_t i = 0; i < layer->field_count; i++)
		if (layer->fields[i].filter && !strcmp(layer->fields[i].filter, filter))
			return &layer->fields[i];
	return NULL;
}

const char *layer_name(const struct layer *layer)
{
	return layer->proto->name;
}

const char *layer_key(const struct layer *layer)
{
	return layer->proto->key;
}
