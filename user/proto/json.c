// SPDX-License-Identifier: GPL-2.0-only
/* A dissection as a JSON object. */
#include <stdlib.h>

#include "util/names.h"
#include "proto/dissect.h"

static json_t *hex_json(const uint8_t *bytes, size_t count)
{
	static const char digits[] = "0123456789abcdef";
	char *text = malloc(2 * count + 1);
	json_t *json;

	if (!text)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	json = json_stringn(text, 2 * count);
	free(text);
	return json;
}

/* Numbers up to 32 bits as such, what JSON's readers would round as hex. */
static json_t *raw_json(const struct dissection *d, const struct field *field)
{
	if (field->kind != FIELD_ADDRESS && field->kind != FIELD_TEXT && field->kind != FIELD_BYTES)
		return json_integer((json_int_t)field->raw);
	return hex_json(d->data + field->offset, field->bits / 8);
}

static json_t *field_json(const struct dissection *d, const struct field *field)
{
	json_t *json = json_pack("{s:s, s:s*, s:i, s:i, s:i, s:o*, s:s, s:s, s:s}", "name", field->name,
				 "filter", field->filter, "offset", (int)field->offset, "bit", field->bit,
				 "bits", (int)field->bits, "raw", raw_json(d, field), "value", field->value,
				 "meaning", field->meaning, "source", field->source);

	if (json && field->check != FIELD_NOT_CHECKED)
		json_object_set_new(json, "check", json_string(field_check_key(field->check)));
	return json;
}

static json_t *layer_json(const struct dissection *d, const struct layer *layer)
{
	json_t *fields = json_array();

	for (size_t i = 0; i < layer->field_count; i++)
		json_array_append_new(fields, field_json(d, &layer->fields[i]));
	return json_pack("{s:s, s:s, s:i, s:i, s:b, s:b, s:s, s:o}", "protocol", layer->proto->key, "name",
			 layer->proto->name, "offset", (int)layer->offset, "bytes", (int)layer->bytes,
			 "quoted", layer->quoted, "cut", layer->cut, "summary", layer->summary, "fields",
			 fields);
}

static const char *link_key(enum link_kind link)
{
	static const char *const keys[] = {
		[LINK_ETHERNET] = "ethernet", [LINK_RAW_IP] = "ip",       [LINK_COOKED] = "cooked",
		[LINK_COOKED2] = "cooked2",   [LINK_FAMILY] = "loopback", [LINK_OTHER] = "other",
	};

	return keys[link];
}

json_t *dissection_json(const struct dissection *d)
{
	enum malformed bad = packet_malformed(&d->packet);
	json_t *layers = json_array();
	char line[LINE_BYTES];

	dissection_line(d, NULL, line, sizeof(line));
	for (size_t i = 0; i < d->layer_count; i++)
		json_array_append_new(layers, layer_json(d, &d->layers[i]));
	return json_pack("{s:s, s:I, s:I, s:s, s:s, s:s, s:o}", "link", link_key(d->link), "wire_bytes",
			 (json_int_t)d->wire_bytes, "captured_bytes", (json_int_t)d->captured_bytes,
			 "malformed", malformed_key(bad), "malformed_text", malformed_text(bad), "line", line,
			 "layers", layers);
}
