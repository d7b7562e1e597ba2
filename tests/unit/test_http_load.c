// SPDX-License-Identifier: GPL-2.0-only
/*
 * The HTTP load engine against a simulated server, in simulated time: everything below it that does I/O (the
 * clock, the AF_XDP sockets, the way to the server, the signals) is defined here in place of the real thing,
 * TCP and HTTP are not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "traffic/http_load.h"
#include "traffic/steering.h"
#include "util/clock.h"
#include "util/stop.h"

#define MS           NS_PER_MS
#define CLOCK_NS     10 /* what looking at the clock takes */
#define LINE_NS      (20 * NS_PER_US)
#define FIRST_PORT   40000
#define MAX_PORTS    2000
#define MAX_FLYING   8192
#define MAX_RESPONSE 512
#define WINDOW       60000

#define BODY_BYTES 22
#define RESPONSE   "HTTP/1.1 200 OK\r\nContent-Length: 22\r\n\r\nhello from the server\n"

/* What the server does with a connection. */
enum habit { ANSWER, NOT_FOUND, KEEP, LATE_FIN, REFUSE, SILENT, STALL, RESET, GARBAGE, HABITS };

static const char *const responses[HABITS] = {
	[ANSWER] = RESPONSE,
	[NOT_FOUND] = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
	[KEEP] = RESPONSE,
	[LATE_FIN] = RESPONSE,
	[STALL] = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nand then",
	[RESET] = "",
	[GARBAGE] = "SSH-2.0-OpenSSH_9.2p1\r\n",
};

/* The server's side of one source port. */
struct peer {
	bool known, open;
	enum habit habit;
	uint32_t syn_seq;
	uint32_t rcv_nxt;
};

struct flying {
	uint64_t arrives_ns;
	struct frame frame;
};

static struct world {
	uint64_t now_ns;
	uint64_t stop_ns;    /* when the signal comes; 0: never */
	uint64_t service_ns; /* from request to response */
	uint64_t down_ns;    /* when the interface goes down; 0: never */
	unsigned int lose_every;
	unsigned int fail_send; /* the frame, from 1, that cannot be sent; 0: none */
	const enum habit *habits;
	unsigned int habit_count;

	struct frame_path path; /* seen from the server, but for the client's port */
	struct peer peer[MAX_PORTS];
	unsigned int bound, steered;
	struct flying *flying[MAX_FLYING];
	unsigned int flying_count;
	struct frame handed_out;

	unsigned int on_the_line; /* frames, to count which is lost */
	unsigned int sent, received;
	unsigned int syns, connects, resets, requests, low_isns;
	unsigned int crossed; /* FINs of the client's that came before it had the server's */
	unsigned int open, max_open;
	uint64_t connect_ns[4096];
} world;

/* --- what is simulated: the clock, signals --- */

uint64_t clock_monotonic_ns(void)
{
	return world.now_ns += CLOCK_NS;
}

uint64_t clock_realtime_ns(void)
{
	return world.now_ns;
}

int clock_poll_timeout_ms(uint64_t wait_ns)
{
	(void)wait_ns;
	return 0;
}

void stop_on_signals(void)
{
}

bool stop_requested(void)
{
	return world.stop_ns && world.now_ns >= world.stop_ns;
}

/* --- the way to the server --- */

void path_init(struct net_path *path)
{
	*path = (struct net_path){.port_fd = -1};
}

int path_find_address(struct net_path *path, const char *host, uint16_t port)
{
	(void)host;
	path->ip_version = 4;
	path->remote.v4 = world.path.local.v4;
	path->remote_port = port;
	return EXIT_DONE;
}

int path_find_route(struct net_path *path, const char *ifname)
{
	strcpy(path->iface.name, ifname);
	path->route.source.v4 = world.path.remote.v4;
	path->mtu = 1500;
	return EXIT_DONE;
}

int path_find_neighbour(struct net_path *path)
{
	(void)path;
	return EXIT_DONE;
}

int path_bind_port(const struct net_path *path, uint16_t *port)
{
	(void)path;
	*port = (uint16_t)(FIRST_PORT + world.bound++);
	return open("/dev/null", O_RDONLY);
}

int path_reserve_port(struct net_path *path)
{
	(void)path;
	return EXIT_FAILED;
}

void path_close(struct net_path *path)
{
	(void)path;
}

void path_frame(const struct net_path *path, struct frame_path *frame)
{
	*frame = (struct frame_path){
		.ip_version = 4,
		.local = path->route.source,
		.remote = path->remote,
		.remote_port = TO_BE16(path->remote_port),
	};
}

