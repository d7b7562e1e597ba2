// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <string.h>

#include "out/metrics.h"
#include "util/clock.h"
#include "util/names.h"
#include "util/terminal.h"

#define OPENMETRICS_TYPE "application/openmetrics-text"
#define NAME_BYTES       (4 * IF_NAMESIZE) /* a byte that is no text becomes \xNN */
#define LABEL_BYTES      (2 * NAME_BYTES)

/* The bounds of the histograms: each power of two from 8 µs to 17 s, which are bounds of the log-linear buckets too. */
#define LE_FIRST_SHIFT 13
#define LE_LAST_SHIFT  34

struct writer {
	FILE *out;
	bool openmetrics; /* else Prometheus 0.0.4 */
	const struct metrics_sample *sample;
};

/* A family: a counter's series end in _total; in the older format the family does too. */
static void begin(const struct writer *writer, const char *name, const char *type, const char *unit,
		  const char *help)
{
	const char *suffix = !writer->openmetrics && !strcmp(type, "counter") ? "_total" : "";

	fprintf(writer->out, "# TYPE xdplife_%s%s %s\n", name, suffix, type);
	if (writer->openmetrics && *unit)
		fprintf(writer->out, "# UNIT xdplife_%s %s\n", name, unit);
	fprintf(writer->out, "# HELP xdplife_%s%s %s\n", name, suffix, help);
}

static void begin_counter(const struct writer *writer, const char *name, const char *help)
{
	begin(writer, name, "counter", "", help);
}

/* @labels: "" or without the braces. */
static void count(const struct writer *writer, const char *name, const char *labels, __u64 value)
{
	fprintf(writer->out, "xdplife_%s_total%s%s%s %" PRIu64 "\n", name, *labels ? "{" : "", labels,
		*labels ? "}" : "", (uint64_t)value);
}

/* @value_ns as seconds, every digit of it. */
static void print_seconds(FILE *out, __u64 value_ns)
{
	fprintf(out, "%" PRIu64 ".%09" PRIu64, (uint64_t)(value_ns / NS_PER_S),
		(uint64_t)(value_ns % NS_PER_S));
}

/* The kernel lets an interface's name hold any byte but a few. */
static void escape(char out[LABEL_BYTES], const char *name)
{
	char safe[NAME_BYTES];
	size_t used = 0;

	terminal_safe(safe, sizeof(safe), name, strlen(name));
	for (const char *at = safe; *at && used + 3 < LABEL_BYTES; at++) {
		if (*at == '"' || *at == '\\')
			out[used++] = '\\';
		out[used++] = *at;
	}
	out[used] = 0;
}

/* --- connections --- */

static void print_outcomes(const struct writer *writer)
{
	const struct fate_counts *sum = &writer->sample->summary.connections;
	char labels[96];

	begin_counter(writer, "connections_started",
		      "TCP connections seen, by whether their beginning was seen.");
	count(writer, "connections_started", "origin=\"handshake\"", sum->started);
	count(writer, "connections_started", "origin=\"midstream\"", sum->midstream);
	begin_counter(writer, "connections_ended", "What became of them.");
	for (int i = 0; i < FATE_COUNT; i++) {
		snprintf(labels, sizeof(labels), "origin=\"handshake\",outcome=\"%s\"", fate_key(i));
		count(writer, "connections_ended", labels, sum->ended[i]);
		snprintf(labels, sizeof(labels), "origin=\"midstream\",outcome=\"%s\"", fate_key(i));
		count(writer, "connections_ended", labels, sum->midstream_ended[i]);
	}
	begin_counter(writer, "connections_recovered",
		      "Of those unreachable: something else became of them after all.");
	count(writer, "connections_recovered", "", sum->recovered);
}

static void print_leg(const struct writer *writer, const char *leg, const struct latency *latency,
		      __u64 sum_ns)
{
	__u64 samples = 0;
	__u32 bucket = 0;

	for (int shift = LE_FIRST_SHIFT; shift <= LE_LAST_SHIFT; shift++) {
		__u32 end = histogram_bucket(1ull << shift);

		for (; bucket < end; bucket++)
			samples += latency->bucket[bucket];
		fprintf(writer->out, "xdplife_handshake_seconds_bucket{leg=\"%s\",le=\"", leg);
		print_seconds(writer->out,
			      (1ull << shift) - 1); /* inclusive: whole nanoseconds below the next bucket */
		fprintf(writer->out, "\"} %" PRIu64 "\n", (uint64_t)samples);
	}
	fprintf(writer->out, "xdplife_handshake_seconds_bucket{leg=\"%s\",le=\"+Inf\"} %" PRIu64 "\n", leg,
		latency->samples);
	fprintf(writer->out, "xdplife_handshake_seconds_sum{leg=\"%s\"} ", leg);
	print_seconds(writer->out, sum_ns);
	fprintf(writer->out, "\nxdplife_handshake_seconds_count{leg=\"%s\"} %" PRIu64 "\n", leg,
		latency->samples);
}

