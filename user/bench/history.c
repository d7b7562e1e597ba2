// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bench/history.h"
#include "bench/json.h"
#include "util/log.h"

#define SUFFIX    ".json"
#define WHY_BYTES 512

const struct history_point *history_point(const struct history_run *run, const char *scenario)
{
	for (unsigned int i = 0; i < run->points; i++)
		if (!strcmp(run->point[i].name, scenario) && !isnan(run->point[i].ratio.median))
			return &run->point[i];
	return NULL;
}

/* A floor is 1 of itself: the line that the others are held against. */
static void keep(struct history_run *kept, const struct bench_run *run)
{
	kept->time_s = run->time_s;
	kept->points = 0;
	memcpy(kept->version, run->version, sizeof(kept->version));
	memcpy(kept->kernel, run->kernel, sizeof(kept->kernel));
	memcpy(kept->compiler, run->compiler, sizeof(kept->compiler));
	memcpy(kept->cpu, run->cpu, sizeof(kept->cpu));
	for (unsigned int i = 0; i < run->results; i++) {
		const struct bench_result *result = &run->result[i];
		struct history_point *point = &kept->point[kept->points];

		if (!strcmp(result->name, result->floor))
			continue;
		memcpy(point->name, result->name, sizeof(point->name));
		memcpy(point->floor, result->floor, sizeof(point->floor));
		point->ratio = result->ratio;
		kept->points++;
	}
}

static int load(struct bench_run *run, const char *directory, const char *name)
{
	char why[WHY_BYTES], *path;
	struct stat found;
	int err;

	if (asprintf(&path, "%s/%s", directory, name) < 0)
		return -ENOMEM;
	/* Opening a FIFO would wait for a writer. */
	if (!stat(path, &found) && !S_ISREG(found.st_mode)) {
		snprintf(why, sizeof(why), "%s: not a regular file", path);
		err = -EINVAL;
	} else {
		err = bench_json_load(path, run, why, sizeof(why));
	}
	if (err)
		log_warn(NULL, "left out: %s", why);
	free(path);
	return err;
}

static int has_suffix(const struct dirent *entry)
{
	size_t bytes = strlen(entry->d_name);

	return *entry->d_name != '.' && bytes > strlen(SUFFIX) &&
	       !strcmp(entry->d_name + bytes - strlen(SUFFIX), SUFFIX);
}

static int by_time(const void *left, const void *right)
{
	const struct history_run *a = left, *b = right;

	if (a->time_s != b->time_s)
		return a->time_s < b->time_s ? -1 : 1;
	return strcmp(a->version, b->version);
}

/* Frees @entry. */
static int read_entries(struct history *history, const char *directory, struct dirent **entry, int entries)
{
	struct bench_run *run = malloc(sizeof(*run));

	history->run = calloc(entries + 1, sizeof(*history->run));
	for (int i = 0; i < entries; i++) {
		if (run && history->run && !load(run, directory, entry[i]->d_name))
			keep(&history->run[history->runs++], run);
		free(entry[i]);
	}
	free(entry);
	free(run);
	return run && history->run ? 0 : -ENOMEM;
}

static int read_runs(struct history *history, const char *directory)
{
	struct dirent **entry;
	int entries = scandir(directory, &entry, has_suffix, alphasort), err;

	if (entries < 0)
		return -errno;
	err = read_entries(history, directory, entry, entries);
	if (!err)
		qsort(history->run, history->runs, sizeof(*history->run), by_time);
	return err;
}

static bool knows(const struct history *history, const char *scenario)
{
	for (unsigned int i = 0; i < history->scenarios; i++)
		if (!strcmp(history->scenario[i], scenario))
			return true;
	return false;
}

static int collect_scenarios(struct history *history)
{
	history->scenario = calloc((size_t)history->runs * BENCH_SCENARIOS + 1, sizeof(*history->scenario));
	if (!history->scenario)
		return -ENOMEM;
	for (unsigned int i = history->runs; i-- > 0;) {
		const struct history_run *run = &history->run[i];

		for (unsigned int j = 0; j < run->points; j++)
			if (!isnan(run->point[j].ratio.median) && !knows(history, run->point[j].name))
				memcpy(history->scenario[history->scenarios++], run->point[j].name,
				       BENCH_NAME_MAX);
	}
	return 0;
}

int history_read(struct history *history, const char *directory)
{
	int err;

	memset(history, 0, sizeof(*history));
	err = read_runs(history, directory);
	if (!err)
		err = collect_scenarios(history);
	if (err) {
		log_error("the directory that holds what --json wrote", "%s: %s", directory, strerror(-err));
	} else if (!history->scenarios) {
		log_error("xdplife bench --json FILE, for FILE.json in there", "%s: %s", directory,
			  history->runs ? "nothing but floors in its bench runs" : "no bench run in it");
		err = -ENOENT;
	}
	if (err)
		history_free(history);
	return err;
}

void history_free(struct history *history)
{
	free(history->run);
	free(history->scenario);
	memset(history, 0, sizeof(*history));
}
