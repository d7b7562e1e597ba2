/* SPDX-License-Identifier: GPL-2.0-only */
/* A bench run as tables for a person: on a terminal, and pasted into a README as they are. At most 110 columns. */
#ifndef XDPLIFE_BENCH_TABLE_H
#define XDPLIFE_BENCH_TABLE_H

#include <stdio.h>

#include "bench/bench.h"

void bench_table_print(const struct bench_run *run, FILE *stream);

#endif
