// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rows that prove the engine, through the BPF programs: the same bytes and the same expected events as in
 * tests/unit/test_rows.c, once with an event for every frame and once with the short way for plain segments in front.
 */
#include "fixture.h"

#include "../rows/all.h"
#include "../rows/build.h"
#include "../rows/engine.h"
#include "datapath/events.h"
#include "datapath/flows.h"

#define FIRST_PORT 20000

static char *const ports[] = {"r0", NULL}; /* one: loading is what takes the time */
static struct datapath *dp;
static struct events *events;
static int egress;                  /* the tc program */
static bool every_frame;            /* is an event */
static struct trace_event received; /* the last one */
static int received_count;

/* Who sends a row, and what the engine in userspace makes of it. */
struct run {
	const struct row *row;
	struct build_ends ends;
	struct engine engine;
};

static int receive(void *context, const struct trace_event *event, const __u8 *bytes)
{
	(void)context;
	(void)bytes;
	/* The namespace's own kernel reports its multicast groups (MLD): not ours. */
	if (event->hook == HOOK_EGRESS && event->pkt.ip_proto != IPPROTO_TCP)
		return 0;
	received = *event;
	received_count++;
	return 0;
}

#define MAX_MAPS 64

/* The maps of a program, by their identifiers. Return: how many. */
static __u32 maps_of(int program, __u32 *ids)
{
	struct bpf_prog_info info = {.nr_map_ids = MAX_MAPS, .map_ids = (__u64)(unsigned long)ids};
	__u32 size = sizeof(info);

	assert_int_equal(bpf_obj_get_info_by_fd(program, &info, &size), 0);
	return info.nr_map_ids;
}

/* The map with that name among those of the program of r0: others on this machine have names like ours. */
static int map_by_name(const char *name, __u32 *id)
{
	__u32 ids[MAX_MAPS], count = maps_of(datapath_program(dp, 0), ids);

	for (__u32 i = 0; i < count; i++) {
		struct bpf_map_info info = {};
		__u32 size = sizeof(info);
		int fd = bpf_map_get_fd_by_id(ids[i]);

		*id = ids[i];
		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &size) && !strcmp(info.name, name))
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return -1;
}

static bool uses_map(int program, __u32 map)
{
	__u32 ids[MAX_MAPS], count = maps_of(program, ids);

	for (__u32 i = 0; i < count; i++)
		if (ids[i] == map)
			return true;
	return false;
}

/* The tc program that works with the same table. */
static int egress_by_map(__u32 map)
{
	__u32 id = 0;

	while (!bpf_prog_get_next_id(id, &id)) {
		struct bpf_prog_info info = {};
		__u32 size = sizeof(info);
		int fd = bpf_prog_get_fd_by_id(id);

		if (fd < 0)
			continue;
		if (!bpf_obj_get_info_by_fd(fd, &info, &size) && !strcmp(info.name, "xdplife_egress") &&
		    uses_map(fd, map))
			return fd;
		close(fd);
	}
	return -1;
}

/* At the hook where a frame leaves that has come in by r0. */
static void run_egress(const struct frame *in)
{
	struct __sk_buff context = {.ifindex = if_nametoindex("r0"), .ingress_ifindex = if_nametoindex("r0")};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = in->byte, .data_size_in = in->bytes,
		    .ctx_in = &context, .ctx_size_in = sizeof(context), .repeat = 1);

	assert_int_equal(bpf_prog_test_run_opts(egress, &options), 0);
}

/* The one place where the frame was counted, and the events that were. */
static void expect_counted(const struct run *run, const struct row_step *step,
			   const struct port_counters *before, const struct port_counters *after)
{
	__u32 caused = 0;

	for (int i = 0; i < TCP_EVENT_COUNT; i++)
		if (after->tcp_event[i] != before->tcp_event[i])
			caused |= 1u << i;
	if (caused != step->events)
		fail_msg("%s: \"%s\" should cause %x, and causes %x", run->row->name, step->line,
			 step->events, caused);
	if (after->observed[step->observed] != before->observed[step->observed] + 1)
		fail_msg("%s: \"%s\" is not counted as %s", run->row->name, step->line,
			 observed_key(step->observed));
}

/* Times are the kernel's; without an event for every frame they may be some milliseconds old, and are left out. */
static void forget_times(struct tcp_track *track)
{
	track->first_ns = track->last_ns = track->syn_first_ns = track->syn_last_ns = 0;
	track->synack_first_ns = track->synack_last_ns = track->established_ns = track->ended_ns = 0;
	track->other_ns = 0;
	for (int i = 0; i < 2; i++) {
		struct tcp_rtt *rtt = &track->side[i].rtt;

		track->side[i].hole_ns = rtt->sent_ns = 0;
		rtt->last_us = rtt->min_us = rtt->smoothed_us = 0;
		memset(rtt->bucket, 0, sizeof(rtt->bucket));
	}
}

