// SPDX-License-Identifier: GPL-2.0-only
/* What each block of a pcapng file says; files that are cut and damaged, and such as nobody has written. */
#include "capture_file.h"

/* Two sections of different byte order, three interfaces, blocks of other kinds in between. */
static void write_two_sections(bool first_big)
{
	static const struct test_interface wlan = {DLT_EN10MB, 128, "wlan0", 9, 0},
					   bare = {.link_type = DLT_EN10MB};

	put_section(first_big);
	put_interface(&ethernet);
	put_packet(&(struct test_packet){0, 1000001, 60, 1514, 1});
	block_begin(0x00000bad); /* custom */
	put_data(100);
	block_end();
	put_interface(&wlan);
	put_packet(&(struct test_packet){1, 2 * S + 1, 61, 61, 2});
	block_begin(5); /* statistics */
	put_data(12);
	block_end();
	put_packet(&(struct test_packet){0, 0, 0, 14, 3});
	put_section(!first_big);
	put_interface(&bare);
	put_packet(&(struct test_packet){0, 7, 63, 40, 0}); /* less on the wire than captured */
}

static void read_two_sections(struct capture *capture)
{
	static const struct capture_frame frames[] = {
		{.number = 1,
		 .time_ns = 1000001000,
		 .captured_bytes = 60,
		 .wire_bytes = 1514,
		 .direction = LINK_INBOUND},
		{.number = 2,
		 .time_ns = 2 * S + 1,
		 .captured_bytes = 61,
		 .wire_bytes = 61,
		 .interface = 1,
		 .direction = LINK_OUTBOUND},
		{.number = 3, .time_ns = 0, .captured_bytes = 0, .wire_bytes = 14},
		{.number = 4, .time_ns = 7000, .captured_bytes = 63, .wire_bytes = 63, .interface = 2},
	};
	struct capture_frame frame;

	for (size_t i = 0; i < COUNT_OF(frames); i++) {
		frame = frames[i];
		frame.timed = true;
		expect_next(capture, &frame);
	}
	assert_int_equal(capture_next(capture, &frame, &error), 0);
	assert_int_equal(capture_interface_count(capture), 3);
	assert_string_equal(capture_interface(capture, 0)->name, "eth0");
	assert_string_equal(capture_interface(capture, 1)->name, "wlan0");
	assert_int_equal(capture_interface(capture, 1)->snap_bytes, 128);
	assert_string_equal(capture_interface(capture, 2)->name, "");
}

static void test_sections_of_both_byte_orders(void **state)
{
	(void)state;
	for (int big = 0; big < 2; big++) {
		struct capture *capture;
		struct capture_frame frame;

		out.used = 0;
		write_two_sections(big);
		capture = opened();
		read_two_sections(capture);
		assert_int_equal(capture_rewind(capture, &error), 0);
		assert_int_equal(capture_next(capture, &frame, &error), 1);
		assert_int_equal(capture_rewind(capture, &error), 0); /* from its middle */
		read_two_sections(capture);
		capture_close(capture);
	}
}

