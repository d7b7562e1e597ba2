/* SPDX-License-Identifier: GPL-2.0-only */
/* What a stream of generated frames is to look like, and the shapes (xdplife/craft.h) that make it so. Pure. */
#ifndef XDPLIFE_PLAN_H
#define XDPLIFE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xdplife/craft.h"

#define PLAN_MAX_VLANS 2
#define PLAN_TTL       64 /* RFC 1700; what Linux takes */

struct traffic_plan {
	enum craft_kind kind;
	int ip_version;
	union ip_addr from, to; /* with prefixes shorter than the address, the flow decides the rest */
	uint8_t from_prefix, to_prefix;
	uint16_t port; /* the server's */
	uint8_t src_mac[6], dst_mac[6];
	uint16_t vlan[PLAN_MAX_VLANS]; /* VIDs, the outer tag first */
	unsigned int vlans;
	uint32_t flows;
	uint64_t seed;
	/* Frame bytes without the FCS: a cycle; none: the smallest that there is. */
	uint16_t size[CRAFT_SIZES];
	unsigned int sizes;
	bool grow; /* a size that is too small for the headers becomes the smallest that there is */
	unsigned int threads;
	uint32_t stamp_every; /* every how manyth frame carries a time: a power of two */
};

/*
 * The simple IMIX, interleaved: seven frames of 60 bytes or, with VLAN tags or IPv6, the smallest that there is, four of
 * 590 and one of 1514.
 */
void plan_imix(struct traffic_plan *plan);

/**
 * plan_craft() - make one thread's shapes, sums and flow numbers
 * @why: what is wrong, on -EINVAL, by the names of generate's options
 *
 * The same plan and seed always give the same frames (but for their times), whatever the machine.
 * Return: 0 or -EINVAL.
 */
int plan_craft(const struct traffic_plan *plan, uint32_t thread, struct craft_config *craft, char *why,
	       size_t why_bytes);

/* The largest frame of the cycle, in bytes. */
uint32_t plan_frame_bytes(const struct craft_config *craft);

/* Writes the stream's first frame, as large as the largest. @frame: CRAFT_MAX_BYTES, zeroed. Return: its bytes. */
uint32_t plan_first_frame(const struct craft_config *craft, void *frame);

/* "UDP", "SYN", ... */
const char *plan_kind_text(enum craft_kind kind);

#endif
