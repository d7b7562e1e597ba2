// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <string.h>

#include "datapath/ledger.h"
#include "util/names.h"
#include "util/terminal.h"

#define AFTER_OF(name, of, key, text) [AFTER_##name] = VERDICT_##of,
static const enum verdict after_of[AFTER_COUNT] = {XL_AFTER_REDIRECT(AFTER_OF)};

static void add(struct port_counters *total, const struct port_counters *port)
{
	for (size_t i = 0; i < sizeof(*total) / sizeof(__u64); i++)
		((__u64 *)total)[i] += ((const __u64 *)port)[i];
}

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
	ledger->native = true;
	for (int i = 0; i < datapath_port_count(dp); i++) {
		int err = datapath_counters(dp, i, &port);

		if (err)
			return err;
		add(&ledger->total, &port);
		ledger->native &= datapath_port(dp, i)->native;
	}
	classify(ledger);
	return 0;
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

/* The verdict "forward" is ours; what the driver took is the kernel's own count of the same frames. */
__s64 ledger_redirect_residue(const struct ledger *ledger)
{
	if (!ledger->sees_xmit || !ledger->native)
		return 0;
	return (__s64)(ledger->class[CLASS_FORWARDED] - ledger->total.xmit_sent);
}

bool ledger_closes(const struct ledger *ledger)
{
	return !ledger_frame_residue(ledger) && !ledger_event_residue(ledger) && !ledger_redirect_residue(ledger);
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
			print_row(out, 2, after_redirect_key(i), ledger->total.after[i], after_redirect_text(i));
		if (ledger->total.after[i] && class == verdict_class(after_of[i]))
			print_row(out, 2, "of these, dropped", ledger->total.after[i], after_redirect_text(i));
	}
}

static void print_residue(FILE *out, __s64 residue, const char *text)
{
	const char *style = terminal_style(out, residue ? STYLE_BAD : STYLE_GOOD);

	fprintf(out, "  %s%-22s %12" PRId64 "%s  %s\n", style, "residue", (int64_t)residue,
		terminal_style(out, STYLE_RESET), text);
}

void ledger_print(const struct ledger *ledger, FILE *out)
{
	fprintf(out, "%sledger%s\n", terminal_style(out, STYLE_BOLD), terminal_style(out, STYLE_RESET));
	print_row(out, 0, "seen", ledger->total.seen, "frames at XDP, on all interfaces");
	for (int i = 0; i < CLASS_COUNT; i++)
		print_class(ledger, out, i);
	print_residue(out, ledger_frame_residue(ledger), "seen - forwarded - steered - passed - dropped");
	if (ledger->class[CLASS_FORWARDED] && ledger->sees_xmit && ledger->native)
		print_residue(out, ledger_redirect_residue(ledger),
			      "forwarded - frames that the egress drivers took (tracepoint xdp_devmap_xmit)");
	if (ledger->total.egress)
		print_row(out, 0, "seen at tc egress", ledger->total.egress, "frames that the stack sent; all pass");
	for (int i = MALFORMED_NONE + 1; i < MALFORMED_COUNT; i++)
		if (ledger->total.malformed[i])
			print_row(out, 0, malformed_key(i), ledger->total.malformed[i], malformed_text(i));
	print_row(out, 0, "events", ledger->total.event[EVENT_EMITTED] + ledger->lost, "");
	print_row(out, 2, "delivered", ledger->delivered, "");
	for (int i = EVENT_EMITTED + 1; i < EVENT_OUTCOME_COUNT; i++)
		if (ledger->total.event[i])
			print_row(out, 2, event_outcome_key(i), ledger->total.event[i], event_outcome_text(i));
	print_residue(out, ledger_event_residue(ledger), "events - delivered - lost");
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

json_t *ledger_json(const struct ledger *ledger)
{
	json_t *object = json_object(), *frames = json_object(), *events = json_object(), *malformed = json_object();

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
	for (int i = MALFORMED_NONE + 1; i < MALFORMED_COUNT; i++)
		set_count(malformed, malformed_key(i), ledger->total.malformed[i]);
	set_count(events, "emitted", ledger->total.event[EVENT_EMITTED]);
	set_count(events, "delivered", ledger->delivered);
	for (int i = EVENT_EMITTED + 1; i < EVENT_OUTCOME_COUNT; i++)
		set_count(events, event_outcome_key(i), ledger->total.event[i]);
	json_object_set_new(events, "residue", json_integer(ledger_event_residue(ledger)));
	json_object_set_new(object, "type", json_string("ledger"));
	json_object_set_new(object, "frames", frames);
	json_object_set_new(object, "malformed", malformed);
	json_object_set_new(object, "events", events);
	json_object_set_new(object, "closes", json_boolean(ledger_closes(ledger)));
	return object;
}