static void test_time_units(void **state)
{
	static const struct {
		int resolution;
		int64_t offset_s;
		uint64_t ticks, ns;
	} cases[] = {
		{0, 0, 1, 1000}, /* microseconds, if nothing is said */
		{6, 0, 1700000000123456, 1700000000123456000},
		{9, 0, 1700000000123456789, 1700000000123456789},
		{1, 0, 15, 1500000000}, /* tenths of a second */
		{3, 0, 1500, 1500000000},
		{12, 0, 1700000000999, 1700000000}, /* picoseconds: the rest is cut off */
		{19, 0, UINT64_MAX, 1844674407},
		{28, 0, UINT64_MAX, 1}, /* 18.4 units of 10^-19 of a nanosecond ... */
		{29, 0, UINT64_MAX, 0},
		{127, 0, UINT64_MAX, 0},
		{0x80 | 1, 0, 3, 1500000000}, /* halves of a second */
		{0x80 | 10, 0, 1700000000ull << 10 | 512, 1700000000500000000},
		{0x80 | 32, 0, 1ull << 32 | 1u << 31, 1500000000}, /* as NTP has it */
		{0x80 | 127, 0, UINT64_MAX, 0},
		{9, 1700000000, 5, 1700000000000000005},
		{9, -1, 1500000000, 500000000},
		{9, -2, 1500000000, 0}, /* before 1970 */
		{9, INT64_MIN, UINT64_MAX, 0},
		{9, INT64_MAX, 0, INT64_MAX}, /* when int64_t is over */
		{9, 0, UINT64_MAX, INT64_MAX},
		{6, 0, UINT64_MAX, INT64_MAX},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct test_interface interface = {DLT_EN10MB, 0, NULL, cases[i].resolution,
							 cases[i].offset_s};
		struct capture *capture;
		struct capture_frame frame;

		print_message("case %zu\n", i);
		out.used = 0;
		put_section(i & 1);
		put_interface(&interface);
		put_packet(&(struct test_packet){0, cases[i].ticks, 14, 14, 0});
		capture = opened();
		assert_int_equal(capture_next(capture, &frame, &error), 1);
		assert_int_equal(frame.time_ns, cases[i].ns);
		capture_close(capture);
	}
}

/* Resolution 0 means seconds, which put_interface() takes for none. */
static void test_whole_seconds(void **state)
{
	struct capture *capture;
	struct capture_frame frame;

	(void)state;
	put_section(false);
	block_begin(1);
	put_32(DLT_EN10MB);
	put_32(0);
	put_option(9, "", 1);
	block_end();
	put_packet(&(struct test_packet){0, 77, 14, 14, 0});
	capture = opened();
	assert_int_equal(capture_next(capture, &frame, &error), 1);
	assert_int_equal(frame.time_ns, 77 * S);
	capture_close(capture);
}

/* Simple packets have no time but that of the one in front, and are cut where the interface's snap length is. */
static void test_simple_and_obsolete_packets(void **state)
{
	static const struct test_interface snapped = {DLT_EN10MB, 40, "s", 0, 0};
	struct capture *capture;

	(void)state;
	put_section(true);
	put_interface(&snapped);
	put_packet(&(struct test_packet){0, 5, 20, 20, 0});
	for (uint32_t wire = 39; wire < 42; wire++) {
		block_begin(3);
		put_32(wire);
		put_data(wire < 40 ? wire : 40);
		block_end();
	}
	block_begin(2);
	put_16(0);
	put_16(17); /* drops */
	put_32(0);
	put_32(9);
	put_32(30);
	put_32(31);
	put_data(30);
	put_16(2);
	put_16(4);
	put_32(2);
	block_end();
	capture = opened();
	expect_next(
		capture,
		&(struct capture_frame){
			.number = 1, .time_ns = 5000, .timed = true, .captured_bytes = 20, .wire_bytes = 20});
	expect_next(capture, &(struct capture_frame){
				     .number = 2, .time_ns = 5000, .captured_bytes = 39, .wire_bytes = 39});
	expect_next(capture, &(struct capture_frame){
				     .number = 3, .time_ns = 5000, .captured_bytes = 40, .wire_bytes = 40});
	expect_next(capture, &(struct capture_frame){
				     .number = 4, .time_ns = 5000, .captured_bytes = 40, .wire_bytes = 41});
	expect_next(capture, &(struct capture_frame){.number = 5,
						     .time_ns = 9000,
						     .timed = true,
						     .captured_bytes = 30,
						     .wire_bytes = 31,
						     .direction = LINK_OUTBOUND});
	capture_close(capture);
}

