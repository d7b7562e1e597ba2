// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>

#include "bench/cpu_time.h"
#include "bench/peer.h"
#include "bench/rig.h"
#include "bench/split.h"
#include "command.h"
#include "datapath/loading.h"
#include "traffic/generator.h"
#include "traffic/sink.h"
#include "traffic/taken.h"
#include "traffic/target.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/stop.h"

#define SEED        1
#define STAMP_EVERY 64 /* at full speed; at a rate every frame carries its time */
#define SETTLE_NS   (2 * NS_PER_MS)
#define SETTLE_MOST 250
/* How late the last frame may be; what comes on top is for being preempted. */
#define LATE_FACTOR 1.01
#define LATE_S      0.002

struct rig {
	const struct scenario *scenario;
	struct rig_options options;
	struct topology *topology;
	struct device *device;
	struct traffic_sink *sink;
	struct traffic_plan plan;
	struct craft_config craft;
	struct iface iface;         /* c0 */
	int held;                   /* link; -1: none */
	struct sender *sender;      /* NULL: the peer */
	struct taken *taken;        /* live frames only */
	char peer[PEER_TEXT_BYTES]; /* what trafgen is told */
	/* Streams that are over: the sink counts anew for each. */
	__u64 sent, received, duplicates, reordered, others;
	struct rtnl_link_stats64 before[PORTS];
	struct program_logs logs;
	char residue_where[160];
};

static void set_addresses(struct rig *rig)
{
	struct target from, to;
	const char *problem;

	target_parse(rig->scenario->from, &from, &problem);
	target_parse(rig->scenario->to, &to, &problem);
	rig->plan.ip_version = to.ip_version;
	rig->plan.from = from.address;
	rig->plan.from_prefix = from.prefix;
	rig->plan.to = to.address;
	rig->plan.to_prefix = to.prefix;
	topology_mac(PORT_C0, rig->plan.src_mac);
	topology_mac(PORT_R0, rig->plan.dst_mac);
}

static int make_plan(struct rig *rig)
{
	const struct scenario *scenario = rig->scenario;
	char why[160];

	rig->plan = (struct traffic_plan){
		.kind = scenario->kind,
		.port = 80,
		.flows = scenario->flows,
		.seed = SEED,
		.size = {scenario->size},
		.sizes = scenario->size != 0,
		.threads = 1,
		.stamp_every = STAMP_EVERY,
	};
	set_addresses(rig);
	if (!plan_craft(&rig->plan, 0, &rig->craft, why, sizeof(why)))
		return 0;
	log_error(NULL, "scenario %s: %s", scenario->name, why);
	return EXIT_FAILED;
}

static int open_sink(struct rig *rig)
{
	enum topology_port port = rig->scenario->sink_at_device ? PORT_R0 : PORT_S0;
	struct traffic_sink_options options = {
		.ifname = topology_ifname(port),
		.craft = &rig->craft,
		.after_stack = rig->scenario->sink_after_stack,
	};
	int err = topology_enter(rig->topology, topology_node_of(port)) ? EXIT_FAILED : 0;

	if (!err)
		err = traffic_sink_open(&rig->sink, &options);
	topology_leave(rig->topology);
	return err;
}

/*
 * A test run of a program that is attached nowhere begins and ends with a change of the kernel's XDP dispatcher, which
 * waits for RCU: 20 ms a slice. Attached to the loopback interface, which is down, it is in the dispatcher for good.
 */
static int hold_dispatcher(struct rig *rig)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = XDP_FLAGS_SKB_MODE);

	rig->held = bpf_link_create(rig->sender->program, (int)if_nametoindex("lo"), BPF_XDP, &options);
	return rig->held < 0 ? rig->held : 0;
}

