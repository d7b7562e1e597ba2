// SPDX-License-Identifier: GPL-2.0-only
/* xdplife generate: a stream of crafted frames, as fast as the path allows or at a rate, and what became of it. */
#include <errno.h>
#include <linux/if_ether.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/generate.h"
#include "command.h"
#include "datapath/preflight.h"
#include "net/netns.h"
#include "net/path.h"
#include "out/generate_report.h"
#include "traffic/cable.h"
#include "traffic/generator.h"
#include "traffic/guard.h"
#include "traffic/sink.h"
#include "traffic/target.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/stop.h"

#define PROGRESS_NS             (100 * NS_PER_MS)
#define SETTLE_NS               (5 * NS_PER_MS) /* between two looks at the sink */
#define QUIET_NS                (20 * NS_PER_MS) /* how long at least nothing must have come for the stream to be over */
#define STAMP_EVERY             64               /* at most: reading the clock costs a fifth of a frame */
#define STAMP_PPS               100e3            /* times a second that are enough */
#define HTTP_PORT               80
#define DISCARD_PORT            9 /* RFC 863 */
#define FULL_PREFIX(ip_version) ((ip_version) == 4 ? 32 : 128)

struct stream {
	const struct generate_arguments *arguments;
	struct iface iface;
	struct traffic_plan plan;
	struct craft_config craft; /* the first thread's */
	struct replay *replay;
	struct generator *generator;
	struct traffic_sink *sink;
	struct generate_report report;
};

/* The address that the kernel would use, and the next hop's MAC. */
static int find_way(struct stream *stream)
{
	const struct generate_arguments *arguments = stream->arguments;
	struct net_path path;
	int err = 0;

	path_init(&path);
	path.ip_version = arguments->to.ip_version;
	path.remote = arguments->to.address;
	if (!arguments->from_text || !arguments->has_dst_mac)
		err = path_find_route(&path, arguments->ifname);
	if (!err && !arguments->from_text)
		stream->plan.from = path.route.source;
	if (!err && !arguments->has_dst_mac) {
		err = path_find_neighbour(&path);
		memcpy(stream->plan.dst_mac, path.neighbour.mac, ETH_ALEN);
	}
	path_close(&path);
	return err;
}

static int craft(struct stream *stream)
{
	char why[160];

	if (!plan_craft(&stream->plan, 0, &stream->craft, why, sizeof(why)))
		return 0;
	log_error(NULL, "%s", why);
	return EXIT_USAGE;
}

/* Every frame of a slow stream carries a time. */
static uint32_t stamp_every(double rate_pps)
{
	uint32_t every = 1;

	while (every < STAMP_EVERY && (!(rate_pps > 0) || rate_pps / every > STAMP_PPS))
		every *= 2;
	return every;
}

static int complete_plan(struct stream *stream)
{
	const struct generate_arguments *arguments = stream->arguments;
	struct traffic_plan *plan = &stream->plan;
	int err;

	*plan = arguments->plan;
	plan->ip_version = arguments->to.ip_version;
	plan->to = arguments->to.address;
	plan->to_prefix = arguments->to.prefix;
	plan->port = arguments->to.port        ? arguments->to.port
		     : plan->kind == CRAFT_UDP ? DISCARD_PORT
					       : HTTP_PORT;
	plan->from = arguments->from.address;
	plan->from_prefix = arguments->from_text ? arguments->from.prefix : FULL_PREFIX(plan->ip_version);
	plan->stamp_every = stamp_every(arguments->rate_pps);
	if (!arguments->has_src_mac)
		memcpy(plan->src_mac, stream->iface.mac, ETH_ALEN);
	err = craft(stream); /* what cannot be is said before a neighbour is asked for */
	if (!err)
		err = find_way(stream);
	return err ? err : craft(stream);
}

static int open_sink_here(struct stream *stream, const char *ifname)
{
	struct traffic_sink_options options = {
		.ifname = ifname, .craft = &stream->craft, .replay = stream->replay};

	return traffic_sink_open(&stream->sink, &options);
}

