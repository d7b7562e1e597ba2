// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCP, RFC 9293 §3.1.
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *  |          source port          |       destination port        |
 *  |                        sequence number                        |
 *  |                    acknowledgment number                      |
 *  |offset |rsv|A|C|E|U|A|P|R|S|F| |            window             |
 *  |           checksum            |        urgent pointer         |
 *  |                  options, if offset is over 5                 |
 */
#include "proto/dissect.h"
#include "proto/tcp_options.h"

#define MIN_DATA_OFFSET 5 /* words */

struct flag {
	uint8_t bit; /* in TCPHDR_* */
	const char *short_name, *name, *filter, *if_set, *if_not;
};

/* In the order in which a reader of packets says them; the header's order is that of the bits. */
static const struct flag flags[] = {
	{TCPHDR_CWR, "CWR", "CWR", "tcp.flags.cwr", "congestion window reduced: the answer to ECE (RFC 3168)",
	 ""},
	{TCPHDR_ECE, "ECE", "ECE", "tcp.flags.ece", "congestion was met; on a SYN: capable of ECN (RFC 3168)",
	 ""},
	{TCPHDR_URG, "URG", "URG", "tcp.flags.urg", "the urgent pointer counts",
	 "the urgent pointer does not count"},
	{TCPHDR_ACK, "ACK", "ACK", "tcp.flags.ack", "the acknowledgment number counts",
	 "the acknowledgment number does not count"},
	{TCPHDR_PSH, "PSH", "PSH", "tcp.flags.push", "hand the data to the application now", ""},
	{TCPHDR_RST, "RST", "RST", "tcp.flags.reset", "the connection is refused or torn down", ""},
	{TCPHDR_SYN, "SYN", "SYN", "tcp.flags.syn", "opens: the sequence number is the initial one", ""},
	{TCPHDR_FIN, "FIN", "FIN", "tcp.flags.fin", "the sender has no more data", ""},
};

#define FLAG_COUNT (sizeof(flags) / sizeof(*flags))

/* "SYN,ACK": the flags that open, close and push first. */
static void flags_text(char *text, size_t bytes, uint8_t set)
{
	struct line line = {.text = text, .bytes = bytes};

	text[0] = 0;
	if (!set)
		line_add(&line, "none");
	for (size_t i = FLAG_COUNT; i-- > 0;)
		if (set & flags[i].bit)
			line_add(&line, "%s%s", line.used ? "," : "", flags[i].short_name);
}

static void dissect_ports(struct dissector *ds, uint32_t at)
{
	for (int i = 0; i < 2; i++) {
		const char *name = port_name(read16(ds, at + 2 * i));
		struct field *field = field_number(ds, at + 2 * i, 2, i ? "destination port" : "source port",
						   i ? "tcp.dstport" : "tcp.srcport");

		field_means(ds, field, "%s", name ? name : "");
	}
}

static void dissect_flags(struct dissector *ds, uint32_t at)
{
	struct field *field = field_bits(ds, at, 4, 3, "reserved", "tcp.flags.res");

	field_means(ds, field, "%s", field && field->raw ? "must be 0" : "");
	field = field_flag(ds, at, 7, "AE", "tcp.flags.ae", "accurate ECN", "");
	field_from(field, "RFC 9768 §3.1");
	for (size_t i = 0; i < FLAG_COUNT; i++)
		field_flag(ds, at + 1, i, flags[i].name, flags[i].filter, flags[i].if_set, flags[i].if_not);
}