static void print_handshakes(const struct writer *writer)
{
	const struct summary *summary = &writer->sample->summary;

	begin(writer, "handshake_seconds", "histogram", "seconds",
	      "Legs of the handshake: SYN to SYN-ACK (server), SYN-ACK to ACK (client).");
	print_leg(writer, "server", &summary->server, summary->server_sum_ns);
	print_leg(writer, "client", &summary->client, summary->client_sum_ns);
	begin_counter(
		writer, "handshakes_ambiguous",
		"Handshakes that are not timed: a SYN or SYN-ACK was sent again, overtaken or not seen.");
	count(writer, "handshakes_ambiguous", "", summary->ambiguous);
}

static void print_tcp_events(const struct writer *writer)
{
	static const struct {
		const char *segment;
		enum tcp_event_index event;
	} again[] = {{"syn", TCP_EVENT_INDEX_SYN_RETRANSMIT},
		     {"syn-ack", TCP_EVENT_INDEX_SYNACK_RETRANSMIT},
		     {"data", TCP_EVENT_INDEX_RETRANSMIT},
		     {"data-needlessly", TCP_EVENT_INDEX_DUPLICATE},
		     {"fin", TCP_EVENT_INDEX_FIN_RETRANSMIT}};
	const __u64 *event = writer->sample->summary.tcp_event;
	char labels[64];

	begin_counter(writer, "retransmissions", "Segments that were sent again.");
	for (size_t i = 0; i < sizeof(again) / sizeof(again[0]); i++) {
		snprintf(labels, sizeof(labels), "segment=\"%s\"", again[i].segment);
		count(writer, "retransmissions", labels, event[again[i].event]);
	}
	begin_counter(writer, "tcp_events", "What segments did to their connections.");
	for (int i = 0; i < TCP_EVENT_COUNT; i++) {
		snprintf(labels, sizeof(labels), "event=\"%s\"", tcp_event_key(i));
		count(writer, "tcp_events", labels, event[i]);
	}
}

/* --- the ledger, by interface --- */

/* One value of a port, in a family with no label but the interface, or with a hook beside it. */
static void count_port(const struct writer *writer, const char *name, int port, const char *more, __u64 value)
{
	char interface[LABEL_BYTES], labels[2 * LABEL_BYTES];

	escape(interface, writer->sample->session->interface[port].name);
	snprintf(labels, sizeof(labels), "interface=\"%s\"%s", interface, more);
	count(writer, name, labels, value);
}

#define FOR_EACH_PORT(i, writer) for (int i = 0; i < (writer)->sample->session->interface_count; i++)

static void print_frames(const struct writer *writer)
{
	const struct port_counters *port = writer->sample->port;

	begin_counter(writer, "frames_seen", "Frames at each hook.");
	FOR_EACH_PORT(i, writer)
	{
		count_port(writer, "frames_seen", i, ",hook=\"xdp\"", port[i].seen);
		count_port(writer, "frames_seen", i, ",hook=\"tc-egress\"", port[i].egress);
	}
	begin(writer, "frames_seen_bytes", "counter", "bytes", "Bytes of these frames.");
	FOR_EACH_PORT(i, writer)
	{
		count_port(writer, "frames_seen_bytes", i, ",hook=\"xdp\"", port[i].seen_bytes);
		count_port(writer, "frames_seen_bytes", i, ",hook=\"tc-egress\"", port[i].egress_bytes);
	}
	begin_counter(writer, "frames_sent_by_driver", "Redirected frames that the egress driver took.");
	FOR_EACH_PORT(i, writer)
	count_port(writer, "frames_sent_by_driver", i, "", port[i].xmit_sent);
}

/* A family of one list of counters.h. */
struct list {
	const char *name;
	const char *label;
	const char *help;
	size_t offset; /* of the first counter in struct port_counters */
	int first, count;
	const char *(*key)(int index);
};

static const char *key_of_verdict(int index)
{
	return verdict_key(index);
}

static const char *key_of_after(int index)
{
	return after_redirect_key(index);
}

static const char *key_of_malformed(int index)
{
	return malformed_key(index);
}

