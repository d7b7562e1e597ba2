// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "capture/format.h"
#include "command.h"
#include "util/log.h"

#define MAX_INTERFACES   65536 /* of all sections: some MiB */
#define FIRST_INTERFACES 4
#define MAGIC_BYTES      6
#define PCAPNG_FIRST     0x0a /* of its section header, the same in either byte order */

#define CURE_LINK "a capture of an Ethernet interface (tcpdump -i eth0), or of all (-i any)"
#define CURE_FILE "to write it to a file first"

/* What it could be instead. */
struct packing {
	const char *magic;
	const char *name;
	const char *cure;
};

static const struct packing packings[] = {
	{"\x1f\x8b", "gzip", "gzip -dc FILE | xdplife ... -, or gunzip FILE"},
	{"\x28\xb5\x2f\xfd", "zstd", "zstd -dc FILE | xdplife ... -, or unzstd FILE"},
	{"\xfd\x37zXZ", "xz", "xz -dc FILE | xdplife ... -, or unxz FILE"},
	{"BZh", "bzip2", "bzip2 -dc FILE | xdplife ... -, or bunzip2 FILE"},
	{"\x04\x22\x4d\x18", "lz4", "lz4 -dc FILE | xdplife ... -, or unlz4 FILE"},
};

int capture_fail(struct capture_error *error, const char *cure, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error->why, sizeof(error->why), format, args);
	va_end(args);
	error->cure = cure;
	return -EBADMSG;
}

int capture_fail_errno(struct capture_error *error, int err)
{
	capture_fail(error, NULL, "%s", strerror(-err));
	return err;
}

int capture_say_error(const char *file, const struct capture_error *error)
{
	log_error(error->cure, "%s: %s", strcmp(file, "-") != 0 ? file : "standard input", error->why);
	return EXIT_FAILED;
}

/* --- interfaces and links --- */

/* A link type as libpcap has it; those that begin alike are one kind. */
static enum link_kind link_kind_of(int link_type)
{
	switch (link_type) {
	case DLT_EN10MB:
		return LINK_ETHERNET;
	case DLT_RAW:
	case 14: /* DLT_RAW on OpenBSD */
	case DLT_IPV4:
	case DLT_IPV6:
		return LINK_RAW_IP;
	case DLT_LINUX_SLL:
		return LINK_COOKED;
	case DLT_LINUX_SLL2:
		return LINK_COOKED2;
	case DLT_NULL:
	case DLT_LOOP:
		return LINK_FAMILY;
	default:
		return LINK_OTHER;
	}
}

static int make_room(struct capture *capture)
{
	uint32_t room = capture->interface_room ? 2 * capture->interface_room : FIRST_INTERFACES;
	struct interface *all = reallocarray(capture->interfaces, room, sizeof(*all));

	if (!all)
		return -ENOMEM;
	capture->interfaces = all;
	capture->interface_room = room;
	return 0;
}

struct interface *capture_add_interface(struct capture *capture, int link_type, struct capture_error *error)
{
	struct interface *interface;

	if (capture->interface_count == MAX_INTERFACES) {
		capture_fail(error, NULL, "more than %d interfaces", MAX_INTERFACES);
		return NULL;
	}
	if (capture->interface_count == capture->interface_room && make_room(capture)) {
		capture_fail_errno(error, -ENOMEM);
		return NULL;
	}
	interface = &capture->interfaces[capture->interface_count++];
	*interface = (struct interface){
		.shown = {.link_type = link_type, .link = link_kind_of(link_type)},
	};
	return interface;
}

const struct capture_interface *capture_interface(const struct capture *capture, uint32_t number)
{
	return &capture->interfaces[number].shown;
}

uint32_t capture_interface_count(const struct capture *capture)
{
	return capture->interface_count;
}

const char *capture_link_text(char *text, int link_type)
{
	const char *name = pcap_datalink_val_to_name(link_type);

	snprintf(text, CAPTURE_LINK_TEXT_BYTES, "%d (%s)", link_type, name ? name : "unknown");
	return text;
}

int capture_refuse_link(struct capture_error *error, const struct capture_interface *interface,
			uint64_t frame)
{
	char text[CAPTURE_LINK_TEXT_BYTES], where[CAPTURE_NAME_BYTES + 32] = "";

	if (frame)
		snprintf(where, sizeof(where), "frame %" PRIu64 "%s%s: ", frame,
			 *interface->name ? " of " : "", interface->name);
	capture_fail(error, CURE_LINK, "%slink type %s is not Ethernet, raw IP, Linux cooked or BSD loopback",
		     where, capture_link_text(text, interface->link_type));
	return -EPROTONOSUPPORT;
}

