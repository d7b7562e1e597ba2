/* SPDX-License-Identifier: GPL-2.0-only */
/* The reader of the ring buffer: hands over events in the order of their times (reorder.h). */
#ifndef XDPLIFE_EVENTS_H
#define XDPLIFE_EVENTS_H

#include "xdplife/event.h"

struct datapath;
struct events;

/* Return: 0, or -errno, which ends the reading. @bytes: event->captured_bytes of the frame; borrowed. */
typedef int (*events_handler)(void *context, const struct trace_event *event, const __u8 *bytes);

/* Return: the reader, to be closed by events_close() before the datapath; NULL with errno set. */
struct events *events_open(const struct datapath *dp, events_handler handler, void *context);

/**
 * events_read() - hand over what has come in, waiting if there is nothing
 * The kernel side wakes the reader only when much is queued; below that, a tick of 50 ms does.
 *
 * Return: 0, or -errno from the handler or the ring buffer (-EINTR: a signal).
 */
int events_read(struct events *events);

/* Hands over everything that is queued now, without waiting. Return: as events_read(). */
int events_drain(struct events *events);

/* How many events the handler has been given. */
__u64 events_delivered(const struct events *events);

void events_close(struct events *events);

#endif
