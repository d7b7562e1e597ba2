// SPDX-License-Identifier: GPL-2.0-only
/* Events by way of another thread: all of them, in order, whole, however many and however large. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/relay.h"

#define MANY       200000
#define LARGE      (2 << 20) /* more than the relay holds */
#define PATIENCE_S 20

static struct taken {
	pthread_t maker;
	__u64 events, bytes;
	__u64 elsewhere; /* handled by another thread than the maker's */
	__u64 wrong;
} taken;

/* The event's number is its time; the n-th byte of its frame is the sum of both. Nothing is asserted in the other thread. */
static void take(void *context, const struct trace_event *event, const __u8 *bytes)
{
	taken.wrong += context != &taken || event->time_ns != taken.events;
	for (__u32 i = 0; i < event->captured_bytes; i++)
		taken.wrong += bytes[i] != (__u8)(event->time_ns + i);
	taken.bytes += event->captured_bytes;
	taken.elsewhere += !pthread_equal(pthread_self(), taken.maker);
	__atomic_add_fetch(&taken.events, 1, __ATOMIC_RELEASE);
}

static void finish(struct relay *relay, __u64 events)
{
	relay_free(relay);
	assert_int_equal(taken.events, events);
	assert_int_equal(taken.wrong, 0);
}

static struct relay *start(void)
{
	struct relay *relay;

	taken = (struct taken){.maker = pthread_self()};
	relay = relay_new(take, &taken);
	assert_non_null(relay);
	return relay;
}

static void hand_over(struct relay *relay, __u64 number, __u32 bytes)
{
	struct trace_event event = {.time_ns = number, .captured_bytes = bytes};
	__u8 *frame = malloc(bytes + 1);

	assert_non_null(frame);
	for (__u32 i = 0; i < bytes; i++)
		frame[i] = (__u8)(number + i);
	relay_event(relay, &event, bytes ? frame : NULL);
	free(frame);
}

/* Also when the other thread is far behind: they are more than it holds. */
static void all_in_order(void **state)
{
	struct relay *relay = start();

	(void)state;
	for (__u64 i = 0; i < MANY; i++)
		hand_over(relay, i, i % 67);
	finish(relay, MANY);
	assert_int_equal(taken.elsewhere, MANY);
}

static void one_that_is_too_large(void **state)
{
	struct relay *relay = start();

	(void)state;
	hand_over(relay, 0, 60);
	hand_over(relay, 1, LARGE);
	hand_over(relay, 2, 60);
	finish(relay, 3);
	assert_int_equal(taken.bytes, LARGE + 120);
}

static void drained_it_is_idle(void **state)
{
	struct relay *relay = start();

	(void)state;
	relay_drain(relay);
	for (__u64 i = 0; i < 3000; i++) {
		hand_over(relay, i, 0);
		if (i % 1000)
			continue;
		relay_drain(relay);
		assert_int_equal(taken.events, i + 1);
	}
	finish(relay, 3000);
}

/* Who follows a slow capture sees an event when it happens, not when there are many. */
static void a_single_one_does_not_wait(void **state)
{
	struct relay *relay = start();
	time_t end = time(NULL) + PATIENCE_S;

	(void)state;
	hand_over(relay, 0, 60);
	while (!__atomic_load_n(&taken.events, __ATOMIC_ACQUIRE) && time(NULL) < end)
		sched_yield();
	assert_int_equal(taken.events, 1);
	finish(relay, 1);
}

static void none_at_all(void **state)
{
	(void)state;
	finish(start(), 0);
	relay_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_in_order),       cmocka_unit_test(one_that_is_too_large),
		cmocka_unit_test(drained_it_is_idle), cmocka_unit_test(a_single_one_does_not_wait),
		cmocka_unit_test(none_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
