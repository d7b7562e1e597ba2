// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "net/path.h"
#include "net/tcp_numbers.h"
#include "traffic/http_load.h"
#include "traffic/pacer.h"
#include "traffic/source_ports.h"
#include "traffic/steering.h"
#include "util/clock.h"
#include "util/deadlines.h"
#include "util/log.h"
#include "util/stop.h"

#define TICK_NS      (100 * NS_PER_MS) /* progress; and a signal between check and wait is seen after this */
#define BURST_FRAMES 64                /* received before starts and timers get their turn again */
#define PORT_NUMBERS 65536

/* Room for one exchange at a time. */
struct connection {
	struct source_port *port;
	struct tcp_client *client; /* NULL: free */
	struct http_exchange exchange;
	struct http_parser parser;
};

struct http_load {
	const struct http_load_options *options;
	struct http_load_report *report;
	struct net_path path;
	struct steering *steering;
	struct source_ports *ports;
	struct tcp_secret secret;
	struct tcp_client_config client; /* what all connections have in common */
	char request[HTTP_MAX_REQUEST_BYTES];
	size_t request_bytes;

	struct connection *connections;
	unsigned int *free; /* their indexes: a stack */
	unsigned int free_count;
	struct connection *by_port[PORT_NUMBERS]; /* in host order; NULL: the port is not in use */
	struct deadlines deadlines;               /* of the connections, by index */
	struct pacer pacer;
	uint64_t tick_ns; /* the next */
	uint64_t last_end_ns;
	int err; /* of the sockets, or no memory: everything ends */
};

/* --- an exchange's life --- */

static void count_sent(void *context, const struct client_frame *frame)
{
	struct http_load *load = context;

	load->report->frames_sent += frame->sent;
}

static enum http_load_status status_class(int status)
{
	switch (status / 100) {
	case 2:
		return HTTP_LOAD_SUCCESSFUL;
	case 3:
		return HTTP_LOAD_REDIRECTION;
	case 4:
		return HTTP_LOAD_CLIENT_ERROR;
	case 5:
		return HTTP_LOAD_SERVER_ERROR;
	default:
		return HTTP_LOAD_OTHER;
	}
}

static void add_time(struct http_load_report *report, enum http_load_time time, uint64_t ns)
{
	if (ns) /* else it never got so far */
		latency_add(&report->latency[time], ns);
}

static void account(struct http_load_report *report, const struct connection *connection)
{
	const struct http_exchange *exchange = &connection->exchange;
	struct tcp_conn_stats tcp = tcp_conn_stats(tcp_client_conn(connection->client));

	report->open--;
	report->ended[exchange->end]++;
	if (exchange->end == EXCHANGE_COMPLETE)
		report->status[status_class(connection->parser.status)]++;
	report->body_bytes += connection->parser.body_bytes;
	add_time(report, HTTP_LOAD_HANDSHAKE, exchange->handshake_ns);
	add_time(report, HTTP_LOAD_FIRST_BYTE, exchange->first_byte_ns);
	add_time(report, HTTP_LOAD_LAST_BYTE, exchange->last_byte_ns);
	report->tcp.segments_sent += tcp.segments_sent;
	report->tcp.segments_received += tcp.segments_received;
	report->tcp.retransmitted += tcp.retransmitted;
	report->tcp.duplicates += tcp.duplicates;
	report->tcp.out_of_order += tcp.out_of_order;
	report->tcp.ignored += tcp.ignored;
}

/* The connection is over. */
static void release(struct http_load *load, struct connection *connection)
{
	unsigned int index = (unsigned int)(connection - load->connections);

	deadlines_set(&load->deadlines, index, DEADLINE_NEVER);
	load->by_port[connection->port->number] = NULL;
	source_ports_put_back(load->ports, connection->port);
	tcp_client_free(connection->client);
	connection->client = NULL;
	load->free[load->free_count++] = index;
	load->last_end_ns = clock_monotonic_ns();
}

/* After everything that happened to an exchange: it is waited for further, or accounted for. */
static void settle(struct http_load *load, struct connection *connection)
{
	const struct http_exchange *exchange = &connection->exchange;

	if (!http_exchange_over(exchange)) {
		deadlines_set(&load->deadlines, (unsigned int)(connection - load->connections),
			      http_exchange_deadline_ns(exchange));
		return;
	}
	if (exchange->end == EXCHANGE_IO_FAILED)
		load->err = exchange->err;
	account(load->report, connection);
	release(load, connection);
}

