// SPDX-License-Identifier: GPL-2.0-only
/*
 * The observe stage: the same bytes through the BPF programs and through the engine in userspace must give the same
 * events, to the byte; and in packet mode each frame arrives as it came in and as it left.
 */
#include "fixture.h"

#include "datapath/events.h"

#define MAX_EVENTS 64

struct received {
	struct trace_event event;
	struct frame frame;
};

static struct datapath *dp;
static struct events *events;
static struct received received[MAX_EVENTS];
static int received_count;

static int receive(void *context, const struct trace_event *event, const __u8 *bytes)
{
	struct received *to = &received[received_count];

	(void)context;
	/* The namespace's own kernel reports its multicast groups (MLD): not ours. */
	if (event->hook == HOOK_EGRESS && event->pkt.ip_proto != IPPROTO_TCP)
		return 0;
	received_count++;
	assert_true(received_count <= MAX_EVENTS);
	to->event = *event;
	to->frame.bytes = event->captured_bytes;
	memcpy(to->frame.byte, bytes, event->captured_bytes);
	return 0;
}

static void drain(void)
{
	received_count = 0;
	assert_int_equal(events_drain(events), 0);
}

struct segment {
	int from_client;
	__u8 flags;
	__u32 seq, ack;
	__u32 payload_bytes;
	__u32 events; /* that it must cause */
};

/* MSS 1460, SACK permitted, timestamps, NOP, window scale 7: as Linux sends them with a SYN. */
#define SYN_OPTIONS "020405b4 0402 080a 00000001 00000000 01 030307"

static void put32(__u8 *at, __u32 value)
{
	value = TO_BE32(value);
	memcpy(at, &value, 4);
}

/* 10.0.1.2:40000 and 10.0.2.2:80; addressed to the router's MAC on the side it comes from; TTL 64, window 64240 */
static struct frame frame_of_segment(const struct segment *segment)
{
	struct frame frame = frame_of(segment->from_client ? MAC_R0 MAC_C : MAC_R1 MAC_S);
	struct frame ip = frame_of(segment->from_client
					   ? "0800 45000028 00010000 4006 0000 0a000102 0a000202 9c40 0050"
					   : "0800 45000028 00010000 4006 0000 0a000202 0a000102 0050 9c40");
	struct frame tcp = frame_of("00000000 00000000 50 00 faf0 0000 0000"), options = {.bytes = 0};

	if (segment->flags & TCPHDR_SYN)
		options = frame_of(SYN_OPTIONS);
	put32(tcp.byte, segment->seq);
	put32(tcp.byte + 4, segment->ack);
	tcp.byte[8] = (__u8)((20 + options.bytes) / 4 << 4);
	tcp.byte[9] = segment->flags;
	ip.byte[5] = (__u8)(40 + options.bytes + segment->payload_bytes); /* the IPv4 total length */
	memcpy(frame.byte + 12, ip.byte, ip.bytes);
	memcpy(frame.byte + 38, tcp.byte, tcp.bytes);
	memcpy(frame.byte + 54, options.byte, options.bytes);
	memset(frame.byte + 54 + options.bytes, 'x', segment->payload_bytes);
	frame.bytes = 54 + options.bytes + segment->payload_bytes;
	fix_ip4_checksum(&frame, 14);
	return frame;
}

/* The engine in userspace, fed with the same bytes at the same times. */
static void assert_engine_agrees(struct tcp_track *track, const struct frame *frame,
				 const struct trace_event *event)
{
	struct packet pkt = {};
	struct flow_key key;
	flow_end from;
	__u32 caused;

	parse_packet(&pkt, frame->byte, frame->byte + frame->bytes, frame->bytes);
	parse_syn_options(&pkt, frame->byte);
	assert_memory_equal(&event->pkt, &pkt, sizeof(pkt));
	from = flow_key_of(&key, &pkt);
	if (!track->first_ns)
		tcp_track_begin(track, event->time_ns);
	caused = tcp_track_segment(track, &pkt, from, event->time_ns);
	assert_int_equal(event->sender, from);
	assert_int_equal(event->tcp_events, caused);
	assert_memory_equal(&event->conn, track, sizeof(*track));
}

static void play(const struct segment *segments, int count)
{
	struct tcp_track track = {};

	for (int i = 0; i < count; i++) {
		const struct segment *segment = &segments[i];
		const char *port = segment->from_client ? "r0" : "r1";
		struct frame in = frame_of_segment(segment), out;

		assert_int_equal(run_xdp(port, &in, &out), XDP_REDIRECT);
		drain();
		/* in packet mode two events: as it came in, and as it left */
		assert_int_equal(received_count, 2);
		assert_engine_agrees(&track, &in, &received[0].event);
		assert_int_equal(received[0].event.tcp_events, segment->events);
		assert_int_equal(received[0].event.hook, HOOK_INGRESS);
		assert_int_equal(received[0].event.ifindex, if_nametoindex(port));
		assert_int_equal(received[0].event.verdict, VERDICT_FORWARD);
		assert_int_equal(received[0].event.pkt.ttl, 64);
		assert_int_equal(received[0].event.ttl_out, 63);
		assert_same_frame("as it came in", &received[0].frame, &in);
		assert_int_equal(received[1].event.hook, HOOK_FORWARD);
		assert_int_equal(received[1].event.ifindex,
				 if_nametoindex(segment->from_client ? "r1" : "r0"));
		assert_int_equal(received[1].event.tcp_events, 0);
		assert_same_frame("as it left", &received[1].frame, &out);
	}
}

