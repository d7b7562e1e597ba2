/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A log-linear histogram: each power of two is cut into HISTOGRAM_STEPS equal parts, so that a value is known to 1/16
 * from nanoseconds to minutes. Filled in the kernel, read in userspace.
 */
#ifndef XDPLIFE_HISTOGRAM_H
#define XDPLIFE_HISTOGRAM_H

#include <linux/types.h>

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

#define HISTOGRAM_STEP_BITS 4
#define HISTOGRAM_STEPS     (1 << HISTOGRAM_STEP_BITS)
#define HISTOGRAM_BUCKETS   ((40 - HISTOGRAM_STEP_BITS + 1) * HISTOGRAM_STEPS) /* up to 2^40 ns, 18 minutes */

/* floor(log2(value)), value > 0: by halves, for BPF has no instruction for it. */
static __always_inline __u32 histogram_log2(__u64 value)
{
	__u32 log = 0;

	if (value >> 32) {
		log += 32;
		value >>= 32;
	}
	if (value >> 16) {
		log += 16;
		value >>= 16;
	}
	if (value >> 8) {
		log += 8;
		value >>= 8;
	}
	if (value >> 4) {
		log += 4;
		value >>= 4;
	}
	if (value >> 2) {
		log += 2;
		value >>= 2;
	}
	return log + (value >> 1);
}

/* Below HISTOGRAM_STEPS each value has a bucket of its own; the last bucket has everything above. */
static __always_inline __u32 histogram_bucket(__u64 value)
{
	__u32 log, bucket;

	if (value < HISTOGRAM_STEPS)
		return (__u32)value;
	log = histogram_log2(value);
	bucket = (log - HISTOGRAM_STEP_BITS + 1) * HISTOGRAM_STEPS +
		 (__u32)((value >> (log - HISTOGRAM_STEP_BITS)) & (HISTOGRAM_STEPS - 1));
	return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

/* The lowest value of a bucket; that of the next one is the end of it. */
static __always_inline __u64 histogram_floor(__u32 bucket)
{
	__u32 octave = bucket / HISTOGRAM_STEPS;

	if (!octave)
		return bucket;
	return (__u64)(HISTOGRAM_STEPS + bucket % HISTOGRAM_STEPS) << (octave - 1);
}

#endif
