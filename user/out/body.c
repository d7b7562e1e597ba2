// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "out/body.h"
#include "util/terminal.h"

#define SAFE_PIECE_BYTES 256
#define SAFE_EXPANSION   4 /* \xNN */
#define NEW_FILE_MODE    0666

struct body_sink {
	FILE *stream;
	char *final_name; /* NULL: nothing to rename */
	char *temporary_name;
	bool terminal;
};

static mode_t mode_of_new_file(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return NEW_FILE_MODE & ~mask;
}

/* The temporary file beside @body->final_name. */
static int open_temporary(struct body_sink *body, mode_t mode)
{
	int fd;

	if (asprintf(&body->temporary_name, "%s.XXXXXX", body->final_name) < 0) {
		body->temporary_name = NULL;
		return -ENOMEM;
	}
	fd = mkostemp(body->temporary_name, O_CLOEXEC);
	if (fd < 0) {
		free(body->temporary_name);
		body->temporary_name = NULL;
		return -errno;
	}
	body->stream = fdopen(fd, "w");
	if (!body->stream || fchmod(fd, mode))
		return -errno;
	return 0;
}

static int open_file(struct body_sink *body, const char *path)
{
	struct stat existing;
	bool exists = !stat(path, &existing);

	if (exists && !S_ISREG(existing.st_mode)) {
		body->stream = fopen(path, "we");
		return body->stream ? 0 : -errno;
	}
	/* Through a symbolic link to what it points to, as any other program writes. */
	body->final_name = exists ? realpath(path, NULL) : strdup(path);
	if (!body->final_name)
		return -errno;
	return open_temporary(body, exists ? existing.st_mode & ALLPERMS : mode_of_new_file());
}

struct body_sink *body_open(const char *path)
{
	struct body_sink *body = calloc(1, sizeof(*body));
	int err = 0;

	if (!body)
		return NULL;
	if (path && strcmp(path, "-") != 0) {
		err = open_file(body, path);
	} else {
		body->stream = stdout;
		body->terminal = isatty(STDOUT_FILENO);
	}
	if (!err)
		return body;
	body_discard(body);
	errno = -err;
	return NULL;
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

static void free_body(struct body_sink *body)
{
	free(body->final_name);
	free(body->temporary_name);
	free(body);
}

/* Closes the stream, if it is ours to close. A full disk is seen here at the latest. */
static int finish_stream(struct body_sink *body)
{
	FILE *stream = body->stream;

	body->stream = NULL;
	if (!stream)
		return 0;
	if (stream == stdout)
		return fflush(stdout) ? -errno : 0;
	return fclose(stream) ? -errno : 0;
}

int body_commit(struct body_sink *body)
{
	int err = finish_stream(body);

	if (!err && body->temporary_name && rename(body->temporary_name, body->final_name))
		err = -errno;
	if (err) {
		body_discard(body);
		return err;
	}
	free_body(body);
	return 0;
}

void body_discard(struct body_sink *body)
{
	if (!body)
		return;
	finish_stream(body);
	if (body->temporary_name)
		unlink(body->temporary_name);
	free_body(body);
}
