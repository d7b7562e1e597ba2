// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <string.h>

#include "datapath/ledger.h"
#include "util/names.h"
#include "util/terminal.h"

#define AFTER_OF(name, of, key, text) [AFTER_##name] = VERDICT_##of,
static const enum verdict after_of[AFTER_COUNT] = {XL_AFTER_REDIRECT(AFTER_OF)};

static void classify(struct ledger *ledger)
{
	for (int i = 0; i < VERDICT_COUNT; i++)
		ledger->class[verdict_class(i)] += ledger->total.verdict[i];
	for (int i = 0; i < AFTER_COUNT; i++) {
		ledger->class[verdict_class(after_of[i])] -= ledger->total.after[i];
		ledger->class[CLASS_DROPPED] += ledger->total.after[i];
	}
	for (int i = EVENT_EMITTED + 1; i < EVENT_OUTCOME_COUNT; i++)
		ledger->lost += ledger->total.event[i];
}

int ledger_read(struct ledger *ledger, const struct datapath *dp, __u64 delivered)
{
	struct port_counters port;

	memset(ledger, 0, sizeof(*ledger));
	ledger->delivered = delivered;
	ledger->sees_xmit = datapath_sees_xmit(dp);
	ledger->live = ledger->native = true;
	for (int i = 0; i < datapath_port_count(dp); i++) {
		int err = datapath_counters(dp, i, &port);

		if (err)
			return err;
		port_counters_add(&ledger->total, &port);
		ledger->native &= datapath_port(dp, i)->native;
	}
	classify(ledger);
	return 0;
}

void ledger_of_file(struct ledger *ledger, const struct port_counters *total, __u64 delivered)
{
	*ledger = (struct ledger){.total = *total, .delivered = delivered};
}

__s64 ledger_frame_residue(const struct ledger *ledger)
{
	__u64 sum = 0;

	for (int i = 0; i < CLASS_COUNT; i++)
		sum += ledger->class[i];
	return (__s64)(ledger->total.seen - sum);
}

__s64 ledger_event_residue(const struct ledger *ledger)
{
	return (__s64)(ledger->total.event[EVENT_EMITTED] - ledger->delivered);
}

static bool observes(const struct ledger *ledger)
{
	for (int i = 0; i < OBSERVED_COUNT; i++)
		if (ledger->total.observed[i])
			return true;
	return false;
}

__s64 ledger_observed_residue(const struct ledger *ledger)
{
	__u64 sum = 0;

	for (int i = 0; i < OBSERVED_COUNT; i++)
		sum += ledger->total.observed[i];
	return observes(ledger) ? (__s64)(ledger->total.seen + ledger->total.egress - sum) : 0;
}

/* The verdict "forward" is ours; what the driver took is the kernel's own count of the same frames. */
__s64 ledger_redirect_residue(const struct ledger *ledger)
{
	if (!ledger->sees_xmit || !ledger->native)
		return 0;
	return (__s64)(ledger->class[CLASS_FORWARDED] - ledger->total.xmit_sent);
}

bool ledger_closes(const struct ledger *ledger)
{
	if (ledger_observed_residue(ledger))
		return false;
	return !ledger->live || (!ledger_frame_residue(ledger) && !ledger_event_residue(ledger) &&
				 !ledger_redirect_residue(ledger));
}

static void print_row(FILE *out, int indent, const char *name, __u64 count, const char *text)
{
	fprintf(out, "  %*s%-*s %12" PRIu64 "  %s%s%s\n", indent, "", 22 - indent, name, (uint64_t)count,
		terminal_style(out, STYLE_DIM), text, terminal_style(out, STYLE_RESET));
}

static void print_class(const struct ledger *ledger, FILE *out, enum verdict_class class)
{
	print_row(out, 0, verdict_class_key(class), ledger->class[class], "");
	for (int i = 0; i < VERDICT_COUNT; i++)
		if (verdict_class(i) == class && ledger->total.verdict[i])
			print_row(out, 2, verdict_key(i), ledger->total.verdict[i], verdict_text(i));
	for (int i = 0; i < AFTER_COUNT; i++) {
		if (ledger->total.after[i] && class == CLASS_DROPPED)
			print_row(out, 2, after_redirect_key(i), ledger->total.after[i],
				  after_redirect_text(i));
		if (ledger->total.after[i] && class == verdict_class(after_of[i]))
			print_row(out, 2, "of these, dropped", ledger->total.after[i],
				  after_redirect_text(i));
	}
}

static void print_residue(FILE *out, __s64 residue, const char *text)
{
	const char *style = terminal_style(out, residue ? STYLE_BAD : STYLE_GOOD);

	fprintf(out, "  %s%-22s %12" PRId64 "%s  %s\n", style, "residue", (int64_t)residue,
		terminal_style(out, STYLE_RESET), text);
}

static void print_frames(const struct ledger *ledger, FILE *out)
{
	print_row(out, 0, "seen", ledger->total.seen, "frames at XDP, on all interfaces");
	for (int i = 0; i < CLASS_COUNT; i++)
		print_class(ledger, out, i);
	print_residue(out, ledger_frame_residue(ledger), "seen - forwarded - steered - passed - dropped");
	if (ledger->class[CLASS_FORWARDED] && ledger->sees_xmit && ledger->native)
		print_residue(out, ledger_redirect_residue(ledger),
			      "forwarded - frames that the egress drivers took (tracepoint xdp_devmap_xmit)");
	if (ledger->total.egress)
		print_row(out, 0, "seen at tc egress", ledger->total.egress,
			  "frames that the stack sent; all pass");
}

