// SPDX-License-Identifier: GPL-2.0-only
/*
 * The generator's program writes what userspace crafts of the same state, bit for bit, whatever is on the page; the
 * sink's programs count each fault once and by its name.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <linux/pkt_cls.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "net/iface.h"
#include "traffic/plan.h"
#include "traffic/sender.h"
#include "traffic/sink.h"
#include "util/clock.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define GARBAGE       0xa5
#define ROOM          4096
#define NOW_NS        0x123456789abcdefull

static struct iface near_end; /* g0, by which nothing is ever sent; the sink is on g1 */

/* Without IPv6, which would send messages of its own. */
static const char *const cable = "ip link add g0 type veth peer name g1\n"
				 "for i in g0 g1; do\n"
				 "  echo 1 >/proc/sys/net/ipv6/conf/$i/disable_ipv6\n"
				 "  ip link set $i up\n"
				 "done\n";

static int make_cable(void **state)
{
	(void)state;
	return unshare(CLONE_NEWNET) || system(cable) || iface_get("g0", &near_end);
}

static struct traffic_plan plan_of(enum craft_kind kind, int ip_version, unsigned int vlans)
{
	struct traffic_plan plan = {
		.kind = kind,
		.ip_version = ip_version,
		.from_prefix = ip_version == 4 ? 28 : 124,
		.to_prefix = ip_version == 4 ? 24 : 120,
		.port = 80,
		.src_mac = {2, 0, 0, 0, 0, 1},
		.dst_mac = {2, 0, 0, 0, 0, 2},
		.vlan = {100, 200},
		.vlans = vlans,
		.flows = 15,
		.seed = 1,
		.threads = 1,
		.stamp_every = 4,
	};

	inet_pton(ip_version == 4 ? AF_INET : AF_INET6, ip_version == 4 ? "10.0.1.2" : "fd00:1::2",
		  &plan.from);
	inet_pton(ip_version == 4 ? AF_INET : AF_INET6, ip_version == 4 ? "10.0.2.2" : "fd00:2::2", &plan.to);
	return plan;
}

static struct craft_config craft_of(const struct traffic_plan *plan, uint32_t thread)
{
	struct craft_config craft;
	char why[200];

	if (plan_craft(plan, thread, &craft, why, sizeof(why)))
		fail_msg("%s", why);
	return craft;
}

struct frame {
	uint8_t byte[ROOM];
	uint32_t bytes;
};

/* One frame through a program. Return: the program's action; @frame is what became of it. */
static uint32_t run(int program, struct frame *frame)
{
	struct frame in = *frame;
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = in.byte, .data_size_in = in.bytes,
		    .data_out = frame->byte, .data_size_out = ROOM, .repeat = 1);

	assert_int_equal(bpf_prog_test_run_opts(program, &options), 0);
	frame->bytes = options.data_size_out;
	return options.retval;
}

/* --- the generator --------------------------------------------------------------------------------------------------- */

static struct sender *sender_of(const struct craft_config *craft, double rate_pps)
{
	struct sender_config config = {.craft = craft, .iface = &near_end, .rate_pps = rate_pps};
	struct sender *sender;

	assert_int_equal(sender_live.open(&sender, &config), 0);
	sender->run->limit = UINT64_MAX;
	return sender;
}

/* What a receiver has left on the page: all of its header is scribbled over, and it has the largest frame's size. */
static void make_page(const struct craft_config *craft, uint32_t header_bytes, struct frame *frame)
{
	frame->bytes = plan_frame_bytes(craft);
	memset(frame->byte, 0, frame->bytes);
	memset(frame->byte, GARBAGE, header_bytes);
}

static void check_frame(struct sender *sender, const struct craft_config *craft, struct craft_state *state)
{
	int timed = craft_wants_time(craft, state);
	struct craft_state before = *state;
	struct frame should, is;
	struct craft_turn turn;
	uint32_t shape;

	/* A try, to know the shape and so how much of the page is header. */
	shape = craft_next(craft, &before, NOW_NS, &turn);
	make_page(craft, craft->shape[shape].header_bytes, &is);
	assert_int_equal(run(sender->program, &is), XDP_TX);

	shape = craft_next(craft, state, timed ? sender->run->craft.last_ns : 0, &turn);
	should.bytes = turn.bytes;
	memset(should.byte, 0, should.bytes);
	craft_write(craft, &craft->shape[shape], &turn, should.byte);
	assert_int_equal(is.bytes, should.bytes);
	assert_memory_equal(is.byte, should.byte, should.bytes);
	assert_memory_equal(&sender->run->craft, state, sizeof(*state));
}

