// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "util/names.h"
#include "proto/dissect.h"
#include "proto/explain.h"

#define HEX_SHOWN_BYTES 6 /* of a field; more are cut with an ellipsis */
#define HEX_TEXT_BYTES  24
#define DECIMAL_BYTES   24
#define SIZE_TEXT_BYTES 24
#define MEANING_LEAST   32 /* columns; with fewer, the meaning goes to a line of its own */
#define MEANING_INDENT  24
#define GRID_HALF       (GRID_COLUMNS / 2)

void grid_name(char name[GRID_NAME_BYTES], uint32_t offset)
{
	snprintf(name, GRID_NAME_BYTES, "%c%u", 'A' + offset % GRID_COLUMNS, offset / GRID_COLUMNS + 1);
}

static const char *layer_style(FILE *out, size_t index)
{
	static const enum style cycle[] = {STYLE_NAME, STYLE_WARN, STYLE_GOOD, STYLE_VALUE};

	return terminal_style(out, cycle[index % (sizeof(cycle) / sizeof(*cycle))]);
}

/* The layer that a byte belongs to; past the last one: layer_count. */
static size_t layer_at(const struct dissection *d, size_t offset)
{
	size_t i = 0;

	while (i < d->layer_count && offset >= d->layers[i].offset + d->layers[i].bytes)
		i++;
	return i;
}

/* Columns of one row, each byte in its layer's colour; @cell writes one byte or, at the end, blanks. */
static void grid_row(FILE *out, const struct dissection *d, size_t row,
		     void (*cell)(FILE *out, const struct dissection *d, size_t offset))
{
	const char *style = "", *reset = terminal_style(out, STYLE_RESET);
	size_t layer = d->layer_count;

	for (size_t offset = row; offset < row + GRID_COLUMNS; offset++) {
		size_t now = layer_at(d, offset);

		if (offset != row && offset % GRID_HALF == 0)
			fputc(' ', out);
		if (now != layer && offset < d->captured_bytes) {
			style = layer_style(out, now);
			fputs(style, out);
			layer = now;
		}
		cell(out, d, offset);
	}
	fputs(*style ? reset : "", out);
}

static void cell_hex(FILE *out, const struct dissection *d, size_t offset)
{
	if (offset < d->captured_bytes)
		fprintf(out, "%02X ", d->data[offset]);
	else
		fputs("   ", out);
}

static void cell_ascii(FILE *out, const struct dissection *d, size_t offset)
{
	if (offset < d->captured_bytes)
		fputc(d->data[offset] >= 0x20 && d->data[offset] < 0x7f ? d->data[offset] : '.', out);
}

static void print_grid(FILE *out, const struct dissection *d)
{
	fprintf(out, "%s      ", terminal_style(out, STYLE_DIM));
	for (int column = 0; column < GRID_COLUMNS; column++)
		fprintf(out, " %c %s", 'A' + column, column == GRID_HALF - 1 ? " " : "");
	fputs("  ", out);
	for (int column = 0; column < GRID_COLUMNS; column++)
		fprintf(out, "%s%c", column == GRID_HALF ? " " : "", 'A' + column);
	fprintf(out, "%s\n", terminal_style(out, STYLE_RESET));
	for (size_t row = 0; row < d->captured_bytes; row += GRID_COLUMNS) {
		fprintf(out, "%s%5zu%s ", terminal_style(out, STYLE_DIM), row / GRID_COLUMNS + 1,
			terminal_style(out, STYLE_RESET));
		grid_row(out, d, row, cell_hex);
		fputs("  ", out);
		grid_row(out, d, row, cell_ascii);
		fputc('\n', out);
	}
}

/* "A1-D2" */
static void print_place(FILE *out, uint32_t offset, uint32_t bytes)
{
	char first[GRID_NAME_BYTES], last[GRID_NAME_BYTES];

	grid_name(first, offset);
	grid_name(last, bytes ? offset + bytes - 1 : offset);
	fprintf(out, "%s-%s", first, last);
}

