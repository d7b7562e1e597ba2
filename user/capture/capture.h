/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The frames of a capture file, one after the other: pcap or pcapng of any size, from a file or standard input.
 *
 * Whatever the file says, memory stays bounded (one block and the interfaces), and a file that is cut or damaged gives
 * its frames up to there. Nothing is printed before capture_say_error().
 */
#ifndef XDPLIFE_CAPTURE_H
#define XDPLIFE_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xdplife/link.h"

#define CAPTURE_MAX_FRAME_BYTES 262144 /* the longest that libpcap and Wireshark read, too */
#define CAPTURE_NAME_BYTES      64
#define CAPTURE_WHY_BYTES       384

struct capture;

struct capture_options {
	const char *file; /* "-": standard input */
	bool rewindable;  /* capture_rewind() will be called: it must be a regular file */
};

/* Why it could not be read (on). */
struct capture_error {
	char why[CAPTURE_WHY_BYTES]; /* without the file's name; safe for a terminal */
	const char *cure;            /* as log_error() takes it; NULL where there is none */
};

struct capture_interface {
	char name[CAPTURE_NAME_BYTES]; /* safe for a terminal, cut to fit; "" where the file has none */
	enum link_kind link;
	int link_type;       /* DLT_* of libpcap */
	uint32_t snap_bytes; /* frames were cut to so many; 0: not said */
};

struct capture_frame {
	const uint8_t *data;     /* until the next one is read */
	uint32_t captured_bytes; /* at most CAPTURE_MAX_FRAME_BYTES */
	uint32_t wire_bytes;     /* at least captured_bytes */
	uint64_t number;         /* in the file, from 1, as Wireshark counts */
	/*
	 * Since the Unix epoch, within what int64_t holds; what lies outside is the nearest that does not. Where the
	 * file does not say (simple packet blocks of pcapng), as in front of it, and not timed.
	 */
	uint64_t time_ns;
	bool timed;
	uint8_t direction;   /* enum link_direction; of the file, else of the cooked header */
	bool second_hook;    /* it was counted where it came in, as its comment says: LINK_SECOND_HOOK */
	uint32_t interface;  /* for capture_interface() */
	enum link_kind link; /* of that interface */
	struct link_header header; /* of the link: where the engine begins, and as what */
};

/**
 * capture_open() - open a file and find out what it is
 * @options: its texts are not kept
 *
 * Return: 0 with *capture to be closed by capture_close(); -errno with *error filled: -EBADMSG if the content is wrong.
 */
int capture_open(struct capture **capture, const struct capture_options *options,
		 struct capture_error *error);

/**
 * capture_next() - read the next frame
 *
 * Return:
 *  1                 with *frame
 *  0                 the file ends here, as it should
 *  -EPROTONOSUPPORT  with *frame, which is of a link that cannot be parsed (LINK_OTHER), and *error, which names it;
 *                    one may read on
 *  -EBADMSG          the file is cut or damaged, with *error; there is nothing more to be read
 *  -EINTR            a signal came while waiting for a pipe; likewise
 *  another -errno    reading failed; likewise
 */
int capture_next(struct capture *capture, struct capture_frame *frame, struct capture_error *error);

/* To the first frame again; the interfaces are read again, too. Return: 0; -errno with *error. */
int capture_rewind(struct capture *capture, struct capture_error *error);

/*
 * The interfaces that were met until now, in the order of the file. Those of a further pcapng section follow those of
 * the one before. Borrowed until the next frame is read.
 */
const struct capture_interface *capture_interface(const struct capture *capture, uint32_t number);
uint32_t capture_interface_count(const struct capture *capture);

/* "113 (LINUX_SLL)": a link type as people know it. @text: CAPTURE_LINK_TEXT_BYTES of room. Returns @text. */
#define CAPTURE_LINK_TEXT_BYTES 64
const char *capture_link_text(char *text, int link_type);

/* Says what is wrong with the file, and what to try. Return: EXIT_FAILED. */
int capture_say_error(const char *file, const struct capture_error *error);

/* NULL is allowed. */
void capture_close(struct capture *capture);

#endif