static struct tcp_client *make_client(struct http_load *load, struct source_port *port)
{
	uint32_t span = (uint32_t)load->request_bytes + 2; /* with SYN and FIN */
	struct tcp_client_config config = load->client;
	struct tcp_numbers numbers;

	config.path.local_port = TO_BE16(port->number);
	numbers = tcp_numbers_of(&load->secret, &config.path, clock_monotonic_ns());
	config.path.flow_label = numbers.flow_label;
	config.conn.timestamp_offset = numbers.timestamp_offset;
	config.conn.isn = source_port_isn(port, numbers.isn, span);
	return tcp_client_new(&config);
}

/* There are no fewer ports than connections. Return: NULL without memory. */
static struct connection *make_connection(struct http_load *load)
{
	struct connection *connection = &load->connections[load->free[load->free_count - 1]];
	struct source_port *port = source_ports_take(load->ports);
	struct tcp_client *client = make_client(load, port);

	if (!client) {
		source_ports_put_back(load->ports, port);
		return NULL;
	}
	load->free_count--;
	load->by_port[port->number] = connection;
	connection->port = port;
	connection->client = client;
	http_parser_init(&connection->parser);
	connection->exchange = (struct http_exchange){
		.client = client,
		.parser = &connection->parser,
		.request = load->request,
		.request_bytes = load->request_bytes,
		.timeout_ns = load->options->timeout_ns,
	};
	return connection;
}

/* @due_ns: when it was to be started */
static void start_exchange(struct http_load *load, uint64_t due_ns)
{
	struct connection *connection = make_connection(load);

	if (!connection) {
		load->err = -ENOMEM;
		return;
	}
	pacer_start(&load->pacer);
	load->report->started++;
	load->report->open++;
	if (load->options->rate_per_s)
		latency_add(&load->report->latency[HTTP_LOAD_DELAY], clock_monotonic_ns() - due_ns);
	http_exchange_begin(&connection->exchange);
	settle(load, connection);
}

/* --- the loop --- */

static void start_due(struct http_load *load)
{
	uint64_t now_ns = clock_monotonic_ns(), due_ns;

	while (!load->err && (due_ns = pacer_due_ns(&load->pacer, now_ns)) <= now_ns) {
		if (!load->free_count) {
			pacer_full(&load->pacer, now_ns);
			return;
		}
		start_exchange(load, due_ns);
	}
}

static void run_timers(struct http_load *load)
{
	while (!load->err && deadlines_first_ns(&load->deadlines) <= clock_monotonic_ns()) {
		struct connection *connection = &load->connections[deadlines_first(&load->deadlines)];

		http_exchange_advance(&connection->exchange, tcp_client_advance(connection->client));
		settle(load, connection);
	}
}

static void dispatch(struct http_load *load, const struct xsk_frame *frame)
{
	struct connection *connection = NULL;
	struct packet pkt = {};

	load->report->frames_received++;
	parse_packet(&pkt, frame->data, frame->data + frame->bytes, frame->bytes);
	if (pkt.flags & PACKET_HAS_L4)
		connection = load->by_port[FROM_BE16(pkt.dst_port)];
	if (!connection) {
		load->report->frames_stray++;
		return;
	}
	http_exchange_advance(&connection->exchange, tcp_client_input(connection->client, frame, &pkt));
	settle(load, connection);
}

/* How long there is nothing to do unless a frame comes. */
static uint64_t wait_ns(const struct http_load *load)
{
	uint64_t now_ns = clock_monotonic_ns(), next_ns = deadlines_first_ns(&load->deadlines), due_ns;

	if (load->tick_ns < next_ns)
		next_ns = load->tick_ns;
	due_ns = load->free_count ? pacer_due_ns(&load->pacer, now_ns) : PACER_NEVER;
	if (due_ns < next_ns)
		next_ns = due_ns;
	return next_ns > now_ns ? next_ns - now_ns : 0;
}

