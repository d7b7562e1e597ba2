// SPDX-License-Identifier: GPL-2.0-only
/*
 * The filter in the programs of the datapath: what it does not want is counted and not observed, and
 * forwarded all the same. test_filter.c has what it wants.
 */
#include "fixture.h"

#include "bench/helper_calls.h"
#include "bench/program_image.h"
#include "datapath/events.h"

/* 10.0.1.2 → 10.0.2.2 by the router; the checksum is filled in. */
#define TO_PORT(port)                                                                                        \
	MAC_R0 MAC_C "0800 45000028 00010000 40060000 0a000102 0a000202 9c40" port                           \
		     "000003e8 00000000 5002 faf0 0000 0000"

static char *const one_port[] = {"r0", NULL};

static struct filter *filter;
static struct datapath *dp;
static struct events *events;
static int event_count;

static int count_event(void *context, const struct trace_event *event, const __u8 *bytes)
{
	(void)context;
	(void)bytes;
	/* The namespace's own kernel reports its multicast groups (MLD): not ours. */
	event_count += event->pkt.ip_proto == IPPROTO_TCP;
	return 0;
}

static struct filter *filter_of(const char *expression)
{
	struct filter_error error;
	struct filter *new;

	assert_int_equal(filter_compile(&new, expression, &error), 0);
	return new;
}

static struct frame frame_to_port(const char *hex)
{
	struct frame frame = frame_of(hex);

	fix_ip4_checksum(&frame, 14);
	return frame;
}

/* Return: how many events the frame causes. */
static int events_of(const struct frame *in)
{
	struct frame out;

	events_drain(events);
	event_count = 0;
	assert_int_equal(run_xdp("r0", in, &out), XDP_REDIRECT);
	assert_int_equal(out.byte[22], 63); /* the TTL: forwarded, wanted or not */
	assert_int_equal(events_drain(events), 0);
	return event_count;
}

/*
 * One frame of ours, beside which the kernel may speak of its own accord (MLD reports, router solicitations): which the
 * filter does not want either.
 */
static void check_filtered(const struct frame *in, int events_wanted, unsigned int ours)
{
	struct port_counters before = counters_of(dp, 0), after;
	__u64 frames;

	assert_int_equal(events_of(in), events_wanted);
	after = counters_of(dp, 0);
	frames = after.seen - before.seen + after.egress - before.egress;
	assert_in_range(frames, 1, 4);
	assert_int_equal(after.observed[OBSERVED_FILTERED] - before.observed[OBSERVED_FILTERED],
			 frames - 1 + ours);
	assert_int_equal(after.verdict[VERDICT_FORWARD], before.verdict[VERDICT_FORWARD] + 1);
}

static void what_matches_is_observed(void **state)
{
	struct frame in = frame_to_port(TO_PORT("01bb"));

	(void)state;
	check_filtered(&in, 2, 0); /* as it came in, and as it left */
}

static void what_does_not_is_counted(void **state)
{
	struct frame in = frame_to_port(TO_PORT("01bc"));

	(void)state;
	check_filtered(&in, 0, 1);
}

static int newest_program(const char *name)
{
	__u32 id = 0;
	int found = -1;

	while (!bpf_prog_get_next_id(id, &id)) {
		struct bpf_prog_info info = {};
		__u32 bytes = sizeof(info);
		int fd = bpf_prog_get_fd_by_id(id), other = fd;

		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &bytes) && !strcmp(info.name, name)) {
			other = found;
			found = fd;
		}
		if (other >= 0)
			close(other);
	}
	return found;
}

/* The last port's program, r1's. */
static __u64 filtered_at_egress(const char *hex)
{
	struct frame in = frame_to_port(hex);
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = in.byte, .data_size_in = in.bytes, .repeat = 1);
	int program = newest_program("xdplife_egress");
	struct port_counters before = counters_of(dp, 1), after;

	assert_int_equal(bpf_prog_test_run_opts(program, &options), 0);
	assert_int_equal((int)options.retval, -1); /* TC_ACT_UNSPEC */
	close(program);
	after = counters_of(dp, 1);
	assert_int_equal(after.egress, before.egress + 1);
	return after.observed[OBSERVED_FILTERED] - before.observed[OBSERVED_FILTERED];
}