/* NETNS/IFACE or IFACE. */
static int open_sink(struct stream *stream)
{
	const char *text = stream->arguments->sink_text, *slash = strchr(text, '/');
	char netns[256];
	int here, err;

	if (!slash)
		return open_sink_here(stream, text);
	snprintf(netns, sizeof(netns), "%.*s", (int)(slash - text), text);
	here = netns_current();
	err = here < 0 ? here : netns_enter(netns);
	if (err)
		log_error(err == -EPERM ? "CAP_SYS_ADMIN, as root has it" : "ip netns shows which there are",
			  "--sink %s: the network namespace %s cannot be entered: %s", text, netns,
			  strerror(-err));
	if (err == -EPERM)
		err = EXIT_NEEDS;
	else
		err = err ? EXIT_FAILED : open_sink_here(stream, slash + 1);
	if (here >= 0)
		netns_return(here);
	return err;
}

static int guard(const struct generate_arguments *arguments, const struct iface *iface)
{
	int err = guard_check(iface, &arguments->to, arguments->owned);

	if (!err && arguments->from_text)
		err = guard_source(&arguments->from, arguments->owned);
	if (!err && arguments->has_dst_mac)
		err = guard_mac(arguments->plan.dst_mac);
	return err;
}

static int open_craft(struct stream *stream)
{
	int err = guard(stream->arguments, &stream->iface);

	return err ? err : complete_plan(stream);
}

static int open_replay(struct stream *stream)
{
	const struct generate_arguments *arguments = stream->arguments;
	const struct replay_options options = {
		.file = arguments->replay_file,
		.iface = &stream->iface,
		.src_mac = arguments->has_src_mac ? arguments->plan.src_mac : NULL,
		.dst_mac = arguments->has_dst_mac ? arguments->plan.dst_mac : NULL,
		.rounds = arguments->rounds,
		.own_timing = !arguments->fast && !(arguments->rate_pps > 0),
		.owned = arguments->owned,
		.marks = arguments->sink_text,
	};

	int err = arguments->has_dst_mac ? guard_mac(arguments->plan.dst_mac) : 0;

	stream->plan = arguments->plan;
	return err ? err : replay_open(&stream->replay, &options);
}

/* What a capture holds, replay_open() has looked at. */
static int check_cable(const struct stream *stream, const struct iface *iface)
{
	uint32_t bytes = stream->replay ? 0 : plan_frame_bytes(&stream->craft);

	return cable_check(iface, bytes, generator_is_live(stream->generator));
}

static int open_stream(struct stream *stream)
{
	const struct generate_arguments *arguments = stream->arguments;
	struct generator_options options = {
		.plan = &stream->plan,
		.iface = &stream->iface,
		.rate_pps = arguments->rate_pps,
		.count = arguments->count,
		.duration_ns = (uint64_t)(arguments->duration_s * NS_PER_S),
		.no_live_frames = arguments->no_live_frames,
	};
	int err = preflight_privileges();

	if (!err)
		err = cable_get(arguments->ifname, &stream->iface);
	if (!err)
		err = arguments->replay_file ? open_replay(stream) : open_craft(stream);
	if (!err && arguments->sink_text)
		err = open_sink(stream);
	options.replay = stream->replay;
	if (!err)
		err = generator_open(&stream->generator, &options);
	/* After the sink, whose program lets the far end take live frames. */
	return err ? err : check_cable(stream, &stream->iface);
}

static void read_report(struct stream *stream)
{
	struct generate_report *report = &stream->report;

	report->way = generator_way(stream->generator);
	report->kind = stream->replay ? "replayed" : plan_kind_text(stream->plan.kind);
	report->interface = stream->iface.name;
	report->sink = stream->arguments->sink_text;
	report->rate_pps = stream->arguments->rate_pps;
	generator_read(stream->generator, &report->sent);
}

static uint64_t quiet_ns(const struct sink_report *received)
{
	double longest_ns = sink_latency_ns(received, 1);

	return QUIET_NS + (isnan(longest_ns) ? 0 : 2 * (uint64_t)longest_ns);
}

/* Until all have come, or none has come for so long that none is still on its way. 0 or -errno. */
static int wait_for_the_last(struct stream *stream)
{
	const struct generator_report *sent = &stream->report.sent;
	struct sink_report *received = &stream->report.received;
	struct timespec nap = {.tv_nsec = SETTLE_NS};
	uint64_t now_ns = clock_monotonic_ns(), last_ns = now_ns, before = 0;
	int err = traffic_sink_read(stream->sink, received);

	while (!err && received->unique < (sent->taken_known ? sent->taken : sent->made) &&
	       now_ns - last_ns < quiet_ns(received)) {
		before = received->received;
		nanosleep(&nap, NULL);
		now_ns = clock_monotonic_ns();
		err = traffic_sink_read(stream->sink, received);
		if (received->received != before)
			last_ns = now_ns;
	}
	return err;
}

