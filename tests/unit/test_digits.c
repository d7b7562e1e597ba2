// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>

#include "util/digits.h"

static void check(uint64_t value)
{
	char ours[DIGITS_MAX + 1] = "", printf_has[DIGITS_MAX + 1];

	*digits_put(ours, value) = 0;
	snprintf(printf_has, sizeof(printf_has), "%" PRIu64, value);
	assert_string_equal(ours, printf_has);
}

static void test_as_printf(void **state)
{
	(void)state;
	check(0);
	check(UINT64_MAX);
	for (uint64_t power = 1; power <= UINT64_MAX / 10; power *= 10) {
		check(power - 1);
		check(power);
		check(power + 1);
	}
}

static void test_fixed(void **state)
{
	char text[] = "......";

	(void)state;
	assert_ptr_equal(digits_put_fixed(text, 42, 5), text + 5);
	assert_string_equal(text, "00042.");
	digits_put_fixed(text, 1234567, 3);
	assert_string_equal(text, "56742.");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_printf),
		cmocka_unit_test(test_fixed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
