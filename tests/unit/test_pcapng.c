// SPDX-License-Identifier: GPL-2.0-only
/* The pcapng writer: exact bytes, what libpcap reads back, and what a full disk leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "out/pcapng.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static const uint8_t mac[6] = {0x02, 0, 0, 0, 0, 0x0a};
static const char frame[] = "0123456789abcdefg"; /* 17 bytes: 3 of padding */
#define FRAME_BYTES 17

static char path[] = "/tmp/test_pcapng.XXXXXX";

static int make_path(void **state)
{
	int fd;

	(void)state;
	memcpy(path + sizeof(path) - 7, "XXXXXX", 6);
	fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int remove_path(void **state)
{
	(void)state;
	return unlink(path);
}

static size_t read_file(uint8_t *bytes, size_t room)
{
	FILE *in = fopen(path, "rb");
	size_t n;

	assert_non_null(in);
	n = fread(bytes, 1, room, in);
	fclose(in);
	assert_true(n < room);
	return n;
}

static uint32_t le32(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* Compares the text option at @at and returns where the next one starts. */
static const uint8_t *expect_text(const uint8_t *at, unsigned int code, const char *text)
{
	assert_int_equal(le32(at) & 0xffff, code);
	assert_int_equal(le32(at) >> 16, strlen(text));
	assert_memory_equal(at + 4, text, strlen(text));
	return at + 4 + ((strlen(text) + 3) & ~3u);
}

/* Returns the length of the section header. Its texts depend on the machine; everything else is fixed. */
static size_t expect_section_header(const uint8_t *file)
{
	/* clang-format off */
	static const uint8_t fixed[] = {
		0x4d, 0x3c, 0x2b, 0x1a,                         /* byte-order magic: little-endian */
		1, 0, 0, 0,                                     /* version 1.0 */
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, /* section length: not given */
	};
	/* clang-format on */
	const uint8_t *at = file + 8 + sizeof(fixed);
	struct utsname host;
	char os[200];

	assert_int_equal(uname(&host), 0);
	snprintf(os, sizeof(os), "%s %s", host.sysname, host.release);
	assert_memory_equal(file, "\n\r\r\n", 4);
	assert_memory_equal(file + 8, fixed, sizeof(fixed));
	at = expect_text(at, 2, host.machine);
	at = expect_text(at, 3, os);
	at = expect_text(at, 4, "xdplife trace r0");
	assert_int_equal(le32(at), 0); /* end of options */
	at += 4;
	assert_int_equal(le32(at), at + 4 - file);
	assert_int_equal(le32(file + 4), at + 4 - file);
	return le32(file + 4);
}

static void write_small_file(void)
{
	const struct pcapng_interface r0 = {
		.name = "r0",
		.description = "to the client",
		.hardware = "veth",
		.filter = "tcp",
		.mac = mac,
		.snap_bytes = 128,
	};
	struct pcapng *file = pcapng_create(path, "xdplife trace r0");
	const struct pcapng_packet packet = {
		.interface = 0,
		.time_ns = 0x1122334455667788,
		.data = frame,
		.captured_bytes = FRAME_BYTES,
		.wire_bytes = 1514,
		.direction = PCAPNG_OUTBOUND,
		.comment = "forwarded",
	};
	const struct pcapng_statistics statistics = {
		.start_ns = 1,
		.end_ns = 0x0000000200000003,
		.received = 9,
		.if_dropped = 4,
		.filter_accepted = 7,
		.os_dropped = 2,
		.delivered = 5,
	};

	assert_non_null(file);
	assert_int_equal(pcapng_add_interface(file, &r0), 0);
	assert_int_equal(pcapng_write_packet(file, &packet), 0);
	assert_int_equal(pcapng_write_statistics(file, 0, &statistics), 0);
	assert_int_equal(pcapng_close(file), 0);
}

static void test_exact_bytes(void **state)
{
	/* clang-format off */
	static const uint8_t expected[] = {
		/* interface description */
		1, 0, 0, 0, 88, 0, 0, 0,
		1, 0, 0, 0,                                     /* link type Ethernet, reserved */
		128, 0, 0, 0,                                   /* snap length */
		2, 0, 2, 0, 'r', '0', 0, 0,                     /* if_name, padded */
		3, 0, 13, 0, 't', 'o', ' ', 't', 'h', 'e', ' ', 'c', 'l', 'i', 'e', 'n', 't', 0, 0, 0, /* if_description */
		6, 0, 6, 0, 0x02, 0, 0, 0, 0, 0x0a, 0, 0,       /* if_MACaddr, padded */
		9, 0, 1, 0, 9, 0, 0, 0,                         /* if_tsresol: 10^-9 s */
		11, 0, 4, 0, 0, 't', 'c', 'p',                  /* if_filter: 0 for text */
		15, 0, 4, 0, 'v', 'e', 't', 'h',                /* if_hardware */
		0, 0, 0, 0,                                     /* end of options */
		88, 0, 0, 0,
		/* enhanced packet */
		6, 0, 0, 0, 80, 0, 0, 0,
		0, 0, 0, 0,                                     /* interface 0 */
		0x44, 0x33, 0x22, 0x11, 0x88, 0x77, 0x66, 0x55, /* time: upper half first */
		17, 0, 0, 0, 0xea, 0x05, 0, 0,                  /* captured 17 of 1514 */
		'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 0, 0, 0,
		1, 0, 9, 0, 'f', 'o', 'r', 'w', 'a', 'r', 'd', 'e', 'd', 0, 0, 0, /* comment */
		2, 0, 4, 0, 2, 0, 0, 0,                         /* epb_flags: outbound */
		0, 0, 0, 0,                                     /* end of options */
		80, 0, 0, 0,
		/* interface statistics */
		5, 0, 0, 0, 112, 0, 0, 0,
		0, 0, 0, 0,                                     /* interface 0 */
		2, 0, 0, 0, 3, 0, 0, 0,                         /* at the end time */
		2, 0, 8, 0, 0, 0, 0, 0, 1, 0, 0, 0,             /* isb_starttime: upper half first */
		3, 0, 8, 0, 2, 0, 0, 0, 3, 0, 0, 0,             /* isb_endtime */
		4, 0, 8, 0, 9, 0, 0, 0, 0, 0, 0, 0,             /* isb_ifrecv: 64 bits */
		5, 0, 8, 0, 4, 0, 0, 0, 0, 0, 0, 0,             /* isb_ifdrop */
		6, 0, 8, 0, 7, 0, 0, 0, 0, 0, 0, 0,             /* isb_filteraccept */
		7, 0, 8, 0, 2, 0, 0, 0, 0, 0, 0, 0,             /* isb_osdrop */
		8, 0, 8, 0, 5, 0, 0, 0, 0, 0, 0, 0,             /* isb_usrdeliv */
		0, 0, 0, 0,                                     /* end of options */
		112, 0, 0, 0,
	};
	/* clang-format on */
	uint8_t file[1024];
	size_t bytes, header;

	(void)state;
	write_small_file();
	bytes = read_file(file, sizeof(file));
	header = expect_section_header(file);
	assert_int_equal(bytes, header + sizeof(expected));
	assert_memory_equal(file + header, expected, sizeof(expected));
}

static struct pcapng *two_interfaces(uint32_t snap_bytes)
{
	const struct pcapng_interface r0 = {.name = "r0", .mac = mac, .snap_bytes = snap_bytes};
	const struct pcapng_interface r1 = {.name = "r1", .snap_bytes = snap_bytes};
	struct pcapng *file = pcapng_create(path, "test");

	assert_non_null(file);
	assert_int_equal(pcapng_add_interface(file, &r0), 0);
	assert_int_equal(pcapng_add_interface(file, &r1), 1);
	return file;
}

static int write_frame(struct pcapng *file, uint32_t interface, const void *data, uint32_t bytes,
		       const char *comment)
{
	return pcapng_write_packet(file, &(struct pcapng_packet){.interface = interface,
								 .time_ns = 1700000000123456789,
								 .data = data,
								 .captured_bytes = bytes,
								 .wire_bytes = bytes,
								 .comment = comment});
}

static pcap_t *open_with_libpcap(void)
{
	char why[PCAP_ERRBUF_SIZE];
	pcap_t *pcap = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, why);

	if (!pcap)
		fail_msg("libpcap: %s", why);
	return pcap;
}

/* Reads to the end of a file that libpcap must find faultless; returns the number of packets. */
static int count_packets(void)
{
	pcap_t *pcap = open_with_libpcap();
	struct pcap_pkthdr *header;
	const u_char *data;
	int n = 0, more;

	while ((more = pcap_next_ex(pcap, &header, &data)) == 1)
		n++;
	if (more != PCAP_ERROR_BREAK)
		fail_msg("after %d packets: %s", n, pcap_geterr(pcap));
	pcap_close(pcap);
	return n;
}

static void test_libpcap_reads_it(void **state)
{
	struct pcapng *file = two_interfaces(0);
	struct pcap_pkthdr *header;
	const u_char *data;
	pcap_t *pcap;

	(void)state;
	assert_int_equal(write_frame(file, 0, frame, FRAME_BYTES, "first"), 0);
	assert_int_equal(write_frame(file, 1, NULL, 0, NULL), 0);
	assert_int_equal(pcapng_close(file), 0);

	pcap = open_with_libpcap();
	assert_int_equal(pcap_datalink(pcap), DLT_EN10MB);
	assert_int_equal(pcap_next_ex(pcap, &header, &data), 1);
	assert_int_equal(header->caplen, FRAME_BYTES);
	assert_int_equal(header->ts.tv_sec, 1700000000);
	assert_int_equal(header->ts.tv_usec, 123456789); /* nanoseconds, as asked for */
	assert_memory_equal(data, frame, FRAME_BYTES);
	assert_int_equal(pcap_next_ex(pcap, &header, &data), 1);
	assert_int_equal(header->len, 0);
	assert_int_equal(pcap_next_ex(pcap, &header, &data), PCAP_ERROR_BREAK);
	pcap_close(pcap);
}

static void test_snap_length_cuts(void **state)
{
	static uint8_t giant[PCAPNG_MAX_PACKET_BYTES + 1];
	static const struct {
		uint32_t snap, captured, expected;
	} cases[] = {
		{4, FRAME_BYTES, 4},
		{FRAME_BYTES, FRAME_BYTES, FRAME_BYTES},
		{0, FRAME_BYTES, FRAME_BYTES},
		{0, sizeof(giant), PCAPNG_MAX_PACKET_BYTES},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct pcapng *file = two_interfaces(cases[i].snap);
		struct pcap_pkthdr *header;
		const u_char *data;
		pcap_t *pcap;

		assert_int_equal(write_frame(file, 1, giant, cases[i].captured, NULL), 0);
		assert_int_equal(pcapng_close(file), 0);
		pcap = open_with_libpcap();
		assert_int_equal(pcap_next_ex(pcap, &header, &data), 1);
		assert_int_equal(header->caplen, cases[i].expected);
		assert_int_equal(header->len, cases[i].captured);
		pcap_close(pcap);
	}
}

static void test_unknown_interface(void **state)
{
	struct pcapng *file = two_interfaces(0);

	(void)state;
	assert_int_equal(write_frame(file, 2, frame, FRAME_BYTES, NULL), -EINVAL);
	assert_int_equal(pcapng_write_statistics(file, 2, &(struct pcapng_statistics){0}), -EINVAL);
	assert_int_equal(write_frame(file, 1, frame, FRAME_BYTES, NULL), 0);
	assert_int_equal(pcapng_close(file), 0);
	assert_int_equal(count_packets(), 1);
}

/* An option holds 65,535 bytes at most: a longer comment is cut, and not within the two bytes of an é. */
static void test_long_comment(void **state)
{
	static char comment[70001];
	uint8_t *bytes = malloc(80000);
	struct pcapng *file = two_interfaces(0);
	size_t file_bytes, at = 0;

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(comment); i += 2)
		memcpy(comment + i, "é", 2);
	assert_int_equal(write_frame(file, 0, frame, FRAME_BYTES, comment), 0);
	assert_int_equal(pcapng_close(file), 0);
	assert_int_equal(count_packets(), 1);

	file_bytes = read_file(bytes, 80000);
	for (int block = 0; block < 3; block++) /* the section, r0, r1 */
		at += le32(bytes + at + 4);
	assert_int_equal(at + le32(bytes + at + 4), file_bytes);
	at += 28 + 20; /* the fixed part, the frame padded */
	assert_int_equal(le32(bytes + at), 1 | 65534u << 16);
	assert_memory_equal(bytes + at + 4, comment, 65534);
	free(bytes);
}

