// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/capture.h"
#include "cmd/outputs.h"
#include "cmd/read.h"
#include "cmd/relay.h"
#include "command.h"
#include "datapath/ledger.h"
#include "observer/offline.h"
#include "observer/summary.h"
#include "out/summary_report.h"
#include "util/log.h"
#include "util/stop.h"

#define USUAL_CONNECTIONS 1000000 /* of each kind, unless told otherwise: some 500 MiB */
#define NO_NAME           "-"     /* of an interface: pcap files have none */

struct reading {
	const struct session_options *options;
	const char *file;
	struct filter *filter;
	struct capture *capture;
	struct offline *offline;
	struct sink_session shown;
	struct sink_interface *interfaces; /* those of the file that were met until now */
	struct outputs outputs;
	struct relay *relay; /* NULL: events are shown before the next frame is read */
	bool open;           /* the outputs are */
	struct summary summary;
	__u64 first_ns, last_ns; /* of its frames */
	__u64 delivered;         /* events */
	bool link_said;          /* that one is not read */
};

static void show(void *context, const struct trace_event *event, const __u8 *bytes)
{
	struct reading *reading = context;

	reading->delivered++;
	if (reading->options->sums.summary && event->tcp_events)
		summary_add(&reading->summary, event);
	outputs_event(&reading->outputs, event, bytes);
}

static int on_event(void *context, const struct trace_event *event, const __u8 *bytes)
{
	struct reading *reading = context;

	if (reading->relay)
		relay_event(reading->relay, event, bytes);
	else
		show(context, event, bytes);
	return 0;
}

/*
 * Lines take longer than the frames that they are about, so another thread prints them. Not where what it shows depends on
 * how far we have read: a capture ends with the counters, and --count ends the reading.
 */
static void open_relay(struct reading *reading)
{
	const struct session_options *options = reading->options;

	if (session_shows_events(options) && !options->write && !options->count)
		reading->relay = relay_new(show, reading);
}

static int counters_of(void *context, int interface, struct port_counters *counters)
{
	const struct reading *reading = context;

	*counters = *offline_counters(reading->offline, interface);
	return 0;
}

static void describe_interface(struct sink_interface *shown, const struct capture_interface *interface,
			       int number)
{
	*shown = (struct sink_interface){.ifindex = number + 1, .link = interface->link};
	snprintf(shown->name, sizeof(shown->name), "%.*s", (int)sizeof(shown->name) - 1,
		 *interface->name ? interface->name : NO_NAME);
}

/* An expression can make sense for one link type and not for another: no Ethernet address in front of raw IP. */
static int prepare_filter(const struct reading *reading, const struct capture_interface *interface)
{
	char link[CAPTURE_LINK_TEXT_BYTES];
	struct filter_error error;
	int err = 0;

	if (reading->filter && interface->link != LINK_OTHER)
		err = filter_prepare(reading->filter, interface->link_type, &error);
	if (err != -EINVAL)
		return err;
	filter_say_error(filter_expression(reading->filter), &error);
	log_info("%s: it has frames of link type %s", reading->file,
		 capture_link_text(link, interface->link_type));
	return err;
}

/* A frame of a link that is not read is none that the filter takes or not. */
static bool is_filtered(const struct reading *reading, const struct capture_frame *frame)
{
	const struct capture_interface *interface = capture_interface(reading->capture, frame->interface);

	return reading->filter && frame->link != LINK_OTHER &&
	       !filter_matches(reading->filter, interface->link_type, frame->data, frame->captured_bytes,
			       frame->wire_bytes);
}

/* A pcapng file can name further interfaces at any time. */
static int note_interfaces(struct reading *reading)
{
	int known = reading->shown.interface_count, count = capture_interface_count(reading->capture);
	struct sink_interface *interfaces;
	int err = 0;

	if (count == known)
		return 0;
	if (reading->relay)
		relay_drain(reading->relay);
	interfaces = reallocarray(reading->interfaces, count, sizeof(*interfaces));
	if (!interfaces)
		return -ENOMEM;
	reading->interfaces = interfaces;
	for (int i = known; i < count && !err; i++) {
		describe_interface(&interfaces[i], capture_interface(reading->capture, i), i);
		err = prepare_filter(reading, capture_interface(reading->capture, i));
	}
	if (err)
		return err;
	reading->shown.interface = interfaces;
	reading->shown.interface_count = count;
	return offline_interfaces(reading->offline, count);
}

/* Times are shown from the first frame on. */
static int open_outputs(struct reading *reading, const struct capture_frame *frame)
{
	if (reading->open)
		return 0;
	reading->open = true;
	reading->shown.start_ns = frame ? frame->time_ns : 0;
	open_relay(reading);
	return outputs_open(&reading->outputs, reading->options, &reading->shown);
}

