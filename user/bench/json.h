/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A bench run as JSON: what --json writes, what a baseline and the files of a chart are. schema.json says what is in it.
 *
 * Reading gives back what was written, bit for bit: NAN is null. (So is infinity, which no figure can be: it comes back
 * as NAN.) Keys that are not known are ignored; a missing one is an error, as is text that a terminal would act on.
 */
#ifndef XDPLIFE_BENCH_JSON_H
#define XDPLIFE_BENCH_JSON_H

#include <jansson.h>
#include <stddef.h>

#include "bench/bench.h"

/* Goes up when an older reader would misunderstand a file, not when a key is added. */
#define BENCH_SCHEMA 1

/* Return: the run, which the caller decrefs; NULL: no memory, or a counter above INT64_MAX. */
json_t *bench_json(const struct bench_run *run);

/**
 * bench_from_json() - a run out of what may be damaged
 * @run: filled; not to be used after an error
 * @why: what is wrong, where: "result 3: ratio: not an object"
 *
 * Return: 0 or -EINVAL.
 */
int bench_from_json(const json_t *json, struct bench_run *run, char *why, size_t why_bytes);

/* Writes a file that is under its name only once it is complete, or stdout ("-"). Return: 0 or -errno. */
int bench_json_save(const struct bench_run *run, const char *path);

/* As bench_from_json(); @why starts with @path. Return: 0; -EINVAL: not such a file; another -errno: not readable. */
int bench_json_load(const char *path, struct bench_run *run, char *why, size_t why_bytes);

#endif
