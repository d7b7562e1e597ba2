// SPDX-License-Identifier: GPL-2.0-only
/* What a replay is made of: frames of captures, good and hostile; the ring; when what is due; knowing a frame again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <net/ethernet.h>
#include <arpa/inet.h>
#define PCAP_DONT_INCLUDE_PCAP_BPF_H /* linux/bpf.h has a struct bpf_insn, too */
#include <pcap/dlt.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "traffic/sendable.h"
#include "traffic/pace.h"
#include "xdplife/fingerprint.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define NS_PER_S    1000000000ull
#define YEAR_S      (366ll * 24 * 3600)

static char path[] = "/tmp/test_replay.XXXXXX";

static int make_path(void **state)
{
	int fd;

	(void)state;
	memcpy(path + sizeof(path) - 7, "XXXXXX", 6);
	fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int remove_path(void **state)
{
	(void)state;
	return unlink(path);
}

/* --- frames and files ------------------------------------------------------------------------------------------- */

struct test_frame {
	int64_t seconds, ns;
	uint32_t bytes, wire_bytes; /* wire_bytes 0: the same */
	const char *to;             /* an IP address; NULL: no IP */
};

/* Ethernet, IPv4 or IPv6 to the address, then zeros. */
static void write_frame(const struct test_frame *frame, uint8_t *data)
{
	memset(data, 0, frame->bytes);
	if (frame->bytes < 54)
		return;
	if (!frame->to) {
		memcpy(data + 12, "\x08\x06", 2);
	} else if (strchr(frame->to, ':')) {
		memcpy(data + 12, "\x86\xdd\x60", 3);
		data[20] = 59; /* no next header */
		assert_int_equal(inet_pton(AF_INET6, frame->to, data + 38), 1);
	} else {
		memcpy(data + 12, "\x08\x00\x45", 3);
		data[17] = 20; /* total length */
		data[22] = 64;
		assert_int_equal(inet_pton(AF_INET, frame->to, data + 30), 1);
	}
}

static void write_file(int link, const struct test_frame *frames, size_t count)
{
	pcap_t *dead = pcap_open_dead_with_tstamp_precision(link, 65535, PCAP_TSTAMP_PRECISION_NANO);
	pcap_dumper_t *out = pcap_dump_open(dead, path);
	static uint8_t data[65536];

	assert_non_null(out);
	for (size_t i = 0; i < count; i++) {
		struct pcap_pkthdr header = {
			.ts = {.tv_sec = frames[i].seconds, .tv_usec = frames[i].ns},
			.caplen = frames[i].bytes,
			.len = frames[i].wire_bytes ? frames[i].wire_bytes : frames[i].bytes,
		};

		write_frame(&frames[i], data);
		pcap_dump((u_char *)out, &header, data);
	}
	pcap_dump_close(out);
	pcap_close(dead);
}

/* What is said on stderr goes to @text. */
static int open_file(struct sendable **capture, const struct sendable_options *options, char *text,
			size_t room)
{
	FILE *said = tmpfile();
	int before = dup(STDERR_FILENO), err;
	size_t bytes;

	assert_non_null(said);
	fflush(stderr);
	dup2(fileno(said), STDERR_FILENO);
	err = sendable_open(capture, options);
	dup2(before, STDERR_FILENO);
	close(before);
	rewind(said);
	bytes = fread(text, 1, room - 1, said);
	text[bytes] = 0;
	fclose(said);
	return err;
}

static struct sendable *opened(bool timed, bool owned)
{
	const struct sendable_options options = {.file = path, .timed = timed, .owned = owned};
	struct sendable *capture = NULL;

	assert_int_equal(sendable_open(&capture, &options), 0);
	return capture;
}

static const struct test_frame good[] = {
	{1000, 999999000, 60, 0, "10.0.0.1"},
	{1001, 1, 1514, 0, "fd00::1"},
	{1001, 500, CRAFT_MAX_BYTES, 0, NULL},
	{1000, 0, 14, 0, NULL}, /* before the first: as late as the one in front */
	{1003, 0, 60, 0, "255.255.255.255"},
};

static void read_good(struct sendable *capture)
{
	static const uint64_t times[] = {0, 1001, 1500, 1500, 2 * NS_PER_S + 1000};
	struct sendable_frame frame;
	uint8_t data[CRAFT_MAX_BYTES];

	for (size_t i = 0; i < COUNT_OF(good); i++) {
		assert_int_equal(sendable_next(capture, &frame), 1);
		assert_int_equal(frame.number, i + 1);
		assert_int_equal(frame.bytes, good[i].bytes);
		assert_int_equal(frame.time_ns, times[i]);
		write_frame(&good[i], data);
		assert_memory_equal(frame.data, data, frame.bytes);
	}
	assert_int_equal(sendable_next(capture, &frame), 0);
}

static void frames_as_they_are(void **state)
{
	struct sendable *capture;

	(void)state;
	write_file(DLT_EN10MB, good, COUNT_OF(good));
	capture = opened(true, false);
	read_good(capture);
	assert_int_equal(sendable_rewind(capture), 0);
	read_good(capture);
	sendable_close(capture);
}

/* The file that was opened is read, whatever stands under its name now. */
static void name_taken_away(void **state)
{
	struct sendable *capture;

	(void)state;
	write_file(DLT_EN10MB, good, COUNT_OF(good));
	capture = opened(true, false);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(make_path(state), 0);
	read_good(capture);
	assert_int_equal(sendable_rewind(capture), 0);
	read_good(capture);
	sendable_close(capture);
}

/* The second frame is the bad one. */
static void refused_frames(void **state)
{
	static const struct {
		struct test_frame frame;
		bool timed, owned, good;
	} cases[] = {
		{{0, 0, 13, 0, NULL}, false, false, false},
		{{0, 0, CRAFT_MAX_BYTES + 1, 0, NULL}, false, false, false},
		{{0, 0, 65535, 0, NULL}, false, true, false},
		{{0, 0, 96, 1514, NULL}, false, true, false}, /* cut */
		{{0, 0, 60, 0, "8.8.8.8"}, false, false, false},
		{{0, 0, 60, 0, "8.8.8.8"}, false, true, true},
		{{0, 0, 60, 0, "172.32.0.1"}, false, false, false},
		{{0, 0, 60, 0, "172.31.255.255"}, false, false, true},
		{{0, 0, 60, 0, "2001:4860::1"}, false, false, false},
		{{0, 0, 60, 0, "2001:db8::1"}, false, false, true},
		{{0, 0, 60, 0, "224.0.0.251"}, false, false, true},
		{{0, 0, 60, 0, "ff02::fb"}, false, false, true},
		{{YEAR_S, 0, 60, 0, NULL}, true, false, true},
		{{YEAR_S + 1, 0, 60, 0, NULL}, true, false, false},
		{{YEAR_S + 1, 0, 60, 0, NULL}, false, false, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct test_frame frames[] = {{0, 0, 60, 0, "10.0.0.1"}, cases[i].frame};
		struct sendable *capture;
		struct sendable_frame frame;

		write_file(DLT_EN10MB, frames, COUNT_OF(frames));
		capture = opened(cases[i].timed, cases[i].owned);
		assert_int_equal(sendable_next(capture, &frame), 1);
		print_message("case %zu\n", i);
		assert_int_equal(sendable_next(capture, &frame), cases[i].good ? 1 : -EBADMSG);
		sendable_close(capture);
	}
}

static void overwrite(long at, const void *bytes, size_t count)
{
	FILE *file = fopen(path, "r+b");

	assert_non_null(file);
	assert_int_equal(fseek(file, at, SEEK_SET), 0);
	assert_int_equal(fwrite(bytes, 1, count, file), count);
	assert_int_equal(fclose(file), 0);
}

/* Reads to the end or the error. Returns how many frames were good. */
static unsigned int count_good(int *got)
{
	struct sendable *capture = opened(true, true);
	struct sendable_frame frame;
	unsigned int count = 0;

	while ((*got = sendable_next(capture, &frame)) == 1)
		count++;
	sendable_close(capture);
	return count;
}

#define FILE_HEADER   24
#define PACKET_HEADER 16

/* Cut behind each of its bytes: what is whole is read, and the end is an error unless it is between two frames. */
static void cut_anywhere(void **state)
{
	static const struct test_frame frames[] = {
		{0, 0, 20, 0, NULL}, {0, 0, 30, 0, NULL}, {0, 0, 14, 0, NULL}};
	const long ends[] = {FILE_HEADER, FILE_HEADER + PACKET_HEADER + 20,
			     FILE_HEADER + 2 * PACKET_HEADER + 50, FILE_HEADER + 3 * PACKET_HEADER + 64};
	int got;

	(void)state;
	write_file(DLT_EN10MB, frames, COUNT_OF(frames));
	for (long bytes = ends[3]; bytes >= FILE_HEADER; bytes--) {
		unsigned int whole = 0;
		bool clean = bytes == ends[0];

		assert_int_equal(truncate(path, bytes), 0);
		for (int i = 1; i < 4; i++) {
			whole += bytes >= ends[i];
			clean |= bytes == ends[i];
		}
		assert_int_equal(count_good(&got), whole);
		assert_int_equal(got, clean ? 0 : -EBADMSG);
	}
}

/* Lengths and times that nobody has sent. */
static void hostile_headers(void **state)
{
	static const struct test_frame frames[] = {{0, 0, 60, 0, NULL}, {0, 0, 60, 0, NULL}};
	static const uint32_t lengths[] = {0xffffffff, 0x80000000, 0x7fffffff, 262145, 0};
	const uint32_t all_ones = 0xffffffff;
	const long second = FILE_HEADER + PACKET_HEADER + 60;
	int got;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lengths); i++) {
		write_file(DLT_EN10MB, frames, COUNT_OF(frames));
		overwrite(second + 8, &lengths[i], 4);
		overwrite(second + 12, &lengths[i], 4);
		assert_int_equal(count_good(&got), 1);
		assert_int_equal(got, -EBADMSG);
	}
	write_file(DLT_EN10MB, frames, COUNT_OF(frames));
	overwrite(FILE_HEADER, &all_ones, 4);
	overwrite(second + 4, &all_ones, 4);
	count_good(&got);
	assert_true(got <= 0);
}

