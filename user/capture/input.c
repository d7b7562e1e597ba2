// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/input.h"

#define BUFFER_BYTES (64 * 1024) /* stays in the cache; a larger one is no faster */

int input_open(struct input *input, const char *file, int flags)
{
	*input = (struct input){.fd = -1};
	if (!strcmp(file, "-"))
		input->fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
	else
		input->fd = open(file, O_RDONLY | O_CLOEXEC | flags);
	if (input->fd < 0)
		return -errno;
	input->buffer = malloc(BUFFER_BYTES);
	if (input->buffer) {
		input->room = BUFFER_BYTES;
		return 0;
	}
	input_close(input);
	return -ENOMEM;
}

void input_close(struct input *input)
{
	if (input->fd >= 0)
		close(input->fd);
	free(input->buffer);
	*input = (struct input){.fd = -1};
}

int input_rewind(struct input *input)
{
	input->at = input->end = 0;
	input->error = 0;
	return lseek(input->fd, 0, SEEK_SET) < 0 ? -errno : 0;
}

/* The rest moves to the front, where as much fits behind it as is needed. */
static int make_room(struct input *input, size_t bytes)
{
	size_t room = input->room;
	uint8_t *bigger;

	memmove(input->buffer, input->buffer + input->at, input->end - input->at);
	input->end -= input->at;
	input->at = 0;
	while (room < bytes)
		room *= 2;
	if (room == input->room)
		return 0;
	bigger = realloc(input->buffer, room);
	if (!bigger)
		return -ENOMEM;
	input->buffer = bigger;
	input->room = room;
	return 0;
}

int input_fill(struct input *input, size_t bytes)
{
	if (make_room(input, bytes))
		return -ENOMEM;
	while (input->end < bytes) {
		ssize_t got = read(input->fd, input->buffer + input->end, input->room - input->end);

		if (got < 0)
			return input->error = -errno;
		if (!got)
			break;
		input->end += (size_t)got;
	}
	return 0;
}

/* First what is buffered, then the file itself. */
static ssize_t read_stream(void *cookie, char *to, size_t room)
{
	struct input *input = cookie;
	size_t here = input_bytes(input);
	ssize_t got;

	if (here) {
		here = here < room ? here : room;
		memcpy(to, input_take(input, here), here);
		return (ssize_t)here;
	}
	got = read(input->fd, to, room);
	if (got < 0)
		input->error = -errno;
	return got;
}

FILE *input_stream(struct input *input)
{
	FILE *stream = fopencookie(input, "r", (cookie_io_functions_t){.read = read_stream});

	if (stream)
		setvbuf(stream, NULL, _IOFBF, BUFFER_BYTES);
	return stream;
}
