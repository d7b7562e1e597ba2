// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/reorder.h"

struct slot {
	struct trace_event *event; /* and its bytes */
	size_t size;               /* of the memory */
};

struct reorder {
	events_handler handler;
	void *context;
	unsigned int window;
	unsigned int count;
	struct slot slots[]; /* window + 1: those that wait, oldest first, then those to be used again */
};

struct reorder *reorder_new(unsigned int window, events_handler handler, void *context)
{
	struct reorder *reorder = calloc(1, sizeof(*reorder) + (window + 1) * sizeof(struct slot));

	if (!reorder)
		return NULL;
	reorder->handler = handler;
	reorder->context = context;
	reorder->window = window;
	return reorder;
}

static int fill(struct slot *slot, const struct trace_event *event)
{
	size_t size = sizeof(*event) + event->captured_bytes;

	if (size > slot->size) {
		void *memory = realloc(slot->event, size);

		if (!memory)
			return -ENOMEM;
		slot->event = memory;
		slot->size = size;
	}
	memcpy(slot->event, event, size);
	return 0;
}

/* The oldest leaves; its memory goes behind those that wait. */
static int hand_over(struct reorder *reorder)
{
	struct slot first = reorder->slots[0];

	reorder->count--;
	memmove(&reorder->slots[0], &reorder->slots[1], reorder->count * sizeof(first));
	reorder->slots[reorder->count] = first;
	return reorder->handler(reorder->context, first.event, (const __u8 *)(first.event + 1));
}

int reorder_push(struct reorder *reorder, const struct trace_event *event)
{
	struct slot slot = reorder->slots[reorder->count];
	unsigned int at = reorder->count;
	int err = fill(&slot, event);

	reorder->slots[reorder->count] = slot;
	if (err)
		return err;
	for (; at > 0 && reorder->slots[at - 1].event->time_ns > event->time_ns; at--)
		reorder->slots[at] = reorder->slots[at - 1];
	reorder->slots[at] = slot;
	reorder->count++;
	return reorder->count > reorder->window ? hand_over(reorder) : 0;
}

int reorder_flush(struct reorder *reorder, __u64 before_ns)
{
	int err = 0;

	while (!err && reorder->count && reorder->slots[0].event->time_ns < before_ns)
		err = hand_over(reorder);
	return err;
}

void reorder_free(struct reorder *reorder)
{
	if (!reorder)
		return;
	for (unsigned int i = 0; i <= reorder->window; i++)
		free(reorder->slots[i].event);
	free(reorder);
}
