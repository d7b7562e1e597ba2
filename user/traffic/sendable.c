// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/if_ether.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "capture/capture.h"
#include "command.h"
#include "traffic/guard.h"
#include "traffic/sendable.h"
#include "util/clock.h"
#include "xdplife/craft.h"

#define YEAR_NS (366ull * 24 * 3600 * NS_PER_S)

#define WHOLE_FRAMES "a capture of whole frames (tcpdump -s 0)"
#define SMALL_FRAMES                                                                                         \
	"a capture without offloads (ethtool -K IFACE gro off tso off), or without these frames (tshark -Y)"
#define OTHER_LINK                                                                                           \
	"a capture of one Ethernet interface (tcpdump -i eth0, not -i any), or tcprewrite --dlt=enet"

struct sendable {
	struct sendable_options options;
	struct capture *capture;
	struct capture_error error;
	uint64_t first_ns; /* of the file's first frame, since the Unix epoch */
	uint64_t time_ns;  /* of the last one, after the first */
};

__attribute__((format(printf, 3, 4))) static int wrong(struct sendable *sendable, const char *cure,
						       const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(sendable->error.why, sizeof(sendable->error.why), format, args);
	va_end(args);
	sendable->error.cure = cure;
	return -EBADMSG;
}

int sendable_say_error(const struct sendable *sendable)
{
	return capture_say_error(sendable->options.file, &sendable->error);
}

static int check_link(struct sendable *sendable, uint32_t number)
{
	const struct capture_interface *interface = capture_interface(sendable->capture, number);
	char text[CAPTURE_LINK_TEXT_BYTES];

	if (interface->link == LINK_ETHERNET)
		return 0;
	return wrong(sendable, OTHER_LINK, "its link type %s is not Ethernet",
		     capture_link_text(text, interface->link_type));
}

/* A pcap file has said by now what its link is; of a pcapng file each frame is asked. */
static int open_capture(struct sendable *sendable)
{
	const struct capture_options options = {.file = sendable->options.file, .rewindable = true};
	int err = capture_open(&sendable->capture, &options, &sendable->error);

	if (!err && capture_interface_count(sendable->capture))
		err = check_link(sendable, 0);
	return err;
}

int sendable_open(struct sendable **result, const struct sendable_options *options)
{
	struct sendable *sendable = calloc(1, sizeof(*sendable));

	if (!sendable)
		return EXIT_FAILED;
	sendable->options = *options;
	if (open_capture(sendable)) {
		sendable_say_error(sendable);
		sendable_close(sendable);
		return EXIT_FAILED;
	}
	*result = sendable;
	return 0;
}

int sendable_rewind(struct sendable *sendable)
{
	sendable->time_ns = 0;
	return capture_rewind(sendable->capture, &sendable->error) ? -EBADMSG : 0;
}

static int check_size(struct sendable *sendable, const struct capture_frame *frame)
{
	if (frame->captured_bytes < frame->wire_bytes)
		return wrong(sendable, WHOLE_FRAMES,
			     "frame %" PRIu64 " was cut by the capture (%u of %u bytes)", frame->number,
			     frame->captured_bytes, frame->wire_bytes);
	if (frame->captured_bytes < ETH_HLEN)
		return wrong(sendable, NULL, "frame %" PRIu64 " has %u bytes: less than an Ethernet header",
			     frame->number, frame->captured_bytes);
	if (frame->captured_bytes > CRAFT_MAX_BYTES)
		return wrong(sendable, SMALL_FRAMES, "frame %" PRIu64 " has %u bytes: at most %u can be sent",
			     frame->number, frame->captured_bytes, CRAFT_MAX_BYTES);
	return 0;
}

static int check_destination(struct sendable *sendable, const struct capture_frame *frame)
{
	char address[INET6_ADDRSTRLEN];

	if (sendable->options.owned || guard_frame(frame->data, frame->captured_bytes, address))
		return 0;
	return wrong(sendable, "--i-own-this-network",
		     "refused: frame %" PRIu64 " goes to %s, which is no private or test address "
		     "(RFC 1918, 2544, 4193, 5737), so it may be somebody else's",
		     frame->number, address);
}

/* Times that run backwards, as in a merged capture, stand still: the order is that of the file. */
static int take_time(struct sendable *sendable, const struct capture_frame *frame)
{
	int64_t ns;

	if (frame->number == 1)
		sendable->first_ns = frame->time_ns;
	ns = (int64_t)(frame->time_ns - sendable->first_ns);
	if (ns > (int64_t)YEAR_NS || ns < -(int64_t)YEAR_NS) {
		if (sendable->options.timed)
			return wrong(sendable, "--rate or --fast",
				     "frame %" PRIu64 " lies more than a year from the first one",
				     frame->number);
		return 0;
	}
	if (ns > 0 && (uint64_t)ns > sendable->time_ns)
		sendable->time_ns = ns;
	return 0;
}

static int check_frame(struct sendable *sendable, const struct capture_frame *frame)
{
	int err = check_link(sendable, frame->interface);

	if (!err)
		err = check_size(sendable, frame);
	if (!err)
		err = check_destination(sendable, frame);
	return err ? err : take_time(sendable, frame);
}

int sendable_next(struct sendable *sendable, struct sendable_frame *frame)
{
	struct capture_frame captured;
	int got = capture_next(sendable->capture, &captured, &sendable->error);

	if (got != 1)
		return got ? -EBADMSG : 0;
	if (check_frame(sendable, &captured))
		return -EBADMSG;
	*frame = (struct sendable_frame){
		.data = captured.data,
		.bytes = captured.captured_bytes,
		.number = captured.number,
		.time_ns = sendable->time_ns,
	};
	return 1;
}

void sendable_close(struct sendable *sendable)
{
	if (!sendable)
		return;
	capture_close(sendable->capture);
	free(sendable);
}