/* Cut behind each of its bytes: what is whole is read, and the end is an error unless it is between two blocks. */
static void test_cut_anywhere(void **state)
{
	size_t ends[8] = {0}, end_count = 0, whole;

	(void)state;
	put_section(false);
	ends[end_count++] = out.used;
	put_interface(&ethernet);
	ends[end_count++] = out.used;
	for (int i = 0; i < 3; i++) {
		put_packet(&(struct test_packet){0, i, 20 + i, 60, 1});
		ends[end_count++] = out.used;
	}
	for (size_t bytes = ends[0]; bytes <= out.used; bytes++) {
		struct capture *capture;
		unsigned int count;
		int got;

		for (whole = 0; whole < end_count && bytes >= ends[whole];)
			whole++;
		write_out(bytes);
		assert_int_equal(try_open(&capture, path, false), 0);
		got = read_to_end(capture, &count);
		assert_int_equal(count, whole > 2 ? whole - 2 : 0);
		assert_int_equal(got, bytes == ends[whole - 1] ? 0 : -EBADMSG);
		capture_close(capture);
	}
	for (size_t bytes = 0; bytes < ends[0]; bytes++) {
		struct capture *capture;

		write_out(bytes);
		assert_int_equal(try_open(&capture, path, false), -EBADMSG);
	}
}

