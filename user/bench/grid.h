/* SPDX-License-Identifier: GPL-2.0-only */
/* Rows and columns of text, each column as wide as the widest that stands in it. */
#ifndef XDPLIFE_BENCH_GRID_H
#define XDPLIFE_BENCH_GRID_H

#include <stdio.h>

#include "util/terminal.h"

struct grid;

/* @columns: a letter for each, l or r: on which side its text stands; a blank widens the gap before the next. Borrowed
 * until grid_free(). Return: NULL without memory, which all below accept. */
struct grid *grid_new(const char *columns);
void grid_free(struct grid *grid);

/* The next cell of the row; behind the last one, the first of a new row. */
void grid_cell(struct grid *grid, enum style style, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Cells of the last column, one below the other: @text broken at its blanks, so that none is wider than @columns. */
void grid_wrapped(struct grid *grid, enum style style, unsigned int columns, const char *text);

/* Leaves the rest of the row empty. */
void grid_end_row(struct grid *grid);

/* No line has blanks at its end. */
void grid_print(const struct grid *grid, FILE *stream);

#endif
