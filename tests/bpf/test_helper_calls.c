// SPDX-License-Identifier: GPL-2.0-only
/* Calls of helpers, against what is known of each path through the router. */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "bench/helper_calls.h"
#include "util/sysctl.h"

#define RUNS 8

/* 10.0.1.2 > 10.0.2.2, UDP without payload; the TTL of 2 lets it pass once, not twice */
#define TTL_2                                                                                                \
	MAC_R0 MAC_C "0800"                                                                                  \
		     "45 00 001c 0001 0000 02 11 a1cd 0a000102 0a000202"                                     \
		     "04d2 162e 0008 0000"

#define NO_NEIGHBOUR                                                                                         \
	MAC_R0 MAC_C "0800"                                                                                  \
		     "45 00 001c 0001 0000 40 11 6382 0a000102 0a00024d"                                     \
		     "04d2 162e 0008 0000"

#define PADDING "000000000000000000000000000000000000"

#define SYN                                                                                                  \
	MAC_R0 MAC_C "0800"                                                                                  \
		     "45 00 0028 0001 0000 40 06 63cc 0a000102 0a000202"                                     \
		     "9c40 0050 00000001 00000000 50 02 faf0 0000 0000"

#define ARP_REQUEST                                                                                          \
	"ffffffffffff" MAC_C "0806"                                                                          \
	"0001 0800 06 04 0001" MAC_C "0a000102 000000000000 0a000101"

static const struct datapath_options forward = {.forward = true};

/* Its programs are loaded, and detached again, so that no frame comes but those of the test. */
struct router {
	struct datapath *dp;
	int program; /* of r0 */
};

static struct router open_router(const struct datapath_options *options, char *const *ports)
{
	struct router router;

	assert_int_equal(datapath_open(&router.dp, options), 0);
	assert_int_equal(datapath_add_ports(router.dp, ports), 0);
	router.program = xdp_program_of("r0");
	datapath_detach(router.dp);
	return router;
}

static struct router open_counting_router(void)
{
	struct helper_calls *calls;
	struct router router;

	assert_int_equal(helper_calls_open(&calls), 0);
	router = open_router(&forward, router_ports);
	helper_calls_close(calls);
	return router;
}

/* One port: to verify the observer takes long. */
static struct router open_counting_observer(void)
{
	static const struct datapath_options options = {.observe = true, .event_mask = TCP_EVENTS_ALL};
	static char *const ports[] = {"r0", NULL};
	struct helper_calls *calls;
	struct router router;

	assert_int_equal(helper_calls_open(&calls), 0);
	router = open_router(&options, ports);
	helper_calls_close(calls);
	return router;
}

static void close_router(struct router *router)
{
	close(router->program);
	datapath_close(router->dp);
}

static int count_calls(struct bench_program *counted, int program, const char *hex, unsigned int runs)
{
	struct frame in = frame_of(hex);
	struct xdp_md context = {.data_end = in.bytes, .ingress_ifindex = if_nametoindex("r0")};
	LIBBPF_OPTS(bpf_test_run_opts, once, .data_in = in.byte, .data_size_in = in.bytes, .ctx_in = &context,
		    .ctx_size_in = sizeof(context));

	return helper_calls_count(counted, program, &once, runs);
}

/* Calls a packet of the helper, which must not be there twice. */
static double calls_of(const struct bench_program *counted, const char *name)
{
	double calls = 0;

	for (unsigned int i = 0; i < counted->helpers; i++) {
		if (strcmp(counted->helper[i].name, name))
			continue;
		assert_true(calls == 0 && counted->helper[i].calls > 0);
		calls = counted->helper[i].calls;
	}
	return calls;
}

static void assert_calls(const char *name, const struct bench_program *counted, const char *helper,
			 double calls)
{
	if (calls_of(counted, helper) != calls)
		fail_msg("%s: %g calls of %s a packet, should be %g", name, calls_of(counted, helper), helper,
			 calls);
}

struct path {
	const char *name, *in;
	unsigned int maps, maps_a_lookup, redirects, trims, wishes;
	enum { NO_LOOKUP, EACH_TIME, KEPT } lookup; /* of the FIB */
};

/*
 * Each looks up its counters; one that is to be routed, the clock, the cache and its generation, too. What takes the short
 * way in vain has looked some of it up before: all if the answer is not kept, the clock if it is padded.
 */
static const struct path paths[] = {
	{"forwarded", TTL_2, 4, 3, 1, 0, 0, KEPT},
	{"forwarded, padded", TTL_2 PADDING, 5, 0, 1, 1, 0, KEPT},
	{"no neighbour", NO_NEIGHBOUR, 4, 3, 0, 0, 1, EACH_TIME},
	{"passed early", ARP_REQUEST, 1, 0, 0, 0, 0, NO_LOOKUP},
};

