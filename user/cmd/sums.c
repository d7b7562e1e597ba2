// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/sums.h"
#include "command.h"
#include "datapath/flows.h"
#include "datapath/totals.h"
#include "net/page_server.h"
#include "out/metrics.h"
#include "out/summary_report.h"
#include "out/top.h"
#include "util/clock.h"
#include "util/log.h"

#define PROGRESS_NS (500 * NS_PER_MS)

struct sums {
	struct sums_options options;
	const struct datapath *dp;
	const struct sink_session *shown;
	/* What userspace has told. The lock is for the metrics' thread; frames know nothing of it. */
	struct summary told;
	pthread_mutex_t lock;
	struct summary_progress progress;
	__u64 progress_ns; /* when the line was last written */
	struct top *top;
	struct page_server *server;
	struct metrics_sample sample; /* the server's */
};

/* What userspace has told and what the kernel has counted, without the talkers. 0 or -errno. */
static int snapshot(struct sums *sums, struct summary *now)
{
	pthread_mutex_lock(&sums->lock);
	*now = sums->told;
	pthread_mutex_unlock(&sums->lock);
	now->talkers = NULL;
	return totals_read(sums->dp, now, false);
}

/* --- metrics, in the server's thread --- */

static void sample_programs(struct sums *sums, int port)
{
	struct metrics_sample *sample = &sums->sample;
	struct program_time xdp, egress;

	totals_program_times(sums->dp, port, &xdp, &egress);
	sample->xdp[port] = (struct metrics_program){.runs = xdp.runs, .run_ns = xdp.run_ns};
	sample->egress[port] = (struct metrics_program){.runs = egress.runs, .run_ns = egress.run_ns};
}

static int take_sample(struct sums *sums)
{
	struct metrics_sample *sample = &sums->sample;
	struct occupancy table;
	int err = snapshot(sums, &sample->summary);

	if (!err)
		err = totals_occupancy(sums->dp, &table);
	if (err)
		return err;
	sample->session = sums->shown;
	sample->table = (struct metrics_table){.used = table.used, .max = table.max};
	sample->programs = totals_program_times_on();
	for (int i = 0; i < datapath_port_count(sums->dp) && !err; i++) {
		err = datapath_counters(sums->dp, i, &sample->port[i]);
		if (sample->programs)
			sample_programs(sums, i);
	}
	return err;
}

static const char *write_metrics(void *context, const char *accept, FILE *out)
{
	struct sums *sums = context;

	return take_sample(sums) ? NULL : metrics_print(&sums->sample, accept, out);
}

/* --- the table --- */

static long read_connections(void *context, struct connection *rows, size_t max, __u64 *total)
{
	struct sums *sums = context;
	struct occupancy table;
	int err = totals_occupancy(sums->dp, &table);

	if (err)
		return err;
	*total = table.used;
	return flows_read(datapath_flows(sums->dp), rows, max);
}

static int read_sums(void *context, struct summary *now)
{
	return snapshot(context, now);
}

/* --- */

int sums_open(struct sums **result, const struct sums_options *options, const struct datapath *dp,
	      const struct sink_session *shown)
{
	struct sums *sums;
	int err = 0;

	if (!options->summary && !options->top && !options->metrics)
		return 0;
	sums = calloc(1, sizeof(*sums));
	if (!sums)
		return EXIT_FAILED;
	sums->options = *options;
	sums->dp = dp;
	sums->shown = shown;
	pthread_mutex_init(&sums->lock, NULL);
	*result = sums;
	if (options->metrics)
		err = page_server_open(&sums->server, options->metrics, "--metrics",
				       &(struct page){METRICS_PATH, write_metrics, sums});
	if (!err && options->top)
		err = top_open(&sums->top, &(struct top_source){read_connections, read_sums, sums}, shown);
	return err;
}

void sums_add(struct sums *sums, const struct trace_event *event)
{
	if (!sums)
		return;
	pthread_mutex_lock(&sums->lock);
	summary_add(&sums->told, event);
	pthread_mutex_unlock(&sums->lock);
}

static void show_progress(struct sums *sums, __u64 now_ns)
{
	struct summary now;

	if (now_ns - sums->progress_ns < PROGRESS_NS || snapshot(sums, &now))
		return;
	sums->progress_ns = now_ns;
	summary_progress(&sums->progress, &now, now_ns - sums->shown->start_ns, stderr);
}

bool sums_tick(struct sums *sums, __u64 now_ns)
{
	if (!sums)
		return true;
	if (sums->top)
		return top_tick(sums->top, now_ns);
	if (sums->options.summary)
		show_progress(sums, now_ns);
	return true;
}

void sums_stop(struct sums *sums)
{
	if (!sums)
		return;
	if (sums->options.summary && !sums->options.top)
		summary_progress_end(stderr);
	top_close(sums->top);
	sums->top = NULL;
	page_server_close(sums->server);
	sums->server = NULL;
}

int sums_report(struct sums *sums, __u64 now_ns)
{
	__u64 elapsed_ns;
	int err;

	if (!sums || !sums->options.summary)
		return EXIT_DONE;
	elapsed_ns = now_ns - sums->shown->start_ns;
	err = totals_read(sums->dp, &sums->told, true);
	if (err) {
		log_error(NULL, "the sums could not be read: %s", strerror(-err));
		return EXIT_FAILED;
	}
	return summary_report(&sums->told, elapsed_ns, sums->options.json);
}

void sums_close(struct sums *sums)
{
	if (!sums)
		return;
	sums_stop(sums);
	summary_clear(&sums->told);
	pthread_mutex_destroy(&sums->lock);
	free(sums);
}