static void print_malformed(const struct ledger *ledger, FILE *out)
{
	for (int i = MALFORMED_NONE + 1; i < MALFORMED_COUNT; i++)
		if (ledger->total.malformed[i])
			print_row(out, 2, malformed_key(i), ledger->total.malformed[i], malformed_text(i));
}

static void print_observed(const struct ledger *ledger, FILE *out)
{
	const struct port_counters *total = &ledger->total;

	print_row(out, 0, "observed", total->seen + total->egress,
		  ledger->live ? "frames at both hooks" : "frames in the file");
	for (int i = 0; i < OBSERVED_COUNT; i++)
		if (total->observed[i])
			print_row(out, 2, observed_key(i), total->observed[i], observed_text(i));
	print_residue(out, ledger_observed_residue(ledger), "observed - tracked - all that was not");
	if (total->opened)
		print_row(out, 0, "connections", total->opened, "first heard of");
	if (total->evicted)
		print_row(out, 2, "evicted", total->evicted, "half-open, pushed out by newer ones");
}

static void print_events(const struct ledger *ledger, FILE *out)
{
	print_row(out, 0, "events", ledger->total.event[EVENT_EMITTED] + ledger->lost, "");
	print_row(out, 2, "delivered", ledger->delivered, "");
	for (int i = EVENT_EMITTED + 1; i < EVENT_OUTCOME_COUNT; i++)
		if (ledger->total.event[i])
			print_row(out, 2, event_outcome_key(i), ledger->total.event[i],
				  event_outcome_text(i));
	print_residue(out, ledger_event_residue(ledger), "events - delivered - lost");
}

void ledger_print(const struct ledger *ledger, FILE *out)
{
	fprintf(out, "%sledger%s\n", terminal_style(out, STYLE_BOLD), terminal_style(out, STYLE_RESET));
	if (ledger->live)
		print_frames(ledger, out);
	print_malformed(ledger, out);
	if (observes(ledger) || !ledger->live)
		print_observed(ledger, out);
	if (ledger->live)
		print_events(ledger, out);
	else
		print_row(out, 0, "events", ledger->delivered, "");
}

static void set_count(json_t *object, const char *key, __u64 count)
{
	json_object_set_new(object, key, json_integer((json_int_t)count));
}

static json_t *class_json(const struct ledger *ledger, enum verdict_class class)
{
	json_t *reasons = json_object();

	for (int i = 0; i < VERDICT_COUNT; i++)
		if (verdict_class(i) == class)
			set_count(reasons, verdict_key(i), ledger->total.verdict[i]);
	for (int i = 0; i < AFTER_COUNT && class == CLASS_DROPPED; i++)
		set_count(reasons, after_redirect_key(i), ledger->total.after[i]);
	return reasons;
}

static json_t *frames_json(const struct ledger *ledger)
{
	json_t *frames = json_object();

	set_count(frames, "seen", ledger->total.seen);
	set_count(frames, "seen_bytes", ledger->total.seen_bytes);
	for (int i = 0; i < CLASS_COUNT; i++)
		set_count(frames, verdict_class_key(i), ledger->class[i]);
	json_object_set_new(frames, "passed_by_reason", class_json(ledger, CLASS_PASSED));
	json_object_set_new(frames, "dropped_by_reason", class_json(ledger, CLASS_DROPPED));
	json_object_set_new(frames, "residue", json_integer(ledger_frame_residue(ledger)));
	set_count(frames, "sent_by_driver", ledger->total.xmit_sent);
	json_object_set_new(frames, "redirect_residue", json_integer(ledger_redirect_residue(ledger)));
	set_count(frames, "egress_seen", ledger->total.egress);
	return frames;
}

static json_t *observed_json(const struct ledger *ledger)
{
	const struct port_counters *total = &ledger->total;
	json_t *observed = json_object();

	set_count(observed, "seen", total->seen + total->egress);
	for (int i = 0; i < OBSERVED_COUNT; i++)
		set_count(observed, observed_key(i), total->observed[i]);
	json_object_set_new(observed, "residue", json_integer(ledger_observed_residue(ledger)));
	set_count(observed, "connections", total->opened);
	set_count(observed, "evicted", total->evicted);
	return observed;
}

static json_t *events_json(const struct ledger *ledger)
{
	json_t *events = json_object();

	if (ledger->live)
		set_count(events, "emitted", ledger->total.event[EVENT_EMITTED]);
	set_count(events, "delivered", ledger->delivered);
	if (!ledger->live)
		return events;
	for (int i = EVENT_EMITTED + 1; i < EVENT_OUTCOME_COUNT; i++)
		set_count(events, event_outcome_key(i), ledger->total.event[i]);
	json_object_set_new(events, "residue", json_integer(ledger_event_residue(ledger)));
	return events;
}

json_t *ledger_json(const struct ledger *ledger)
{
	json_t *object = json_object(), *malformed = json_object();

	json_object_set_new(object, "type", json_string("ledger"));
	if (ledger->live)
		json_object_set_new(object, "frames", frames_json(ledger));
	for (int i = MALFORMED_NONE + 1; i < MALFORMED_COUNT; i++)
		set_count(malformed, malformed_key(i), ledger->total.malformed[i]);
	json_object_set_new(object, "malformed", malformed);
	json_object_set_new(object, "observed", observed_json(ledger));
	json_object_set_new(object, "events", events_json(ledger));
	json_object_set_new(object, "closes", json_boolean(ledger_closes(ledger)));
	return object;
}

void ledger_show(const struct ledger *ledger, bool json)
{
	if (json) {
		json_t *object = ledger_json(ledger);

		json_dumpf(object, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(object);
	} else {
		putchar('\n');
		ledger_print(ledger, stdout);
	}
	fflush(stdout);
}