void ip_addr_text(int ip_version, const union ip_addr *address, char text[INET6_ADDRSTRLEN])
{
	(void)ip_version;
	(void)address;
	strcpy(text, "10.0.2.2");
}

int steering_open(struct steering **steering, const struct net_path *path, unsigned int connections,
		  unsigned int ports)
{
	(void)steering;
	(void)path;
	(void)connections;
	assert_in_range(ports, 1, MAX_PORTS);
	return EXIT_DONE;
}

int steering_add(struct steering *steering, uint16_t local_port)
{
	(void)steering;
	assert_int_equal(local_port, FIRST_PORT + world.steered);
	world.steered++;
	return EXIT_DONE;
}

void steering_conn(const struct steering *steering, struct tcp_conn_config *conn)
{
	(void)steering;
	conn->mss = 1460;
	conn->default_mss = 536;
	conn->receive_bytes = 16384;
	conn->time_wait_ns = 500 * MS;
}

struct xsk *steering_xsk(const struct steering *steering)
{
	(void)steering;
	return NULL;
}

bool steering_native(const struct steering *steering)
{
	(void)steering;
	return true;
}

int steering_check(const struct steering *steering)
{
	(void)steering;
	return world.down_ns && world.now_ns >= world.down_ns ? -ENETDOWN : 0;
}

void steering_close(struct steering *steering)
{
	(void)steering;
}

/* --- the server --- */

static bool is_lost(void)
{
	return world.lose_every && ++world.on_the_line % world.lose_every == 0;
}

static void reply(uint16_t port, uint64_t after_ns, const struct tcp_segment *segment)
{
	struct flying *flying = malloc(sizeof(*flying));

	world.path.remote_port = TO_BE16(port);
	assert_non_null(flying);
	assert_in_range(world.flying_count, 0, MAX_FLYING - 1);
	assert_int_equal(frame_build(&flying->frame, &world.path, 1, segment), 0);
	flying->arrives_ns = world.now_ns + after_ns + LINE_NS;
	world.flying[world.flying_count++] = flying;
}

static uint32_t server_isn(uint16_t port)
{
	return 1000u * port;
}

static struct tcp_segment answer(const struct peer *peer, uint16_t port, uint8_t flags, uint32_t sent)
{
	return (struct tcp_segment){
		.seq = server_isn(port) + sent,
		.ack = peer->rcv_nxt,
		.flags = TCPHDR_ACK | flags,
		.window = WINDOW,
	};
}

static void now_closed(struct peer *peer)
{
	world.open -= peer->open;
	peer->open = false;
}

static void serve_syn(struct peer *peer, uint16_t port, const struct tcp_segment *syn)
{
	struct tcp_segment out;

	world.syns++;
	if (!peer->known || peer->syn_seq != syn->seq) {
		/* What TIME-WAIT takes: beyond what it expects next (RFC 6191). */
		world.low_isns += peer->known && !tcp_before(peer->rcv_nxt, syn->seq);
		peer->habit = world.habits[world.connects % world.habit_count];
		world.connect_ns[world.connects++ % 4096] = world.now_ns;
		world.open += !peer->open;
		if (world.open > world.max_open)
			world.max_open = world.open;
		peer->known = peer->open = true;
	}
	peer->syn_seq = syn->seq;
	peer->rcv_nxt = syn->seq + 1;
	out = answer(peer, port, peer->habit == REFUSE ? TCPHDR_RST : TCPHDR_SYN, 0);
	if (peer->habit == REFUSE)
		out.seq = 0;
	if (peer->habit == REFUSE)
		now_closed(peer);
	if (peer->habit != SILENT)
		reply(port, 0, &out);
}

static void serve_request(struct peer *peer, uint16_t port, const struct tcp_segment *request)
{
	struct tcp_segment out;

	world.requests++;
	assert_memory_equal(request->data, "GET /x HTTP/1.1\r\nHost: 10.0.2.2\r\n", 33);
	peer->rcv_nxt = request->seq + request->data_bytes;
	out = answer(peer, port, TCPHDR_PSH, 1);
	out.data = (const uint8_t *)responses[peer->habit];
	out.data_bytes = (uint32_t)strlen(responses[peer->habit]);
	if (peer->habit == RESET)
		out.flags = TCPHDR_RST | TCPHDR_ACK;
	else if (peer->habit != KEEP && peer->habit != STALL && peer->habit != LATE_FIN)
		out.flags |= TCPHDR_FIN;
	reply(port, world.service_ns, &out);
	if (peer->habit == LATE_FIN) {
		out = answer(peer, port, TCPHDR_FIN, 1 + out.data_bytes);
		reply(port, world.service_ns + 10 * MS, &out);
	}
}

