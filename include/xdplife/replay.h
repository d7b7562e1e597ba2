/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The way of a capture's frames from userspace to whoever sends them, the BPF program (live frames) or AF_XDP: a ring
 * of slots with one writer, who reads the file, and one reader, who sends. Nothing is locked.
 *
 * A file with no more frames than there are slots is written once and read round after round.
 */
#ifndef XDPLIFE_REPLAY_H
#define XDPLIFE_REPLAY_H

#include <linux/types.h>

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

#define REPLAY_SLOTS      1024
#define REPLAY_SLOT_BYTES 4096 /* a page: the ring is mapped into userspace */

/* No frame is due for so long that a CPU should not be kept busy; not less, for to come back costs live frames time. */
#define REPLAY_REST_NS 500000000

struct replay_slot {
	__u64 due_ns; /* after the beginning of the round */
	__u32 bytes;  /* of the frame, ETH_HLEN to CRAFT_MAX_BYTES */
	__u32 _pad;
	__u8 frame[REPLAY_SLOT_BYTES - 16];
};

_Static_assert(sizeof(struct replay_slot) == REPLAY_SLOT_BYTES, "no hidden padding");

/* The place of the reader, and how far the writer is. */
struct replay_run {
	__u64 ready; /* frames written, over all rounds: the writer's */
	__u64 known; /* what the reader knows of that */
	__u64 round_ns; /* when the round began, after the first one; all rounds of a file that is read anew are one */
	__u64 period_ns; /* how long a round takes */
	__u32 slots;     /* in a round */
	__u32 slot;      /* the next to be read */
};

/* What the other side wrote before it set the number is seen after this. */
static __always_inline __u64 replay_load(__u64 *number)
{
#ifdef __bpf__
	return __sync_fetch_and_add(number, 0); /* it has no other loads that order anything */
#else
	return __atomic_load_n(number, __ATOMIC_ACQUIRE);
#endif
}

/* What was read and written before this is over when the other side sees the number. */
static __always_inline void replay_store(__u64 *number, __u64 value)
{
#ifdef __bpf__
	__sync_lock_test_and_set(number, value);
#else
	__atomic_store_n(number, value, __ATOMIC_RELEASE);
#endif
}

/* Whether the reader, who has read @number frames, has a next one. */
static __always_inline int replay_has_next(struct replay_run *replay, __u64 number)
{
	if (number >= replay->known)
		replay->known = replay_load(&replay->ready);
	return number < replay->known;
}

/* When the frame of a slot is due, after the beginning of the replay. */
static __always_inline __u64 replay_due_ns(const struct replay_run *replay, const struct replay_slot *slot)
{
	return replay->round_ns + slot->due_ns;
}

/* To the next slot. */
static __always_inline void replay_step(struct replay_run *replay)
{
	if (++replay->slot < replay->slots)
		return;
	replay->slot = 0;
	replay->round_ns += replay->period_ns;
}

#endif
