// SPDX-License-Identifier: GPL-2.0-only
/* xdplife fetch: an HTTP GET whose every frame is built here, past the kernel's TCP, through AF_XDP. */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "net/http_exchange.h"
#include "net/path.h"
#include "net/tcp_numbers.h"
#include "out/body.h"
#include "out/fetch_story.h"
#include "out/pcapng.h"
#include "traffic/steering.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/stop.h"

#define SEND_BYTES        HTTP_MAX_REQUEST_BYTES
#define DEFAULT_TIMEOUT_S 20
#define MAX_TIMEOUT_S     86400
#define TARGET_BYTES      (INET6_ADDRSTRLEN + sizeof("[]:65535"))

struct fetch {
	const char *url_text;
	const char *ifname;
	const char *output;
	const char *write;
	uint64_t timeout_s;
	bool json;
	bool verbose;

	uint64_t start_ns;
	char target[TARGET_BYTES]; /* "10.0.2.2:80", for messages */
	struct url url;
	struct net_path path;
	struct steering *steering;
	struct tcp_client *client;
	struct body_sink *body; /* NULL: not wanted */
	struct pcapng *capture; /* NULL: not wanted */
	int capture_interface;
	int capture_err;
	struct http_parser parser;
	struct http_exchange exchange;
	struct fetch_story story;
	struct fetch_summary summary;
};

enum { OPTION_WRITE = 256, OPTION_JSON, OPTION_TIMEOUT };

static const struct argp_option argp_options[] = {
	{"iface", 'i', "IFACE", 0, "send by this interface (default: what the routing table says)", 0},
	{"output", 'o', "FILE", 0,
	 "write the body to FILE, which appears only once it is complete (- is stdout)", 0},
	{"write", OPTION_WRITE, "F.pcapng", 0, "write every frame sent and received, with comments", 0},
	{"verbose", 'v', NULL, 0, "every frame in full, and the response's headers", 0},
	{"json", OPTION_JSON, NULL, 0,
	 "the story as one JSON object a line on stdout; the body only with --output", 0},
	{"timeout", OPTION_TIMEOUT, "S", 0, "give up when nothing new came for S seconds (default 20)", 0},
	{0},
};

static error_t parse_timeout(const char *arg, struct argp_state *state)
{
	struct fetch *fetch = state->input;
	char *end;

	errno = 0;
	fetch->timeout_s = strtoull(arg, &end, 10);
	if (errno || *end || *arg == '-' || !fetch->timeout_s || fetch->timeout_s > MAX_TIMEOUT_S)
		argp_error(state, "--timeout %s: must be a whole number of seconds from 1 to %d", arg,
			   MAX_TIMEOUT_S);
	return 0;
}

