// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCP options, RFC 9293 §3.1 and §3.2.
 *
 *  |  kind  |                                    end of options (0), no operation (1)
 *  |  kind  | length | data: length - 2 bytes |  all others
 */
#include "proto/tcp_options.h"

#define BLOCK_BYTES 8 /* of a SACK: left edge, right edge */

struct option {
	uint8_t kind;
	uint8_t bytes;          /* that it must have; 0: varies */
	const char *short_name; /* in a line */
	const char *name;
	const char *source;
	void (*dissect)(struct dissector *ds, uint32_t at, uint32_t bytes); /* of the data; NULL: as bytes */
	void (*line)(struct line *line, const uint8_t *data, uint32_t bytes, uint32_t ack_base);
};

static uint32_t big_endian(const uint8_t *byte, uint32_t bytes)
{
	uint32_t number = 0;

	for (uint32_t i = 0; i < bytes; i++)
		number = number << 8 | byte[i];
	return number;
}

static void dissect_mss(struct dissector *ds, uint32_t at, uint32_t bytes)
{
	field_means(ds, field_number(ds, at, bytes, "maximum segment size", "tcp.options.mss_val"),
		    "bytes of data that the sender takes in one segment");
}

static void line_mss(struct line *line, const uint8_t *data, uint32_t bytes, uint32_t ack_base)
{
	(void)ack_base;
	line_add(line, " %u", big_endian(data, bytes));
}

static void dissect_window_scale(struct dissector *ds, uint32_t at, uint32_t bytes)
{
	struct field *field = field_number(ds, at, bytes, "window shift", "tcp.options.wscale.shift");

	if (field && field->raw > TCP_MAX_WINDOW_SCALE)
		field_means(ds, field, "over 14: taken as 14 (RFC 7323 §2.3)");
	else if (field)
		field_means(ds, field, "later windows count × %u", 1u << field->raw);
}

static void line_window_scale(struct line *line, const uint8_t *data, uint32_t bytes, uint32_t ack_base)
{
	line_mss(line, data, bytes, ack_base);
}

static void dissect_sack(struct dissector *ds, uint32_t at, uint32_t bytes)
{
	for (; bytes >= BLOCK_BYTES; at += BLOCK_BYTES, bytes -= BLOCK_BYTES) {
		field_means(ds, field_number(ds, at, 4, "left edge", "tcp.options.sack_le"),
			    "first byte of a block that has arrived");
		field_means(ds, field_number(ds, at + 4, 4, "right edge", "tcp.options.sack_re"),
			    "the byte behind that block");
	}
	if (bytes)
		field_means(ds, field_blob(ds, at, bytes, "option data", NULL), "wrong: not a whole block");
}

static void line_sack(struct line *line, const uint8_t *data, uint32_t bytes, uint32_t ack_base)
{
	for (; bytes >= BLOCK_BYTES; data += BLOCK_BYTES, bytes -= BLOCK_BYTES)
		line_add(line, " %u-%u", big_endian(data, 4) - ack_base, big_endian(data + 4, 4) - ack_base);
}

static void dissect_timestamps(struct dissector *ds, uint32_t at, uint32_t bytes)
{
	(void)bytes;
	field_means(ds, field_number(ds, at, 4, "timestamp value", "tcp.options.timestamp.tsval"),
		    "the sender's clock");
	field_means(ds, field_number(ds, at + 4, 4, "timestamp echo", "tcp.options.timestamp.tsecr"),
		    "the clock that the other side sent last");
}

static void line_timestamps(struct line *line, const uint8_t *data, uint32_t bytes, uint32_t ack_base)
{
	(void)bytes;
	(void)ack_base;
	line_add(line, " %u/%u", big_endian(data, 4), big_endian(data + 4, 4));
}

static void dissect_fast_open(struct dissector *ds, uint32_t at, uint32_t bytes)
{
	field_means(ds, field_blob(ds, at, bytes, "cookie", "tcp.options.tfo.cookie"),
		    "lets a SYN carry data, proved by an earlier connection");
}

static void line_fast_open(struct line *line, const uint8_t *data, uint32_t bytes, uint32_t ack_base)
{
	(void)ack_base;
	line_add(line, bytes ? " " : " request");
	for (uint32_t i = 0; i < bytes; i++)
		line_add(line, "%02x", data[i]);
}

static void dissect_mptcp(struct dissector *ds, uint32_t at, uint32_t bytes)
{
	static const char *const subtypes[] = {"MP_CAPABLE", "MP_JOIN",      "DSS",
					       "ADD_ADDR",   "REMOVE_ADDR",  "MP_PRIO",
					       "MP_FAIL",    "MP_FASTCLOSE", "MP_TCPRST"};
	uint8_t subtype = read8(ds, at) >> 4;

	if (!bytes)
		return;
	field_means(ds, field_bits(ds, at, 0, 4, "MPTCP subtype", NULL), "%s",
		    subtype < sizeof(subtypes) / sizeof(*subtypes) ? subtypes[subtype]
								   : "unknown to xdplife");
	field_bits(ds, at, 4, 4, "MPTCP version or flags", NULL);
	field_blob(ds, at + 1, bytes - 1, "option data", NULL);
}

