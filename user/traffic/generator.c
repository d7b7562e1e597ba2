// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "command.h"
#include "traffic/generator.h"
#include "traffic/taken.h"
#include "util/clock.h"
#include "util/log.h"

#define WATCH_NS    (2 * NS_PER_MS)  /* how late the end of a stream may be noticed */
#define LOOK_NS     (20 * NS_PER_MS) /* how late, that its interface has gone */
#define SETUP_NS    (25 * NS_PER_MS) /* a thread's live frames, for which the kernel waits for all CPUs */
#define WAKE_SIGNAL SIGUSR1

struct worker {
	struct generator *generator;
	struct craft_config craft;
	struct sender *sender;
	pthread_t thread;
	int cpu;
	bool started; /* and not joined */
	bool done;    /* written by the thread, read by the watcher */
	int err;
};

struct generator {
	struct generator_options options;
	const struct sender_ops *ops;
	struct taken *taken;
	struct worker *workers;
	unsigned int threads;
	uint64_t start_ns, end_ns, looked_ns;
	bool stopping;
	int gone_err;
};

/* In the order of preference. */
static const struct sender_ops *const ways[] = {&sender_live, &sender_af_xdp, NULL};

/* The nth of the CPUs that we may use, around and around. */
static int nth_cpu(unsigned int n)
{
	cpu_set_t allowed;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		return -1;
	n %= CPU_COUNT(&allowed);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &allowed) && n-- == 0)
			return cpu;
	return -1;
}