static int open_ours(struct rig *rig)
{
	const struct sender_ops *ops = rig->scenario->way == WAY_AF_XDP ? &sender_af_xdp : &sender_live;
	struct sender_config config = {
		.craft = &rig->craft,
		.iface = &rig->iface,
		.constant = rig->scenario->way == WAY_CONSTANT,
	};
	int err = ops->open(&rig->sender, &config);

	if (!err && rig->sender->program >= 0)
		err = hold_dispatcher(rig);
	return err || ops != &sender_live ? err : taken_open(&rig->taken, rig->iface.index);
}

static int open_sender(struct rig *rig)
{
	int err = topology_enter(rig->topology, NODE_CLIENT);

	if (!err)
		err = iface_get(topology_ifname(PORT_C0), &rig->iface);
	if (!err && rig->scenario->way == WAY_TRAFGEN)
		peer_write(&rig->plan, rig->peer);
	else if (!err)
		err = open_ours(rig);
	topology_leave(rig->topology);
	if (err)
		log_error(err == -EOPNOTSUPP ? "Linux 5.18 or later" : NULL,
			  "scenario %s: its generator cannot be opened: %s", rig->scenario->name,
			  strerror(-err));
	return err ? EXIT_NEEDS : 0;
}

static int take_statistics(const struct rig *rig, struct rtnl_link_stats64 statistics[PORTS])
{
	int err = 0;

	for (int port = 0; port < PORTS && !err; port++)
		err = topology_statistics(rig->topology, port, &statistics[port]);
	return err;
}

/* From here on each frame is accounted for. */
static int begin_ledger(struct rig *rig)
{
	int err = take_statistics(rig, rig->before);

	if (!err)
		err = traffic_sink_reset(rig->sink);
	if (err)
		log_error(NULL, "the interfaces' statistics cannot be read: %s", strerror(-err));
	return err ? EXIT_FAILED : 0;
}

static int open_parts(struct rig *rig)
{
	struct topology_options options = {.routes = rig->scenario->routes};
	int err = make_plan(rig);

	if (!err)
		err = topology_open(&rig->topology, &options);
	/* The sink first: a veth takes redirected frames when its other end is ready. */
	if (!err)
		err = open_sink(rig);
	if (!err)
		err = device_open(&rig->device, rig->scenario->device, rig->topology,
				  rig->options.idle_turns);
	if (!err && rig->options.split)
		err = split_apply(rig->topology);
	if (!err)
		err = open_sender(rig);
	return err ? err : begin_ledger(rig);
}

/* Without room for another log the program's stack stays unknown. */
static void keep_log(void *context, struct bpf_object *object)
{
	struct rig *rig = context;

	program_logs_attach(&rig->logs, object);
}

int rig_open(struct rig **result, const struct scenario *scenario, const struct rig_options *options)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	int err;

	if (!rig)
		return EXIT_FAILED;
	rig->scenario = scenario;
	rig->held = -1;
	rig->options = *options;
	loading_watch_set(keep_log, rig);
	err = open_parts(rig);
	loading_watch_set(NULL, NULL);
	if (err) {
		rig_close(rig);
		return err;
	}
	*result = rig;
	return 0;
}

/* Frames that are handed over meanwhile, whoever makes them. */
static int send_frames(struct rig *rig, unsigned int frames)
{
	struct generator_run *run;

	if (!rig->sender) {
		int err = peer_send(rig->peer, topology_ifname(PORT_C0), frames);

		rig->sent += err ? 0 : frames;
		return err;
	}
	run = rig->sender->run;
	run->limit = run->craft.number + frames;
	run->stop = 0;
	return rig->sender->ops->send(rig->sender);
}

/* What is on its way arrives; what does not is lost. */
static void settle(const struct rig *rig, __u64 expected)
{
	struct timespec nap = {.tv_nsec = SETTLE_NS};
	__u64 before, now = traffic_sink_received(rig->sink);

	for (int i = 0; i < SETTLE_MOST && now < expected; i++) {
		before = now;
		nanosleep(&nap, NULL);
		now = traffic_sink_received(rig->sink);
		if (now == before && i > 2)
			return;
	}
}

