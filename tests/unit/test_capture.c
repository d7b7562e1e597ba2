// SPDX-License-Identifier: GPL-2.0-only
/* Every kind of link; pcap files in all dialects; what is no capture. */
#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>

#include "capture_file.h"

/* --- links ------------------------------------------------------------------------------------------------------ */

static void put_linked(uint16_t link_type, const void *data, uint32_t bytes)
{
	put_section(false);
	put_interface(&(struct test_interface){.link_type = link_type, .name = "any"});
	block_begin(6);
	put_32(0);
	put_32(0);
	put_32(0);
	put_32(bytes);
	put_32(bytes);
	put(data, bytes);
	pad();
	block_end();
}

static void test_links(void **state)
{
	/* clang-format off */
	static const struct {
		uint16_t link_type;
		const char *data;
		uint32_t bytes;
		enum link_kind link;
		uint16_t eth_type; /* 0: not known */
		uint32_t header, ifindex;
		int direction;
	} cases[] = {
		{1, "\2\0\0\0\0\1\2\0\0\0\0\2\x08\0\x45", 15, LINK_ETHERNET, ETH_P_TEB, 0, 0, 0},
		{12, "\x45", 1, LINK_RAW_IP, ETH_P_IP, 0, 0, 0},
		{14, "\x60", 1, LINK_RAW_IP, ETH_P_IPV6, 0, 0, 0},
		{101, "\x60", 1, LINK_RAW_IP, ETH_P_IPV6, 0, 0, 0},
		{228, "\x45", 1, LINK_RAW_IP, ETH_P_IP, 0, 0, 0},
		{229, "\x60", 1, LINK_RAW_IP, ETH_P_IPV6, 0, 0, 0},
		{101, "", 0, LINK_RAW_IP, ETH_P_IP, 0, 0, 0},
		/* to us, Ethernet, 6 bytes of address, IPv4 */
		{113, "\0\0" "\0\1" "\0\6" "\2\0\0\0\0\1\0\0" "\x08\0" "\x45",
		 17, LINK_COOKED, ETH_P_IP, 16, 0, LINK_INBOUND},
		{113, "\0\3" "\0\1" "\0\6" "\2\0\0\0\0\1\0\0" "\x86\xdd",
		 16, LINK_COOKED, ETH_P_IPV6, 16, 0, LINK_INBOUND},
		{113, "\0\4" "\0\1" "\0\6" "\2\0\0\0\0\1\0\0" "\x81\0",
		 16, LINK_COOKED, ETH_P_8021Q, 16, 0, LINK_OUTBOUND},
		{113, "\0\5" "\0\1" "\0\6" "\2\0\0\0\0\1\0\0" "\x08\0",
		 16, LINK_COOKED, ETH_P_IP, 16, 0, LINK_DIRECTION_UNKNOWN},
		/* netlink: the protocol is no EtherType */
		{113, "\0\4" "\3\x38" "\0\0" "\0\0\0\0\0\0\0\0" "\x08\0",
		 16, LINK_COOKED, 0, 16, 0, LINK_OUTBOUND},
		{113, "\0\4" "\0\1" "\0\6" "\2\0\0\0\0\1\0\0" "\x08", 15, LINK_COOKED, 0, 0, 0, 0},
		/* IPv4, reserved, interface 258, Ethernet, out, 6 bytes of address */
		{276, "\x08\0" "\0\0" "\0\0\1\2" "\0\1" "\4" "\6" "\2\0\0\0\0\1\0\0",
		 20, LINK_COOKED2, ETH_P_IP, 20, 258, LINK_OUTBOUND},
		{276, "\x86\xdd" "\0\0" "\0\0\0\1" "\3\4" "\0" "\6" "\0\0\0\0\0\0\0\0",
		 20, LINK_COOKED2, ETH_P_IPV6, 20, 1, LINK_INBOUND},
		{276, "\x08\0" "\0\0" "\0\0\1\2" "\0\1" "\4" "\6" "\2\0\0\0\0\1\0",
		 19, LINK_COOKED2, 0, 0, 0, 0},
		{0, "\2\0\0\0", 4, LINK_FAMILY, ETH_P_IP, 4, 0, 0},
		{0, "\0\0\0\2", 4, LINK_FAMILY, ETH_P_IP, 4, 0, 0},
		{0, "\x0a\0\0\0", 4, LINK_FAMILY, ETH_P_IPV6, 4, 0, 0},
		{0, "\0\0\0\x18", 4, LINK_FAMILY, ETH_P_IPV6, 4, 0, 0},
		{108, "\0\0\0\x1c", 4, LINK_FAMILY, ETH_P_IPV6, 4, 0, 0},
		{108, "\0\0\0\x1e", 4, LINK_FAMILY, ETH_P_IPV6, 4, 0, 0},
		{0, "\7\0\0\0", 4, LINK_FAMILY, 0, 4, 0, 0}, /* OSI */
		{0, "\2\0\0", 3, LINK_FAMILY, 0, 0, 0, 0},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct capture *capture;
		struct capture_frame frame;

		print_message("case %zu\n", i);
		out.used = 0;
		put_linked(cases[i].link_type, cases[i].data, cases[i].bytes);
		capture = opened();
		assert_int_equal(capture_next(capture, &frame, &error), 1);
		assert_int_equal(frame.link, cases[i].link);
		assert_int_equal(FROM_BE16(frame.header.eth_type), cases[i].eth_type);
		assert_int_equal(frame.header.bytes, cases[i].header);
		assert_int_equal(frame.header.ifindex, cases[i].ifindex);
		assert_int_equal(frame.direction, cases[i].direction);
		capture_close(capture);
	}
}

