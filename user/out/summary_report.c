// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <inttypes.h>
#include <langinfo.h>
#include <locale.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "command.h"
#include "out/histogram_chart.h"
#include "out/story.h"
#include "out/summary_report.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/names.h"
#include "util/terminal.h"

#define LABEL_WIDTH     20
#define COUNT_WIDTH     12
#define NAME_WIDTH      40
#define COLUMN_WIDTH    11
#define DURATION_BYTES  32
#define TALKERS_SHOWN   10
#define PERCENT         100.0
#define DEFAULT_COLUMNS 80
#define SERVER_LEG      "SYN to SYN-ACK"
#define CLIENT_LEG      "SYN-ACK to ACK"

static const struct {
	double q;
	const char *key;
	const char *label;
} quantiles[] = {{0.5, "p50", "p50"}, {0.9, "p90", "p90"}, {0.99, "p99", "p99"}, {0.999, "p999", "p99.9"}};

#define QUANTILES (sizeof(quantiles) / sizeof(quantiles[0]))

static double per_second(__u64 count, __u64 elapsed_ns)
{
	return elapsed_ns ? (double)count * (double)NS_PER_S / (double)elapsed_ns : 0;
}

static double share_percent(__u64 part, __u64 whole)
{
	return whole ? PERCENT * (double)part / (double)whole : 0;
}

/* A prefix as 10.7.0.0/24, a server as its address and port. */
static void talker_name(char *text, size_t bytes, const struct talker_key *key)
{
	char host[INET6_ADDRSTRLEN] = "?";

	if (key->kind == TALKER_DESTINATION) {
		story_endpoint(text, bytes, &key->addr, key->port, key->ip_version);
		return;
	}
	inet_ntop(key->ip_version == 6 ? AF_INET6 : AF_INET, &key->addr, host, sizeof(host));
	snprintf(text, bytes, "%s/%d", host, key->ip_version == 6 ? TALKER_PREFIX_IP6 : TALKER_PREFIX_IP4);
}

/* --- text --- */

static void print_heading(FILE *out, const char *text)
{
	fprintf(out, "%s%s%s\n", terminal_style(out, STYLE_BOLD), text, terminal_style(out, STYLE_RESET));
}

static void print_count(FILE *out, int indent, const char *label, __u64 count, const char *text)
{
	fprintf(out, "  %*s%-*s %*" PRIu64 "  %s%s%s\n", indent, "", LABEL_WIDTH - indent, label, COUNT_WIDTH,
		(uint64_t)count, terminal_style(out, STYLE_DIM), text, terminal_style(out, STYLE_RESET));
}

/* The ending, and beside it how many of which kind. */
static void print_ending(const struct summary *summary, enum ending ending, int midstream, FILE *out)
{
	__u64 sum = summary_ending(summary, ending, midstream);
	char text[256] = "";
	size_t used = 0;

	if (!sum)
		return;
	used += snprintf(text, sizeof(text), "%s", ending_text(ending));
	for (int i = 0; i < FATE_COUNT && used < sizeof(text); i++) {
		__u64 count = ending_of(i) == ending ? summary_fate(summary, i, midstream) : 0;

		if (count && *fate_text(i))
			used += snprintf(text + used, sizeof(text) - used, "; %" PRIu64 " %s",
					 (uint64_t)count, fate_text(i));
	}
	print_count(out, 2, ending_key(ending), sum, text);
}

