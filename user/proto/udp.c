// SPDX-License-Identifier: GPL-2.0-only
/*
 * UDP, RFC 768.
 *
 *  |          source port          |       destination port        |
 *  |            length             |           checksum            |
 */
#include "proto/dissect.h"

static void dissect_checksum(struct dissector *ds, uint32_t at, uint32_t bytes)
{
	struct field *field = field_hex(ds, at + 6, 2, "checksum", "udp.checksum");

	if (field && !field->raw && ds->ip.version == 4) {
		field->check = FIELD_CHECK_ABSENT;
		field_means(ds, field, "none: the sender computed no checksum, which IPv4 allows");
	} else if (field && !field->raw) {
		field->check = FIELD_CHECK_WRONG;
		field_means(ds, field, "wrong: IPv6 demands a checksum (RFC 8200 §8.1)");
	} else if (field && bytes < sizeof(struct udphdr)) {
		field->check = FIELD_CHECK_UNVERIFIABLE;
		field_means(ds, field, "not verifiable (the length is wrong)");
	} else {
		check_upper_layer(ds, field, at, bytes, IPPROTO_UDP, true);
	}
}

static void dissect_udp(struct dissector *ds)
{
	uint32_t at = ds->at, bytes = read16(ds, at + 4);
	struct field *field;

	for (int i = 0; i < 2; i++) {
		const char *name = port_name(read16(ds, at + 2 * i));

		field = field_number(ds, at + 2 * i, 2, i ? "destination port" : "source port",
				     i ? "udp.dstport" : "udp.srcport");
		field_means(ds, field, "%s", name ? name : "");
	}
	layer_summary(ds, "%u → %u", read16(ds, at), read16(ds, at + 2));
	field = field_number(ds, at + 4, 2, "length", "udp.length");
	field_means(ds, field, "bytes, header included%s",
		    bytes < sizeof(struct udphdr) ? "; wrong: at least 8" : "");
	dissect_checksum(ds, at, bytes);
	ds->at = at + sizeof(struct udphdr);
	if (bytes >= sizeof(struct udphdr) && !ds->quoted)
		ds->end = at + bytes < ds->end ? at + bytes : ds->end;
}

static void line_udp(struct line *line, const struct dissection *d, const struct layer *layer,
		     const struct line_options *options)
{
	const struct field *length = layer_field(layer, "udp.length");

	(void)d;
	(void)options;
	line_add(line, "UDP ");
	if (length && length->raw >= sizeof(struct udphdr))
		line_add(line, "len %u ", (unsigned int)(length->raw - sizeof(struct udphdr)));
}

const struct proto proto_udp = {
	.name = "UDP",
	.key = "udp",
	.source = "RFC 768",
	.under = UNDER_IP4 | UNDER_IP6,
	PROTO_NUMBERS(IPPROTO_UDP),
	.dissect = dissect_udp,
	.line = line_udp,
};