static void check_stream(const struct traffic_plan *plan, uint32_t thread)
{
	struct craft_config craft = craft_of(plan, thread);
	struct craft_state state = {.flow = craft.flow_start};
	struct sender *sender = sender_of(&craft, 0);

	for (int i = 0; i < 100; i++)
		check_frame(sender, &craft, &state);
	sender->ops->close(sender);
}

static void every_byte_is_userspaces(void **state)
{
	static const enum craft_kind kinds[] = {CRAFT_UDP, CRAFT_SYN, CRAFT_TCP, CRAFT_HANDSHAKE};

	(void)state;
	for (size_t kind = 0; kind < LENGTH(kinds); kind++)
		for (int ip_version = 4; ip_version <= 6; ip_version += 2)
			for (unsigned int vlans = 0; vlans <= PLAN_MAX_VLANS; vlans++) {
				struct traffic_plan plan = plan_of(kinds[kind], ip_version, vlans);

				check_stream(&plan, 0);
			}
}

static void sizes_and_threads_too(void **state)
{
	struct traffic_plan plan = plan_of(CRAFT_UDP, 4, 0);

	(void)state;
	plan.threads = 3;
	plan_imix(&plan);
	check_stream(&plan, 2);
	plan.kind = CRAFT_SYN;
	plan.ip_version = 6;
	check_stream(&plan, 1);
	plan = plan_of(CRAFT_SYN, 4, 1);
	plan.sizes = 2;
	plan.size[0] = 58; /* without options */
	plan.size[1] = CRAFT_MAX_BYTES;
	check_stream(&plan, 0);
	plan = plan_of(CRAFT_TCP, 6, 2);
	plan.sizes = 1;
	plan.size[0] = 1001;
	check_stream(&plan, 0);
}

static uint32_t run_once(struct sender *sender, const struct craft_config *craft)
{
	struct frame frame;

	make_page(craft, 0, &frame);
	return run(sender->program, &frame);
}

static void the_limit_is_exact(void **state)
{
	struct traffic_plan plan = plan_of(CRAFT_SYN, 4, 0);
	struct craft_config craft = craft_of(&plan, 0);
	struct sender *sender = sender_of(&craft, 0);
	uint64_t end_ns;

	(void)state;
	sender->run->limit = 3;
	for (int i = 0; i < 3; i++)
		assert_int_equal(run_once(sender, &craft), XDP_TX);
	assert_true(sender->run->craft.last_ns ==
		    sender->run->craft.first_ns); /* the fifth would have a time */
	assert_int_equal(run_once(sender, &craft), XDP_DROP);
	end_ns = sender->run->craft.last_ns; /* the end is noted, once */
	assert_true(end_ns > sender->run->craft.first_ns);
	assert_int_equal(run_once(sender, &craft), XDP_DROP);
	assert_true(sender->run->craft.last_ns == end_ns);
	assert_int_equal(sender->run->craft.number, 3);
	sender->run->limit = 4;
	assert_int_equal(run_once(sender, &craft), XDP_TX);
	assert_int_equal(run_once(sender, &craft), XDP_DROP);
	sender->ops->close(sender);
}

static void stop_stops(void **state)
{
	struct traffic_plan plan = plan_of(CRAFT_SYN, 4, 0);
	struct craft_config craft = craft_of(&plan, 0);
	struct sender *sender = sender_of(&craft, 0);

	(void)state;
	assert_int_equal(run_once(sender, &craft), XDP_TX);
	sender->run->stop = 1;
	assert_int_equal(run_once(sender, &craft), XDP_DROP);
	assert_int_equal(sender->run->craft.number, 1);
	sender->ops->close(sender);
}

/* A frame an hour: what is due is sent, what is not is not, however often the program is asked. */
static void frames_are_sent_when_they_are_due(void **state)
{
	const uint64_t hour_ns = 3600 * NS_PER_S;
	struct traffic_plan plan = plan_of(CRAFT_SYN, 4, 0);
	struct craft_config craft = craft_of(&plan, 0);
	struct sender *sender = sender_of(&craft, 1.0 / 3600);

	(void)state;
	assert_int_equal(run_once(sender, &craft), XDP_TX); /* the first at once */
	for (int i = 0; i < 5; i++)
		assert_int_equal(run_once(sender, &craft), XDP_DROP);
	sender->run->start_ns = clock_monotonic_ns() - 2 * hour_ns - hour_ns / 2; /* two more are late */
	for (int i = 0; i < 5; i++)
		assert_int_equal(run_once(sender, &craft), i < 2 ? XDP_TX : XDP_DROP);
	sender->run->start_ns = clock_monotonic_ns() + hour_ns; /* counted from a time to come, none is */
	sender->run->due = 0;
	for (int i = 0; i < 5; i++)
		assert_int_equal(run_once(sender, &craft), XDP_DROP);
	assert_int_equal(sender->run->craft.number, 3);
	sender->ops->close(sender);
}