static void field_hex_text(char text[HEX_TEXT_BYTES], const struct dissection *d, const struct field *field)
{
	const uint8_t *byte = d->data + field->offset;
	uint32_t bytes = field->bits / 8;
	size_t used = 0;

	if (field->bits % 8 || field->bit) {
		snprintf(text, HEX_TEXT_BYTES, "0x%0*llx", (int)(field->bits + 3) / 4,
			 (unsigned long long)field->raw);
		return;
	}
	used = snprintf(text, HEX_TEXT_BYTES, "0x");
	for (uint32_t i = 0; i < bytes && i < HEX_SHOWN_BYTES; i++)
		used += snprintf(text + used, HEX_TEXT_BYTES - used, "%02x", byte[i]);
	if (bytes > HEX_SHOWN_BYTES)
		snprintf(text + used, HEX_TEXT_BYTES - used, "...");
}

static void field_size_text(char text[SIZE_TEXT_BYTES], const struct field *field)
{
	uint32_t size = field->bits % 8 || field->bit ? field->bits : field->bits / 8;
	const char *unit = size == field->bits ? "bit" : "byte";

	snprintf(text, SIZE_TEXT_BYTES, "%u %s%s", size, unit, size == 1 ? "" : "s");
}

/* Hex has a column of its own: here comes the number that it is. A blob has nothing else to show. */
static const char *field_decimal(char text[DECIMAL_BYTES], const struct field *field)
{
	if (field->kind == FIELD_BYTES)
		return "";
	if (field->kind != FIELD_HEX)
		return field->value;
	snprintf(text, DECIMAL_BYTES, "%llu", (unsigned long long)field->raw);
	return text;
}

struct widths {
	int hex;
	int value;
	int name;
};

static struct widths layer_widths(const struct dissection *d, const struct layer *layer)
{
	struct widths widths = {.hex = strlen("0x0000"), .value = strlen("value"), .name = strlen("field")};
	char decimal[DECIMAL_BYTES], hex[HEX_TEXT_BYTES];

	for (size_t i = 0; i < layer->field_count; i++) {
		int value = strlen(field_decimal(decimal, &layer->fields[i]));
		int name = strlen(layer->fields[i].name);

		field_hex_text(hex, d, &layer->fields[i]);
		if ((int)strlen(hex) > widths.hex)
			widths.hex = strlen(hex);
		/* What HTTP says may be long: it then pushes the meaning to the right, alone. */
		if (value > widths.value && layer->fields[i].kind != FIELD_TEXT)
			widths.value = value;
		if (name > widths.name)
			widths.name = name;
	}
	return widths;
}

/* Columns of UTF-8 text: bytes that do not continue a character. */
static int columns(const char *text, size_t bytes)
{
	int count = 0;

	for (size_t i = 0; i < bytes; i++)
		count += (text[i] & 0xc0) != 0x80;
	return count;
}

/* Text in a column: lines from @indent to @width. */
struct wrap {
	FILE *out;
	int at;
	int indent;
	int width;
};

static void wrap_word(struct wrap *wrap, const char *word, size_t bytes)
{
	int size = columns(word, bytes);

	if (wrap->at > wrap->indent && wrap->at + 1 + size > wrap->width) {
		fprintf(wrap->out, "\n%*s", wrap->indent, "");
		wrap->at = wrap->indent;
	} else if (wrap->at > wrap->indent) {
		fputc(' ', wrap->out);
		wrap->at++;
	}
	fwrite(word, 1, bytes, wrap->out);
	wrap->at += size;
}

static void print_meaning(FILE *out, const struct field *field, int at, int width)
{
	struct wrap wrap = {.out = out, .at = at, .indent = at, .width = width};
	const char *text = field->meaning, *reset = terminal_style(out, STYLE_RESET);
	char source[64];

	if (at + MEANING_LEAST > width) {
		wrap.at = wrap.indent = MEANING_INDENT;
		fprintf(out, "\n%*s", wrap.indent, "");
	}
	if (field->check)
		fputs(terminal_style(out, field_style(field)), out);
	while (*text) {
		size_t bytes = strcspn(text, " ");

		wrap_word(&wrap, text, bytes);
		text += bytes + (text[bytes] == ' ');
	}
	fputs(field->check ? reset : "", out);
	if (*field->source) {
		snprintf(source, sizeof(source), "[%s]", field->source);
		fputs(terminal_style(out, STYLE_DIM), out);
		wrap_word(&wrap, source, strlen(source));
		fputs(reset, out);
	}
	fputc('\n', out);
}

