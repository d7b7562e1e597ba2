// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "net/xsk.h"
#include "traffic/pace.h"
#include "traffic/sender.h"
#include "util/clock.h"
#include "util/log.h"

#define WAKE_UP_NS 100000 /* what waking up from sleep may take: the rest of a long gap is spun through */

_Static_assert(CRAFT_MAX_BYTES <= XSK_MAX_FRAME_BYTES, "each frame has room in a chunk");

/* What is said of the stream in `run` counts frames that the kernel has completed; `craft` is ahead of it. */
struct af_xdp {
	struct sender sender;
	struct generator_run run;
	struct craft_config config;
	struct craft_state craft;
	struct xsk *xsk;
	uint64_t interval; /* << PACE_SHIFT */
	bool own_timing;
};

static void af_xdp_close(struct sender *sender)
{
	struct af_xdp *af_xdp = (struct af_xdp *)sender;

	xsk_close(af_xdp->xsk);
	free(sender->slots);
	free(af_xdp);
}

static int open_parts(struct af_xdp *af_xdp, const struct sender_config *config)
{
	if (config->replay) {
		af_xdp->own_timing = config->replay->own_timing;
		af_xdp->sender.slots = calloc(REPLAY_SLOTS, sizeof(*af_xdp->sender.slots));
		if (!af_xdp->sender.slots)
			return -ENOMEM;
	} else {
		af_xdp->config = *config->craft;
		af_xdp->craft.flow = config->craft->flow_start;
	}
	return xsk_open_tx(&af_xdp->xsk, config->iface, config->index);
}

static int af_xdp_open(struct sender **sender, const struct sender_config *config)
{
	struct af_xdp *af_xdp;
	int err;

	if (config->constant)
		return -EOPNOTSUPP;
	if (config->index >= config->iface->rx_queues)
		return -ECHRNG;
	af_xdp = calloc(1, sizeof(*af_xdp));
	if (!af_xdp)
		return -ENOMEM;
	af_xdp->sender = (struct sender){.ops = &sender_af_xdp, .run = &af_xdp->run, .program = -1};
	af_xdp->interval = pace_interval(config->rate_pps);
	err = open_parts(af_xdp, config);
	if (err) {
		af_xdp_close(&af_xdp->sender);
		return err;
	}
	*sender = &af_xdp->sender;
	return 0;
}

static bool is_stopped(const struct af_xdp *af_xdp)
{
	return __atomic_load_n(&af_xdp->run.stop, __ATOMIC_RELAXED);
}

/* As make_frame() of bpf/generate.bpf.c. Returns the frame's bytes. */
static uint32_t make_frame(struct af_xdp *af_xdp, uint64_t now_ns, void *frame)
{
	const struct craft_config *config = &af_xdp->config;
	struct craft_turn turn;
	uint32_t shape;

	if (!craft_wants_time(config, &af_xdp->craft))
		now_ns = 0;
	else if (!now_ns)
		now_ns = clock_monotonic_ns();
	shape = craft_next(config, &af_xdp->craft, now_ns, &turn);
	craft_write(config, &config->shape[shape], &turn, frame);
	return turn.bytes;
}

/* The slot of the next frame of a replay; NULL: it has not been read yet. */
static const struct replay_slot *next_slot(struct af_xdp *af_xdp)
{
	struct replay_run *replay = &af_xdp->run.replay;

	return replay_has_next(replay, af_xdp->craft.number) ? &af_xdp->sender.slots[replay->slot] : NULL;
}

/* As xl_replay() of bpf/generate.bpf.c. Returns the frame's bytes. */
static uint32_t copy_frame(struct af_xdp *af_xdp, void *frame)
{
	const struct replay_slot *slot = next_slot(af_xdp);

	memcpy(frame, slot->frame, slot->bytes);
	replay_step(&af_xdp->run.replay);
	af_xdp->craft.number++;
	return slot->bytes;
}

static bool is_due(struct af_xdp *af_xdp, uint64_t now_ns)
{
	if (af_xdp->own_timing)
		return replay_ahead_ns(&af_xdp->run, next_slot(af_xdp), now_ns) <= 0;
	return pace_due(&af_xdp->run, af_xdp->interval, now_ns);
}

