// SPDX-License-Identifier: GPL-2.0-only
/* pcap files, by libpcap: both byte orders, microseconds and nanoseconds, and the dialects of others. */
#include <errno.h>
#include <inttypes.h>

#include "capture/format.h"
#include "util/clock.h"

static int start(struct capture *capture, struct capture_error *error)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	FILE *stream = input_stream(&capture->input);
	struct interface *interface;

	if (!stream)
		return capture_fail_errno(error, -errno);
	capture->pcap = pcap_fopen_offline_with_tstamp_precision(stream, PCAP_TSTAMP_PRECISION_NANO, why);
	if (!capture->pcap) {
		fclose(stream);
		return capture_fail(error, CURE_CAPTURE, "%s", why);
	}
	interface = capture_add_interface(capture, pcap_datalink(capture->pcap), error);
	if (!interface)
		return -ENOMEM;
	interface->shown.snap_bytes = pcap_snapshot(capture->pcap);
	return interface->shown.link == LINK_OTHER ? capture_refuse_link(error, &interface->shown, 0) : 0;
}

/* libpcap takes the file's seconds for signed, which ends in 2038; Wireshark and we do not. */
static uint64_t time_of(const struct timeval *time)
{
	int64_t ns = (uint32_t)time->tv_sec * (int64_t)NS_PER_S +
		     time->tv_usec; /* nanoseconds: asked for at opening */

	return ns < 0 ? 0 : ns;
}

static int next(struct capture *capture, struct capture_frame *frame, struct capture_error *error)
{
	struct pcap_pkthdr *header;
	const u_char *data;
	int got = pcap_next_ex(capture->pcap, &header, &data);

	if (got == PCAP_ERROR_BREAK)
		return 0;
	if (got != 1 && capture->input.error)
		return capture_fail_errno(error, capture->input.error);
	if (got != 1)
		return capture_fail(error, CURE_DAMAGED, "frame %" PRIu64 ": %s", capture->frames + 1,
				    pcap_geterr(capture->pcap));
	*frame = (struct capture_frame){
		.data = data,
		.captured_bytes = header->caplen,
		.wire_bytes = header->len,
		.time_ns = time_of(&header->ts),
		.timed = true,
	};
	return 1;
}

static void stop(struct capture *capture)
{
	if (capture->pcap)
		pcap_close(capture->pcap);
	capture->pcap = NULL;
}

const struct capture_format format_pcap = {.start = start, .next = next, .stop = stop};
