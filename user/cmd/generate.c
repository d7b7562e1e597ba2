// SPDX-License-Identifier: GPL-2.0-only
/* xdplife generate: a stream of crafted frames, as fast as the path allows or at a rate, and what became of it. */
#include <argp.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <math.h>
#include <netinet/ether.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "command.h"
#include "datapath/preflight.h"
#include "net/netns.h"
#include "net/path.h"
#include "out/generate_report.h"
#include "traffic/generator.h"
#include "traffic/guard.h"
#include "traffic/sink.h"
#include "traffic/target.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/stop.h"

#define PROGRESS_NS    (100 * NS_PER_MS)
#define SETTLE_NS      (5 * NS_PER_MS) /* how long nothing more must have come for the stream to be over */
#define SETTLE_MOST    200             /* times the above: a second */
#define STAMP_EVERY    16              /* unpaced: reading the clock costs a fifth of a frame */
#define MAX_DURATION_S (366.0 * 24 * 3600)
#define HTTP_PORT      80
#define DISCARD_PORT   9 /* RFC 863 */

struct arguments {
	const char *ifname, *to_text, *from_text, *sink_text, *replay_file;
	const char *craft_option, *replay_option; /* one of those given that are for crafted frames, for a replay */
	struct target to, from;
	struct traffic_plan plan;
	bool has_src_mac, has_dst_mac;
	double rate_pps, duration_s;
	uint64_t count, rounds;
	bool json, no_live_frames, owned, fast;
};

struct stream {
	const struct arguments *arguments;
	struct iface iface;
	struct traffic_plan plan;
	struct replay *replay;
	struct generator *generator;
	struct traffic_sink *sink;
	struct generate_report report;
};

enum {
	OPTION_TO = 't',
	OPTION_FROM = 'f',
	OPTION_KIND = 'k',
	OPTION_RATE = 'r',
	OPTION_FLOWS = 'n',
	OPTION_COUNT = 'c',
	OPTION_DURATION = 'd',
	OPTION_SIZE = 's',
	OPTION_JSON = 'j',
	OPTION_SEED = 256,
	OPTION_VLAN,
	OPTION_THREADS,
	OPTION_SRC_MAC,
	OPTION_DST_MAC,
	OPTION_SINK,
	OPTION_REPLAY,
	OPTION_LOOP,
	OPTION_FAST,
	OPTION_NO_LIVE_FRAMES,
	OPTION_OWN
};

static const struct argp_option option_table[] = {
	{"to", OPTION_TO, "ADDR[/PREFIX][:PORT]", 0,
	 "where to: one address, or a prefix over which the flows spread (port: 80, UDP 9)", 0},
	{"from", OPTION_FROM, "ADDR[/PREFIX]", 0, "sources (default: the address that the kernel would use)",
	 0},
	{"kind", OPTION_KIND, "KIND", 0,
	 "syn (default), udp, tcp (data of open connections), handshake (SYN, SYN-ACK, ACK: both directions)",
	 0},
	{"rate", OPTION_RATE, "PPS", 0, "frames a second (default: as fast as it goes)", 0},
	{"flows", OPTION_FLOWS, "N", 0, "1 to 16777216 flows, over ports and addresses (default 1)", 0},
	{"count", OPTION_COUNT, "N", 0, "stop after N frames", 0},
	{"duration", OPTION_DURATION, "SECONDS", 0, "stop after that time", 0},
	{"size", OPTION_SIZE, "BYTES", 0,
	 "frame size without the FCS, or several to be sent in turn (64,1514), or imix (default: the "
	 "smallest)",
	 0},
	{"seed", OPTION_SEED, "N", 0,
	 "another order of flows; the same seed gives the same frames (default 1)", 0},
	{"vlan", OPTION_VLAN, "VID[,VID]", 0, "tag the frames, the outer tag first (802.1ad, 802.1Q)", 0},
	{"threads", OPTION_THREADS, "N", 0, "each on a CPU of its own (default 1)", 0},
	{"src-mac", OPTION_SRC_MAC, "MAC", 0, "default: the interface's", 0},
	{"dst-mac", OPTION_DST_MAC, "MAC", 0, "default: the next hop's, by route and ARP or NDP", 0},
	{"sink", OPTION_SINK, "[NETNS/]IFACE", 0,
	 "count at the far end what comes: loss, duplicates, reordering, one-way latency", 0},
	{"replay", OPTION_REPLAY, "FILE", 0,
	 "instead of crafted frames those of a capture (pcap, pcapng), as they are and with their own timing", 0},
	{"loop", OPTION_LOOP, "N", 0, "play the capture N times; 0: until Ctrl-C (default 1)", 0},
	{"fast", OPTION_FAST, NULL, 0, "play the capture as fast as it goes", 0},
	{"json", OPTION_JSON, NULL, 0, "the report as one JSON object on standard output", 0},
	{"no-live-frames", OPTION_NO_LIVE_FRAMES, NULL, 0,
	 "send through AF_XDP even where the kernel has live frames", 0},
	{"i-own-this-network", OPTION_OWN, NULL, 0, "send to real interfaces and public addresses too", 0},
	{0},
};

