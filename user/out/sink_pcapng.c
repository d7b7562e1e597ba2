// SPDX-License-Identifier: GPL-2.0-only
/* The pcapng sink: each frame with its verdict and what it did to its connection as a comment. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "out/pcapng.h"
#include "out/sink.h"
#include "out/story.h"
#include "util/clock.h"
#include "util/names.h"

/* What an interface's statistics count, until now or at the beginning of a file. */
struct tally {
	__u64 received, lost;
};

struct file_share {
	struct tally before; /* this file */
	__u64 written;       /* into it */
};

struct pcapng_sink {
	struct sink sink;
	struct rotation *rotation; /* NULL: one file */
	struct pcapng *file;       /* NULL: the next one could not be opened */
	struct file_share *shares; /* by interface */
	int share_count;
	int interfaces;          /* that the file has */
	__u64 start_ns, last_ns; /* of the file, since the Unix epoch: its beginning, its last packet */
};

#define COMMENT_BYTES 1024

static void comment_of(char *comment, size_t bytes, const struct trace_event *event, bool offline)
{
	char detail[STORY_DETAIL_BYTES];
	size_t used = 0;

	*comment = 0;
	for (int i = 0; i < TCP_EVENT_COUNT && used < bytes; i++) {
		if (!(event->tcp_events & 1u << i))
			continue;
		story_detail(detail, sizeof(detail), event, i);
		used += snprintf(comment + used, bytes - used, "%s%s%s%s", used ? "\n" : "",
				 tcp_event_text(i), *detail ? ": " : "", detail);
	}
	if (event->observed == OBSERVED_SECOND_HOOK)
		snprintf(comment, bytes, LINK_SECOND_HOOK);
	else if (event->hook == HOOK_INGRESS && !offline && used < bytes)
		snprintf(comment + used, bytes - used, "%sverdict: %s (%s)", used ? "\n" : "",
			 verdict_key(event->verdict), verdict_text(event->verdict));
}

/* --- files --- */

static int add_interface(struct pcapng_sink *self, const struct sink_interface *interface)
{
	const struct sink_session *session = self->sink.session;
	const struct pcapng_interface description = {
		.name = interface->name,
		.description = interface->description,
		.hardware = interface->hardware,
		.filter = session->filter,
		.mac = interface->link == LINK_ETHERNET ? interface->mac : NULL,
		.link = interface->link,
		.snap_bytes = session->snap_bytes,
	};

	return pcapng_add_interface(self->file, &description);
}

/* Those of the session that the file does not have yet: a capture that is read can name more at any time. */
static int add_interfaces(struct pcapng_sink *self)
{
	int count = self->sink.session->interface_count;

	if (count > self->share_count) {
		struct file_share *shares = reallocarray(self->shares, count, sizeof(*shares));

		if (!shares)
			return -ENOMEM;
		memset(shares + self->share_count, 0, (count - self->share_count) * sizeof(*shares));
		self->shares = shares;
		self->share_count = count;
	}
	for (; self->interfaces < count; self->interfaces++) {
		int number = add_interface(self, &self->sink.session->interface[self->interfaces]);

		if (number < 0)
			return number;
	}
	return 0;
}

static int begin_file(struct pcapng_sink *self, const char *path, __u64 start_ns)
{
	self->file = path ? pcapng_create(path, self->sink.session->command_line) : NULL;
	if (!self->file)
		return -errno;
	self->start_ns = self->last_ns = start_ns;
	self->interfaces = 0;
	return add_interfaces(self);
}

static struct tally tally_of(const struct port_counters *counters)
{
	return (struct tally){
		.received = counters->seen,
		.lost = counters->event[EVENT_LOST_RING_FULL] + counters->event[EVENT_LOST_COPY],
	};
}

/* The interface's share of the file that ends; what comes is the next one's. */
static int write_statistics(struct pcapng_sink *self, int interface, const struct port_counters *counters,
			    __u64 end_ns)
{
	struct file_share *share = &self->shares[interface];
	struct tally now = tally_of(counters);
	struct pcapng_statistics statistics = {
		.start_ns = self->start_ns,
		.end_ns = end_ns,
		.received = now.received - share->before.received,
		.filter_accepted = now.received - share->before.received,
		.os_dropped = now.lost - share->before.lost,
		.delivered = share->written,
	};

	*share = (struct file_share){.before = now};
	return pcapng_write_statistics(self->file, interface, &statistics);
}

static int finish_file(struct pcapng_sink *self, __u64 end_ns)
{
	const struct sink_session *session = self->sink.session;
	int err = 0, closed;

	for (int i = 0; session->counters && i < session->interface_count && !err; i++) {
		struct port_counters counters;

		err = session->counters(session->context, i, &counters);
		if (!err)
			err = write_statistics(self, i, &counters, end_ns);
	}
	closed = pcapng_close(self->file);
	self->file = NULL;
	return err ? err : closed;
}

/* The packet of that time goes into the next file, if this one is full. */
static int rotate(struct pcapng_sink *self, __u64 time_ns)
{
	int err;

	if (!self->rotation || !rotation_due(self->rotation, pcapng_bytes(self->file), time_ns))
		return 0;
	err = finish_file(self, time_ns);
	return err ? err : begin_file(self, rotation_next(self->rotation, time_ns), time_ns);
}

/* --- the sink --- */

static int pcapng_event(struct sink *sink, const struct trace_event *event, const __u8 *bytes)
{
	struct pcapng_sink *self = (struct pcapng_sink *)sink;
	int interface = sink_interface_of(sink->session, event->ifindex), err;
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
	err = rotate(self, packet.time_ns);
	if (!err)
		err = add_interfaces(self);
	if (err)
		return err;
	comment_of(comment, sizeof(comment), event, sink->session->offline);
	if (!*comment)
		packet.comment = NULL;
	self->shares[interface].written++;
	self->last_ns = packet.time_ns;
	return pcapng_write_packet(self->file, &packet);
}

static int pcapng_interface_end(struct sink *sink, int interface, const struct port_counters *counters)
{
	struct pcapng_sink *self = (struct pcapng_sink *)sink;

	if (!self->file)
		return 0;
	return write_statistics(self, interface, counters,
				sink->session->offline ? self->last_ns : clock_realtime_ns());
}

static int pcapng_close_sink(struct sink *sink)
{
	struct pcapng_sink *self = (struct pcapng_sink *)sink;
	int err = pcapng_close(self->file);

	rotation_close(self->rotation);
	free(self->shares);
	free(self);
	return err;
}

static const struct sink_ops pcapng_ops = {
	.event = pcapng_event,
	.interface_end = pcapng_interface_end,
	.close = pcapng_close_sink,
};

static int open_files(struct pcapng_sink *self, const char *path, const struct rotation_options *rotation)
{
	const struct sink_session *session = self->sink.session;
	__u64 start_ns = session->start_ns + session->to_epoch_ns;

	if (!rotation_wanted(rotation))
		return begin_file(self, path, start_ns);
	self->rotation = rotation_open(path, rotation);
	return self->rotation ? begin_file(self, rotation_next(self->rotation, start_ns), start_ns) : -ENOMEM;
}

struct sink *sink_pcapng_open(const struct sink_session *session, const char *path,
			      const struct rotation_options *rotation)
{
	struct pcapng_sink *self = calloc(1, sizeof(*self));
	int err;

	if (!self)
		return NULL;
	self->sink = (struct sink){.ops = &pcapng_ops, .session = session};
	err = open_files(self, path, rotation);
	if (!err)
		return &self->sink;
	pcapng_close_sink(&self->sink);
	errno = -err;
	return NULL;
}
