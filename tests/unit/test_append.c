// SPDX-License-Identifier: GPL-2.0-only
/* Text that grows: each way of appending, and where it is cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "util/append.h"

static void texts_follow_each_other(void **state)
{
	char text[32] = "";

	(void)state;
	append_texts(text, sizeof(text), NULL);
	assert_string_equal(text, "");
	append_texts(text, sizeof(text), "a", "", "bc", NULL);
	append_texts(text, sizeof(text), "d", NULL);
	append_number(text, sizeof(text), 0);
	append_number(text, sizeof(text), UINT64_MAX);
	assert_string_equal(text, "abcd018446744073709551615");
}

static void what_does_not_fit_is_cut(void **state)
{
	struct {
		char text[8], behind[8];
	} place = {"1234", "behind"};

	(void)state;
	append_texts(place.text, sizeof(place.text), "56", "789", "0", NULL);
	assert_string_equal(place.text, "1234567");
	append_texts(place.text, sizeof(place.text), "x", NULL);
	append_number(place.text, sizeof(place.text), 8);
	append(place.text, sizeof(place.text), "%d", 9);
	append_item(place.text, sizeof(place.text), ", ", "%d", 9);
	assert_string_equal(place.text, "1234567");
	assert_string_equal(place.behind, "behind");
}

static void items_are_separated(void **state)
{
	char text[32] = "";

	(void)state;
	append_item(text, sizeof(text), ", ", "%s", "one");
	append_item(text, sizeof(text), ", ", "%d", 2);
	append(text, sizeof(text), "%c", '!');
	assert_string_equal(text, "one, 2!");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_follow_each_other),
		cmocka_unit_test(what_does_not_fit_is_cut),
		cmocka_unit_test(items_are_separated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