/* --- opening --- */

static int refuse_content(const uint8_t *magic, size_t bytes, struct capture_error *error)
{
	if (!bytes)
		return capture_fail(error, CURE_CAPTURE, "it is empty");
	for (size_t i = 0; i < sizeof(packings) / sizeof(*packings); i++) {
		const struct packing *packing = &packings[i];
		size_t length = strlen(packing->magic);

		if (bytes >= length && !memcmp(magic, packing->magic, length))
			return capture_fail(error, packing->cure, "it is compressed (%s)", packing->name);
	}
	return capture_fail(error, CURE_CAPTURE, "unknown file format");
}

/* libpcap's magic numbers, whichever of its dialects, begin with one of these in one byte order or the other. */
static bool may_be_pcap(const uint8_t *magic, size_t bytes)
{
	return bytes && memchr("\xa1\xd4\x34\xcd\x4d", magic[0], 5);
}

/* At the file's first byte. */
static int start(struct capture *capture, struct capture_error *error)
{
	struct input *input = &capture->input;
	int err = input_need(input, MAGIC_BYTES);
	const uint8_t *magic = input_take(input, 0);
	size_t bytes = input_bytes(input);

	if (err)
		return capture_fail_errno(error, err);
	if (bytes && magic[0] == PCAPNG_FIRST)
		capture->format = &format_pcapng;
	else if (may_be_pcap(magic, bytes))
		capture->format = &format_pcap;
	else
		return refuse_content(magic, bytes, error);
	return capture->format->start(capture, error);
}

static void stop(struct capture *capture)
{
	if (capture->format)
		capture->format->stop(capture);
	capture->format = NULL;
	capture->frames = capture->time_ns = 0;
	capture->interface_count = 0;
}

static int check_file(const struct input *input, bool rewindable, struct capture_error *error)
{
	struct stat status;

	if (fstat(input->fd, &status))
		return capture_fail_errno(error, -errno);
	if (S_ISDIR(status.st_mode))
		return capture_fail(error, "a file in it", "it is a directory");
	if (rewindable && !S_ISREG(status.st_mode))
		return capture_fail(error, CURE_FILE, "it is read more than once, so it must be a file");
	return 0;
}

/* Waiting for somebody to write into a named pipe would be in vain, if it can only be refused then. */
static int open_input(struct capture *capture, const struct capture_options *options,
		      struct capture_error *error)
{
	int err = input_open(&capture->input, options->file, options->rewindable ? O_NONBLOCK : 0);

	return err ? capture_fail_errno(error, err) : check_file(&capture->input, options->rewindable, error);
}

int capture_open(struct capture **result, const struct capture_options *options, struct capture_error *error)
{
	struct capture *capture = calloc(1, sizeof(*capture));
	int err;

	if (!capture)
		return capture_fail_errno(error, -ENOMEM);
	err = open_input(capture, options, error);
	if (!err)
		err = start(capture, error);
	if (err) {
		capture_close(capture);
		return err;
	}
	*result = capture;
	return 0;
}

int capture_rewind(struct capture *capture, struct capture_error *error)
{
	int err;

	stop(capture);
	err = input_rewind(&capture->input);
	return err ? capture_fail_errno(error, err) : start(capture, error);
}

/* --- reading --- */

int capture_next(struct capture *capture, struct capture_frame *frame, struct capture_error *error)
{
	int got = capture->format->next(capture, frame, error);
	const struct capture_interface *interface;

	if (got != 1)
		return got;
	interface = &capture->interfaces[frame->interface].shown;
	frame->number = ++capture->frames;
	capture->time_ns = frame->time_ns;
	if (frame->wire_bytes < frame->captured_bytes)
		frame->wire_bytes = frame->captured_bytes;
	frame->link = interface->link;
	link_header_read(&frame->header, frame->link, frame->data, frame->captured_bytes);
	if (frame->direction == LINK_DIRECTION_UNKNOWN)
		frame->direction = frame->header.direction;
	return frame->link == LINK_OTHER ? capture_refuse_link(error, interface, frame->number) : 1;
}

void capture_close(struct capture *capture)
{
	if (!capture)
		return;
	stop(capture);
	input_close(&capture->input);
	free(capture->interfaces);
	free(capture);
}
