// SPDX-License-Identifier: GPL-2.0-only
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "observer/summary.h"
#include "util/siphash.h"

#define TALKER_SLOTS (2 * SUMMARY_MAX_TALKERS) /* a power of two; never more than half full */

/* Open addressing: whoever sends packets chooses the keys, so the hash is keyed. */
struct talkers {
	__u8 secret[16];
	size_t count;
	struct talker_row row[TALKER_SLOTS]; /* untouched pages cost nothing */
	bool used[TALKER_SLOTS];
};

static struct talkers *talkers_new(void)
{
	struct talkers *talkers = calloc(1, sizeof(*talkers));

	if (talkers && getrandom(talkers->secret, sizeof(talkers->secret), 0) < 0)
		memcpy(talkers->secret, &talkers, sizeof(talkers)); /* at least not the same each time */
	return talkers;
}

/* NULL: there is no room for another. */
static struct talker *talker_find(struct talkers *talkers, const struct talker_key *key)
{
	size_t at = siphash(talkers->secret, key, sizeof(*key)) & (TALKER_SLOTS - 1);

	for (; talkers->used[at]; at = (at + 1) & (TALKER_SLOTS - 1))
		if (!memcmp(&talkers->row[at].key, key, sizeof(*key)))
			return &talkers->row[at].sum;
	if (talkers->count == SUMMARY_MAX_TALKERS)
		return NULL;
	talkers->count++;
	talkers->used[at] = true;
	talkers->row[at].key = *key;
	return &talkers->row[at].sum;
}

void summary_add_talker(struct summary *summary, const struct talker_key *key, const struct talker *sum)
{
	struct talker *talker;

	if (!summary->talkers)
		summary->talkers = talkers_new();
	talker = summary->talkers ? talker_find(summary->talkers, key) : NULL;
	if (!talker) {
		summary->unnamed++;
		return;
	}
	for (int i = 0; i < TALKER_COLUMN_COUNT; i++)
		talker->count[i] += sum->count[i];
}

static void add_to_talkers(struct summary *summary, const struct trace_event *event, __u32 columns)
{
	struct talker_key source = {0}, destination = {0};
	struct talker sum;

	if (!columns || event->conn.client == TCP_END_UNKNOWN)
		return;
	for (int i = 0; i < TALKER_COLUMN_COUNT; i++)
		sum.count[i] = columns >> i & 1;
	talker_keys_of(&source, &destination, &event->key, event->conn.client);
	summary_add_talker(summary, &source, &sum);
	summary_add_talker(summary, &destination, &sum);
}

static void add_handshake(struct summary *summary, const struct tcp_track *track)
{
	__u64 server, client;

	if (!handshake_legs_ns(track, &server, &client)) {
		summary->ambiguous++;
		return;
	}
	latency_add(&summary->server, server);
	latency_add(&summary->client, client);
	summary->server_sum_ns += server;
	summary->client_sum_ns += client;
}

void summary_add(struct summary *summary, const struct trace_event *event)
{
	__u32 change = connection_change(&event->conn, event->tcp_events, event->sender);

	if (!event->tcp_events)
		return;
	for (int i = 0; i < TCP_EVENT_COUNT; i++)
		summary->tcp_event[i] += event->tcp_events >> i & 1;
	count_change(&summary->connections, change);
	if (event->tcp_events & TCP_EVENT_ESTABLISHED)
		add_handshake(summary, &event->conn);
	add_to_talkers(summary, event, change >> CHANGE_COLUMNS_SHIFT);
}

static void add_words(void *total, const void *add, size_t bytes)
{
	for (size_t i = 0; i < bytes / sizeof(__u64); i++)
		((__u64 *)total)[i] += ((const __u64 *)add)[i];
}

void summary_add_counters(struct summary *summary, const struct port_counters *counters)
{
	add_words(&summary->connections, &counters->connections, sizeof(summary->connections));
	add_words(summary->tcp_event, counters->tcp_event, sizeof(summary->tcp_event));
	summary->evicted += counters->evicted;
	summary->no_room += counters->observed[OBSERVED_NO_ROOM];
}

static void add_histogram(struct latency *latency, const __u64 *bucket)
{
	for (__u32 i = 0; i < HISTOGRAM_BUCKETS; i++) {
		__u64 end_ns = histogram_floor(i + 1) - 1;

		latency->samples += bucket[i];
		latency->bucket[i] += bucket[i];
		if (bucket[i] && end_ns > latency->max_ns)
			latency->max_ns = end_ns;
	}
}

