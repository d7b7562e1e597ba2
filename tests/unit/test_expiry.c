// SPDX-License-Identifier: GPL-2.0-only
/* Silence: how long each phase is waited for, and what is told of a connection then, or when the observer stops. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "observer/expiry.h"
#include "util/clock.h"

#define LAST_NS (1000 * NS_PER_S)

struct expiry_case {
	enum tcp_phase phase;
	uint8_t flags;
	uint64_t patience_s;
	uint32_t expired, stopped; /* what is told */
};

static const struct expiry_case cases[] = {
	/* only what never counted was seen */
	{TCP_PHASE_NONE, 0, 10, 0, 0},
	{TCP_PHASE_OPENING, 0, 120, TCP_EVENT_TIMED_OUT, TCP_EVENT_HALF_OPEN},
	/* that was told when the ICMP error came */
	{TCP_PHASE_OPENING, TCP_TRACK_UNREACHABLE, 120, 0, 0},
	{TCP_PHASE_ANSWERED, 0, 60, TCP_EVENT_HALF_OPEN, TCP_EVENT_HALF_OPEN},
	{TCP_PHASE_ESTABLISHED, 0, 5 * 24 * 3600, TCP_EVENT_ABANDONED, TCP_EVENT_STILL_OPEN},
	{TCP_PHASE_CLOSING, 0, 120, TCP_EVENT_ABANDONED, TCP_EVENT_STILL_OPEN},
	/* their end was told */
	{TCP_PHASE_CLOSED, 0, 120, 0, 0},
	{TCP_PHASE_RESET, 0, 10, 0, 0},
};

static struct tcp_track track_of(const struct expiry_case *row)
{
	struct tcp_track track;

	tcp_track_begin(&track, LAST_NS - NS_PER_S);
	track.last_ns = LAST_NS;
	track.phase = row->phase;
	track.flags = row->flags;
	track.client = 1;
	return track;
}

/* 10.0.1.2:80 and 10.0.2.2:40000, VLAN 100 and 5 */
static struct flow_key a_key(void)
{
	struct flow_key key = {.ip_version = 4, .ip_proto = IPPROTO_TCP, .vid = {100, 5}};

	key.addr[0].v4 = TO_BE32(0x0a000102);
	key.addr[1].v4 = TO_BE32(0x0a000202);
	key.port[0] = TO_BE16(80);
	key.port[1] = TO_BE16(40000);
	return key;
}

static void test_patience(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tcp_track track = track_of(&cases[i]);

		assert_int_equal(expiry_ns(&track), LAST_NS + cases[i].patience_s * NS_PER_S);
	}
}

static void test_patience_with_a_damaged_phase(void **state)
{
	struct tcp_track track = {.last_ns = LAST_NS, .phase = 200};

	(void)state;
	assert_int_equal(expiry_ns(&track), LAST_NS + 10 * NS_PER_S);
}

static void expect_told(const struct expiry_case *row, bool stopped, uint32_t events)
{
	struct tcp_track track = track_of(row);
	uint64_t now_ns = LAST_NS + 10 * 24 * 3600 * NS_PER_S;
	struct flow_key key = a_key();
	struct trace_event event;

	memset(&event, 0xff, sizeof(event));
	assert_int_equal(expiry_event(&event, &key, &track, now_ns, stopped), events != 0);
	if (!events)
		return;
	assert_int_equal(event.tcp_events, events);
	assert_int_equal(event.hook, HOOK_NONE);
	/* when it ran out, not when that was noticed */
	assert_int_equal(event.time_ns, stopped ? now_ns : LAST_NS + row->patience_s * NS_PER_S);
	assert_memory_equal(&event.conn, &track, sizeof(track));
	assert_int_equal(event.captured_bytes + event.ifindex + event.egress_ifindex, 0);
}

static void test_what_is_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		expect_told(&cases[i], false, cases[i].expired);
		expect_told(&cases[i], true, cases[i].stopped);
	}
}

/* Its packet goes from the client to the server; if who that is was not seen, from end 0 to end 1. */
static void test_addresses(void **state)
{
	struct expiry_case open = {.phase = TCP_PHASE_ESTABLISHED};
	struct tcp_track track = track_of(&open);
	struct flow_key key = a_key();
	struct trace_event event;

	(void)state;
	assert_true(expiry_event(&event, &key, &track, LAST_NS, true));
	assert_int_equal(event.sender, 1);
	assert_int_equal(event.pkt.src.v4, key.addr[1].v4);
	assert_int_equal(event.pkt.dst.v4, key.addr[0].v4);
	assert_int_equal(event.pkt.src_port, TO_BE16(40000));
	assert_int_equal(event.pkt.dst_port, TO_BE16(80));
	assert_int_equal(event.pkt.ip_version, 4);
	assert_int_equal(event.pkt.ip_proto, IPPROTO_TCP);
	assert_int_equal(event.pkt.vlan_count, 2);
	assert_int_equal(event.pkt.vlan_tci[0], 100);
	assert_int_equal(event.pkt.vlan_tci[1], 5);
	track.client = TCP_END_UNKNOWN;
	assert_true(expiry_event(&event, &key, &track, LAST_NS, true));
	assert_int_equal(event.sender, 0);
	assert_int_equal(event.pkt.src.v4, key.addr[0].v4);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_patience),
		cmocka_unit_test(test_patience_with_a_damaged_phase),
		cmocka_unit_test(test_what_is_told),
		cmocka_unit_test(test_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
