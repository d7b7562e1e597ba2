// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/outputs.h"
#include "cmd/session.h"
#include "cmd/sums.h"
#include "command.h"
#include "datapath/events.h"
#include "datapath/filter.h"
#include "datapath/flows.h"
#include "datapath/ledger.h"
#include "datapath/owner.h"
#include "out/sink.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/stop.h"

#define SHOWN_PACKET_BYTES 512 /* enough of a packet for its headers and a first line of text */
#define MAX_DURATION_S     (366.0 * 24 * 3600)

enum {
	OPTION_JSON = 'j',
	OPTION_PACKETS = 'p',
	OPTION_WRITE = 'w',
	OPTION_DURATION = 'd',
	OPTION_COUNT = 'c',
	OPTION_EXPLAIN = 'v',
	OPTION_TIME = 't',
	OPTION_NAMES = 'n',
	OPTION_SUMMARY = 's',
	OPTION_STRICT = 0x100, /* without a letter */
	OPTION_TOP,
	OPTION_METRICS,
	OPTION_MAX_OPEN,
	OPTION_MAX_HALF_OPEN,
	OPTION_ROTATE_SIZE,
	OPTION_ROTATE_TIME,
	OPTION_ROTATE_FILES,
	OPTION_SCHEMA,
};

static const struct argp_option option_table[] = {
	{"json", OPTION_JSON, NULL, 0, "one JSON object a line on standard output", 0},
	{"schema", OPTION_SCHEMA, NULL, 0, "print the JSON Schema of --json's lines and end", 0},
	{"packets", OPTION_PACKETS, NULL, 0, "show every packet, not only what happens to connections", 0},
	{"write", OPTION_WRITE, "FILE.pcapng", 0,
	 "write every packet to a capture, with verdicts as comments", 0},
	{"rotate-size", OPTION_ROTATE_SIZE, "BYTES", 0,
	 "begin another file, FILE_00001_TIME.pcapng and so on, after so many bytes (k, M and G are "
	 "understood)",
	 0},
	{"rotate-time", OPTION_ROTATE_TIME, "SECONDS", 0, "begin another file after that time", 0},
	{"rotate-files", OPTION_ROTATE_FILES, "N", 0, "keep that many files, delete the oldest", 0},
	{"duration", OPTION_DURATION, "SECONDS", 0, "stop after that time", 0},
	{"count", OPTION_COUNT, "N", 0, "stop after N events (with --packets: packets)", 0},
	{"summary", OPTION_SUMMARY, NULL, 0, "no event lines, but at the end what became of all connections",
	 0},
	{"top", OPTION_TOP, NULL, 0, "no event lines, but a live table of the connections", 0},
	{"metrics", OPTION_METRICS, "ADDR:PORT", 0,
	 "serve the sums as OpenMetrics at http://ADDR:PORT/metrics", 0},
	{"strict", OPTION_STRICT, NULL, 0, "lost events are a failure: exit status 1", 0},
	{"max-open", OPTION_MAX_OPEN, "N", 0, "follow up to N open connections (65536)", 0},
	{"max-half-open", OPTION_MAX_HALF_OPEN, "N", 0,
	 "and up to N of which one end has been heard (65536); more of them push out the oldest", 0},
	{"verbose", OPTION_EXPLAIN, NULL, 0, "say under each event what it means and what proves it", 0},
	{"time", OPTION_TIME, "STYLE", 0,
	 "relative (seconds since the start), absolute (local time) or delta (since the line before)", 0},
	{"names", OPTION_NAMES, NULL, 0, "show names of hosts and services, as soon as they are known", 0},
	{0},
};

#define MAX_CONNECTIONS (1u << 24)
#define MAX_FILES       (1u << 16)

static double parse_seconds(const char *name, const char *text, struct argp_state *state)
{
	char *end;
	double seconds = strtod(text, &end);

	if (*end || end == text || !(seconds > 0) || seconds > MAX_DURATION_S)
		argp_error(state, "--%s %s: not a positive number of seconds", name, text);
	return seconds;
}

static unsigned long parse_number(const char *name, const char *text, unsigned long most,
				  struct argp_state *state)
{
	char *end;
	unsigned long number;

	errno = 0;
	number = strtoul(text, &end, 10);
	if (*end || end == text || *text == '-' || !number || errno)
		argp_error(state, "--%s %s: not a positive whole number", name, text);
	if (number > most)
		argp_error(state, "--%s %s: more than %lu", name, text, most);
	return number;
}

