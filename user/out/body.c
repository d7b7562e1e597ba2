// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "out/body.h"
#include "util/new_file.h"
#include "util/terminal.h"

#define SAFE_PIECE_BYTES 256
#define SAFE_EXPANSION   4 /* \xNN */

struct body_sink {
	struct new_file *file;
	FILE *stream; /* the file's */
	bool terminal;
};

struct body_sink *body_open(const char *path)
{
	struct body_sink *body = calloc(1, sizeof(*body));

	if (!body)
		return NULL;
	body->file = new_file_open(path);
	if (!body->file) {
		int err = errno;

		free(body);
		errno = err;
		return NULL;
	}
	body->stream = new_file_stream(body->file);
	body->terminal = body->stream == stdout && isatty(STDOUT_FILENO);
	return body;
}

/* New lines and tabs stay; a terminal acts on them as it should. */
static void write_safe(FILE *stream, const uint8_t *data, size_t bytes)
{
	char safe[SAFE_PIECE_BYTES * SAFE_EXPANSION + 1];

	while (bytes) {
		size_t piece = 0;

		while (piece < bytes && piece < SAFE_PIECE_BYTES && data[piece] != '\n' &&
		       data[piece] != '\t')
			piece++;
		terminal_safe(safe, sizeof(safe), data, piece);
		fputs(safe, stream);
		if (piece < bytes && piece < SAFE_PIECE_BYTES)
			fputc(data[piece++], stream);
		data += piece;
		bytes -= piece;
	}
}

int body_write(struct body_sink *body, const uint8_t *data, size_t bytes)
{
	errno = 0;
	if (body->terminal)
		write_safe(body->stream, data, bytes);
	else
		fwrite(data, 1, bytes, body->stream);
	return ferror(body->stream) ? -(errno ? errno : EIO) : 0;
}

int body_commit(struct body_sink *body)
{
	struct new_file *file = body->file;

	free(body);
	return new_file_commit(file);
}

void body_discard(struct body_sink *body)
{
	if (!body)
		return;
	new_file_discard(body->file);
	free(body);
}
