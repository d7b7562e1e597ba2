// SPDX-License-Identifier: GPL-2.0-only
/* The flow key: one for both directions of a connection, another for every other connection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>

#include "xdplife/flow.h"

/* A TCP packet: "10.0.0.1" 40000 -> "10.0.0.2" 80 */
static struct packet packet(const char *src, uint16_t src_port, const char *dst, uint16_t dst_port)
{
	int family = strchr(src, ':') ? AF_INET6 : AF_INET;
	struct packet pkt = {
		.ip_version = family == AF_INET6 ? 6 : 4,
		.ip_proto = IPPROTO_TCP,
		.src_port = TO_BE16(src_port),
		.dst_port = TO_BE16(dst_port),
		.flags = PACKET_HAS_L4,
	};

	assert_int_equal(inet_pton(family, src, &pkt.src), 1);
	assert_int_equal(inet_pton(family, dst, &pkt.dst), 1);
	return pkt;
}

/* What a stack holds before: a byte that flow_key_of() forgets would tell two equal keys apart. */
static flow_end key_of(struct flow_key *key, const struct packet *pkt)
{
	memset(key, 0xa5, sizeof(*key));
	return flow_key_of(key, pkt);
}

static struct packet answer(const struct packet *pkt)
{
	struct packet back = *pkt;

	back.src = pkt->dst;
	back.dst = pkt->src;
	back.src_port = pkt->dst_port;
	back.dst_port = pkt->src_port;
	return back;
}

static void expect_same_both_ways(const struct packet *pkt, flow_end sender)
{
	struct packet back = answer(pkt);
	struct flow_key there, here;

	assert_int_equal(key_of(&there, pkt), sender);
	memset(&here, 0x5a, sizeof(here));
	assert_int_equal(flow_key_of(&here, &back), !sender);
	assert_memory_equal(&there, &here, sizeof(there));
}

static void expect_other(const struct packet *a, const struct packet *b)
{
	struct flow_key one, two;

	key_of(&one, a);
	key_of(&two, b);
	assert_memory_not_equal(&one, &two, sizeof(one));
}

static void test_both_directions(void **state)
{
	struct packet up = packet("10.0.1.2", 40000, "10.0.2.2", 80);
	struct packet down = packet("10.0.2.2", 40000, "10.0.1.2", 80);

	(void)state;
	expect_same_both_ways(&up, 0);
	expect_same_both_ways(&down, 1);
}

static void test_order_is_by_value(void **state)
{
	/* as bytes on a little-endian machine 1.0.0.2 would be larger than 2.0.0.1 */
	struct packet pkt = packet("1.0.0.2", 1, "2.0.0.1", 1);
	/* 0x0100 and 0x00ff: the same for ports */
	struct packet ports = packet("10.0.0.1", 255, "10.0.0.1", 256);
	struct flow_key key;

	(void)state;
	assert_int_equal(key_of(&key, &pkt), 0);
	assert_memory_equal(&key.addr[0], &pkt.src, sizeof(key.addr[0]));
	assert_memory_equal(&key.addr[1], &pkt.dst, sizeof(key.addr[1]));
	assert_int_equal(key_of(&key, &ports), 0);
	assert_int_equal(key.port[0], TO_BE16(255));
	assert_int_equal(key.port[1], TO_BE16(256));
}

static void test_ports_follow_their_addresses(void **state)
{
	struct packet pkt = packet("10.0.0.9", 1, "10.0.0.1", 65535);
	struct flow_key key;

	(void)state;
	/* the sender has the larger address: it is end 1, whatever its port */
	assert_int_equal(key_of(&key, &pkt), 1);
	assert_int_equal(key.port[1], TO_BE16(1));
	assert_int_equal(key.port[0], TO_BE16(65535));
}

static void test_equal_addresses(void **state)
{
	/* a machine that speaks to itself: the ports decide */
	struct packet up = packet("127.0.0.1", 40000, "127.0.0.1", 80);
	struct packet same = packet("127.0.0.1", 80, "127.0.0.1", 80);
	struct flow_key key;

	(void)state;
	expect_same_both_ways(&up, 1);
	/* and a connection of a port to itself has one end only */
	assert_int_equal(key_of(&key, &same), 0);
}

static void test_ip6(void **state)
{
	/* they differ in the last word, in the first, and in the middle */
	struct packet last = packet("fd00::1", 40000, "fd00::2", 80);
	struct packet first = packet("fe00::1", 40000, "fd00::2", 80);
	struct packet middle = packet("fd00:0:0:1::", 40000, "fd00:0:1::", 80);

	(void)state;
	expect_same_both_ways(&last, 0);
	expect_same_both_ways(&first, 1);
	expect_same_both_ways(&middle, 0);
}

