/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a fetched body goes: stdout, or a file that appears under its name only once it is complete (new_file.h).
 *
 * Ownership: body_commit() and body_discard() free the sink. On a terminal, bytes that it would act on are shown as
 * \xNN.
 */
#ifndef XDPLIFE_BODY_H
#define XDPLIFE_BODY_H

#include <stddef.h>
#include <stdint.h>

struct body_sink;

/* @path: NULL or "-" for stdout. Return: the sink, or NULL with errno set. */
struct body_sink *body_open(const char *path);

/* Return: 0 or -errno. */
int body_write(struct body_sink *body, const uint8_t *data, size_t bytes);

/* Everything is there: gives the file its name. Return: 0 or -errno, and then nothing is under the name. */
int body_commit(struct body_sink *body);

/* NULL is allowed. */
void body_discard(struct body_sink *body);

#endif