static void refused_files(void **state)
{
	static const struct test_frame one = {0, 0, 60, 0, NULL};
	struct sendable_options options = {.file = path};
	struct sendable *capture = NULL;
	char said[512];

	(void)state;
	write_file(DLT_RAW, &one, 1);
	assert_int_equal(open_file(&capture, &options, said, sizeof(said)), EXIT_FAILED);
	assert_non_null(strstr(said, "is not Ethernet"));
	assert_non_null(strstr(said, path));
	write_file(DLT_LINUX_SLL, &one, 1);
	assert_int_equal(open_file(&capture, &options, said, sizeof(said)), EXIT_FAILED);
	assert_non_null(strstr(said, "LINUX_SLL"));
	overwrite(0, "what is this?", 13);
	assert_int_equal(open_file(&capture, &options, said, sizeof(said)), EXIT_FAILED);
	assert_non_null(strstr(said, "unknown file format"));
	options.file = "/nowhere/at.all";
	assert_int_equal(open_file(&capture, &options, said, sizeof(said)), EXIT_FAILED);
	assert_non_null(strstr(said, "/nowhere/at.all: No such file"));
	options.file = "/dev/null";
	assert_int_equal(open_file(&capture, &options, said, sizeof(said)), EXIT_FAILED);
	assert_non_null(strstr(said, "must be a file"));
	assert_null(capture);
}

