// SPDX-License-Identifier: GPL-2.0-only
/* The program that plays a capture: which frame, with every byte, when. And the sink that knows its frames again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "util/clock.h"
#include "xdplife/fingerprint.h"
#include "xdplife/generate.h"

#include "generate.skel.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define RING_BYTES  (REPLAY_SLOTS * sizeof(struct replay_slot))

struct rig {
	struct generate_bpf *skel;
	struct bpf_program *program;
	struct replay_slot *slots;
	struct generator_run *run;
};

/* @name: of the one program that is loaded */
static void open_rig(struct rig *rig, const char *name, bool own_timing, double rate_pps)
{
	struct bpf_program *program;

	*rig = (struct rig){.skel = generate_bpf__open()};
	assert_non_null(rig->skel);
	rig->program = bpf_object__find_program_by_name(rig->skel->obj, name);
	bpf_object__for_each_program(program, rig->skel->obj)
		bpf_program__set_autoload(program, program == rig->program);
	bpf_map__set_max_entries(rig->skel->maps.replay_marks, 16);
	*(__u32 *)&rig->skel->rodata->own_timing = own_timing;
	*(__u64 *)&rig->skel->rodata->pace_interval =
		rate_pps > 0 ? (__u64)(1e9 * (1 << PACE_SHIFT) / rate_pps) : 0;
	assert_int_equal(generate_bpf__load(rig->skel), 0);
	rig->slots = mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
			  bpf_map__fd(rig->skel->maps.replay_slots), 0);
	assert_ptr_not_equal(rig->slots, MAP_FAILED);
	rig->run = &rig->skel->bss->run;
	rig->run->limit = UINT64_MAX;
	rig->run->replay.slots = REPLAY_SLOTS;
}

static void close_rig(struct rig *rig)
{
	munmap(rig->slots, RING_BYTES);
	generate_bpf__destroy(rig->skel);
}

/* A page as large as the largest frame. Returns the verdict. */
static unsigned int run_page(const struct rig *rig, uint8_t *frame, unsigned int *bytes)
{
	static uint8_t page[CRAFT_MAX_BYTES];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = page, .data_size_in = sizeof(page), .data_out = frame,
		    .data_size_out = CRAFT_MAX_BYTES, .repeat = 1);

	memset(page, 0x5a, sizeof(page));
	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(rig->program), &opts), 0);
	*bytes = opts.data_size_out;
	return opts.retval;
}

static void fill(const struct rig *rig, unsigned int slot, unsigned int bytes, uint64_t due_ns)
{
	for (unsigned int i = 0; i < bytes; i++)
		rig->slots[slot].frame[i] = (uint8_t)(slot * 31 + i);
	rig->slots[slot].bytes = bytes;
	rig->slots[slot].due_ns = due_ns;
}

static void assert_sent(const struct rig *rig, unsigned int slot)
{
	uint8_t frame[CRAFT_MAX_BYTES];
	unsigned int bytes;

	assert_int_equal(run_page(rig, frame, &bytes), XDP_TX);
	assert_int_equal(bytes, rig->slots[slot].bytes);
	assert_memory_equal(frame, rig->slots[slot].frame, bytes);
}

static void assert_nothing_sent(const struct rig *rig)
{
	uint64_t number = rig->run->craft.number;
	uint8_t frame[CRAFT_MAX_BYTES];
	unsigned int bytes;

	assert_int_equal(run_page(rig, frame, &bytes), XDP_DROP);
	assert_int_equal(rig->run->craft.number, number);
}

static void every_size_byte_for_byte(void **state)
{
	static const unsigned int sizes[] = {14, 15, 60, 61, 1514, CRAFT_MAX_BYTES - 1, CRAFT_MAX_BYTES};
	struct rig rig;

	(void)state;
	open_rig(&rig, "xl_replay", false, 0);
	for (unsigned int i = 0; i < COUNT_OF(sizes); i++)
		fill(&rig, i, sizes[i], 0);
	rig.run->replay.ready = COUNT_OF(sizes);
	for (unsigned int i = 0; i < COUNT_OF(sizes); i++)
		assert_sent(&rig, i);
	assert_int_equal(rig.run->craft.number, COUNT_OF(sizes));
	close_rig(&rig);
}

/* A slot that cannot be: nothing is sent, rather than part of it. */
static void impossible_sizes(void **state)
{
	static const unsigned int sizes[] = {0, 1, 13, CRAFT_MAX_BYTES + 1, 0x7fffffff, 0xffffffff};
	uint8_t frame[CRAFT_MAX_BYTES];
	unsigned int bytes;
	struct rig rig;

	(void)state;
	open_rig(&rig, "xl_replay", false, 0);
	rig.run->replay.ready = 1;
	for (unsigned int i = 0; i < COUNT_OF(sizes); i++) {
		rig.slots[0].bytes = sizes[i];
		assert_int_equal(run_page(&rig, frame, &bytes), XDP_ABORTED);
		assert_int_equal(rig.run->craft.number, 0);
	}
	close_rig(&rig);
}

