// SPDX-License-Identifier: GPL-2.0-only
/*
 * pcapng files (draft-ietf-opsawg-pcapng), by a reader of our own: libpcap gives neither the interface of a packet nor
 * its direction, and refuses files whose interfaces have different link types or snap lengths.
 *
 * Every block is
 *
 *	type(32) | total length(32) | body, padded to 32 bits | options | total length(32)
 *
 * and an option is code(16) | length(16) | value, padded to 32 bits. Each section has its own byte order and numbers its
 * interfaces from 0. Blocks of other kinds are skipped.
 */
#include <byteswap.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "capture/format.h"
#include "util/clock.h"
#include "util/terminal.h"

#define BYTE_ORDER_MAGIC  0x1a2b3c4d
#define VERSION_MAJOR     1
#define BLOCK_HEAD_BYTES  8
#define BLOCK_FRAME_BYTES 12                 /* with the length behind the body */
#define BLOCK_MAX_BYTES   (16 * 1024 * 1024) /* as libpcap and Wireshark have it */
#define DIRECTION_MASK    3                  /* of the packet flags */
#define DIRECTION_IN      1
#define DIRECTION_OUT     2
#define TSRESOL_BINARY    0x80 /* a power of two, else of ten */
#define TSRESOL_DEFAULT   6
#define SHIFT_MAX         127
#define NS_DIGITS         9
#define POWER_MAX         19 /* of ten, in 64 bits */

enum block_type {
	BLOCK_INTERFACE = 1,
	BLOCK_PACKET = 2, /* obsolete, and still found */
	BLOCK_SIMPLE_PACKET = 3,
	BLOCK_ENHANCED_PACKET = 6,
	BLOCK_SECTION = 0x0a0d0d0a,
};

/* Option codes count from 2 in each kind of block. */
enum option_code {
	OPT_END = 0,
	OPT_COMMENT = 1,
	IF_NAME = 2,
	IF_TSRESOL = 9,
	IF_TSOFFSET = 14,
	PACKET_FLAGS = 2, /* of both kinds of packet blocks that have options */
};

/* In front of the options of each kind of block, behind type and length. */
struct section_body {
	uint32_t magic;
	uint16_t major, minor;
	uint32_t length[2];
};

struct interface_body {
	uint16_t link_type, reserved;
	uint32_t snap_bytes;
};

struct packet_body {
	uint32_t interface; /* obsolete: 16 bits, then 16 of drops */
	uint32_t time_high, time_low;
	uint32_t captured_bytes, wire_bytes;
};

struct block {
	uint32_t type;
	uint32_t bytes; /* of the body with its options */
	const uint8_t *body;
};

static uint32_t read_32(const struct section *section, const void *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return section->swapped ? bswap_32(value) : value;
}

static uint16_t read_16(const struct section *section, const void *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof(value));
	return section->swapped ? bswap_16(value) : value;
}

static uint64_t read_64(const struct section *section, const void *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return section->swapped ? bswap_64(value) : value;
}

static uint32_t padded(uint32_t bytes)
{
	return (bytes + 3) & ~3u;
}

/* --- blocks --- */

static int damaged(const struct capture *capture, struct capture_error *error, const char *what,
		   uint32_t value)
{
	return capture_fail(error, CURE_DAMAGED, "behind frame %" PRIu64 ": %s (%" PRIu32 ")",
			    capture->frames, what, value);
}

/* The next frame is named where it is known to be one. */
static int cut(const struct capture *capture, uint32_t type, struct capture_error *error)
{
	bool frame = type == BLOCK_ENHANCED_PACKET || type == BLOCK_PACKET || type == BLOCK_SIMPLE_PACKET;

	return capture_fail(error, CURE_DAMAGED, "%s %" PRIu64 ": cut short, the file ends inside a block",
			    frame ? "frame" : "behind frame", capture->frames + frame);
}

/* Only the section header's magic says in which order its length is. */
static int learn_byte_order(struct capture *capture, const uint8_t *head, struct capture_error *error)
{
	static const struct section as_here;
	uint32_t magic = read_32(&as_here, head + BLOCK_HEAD_BYTES);

	if (magic != BYTE_ORDER_MAGIC && magic != bswap_32(BYTE_ORDER_MAGIC))
		return damaged(capture, error, "a section header without its magic number", magic);
	capture->section.swapped = magic != BYTE_ORDER_MAGIC;
	return 0;
}

