/* SPDX-License-Identifier: GPL-2.0-only */
/* Spreads keys over the slots of a direct-mapped table in a few instructions; not for what an attacker must not choose. */
#ifndef XDPLIFE_BPF_HASH_H
#define XDPLIFE_BPF_HASH_H

#include "xdplife/wire.h"

/* The upper bits come down before each word but the first: a port lies in them. */
static __always_inline __u32 hash_words(__u32 a, __u32 b, __u32 c)
{
	__u32 hash = a * 0x9e3779b1u;

	hash = (hash ^ hash >> 15 ^ b) * 0x85ebca77u;
	hash = (hash ^ hash >> 15 ^ c) * 0xc2b2ae3du;
	return hash ^ hash >> 15;
}

static __always_inline __u32 ip_addr_fold(const union ip_addr *addr, __u8 ip_version)
{
	if (ip_version == 4)
		return addr->v4;
	return (addr->word[0] ^ addr->word[2]) * 0x27d4eb2fu + (addr->word[1] ^ addr->word[3]) * 0x165667b1u;
}

#endif
