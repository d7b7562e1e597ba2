/* SPDX-License-Identifier: GPL-2.0-only */
/* One packet explained to someone who learns: the bytes as a grid, then each field in prose. */
#ifndef XDPLIFE_EXPLAIN_H
#define XDPLIFE_EXPLAIN_H

#include "proto/proto.h"

/* The name of a byte in the grid: a letter for the column, a number for the row, both from A and 1: "C2". */
#define GRID_COLUMNS    16
#define GRID_NAME_BYTES 16
void grid_name(char name[GRID_NAME_BYTES], uint32_t offset);

/**
 * explain_packet() - print the grid, the layers' places, each field, and what the checksums and the engine
 * say
 * @width: of a line in columns; longer meanings are wrapped
 */
void explain_packet(FILE *out, const struct dissection *d, int width);

#endif
