// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "command.h"
#include "traffic/guard.h"
#include "traffic/replay.h"
#include "traffic/sendable.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/stop.h"
#include "xdplife/fingerprint.h"

#define REFILL     (REPLAY_SLOTS / 4) /* so many slots must be free for it to be worth while */
#define NAP_MIN_NS (100 * NS_PER_US)
#define NAP_MAX_NS (10 * NS_PER_MS)

struct replay {
	struct replay_options options;
	struct replay_summary summary;
	struct sendable *frames;
	uint64_t *marks;
	size_t marks_count, marks_room;

	/* while it is played */
	struct generator_run *run;
	struct replay_slot *slots;
	pthread_t thread;
	bool started;
	uint64_t fed;      /* frames put into slots */
	uint64_t round_ns; /* when the round that is being read begins */
	bool changed;      /* the file is not what it was when it was checked */
	int err;
};

static void take_mark(const uint8_t *frame, uint32_t bytes, uint64_t *mark)
{
	union fingerprint_input input = {};

	bytes -= FINGERPRINT_OFF;
	memcpy(&input, frame + FINGERPRINT_OFF, bytes < sizeof(input) ? bytes : sizeof(input));
	*mark = fingerprint(&input);
}

static int add_mark(struct replay *replay, const struct sendable_frame *frame)
{
	if (replay->marks_count == REPLAY_MAX_MARKS) {
		log_error("no --sink", "%s has more than %u frames: too many for the sink to know them again",
			  replay->options.file, REPLAY_MAX_MARKS);
		return EXIT_FAILED;
	}
	if (replay->marks_count == replay->marks_room) {
		size_t room = replay->marks_room ? 2 * replay->marks_room : 1024;
		uint64_t *marks = reallocarray(replay->marks, room, sizeof(*marks));

		if (!marks) {
			log_error(NULL, "%s: %s", replay->options.file, strerror(ENOMEM));
			return EXIT_FAILED;
		}
		replay->marks = marks;
		replay->marks_room = room;
	}
	take_mark(frame->data, frame->bytes, &replay->marks[replay->marks_count++]);
	return 0;
}

static int check_frame(struct replay *replay, const struct sendable_frame *frame)
{
	struct replay_summary *summary = &replay->summary;

	summary->frames++;
	summary->bytes += frame->bytes;
	summary->duration_ns = frame->time_ns;
	if (frame->bytes > summary->largest_bytes)
		summary->largest_bytes = frame->bytes;
	return replay->options.marks ? add_mark(replay, frame) : 0;
}

static int check_file(struct replay *replay)
{
	struct sendable_frame frame;
	int got, err = 0;

	while (!err && (got = sendable_next(replay->frames, &frame)) == 1) {
		err = check_frame(replay, &frame);
		if (stop_requested())
			return EXIT_FAILED;
	}
	if (err)
		return err;
	if (got)
		return sendable_say_error(replay->frames);
	if (replay->summary.frames)
		return 0;
	log_error(NULL, "%s: there are no frames in it", replay->options.file);
	return EXIT_FAILED;
}

static void look_at_size(const struct replay *replay)
{
	const struct iface *iface = replay->options.iface;
	uint32_t largest = replay->summary.largest_bytes - ETH_HLEN;
	char cure[64];

	if (largest <= iface->mtu + sizeof(struct vlan_tag))
		return;
	snprintf(cure, sizeof(cure), "ip link set %s mtu %u, at both ends", iface->name, largest);
	log_warn(cure, "%s: its MTU is %u, and %s has larger packets, which will not arrive", iface->name,
		 iface->mtu, replay->options.file);
}

int replay_open(struct replay **result, const struct replay_options *options)
{
	const struct sendable_options sendable_options = {
		.file = options->file,
		.timed = options->own_timing,
		.owned = options->owned,
	};
	struct replay *replay = calloc(1, sizeof(*replay));
	int err;

	if (!replay)
		return EXIT_FAILED;
	replay->options = *options;
	err = guard_iface(options->iface, options->owned);
	if (!err)
		err = sendable_open(&replay->frames, &sendable_options);
	if (!err)
		err = check_file(replay);
	if (err) {
		replay_close(replay);
		return err;
	}
	look_at_size(replay);
	*result = replay;
	return 0;
}

const struct replay_summary *replay_summary(const struct replay *replay)
{
	return &replay->summary;
}

const uint64_t *replay_marks(const struct replay *replay, size_t *count)
{
	*count = replay->marks_count;
	return replay->marks;
}

uint64_t replay_frames(const struct replay *replay)
{
	uint64_t frames;

	if (!replay->options.rounds ||
	    __builtin_mul_overflow(replay->summary.frames, replay->options.rounds, &frames))
		return UINT64_MAX;
	return frames;
}