static void expect_same_track(const struct run *run, const struct tcp_track *kernel,
			      const struct tcp_track *ours)
{
	struct tcp_track a = *kernel, b = *ours;

	forget_times(&a);
	forget_times(&b);
	if (memcmp(&a, &b, sizeof(a)))
		fail_msg("%s: the engine in the kernel knows other things than the one in userspace",
			 run->row->name);
}

/* The event of a frame has what the engine in userspace makes of it. */
static void expect_event(const struct run *run, const struct row_step *step, const struct engine_result *ours)
{
	if (received_count != (every_frame || step->events ? 1 : 0))
		fail_msg("%s: \"%s\" gives %d events", run->row->name, step->line, received_count);
	if (!received_count)
		return;
	assert_int_equal(received.tcp_events, step->events);
	assert_memory_equal(&received.pkt, &ours->pkt, sizeof(ours->pkt));
	assert_memory_equal(&received.tunnel, &ours->tunnel, sizeof(ours->tunnel));
	if (ours->track && step->observed == OBSERVED_TRACKED)
		expect_same_track(run, &received.conn, ours->track);
}

static struct engine_result run_step(struct run *run, const struct row_step *step)
{
	struct port_counters before = counters_of(dp, 0), after;
	struct engine_result ours;
	struct frame in, out;
	struct built built;

	build_frame(&built, step->line, &run->ends);
	in.bytes = built.bytes;
	memcpy(in.byte, built.byte, built.bytes);
	if (row_is_again(step)) {
		run_egress(&in);
		ours = engine_again(&run->engine, in.byte, in.bytes);
	} else {
		assert_int_equal(run_xdp("r0", &in, &out), XDP_PASS);
		ours = engine_frame(&run->engine, in.byte, in.bytes, in.bytes, (step->ms + 1) * 1000000ull);
	}
	received_count = 0;
	assert_int_equal(events_drain(events), 0);
	after = counters_of(dp, 0);
	expect_counted(run, step, &before, &after);
	expect_event(run, step, &ours);
	return ours;
}

/* Each connection of the engine in userspace is in the table, under the same key. */
static void expect_table(const struct run *run)
{
	assert_int_equal(run->engine.connections, row_connections(run->row));
	for (int i = 0; i < run->engine.connections; i++) {
		const struct engine_connection *ours = &run->engine.connection[i];
		struct tcp_track kernel;

		if (!flows_look_up(datapath_flows(dp), &ours->key, &kernel))
			fail_msg("%s: connection %d is not there", run->row->name, i);
		expect_same_track(run, &kernel, &ours->track);
	}
}

static void run_row(const struct row *row, const struct build_ends *ends)
{
	struct run run = {.row = row, .ends = *ends};
	struct row_state state = {};

	for (const struct row_step *step = row->step; step->line; step++) {
		struct engine_result ours = run_step(&run, step);

		state.pkt = ours.pkt;
		state.tunnel = ours.tunnel;
		if (ours.track)
			state.track = *ours.track;
	}
	expect_table(&run);
	if (!known_all(row->end, &state, ends->swapped, false))
		fail_msg("%s: not as expected at the end", row->name);
}

/* Each row has ports of its own: nothing is forgotten between them. */
static void test_row(void **state)
{
	static __u16 port = FIRST_PORT;
	const struct row *row = *state;

	for (int swapped = 0; swapped < (row_is_literal(row) ? 1 : 2); swapped++)
		run_row(row, &(struct build_ends){swapped, port++});
}

static int open_datapath(void)
{
	struct datapath_options options = {
		.observe = true, .event_mask = TCP_EVENTS_ALL, .packets = every_frame};
	__u32 id = 0;

	if (datapath_open(&dp, &options) || datapath_add_ports(dp, ports))
		return -1;
	close(map_by_name("connections", &id));
	egress = egress_by_map(id);
	events = events_open(dp, receive, NULL);
	/* What the namespace's own start has sent (router solicitations) is none of the tests' business. */
	return events && egress >= 0 ? events_drain(events) : -1;
}

static int set_up_every_frame(void **state)
{
	(void)state;
	every_frame = true;
	return router_up() ? -1 : open_datapath();
}

static int set_up_events(void **state)
{
	(void)state;
	every_frame = false;
	return open_datapath();
}

static int tear_down(void **state)
{
	(void)state;
	close(egress);
	events_close(events);
	datapath_close(dp);
	return 0;
}

int main(void)
{
	static struct CMUnitTest tests[ROWS_MAX];
	const struct row *row;
	size_t count = 0;
	int failed;

	for (size_t i = 0; (row = row_number(i)) && i < ROWS_MAX; i++)
		if (!row->needs_time)
			tests[count++] = (struct CMUnitTest){row->name, test_row, NULL, NULL, (void *)row};
	failed = _cmocka_run_group_tests("every frame an event", tests, count, set_up_every_frame, tear_down);
	return failed + _cmocka_run_group_tests("events", tests, count, set_up_events, tear_down);
}
