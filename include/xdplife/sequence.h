/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Loss, duplication and reordering, from sequence numbers alone (RFC 4737 §3.2, RFC 5560).
 *
 * A window remembers which numbers have come. A frame is reordered if a higher number came before it; it is a duplicate
 * if its own did; it is stale if it is so old that the window cannot tell. What never came is lost.
 */
#ifndef XDPLIFE_SEQUENCE_H
#define XDPLIFE_SEQUENCE_H

#include <linux/types.h>

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

#define SEQUENCE_WORDS  8192
#define SEQUENCE_WINDOW (SEQUENCE_WORDS * 32) /* numbers: 262,144 */

enum sequence_verdict {
	SEQUENCE_NEW, /* in order, or after a gap */
	SEQUENCE_REORDERED,
	SEQUENCE_DUPLICATE,
	SEQUENCE_STALE,
};

/* One stream of frames, numbered from 0. */
struct sequence {
	__u64 next; /* one above the highest number that has come */
	/* One bit a number, and above them how manyth window the bits are of: so nothing has to be cleared. */
	__u64 window[SEQUENCE_WORDS];
};

/**
 * sequence_expand() - the whole number of which a frame carries the low bits
 * @expected: the next one
 * @bits:     how many there are, 1 to 32
 *
 * Return: the number nearest to the expected one; below 0 for a stray of before the first.
 */
static __always_inline __s64 sequence_expand(__u64 expected, __u32 low, __u32 bits)
{
	__u32 ahead = (low - (__u32)expected) << (32 - bits);

	return (__s64)expected + ((__s32)ahead >> (32 - bits));
}

/* Takes note of one frame. */
static __always_inline enum sequence_verdict sequence_note(struct sequence *sequence, __u64 number)
{
	__u64 *word = &sequence->window[number / 32 % SEQUENCE_WORDS];
	__u64 block = number / SEQUENCE_WINDOW << 32, bit = 1ull << number % 32;
	enum sequence_verdict verdict = number < sequence->next ? SEQUENCE_REORDERED : SEQUENCE_NEW;

	if ((*word & ~0xffffffffull) != block) {
		if (*word > block)
			return SEQUENCE_STALE;
		*word = block;
	}
	if (*word & bit)
		return SEQUENCE_DUPLICATE;
	*word |= bit;
	if (verdict == SEQUENCE_NEW)
		sequence->next = number + 1;
	return verdict;
}

#endif