/* Named, with what is beside it still to be read. */
static void test_link_that_is_not_read(void **state)
{
	struct capture *capture;
	struct capture_frame frame;

	(void)state;
	put_section(false);
	put_interface(&ethernet);
	put_interface(&(struct test_interface){.link_type = DLT_IEEE802_11, .name = "mon0"});
	put_packet(&(struct test_packet){0, 0, 60, 60, 0});
	put_packet(&(struct test_packet){1, 0, 60, 60, 0});
	put_packet(&(struct test_packet){0, 0, 60, 60, 0});
	capture = opened();
	assert_int_equal(capture_next(capture, &frame, &error), 1);
	assert_int_equal(capture_next(capture, &frame, &error), -EPROTONOSUPPORT);
	assert_int_equal(frame.number, 2);
	assert_int_equal(frame.link, LINK_OTHER);
	assert_non_null(strstr(error.why, "frame 2 of mon0: link type 105 (IEEE802_11) is not"));
	assert_non_null(error.cure);
	assert_int_equal(capture_next(capture, &frame, &error), 1);
	assert_int_equal(frame.number, 3);
	assert_int_equal(capture_next(capture, &frame, &error), 0);
	capture_close(capture);
}

/* Through a cooked header, with a VLAN tag behind it, to the ports. */
static void test_parse_link(void **state)
{
	static const uint8_t data[] =
		"\0\4\0\1\0\6\2\0\0\0\0\1\0\0\x81\0"                      /* cooked: out, Ethernet, 802.1Q */
		"\0\7\x08\0"                                              /* VLAN 7, IPv4 */
		"\x45\0\0\x28\0\0\0\0\x40\6\x63\xcd\x0a\0\1\2\x0a\0\2\2"  /* 10.0.1.2 → 10.0.2.2, TCP */
		"\x9c\x40\0\x50\0\0\3\xe8\0\0\0\0\x50\2\xfa\xf0\0\0\0\0"; /* 40000 → 80 SYN */
	const uint32_t bytes = sizeof(data) - 1;

	(void)state;
	for (uint32_t captured = 0; captured <= bytes; captured++) {
		struct packet packet = {};
		uint8_t *copy = malloc(captured ? captured : 1);

		memcpy(copy, data, captured);
		parse_link(&packet, LINK_COOKED, copy, copy + captured, bytes);
		free(copy);
		assert_int_equal(packet_malformed(&packet), captured < 16   ? MALFORMED_ETH_TRUNCATED
							    : captured < 20 ? MALFORMED_VLAN_TRUNCATED
							    : captured < 40 ? MALFORMED_IP4_TRUNCATED
							    : captured < 60 ? MALFORMED_TCP_TRUNCATED
									    : MALFORMED_NONE);
		if (captured < bytes)
			continue;
		assert_int_equal(packet.vlan_tci[0], 7);
		assert_int_equal(packet.l3_off, 20);
		assert_int_equal(FROM_BE16(packet.dst_port), 80);
	}
}

/* --- pcap ------------------------------------------------------------------------------------------------------- */

static void put_pcap_header(uint32_t magic, bool big_endian, uint32_t link_type)
{
	out.big_endian = big_endian;
	put_32(magic);
	put_16(2);
	put_16(4);
	put_32(0);
	put_32(0);
	put_32(262144);
	put_32(link_type);
}

