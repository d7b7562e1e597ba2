// SPDX-License-Identifier: GPL-2.0-only
#include "traffic/pacer.h"
#include "util/clock.h"

static uint64_t due_of(const struct pacer *pacer, uint64_t number)
{
	if (!pacer->rate_per_s)
		return pacer->begin_ns;
	return pacer->begin_ns + (uint64_t)((double)number * (double)NS_PER_S / pacer->rate_per_s);
}

/* Behind the end only those may still start that nobody looked at in time, not those that found no room. */
uint64_t pacer_due_ns(const struct pacer *pacer, uint64_t now_ns)
{
	uint64_t due_ns = due_of(pacer, pacer->started);

	if (pacer->started >= pacer->limit || due_ns >= pacer->end_ns)
		return PACER_NEVER;
	if (now_ns >= pacer->end_ns && (!pacer->rate_per_s || due_ns <= pacer->full_ns))
		return PACER_NEVER;
	return due_ns;
}

void pacer_full(struct pacer *pacer, uint64_t now_ns)
{
	pacer->full_ns = now_ns;
}

void pacer_start(struct pacer *pacer)
{
	if (pacer->rate_per_s && due_of(pacer, pacer->started) <= pacer->full_ns)
		pacer->late++;
	pacer->started++;
}

/* The estimate may be one off, by rounding. */
uint64_t pacer_missed(const struct pacer *pacer, uint64_t now_ns)
{
	uint64_t last_ns = now_ns < pacer->end_ns ? now_ns : pacer->end_ns - 1, due;

	if (!pacer->rate_per_s || last_ns < pacer->begin_ns)
		return 0;
	due = (uint64_t)((double)(last_ns - pacer->begin_ns) * pacer->rate_per_s / (double)NS_PER_S);
	while (due_of(pacer, due) <= last_ns)
		due++;
	if (due > pacer->limit)
		due = pacer->limit;
	return due > pacer->started ? due - pacer->started : 0;
}