/* A file of one frame, then a second one of which a word is overwritten. */
static void test_damaged_blocks(void **state)
{
	static const struct {
		size_t at; /* in the second packet's block */
		uint32_t value;
		const char *says; /* NULL: it is read */
	} cases[] = {
		{0, 6, NULL},
		{4, 0, "behind frame 1: a block of a length that none can have (0)"},
		{4, 8, "behind frame 1: a block of a length that none can have (8)"},
		{4, 0xfffffffc, "a block of a length that none can have"},
		{4, 16 * 1024 * 1024 + 4, "a block of a length that none can have"},
		{4, 101, "a block of a length that none can have (101)"},
		{4, 12, "a block whose two lengths differ"},
		{4, 16 * 1024 * 1024, "frame 2: cut short"},
		{8, 1, "frame 2: it names interface 1 of 1"},
		{8, 0xffffffff, "frame 2: it names interface"},
		{20, 0xffffffff, "frame 2: captured bytes beyond its block: 4294967295 of"},
		{20, 92, NULL}, /* takes its options for data */
		{20, 93, "frame 2: captured bytes beyond its block: 93 of 92"},
		{24, 0, NULL},
		{88, 0xffff0001, NULL}, /* an option that is longer than the block: the packet is here */
		{120, 0, "a block whose two lengths differ"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct capture *capture;
		size_t second;
		unsigned int count = 0;
		struct capture_frame frame;
		int got;

		print_message("case %zu\n", i);
		out.used = 0;
		put_section(i & 1);
		put_interface(&ethernet);
		put_packet(&(struct test_packet){0, 0, 60, 60, 0});
		second = out.used;
		put_packet(&(struct test_packet){0, 0, 60, 60, 1});
		assert_int_equal(out.used - second, 124);
		set_32(second + cases[i].at, cases[i].value);
		capture = opened();
		while ((got = capture_next(capture, &frame, &error)) == 1)
			count++;
		assert_int_equal(got, cases[i].says ? -EBADMSG : 0);
		assert_int_equal(count, cases[i].says ? 1 : 2);
		if (cases[i].says && !strstr(error.why, cases[i].says))
			fail_msg("%s", error.why);
		capture_close(capture);
	}
}

/* What is wrong in front of any packet. */
static void expect_bad(const char *says)
{
	struct capture *capture;
	struct capture_frame frame;
	int got;

	write_out(out.used);
	got = try_open(&capture, path, false);
	if (!got) {
		got = capture_next(capture, &frame, &error);
		capture_close(capture);
	}
	assert_int_equal(got, -EBADMSG);
	if (!strstr(error.why, says))
		fail_msg("%s", error.why);
	out.used = 0;
}

static void test_damaged_headers(void **state)
{
	(void)state;
	put_section(false);
	set_32(8, 0x1a2b3c4e);
	expect_bad("a section header without its magic number");
	put_section(false);
	set_32(12, 2);
	expect_bad("pcapng of a version that is unknown (2)");
	put_section(false);
	set_32(0, 0x0000000a);
	expect_bad("unknown file format");
	block_begin(0x0a0d0d0a);
	put_32(0x1a2b3c4d);
	block_end();
	expect_bad("a section header that is too short");
	put_section(false);
	put_packet(&(struct test_packet){0, 0, 60, 60, 0});
	expect_bad("frame 1: it names interface 0 of 0");
	put_section(false);
	block_begin(3);
	put_32(0);
	block_end();
	expect_bad("frame 1: it names interface 0 of 0");
	put_section(false);
	put_interface(&ethernet);
	put_section(false); /* which has none of its own */
	put_packet(&(struct test_packet){0, 0, 60, 60, 0});
	expect_bad("frame 1: it names interface 0 of 0");
	put_section(false);
	block_begin(1);
	put_32(1);
	block_end();
	expect_bad("an interface description that is too short");
	put_section(false);
	block_begin(1);
	put_32(1);
	put_32(0);
	put_16(1);
	put_16(200); /* longer than the block */
	block_end();
	expect_bad("an interface description with damaged options");
	put_section(false);
	block_begin(1);
	put_32(1);
	put_32(0);
	put_option(9, "\6\6", 2);
	block_end();
	expect_bad("an interface description with damaged options");
	for (uint32_t type = 2; type <= 6; type += type == 3 ? 3 : 1) {
		put_section(false);
		put_interface(&ethernet);
		block_begin(type);
		block_end();
		expect_bad("frame 1: bytes of a packet block: 0 of");
	}
}

/* The largest frame there can be, larger than the buffer at the start; and one more byte. */
static void test_largest_frame(void **state)
{
	unsigned int count;

	(void)state;
	for (uint32_t more = 0; more < 2; more++) {
		struct capture *capture;

		out.used = 0;
		put_section(false);
		put_interface(&ethernet);
		put_packet(&(struct test_packet){0, 0, 60, 60, 0});
		put_packet(&(struct test_packet){0, 0, CAPTURE_MAX_FRAME_BYTES + more, 300000, 0});
		put_packet(&(struct test_packet){0, 0, 60, 60, 0});
		capture = opened();
		assert_int_equal(read_to_end(capture, &count), more ? -EBADMSG : 0);
		assert_int_equal(count, more ? 1 : 3);
		capture_close(capture);
	}
}

static void test_too_many_interfaces(void **state)
{
	struct capture *capture;
	unsigned int count;

	(void)state;
	for (int more = 0; more < 2; more++) {
		out.used = 0;
		put_section(false);
		for (int i = 0; i < 65536 + more; i++) {
			block_begin(1);
			put_32(DLT_EN10MB);
			put_32(0);
			block_end();
		}
		capture = opened();
		assert_int_equal(read_to_end(capture, &count), more ? -EBADMSG : 0);
		assert_int_equal(capture_interface_count(capture), 65536);
		capture_close(capture);
	}
}

static void test_hostile_name(void **state)
{
	const struct test_interface interface = {DLT_EN10MB, 0, "\033[31meth0\n", 0, 0};
	struct capture *capture;
	unsigned int count;
	char name[200];

	(void)state;
	put_section(false);
	put_interface(&interface);
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = 0;
	put_interface(&(struct test_interface){DLT_EN10MB, 0, name, 0, 0});
	capture = opened();
	assert_int_equal(read_to_end(capture, &count), 0);
	assert_string_equal(capture_interface(capture, 0)->name, "\\x1b[31meth0\\x0a");
	assert_int_equal(strlen(capture_interface(capture, 1)->name), CAPTURE_NAME_BYTES - 1);
	capture_close(capture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FILE(test_sections_of_both_byte_orders),
		WITH_FILE(test_time_units),
		WITH_FILE(test_whole_seconds),
		WITH_FILE(test_simple_and_obsolete_packets),
		WITH_FILE(test_cut_anywhere),
		WITH_FILE(test_damaged_blocks),
		WITH_FILE(test_damaged_headers),
		WITH_FILE(test_largest_frame),
		WITH_FILE(test_too_many_interfaces),
		WITH_FILE(test_hostile_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
