/* SPDX-License-Identifier: GPL-2.0-only */
/* The options of a TCP header, field by field and as part of a line. */
#ifndef XDPLIFE_PROTO_TCP_OPTIONS_H
#define XDPLIFE_PROTO_TCP_OPTIONS_H

#include "proto/dissect.h"

/* Adds the fields of the options in [at, end) to the layer, as far as they were captured. */
void dissect_tcp_options(struct dissector *ds, uint32_t at, uint32_t end);

/* "<mss 1460, sackOK, ts 1/0> ", or nothing. SACK blocks are relative to @ack_base: they are the other side's
 * bytes. */
void tcp_options_line(struct line *line, const struct dissection *d, const struct layer *layer,
		      uint32_t ack_base);

#endif