struct sender_replay replay_for_sender(const struct replay *replay)
{
	return (struct sender_replay){
		.largest_bytes = replay->summary.largest_bytes,
		.own_timing = replay->options.own_timing,
	};
}

/* A round follows the one before as its frames follow each other in the mean. */
static uint64_t period_ns(const struct replay *replay)
{
	const struct replay_summary *summary = &replay->summary;
	uint64_t gaps = summary->frames - 1;

	return summary->duration_ns + (gaps ? summary->duration_ns / gaps : 0);
}

static int note_change(struct replay *replay)
{
	replay->changed = true;
	return -EBADMSG;
}

/* What the checked file had, it must still have: the sender relies on it. */
static int read_frame(struct replay *replay, struct sendable_frame *frame)
{
	uint64_t index = replay->fed % replay->summary.frames;
	int got;

	if (!index) {
		int err = sendable_rewind(replay->frames);

		if (err)
			return err;
		replay->round_ns += replay->fed ? period_ns(replay) : 0;
	}
	got = sendable_next(replay->frames, frame);
	if (got < 0)
		return got;
	return got && frame->bytes <= replay->summary.largest_bytes ? 0 : note_change(replay);
}

static int fill_slot(struct replay *replay)
{
	struct replay_slot *slot = &replay->slots[replay->fed % REPLAY_SLOTS];
	struct sendable_frame frame;
	int err = read_frame(replay, &frame);

	if (err)
		return err;
	slot->due_ns = replay->round_ns + frame.time_ns;
	slot->bytes = frame.bytes;
	memcpy(slot->frame, frame.data, frame.bytes);
	if (replay->options.dst_mac)
		memcpy(slot->frame, replay->options.dst_mac, ETH_ALEN);
	if (replay->options.src_mac)
		memcpy(slot->frame + ETH_ALEN, replay->options.src_mac, ETH_ALEN);
	replay->fed++;
	return 0;
}

/* Up to @until frames in all. */
static void fill_slots(struct replay *replay, uint64_t until)
{
	if (until > replay->run->limit)
		until = replay->run->limit;
	while (!replay->err && replay->fed < until)
		replay->err = fill_slot(replay);
	if (replay->err)
		__atomic_store_n(&replay->run->limit, replay->fed, __ATOMIC_RELAXED);
	replay_store(&replay->run->replay.ready, replay->fed);
}

static bool is_over(const struct replay *replay)
{
	const struct generator_run *run = replay->run;

	return replay->err || __atomic_load_n(&run->stop, __ATOMIC_RELAXED) || replay->fed >= run->limit;
}

/* Naps get longer while there is little to do, and end before what was ready is gone. */
static void *feed(void *context)
{
	struct replay *replay = context;
	uint64_t nap_ns = NAP_MIN_NS;

	while (!is_over(replay)) {
		uint64_t room = replay_load(&replay->run->craft.number) + REPLAY_SLOTS - replay->fed;
		struct timespec nap = {.tv_nsec = nap_ns};

		if (room >= REFILL) {
			fill_slots(replay, replay->fed + room);
			nap_ns = NAP_MIN_NS;
		} else {
			nanosleep(&nap, NULL);
			nap_ns = 2 * nap_ns < NAP_MAX_NS ? 2 * nap_ns : NAP_MAX_NS;
		}
	}
	return NULL;
}

/* Signals are for other threads. */
static int start_thread(struct replay *replay)
{
	sigset_t blocked, before;
	int err;

	sigfillset(&blocked);
	pthread_sigmask(SIG_SETMASK, &blocked, &before);
	err = pthread_create(&replay->thread, NULL, feed, replay);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	replay->started = !err;
	return -err;
}

int replay_start(struct replay *replay, const struct sender *sender)
{
	bool fits = replay->summary.frames <= REPLAY_SLOTS;

	replay->run = sender->run;
	replay->slots = sender->slots;
	replay->run->replay.slots = fits ? replay->summary.frames : REPLAY_SLOTS;
	replay->run->replay.period_ns = fits ? period_ns(replay) : 0;
	fill_slots(replay, replay->run->replay.slots);
	if (!fits)
		return start_thread(replay);
	if (!replay->err)
		replay->run->replay.ready = UINT64_MAX;
	return 0;
}

void replay_stop(struct replay *replay)
{
	if (replay->started)
		pthread_join(replay->thread, NULL);
	replay->started = false;
}

bool replay_say_error(const struct replay *replay)
{
	if (replay->changed)
		log_error("a copy of it", "%s has changed since it was checked", replay->options.file);
	else if (replay->err)
		sendable_say_error(replay->frames);
	return replay->err;
}

void replay_close(struct replay *replay)
{
	if (!replay)
		return;
	sendable_close(replay->frames);
	free(replay->marks);
	free(replay);
}