static void dissect_numbers(struct dissector *ds, uint32_t at)
{
	uint8_t set = read8(ds, at + 13);
	struct field *field = field_number(ds, at + 4, 4, "sequence number", "tcp.seq_raw");

	field_means(ds, field, "%s",
		    set & TCPHDR_SYN ? "the initial one; data starts at the next"
				     : "of the first byte of data");
	field = field_number(ds, at + 8, 4, "acknowledgment number", "tcp.ack_raw");
	field_means(ds, field, "%s",
		    set & TCPHDR_ACK ? "the next byte that is expected from the other side"
				     : "does not count without ACK");
	field = field_bits(ds, at + 12, 0, 4, "data offset", "tcp.hdr_len");
	if (field)
		field_means(ds, field, "× 4 = %u bytes of header%s", (unsigned int)field->raw * 4,
			    field->raw < MIN_DATA_OFFSET ? ", wrong: at least 5 words" : "");
	dissect_flags(ds, at + 12);
	field_means(ds, field_number(ds, at + 14, 2, "window", "tcp.window_size_value"),
		    "bytes that the sender will take%s",
		    set & TCPHDR_SYN ? "; never scaled on a SYN" : ", before window scaling");
}

static void dissect_tcp(struct dissector *ds)
{
	uint32_t at = ds->at, header_bytes = (read8(ds, at + 12) >> 4) * 4;
	struct field *field;
	char text[64];

	dissect_ports(ds, at);
	dissect_numbers(ds, at);
	field = field_hex(ds, at + 16, 2, "checksum", "tcp.checksum");
	check_upper_layer(ds, field, at, ds->end - at, IPPROTO_TCP, true);
	field = field_number(ds, at + 18, 2, "urgent pointer", "tcp.urgent_pointer");
	field_means(ds, field, "%s",
		    read8(ds, at + 13) & TCPHDR_URG ? "where the urgent data ends, from the sequence number"
						    : "does not count without URG");
	flags_text(text, sizeof(text), read8(ds, at + 13));
	if (read_bytes(ds, at, 14)) /* what an ICMP error quotes often ends before the flags */
		layer_summary(ds, "%u → %u [%s]", read16(ds, at), read16(ds, at + 2), text);
	else
		layer_summary(ds, "%u → %u", read16(ds, at), read16(ds, at + 2));
	ds->at = at + sizeof(struct tcphdr);
	if (header_bytes < sizeof(struct tcphdr))
		return;
	dissect_tcp_options(ds, ds->at, at + header_bytes);
	ds->at = at + header_bytes;
	if (!ds->ip.fragment && !ds->quoted)
		dissect_next(ds, UNDER_TCP, 0);
}

static void line_tcp(struct line *line, const struct dissection *d, const struct layer *layer,
		     const struct line_options *options)
{
	const struct field *seq = layer_field(layer, "tcp.seq_raw"), *ack = layer_field(layer, "tcp.ack_raw");
	const struct field *window = layer_field(layer, "tcp.window_size_value");
	const struct field *offset = layer_field(layer, "tcp.hdr_len");
	uint32_t seq_base = options->relative ? options->seq_base : 0,
		 ack_base = options->relative ? options->ack_base : 0;
	uint8_t set;
	char text[64];

	line_add(line, "TCP ");
	if (!seq || !ack || !window || !offset)
		return;
	set = d->data[layer->offset + 13];
	flags_text(text, sizeof(text), set);
	line_add(line, "[%s] seq %u ", text, (uint32_t)seq->raw - seq_base);
	if (set & TCPHDR_ACK)
		line_add(line, "ack %u ", (uint32_t)ack->raw - ack_base);
	line_add(line, "win %u ", (unsigned int)window->raw);
	if (set & TCPHDR_URG)
		line_add(line, "urg %u ",
			 layer_field(layer, "tcp.urgent_pointer")
				 ? (unsigned int)layer_field(layer, "tcp.urgent_pointer")->raw
				 : 0);
	if (d->packet.flags & PACKET_HAS_L4 && d->packet.ip_proto == IPPROTO_TCP)
		line_add(line, "len %u ", d->packet.payload_bytes);
	tcp_options_line(line, d, layer, ack_base);
}

const struct proto proto_tcp = {
	.name = "TCP",
	.key = "tcp",
	.source = "RFC 9293 §3.1",
	.under = UNDER_IP4 | UNDER_IP6,
	PROTO_NUMBERS(IPPROTO_TCP),
	.dissect = dissect_tcp,
	.line = line_tcp,
};
