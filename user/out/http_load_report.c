// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <string.h>

#include "out/http_load_report.h"
#include "out/story.h"
#include "util/clock.h"
#include "util/terminal.h"

#define LABEL_WIDTH    20
#define COUNT_WIDTH    12
#define DURATION_BYTES 16

#define STATUS_KEY(name, key)              [HTTP_LOAD_##name] = key,
#define TIME_KEY(name, key, label, text)   [HTTP_LOAD_##name] = key,
#define TIME_LABEL(name, key, label, text) [HTTP_LOAD_##name] = label,
#define TIME_TEXT(name, key, label, text)  [HTTP_LOAD_##name] = text,

static const char *const status_keys[] = {HTTP_LOAD_STATUSES(STATUS_KEY)};
static const char *const time_keys[] = {HTTP_LOAD_TIMES(TIME_KEY)};
static const char *const time_labels[] = {HTTP_LOAD_TIMES(TIME_LABEL)};
static const char *const time_texts[] = {HTTP_LOAD_TIMES(TIME_TEXT)};

static const struct {
	double q;
	const char *key;
	const char *label;
} quantiles[] = {{0.5, "p50", "p50"}, {0.99, "p99", "p99"}, {0.999, "p999", "p99.9"}, {1, "max", "max"}};

#define QUANTILES (sizeof(quantiles) / sizeof(quantiles[0]))

static bool is_failure(int end)
{
	return end != EXCHANGE_COMPLETE && end != EXCHANGE_INTERRUPTED;
}

uint64_t http_load_failed(const struct http_load_report *report)
{
	uint64_t failed = 0;

	for (int i = 0; i < EXCHANGE_END_COUNT; i++)
		failed += is_failure(i) ? report->ended[i] : 0;
	return failed;
}

double http_load_completed_per_s(const struct http_load_report *report)
{
	if (!report->elapsed_ns)
		return 0;
	return (double)report->ended[EXCHANGE_COMPLETE] * (double)NS_PER_S / (double)report->elapsed_ns;
}

int64_t http_load_residue(const struct http_load_report *report)
{
	return (int64_t)(report->started - report->open - report->ended[EXCHANGE_COMPLETE] -
			 report->ended[EXCHANGE_INTERRUPTED] - http_load_failed(report));
}

/* --- text --- */

static void print_count(FILE *out, int indent, const char *label, uint64_t count, const char *text)
{
	fprintf(out, "  %*s%-*s %*" PRIu64 "  %s%s%s\n", indent, "", LABEL_WIDTH - indent, label, COUNT_WIDTH,
		count, terminal_style(out, STYLE_DIM), text, terminal_style(out, STYLE_RESET));
}

/* Only what there is of it. */
static void print_some(FILE *out, int indent, const char *label, uint64_t count, const char *text)
{
	if (count)
		print_count(out, indent, label, count, text);
}

static void print_heading(const struct http_load_report *report, FILE *out)
{
	char elapsed[DURATION_BYTES];

	story_duration(elapsed, sizeof(elapsed), report->elapsed_ns);
	fprintf(out, "%sHTTP to %s%s by %s, XDP in %s mode; %u connection%s, %s\n",
		terminal_style(out, STYLE_BOLD), report->target, terminal_style(out, STYLE_RESET),
		report->ifname, report->native ? "native" : "generic", report->connections,
		report->connections == 1 ? "" : "s", elapsed);
}

static void print_exchanges(const struct http_load_report *report, FILE *out)
{
	int64_t residue = http_load_residue(report);
	char rate[64];

	print_count(out, 0, "started", report->started, "exchanges, each from SYN to FIN");
	snprintf(rate, sizeof(rate), "%.1f a second", http_load_completed_per_s(report));
	print_count(out, 0, "completed", report->ended[EXCHANGE_COMPLETE], rate);
	for (int i = 0; i < HTTP_LOAD_STATUS_COUNT; i++)
		print_some(out, 2, status_keys[i], report->status[i], "");
	print_count(out, 0, "failed", http_load_failed(report), "");
	for (int i = 0; i < EXCHANGE_END_COUNT; i++)
		print_some(out, 2, exchange_end_key(i), is_failure(i) ? report->ended[i] : 0,
			   exchange_end_text(i));
	print_some(out, 0, "interrupted", report->ended[EXCHANGE_INTERRUPTED], "reset by us at the end");
	print_some(out, 0, "open", report->open, "");
	fprintf(out, "  %s%-*s %*" PRId64 "%s  started - completed - failed - interrupted\n",
		terminal_style(out, residue ? STYLE_BAD : STYLE_GOOD), LABEL_WIDTH, "residue", COUNT_WIDTH,
		residue, terminal_style(out, STYLE_RESET));
	print_some(out, 0, "late", report->late, "started after they were due: no connection was free");
	print_some(out, 0, "missed", report->missed, "due and never started: no connection was free");
}