static void print_outcomes(const struct summary *summary, __u64 elapsed_ns, FILE *out)
{
	__s64 residue = summary_residue(summary);
	char rate[64];

	snprintf(rate, sizeof(rate), "%.1f a second", per_second(summary->connections.started, elapsed_ns));
	print_count(out, 0, "started", summary->connections.started, rate);
	for (int i = 0; i < ENDING_COUNT; i++)
		print_ending(summary, i, 0, out);
	if (summary_open(summary))
		print_count(out, 2, "pushed out", summary_open(summary),
			    "half-open, and newer ones took their place");
	if (summary->connections.midstream)
		print_count(out, 0, "midstream", summary->connections.midstream,
			    "were running when they were seen first");
	for (int i = 0; i < ENDING_COUNT; i++)
		print_ending(summary, i, 1, out);
	if (summary_midstream_open(summary))
		print_count(out, 2, "pushed out", summary_midstream_open(summary),
			    "of which only one end was heard");
	fprintf(out, "  %s%-*s %*" PRId64 "%s  started + midstream - what became of them\n",
		terminal_style(out, residue ? STYLE_BAD : STYLE_GOOD), LABEL_WIDTH, "residue", COUNT_WIDTH,
		(int64_t)residue, terminal_style(out, STYLE_RESET));
	if (summary->evicted)
		print_count(out, 0, "evicted", summary->evicted, "entries of the table of half-open ones");
	if (summary->no_room)
		print_count(out, 0, "no room", summary->no_room, "segments of connections not followed");
}

/* --- the times of the handshakes --- */

/* The person's locale, whatever the program's is. */
static bool is_utf8(void)
{
	locale_t locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
	bool utf8 = locale && !strcasecmp(nl_langinfo_l(CODESET, locale), "UTF-8");

	if (locale)
		freelocale(locale);
	return utf8;
}

static int columns_of(FILE *out)
{
	struct winsize size;

	if (!isatty(fileno(out)) || ioctl(fileno(out), TIOCGWINSZ, &size) || !size.ws_col)
		return DEFAULT_COLUMNS;
	return size.ws_col;
}

static void print_leg(const struct latency *latency, const char *label, FILE *out)
{
	char duration[DURATION_BYTES];

	fprintf(out, "  %-*s", LABEL_WIDTH, label);
	for (size_t i = 0; i < QUANTILES; i++) {
		story_duration(duration, sizeof(duration), latency_quantile_ns(latency, quantiles[i].q));
		/* µ is one column and two bytes */
		fprintf(out, " %*s", COUNT_WIDTH + (strstr(duration, "µ") != NULL), duration);
	}
	fputc('\n', out);
}

static void print_handshakes(const struct summary *summary, FILE *out)
{
	const struct histogram_chart chart = {
		.latency = {&summary->server, &summary->client},
		.heading = {SERVER_LEG, CLIENT_LEG},
		.columns = columns_of(out),
		.unicode = is_utf8(),
	};

	if (!summary->server.samples && !summary->ambiguous)
		return;
	fputc('\n', out);
	print_heading(out, "handshakes");
	print_count(out, 0, "timed", summary->server.samples, "");
	if (summary->ambiguous)
		print_count(out, 0, "ambiguous", summary->ambiguous,
			    "a SYN or SYN-ACK was sent again, overtaken or not seen: not timed");
	if (!summary->server.samples)
		return;
	fprintf(out, "  %-*s", LABEL_WIDTH, "");
	for (size_t i = 0; i < QUANTILES; i++)
		fprintf(out, " %*s", COUNT_WIDTH, quantiles[i].label);
	fputc('\n', out);
	print_leg(&summary->server, SERVER_LEG, out);
	print_leg(&summary->client, CLIENT_LEG, out);
	fputc('\n', out);
	histogram_chart_print(&chart, out);
}

/* --- who --- */

static void print_talker(const struct talker_row *row, FILE *out)
{
	const struct talker *sum = &row->sum;
	char name[STORY_ENDPOINT_BYTES], causes[256] = "";
	size_t used = 0;

	talker_name(name, sizeof(name), &row->key);
	for (int i = 0; i < FAILURE_COUNT && used < sizeof(causes); i++)
		if (talker_failed_by(sum, i))
			used += snprintf(causes + used, sizeof(causes) - used, "%s%" PRIu64 " %s",
					 used ? ", " : "", (uint64_t)talker_failed_by(sum, i), ending_key(i));
	if (talker_failed_by(sum, ENDING_COUNT))
		used += snprintf(causes + used, sizeof(causes) - used, "%s%" PRIu64 " pushed out",
				 used ? ", " : "", (uint64_t)talker_failed_by(sum, ENDING_COUNT));
	fprintf(out, "  %-*s %*" PRIu64 " %*.1f %%  %s\n", NAME_WIDTH, name, COLUMN_WIDTH,
		(uint64_t)sum->count[TALKER_ATTEMPTS], COLUMN_WIDTH - 2,
		share_percent(talker_failed(sum), sum->count[TALKER_ATTEMPTS]), causes);
}

