// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "out/rotation.h"
#include "util/clock.h"

#define TIME_TEXT_BYTES 32

struct rotation {
	struct rotation_options options;
	char *path;
	const char *suffix; /* of it, ".pcapng" */
	char **names;       /* a ring of those that are kept: of @slots, @next is the oldest */
	unsigned int slots, next;
	uint64_t number;   /* of files until now */
	uint64_t start_ns; /* of the one that is being written */
};

/* A dot that begins the name, or stands in front of a folder's slash, begins no suffix. */
static const char *suffix_of(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');

	return dot && dot != name ? dot : path + strlen(path);
}

struct rotation *rotation_open(const char *path, const struct rotation_options *options)
{
	struct rotation *rotation = calloc(1, sizeof(*rotation));

	if (!rotation)
		return NULL;
	rotation->options = *options;
	rotation->slots =
		options->files ? options->files : 1; /* of all files only the last one is remembered */
	rotation->names = calloc(rotation->slots, sizeof(*rotation->names));
	rotation->path = strdup(path);
	if (rotation->names && rotation->path) {
		rotation->suffix = suffix_of(rotation->path);
		return rotation;
	}
	rotation_close(rotation);
	return NULL;
}

static char *make_name(const struct rotation *rotation, uint64_t time_ns)
{
	time_t seconds = (time_t)(time_ns / NS_PER_S);
	char time[TIME_TEXT_BYTES], *name;
	struct tm local;

	strftime(time, sizeof(time), "%Y%m%d%H%M%S", localtime_r(&seconds, &local));
	if (asprintf(&name, "%.*s_%05" PRIu64 "_%s%s", (int)(rotation->suffix - rotation->path),
		     rotation->path, rotation->number, time, rotation->suffix) < 0)
		return NULL;
	return name;
}

/* Somebody may have moved the file away meanwhile, which is as good. */
static int drop_oldest(struct rotation *rotation)
{
	char **oldest = &rotation->names[rotation->next];

	if (*oldest && rotation->options.files && unlink(*oldest) && errno != ENOENT)
		return -errno;
	free(*oldest);
	*oldest = NULL;
	return 0;
}

const char *rotation_next(struct rotation *rotation, uint64_t time_ns)
{
	char *name;

	if (drop_oldest(rotation))
		return NULL;
	rotation->number++;
	name = make_name(rotation, time_ns);
	if (!name)
		return NULL;
	rotation->names[rotation->next] = name;
	rotation->next = (rotation->next + 1) % rotation->slots;
	rotation->start_ns = time_ns;
	return name;
}

bool rotation_due(const struct rotation *rotation, uint64_t file_bytes, uint64_t time_ns)
{
	const struct rotation_options *options = &rotation->options;

	return (options->size_bytes && file_bytes >= options->size_bytes) ||
	       (options->time_ns && time_ns >= rotation->start_ns &&
		time_ns - rotation->start_ns >= options->time_ns);
}

void rotation_close(struct rotation *rotation)
{
	if (!rotation)
		return;
	for (unsigned int i = 0; rotation->names && i < rotation->slots; i++)
		free(rotation->names[i]);
	free(rotation->names);
	free(rotation->path);
	free(rotation);
}
