/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The frames of a capture file as far as they can be sent: whole Ethernet frames with addresses that may be sent to.
 * The first one that cannot be sent is an error.
 */
#ifndef XDPLIFE_SENDABLE_H
#define XDPLIFE_SENDABLE_H

#include <stdbool.h>
#include <stdint.h>

struct sendable;

struct sendable_options {
	const char *file; /* a regular one: it is read more than once */
	bool timed;       /* its times matter: they must lie within a year */
	bool owned;       /* as in guard.h: any destination will do */
};

struct sendable_frame {
	const uint8_t *data; /* until the next one is read */
	uint32_t bytes;      /* ETH_HLEN to CRAFT_MAX_BYTES */
	uint64_t number;     /* in the file, from 1 */
	uint64_t time_ns; /* after the first one; not before the one in front of it, whatever the file says */
};

/* Return: 0 with *sendable to be closed by sendable_close(); an exit_code with the error and its cure said. */
int sendable_open(struct sendable **sendable, const struct sendable_options *options);

/**
 * sendable_next() - read the next frame
 * Return: 1 with *frame; 0 at the end of the file; -EBADMSG: what comes next cannot be sent, for which see
 * sendable_say_error().
 */
int sendable_next(struct sendable *sendable, struct sendable_frame *frame);

/* To the first frame again. Return: 0; -EBADMSG, as above. */
int sendable_rewind(struct sendable *sendable);

/* Says what is wrong with the file, and what to try. Return: EXIT_FAILED. */
int sendable_say_error(const struct sendable *sendable);

/* NULL is allowed. */
void sendable_close(struct sendable *sendable);

#endif
