// SPDX-License-Identifier: GPL-2.0-only
/* A capture that goes on in another file: no packet lost or repeated, each file whole, the oldest deleted in time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <endian.h>
#include <errno.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/capture.h"
#include "out/sink.h"

#define COUNT_OF(a)  (sizeof(a) / sizeof((a)[0]))
#define S            1000000000ull /* in ns */
#define START_NS     (1700000000 * S)
#define FRAME_BYTES  100
#define STATISTICS   5 /* the block's type */
#define OPT_IFRECV   4
#define OPT_OSDROP   7
#define OPT_USRDELIV 8

static char folder[] = "/tmp/test_rotation.XXXXXX";
static char path[sizeof(folder) + 32];

static int make_folder(void **state)
{
	(void)state;
	memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
	snprintf(path, sizeof(path), "%s/a.b.pcapng", mkdtemp(folder));
	return setenv("TZ", "UTC", 1);
}

/* Names in the order of their files; to be freed by globfree(). */
static glob_t all_files(void)
{
	char pattern[sizeof(folder) + 2];
	glob_t files = {};
	int err;

	snprintf(pattern, sizeof(pattern), "%s/*", folder);
	err = glob(pattern, 0, NULL, &files);
	assert_true(!err || err == GLOB_NOMATCH);
	return files;
}

static int remove_folder(void **state)
{
	glob_t files = all_files();

	(void)state;
	for (size_t i = 0; i < files.gl_pathc; i++)
		unlink(files.gl_pathv[i]);
	globfree(&files);
	return rmdir(folder);
}

/* --- a session ---------------------------------------------------------------------------------------------------- */

static const struct sink_interface interfaces[] = {
	{.name = "r0", .ifindex = 7, .hardware = "veth"},
	{.name = "r1", .ifindex = 9, .link = LINK_RAW_IP},
};

/* What the datapath would have counted: every packet was seen, and one of ten more was lost. */
static uint64_t seen[COUNT_OF(interfaces)];

static int count(void *context, int interface, struct port_counters *counters)
{
	assert_ptr_equal(context, seen);
	memset(counters, 0, sizeof(*counters));
	counters->seen = seen[interface] + seen[interface] / 10;
	counters->event[EVENT_LOST_RING_FULL] = seen[interface] / 10;
	return 0;
}

static const struct sink_session session = {
	.interface = interfaces,
	.interface_count = COUNT_OF(interfaces),
	.start_ns = 5 * S,
	.to_epoch_ns = START_NS - 5 * S,
	.command_line = "test",
	.filter = "tcp",
	.counters = count,
	.context = seen,
};

static struct sink *open_sink(const struct rotation_options *rotation)
{
	struct sink *sink = sink_pcapng_open(&session, path, rotation);

	assert_non_null(sink);
	memset(seen, 0, sizeof(seen));
	return sink;
}

/* Packet @number carries its number, and goes to both interfaces in turn. */
static int send_packet(struct sink *sink, uint32_t number, uint64_t after_ns)
{
	uint8_t data[FRAME_BYTES] = {};
	struct trace_event event = {
		.time_ns = session.start_ns + after_ns,
		.ifindex = interfaces[number % 2].ifindex,
		.hook = HOOK_EGRESS,
		.captured_bytes = FRAME_BYTES,
	};

	event.pkt.wire_bytes = FRAME_BYTES;
	memcpy(data, &number, sizeof(number));
	seen[number % 2]++;
	return sink->ops->event(sink, &event, data);
}

static int close_sink(struct sink *sink)
{
	struct port_counters counters;
	int err = 0;

	for (int i = 0; i < session.interface_count && !err; i++) {
		count(seen, i, &counters);
		err = sink->ops->interface_end(sink, i, &counters);
	}
	return sink->ops->close(sink) ?: err;
}

/* --- what is in the files ----------------------------------------------------------------------------------------- */

/* Reads one whole file, whose packets must go on with *number. Returns how many there were. */
static uint32_t read_packets(const char *file, uint32_t *number)
{
	struct capture_error error = {};
	struct capture *capture;
	struct capture_frame frame;
	uint32_t first = *number;
	int got;

	if (capture_open(&capture, &(struct capture_options){.file = file}, &error))
		fail_msg("%s: %s", file, error.why);
	while ((got = capture_next(capture, &frame, &error)) == 1) {
		uint32_t found;

		memcpy(&found, frame.data, sizeof(found));
		assert_int_equal(found, *number);
		assert_int_equal(frame.interface, found % 2);
		assert_int_equal(frame.link, interfaces[found % 2].link);
		assert_int_equal(frame.direction, LINK_OUTBOUND);
		++*number;
	}
	if (got)
		fail_msg("%s: %s", file, error.why);
	assert_int_equal(capture_interface_count(capture), COUNT_OF(interfaces));
	assert_string_equal(capture_interface(capture, 1)->name, "r1");
	capture_close(capture);
	return *number - first;
}