static void test_ip_version_is_part(void **state)
{
	/* the same bytes as addresses: 10.0.0.1 and a00:1:: */
	struct packet v4 = packet("10.0.0.1", 1, "10.0.0.2", 2);
	struct packet v6 = packet("a00:1::", 1, "a00:2::", 2);

	(void)state;
	assert_memory_equal(&v4.src, &v6.src, sizeof(v4.src));
	expect_other(&v4, &v6);
}

static void test_every_part_tells_apart(void **state)
{
	struct packet pkt = packet("10.0.0.1", 1000, "10.0.0.2", 80);
	struct packet addr = packet("10.0.0.1", 1000, "10.0.0.3", 80);
	struct packet port = packet("10.0.0.1", 1001, "10.0.0.2", 80);
	struct packet crossed = packet("10.0.0.1", 80, "10.0.0.2", 1000);
	struct packet udp = pkt;

	(void)state;
	udp.ip_proto = IPPROTO_UDP;
	expect_other(&pkt, &addr);
	expect_other(&pkt, &port);
	expect_other(&pkt, &crossed);
	expect_other(&pkt, &udp);
}

static void test_vlans_tell_apart(void **state)
{
	struct packet untagged = packet("10.0.0.1", 1000, "10.0.0.2", 80), tagged = untagged, other, stacked;

	(void)state;
	tagged.vlan_count = 1;
	tagged.vlan_tci[0] = 10;
	other = tagged;
	other.vlan_tci[0] = 11;
	stacked = tagged;
	stacked.vlan_count = 3;
	stacked.vlan_tci[1] = 20;
	stacked.vlan_tci[2] = 30;
	expect_other(&untagged, &tagged);
	expect_other(&tagged, &other);
	expect_other(&tagged, &stacked);
	expect_same_both_ways(&stacked, 0);
	other = stacked;
	other.vlan_tci[2] = 31;
	expect_other(&stacked, &other);
}

static void test_vlan_priority_does_not(void **state)
{
	struct packet pkt = packet("10.0.0.1", 1000, "10.0.0.2", 80), urgent;
	struct flow_key one, two;

	(void)state;
	pkt.vlan_count = 1;
	pkt.vlan_tci[0] = 10;
	urgent = pkt;
	urgent.vlan_tci[0] = 7 << 13 | 1 << 12 | 10; /* PCP 7, DEI 1 (IEEE 802.1Q §9.6) */
	key_of(&one, &pkt);
	key_of(&two, &urgent);
	assert_memory_equal(&one, &two, sizeof(one));
}

static void test_other_fields_do_not(void **state)
{
	struct packet pkt = packet("10.0.0.1", 1000, "10.0.0.2", 80), later = pkt;
	struct flow_key one, two;

	(void)state;
	later.ttl = 3;
	later.tcp_seq = 77;
	later.payload_bytes = 1000;
	later.eth_src[5] = 9;
	key_of(&one, &pkt);
	key_of(&two, &later);
	assert_memory_equal(&one, &two, sizeof(one));
}

static void test_steer_key(void **state)
{
	struct packet pkt = packet("fd00::2", 80, "fd00::1", 40000), back = answer(&pkt);
	struct steer_key key, other;

	(void)state;
	memset(&key, 0xa5, sizeof(key));
	steer_key_of(&key, &pkt);
	/* what comes in: its source is the remote end */
	assert_memory_equal(&key.remote, &pkt.src, sizeof(key.remote));
	assert_memory_equal(&key.local, &pkt.dst, sizeof(key.local));
	assert_int_equal(key.remote_port, TO_BE16(80));
	assert_int_equal(key.local_port, TO_BE16(40000));
	assert_int_equal(key.ip_version, 6);
	for (size_t i = 0; i < sizeof(key._pad); i++)
		assert_int_equal(key._pad[i], 0);
	/* one direction only */
	steer_key_of(&other, &back);
	assert_memory_not_equal(&key, &other, sizeof(key));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_directions),
		cmocka_unit_test(test_order_is_by_value),
		cmocka_unit_test(test_ports_follow_their_addresses),
		cmocka_unit_test(test_equal_addresses),
		cmocka_unit_test(test_ip6),
		cmocka_unit_test(test_ip_version_is_part),
		cmocka_unit_test(test_every_part_tells_apart),
		cmocka_unit_test(test_vlans_tell_apart),
		cmocka_unit_test(test_vlan_priority_does_not),
		cmocka_unit_test(test_other_fields_do_not),
		cmocka_unit_test(test_steer_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
