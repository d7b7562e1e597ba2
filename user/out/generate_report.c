// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <unistd.h>

#include "out/generate_report.h"
#include "util/clock.h"
#include "util/terminal.h"

#define PERCENT 100.0

static const struct quantile {
	double fraction;
	const char *key;
} quantiles[] = {{0.5, "p50"}, {0.99, "p99"}, {0.999, "p99.9"}};

#define QUANTILES (sizeof(quantiles) / sizeof(quantiles[0]))

__s64 generate_residue(const struct generate_report *report)
{
	if (!report->sent.taken_known)
		return 0;
	return (__s64)(report->sent.made - report->sent.taken - report->sent.refused);
}

static double seconds(const struct generate_report *report)
{
	return (double)report->sent.elapsed_ns / NS_PER_S;
}

static double rate(const struct generate_report *report)
{
	return seconds(report) > 0 ? (double)report->sent.made / seconds(report) : 0;
}

/* What went out and did not come; never below 0: a repeated frame is counted as duplicate, not as one that came. */
static uint64_t lost(const struct generate_report *report)
{
	uint64_t taken = report->sent.taken_known ? report->sent.taken : report->sent.made;

	return taken > report->received.unique ? taken - report->received.unique : 0;
}

static void print_rate(double pps, FILE *out)
{
	if (pps >= 1e6)
		fprintf(out, "%.3f Mpps", pps / 1e6);
	else if (pps >= 1e3)
		fprintf(out, "%.2f kpps", pps / 1e3);
	else
		fprintf(out, "%.2f pps", pps);
}

static void print_time(double ns, FILE *out)
{
	if (isnan(ns))
		fputs("-", out);
	else if (ns < 1e3)
		fprintf(out, "%.0f ns", ns);
	else if (ns < 1e6)
		fprintf(out, "%.1f µs", ns / 1e3);
	else if (ns < 1e9)
		fprintf(out, "%.1f ms", ns / 1e6);
	else
		fprintf(out, "%.3f s", ns / 1e9);
}

static void print_count(FILE *out, const char *name, uint64_t count, const char *what, const char *style)
{
	const char *reset = terminal_style(out, STYLE_RESET);

	fprintf(out, "%-12s%s%12" PRIu64 "%s  %s\n", name, count ? style : "", count, count ? reset : "",
		what);
}

static void print_latency(const struct sink_report *received, FILE *out)
{
	fputs("latency     ", out);
	for (size_t i = 0; i < QUANTILES; i++) {
		fprintf(out, "%s%s ", i ? ", " : "", quantiles[i].key);
		print_time(sink_latency_ns(received, quantiles[i].fraction), out);
	}
	fprintf(out, " one way, of %" PRIu64 " frames that carried a time\n", (uint64_t)received->measured);
}

static void print_received(const struct generate_report *report, FILE *out)
{
	const struct sink_report *received = &report->received;
	const char *bad = terminal_style(out, STYLE_BAD), *plain = "";
	uint64_t missing = lost(report);

	print_count(out, "received", received->received, "frames at the sink", plain);
	fprintf(out, "%-12s%s%12" PRIu64 "%s  on the way: %.4f %% of those sent\n", "lost",
		missing ? bad : "", missing, missing ? terminal_style(out, STYLE_RESET) : "",
		report->sent.made ? PERCENT * missing / report->sent.made : 0.0);
	if (received->numbered) {
		print_count(out, "duplicates", received->duplicates, "came again", bad);
		print_count(out, "reordered", received->reordered, "came after a later one", bad);
	}
	if (received->stale)
		print_count(out, "stale", received->stale, "so late that they may be duplicates", bad);
	print_count(out, "others", received->others, "frames of other senders, left to the stack", plain);
	if (received->numbered)
		print_latency(received, out);
}

void generate_report_text(const struct generate_report *report, FILE *out)
{
	const struct generator_report *sent = &report->sent;

	fprintf(out, "%-12s%12" PRIu64 "  %s frames by %s on %s, in ", "sent", sent->made, report->kind,
		report->way, report->interface);
	print_time((double)sent->elapsed_ns, out);
	fputs(": ", out);
	print_rate(rate(report), out);
	fputc('\n', out);
	if (sent->taken_known)
		print_count(out, "refused", sent->refused, "not taken by the interface",
			    terminal_style(out, STYLE_BAD));
	if (report->sink)
		print_received(report, out);
}

static json_t *latency_json(const struct sink_report *received)
{
	json_t *latency = json_object();

	json_object_set_new(latency, "frames", json_integer((json_int_t)received->measured));
	for (size_t i = 0; i < QUANTILES; i++) {
		double ns = sink_latency_ns(received, quantiles[i].fraction);

		json_object_set_new(latency, quantiles[i].key, isnan(ns) ? json_null() : json_real(ns));
	}
	return latency;
}

static json_t *sink_json(const struct generate_report *report)
{
	const struct sink_report *received = &report->received;
	json_t *sink = json_pack("{s:s s:I s:I s:I s:I}", "interface", report->sink, "received",
				 (json_int_t)received->received, "bytes", (json_int_t)received->bytes, "lost",
				 (json_int_t)lost(report), "others", (json_int_t)received->others);
	json_t *numbered;

	if (!received->numbered)
		return sink;
	numbered = json_pack("{s:I s:I s:I s:o}", "duplicates", (json_int_t)received->duplicates, "reordered",
			     (json_int_t)received->reordered, "stale", (json_int_t)received->stale,
			     "latency_ns", latency_json(received));
	json_object_update_missing(sink, numbered);
	json_decref(numbered);
	return sink;
}

void generate_report_json(const struct generate_report *report, FILE *out)
{
	const struct generator_report *sent = &report->sent;
	json_t *object = json_pack("{s:s s:s s:s s:s s:I s:f s:f}", "event", "generated", "kind",
				   report->kind, "way", report->way, "interface", report->interface, "sent",
				   (json_int_t)sent->made, "seconds", seconds(report), "pps", rate(report));

	if (report->rate_pps > 0)
		json_object_set_new(object, "wanted_pps", json_real(report->rate_pps));
	if (sent->taken_known) {
		json_object_set_new(object, "taken", json_integer((json_int_t)sent->taken));
		json_object_set_new(object, "refused", json_integer((json_int_t)sent->refused));
	}
	if (report->sink)
		json_object_set_new(object, "sink", sink_json(report));
	json_dumpf(object, out, JSON_COMPACT);
	fputc('\n', out);
	json_decref(object);
}

void generate_progress(const struct generate_report *report, FILE *out)
{
	if (!isatty(fileno(out)))
		return;
	fprintf(out, "\r%.0f s  %" PRIu64 " frames  ", seconds(report), report->sent.made);
	print_rate(rate(report), out);
	fputs("\033[K", out);
	fflush(out);
}

void generate_progress_end(FILE *out)
{
	if (isatty(fileno(out)))
		fputs("\r\033[K", out);
}