/* --- the ring --------------------------------------------------------------------------------------------------- */

static void nothing_before_it_is_ready(void **state)
{
	struct replay_run ring = {.slots = REPLAY_SLOTS};

	(void)state;
	assert_false(replay_has_next(&ring, 0));
	replay_store(&ring.ready, 2);
	assert_true(replay_has_next(&ring, 0));
	assert_true(replay_has_next(&ring, 1));
	assert_false(replay_has_next(&ring, 2));
	replay_store(&ring.ready, 3);
	assert_true(replay_has_next(&ring, 2));
}

/* Three slots, read twice: the second round is later by its period. */
static void rounds_follow_each_other(void **state)
{
	static const struct replay_slot slots[3] = {{.due_ns = 0}, {.due_ns = 10}, {.due_ns = 70}};
	static const uint64_t due[] = {0, 10, 70, 100, 110, 170, 200};
	struct replay_run ring = {.slots = 3, .period_ns = 100};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(due); i++) {
		assert_int_equal(ring.slot, i % 3);
		assert_int_equal(replay_due_ns(&ring, &slots[ring.slot]), due[i]);
		replay_step(&ring);
	}
}

/* --- when ------------------------------------------------------------------------------------------------------- */

static void a_slot_is_due_after_the_first(void **state)
{
	struct replay_slot slot = {.due_ns = 500};
	struct generator_run run = {.replay = {.round_ns = 1000}};

	(void)state;
	assert_int_equal(replay_ahead_ns(&run, &slot, 7000), 1500);
	assert_int_equal(run.start_ns, 7000);
	assert_int_equal(replay_ahead_ns(&run, &slot, 8499), 1);
	assert_int_equal(replay_ahead_ns(&run, &slot, 9000), -500);
	assert_int_equal(run.start_ns, 7000);
}