static void note_begin(struct af_xdp *af_xdp, uint64_t now_ns)
{
	if (!af_xdp->run.craft.first_ns)
		af_xdp->run.craft.first_ns = now_ns ? now_ns : clock_monotonic_ns();
}

/* Returns whether a frame was added: there was one to send, there was room, and it was due. */
static bool add_frame(struct af_xdp *af_xdp)
{
	bool is_replay = af_xdp->sender.slots;
	uint64_t now_ns = 0;
	void *frame;

	if (af_xdp->craft.number >= af_xdp->run.limit || is_stopped(af_xdp))
		return false;
	if (is_replay && !next_slot(af_xdp))
		return false;
	frame = xsk_tx_next(af_xdp->xsk);
	if (!frame)
		return false;
	if (af_xdp->interval || af_xdp->own_timing) {
		now_ns = clock_monotonic_ns();
		if (!is_due(af_xdp, now_ns))
			return false;
	}
	note_begin(af_xdp, now_ns);
	xsk_tx_add(af_xdp->xsk, is_replay ? copy_frame(af_xdp, frame) : make_frame(af_xdp, now_ns, frame));
	return true;
}

static void take_stock(struct af_xdp *af_xdp)
{
	uint64_t completed = xsk_tx_completed(af_xdp->xsk);

	if (completed == af_xdp->run.craft.number)
		return;
	af_xdp->run.craft.last_ns = clock_monotonic_ns();
	replay_store(&af_xdp->run.craft.number, completed);
}

/* With nothing under way: the next frame is not due or not read yet, or the stream is over. */
static void wait(struct af_xdp *af_xdp)
{
	struct generator_run *run = &af_xdp->run;
	uint64_t due_ns = 0;

	if (af_xdp->sender.slots && !next_slot(af_xdp)) {
		sched_yield();
	} else if (af_xdp->own_timing) {
		due_ns = run->start_ns + replay_due_ns(&run->replay, next_slot(af_xdp));
	} else if (af_xdp->interval) {
		pace_rebase(run);
		due_ns = run->start_ns + (run->due >> PACE_SHIFT);
	}
	if (due_ns > clock_monotonic_ns() + PACE_SLEEP_NS)
		pace_sleep_until(due_ns - WAKE_UP_NS);
}

/* As many frames as the kernel takes at a time, or as are due. */
static int send_some(struct af_xdp *af_xdp)
{
	unsigned int added = 0;
	int err;

	while (added < XSK_TX_BATCH && add_frame(af_xdp))
		added++;
	if (!added && af_xdp->run.craft.number == af_xdp->craft.number) {
		wait(af_xdp);
		return 0;
	}
	err = xsk_tx_kick(af_xdp->xsk);
	take_stock(af_xdp);
	if (!added)
		sched_yield(); /* the far end has to take some first */
	return err;
}

static int af_xdp_send(struct sender *sender)
{
	struct af_xdp *af_xdp = (struct af_xdp *)sender;
	int err = 0;

	while (!err && !is_stopped(af_xdp) && af_xdp->craft.number < af_xdp->run.limit)
		err = send_some(af_xdp);
	if (!err)
		err = xsk_tx_drain(af_xdp->xsk);
	take_stock(af_xdp);
	return err == -ENXIO ? -ENODEV : err; /* the kernel has taken the socket off a device that goes */
}

static int af_xdp_say_error(const struct iface *iface, int err)
{
	char cure[64];

	if (err != -ECHRNG)
		return xsk_say_error(iface->name, err);
	snprintf(cure, sizeof(cure), "--threads %u, or more queues: ethtool -L %s", iface->rx_queues,
		 iface->name);
	log_error(cure, "%s: AF_XDP needs a queue for each thread, and there %s %u", iface->name,
		  iface->rx_queues == 1 ? "is" : "are", iface->rx_queues);
	return EXIT_FAILED;
}

const struct sender_ops sender_af_xdp = {
	.name = "AF_XDP",
	.open = af_xdp_open,
	.send = af_xdp_send,
	.close = af_xdp_close,
	.say_error = af_xdp_say_error,
};
