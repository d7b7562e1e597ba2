// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "command.h"
#include "datapath/loading.h"
#include "datapath/preflight.h"
#include "net/netns.h"
#include "traffic/pace.h"
#include "traffic/plan.h"
#include "traffic/sender.h"
#include "util/clock.h"
#include "util/log.h"

#include "generate.skel.h"

/*
 * Frames between two looks at the receiver's queue: at least 16 go to the driver at a time, and the 256 places of a veth
 * must not run over. Paced, no more than what is due within a few microseconds, or the first would wait for the last.
 */
#define BATCH_MAX    64
#define BATCH_NS     16000
#define MAX_REPEAT   (1u << 31)

/*
 * When to begin a call that is to send at a given time. For each with more than one turn the kernel enters the program
 * into its XDP dispatcher and waits for RCU, 20 ms and more (6.18: net/bpf/test_run.c, bpf_prog_change_xdp()).
 */
#define COME_BACK_NS (200 * NS_PER_MS)

struct live {
	struct sender sender;
	struct generate_bpf *skel;
	struct bpf_program *program;
	unsigned int ifindex, netns; /* the number means another interface in another namespace */
	uint32_t batch;
	uint64_t interval; /* << PACE_SHIFT */
	bool own_timing;
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

static struct bpf_program *choose_program(const struct generate_bpf *skel, const struct sender_config *config)
{
	if (config->replay)
		return skel->progs.xl_replay;
	return config->constant ? skel->progs.xl_constant : skel->progs.xl_generate;
}

static int load(struct live *live, const struct sender_config *config)
{
	struct generate_bpf *skel = generate_bpf__open();
	struct bpf_program *program;

	if (!skel)
		return -errno;
	live->skel = skel;
	live->program = choose_program(skel, config);
	if (config->craft)
		memcpy((void *)&skel->rodata->craft, config->craft, sizeof(*config->craft));
	*(__u64 *)&skel->rodata->pace_interval = live->interval;
	*(__u32 *)&skel->rodata->own_timing = live->own_timing;
	bpf_object__for_each_program(program, skel->obj)
		bpf_program__set_autoload(program, program == live->program);
	bpf_map__set_autocreate(skel->maps.sink_streams, false);
	bpf_map__set_autocreate(skel->maps.sink_latency, false);
	bpf_map__set_autocreate(skel->maps.replay_marks, false);
	bpf_map__set_autocreate(skel->maps.replay_slots, config->replay);
	loading_announce(skel->obj);
	return generate_bpf__load(skel);
}

static int map_slots(struct live *live)
{
	void *slots = mmap(NULL, REPLAY_SLOTS * sizeof(struct replay_slot), PROT_READ | PROT_WRITE,
			   MAP_SHARED, bpf_map__fd(live->skel->maps.replay_slots), 0);

	if (slots == MAP_FAILED)
		return -errno;
	live->sender.slots = slots;
	return 0;
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

	if (sender->slots)
		munmap(sender->slots, REPLAY_SLOTS * sizeof(struct replay_slot));
	generate_bpf__destroy(live->skel);
	free(live);
}

static int open_program(struct live *live, const struct sender_config *config)
{
	int err = load(live, config);

	if (err)
		return err;
	live->sender.run = &live->skel->bss->run;
	live->sender.program = bpf_program__fd(live->program);
	if (config->replay)
		err = map_slots(live);
	else
		live->sender.run->craft.flow = config->craft->flow_start;
	return err ? err : probe(live);
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
	live->interval = pace_interval(config->rate_pps);
	if (config->replay) {
		live->own_timing = config->replay->own_timing;
		live->frame_bytes = config->replay->largest_bytes;
	} else {
		live->frame_bytes = plan_first_frame(config->craft, live->frame);
	}
	err = open_program(live, config);
	if (err) {
		live_close(&live->sender);
		return err;
	}
	*sender = &live->sender;
	return 0;
}

/* A replay at its own times: the program waits for the next frame, unless it is far. */
static int replay_some(struct live *live)
{
	struct generator_run *run = live->sender.run;
	const struct replay_slot *next = &live->sender.slots[run->replay.slot];

	if (run->rest) {
		run->rest = 0;
		pace_sleep_until(run->start_ns + replay_due_ns(&run->replay, next) - COME_BACK_NS);
	}
	return run->stop ? -EINTR : test_run(live, MAX_REPEAT, live->batch);
}

/* One call: as much as there is to do, or one frame of a slow stream when its time has come. */
static int send_some(struct live *live)
{
	struct generator_run *run = live->sender.run;
	uint64_t turns = run->limit - run->craft.number + 1; /* in the last one the program notes the end */

	if (live->own_timing)
		return replay_some(live);
	if (!live->interval) /* a replay may have to wait for the file */
		return test_run(live, turns < MAX_REPEAT && !live->sender.slots ? turns : MAX_REPEAT,
				turns < live->batch ? turns : live->batch);
	pace_rebase(run);
	if (live->interval >> PACE_SHIFT < PACE_SLEEP_NS)
		return test_run(live, MAX_REPEAT, live->batch);
	pace_sleep_until(run->start_ns + (run->due >> PACE_SHIFT));
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

static int live_say_error(const struct iface *iface, int err)
{
	log_error(preflight_load_cure(err), "%s: nothing can be sent: %s", iface->name, strerror(-err));
	return EXIT_NEEDS;
}

const struct sender_ops sender_live = {
	.name = "live frames",
	.open = live_open,
	.send = live_send,
	.close = live_close,
	.say_error = live_say_error,
};
