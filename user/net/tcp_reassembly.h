/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bytes of a TCP stream, put in order: a ring buffer and the list of what has arrived beyond the first gap.
 *
 * Ownership: tcp_reassembly_init() allocates the ring, tcp_reassembly_free() frees it; data is copied in and
 * out. Limits: the capacity is a power of two up to 1 GiB; at most TCP_MAX_GAPS stretches beyond the first
 * gap are kept, a segment that would need another is not taken. Where segments overlap the bytes that came
 * first are kept.
 */
#ifndef XDPLIFE_TCP_REASSEMBLY_H
#define XDPLIFE_TCP_REASSEMBLY_H

#include <stddef.h>
#include <stdint.h>

#include "net/tcp_segment.h"

#define TCP_MAX_GAPS 64

struct tcp_reassembly {
	uint8_t *ring;
	uint32_t capacity; /* bytes */
	uint32_t read;     /* sequence number of the next byte for the reader */
	uint32_t next;     /* sequence number of the first byte that is missing */
	unsigned int count;
	struct tcp_range
		ahead[TCP_MAX_GAPS]; /* what has arrived beyond @next: in order, apart from each other */
	uint32_t recent[TCP_MAX_SACK_BLOCKS]; /* a sequence number in each stretch that grew last, newest
						 first */
	unsigned int recent_count;
};

enum tcp_placement {
	TCP_PLACED_IN_ORDER, /* the reader has more */
	TCP_PLACED_AHEAD,    /* kept beyond a gap */
	TCP_PLACED_NOTHING,  /* nothing new within the window */
	TCP_PLACED_NO_ROOM,  /* too many gaps */
};

/* Return: 0, -ENOMEM. @first: sequence number of the first byte. */
int tcp_reassembly_init(struct tcp_reassembly *reassembly, uint32_t capacity, uint32_t first);
void tcp_reassembly_free(struct tcp_reassembly *reassembly);

/* Takes in the bytes from sequence number @seq on, as far as they are new and within the window. */
enum tcp_placement tcp_reassembly_add(struct tcp_reassembly *reassembly, uint32_t seq, const uint8_t *data,
				      uint32_t bytes);

/* Copies out up to @bytes in order. Return: how many. */
size_t tcp_reassembly_read(struct tcp_reassembly *reassembly, void *out, size_t bytes);

/* Bytes beyond @next for which there is room: the receive window. */
uint32_t tcp_reassembly_window(const struct tcp_reassembly *reassembly);

/* Up to @max blocks for the SACK option, the stretch that grew last first (RFC 2018 §4). Return: how many. */
int tcp_reassembly_sack(const struct tcp_reassembly *reassembly, struct tcp_range *blocks, int max);

#endif