static void print_talkers(const struct summary *summary, enum talker_kind kind, enum talker_order order,
			  const char *heading, FILE *out)
{
	struct talker_row rows[TALKERS_SHOWN];
	size_t count = summary_talkers(summary, kind, order, rows, TALKERS_SHOWN);

	if (!count)
		return;
	fputc('\n', out);
	print_heading(out, heading);
	fprintf(out, "  %s%-*s %*s %*s%s\n", terminal_style(out, STYLE_DIM), NAME_WIDTH,
		kind == TALKER_SOURCE ? "network" : "server", COLUMN_WIDTH, "attempts", COLUMN_WIDTH,
		"failed", terminal_style(out, STYLE_RESET));
	for (size_t i = 0; i < count; i++)
		print_talker(&rows[i], out);
}

void summary_print(const struct summary *summary, __u64 elapsed_ns, FILE *out)
{
	char elapsed[DURATION_BYTES];

	story_duration(elapsed, sizeof(elapsed), elapsed_ns);
	fprintf(out, "%sconnections%s in %s\n", terminal_style(out, STYLE_BOLD),
		terminal_style(out, STYLE_RESET), elapsed);
	print_outcomes(summary, elapsed_ns, out);
	print_handshakes(summary, out);
	print_talkers(summary, TALKER_DESTINATION, TALKERS_BY_FAILED, "servers that fail most", out);
	if (summary->evicted)
		print_talkers(summary, TALKER_SOURCE, TALKERS_BY_ATTEMPTS, "who opens most", out);
	if (summary->unnamed)
		print_count(out, 0, "unnamed", summary->unnamed,
			    "more servers and networks than are told apart");
}

/* --- JSON --- */

static void set_count(json_t *object, const char *key, __u64 count)
{
	json_object_set_new(object, key, json_integer((json_int_t)count));
}

static json_t *outcomes_json(const struct summary *summary, int midstream)
{
	json_t *object = json_object();

	for (int i = 0; i < FATE_COUNT; i++)
		set_count(object, fate_key(i), summary_fate(summary, i, midstream));
	return object;
}

static json_t *leg_json(const struct latency *latency)
{
	json_t *object = json_object(), *buckets = json_array();

	set_count(object, "samples", latency->samples);
	for (size_t i = 0; i < QUANTILES && latency->samples; i++)
		set_count(object, quantiles[i].key, latency_quantile_ns(latency, quantiles[i].q));
	for (__u32 i = 0; i < HISTOGRAM_BUCKETS; i++)
		if (latency->bucket[i])
			json_array_append_new(buckets, json_pack("[I, I]", (json_int_t)histogram_floor(i),
								 (json_int_t)latency->bucket[i]));
	json_object_set_new(object, "buckets", buckets);
	return object;
}

