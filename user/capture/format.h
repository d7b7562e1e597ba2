/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of user/capture share: a capture under way, and what a file format is to it. */
#ifndef XDPLIFE_CAPTURE_FORMAT_H
#define XDPLIFE_CAPTURE_FORMAT_H

#include <pcap/pcap.h>

#include "capture/capture.h"
#include "capture/input.h"

#define CURE_CAPTURE "a pcap or pcapng file, as tcpdump -w writes it; editcap makes one of most other formats"
#define CURE_DAMAGED "editcap IN OUT, which keeps what is whole of it"

/* How a pcapng interface counts time: it is ticks / divide * multiply >> shift nanoseconds, offset_s seconds later. */
struct time_unit {
	uint64_t divide, multiply;
	uint8_t shift;
	int64_t offset_s;
};

struct interface {
	struct capture_interface shown;
	struct time_unit unit;
};

/* The section of a pcapng file that is being read. */
struct section {
	bool swapped; /* in the other byte order than this machine's */
	uint32_t first_interface;
};

struct capture_format {
	/* At the file's first byte. Return: 0; -errno with *error. */
	int (*start)(struct capture *capture, struct capture_error *error);
	/* Fills all of *frame that the file says, as capture_next() returns. */
	int (*next)(struct capture *capture, struct capture_frame *frame, struct capture_error *error);
	/* Undoes start(), also one that failed. */
	void (*stop)(struct capture *capture);
};

extern const struct capture_format format_pcap, format_pcapng;

struct capture {
	struct input input;
	const struct capture_format *format;
	uint64_t frames;  /* delivered */
	uint64_t time_ns; /* of the last one */
	struct interface *interfaces;
	uint32_t interface_count, interface_room;
	pcap_t *pcap; /* format_pcap's */
	struct section section;
};

/* Fills *error. Return: -EBADMSG. */
int capture_fail(struct capture_error *error, const char *cure, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same of an errno. Return: @err. */
int capture_fail_errno(struct capture_error *error, int err);

/* Return: the new interface, zeroed but for its link, of a type as in DLT_*; NULL with *error. */
struct interface *capture_add_interface(struct capture *capture, int link_type, struct capture_error *error);

/* Fills *error for a link that cannot be parsed. Return: -EPROTONOSUPPORT. */
int capture_refuse_link(struct capture_error *error, const struct capture_interface *interface,
			uint64_t frame);

#endif