/* A kept answer is asked for at most once, or again if something changes meanwhile. */
static void assert_fib_lookups(const struct path *path, const struct bench_program *counted)
{
	double calls = calls_of(counted, "bpf_fib_lookup");

	if (path->lookup == KEPT)
		assert_true(calls < 0.5);
	else
		assert_calls(path->name, counted, "bpf_fib_lookup", path->lookup == EACH_TIME);
}

/* Each run gets the frame as it was: a TTL of 2 that wore down would be passed from the second run on. */
static void calls_on_each_path(void **state)
{
	struct router router = open_counting_router();

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		const struct path *path = &paths[i];
		struct port_counters before = counters_of(router.dp, 0), after;
		struct bench_program counted = {};

		assert_int_equal(count_calls(&counted, router.program, path->in, RUNS), 0);
		after = counters_of(router.dp, 0);
		assert_int_equal(after.seen - before.seen, RUNS);
		assert_calls(path->name, &counted, "bpf_map_lookup_elem",
			     path->maps + path->maps_a_lookup * calls_of(&counted, "bpf_fib_lookup"));
		assert_calls(path->name, &counted, "bpf_xdp_get_buff_len", 1);
		assert_fib_lookups(path, &counted);
		assert_calls(path->name, &counted, "bpf_redirect_map", path->redirects);
		assert_calls(path->name, &counted, "bpf_xdp_adjust_tail", path->trims);
		assert_calls(path->name, &counted, "bpf_map_update_elem", path->wishes);
	}
	close_router(&router);
}

static __u32 action_on(const struct router *router, const char *hex, struct frame *out)
{
	struct frame in = frame_of(hex);
	struct xdp_md context = {.data_end = in.bytes, .ingress_ifindex = if_nametoindex("r0")};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = in.byte, .data_size_in = in.bytes,
		    .data_out = out->byte, .data_size_out = sizeof(out->byte), .ctx_in = &context,
		    .ctx_size_in = sizeof(context));

	assert_int_equal(bpf_prog_test_run_opts(router->program, &options), 0);
	out->bytes = options.data_size_out;
	return options.retval;
}

/* Counting changes nothing else: each path ends as it does without. */
static void counting_programs_do_the_same(void **state)
{
	const size_t count = sizeof(paths) / sizeof(paths[0]);
	struct frame out[sizeof(paths) / sizeof(paths[0])], counting_out;
	__u32 action[sizeof(paths) / sizeof(paths[0])];
	struct router router = open_router(&forward, router_ports);

	(void)state;
	for (size_t i = 0; i < count; i++)
		action[i] = action_on(&router, paths[i].in, &out[i]);
	close_router(&router);
	router = open_counting_router();
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(action_on(&router, paths[i].in, &counting_out), action[i]);
		assert_same_frame(paths[i].name, &counting_out, &out[i]);
	}
	close_router(&router);
}

/* The veth takes a peer of so large an MTU only with a program that takes frames of several buffers. */
static void counting_programs_take_large_frames(void **state)
{
	struct router router;

	(void)state;
	assert_int_equal(system("ip link set p0 mtu 9000"), 0);
	router = open_counting_router();
	assert_true(datapath_port(router.dp, 0)->native);
	close_router(&router);
	assert_int_equal(system("ip link set p0 mtu 1500"), 0);
}

/*
 * Each looks up its counters, the clock, its event's slot, the guess at its flow and the flow in the guessed place; the
 * first, which is not there, the flow by its key (1), takes a turn among the newcomers (2) and a place (2), and makes and counts its two
 * talkers (4). A mean of the runs of this count, not of those before; and with maps as new the same again.
 */
static void calls_are_a_mean(void **state)
{
	struct router router = open_counting_observer();
	struct bench_program first = {}, known = {}, again = {};

	(void)state;
	assert_int_equal(count_calls(&first, router.program, SYN, 4), 0);
	assert_calls("four SYNs", &first, "bpf_ktime_get_ns", 1);
	assert_calls("four SYNs", &first, "bpf_map_lookup_elem", (4 * 5 + 9) / 4.);
	assert_calls("four SYNs", &first, "bpf_map_update_elem", 3 / 4.);
	assert_int_equal(count_calls(&known, router.program, SYN, 4), 0);
	assert_calls("the flow is known", &known, "bpf_ktime_get_ns", 1);
	assert_calls("the flow is known", &known, "bpf_map_lookup_elem", 5);
	assert_calls("the flow is known", &known, "bpf_map_update_elem", 0);
	close_router(&router);
	router = open_counting_observer();
	assert_int_equal(count_calls(&again, router.program, SYN, 4), 0);
	assert_memory_equal(&again, &first, sizeof(first));
	close_router(&router);
}