static const char *key_of_observed(int index)
{
	return observed_key(index);
}

static const char *key_of_event(int index)
{
	return event_outcome_key(index);
}

static const struct list lists[] = {
	{"frames", "verdict", "Frames at XDP by verdict; each has exactly one.",
	 offsetof(struct port_counters, verdict), 0, VERDICT_COUNT, key_of_verdict},
	{"frames_lost_after_redirect", "reason", "Frames that were lost behind their verdict.",
	 offsetof(struct port_counters, after), 0, AFTER_COUNT, key_of_after},
	{"frames_malformed", "reason", "Frames that could not be read to their end.",
	 offsetof(struct port_counters, malformed), MALFORMED_NONE + 1, MALFORMED_COUNT, key_of_malformed},
	{"frames_observed", "as", "What the observer made of frames; each is exactly one of these.",
	 offsetof(struct port_counters, observed), 0, OBSERVED_COUNT, key_of_observed},
	{"trace_events", "outcome", "Events for the trace: emitted, or lost by cause.",
	 offsetof(struct port_counters, event), 0, EVENT_OUTCOME_COUNT, key_of_event},
};

static void print_list(const struct writer *writer, const struct list *list)
{
	char more[64];

	begin_counter(writer, list->name, list->help);
	FOR_EACH_PORT(i, writer)
	{
		const __u64 *counter = (const __u64 *)((const char *)&writer->sample->port[i] + list->offset);

		for (int k = list->first; k < list->count; k++) {
			snprintf(more, sizeof(more), ",%s=\"%s\"", list->label, list->key(k));
			count_port(writer, list->name, i, more, counter[k]);
		}
	}
}

static void print_table(const struct writer *writer)
{
	const struct metrics_sample *sample = writer->sample;

	begin(writer, "table_entries", "gauge", "",
	      "Connections in the table, those that have just ended too.");
	fprintf(writer->out, "xdplife_table_entries %" PRIu64 "\n", (uint64_t)sample->table.used);
	begin(writer, "table_max_entries", "gauge", "", "Connections that the table has room for.");
	fprintf(writer->out, "xdplife_table_max_entries %" PRIu64 "\n", (uint64_t)sample->table.max);
	begin_counter(writer, "table_evictions", "Half-open connections pushed out by newer ones.");
	FOR_EACH_PORT(i, writer) count_port(writer, "table_evictions", i, "", sample->port[i].evicted);
}

static void print_programs(const struct writer *writer)
{
	const struct metrics_sample *sample = writer->sample;

	if (!sample->programs)
		return;
	begin_counter(writer, "program_runs", "Runs of the BPF programs (kernel.bpf_stats_enabled).");
	FOR_EACH_PORT(i, writer)
	{
		count_port(writer, "program_runs", i, ",hook=\"xdp\"", sample->xdp[i].runs);
		count_port(writer, "program_runs", i, ",hook=\"tc-egress\"", sample->egress[i].runs);
	}
	begin(writer, "program_run_seconds", "counter", "seconds", "Time that these runs took.");
	FOR_EACH_PORT(i, writer)
	{
		char interface[LABEL_BYTES];

		escape(interface, sample->session->interface[i].name);
		fprintf(writer->out, "xdplife_program_run_seconds_total{interface=\"%s\",hook=\"xdp\"} ",
			interface);
		print_seconds(writer->out, sample->xdp[i].run_ns);
		fprintf(writer->out,
			"\nxdplife_program_run_seconds_total{interface=\"%s\",hook=\"tc-egress\"} ",
			interface);
		print_seconds(writer->out, sample->egress[i].run_ns);
		fputc('\n', writer->out);
	}
}

const char *metrics_print(const struct metrics_sample *sample, const char *accept, FILE *out)
{
	struct writer writer = {
		.out = out,
		.openmetrics = strstr(accept, OPENMETRICS_TYPE) || !strstr(accept, "text/plain"),
		.sample = sample,
	};

	begin(&writer, "build_info", "gauge", "", "The version that is running; always 1.");
	fprintf(out, "xdplife_build_info{version=\"%s\"} 1\n", XDPLIFE_VERSION);
	print_outcomes(&writer);
	print_handshakes(&writer);
	print_tcp_events(&writer);
	print_frames(&writer);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		print_list(&writer, &lists[i]);
	print_table(&writer);
	print_programs(&writer);
	if (!writer.openmetrics)
		return "text/plain; version=0.0.4; charset=utf-8";
	fputs("# EOF\n", out);
	return OPENMETRICS_TYPE "; version=1.0.0; charset=utf-8";
}