static int check_head(struct capture *capture, struct block *block, uint32_t *length,
		      struct capture_error *error)
{
	const uint8_t *head = input_take(&capture->input, 0);
	int err = 0;

	block->type = read_32(&capture->section, head);
	if (block->type == BLOCK_SECTION) /* a palindrome */
		err = learn_byte_order(capture, head, error);
	if (err)
		return err;
	*length = read_32(&capture->section, head + sizeof(uint32_t));
	if (*length < BLOCK_FRAME_BYTES || *length % sizeof(uint32_t) || *length > BLOCK_MAX_BYTES)
		return damaged(capture, error, "a block of a length that none can have", *length);
	block->bytes = *length - BLOCK_FRAME_BYTES;
	return 0;
}

/* Return: 1 with *block; 0 at the end of the file; -errno with *error. */
static int next_block(struct capture *capture, struct block *block, struct capture_error *error)
{
	struct input *input = &capture->input;
	int err = input_need(input, BLOCK_FRAME_BYTES);
	uint32_t length;

	if (err)
		return capture_fail_errno(error, err);
	if (input_bytes(input) < BLOCK_FRAME_BYTES)
		return input_bytes(input) ? cut(capture, 0, error) : 0;
	err = check_head(capture, block, &length, error);
	if (err)
		return err;
	err = input_need(input, length);
	if (err)
		return capture_fail_errno(error, err);
	if (input_bytes(input) < length)
		return cut(capture, block->type, error);
	block->body = input_take(input, length) + BLOCK_HEAD_BYTES;
	if (read_32(&capture->section, block->body + block->bytes) != length)
		return damaged(capture, error, "a block whose two lengths differ", length);
	return 1;
}

/* --- options --- */

struct options {
	const uint8_t *at, *end;
};

struct option {
	uint16_t code, bytes;
	const uint8_t *value;
};

static struct options options_behind(const struct block *block, uint32_t bytes)
{
	return (struct options){.at = block->body + bytes, .end = block->body + block->bytes};
}

/* Return: 1 with *option; 0 at the end; -EBADMSG if a length runs beyond it. */
static int option_next(const struct section *section, struct options *options, struct option *option)
{
	uint32_t left = options->end - options->at;

	if (left < sizeof(uint32_t))
		return 0;
	option->code = read_16(section, options->at);
	option->bytes = read_16(section, options->at + sizeof(uint16_t));
	option->value = options->at + sizeof(uint32_t);
	if (option->code == OPT_END)
		return 0;
	if (padded(option->bytes) > left - sizeof(uint32_t))
		return -EBADMSG;
	options->at = option->value + padded(option->bytes);
	return 1;
}

/* --- time --- */

static uint64_t power_of_ten(unsigned int power)
{
	uint64_t value = 1;

	while (power--)
		value *= 10;
	return value;
}

/* if_tsresol: how much of a second a tick is. */
static void set_resolution(struct time_unit *unit, uint8_t resolution)
{
	unsigned int power = resolution & ~TSRESOL_BINARY;

	unit->divide = unit->multiply = 1;
	unit->shift = 0;
	if (resolution & TSRESOL_BINARY) {
		unit->multiply = NS_PER_S;
		unit->shift = power;
	} else if (power <= NS_DIGITS) {
		unit->multiply = power_of_ten(NS_DIGITS - power);
	} else if (power - NS_DIGITS <= POWER_MAX) {
		unit->divide = power_of_ten(power - NS_DIGITS);
	} else {
		unit->multiply = 0; /* 64 bits of such ticks are no nanosecond */
	}
}

static uint64_t to_ns(const struct time_unit *unit, uint64_t ticks)
{
	__int128 ns = (unsigned __int128)(unit->divide > 1 ? ticks / unit->divide : ticks) * unit->multiply >>
		      unit->shift;

	ns += (__int128)unit->offset_s * (int64_t)NS_PER_S;
	return ns < 0 ? 0 : ns > INT64_MAX ? INT64_MAX : (uint64_t)ns;
}

