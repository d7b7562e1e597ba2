/* SPDX-License-Identifier: GPL-2.0-only */
/* What the generator and the counting sink (bpf/generate.bpf.c) share with userspace, besides the frames (craft.h). */
#ifndef XDPLIFE_GENERATE_H
#define XDPLIFE_GENERATE_H

#include <linux/bpf.h>

#include "craft.h"
#include "histogram.h"
#include "replay.h"
#include "sequence.h"

/* A time in a paced stream has 16 bits of a nanosecond more: so 4 million packets a second are exact to 10^-7. */
#define PACE_SHIFT 16

/* One thread of the generator: set before a run, read during and after it. */
struct generator_run {
	struct craft_state craft;
	__u64 limit;    /* frames to make in all */
	__u64 start_ns; /* paced: what `due` counts from: at first when the first frame is made */
	__u64 due;      /* paced: when the next frame is due, after start_ns, << PACE_SHIFT */
	__u64 clock_ns; /* paced: the clock when it was last read for that */
	__u64 stop;     /* nothing more is to be made */
	__u64 ended;    /* frames when that was found, by the program */
	__u64 rest;     /* by the program: nothing is due for so long that the CPU can be left */
	struct replay_run replay;
};

/* Whether the next frame of a paced stream is due. What is late is due at once, until the rate is kept again. */
static __always_inline int pace_due(struct generator_run *run, __u64 interval, __u64 now_ns)
{
	if (!run->start_ns)
		run->start_ns = now_ns;
	if ((__s64)(now_ns - run->start_ns - (run->due >> PACE_SHIFT)) < 0)
		return 0;
	run->due += interval;
	return 1;
}

/* Nanoseconds until the frame of a slot is due; below 0: it is late. */
static __always_inline __s64 replay_ahead_ns(struct generator_run *run, const struct replay_slot *slot,
					     __u64 now_ns)
{
	if (!run->start_ns)
		run->start_ns = now_ns;
	return (__s64)(run->start_ns + replay_due_ns(&run->replay, slot) - now_ns);
}

/* What the sink saw of one thread's stream. The lock is used only where several CPUs may receive it at once. */
struct sink_stream {
	struct bpf_spin_lock lock;
	__u32 _pad;
	__u64 received;
	__u64 bytes;
	__u64 reordered;
	__u64 duplicates;
	__u64 stale; /* reordered or duplicate: too old to tell */
	struct sequence sequence;
};

#endif
