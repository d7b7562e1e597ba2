// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if_ether.h>
#include <pcap/pcap.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "traffic/capture.h"
#include "traffic/guard.h"
#include "util/clock.h"
#include "util/log.h"
#include "xdplife/craft.h"

#define WHY_BYTES 512
#define DAY_S     (24 * 3600)
#define YEAR_S    (366ll * DAY_S)

#define WHOLE_FRAMES "a capture of whole frames (tcpdump -s 0)"
#define SMALL_FRAMES                                                                                         \
	"a capture without offloads (ethtool -K IFACE gro off tso off), or without these frames (tshark -Y)"
#define OTHER_LINK                                                                                           \
	"a capture of one Ethernet interface (tcpdump -i eth0, not -i any), or tcprewrite --dlt=enet"

struct capture {
	struct capture_options options;
	int fd; /* of the file, whatever becomes of its name meanwhile */
	pcap_t *pcap;
	struct timeval first; /* tv_usec is nanoseconds: asked for at opening */
	uint64_t number, time_ns;
	const char *cure;
	char why[WHY_BYTES];
};

__attribute__((format(printf, 3, 4))) static int wrong(struct capture *capture, const char *cure,
						       const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(capture->why, sizeof(capture->why), format, args);
	va_end(args);
	capture->cure = cure;
	return -EBADMSG;
}

int capture_say_error(const struct capture *capture)
{
	log_error(capture->cure, "%s: %s", capture->options.file, capture->why);
	return EXIT_FAILED;
}

/* It is read twice, and once more a round. */
static int open_file(struct capture *capture)
{
	struct stat status;

	capture->fd = open(capture->options.file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (capture->fd < 0 || fstat(capture->fd, &status))
		return wrong(capture, NULL, "%s", strerror(errno));
	if (!S_ISREG(status.st_mode))
		return wrong(capture, "to write it to a file first",
			     "it is checked before anything is sent, so it must be a file");
	return 0;
}

static int check_link(struct capture *capture)
{
	int type = pcap_datalink(capture->pcap);
	const char *name = pcap_datalink_val_to_name(type);

	if (type == DLT_EN10MB)
		return 0;
	return wrong(capture, OTHER_LINK, "its link type %d (%s) is not Ethernet", type,
		     name ? name : "unknown");
}

static void close_pcap(struct capture *capture)
{
	if (capture->pcap)
		pcap_close(capture->pcap);
	capture->pcap = NULL;
}

int capture_rewind(struct capture *capture)
{
	char error[PCAP_ERRBUF_SIZE] = "";
	FILE *file;
	int fd;

	close_pcap(capture);
	capture->number = capture->time_ns = 0;
	fd = lseek(capture->fd, 0, SEEK_SET) < 0 ? -1 : fcntl(capture->fd, F_DUPFD_CLOEXEC, 0);
	file = fd < 0 ? NULL : fdopen(fd, "rb");
	if (!file) {
		if (fd >= 0)
			close(fd);
		return wrong(capture, NULL, "%s", strerror(errno));
	}
	capture->pcap = pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, error);
	if (!capture->pcap) {
		fclose(file);
		return wrong(capture, "a pcap or pcapng file, as tcpdump -w writes it", "%s", error);
	}
	return check_link(capture);
}

int capture_open(struct capture **result, const struct capture_options *options)
{
	struct capture *capture = calloc(1, sizeof(*capture));
	int err;

	if (!capture)
		return EXIT_FAILED;
	capture->options = *options;
	err = open_file(capture);
	if (!err)
		err = capture_rewind(capture);
	if (err) {
		err = capture_say_error(capture);
		capture_close(capture);
		return err;
	}
	*result = capture;
	return 0;
}

static int check_size(struct capture *capture, const struct pcap_pkthdr *header)
{
	if (header->caplen < header->len)
		return wrong(capture, WHOLE_FRAMES,
			     "frame %" PRIu64 " was cut by the capture (%u of %u bytes)", capture->number,
			     header->caplen, header->len);
	if (header->caplen < ETH_HLEN)
		return wrong(capture, NULL, "frame %" PRIu64 " has %u bytes: less than an Ethernet header",
			     capture->number, header->caplen);
	if (header->caplen > CRAFT_MAX_BYTES)
		return wrong(capture, SMALL_FRAMES, "frame %" PRIu64 " has %u bytes: at most %u can be sent",
			     capture->number, header->caplen, CRAFT_MAX_BYTES);
	return 0;
}

static int check_destination(struct capture *capture, const uint8_t *data, uint32_t bytes)
{
	char address[INET6_ADDRSTRLEN];

	if (capture->options.owned || guard_frame(data, bytes, address))
		return 0;
	return wrong(capture, "--i-own-this-network",
		     "refused: frame %" PRIu64 " goes to %s, which is no private or test address "
		     "(RFC 1918, 2544, 4193, 5737), so it may be somebody else's",
		     capture->number, address);
}

/* Times that run backwards, as in a merged capture, stand still: the order is that of the file. */
static int take_time(struct capture *capture, const struct timeval *time)
{
	int64_t seconds, ns;

	if (capture->number == 1)
		capture->first = *time;
	if (__builtin_sub_overflow(time->tv_sec, capture->first.tv_sec, &seconds) || seconds > YEAR_S ||
	    seconds < -YEAR_S) {
		if (capture->options.timed)
			return wrong(capture, "--rate or --fast",
				     "frame %" PRIu64 " lies more than a year from the first one",
				     capture->number);
		return 0;
	}
	ns = seconds * (int64_t)NS_PER_S + (time->tv_usec - capture->first.tv_usec);
	if (ns > 0 && (uint64_t)ns > capture->time_ns)
		capture->time_ns = ns;
	return 0;
}

int capture_next(struct capture *capture, struct capture_frame *frame)
{
	struct pcap_pkthdr *header;
	const u_char *data;
	int got = pcap_next_ex(capture->pcap, &header, &data), err;

	if (got == PCAP_ERROR_BREAK)
		return 0;
	capture->number++;
	if (got != 1)
		return wrong(capture, "what is whole of it: editcap IN OUT", "frame %" PRIu64 ": %s",
			     capture->number, pcap_geterr(capture->pcap));
	err = check_size(capture, header);
	if (!err)
		err = check_destination(capture, data, header->caplen);
	if (!err)
		err = take_time(capture, &header->ts);
	if (err)
		return err;
	*frame = (struct capture_frame){
		.data = data,
		.bytes = header->caplen,
		.number = capture->number,
		.time_ns = capture->time_ns,
	};
	return 1;
}

void capture_close(struct capture *capture)
{
	if (!capture)
		return;
	close_pcap(capture);
	if (capture->fd >= 0)
		close(capture->fd);
	free(capture);
}
