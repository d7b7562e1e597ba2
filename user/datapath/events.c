// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>

#include <bpf/libbpf.h>

#include "datapath/datapath.h"
#include "datapath/events.h"
#include "datapath/reorder.h"
#include "util/clock.h"

#define TICK_MS 50

/* More than the programs that can be between taking the time and the ring at once, and longer than one of them takes. */
#define REORDER_WINDOW 64
#define SETTLED_NS     NS_PER_MS

struct events {
	struct ring_buffer *ring;
	struct reorder *reorder;
	events_handler handler;
	void *context;
	__u64 delivered;
};

static int take(void *context, void *data, size_t size)
{
	struct events *events = context;
	const struct trace_event *event = data;

	if (size < sizeof(*event) || event->captured_bytes > size - sizeof(*event))
		return -EBADMSG;
	return reorder_push(events->reorder, event);
}

static int deliver(void *context, const struct trace_event *event, const __u8 *bytes)
{
	struct events *events = context;

	events->delivered++;
	return events->handler(events->context, event, bytes);
}

struct events *events_open(const struct datapath *dp, events_handler handler, void *context)
{
	struct events *events = calloc(1, sizeof(*events));

	if (!events)
		return NULL;
	events->handler = handler;
	events->context = context;
	events->reorder = reorder_new(REORDER_WINDOW, deliver, events);
	events->ring = ring_buffer__new(datapath_events_fd(dp), take, events, NULL);
	if (events->reorder && events->ring)
		return events;
	events_close(events);
	return NULL;
}

/* Return: how many events, or -errno. */
static int consume(struct events *events)
{
	int count = ring_buffer__poll(events->ring, TICK_MS);

	return count ? count : ring_buffer__consume(events->ring);
}

int events_read(struct events *events)
{
	int count = consume(events);

	return count < 0 ? count : reorder_flush(events->reorder, clock_monotonic_ns() - SETTLED_NS);
}

int events_drain(struct events *events)
{
	int count = ring_buffer__consume(events->ring);

	return count < 0 ? count : reorder_flush(events->reorder, UINT64_MAX);
}

__u64 events_delivered(const struct events *events)
{
	return events->delivered;
}

void events_close(struct events *events)
{
	if (!events)
		return;
	ring_buffer__free(events->ring);
	reorder_free(events->reorder);
	free(events);
}
