// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rows that prove the engine, through the engine in userspace: the step at its time, the frame at an exact size; and as
 * frames of a capture file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../rows/all.h"
#include "../rows/build.h"
#include "../rows/engine.h"
#include "observer/offline.h"
#include "util/clock.h"
#include "util/names.h"

#define FIRST_PORT 40000

/* One run of one row. */
struct run {
	const struct row *row;
	struct build_ends ends;
	bool fast;
};

static void events_text(char *text, size_t bytes, uint32_t events)
{
	size_t used = 0;

	snprintf(text, bytes, "nothing");
	for (int i = 0; i < TCP_EVENT_COUNT; i++)
		if (events & 1u << i)
			used += snprintf(text + used, bytes - used, "%s%s", used ? "+" : "",
					 tcp_event_key(i));
}

static void expect_step(const struct run *run, const struct row_step *step, const struct engine_result *got)
{
	char should[256], is[256];

	events_text(should, sizeof(should), step->events);
	events_text(is, sizeof(is), got->events);
	if (step->events != got->events)
		fail_msg("%s: at %d ms \"%s\" should cause %s, and causes %s", run->row->name, step->ms,
			 step->line, should, is);
	if (step->observed != got->observed || step->malformed != packet_malformed(&got->pkt))
		fail_msg("%s: at %d ms \"%s\" should be %s (%s), and is %s (%s)", run->row->name, step->ms,
			 step->line, observed_key(step->observed), malformed_key(step->malformed),
			 observed_key(got->observed), malformed_key(packet_malformed(&got->pkt)));
}

/* The sanitizers see a read beyond the end of it. */
static struct engine_result run_step(struct engine *engine, const struct run *run,
				     const struct row_step *step)
{
	struct engine_result result;
	struct built frame;
	uint8_t *exact;

	build_frame(&frame, step->line, &run->ends);
	exact = malloc(frame.bytes);
	assert_non_null(exact);
	memcpy(exact, frame.byte, frame.bytes);
	if (row_is_again(step))
		result = engine_again(engine, exact, frame.bytes);
	else
		result = engine_frame(engine, exact, frame.bytes, frame.bytes, (step->ms + 1) * NS_PER_MS);
	free(exact);
	return result;
}

static void run_row(const struct run *run)
{
	struct engine engine = {.fast = run->fast};
	struct row_state state = {};

	for (const struct row_step *step = run->row->step; step->line; step++) {
		struct engine_result got = run_step(&engine, run, step);

		expect_step(run, step, &got);
		state.pkt = got.pkt;
		state.tunnel = got.tunnel;
		if (got.track)
			state.track = *got.track;
	}
	if (!known_all(run->row->end, &state, run->ends.swapped, true))
		fail_msg("%s: not as expected at the end", run->row->name);
	if (engine.connections != row_connections(run->row))
		fail_msg("%s: %d connections", run->row->name, engine.connections);
}

/* --- as a capture file is read --- */

static int note_event(void *context, const struct trace_event *event, const __u8 *bytes)
{
	(void)bytes;
	if (event->hook !=
	    HOOK_NONE) /* what becomes of it at the end of the file is not the rows' business */
		*(struct trace_event *)context = *event;
	return 0;
}

/* The events, and the connection that they name, are those of the engine alone. */
static void read_step(struct offline *offline, const struct trace_event *told, struct engine *engine,
		      const struct run *run, const struct row_step *step)
{
	struct engine_result got = run_step(engine, run, step), is;
	struct built built;

	build_frame(&built, step->line, &run->ends);
	assert_int_equal(offline_frame(offline,
				       &(struct offline_frame){
					       .data = built.byte,
					       .captured_bytes = built.bytes,
					       .wire_bytes = built.bytes,
					       .time_ns = (step->ms + 1) * NS_PER_MS,
					       .link = LINK_ETHERNET,
					       .second_hook = row_is_again(step),
				       }),
			 0);
	is = (struct engine_result){.observed = told->observed, .events = told->tcp_events, .pkt = told->pkt};
	expect_step(run, step, &is);
	assert_memory_equal(&told->pkt, &got.pkt, sizeof(got.pkt));
	assert_memory_equal(&told->tunnel, &got.tunnel, sizeof(got.tunnel));
	if (step->observed == OBSERVED_TRACKED)
		assert_memory_equal(&told->conn, got.track, sizeof(*got.track));
}

static void read_row(const struct row *row)
{
	struct run run = {.row = row, .ends.port = FIRST_PORT, .fast = true};
	struct trace_event told = {};
	struct offline_options options = {.packets = true,
					  .max_open = 8,
					  .max_half_open = 8,
					  .handler = note_event,
					  .context = &told};
	struct offline *offline = offline_new(&options);
	struct engine engine = {.fast = true};

	assert_non_null(offline);
	assert_int_equal(offline_interfaces(offline, 1), 0);
	for (const struct row_step *step = row->step; step->line; step++)
		read_step(offline, &told, &engine, &run, step);
	assert_int_equal(offline_total(offline).opened, row_connections(row));
	assert_int_equal(offline_end(offline), 0);
	offline_free(offline);
}

/* Whoever the client is, and with the short way for plain segments in front as without. */
static void test_row(void **state)
{
	const struct row *row = *state;

	for (int swapped = 0; swapped < 2; swapped++)
		for (int fast = 0; fast < 2; fast++)
			run_row(&(struct run){row, {swapped && !row_is_literal(row), FIRST_PORT}, fast});
	read_row(row);
}

int main(void)
{
	static struct CMUnitTest tests[ROWS_MAX];
	size_t count = 0;

	for (const struct row *row; (row = row_number(count)) && count < ROWS_MAX; count++)
		tests[count] = (struct CMUnitTest){row->name, test_row, NULL, NULL, (void *)row};
	return _cmocka_run_group_tests("rows", tests, count, NULL, NULL);
}
