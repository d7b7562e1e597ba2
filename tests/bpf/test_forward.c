// SPDX-License-Identifier: GPL-2.0-only
/*
 * The forward stage, frame by frame: bytes in, verdict, every byte out, every counter.
 */
#include "fixture.h"

#include <sched.h>

#define NO_CHANGE (-1)

static struct datapath *dp;

/* 10.0.1.2 > 10.0.2.2, UDP 1234 > 5678 without payload, TTL 64, header checksum 63cd */
#define IP4_UDP                                                                                              \
	MAC_R0 MAC_C "0800"                                                                                  \
		     "45 00 001c 0001 0000 40 11 63cd 0a000102 0a000202"                                     \
		     "04d2 162e 0008 0000"

/* the same behind the router: MACs of r1 and the server, TTL 63, checksum 64cd, nothing else */
#define IP4_UDP_OUT                                                                                          \
	MAC_S MAC_R1 "0800"                                                                                  \
		     "45 00 001c 0001 0000 3f 11 64cd 0a000102 0a000202"                                     \
		     "04d2 162e 0008 0000"

/* fd00:1::2 > fd00:2::2, UDP without payload, hop limit 64 */
#define IP6_UDP                                                                                              \
	MAC_R0 MAC_C "86dd"                                                                                  \
		     "60000000 0008 11 40 fd000001000000000000000000000002 fd000002000000000000000000000002" \
		     "04d2 162e 0008 0000"

#define IP6_UDP_OUT                                                                                          \
	MAC_S MAC_R1 "86dd"                                                                                  \
		     "60000000 0008 11 3f fd000001000000000000000000000002 fd000002000000000000000000000002" \
		     "04d2 162e 0008 0000"

/* hop-by-hop options (PadN) in front of UDP */
#define IP6_HOP_BY_HOP                                                                                       \
	MAC_R0 MAC_C "86dd"                                                                                  \
		     "60000000 0010 00 40 fd000001000000000000000000000002 fd000002000000000000000000000002" \
		     "11 00 01 04 00000000"                                                                  \
		     "04d2 162e 0008 0000"

#define ARP_REQUEST                                                                                          \
	"ffffffffffff" MAC_C "0806"                                                                          \
	"0001 0800 06 04 0001" MAC_C "0a000102 000000000000 0a000101"

/* one option: no operation, four times */
#define IP4_OPTIONS                                                                                          \
	MAC_R0 MAC_C "0800"                                                                                  \
		     "46 00 0020 0001 0000 40 11 0000 0a000102 0a000202 01010101"                            \
		     "04d2 162e 0008 0000"

struct row {
	const char *name;
	const char *in;
	int at; /* this byte of it is changed; NO_CHANGE: none */
	__u8 to;
	int fix; /* and then the IPv4 header checksum is made right again */
	enum verdict verdict;
	enum malformed malformed;
	const char *out; /* NULL: as it came */
};

/* Offsets in an untagged frame. */
enum {
	ETH_DST_LAST = 5,
	IP4_FIRST = 14,
	IP4_TOS = 15,
	IP4_LENGTH_LOW = 17,
	IP4_FRAG_LOW = 21,
	UDP_LENGTH_LOW = 39,
	IP4_TTL = 22,
	IP4_CHECK_LOW = 25,
	IP4_SRC_FIRST = 26,
	IP4_DST_FIRST = 30,
	IP4_DST_2ND = 31,
	IP4_DST_3RD = 32,
	IP4_DST_LAST = 33,
	IP6_FIRST = 14,
	IP6_LENGTH_LOW = 19,
	IP6_HOP_LIMIT = 21,
	IP6_SRC_FIRST = 22,
	IP6_DST_FIRST = 38,
	IP6_DST_2ND = 39,
	IP6_DST_4TH = 41,
	IP6_DST_LAST = 53,
};

#define OK MALFORMED_NONE