static void serve_fin(struct peer *peer, uint16_t port, const struct tcp_segment *fin)
{
	uint32_t sent = 1 + (uint32_t)strlen(responses[peer->habit]) + (peer->habit != KEEP);
	struct tcp_segment out;

	world.crossed += peer->habit != KEEP && fin->ack != server_isn(port) + sent;
	peer->rcv_nxt = fin->seq + 1;
	out = answer(peer, port, peer->habit == KEEP ? TCPHDR_FIN : 0, sent);
	reply(port, 0, &out);
	now_closed(peer);
}

static void serve(const uint8_t *data, uint32_t bytes)
{
	struct tcp_segment segment;
	struct packet pkt = {};
	struct peer *peer;
	uint16_t port;

	parse_packet(&pkt, data, data + bytes, bytes);
	assert_int_equal(frame_tcp_checksum(&pkt, data), FRAME_CHECKSUM_RIGHT);
	port = FROM_BE16(pkt.src_port);
	assert_in_range(port, FIRST_PORT, FIRST_PORT + world.steered - 1);
	peer = &world.peer[port - FIRST_PORT];
	tcp_segment_read(&segment, &pkt, data);
	if (segment.flags & TCPHDR_SYN)
		serve_syn(peer, port, &segment);
	else if (segment.flags & TCPHDR_RST) {
		world.resets++;
		now_closed(peer);
	} else if (segment.data_bytes)
		serve_request(peer, port, &segment);
	else if (segment.flags & TCPHDR_FIN)
		serve_fin(peer, port, &segment);
}

/* --- the sockets --- */

int xsk_send(struct xsk *xsk, const void *data, uint32_t bytes)
{
	(void)xsk;
	if (world.fail_send && world.sent + 1 >= world.fail_send)
		return -ENETDOWN;
	world.sent++;
	if (!is_lost())
		serve(data, bytes);
	return 0;
}

static unsigned int first_flying(void)
{
	unsigned int first = 0;

	for (unsigned int i = 1; i < world.flying_count; i++)
		if (world.flying[i]->arrives_ns < world.flying[first]->arrives_ns)
			first = i;
	return first;
}

/* The next frame that is on its way to us, if it arrives until then. */
static bool arrive(uint64_t until_ns)
{
	unsigned int first = first_flying();
	struct flying *flying = world.flying[first];

	if (!world.flying_count || flying->arrives_ns > until_ns)
		return false;
	if (world.now_ns < flying->arrives_ns)
		world.now_ns = flying->arrives_ns;
	world.handed_out = flying->frame;
	world.flying[first] = world.flying[--world.flying_count];
	free(flying);
	return true;
}

int xsk_receive(struct xsk *xsk, struct xsk_frame *frame, uint64_t timeout_ns)
{
	uint64_t until_ns = world.now_ns + timeout_ns;

	(void)xsk;
	assert_true(timeout_ns <= NS_PER_S); /* it looks up now and then */
	if (world.stop_ns && world.now_ns < world.stop_ns && world.stop_ns < until_ns)
		until_ns = world.stop_ns;
	while (arrive(until_ns)) {
		if (is_lost())
			continue;
		world.received++;
		frame->data = world.handed_out.data;
		frame->bytes = world.handed_out.bytes;
		return 1;
	}
	if (world.now_ns < until_ns)
		world.now_ns = until_ns;
	return until_ns == world.stop_ns ? -EINTR : 0;
}

uint64_t xsk_dropped(const struct xsk *xsk)
{
	(void)xsk;
	return 0;
}

/* --- the tests --- */

static const enum habit good[] = {ANSWER};
static const struct url url = {.host = "10.0.2.2", .port = 80, .target = "/x"};
static struct http_load_report report;

static struct http_load_options options_of(unsigned int connections, unsigned int ports)
{
	return (struct http_load_options){
		.ifname = "c0",
		.url = &url,
		.connections = connections,
		.ports = ports,
		.timeout_ns = 5 * NS_PER_S,
	};
}

