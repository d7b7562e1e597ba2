/* SPDX-License-Identifier: GPL-2.0-only */
/* Events on their way to another thread, which shows them while this one reads on; in the order in which they came. */
#ifndef XDPLIFE_RELAY_H
#define XDPLIFE_RELAY_H

#include "xdplife/event.h"

struct relay;

/* In the relay's thread. @bytes: event->captured_bytes of the frame; as @event, valid until it returns */
typedef void (*relay_handler)(void *context, const struct trace_event *event, const __u8 *bytes);

/* Return: NULL if there is no memory or no thread for it (errno). To be freed by relay_free(). */
struct relay *relay_new(relay_handler handler, void *context);

/* Copies it; waits where the other thread is far behind. It is handled within some hundredths of a second. */
void relay_event(struct relay *relay, const struct trace_event *event, const __u8 *bytes);

/* Waits until all events have been handled, so that what the handler uses may be changed. */
void relay_drain(struct relay *relay);

/* After all events have been handled. NULL is fine. */
void relay_free(struct relay *relay);

#endif
