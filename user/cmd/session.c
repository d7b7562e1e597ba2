// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/session.h"
#include "command.h"
#include "datapath/events.h"
#include "datapath/flows.h"
#include "datapath/ledger.h"
#include "datapath/owner.h"
#include "out/sink.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/stop.h"

#define MAX_SINKS          2   /* the terminal or JSON, and a capture file */
#define SHOWN_PACKET_BYTES 512 /* enough of a packet for its headers and a first line of text */
#define STDOUT_NAME        "standard output"
#define ROUTER_PORTS       2 /* the fewest that there is something to route between */
#define MAX_DURATION_S     (366.0 * 24 * 3600)

enum {
	OPTION_JSON = 'j',
	OPTION_PACKETS = 'p',
	OPTION_WRITE = 'w',
	OPTION_DURATION = 'd',
	OPTION_COUNT = 'c'
};

static const struct argp_option option_table[] = {
	{"json", OPTION_JSON, NULL, 0, "one JSON object a line on standard output", 0},
	{"packets", OPTION_PACKETS, NULL, 0, "show every packet, not only what happens to connections", 0},
	{"write", OPTION_WRITE, "FILE.pcapng", 0,
	 "write every packet to a capture, with verdicts as comments", 0},
	{"duration", OPTION_DURATION, "SECONDS", 0, "stop after that time", 0},
	{"count", OPTION_COUNT, "N", 0, "stop after N events (with --packets: packets)", 0},
	{0},
};

static double parse_duration(const char *text, struct argp_state *state)
{
	char *end;
	double seconds = strtod(text, &end);

	if (*end || end == text || !(seconds > 0) || seconds > MAX_DURATION_S)
		argp_error(state, "--duration %s: not a positive number of seconds", text);
	return seconds;
}