static uint64_t parse_number(struct argp_state *state, const char *option, const char *text, uint64_t least,
			     uint64_t most)
{
	char *end;
	uint64_t number;

	errno = 0;
	number = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || number < least || number > most)
		argp_error(state, "--%s %s: must be a whole number from %llu to %llu", option, text,
			   (unsigned long long)least, (unsigned long long)most);
	return number;
}

static double parse_positive(struct argp_state *state, const char *option, const char *text, double most)
{
	char *end;
	double number = strtod(text, &end);

	if (*end || end == text || !(number > 0) || number > most)
		argp_error(state, "--%s %s: must be a number above 0, up to %.0f", option, text, most);
	return number;
}

static enum craft_kind parse_kind(struct argp_state *state, const char *text)
{
	static const struct {
		const char *name;
		enum craft_kind kind;
	} kinds[] = {
		{"syn", CRAFT_SYN}, {"udp", CRAFT_UDP}, {"tcp", CRAFT_TCP}, {"handshake", CRAFT_HANDSHAKE}};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(text, kinds[i].name))
			return kinds[i].kind;
	argp_error(state, "--kind %s: syn, udp, tcp or handshake", text);
	return CRAFT_SYN;
}

static void parse_sizes(struct argp_state *state, const char *text, struct traffic_plan *plan)
{
	char copy[128], *rest = copy, *word;

	if (!strcmp(text, "imix")) {
		plan_imix(plan);
		return;
	}
	plan->sizes = 0;
	snprintf(copy, sizeof(copy), "%s", text);
	while ((word = strsep(&rest, ","))) {
		if (plan->sizes == CRAFT_SIZES)
			argp_error(state, "--size %s: at most %d sizes", text, CRAFT_SIZES);
		plan->size[plan->sizes++] = parse_number(state, "size", word, 1, CRAFT_MAX_BYTES);
	}
}

static void parse_vlans(struct argp_state *state, const char *text, struct traffic_plan *plan)
{
	char copy[32], *rest = copy, *word;

	plan->vlans = 0;
	snprintf(copy, sizeof(copy), "%s", text);
	while ((word = strsep(&rest, ","))) {
		if (plan->vlans == PLAN_MAX_VLANS)
			argp_error(state, "--vlan %s: at most %d tags", text, PLAN_MAX_VLANS);
		plan->vlan[plan->vlans++] = parse_number(state, "vlan", word, 1, 4094);
	}
}

static void parse_mac(struct argp_state *state, const char *option, const char *text, uint8_t mac[ETH_ALEN])
{
	struct ether_addr *address = ether_aton(text);

	if (!address)
		argp_error(state, "--%s %s: not a MAC address", option, text);
	else
		memcpy(mac, address, ETH_ALEN);
}

static void parse_target(struct argp_state *state, const char *option, const char *text,
			 struct target *target)
{
	const char *problem;

	if (target_parse(text, target, &problem))
		argp_error(state, "--%s %s: %s", option, text, problem);
}

static void check_replay(struct argp_state *state, const struct arguments *arguments)
{
	if (arguments->craft_option)
		argp_error(state, "--%s is for crafted frames: those of a capture are what they are",
			   arguments->craft_option);
	else if (arguments->fast && arguments->rate_pps > 0)
		argp_error(state, "--fast and --rate exclude each other");
}

static void check_arguments(struct argp_state *state, const struct arguments *arguments)
{
	if (!arguments->ifname)
		argp_error(state, "no interface given");
	else if (arguments->replay_file)
		check_replay(state, arguments);
	else if (arguments->replay_option)
		argp_error(state, "--%s is for --replay", arguments->replay_option);
	else if (!arguments->to_text)
		argp_error(state, "--to is missing: where to?");
	else if (arguments->from_text && arguments->from.ip_version != arguments->to.ip_version)
		argp_error(state, "--from %s and --to %s are not of the same IP version",
			   arguments->from_text, arguments->to_text);
	else if (arguments->from.port)
		argp_error(state, "--from %s: the flows decide the source port", arguments->from_text);
}

