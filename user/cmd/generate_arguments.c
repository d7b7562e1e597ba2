// SPDX-License-Identifier: GPL-2.0-only
#include <argp.h>
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/generate.h"
#include "net/path.h"
#include "traffic/http_load.h"

#define MIN_RATE_PPS      0.001
#define MAX_RATE_PPS      1e9
#define MIN_DURATION_S    0.001
#define MAX_DURATION_S    (366.0 * 24 * 3600)
#define DEFAULT_TIMEOUT_S 20

struct parsed {
	struct generate_arguments *arguments;
	int stray[GENERATE_MODES]; /* the key of an option given that is of no use to that mode; 0: none */
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
	OPTION_PATH,
	OPTION_PORTS,
	OPTION_TIMEOUT,
	OPTION_NO_LIVE_FRAMES,
	OPTION_OWN
};

static const struct argp_option option_table[] = {
	{"to", OPTION_TO, "ADDR[/PREFIX][:PORT]", 0,
	 "where to: one address, or a prefix over which the flows spread (port: 80, UDP 9)", 0},
	{"from", OPTION_FROM, "ADDR[/PREFIX]", 0, "sources (default: the address that the kernel would use)",
	 0},
	{"kind", OPTION_KIND, "KIND", 0,
	 "syn (default), udp, tcp (data of open connections), handshake (SYN, SYN-ACK, ACK: both "
	 "directions); http: "
	 "whole exchanges with a server, each a TCP connection from SYN to FIN",
	 0},
	{"rate", OPTION_RATE, "PPS", 0,
	 "frames a second, or exchanges to start (default: as fast as it goes)", 0},
	{"flows", OPTION_FLOWS, "N", 0,
	 "1 to 16777216 flows, over ports and addresses; of http up to 16384 connections at once (default 1)",
	 0},
	{"count", OPTION_COUNT, "N", 0, "stop after N frames or exchanges", 0},
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
	 "instead of crafted frames those of a capture (pcap, pcapng), as they are and with their own timing",
	 0},
	{"loop", OPTION_LOOP, "N", 0, "play the capture N times; 0: until Ctrl-C (default 1)", 0},
	{"fast", OPTION_FAST, NULL, 0, "play the capture as fast as it goes", 0},
	{"path", OPTION_PATH, "PATH", 0, "http: what to GET (default /)", 0},
	{"ports", OPTION_PORTS, "N", 0,
	 "http: source ports that the connections take turns with (default: 1024 more than --flows)", 0},
	{"timeout", OPTION_TIMEOUT, "SECONDS", 0,
	 "http: an exchange fails when nothing new came for that long (default 20)", 0},
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

static const struct {
	const char *name;
	enum craft_kind kind;
} kinds[] = {{"syn", CRAFT_SYN}, {"udp", CRAFT_UDP}, {"tcp", CRAFT_TCP}, {"handshake", CRAFT_HANDSHAKE}};

static void parse_kind(struct argp_state *state, const char *text, struct generate_arguments *arguments)
{
	arguments->mode = strcmp(text, "http") ? GENERATE_CRAFT : GENERATE_HTTP;
	if (arguments->mode == GENERATE_HTTP)
		return;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!strcmp(text, kinds[i].name)) {
			arguments->plan.kind = kinds[i].kind;
			return;
		}
	}
	argp_error(state, "--kind %s: syn, udp, tcp, handshake or http", text);
}

