// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/new_file.h"

#define NEW_FILE_MODE 0666

struct new_file {
	FILE *stream;
	char *final_name; /* NULL: nothing to rename */
	char *temporary_name;
};

static mode_t mode_of_new_file(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return NEW_FILE_MODE & ~mask;
}

/* The temporary file beside @file->final_name. */
static int open_temporary(struct new_file *file, mode_t mode)
{
	int fd;

	if (asprintf(&file->temporary_name, "%s.XXXXXX", file->final_name) < 0) {
		file->temporary_name = NULL;
		return -ENOMEM;
	}
	fd = mkostemp(file->temporary_name, O_CLOEXEC);
	if (fd < 0) {
		free(file->temporary_name);
		file->temporary_name = NULL;
		return -errno;
	}
	file->stream = fdopen(fd, "w");
	if (!file->stream) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fchmod(fd, mode) ? -errno : 0;
}

static int open_path(struct new_file *file, const char *path)
{
	struct stat existing;
	bool exists = !stat(path, &existing);

	if (exists && !S_ISREG(existing.st_mode)) {
		file->stream = fopen(path, "we");
		return file->stream ? 0 : -errno;
	}
	/* Through a symbolic link to what it points to, as any other program writes. */
	file->final_name = exists ? realpath(path, NULL) : strdup(path);
	if (!file->final_name)
		return -errno;
	return open_temporary(file, exists ? existing.st_mode & ALLPERMS : mode_of_new_file());
}

struct new_file *new_file_open(const char *path)
{
	struct new_file *file = calloc(1, sizeof(*file));
	int err = 0;

	if (!file)
		return NULL;
	if (path && strcmp(path, "-") != 0)
		err = open_path(file, path);
	else
		file->stream = stdout;
	if (!err)
		return file;
	new_file_discard(file);
	errno = -err;
	return NULL;
}

FILE *new_file_stream(const struct new_file *file)
{
	return file->stream;
}

static void free_file(struct new_file *file)
{
	free(file->final_name);
	free(file->temporary_name);
	free(file);
}

/* Closes the stream, if it is ours to close. A full disk is seen here at the latest; of a write that failed before, the
 * reason is gone. */
static int finish_stream(struct new_file *file)
{
	FILE *stream = file->stream;
	int err = 0;

	file->stream = NULL;
	if (!stream)
		return 0;
	if (ferror(stream))
		err = -EIO;
	if (stream == stdout ? fflush(stdout) : fclose(stream))
		err = -errno;
	return err;
}

int new_file_commit(struct new_file *file)
{
	int err = finish_stream(file);

	if (!err && file->temporary_name && rename(file->temporary_name, file->final_name))
		err = -errno;
	if (err) {
		new_file_discard(file);
		return err;
	}
	free_file(file);
	return 0;
}

void new_file_discard(struct new_file *file)
{
	if (!file)
		return;
	finish_stream(file);
	if (file->temporary_name)
		unlink(file->temporary_name);
	free_file(file);
}