static const struct row rows[] = {
	{"IPv4", IP4_UDP, NO_CHANGE, 0, 0, VERDICT_FORWARD, OK, IP4_UDP_OUT},
	{"IPv6", IP6_UDP, NO_CHANGE, 0, 0, VERDICT_FORWARD, OK, IP6_UDP_OUT},
	{"ARP", ARP_REQUEST, NO_CHANGE, 0, 0, VERDICT_PASS_NOT_IP, OK, NULL},
	{"not our MAC", IP4_UDP, ETH_DST_LAST, 0x77, 0, VERDICT_PASS_NOT_OUR_MAC, OK, NULL},

	{"TTL 2", IP4_UDP, IP4_TTL, 2, 1, VERDICT_FORWARD, OK,
	 MAC_S MAC_R1 "0800 45 00 001c 0001 0000 01 11 a2cd 0a000102 0a000202 04d2 162e 0008 0000"},
	{"TTL 1", IP4_UDP, IP4_TTL, 1, 1, VERDICT_PASS_TTL, OK, NULL},
	{"TTL 0", IP4_UDP, IP4_TTL, 0, 1, VERDICT_PASS_TTL, OK, NULL},
	{"hop limit 2", IP6_UDP, IP6_HOP_LIMIT, 2, 0, VERDICT_FORWARD, OK,
	 MAC_S MAC_R1 "86dd"
		      "60000000 0008 11 01 fd000001000000000000000000000002 fd000002000000000000000000000002"
		      "04d2 162e 0008 0000"},
	{"hop limit 1", IP6_UDP, IP6_HOP_LIMIT, 1, 0, VERDICT_PASS_TTL, OK, NULL},
	{"hop limit 0", IP6_UDP, IP6_HOP_LIMIT, 0, 0, VERDICT_PASS_TTL, OK, NULL},

	{"ECN and DSCP kept", IP4_UDP, IP4_TOS, 0xbb, 1, VERDICT_FORWARD, OK,
	 MAC_S MAC_R1 "0800 45 bb 001c 0001 0000 3f 11 6412 0a000102 0a000202 04d2 162e 0008 0000"},
	{"a later fragment", IP4_UDP, IP4_FRAG_LOW, 1, 1, VERDICT_FORWARD, OK,
	 MAC_S MAC_R1 "0800 45 00 001c 0001 0001 3f 11 64cc 0a000102 0a000202 04d2 162e 0008 0000"},
	{"UDP length below its header", IP4_UDP, UDP_LENGTH_LOW, 7, 0, VERDICT_FORWARD, MALFORMED_UDP_LENGTH,
	 MAC_S MAC_R1 "0800 45 00 001c 0001 0000 3f 11 64cd 0a000102 0a000202 04d2 162e 0007 0000"},
	{"IPv4 options", IP4_OPTIONS, NO_CHANGE, 0, 1, VERDICT_PASS_OPTIONS, OK, NULL},
	{"hop-by-hop header", IP6_HOP_BY_HOP, NO_CHANGE, 0, 0, VERDICT_PASS_OPTIONS, OK, NULL},

	{"version 5", IP4_UDP, IP4_FIRST, 0x55, 1, VERDICT_PASS_MALFORMED, MALFORMED_IP4_VERSION, NULL},
	{"IHL 4", IP4_UDP, IP4_FIRST, 0x44, 0, VERDICT_PASS_MALFORMED, MALFORMED_IP4_IHL, NULL},
	{"IHL beyond the frame", IP4_UDP, IP4_FIRST, 0x4f, 0, VERDICT_PASS_MALFORMED, MALFORMED_IP4_TRUNCATED,
	 NULL},
	{"header checksum wrong", IP4_UDP, IP4_CHECK_LOW, 0xcc, 0, VERDICT_PASS_MALFORMED,
	 MALFORMED_IP4_CHECKSUM, NULL},
	{"total length below the header", IP4_UDP, IP4_LENGTH_LOW, 19, 1, VERDICT_PASS_MALFORMED,
	 MALFORMED_IP4_LENGTH_SHORT, NULL},
	{"total length beyond the frame", IP4_UDP, IP4_LENGTH_LOW, 29, 1, VERDICT_PASS_MALFORMED,
	 MALFORMED_IP4_LENGTH_LONG, NULL},
	{"IPv6 version 7", IP6_UDP, IP6_FIRST, 0x70, 0, VERDICT_PASS_MALFORMED, MALFORMED_IP6_VERSION, NULL},
	{"IPv6 length beyond the frame", IP6_UDP, IP6_LENGTH_LOW, 9, 0, VERDICT_PASS_MALFORMED,
	 MALFORMED_IP6_LENGTH_LONG, NULL},

	{"from 0.0.1.2", IP4_UDP, IP4_SRC_FIRST, 0, 1, VERDICT_PASS_ADDRESS, OK, NULL},
	{"from 127.0.1.2", IP4_UDP, IP4_SRC_FIRST, 127, 1, VERDICT_PASS_ADDRESS, OK, NULL},
	{"from 224.0.1.2", IP4_UDP, IP4_SRC_FIRST, 224, 1, VERDICT_PASS_ADDRESS, OK, NULL},
	{"from 255.0.1.2", IP4_UDP, IP4_SRC_FIRST, 255, 1, VERDICT_PASS_ADDRESS, OK, NULL},
	{"to 0.0.2.2", IP4_UDP, IP4_DST_FIRST, 0, 1, VERDICT_PASS_ADDRESS, OK, NULL},
	{"to 127.0.2.2", IP4_UDP, IP4_DST_FIRST, 127, 1, VERDICT_PASS_ADDRESS, OK, NULL},
	{"to 224.0.2.2", IP4_UDP, IP4_DST_FIRST, 224, 1, VERDICT_PASS_ADDRESS, OK, NULL},
	{"to 240.0.2.2", IP4_UDP, IP4_DST_FIRST, 240, 1, VERDICT_PASS_ADDRESS, OK, NULL},
	{"from fe00: (no special range)", IP6_UDP, IP6_SRC_FIRST, 0xfe, 0, VERDICT_FORWARD, OK,
	 MAC_S MAC_R1 "86dd"
		      "60000000 0008 11 3f fe000001000000000000000000000002 fd000002000000000000000000000002"
		      "04d2 162e 0008 0000"},
	{"from ff00:", IP6_UDP, IP6_SRC_FIRST, 0xff, 0, VERDICT_PASS_ADDRESS, OK, NULL},
	{"to ff00:", IP6_UDP, IP6_DST_FIRST, 0xff, 0, VERDICT_PASS_ADDRESS, OK, NULL},

	{"to the router", IP4_UDP, IP4_DST_LAST, 1, 1, VERDICT_PASS_LOCAL, OK, NULL},
	{"to the other subnet's broadcast", IP4_UDP, IP4_DST_LAST, 255, 1, VERDICT_PASS_LOCAL, OK, NULL},
	{"to a neighbour nobody knows", IP4_UDP, IP4_DST_LAST, 77, 1, VERDICT_PASS_NO_NEIGH, OK, NULL},
	{"through a gateway", IP4_UDP, IP4_DST_2ND, 9, 1, VERDICT_FORWARD, OK,
	 MAC_S MAC_R1 "0800 45 00 001c 0001 0000 3f 11 64c4 0a000102 0a090202 04d2 162e 0008 0000"},
	{"no route", IP4_UDP, IP4_DST_FIRST, 11, 1, VERDICT_PASS_LOCAL, OK, NULL},
	{"by an interface that is no port", IP4_UDP, IP4_DST_3RD, 3, 1, VERDICT_PASS_NOT_A_PORT, OK, NULL},
	{"IPv6 to the router", IP6_UDP, IP6_DST_LAST, 1, 0, VERDICT_PASS_LOCAL, OK, NULL},
	{"IPv6 to a neighbour nobody knows", IP6_UDP, IP6_DST_LAST, 0x77, 0, VERDICT_PASS_NO_NEIGH, OK, NULL},
	{"IPv6 blackhole", IP6_UDP, IP6_DST_4TH, 8, 0, VERDICT_DROP_BLACKHOLE, OK, NULL},
};

