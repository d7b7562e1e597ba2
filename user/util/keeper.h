/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A child process that undoes what no file descriptor undoes, should this process be killed: the kernel takes links and
 * sockets away with the process, but not a setting or a qdisc.
 */
#ifndef XDPLIFE_KEEPER_H
#define XDPLIFE_KEEPER_H

#include <sys/types.h>

struct keeper {
	pid_t pid;  /* 0: none */
	int socket; /* as long as our end is open, we live */
};

/**
 * keeper_start() - from here on, @undo(@context) is called when this process ends without keeper_dismiss()
 * It runs in the child, with the memory as it is now and no file descriptor but the standard three.
 *
 * Return: 0 or -errno; without a keeper, being killed leaves what there is to undo.
 */
int keeper_start(struct keeper *keeper, void (*undo)(void *context), void *context);

/* We have undone it ourselves: the child ends without doing anything, and is waited for. No keeper is no error. */
void keeper_dismiss(struct keeper *keeper);

#endif
