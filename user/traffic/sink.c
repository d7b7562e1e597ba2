// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "command.h"
#include "datapath/attach.h"
#include "datapath/loading.h"
#include "datapath/preflight.h"
#include "traffic/sink.h"
#include "util/log.h"

#include "generate.skel.h"

struct traffic_sink {
	struct generate_bpf *skel;
	struct bpf_program *program;
	const struct replay *replay;
	__u32 threads;
	int link; /* -1: none */
};

static struct bpf_program *choose_program(const struct generate_bpf *skel,
					  const struct traffic_sink_options *options)
{
	if (options->replay)
		return skel->progs.xl_sink_replay;
	return options->after_stack ? skel->progs.xl_sink_tc : skel->progs.xl_sink;
}

/* What the sink is to know again. */
static int fill_marks(const struct traffic_sink *sink)
{
	int map = bpf_map__fd(sink->skel->maps.replay_marks), err = 0;
	const __u32 nothing = 0;
	const uint64_t *marks;
	size_t count;

	marks = replay_marks(sink->replay, &count);
	for (size_t i = 0; i < count && !err; i++)
		err = bpf_map_update_elem(map, &marks[i], &nothing, BPF_ANY);
	return err;
}

static int load_for_replay(struct traffic_sink *sink)
{
	size_t count;
	int err;

	replay_marks(sink->replay, &count);
	sink->threads = 1;
	err = bpf_map__set_max_entries(sink->skel->maps.replay_marks, count);
	if (!err)
		err = generate_bpf__load(sink->skel);
	return err ? err : fill_marks(sink);
}

static int load_for_craft(struct traffic_sink *sink, const struct traffic_sink_options *options,
			  const struct iface *iface)
{
	const struct craft_config *craft = options->craft;
	struct generate_bpf *skel = sink->skel;
	int err;

	memcpy((void *)&skel->rodata->craft, craft, sizeof(*craft));
	/* In front of the stack it runs on whatever CPU the frame was sent from. */
	*(__u32 *)&skel->rodata->several_cpus = options->after_stack || iface->rx_queues > 1;
	sink->threads = craft->threads;
	bpf_map__set_autocreate(skel->maps.replay_marks, false);
	err = bpf_map__set_max_entries(skel->maps.sink_streams, sink->threads);
	return err ? err : generate_bpf__load(skel);
}

static int load(struct traffic_sink *sink, const struct traffic_sink_options *options,
		const struct iface *iface)
{
	struct generate_bpf *skel = generate_bpf__open();
	struct bpf_program *program;

	if (!skel)
		return -errno;
	sink->skel = skel;
	sink->replay = options->replay;
	sink->program = choose_program(skel, options);
	bpf_object__for_each_program(program, skel->obj)
		bpf_program__set_autoload(program, program == sink->program);
	bpf_map__set_autocreate(skel->maps.replay_slots, false);
	loading_announce(skel->obj);
	return sink->replay ? load_for_replay(sink) : load_for_craft(sink, options, iface);
}

static int attach(struct traffic_sink *sink, const struct traffic_sink_options *options,
		  const struct iface *iface)
{
	bool native;

	if (options->after_stack)
		return attach_ingress(bpf_program__fd(sink->program), iface->name, iface->index, &sink->link);
	return attach_xdp(bpf_program__fd(sink->program), iface->name, iface->index, &sink->link, &native);
}

int traffic_sink_open(struct traffic_sink **result, const struct traffic_sink_options *options)
{
	struct traffic_sink *sink;
	struct iface iface;
	int err = preflight_iface(options->ifname, &iface);

	if (err)
		return err;
	sink = calloc(1, sizeof(*sink));
	if (!sink)
		return EXIT_FAILED;
	sink->link = -1;
	err = load(sink, options, &iface);
	if (err) {
		log_error(preflight_load_cure(err), "%s: the sink could not be loaded: %s", iface.name,
			  strerror(-err));
		err = EXIT_NEEDS;
	} else {
		err = attach(sink, options, &iface);
	}
	if (err) {
		traffic_sink_close(sink);
		return err;
	}
	*result = sink;
	return 0;
}

static int read_streams(const struct traffic_sink *sink, struct sink_report *report)
{
	struct sink_stream *stream = malloc(sizeof(*stream));
	int err = stream ? 0 : -ENOMEM;

	for (__u32 i = 0; i < sink->threads && !err; i++) {
		err = bpf_map_lookup_elem_flags(bpf_map__fd(sink->skel->maps.sink_streams), &i, stream, 0);
		if (err)
			break;
		report->received += stream->received;
		report->bytes += stream->bytes;
		report->reordered += stream->reordered;
		report->duplicates += stream->duplicates;
		report->stale += stream->stale;
	}
	free(stream);
	report->unique = report->received - report->duplicates - report->stale;
	report->others = sink->skel->bss->sink_others;
	return err;
}

static int read_latency(const struct traffic_sink *sink, struct sink_report *report)
{
	int cpus = libbpf_num_possible_cpus(), err = 0;
	__u64 *each = cpus < 0 ? NULL : calloc(cpus, sizeof(*each));

	if (!each)
		return -ENOMEM;
	for (__u32 i = 0; i < HISTOGRAM_BUCKETS && !err; i++) {
		err = bpf_map_lookup_elem(bpf_map__fd(sink->skel->maps.sink_latency), &i, each);
		for (int cpu = 0; cpu < cpus && !err; cpu++)
			report->latency[i] += each[cpu];
		report->measured += report->latency[i];
	}
	free(each);
	return err;
}

int traffic_sink_read(const struct traffic_sink *sink, struct sink_report *report)
{
	int err;

	memset(report, 0, sizeof(*report));
	report->numbered = !sink->replay;
	err = read_streams(sink, report);
	return err ? err : read_latency(sink, report);
}

__u64 traffic_sink_received(const struct traffic_sink *sink)
{
	struct sink_report report = {0};

	return read_streams(sink, &report) ? 0 : report.received;
}

int traffic_sink_reset(struct traffic_sink *sink)
{
	int cpus = libbpf_num_possible_cpus(), err = 0;
	struct sink_stream *stream = calloc(1, sizeof(*stream));
	__u64 *each = cpus < 0 ? NULL : calloc(cpus, sizeof(*each));

	if (!stream || !each)
		err = -ENOMEM;
	for (__u32 i = 0; i < sink->threads && !err; i++)
		err = bpf_map_update_elem(bpf_map__fd(sink->skel->maps.sink_streams), &i, stream, BPF_EXIST);
	for (__u32 i = 0; i < HISTOGRAM_BUCKETS && !err; i++)
		err = bpf_map_update_elem(bpf_map__fd(sink->skel->maps.sink_latency), &i, each, BPF_EXIST);
	sink->skel->bss->sink_others = 0;
	free(stream);
	free(each);
	return err;
}

int traffic_sink_program(const struct traffic_sink *sink)
{
	return bpf_program__fd(sink->program);
}

void traffic_sink_close(struct traffic_sink *sink)
{
	if (!sink)
		return;
	if (sink->link >= 0)
		close(sink->link);
	generate_bpf__destroy(sink->skel);
	free(sink);
}

double sink_latency_ns(const struct sink_report *report, double fraction)
{
	double wanted = fraction * report->measured;
	__u64 below = 0;

	for (__u32 i = 0; i < HISTOGRAM_BUCKETS; i++) {
		below += report->latency[i];
		if (report->latency[i] && below >= wanted)
			return (histogram_floor(i) + histogram_floor(i + 1)) / 2.0;
	}
	return NAN;
}