static int slice_by_cpu(struct rig *rig, unsigned int frames, double *ns)
{
	__u64 start_ns = cpu_time_ns();
	int err = send_frames(rig, frames);

	*ns = (double)(cpu_time_ns() - start_ns) / frames;
	return err;
}

/* Where each stage has a core of its own, the slowest decides, and what it cannot take is refused in front of it. */
static int slice_by_clock(struct rig *rig, unsigned int frames, double *ns)
{
	__u64 before = traffic_sink_received(rig->sink), start_ns = clock_monotonic_ns(), end_ns;
	int err = send_frames(rig, frames);

	end_ns = rig->sender ? rig->sender->run->craft.last_ns : 0;
	if (end_ns < start_ns)
		end_ns = clock_monotonic_ns();
	settle(rig, UINT64_MAX);
	*ns = (double)(end_ns - start_ns) / (traffic_sink_received(rig->sink) - before);
	return err;
}

int rig_slice(struct rig *rig, unsigned int frames, double *ns)
{
	int err;

	topology_enter(rig->topology, NODE_CLIENT);
	err = rig->options.split ? slice_by_clock(rig, frames, ns) : slice_by_cpu(rig, frames, ns);
	topology_leave(rig->topology);
	if (!err && stop_requested())
		err = -EINTR;
	return err;
}

/* The stream that the sink has counted is over; the next begins with number 0. */
static int close_stream(struct rig *rig, __u64 sent, struct sink_report *report)
{
	int err;

	settle(rig, sent);
	err = traffic_sink_read(rig->sink, report);
	rig->sent += sent;
	rig->received += report->received;
	rig->duplicates += report->duplicates;
	rig->reordered += report->reordered;
	rig->others += report->others;
	return err ? err : traffic_sink_reset(rig->sink);
}

/* The slices' stream, if there was one. */
static int close_slices(struct rig *rig)
{
	struct generator_run *run = rig->sender ? rig->sender->run : NULL;
	struct sink_report report;
	__u64 sent = run ? run->craft.number : rig->sent;

	if (!sent)
		return 0;
	rig->sent = run ? rig->sent : 0; /* close_stream() adds it */
	if (run) {
		memset(&run->craft, 0, sizeof(run->craft));
		run->craft.flow = rig->craft.flow_start;
	}
	return close_stream(rig, sent, &report);
}

static void take_results(struct rig_trial *trial, const struct generator_report *sent,
			 const struct sink_report *received)
{
	trial->sent = sent->made;
	trial->received = received->unique;
	trial->elapsed_s = (double)sent->elapsed_ns / NS_PER_S;
	trial->latency = (struct bench_latency){
		.offered_pps = trial->rate_pps,
		.packets = received->measured,
		.p50_ns = sink_latency_ns(received, 0.5),
		.p99_ns = sink_latency_ns(received, 0.99),
		.p999_ns = sink_latency_ns(received, 0.999),
		.max_ns = sink_latency_ns(received, 1),
	};
}

static int run_stream(struct rig *rig, struct generator *generator, struct generator_report *sent)
{
	int err;

	topology_enter(rig->topology, NODE_CLIENT); /* where the interface is looked for */
	err = generator_start(generator);
	while (!err && generator_wait(generator, NS_PER_S) && !stop_requested())
		;
	generator_stop(generator);
	generator_read(generator, sent);
	topology_leave(rig->topology);
	return err ? err : sent->err;
}

