/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The frames of a capture file, one after the other, as far as they can be sent: whole Ethernet frames with addresses
 * that may be sent to. A pcap or pcapng file of any size; only one frame of it is in memory.
 */
#ifndef XDPLIFE_CAPTURE_H
#define XDPLIFE_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

struct capture;

struct capture_options {
	const char *file;
	bool timed; /* its times matter: they must lie within a year */
	bool owned; /* as in guard.h: any destination will do */
};

struct capture_frame {
	const uint8_t *data; /* until the next one is read */
	uint32_t bytes;      /* ETH_HLEN to CRAFT_MAX_BYTES */
	uint64_t number;     /* in the file, from 1 */
	uint64_t time_ns; /* after the first one; not before the one in front of it, whatever the file says */
};

/* Return: 0 with *capture to be closed by capture_close(); an exit_code with the error and its cure said. */
int capture_open(struct capture **capture, const struct capture_options *options);

/**
 * capture_next() - read the next frame
 * Return: 1 with *frame; 0 at the end of the file; -EBADMSG: what comes next cannot be sent, for which see
 * capture_say_error().
 */
int capture_next(struct capture *capture, struct capture_frame *frame);

/* To the first frame again. Return: 0; -EBADMSG, as above. */
int capture_rewind(struct capture *capture);

/* Says what is wrong with the file, and what to try. Return: EXIT_FAILED. */
int capture_say_error(const struct capture *capture);

/* NULL is allowed. */
void capture_close(struct capture *capture);

#endif