/* What is buffered is on disk after a flush; without one it is not, or the buffer would be none. */
static void test_flush(void **state)
{
	struct pcapng *file = two_interfaces(0);
	struct stat before;

	(void)state;
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(before.st_size, 0);
	assert_int_equal(write_frame(file, 0, frame, FRAME_BYTES, NULL), 0);
	assert_int_equal(pcapng_flush(file), 0);
	assert_int_equal(count_packets(), 1);
	assert_int_equal(pcapng_close(file), 0);
	assert_int_equal(count_packets(), 1);
}

static void test_many_packets(void **state)
{
	static const uint8_t big[1514];
	struct pcapng *file = two_interfaces(0);

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_int_equal(write_frame(file, i & 1, big, sizeof(big), NULL), 0);
	assert_int_equal(pcapng_close(file), 0);
	assert_int_equal(count_packets(), 1000);
}

static void test_cannot_create(void **state)
{
	(void)state;
	errno = 0;
	assert_null(pcapng_create("/nonexistent/directory/file.pcapng", "test"));
	assert_int_equal(errno, ENOENT);
}

static void test_full_device(void **state)
{
	struct pcapng *file = pcapng_create("/dev/full", "test");

	(void)state;
	assert_non_null(file);
	assert_int_equal(pcapng_add_interface(file, &(struct pcapng_interface){.name = "r0"}), 0);
	assert_int_equal(write_frame(file, 0, frame, FRAME_BYTES, NULL), 0);
	assert_int_equal(pcapng_flush(file), -ENOSPC);
	/* It is kept. */
	assert_int_equal(write_frame(file, 0, frame, FRAME_BYTES, NULL), -ENOSPC);
	assert_int_equal(pcapng_flush(file), -ENOSPC);
	assert_int_equal(pcapng_close(file), -ENOSPC);
}

