// SPDX-License-Identifier: GPL-2.0-only
#include "util/siphash.h"

#define WORD_BYTES   8
#define WORD_ROUNDS  2 /* the 2 and the 4 of SipHash-2-4 */
#define FINAL_ROUNDS 4

static uint64_t read_le(const uint8_t *in, size_t bytes)
{
	uint64_t word = 0;

	for (size_t i = 0; i < bytes; i++)
		word |= (uint64_t)in[i] << 8 * i;
	return word;
}

static uint64_t rotate(uint64_t word, int bits)
{
	return word << bits | word >> (64 - bits);
}

static void mix(uint64_t v[4], int rounds)
{
	while (rounds--) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotate(v[1], 13) ^ v[0];
		v[3] = rotate(v[3], 16) ^ v[2];
		v[0] = rotate(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotate(v[1], 17) ^ v[2];
		v[3] = rotate(v[3], 21) ^ v[0];
		v[2] = rotate(v[2], 32);
	}
}

static void take_word(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	mix(v, WORD_ROUNDS);
	v[0] ^= word;
}

uint64_t siphash(const uint8_t key[16], const void *data, size_t bytes)
{
	uint64_t k0 = read_le(key, WORD_BYTES), k1 = read_le(key + WORD_BYTES, WORD_BYTES);
	uint64_t v[4] = {k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261,
			 k1 ^ 0x7465646279746573};
	const uint8_t *in = data;
	size_t left = bytes;

	for (; left >= WORD_BYTES; left -= WORD_BYTES, in += WORD_BYTES)
		take_word(v, read_le(in, WORD_BYTES));
	take_word(v, read_le(in, left) | (uint64_t)bytes << 56);
	v[2] ^= 0xff;
	mix(v, FINAL_ROUNDS);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