/* --- the sink -------------------------------------------------------------------------------------------------------- */

static struct traffic_sink *sink_of(const struct craft_config *craft, bool after_stack)
{
	struct traffic_sink_options options = {.ifname = "g1", .craft = craft, .after_stack = after_stack};
	struct traffic_sink *sink;

	return traffic_sink_open(&sink, &options) ? NULL : sink;
}

/* The frames of a stream, made beforehand, to be fed to the sink in any order. */
struct made {
	struct frame *frame;
	uint32_t count;
};

static struct made make_frames(const struct craft_config *craft, uint32_t count)
{
	struct made made = {.frame = calloc(count, sizeof(*made.frame)), .count = count};
	struct craft_state state = {.flow = craft->flow_start};
	uint64_t sent_ns = clock_monotonic_ns() - NS_PER_MS; /* a millisecond under way */

	for (uint32_t i = 0; i < count; i++) {
		int timed = craft_wants_time(craft, &state);
		struct craft_turn turn;
		uint32_t shape = craft_next(craft, &state, timed ? sent_ns : 0, &turn);

		made.frame[i].bytes = turn.bytes;
		craft_write(craft, &craft->shape[shape], &turn, made.frame[i].byte);
	}
	return made;
}

/* What @taken is to the sink's program; else it goes to the stack. */
static void feed(const struct traffic_sink *sink, const struct made *made, uint32_t number, uint32_t taken)
{
	struct frame frame = made->frame[number];

	assert_int_equal(run(traffic_sink_program(sink), &frame), taken);
	assert_int_equal(frame.bytes, made->frame[number].bytes);
	assert_memory_equal(frame.byte, made->frame[number].byte, frame.bytes);
}

static void assert_report(const struct traffic_sink *sink, const struct sink_report *should)
{
	static struct sink_report is; /* zero behind the counters, like *should */

	assert_int_equal(traffic_sink_read(sink, &is), 0);
	assert_int_equal(is.received, should->received);
	assert_int_equal(is.unique, should->unique);
	assert_int_equal(is.reordered, should->reordered);
	assert_int_equal(is.duplicates, should->duplicates);
	assert_int_equal(is.stale, should->stale);
	assert_int_equal(is.others, should->others);
	assert_int_equal(is.measured, should->measured);
	assert_int_equal(is.bytes, should->bytes);
	assert_int_equal(traffic_sink_received(sink), should->received);
}

/* A line with each fault: 0 1 2 [3 lost] 5 4 6 6 7 ... 99, and 2 once more. */
static void check_faults(const struct craft_config *craft, struct traffic_sink *sink, uint32_t taken)
{
	struct made made = make_frames(craft, 100);
	struct sink_report should = {.received = 101, .unique = 99, .reordered = 1, .duplicates = 2};
	static const uint32_t start[] = {0, 1, 2, 5, 4, 6, 6};

	for (size_t i = 0; i < LENGTH(start); i++)
		feed(sink, &made, start[i], taken);
	for (uint32_t number = 7; number < 100; number++)
		feed(sink, &made, number, taken);
	feed(sink, &made, 2, taken);
	for (uint32_t number = 0; number < 100; number++) {
		bool syn = craft->kind != CRAFT_HANDSHAKE || number % 3 == 0;

		should.bytes += made.frame[number].bytes;
		should.measured += number % 4 == 0 && syn;
	}
	should.bytes += made.frame[6].bytes + made.frame[2].bytes - made.frame[3].bytes;
	assert_report(sink, &should);
	free(made.frame);
}

static void each_fault_is_counted_once(void **state)
{
	static const struct {
		enum craft_kind kind;
		int ip_version;
		unsigned int vlans;
	} cases[] = {{CRAFT_UDP, 4, 0}, {CRAFT_SYN, 6, 0},       {CRAFT_TCP, 4, 1},
		     {CRAFT_TCP, 6, 2}, {CRAFT_HANDSHAKE, 4, 0}, {CRAFT_HANDSHAKE, 6, 1}};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct traffic_plan plan = plan_of(cases[i].kind, cases[i].ip_version, cases[i].vlans);
		struct craft_config craft = craft_of(&plan, 0);
		struct traffic_sink *sink = sink_of(&craft, false);

		assert_non_null(sink);
		check_faults(&craft, sink, XDP_DROP);
		assert_int_equal(traffic_sink_reset(sink), 0);
		check_faults(&craft, sink, XDP_DROP); /* from the start again */
		traffic_sink_close(sink);
	}
}

