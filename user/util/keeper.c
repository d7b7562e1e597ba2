// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <limits.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/keeper.h"

#define DISMISSED 'd'

/*
 * Nothing inherited may live on in here: an open link would keep its program attached. A session of its own, so that
 * the terminal's Ctrl-C is for the parent alone.
 */
static void keep(int parent, void (*undo)(void *context), void *context)
{
	ssize_t bytes;
	char said;

	setsid();
	prctl(PR_SET_NAME, "xdplife-keeper");
	if (parent > STDERR_FILENO + 1)
		close_range(STDERR_FILENO + 1, (unsigned int)parent - 1, 0);
	close_range((unsigned int)parent + 1, UINT_MAX, 0);
	do
		bytes = read(parent, &said, 1);
	while (bytes < 0 && errno == EINTR);
	if (bytes == 0)
		undo(context);
	_exit(0);
}

int keeper_start(struct keeper *keeper, void (*undo)(void *context), void *context)
{
	int ends[2], err;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return -errno;
	keeper->pid = fork();
	if (keeper->pid < 0) {
		err = -errno;
		keeper->pid = 0;
		close(ends[0]);
		close(ends[1]);
		return err;
	}
	if (!keeper->pid) {
		close(ends[1]);
		keep(ends[0], undo, context);
	}
	close(ends[0]);
	keeper->socket = ends[1];
	return 0;
}

void keeper_dismiss(struct keeper *keeper)
{
	char said = DISMISSED;

	if (!keeper->pid)
		return;
	/* A socket, not a pipe: should the child be gone already, that is no reason to die of SIGPIPE. */
	send(keeper->socket, &said, 1, MSG_NOSIGNAL);
	close(keeper->socket);
	while (waitpid(keeper->pid, NULL, 0) < 0 && errno == EINTR)
		;
	keeper->pid = 0;
}