static __u32 action_of(enum verdict verdict)
{
	switch (verdict_class(verdict)) {
	case CLASS_FORWARDED:
	case CLASS_STEERED:
		return XDP_REDIRECT;
	case CLASS_DROPPED:
		return XDP_DROP;
	default:
		return XDP_PASS;
	}
}

static void check_once(const char *name, const struct frame *in, const struct frame *should,
		       enum verdict verdict, enum malformed malformed)
{
	struct port_counters before = counters_of(dp, 0), after, other = counters_of(dp, 1), other_after;
	struct frame out;
	__u32 action = run_xdp("r0", in, &out);

	after = counters_of(dp, 0);
	other_after = counters_of(dp, 1);
	assert_counted(name, &before, &after, in->bytes, verdict, malformed);
	assert_memory_equal(&other, &other_after, sizeof(other));
	if (action != action_of(verdict))
		fail_msg("%s: the action is %u, should be %u", name, action, action_of(verdict));
	assert_same_frame(name, &out, should);
}

/* The answer about its route is asked for; then it is kept, and a plain frame takes the short way (bpf/plain.h). */
static void check_frame(const char *name, const struct frame *in, const struct frame *should,
			enum verdict verdict, enum malformed malformed)
{
	check_once(name, in, should, verdict, malformed);
	check_once(name, in, should, verdict, malformed);
}

static void check_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct frame in = frame_of(row->in), should;

		if (row->at != NO_CHANGE)
			in.byte[row->at] = row->to;
		if (row->fix)
			fix_ip4_checksum(&in, 14);
		should = row->out ? frame_of(row->out) : in;
		check_frame(row->name, &in, &should, row->verdict, row->malformed);
	}
}

