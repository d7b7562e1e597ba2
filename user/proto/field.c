// SPDX-License-Identifier: GPL-2.0-only
/* Reads the bytes of a packet, each read checked against what was captured, and makes fields of them. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "proto/dissect.h"

#define BLOB_SHOWN_BYTES 16

uint32_t captured(const struct dissector *ds, uint32_t at, uint32_t end)
{
	if (end > ds->end)
		end = ds->end;
	if (end > ds->d->captured_bytes)
		end = ds->d->captured_bytes;
	return at < end ? end - at : 0;
}

const uint8_t *read_bytes(const struct dissector *ds, uint32_t at, uint32_t bytes)
{
	return captured(ds, at, at + bytes) == bytes ? ds->d->data + at : NULL;
}

static uint64_t read_number(const struct dissector *ds, uint32_t at, uint32_t bytes)
{
	const uint8_t *byte = read_bytes(ds, at, bytes);
	uint64_t number = 0;

	for (uint32_t i = 0; byte && i < bytes; i++)
		number = number << 8 | byte[i];
	return number;
}

uint8_t read8(const struct dissector *ds, uint32_t at)
{
	return read_number(ds, at, 1);
}

uint16_t read16(const struct dissector *ds, uint32_t at)
{
	return read_number(ds, at, 2);
}

static uint64_t read_bits(const struct dissector *ds, uint32_t at, uint8_t bit, uint32_t bits)
{
	uint32_t span = (bit + bits + 7) / 8;
	uint64_t number;

	if (bits > 64 || span > 8)
		return 0;
	number = read_number(ds, at, span) >> (span * 8 - bit - bits);
	return bits == 64 ? number : number & ((1ULL << bits) - 1);
}

static struct field *layer_grow(struct dissector *ds)
{
	struct layer *layer = ds->layer;
	size_t count = layer->field_count;

	/* Full at 0 and at each power of two from 16 on. */
	if (count == 0 || (count >= 16 && !(count & (count - 1)))) {
		size_t room = count ? 2 * count : 16;
		struct field *fields = realloc(layer->fields, room * sizeof(*fields));

		if (!fields) {
			ds->failed = true;
			return NULL;
		}
		layer->fields = fields;
	}
	return &layer->fields[layer->field_count++];
}

static struct field *field_add(struct dissector *ds, uint32_t at, uint8_t bit, uint32_t bits,
			       enum field_kind kind, const char *name, const char *filter)
{
	struct field *field;

	if (!bits || !read_bytes(ds, at, (bit + bits + 7) / 8)) {
		ds->layer->cut = true;
		return NULL;
	}
	field = layer_grow(ds);
	if (!field)
		return NULL;
	*field = (struct field){
		.offset = at,
		.bit = bit,
		.bits = bits,
		.kind = kind,
		.raw = read_bits(ds, at, bit, bits),
		.name = name,
		.filter = filter,
		.source = ds->layer->proto->source,
		.value = "",
		.meaning = "",
	};
	return field;
}

struct field *field_bits(struct dissector *ds, uint32_t at, uint8_t bit, uint32_t bits, const char *name,
			 const char *filter)
{
	struct field *field = field_add(ds, at, bit, bits, FIELD_NUMBER, name, filter);

	if (field)
		field_shows(ds, field, "%llu", (unsigned long long)field->raw);
	return field;
}

struct field *field_number(struct dissector *ds, uint32_t at, uint32_t bytes, const char *name,
			   const char *filter)
{
	return field_bits(ds, at, 0, bytes * 8, name, filter);
}

struct field *field_hex(struct dissector *ds, uint32_t at, uint32_t bytes, const char *name,
			const char *filter)
{
	struct field *field = field_add(ds, at, 0, bytes * 8, FIELD_HEX, name, filter);

	if (field)
		field_shows(ds, field, "0x%0*llx", (int)bytes * 2, (unsigned long long)field->raw);
	return field;
}

struct field *field_flag(struct dissector *ds, uint32_t at, uint8_t bit, const char *name, const char *filter,
			 const char *if_set, const char *if_not)
{
	struct field *field = field_add(ds, at, bit, 1, FIELD_FLAG, name, filter);

	if (field) {
		field->value = field->raw ? "set" : "not set";
		field->meaning = field->raw ? if_set : if_not;
	}
	return field;
}

struct field *field_mac(struct dissector *ds, uint32_t at, const char *name, const char *filter)
{
	struct field *field = field_add(ds, at, 0, 48, FIELD_ADDRESS, name, filter);
	const uint8_t *mac = ds->d->data + at;

	if (field) {
		field_shows(ds, field, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
			    mac[4], mac[5]);
		field->meaning = mac_meaning(mac);
	}
	return field;
}

static struct field *field_ip(struct dissector *ds, int family, uint32_t at, const char *name,
			      const char *filter)
{
	struct field *field = field_add(ds, at, 0, family == AF_INET ? 32 : 128, FIELD_ADDRESS, name, filter);
	char text[INET6_ADDRSTRLEN];

	if (field)
		field_shows(ds, field, "%s", inet_ntop(family, ds->d->data + at, text, sizeof(text)));
	return field;
}

struct field *field_ip4(struct dissector *ds, uint32_t at, const char *name, const char *filter)
{
	return field_ip(ds, AF_INET, at, name, filter);
}

struct field *field_ip6(struct dissector *ds, uint32_t at, const char *name, const char *filter)
{
	return field_ip(ds, AF_INET6, at, name, filter);
}

struct field *field_text(struct dissector *ds, uint32_t at, uint32_t bytes, const char *name,
			 const char *filter)
{
	struct field *field = field_add(ds, at, 0, bytes * 8, FIELD_TEXT, name, filter);

	if (field)
		field->value = text_of(ds, at, bytes);
	return field;
}

struct field *field_blob(struct dissector *ds, uint32_t at, uint32_t bytes, const char *name,
			 const char *filter)
{
	char text[BLOB_SHOWN_BYTES * 2 + 1] = "";
	uint32_t count = captured(ds, at, at + bytes);
	struct field *field;

	if (count < bytes)
		ds->layer->cut = true;
	field = count ? field_add(ds, at, 0, count * 8, FIELD_BYTES, name, filter) : NULL;
	if (!field)
		return NULL;
	for (uint32_t i = 0; i < count && i < BLOB_SHOWN_BYTES; i++)
		snprintf(text + 2 * i, 3, "%02x", ds->d->data[at + i]);
	field_shows(ds, field, "%s%s", text, count > BLOB_SHOWN_BYTES ? "..." : "");
	return field;
}

void field_from(struct field *field, const char *source)
{
	if (field)
		field->source = source;
}