/* What is of use to one of the two kinds of streams only. */
static void note_option(struct arguments *arguments, int key)
{
	const struct argp_option *option = option_table;

	while (option->name && option->key != key)
		option++;
	switch (key) {
	case OPTION_TO:
	case OPTION_FROM:
	case OPTION_KIND:
	case OPTION_FLOWS:
	case OPTION_SIZE:
	case OPTION_SEED:
	case OPTION_VLAN:
	case OPTION_THREADS:
		arguments->craft_option = option->name;
		break;
	case OPTION_LOOP:
	case OPTION_FAST:
		arguments->replay_option = option->name;
		break;
	}
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct arguments *arguments = state->input;
	struct traffic_plan *plan = &arguments->plan;

	note_option(arguments, key);
	switch (key) {
	case OPTION_TO:
		arguments->to_text = arg;
		parse_target(state, "to", arg, &arguments->to);
		return 0;
	case OPTION_FROM:
		arguments->from_text = arg;
		parse_target(state, "from", arg, &arguments->from);
		return 0;
	case OPTION_KIND:
		plan->kind = parse_kind(state, arg);
		return 0;
	case OPTION_RATE:
		arguments->rate_pps = parse_positive(state, "rate", arg, 1e9);
		return 0;
	case OPTION_FLOWS:
		plan->flows = parse_number(state, "flows", arg, 1, CRAFT_MAX_FLOWS);
		return 0;
	case OPTION_COUNT:
		arguments->count = parse_number(state, "count", arg, 1, UINT64_MAX / 2);
		return 0;
	case OPTION_DURATION:
		arguments->duration_s = parse_positive(state, "duration", arg, MAX_DURATION_S);
		return 0;
	case OPTION_SIZE:
		parse_sizes(state, arg, plan);
		return 0;
	case OPTION_SEED:
		plan->seed = parse_number(state, "seed", arg, 0, UINT64_MAX);
		return 0;
	case OPTION_VLAN:
		parse_vlans(state, arg, plan);
		return 0;
	case OPTION_THREADS:
		plan->threads = parse_number(state, "threads", arg, 1, CRAFT_MAX_THREADS);
		return 0;
	case OPTION_SRC_MAC:
		parse_mac(state, "src-mac", arg, plan->src_mac);
		arguments->has_src_mac = true;
		return 0;
	case OPTION_DST_MAC:
		parse_mac(state, "dst-mac", arg, plan->dst_mac);
		arguments->has_dst_mac = true;
		return 0;
	case OPTION_SINK:
		arguments->sink_text = arg;
		return 0;
	case OPTION_REPLAY:
		arguments->replay_file = arg;
		return 0;
	case OPTION_LOOP:
		arguments->rounds = parse_number(state, "loop", arg, 0, UINT64_MAX);
		return 0;
	case OPTION_FAST:
		arguments->fast = true;
		return 0;
	case OPTION_JSON:
		arguments->json = true;
		return 0;
	case OPTION_NO_LIVE_FRAMES:
		arguments->no_live_frames = true;
		return 0;
	case OPTION_OWN:
		arguments->owned = true;
		return 0;
	case ARGP_KEY_ARG:
		if (arguments->ifname)
			argp_error(state, "one interface at a time: %s, then %s", arguments->ifname, arg);
		arguments->ifname = arg;
		return 0;
	case ARGP_KEY_END:
		check_arguments(state, arguments);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const char doc[] =
	"Send a stream of crafted frames: valid, each made anew, as fast as the path allows or at a rate."
	"\v"
	"The frames are made by a BPF program and leave as live frames (Linux 5.18), else through AF_XDP. "
	"With --sink an "
	"XDP program at the far end tells what came: sent = received + lost. Without --count or --duration "
	"Ctrl-C ends it. "
	"It sends only by veth devices and to private or test addresses, unless told "
	"--i-own-this-network.\n\n"
	"Example:\n"
	"  xdplife lab up\n"
	"  xdplife lab run -- xdplife generate c0 --to 10.0.2.2 --sink xl-server/s0 --duration 2\n"
	"  xdplife lab run -- xdplife generate c0 --to 10.0.2.0/24:53 --kind udp --flows 100000 --rate "
	"50000\n\n"
	"Exit status: 0 sent, 1 failed, 2 wrong usage, 3 missing privilege or kernel feature, 4 frames "
	"unaccounted for.";

static int find_way(struct stream *stream)
{
	const struct arguments *arguments = stream->arguments;
	struct net_path path;
	int err = 0;

	path_init(&path);
	path.ip_version = arguments->to.ip_version;
	path.remote = arguments->to.address;
	if (!arguments->from_text || !arguments->has_dst_mac)
		err = path_find_route(&path, arguments->ifname);
	if (!err && !arguments->from_text) {
		stream->plan.from = path.route.source;
		stream->plan.from_prefix = arguments->to.ip_version == 4 ? 32 : 128;
	}
	if (!err && !arguments->has_dst_mac) {
		err = path_find_neighbour(&path);
		memcpy(stream->plan.dst_mac, path.neighbour.mac, ETH_ALEN);
	}
	path_close(&path);
	return err;
}

static int complete_plan(struct stream *stream)
{
	const struct arguments *arguments = stream->arguments;
	struct traffic_plan *plan = &stream->plan;

	*plan = arguments->plan;
	plan->ip_version = arguments->to.ip_version;
	plan->to = arguments->to.address;
	plan->to_prefix = arguments->to.prefix;
	plan->port = arguments->to.port        ? arguments->to.port
		     : plan->kind == CRAFT_UDP ? DISCARD_PORT
					       : HTTP_PORT;
	plan->from = arguments->from.address;
	plan->from_prefix = arguments->from.prefix;
	plan->stamp_every = arguments->rate_pps > 0 ? 1 : STAMP_EVERY;
	if (!arguments->has_src_mac)
		memcpy(plan->src_mac, stream->iface.mac, ETH_ALEN);
	return find_way(stream);
}

static int open_sink_here(struct stream *stream, const char *ifname)
{
	struct craft_config craft;
	struct traffic_sink_options options = {.ifname = ifname, .craft = &craft, .replay = stream->replay};
	char why[160];

	if (!stream->replay && plan_craft(&stream->plan, 0, &craft, why, sizeof(why))) {
		log_error(NULL, "%s", why);
		return EXIT_USAGE;
	}
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
	if (err) {
		log_error("ip netns", "%s: this network namespace cannot be entered: %s", netns,
			  strerror(-err));
		if (here >= 0)
			netns_return(here);
		return EXIT_FAILED;
	}
	err = open_sink_here(stream, slash + 1);
	netns_return(here);
	return err;
}

static int open_craft(struct stream *stream)
{
	int err = guard_check(&stream->iface, &stream->arguments->to, stream->arguments->owned);

	return err ? err : complete_plan(stream);
}

static int open_replay(struct stream *stream)
{
	const struct arguments *arguments = stream->arguments;
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

	stream->plan = arguments->plan;
	return replay_open(&stream->replay, &options);
}

static int open_stream(struct stream *stream)
{
	const struct arguments *arguments = stream->arguments;
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
		err = preflight_iface(arguments->ifname, &stream->iface);
	if (!err)
		err = arguments->replay_file ? open_replay(stream) : open_craft(stream);
	if (!err && arguments->sink_text)
		err = open_sink(stream);
	options.replay = stream->replay;
	return err ? err : generator_open(&stream->generator, &options);
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

/* What is on its way comes within microseconds; a queue on the way may take longer. */
static void wait_for_the_last(const struct stream *stream)
{
	struct timespec nap = {.tv_nsec = SETTLE_NS};
	__u64 before, now = traffic_sink_received(stream->sink);

	for (int i = 0; i < SETTLE_MOST && now < stream->report.sent.made; i++) {
		before = now;
		nanosleep(&nap, NULL);
		now = traffic_sink_received(stream->sink);
		if (now == before && i > 2)
			return;
	}
}

static void say_start(const struct stream *stream)
{
	const char *way = generator_way(stream->generator), *ifname = stream->iface.name;

	if (stream->replay)
		log_info("%s (%llu frames, %.3f s) by %s on %s; Ctrl-C ends it", stream->arguments->replay_file,
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
	if (stream->sink)
		wait_for_the_last(stream);
	return 0;
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
	if (report->sent.err) {
		log_error(NULL, "%s: the stream ended early: %s", stream->iface.name,
			  strerror(-report->sent.err));
		return EXIT_FAILED;
	}
	if (generate_residue(report)) {
		log_error(NULL, "%lld frames are not accounted for: made, but neither taken nor refused",
			  (long long)generate_residue(report));
		return EXIT_LEDGER;
	}
	return EXIT_DONE;
}

static int finish(struct stream *stream)
{
	int err = stream->sink ? traffic_sink_read(stream->sink, &stream->report.received) : 0;

	if (err) {
		log_error(NULL, "the sink cannot be read: %s", strerror(-err));
		return EXIT_FAILED;
	}
	return say_result(stream);
}

static int run(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_table, .parser = parse_option, .args_doc = "IFACE", .doc = doc};
	struct arguments arguments = {
		.plan = {.kind = CRAFT_SYN, .flows = 1, .seed = 1, .threads = 1},
		.rounds = 1,
	};
	struct stream stream = {.arguments = &arguments};
	int err;

	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	stop_on_signals();
	err = open_stream(&stream);
	if (!err)
		err = run_stream(&stream);
	if (!err)
		err = finish(&stream);
	generator_close(stream.generator);
	traffic_sink_close(stream.sink);
	replay_close(stream.replay);
	return err;
}

const struct command cmd_generate = {
	.name = "generate",
	.summary = "send a stream of crafted frames, and tell what came of it",
	.run = run,
};