static void receive(struct http_load *load)
{
	struct xsk *xsk = steering_xsk(load->steering);
	struct xsk_frame frame;

	for (int i = 0; i < BURST_FRAMES && !load->err; i++) {
		int got = xsk_receive(xsk, &frame, i ? 0 : wait_ns(load));

		if (got < 0 && got != -EINTR)
			load->err = got;
		if (got <= 0)
			return;
		dispatch(load, &frame);
	}
}

static void update_report(struct http_load *load, uint64_t now_ns)
{
	struct http_load_report *report = load->report;
	uint64_t last_ns = report->open || !load->last_end_ns ? now_ns : load->last_end_ns;

	report->elapsed_ns = last_ns - load->pacer.begin_ns;
	report->late = load->pacer.late;
	report->missed = pacer_missed(&load->pacer, now_ns);
	report->frames_dropped = xsk_dropped(steering_xsk(load->steering));
}

static void tick(struct http_load *load)
{
	uint64_t now_ns = clock_monotonic_ns();

	if (load->err || now_ns < load->tick_ns)
		return;
	load->tick_ns = now_ns + TICK_NS;
	load->err = steering_check(load->steering);
	if (load->err || !load->options->progress)
		return;
	update_report(load, now_ns);
	load->options->progress(load->options->context, load->report);
}

static bool is_over(const struct http_load *load)
{
	return load->err || stop_requested() ||
	       (!load->report->open && pacer_due_ns(&load->pacer, clock_monotonic_ns()) == PACER_NEVER);
}

static void begin_pacing(struct http_load *load)
{
	const struct http_load_options *options = load->options;
	uint64_t now_ns = clock_monotonic_ns();

	load->pacer = (struct pacer){
		.rate_per_s = options->rate_per_s,
		.begin_ns = now_ns,
		.end_ns = PACER_NEVER,
		.limit = options->count ? options->count : UINT64_MAX,
	};
	if (options->duration_s)
		load->pacer.end_ns = now_ns + (uint64_t)(options->duration_s * (double)NS_PER_S);
	load->tick_ns = now_ns + TICK_NS;
}

static void interrupt_all(struct http_load *load)
{
	for (unsigned int i = 0; i < load->options->connections; i++) {
		if (!load->connections[i].client)
			continue;
		http_exchange_interrupt(&load->connections[i].exchange);
		settle(load, &load->connections[i]);
	}
}

static void run(struct http_load *load)
{
	begin_pacing(load);
	while (!is_over(load)) {
		start_due(load);
		run_timers(load);
		tick(load);
		if (!load->err)
			receive(load);
	}
	update_report(load, clock_monotonic_ns()); /* what is missed by now; then the open ones end */
	interrupt_all(load);
}

/* --- setting up, and the end --- */

static int find_path(struct http_load *load)
{
	const struct url *url = load->options->url;
	struct net_path *path = &load->path;
	char address[INET6_ADDRSTRLEN];
	int exit_code = path_find_address(path, url->host, url->port);

	if (!exit_code)
		exit_code = path_find_route(path, load->options->ifname);
	if (!exit_code)
		exit_code = path_find_neighbour(path);
	if (exit_code)
		return exit_code;
	ip_addr_text(path->ip_version, &path->remote, address);
	snprintf(load->report->target, sizeof(load->report->target),
		 path->ip_version == 6 ? "[%s]:%u" : "%s:%u", address, path->remote_port);
	memcpy(load->report->ifname, path->iface.name, sizeof(load->report->ifname));
	return EXIT_DONE;
}

static int no_memory(void)
{
	log_error("fewer connections", "%s", strerror(ENOMEM));
	return EXIT_FAILED;
}

static int allocate(struct http_load *load)
{
	unsigned int count = load->options->connections;

	load->connections = calloc(count, sizeof(*load->connections));
	load->free = calloc(count, sizeof(*load->free));
	if (!load->connections || !load->free || deadlines_init(&load->deadlines, count))
		return no_memory();
	for (unsigned int i = count; i > 0; i--)
		load->free[load->free_count++] = i - 1;
	return EXIT_DONE;
}