static int begin(void **state)
{
	(void)state;
	memset(&world, 0, sizeof(world));
	world.now_ns = 1000 * NS_PER_S;
	world.habits = good;
	world.habit_count = 1;
	world.service_ns = 100 * NS_PER_US;
	world.path = (struct frame_path){
		.ip_version = 4,
		.local.v4 = TO_BE32(0x0a000202),
		.remote.v4 = TO_BE32(0x0a000102),
		.local_port = TO_BE16(80),
	};
	return 0;
}

static int end(void **state)
{
	(void)state;
	while (world.flying_count)
		free(world.flying[--world.flying_count]);
	return 0;
}

static uint64_t all_ends(void)
{
	uint64_t sum = 0;

	for (int i = 0; i < EXCHANGE_END_COUNT; i++)
		sum += report.ended[i];
	return sum;
}

/* What must be true however it went. */
static void assert_ledger(void)
{
	uint64_t statuses = 0;

	for (int i = 0; i < HTTP_LOAD_STATUS_COUNT; i++)
		statuses += report.status[i];
	assert_int_equal(http_load_residue(&report), 0);
	assert_int_equal(report.open, 0);
	assert_int_equal(report.started, all_ends());
	assert_int_equal(statuses, report.ended[EXCHANGE_COMPLETE]);
	assert_int_equal(report.frames_sent, world.sent);
	assert_int_equal(report.frames_received, world.received);
	assert_int_equal(report.frames_received, report.frames_stray + report.tcp.segments_received);
	assert_int_equal(world.low_isns, 0);
}

static void a_count_is_exact(void **state)
{
	struct http_load_options options = options_of(8, 16);

	(void)state;
	options.count = 1000;
	assert_int_equal(http_load_run(&options, &report), EXIT_DONE);
	assert_ledger();
	assert_int_equal(report.started, 1000);
	assert_int_equal(report.status[HTTP_LOAD_SUCCESSFUL], 1000);
	assert_int_equal(world.connects, 1000);
	assert_int_equal(world.requests, 1000);
	assert_int_equal(world.open, 0);
	assert_int_equal(world.max_open, 8);
	assert_int_equal(world.steered, 16);
	assert_int_equal(report.body_bytes, 1000 * BODY_BYTES);
	assert_int_equal(world.sent, 5 * 1000); /* SYN, ACK, GET, ACK of the server's FIN, FIN */
	assert_int_equal(report.tcp.retransmitted, 0);
	assert_int_equal(report.latency[HTTP_LOAD_LAST_BYTE].samples, 1000);
	assert_int_equal(report.latency[HTTP_LOAD_DELAY].samples, 0); /* nothing was due at a time */
	assert_in_range(latency_quantile_ns(&report.latency[HTTP_LOAD_HANDSHAKE], 0.5), LINE_NS, 2 * LINE_NS);
	assert_in_range(latency_quantile_ns(&report.latency[HTTP_LOAD_FIRST_BYTE], 0.5), world.service_ns,
			2 * world.service_ns);
}

/* Open loop: each start is where it is due, and as many as the time holds. */
static void a_rate_is_kept(void **state)
{
	struct http_load_options options = options_of(4, 8);

	(void)state;
	options.rate_per_s = 500;
	options.duration_s = 2;
	assert_int_equal(http_load_run(&options, &report), EXIT_DONE);
	assert_ledger();
	assert_int_equal(report.started, 1000);
	assert_int_equal(report.late, 0);
	assert_int_equal(report.missed, 0);
	for (uint64_t i = 1; i < 1000; i++)
		assert_in_range(world.connect_ns[i] - world.connect_ns[0], 2 * MS * i - 10000,
				2 * MS * i + 10000);
	assert_in_range(latency_quantile_ns(&report.latency[HTTP_LOAD_DELAY], 1), 0, 10000);
	assert_in_range(report.elapsed_ns, 1998 * MS, 2000 * MS);
}

/* One connection, 10 ms each, asked for 1000 a second: what cannot be done is told. */
static void late_and_missed(void **state)
{
	struct http_load_options options = options_of(1, 2);

	(void)state;
	world.service_ns = 10 * MS;
	options.rate_per_s = 1000;
	options.duration_s = 1;
	assert_int_equal(http_load_run(&options, &report), EXIT_DONE);
	assert_ledger();
	assert_in_range(report.started, 95, 100);
	assert_int_equal(report.late, report.started - 1);
	assert_int_equal(report.missed, 1000 - report.started);
	assert_in_range(report.elapsed_ns, NS_PER_S,
			NS_PER_S + 12 * MS); /* the last one is brought to its end */
	assert_in_range(latency_quantile_ns(&report.latency[HTTP_LOAD_DELAY], 1), 800 * MS, NS_PER_S);
	assert_int_equal(world.max_open, 1);
}