static const char *kind_name(enum craft_kind kind)
{
	size_t i = 0;

	while (kinds[i].kind != kind)
		i++;
	return kinds[i].name;
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

/* The kinds of streams that an option is of use to; flags 1 << enum generate_mode. */
static unsigned int modes_of(int key)
{
	switch (key) {
	case OPTION_TO:
	case OPTION_KIND:
	case OPTION_FLOWS:
		return 1 << GENERATE_CRAFT | 1 << GENERATE_HTTP;
	case OPTION_FROM:
	case OPTION_SIZE:
	case OPTION_SEED:
	case OPTION_VLAN:
	case OPTION_THREADS:
		return 1 << GENERATE_CRAFT;
	case OPTION_SRC_MAC:
	case OPTION_DST_MAC:
	case OPTION_SINK:
	case OPTION_NO_LIVE_FRAMES:
		return 1 << GENERATE_CRAFT | 1 << GENERATE_REPLAY;
	case OPTION_LOOP:
	case OPTION_FAST:
		return 1 << GENERATE_REPLAY;
	case OPTION_PATH:
	case OPTION_PORTS:
	case OPTION_TIMEOUT:
		return 1 << GENERATE_HTTP;
	default:
		return ~0u;
	}
}

/* What it is of no use to is known when all options are. */
static void note_option(struct parsed *parsed, int key)
{
	unsigned int modes = modes_of(key);

	for (int mode = 0; mode < GENERATE_MODES; mode++)
		if (!(modes & 1u << mode))
			parsed->stray[mode] = key;
}

static void check_stray(struct argp_state *state, const struct parsed *parsed, enum generate_mode mode)
{
	static const char *const names[GENERATE_MODES] = {"crafted frames", "--replay", "--kind http"};
	const struct generate_arguments *arguments = parsed->arguments;
	const struct argp_option *option = option_table;
	int key = parsed->stray[mode];

	if (!key)
		return;
	while (option->key != key)
		option++;
	argp_error(state, "--%s is for %s, not for %s%s", option->name, names[__builtin_ctz(modes_of(key))],
		   mode == GENERATE_CRAFT ? "--kind " : "",
		   mode == GENERATE_CRAFT ? kind_name(arguments->plan.kind) : names[mode]);
}

static void check_craft(struct argp_state *state, const struct generate_arguments *arguments)
{
	if (arguments->from_text && arguments->from.ip_version != arguments->to.ip_version)
		argp_error(state, "--from %s and --to %s are not of the same IP version",
			   arguments->from_text, arguments->to_text);
	else if (arguments->from.port)
		argp_error(state, "--from %s: without a port, for the flows decide it", arguments->from_text);
	else if (arguments->plan.src_mac[0] & 1)
		argp_error(state, "--src-mac: must be the MAC of one station, with an even first byte");
}

/* As a URL, so that what goes into a request is checked where all such text is. */
static void make_url(struct argp_state *state, struct generate_arguments *arguments)
{
	const struct target *to = &arguments->to;
	char address[INET6_ADDRSTRLEN], text[URL_MAX_HOST_BYTES + URL_MAX_TARGET_BYTES];
	const char *problem;

	ip_addr_text(to->ip_version, &to->address, address);
	snprintf(text, sizeof(text), to->ip_version == 4 ? "http://%s:%u%s" : "http://[%s]:%u%s", address,
		 to->port ? to->port : URL_HTTP_PORT, arguments->path);
	if (url_parse(text, &arguments->url, &problem))
		argp_error(state, "--path %s: %s", arguments->path, problem);
}

static void check_http(struct argp_state *state, struct generate_arguments *arguments)
{
	if (arguments->to.prefix != (arguments->to.ip_version == 4 ? 32 : 128))
		argp_error(state, "--to %s: --kind http wants one server, not a prefix", arguments->to_text);
	else if (arguments->plan.flows > HTTP_LOAD_MAX_CONNECTIONS)
		argp_error(state, "--flows %u: --kind http has %u at most", arguments->plan.flows,
			   HTTP_LOAD_MAX_CONNECTIONS);
	else if (arguments->ports && arguments->ports < arguments->plan.flows)
		argp_error(state, "--ports %u: fewer than --flows %u", arguments->ports,
			   arguments->plan.flows);
	else if (*arguments->path != '/')
		argp_error(state, "--path %s: must begin with /", arguments->path);
	else
		make_url(state, arguments);
}

static void check_arguments(struct argp_state *state, const struct parsed *parsed)
{
	struct generate_arguments *arguments = parsed->arguments;

	if (arguments->replay_file)
		arguments->mode = GENERATE_REPLAY;
	if (!arguments->ifname)
		argp_error(state, "no interface given");
	check_stray(state, parsed, arguments->mode);
	if (arguments->mode == GENERATE_REPLAY && arguments->fast && arguments->rate_pps > 0)
		argp_error(state, "--fast and --rate exclude each other");
	else if (arguments->mode != GENERATE_REPLAY && !arguments->to_text)
		argp_error(state, "--to is missing: where to?");
	else if (arguments->mode == GENERATE_HTTP)
		check_http(state, arguments);
	else
		check_craft(state, arguments);
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct parsed *parsed = state->input;
	struct generate_arguments *arguments = parsed->arguments;
	struct traffic_plan *plan = &arguments->plan;

	note_option(parsed, key);
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
		parse_kind(state, arg, arguments);
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
	case OPTION_REPLAY:
		arguments->replay_file = arg;
		return 0;
	case OPTION_PATH:
		arguments->path = arg;
		return 0;
	case OPTION_PORTS:
		arguments->ports = parse_number(state, "ports", arg, 1, UINT16_MAX);
		return 0;
	case OPTION_TIMEOUT:
		arguments->timeout_s = parse_real(state, "timeout", arg, MIN_DURATION_S, MAX_DURATION_S);
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
		check_arguments(state, parsed);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const char doc[] =
	"Send a stream: of crafted frames, each valid and made anew, of a capture's frames, or of whole HTTP "
	"exchanges; as fast as the path allows or at a rate."
	"\v"
	"Frames are made by a BPF program and leave as live frames (Linux 5.18), else through AF_XDP. With "
	"--sink an "
	"XDP program at the far end tells what came: sent = refused + lost + received, duplicates aside. "
	"Without "
	"--count or --duration Ctrl-C ends it. It sends only by veth devices and to private or test "
	"addresses, unless "
	"told --i-own-this-network.\n\n"
	"A flow is a pair of addresses, a source port from 32768 on, and the server's port; each is used "
	"once before "
	"any is used again. Of a prefix all addresses are used, of IPv6 those that differ in the last 32 "
	"bits. With "
	"--kind http a flow is a connection by packets built by hand, past the kernel's stack: SYN, GET, "
	"response, "
	"FIN, one exchange after the other.\n\n"
	"With --replay the whole capture is checked before its first frame is sent. Nothing in a frame is "
	"changed but "
	"the MAC addresses, where they are given. Through live frames its own timing keeps one CPU busy, "
	"except in "
	"gaps of more than half a second. The sink knows the frames by their bytes, also behind a router, "
	"and only "
	"counts them.\n\n"
	"Examples:\n"
	"  xdplife lab up\n"
	"  xdplife lab run -- xdplife generate c0 --to 10.0.2.2 --sink xl-server/s0 --duration 2\n"
	"  xdplife lab run -- xdplife generate c0 --to 10.0.2.2 --kind tcp --size 1514 --flows 100 "
	"--duration 2\n"
	"  xdplife lab run -- xdplife generate c0 --to 10.0.2.2 --kind handshake --flows 1000 --count 3000\n"
	"  xdplife lab run -- xdplife generate c0 --to 10.0.2.0/24:53 --kind udp --flows 100000 --rate "
	"50000\n"
	"  xdplife lab run -- xdplife generate c0 --to 10.0.2.2 --kind http --flows 64 --duration 10\n"
	"  xdplife lab run -- xdplife generate c0 --to [fd00:2::2]:8080 --kind http --path /x --rate 1000\n"
	"  xdplife lab run -- xdplife generate c0 --replay capture.pcap --loop 10 --fast\n\n"
	"Exit status: 0 sent, 1 failed (also a single exchange), 2 wrong usage, 3 missing privilege or "
	"kernel "
	"feature, 4 frames or exchanges unaccounted for.";

void generate_parse(int argc, char **argv, struct generate_arguments *arguments)
{
	static const struct argp argp = {
		.options = option_table, .parser = parse_option, .args_doc = "IFACE", .doc = doc};
	struct parsed parsed = {.arguments = arguments};

	*arguments = (struct generate_arguments){
		.plan = {.kind = CRAFT_SYN, .flows = 1, .seed = 1, .threads = 1},
		.rounds = 1,
		.path = "/",
		.timeout_s = DEFAULT_TIMEOUT_S,
	};
	argp_parse(&argp, argc, argv, 0, NULL, &parsed);
}
