// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>

#include <bpf/libbpf.h>

#include "datapath/datapath.h"
#include "datapath/events.h"

#define TICK_MS 50

struct events {
	struct ring_buffer *ring;
	events_handler handler;
	void *context;
	__u64 delivered;
};

static int handle(void *context, void *data, size_t size)
{
	struct events *events = context;
	const struct trace_event *event = data;

	if (size < sizeof(*event) || event->captured_bytes > size - sizeof(*event))
		return -EBADMSG;
	events->delivered++;
	return events->handler(events->context, event, (const __u8 *)(event + 1));
}

struct events *events_open(const struct datapath *dp, events_handler handler, void *context)
{
	struct events *events = calloc(1, sizeof(*events));

	if (!events)
		return NULL;
	events->handler = handler;
	events->context = context;
	events->ring = ring_buffer__new(datapath_events_fd(dp), handle, events, NULL);
	if (!events->ring) {
		free(events);
		return NULL;
	}
	return events;
}

int events_read(struct events *events)
{
	int count = ring_buffer__poll(events->ring, TICK_MS);

	if (count < 0)
		return count;
	return count ? 0 : events_drain(events);
}

int events_drain(struct events *events)
{
	int count = ring_buffer__consume(events->ring);

	return count < 0 ? count : 0;
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
	free(events);
}
