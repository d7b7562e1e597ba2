/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A number that tells a frame from others wherever it is met: of its EtherType and what follows, without what a router
 * changes, the MAC addresses, the TTL or hop limit and the checksum over it.
 */
#ifndef XDPLIFE_FINGERPRINT_H
#define XDPLIFE_FINGERPRINT_H

#include "parse.h"

#define FINGERPRINT_OFF   12 /* where in the frame it begins */
#define FINGERPRINT_BYTES 128

/* The frame's bytes from FINGERPRINT_OFF on; zeros behind its end, so that a driver's padding changes nothing. */
union fingerprint_input {
	__u8 byte[FINGERPRINT_BYTES];
	__be16 half[FINGERPRINT_BYTES / 2];
	__u64 word[FINGERPRINT_BYTES / 8];
};

/* @tags: VLAN tags in front of the EtherType, of 4 bytes each */
static __always_inline void fingerprint_mask(union fingerprint_input *input, __u32 tags)
{
	__be16 eth_type = input->half[2 * tags];
	__u8 *ip = input->byte + 4 * tags + sizeof(eth_type);

	if (eth_type == TO_BE16(ETH_P_IP)) {
		ip[8] = 0; /* TTL */
		ip[10] = 0;
		ip[11] = 0;
	} else if (eth_type == TO_BE16(ETH_P_IPV6)) {
		ip[7] = 0; /* hop limit */
	}
}

/* Up to two VLAN tags are stepped over. Changes @input. Return: never 0. */
static __always_inline __u64 fingerprint(union fingerprint_input *input)
{
	__u64 mark = 0;

	if (!is_vlan(input->half[0]))
		fingerprint_mask(input, 0);
	else if (!is_vlan(input->half[2]))
		fingerprint_mask(input, 1);
	else
		fingerprint_mask(input, 2);
#ifdef __clang__
#pragma clang loop unroll(full)
#endif
	for (__u32 i = 0; i < FINGERPRINT_BYTES / 8; i++) {
		/* the odd number of splitmix64 (Sebastiano Vigna) */
		mark = (mark ^ input->word[i]) * 0x9e3779b97f4a7c15;
		mark ^= mark >> 32;
	}
	return mark | 1;
}

#endif