static void a_duration_without_a_rate(void **state)
{
	struct http_load_options options = options_of(3, 6);

	(void)state;
	world.service_ns = 10 * MS;
	options.duration_s = 1;
	assert_int_equal(http_load_run(&options, &report), EXIT_DONE);
	assert_ledger();
	assert_in_range(report.started, 3 * 95, 3 * 100);
	assert_int_equal(world.max_open, 3);
	assert_int_equal(report.late + report.missed, 0);
}

/* Every seventh frame is lost, both ways: all is sent again, nothing fails. */
static void losses_are_survived(void **state)
{
	struct http_load_options options = options_of(16, 64);

	(void)state;
	world.lose_every = 7;
	options.count = 500;
	options.timeout_ns = 60 * NS_PER_S;
	assert_int_equal(http_load_run(&options, &report), EXIT_DONE);
	assert_ledger();
	assert_int_equal(report.ended[EXCHANGE_COMPLETE], 500);
	assert_int_equal(report.body_bytes, 500 * BODY_BYTES);
	assert_int_equal(world.connects, 500);
	assert_in_range(report.tcp.retransmitted, 100, 1000);
}

/* Whatever the server does is counted under its name, and the other exchanges go on. */
static void each_failure_has_its_cause(void **state)
{
	static const enum habit mixed[] = {ANSWER, REFUSE, SILENT, NOT_FOUND, STALL, RESET, GARBAGE, KEEP};
	struct http_load_options options = options_of(5, 50);

	(void)state;
	world.habits = mixed;
	world.habit_count = sizeof(mixed) / sizeof(mixed[0]);
	options.count = 800;
	options.timeout_ns = 500 * MS; /* before the SYN is sent again */
	assert_int_equal(http_load_run(&options, &report), EXIT_FAILED);
	assert_ledger();
	assert_int_equal(report.ended[EXCHANGE_COMPLETE], 300);
	assert_int_equal(report.status[HTTP_LOAD_SUCCESSFUL], 200);
	assert_int_equal(report.status[HTTP_LOAD_CLIENT_ERROR], 100);
	assert_int_equal(report.ended[EXCHANGE_REFUSED], 100);
	assert_int_equal(report.ended[EXCHANGE_NO_ANSWER], 100);
	assert_int_equal(report.ended[EXCHANGE_STALLED], 100);
	assert_int_equal(report.ended[EXCHANGE_RESET], 100);
	assert_int_equal(report.ended[EXCHANGE_BAD_RESPONSE], 100);
	assert_int_equal(http_load_failed(&report), 500);
	assert_int_equal(report.body_bytes, 200 * BODY_BYTES + 100 * strlen("and then"));
	/*
	 * On each of five connections 20 times silence and 20 times a stall, of half a second, and a tenth
	 * for KEEP.
	 */
	assert_in_range(report.elapsed_ns, 20 * NS_PER_S, 24 * NS_PER_S);
	assert_int_equal(report.latency[HTTP_LOAD_HANDSHAKE].samples,
			 600); /* not the refused, not the silent */
	assert_int_equal(report.latency[HTTP_LOAD_LAST_BYTE].samples, 300);
}

/* Told to close, the server closes first, also where its FIN comes 10 ms behind the data. */
static void the_server_closes_first(void **state)
{
	static const enum habit habit[] = {LATE_FIN};
	struct http_load_options options = options_of(4, 8);

	(void)state;
	world.habits = habit;
	options.count = 100;
	assert_int_equal(http_load_run(&options, &report), EXIT_DONE);
	assert_ledger();
	assert_int_equal(report.ended[EXCHANGE_COMPLETE], 100);
	assert_int_equal(world.crossed, 0);
	assert_in_range(report.latency[HTTP_LOAD_LAST_BYTE].max_ns, 100 * NS_PER_US, 1 * MS);
}

/*
 * Every SYN from the only port lies beyond the last connection's numbers (low_isns), however fast they come.
 */
static void one_port_again_and_again(void **state)
{
	struct http_load_options options = options_of(1, 1);

	(void)state;
	world.service_ns = 1;
	options.count = 2000;
	assert_int_equal(http_load_run(&options, &report), EXIT_DONE);
	assert_ledger();
	assert_int_equal(world.connects, 2000);
	assert_in_range(report.elapsed_ns / 2000, 1,
			300 * NS_PER_US); /* too fast for the clock of RFC 6528 */
}

