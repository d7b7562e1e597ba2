// SPDX-License-Identifier: GPL-2.0-only
/* The drawn histograms: what is in which row, and that each line keeps to the width. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "out/histogram_chart.h"

static struct latency server, client;

static int begin(void **state)
{
	(void)state;
	memset(&server, 0, sizeof(server));
	memset(&client, 0, sizeof(client));
	return 0;
}

static void add(struct latency *latency, uint64_t ns, int times)
{
	while (times-- > 0)
		latency_add(latency, ns);
}

/* Freed by the caller. */
static char *draw(int columns, bool unicode)
{
	const struct histogram_chart chart = {
		.latency = {&server, &client},
		.heading = {"there", "back"},
		.columns = columns,
		.unicode = unicode,
	};
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	histogram_chart_print(&chart, out);
	fclose(out);
	return text;
}

static void nothing_of_nothing(void **state)
{
	char *text = draw(80, true);

	(void)state;
	assert_string_equal(text, "");
	free(text);
}

static void expect(int columns, bool unicode, const char *should)
{
	char *text = draw(columns, unicode);

	assert_string_equal(text, should);
	free(text);
}

/* The half of 8 columns is 4; what there is at all shows; rows in between are drawn, those outside are not. */
static void rows(void **state)
{
	(void)state;
	add(&server, 3000, 100);
	add(&server, 15000, 50);
	add(&server, 16000, 1);
	add(&client, 70000, 1000);
	add(&client, 3000, 1);
	expect(50, true,
	       "        from there              back              \n"
	       "    2.000 µs ████████       100 ▏                1\n"
	       "    5.000 µs                                      \n"
	       "    10.00 µs ████▏           51                   \n"
	       "    20.00 µs                                      \n"
	       "    50.00 µs                    ████████      1000\n");
}

static void ascii(void **state)
{
	(void)state;
	add(&server, 3000, 100);
	add(&server, 15000, 1);
	expect(50, false,
	       "        from there              back              \n"
	       "    2.000 us ########       100                   \n"
	       "    5.000 us                                      \n"
	       "    10.00 us .                1                   \n");
}

/* Without its colours, which this stream does not get: characters, not bytes. */
static void width(void **state)
{
	(void)state;
	add(&server, 1, 1);
	add(&client, 900ull * 1000000000, 1);
	for (int columns = 50; columns < 300; columns++) {
		char *text = draw(columns, true), *rest = text;

		for (char *line = strsep(&rest, "\n"); rest; line = strsep(&rest, "\n")) {
			int shown = 0;

			for (; *line; line++)
				shown += (*line & 0xc0) != 0x80;
			assert_true(shown <= columns && shown >= columns - 2);
		}
		free(text);
	}
}

static void bars(void **state)
{
	char text[CHART_BAR_BYTES];

	(void)state;
	histogram_chart_bar(text, sizeof(text), 0, 3, true);
	assert_string_equal(text, "   ");
	histogram_chart_bar(text, sizeof(text), 1, 3, true);
	assert_string_equal(text, "▏  ");
	histogram_chart_bar(text, sizeof(text), 12, 3, true);
	assert_string_equal(text, "█▌ ");
	histogram_chart_bar(text, sizeof(text), 24, 3, true);
	assert_string_equal(text, "███");
	histogram_chart_bar(text, sizeof(text), 100, 3, true);
	assert_string_equal(text, "███");
	histogram_chart_bar(text, sizeof(text), 12, 3, false);
	assert_string_equal(text, "#  ");
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_of_nothing), TEST(rows), TEST(ascii), TEST(width), TEST(bars),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
