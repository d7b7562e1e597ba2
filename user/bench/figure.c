// SPDX-License-Identifier: GPL-2.0-only
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bench/figure.h"

#define MINUS   "−"
#define PERCENT " %"

const char *figure_fixed(char *text, double value, int decimals)
{
	char digits[FIGURE_BYTES - sizeof(MINUS)];
	bool zero;

	if (isnan(value))
		return strcpy(text, FIGURE_NONE);
	snprintf(digits, sizeof(digits), "%.*f", decimals, fabs(value));
	zero = !digits[strspn(digits, "0.")]; /* what is rounded to nothing has no sign */
	snprintf(text, FIGURE_BYTES, "%s%s", value < 0 && !zero ? MINUS : "", digits);
	return text;
}

const char *figure_time(char *text, double ns)
{
	static const char *const units[] = {"ns", "µs", "ms", "s"};
	unsigned int unit = 0;
	double value = fabs(ns);
	int decimals;

	if (isnan(ns))
		return strcpy(text, FIGURE_NONE);
	for (; value >= 999.5 && unit < sizeof(units) / sizeof(units[0]) - 1; unit++)
		value /= 1000;
	decimals = value < 0.9995 ? 3 : value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
	snprintf(text, FIGURE_BYTES, "%s%.*f %s", ns < 0 ? MINUS : "", decimals, value, units[unit]);
	return text;
}

const char *figure_percent(char *text, double fraction)
{
	figure_fixed(text, fraction * 100, 1);
	if (!isnan(fraction) && strlen(text) + sizeof(PERCENT) <= FIGURE_BYTES)
		strcat(text, PERCENT);
	return text;
}

const char *figure_change(char *text, double fraction)
{
	char number[FIGURE_BYTES];

	figure_percent(number, fraction);
	snprintf(text, FIGURE_BYTES, fraction >= 0 ? "+%.*s" : "%.*s", FIGURE_BYTES - 2, number);
	return text;
}

const char *figure_date(char *text, __s64 time_s)
{
	time_t time = time_s;
	struct tm utc;

	if (!gmtime_r(&time, &utc) || !strftime(text, FIGURE_BYTES, "%F %R UTC", &utc))
		return strcpy(text, FIGURE_NONE);
	return text;
}

const char *figure_role(enum bench_role role)
{
	static const char *const names[BENCH_ROLES] = {
		[BENCH_GENERATOR] = "generator",
		[BENCH_DEVICE] = "device",
		[BENCH_SINK] = "sink",
	};

	return (unsigned int)role < BENCH_ROLES ? names[role] : NULL;
}

unsigned int figure_columns(const char *text, size_t bytes)
{
	unsigned int columns = 0;

	for (size_t i = 0; i < bytes; i++)
		columns += (text[i] & 0xc0) != 0x80;
	return columns;
}

const char *figure_cut(char *text, const char *in, unsigned int columns)
{
	size_t bytes = strlen(in);

	if (figure_columns(in, bytes) <= columns)
		return strcpy(text, in);
	/* Whole characters, and a column for the dots. */
	while (figure_columns(in, bytes) >= columns)
		bytes--;
	snprintf(text, FIGURE_CUT_BYTES(columns), "%.*s…", (int)bytes, in);
	return text;
}