/* --- what the blocks say --- */

static int begin_section(struct capture *capture, const struct block *block, struct capture_error *error)
{
	uint16_t major;

	if (block->bytes < sizeof(struct section_body))
		return damaged(capture, error, "a section header that is too short", block->bytes);
	major = read_16(&capture->section, block->body + offsetof(struct section_body, major));
	if (major != VERSION_MAJOR)
		return damaged(capture, error, "pcapng of a version that is unknown", major);
	capture->section.first_interface = capture->interface_count;
	return 0;
}

/* Numbers in a file that libpcap knows by another. */
static int to_dlt(uint16_t link_type)
{
	return link_type == 101 ? DLT_RAW : link_type; /* LINKTYPE_RAW */
}

static int take_interface_option(struct interface *interface, const struct section *section,
				 const struct option *option)
{
	if (option->code == IF_NAME) {
		terminal_safe(interface->shown.name, sizeof(interface->shown.name), option->value,
			      option->bytes);
	} else if (option->code == IF_TSRESOL) {
		if (option->bytes != sizeof(uint8_t))
			return -EBADMSG;
		set_resolution(&interface->unit, option->value[0]);
	} else if (option->code == IF_TSOFFSET) {
		if (option->bytes != sizeof(uint64_t))
			return -EBADMSG;
		interface->unit.offset_s = (int64_t)read_64(section, option->value);
	}
	return 0;
}

static int take_interface_options(struct interface *interface, const struct section *section,
				  struct options options)
{
	struct option option;
	int got;

	while ((got = option_next(section, &options, &option)) == 1) {
		int err = take_interface_option(interface, section, &option);

		if (err)
			return err;
	}
	return got;
}

static int add_interface(struct capture *capture, const struct block *block, struct capture_error *error)
{
	const struct section *section = &capture->section;
	struct interface *interface;

	if (block->bytes < sizeof(struct interface_body))
		return damaged(capture, error, "an interface description that is too short", block->bytes);
	interface = capture_add_interface(capture, to_dlt(read_16(section, block->body)), error);
	if (!interface)
		return -EBADMSG;
	interface->shown.snap_bytes =
		read_32(section, block->body + offsetof(struct interface_body, snap_bytes));
	set_resolution(&interface->unit, TSRESOL_DEFAULT);
	/* Not to be passed over: with a wrong resolution every time would be wrong. */
	if (take_interface_options(interface, section, options_behind(block, sizeof(struct interface_body))))
		return damaged(capture, error, "an interface description with damaged options", block->bytes);
	return 0;
}

static uint8_t direction_of(uint32_t flags)
{
	switch (flags & DIRECTION_MASK) {
	case DIRECTION_IN:
		return LINK_INBOUND;
	case DIRECTION_OUT:
		return LINK_OUTBOUND;
	default:
		return LINK_DIRECTION_UNKNOWN;
	}
}

/* Wrong options cost no more than what they say: the packet is here. */
static void take_packet_options(struct capture_frame *frame, const struct section *section,
				struct options options)
{
	struct option option;

	while (option_next(section, &options, &option) == 1) {
		if (option.code == PACKET_FLAGS && option.bytes == sizeof(uint32_t))
			frame->direction = direction_of(read_32(section, option.value));
		else if (option.code == OPT_COMMENT)
			frame->second_hook |= option.bytes == strlen(LINK_SECOND_HOOK) &&
					      !memcmp(option.value, LINK_SECOND_HOOK, option.bytes);
	}
}

static int bad_frame(const struct capture *capture, struct capture_error *error, const char *what,
		     uint32_t value, uint32_t limit)
{
	return capture_fail(error, CURE_DAMAGED, "frame %" PRIu64 ": %s %" PRIu32 " of %" PRIu32,
			    capture->frames + 1, what, value, limit);
}

/* Finishes *frame, whose interface counts within its section, and whose room for data is @room. */
static int check_frame(const struct capture *capture, struct capture_frame *frame, uint32_t room,
		       struct capture_error *error)
{
	uint32_t interfaces = capture->interface_count - capture->section.first_interface;