/* 1000 frames a second, asked every 100 µs for a second and a bit: neither more nor less. */
static void pace_is_kept(void **state)
{
	const uint64_t interval = pace_interval(1000);
	struct generator_run run = {};
	unsigned int sent = 0;

	(void)state;
	for (uint64_t now_ns = 5000; now_ns < 5000 + NS_PER_S; now_ns += 100000) {
		sent += pace_due(&run, interval, now_ns);
		if (now_ns % 7 == 0)
			pace_rebase(&run);
	}
	assert_int_equal(sent, 1000);
}

/* After a pause what is late is due at once, one after the other, and no more than that. */
static void late_frames_catch_up(void **state)
{
	const uint64_t interval = pace_interval(1000), start_ns = NS_PER_S;
	struct generator_run run = {};
	unsigned int sent = 0;

	(void)state;
	assert_true(pace_due(&run, interval, start_ns));
	assert_false(pace_due(&run, interval, start_ns + 999999));
	while (pace_due(&run, interval, start_ns + 50 * NS_PER_S / 1000))
		sent++;
	assert_int_equal(sent, 50);
}

/* Moving the beginning to a due time that is still to come changes nothing. */
static void rebase_changes_no_due_time(void **state)
{
	struct generator_run run = {};

	(void)state;
	assert_true(pace_due(&run, pace_interval(3), 1000));
	pace_rebase(&run);
	assert_true(run.start_ns > 1000);
	assert_false(pace_due(&run, pace_interval(3), 1000 + NS_PER_S / 3 - 2));
	assert_true(pace_due(&run, pace_interval(3), 1000 + NS_PER_S / 3 + 2));
}

/* --- knowing a frame again -------------------------------------------------------------------------------------- */

static uint64_t mark_of(const uint8_t *frame, size_t bytes)
{
	union fingerprint_input input = {};

	bytes -= FINGERPRINT_OFF;
	memcpy(&input, frame + FINGERPRINT_OFF, bytes < sizeof(input) ? bytes : sizeof(input));
	return fingerprint(&input);
}

/* Two VLAN tags at most in front of the IP header; where which byte may change on the way. */
static void marks(void **state)
{
	static const char *const addresses[] = {"10.1.2.3", "fd00::1"};

	(void)state;
	for (unsigned int tags = 0; tags < 3; tags++) {
		for (size_t version = 0; version < 2; version++) {
			const struct test_frame frame = {0, 0, 100, 0, addresses[version]};
			unsigned int ip = 14 + 4 * tags;
			uint8_t data[120] = {}, tagged[120] = {};
			uint64_t mark;

			write_frame(&frame, data);
			memcpy(tagged, data, 12);
			for (unsigned int i = 0; i < tags; i++)
				memcpy(tagged + 12 + 4 * i, i + 1 < tags ? "\x88\xa8\0\5" : "\x81\0\0\7", 4);
			memcpy(tagged + 12 + 4 * tags, data + 12, 80);
			mark = mark_of(tagged, 100);
			assert_int_not_equal(mark, 0);
			assert_int_equal(mark_of(tagged, 110), mark); /* padded */
			for (unsigned int i = 0; i < 100; i++) {
				unsigned int off = i - ip;
				bool routers = i < 12 ||
					       (version == 0 && (off == 8 || off == 10 || off == 11)) ||
					       (version == 1 && off == 7);

				tagged[i] ^= 0x10;
				assert_int_equal(mark_of(tagged, 100) == mark, routers);
				tagged[i] ^= 0x10;
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(frames_as_they_are, make_path, remove_path),
		cmocka_unit_test_setup_teardown(name_taken_away, make_path, remove_path),
		cmocka_unit_test_setup_teardown(refused_frames, make_path, remove_path),
		cmocka_unit_test_setup_teardown(cut_anywhere, make_path, remove_path),
		cmocka_unit_test_setup_teardown(hostile_headers, make_path, remove_path),
		cmocka_unit_test_setup_teardown(refused_files, make_path, remove_path),
		cmocka_unit_test(nothing_before_it_is_ready),
		cmocka_unit_test(rounds_follow_each_other),
		cmocka_unit_test(a_slot_is_due_after_the_first),
		cmocka_unit_test(pace_is_kept),
		cmocka_unit_test(late_frames_catch_up),
		cmocka_unit_test(rebase_changes_no_due_time),
		cmocka_unit_test(marks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
