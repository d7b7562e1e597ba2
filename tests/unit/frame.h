/* SPDX-License-Identifier: GPL-2.0-only */
/* Frames for tests: written as hexadecimal text with their human reading beside them, read at an exact size.
 */
#ifndef XDPLIFE_TEST_FRAME_H
#define XDPLIFE_TEST_FRAME_H

#include <stdlib.h>
#include <string.h>

#include "util/hex.h"
#include "xdplife/parse.h"

#define FRAME_MAX_BYTES 4096

struct frame {
	uint8_t byte[FRAME_MAX_BYTES];
	size_t bytes;
};

/* Building blocks. MACs 02:00:00:00:00:01 → 02:00:00:00:00:02. */
#define MACS    "020000000002 020000000001 "
#define ETH_IP4 MACS "0800 "
#define ETH_IP6 MACS "86dd "
#define ETH_ARP MACS "0806 "
/* IPv4 10.0.1.2 → 10.0.2.2, TTL 64; the checksum is filled in by frame_fix_ip4(). */
#define IP4_FRAG(total, fragment, proto)                                                                     \
	"4500 " total " 1234 " fragment " 40" proto " 0000 0a000102 0a000202 "
#define IP4(total, proto) IP4_FRAG(total, "0000", proto)
/* IPv6 fd00:1::2 → fd00:2::2, hop limit 64. */
#define IP6(payload, next)                                                                                   \
	"60000000 " payload " " next "40 fd000001000000000000000000000002 fd000002000000000000000000000002 "
/* 40000 → 80, seq 1000, window 64240. */
#define TCP_WITH(offset, flags) "9c400050 000003e8 00000000 " offset "0" flags " faf0 0000 0000 "
#define TCP_SYN                 TCP_WITH("5", "02")
/* 40000 → 53 */
#define UDP(length) "9c400035 " length " 0000 "
#define ICMP_ECHO   "0800 f7fd 0001 0001 "
#define ICMP6_ECHO  "8000 0000 0001 0001 "

static inline void frame_hex(struct frame *frame, const char *text)
{
	struct hex_error error;
	long count = hex_parse(text, strlen(text), frame->byte, sizeof(frame->byte), &error);

	if (count < 0)
		abort(); /* a typing error in the test */
	frame->bytes = count;
}

/* Makes the checksum of the IPv4 header at @at right. */
static inline void frame_fix_ip4(struct frame *frame, size_t at)
{
	uint32_t bytes = (frame->byte[at] & 0xf) * 4;
	uint16_t check;

	if (at + bytes > frame->bytes || bytes < 20)
		return;
	memset(frame->byte + at + 10, 0, 2);
	check = ~checksum_fold(checksum_bytes(frame->byte + at, bytes, 0));
	memcpy(frame->byte + at + 10, &check, 2);
}

/* A frame from text, with the checksum right if it is plain IPv4. */
static inline void frame_from(struct frame *frame, const char *text)
{
	frame_hex(frame, text);
	if (frame->bytes >= 34 && frame->byte[12] == 0x08 && frame->byte[13] == 0x00)
		frame_fix_ip4(frame, 14);
}

/*
 * @bytes of the frame as a copy that ends where its memory ends, and starts at an even or an odd address, so
 * that the sanitizers see a read beyond it and one that assumes an alignment.
 */
static inline const uint8_t *frame_exact(const struct frame *frame, size_t bytes, int odd, void **to_free)
{
	uint8_t *copy = malloc(bytes + odd + !(bytes + odd));

	if (!copy)
		abort();
	memcpy(copy + odd, frame->byte, bytes);
	*to_free = copy;
	return copy + odd;
}

#endif