	if (frame->interface >= interfaces)
		return bad_frame(capture, error, "it names interface", frame->interface, interfaces);
	if (frame->captured_bytes > room)
		return bad_frame(capture, error, "captured bytes beyond its block:", frame->captured_bytes,
				 room);
	if (frame->captured_bytes > CAPTURE_MAX_FRAME_BYTES)
		return bad_frame(capture, error,
				 "more captured bytes than a frame can have:", frame->captured_bytes,
				 CAPTURE_MAX_FRAME_BYTES);
	frame->interface += capture->section.first_interface;
	return 1;
}

static int take_packet(const struct capture *capture, const struct block *block, struct capture_frame *frame,
		       struct capture_error *error)
{
	const struct section *section = &capture->section;
	const struct packet_body *body = (const void *)block->body;
	int got;

	if (block->bytes < sizeof(*body))
		return bad_frame(capture, error, "bytes of a packet block:", block->bytes, sizeof(*body));
	*frame = (struct capture_frame){
		.data = block->body + sizeof(*body),
		.captured_bytes = read_32(section, &body->captured_bytes),
		.wire_bytes = read_32(section, &body->wire_bytes),
		.interface = block->type == BLOCK_PACKET ? read_16(section, &body->interface)
							 : read_32(section, &body->interface),
		.timed = true,
	};
	got = check_frame(capture, frame, block->bytes - sizeof(*body), error);
	if (got != 1)
		return got;
	frame->time_ns =
		to_ns(&capture->interfaces[frame->interface].unit,
		      (uint64_t)read_32(section, &body->time_high) << 32 | read_32(section, &body->time_low));
	take_packet_options(frame, section,
			    options_behind(block, sizeof(*body) + padded(frame->captured_bytes)));
	return 1;
}

/* Of the section's first interface, and without a time. Only the snap length tells padding from data. */
static int take_simple_packet(const struct capture *capture, const struct block *block,
			      struct capture_frame *frame, struct capture_error *error)
{
	const uint32_t head = sizeof(uint32_t);
	uint32_t snap_bytes = 0;

	if (block->bytes < head)
		return bad_frame(capture, error, "bytes of a packet block:", block->bytes, head);
	if (capture->section.first_interface < capture->interface_count)
		snap_bytes = capture->interfaces[capture->section.first_interface].shown.snap_bytes;
	*frame = (struct capture_frame){
		.data = block->body + head,
		.wire_bytes = read_32(&capture->section, block->body),
		.time_ns = capture->time_ns,
	};
	frame->captured_bytes = frame->wire_bytes;
	if (snap_bytes && snap_bytes < frame->captured_bytes)
		frame->captured_bytes = snap_bytes;
	return check_frame(capture, frame, block->bytes - head, error);
}

/* Return: 1 with *frame; 0: go on; -errno with *error. */
static int take_block(struct capture *capture, const struct block *block, struct capture_frame *frame,
		      struct capture_error *error)
{
	switch (block->type) {
	case BLOCK_ENHANCED_PACKET:
	case BLOCK_PACKET:
		return take_packet(capture, block, frame, error);
	case BLOCK_SIMPLE_PACKET:
		return take_simple_packet(capture, block, frame, error);
	case BLOCK_INTERFACE:
		return add_interface(capture, block, error);
	case BLOCK_SECTION:
		return begin_section(capture, block, error);
	default:
		return 0;
	}
}

static int next(struct capture *capture, struct capture_frame *frame, struct capture_error *error)
{
	struct block block;
	int got;

	do {
		got = next_block(capture, &block, error);
		if (got != 1)
			return got;
		got = take_block(capture, &block, frame, error);
	} while (!got);
	return got;
}

/* What begins with a section header's type and is none, is no pcapng file. */
static int start(struct capture *capture, struct capture_error *error)
{
	struct block block;
	int got = next_block(capture, &block, error);

	if (got != 1)
		return got;
	if (block.type != BLOCK_SECTION)
		return capture_fail(error, CURE_CAPTURE, "unknown file format");
	return begin_section(capture, &block, error);
}

static void stop(struct capture *capture)
{
	capture->section = (struct section){};
}

const struct capture_format format_pcapng = {.start = start, .next = next, .stop = stop};
