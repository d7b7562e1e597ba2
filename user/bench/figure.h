/* SPDX-License-Identifier: GPL-2.0-only */
/* The figures of a bench run as people read them. NAN, "not measured", is "–"; a minus is "−", as wide as the plus. */
#ifndef XDPLIFE_BENCH_FIGURE_H
#define XDPLIFE_BENCH_FIGURE_H

#include <stddef.h>

#include "bench/bench.h"

#define FIGURE_BYTES 32
#define FIGURE_NONE  "–"

/* Each writes to @text, of FIGURE_BYTES, and returns it. */
const char *figure_fixed(char *text, double value, int decimals);
const char *figure_time(char *text, double ns);          /* "0.412 ns", "12.1 µs", "140 ms": three digits */
const char *figure_percent(char *text, double fraction); /* "1.2 %" */
const char *figure_change(char *text, double fraction);  /* "+1.2 %", "−14.1 %" */

/* "2025-11-22 06:39 UTC" */
const char *figure_date(char *text, __s64 time_s);

/* "generator", "device", "sink"; also the key in JSON. NULL beyond the list. */
const char *figure_role(enum bench_role role);

/* Text for a column of at most @columns: what does not fit is "…". @text has room for FIGURE_CUT_BYTES(columns). */
#define FIGURE_CUT_BYTES(columns) ((columns)*4 + 1)
const char *figure_cut(char *text, const char *in, unsigned int columns);

/* How many columns of a terminal the first @bytes of UTF-8 take, of characters that take one each. */
unsigned int figure_columns(const char *text, size_t bytes);

#endif
