/* SPDX-License-Identifier: GPL-2.0-only */
/* Capture files for tests, made byte by byte in either byte order, and what reading them must give. */
#ifndef XDPLIFE_TEST_CAPTURE_FILE_H
#define XDPLIFE_TEST_CAPTURE_FILE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pcap/dlt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/capture.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define S           1000000000ull /* in ns */
#define FILE_ROOM   (4 * 1024 * 1024)

/* --- files ------------------------------------------------------------------------------------------------------ */

/* What is being written, in one byte order or the other. */
static struct {
	uint8_t bytes[FILE_ROOM];
	size_t used, block;
	bool big_endian;
} out;

static char path[] = "/tmp/test_capture.XXXXXX";

static inline int make_path(void **state)
{
	int fd;

	(void)state;
	memcpy(path + sizeof(path) - 7, "XXXXXX", 6);
	fd = mkstemp(path);
	out.used = 0;
	out.big_endian = false;
	return fd < 0 ? -1 : close(fd);
}

static inline int remove_path(void **state)
{
	(void)state;
	return unlink(path);
}

static inline void put(const void *bytes, size_t count)
{
	assert_true(out.used + count <= FILE_ROOM);
	if (count)
		memcpy(out.bytes + out.used, bytes, count);
	out.used += count;
}

static inline void put_number(uint64_t value, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++) {
		uint8_t byte = value >> 8 * (out.big_endian ? bytes - 1 - i : i);

		put(&byte, 1);
	}
}

static inline void put_16(uint16_t value)
{
	put_number(value, 2);
}

static inline void put_32(uint32_t value)
{
	put_number(value, 4);
}

static inline void set_32(size_t at, uint32_t value)
{
	size_t used = out.used;

	out.used = at;
	put_32(value);
	out.used = used;
}

static inline void pad(void)
{
	while (out.used % 4)
		put("", 1);
}

static inline void block_begin(uint32_t type)
{
	out.block = out.used;
	put_32(type);
	put_32(0);
}

static inline void block_end(void)
{
	uint32_t bytes = out.used - out.block + 4;

	put_32(bytes);
	set_32(out.block + 4, bytes);
}

static inline void put_option(uint16_t code, const void *value, uint16_t bytes)
{
	put_16(code);
	put_16(bytes);
	put(value, bytes);
	pad();
}

static inline void put_section(bool big_endian)
{
	out.big_endian = big_endian;
	block_begin(0x0a0d0d0a);
	put_32(0x1a2b3c4d);
	put_16(1);
	put_16(0);
	put_number(UINT64_MAX, 8);
	block_end();
}

struct test_interface {
	uint16_t link_type;
	uint32_t snap_bytes;
	const char *name; /* NULL: none */
	int resolution;   /* of if_tsresol; 0: none */
	int64_t offset_s; /* of if_tsoffset; 0: none */
};

static inline void put_interface(const struct test_interface *interface)
{
	uint8_t resolution = interface->resolution;

	block_begin(1);
	put_16(interface->link_type);
	put_16(0);
	put_32(interface->snap_bytes);
	put_option(1, "a comment", 9);
	if (interface->name)
		put_option(2, interface->name, strlen(interface->name));
	if (resolution)
		put_option(9, &resolution, 1);
	if (interface->offset_s) {
		put_16(14);
		put_16(8);
		put_number(interface->offset_s, 8);
	}
	put_option(0, NULL, 0);
	block_end();
}

static const struct test_interface ethernet = {.link_type = DLT_EN10MB, .name = "eth0"};

struct test_packet {
	uint32_t interface;
	uint64_t ticks;
	uint32_t captured, wire;
	uint32_t flags; /* 0: none */
};

/* Data is 0, 1, 2 ... */
static inline void put_data(uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes; i++)
		put(&(uint8_t){i}, 1);
	pad();
}

static inline void put_packet(const struct test_packet *packet)
{
	block_begin(6);
	put_32(packet->interface);
	put_32(packet->ticks >> 32);
	put_32(packet->ticks);
	put_32(packet->captured);
	put_32(packet->wire);
	put_data(packet->captured);
	put_option(1, "what came here", 14);
	if (packet->flags) {
		put_16(2);
		put_16(4);
		put_32(packet->flags);
	}
	put_option(0, NULL, 0);
	block_end();
}

static inline void write_out(size_t bytes)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(out.bytes, 1, bytes, file), bytes);
	assert_int_equal(fclose(file), 0);
}

/* --- reading ---------------------------------------------------------------------------------------------------- */

static struct capture_error error;

static inline int try_open(struct capture **capture, const char *file, bool rewindable)
{
	error = (struct capture_error){};
	return capture_open(capture, &(struct capture_options){.file = file, .rewindable = rewindable},
			    &error);
}

static inline struct capture *opened(void)
{
	struct capture *capture;

	write_out(out.used);
	if (try_open(&capture, path, true))
		fail_msg("%s", error.why);
	return capture;
}

static inline void expect_data(const struct capture_frame *frame)
{
	for (uint32_t i = 0; i < frame->captured_bytes; i++)
		assert_int_equal(frame->data[i], (uint8_t)i);
}

/* Return: how the file ended, with the number of frames. */
static inline int read_to_end(struct capture *capture, unsigned int *count)
{
	struct capture_frame frame;
	int got;

	*count = 0;
	while ((got = capture_next(capture, &frame, &error)) == 1) {
		assert_int_equal(frame.number, ++*count);
		expect_data(&frame);
	}
	return got;
}

static inline void expect_next(struct capture *capture, const struct capture_frame *expected)
{
	struct capture_frame frame;
	int got = capture_next(capture, &frame, &error);

	if (got != 1)
		fail_msg("%s", error.why);
	assert_int_equal(frame.number, expected->number);
	assert_int_equal(frame.time_ns, expected->time_ns);
	assert_int_equal(frame.timed, expected->timed);
	assert_int_equal(frame.captured_bytes, expected->captured_bytes);
	assert_int_equal(frame.wire_bytes, expected->wire_bytes);
	assert_int_equal(frame.interface, expected->interface);
	assert_int_equal(frame.direction, expected->direction);
	expect_data(&frame);
}

#define WITH_FILE(test) cmocka_unit_test_setup_teardown(test, make_path, remove_path)

#endif