/* 10, 10k, 10M, 10G: powers of 1024, as dd and ls have them. */
static uint64_t parse_bytes(const char *name, const char *text, struct argp_state *state)
{
	static const char units[] = "kMG";
	unsigned int shift = 0;
	const char *unit;
	uint64_t bytes;
	char *end;

	errno = 0;
	bytes = strtoull(text, &end, 10);
	unit = *end ? strchr(units, *end) : NULL;
	if (unit)
		shift = 10 * (unit - units + 1);
	if (end == text || *text == '-' || !bytes || errno || (*end && (!unit || end[1])) ||
	    bytes > UINT64_MAX >> shift)
		argp_error(state, "--%s %s: not a number of bytes", name, text);
	return bytes << shift;
}

static enum time_style parse_time_style(const char *text, struct argp_state *state)
{
	static const char *const styles[] = {
		[TIME_RELATIVE] = "relative", [TIME_ABSOLUTE] = "absolute", [TIME_DELTA] = "delta"};

	for (int i = 0; i < (int)(sizeof(styles) / sizeof(*styles)); i++)
		if (!strcmp(text, styles[i]))
			return i;
	argp_error(state, "--time %s: relative, absolute or delta", text);
	return TIME_RELATIVE;
}

/* How it is shown. */
static error_t parse_show_option(int key, char *arg, struct argp_state *state)
{
	struct session_options *options = state->input;

	switch (key) {
	case OPTION_SCHEMA:
		exit(sink_json_schema(stdout) ? EXIT_FAILED : EXIT_DONE);
	case OPTION_EXPLAIN:
		options->explain = true;
		return 0;
	case OPTION_TIME:
		options->time_style = parse_time_style(arg, state);
		return 0;
	case OPTION_NAMES:
		options->names = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse_write_option(int key, char *arg, struct argp_state *state)
{
	struct session_options *options = state->input;

	switch (key) {
	case OPTION_WRITE:
		options->write = arg;
		return 0;
	case OPTION_ROTATE_SIZE:
		options->rotation.size_bytes = parse_bytes("rotate-size", arg, state);
		return 0;
	case OPTION_ROTATE_TIME:
		options->rotation.time_ns = parse_seconds("rotate-time", arg, state) * NS_PER_S;
		return 0;
	case OPTION_ROTATE_FILES:
		options->rotation.files = parse_number("rotate-files", arg, MAX_FILES, state);
		return 0;
	case ARGP_KEY_END:
		if (!options->write && (rotation_wanted(&options->rotation) || options->rotation.files))
			argp_error(state, "there is nothing to rotate without --write FILE.pcapng");
		if (options->rotation.files && !rotation_wanted(&options->rotation))
			argp_error(state, "--rotate-files: say when, by --rotate-size or --rotate-time");
		if (options->sums.top && (options->json || options->packets))
			argp_error(state, "--top has the terminal for itself: not with --json or --packets");
		return 0;
	default:
		return parse_show_option(key, arg, state);
	}
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct session_options *options = state->input;

	switch (key) {
	case OPTION_JSON:
		options->json = options->sums.json = true;
		return 0;
	case OPTION_PACKETS:
		options->packets = options->events = true;
		return 0;
	case OPTION_DURATION:
		options->duration_s = parse_seconds("duration", arg, state);
		return 0;
	case OPTION_COUNT:
		options->count = parse_number("count", arg, ULONG_MAX, state);
		return 0;
	case OPTION_SUMMARY:
		options->sums.summary = true;
		return 0;
	case OPTION_TOP:
		options->sums.top = true;
		return 0;
	case OPTION_METRICS:
		options->sums.metrics = arg;
		return 0;
	case OPTION_STRICT:
		options->strict = true;
		return 0;
	case OPTION_MAX_OPEN:
		options->max_open = parse_number("max-open", arg, MAX_CONNECTIONS, state);
		return 0;
	case OPTION_MAX_HALF_OPEN:
		options->max_half_open = parse_number("max-half-open", arg, MAX_CONNECTIONS, state);
		return 0;
	default:
		return parse_write_option(key, arg, state);
	}
}

const struct argp session_argp = {.options = option_table, .parser = parse_option};

struct session {
	const struct session_options *options;
	struct datapath *dp;
	struct events *events;
	struct sums *sums;
	struct owners *owners; /* NULL: nobody knows */
	__u64 swept_ns;        /* when the table of connections was last looked through */
	struct sink_session shown;
	struct sink_interface interfaces[CONFIG_MAX_PORTS];
	struct outputs outputs;
	bool gone[CONFIG_MAX_PORTS]; /* the interface was deleted meanwhile, and that was said */
	int ports_left;
};

/* What comes after the end is taken from the ring buffer, so that the sums are right, and not shown. */
static int on_event(void *context, const struct trace_event *event, const __u8 *bytes)
{
	struct session *session = context;

	if (event->hook == HOOK_NONE)
		sums_add(session->sums, event);
	outputs_event(&session->outputs, event, bytes);
	return 0;
}

static int counters_of(void *context, int interface, struct port_counters *counters)
{
	const struct session *session = context;

	return datapath_counters(session->dp, interface, counters);
}

static void describe(struct session *session, const struct datapath_options *datapath)
{
	session->shown = (struct sink_session){
		.interface = session->interfaces,
		.interface_count = datapath_port_count(session->dp),
		.start_ns = clock_monotonic_ns(),
		.packets = session->options->packets,
		.command_line = session->options->command_line,
		.filter = datapath->filter ? filter_expression(datapath->filter) : NULL,
		.counters = counters_of,
		.context = session,
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

/* " (room for ...)" of an observer. */
static void room_text(char *text, size_t bytes, const struct datapath *dp)
{
	__u32 open, half_open;

	*text = 0;
	datapath_room(dp, &open, &half_open);
	if (open)
		snprintf(text, bytes, ", room for %u open and %u half-open connections in %.0f MiB", open,
			 half_open, (double)datapath_memory(dp) / (1 << 20));
}

static void announce_ports(const struct session *session, const char *announce)
{
	char names[512] = "", room[128];
	size_t used = 0;

	for (int i = 0; i < session->shown.interface_count && used < sizeof(names); i++)
		used += snprintf(names + used, sizeof(names) - used, "%s%s (%s)", i ? ", " : "",
				 session->interfaces[i].name,
				 datapath_port(session->dp, i)->native ? "native XDP" : "generic XDP");
	room_text(room, sizeof(room), session->dp);
	log_info("%s %s%s; Ctrl-C ends it", announce, names, room);
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
	for (; !stop_requested() && outputs_want_more(&session->outputs) && now_ns < end_ns;
	     now_ns = clock_monotonic_ns()) {
		int err = events_read(session->events);

		keep_house(session, now_ns);
		if (!sums_tick(session->sums, now_ns))
			return EXIT_DONE;
		if (outputs_flush(&session->outputs))
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

static int print_ledger(const struct session *session)
{
	struct ledger ledger;
	int err = ledger_read(&ledger, session->dp, session->events ? events_delivered(session->events) : 0);

	if (err) {
		log_error(NULL, "the counters could not be read: %s", strerror(-err));
		return EXIT_FAILED;
	}
	ledger_show(&ledger, session->options->json);
	if (ledger_closes(&ledger) && ledger.lost && session->options->strict) {
		log_error("less traffic, a FILTER, or --summary", "%llu events were lost (--strict)",
			  (unsigned long long)ledger.lost);
		return EXIT_FAILED;
	}
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
	int ledger, sums;

	sums_stop(session->sums);
	datapath_detach(session->dp);
	events_drain(session->events);
	if (session->options->events)
		datapath_sweep(session->dp, &sweep);
	outputs_close(&session->outputs);
	sums = sums_report(session->sums, sweep.now_ns);
	ledger = print_ledger(session);
	if (session->outputs.failed)
		return EXIT_FAILED;
	if (!code)
		code = sums;
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
	describe(session, datapath);
	err = outputs_open(&session->outputs, session->options, &session->shown);
	if (err)
		return err;
	session->events = events_open(session->dp, on_event, session);
	if (!session->events) {
		log_error(NULL, "the ring buffer could not be opened: %s", strerror(errno));
		return EXIT_FAILED;
	}
	session->ports_left = session->shown.interface_count;
	err = sums_open(&session->sums, &session->options->sums, session->dp, &session->shown);
	if (!err)
		announce_ports(session, announce);
	return err;
}

bool session_shows_events(const struct session_options *options)
{
	return options->events && (options->packets || !(options->sums.summary || options->sums.top));
}

int session_run(const struct session_options *options, struct datapath_options datapath, char *const *ifnames,
		const char *announce)
{
	struct session session = {.options = options};
	int err;

	datapath.observe = options->events || options->write || options->sums.summary || options->sums.top;
	datapath.event_mask = session_shows_events(options) ? TCP_EVENTS_ALL : 0;
	datapath.max_open = options->max_open;
	datapath.max_half_open = options->max_half_open;
	datapath.packets = options->packets || options->write;
	if (datapath.packets)
		datapath.snap_bytes = options->write ? CONFIG_MAX_SNAP : SHOWN_PACKET_BYTES;
	stop_on_signals();
	err = start(&session, &datapath, ifnames, announce);
	if (!err)
		err = finish(&session, loop(&session, datapath.forward ? ROUTER_PORTS : 1));
	else
		outputs_close(&session.outputs);
	sums_close(session.sums);
	events_close(session.events);
	owners_close(session.owners);
	datapath_close(session.dp);
	return err;
}