static void check_arguments(struct argp_state *state)
{
	struct fetch *fetch = state->input;
	const char *problem;

	if (!fetch->url_text)
		argp_error(state, "no URL given");
	else if (url_parse(fetch->url_text, &fetch->url, &problem))
		argp_error(state, "%s: %s; try: http://HOST[:PORT]/PATH", fetch->url_text, problem);
	else if (fetch->json && fetch->output && !strcmp(fetch->output, "-"))
		argp_error(state, "--json and --output - would both write to stdout: name a file");
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct fetch *fetch = state->input;

	switch (key) {
	case 'i':
		fetch->ifname = arg;
		return 0;
	case 'o':
		fetch->output = arg;
		return 0;
	case OPTION_WRITE:
		fetch->write = arg;
		return 0;
	case 'v':
		fetch->verbose = true;
		return 0;
	case OPTION_JSON:
		fetch->json = true;
		return 0;
	case OPTION_TIMEOUT:
		return parse_timeout(arg, state);
	case ARGP_KEY_ARG:
		if (fetch->url_text)
			argp_error(state, "one URL at a time: %s, then %s", fetch->url_text, arg);
		fetch->url_text = arg;
		return 0;
	case ARGP_KEY_END:
		check_arguments(state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = argp_options,
	.parser = parse_option,
	.args_doc = "URL",
	.doc = "Fetch a page by packets built by hand: the way is looked up, then SYN, ACK, GET and FIN are "
	       "crafted "
	       "and sent through AF_XDP, past the kernel's TCP, which never sees the answers."
	       "\v"
	       "The story is told on stderr, the body goes to stdout or --output. With --json stdout carries "
	       "the "
	       "story, one object a line, and nothing else. On a terminal the body's control characters are "
	       "shown "
	       "as \\xNN.\n\n"
	       "Exit status: 0 a response came, whatever its status; 1 none, or not all of it; 2 usage; 3 a "
	       "privilege or kernel feature is missing.\n\n"
	       "examples:\n"
	       "  xdplife fetch http://10.0.2.2/index.html\n"
	       "  xdplife fetch http://[fd00:2::2]:8080/ --output page.html --write page.pcapng\n"
	       "  xdplife fetch http://10.0.2.2/ --json | jq -r 'select(.event == \"packet\").line'",
};

/* --- what is called back while it runs --- */

static void write_capture(struct fetch *fetch, const struct client_frame *frame)
{
	struct pcapng_packet packet = {
		.interface = (uint32_t)fetch->capture_interface,
		.time_ns = frame->realtime_ns,
		.data = frame->data,
		.captured_bytes = frame->bytes,
		.wire_bytes = frame->bytes,
		.direction = frame->sent ? PCAPNG_OUTBOUND : PCAPNG_INBOUND,
		.comment = frame->note   ? frame->note
			   : frame->sent ? "built by xdplife, sent through AF_XDP"
					 : NULL,
	};

	if (fetch->capture && !fetch->capture_err)
		fetch->capture_err = pcapng_write_packet(fetch->capture, &packet);
}

static void on_frame(void *context, const struct client_frame *frame)
{
	struct fetch *fetch = context;

	if (frame->sent)
		fetch->summary.frames_sent++;
	else
		fetch->summary.frames_received++;
	fetch->story.ops->frame(&fetch->story, frame);
	write_capture(fetch, frame);
}

static void on_layer(void *context, int step, const struct frame *frame)
{
	struct fetch *fetch = context;

	fetch->story.ops->layer(&fetch->story, step, frame);
}

static void on_head(void *context, const struct http_parser *parser)
{
	struct fetch *fetch = context;

	fetch->summary.status = parser->status;
	fetch->story.ops->response(&fetch->story, parser);
}

static int on_body(void *context, const struct http_slice *body)
{
	struct fetch *fetch = context;

	return fetch->body ? body_write(fetch->body, body->data, body->bytes) : 0;
}

/* --- the steps --- */

static int open_body(struct fetch *fetch)
{
	if (fetch->json && !fetch->output)
		return EXIT_DONE;
	fetch->body = body_open(fetch->output);
	if (fetch->body)
		return EXIT_DONE;
	log_error("another --output", "%s: cannot be written: %s", fetch->output, strerror(errno));
	return EXIT_FAILED;
}

static int open_capture(struct fetch *fetch)
{
	const struct pcapng_interface interface = {
		.name = fetch->path.iface.name,
		.hardware = fetch->path.iface.kind,
		.mac = fetch->path.iface.mac,
	};
	char name[sizeof("xdplife fetch ") + URL_MAX_HOST_BYTES];

	if (!fetch->write)
		return EXIT_DONE;
	snprintf(name, sizeof(name), "xdplife fetch %s", fetch->url.host);
	fetch->capture = pcapng_create(fetch->write, name);
	if (!fetch->capture) {
		log_error("another --write", "%s: cannot be written: %s", fetch->write, strerror(errno));
		return EXIT_FAILED;
	}
	fetch->capture_interface = pcapng_add_interface(fetch->capture, &interface);
	if (fetch->capture_interface < 0)
		fetch->capture_err = fetch->capture_interface;
	return EXIT_DONE;
}

static void name_target(struct fetch *fetch)
{
	const struct net_path *path = &fetch->path;
	char address[INET6_ADDRSTRLEN];

	ip_addr_text(path->ip_version, &path->remote, address);
	snprintf(fetch->target, sizeof(fetch->target), path->ip_version == 6 ? "[%s]:%u" : "%s:%u", address,
		 path->remote_port);
}

static int find_path(struct fetch *fetch)
{
	const struct fetch_story_ops *tell = fetch->story.ops;
	struct net_path *path = &fetch->path;
	int exit_code = path_find_address(path, fetch->url.host, fetch->url.port);

	if (exit_code)
		return exit_code;
	name_target(fetch);
	tell->address(&fetch->story, fetch->url.host, path);
	exit_code = path_find_route(path, fetch->ifname);
	if (exit_code)
		return exit_code;
	tell->route(&fetch->story, path);
	exit_code = path_find_neighbour(path);
	if (exit_code)
		return exit_code;
	tell->neighbour(&fetch->story, path);
	exit_code = path_reserve_port(path);
	if (!exit_code)
		tell->port(&fetch->story, path);
	return exit_code;
}

/* The flow is steered before the first frame goes out. */
static int attach(struct fetch *fetch)
{
	int exit_code = steering_open(&fetch->steering, &fetch->path, 1, 1);

	if (!exit_code)
		exit_code = steering_add(fetch->steering, fetch->path.local_port);
	if (!exit_code)
		fetch->story.ops->attached(&fetch->story, &fetch->path, steering_native(fetch->steering));
	return exit_code;
}

static int make_client(struct fetch *fetch)
{
	struct tcp_client_config config = {
		.conn.send_bytes = SEND_BYTES,
		.xsk = steering_xsk(fetch->steering),
		.observer = {.frame = on_frame, .layer = on_layer, .context = fetch},
	};
	struct tcp_numbers numbers;
	struct tcp_secret secret;

	path_frame(&fetch->path, &config.path);
	tcp_secret_read(&secret);
	numbers = tcp_numbers_of(&secret, &config.path, clock_monotonic_ns());
	config.path.flow_label = numbers.flow_label;
	config.conn.isn = numbers.isn;
	config.conn.timestamp_offset = numbers.timestamp_offset;
	steering_conn(fetch->steering, &config.conn);
	fetch->client = tcp_client_new(&config);
	if (fetch->client)
		return EXIT_DONE;
	log_error(NULL, "%s", strerror(ENOMEM));
	return EXIT_FAILED;
}

/* What went wrong, in a line for the summary; @cure is set where there is one. */
static const char *problem_of(const struct fetch *fetch, enum exchange_end end, const char **cure)
{
	switch (end) {
	case EXCHANGE_COMPLETE:
		return NULL;
	case EXCHANGE_NO_ANSWER:
		*cure = "xdplife trace on the way; a longer --timeout";
		break;
	case EXCHANGE_REFUSED:
		*cure = "another port: nobody listens on this one, or a firewall says so";
		break;
	case EXCHANGE_STALLED:
		*cure = "a longer --timeout";
		break;
	case EXCHANGE_BAD_RESPONSE:
		return http_error_text(fetch->parser.error);
	case EXCHANGE_BODY_FAILED:
	case EXCHANGE_IO_FAILED:
		return strerror(-fetch->exchange.err);
	default:
		break;
	}
	return exchange_end_text(end);
}

static void tell_summary(struct fetch *fetch)
{
	struct fetch_summary *summary = &fetch->summary;

	summary->body_bytes = fetch->parser.body_bytes;
	summary->name_ns = fetch->path.literal ? 0 : fetch->path.name_ns;
	summary->route_ns = fetch->path.route_ns;
	summary->neighbour_ns = fetch->path.neighbour_ns;
	summary->handshake_ns = fetch->exchange.handshake_ns;
	summary->first_byte_ns = fetch->exchange.first_byte_ns;
	summary->last_byte_ns = fetch->exchange.last_byte_ns;
	summary->total_ns = clock_monotonic_ns() - fetch->start_ns;
	summary->frames_dropped = xsk_dropped(steering_xsk(fetch->steering));
	summary->tcp = tcp_conn_stats(tcp_client_conn(fetch->client));
	fetch->story.ops->summary(&fetch->story, summary);
}

static int exchange(struct fetch *fetch)
{
	char request[HTTP_MAX_REQUEST_BYTES];
	int bytes = http_request(&fetch->url, "xdplife/" XDPLIFE_VERSION, request, sizeof(request));
	const char *cure = NULL;
	enum exchange_end end;

	http_parser_init(&fetch->parser);
	fetch->exchange = (struct http_exchange){
		.client = fetch->client,
		.parser = &fetch->parser,
		.request = request,
		.request_bytes = (size_t)bytes, /* it has room for every URL that url_parse() takes */
		.timeout_ns = fetch->timeout_s * NS_PER_S,
		.on_head = on_head,
		.on_body = on_body,
		.context = fetch,
	};
	end = http_exchange_run(&fetch->exchange);
	fetch->summary.problem = problem_of(fetch, end, &cure);
	tell_summary(fetch);
	if (end == EXCHANGE_COMPLETE)
		return EXIT_DONE;
	log_error(cure, "%s: %s", fetch->target, fetch->summary.problem);
	return EXIT_FAILED;
}

/* The file gets its name only here. */
static int finish_body(struct fetch *fetch, int exit_code)
{
	int err;

	if (exit_code || !fetch->body) {
		body_discard(fetch->body);
		return exit_code;
	}
	err = body_commit(fetch->body);
	if (!err)
		return exit_code;
	log_error("free space there, or another --output", "%s: %s", fetch->output ? fetch->output : "stdout",
		  strerror(-err));
	return EXIT_FAILED;
}

static int finish_capture(struct fetch *fetch, int exit_code)
{
	int err;

	if (!fetch->capture)
		return exit_code;
	err = pcapng_close(fetch->capture);
	if (!err)
		err = fetch->capture_err;
	if (!err)
		return exit_code;
	log_error("free space there, or another --write", "%s: %s", fetch->write, strerror(-err));
	return EXIT_FAILED;
}

static int run_steps(struct fetch *fetch)
{
	int exit_code = find_path(fetch);

	if (exit_code)
		return exit_code;
	stop_on_signals(); /* from here on there is something to be undone */
	exit_code = open_body(fetch);
	if (!exit_code)
		exit_code = open_capture(fetch);
	if (!exit_code)
		exit_code = attach(fetch);
	if (!exit_code)
		exit_code = make_client(fetch);
	return exit_code ? exit_code : exchange(fetch);
}

static int fetch_run(int argc, char **argv)
{
	struct fetch *fetch = calloc(1, sizeof(*fetch));
	int exit_code;

	if (!fetch) {
		log_error(NULL, "%s", strerror(ENOMEM));
		return EXIT_FAILED;
	}
	fetch->start_ns = clock_monotonic_ns();
	fetch->timeout_s = DEFAULT_TIMEOUT_S;
	path_init(&fetch->path);
	argp_parse(&argp, argc, argv, 0, NULL, fetch);
	fetch->story.ops = fetch->json ? &fetch_story_json : &fetch_story_text;
	fetch->story.verbose = fetch->verbose;
	/* a reader of stdout that has gone away is a write error, with a clean end */
	signal(SIGPIPE, SIG_IGN);
	exit_code = run_steps(fetch);
	tcp_client_free(fetch->client);
	steering_close(fetch->steering);
	path_close(&fetch->path);
	exit_code = finish_capture(fetch, exit_code);
	exit_code = finish_body(fetch, exit_code);
	free(fetch);
	return exit_code;
}

const struct command cmd_fetch = {
	.name = "fetch",
	.summary = "fetch a page by packets built by hand, past the kernel's TCP",
	.run = fetch_run,
};