/* Thread @index makes as even a share of @count as there is, in whole handshakes as far as they go. */
static uint64_t share(const struct generator *generator, uint64_t count, unsigned int index)
{
	unsigned int unit = generator->options.plan->kind == CRAFT_HANDSHAKE ? CRAFT_SHAPES : 1;
	uint64_t units = count / unit, threads = generator->threads;

	return (units / threads + (index < units % threads)) * unit +
	       (index == units % threads ? count % unit : 0);
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t wanted_frames(const struct generator_options *options)
{
	uint64_t wanted = options->count ? options->count : UINT64_MAX;

	if (options->replay)
		wanted = smaller(wanted, replay_frames(options->replay));
	if (options->duration_ns && options->rate_pps > 0)
		wanted = smaller(wanted,
				 (uint64_t)(options->rate_pps * options->duration_ns / NS_PER_S + 0.5));
	return wanted ? wanted : 1; /* the first is due at once */
}

static int make_craft(struct worker *worker, unsigned int index, struct sender_config *config)
{
	char why[160];

	if (plan_craft(worker->generator->options.plan, index, &worker->craft, why, sizeof(why))) {
		log_error(NULL, "%s", why);
		return -EINVAL;
	}
	config->craft = &worker->craft;
	return 0;
}

static int open_worker(struct generator *generator, struct worker *worker, unsigned int index)
{
	const struct generator_options *options = &generator->options;
	uint64_t wanted = wanted_frames(options);
	struct sender_replay replay;
	struct sender_config config = {
		.index = index,
		.iface = options->iface,
		.rate_pps = options->rate_pps / generator->threads,
		.constant = options->constant,
	};
	int err = 0;

	worker->generator = generator;
	worker->cpu = nth_cpu(index);
	if (options->replay) {
		replay = replay_for_sender(options->replay);
		config.replay = &replay;
	} else {
		err = make_craft(worker, index, &config);
	}
	if (!err)
		err = generator->ops->open(&worker->sender, &config);
	if (!err)
		worker->sender->run->limit = wanted == UINT64_MAX ? wanted : share(generator, wanted, index);
	return err;
}

static void close_workers(struct generator *generator)
{
	for (unsigned int i = 0; i < generator->threads; i++) {
		if (generator->workers[i].sender)
			generator->ops->close(generator->workers[i].sender);
		generator->workers[i].sender = NULL;
	}
}

static int open_workers(struct generator *generator)
{
	int err = 0;

	for (unsigned int i = 0; i < generator->threads && !err; i++)
		err = open_worker(generator, &generator->workers[i], i);
	if (err)
		close_workers(generator);
	return err;
}

/* The first way that the kernel has. */
static int choose_way(struct generator *generator)
{
	int err = -EOPNOTSUPP;

	for (const struct sender_ops *const *way = ways; *way && err == -EOPNOTSUPP; way++) {
		if (*way == &sender_live && generator->options.no_live_frames)
			continue;
		generator->ops = *way;
		err = open_workers(generator);
	}
	return err;
}

static int open_parts(struct generator *generator)
{
	const char *ifname = generator->options.iface->name;
	int err = choose_way(generator);

	if (err == -EINVAL)
		return EXIT_USAGE; /* plan_craft() has said what is wrong */
	if (err)
		return generator->ops->say_error(generator->options.iface, err);
	if (generator_is_live(generator) && taken_open(&generator->taken, generator->options.iface->index))
		log_warn(NULL,
			 "%s: the kernel's tracepoints cannot be read: frames that its driver refuses "
			 "count as sent",
			 ifname);
	return 0;
}

int generator_open(struct generator **result, const struct generator_options *options)
{
	struct generator *generator = calloc(1, sizeof(*generator));
	int err;

	if (!generator)
		return EXIT_FAILED;
	generator->options = *options;
	generator->threads = options->plan->threads;
	generator->workers = calloc(generator->threads, sizeof(*generator->workers));
	err = generator->workers ? open_parts(generator) : EXIT_FAILED;
	if (err) {
		generator_close(generator);
		return err;
	}
	*result = generator;
	return 0;
}

const char *generator_way(const struct generator *generator)
{
	return generator->ops->name;
}

bool generator_is_live(const struct generator *generator)
{
	return generator->ops == &sender_live;
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	if (cpu < 0)
		return;
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void *work(void *context)
{
	struct worker *worker = context;

	pin(worker->cpu);
	worker->err = worker->generator->ops->send(worker->sender);
	__atomic_store_n(&worker->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static void wake(int signal)
{
	(void)signal;
}

/* Signals for the process are the watcher's; the workers get only the one that interrupts what they are in. */
static int start_worker(struct worker *worker)
{
	sigset_t blocked, before;
	int err;

	sigfillset(&blocked);
	sigdelset(&blocked, WAKE_SIGNAL);
	pthread_sigmask(SIG_SETMASK, &blocked, &before);
	err = pthread_create(&worker->thread, NULL, work, worker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	worker->started = !err;
	return -err;
}

/* The threads of a paced stream take turns, from a time on by which the kernel has set all of them up. */
static void set_turns(struct generator *generator)
{
	double rate_pps = generator->options.rate_pps;
	uint64_t start_ns = generator->start_ns + generator->threads * SETUP_NS;

	for (unsigned int i = 0; i < generator->threads; i++)
		generator->workers[i].sender->run->start_ns = start_ns + (uint64_t)(NS_PER_S / rate_pps * i);
}

int generator_start(struct generator *generator)
{
	struct sigaction action = {.sa_handler = wake};
	struct replay *replay = generator->options.replay;
	int err = replay ? replay_start(replay, generator->workers[0].sender) : 0;

	sigaction(WAKE_SIGNAL, &action, NULL);
	generator->start_ns = clock_monotonic_ns();
	if (generator->threads > 1 && generator->options.rate_pps > 0)
		set_turns(generator);
	for (unsigned int i = 0; i < generator->threads && !err; i++)
		err = start_worker(&generator->workers[i]);
	if (err)
		generator_stop(generator);
	return err;
}

/* A thread that makes no more, or not for long, must be told: its system call waits for a signal. */
static bool worker_runs(struct worker *worker)
{
	struct generator_run *run = worker->sender->run;

	if (!worker->started || __atomic_load_n(&worker->done, __ATOMIC_ACQUIRE))
		return false;
	if (__atomic_load_n(&run->craft.number, __ATOMIC_RELAXED) >= run->limit || run->stop || run->rest)
		pthread_kill(worker->thread, WAKE_SIGNAL);
	return true;
}

static bool any_runs(struct generator *generator)
{
	bool runs = false;

	for (unsigned int i = 0; i < generator->threads; i++)
		runs |= worker_runs(&generator->workers[i]);
	return runs;
}

static void ask_to_stop(struct generator *generator)
{
	generator->stopping = true;
	for (unsigned int i = 0; i < generator->threads; i++)
		__atomic_store_n(&generator->workers[i].sender->run->stop, 1, __ATOMIC_RELAXED);
}

/* Where a device goes while frames are made for it, its end waits for ours. */
static void look_for_interface(struct generator *generator, uint64_t now_ns)
{
	struct iface iface;
	int err;

	if (generator->gone_err || now_ns - generator->looked_ns < LOOK_NS)
		return;
	generator->looked_ns = now_ns;
	err = iface_get_by_index(generator->options.iface->index, &iface);
	if (err == -ENODEV)
		generator->gone_err = err;
	else if (!err && !iface.up)
		generator->gone_err = -ENETDOWN;
	if (generator->gone_err)
		ask_to_stop(generator);
}

/* From the first frame to the last one that carried a time. Return: false where none did. */
static bool find_span(const struct generator *generator, uint64_t *first_ns, uint64_t *last_ns)
{
	*first_ns = UINT64_MAX;
	*last_ns = 0;
	for (unsigned int i = 0; i < generator->threads; i++) {
		const struct craft_state *craft = &generator->workers[i].sender->run->craft;
		uint64_t first = __atomic_load_n(&craft->first_ns, __ATOMIC_RELAXED);
		uint64_t last = __atomic_load_n(&craft->last_ns, __ATOMIC_RELAXED);

		if (first && first < *first_ns)
			*first_ns = first;
		if (last > *last_ns)
			*last_ns = last;
	}
	return *last_ns;
}

static uint64_t made(const struct generator *generator)
{
	uint64_t frames = 0;

	for (unsigned int i = 0; i < generator->threads; i++)
		frames += __atomic_load_n(&generator->workers[i].sender->run->craft.number, __ATOMIC_RELAXED);
	return frames;
}

/* How long a paced stream of so many frames lasts. */
static uint64_t paced_ns(const struct generator *generator, uint64_t frames)
{
	return (uint64_t)((double)frames * NS_PER_S / generator->options.rate_pps);
}

/*
 * When the stream is over by the clock. Each frame of a paced stream has its interval, also the last: N frames at a
 * rate last N / rate.
 */
static uint64_t over_ns(const struct generator *generator)
{
	const struct generator_options *options = &generator->options;
	uint64_t first_ns, last_ns, wanted = wanted_frames(options), lasts_ns = options->duration_ns;

	if (options->rate_pps > 0)
		lasts_ns = wanted == UINT64_MAX ? 0 : paced_ns(generator, wanted);
	if (!find_span(generator, &first_ns, &last_ns))
		first_ns = generator->start_ns;
	return lasts_ns ? first_ns + lasts_ns : UINT64_MAX;
}

static bool nap(uint64_t ns)
{
	struct timespec time = {.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};

	return !nanosleep(&time, NULL);
}

static bool any_failed(const struct generator *generator)
{
	for (unsigned int i = 0; i < generator->threads; i++)
		if (__atomic_load_n(&generator->workers[i].done, __ATOMIC_ACQUIRE) &&
		    generator->workers[i].err)
			return true;
	return false;
}

/* A paced stream goes on until its frames are sent and their time has passed, another until its time has passed. */
static bool goes_on(struct generator *generator, uint64_t now_ns, uint64_t end_ns)
{
	bool paced = generator->options.rate_pps > 0;

	look_for_interface(generator, now_ns);
	if ((now_ns >= end_ns && !paced) || any_failed(generator))
		ask_to_stop(generator);
	return any_runs(generator) || (paced && !generator->stopping && now_ns < end_ns &&
				       made(generator) == wanted_frames(&generator->options));
}

bool generator_wait(struct generator *generator, uint64_t wait_ns)
{
	uint64_t now_ns = clock_monotonic_ns(), until_ns = now_ns + wait_ns;
	bool runs;

	for (;;) {
		uint64_t end_ns = over_ns(generator);

		runs = goes_on(generator, now_ns, end_ns);
		if (!runs || now_ns >= until_ns)
			break;
		if (!nap(end_ns > now_ns && end_ns - now_ns < WATCH_NS ? end_ns - now_ns : WATCH_NS))
			break; /* a signal: the caller wants to know */
		now_ns = clock_monotonic_ns();
	}
	if (!runs && !generator->end_ns)
		generator_stop(generator);
	return runs;
}

void generator_stop(struct generator *generator)
{
	ask_to_stop(generator);
	while (any_runs(generator))
		nap(NS_PER_MS / 4);
	for (unsigned int i = 0; i < generator->threads; i++) {
		if (generator->workers[i].started)
			pthread_join(generator->workers[i].thread, NULL);
		generator->workers[i].started = false;
	}
	if (generator->options.replay)
		replay_stop(generator->options.replay);
	if (generator->start_ns && !generator->end_ns)
		generator->end_ns = clock_monotonic_ns();
}

/* Of a paced stream the last frame has its interval as well. */
static uint64_t elapsed_ns(const struct generator *generator)
{
	double rate_pps = generator->options.rate_pps;
	uint64_t first_ns, last_ns;

	if (find_span(generator, &first_ns, &last_ns))
		return last_ns - first_ns + (rate_pps > 0 ? paced_ns(generator, 1) : 0);
	if (!generator->start_ns)
		return 0;
	return (generator->end_ns ? generator->end_ns : clock_monotonic_ns()) - generator->start_ns;
}

void generator_read(const struct generator *generator, struct generator_report *report)
{
	struct taken_report taken;

	*report = (struct generator_report){.err = generator->gone_err, .made = made(generator)};
	for (unsigned int i = 0; i < generator->threads; i++) {
		const struct worker *worker = &generator->workers[i];

		report->running |= worker->started;
		if (!report->err && !worker->started)
			report->err = worker->err;
	}
	report->elapsed_ns = elapsed_ns(generator);
	report->taken_known = generator->taken && !taken_read(generator->taken, &taken);
	if (report->taken_known) {
		report->taken = taken.taken;
		report->refused = taken.refused;
	}
}

void generator_close(struct generator *generator)
{
	if (!generator)
		return;
	if (generator->workers && generator->ops) {
		if (generator->workers[0].sender)
			generator_stop(generator);
		close_workers(generator);
	}
	taken_close(generator->taken);
	free(generator->workers);
	free(generator);
}
