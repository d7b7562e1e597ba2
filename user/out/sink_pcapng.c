// SPDX-License-Identifier: GPL-2.0-only
/* The pcapng sink: each frame with its verdict and what it did to its connection as a comment. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "out/pcapng.h"
#include "out/sink.h"
#include "out/story.h"
#include "util/clock.h"
#include "util/names.h"

struct pcapng_sink {
	struct sink sink;
	struct pcapng *file;
	__u64 *written; /* by interface */
};

#define COMMENT_BYTES 1024

static void comment_of(char *comment, size_t bytes, const struct trace_event *event)
{
	char detail[STORY_DETAIL_BYTES];
	size_t used = 0;

	*comment = 0;
	for (int i = 0; i < TCP_EVENT_COUNT && used < bytes; i++) {
		if (!(event->tcp_events & 1u << i))
			continue;
		story_detail(detail, sizeof(detail), event, i);
		used += snprintf(comment + used, bytes - used, "%s%s%s%s", used ? "\n" : "", tcp_event_text(i),
				 *detail ? ": " : "", detail);
	}
	if (event->hook == HOOK_INGRESS && used < bytes)
		snprintf(comment + used, bytes - used, "%sverdict: %s (%s)", used ? "\n" : "",
			 verdict_key(event->verdict), verdict_text(event->verdict));
}

static int pcapng_event(struct sink *sink, const struct trace_event *event, const __u8 *bytes)
{
	struct pcapng_sink *self = (struct pcapng_sink *)sink;
	int interface = sink_interface_of(sink->session, event->ifindex);
	char comment[COMMENT_BYTES];
	struct pcapng_packet packet = {
		.interface = interface,
		.time_ns = event->time_ns + sink->session->to_epoch_ns,
		.data = bytes,
		.captured_bytes = event->captured_bytes,
		.wire_bytes = event->pkt.wire_bytes,
		.direction = event->hook == HOOK_INGRESS ? PCAPNG_INBOUND : PCAPNG_OUTBOUND,
		.comment = comment,
	};

	if (interface < 0 || !event->captured_bytes)
		return 0;
	comment_of(comment, sizeof(comment), event);
	if (!*comment)
		packet.comment = NULL;
	self->written[interface]++;
	return pcapng_write_packet(self->file, &packet);
}

static int pcapng_interface_end(struct sink *sink, int interface, const struct port_counters *counters)
{
	struct pcapng_sink *self = (struct pcapng_sink *)sink;
	struct pcapng_statistics statistics = {
		.start_ns = sink->session->start_ns + sink->session->to_epoch_ns,
		.end_ns = clock_realtime_ns(),
		.received = counters->seen,
		.filter_accepted = counters->seen,
		.os_dropped = counters->event[EVENT_LOST_RING_FULL] + counters->event[EVENT_LOST_COPY],
		.delivered = self->written[interface],
	};

	return pcapng_write_statistics(self->file, interface, &statistics);
}

static int pcapng_close_sink(struct sink *sink)
{
	struct pcapng_sink *self = (struct pcapng_sink *)sink;
	int err = pcapng_close(self->file);

	free(self->written);
	free(self);
	return err;
}

static const struct sink_ops pcapng_ops = {
	.event = pcapng_event,
	.interface_end = pcapng_interface_end,
	.close = pcapng_close_sink,
};

static int add_interfaces(struct pcapng *file, const struct sink_session *session)
{
	for (int i = 0; i < session->interface_count; i++) {
		const struct sink_interface *interface = &session->interface[i];
		int number = pcapng_add_interface(file, interface->name, interface->mac, NULL, 0);

		if (number < 0)
			return number;
	}
	return 0;
}

struct sink *sink_pcapng_open(const struct sink_session *session, const char *path)
{
	struct pcapng_sink *self = calloc(1, sizeof(*self));
	int err;

	if (!self)
		return NULL;
	self->sink = (struct sink){.ops = &pcapng_ops, .session = session};
	self->written = calloc(session->interface_count, sizeof(*self->written));
	self->file = pcapng_create(path, session->command_line);
	err = !self->file ? -errno : !self->written ? -ENOMEM : add_interfaces(self->file, session);
	if (!err)
		return &self->sink;
	if (self->file)
		pcapng_close(self->file);
	free(self->written);
	free(self);
	errno = -err;
	return NULL;
}