/* The default: far more ports than connections, each used once before any is used again. */
static void ports_rest(void **state)
{
	struct http_load_options options = options_of(2, 0);

	(void)state;
	options.count = HTTP_LOAD_SPARE_PORTS + 2;
	assert_int_equal(http_load_run(&options, &report), EXIT_DONE);
	assert_ledger();
	assert_int_equal(world.steered, HTTP_LOAD_SPARE_PORTS + 2);
	for (unsigned int i = 0; i < world.steered; i++)
		assert_true(world.peer[i].known);
}

/* A signal: what is open is reset and says so; it is no failure. */
static void a_signal_resets_what_is_open(void **state)
{
	struct http_load_options options = options_of(10, 20);

	(void)state;
	world.service_ns = 50 * MS;
	world.stop_ns = world.now_ns + 120 * MS;
	assert_int_equal(http_load_run(&options, &report), EXIT_DONE);
	assert_ledger();
	assert_int_equal(report.ended[EXCHANGE_COMPLETE], 20);
	assert_int_equal(report.ended[EXCHANGE_INTERRUPTED], 10);
	assert_int_equal(world.resets, 10);
	assert_int_equal(world.open, 0);
}

/* The interface goes down in the middle. */
static void a_send_that_fails_ends_it(void **state)
{
	struct http_load_options options = options_of(10, 20);

	(void)state;
	world.fail_send = 1003;
	assert_int_equal(http_load_run(&options, &report), EXIT_FAILED);
	assert_ledger();
	assert_int_equal(report.ended[EXCHANGE_IO_FAILED], 1);
	assert_in_range(report.ended[EXCHANGE_INTERRUPTED], 1, 9);
	assert_in_range(report.ended[EXCHANGE_COMPLETE], 200, 260);
}

/*
 * Nothing is to be sent, nothing comes: it is noticed all the same, long before the exchanges have waited too
 * long.
 */
static void an_interface_that_goes_down_ends_it(void **state)
{
	struct http_load_options options = options_of(10, 20);

	(void)state;
	world.service_ns = 100 * NS_PER_S;
	world.down_ns = world.now_ns + 120 * MS;
	assert_int_equal(http_load_run(&options, &report), EXIT_FAILED);
	assert_ledger();
	assert_int_equal(report.ended[EXCHANGE_INTERRUPTED], 10);
	assert_in_range(report.elapsed_ns, 120 * MS, 230 * MS);
}

/* For a port that was never used, one that is not ours, and one that rests again while another is in use. */
static void strays_are_counted(void **state)
{
	struct http_load_options options = options_of(1, 3);
	struct tcp_segment segment = {.seq = 1, .ack = 1, .flags = TCPHDR_ACK | TCPHDR_FIN, .window = WINDOW};

	(void)state;
	options.count = 2;
	world.service_ns = 1 * MS;
	reply(FIRST_PORT + 2, 0, &segment);
	reply(FIRST_PORT + 100, 0, &segment);
	reply(FIRST_PORT, 3 * MS / 2, &segment);
	assert_int_equal(http_load_run(&options, &report), EXIT_DONE);
	assert_ledger();
	assert_int_equal(report.frames_stray, 3);
	assert_int_equal(report.ended[EXCHANGE_COMPLETE], 2);
}

static unsigned int told;

static void note_progress(void *context, const struct http_load_report *so_far)
{
	assert_ptr_equal(context, &told);
	assert_int_equal(http_load_residue(so_far), 0);
	assert_in_range(so_far->elapsed_ns, (told + 1) * 100 * MS, (told + 2) * 100 * MS);
	told++;
}

static void progress_ten_times_a_second(void **state)
{
	struct http_load_options options = options_of(4, 8);

	(void)state;
	options.duration_s = 1.05;
	options.progress = note_progress;
	options.context = &told;
	assert_int_equal(http_load_run(&options, &report), EXIT_DONE);
	assert_ledger();
	assert_in_range(told, 9, 10);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_count_is_exact),
		TEST(a_rate_is_kept),
		TEST(late_and_missed),
		TEST(a_duration_without_a_rate),
		TEST(losses_are_survived),
		TEST(each_failure_has_its_cause),
		TEST(the_server_closes_first),
		TEST(one_port_again_and_again),
		TEST(ports_rest),
		TEST(a_signal_resets_what_is_open),
		TEST(a_send_that_fails_ends_it),
		TEST(an_interface_that_goes_down_ends_it),
		TEST(strays_are_counted),
		TEST(progress_ten_times_a_second),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