static int take_frame(struct reading *reading, const struct capture_frame *frame)
{
	struct offline_frame seen = {
		.data = frame->data,
		.captured_bytes = frame->captured_bytes,
		.wire_bytes = frame->wire_bytes,
		.time_ns = frame->time_ns,
		.interface = frame->interface,
		.link = frame->link,
		.hook = frame->direction == LINK_OUTBOUND ? HOOK_EGRESS : HOOK_INGRESS,
		.second_hook = frame->second_hook,
	};
	int err = note_interfaces(reading);

	if (!reading->open)
		reading->first_ns = frame->time_ns;
	reading->last_ns = frame->time_ns > reading->last_ns ? frame->time_ns : reading->last_ns;

	if (!err)
		err = open_outputs(reading, frame);
	seen.filtered = !err && is_filtered(reading, frame);
	if (!err)
		err = offline_frame(reading->offline, &seen);
	if (err == -EINVAL) /* the filter, and that was said */
		return EXIT_USAGE;
	if (err == -ENOMEM) {
		log_error(NULL, "%s: frame %llu: %s", reading->file, (unsigned long long)frame->number,
			  strerror(ENOMEM));
		return EXIT_FAILED;
	}
	return err ? err : outputs_failed(&reading->outputs) ? EXIT_FAILED : 0;
}

/* A link that is not read is said once; its frames are counted. */
static void say_link(struct reading *reading, const struct capture_error *error)
{
	if (!reading->link_said)
		log_warn(error->cure, "%s: %s", reading->file, error->why);
	reading->link_said = true;
}

/* Return: an exit_code. */
static int read_frames(struct reading *reading)
{
	struct capture_error error;
	struct capture_frame frame;
	int got = 1, err = 0;

	while (!err && got && !stop_requested() && (!reading->open || outputs_want_more(&reading->outputs))) {
		got = capture_next(reading->capture, &frame, &error);
		if (got == -EPROTONOSUPPORT)
			say_link(reading, &error);
		if (got == 1 || got == -EPROTONOSUPPORT)
			err = take_frame(reading, &frame);
		else if (got == -EINTR)
			break;
		else if (got)
			err = capture_say_error(reading->file, &error);
	}
	return err;
}

/* Return: an exit_code. */
static int report_summary(struct reading *reading, const struct port_counters *total)
{
	struct summary *summary = &reading->summary;

	if (!reading->options->sums.summary)
		return EXIT_DONE;
	summary->evicted = total->evicted;
	summary->no_room = total->observed[OBSERVED_NO_ROOM];
	return summary_report(summary, reading->last_ns - reading->first_ns, reading->options->json);
}

static int finish(struct reading *reading, int code)
{
	struct port_counters total;
	struct ledger ledger;
	int summary;

	if (!code)
		code = open_outputs(reading, NULL); /* if there was no frame */
	if (!code && offline_end(reading->offline))
		code = EXIT_FAILED;
	relay_free(reading->relay);
	outputs_close(&reading->outputs);
	total = offline_total(reading->offline);
	summary = report_summary(reading, &total);
	code = code ? code : summary;
	ledger_of_file(&ledger, &total, reading->delivered);
	ledger_show(&ledger, reading->options->json);
	if (outputs_failed(&reading->outputs))
		return EXIT_FAILED;
	return code ? code : ledger_closes(&ledger) ? EXIT_DONE : EXIT_LEDGER;
}

static int start(struct reading *reading)
{
	const struct session_options *options = reading->options;
	const struct offline_options offline = {
		.packets = options->packets || options->write,
		.max_open = options->max_open ? options->max_open : USUAL_CONNECTIONS,
		.max_half_open = options->max_half_open ? options->max_half_open : USUAL_CONNECTIONS,
		.handler = on_event,
		.context = reading,
	};
	struct capture_error error;
	int err = capture_open(&reading->capture, &(struct capture_options){.file = reading->file}, &error);

	if (options->sums.top || options->sums.metrics) {
		log_error("--summary", "--%s shows what happens now, not a capture",
			  options->sums.top ? "top" : "metrics");
		return EXIT_USAGE;
	}
	if (err)
		return capture_say_error(reading->file, &error);
	reading->offline = offline_new(&offline);
	if (reading->offline)
		return 0;
	log_error(NULL, "%s: %s", reading->file, strerror(ENOMEM));
	return EXIT_FAILED;
}

int read_run(const struct session_options *options, const char *file, struct filter *filter)
{
	struct reading reading = {
		.options = options,
		.file = file,
		.filter = filter,
		.shown = {.packets = options->packets,
			  .offline = true,
			  .capture = file,
			  .command_line = options->command_line},
		.outputs = {.options = options},
	};
	int err;

	stop_on_signals();
	reading.shown.counters = counters_of;
	reading.shown.context = &reading;
	err = start(&reading);
	if (!err)
		err = finish(&reading, read_frames(&reading));
	summary_clear(&reading.summary);
	offline_free(reading.offline);
	capture_close(reading.capture);
	free(reading.interfaces);
	return err;
}