static json_t *talkers_json(const struct summary *summary, enum talker_kind kind, enum talker_order order)
{
	struct talker_row rows[TALKERS_SHOWN];
	size_t count = summary_talkers(summary, kind, order, rows, TALKERS_SHOWN);
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++) {
		const struct talker *sum = &rows[i].sum;
		char name[STORY_ENDPOINT_BYTES];
		json_t *object = json_object(), *failed = json_object();

		talker_name(name, sizeof(name), &rows[i].key);
		json_object_set_new(object, kind == TALKER_SOURCE ? "network" : "server", json_string(name));
		set_count(object, "attempts", sum->count[TALKER_ATTEMPTS]);
		set_count(object, "established", sum->count[TALKER_ESTABLISHED]);
		set_count(object, "reset", sum->count[TALKER_RESET]);
		set_count(object, "failed", talker_failed(sum));
		for (int k = 0; k < FAILURE_COUNT; k++)
			set_count(failed, ending_key(k), talker_failed_by(sum, k));
		set_count(failed, "pushed-out", talker_failed_by(sum, ENDING_COUNT));
		json_object_set_new(object, "failed_by", failed);
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *events_json(const struct summary *summary)
{
	json_t *object = json_object();

	for (int i = 0; i < TCP_EVENT_COUNT; i++)
		set_count(object, tcp_event_key(i), summary->tcp_event[i]);
	return object;
}

json_t *summary_json(const struct summary *summary, __u64 elapsed_ns)
{
	json_t *object = json_object(), *midstream = json_object(), *handshakes = json_object();

	json_object_set_new(object, "type", json_string("summary"));
	set_count(object, "elapsed_ns", elapsed_ns);
	set_count(object, "started", summary->connections.started);
	json_object_set_new(object, "outcomes", outcomes_json(summary, 0));
	set_count(object, "pushed_out", summary_open(summary));
	set_count(midstream, "seen", summary->connections.midstream);
	json_object_set_new(midstream, "outcomes", outcomes_json(summary, 1));
	set_count(midstream, "pushed_out", summary_midstream_open(summary));
	json_object_set_new(object, "midstream", midstream);
	json_object_set_new(object, "residue", json_integer(summary_residue(summary)));
	set_count(object, "evicted", summary->evicted);
	set_count(object, "no_room", summary->no_room);
	json_object_set_new(handshakes, "server_ns", leg_json(&summary->server));
	json_object_set_new(handshakes, "client_ns", leg_json(&summary->client));
	set_count(handshakes, "ambiguous", summary->ambiguous);
	json_object_set_new(object, "handshakes", handshakes);
	json_object_set_new(object, "events", events_json(summary));
	json_object_set_new(object, "failing_servers",
			    talkers_json(summary, TALKER_DESTINATION, TALKERS_BY_FAILED));
	json_object_set_new(object, "busiest_networks",
			    talkers_json(summary, TALKER_SOURCE, TALKERS_BY_ATTEMPTS));
	set_count(object, "unnamed", summary->unnamed);
	return object;
}

/* --- progress --- */

void summary_progress(struct summary_progress *progress, const struct summary *summary, __u64 elapsed_ns,
		      FILE *out)
{
	__u64 started = summary->connections.started, failed = 0;

	if (!isatty(fileno(out)))
		return;
	for (int i = 0; i < FAILURE_COUNT; i++)
		failed += summary_ending(summary, i, 0);
	fprintf(out,
		"\r%.0f s  %" PRIu64 " connections  %.1f/s  %" PRIu64 " established  %" PRIu64
		" failed\033[K",
		(double)elapsed_ns / (double)NS_PER_S, (uint64_t)started,
		per_second(started - progress->last_started, elapsed_ns - progress->last_ns),
		(uint64_t)summary->tcp_event[TCP_EVENT_INDEX_ESTABLISHED], (uint64_t)failed);
	fflush(out);
	*progress = (struct summary_progress){.last_ns = elapsed_ns, .last_started = started};
}

void summary_progress_end(FILE *out)
{
	if (isatty(fileno(out)))
		fputs("\r\033[K", out);
}

static void print_json(const struct summary *summary, __u64 elapsed_ns)
{
	json_t *object = summary_json(summary, elapsed_ns);

	json_dumpf(object, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(object);
}

int summary_report(const struct summary *summary, __u64 elapsed_ns, bool json)
{
	if (json)
		print_json(summary, elapsed_ns);
	else
		summary_print(summary, elapsed_ns, stdout);
	if (!summary_residue(summary))
		return EXIT_DONE;
	log_error(NULL, "the summary does not add up: %lld connections are not accounted for",
		  (long long)summary_residue(summary));
	return EXIT_LEDGER;
}