static unsigned long parse_count(const char *text, struct argp_state *state)
{
	char *end;
	unsigned long count;

	errno = 0;
	count = strtoul(text, &end, 10);
	if (*end || end == text || *text == '-' || !count || errno)
		argp_error(state, "--count %s: not a positive whole number", text);
	return count;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct session_options *options = state->input;

	switch (key) {
	case OPTION_JSON:
		options->json = true;
		return 0;
	case OPTION_PACKETS:
		options->packets = options->events = true;
		return 0;
	case OPTION_WRITE:
		options->write = arg;
		return 0;
	case OPTION_DURATION:
		options->duration_s = parse_duration(arg, state);
		return 0;
	case OPTION_COUNT:
		options->count = parse_count(arg, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp session_argp = {.options = option_table, .parser = parse_option};

struct output {
	struct sink *sink;
	const char *name;
};

struct session {
	const struct session_options *options;
	struct datapath *dp;
	struct events *events;
	struct owners *owners; /* NULL: nobody knows */
	__u64 swept_ns; /* when the table of connections was last looked through */
	struct sink_session shown;
	struct sink_interface interfaces[CONFIG_MAX_PORTS];
	struct output outputs[MAX_SINKS];
	int output_count;
	bool output_failed; /* and said so */
	unsigned long seen;
	bool gone[CONFIG_MAX_PORTS]; /* the interface was deleted meanwhile, and that was said */
	int ports_left;
};

static bool wants_more(const struct session *session)
{
	return !session->options->count || session->seen < session->options->count;
}

static void say_output_failed(struct session *session, const char *name, int err)
{
	if (!session->output_failed)
		log_error(err == -ENOSPC ? "make room there; what was written until then can be read" : NULL,
			  "%s: could not be written to its end: %s", name, strerror(-err));
	session->output_failed = true;
}

/* What comes after the end is taken from the ring buffer, so that the sums are right, and not shown. */
static int on_event(void *context, const struct trace_event *event, const __u8 *bytes)
{
	struct session *session = context;

	if (!wants_more(session) || session->output_failed)
		return 0;
	session->seen += session->options->packets || event->tcp_events;
	for (int i = 0; i < session->output_count; i++) {
		const struct output *output = &session->outputs[i];
		int err = output->sink->ops->event(output->sink, event, bytes);

		if (err)
			say_output_failed(session, output->name, err);
	}
	return 0;
}

static int add_sink(struct session *session, struct sink *sink, const char *name)
{
	if (!sink) {
		log_error("another file or folder", "%s: %s", name, strerror(errno));
		return EXIT_FAILED;
	}
	session->outputs[session->output_count++] = (struct output){.sink = sink, .name = name};
	return 0;
}

static int open_sinks(struct session *session)
{
	const struct session_options *options = session->options;
	const struct sink_session *shown = &session->shown;
	int err = 0;

	if (options->events)
		err = add_sink(session, options->json ? sink_json_open(shown) : sink_text_open(shown),
			       STDOUT_NAME);
	if (!err && options->write)
		err = add_sink(session, sink_pcapng_open(shown, options->write, &options->rotation),
			       options->write);
	return err;
}

static void describe(struct session *session)
{
	session->shown = (struct sink_session){
		.interface = session->interfaces,
		.interface_count = datapath_port_count(session->dp),
		.start_ns = clock_monotonic_ns(),
		.packets = session->options->packets,
		.command_line = session->options->command_line,
		.owners = session->owners,
	};
	session->shown.to_epoch_ns = (__s64)(clock_realtime_ns() - session->shown.start_ns);
	for (int i = 0; i < session->shown.interface_count; i++) {
		const struct datapath_port *port = datapath_port(session->dp, i);
		struct sink_interface *interface = &session->interfaces[i];

		interface->ifindex = port->ifindex;
		memcpy(interface->name, port->name, sizeof(interface->name));
		memcpy(interface->mac, port->mac, sizeof(interface->mac));
	}
}

static void announce_ports(const struct session *session, const char *announce)
{
	char names[512] = "";
	size_t used = 0;

	for (int i = 0; i < session->shown.interface_count && used < sizeof(names); i++)
		used += snprintf(names + used, sizeof(names) - used, "%s%s (%s)", i ? ", " : "",
				 session->interfaces[i].name,
				 datapath_port(session->dp, i)->native ? "native XDP" : "generic XDP");
	log_info("%s %s; Ctrl-C ends it", announce, names);
}

/* An interface can be deleted at any time; a router with one interface left has nothing to do any more. */
static bool look_for_ports(struct session *session, int needed)
{
	for (int i = 0; i < session->shown.interface_count; i++) {
		if (session->gone[i] || !datapath_port_gone(session->dp, i))
			continue;
		session->gone[i] = true;
		session->ports_left--;
		log_warn(NULL, "%s: the interface is gone", session->interfaces[i].name);
	}
	return session->ports_left >= needed;
}

/* What the kernel side leaves to us: next hops to be resolved, connections that are over. */
static void keep_house(struct session *session, __u64 now_ns)
{
	const struct flows_sweep sweep = {.now_ns = now_ns, .handler = on_event, .context = session};

	datapath_ask_neighbours(session->dp);
	if (now_ns - session->swept_ns < NS_PER_S)
		return;
	datapath_sweep(session->dp, &sweep);
	session->swept_ns = now_ns;
}

/* Return: an exit_code. */
static int loop(struct session *session, int ports_needed)
{
	__u64 now_ns = session->shown.start_ns, end_ns = UINT64_MAX;

	if (session->options->duration_s > 0)
		end_ns = now_ns + (__u64)(session->options->duration_s * NS_PER_S);
	for (; !stop_requested() && wants_more(session) && now_ns < end_ns; now_ns = clock_monotonic_ns()) {
		int err = events_read(session->events);

		keep_house(session, now_ns);
		if (fflush(stdout))
			say_output_failed(session, STDOUT_NAME, -errno);
		if (session->output_failed)
			return EXIT_FAILED;
		if (err && err != -EINTR) {
			log_error(NULL, "the ring buffer could not be read: %s", strerror(-err));
			return EXIT_FAILED;
		}
		if (!look_for_ports(session, ports_needed)) {
			log_error(NULL, "ended: %s",
				  ports_needed > 1 ? "a router needs two interfaces"
						   : "no interface is left");
			return EXIT_FAILED;
		}
	}
	return EXIT_DONE;
}

static void close_output(struct session *session, const struct output *output)
{
	struct port_counters counters;
	struct sink *sink = output->sink;
	int err = 0, closed;

	for (int i = 0; sink->ops->interface_end && i < session->shown.interface_count && !err; i++) {
		err = datapath_counters(session->dp, i, &counters);
		if (!err)
			err = sink->ops->interface_end(sink, i, &counters);
	}
	closed = sink->ops->close(sink);
	if (err || closed)
		say_output_failed(session, output->name, err ? err : closed);
}

static void close_outputs(struct session *session)
{
	for (int i = 0; i < session->output_count; i++)
		close_output(session, &session->outputs[i]);
	session->output_count = 0;
}

static int print_ledger(const struct session *session)
{
	struct ledger ledger;
	int err = ledger_read(&ledger, session->dp, session->events ? events_delivered(session->events) : 0);

	if (err) {
		log_error(NULL, "the counters could not be read: %s", strerror(-err));
		return EXIT_FAILED;
	}
	if (session->options->json) {
		json_t *object = ledger_json(&ledger);

		json_dumpf(object, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(object);
	} else {
		putchar('\n');
		ledger_print(&ledger, stdout);
	}
	fflush(stdout);
	if (ledger_closes(&ledger))
		return EXIT_DONE;
	log_error(NULL, "the ledger does not close: frames or events are not accounted for");
	return EXIT_LEDGER;
}

/* Frames first, then what they left in the ring buffer, then the files, then the sums. */
static int finish(struct session *session, int code)
{
	const struct flows_sweep sweep = {
		.now_ns = clock_monotonic_ns(), .stopped = true, .handler = on_event, .context = session};
	int ledger;

	datapath_detach(session->dp);
	events_drain(session->events);
	if (session->options->events)
		datapath_sweep(session->dp, &sweep);
	close_outputs(session);
	ledger = print_ledger(session);
	if (session->output_failed)
		return EXIT_FAILED;
	return code ? code : ledger;
}

static int start(struct session *session, const struct datapath_options *datapath, char *const *ifnames,
		 const char *announce)
{
	int err = datapath_open(&session->dp, datapath);

	if (!err && session->options->events)
		session->owners = owners_open(); /* before the first frame is seen */
	if (!err)
		err = datapath_add_ports(session->dp, ifnames);
	if (err)
		return err;
	describe(session);
	err = open_sinks(session);
	if (err)
		return err;
	session->events = events_open(session->dp, on_event, session);
	if (!session->events) {
		log_error(NULL, "the ring buffer could not be opened: %s", strerror(errno));
		return EXIT_FAILED;
	}
	session->ports_left = session->shown.interface_count;
	announce_ports(session, announce);
	return 0;
}

int session_run(const struct session_options *options, struct datapath_options datapath, char *const *ifnames,
		const char *announce)
{
	struct session session = {.options = options};
	int err;

	datapath.observe = options->events || options->write;
	datapath.event_mask = TCP_EVENTS_ALL;
	datapath.packets = options->packets || options->write;
	if (datapath.packets)
		datapath.snap_bytes = options->write ? CONFIG_MAX_SNAP : SHOWN_PACKET_BYTES;
	stop_on_signals();
	err = start(&session, &datapath, ifnames, announce);
	if (!err)
		err = finish(&session, loop(&session, datapath.forward ? ROUTER_PORTS : 1));
	else
		close_outputs(&session);
	events_close(session.events);
	owners_close(session.owners);
	datapath_close(session.dp);
	return err;
}