/* Handshake, a request of 50 bytes, an answer of 90, closed by the server: the usual life. */
static void usual_life(void **state)
{
	static const struct segment segments[] = {
		{1, TCPHDR_SYN, 1000, 0, 0, TCP_EVENT_SYN},
		{0, TCPHDR_SYN | TCPHDR_ACK, 9000, 1001, 0, TCP_EVENT_SYNACK},
		{1, TCPHDR_ACK, 1001, 9001, 0, TCP_EVENT_ESTABLISHED},
		{1, TCPHDR_PSH | TCPHDR_ACK, 1001, 9001, 50, 0},
		{0, TCPHDR_PSH | TCPHDR_ACK, 9001, 1051, 90, 0},
		{0, TCPHDR_PSH | TCPHDR_ACK, 9001, 1051, 90, TCP_EVENT_RETRANSMIT},
		{0, TCPHDR_FIN | TCPHDR_ACK, 9091, 1051, 0, TCP_EVENT_FIN},
		{1, TCPHDR_FIN | TCPHDR_ACK, 1051, 9092, 0, TCP_EVENT_FIN},
		{0, TCPHDR_ACK, 9092, 1052, 0, TCP_EVENT_CLOSED},
	};
	const struct tcp_track *conn = &received[0].event.conn;

	(void)state;
	play(segments, sizeof(segments) / sizeof(segments[0]));
	/* 10.0.1.2 is the smaller address, so the client is end 0 */
	assert_int_equal(conn->client, 0);
	assert_int_equal(conn->closer, 1);
	assert_int_equal(conn->side[0].packets, 4);
	assert_int_equal(conn->side[0].bytes, 50);
	assert_int_equal(conn->side[1].packets, 5);
	assert_int_equal(conn->side[1].bytes, 180);
	assert_int_equal(conn->side[1].retransmits, 1);
	assert_int_equal(conn->side[0].mss, 1460);
	assert_int_equal(conn->side[0].window_scale, 7);
}

/* The tuple is used again; a RST that acknowledges 2000 instead of 2001 does not count, the next one does. */
static void refused_on_a_used_tuple(void **state)
{
	static const struct segment segments[] = {
		{1, TCPHDR_SYN, 2000, 0, 0, TCP_EVENT_SYN | TCP_EVENT_REUSED},
		{0, TCPHDR_RST | TCPHDR_ACK, 0, 2000, 0, TCP_EVENT_RST_IGNORED},
		{0, TCPHDR_RST | TCPHDR_ACK, 0, 2001, 0, TCP_EVENT_REFUSED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(segments) / sizeof(segments[0]); i++) {
		struct frame in = frame_of_segment(&segments[i]), out;

		run_xdp(segments[i].from_client ? "r0" : "r1", &in, &out);
		drain();
		assert_int_equal(received[0].event.tcp_events, segments[i].events);
	}
}

/* A RST for a connection that nobody knows makes no connection. */
static void rst_of_nothing(void **state)
{
	struct segment rst = {1, TCPHDR_RST, 5, 0, 0, 0};
	struct frame in = frame_of_segment(&rst), out;

	(void)state;
	in.byte[34] = 0x77; /* another source port */
	run_xdp("r0", &in, &out);
	drain();
	assert_int_equal(received_count, 2);
	assert_int_equal(received[0].event.tcp_events, 0);
	assert_int_equal(received[0].event.conn.first_ns, 0);
}

/* An option of length 1 is malformed; the frame is forwarded all the same, for a router reads no TCP. */
static void malformed_options(void **state)
{
	struct segment syn = {1, TCPHDR_SYN, 7, 0, 0, 0};
	struct frame in = frame_of_segment(&syn), out;
	struct port_counters before = counters_of(dp, 0), after;

	(void)state;
	in.byte[55] = 1;
	assert_int_equal(run_xdp("r0", &in, &out), XDP_REDIRECT);
	after = counters_of(dp, 0);
	assert_counted("options", &before, &after, in.bytes, VERDICT_FORWARD, MALFORMED_TCP_OPTIONS);
	drain();
	assert_int_equal(received[0].event.pkt.malformed_l4, MALFORMED_TCP_OPTIONS);
}

/* ARP is no connection, but a packet. */
static void every_frame_is_an_event(void **state)
{
	struct frame in = frame_of("ffffffffffff" MAC_C "0806"
				   "0001 0800 06 04 0001" MAC_C "0a000102 000000000000 0a000101");
	struct frame out;

	(void)state;
	assert_int_equal(run_xdp("r0", &in, &out), XDP_PASS);
	drain();
	assert_int_equal(received_count, 1);
	assert_int_equal(received[0].event.verdict, VERDICT_PASS_NOT_IP);
	assert_int_equal(received[0].event.ttl_out, 0);
	assert_same_frame("ARP", &received[0].frame, &in);
}

/* Nothing is read: the ring fills, and each event that did not fit is counted as lost. */
static void full_ring_is_counted(void **state)
{
	struct segment data = {1, TCPHDR_ACK, 3000, 1, 100, 0};
	struct frame in = frame_of_segment(&data), out;
	struct port_counters before = counters_of(dp, 0), after = before;
	__u64 runs = 0, emitted, lost = 0;

	(void)state;
	for (; !lost && runs < 100000; runs++) {
		run_xdp("r0", &in, &out);
		after = counters_of(dp, 0);
		lost = after.event[EVENT_LOST_RING_FULL] - before.event[EVENT_LOST_RING_FULL];
	}
	emitted = after.event[EVENT_EMITTED] - before.event[EVENT_EMITTED];
	assert_true(lost > 0);
	/* two for each frame, and one for each that the namespace's own kernel has sent meanwhile */
	assert_int_equal(emitted + lost, 2 * runs + after.egress - before.egress);
	assert_int_equal(after.verdict[VERDICT_FORWARD] - before.verdict[VERDICT_FORWARD], runs);
}

static int program_by_name(const char *name)
{
	__u32 id = 0;
	int found = -1;

	/* The newest: an older one may be another test's. */
	while (!bpf_prog_get_next_id(id, &id)) {
		struct bpf_prog_info info = {};
		__u32 size = sizeof(info);
		int fd = bpf_prog_get_fd_by_id(id);

		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &size) && !strcmp(info.name, name)) {
			if (found >= 0)
				close(found);
			found = fd;
		} else if (fd >= 0) {
			close(fd);
		}
	}
	return found;
}