struct sums {
	uint64_t received, lost, delivered;
	unsigned int blocks;
};

static uint32_t le32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return le32toh(value);
}

static void add_statistics(struct sums *sums, const uint8_t *block)
{
	const uint8_t *option = block + 20, *end = block + le32(block + 4) - 4;
	uint64_t value;

	sums->blocks++;
	for (; option < end && le32(option); option += 4 + (((le32(option) >> 16) + 3) & ~3u)) {
		memcpy(&value, option + 4, sizeof(value));
		value = le64toh(value);
		switch (le32(option) & 0xffff) {
		case OPT_IFRECV:
			sums->received += value;
			break;
		case OPT_OSDROP:
			sums->lost += value;
			break;
		case OPT_USRDELIV:
			sums->delivered += value;
			break;
		}
	}
}

static struct sums read_statistics(const char *file)
{
	static uint8_t bytes[1 << 20];
	FILE *in = fopen(file, "rb");
	struct sums sums = {};
	size_t count;

	assert_non_null(in);
	count = fread(bytes, 1, sizeof(bytes), in);
	fclose(in);
	for (size_t at = 0; at < count; at += le32(bytes + at + 4))
		if (le32(bytes + at) == STATISTICS)
			add_statistics(&sums, bytes + at);
	return sums;
}

/* Every packet from @first to @end, once and in order, and what the interfaces counted. Returns how many files. */
static size_t expect_files(uint32_t first, uint32_t end)
{
	glob_t files = all_files();
	size_t count = files.gl_pathc;
	uint32_t number = first;
	struct sums all = {};

	for (size_t i = 0; i < count; i++) {
		uint32_t packets = read_packets(files.gl_pathv[i], &number);
		struct sums sums = read_statistics(files.gl_pathv[i]);

		assert_int_equal(sums.blocks, COUNT_OF(interfaces));
		assert_int_equal(sums.delivered, packets);
		all.received += sums.received;
		all.lost += sums.lost;
	}
	assert_int_equal(number, end);
	/* What was deleted took its share along. */
	if (!first) {
		assert_int_equal(all.received, end + all.lost);
		assert_int_equal(all.lost, seen[0] / 10 + seen[1] / 10);
	}
	globfree(&files);
	return count;
}

/* --- tests ---------------------------------------------------------------------------------------------------------- */

static void test_one_file(void **state)
{
	struct sink *sink = open_sink(&(struct rotation_options){});

	(void)state;
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(send_packet(sink, i, i * S), 0);
	assert_int_equal(close_sink(sink), 0);
	assert_int_equal(expect_files(0, 1000), 1);
	assert_int_equal(access(path, R_OK), 0);
}

/* A packet is a block of 148 bytes. A file ends with the packet that makes it reach its size. */
static void test_by_size(void **state)
{
	struct sink *sink = open_sink(&(struct rotation_options){.size_bytes = 10000});
	glob_t files;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(send_packet(sink, i, 0), 0);
	assert_int_equal(close_sink(sink), 0);
	assert_in_range(expect_files(0, 1000), 14, 16);
	files = all_files();
	for (size_t i = 0; i < files.gl_pathc; i++) {
		struct stat status;

		assert_int_equal(stat(files.gl_pathv[i], &status), 0);
		assert_in_range(status.st_size, i + 1 < files.gl_pathc ? 10000 : 0, 10000 + 148 + 2 * 112);
	}
	globfree(&files);
}