static void put_pcap_packet(uint32_t seconds, uint32_t fraction, uint32_t captured, uint32_t wire)
{
	put_32(seconds);
	put_32(fraction);
	put_32(captured);
	put_32(wire);
	for (uint32_t i = 0; i < captured; i++)
		put(&(uint8_t){i}, 1);
}

static void test_pcap_dialects(void **state)
{
	static const struct {
		uint32_t magic;
		uint32_t ns;       /* of a unit of the fraction */
		unsigned int more; /* bytes of each packet's header */
	} cases[] = {
		{0xa1b2c3d4, 1000, 0}, {0xa1b23c4d, 1, 0}, {0xa1b2cd34, 1000, 8}, /* Kuznetzov's */
	};

	(void)state;
	for (size_t i = 0; i < 2 * COUNT_OF(cases); i++) {
		const unsigned int more = cases[i / 2].more;
		const uint32_t ns = cases[i / 2].ns;
		struct capture *capture;
		unsigned int count;

		print_message("case %zu\n", i);
		out.used = 0;
		put_pcap_header(cases[i / 2].magic, i & 1, 1);
		for (uint32_t n = 0; n < 2; n++) {
			put_pcap_packet(4000000000u + n, 5 + n, 0, 1514); /* in 2096 */
			set_32(out.used - 8, 60 + n);
			for (unsigned int byte = 0; byte < more; byte++)
				put("", 1);
			for (uint32_t byte = 0; byte < 60 + n; byte++)
				put(&(uint8_t){byte}, 1);
		}
		capture = opened();
		for (uint32_t n = 0; n < 2; n++)
			expect_next(capture,
				    &(struct capture_frame){.number = n + 1,
							    .timed = true,
							    .time_ns = (4000000000u + n) * S + (5 + n) * ns,
							    .captured_bytes = 60 + n,
							    .wire_bytes = 1514});
		if (!more) /* libpcap adds something of its own */
			assert_int_equal(capture_interface(capture, 0)->snap_bytes, 262144);
		assert_int_equal(capture_rewind(capture, &error), 0);
		assert_int_equal(read_to_end(capture, &count), 0);
		assert_int_equal(count, 2);
		assert_int_equal(capture_interface_count(capture), 1);
		capture_close(capture);
	}
}

static void test_damaged_pcap(void **state)
{
	struct capture *capture;
	unsigned int count;

	(void)state;
	put_pcap_header(0xa1b2c3d4, false, 1);
	put_pcap_packet(0, 0, 60, 60);
	put_pcap_packet(0, 0, 60, 60);
	for (size_t bytes = 24 + 76 + 1; bytes < 24 + 2 * 76; bytes++) {
		write_out(bytes);
		assert_int_equal(try_open(&capture, path, false), 0);
		assert_int_equal(read_to_end(capture, &count), -EBADMSG);
		assert_int_equal(count, 1);
		assert_non_null(strstr(error.why, "frame 2: "));
		capture_close(capture);
	}
	for (size_t bytes = 1; bytes < 24; bytes++) {
		write_out(bytes);
		assert_int_equal(try_open(&capture, path, false), -EBADMSG);
	}
	set_32(24 + 76 + 8, 0x7fffffff);
	capture = opened();
	assert_int_equal(read_to_end(capture, &count), -EBADMSG);
	capture_close(capture);
}

static void test_pcap_link_that_is_not_read(void **state)
{
	struct capture *capture;

	(void)state;
	put_pcap_header(0xa1b2c3d4, false, 127);
	write_out(out.used);
	assert_int_equal(try_open(&capture, path, false), -EPROTONOSUPPORT);
	assert_non_null(strstr(error.why, "link type 127 (IEEE802_11_RADIO) is not"));
}

/* --- what is no capture ----------------------------------------------------------------------------------------- */

