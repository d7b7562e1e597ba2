// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "out/story.h"
#include "out/top_table.h"
#include "util/clock.h"

#define XL_TOP_ROW(name, letter, heading, columns, text) [TOP_##name] = {heading, text, columns, letter},

static const struct {
	const char *heading;
	const char *text;
	int columns;
	char letter;
} table[TOP_COLUMN_COUNT] = {XL_TOP_COLUMNS(XL_TOP_ROW)};

const char *top_heading(enum top_column column)
{
	return table[column].heading;
}

int top_columns(enum top_column column)
{
	return table[column].columns;
}

char top_letter(enum top_column column)
{
	return table[column].letter;
}

const char *top_text(enum top_column column)
{
	return table[column].text;
}

/* The end that opened it; the first in the key if nobody knows. */
static flow_end client_of(const struct connection *row)
{
	return row->track.client == 1;
}

static const char *state_text(const struct tcp_track *track)
{
	static const char *const phases[] = {
		[TCP_PHASE_NONE] = "unknown",      [TCP_PHASE_OPENING] = "syn sent",
		[TCP_PHASE_ANSWERED] = "answered", [TCP_PHASE_ESTABLISHED] = "open",
		[TCP_PHASE_CLOSING] = "closing",   [TCP_PHASE_CLOSED] = "closed",
	};

	if (track->phase == TCP_PHASE_OPENING && track->flags & TCP_TRACK_UNREACHABLE)
		return "unreachable";
	if (track->phase < TCP_PHASE_RESET)
		return phases[track->phase];
	return track->reset_phase == TCP_PHASE_OPENING && track->closer != track->client ? "refused"
											 : "reset";
}

bool top_is_failure(const struct connection *row)
{
	return row->track.phase == TCP_PHASE_RESET ||
	       (row->track.phase == TCP_PHASE_OPENING && row->track.flags & TCP_TRACK_UNREACHABLE);
}

/* Nanoseconds, bytes or segments; 0: not known or none. */
static __u64 top_value(const struct connection *row, enum top_column column, __u64 now_ns)
{
	const struct tcp_track *track = &row->track;
	const struct tcp_side *client = &track->side[client_of(row)], *server = &track->side[!client_of(row)];

	switch (column) {
	case TOP_SERVER_LEG:
		return story_elapsed_ns(track->syn_last_ns, track->synack_first_ns);
	case TOP_CLIENT_LEG:
		return story_elapsed_ns(track->synack_last_ns, track->established_ns);
	case TOP_RTT_SERVER: /* of what the client sends: to the server and back */
		return client->rtt.samples ? client->rtt.smoothed_us * NS_PER_US : 0;
	case TOP_RTT_CLIENT:
		return server->rtt.samples ? server->rtt.smoothed_us * NS_PER_US : 0;
	case TOP_AGAIN:
		return (__u64)client->retransmits + client->duplicates + server->retransmits +
		       server->duplicates;
	case TOP_TO_SERVER:
		return client->bytes;
	case TOP_TO_CLIENT:
		return server->bytes;
	case TOP_IDLE:
		return story_elapsed_ns(track->last_ns, now_ns);
	default:
		return 0;
	}
}

/* µ is one character in two bytes, which not every terminal can show. */
static void duration_cell(char text[TOP_CELL_BYTES], __u64 ns, bool unicode)
{
	char *micro;

	story_duration(text, TOP_CELL_BYTES, ns);
	micro = unicode ? NULL : strstr(text, "µ");
	if (micro)
		snprintf(micro, TOP_CELL_BYTES - (micro - text), "us");
}

static void bytes_cell(char text[TOP_CELL_BYTES], __u64 bytes)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
	double value = (double)bytes;
	size_t unit = 0;

	for (; value >= 999.5 && unit + 1 < sizeof(units) / sizeof(units[0]); unit++)
		value /= 1000;
	snprintf(text, TOP_CELL_BYTES, "%.*f %s", unit && value < 99.95, value, units[unit]);
}

void top_cell(char text[TOP_CELL_BYTES], const struct connection *row, enum top_column column,
	      const struct top_view *view)
{
	flow_end end = column == TOP_CLIENT ? client_of(row) : !client_of(row);
	__u64 value = top_value(row, column, view->now_ns);

	switch (column) {
	case TOP_CLIENT:
	case TOP_SERVER:
		story_endpoint(text, TOP_CELL_BYTES, &row->key.addr[end], row->key.port[end],
			       row->key.ip_version);
		return;
	case TOP_STATE:
		snprintf(text, TOP_CELL_BYTES, "%s", state_text(&row->track));
		return;
	case TOP_AGAIN:
		snprintf(text, TOP_CELL_BYTES, "%" PRIu64, (uint64_t)value);
		return;
	case TOP_TO_SERVER:
	case TOP_TO_CLIENT:
		bytes_cell(text, value);
		return;
	default:
		if (value || column == TOP_IDLE)
			duration_cell(text, value, view->unicode);
		else
			snprintf(text, TOP_CELL_BYTES, "-");
	}
}

/* --- the order --- */

static int compare_ends(const struct connection *a, const struct connection *b, flow_end end_a,
			flow_end end_b)
{
	int order = ip_addr_compare(&a->key.addr[end_a], &b->key.addr[end_b]);

	return order ? order : FROM_BE16(a->key.port[end_a]) - FROM_BE16(b->key.port[end_b]);
}

static int compare_values(__u64 a, __u64 b)
{
	return (a > b) - (a < b);
}

static int compare(const void *left, const void *right, void *context)
{
	const struct connection *a = left, *b = right;
	const struct top_view *view = context;
	int order;

	switch (view->sort) {
	case TOP_CLIENT:
		order = compare_ends(a, b, client_of(a), client_of(b));
		break;
	case TOP_SERVER:
		order = compare_ends(a, b, !client_of(a), !client_of(b));
		break;
	case TOP_STATE:
		order = strcmp(state_text(&a->track), state_text(&b->track));
		break;
	case TOP_IDLE:
		order = compare_values(b->track.last_ns, a->track.last_ns);
		break;
	default:
		order = compare_values(top_value(b, view->sort, view->now_ns),
				       top_value(a, view->sort, view->now_ns));
	}
	if (view->reversed)
		order = -order;
	return order ? order
		     : memcmp(&a->key, &b->key, sizeof(a->key)); /* rows that are alike stay where they are */
}

static bool matches(const struct connection *row, const struct top_view *view)
{
	char text[TOP_CELL_BYTES];

	if (!*view->filter)
		return true;
	for (int column = TOP_CLIENT; column <= TOP_STATE; column++) {
		top_cell(text, row, column, view);
		if (strstr(text, view->filter))
			return true;
	}
	return false;
}

size_t top_arrange(struct connection *rows, size_t count, const struct top_view *view)
{
	struct top_view order = *view;
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (matches(&rows[i], view))
			rows[kept++] = rows[i];
	qsort_r(rows, kept, sizeof(*rows), compare, &order);
	return kept;
}
