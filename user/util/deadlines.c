// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>

#include "util/deadlines.h"

int deadlines_init(struct deadlines *deadlines, unsigned int items)
{
	*deadlines = (struct deadlines){
		.items = items,
		.heap = calloc(items, sizeof(*deadlines->heap)),
		.place = calloc(items, sizeof(*deadlines->place)),
		.due_ns = calloc(items, sizeof(*deadlines->due_ns)),
	};
	if (!deadlines->heap || !deadlines->place || !deadlines->due_ns) {
		deadlines_free(deadlines);
		return -ENOMEM;
	}
	for (unsigned int i = 0; i < items; i++) {
		deadlines->heap[i] = deadlines->place[i] = i;
		deadlines->due_ns[i] = DEADLINE_NEVER;
	}
	return 0;
}

void deadlines_free(struct deadlines *deadlines)
{
	free(deadlines->heap);
	free(deadlines->place);
	free(deadlines->due_ns);
	*deadlines = (struct deadlines){};
}

static uint64_t due_at(const struct deadlines *deadlines, unsigned int place)
{
	return deadlines->due_ns[deadlines->heap[place]];
}

static void put(struct deadlines *deadlines, unsigned int item, unsigned int place)
{
	deadlines->heap[place] = item;
	deadlines->place[item] = place;
}

/* The earlier of the children of @place; @place itself if there are none. */
static unsigned int first_child(const struct deadlines *deadlines, unsigned int place)
{
	unsigned int child = 2 * place + 1;

	if (child >= deadlines->items)
		return place;
	if (child + 1 < deadlines->items && due_at(deadlines, child + 1) < due_at(deadlines, child))
		child++;
	return child;
}

void deadlines_set(struct deadlines *deadlines, unsigned int item, uint64_t due_ns)
{
	unsigned int place = deadlines->place[item], child;

	deadlines->due_ns[item] = due_ns;
	while (place && due_ns < due_at(deadlines, (place - 1) / 2)) {
		put(deadlines, deadlines->heap[(place - 1) / 2], place);
		place = (place - 1) / 2;
	}
	put(deadlines, item, place);
	while (child = first_child(deadlines, place), child != place && due_at(deadlines, child) < due_ns) {
		put(deadlines, deadlines->heap[child], place);
		place = child;
		put(deadlines, item, place);
	}
}

unsigned int deadlines_first(const struct deadlines *deadlines)
{
	return deadlines->heap[0];
}

uint64_t deadlines_first_ns(const struct deadlines *deadlines)
{
	return due_at(deadlines, 0);
}
