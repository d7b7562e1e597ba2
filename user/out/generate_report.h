/* SPDX-License-Identifier: GPL-2.0-only */
/* What a generated stream came to: made, taken by the interface, received by the sink, and what lies between. */
#ifndef XDPLIFE_GENERATE_REPORT_H
#define XDPLIFE_GENERATE_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "traffic/generator.h"
#include "traffic/sink.h"

struct generate_report {
	const char *way; /* generator_way() */
	const char *kind;
	const char *interface;
	const char *sink; /* NULL: none */
	double rate_pps;  /* wanted; 0: none */
	struct generator_report sent;
	struct sink_report received;
};

/* made - taken - refused, where the kernel tells; 0 is right. */
__s64 generate_residue(const struct generate_report *report);

void generate_report_text(const struct generate_report *report, FILE *out);
void generate_report_json(const struct generate_report *report, FILE *out);

/* One line that is written over and over: on a terminal only. */
void generate_progress(const struct generate_report *report, FILE *out);
void generate_progress_end(FILE *out);

#endif
