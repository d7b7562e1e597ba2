/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The numbers that a connection starts with: nobody on the way can guess them, and for the same two ends they
 * only grow, so that a server which still holds the last connection of these ends (TIME-WAIT) takes the next
 * one at once.
 */
#ifndef XDPLIFE_TCP_NUMBERS_H
#define XDPLIFE_TCP_NUMBERS_H

#include <stdint.h>

#include "net/frame.h"

#define TCP_SECRET_BYTES 16

struct tcp_secret {
	uint8_t key[TCP_SECRET_BYTES];
};

struct tcp_numbers {
	uint32_t isn;              /* RFC 6528 §3: a clock of 4 µs and a hash of the two ends */
	uint32_t timestamp_offset; /* RFC 7323 §5.4: a hash of the two ends */
	uint32_t flow_label;       /* RFC 6437 §3: likewise; 20 bits, not 0 */
};

/*
 * What the hashes are keyed with: the same for all our processes until the next boot, whose clock restarts
 * too. It is the kernel's boot ID, which is random and which the network never sees.
 */
void tcp_secret_read(struct tcp_secret *secret);

/* @path: all but its flow label. @now_ns: monotonic */
struct tcp_numbers tcp_numbers_of(const struct tcp_secret *secret, const struct frame_path *path,
				  uint64_t now_ns);

#endif
