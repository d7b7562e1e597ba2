/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Puts events in the order of their times: two processors that meet at the ring buffer write in either order.
 *
 * An event waits until so many later ones have come that nothing older can be under way, or until it is asked for. What
 * is pushed is copied; a slot keeps its memory for the next event, so a full window costs its largest events.
 */
#ifndef XDPLIFE_REORDER_H
#define XDPLIFE_REORDER_H

#include "datapath/events.h"

struct reorder;

/* @window: how many events may wait. Return: to be freed by reorder_free(); NULL: no memory. */
struct reorder *reorder_new(unsigned int window, events_handler handler, void *context);

/* Takes one event and the event->captured_bytes behind it. Return: 0; -ENOMEM; -errno of the handler. */
int reorder_push(struct reorder *reorder, const struct trace_event *event);

/* Hands over, in order, what is older than @before_ns. Return: 0, or -errno of the handler. */
int reorder_flush(struct reorder *reorder, __u64 before_ns);

/* What still waits is lost. NULL is allowed. */
void reorder_free(struct reorder *reorder);

#endif