/* Ten seconds a file; a pause is no file; a clock that steps back neither. */
static void test_by_time(void **state)
{
	static const uint64_t after_s[] = {0, 9, 10, 11, 5, 19, 20, 100, 109, 110};
	static const char *const names[] = {
		"a.b_00001_20231114221320.pcapng", "a.b_00002_20231114221330.pcapng",
		"a.b_00003_20231114221340.pcapng", "a.b_00004_20231114221500.pcapng",
		"a.b_00005_20231114221510.pcapng",
	};
	struct sink *sink = open_sink(&(struct rotation_options){.time_ns = 10 * S});
	glob_t files;

	(void)state;
	for (uint32_t i = 0; i < COUNT_OF(after_s); i++)
		assert_int_equal(send_packet(sink, i, after_s[i] * S), 0);
	assert_int_equal(close_sink(sink), 0);
	assert_int_equal(expect_files(0, COUNT_OF(after_s)), COUNT_OF(names));
	files = all_files();
	for (size_t i = 0; i < COUNT_OF(names); i++)
		assert_string_equal(strrchr(files.gl_pathv[i], '/') + 1, names[i]);
	globfree(&files);
}

/* Never more than so many at a time; somebody who moves one away disturbs nothing. */
static void test_oldest_is_deleted(void **state)
{
	struct sink *sink = open_sink(&(struct rotation_options){.time_ns = S, .files = 3});
	glob_t files;

	(void)state;
	for (uint32_t i = 0; i < 20; i++) {
		assert_int_equal(send_packet(sink, i, i * S), 0);
		files = all_files();
		assert_int_equal(files.gl_pathc, i < 3 ? i + 1 : 3);
		if (i == 10)
			assert_int_equal(unlink(files.gl_pathv[1]), 0);
		globfree(&files);
		if (i == 10)
			break;
	}
	for (uint32_t i = 11; i < 20; i++)
		assert_int_equal(send_packet(sink, i, i * S), 0);
	assert_int_equal(close_sink(sink), 0);
	assert_int_equal(expect_files(17, 20), 3);
}

/* A file size limit stands for a full disk: the error is kept, and every file can be read. */
static void test_full_disk(void **state)
{
	struct sink *sink = open_sink(&(struct rotation_options){.size_bytes = 100000});
	struct rlimit before;
	uint32_t sent = 0, number = 0;
	glob_t files;
	int err = 0;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){60000, before.rlim_max}), 0);
	while (!err && sent < 2000)
		err = send_packet(sink, sent++, 0);
	assert_int_equal(err, -EFBIG);
	assert_int_equal(close_sink(sink), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	files = all_files();
	for (size_t i = 0; i < files.gl_pathc; i++)
		read_packets(files.gl_pathv[i], &number);
	assert_in_range(number, 300, sent);
	globfree(&files);
}

/* The next file cannot be opened: said, and closing is still in order. */
static void test_no_next_file(void **state)
{
	struct sink *sink = open_sink(&(struct rotation_options){.time_ns = S});
	glob_t files = all_files();

	(void)state;
	assert_int_equal(send_packet(sink, 0, 0), 0);
	assert_int_equal(unlink(files.gl_pathv[0]), 0);
	globfree(&files);
	assert_int_equal(rmdir(folder), 0);
	assert_int_equal(send_packet(sink, 1, 2 * S), -ENOENT);
	assert_int_equal(close_sink(sink), 0);
	assert_int_equal(mkdir(folder, 0700), 0);
}

static void test_cannot_create(void **state)
{
	(void)state;
	for (uint64_t size_bytes = 0; size_bytes < 2; size_bytes++) {
		errno = 0;
		assert_null(sink_pcapng_open(&session, "/nonexistent/file.pcapng",
					     &(struct rotation_options){.size_bytes = size_bytes}));
		assert_int_equal(errno, ENOENT);
	}
}

static void test_names(void **state)
{
	static const char *const cases[][2] = {
		{"f.pcapng", "f_00001_19700101000001.pcapng"},
		{"f", "f_00001_19700101000001"},
		{".f", ".f_00001_19700101000001"},
		{"d.d/f", "d.d/f_00001_19700101000001"},
		{"d.d/f.x.y", "d.d/f.x_00001_19700101000001.y"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct rotation *rotation =
			rotation_open(cases[i][0], &(struct rotation_options){.time_ns = 1});

		assert_string_equal(rotation_next(rotation, S), cases[i][1]);
		assert_non_null(strstr(rotation_next(rotation, S), "_00002_"));
		rotation_close(rotation);
	}
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(test_one_file),          IN_FOLDER(test_by_size),   IN_FOLDER(test_by_time),
		IN_FOLDER(test_oldest_is_deleted), IN_FOLDER(test_full_disk), IN_FOLDER(test_no_next_file),
		IN_FOLDER(test_cannot_create),     IN_FOLDER(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