/* A file size limit stands for a full disk: the write that meets it is partial, and the next one fails. */
static void test_partial_write_is_cut_back(void **state)
{
	static const uint8_t big[1500];
	struct rlimit unlimited, limit;
	struct pcapng *file;
	struct stat after;
	int written = 0;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &unlimited), 0);
	limit = (struct rlimit){.rlim_cur = 100001, .rlim_max = unlimited.rlim_max};
	signal(SIGXFSZ, SIG_IGN);
	file = two_interfaces(0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	while (written < 1000 && !write_frame(file, 0, big, sizeof(big), NULL))
		written++;
	assert_int_equal(pcapng_close(file), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &unlimited), 0);

	/* 1500 bytes of frame are a block of 1536: 32 around them, 4 for the end of the options. */
	assert_int_equal(stat(path, &after), 0);
	assert_in_range(after.st_size, 100001 - 1536, 100000);
	assert_in_range(count_packets(), 60, 66);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_exact_bytes, make_path, remove_path),
		cmocka_unit_test_setup_teardown(test_libpcap_reads_it, make_path, remove_path),
		cmocka_unit_test_setup_teardown(test_snap_length_cuts, make_path, remove_path),
		cmocka_unit_test_setup_teardown(test_unknown_interface, make_path, remove_path),
		cmocka_unit_test_setup_teardown(test_long_comment, make_path, remove_path),
		cmocka_unit_test_setup_teardown(test_flush, make_path, remove_path),
		cmocka_unit_test_setup_teardown(test_many_packets, make_path, remove_path),
		cmocka_unit_test_setup_teardown(test_partial_write_is_cut_back, make_path, remove_path),
		cmocka_unit_test(test_cannot_create),
		cmocka_unit_test(test_full_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
