// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/relay.h"
#include "util/clock.h"

#define BATCH_BYTES (1 << 20)
#define WAKE_BYTES  (BATCH_BYTES / 4) /* so much wakes the other thread; below it, it looks by itself: */
#define LOOK_NS     (20 * NS_PER_MS)

/* Events one behind the other, each with its bytes, at multiples of 8. */
struct batch {
	size_t used;
	__u8 *data;
};

struct relay {
	relay_handler handler;
	void *context;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t filled, emptied;
	struct batch coming; /* under the lock, as the rest */
	bool handling;       /* a batch that was taken out */
	bool ended;
	struct batch taken; /* the thread's own */
};

static size_t record_bytes(const struct trace_event *event)
{
	return sizeof(*event) + (((size_t)event->captured_bytes + 7) & ~(size_t)7);
}

static void handle(struct relay *relay, const struct batch *batch)
{
	const struct trace_event *event;

	for (size_t at = 0; at < batch->used; at += record_bytes(event)) {
		event = (const void *)(batch->data + at);
		relay->handler(relay->context, event, batch->data + at + sizeof(*event));
	}
}

/* With the lock held. */
static void wait_for_events(struct relay *relay)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += LOOK_NS;
	until.tv_sec += until.tv_nsec / (long)NS_PER_S;
	until.tv_nsec %= (long)NS_PER_S;
	pthread_cond_timedwait(&relay->filled, &relay->lock, &until);
}

/* Return: whether there is anything to be handled; else it is over. */
static bool take_batch(struct relay *relay)
{
	struct batch empty = relay->taken;

	pthread_mutex_lock(&relay->lock);
	relay->handling = false;
	pthread_cond_signal(&relay->emptied);
	while (!relay->coming.used && !relay->ended)
		wait_for_events(relay);
	empty.used = 0;
	relay->taken = relay->coming;
	relay->coming = empty;
	relay->handling = true;
	pthread_cond_signal(&relay->emptied);
	pthread_mutex_unlock(&relay->lock);
	return relay->taken.used;
}

static void *run(void *argument)
{
	struct relay *relay = argument;

	while (take_batch(relay))
		handle(relay, &relay->taken);
	return NULL;
}

static int start(struct relay *relay)
{
	pthread_condattr_t monotonic;

	relay->coming.data = malloc(BATCH_BYTES);
	relay->taken.data = malloc(BATCH_BYTES);
	if (!relay->coming.data || !relay->taken.data)
		return ENOMEM;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&relay->lock, NULL);
	pthread_cond_init(&relay->filled, &monotonic);
	pthread_cond_init(&relay->emptied, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return pthread_create(&relay->thread, NULL, run, relay);
}

static void release(struct relay *relay)
{
	free(relay->coming.data);
	free(relay->taken.data);
	free(relay);
}

struct relay *relay_new(relay_handler handler, void *context)
{
	struct relay *relay = calloc(1, sizeof(*relay));

	if (!relay)
		return NULL;
	relay->handler = handler;
	relay->context = context;
	errno = start(relay);
	if (!errno)
		return relay;
	release(relay);
	return NULL;
}

void relay_event(struct relay *relay, const struct trace_event *event, const __u8 *bytes)
{
	size_t wanted = record_bytes(event), before;

	if (wanted > BATCH_BYTES) { /* nobody handles anything now */
		relay_drain(relay);
		relay->handler(relay->context, event, bytes);
		return;
	}
	pthread_mutex_lock(&relay->lock);
	while (relay->coming.used + wanted > BATCH_BYTES)
		pthread_cond_wait(&relay->emptied, &relay->lock);
	before = relay->coming.used;
	memcpy(relay->coming.data + before, event, sizeof(*event));
	if (event->captured_bytes)
		memcpy(relay->coming.data + before + sizeof(*event), bytes, event->captured_bytes);
	relay->coming.used += wanted;
	if (before < WAKE_BYTES && relay->coming.used >= WAKE_BYTES)
		pthread_cond_signal(&relay->filled);
	pthread_mutex_unlock(&relay->lock);
}

void relay_drain(struct relay *relay)
{
	pthread_mutex_lock(&relay->lock);
	pthread_cond_signal(&relay->filled);
	while (relay->coming.used || relay->handling)
		pthread_cond_wait(&relay->emptied, &relay->lock);
	pthread_mutex_unlock(&relay->lock);
}

void relay_free(struct relay *relay)
{
	if (!relay)
		return;
	pthread_mutex_lock(&relay->lock);
	relay->ended = true;
	pthread_cond_signal(&relay->filled);
	pthread_mutex_unlock(&relay->lock);
	pthread_join(relay->thread, NULL);
	pthread_mutex_destroy(&relay->lock);
	pthread_cond_destroy(&relay->filled);
	pthread_cond_destroy(&relay->emptied);
	release(relay);
}
