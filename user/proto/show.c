// SPDX-License-Identifier: GPL-2.0-only
/* A dissection as one line, and a layer as aligned text. */
#include <stdarg.h>
#include <string.h>

#include "util/names.h"
#include "proto/dissect.h"
#include "util/terminal.h"

void line_add(struct line *line, const char *format, ...)
{
	size_t room = line->bytes - line->used;
	va_list args;
	int length;

	if (line->used >= line->bytes)
		return;
	va_start(args, format);
	length = vsnprintf(line->text + line->used, room, format, args);
	va_end(args);
	if (length < 0)
		return;
	if ((size_t)length < room) {
		line->used += length;
		return;
	}
	/* Cut: not inside a UTF-8 character, and nothing is added any more. */
	line->used = line->bytes - 1;
	while (line->used && (line->text[line->used - 1] & 0xc0) == 0x80)
		line->used--;
	if (line->used && (line->text[line->used - 1] & 0xc0) == 0xc0)
		line->used--;
	line->text[line->used] = 0;
	line->bytes = line->used;
}

static const struct field *port_field(const struct layer *layer, bool destination)
{
	const struct field *field = layer_field(layer, destination ? "tcp.dstport" : "tcp.srcport");

	return field ? field : layer_field(layer, destination ? "udp.dstport" : "udp.srcport");
}

/* One end: the address and, if the packet has it, the port of the layer that carries ports. */
static void line_end(struct line *line, const struct dissection *d, const struct layer *ip,
		     const char *filter, bool destination)
{
	const struct field *address = layer_field(ip, filter), *port = NULL;

	for (const struct layer *layer = ip + 1;
	     layer < d->layers + d->layer_count && !layer->quoted && !port; layer++)
		port = port_field(layer, destination);
	if (!address)
		line_add(line, "?");
	else if (port && strchr(address->value, ':'))
		line_add(line, "[%s]", address->value);
	else
		line_add(line, "%s", address->value);
	if (port)
		line_add(line, ":%s", port->value);
}

void line_ends(struct line *line, const struct dissection *d, const struct layer *layer, const char *src,
	       const char *dst)
{
	line_end(line, d, layer, src, false);
	line_add(line, " → ");
	line_end(line, d, layer, dst, true);
	line_add(line, " ");
}

bool layer_is_last(const struct dissection *d, const struct layer *layer)
{
	const struct layer *next = layer + 1;

	return next == d->layers + d->layer_count || next->proto == &proto_data ||
	       next->proto == &proto_padding;
}

static void line_tail(struct line *line, const struct dissection *d)
{
	for (size_t i = 0; i < d->layer_count; i++) {
		const struct layer *layer = &d->layers[i];
		const struct field *ttl = layer_field(layer, "ip.ttl"),
				   *hops = layer_field(layer, "ipv6.hlim");

		if (layer->quoted)
			break;
		if (ttl || hops)
			line_add(line, ttl ? "ttl %s " : "hlim %s ", ttl ? ttl->value : hops->value);
		for (size_t j = 0; j < layer->field_count; j++)
			if (layer->fields[j].check == FIELD_CHECK_WRONG)
				line_add(line, "(%s checksum %s) ", layer->proto->name,
					 layer->fields[j].meaning);
	}
	/* A wrong IPv4 checksum has been said above. */
	if (packet_malformed(&d->packet) && packet_malformed(&d->packet) != MALFORMED_IP4_CHECKSUM)
		line_add(line, "(%s: %s) ", dissection_is_cut(d) ? "cut capture" : "malformed",
			 malformed_text(packet_malformed(&d->packet)));
}

void dissection_line(const struct dissection *d, const struct line_options *options, char *text, size_t bytes)
{
	static const struct line_options none;
	struct line line = {.text = text, .bytes = bytes};

	if (!bytes)
		return;
	text[0] = 0;
	for (size_t i = 0; i < d->layer_count && !d->layers[i].quoted; i++)
		if (d->layers[i].proto->line)
			d->layers[i].proto->line(&line, d, &d->layers[i], options ? options : &none);
	line_tail(&line, d);
	while (line.used && text[line.used - 1] == ' ')
		text[--line.used] = 0;
}

static size_t name_width(const struct layer *layer)
{
	size_t width = 0;

	for (size_t i = 0; i < layer->field_count; i++)
		if (strlen(layer->fields[i].name) > width)
			width = strlen(layer->fields[i].name);
	return width;
}

enum style field_style(const struct field *field)
{
	switch (field->check) {
	case FIELD_CHECK_RIGHT:
		return STYLE_GOOD;
	case FIELD_CHECK_WRONG:
		return STYLE_BAD;
	case FIELD_CHECK_PARTIAL:
	case FIELD_CHECK_UNVERIFIABLE:
		return STYLE_WARN;
	default:
		return STYLE_DIM;
	}
}

void layer_print(FILE *out, const struct layer *layer)
{
	const char *reset = terminal_style(out, STYLE_RESET);
	int width = name_width(layer);

	fprintf(out, "%s%s%s, %u bytes%s%s%s\n", terminal_style(out, STYLE_BOLD), layer->proto->name, reset,
		layer->bytes, *layer->summary ? ": " : "", layer->summary, layer->cut ? " (cut short)" : "");
	for (size_t i = 0; i < layer->field_count; i++) {
		const struct field *field = &layer->fields[i];

		fprintf(out, "  %s%-*s%s = %s", terminal_style(out, STYLE_NAME), width, field->name, reset,
			field->value);
		if (*field->meaning)
			fprintf(out, "  %s(%s)%s", terminal_style(out, field_style(field)), field->meaning,
				reset);
		fputc('\n', out);
	}
}
