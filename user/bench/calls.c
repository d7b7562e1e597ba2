// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "bench/calls.h"
#include "bench/helper_calls.h"
#include "bench/rig.h"
#include "command.h"
#include "util/clock.h"
#include "util/log.h"

#define FRAMES 64 /* a multiple of those between two that carry a time */

/* The frames of the stream, one after the other, as the program meets them. */
struct feed {
	const struct craft_config *craft;
	struct craft_state state;
	__u8 frame[CRAFT_MAX_BYTES];
	struct xdp_md md;
	int prog_fd;
};

static struct bpf_test_run_opts next_frame(struct feed *feed)
{
	__u64 now_ns = craft_wants_time(feed->craft, &feed->state) ? clock_monotonic_ns() : 0;
	struct craft_turn turn;

	craft_next(feed->craft, &feed->state, now_ns, &turn);
	craft_write(feed->craft, &feed->craft->shape[0], &turn, feed->frame);
	feed->md.data_end = turn.bytes;
	return (struct bpf_test_run_opts){
		.sz = sizeof(struct bpf_test_run_opts),
		.data_in = feed->frame,
		.data_size_in = turn.bytes,
		.ctx_in = &feed->md,
		.ctx_size_in = sizeof(feed->md),
	};
}

/* What only the first frame of a connection causes is no part of what a frame costs. */
static int warm_up(struct feed *feed)
{
	int err = 0;

	for (__u32 i = 0; i < feed->craft->flows && !err; i++) {
		struct bpf_test_run_opts once = next_frame(feed);

		err = bpf_prog_test_run_opts(feed->prog_fd, &once);
	}
	return err;
}

static int add_helper(struct bench_program *sum, const struct bench_helper *helper)
{
	unsigned int i = 0;

	while (i < sum->helpers && strcmp(sum->helper[i].name, helper->name))
		i++;
	if (i == BENCH_HELPERS)
		return -E2BIG;
	if (i == sum->helpers) {
		sum->helper[sum->helpers++] = *helper;
		sum->helper[i].calls = 0;
	}
	sum->helper[i].calls += helper->calls / FRAMES;
	return 0;
}

static int count_frames(struct feed *feed, struct bench_program *result)
{
	int err = warm_up(feed);

	result->helpers = 0;
	for (int i = 0; i < FRAMES && !err; i++) {
		struct bpf_test_run_opts once = next_frame(feed);
		struct bench_program one;

		err = helper_calls_count(&one, feed->prog_fd, &once, 1);
		for (unsigned int j = 0; !err && j < one.helpers; j++)
			err = add_helper(result, &one.helper[j]);
	}
	return err;
}

static int count(struct rig *rig, const struct rig_program *program, struct bench_program *result)
{
	const struct craft_config *craft = rig_craft(rig);
	static struct feed feed;
	int ifindex = rig_enter(rig, program->role), err = ifindex;

	feed = (struct feed){
		.craft = craft,
		.state.flow = craft->flow_start,
		.md.ingress_ifindex = (__u32)ifindex,
		.prog_fd = program->fd,
	};
	if (ifindex > 0)
		err = count_frames(&feed, result);
	rig_leave(rig);
	return err;
}

static int count_all(struct rig *rig, struct bench_result *result)
{
	struct rig_program programs[BENCH_PROGRAMS];
	unsigned int found = rig_programs(rig, programs);
	int err = 0;

	for (unsigned int i = 0; i < found && i < result->programs && !err; i++)
		if (programs[i].xdp) /* those of tc have no stubs */
			err = count(rig, &programs[i], &result->program[i]);
	return err;
}

int calls_count(const struct scenario *scenario, struct bench_result *result)
{
	struct rig_options options = {0};
	struct helper_calls *calls = NULL;
	struct rig *rig = NULL;
	int err = helper_calls_open(&calls);

	if (!err)
		err = rig_open(&rig, scenario, &options) ? -EIO : 0;
	helper_calls_close(calls);
	if (!err)
		err = count_all(rig, result);
	rig_close(rig);
	if (err)
		log_error(NULL, "scenario %s: its helper calls cannot be counted: %s", scenario->name,
			  strerror(-err));
	return err ? EXIT_FAILED : 0;
}
