/* SPDX-License-Identifier: GPL-2.0-only */
/* Bounds that the verifier can follow, on every kernel from 6.1 on: each hides from the compiler what it knows. */
#ifndef XDPLIFE_BPF_BOUNDS_H
#define XDPLIFE_BPF_BOUNDS_H

#include <linux/types.h>

/* counter[index]++. The compiler may know that the index is in bounds and drop the check; the verifier does not. */
static __always_inline void count_one(__u64 *counter, __u32 index, __u32 size)
{
	asm volatile("" : "+r"(index));
	if (index < size)
		counter[index]++;
}

/*
 * Whether 1 <= *bytes <= max, as a helper's length must be. By one comparison: before 6.8 the verifier learns nothing
 * from `bytes != 0`, and takes the length for one that may be zero.
 */
static __always_inline int length_ok(__u32 *bytes, __u32 max)
{
	__u32 less = *bytes - 1;

	asm volatile("" : "+r"(less));
	if (less >= max)
		return 0;
	*bytes = less + 1;
	return 1;
}

#endif
