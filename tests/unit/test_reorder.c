// SPDX-License-Identifier: GPL-2.0-only
/* Events come in nearly in order and leave in order, whole, each once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/reorder.h"

#define MAX_SEEN 4096

struct seen {
	__u64 time_ns[MAX_SEEN];
	__u32 ifindex[MAX_SEEN];
	unsigned int count;
	int answer; /* what the handler returns */
};

/* The bytes behind an event are its time, so that a mix-up shows. */
static struct trace_event *make_event(__u64 time_ns, __u32 bytes)
{
	struct trace_event *event = calloc(1, sizeof(*event) + bytes);

	event->time_ns = time_ns;
	event->captured_bytes = bytes;
	memset(event + 1, (int)time_ns, bytes);
	return event;
}

static int note(void *context, const struct trace_event *event, const __u8 *bytes)
{
	struct seen *seen = context;

	for (__u32 i = 0; i < event->captured_bytes; i++)
		assert_int_equal(bytes[i], (__u8)event->time_ns);
	seen->ifindex[seen->count] = event->ifindex;
	seen->time_ns[seen->count++] = event->time_ns;
	return seen->answer;
}

static int push(struct reorder *reorder, __u64 time_ns)
{
	struct trace_event *event = make_event(time_ns, (__u32)(time_ns * 37 % 300));
	int err = reorder_push(reorder, event);

	free(event); /* it was copied */
	return err;
}

static void assert_times(const struct seen *seen, const __u64 *times, unsigned int count)
{
	assert_int_equal(seen->count, count);
	assert_memory_equal(seen->time_ns, times, count * sizeof(*times));
}

/* 5 7 6 9 8: with a window of two, each leaves when two later arrivals wait behind it. */
static void neighbours_swapped(void **state)
{
	static const __u64 in[] = {5, 7, 6, 9, 8}, out[] = {5, 6, 7, 8, 9};
	struct seen seen = {};
	struct reorder *reorder = reorder_new(2, note, &seen);

	(void)state;
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(push(reorder, in[i]), 0);
	assert_times(&seen, out, 3);
	assert_int_equal(reorder_flush(reorder, UINT64_MAX), 0);
	assert_times(&seen, out, 5);
	reorder_free(reorder);
}

/* Only what is older than the limit is handed over. */
static void flush_has_a_limit(void **state)
{
	static const __u64 out[] = {10, 20, 30};
	struct seen seen = {};
	struct reorder *reorder = reorder_new(8, note, &seen);

	(void)state;
	push(reorder, 30);
	push(reorder, 10);
	push(reorder, 20);
	assert_int_equal(reorder_flush(reorder, 10), 0);
	assert_times(&seen, out, 0);
	reorder_flush(reorder, 21);
	assert_times(&seen, out, 2);
	reorder_flush(reorder, UINT64_MAX);
	assert_times(&seen, out, 3);
	reorder_free(reorder);
}

/* Equal times keep the order in which they came. */
static void equal_times_keep_their_order(void **state)
{
	struct seen seen = {};
	struct reorder *reorder = reorder_new(4, note, &seen);
	struct trace_event *first = make_event(7, 1), *second = make_event(7, 2);

	(void)state;
	first->ifindex = 1;
	second->ifindex = 2;
	reorder_push(reorder, first);
	reorder_push(reorder, second);
	reorder_flush(reorder, UINT64_MAX);
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.ifindex[0], 1);
	assert_int_equal(seen.ifindex[1], 2);
	free(first);
	free(second);
	reorder_free(reorder);
}

/* A thousand events, each at most a window out of place, leave sorted and whole; memory is used again. */
static void a_long_run(void **state)
{
	struct seen seen = {};
	struct reorder *reorder = reorder_new(16, note, &seen);

	(void)state;
	for (__u64 i = 0; i < 1000; i++)
		assert_int_equal(push(reorder, 1000 + (i ^ 7)), 0); /* each group of eight backwards */
	reorder_flush(reorder, UINT64_MAX);
	assert_int_equal(seen.count, 1000);
	for (__u64 i = 0; i < 1000; i++)
		assert_int_equal(seen.time_ns[i], 1000 + i);
	reorder_free(reorder);
}

/* The handler's error ends the call; the event was delivered all the same, the others still wait. */
static void the_handlers_error(void **state)
{
	struct seen seen = {.answer = -ENOSPC};
	struct reorder *reorder = reorder_new(1, note, &seen);

	(void)state;
	assert_int_equal(push(reorder, 1), 0);
	assert_int_equal(push(reorder, 2), -ENOSPC);
	assert_int_equal(reorder_flush(reorder, UINT64_MAX), -ENOSPC);
	assert_int_equal(seen.count, 2);
	reorder_free(reorder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(neighbours_swapped),           cmocka_unit_test(flush_has_a_limit),
		cmocka_unit_test(equal_times_keep_their_order), cmocka_unit_test(a_long_run),
		cmocka_unit_test(the_handlers_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