/* 10.8.1.2 blackhole, 10.8.2.2 unreachable, 10.8.3.2 prohibit */
static void routes_that_forbid(void **state)
{
	static const enum verdict verdicts[] = {VERDICT_DROP_BLACKHOLE, VERDICT_PASS_UNREACHABLE,
						VERDICT_PASS_UNREACHABLE};
	struct frame in = frame_of(IP4_UDP);

	(void)state;
	in.byte[IP4_DST_2ND] = 8;
	for (int i = 0; i < 3; i++) {
		in.byte[IP4_DST_3RD] = i + 1;
		fix_ip4_checksum(&in, 14);
		check_frame("a route that forbids", &in, &in, verdicts[i], OK);
	}
}

/* A tag in front of the IPv4 header: 802.1Q, VID 7. The stack routes it. */
static void vlan_is_for_the_stack(void **state)
{
	struct frame in = frame_of(MAC_R0 MAC_C "8100 0007 0800"
						"45 00 001c 0001 0000 40 11 63cd 0a000102 0a000202"
						"04d2 162e 0008 0000");

	(void)state;
	check_frame("tagged", &in, &in, VERDICT_PASS_VLAN, OK);
}

/* Ethernet pads to 60 bytes; Linux forwards the packet without the padding. */
static void padding_is_cut(void **state)
{
	struct frame in = frame_of(IP4_UDP), should = frame_of(IP4_UDP_OUT);

	(void)state;
	memset(in.byte + in.bytes, 0xaa, 60 - in.bytes);
	in.bytes = 60;
	check_frame("padded", &in, &should, VERDICT_FORWARD, OK);
}

/* r1 has an MTU of 1280: a packet of 1280 bytes fits, one byte more is for the stack, which says too big. */
static void mtu_of_the_egress(void **state)
{
	struct frame in = frame_of(IP4_UDP), should = frame_of(IP4_UDP_OUT);

	(void)state;
	for (__u32 bytes = 1280; bytes <= 1281; bytes++) {
		bool fits = bytes == 1280;

		in.bytes = should.bytes = 14 + bytes;
		in.byte[IP4_LENGTH_LOW - 1] = should.byte[IP4_LENGTH_LOW - 1] = bytes >> 8;
		in.byte[IP4_LENGTH_LOW] = should.byte[IP4_LENGTH_LOW] = (__u8)bytes;
		in.byte[38] = should.byte[38] = (bytes - 20) >> 8; /* the UDP length */
		in.byte[39] = should.byte[39] = (__u8)(bytes - 20);
		fix_ip4_checksum(&in, 14);
		fix_ip4_checksum(&should, 14);
		check_frame("MTU", &in, fits ? &should : &in,
			    fits ? VERDICT_FORWARD : VERDICT_PASS_FRAG_NEEDED, OK);
	}
}

/* Unspecified, loopback, link-local and multicast addresses of IPv6 are not routed, on either side. */
static void ip6_addresses(void **state)
{
	static const char *const never[] = {
		"00000000000000000000000000000000", /* :: */
		"00000000000000000000000000000001", /* ::1 */
		"fe800000000000000000000000000002", /* fe80::2 */
		"febf0000000000000000000000000002", /* the end of fe80::/10 */
		"ff020000000000000000000000000001", /* ff02::1 */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		struct frame addr = frame_of(never[i]);

		for (int at = IP6_SRC_FIRST; at <= IP6_DST_FIRST; at += 16) {
			struct frame in = frame_of(IP6_UDP);

			memcpy(in.byte + at, addr.byte, 16);
			check_frame(never[i], &in, &in, VERDICT_PASS_ADDRESS, OK);
		}
	}
}

/* Every prefix of a good frame: never forwarded, always in the ledger. */
static void truncated_everywhere(void **state)
{
	struct frame in = frame_of(IP4_UDP);

	(void)state;
	for (in.bytes = 14; in.bytes < 42; in.bytes++)
		check_frame("truncated", &in, &in, VERDICT_PASS_MALFORMED,
			    in.bytes < 34 ? MALFORMED_IP4_TRUNCATED : MALFORMED_IP4_LENGTH_LONG);
}

static int set_up(void **state)
{
	struct datapath_options options = {.forward = true};
	cpu_set_t here;

	(void)state;
	CPU_ZERO(&here);
	CPU_SET(sched_getcpu(), &here);
	if (sched_setaffinity(0, sizeof(here), &here) || router_up()) /* each CPU keeps answers of its own */
		return -1;
	return datapath_open(&dp, &options) || datapath_add_ports(dp, router_ports);
}

static int tear_down(void **state)
{
	(void)state;
	datapath_close(dp);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(check_rows),
		cmocka_unit_test(routes_that_forbid),
		cmocka_unit_test(vlan_is_for_the_stack),
		cmocka_unit_test(padding_is_cut),
		cmocka_unit_test(mtu_of_the_egress),
		cmocka_unit_test(ip6_addresses),
		cmocka_unit_test(truncated_everywhere),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
