// SPDX-License-Identifier: GPL-2.0-only
/* When things are due, which of them are late, and which are missed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "traffic/pacer.h"
#include "util/clock.h"

#define BEGIN (7 * NS_PER_S)
#define MS    NS_PER_MS

static struct pacer pacer_of(double rate_per_s, uint64_t limit, uint64_t end_ns)
{
	return (struct pacer){
		.rate_per_s = rate_per_s,
		.begin_ns = BEGIN,
		.end_ns = end_ns,
		.limit = limit,
	};
}

/* Starts all that is due, as if there were always room. */
static uint64_t start_all(struct pacer *pacer, uint64_t now_ns)
{
	uint64_t before = pacer->started;

	while (pacer_due_ns(pacer, now_ns) <= now_ns)
		pacer_start(pacer);
	return pacer->started - before;
}

static void a_steady_rate(void **state)
{
	struct pacer pacer = pacer_of(100, UINT64_MAX, PACER_NEVER);

	(void)state;
	assert_int_equal(pacer_due_ns(&pacer, BEGIN), BEGIN);
	assert_int_equal(start_all(&pacer, BEGIN), 1);
	assert_int_equal(pacer_due_ns(&pacer, BEGIN), BEGIN + 10 * MS);
	assert_int_equal(start_all(&pacer, BEGIN + 10 * MS - 1), 0);
	assert_int_equal(start_all(&pacer, BEGIN + 10 * MS), 1);
	assert_int_equal(start_all(&pacer, BEGIN + NS_PER_S), 99); /* caught up, and no more */
	assert_int_equal(pacer.late, 0);
}

/* Number n is where it belongs after a day, whatever was rounded on the way. */
static void no_drift(void **state)
{
	struct pacer pacer = pacer_of(3000, UINT64_MAX, PACER_NEVER);

	(void)state;
	pacer.started = 86400ull * 3000;
	assert_int_equal(pacer_due_ns(&pacer, BEGIN), BEGIN + 86400 * NS_PER_S);
}

static void without_a_rate_at_once(void **state)
{
	struct pacer pacer = pacer_of(0, 5, PACER_NEVER);

	(void)state;
	assert_int_equal(start_all(&pacer, BEGIN), 5);
	assert_int_equal(pacer_due_ns(&pacer, BEGIN), PACER_NEVER);
	pacer = pacer_of(0, UINT64_MAX, BEGIN + MS);
	assert_int_equal(pacer_due_ns(&pacer, BEGIN + MS - 1), BEGIN);
	pacer_full(&pacer, BEGIN);
	pacer_start(&pacer);
	assert_int_equal(pacer.late, 0); /* nothing was due at a certain time */
	assert_int_equal(pacer_due_ns(&pacer, BEGIN + MS), PACER_NEVER);
	assert_int_equal(pacer_missed(&pacer, BEGIN + MS), 0);
}

/* Rate times duration, also where the last ones are looked at only after the end. */
static void exactly_rate_times_duration(void **state)
{
	static const double rates[] = {1, 3, 7.5, 333.3, 1000, 999999};

	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct pacer pacer = pacer_of(rates[i], UINT64_MAX, BEGIN + 2 * NS_PER_S);
		uint64_t whole = (uint64_t)(2 * rates[i]);

		whole += (double)whole < 2 * rates[i];
		assert_int_equal(pacer_missed(&pacer, BEGIN + 3 * NS_PER_S), whole);
		assert_int_equal(start_all(&pacer, BEGIN + 2 * NS_PER_S + MS), whole);
		assert_int_equal(pacer_missed(&pacer, BEGIN + 3 * NS_PER_S), 0);
		assert_int_equal(pacer_due_ns(&pacer, BEGIN + 2 * NS_PER_S + MS), PACER_NEVER);
	}
}

/* 100 a second; there is no room from 25 to 57 ms. */
static void late_is_what_had_to_wait(void **state)
{
	struct pacer pacer = pacer_of(100, UINT64_MAX, PACER_NEVER);

	(void)state;
	assert_int_equal(start_all(&pacer, BEGIN + 25 * MS), 3); /* those of 0, 10, 20 */
	pacer_full(&pacer, BEGIN + 30 * MS);
	pacer_full(&pacer, BEGIN + 57 * MS);
	assert_int_equal(start_all(&pacer, BEGIN + 58 * MS), 3); /* 30, 40, 50 */
	assert_int_equal(pacer.late, 3);
	assert_int_equal(start_all(&pacer, BEGIN + 70 * MS), 2); /* 60, 70: on time again */
	assert_int_equal(pacer.late, 3);
}

/* What still waits for room at the end is not started any more. */
static void missed_is_what_never_had_room(void **state)
{
	struct pacer pacer = pacer_of(100, UINT64_MAX, BEGIN + 100 * MS);

	(void)state;
	pacer_start(&pacer);
	pacer_full(&pacer, BEGIN + 95 * MS);
	assert_int_equal(pacer_missed(&pacer, BEGIN + 95 * MS), 9);
	assert_int_equal(pacer_due_ns(&pacer, BEGIN + 99 * MS), BEGIN + 10 * MS);
	assert_int_equal(pacer_due_ns(&pacer, BEGIN + 100 * MS), PACER_NEVER);
	assert_int_equal(pacer_missed(&pacer, BEGIN + NS_PER_S), 9);
}

static void the_limit_counts_first(void **state)
{
	struct pacer pacer = pacer_of(100, 4, BEGIN + NS_PER_S);

	(void)state;
	assert_int_equal(pacer_missed(&pacer, BEGIN + NS_PER_S), 4);
	assert_int_equal(start_all(&pacer, BEGIN + NS_PER_S - 1), 4);
	assert_int_equal(pacer_missed(&pacer, BEGIN + NS_PER_S), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_steady_rate),
		cmocka_unit_test(no_drift),
		cmocka_unit_test(without_a_rate_at_once),
		cmocka_unit_test(exactly_rate_times_duration),
		cmocka_unit_test(late_is_what_had_to_wait),
		cmocka_unit_test(missed_is_what_never_had_room),
		cmocka_unit_test(the_limit_counts_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