/* How often depends on the time (bpf/clock.h). */
static void forget_clock(struct bench_program *counted)
{
	for (unsigned int i = 0; i < counted->helpers; i++)
		if (!strcmp(counted->helper[i].name, "bpf_ktime_get_coarse_ns"))
			counted->helper[i].calls = 0;
}

/* The router has no state: each load, each count the same. */
static void calls_are_the_same_every_time(void **state)
{
	struct bench_program first = {}, counted;

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct router router = open_counting_router();

		counted = (struct bench_program){};
		assert_int_equal(count_calls(&counted, router.program, TTL_2, RUNS), 0);
		forget_clock(&counted);
		first = i ? first : counted;
		assert_memory_equal(&counted, &first, sizeof(first));
		close_router(&router);
	}
}

struct stranger {
	int program;
	atomic_bool stop;
	atomic_uint runs;
};

static void *run_along(void *context)
{
	struct stranger *stranger = context;
	struct frame in = frame_of(TTL_2);
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = in.byte, .data_size_in = in.bytes, .repeat = 1);

	while (!stranger->stop && !bpf_prog_test_run_opts(stranger->program, &options))
		stranger->runs++;
	return NULL;
}

/* Other frames come through the program all the while: it will not take long until one is in a count. */
static void frames_of_others_are_noticed(void **state)
{
	struct router router = open_counting_router();
	struct stranger stranger = {.program = router.program};
	struct bench_program counted = {};
	int err = 0;
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, run_along, &stranger), 0);
	while (!stranger.runs)
		sched_yield();
	for (int i = 0; !err && i < 10000; i++)
		err = count_calls(&counted, stranger.program, TTL_2, RUNS);
	stranger.stop = true;
	pthread_join(thread, NULL);
	assert_int_equal(err, -EBUSY);
	assert_int_equal(counted.helpers, 0);
	close_router(&router);
}

/* Before helper_calls_open() and after helper_calls_close() programs are loaded as they are. */
static void programs_that_do_not_count(void **state)
{
	struct bench_program counted = {.helpers = 1};
	struct helper_calls *calls, *second;
	struct router router = open_router(&forward, router_ports);

	(void)state;
	assert_int_equal(count_calls(&counted, router.program, TTL_2, 1), -ENOENT);
	assert_int_equal(counted.helpers, 0);
	close_router(&router);
	assert_int_equal(helper_calls_open(&calls), 0);
	assert_int_equal(helper_calls_open(&second), -EBUSY);
	helper_calls_close(calls);
	helper_calls_close(NULL);
	router = open_router(&forward, router_ports);
	assert_int_equal(count_calls(&counted, router.program, TTL_2, 1), -ENOENT);
	close_router(&router);
}

static void no_program(void **state)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct bench_program counted = {};

	(void)state;
	assert_int_equal(count_calls(&counted, -1, TTL_2, 1), -EBADFD);
	assert_int_equal(count_calls(&counted, null, TTL_2, 1), -EINVAL);
	close(null);
}

/* It was not given counters, for it calls nothing. */
static void program_without_calls(void **state)
{
	static const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_DROP},
		{.code = BPF_JMP | BPF_EXIT},
	};
	int program = bpf_prog_load(BPF_PROG_TYPE_XDP, "drop", "GPL", insns, 2, NULL);
	struct bench_program counted = {.helpers = 1};

	(void)state;
	assert_true(program >= 0);
	assert_int_equal(count_calls(&counted, program, TTL_2, RUNS), 0);
	assert_int_equal(counted.helpers, 0);
	close(program);
}

/* bpf_fib_lookup() for the way back would be a second one. */
static int set_up(void **state)
{
	(void)state;
	return router_up() || sysctl_write("net/ipv4/conf/all/rp_filter", 0) ||
	       sysctl_write("net/ipv4/conf/r0/rp_filter", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_on_each_path),
		cmocka_unit_test(counting_programs_do_the_same),
		cmocka_unit_test(counting_programs_take_large_frames),
		cmocka_unit_test(calls_are_a_mean),
		cmocka_unit_test(calls_are_the_same_every_time),
		cmocka_unit_test(frames_of_others_are_noticed),
		cmocka_unit_test(programs_that_do_not_count),
		cmocka_unit_test(no_program),
		cmocka_unit_test(program_without_calls),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
