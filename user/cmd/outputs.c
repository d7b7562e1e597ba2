// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/outputs.h"
#include "command.h"
#include "out/host_names.h"
#include "util/log.h"

#define STDOUT_NAME "standard output"

static void say_failed(struct outputs *outputs, const char *name, int err)
{
	if (!outputs->failed)
		log_error(err == -ENOSPC ? "make room there; what was written until then can be read" : NULL,
			  "%s: could not be written to its end: %s", name, strerror(-err));
	__atomic_store_n(&outputs->failed, true, __ATOMIC_RELAXED);
}

bool outputs_failed(const struct outputs *outputs)
{
	return __atomic_load_n(&outputs->failed, __ATOMIC_RELAXED);
}

static int add(struct outputs *outputs, struct sink *sink, const char *name)
{
	if (!sink) {
		log_error("another file or folder", "%s: %s", name, strerror(errno));
		return EXIT_FAILED;
	}
	outputs->output[outputs->count++] = (struct output){.sink = sink, .name = name};
	return 0;
}

/* Without names it goes on: they are only wished for. */
static void open_names(struct sink_session *shown)
{
	shown->names = host_names_open(NULL);
	if (!shown->names)
		log_warn(NULL, "--names: %s; addresses are shown", strerror(errno));
}

int outputs_open(struct outputs *outputs, const struct session_options *options, struct sink_session *shown)
{
	int err = 0;

	shown->explain = options->explain;
	shown->time_style = options->time_style;
	if (options->names)
		open_names(shown);

	*outputs = (struct outputs){.options = options, .shown = shown};
	if (session_shows_events(options))
		err = add(outputs, options->json ? sink_json_open(shown) : sink_text_open(shown),
			  STDOUT_NAME);
	if (!err && options->write)
		err = add(outputs, sink_pcapng_open(shown, options->write, &options->rotation),
			  options->write);
	return err;
}

bool outputs_want_more(const struct outputs *outputs)
{
	return !outputs->options->count || outputs->seen < outputs->options->count;
}

void outputs_event(struct outputs *outputs, const struct trace_event *event, const __u8 *bytes)
{
	if (!outputs_want_more(outputs) || outputs->failed)
		return;
	outputs->seen += outputs->options->packets || event->tcp_events;
	for (int i = 0; i < outputs->count; i++) {
		const struct output *output = &outputs->output[i];
		int err = output->sink->ops->event(output->sink, event, bytes);

		if (err)
			say_failed(outputs, output->name, err);
	}
}

int outputs_flush(struct outputs *outputs)
{
	if (fflush(stdout))
		say_failed(outputs, STDOUT_NAME, -errno);
	return outputs->failed ? EXIT_FAILED : 0;
}

static void close_output(struct outputs *outputs, const struct output *output)
{
	const struct sink_session *shown = outputs->shown;
	struct port_counters counters;
	struct sink *sink = output->sink;
	int err = 0, closed;

	for (int i = 0; sink->ops->interface_end && i < shown->interface_count && !err; i++) {
		err = shown->counters(shown->context, i, &counters);
		if (!err)
			err = sink->ops->interface_end(sink, i, &counters);
	}
	closed = sink->ops->close(sink);
	if (err || closed)
		say_failed(outputs, output->name, err ? err : closed);
}

void outputs_close(struct outputs *outputs)
{
	for (int i = 0; i < outputs->count; i++)
		close_output(outputs, &outputs->output[i]);
	outputs->count = 0;
	if (!outputs->shown) /* never opened */
		return;
	host_names_close(outputs->shown->names);
	outputs->shown->names = NULL;
}
