// SPDX-License-Identifier: GPL-2.0-only
/* xdplife generate: a stream of crafted frames, as fast as the path allows or at a rate, and what became of it. */
#include <argp.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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
#define MIN_RATE_PPS            0.001
#define MAX_RATE_PPS            1e9
#define MIN_DURATION_S          0.001
#define MAX_DURATION_S          (366.0 * 24 * 3600)
#define HTTP_PORT               80
#define DISCARD_PORT            9 /* RFC 863 */
#define FULL_PREFIX(ip_version) ((ip_version) == 4 ? 32 : 128)

struct arguments {
	const char *ifname, *to_text, *from_text, *sink_text;
	struct target to, from;
	struct traffic_plan plan;
	bool has_src_mac, has_dst_mac;
	double rate_pps, duration_s;
	uint64_t count;
	bool json, no_live_frames, owned;
};

struct stream {
	const struct arguments *arguments;
	struct iface iface;
	struct traffic_plan plan;
	struct craft_config craft; /* the first thread's */
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

static double parse_real(struct argp_state *state, const char *option, const char *text, double least,
			 double most)
{
	char *end;
	double number = strtod(text, &end);

	if (*end || end == text || !(number >= least) || number > most)
		argp_error(state, "--%s %s: must be a number from %g to %.0f", option, text, least, most);
	return number;
}

/* "64,1514": up to @room numbers. Returns how many there are. */
static unsigned int parse_list(struct argp_state *state, const char *option, const char *text, uint64_t least,
			       uint64_t most, uint16_t *number, unsigned int room)
{
	char *copy = strdup(text), *rest = copy, *word;
	unsigned int count = 0;

	while (copy && (word = strsep(&rest, ","))) {
		if (count == room)
			argp_error(state, "--%s %s: at most %u, separated by commas", option, text, room);
		number[count++] = (uint16_t)parse_number(state, option, word, least, most);
	}
	free(copy);
	return count;
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
	if (!strcmp(text, "imix")) {
		plan_imix(plan);
		return;
	}
	plan->grow = false;
	plan->sizes = parse_list(state, "size", text, 1, CRAFT_MAX_BYTES, plan->size, CRAFT_SIZES);
}

static void parse_mac(struct argp_state *state, const char *option, const char *text, uint8_t mac[ETH_ALEN])
{
	int end = 0;

	if (strspn(text, "0123456789abcdefABCDEF:") != strlen(text) ||
	    sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4],
		   &mac[5], &end) != ETH_ALEN ||
	    text[end])
		argp_error(state, "--%s %s: must be a MAC address, like 02:00:00:00:00:01", option, text);
}

static void parse_target(struct argp_state *state, const char *option, const char *text,
			 struct target *target)
{
	const char *problem;

	if (target_parse(text, target, &problem))
		argp_error(state, "--%s %s: %s", option, text, problem);
}

