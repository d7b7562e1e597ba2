/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The deadlines of a fixed number of items, and which is the first: a binary heap. Pure.
 *
 * Ownership: deadlines_init() allocates, deadlines_free() frees (also what was only zeroed). All items start
 * without a deadline.
 */
#ifndef XDPLIFE_DEADLINES_H
#define XDPLIFE_DEADLINES_H

#include <stdint.h>

#define DEADLINE_NEVER UINT64_MAX

struct deadlines {
	unsigned int items;
	unsigned int *heap;  /* item numbers: none before its parent, at (place - 1) / 2 */
	unsigned int *place; /* of each item in the heap */
	uint64_t *due_ns;    /* of each item */
};

/* @items: at least 1. Return: 0, -ENOMEM. */
int deadlines_init(struct deadlines *deadlines, unsigned int items);
void deadlines_free(struct deadlines *deadlines);

/* @due_ns: DEADLINE_NEVER takes it away. */
void deadlines_set(struct deadlines *deadlines, unsigned int item, uint64_t due_ns);

/* The item whose deadline is the first, and that deadline. */
unsigned int deadlines_first(const struct deadlines *deadlines);
uint64_t deadlines_first_ns(const struct deadlines *deadlines);

#endif
