// SPDX-License-Identifier: GPL-2.0-only
/* The rows of --top: what their cells say, in which order they come, what a filter leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "out/top_table.h"
#include "util/clock.h"

#define NOW_NS (1000 * NS_PER_S)

static struct top_view view;

/* 10.0.0.9:40000 opens to 10.0.0.1:@port, which is the first end of the key. */
static struct connection row_of(__u16 port, __u8 phase)
{
	struct connection row = {
		.key = {.ip_version = 4, .ip_proto = IPPROTO_TCP, .port = {TO_BE16(port), TO_BE16(40000)}},
		.track = {.phase = phase, .client = 1, .closer = TCP_END_UNKNOWN, .last_ns = NOW_NS},
	};

	row.key.addr[0].v4 = TO_BE32(0x0a000001);
	row.key.addr[1].v4 = TO_BE32(0x0a000009);
	return row;
}

static int begin(void **state)
{
	(void)state;
	view = (struct top_view){.sort = TOP_IDLE, .now_ns = NOW_NS, .unicode = true};
	return 0;
}

static void expect_cell(const struct connection *row, enum top_column column, const char *text)
{
	char cell[TOP_CELL_BYTES];

	top_cell(cell, row, column, &view);
	assert_string_equal(cell, text);
}

static void cells(void **state)
{
	struct connection row = row_of(80, TCP_PHASE_ESTABLISHED);
	struct tcp_side *server = &row.track.side[0], *client = &row.track.side[1];

	(void)state;
	row.track.syn_last_ns = NOW_NS - 10 * NS_PER_MS;
	row.track.synack_first_ns = NOW_NS - 8 * NS_PER_MS;
	row.track.synack_last_ns = NOW_NS - 7 * NS_PER_MS;
	row.track.established_ns = NOW_NS - 6500 * NS_PER_US;
	row.track.last_ns = NOW_NS - 2 * NS_PER_S;
	client->rtt.samples = 1;
	client->rtt.smoothed_us = 250;
	client->retransmits = 2;
	client->bytes = 999;
	server->duplicates = 3;
	server->bytes = 12345678;
	expect_cell(&row, TOP_CLIENT, "10.0.0.9:40000");
	expect_cell(&row, TOP_SERVER, "10.0.0.1:80");
	expect_cell(&row, TOP_STATE, "open");
	expect_cell(&row, TOP_SERVER_LEG, "2.000 ms");
	expect_cell(&row, TOP_CLIENT_LEG, "500.0 µs");
	expect_cell(&row, TOP_RTT_SERVER, "250.0 µs");
	expect_cell(&row, TOP_RTT_CLIENT, "-");
	expect_cell(&row, TOP_AGAIN, "5");
	expect_cell(&row, TOP_TO_SERVER, "999 B");
	expect_cell(&row, TOP_TO_CLIENT, "12.3 MB");
	expect_cell(&row, TOP_IDLE, "2.000 s");
	view.unicode = false;
	expect_cell(&row, TOP_CLIENT_LEG, "500.0 us");
}

static void bytes_in_units(void **state)
{
	static const struct {
		__u64 bytes;
		const char *text;
	} cases[] = {{0, "0 B"},         {999, "999 B"},         {1000, "1.0 kB"},
		     {99949, "99.9 kB"}, {99951, "100 kB"},      {999499, "999 kB"},
		     {999500, "1.0 MB"}, {1500000000, "1.5 GB"}, {~0ull, "18.4 EB"}};
	struct connection row = row_of(80, TCP_PHASE_ESTABLISHED);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		row.track.side[1].bytes = cases[i].bytes;
		expect_cell(&row, TOP_TO_SERVER, cases[i].text);
	}
}

static void states(void **state)
{
	struct connection row = row_of(80, TCP_PHASE_OPENING);

	(void)state;
	expect_cell(&row, TOP_STATE, "syn sent");
	assert_false(top_is_failure(&row));
	row.track.flags = TCP_TRACK_UNREACHABLE;
	expect_cell(&row, TOP_STATE, "unreachable");
	assert_true(top_is_failure(&row));
	row = row_of(80, TCP_PHASE_RESET);
	row.track.reset_phase = TCP_PHASE_OPENING;
	row.track.closer = 0;
	expect_cell(&row, TOP_STATE, "refused");
	row.track.closer = 1; /* the client itself */
	expect_cell(&row, TOP_STATE, "reset");
	row.track.reset_phase = TCP_PHASE_ESTABLISHED;
	row.track.closer = 0;
	expect_cell(&row, TOP_STATE, "reset");
	assert_true(top_is_failure(&row));
	row.track.phase = 200; /* read while it was written */
	expect_cell(&row, TOP_STATE, "reset");
}

static void expect_order(enum top_column column, bool reversed, __u16 first, __u16 second, __u16 third)
{
	struct connection rows[3] = {row_of(80, TCP_PHASE_ESTABLISHED), row_of(81, TCP_PHASE_CLOSED),
				     row_of(82, TCP_PHASE_OPENING)};
	const __u16 ports[3] = {first, second, third};

	rows[0].track.side[1].bytes = 5;
	rows[1].track.side[1].bytes = 7;
	rows[2].track.side[1].bytes = 6;
	rows[0].track.last_ns -= 3;
	rows[1].track.last_ns -= 1;
	rows[2].track.last_ns -= 2;
	view.sort = column;
	view.reversed = reversed;
	assert_int_equal(top_arrange(rows, 3, &view), 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(FROM_BE16(rows[i].key.port[0]), ports[i]);
}

static void order(void **state)
{
	(void)state;
	expect_order(TOP_SERVER, false, 80, 81, 82);
	expect_order(TOP_SERVER, true, 82, 81, 80);
	expect_order(TOP_TO_SERVER, false, 81, 82, 80); /* the most first */
	expect_order(TOP_TO_SERVER, true, 80, 82, 81);
	expect_order(TOP_IDLE, false, 81, 82, 80);  /* the latest first */
	expect_order(TOP_STATE, false, 81, 80, 82); /* closed, open, syn sent */
	expect_order(TOP_AGAIN, false, 80, 81, 82); /* all alike: by the key */
}

static void filter(void **state)
{
	struct connection rows[3] = {row_of(80, TCP_PHASE_ESTABLISHED), row_of(443, TCP_PHASE_CLOSED),
				     row_of(8080, TCP_PHASE_OPENING)};

	(void)state;
	strcpy(view.filter, "0.1:80");
	assert_int_equal(top_arrange(rows, 3, &view), 2);
	assert_int_equal(FROM_BE16(rows[0].key.port[0]) + FROM_BE16(rows[1].key.port[0]), 80 + 8080);
	strcpy(view.filter, "syn");
	assert_int_equal(top_arrange(rows, 2, &view), 1);
	assert_int_equal(FROM_BE16(rows[0].key.port[0]), 8080);
	strcpy(view.filter, "nothing");
	assert_int_equal(top_arrange(rows, 1, &view), 0);
}

/* Each letter sorts by one column, and none is a key that does something else. */
static void letters(void **state)
{
	(void)state;
	for (int i = 0; i < TOP_COLUMN_COUNT; i++) {
		assert_null(strchr("qp/R", top_letter(i)));
		assert_true(strlen(top_heading(i)) < (size_t)top_columns(i)); /* and the mark of the order */
		for (int k = 0; k < i; k++)
			assert_int_not_equal(top_letter(i), top_letter(k));
	}
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(cells), TEST(bytes_in_units), TEST(states), TEST(order), TEST(filter), TEST(letters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
