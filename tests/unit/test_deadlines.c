// SPDX-License-Identifier: GPL-2.0-only
/* The first of many deadlines, against a plain search. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "util/deadlines.h"

static void none_at_first(void **state)
{
	struct deadlines deadlines;

	(void)state;
	assert_int_equal(deadlines_init(&deadlines, 1), 0);
	assert_int_equal(deadlines_first_ns(&deadlines), DEADLINE_NEVER);
	deadlines_set(&deadlines, 0, 5);
	assert_int_equal(deadlines_first_ns(&deadlines), 5);
	assert_int_equal(deadlines_first(&deadlines), 0);
	deadlines_set(&deadlines, 0, DEADLINE_NEVER);
	assert_int_equal(deadlines_first_ns(&deadlines), DEADLINE_NEVER);
	deadlines_free(&deadlines);
	deadlines_free(&deadlines); /* of nothing */
}

static uint64_t search(const uint64_t *due_ns, unsigned int items)
{
	uint64_t first_ns = DEADLINE_NEVER;

	for (unsigned int i = 0; i < items; i++)
		if (due_ns[i] < first_ns)
			first_ns = due_ns[i];
	return first_ns;
}

/* Earlier, later, equal, taken away: ten thousand changes for each size. */
static void as_a_search_would(void **state)
{
	uint64_t due_ns[100];
	struct deadlines deadlines;

	(void)state;
	srand(1);
	for (unsigned int items = 1; items <= 100; items += 11) {
		assert_int_equal(deadlines_init(&deadlines, items), 0);
		for (unsigned int i = 0; i < items; i++)
			due_ns[i] = DEADLINE_NEVER;
		for (int round = 0; round < 10000; round++) {
			unsigned int item = (unsigned int)rand() % items;

			due_ns[item] = rand() % 8 ? (uint64_t)rand() % 50 : DEADLINE_NEVER;
			deadlines_set(&deadlines, item, due_ns[item]);
			assert_int_equal(deadlines_first_ns(&deadlines), search(due_ns, items));
			assert_int_equal(due_ns[deadlines_first(&deadlines)], search(due_ns, items));
		}
		deadlines_free(&deadlines);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(none_at_first),
		cmocka_unit_test(as_a_search_would),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