static void say_start(const struct stream *stream)
{
	const char *way = generator_way(stream->generator), *ifname = stream->iface.name;

	if (stream->replay)
		log_info("%s (%llu frames, %.3f s) by %s on %s; Ctrl-C ends it",
			 stream->arguments->replay_file,
			 (unsigned long long)replay_summary(stream->replay)->frames,
			 (double)replay_summary(stream->replay)->duration_ns / NS_PER_S, way, ifname);
	else
		log_info("%s frames to %s by %s on %s; Ctrl-C ends it", plan_kind_text(stream->plan.kind),
			 stream->arguments->to_text, way, ifname);
}

static int run_stream(struct stream *stream)
{
	int err = generator_start(stream->generator);

	if (err) {
		log_error(NULL, "the threads could not be started: %s", strerror(-err));
		return EXIT_FAILED;
	}
	say_start(stream);
	while (generator_wait(stream->generator, PROGRESS_NS) && !stop_requested()) {
		read_report(stream);
		generate_progress(&stream->report, stderr);
	}
	generator_stop(stream->generator);
	generate_progress_end(stderr);
	read_report(stream);
	err = stream->sink ? wait_for_the_last(stream) : 0;
	if (err) {
		log_error(NULL, "the sink cannot be read: %s", strerror(-err));
		return EXIT_FAILED;
	}
	return 0;
}

static int say_why_it_ended(const struct stream *stream)
{
	const char *ifname = stream->iface.name;
	int err = stream->report.sent.err;
	char cure[64];

	snprintf(cure, sizeof(cure), "ip link set %s up", ifname);
	if (err == -ENETDOWN)
		log_error(cure, "%s: the stream ended early: the interface was set down", ifname);
	else if (err == -ENODEV)
		log_error("ip link", "%s: the stream ended early: the interface is gone", ifname);
	else
		log_error(NULL, "%s: the stream ended early: %s", ifname, strerror(-err));
	return EXIT_FAILED;
}

/* The kernel does not say why, so that the cable is looked at once more. */
static int say_why_refused(const struct stream *stream)
{
	const struct generator_report *sent = &stream->report.sent;
	const char *ifname = stream->iface.name;
	struct iface iface;

	if (cable_get(ifname, &iface) || check_cable(stream, &iface))
		return EXIT_FAILED;
	if (!sent->taken) {
		log_error("--no-live-frames", "%s: every frame was refused: its driver takes none from XDP",
			  ifname);
		return EXIT_FAILED;
	}
	if (stream->replay && !cable_fits(&iface, replay_summary(stream->replay)->largest_bytes))
		return EXIT_DONE; /* that it is too small was said at first */
	log_warn("a lower --rate", "%s: %llu frames were refused: the far end was too slow for them", ifname,
		 (unsigned long long)sent->refused);
	return EXIT_DONE;
}

static int say_result(const struct stream *stream)
{
	const struct generate_report *report = &stream->report;

	if (stream->arguments->json)
		generate_report_json(report, stdout);
	else
		generate_report_text(report, stdout);
	fflush(stdout);
	if (stream->replay && replay_say_error(stream->replay))
		return EXIT_FAILED;
	if (report->sent.err)
		return say_why_it_ended(stream);
	if (generate_residue(report)) {
		log_error(NULL, "%lld frames are not accounted for: made, but neither taken nor refused",
			  (long long)generate_residue(report));
		return EXIT_LEDGER;
	}
	return report->sent.taken_known && report->sent.refused ? say_why_refused(stream) : EXIT_DONE;
}

static int generate_stream(const struct generate_arguments *arguments)
{
	struct stream stream = {.arguments = arguments};
	int err;

	stop_on_signals();
	err = open_stream(&stream);
	if (!err)
		err = run_stream(&stream);
	if (!err)
		err = say_result(&stream);
	generator_close(stream.generator);
	traffic_sink_close(stream.sink);
	replay_close(stream.replay);
	return err;
}

static int run(int argc, char **argv)
{
	struct generate_arguments arguments;

	generate_parse(argc, argv, &arguments);
	return arguments.mode == GENERATE_HTTP ? generate_http(&arguments) : generate_stream(&arguments);
}

const struct command cmd_generate = {
	.name = "generate",
	.summary = "send a stream of crafted frames, a capture, or HTTP load, and tell what came of it",
	.run = run,
};
