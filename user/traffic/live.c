// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "datapath/loading.h"
#include "net/netns.h"
#include "traffic/plan.h"
#include "traffic/sender.h"
#include "util/clock.h"

#include "generate.skel.h"

/*
 * Frames between two looks at the receiver's queue: at least 16 go to the driver at a time, and the 256 places of a veth
 * must not run over. Paced, no more than what is due within a few microseconds, or the first would wait for the last.
 */
#define BATCH_MAX    64
#define BATCH_NS     16000
#define MAX_REPEAT   (1u << 31)
#define SLOW_PACE_NS 500000 /* above this between two frames we sleep; below, the program waits, and spins */

struct live {
	struct sender sender;
	struct generate_bpf *skel;
	struct bpf_program *program;
	unsigned int ifindex, netns; /* the number means another interface in another namespace */
	uint32_t batch;
	uint64_t interval; /* << PACE_SHIFT */
	uint32_t frame_bytes;
	__u8 frame[CRAFT_MAX_BYTES];
};

static uint32_t batch_size(double rate_pps)
{
	double due = rate_pps * BATCH_NS / NS_PER_S;

	if (!(rate_pps > 0) || due > BATCH_MAX)
		return BATCH_MAX;
	return due < 1 ? 1 : (uint32_t)due;
}

static int load(struct live *live, const struct sender_config *config)
{
	struct generate_bpf *skel = generate_bpf__open();
	struct bpf_program *program;

	if (!skel)
		return -errno;
	live->skel = skel;
	live->program = config->constant ? skel->progs.xl_constant : skel->progs.xl_generate;
	memcpy((void *)&skel->rodata->craft, config->craft, sizeof(*config->craft));
	*(__u64 *)&skel->rodata->pace_interval = live->interval;
	bpf_object__for_each_program(program, skel->obj)
		bpf_program__set_autoload(program, program == live->program);
	bpf_map__set_autocreate(skel->maps.sink_streams, false);
	bpf_map__set_autocreate(skel->maps.sink_latency, false);
	loading_announce(skel->obj);
	return generate_bpf__load(skel);
}

static int test_run(struct live *live, uint32_t repeat, uint32_t batch)
{
	struct xdp_md md = {.data_end = live->frame_bytes, .ingress_ifindex = live->ifindex};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = live->frame, .data_size_in = live->frame_bytes,
		    .ctx_in = &md, .ctx_size_in = sizeof(md), .repeat = repeat, .batch_size = batch,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES);

	return bpf_prog_test_run_opts(bpf_program__fd(live->program), &opts);
}

/* Kernels before 5.18 refuse the flag. */
static int probe(struct live *live)
{
	int err;

	live->sender.run->limit = 0; /* each frame is dropped */
	err = test_run(live, 1, 1);
	return err == -EINVAL ? -EOPNOTSUPP : err;
}

static void live_close(struct sender *sender)
{
	struct live *live = (struct live *)sender;

	generate_bpf__destroy(live->skel);
	free(live);
}

static int live_open(struct sender **sender, const struct sender_config *config)
{
	struct live *live = calloc(1, sizeof(*live));
	int err;

	if (!live)
		return -ENOMEM;
	live->sender.ops = &sender_live;
	live->ifindex = config->iface->index;
	live->netns = netns_inum();
	live->batch = batch_size(config->rate_pps);
	live->interval = sender_interval(config->rate_pps);
	live->frame_bytes = plan_first_frame(config->craft, live->frame);
	err = load(live, config);
	if (!err) {
		live->sender.run = &live->skel->bss->run;
		live->sender.program = bpf_program__fd(live->program);
		live->sender.run->craft.flow = config->craft->flow_start;
		err = probe(live);
	}
	if (err) {
		live_close(&live->sender);
		return err;
	}
	*sender = &live->sender;
	return 0;
}

/* The time is kept as a difference from start_ns, which must not grow for ever: 48 bits hold 78 hours. */
static void rebase(struct generator_run *run)
{
	run->start_ns += run->due >> PACE_SHIFT;
	run->due &= (1 << PACE_SHIFT) - 1;
}

static void sleep_until(uint64_t when_ns)
{
	struct timespec when = {.tv_sec = when_ns / NS_PER_S, .tv_nsec = when_ns % NS_PER_S};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL);
}

/* One call: as much as there is to do, or one frame of a slow stream when its time has come. */
static int send_some(struct live *live)
{
	struct generator_run *run = live->sender.run;
	uint64_t turns = run->limit - run->craft.number + 1; /* in the last one the program notes the end */

	if (!live->interval)
		return test_run(live, turns < MAX_REPEAT ? turns : MAX_REPEAT,
				turns < live->batch ? turns : live->batch);
	rebase(run);
	if (live->interval >> PACE_SHIFT < SLOW_PACE_NS)
		return test_run(live, MAX_REPEAT, live->batch);
	sleep_until(run->start_ns + (run->due >> PACE_SHIFT));
	return test_run(live, 1, 1);
}

static int live_send(struct sender *sender)
{
	struct live *live = (struct live *)sender;
	struct generator_run *run = sender->run;
	int err = netns_inum() == live->netns ? 0 : -EXDEV;

	while (!err && !__atomic_load_n(&run->stop, __ATOMIC_RELAXED) &&
	       __atomic_load_n(&run->craft.number, __ATOMIC_RELAXED) < run->limit) {
		err = send_some(live);
		if (err == -EINTR)
			err = 0;
	}
	return err;
}

const struct sender_ops sender_live = {
	.name = "live frames",
	.open = live_open,
	.send = live_send,
	.close = live_close,
};