static const struct option options[] = {
	{TCP_OPT_END, 1, "eol", "end of the options", "RFC 9293 §3.2", NULL, NULL},
	{TCP_OPT_NOP, 1, "nop", "no operation (padding)", "RFC 9293 §3.2", NULL, NULL},
	{TCP_OPT_MSS, 4, "mss", "maximum segment size", "RFC 9293 §3.2", dissect_mss, line_mss},
	{TCP_OPT_WINDOW_SCALE, 3, "wscale", "window scale", "RFC 7323 §2.2", dissect_window_scale,
	 line_window_scale},
	{TCP_OPT_SACK_PERMITTED, 2, "sackOK", "selective acknowledgments permitted", "RFC 2018 §2", NULL,
	 NULL},
	{TCP_OPT_SACK, 0, "sack", "selective acknowledgment", "RFC 2018 §3", dissect_sack, line_sack},
	{TCP_OPT_TIMESTAMPS, 10, "ts", "timestamps", "RFC 7323 §3.2", dissect_timestamps, line_timestamps},
	{TCP_OPT_MPTCP, 0, "mptcp", "Multipath TCP", "RFC 8684 §3", dissect_mptcp, NULL},
	{TCP_OPT_FAST_OPEN, 0, "tfo", "TCP Fast Open", "RFC 7413 §4.1.1", dissect_fast_open, line_fast_open},
};

static const struct option *option_find(uint8_t kind)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		if (options[i].kind == kind)
			return &options[i];
	return NULL;
}

/* Options beyond what RFC 9293 names give their own source to all of their fields. */
static void fields_from(struct dissector *ds, size_t first, const struct option *option)
{
	for (size_t i = first; option && i < ds->layer->field_count; i++)
		ds->layer->fields[i].source = option->source;
}

static void dissect_option_data(struct dissector *ds, const struct option *option, uint32_t at, uint8_t bytes)
{
	if (option && option->bytes && option->bytes != bytes)
		field_means(ds, field_blob(ds, at, bytes - 2, "option data", NULL),
			    "the option has the wrong length (%u belongs to it) and is passed over",
			    option->bytes);
	else if (option && option->dissect)
		option->dissect(ds, at, bytes - 2);
	else
		field_blob(ds, at, bytes - 2, "option data", NULL);
}

/* Return: the option's bytes; 0 if nothing can follow it. */
static uint32_t dissect_option(struct dissector *ds, uint32_t at, uint32_t end)
{
	uint8_t kind = read8(ds, at), bytes = read8(ds, at + 1);
	const struct option *option = option_find(kind);
	struct field *field = field_number(ds, at, 1, "option kind", "tcp.option_kind");

	field_means(ds, field, "%s", option ? option->name : "unknown to xdplife");
	if (kind == TCP_OPT_NOP)
		return 1;
	if (kind == TCP_OPT_END) {
		field_means(ds, field_blob(ds, at + 1, end - at - 1, "padding", NULL),
			    "up to the data offset");
		return 0;
	}
	field = field_number(ds, at + 1, 1, "option length", "tcp.option_len");
	if (!field)
		return 0;
	if (bytes < 2 || bytes > end - at) {
		field_means(ds, field, "wrong: below 2 or beyond the header");
		return 0;
	}
	field_means(ds, field, "bytes, kind and length included");
	dissect_option_data(ds, option, at + 2, bytes);
	return bytes;
}

void dissect_tcp_options(struct dissector *ds, uint32_t at, uint32_t end)
{
	uint32_t bytes;

	while (at < end) {
		size_t first = ds->layer->field_count;
		const struct option *option = option_find(read8(ds, at));

		bytes = dissect_option(ds, at, end);
		fields_from(ds, first, option);
		if (!bytes)
			return;
		at += bytes;
	}
}

static void line_option(struct line *line, const struct tcp_option *opt, uint32_t ack_base)
{
	const struct option *option = option_find(opt->kind);

	if (!option) {
		line_add(line, "kind %u", opt->kind);
		return;
	}
	line_add(line, "%s", option->short_name);
	if (option->bytes && option->bytes != opt->bytes)
		line_add(line, " wrong length %u", opt->bytes);
	else if (option->line)
		option->line(line, opt->data, opt->bytes - 2, ack_base);
}

void tcp_options_line(struct line *line, const struct dissection *d, const struct layer *layer,
		      uint32_t ack_base)
{
	uint32_t header_bytes = (d->data[layer->offset + 12] >> 4) * 4, fixed = sizeof(struct tcphdr);
	const uint8_t *start = d->data + layer->offset;
	struct tcp_options it;
	struct tcp_option opt;
	int more;

	if (header_bytes <= fixed || layer->bytes <= fixed)
		return;
	line_add(line, "<");
	tcp_options_begin(&it, start + fixed, header_bytes - fixed, start + layer->bytes);
	for (bool first = true; (more = tcp_options_next(&it, &opt)) > 0; first = false) {
		line_add(line, "%s", first ? "" : ", ");
		line_option(line, &opt, ack_base);
	}
	if (more < 0)
		line_add(line, it.left == header_bytes - fixed ? "broken" : ", broken");
	else if (it.left)
		line_add(line, "%s", it.left == header_bytes - fixed ? "eol" : ", eol");
	line_add(line, "> ");
}
