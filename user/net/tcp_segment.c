// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "net/tcp_segment.h"

#define SACK_BLOCK_BYTES 8

static uint32_t read_be32(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void read_sack(struct tcp_segment *segment, const struct tcp_option *option)
{
	int count = (option->bytes - 2) / SACK_BLOCK_BYTES;

	segment->sack_count = 0;
	for (int i = 0; i < count && i < TCP_MAX_SACK_BLOCKS; i++) {
		const uint8_t *block = option->data + i * SACK_BLOCK_BYTES;

		segment->sack[segment->sack_count++] =
			(struct tcp_range){.start = read_be32(block), .end = read_be32(block + 4)};
	}
}

/* A length that does not fit its kind: the option is passed over. */
static void read_option(struct tcp_segment *segment, const struct tcp_option *option)
{
	if (option->kind == TCP_OPT_MSS && option->bytes == 4) {
		segment->options |= TCP_HAS_MSS;
		segment->mss = (uint16_t)(option->data[0] << 8 | option->data[1]);
	} else if (option->kind == TCP_OPT_WINDOW_SCALE && option->bytes == 3) {
		segment->options |= TCP_HAS_WINDOW_SCALE;
		segment->window_scale = option->data[0];
	} else if (option->kind == TCP_OPT_SACK_PERMITTED && option->bytes == 2) {
		segment->options |= TCP_HAS_SACK_PERMITTED;
	} else if (option->kind == TCP_OPT_TIMESTAMPS && option->bytes == 10) {
		segment->options |= TCP_HAS_TIMESTAMPS;
		segment->ts_value = read_be32(option->data);
		segment->ts_echo = read_be32(option->data + 4);
	} else if (option->kind == TCP_OPT_SACK) {
		read_sack(segment, option);
	}
}

void tcp_segment_read(struct tcp_segment *segment, const struct packet *pkt, const uint8_t *frame)
{
	const uint8_t *options = frame + pkt->l4_off + sizeof(struct tcphdr);
	struct tcp_option option;
	struct tcp_options it;

	*segment = (struct tcp_segment){
		.seq = pkt->tcp_seq,
		.ack = pkt->tcp_ack,
		.flags = pkt->tcp_flags,
		.window = pkt->tcp_window,
		.data = frame + pkt->payload_off,
		.data_bytes = pkt->payload_bytes,
	};
	tcp_options_begin(&it, options, pkt->payload_off - pkt->l4_off - sizeof(struct tcphdr),
			  frame + pkt->payload_off);
	while (tcp_options_next(&it, &option) > 0)
		read_option(segment, &option);
}

static uint8_t *put_be32(uint8_t *out, uint32_t value)
{
	*out++ = value >> 24;
	*out++ = value >> 16;
	*out++ = value >> 8;
	*out++ = value;
	return out;
}

static uint8_t *put_timestamps(uint8_t *out, const struct tcp_segment *segment)
{
	*out++ = TCP_OPT_TIMESTAMPS;
	*out++ = 10;
	out = put_be32(out, segment->ts_value);
	return put_be32(out, segment->ts_echo);
}

static uint8_t *put_sack(uint8_t *out, const struct tcp_segment *segment)
{
	*out++ = TCP_OPT_SACK;
	*out++ = 2 + segment->sack_count * SACK_BLOCK_BYTES;
	for (int i = 0; i < segment->sack_count; i++) {
		out = put_be32(out, segment->sack[i].start);
		out = put_be32(out, segment->sack[i].end);
	}
	return out;
}

uint32_t tcp_segment_write_options(const struct tcp_segment *segment, uint8_t options[TCP_MAX_OPTIONS_BYTES])
{
	uint8_t *out = options;

	if (segment->options & TCP_HAS_MSS) {
		*out++ = TCP_OPT_MSS;
		*out++ = 4;
		*out++ = segment->mss >> 8;
		*out++ = segment->mss & 0xff;
	}
	if (segment->options & TCP_HAS_SACK_PERMITTED) {
		*out++ = TCP_OPT_SACK_PERMITTED;
		*out++ = 2;
	} else if (segment->options & TCP_HAS_TIMESTAMPS) { /* in front, so that the numbers are aligned */
		*out++ = TCP_OPT_NOP;
		*out++ = TCP_OPT_NOP;
	}
	if (segment->options & TCP_HAS_TIMESTAMPS)
		out = put_timestamps(out, segment);
	if (segment->options & TCP_HAS_WINDOW_SCALE) {
		*out++ = TCP_OPT_NOP;
		*out++ = TCP_OPT_WINDOW_SCALE;
		*out++ = 3;
		*out++ = segment->window_scale;
	}
	if (segment->sack_count) {
		*out++ = TCP_OPT_NOP;
		*out++ = TCP_OPT_NOP;
		out = put_sack(out, segment);
	}
	while ((out - options) % 4)
		*out++ = TCP_OPT_NOP;
	return (uint32_t)(out - options);
}