static void only_what_is_ready_and_wanted(void **state)
{
	struct rig rig;

	(void)state;
	open_rig(&rig, "xl_replay", false, 0);
	for (unsigned int i = 0; i < 4; i++)
		fill(&rig, i, 60, 0);
	assert_nothing_sent(&rig);
	rig.run->replay.ready = 2;
	assert_sent(&rig, 0);
	assert_sent(&rig, 1);
	assert_nothing_sent(&rig);
	rig.run->replay.ready = 4;
	rig.run->limit = 3;
	assert_sent(&rig, 2);
	assert_nothing_sent(&rig);
	rig.run->limit = 4;
	rig.run->stop = 1;
	assert_nothing_sent(&rig);
	close_rig(&rig);
}

static void around_the_ring(void **state)
{
	struct rig rig;

	(void)state;
	open_rig(&rig, "xl_replay", false, 0);
	rig.run->replay.slots = 3;
	rig.run->replay.ready = UINT64_MAX;
	for (unsigned int i = 0; i < 3; i++)
		fill(&rig, i, 60 + i, 0);
	for (unsigned int i = 0; i < 10; i++)
		assert_sent(&rig, i % 3);
	close_rig(&rig);
}

/* Not before its time; and if that is far, the CPU is to be left. */
static void own_timing(void **state)
{
	struct rig rig;

	(void)state;
	open_rig(&rig, "xl_replay", true, 0);
	fill(&rig, 0, 60, 0);
	fill(&rig, 1, 60, REPLAY_REST_NS - NS_PER_MS);
	fill(&rig, 2, 60, 100 * NS_PER_S);
	rig.run->replay.ready = 3;
	assert_sent(&rig, 0);
	rig.run->start_ns = clock_monotonic_ns();
	assert_nothing_sent(&rig);
	assert_int_equal(rig.run->rest, 0);
	rig.run->start_ns -= REPLAY_REST_NS;
	assert_sent(&rig, 1);
	assert_nothing_sent(&rig);
	assert_int_equal(rig.run->rest, 1);
	close_rig(&rig);
}

/* Two frames an hour: the first at once, the second not now, whatever its slot says. */
static void at_a_rate(void **state)
{
	struct rig rig;

	(void)state;
	open_rig(&rig, "xl_replay", false, 2.0 / 3600);
	fill(&rig, 0, 60, 0);
	fill(&rig, 1, 60, 0);
	rig.run->replay.ready = 2;
	assert_sent(&rig, 0);
	assert_nothing_sent(&rig);
	rig.run->start_ns -= 1800 * NS_PER_S;
	assert_sent(&rig, 1);
	close_rig(&rig);
}

/* --- the sink --------------------------------------------------------------------------------------------------- */

static unsigned int run_sink(const struct rig *rig, const uint8_t *frame, unsigned int bytes)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = bytes, .repeat = 1);

	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(rig->program), &opts), 0);
	return opts.retval;
}

static uint64_t received(const struct rig *rig, uint64_t *bytes)
{
	static struct sink_stream stream;
	uint32_t thread = 0;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(rig->skel->maps.sink_streams), &thread, &stream), 0);
	*bytes = stream.bytes;
	return stream.received;
}

static void expect(const struct rig *rig, const uint8_t *frame, unsigned int frame_bytes)
{
	union fingerprint_input input = {};
	const uint32_t nothing = 0;
	uint64_t mark;

	memcpy(&input, frame + FINGERPRINT_OFF, frame_bytes - FINGERPRINT_OFF);
	mark = fingerprint(&input);
	assert_int_equal(
		bpf_map_update_elem(bpf_map__fd(rig->skel->maps.replay_marks), &mark, &nothing, BPF_ANY), 0);
}

static void known_frames_are_taken(void **state)
{
	uint8_t ip4[100] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45}, tiny[14] = {2}, other[100];
	struct rig rig;
	uint64_t bytes;

	(void)state;
	open_rig(&rig, "xl_sink_replay", false, 0);
	ip4[22] = 64;
	tiny[12] = 0x88;
	memcpy(other, ip4, sizeof(other));
	other[99] ^= 1;
	expect(&rig, ip4, sizeof(ip4));
	expect(&rig, tiny, sizeof(tiny));
	assert_int_equal(run_sink(&rig, ip4, sizeof(ip4)), XDP_DROP);
	memset(ip4, 0xee, 12);
	ip4[22] = 63;
	ip4[24] = 0x12;
	assert_int_equal(run_sink(&rig, ip4, sizeof(ip4)), XDP_DROP);
	assert_int_equal(run_sink(&rig, tiny, sizeof(tiny)), XDP_DROP);
	assert_int_equal(run_sink(&rig, other, sizeof(other)), XDP_PASS);
	assert_int_equal(received(&rig, &bytes), 3);
	assert_int_equal(bytes, 214);
	assert_int_equal(rig.skel->bss->sink_others, 1);
	close_rig(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_size_byte_for_byte),
		cmocka_unit_test(impossible_sizes),
		cmocka_unit_test(only_what_is_ready_and_wanted),
		cmocka_unit_test(around_the_ring),
		cmocka_unit_test(own_timing),
		cmocka_unit_test(at_a_rate),
		cmocka_unit_test(known_frames_are_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
