/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When a capture goes on in another file, and what the files are called: F_00001_20261231235959.pcapng, as dumpcap's
 * ring buffer has it, so that Wireshark finds them (File, File Set) and mergecap takes F_*.
 */
#ifndef XDPLIFE_ROTATION_H
#define XDPLIFE_ROTATION_H

#include <stdbool.h>
#include <stdint.h>

struct rotation_options {
	uint64_t size_bytes; /* once a file has so many, the next packet begins another; 0: no limit */
	uint64_t time_ns;    /* a file holds the packets of so long a time; 0: no limit */
	unsigned int files;  /* so many are kept, the oldest is deleted for a new one; 0: all */
};

/* Whether there is more than one file at all. */
static inline bool rotation_wanted(const struct rotation_options *options)
{
	return options->size_bytes || options->time_ns;
}

struct rotation;

/**
 * rotation_open() - files that follow each other
 * @path: "F.pcapng", which the number and the time of each file go into
 *
 * Return: to be freed by rotation_close(); NULL without memory.
 */
struct rotation *rotation_open(const char *path, const struct rotation_options *options);

/**
 * rotation_next() - the name of the next file, once the oldest has made room for it
 * @time_ns: when it begins, since the Unix epoch; the name has it in local time
 *
 * Return: the name, borrowed until rotation_close(); NULL with errno set.
 */
const char *rotation_next(struct rotation *rotation, uint64_t time_ns);

/* Whether the file that rotation_next() named last is full, when a packet of that time comes. */
bool rotation_due(const struct rotation *rotation, uint64_t file_bytes, uint64_t time_ns);

/* The files stay. NULL is allowed. */
void rotation_close(struct rotation *rotation);

#endif