int rig_trial(struct rig *rig, struct rig_trial *trial)
{
	struct traffic_plan plan = rig->plan;
	struct generator_options options = {
		.plan = &plan,
		.iface = &rig->iface,
		.rate_pps = trial->rate_pps,
		.duration_ns = (uint64_t)(trial->duration_s * NS_PER_S),
	};
	struct generator *generator = NULL;
	struct generator_report sent;
	struct sink_report received;
	int err = close_slices(rig);

	plan.stamp_every = 1;
	topology_enter(rig->topology, NODE_CLIENT);
	if (!err)
		err = generator_open(&generator, &options);
	topology_leave(rig->topology);
	if (err)
		return EXIT_FAILED;
	err = run_stream(rig, generator, &sent);
	if (!err)
		err = close_stream(rig, sent.made, &received);
	if (!err)
		take_results(trial, &sent, &received);
	else
		log_error(NULL, "scenario %s: the stream could not be sent: %s", rig->scenario->name,
			  strerror(-err));
	generator_close(generator);
	return err ? EXIT_FAILED : 0;
}

bool rig_trial_passed(const struct rig_trial *trial)
{
	return trial->received == trial->sent && trial->elapsed_s < trial->duration_s * LATE_FACTOR + LATE_S;
}

static const struct program_log *log_of(const struct rig *rig, int fd)
{
	for (unsigned int i = 0; i < rig->logs.count; i++)
		if (bpf_program__fd(rig->logs.log[i].program) == fd)
			return &rig->logs.log[i];
	return NULL;
}

static void add_program(const struct rig *rig, struct rig_program *program, int fd, enum bench_role role)
{
	bool tc = role == BENCH_SINK && rig->scenario->sink_after_stack;

	*program = (struct rig_program){.fd = fd, .xdp = !tc, .role = role, .log = log_of(rig, fd)};
}

unsigned int rig_programs(const struct rig *rig, struct rig_program programs[BENCH_PROGRAMS])
{
	int device = device_program(rig->device);
	unsigned int count = 0;

	if (rig->sender && rig->sender->program >= 0)
		add_program(rig, &programs[count++], rig->sender->program, BENCH_GENERATOR);
	if (device >= 0)
		add_program(rig, &programs[count++], device, BENCH_DEVICE);
	add_program(rig, &programs[count++], traffic_sink_program(rig->sink), BENCH_SINK);
	return count;
}

const struct craft_config *rig_craft(const struct rig *rig)
{
	return &rig->craft;
}

int rig_enter(const struct rig *rig, enum bench_role role)
{
	static const enum topology_port ports[BENCH_ROLES] = {PORT_C0, PORT_R0, PORT_S0};
	enum topology_port port = role == BENCH_SINK && rig->scenario->sink_at_device ? PORT_R0 : ports[role];
	int err = topology_enter(rig->topology, topology_node_of(port));

	if (role == BENCH_GENERATOR)
		rig->sender->run->limit = UINT64_MAX;
	return err ? err : (int)if_nametoindex(topology_ifname(port));
}

void rig_leave(const struct rig *rig)
{
	topology_leave(rig->topology);
}

static void name_drop(struct bench_ledger *ledger, const char *where, __u64 packets)
{
	struct bench_drop *drop = &ledger->drop[ledger->drops];

	if (!packets || ledger->drops == BENCH_DROPS)
		return;
	snprintf(drop->where, sizeof(drop->where), "%s", where);
	drop->packets = packets;
	ledger->drops++;
}

/* What came out of one station and what went into the next; the first difference is where frames vanish. */
static __s64 compare(struct rig *rig, const char *left, __u64 out, const char *right, __u64 in)
{
	__s64 residue = (__s64)(out - in);

	if (residue && !*rig->residue_where)
		snprintf(rig->residue_where, sizeof(rig->residue_where), "%llu %s, but %llu %s",
			 (unsigned long long)out, left, (unsigned long long)in, right);
	return residue;
}

struct stations {
	struct taken_report taken;
	struct device_ledger device;
	struct rtnl_link_stats64 port[PORTS]; /* since rig_open() */
};