static void the_same_at_egress(void **state)
{
	(void)state;
	assert_int_equal(filtered_at_egress(TO_PORT("01bb")), 0);
	assert_int_equal(filtered_at_egress(TO_PORT("01bc")), 1);
}

static void reopen(const struct datapath_options *options)
{
	datapath_close(dp);
	assert_int_equal(datapath_open(&dp, options), 0);
	assert_int_equal(datapath_add_ports(dp, one_port), 0);
}

static struct program_image image_with(const char *expression)
{
	struct filter *other = filter_of(expression);
	const struct datapath_options options = {.packets = true, .forward = true, .filter = other};
	struct program_image image;

	reopen(&options);
	assert_int_equal(program_image_read(&image, datapath_program(dp, 0)), 0);
	filter_free(other);
	return image;
}

/* What stands behind a longer filter stands farther behind, and the kernel knows where. */
static void functions_move(void **state)
{
	struct program_image shorter = image_with("ip"), longer = image_with("tcp port 443 or udp port 53");
	__u32 growth = longer.insns - shorter.insns, moved = 0;

	(void)state;
	assert_true(longer.insns > shorter.insns);
	assert_int_equal(shorter.functions, longer.functions);
	for (__u32 i = 0; i < shorter.functions; i++) {
		__u32 distance = longer.function[i].insn_off - shorter.function[i].insn_off;

		assert_int_equal(shorter.function[i].type_id, longer.function[i].type_id);
		assert_true(distance == (moved ? growth : 0) || distance == growth);
		moved += distance == growth;
	}
	assert_in_range(moved, 1, shorter.functions - 2); /* the main program and the filter stay */
	program_image_free(&shorter);
	program_image_free(&longer);
}

static double calls_of(const char *helper, const char *expression)
{
	struct frame in = frame_to_port(TO_PORT("01bb"));
	LIBBPF_OPTS(bpf_test_run_opts, once, .data_in = in.byte, .data_size_in = in.bytes);
	struct filter *other = expression ? filter_of(expression) : NULL;
	struct datapath_options options = {.packets = true, .filter = other};
	struct bench_program program = {};
	struct helper_calls *calls;
	double count = 0;

	assert_int_equal(helper_calls_open(&calls), 0);
	reopen(&options);
	assert_int_equal(helper_calls_count(&program, datapath_program(dp, 0), &once, 1), 0);
	for (unsigned int i = 0; i < program.helpers; i++)
		if (!strcmp(program.helper[i].name, helper))
			count = program.helper[i].calls;
	helper_calls_close(calls);
	filter_free(other);
	return count;
}

/* Both change the program: the filter is put in first, and its calls are counted too. */
static void calls_of_the_filter_are_counted(void **state)
{
	(void)state;
	assert_true(calls_of("bpf_xdp_get_buff_len", "len > 10 or arp") ==
		    calls_of("bpf_xdp_get_buff_len", NULL) + 1);
}

static int set_up(void **state)
{
	struct datapath_options options = {.forward = true, .packets = true};

	(void)state;
	filter = filter_of("tcp port 443 or (vlan and tcp port 443)");
	options.filter = filter;
	if (router_up() || datapath_open(&dp, &options) || datapath_add_ports(dp, router_ports))
		return -1;
	events = events_open(dp, count_event, NULL);
	return events ? 0 : -1;
}

static int close_events(void **state)
{
	(void)state;
	events_close(events);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	datapath_close(dp);
	filter_free(filter);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_matches_is_observed),
		cmocka_unit_test(what_does_not_is_counted),
		cmocka_unit_test_teardown(the_same_at_egress, close_events),
		cmocka_unit_test(functions_move),
		cmocka_unit_test(calls_of_the_filter_are_counted),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
