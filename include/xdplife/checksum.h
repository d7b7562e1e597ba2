/* SPDX-License-Identifier: GPL-2.0-only */
/* The Internet checksum: computed over bytes (RFC 1071) and updated for a changed word (RFC 1624). */
#ifndef XDPLIFE_CHECKSUM_H
#define XDPLIFE_CHECKSUM_H

#include "wire.h"

/**
 * checksum_fold() - fold a sum of 16-bit words to 16 bits (RFC 1071 §2)
 * @sum: sum of words as they are in memory; a carry above bit 16 is still in it
 *
 * Return: the one's complement sum, not complemented. 0xffff over data that contains a right checksum.
 */
static __always_inline __u16 checksum_fold(__u64 sum)
{
	__u32 half;

	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	half = (__u32)sum;
	return (__u16)((half + (half >> 16 | half << 16)) >>
		       16); /* the carry of the lower half comes with it */
}

/**
 * checksum_words() - add @count words of 32 bits to @sum: their halves sum up alike, when it is folded (RFC 1071 §2(B))
 * @data:  the caller has checked that 4 * @count bytes are there
 * @count: words; in BPF a compile-time constant, so that the loop unrolls
 */
static __always_inline __u64 checksum_words(const void *data, __u32 count, __u64 sum)
{
	const wire_u32 *word = data;

#ifdef __clang__
#pragma clang loop unroll(full)
#endif
	for (__u32 i = 0; i < count; i++)
		sum += word[i];
	return sum;
}

/**
 * checksum_pseudo_header() - the sum that TCP, UDP and ICMPv6 put in front of their bytes
 * @family: 4 (RFC 9293 §3.1) or 6 (RFC 8200 §8.1)
 * @len:    upper-layer length in bytes
 */
static __always_inline __u64 checksum_pseudo_header(__u8 family, const union ip_addr *src,
						    const union ip_addr *dst, __u8 proto, __u32 len)
{
	__u64 sum = (__u64)TO_BE16(proto) + TO_BE32(len);

	if (family == 4)
		return sum + src->v4 + dst->v4;
	sum += (__u64)src->word[0] + src->word[1] + src->word[2] + src->word[3];
	return sum + dst->word[0] + dst->word[1] + dst->word[2] + dst->word[3];
}

/**
 * checksum_replace16() - the checksum after one 16-bit word has changed (RFC 1624 §3, equation 3)
 * @check: the checksum as it is in the header
 * @from:  the old word, @to the new one, both as they are in memory
 */
static __always_inline __u16 checksum_replace16(__u16 check, __u16 from, __u16 to)
{
	__u32 sum = (__u16)~check + (__u32)(__u16)~from + to;

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (__u16)~sum;
}

#ifndef __bpf__
/**
 * checksum_bytes() - add @len bytes at any alignment to @sum (RFC 1071); for userspace, which needs no
 * unrolling
 *
 * Return: the sum; checksum_fold() and complement it to get the value of a checksum field.
 */
static inline __u64 checksum_bytes(const void *data, __u32 len, __u64 sum)
{
	const __u8 *byte = data;

	for (; len >= 2; len -= 2, byte += 2) {
		__u16 word;
		__builtin_memcpy(&word, byte, 2);
		sum += word;
	}
	if (len) {
		__u16 last = 0;
		__builtin_memcpy(&last, byte, 1);
		sum += last;
	}
	return sum;
}
#endif

#endif