static void test_other_files(void **state)
{
	static const struct {
		const char *content, *says, *cure;
	} cases[] = {
		{"", "it is empty", "tcpdump -w"},
		{"#!/bin/sh\n", "unknown file format", "tcpdump -w"},
		{"a", "unknown file format", "tcpdump -w"},
		{"\x1f\x8b\x08", "it is compressed (gzip)", "gzip -dc FILE | xdplife ... -"},
		{"\x28\xb5\x2f\xfd", "it is compressed (zstd)", "zstd -dc"},
		{"\xfd\x37zXZ", "it is compressed (xz)", "xz -dc"},
		{"BZh9", "it is compressed (bzip2)", "bzip2 -dc"},
		{"\x04\x22\x4d\x18", "it is compressed (lz4)", "lz4 -dc"},
		{"\xa1\xb2", "truncated", "tcpdump -w"},
		{"\n", "cut short", "editcap"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct capture *capture;

		out.used = 0;
		put(cases[i].content, strlen(cases[i].content));
		write_out(out.used);
		assert_int_equal(try_open(&capture, path, false), -EBADMSG);
		if (!strstr(error.why, cases[i].says) || !strstr(error.cure, cases[i].cure))
			fail_msg("%s; %s", error.why, error.cure);
	}
}

static void test_not_a_file(void **state)
{
	struct capture *capture;

	(void)state;
	assert_int_equal(try_open(&capture, "/nowhere/at.all", false), -ENOENT);
	assert_non_null(strstr(error.why, "No such file"));
	assert_int_equal(try_open(&capture, "/tmp", false), -EBADMSG);
	assert_string_equal(error.why, "it is a directory");
	assert_int_equal(try_open(&capture, "/dev/null", true), -EBADMSG);
	assert_non_null(strstr(error.why, "must be a file"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(try_open(&capture, path, true), -EBADMSG); /* and does not wait for a writer */
}

/* From a pipe, in pieces, in place of standard input. */
static void test_standard_input(void **state)
{
	int before = dup(STDIN_FILENO), pipes[2];

	(void)state;
	for (int kind = 0; kind < 2; kind++) {
		struct capture *capture;
		unsigned int count;

		out.used = 0;
		if (kind) {
			put_section(true);
			put_interface(&ethernet);
			for (int i = 0; i < 20; i++)
				put_packet(&(struct test_packet){0, 0, 1000, 1000, 0});
		} else {
			put_pcap_header(0xa1b2c3d4, true, 1);
			for (int i = 0; i < 20; i++)
				put_pcap_packet(0, 0, 1000, 1000);
		}
		assert_int_equal(pipe(pipes), 0);
		assert_int_equal(write(pipes[1], out.bytes, out.used), out.used); /* a pipe takes 64 KiB */
		close(pipes[1]);
		assert_int_equal(dup2(pipes[0], STDIN_FILENO), STDIN_FILENO);
		close(pipes[0]);
		assert_int_equal(try_open(&capture, "-", false), 0);
		assert_int_equal(read_to_end(capture, &count), 0);
		assert_int_equal(count, 20);
		capture_close(capture);
	}
	dup2(before, STDIN_FILENO);
	close(before);
}

static void on_alarm(int number)
{
	(void)number;
}

/* Ctrl-C must not wait for whoever writes into the pipe. */
static void test_signal_while_waiting(void **state)
{
	const struct itimerval often = {.it_interval = {.tv_usec = 1000}, .it_value = {.tv_usec = 1000}},
			       never = {};
	const struct sigaction action = {.sa_handler = on_alarm};
	int before = dup(STDIN_FILENO), pipes[2];

	(void)state;
	sigaction(SIGALRM, &action, NULL);
	for (int kind = 0; kind < 2; kind++) {
		struct capture *capture;
		struct capture_frame frame;

		out.used = 0;
		if (kind)
			put_section(true);
		else
			put_pcap_header(0xa1b2c3d4, true, 1);
		assert_int_equal(pipe(pipes), 0);
		assert_int_equal(write(pipes[1], out.bytes, out.used), out.used);
		assert_int_equal(dup2(pipes[0], STDIN_FILENO), STDIN_FILENO);
		assert_int_equal(try_open(&capture, "-", false), 0);
		setitimer(ITIMER_REAL, &often, NULL);
		assert_int_equal(capture_next(capture, &frame, &error), -EINTR);
		setitimer(ITIMER_REAL, &never, NULL);
		capture_close(capture);
		close(pipes[0]);
		close(pipes[1]);
	}
	dup2(before, STDIN_FILENO);
	close(before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FILE(test_links),          WITH_FILE(test_link_that_is_not_read),
		WITH_FILE(test_parse_link),     WITH_FILE(test_pcap_dialects),
		WITH_FILE(test_damaged_pcap),   WITH_FILE(test_pcap_link_that_is_not_read),
		WITH_FILE(test_other_files),    WITH_FILE(test_not_a_file),
		WITH_FILE(test_standard_input), WITH_FILE(test_signal_while_waiting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
