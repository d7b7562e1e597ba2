// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/run.h"

#define MAX_WORDS 32
#define KILLED    128 /* what a shell reports, without the signal's number */

extern char **environ;

/* Splits at spaces, in place. */
static void split(char *text, char *words[MAX_WORDS])
{
	char *rest = NULL;
	size_t n = 0;

	for (char *word = strtok_r(text, " ", &rest); word && n + 1 < MAX_WORDS;
	     word = strtok_r(NULL, " ", &rest))
		words[n++] = word;
	words[n] = NULL;
}

/* A file in memory, to be read from its beginning. Returns a file descriptor or -errno. */
static int open_input(const char *input)
{
	size_t bytes = strlen(input);
	int fd = memfd_create("input", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (write(fd, input, bytes) == (ssize_t)bytes && !lseek(fd, 0, SEEK_SET))
		return fd;
	close(fd);
	return -ENOSPC;
}

static int spawn_and_wait(char *const words[], int input)
{
	posix_spawn_file_actions_t files;
	int err, status;
	pid_t child;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	if (input >= 0)
		posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
	err = posix_spawnp(&child, words[0], &files, NULL, words, environ);
	posix_spawn_file_actions_destroy(&files);
	if (err)
		return -err;
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : KILLED;
}

int run_command(const char *command, const char *input)
{
	char *words[MAX_WORDS], *text = strdup(command);
	int fd = input ? open_input(input) : -1, status;

	if (!text || (input && fd < 0)) {
		free(text);
		return input && fd < 0 ? fd : -ENOMEM;
	}
	split(text, words);
	status = spawn_and_wait(words, fd);
	if (fd >= 0)
		close(fd);
	free(text);
	return status;
}
