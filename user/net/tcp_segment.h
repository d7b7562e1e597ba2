/* SPDX-License-Identifier: GPL-2.0-only */
/* One TCP segment as the state machine sees it: numbers in host order, options decoded, ports left to the
 * caller. */
#ifndef XDPLIFE_TCP_SEGMENT_H
#define XDPLIFE_TCP_SEGMENT_H

#include <stdint.h>

#include "xdplife/parse.h"

#define TCP_MAX_SACK_BLOCKS         4
#define TCP_TIMESTAMPS_BYTES_PADDED 12 /* with two NOPs in front (RFC 7323 appendix A) */

/* Sequence numbers from @start up to, not including, @end. */
struct tcp_range {
	uint32_t start;
	uint32_t end;
};

struct tcp_segment {
	uint32_t seq;
	uint32_t ack;      /* meaningful with TCPHDR_ACK */
	uint32_t ts_value; /* RFC 7323 §3.2: TSval, TSecr; with TCP_HAS_TIMESTAMPS */
	uint32_t ts_echo;
	struct tcp_range sack[TCP_MAX_SACK_BLOCKS]; /* RFC 2018 §3 */
	const uint8_t *data;                        /* borrowed */
	uint32_t data_bytes;
	uint16_t window; /* as on the wire, not scaled */
	uint16_t mss;
	uint8_t flags;   /* TCPHDR_* */
	uint8_t options; /* TCP_HAS_MSS, _WINDOW_SCALE, _SACK_PERMITTED, _TIMESTAMPS */
	uint8_t window_scale;
	uint8_t sack_count;
};

/* Sequence numbers wrap: compare by the sign of the difference (RFC 9293 §3.4). */
static inline int tcp_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

/* The sequence space that a segment takes: SYN and FIN count as one each (RFC 9293 §3.4). */
static inline uint32_t tcp_segment_length(const struct tcp_segment *segment)
{
	return segment->data_bytes + !!(segment->flags & TCPHDR_SYN) + !!(segment->flags & TCPHDR_FIN);
}

/**
 * tcp_segment_read() - the segment in a frame
 * @pkt:   from parse_packet(): TCP, PACKET_HAS_L4, not a fragment, well formed
 * @frame: its bytes, all of them; segment->data points into them
 *
 * Options that are malformed or unknown are passed over (RFC 9293 §3.1 MUST-6).
 */
void tcp_segment_read(struct tcp_segment *segment, const struct packet *pkt, const uint8_t *frame);

/**
 * tcp_segment_write_options() - the options as they go on the wire, padded with NOPs to a multiple of four
 * bytes Return: bytes written.
 */
uint32_t tcp_segment_write_options(const struct tcp_segment *segment, uint8_t options[TCP_MAX_OPTIONS_BYTES]);

#endif
