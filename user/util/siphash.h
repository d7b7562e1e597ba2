/* SPDX-License-Identifier: GPL-2.0-only */
/* SipHash-2-4 (Aumasson, Bernstein 2012): a hash that nobody can predict without the key. */
#ifndef XDPLIFE_SIPHASH_H
#define XDPLIFE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

/* @key: 16 bytes, as in memory. The same on every machine. */
uint64_t siphash(const uint8_t key[16], const void *data, size_t bytes);

#endif
