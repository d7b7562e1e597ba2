// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "net/tcp_reassembly.h"

int tcp_reassembly_init(struct tcp_reassembly *reassembly, uint32_t capacity, uint32_t first)
{
	*reassembly = (struct tcp_reassembly){.capacity = capacity, .read = first, .next = first};
	reassembly->ring = malloc(capacity);
	return reassembly->ring ? 0 : -ENOMEM;
}

void tcp_reassembly_free(struct tcp_reassembly *reassembly)
{
	free(reassembly->ring);
	reassembly->ring = NULL;
}

uint32_t tcp_reassembly_window(const struct tcp_reassembly *reassembly)
{
	return reassembly->capacity - (reassembly->next - reassembly->read);
}

/* The capacity is a power of two, so a sequence number's place in the ring survives the wrap at 2^32. */
static void copy_in(struct tcp_reassembly *reassembly, uint32_t seq, const uint8_t *data, uint32_t bytes)
{
	uint32_t at = seq & (reassembly->capacity - 1), first = reassembly->capacity - at;

	if (first > bytes)
		first = bytes;
	memcpy(reassembly->ring + at, data, first);
	memcpy(reassembly->ring, data + first, bytes - first);
}

/* Copies the parts of @range that are in no stretch yet. Return: bytes copied. */
static uint32_t fill_gaps(struct tcp_reassembly *reassembly, struct tcp_range range, const uint8_t *data)
{
	uint32_t seq = range.start, copied = 0;

	for (unsigned int i = 0; i < reassembly->count && tcp_before(seq, range.end); i++) {
		const struct tcp_range *have = &reassembly->ahead[i];

		if (!tcp_before(seq, have->end))
			continue;
		if (tcp_before(seq, have->start)) {
			uint32_t gap_end = tcp_before(range.end, have->start) ? range.end : have->start;

			copy_in(reassembly, seq, data + (seq - range.start), gap_end - seq);
			copied += gap_end - seq;
		}
		seq = have->end;
	}
	if (tcp_before(seq, range.end)) {
		copy_in(reassembly, seq, data + (seq - range.start), range.end - seq);
		copied += range.end - seq;
	}
	return copied;
}

/* Finds the stretches that @range overlaps or touches: from *first up to, not including, *last. */
static void find_touching(const struct tcp_reassembly *reassembly, struct tcp_range range,
			  unsigned int *first, unsigned int *last)
{
	const struct tcp_range *ahead = reassembly->ahead;

	for (*first = 0; *first < reassembly->count && tcp_before(ahead[*first].end, range.start); ++*first)
		;
	for (*last = *first; *last < reassembly->count && !tcp_before(range.end, ahead[*last].start); ++*last)
		;
}

/* Puts @range into the list in the place of those stretches, grown to hold them. */
static void merge(struct tcp_reassembly *reassembly, struct tcp_range range, unsigned int first,
		  unsigned int last)
{
	struct tcp_range *ahead = reassembly->ahead;

	if (first < last && tcp_before(ahead[first].start, range.start))
		range.start = ahead[first].start;
	if (first < last && tcp_before(range.end, ahead[last - 1].end))
		range.end = ahead[last - 1].end;
	memmove(&ahead[first + 1], &ahead[last], (reassembly->count - last) * sizeof(*ahead));
	ahead[first] = range;
	reassembly->count = reassembly->count - (last - first) + 1;
}

static void note_recent(struct tcp_reassembly *reassembly, uint32_t seq)
{
	if (reassembly->recent_count < TCP_MAX_SACK_BLOCKS)
		reassembly->recent_count++;
	memmove(&reassembly->recent[1], &reassembly->recent[0],
		(reassembly->recent_count - 1) * sizeof(reassembly->recent[0]));
	reassembly->recent[0] = seq;
}

/* In-order bytes up to @end: advance, and over the stretches that they have reached. */
static void advance(struct tcp_reassembly *reassembly, uint32_t end)
{
	reassembly->next = end;
	while (reassembly->count && !tcp_before(reassembly->next, reassembly->ahead[0].start)) {
		if (tcp_before(reassembly->next, reassembly->ahead[0].end))
			reassembly->next = reassembly->ahead[0].end;
		reassembly->count--;
		memmove(&reassembly->ahead[0], &reassembly->ahead[1],
			reassembly->count * sizeof(reassembly->ahead[0]));
	}
}

static enum tcp_placement add_ahead(struct tcp_reassembly *reassembly, struct tcp_range range,
				    const uint8_t *data)
{
	unsigned int first, last;

	find_touching(reassembly, range, &first, &last);
	if (first == last && reassembly->count == TCP_MAX_GAPS)
		return TCP_PLACED_NO_ROOM;
	if (!fill_gaps(reassembly, range, data))
		return TCP_PLACED_NOTHING;
	merge(reassembly, range, first, last);
	note_recent(reassembly, range.start);
	return TCP_PLACED_AHEAD;
}

enum tcp_placement tcp_reassembly_add(struct tcp_reassembly *reassembly, uint32_t seq, const uint8_t *data,
				      uint32_t bytes)
{
	struct tcp_range range = {.start = seq, .end = seq + bytes};
	uint32_t edge = reassembly->next + tcp_reassembly_window(reassembly);

	if (tcp_before(range.start, reassembly->next))
		range.start = reassembly->next;
	if (tcp_before(edge, range.end))
		range.end = edge;
	if (!tcp_before(range.start, range.end))
		return TCP_PLACED_NOTHING;
	data += range.start - seq;
	if (range.start != reassembly->next)
		return add_ahead(reassembly, range, data);
	fill_gaps(reassembly, range, data);
	advance(reassembly, range.end);
	return TCP_PLACED_IN_ORDER;
}

size_t tcp_reassembly_read(struct tcp_reassembly *reassembly, void *out, size_t bytes)
{
	uint32_t at = reassembly->read & (reassembly->capacity - 1), first = reassembly->capacity - at;
	uint32_t ready = reassembly->next - reassembly->read;

	if (bytes > ready)
		bytes = ready;
	if (first > bytes)
		first = bytes;
	memcpy(out, reassembly->ring + at, first);
	memcpy((uint8_t *)out + first, reassembly->ring, bytes - first);
	reassembly->read += bytes;
	return bytes;
}

static const struct tcp_range *stretch_with(const struct tcp_reassembly *reassembly, uint32_t seq)
{
	for (unsigned int i = 0; i < reassembly->count; i++)
		if (!tcp_before(seq, reassembly->ahead[i].start) && tcp_before(seq, reassembly->ahead[i].end))
			return &reassembly->ahead[i];
	return NULL;
}

int tcp_reassembly_sack(const struct tcp_reassembly *reassembly, struct tcp_range *blocks, int max)
{
	int count = 0;

	for (unsigned int i = 0; i < reassembly->recent_count && count < max; i++) {
		const struct tcp_range *stretch = stretch_with(reassembly, reassembly->recent[i]);
		int known = !stretch;

		for (int k = 0; k < count && !known; k++)
			known = blocks[k].start == stretch->start;
		if (!known)
			blocks[count++] = *stretch;
	}
	return count;
}
