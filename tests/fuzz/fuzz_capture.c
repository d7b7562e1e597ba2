// SPDX-License-Identifier: GPL-2.0-only
// links: user/capture/capture.c user/capture/input.c user/capture/pcap.c user/capture/pcapng.c user/util/log.c user/util/terminal.c
/*
 * Capture files of any content: nothing is read beyond what they have, every frame keeps its promises, and the engine
 * may parse it.
 *
 * Begin with a corpus of small files of every kind: tests/net/test_capture.py leaves one in $CAPTURE_CORPUS.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture/capture.h"

#define NAME_BYTES 32

/* Touches every byte, so that the sanitizer sees one that is not there. */
static uint32_t sum_of(const uint8_t *data, uint32_t bytes)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < bytes; i++)
		sum += data[i];
	return sum;
}

/* Not to be optimised away. */
static void use(uint32_t value)
{
	__asm__ volatile("" : : "r"(value));
}

static void check_frame(const struct capture *capture, const struct capture_frame *frame)
{
	struct packet packet = {};

	assert(frame->captured_bytes <= CAPTURE_MAX_FRAME_BYTES);
	assert(frame->captured_bytes <= frame->wire_bytes);
	assert(frame->time_ns <= INT64_MAX);
	assert(frame->interface < capture_interface_count(capture));
	assert(frame->header.bytes <= frame->captured_bytes);
	assert(memchr(capture_interface(capture, frame->interface)->name, 0, CAPTURE_NAME_BYTES));
	use(sum_of(frame->data, frame->captured_bytes));
	if (frame->link == LINK_OTHER)
		return;
	parse_link(&packet, frame->link, frame->data, frame->data + frame->captured_bytes, frame->wire_bytes);
	use(packet.payload_bytes);
}

/* Return: how many frames there are. */
static uint64_t read_all(struct capture *capture)
{
	struct capture_frame frame;
	struct capture_error error;
	uint64_t number = 0;
	int got;

	while ((got = capture_next(capture, &frame, &error)) == 1 || got == -EPROTONOSUPPORT) {
		assert(frame.number == ++number);
		assert(got == 1 || *error.why);
		check_frame(capture, &frame);
	}
	assert(!got || got == -EBADMSG);
	return number;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct capture_error error = {};
	struct capture *capture;
	char name[NAME_BYTES];
	int fd = memfd_create("capture", 0);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		return -1;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	if (capture_open(&capture, &(struct capture_options){.file = name, .rewindable = true}, &error)) {
		assert(*error.why);
	} else {
		uint64_t frames = read_all(capture);

		assert(!capture_rewind(capture, &error));
		assert(read_all(capture) == frames);
		capture_close(capture);
	}
	close(fd);
	return 0;
}
