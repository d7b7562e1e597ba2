// SPDX-License-Identifier: GPL-2.0-only
/* Hexadecimal text as people paste it, and what is said of text that is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/hex.h"

/* From memory that ends with the text, so that the sanitizers see a read beyond it. */
static long parse(const char *text, uint8_t *bytes, size_t room, struct hex_error *error)
{
	size_t length = strlen(text);
	char *copy = malloc(length ? length : 1);
	long count;

	assert_non_null(copy);
	memcpy(copy, text, length);
	count = hex_parse(copy, length, bytes, room, error);
	free(copy);
	return count;
}

static void test_good(void **state)
{
	static const char *const texts[] = {"45 10 ab",        "4510AB",   "45:10:aB",
					    " 45\n10\tab\r\n", "0x4510ab", "0x45 0X10 0xab",
					    "0x45:0x10:0xab",  "4510 ab",  "45 :10: ab"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct hex_error error;
		uint8_t bytes[3];

		assert_int_equal(parse(texts[i], bytes, sizeof(bytes), &error), 3);
		assert_memory_equal(bytes, "\x45\x10\xab", 3);
	}
}

static void test_nothing(void **state)
{
	struct hex_error error;
	uint8_t byte;

	(void)state;
	assert_int_equal(parse("", &byte, 1, &error), 0);
	assert_int_equal(parse(" :\n", &byte, 1, &error), 0);
}

static void test_bad(void **state)
{
	static const struct {
		const char *text;
		size_t position;
		const char *character;
	} texts[] = {
		{"g0", 1, "g"},           {"0g", 2, "g"},
		{"45 1", 4, "1"},         {"4 5", 1, "4"},
		{"45,10", 3, ","},        {"0x", 3, ""},
		{"45 0x ", 6, " "},       {"450x10", 4, "x"},
		{"\x1b[31m", 1, "\\x1b"}, {"4\xc3\xa9", 2, "\\xc3"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct hex_error error = {};
		uint8_t bytes[8];

		assert_int_equal(parse(texts[i].text, bytes, sizeof(bytes), &error), -EINVAL);
		assert_int_equal(error.position, texts[i].position);
		assert_string_equal(error.character, texts[i].character);
		assert_non_null(error.reason);
	}
}

static void test_no_room(void **state)
{
	struct hex_error error;
	uint8_t bytes[2];

	(void)state;
	assert_int_equal(parse("45 10", bytes, 2, &error), 2);
	assert_int_equal(parse("45 10 ab", bytes, 2, &error), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