void summary_add_handshakes(struct summary *summary, const struct handshakes *times)
{
	add_histogram(&summary->server, times->server);
	add_histogram(&summary->client, times->client);
	summary->server_sum_ns += times->server_sum_ns;
	summary->client_sum_ns += times->client_sum_ns;
	summary->ambiguous += times->ambiguous;
}

__u64 summary_fate(const struct summary *summary, enum fate outcome, int midstream)
{
	const struct fate_counts *count = &summary->connections;

	if (midstream)
		return count->midstream_ended[outcome];
	return count->ended[outcome] - (outcome == FATE_UNREACHABLE ? count->recovered : 0);
}

__u64 summary_ending(const struct summary *summary, enum ending ending, int midstream)
{
	__u64 sum = 0;

	for (int i = 0; i < FATE_COUNT; i++)
		if (ending_of(i) == ending)
			sum += summary_fate(summary, i, midstream);
	return sum;
}

static __s64 not_ended(const struct summary *summary, int midstream)
{
	const struct fate_counts *count = &summary->connections;
	__s64 left = (__s64)(midstream ? count->midstream : count->started);

	for (int i = 0; i < FATE_COUNT; i++)
		left -= (__s64)summary_fate(summary, i, midstream);
	return left;
}

__u64 summary_open(const struct summary *summary)
{
	__s64 left = not_ended(summary, 0);

	return left > 0 ? left : 0;
}

__u64 summary_midstream_open(const struct summary *summary)
{
	__s64 left = not_ended(summary, 1);

	return left > 0 ? left : 0;
}

__s64 summary_residue(const struct summary *summary)
{
	__s64 left = not_ended(summary, 0), midstream = not_ended(summary, 1);

	if (left < 0 || midstream < 0)
		return left < 0 ? left : midstream;
	left += midstream;
	return left > (__s64)summary->evicted ? left - (__s64)summary->evicted : 0;
}

__u64 talker_failed(const struct talker *sum)
{
	const __u64 *count = sum->count;

	return count[TALKER_ATTEMPTS] > count[TALKER_ESTABLISHED]
		       ? count[TALKER_ATTEMPTS] - count[TALKER_ESTABLISHED]
		       : 0;
}

__u64 talker_failed_by(const struct talker *sum, enum ending ending)
{
	__u64 unreachable = sum->count[ENDING_UNREACHABLE] - sum->count[TALKER_RECOVERED], known = 0;

	if (sum->count[TALKER_RECOVERED] > sum->count[ENDING_UNREACHABLE])
		unreachable = 0;
	if (ending < FAILURE_COUNT)
		return ending == ENDING_UNREACHABLE ? unreachable : sum->count[ending];
	for (int i = 0; i < FAILURE_COUNT; i++)
		known += talker_failed_by(sum, i);
	return talker_failed(sum) > known ? talker_failed(sum) - known : 0;
}

static __u64 rank(const struct talker_row *row, enum talker_order order)
{
	return order == TALKERS_BY_FAILED ? talker_failed(&row->sum) : row->sum.count[TALKER_ATTEMPTS];
}

/* Of the same rank the one of the lower key is first, so that two runs print the same. */
static bool goes_before(const struct talker_row *a, const struct talker_row *b, enum talker_order order)
{
	if (rank(a, order) != rank(b, order))
		return rank(a, order) > rank(b, order);
	return memcmp(&a->key, &b->key, sizeof(a->key)) < 0;
}

/* Puts @row where it belongs among the @count first ones. */
static void insert(struct talker_row *rows, size_t count, const struct talker_row *row,
		   enum talker_order order)
{
	size_t at = count;

	for (; at > 0 && goes_before(row, &rows[at - 1], order); at--)
		rows[at] = rows[at - 1];
	rows[at] = *row;
}

size_t summary_talkers(const struct summary *summary, enum talker_kind kind, enum talker_order order,
		       struct talker_row *rows, size_t max)
{
	const struct talkers *talkers = summary->talkers;
	size_t count = 0;

	for (size_t i = 0; talkers && i < TALKER_SLOTS; i++) {
		const struct talker_row *row = &talkers->row[i];

		if (!talkers->used[i] || row->key.kind != kind || !rank(row, order))
			continue;
		if (count < max)
			insert(rows, count++, row, order);
		else if (max && goes_before(row, &rows[max - 1], order))
			insert(rows, max - 1, row, order);
	}
	return count;
}

void summary_clear(struct summary *summary)
{
	free(summary->talkers);
	memset(summary, 0, sizeof(*summary));
}
