// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bench/figure.h"
#include "bench/grid.h"

#define GAP         2
#define MAX_COLUMNS 16

struct cell {
	char *text;
	enum style style;
};

struct column {
	bool right;
	unsigned int gap; /* before it */
	unsigned int width;
};

struct grid {
	struct column column[MAX_COLUMNS];
	unsigned int columns;
	struct cell *cell; /* row by row */
	size_t cells, room;
};

struct grid *grid_new(const char *columns)
{
	struct grid *grid = calloc(1, sizeof(*grid));
	unsigned int gap = GAP;

	for (; grid && *columns && grid->columns < MAX_COLUMNS; columns++) {
		if (*columns == ' ') {
			gap++;
			continue;
		}
		grid->column[grid->columns++] = (struct column){.right = *columns == 'r', .gap = gap};
		gap = GAP;
	}
	return grid;
}

void grid_free(struct grid *grid)
{
	if (!grid)
		return;
	for (size_t i = 0; i < grid->cells; i++)
		free(grid->cell[i].text);
	free(grid->cell);
	free(grid);
}

static struct cell *add_cell(struct grid *grid)
{
	if (grid->cells == grid->room) {
		size_t room = grid->room ? grid->room * 2 : MAX_COLUMNS;
		struct cell *cell = realloc(grid->cell, room * sizeof(*cell));

		if (!cell)
			return NULL;
		grid->cell = cell;
		grid->room = room;
	}
	return memset(&grid->cell[grid->cells++], 0, sizeof(*grid->cell));
}

void grid_cell(struct grid *grid, enum style style, const char *format, ...)
{
	struct cell *cell = grid ? add_cell(grid) : NULL;
	struct column *column;
	unsigned int width;
	va_list args;

	if (!cell)
		return;
	cell->style = style;
	va_start(args, format);
	if (vasprintf(&cell->text, format, args) < 0)
		cell->text = NULL;
	va_end(args);
	column = &grid->column[(grid->cells - 1) % grid->columns];
	width = cell->text ? figure_columns(cell->text, strlen(cell->text)) : 0;
	if (width > column->width)
		column->width = width;
}

/* How much of @text, in bytes, is a line of at most @columns; a word that is wider is one all the same. */
static int line_bytes(const char *text, unsigned int columns)
{
	size_t end = strcspn(text, " ");

	while (text[end]) {
		size_t next = end + 1 + strcspn(text + end + 1, " ");

		if (figure_columns(text, next) > columns)
			break;
		end = next;
	}
	return (int)end;
}

void grid_wrapped(struct grid *grid, enum style style, unsigned int columns, const char *text)
{
	int bytes = line_bytes(text, columns);

	grid_cell(grid, style, "%.*s", bytes, text);
	for (text += bytes; grid && *text == ' '; text += bytes) {
		for (unsigned int i = 1; i < grid->columns; i++)
			grid_cell(grid, style, "%s", "");
		bytes = line_bytes(++text, columns);
		grid_cell(grid, style, "%.*s", bytes, text);
	}
}

void grid_end_row(struct grid *grid)
{
	while (grid && grid->cells % grid->columns && add_cell(grid))
		;
}

static void print_text(const struct cell *cell, FILE *stream)
{
	const char *start = cell->style == STYLE_RESET ? "" : terminal_style(stream, cell->style);

	fprintf(stream, "%s%s%s", start, cell->text, *start ? terminal_style(stream, STYLE_RESET) : "");
}

static void print_row(const struct grid *grid, const struct cell *cell, FILE *stream)
{
	unsigned int pending = 0; /* blanks, if more text follows in the row */

	for (unsigned int i = 0; i < grid->columns; i++, cell++) {
		const struct column *column = &grid->column[i];
		unsigned int width = cell->text ? figure_columns(cell->text, strlen(cell->text)) : 0;

		pending += column->gap;
		if (column->right)
			pending += column->width - width;
		if (width) {
			fprintf(stream, "%*s", (int)pending, "");
			print_text(cell, stream);
			pending = 0;
		}
		if (!column->right)
			pending += column->width - width;
	}
	fputc('\n', stream);
}

void grid_print(const struct grid *grid, FILE *stream)
{
	for (size_t at = 0; grid && at + grid->columns <= grid->cells; at += grid->columns)
		print_row(grid, &grid->cell[at], stream);
}