static int read_stations(const struct rig *rig, struct stations *stations)
{
	int err = take_statistics(rig, stations->port);

	for (int i = 0; i < PORTS; i++) {
		stations->port[i].rx_packets -= rig->before[i].rx_packets;
		stations->port[i].rx_dropped -= rig->before[i].rx_dropped;
		stations->port[i].tx_packets -= rig->before[i].tx_packets;
		stations->port[i].tx_dropped -= rig->before[i].tx_dropped;
	}
	if (!err && rig->taken)
		err = taken_read(rig->taken, &stations->taken);
	return err ? err : device_ledger(rig->device, &stations->device);
}

/* Station by station, in the order in which a frame passes them. Everything but the drops must be equal. */
static __s64 find_residue(struct rig *rig, const struct stations *at)
{
	bool through = !rig->scenario->sink_at_device;
	__u64 sinked = rig->received + rig->others;
	__s64 residue = 0;

	if (rig->taken)
		residue = compare(rig, "frames were made", rig->sent, "were taken or refused by c0",
				  at->taken.taken + at->taken.refused);
	residue += compare(rig, "frames were taken by c0", rig->taken ? at->taken.taken : rig->sent,
			   "arrived at r0", at->port[PORT_R0].rx_packets);
	if (at->device.known)
		residue += compare(rig, "frames arrived at r0", at->port[PORT_R0].rx_packets,
				   "are in the device's ledger", at->device.seen);
	/* The router itself speaks of its IPv6 addresses now and then. */
	if (at->device.known && through)
		residue += compare(rig, "frames were to leave by the device's ledger",
				   at->device.forwarded + at->device.failed, "left by r1",
				   at->port[PORT_R1].tx_packets + at->port[PORT_R1].tx_dropped - rig->others);
	if (through)
		residue += compare(rig, "frames left by r1", at->port[PORT_R1].tx_packets, "arrived at s0",
				   at->port[PORT_S0].rx_packets);
	residue +=
		compare(rig, "frames arrived at the sink's interface",
			at->port[through ? PORT_S0 : PORT_R0].rx_packets, "are in the sink's counts", sinked);
	return residue;
}

int rig_ledger(struct rig *rig, struct bench_ledger *ledger)
{
	struct stations stations = {};
	__u64 dropped = 0;
	int err = close_slices(rig);

	if (!err)
		err = read_stations(rig, &stations);
	*ledger = (struct bench_ledger){
		.sent = rig->sent,
		.received = rig->received,
		.duplicates = rig->duplicates,
		.reordered = rig->reordered,
	};
	if (err)
		return err;
	name_drop(ledger, "refused by c0", stations.taken.refused);
	if (stations.port[PORT_R0].rx_dropped >
	    stations.taken.refused) /* which it counts too, if its ring was full */
		name_drop(ledger, "dropped at r0",
			  stations.port[PORT_R0].rx_dropped - stations.taken.refused);
	name_drop(ledger, "dropped at r1", stations.port[PORT_R1].tx_dropped);
	name_drop(ledger, "passed to the stack", rig->scenario->sink_at_device ? 0 : stations.device.passed);
	name_drop(ledger, "dropped by the device", stations.device.dropped);
	for (unsigned int i = 0; i < ledger->drops; i++)
		dropped += ledger->drop[i].packets;
	ledger->residue = (__s64)(ledger->sent - ledger->received - dropped);
	*rig->residue_where = 0;
	if (find_residue(rig, &stations) && !ledger->residue)
		ledger->residue = 1; /* two errors that make up for each other are still errors */
	return 0;
}

const char *rig_residue_where(const struct rig *rig)
{
	return rig->residue_where;
}

unsigned int rig_frame_bytes(const struct rig *rig)
{
	return plan_frame_bytes(&rig->craft);
}

void rig_close(struct rig *rig)
{
	if (!rig)
		return;
	taken_close(rig->taken);
	if (rig->held >= 0)
		close(rig->held);
	if (rig->sender)
		rig->sender->ops->close(rig->sender);
	device_close(rig->device);
	traffic_sink_close(rig->sink);
	topology_close(rig->topology);
	free(rig);
}
