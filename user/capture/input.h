/* SPDX-License-Identifier: GPL-2.0-only */
/* A file or a pipe as bytes in one growing buffer. Not mapped: a file that is cut meanwhile must not end in SIGBUS. */
#ifndef XDPLIFE_CAPTURE_INPUT_H
#define XDPLIFE_CAPTURE_INPUT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct input {
	int fd; /* of the file, whatever becomes of its name meanwhile */
	uint8_t *buffer;
	size_t at, end; /* what was read and not yet taken */
	size_t room;
	int error; /* the first read that failed, as -errno */
};

/* Return: 0 with *input to be closed; -errno. */
int input_open(struct input *input, const char *file, int flags);
void input_close(struct input *input);
int input_rewind(struct input *input);

/* The slow half of input_need(). */
int input_fill(struct input *input, size_t bytes);

/**
 * input_need() - have the next bytes in one piece
 * Return: 0 with input_bytes() at least @bytes, unless the file ends before; -errno. What was taken becomes invalid.
 */
static inline int input_need(struct input *input, size_t bytes)
{
	return input->end - input->at >= bytes ? 0 : input_fill(input, bytes);
}

static inline size_t input_bytes(const struct input *input)
{
	return input->end - input->at;
}

static inline const uint8_t *input_take(struct input *input, size_t bytes)
{
	const uint8_t *taken = input->buffer + input->at;

	input->at += bytes;
	return taken;
}

/* The rest of it as a stream, for libpcap. Closing that leaves @input open. NULL with errno set. */
FILE *input_stream(struct input *input);

#endif
