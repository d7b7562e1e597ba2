// SPDX-License-Identifier: GPL-2.0-only
/* Loss, duplicates and reordering told from numbers alone, held against a memory that forgets nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "xdplife/sequence.h"

static struct sequence sequence;

static void begin(void)
{
	memset(&sequence, 0, sizeof(sequence));
}

static void note_range(__u64 from, __u64 to, enum sequence_verdict should)
{
	for (__u64 number = from; number < to; number++)
		assert_int_equal(sequence_note(&sequence, number), should);
}

static void in_order_is_new(void **state)
{
	(void)state;
	begin();
	note_range(0, 3 * SEQUENCE_WINDOW, SEQUENCE_NEW);
	assert_int_equal(sequence.next, 3 * SEQUENCE_WINDOW);
}

/* A gap says nothing of what comes after it; what fills it is late. */
static void a_gap_and_what_fills_it(void **state)
{
	(void)state;
	begin();
	note_range(0, 100, SEQUENCE_NEW);
	note_range(150, 200, SEQUENCE_NEW);
	note_range(100, 150, SEQUENCE_REORDERED);
	note_range(100, 200, SEQUENCE_DUPLICATE);
	assert_int_equal(sequence.next, 200);
}

static void a_repeated_frame_is_a_duplicate(void **state)
{
	(void)state;
	begin();
	for (__u64 number = 0; number < 100; number++) {
		assert_int_equal(sequence_note(&sequence, number), SEQUENCE_NEW);
		assert_int_equal(sequence_note(&sequence, number), SEQUENCE_DUPLICATE);
	}
}

/* As far back as the window goes it tells late from repeated; further back it says that it cannot. */
static void the_window_has_an_end(void **state)
{
	const __u64 last =
		5 * SEQUENCE_WINDOW + 31; /* the last of its word, so that the window begins with a word */

	(void)state;
	begin();
	assert_int_equal(sequence_note(&sequence, 7), SEQUENCE_NEW);
	assert_int_equal(sequence_note(&sequence, last), SEQUENCE_NEW);
	assert_int_equal(sequence_note(&sequence, last - SEQUENCE_WINDOW + 1), SEQUENCE_REORDERED);
	assert_int_equal(sequence_note(&sequence, last - SEQUENCE_WINDOW + 1), SEQUENCE_DUPLICATE);
	assert_int_equal(sequence_note(&sequence, last - SEQUENCE_WINDOW), SEQUENCE_STALE);
	assert_int_equal(sequence_note(&sequence, last), SEQUENCE_DUPLICATE);
	assert_int_equal(sequence.next, last + 1);
}

/* Far beyond 32 bits, as after days at full speed. */
static void large_numbers(void **state)
{
	static const __u64 starts[] = {(1ull << 32) - 50, (1ull << 37) - 50, (1ull << 37) + 5,
				       (1ull << 42) - 50, (1ull << 49) + 12345};

	(void)state;
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		begin();
		note_range(starts[i] - SEQUENCE_WINDOW, starts[i] + SEQUENCE_WINDOW, SEQUENCE_NEW);
		note_range(starts[i] + 100, starts[i] + 200, SEQUENCE_DUPLICATE);
	}
}

#define LINE_FRAMES 200000
#define LINE_DELAY  5000 /* less than the window, less than which nothing is stale */

/* A line that loses, repeats and delays at random: each verdict is that of one who remembers everything. */
static void random_line(void **state)
{
	static __u8 seen[LINE_FRAMES];
	__u64 next = 0, counts[4] = {0};

	(void)state;
	begin();
	memset(seen, 0, sizeof(seen));
	srandom(1);
	for (__u64 sent = 0; sent < LINE_FRAMES; sent++) {
		__u64 late = random() % 10 ? 0 : (__u64)random() % LINE_DELAY,
		      number = sent - (late < sent ? late : 0);
		enum sequence_verdict should = seen[number]    ? SEQUENCE_DUPLICATE
					       : number < next ? SEQUENCE_REORDERED
							       : SEQUENCE_NEW;

		if (random() % 10 == 0)
			continue; /* lost */
		seen[number] = 1;
		next = number >= next ? number + 1 : next;
		assert_int_equal(sequence_note(&sequence, number), should);
		counts[should]++;
	}
	assert_true(counts[SEQUENCE_NEW] > 100000 && counts[SEQUENCE_REORDERED] > 1000);
	assert_true(counts[SEQUENCE_DUPLICATE] > 1000 && !counts[SEQUENCE_STALE]);
}

/* The low bits of a number are enough to know it, if it is near the one that is expected. */
static void low_bits_become_numbers(void **state)
{
	static const struct {
		__u64 expected;
		__u32 low, bits;
		__s64 number;
	} cases[] = {
		{0, 0, 32, 0},
		{0, 5, 32, 5},
		{10, 3, 32, 3},
		{0, 0xffffffff, 32, -1}, /* of before the first: a stray */
		{0xfffffffe, 1, 32, 0x100000001},
		{0x100000001, 0xfffffffe, 32, 0xfffffffe},
		{0x500000000, 0x7fffffff, 32, 0x57fffffff},
		{0x500000000, 0x80000000, 32, 0x480000000},
		{(1 << 26) - 1, 1, 26, (1 << 26) + 1},
		{(1 << 26) + 1, (1 << 26) - 1, 26, (1 << 26) - 1},
		{7, 0xfc000009, 26, 9}, /* above are the thread's bits */
		{3, 0, 2, 4},
		{5, 0, 1, 4},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(sequence_expand(cases[i].expected, cases[i].low, cases[i].bits),
				 cases[i].number);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_order_is_new),
		cmocka_unit_test(a_gap_and_what_fills_it),
		cmocka_unit_test(a_repeated_frame_is_a_duplicate),
		cmocka_unit_test(the_window_has_an_end),
		cmocka_unit_test(large_numbers),
		cmocka_unit_test(random_line),
		cmocka_unit_test(low_bits_become_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