static void run_egress(const struct frame *in, __u32 ingress_ifindex)
{
	struct __sk_buff context = {.ifindex = if_nametoindex("r1"), .ingress_ifindex = ingress_ifindex};
	struct frame out;
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = in->byte, .data_size_in = in->bytes,
		    .data_out = out.byte, .data_size_out = sizeof(out.byte), .ctx_in = &context,
		    .ctx_size_in = sizeof(context), .repeat = 1);
	int program = program_by_name("xdplife_egress"), err = bpf_prog_test_run_opts(program, &options);

	close(program);
	assert_int_equal(err, 0);
	assert_int_equal((int)options.retval, -1); /* TC_ACT_UNSPEC: on to the next program and the stack */
	out.bytes = options.data_size_out;
	assert_same_frame("tc leaves the frame alone", &out, in);
}

/* What the host itself sends is seen at tc egress, followed and counted there. */
static void egress_follows(void **state)
{
	struct segment syn = {1, TCPHDR_SYN, 100, 0, 0, 0};
	struct frame in = frame_of_segment(&syn);
	struct port_counters before, after;

	(void)state;
	drain();
	in.byte[34] = 0x55; /* another source port: a connection of its own */
	before = counters_of(dp, 1);
	run_egress(&in, 0);
	after = counters_of(dp, 1);
	assert_int_equal(after.egress, before.egress + 1);
	assert_int_equal(after.egress_bytes, before.egress_bytes + in.bytes);
	assert_int_equal(after.seen, before.seen);
	drain();
	assert_int_equal(received_count, 1);
	assert_int_equal(received[0].event.hook, HOOK_EGRESS);
	assert_int_equal(received[0].event.tcp_events, TCP_EVENT_SYN);
	assert_int_equal(received[0].event.conn.side[0].packets, 1);
	assert_same_frame("the bytes", &received[0].frame, &in);
}

static int set_up(void **state)
{
	struct datapath_options options = {.forward = true,
					   .observe = true,
					   .event_mask = TCP_EVENTS_ALL,
					   .packets = true,
					   .snap_bytes = CONFIG_MAX_SNAP};

	(void)state;
	if (router_up() || datapath_open(&dp, &options) || datapath_add_ports(dp, router_ports))
		return -1;
	events = events_open(dp, receive, NULL);
	/* What the namespace's own start has sent (router solicitations) is none of the tests' business. */
	drain();
	return events ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	events_close(events);
	datapath_close(dp);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usual_life),
		cmocka_unit_test(refused_on_a_used_tuple),
		cmocka_unit_test(rst_of_nothing),
		cmocka_unit_test(malformed_options),
		cmocka_unit_test(every_frame_is_an_event),
		cmocka_unit_test(egress_follows),
		cmocka_unit_test(full_ring_is_counted),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