static void in_front_of_the_stack_as_well(void **state)
{
	struct traffic_plan plan = plan_of(CRAFT_SYN, 4, 0);
	struct craft_config craft = craft_of(&plan, 0);
	struct traffic_sink *sink = sink_of(&craft, true);

	(void)state;
	if (!sink) {
		print_message("no tcx before Linux 6.6\n");
		skip();
	}
	check_faults(&craft, sink, TC_ACT_SHOT);
	traffic_sink_close(sink);
}

static void latency_is_measured(void **state)
{
	struct traffic_plan plan = plan_of(CRAFT_UDP, 4, 0);
	struct craft_config craft = craft_of(&plan, 0);
	struct traffic_sink *sink = sink_of(&craft, false);
	struct made made = make_frames(&craft, 40);
	static struct sink_report report;
	uint64_t since_ns = clock_monotonic_ns();

	(void)state;
	for (uint32_t number = 0; number < 40; number++)
		feed(sink, &made, number, XDP_DROP);
	since_ns = clock_monotonic_ns() - since_ns;
	assert_int_equal(traffic_sink_read(sink, &report), 0);
	assert_int_equal(report.measured, 10);
	assert_true(sink_latency_ns(&report, 0) > 15.0 / 16 * NS_PER_MS);
	/* 40 frames were made before that */
	assert_true(sink_latency_ns(&report, 1) < 17.0 / 16 * (2 * NS_PER_MS + since_ns));
	traffic_sink_close(sink);
	free(made.frame);
}

/* Of several threads each has numbers of its own; what no thread has sent is not the stream's. */
static void threads_are_told_apart(void **state)
{
	struct traffic_plan plan = plan_of(CRAFT_SYN, 4, 0), four;
	struct sink_report should = {.received = 89, .unique = 89, .others = 1, .measured = 8 + 8 + 8};
	struct craft_config craft, stray;
	struct traffic_sink *sink;
	struct made made[3], other;

	(void)state;
	plan.threads = 3;
	craft = craft_of(&plan, 0);
	sink = sink_of(&craft, false);
	assert_non_null(sink);
	for (uint32_t thread = 0; thread < 3; thread++) {
		struct craft_config config = craft_of(&plan, thread);

		made[thread] = make_frames(&config, 30);
		should.bytes += 30 * made[thread].frame[0].bytes;
	}
	for (uint32_t number = 0; number < 30; number++)
		for (uint32_t thread = 0; thread < 3; thread++)
			if (thread != 1 || number != 17) /* lost */
				feed(sink, &made[thread], number, XDP_DROP);
	should.bytes -= made[1].frame[17].bytes;
	four = plan;
	four.threads = 4;
	stray = craft_of(&four, 3);
	other = make_frames(&stray, 1);
	feed(sink, &other, 0, XDP_PASS);
	assert_report(sink, &should);
	traffic_sink_close(sink);
	free(other.frame);
	for (int i = 0; i < 3; i++)
		free(made[i].frame);
}

/* Frames of others are the stack's, untouched, and counted apart. */
static void others_pass(void **state)
{
	struct traffic_plan plan = plan_of(CRAFT_UDP, 4, 0), udp6 = plan_of(CRAFT_UDP, 6, 0);
	struct craft_config craft, other;
	struct sink_report should = {.others = 10};
	struct traffic_sink *sink;
	struct made made;

	(void)state;
	craft = craft_of(&plan, 0);
	sink = sink_of(&craft, false);
	assert_non_null(sink);
	other = craft_of(&udp6, 0);
	made = make_frames(&other, 5);
	for (uint32_t number = 0; number < 5; number++)
		feed(sink, &made, number, XDP_PASS);
	free(made.frame);
	plan.port = 81;
	other = craft_of(&plan, 0);
	made = make_frames(&other, 5);
	for (uint32_t number = 0; number < 5; number++)
		feed(sink, &made, number, XDP_PASS);
	free(made.frame);
	assert_report(sink, &should);
	traffic_sink_close(sink);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_is_userspaces),
		cmocka_unit_test(sizes_and_threads_too),
		cmocka_unit_test(the_limit_is_exact),
		cmocka_unit_test(stop_stops),
		cmocka_unit_test(frames_are_sent_when_they_are_due),
		cmocka_unit_test(each_fault_is_counted_once),
		cmocka_unit_test(in_front_of_the_stack_as_well),
		cmocka_unit_test(latency_is_measured),
		cmocka_unit_test(threads_are_told_apart),
		cmocka_unit_test(others_pass),
	};

	return cmocka_run_group_tests(tests, make_cable, NULL);
}
