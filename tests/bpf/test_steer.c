// SPDX-License-Identifier: GPL-2.0-only
/*
 * The steer stage: exactly one direction of exactly one connection leaves the stack's sight, nothing else.
 */
#include "fixture.h"

#include "net/xsk.h"

static struct datapath *dp;
static struct xsk *xsk;

/* SYN-ACK of 10.0.1.2:80 to 10.0.1.1:40000, our own address on r0 */
#define SYN_ACK                                                                                              \
	MAC_R0 MAC_C "0800"                                                                                  \
		     "45 00 0028 0001 0000 40 06 0000 0a000102 0a000101"                                     \
		     "0050 9c40 00002328 000003e9 50 12 faf0 0000 0000"

static struct steer_key key_of(const char *remote, __u16 remote_port, const char *local, __u16 local_port)
{
	struct steer_key key = {.ip_version = 4};

	memcpy(&key.remote, frame_of(remote).byte, 4);
	memcpy(&key.local, frame_of(local).byte, 4);
	key.remote_port = TO_BE16(remote_port);
	key.local_port = TO_BE16(local_port);
	return key;
}

static struct frame syn_ack(void)
{
	struct frame frame = frame_of(SYN_ACK);

	fix_ip4_checksum(&frame, 14);
	return frame;
}

static void check(const char *name, const struct frame *in, __u32 action, enum verdict verdict)
{
	struct port_counters before = counters_of(dp, 0), after;
	struct frame out;

	assert_int_equal(run_xdp("r0", in, &out), action);
	after = counters_of(dp, 0);
	assert_counted(name, &before, &after, in->bytes, verdict, MALFORMED_NONE);
	assert_same_frame(name, &out, in);
}

/* Nobody has asked for it: the stack gets it. */
static void unknown_flow_passes(void **state)
{
	struct frame in = syn_ack();

	(void)state;
	check("no flow", &in, XDP_PASS, VERDICT_PASS);
}

/* Asked for, but no socket is there to take it: better the stack than nobody. */
static void without_socket_to_the_stack(void **state)
{
	struct steer_key key = key_of("0a000102", 80, "0a000101", 40000);
	struct frame in = syn_ack();

	(void)state;
	assert_int_equal(datapath_steer(dp, &key), 0);
	check("no socket", &in, XDP_PASS, VERDICT_STEER_NO_SOCKET);
}

static void to_the_socket(void **state)
{
	struct frame in = syn_ack();
	struct iface iface;

	(void)state;
	assert_int_equal(iface_get("r0", &iface), 0);
	assert_int_equal(xsk_open(&xsk, &iface, datapath_xsk_map_fd(dp)), 0);
	check("steered", &in, XDP_REDIRECT, VERDICT_STEER);
}

/* Each part of the key counts: another address, port or protocol is the stack's. */
static void only_this_flow(void **state)
{
	static const struct {
		const char *name;
		int at;
		__u8 to;
	} changes[] = {
		{"remote address", 29, 3}, {"local address", 33, 9}, {"remote port", 35, 81},
		{"local port", 37, 0x41},  {"protocol UDP", 23, 17},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct frame in = syn_ack();

		in.byte[changes[i].at] = changes[i].to;
		if (changes[i].to == 17) { /* a UDP length that fits, where TCP has its sequence number */
			in.byte[38] = 0;
			in.byte[39] = 20;
		}
		fix_ip4_checksum(&in, 14);
		check(changes[i].name, &in, XDP_PASS, VERDICT_PASS);
	}
}

/* The other direction of the same connection is not ours to take: we send it. */
static void not_the_other_direction(void **state)
{
	struct frame in = frame_of(MAC_R0 MAC_C "0800"
						"45 00 0028 0001 0000 40 06 0000 0a000101 0a000102"
						"9c40 0050 00002328 000003e9 50 10 faf0 0000 0000");

	(void)state;
	fix_ip4_checksum(&in, 14);
	check("other direction", &in, XDP_PASS, VERDICT_PASS);
}

/* A later fragment has no ports; whatever bytes stand there are not taken for them. */
static void not_a_later_fragment(void **state)
{
	struct frame in = syn_ack();

	(void)state;
	in.byte[21] = 1;
	fix_ip4_checksum(&in, 14);
	check("fragment", &in, XDP_PASS, VERDICT_PASS);
}

static int set_up(void **state)
{
	struct datapath_options options = {.steer = true};

	(void)state;
	return router_up() || datapath_open(&dp, &options) || datapath_add_ports(dp, router_ports);
}

static int tear_down(void **state)
{
	(void)state;
	xsk_close(xsk);
	datapath_close(dp);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_flow_passes),     cmocka_unit_test(without_socket_to_the_stack),
		cmocka_unit_test(to_the_socket),           cmocka_unit_test(only_this_flow),
		cmocka_unit_test(not_the_other_direction), cmocka_unit_test(not_a_later_fragment),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