static void check_arguments(struct argp_state *state, const struct arguments *arguments)
{
	if (!arguments->ifname)
		argp_error(state, "no interface given");
	else if (!arguments->to_text)
		argp_error(state, "--to is missing: where to?");
	else if (arguments->from_text && arguments->from.ip_version != arguments->to.ip_version)
		argp_error(state, "--from %s and --to %s are not of the same IP version",
			   arguments->from_text, arguments->to_text);
	else if (arguments->from.port)
		argp_error(state, "--from %s: without a port, for the flows decide it", arguments->from_text);
	else if (arguments->plan.src_mac[0] & 1)
		argp_error(state, "--src-mac: must be the MAC of one station, with an even first byte");
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct arguments *arguments = state->input;
	struct traffic_plan *plan = &arguments->plan;

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
		arguments->rate_pps = parse_real(state, "rate", arg, MIN_RATE_PPS, MAX_RATE_PPS);
		return 0;
	case OPTION_FLOWS:
		plan->flows = parse_number(state, "flows", arg, 1, CRAFT_MAX_FLOWS);
		return 0;
	case OPTION_COUNT:
		arguments->count = parse_number(state, "count", arg, 1, UINT64_MAX / 2);
		return 0;
	case OPTION_DURATION:
		arguments->duration_s = parse_real(state, "duration", arg, MIN_DURATION_S, MAX_DURATION_S);
		return 0;
	case OPTION_SIZE:
		parse_sizes(state, arg, plan);
		return 0;
	case OPTION_SEED:
		plan->seed = parse_number(state, "seed", arg, 0, UINT64_MAX);
		return 0;
	case OPTION_VLAN:
		plan->vlans = parse_list(state, "vlan", arg, 1, 4094, plan->vlan, PLAN_MAX_VLANS);
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
	"With "
	"--sink an XDP program at the far end tells what came: sent = refused + lost + received, duplicates "
	"aside. Without --count or --duration Ctrl-C ends it. It sends only by veth devices and to private "
	"or "
	"test addresses, unless told --i-own-this-network.\n\n"
	"A flow is a pair of addresses, a source port from 32768 on, and the server's port; each is used "
	"once "
	"before any is used again. Of a prefix all addresses are used, of IPv6 those that differ in the last "
	"32 "
	"bits.\n\n"
	"Example:\n"
	"  xdplife lab up\n"
	"  xdplife lab run -- xdplife generate c0 --to 10.0.2.2 --sink xl-server/s0 --duration 2\n"
	"  xdplife lab run -- xdplife generate c0 --to 10.0.2.0/24:53 --kind udp --flows 100000 --rate "
	"50000\n\n"
	"Exit status: 0 sent, 1 failed, 2 wrong usage, 3 missing privilege or kernel feature, 4 frames "
	"unaccounted for.";

/* The address that the kernel would use, and the next hop's MAC. */
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
	const struct arguments *arguments = stream->arguments;
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
	struct traffic_sink_options options = {.ifname = ifname, .craft = &stream->craft};

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

static int guard(const struct arguments *arguments, const struct iface *iface)
{
	int err = guard_check(iface, &arguments->to, arguments->owned);

	if (!err && arguments->from_text)
		err = guard_source(&arguments->from, arguments->owned);
	if (!err && arguments->has_dst_mac)
		err = guard_mac(arguments->plan.dst_mac);
	return err;
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
		err = cable_get(arguments->ifname, &stream->iface);
	if (!err)
		err = guard(arguments, &stream->iface);
	if (!err)
		err = complete_plan(stream);
	if (!err && arguments->sink_text)
		err = open_sink(stream);
	if (!err) /* after the sink, whose program lets the far end take frames */
		err = cable_check(&stream->iface, plan_frame_bytes(&stream->craft));
	return err ? err : generator_open(&stream->generator, &options);
}

static void read_report(struct stream *stream)
{
	struct generate_report *report = &stream->report;

	report->way = generator_way(stream->generator);
	report->kind = plan_kind_text(stream->plan.kind);
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

static int run_stream(struct stream *stream)
{
	int err = generator_start(stream->generator);

	if (err) {
		log_error(NULL, "the threads could not be started: %s", strerror(-err));
		return EXIT_FAILED;
	}
	log_info("%s frames to %s by %s on %s; Ctrl-C ends it", plan_kind_text(stream->plan.kind),
		 stream->arguments->to_text, generator_way(stream->generator), stream->iface.name);
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

	if (cable_get(ifname, &iface) || cable_check(&iface, plan_frame_bytes(&stream->craft)))
		return EXIT_FAILED;
	if (!sent->taken) {
		log_error("--no-live-frames", "%s: every frame was refused: its driver takes none from XDP",
			  ifname);
		return EXIT_FAILED;
	}
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
	if (report->sent.err)
		return say_why_it_ended(stream);
	if (generate_residue(report)) {
		log_error(NULL, "%lld frames are not accounted for: made, but neither taken nor refused",
			  (long long)generate_residue(report));
		return EXIT_LEDGER;
	}
	return report->sent.taken_known && report->sent.refused ? say_why_refused(stream) : EXIT_DONE;
}

static int run(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_table, .parser = parse_option, .args_doc = "IFACE", .doc = doc};
	struct arguments arguments = {
		.plan = {.kind = CRAFT_SYN, .flows = 1, .seed = 1, .threads = 1},
	};
	struct stream stream = {.arguments = &arguments};
	int err;

	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	stop_on_signals();
	err = open_stream(&stream);
	if (!err)
		err = run_stream(&stream);
	if (!err)
		err = say_result(&stream);
	generator_close(stream.generator);
	traffic_sink_close(stream.sink);
	return err;
}

const struct command cmd_generate = {
	.name = "generate",
	.summary = "send a stream of crafted frames, and tell what came of it",
	.run = run,
};