/* Ports that are ours, and whose frames come to us. */
static int add_ports(struct http_load *load)
{
	unsigned int count = load->options->ports ? load->options->ports
						  : load->options->connections + HTTP_LOAD_SPARE_PORTS;
	int exit_code = source_ports_open(&load->ports, &load->path, count);

	if (!exit_code)
		exit_code = steering_open(&load->steering, &load->path, load->options->connections, count);
	for (unsigned int i = 0; !exit_code && i < count; i++)
		exit_code = steering_add(load->steering, source_ports_at(load->ports, i)->number);
	return exit_code;
}

static void prepare_client(struct http_load *load)
{
	load->client = (struct tcp_client_config){
		.conn.send_bytes = (uint32_t)load->request_bytes,
		.xsk = steering_xsk(load->steering),
		.observer = {.frame = count_sent, .context = load},
	};
	path_frame(&load->path, &load->client.path);
	steering_conn(load->steering, &load->client.conn);
	tcp_secret_read(&load->secret);
}

static int set_up(struct http_load *load)
{
	int exit_code = find_path(load);

	/* It has room for every URL that url_parse() takes. */
	load->request_bytes = (size_t)http_request(load->options->url, "xdplife/" XDPLIFE_VERSION,
						   load->request, sizeof(load->request));
	if (!exit_code)
		exit_code = allocate(load);
	if (exit_code)
		return exit_code;
	stop_on_signals(); /* from here on there is something to be undone */
	exit_code = add_ports(load);
	if (exit_code)
		return exit_code;
	load->report->native = steering_native(load->steering);
	prepare_client(load);
	return EXIT_DONE;
}

static void tear_down(struct http_load *load)
{
	steering_close(load->steering);
	source_ports_close(load->ports);
	deadlines_free(&load->deadlines);
	free(load->free);
	free(load->connections);
	path_close(&load->path);
}

static int say_failure(const struct http_load_report *report)
{
	static const char *const cures[EXCHANGE_END_COUNT] = {
		[EXCHANGE_NO_ANSWER] = "xdplife trace on the way; fewer connections, or a lower rate",
		[EXCHANGE_REFUSED] = "another port: nobody listens on this one, or a firewall says so",
		[EXCHANGE_STALLED] = "fewer connections, or a lower rate; a longer timeout",
		[EXCHANGE_RESET] = "fewer connections, or a lower rate; the server's log",
		[EXCHANGE_BAD_RESPONSE] = "xdplife fetch shows one response and what is wrong with it",
	};
	enum exchange_end most = EXCHANGE_NO_ANSWER;

	for (int i = 0; i < EXCHANGE_END_COUNT; i++)
		if (i != EXCHANGE_COMPLETE && i != EXCHANGE_INTERRUPTED &&
		    report->ended[i] > report->ended[most])
			most = i;
	log_error(cures[most], "%s: %" PRIu64 " of %" PRIu64 " exchanges failed; %" PRIu64 " times: %s",
		  report->target, http_load_failed(report), report->started, report->ended[most],
		  exchange_end_text(most));
	return EXIT_FAILED;
}

static int say_error(const struct http_load *load)
{
	const char *ifname = load->report->ifname;

	if (load->err == -ENOMEM)
		return no_memory();
	if (steering_check(load->steering) == -ENODEV)
		log_error("ip link", "%s: the interface is gone", ifname);
	else
		log_error("ip link", "%s: frames can no longer be sent or received: %s", ifname,
			  strerror(-load->err));
	return EXIT_FAILED;
}

static int conclude(const struct http_load *load)
{
	const struct http_load_report *report = load->report;

	if (http_load_residue(report) || report->open) {
		log_error(NULL, "the ledger does not close: residue %" PRId64 ", %" PRIu64 " still open",
			  http_load_residue(report), report->open);
		return EXIT_LEDGER;
	}
	if (load->err)
		return say_error(load);
	return http_load_failed(report) ? say_failure(report) : EXIT_DONE;
}

int http_load_run(const struct http_load_options *options, struct http_load_report *report)
{
	struct http_load *load = calloc(1, sizeof(*load));
	int exit_code;

	*report = (struct http_load_report){
		.connections = options->connections,
		.rate_per_s = options->rate_per_s,
	};
	if (!load)
		return no_memory();
	load->options = options;
	load->report = report;
	path_init(&load->path);
	exit_code = set_up(load);
	if (!exit_code) {
		run(load);
		exit_code = conclude(load);
	}
	tear_down(load);
	free(load);
	return exit_code;
}
