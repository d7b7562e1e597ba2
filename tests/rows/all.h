/* SPDX-License-Identifier: GPL-2.0-only */
/* All rows, one after the other. */
#ifndef XDPLIFE_ROWS_ALL_H
#define XDPLIFE_ROWS_ALL_H

#include <stddef.h>

#include "closing.h"
#include "data.h"
#include "identity.h"
#include "opening.h"
#include "options.h"
#include "resetting.h"

#define ROWS_MAX 256

#define ROWS_OF(table)                                                                                       \
	{                                                                                                    \
		table, sizeof(table) / sizeof((table)[0])                                                    \
	}

static const struct row_table {
	const struct row *rows;
	size_t count;
} row_tables[] = {
	ROWS_OF(opening_rows),   ROWS_OF(data_rows),    ROWS_OF(closing_rows),
	ROWS_OF(resetting_rows), ROWS_OF(options_rows), ROWS_OF(identity_rows),
};

/* The row with that number, from 0 on; NULL behind the last. */
static inline const struct row *row_number(size_t number)
{
	for (size_t i = 0; i < sizeof(row_tables) / sizeof(row_tables[0]); i++) {
		if (number < row_tables[i].count)
			return &row_tables[i].rows[number];
		number -= row_tables[i].count;
	}
	return NULL;
}

#endif
