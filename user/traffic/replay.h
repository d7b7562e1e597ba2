/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A capture that is played: the whole file is checked before the first frame is sent, then a thread reads it again and
 * keeps the slots filled from which the sender takes the frames (xdplife/replay.h).
 */
#ifndef XDPLIFE_REPLAY_FILE_H
#define XDPLIFE_REPLAY_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "traffic/sender.h"

#define REPLAY_MAX_MARKS (1u << 20)

struct replay;

struct replay_options {
	const char *file;
	const struct iface *iface;        /* that it is for: what it may send there, and can */
	const uint8_t *src_mac, *dst_mac; /* NULL: as in the file */
	uint64_t rounds;                  /* how often it is played; 0: until it is stopped */
	bool own_timing;                  /* with the gaps of the file */
	bool owned;                       /* as in guard.h */
	bool marks;                       /* its frames are to be known again */
};

struct replay_summary {
	uint64_t frames, bytes; /* of the file, that is of one round */
	uint64_t duration_ns;   /* from the first frame to the last */
	uint32_t largest_bytes;
};

/**
 * replay_open() - check a capture, as long as its file may be
 * Return: 0 with *replay to be closed by replay_close(); an exit_code with the error and its cure said.
 */
int replay_open(struct replay **replay, const struct replay_options *options);

const struct replay_summary *replay_summary(const struct replay *replay);

/* fingerprint() of each frame. */
const uint64_t *replay_marks(const struct replay *replay, size_t *count);

/* Frames in all rounds; UINT64_MAX: no end. */
uint64_t replay_frames(const struct replay *replay);

/* What the sender's open() needs to know. */
struct sender_replay replay_for_sender(const struct replay *replay);

/**
 * replay_start() - fill the sender's slots, and keep them filled until run->limit or run->stop
 * When the file cannot be read on, it lowers run->limit to what has been read.
 *
 * Return: 0 or -errno.
 */
int replay_start(struct replay *replay, const struct sender *sender);

/* Waits for the thread; the sender has stopped. */
void replay_stop(struct replay *replay);

/* Whether the file could not be played to its end; if so, says why. */
bool replay_say_error(const struct replay *replay);

/* NULL is allowed. */
void replay_close(struct replay *replay);

#endif
