// SPDX-License-Identifier: GPL-2.0-only
/* Checksums against the examples of their RFCs, and the router's edit against recomputation and against
 * Linux. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "frame.h"
#include "xdplife/rewrite.h"

/* RFC 1071 §3: 00 01 f2 03 f4 f5 f6 f7 sum up to ddf2 in network order. */
static void test_rfc1071_example(void **state)
{
	static const uint8_t bytes[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

	(void)state;
	assert_int_equal(FROM_BE16(checksum_fold(checksum_bytes(bytes, 8, 0))), 0xddf2);
	assert_int_equal(FROM_BE16(checksum_fold(checksum_words(bytes, 2, 0))), 0xddf2);
}

/* RFC 1071 §4.1: an odd last byte counts as the high half of a word. */
static void test_odd_length(void **state)
{
	static const uint8_t odd[] = {0x00, 0x01, 0xf2}, even[] = {0x00, 0x01, 0xf2, 0x00};

	(void)state;
	assert_int_equal(checksum_fold(checksum_bytes(odd, 3, 0)), checksum_fold(checksum_bytes(even, 4, 0)));
	assert_int_equal(checksum_fold(checksum_bytes(odd, 0, 0)), 0);
}

/* A sum with carries in every place. */
static void test_fold_carries(void **state)
{
	(void)state;
	assert_int_equal(checksum_fold(0), 0);
	assert_int_equal(checksum_fold(0xffff), 0xffff);
	assert_int_equal(checksum_fold(0x10000), 1);
	assert_int_equal(checksum_fold(0xffffffffffffffffULL), 0xffff);
	assert_int_equal(checksum_fold(0x0001000100010001ULL), 4);
}

/* RFC 1624 §4: header with checksum dd2f, a field goes from 5555 to 3285: the checksum becomes 0000, not
 * ffff. */
static void test_rfc1624_example(void **state)
{
	(void)state;
	assert_int_equal(checksum_replace16(0xdd2f, 0x5555, 0x3285), 0x0000);
}

/* The sample packet: 172.16.0.9 → 172.16.0.1, TCP of 24 bytes with checksum f946. */
static void test_pseudo_header4(void **state)
{
	struct frame tcp;
	union ip_addr src = {.byte = {172, 16, 0, 9}}, dst = {.byte = {172, 16, 0, 1}};

	(void)state;
	frame_hex(&tcp, "0447 0017 60c6df90 00000000 6002 0200 f946 0000 020405b4");
	assert_int_equal(checksum_fold(checksum_bytes(
				 tcp.byte, 24, checksum_pseudo_header(4, &src, &dst, IPPROTO_TCP, 24))),
			 0xffff);
	assert_int_not_equal(checksum_fold(checksum_bytes(
				     tcp.byte, 24, checksum_pseudo_header(4, &src, &dst, IPPROTO_UDP, 24))),
			     0xffff);
}

/* ICMPv6 echo request fd00:1::2 → fd00:2::2, identifier 1, sequence 1: the checksum 85b2, summed up by hand.
 */
static void test_pseudo_header6(void **state)
{
	struct frame echo;
	union ip_addr src = {.byte = {0xfd, 0, 0, 1, [15] = 2}}, dst = {.byte = {0xfd, 0, 0, 2, [15] = 2}};

	(void)state;
	/* fd00+0001+0002 + fd00+0002+0002 + 0008 (length) + 003a (ICMPv6) + 8000 + 0001 + 0001 = 27a4b → 7a4d
	 * → ~85b2 */
	frame_hex(&echo, "8000 85b2 0001 0001");
	assert_int_equal(checksum_fold(checksum_bytes(
				 echo.byte, 8, checksum_pseudo_header(6, &src, &dst, NEXTHDR_ICMPV6, 8))),
			 0xffff);
}

/* Linux's ip_decrease_ttl(), include/net/ip.h: what it does to the checksum, in words. */
static uint16_t linux_decreased(uint16_t check)
{
	uint32_t sum = check;

	sum += TO_BE16(0x0100);
	return (uint16_t)(sum + (sum >= 0xffff));
}

static const uint8_t ttls[] = {1, 2, 32, 64, 128, 255};

static void test_ttl_equals_linux_for_every_checksum(void **state)
{
	(void)state;
	for (uint32_t check = 0; check <= 0xffff; check++) {
		for (size_t i = 0; i < sizeof(ttls); i++) {
			struct iphdr ip = {
				.version = 4, .ihl = 5, .ttl = ttls[i], .protocol = 6, .check = check};

			rewrite_ip4_ttl(&ip);
			assert_int_equal(ip.ttl, ttls[i] - 1);
			assert_int_equal(ip.check, linux_decreased(check));
		}
	}
}

/* Each identification gives another checksum: all that can be right are met. */
static void test_ttl_equals_recomputation(void **state)
{
	(void)state;
	for (uint32_t id = 0; id <= 0xffff; id++) {
		for (size_t i = 0; i < sizeof(ttls); i++) {
			struct iphdr ip = {.version = 4,
					   .ihl = 5,
					   .tot_len = TO_BE16(40),
					   .id = id,
					   .ttl = ttls[i],
					   .protocol = 6,
					   .saddr = TO_BE32(0x0a000102),
					   .daddr = TO_BE32(0x0a000202)};
			uint16_t rewritten;

			ip.check = ~checksum_fold(checksum_bytes(&ip, sizeof(ip), 0));
			rewrite_ip4_ttl(&ip);
			rewritten = ip.check;
			ip.check = 0;
			assert_int_equal(rewritten,
					 (uint16_t)~checksum_fold(checksum_bytes(&ip, sizeof(ip), 0)));
		}
	}
}

static void test_rewrite_macs_and_hop_limit(void **state)
{
	struct eth_header eth = {
		.h_dest = {1, 1, 1, 1, 1, 1}, .h_source = {2, 2, 2, 2, 2, 2}, .h_proto = TO_BE16(ETH_P_IPV6)};
	struct ipv6hdr ip = {.hop_limit = 64};

	(void)state;
	rewrite_macs(&eth, &(struct mac_pair){{10, 10, 10, 10, 10, 10}, {11, 11, 11, 11, 11, 11}});
	rewrite_ip6_hop_limit(&ip);
	assert_memory_equal(&eth, "\x0a\x0a\x0a\x0a\x0a\x0a\x0b\x0b\x0b\x0b\x0b\x0b\x86\xdd", 14);
	assert_int_equal(ip.hop_limit, 63);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc1071_example),
		cmocka_unit_test(test_odd_length),
		cmocka_unit_test(test_fold_carries),
		cmocka_unit_test(test_rfc1624_example),
		cmocka_unit_test(test_pseudo_header4),
		cmocka_unit_test(test_pseudo_header6),
		cmocka_unit_test(test_ttl_equals_linux_for_every_checksum),
		cmocka_unit_test(test_ttl_equals_recomputation),
		cmocka_unit_test(test_rewrite_macs_and_hop_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