static void print_traffic(const struct http_load_report *report, FILE *out)
{
	print_count(out, 0, "bytes", report->body_bytes, "of bodies, received");
	print_count(out, 0, "frames sent", report->frames_sent, "");
	print_some(out, 2, "retransmitted", report->tcp.retransmitted, "no acknowledgment in time");
	print_count(out, 0, "frames received", report->frames_received, "");
	print_some(out, 2, "out of order", report->tcp.out_of_order, "kept until the gap was filled");
	print_some(out, 2, "duplicate", report->tcp.duplicates, "");
	print_some(out, 2, "ignored", report->tcp.ignored, "unacceptable to the connection (RFC 9293)");
	print_some(out, 2, "stray", report->frames_stray, "for a connection that was over");
	print_some(out, 0, "frames dropped", report->frames_dropped, "the AF_XDP sockets had no room");
}

static void print_latencies(const struct http_load_report *report, FILE *out)
{
	char duration[DURATION_BYTES];

	fprintf(out, "  %-*s", LABEL_WIDTH, "");
	for (size_t i = 0; i < QUANTILES; i++)
		fprintf(out, " %*s", COUNT_WIDTH, quantiles[i].label);
	fputc('\n', out);
	for (int i = 0; i < HTTP_LOAD_TIME_COUNT; i++) {
		const struct latency *latency = &report->latency[i];

		if (!latency->samples)
			continue;
		fprintf(out, "  %-*s", LABEL_WIDTH, time_labels[i]);
		for (size_t k = 0; k < QUANTILES; k++) {
			story_duration(duration, sizeof(duration),
				       latency_quantile_ns(latency, quantiles[k].q));
			/* µ is one column and two bytes */
			fprintf(out, " %*s", COUNT_WIDTH + (strstr(duration, "µ") != NULL), duration);
		}
		fprintf(out, "  %s%s%s\n", terminal_style(out, STYLE_DIM), time_texts[i],
			terminal_style(out, STYLE_RESET));
	}
}

void http_load_report_print(const struct http_load_report *report, FILE *out)
{
	print_heading(report, out);
	print_exchanges(report, out);
	print_traffic(report, out);
	print_latencies(report, out);
}

/* --- JSON --- */

static void set_count(json_t *object, const char *key, uint64_t count)
{
	json_object_set_new(object, key, json_integer((json_int_t)count));
}

static json_t *failed_json(const struct http_load_report *report)
{
	json_t *object = json_object();

	for (int i = 0; i < EXCHANGE_END_COUNT; i++)
		if (is_failure(i))
			set_count(object, exchange_end_key(i), report->ended[i]);
	return object;
}

static json_t *status_json(const struct http_load_report *report)
{
	json_t *object = json_object();

	for (int i = 0; i < HTTP_LOAD_STATUS_COUNT; i++)
		set_count(object, status_keys[i], report->status[i]);
	return object;
}

static json_t *frames_json(const struct http_load_report *report)
{
	json_t *object = json_object();

	set_count(object, "sent", report->frames_sent);
	set_count(object, "received", report->frames_received);
	set_count(object, "stray", report->frames_stray);
	set_count(object, "dropped", report->frames_dropped);
	set_count(object, "retransmitted", report->tcp.retransmitted);
	set_count(object, "out_of_order", report->tcp.out_of_order);
	set_count(object, "duplicates", report->tcp.duplicates);
	set_count(object, "ignored", report->tcp.ignored);
	return object;
}

static json_t *latencies_json(const struct http_load_report *report)
{
	json_t *object = json_object();

	for (int i = 0; i < HTTP_LOAD_TIME_COUNT; i++) {
		const struct latency *latency = &report->latency[i];
		json_t *one = json_object();

		if (latency->samples)
			for (size_t k = 0; k < QUANTILES; k++)
				set_count(one, quantiles[k].key,
					  latency_quantile_ns(latency, quantiles[k].q));
		set_count(one, "samples", latency->samples);
		json_object_set_new(object, time_keys[i], one);
	}
	return object;
}

json_t *http_load_report_json(const struct http_load_report *report)
{
	json_t *object =
		json_pack("{s:s, s:s, s:s, s:s, s:I, s:f, s:f}", "kind", "http", "interface", report->ifname,
			  "mode", report->native ? "native" : "generic", "to", report->target, "connections",
			  (json_int_t)report->connections, "rate_per_s", report->rate_per_s,
			  "completed_per_s", http_load_completed_per_s(report));

	if (!object)
		return NULL;
	set_count(object, "elapsed_ns", report->elapsed_ns);
	set_count(object, "started", report->started);
	set_count(object, "completed", report->ended[EXCHANGE_COMPLETE]);
	json_object_set_new(object, "status", status_json(report));
	json_object_set_new(object, "failed", failed_json(report));
	set_count(object, "interrupted", report->ended[EXCHANGE_INTERRUPTED]);
	set_count(object, "open", report->open);
	json_object_set_new(object, "residue", json_integer(http_load_residue(report)));
	set_count(object, "late", report->late);
	set_count(object, "missed", report->missed);
	set_count(object, "bytes", report->body_bytes);
	json_object_set_new(object, "frames", frames_json(report));
	json_object_set_new(object, "latency_ns", latencies_json(report));
	return object;
}
