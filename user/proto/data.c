// SPDX-License-Identifier: GPL-2.0-only
/* Bytes that no protocol here explains: payloads, and the padding of short Ethernet frames. */
#include "proto/dissect.h"

#define PREVIEW_BYTES 48

static uint32_t printable(const uint8_t *bytes, uint32_t count)
{
	uint32_t plain = 0;

	for (uint32_t i = 0; i < count; i++)
		plain += (bytes[i] >= 0x20 && bytes[i] < 0x7f) || bytes[i] == '\r' || bytes[i] == '\n' ||
			 bytes[i] == '\t';
	return plain;
}

static void dissect_data(struct dissector *ds)
{
	uint32_t bytes = ds->end - ds->at, here = captured(ds, ds->at, ds->end);
	uint32_t preview = here < PREVIEW_BYTES ? here : PREVIEW_BYTES;
	struct field *field = field_blob(ds, ds->at, bytes, "data", "data.data");
	const char *text;

	/* Text if nine bytes in ten of the beginning are. */
	if (field && printable(ds->d->data + ds->at, preview) * 10 >= preview * 9) {
		text = text_of(ds, ds->at, preview);
		field_means(ds, field, "%u bytes: \"%s\"%s", here, text, here > preview ? "..." : "");
	} else {
		field_means(ds, field, "%u byte%s", here, here == 1 ? "" : "s");
	}
	layer_summary(ds, "%u byte%s%s", here, here == 1 ? "" : "s",
		      here < bytes ? ", the capture ends here" : "");
	ds->at = ds->end;
}

const struct proto proto_data = {
	.name = "Data",
	.key = "data",
	.source = "",
	.dissect = dissect_data,
};

static void dissect_padding(struct dissector *ds)
{
	uint32_t bytes = ds->end - ds->at;
	struct field *field = field_blob(ds, ds->at, bytes, "padding", NULL);

	field_means(ds, field, "behind the packet's own length: fills a frame up to its least size");
	layer_summary(ds, "%u byte%s", bytes, bytes == 1 ? "" : "s");
	ds->at = ds->end;
}

const struct proto proto_padding = {
	.name = "Padding",
	.key = "padding",
	.source = "IEEE 802.3 §4.2.3.3",
	.dissect = dissect_padding,
};