static void print_field(FILE *out, const struct dissection *d, const struct field *field,
			const struct widths *widths, int width)
{
	char name[GRID_NAME_BYTES], place[24], size[SIZE_TEXT_BYTES], hex[HEX_TEXT_BYTES],
		decimal[DECIMAL_BYTES];
	const char *value = field_decimal(decimal, field), *reset = terminal_style(out, STYLE_RESET);
	int at;

	grid_name(name, field->offset);
	snprintf(place, sizeof(place), field->bit ? "%u.%u" : "%u", field->offset, field->bit);
	field_size_text(size, field);
	field_hex_text(hex, d, field);
	at = fprintf(out, "  %-5s %-6s %-9s %-*s  ", name, place, size, widths->hex, hex);
	fputs(terminal_style(out, STYLE_NAME), out);
	at += fprintf(out, "%-*s", widths->name, field->name);
	fputs(reset, out);
	at += fprintf(out, "  %-*s  ", widths->value, value);
	print_meaning(out, field, at, width);
}

static void print_layer(FILE *out, const struct dissection *d, const struct layer *layer, int width)
{
	struct widths widths = layer_widths(d, layer);

	fprintf(out, "\n%s%s%s ", terminal_style(out, STYLE_BOLD), layer->proto->name,
		terminal_style(out, STYLE_RESET));
	print_place(out, layer->offset, layer->bytes);
	fprintf(out, ", %u byte%s%s%s%s%s\n", layer->bytes, layer->bytes == 1 ? "" : "s",
		*layer->summary ? ": " : "", layer->summary,
		layer->quoted ? " (quoted by the ICMP error)" : "", layer->cut ? " (cut short)" : "");
	if (layer->field_count)
		fprintf(out, "%s  %-5s %-6s %-9s %-*s  %-*s  %-*s  meaning%s\n",
			terminal_style(out, STYLE_DIM), "at", "byte", "size", widths.hex, "hex", widths.name,
			"field", widths.value, "value", terminal_style(out, STYLE_RESET));
	for (size_t i = 0; i < layer->field_count; i++)
		print_field(out, d, &layer->fields[i], &widths, width);
}

static void print_verdict(FILE *out, const struct dissection *d)
{
	enum malformed bad = packet_malformed(&d->packet);
	enum style style = !bad ? STYLE_GOOD : dissection_is_cut(d) ? STYLE_WARN : STYLE_BAD;

	fprintf(out, "\n%sVerdict%s\n", terminal_style(out, STYLE_BOLD), terminal_style(out, STYLE_RESET));
	for (size_t i = 0; i < d->layer_count; i++)
		for (size_t j = 0; j < d->layers[i].field_count; j++) {
			const struct field *field = &d->layers[i].fields[j];

			if (field->check && !d->layers[i].quoted)
				fprintf(out, "  %s %s %s: %s%s%s\n", d->layers[i].proto->name, field->name,
					field->value, terminal_style(out, field_style(field)), field->meaning,
					terminal_style(out, STYLE_RESET));
		}
	fprintf(out, "  packet: %s%s%s%s%s\n", terminal_style(out, style),
		!bad ? "" : "malformed: ", malformed_text(bad),
		dissection_is_cut(d) ? " (the capture is cut, not necessarily the packet)" : "",
		terminal_style(out, STYLE_RESET));
}

void explain_packet(FILE *out, const struct dissection *d, int width)
{
	print_grid(out, d);
	fputc('\n', out);
	for (size_t i = 0; i < d->layer_count; i++) {
		const char *style = layer_style(out, i);

		fprintf(out, "  %s%s%s ", style, d->layers[i].proto->name, terminal_style(out, STYLE_RESET));
		print_place(out, d->layers[i].offset, d->layers[i].bytes);
		fputs(i + 1 < d->layer_count ? " |" : "\n", out);
	}
	for (size_t i = 0; i < d->layer_count; i++)
		print_layer(out, d, &d->layers[i], width);
	print_verdict(out, d);
}
