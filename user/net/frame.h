/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A frame built by hand, layer by layer: Ethernet, then IP, then TCP. After each step the frame is right as
 * far as it goes, lengths and checksums included, so that it can be shown. Nothing is padded: veth takes
 * short frames, and Ethernet hardware pads by itself.
 */
#ifndef XDPLIFE_FRAME_H
#define XDPLIFE_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "net/tcp_segment.h"

#define FRAME_MAX_BYTES 3584 /* what a 4096-byte AF_XDP chunk holds besides its headroom, rounded down */
#define FRAME_TTL       64   /* RFC 1700; what Linux takes */

struct frame {
	uint8_t data[FRAME_MAX_BYTES];
	uint32_t bytes;
	uint16_t l3_off;
	uint16_t l4_off;
};

/* The two ends of a connection, seen from us: what every frame of it has in common. */
struct frame_path {
	uint8_t local_mac[6];
	uint8_t next_mac[6]; /* of the gateway, or of the peer on the link */
	uint8_t ip_version;  /* 4 or 6 */
	union ip_addr local;
	union ip_addr remote;
	__be16 local_port;
	__be16 remote_port;
	uint32_t flow_label; /* IPv6: 20 bits, constant for the connection (RFC 6437) */
};

/* IEEE 802.3 §3.2: starts the frame anew. */
void frame_push_ethernet(struct frame *frame, const struct frame_path *path);

/* RFC 791 §3.1 or RFC 8200 §3, with no payload yet. @id: IPv4 identification. Don't Fragment is set. */
void frame_push_ip(struct frame *frame, const struct frame_path *path, uint16_t id);

/**
 * frame_push_tcp() - RFC 9293 §3.1: header, options and data; completes the length and the checksums
 * Return: 0, or -EMSGSIZE if it does not fit.
 */
int frame_push_tcp(struct frame *frame, const struct frame_path *path, const struct tcp_segment *segment);

/* All three at once. */
int frame_build(struct frame *frame, const struct frame_path *path, uint16_t id,
		const struct tcp_segment *segment);

/* Bytes of headers in front of TCP's options on a path of this IP version, without Ethernet: 40 or 60. */
uint32_t frame_header_bytes(int ip_version);

enum frame_checksum {
	FRAME_CHECKSUM_RIGHT,
	FRAME_CHECKSUM_PARTIAL, /* the pseudo-header's sum: a sender on this machine left the rest to its
				   "hardware" */
	FRAME_CHECKSUM_WRONG,
};

/* Verifies the TCP checksum of a frame that was received whole. @pkt: from parse_packet(), TCP, well formed
 */
enum frame_checksum frame_tcp_checksum(const struct packet *pkt, const uint8_t *frame);

#endif
