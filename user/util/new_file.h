/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A file that appears under its name only once it is complete.
 *
 * It is written under a temporary name in the same directory; nothing is under the final name before new_file_commit().
 * Something that is no regular file (/dev/null, a FIFO) is written to directly. Ownership: new_file_commit() and
 * new_file_discard() free it and close the stream, stdout excepted.
 */
#ifndef XDPLIFE_NEW_FILE_H
#define XDPLIFE_NEW_FILE_H

#include <stdio.h>

struct new_file;

/* @path: NULL or "-" for stdout. Return: the file, or NULL with errno set. */
struct new_file *new_file_open(const char *path);

/* Where to write to; borrowed. */
FILE *new_file_stream(const struct new_file *file);

/* Everything is there: gives the file its name. Return: 0 or -errno, and then nothing is under the name. */
int new_file_commit(struct new_file *file);

/* NULL is allowed. */
void new_file_discard(struct new_file *file);

#endif
