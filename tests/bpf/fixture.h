/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A router in a network namespace of the test's own, and frames run through its XDP program by BPF_PROG_TEST_RUN.
 *
 *    p0 ---- r0 (router) r1 ---- p1          r2 ---- p2: routed to, but no port of ours
 *      10.0.1.0/24        10.0.2.0/24           10.0.3.0/24
 *      fd00:1::/64        fd00:2::/64
 *
 * Neighbours are permanent, so that every frame has one right answer. Nothing is ever sent.
 */
#ifndef XDPLIFE_TESTS_FIXTURE_H
#define XDPLIFE_TESTS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "datapath/datapath.h"
#include "util/names.h"

#define MAC_R0 "020000000001" /* the router's own */
#define MAC_R1 "020000000002"
#define MAC_C  "0200000000c0" /* the client behind p0, the server behind p1 */
#define MAC_S  "0200000000e0"

#define FRAME_MAX 4096

struct frame {
	__u8 byte[FRAME_MAX];
	__u32 bytes;
};

static char *const router_ports[] = {"r0", "r1", NULL};

static const char *const router_setup =
	"ip link set lo up\n"
	"for i in 0 1 2; do\n"
	"  ip link add r$i type veth peer name p$i\n"
	"  ip link set r$i address 02:00:00:00:00:0$((i + 1))\n"
	"  ip address add 10.0.$((i + 1)).1/24 dev r$i\n"
	"  ip address add fd00:$((i + 1))::1/64 dev r$i nodad\n"
	"  ethtool -K p$i gro on\n"
	"  echo 1 >/proc/sys/net/ipv6/conf/p$i/disable_ipv6\n" /* or it would send solicitations of its own */
	"  ip link set r$i up; ip link set p$i up\n"
	"done\n"
	"ip link set r1 mtu 1280\n"
	"ip neighbour add 10.0.1.2 lladdr 02:00:00:00:00:c0 dev r0 nud permanent\n"
	"ip neighbour add 10.0.2.2 lladdr 02:00:00:00:00:e0 dev r1 nud permanent\n"
	"ip neighbour add 10.0.3.2 lladdr 02:00:00:00:00:f0 dev r2 nud permanent\n"
	"ip neighbour add fd00:2::2 lladdr 02:00:00:00:00:e0 dev r1 nud permanent\n"
	"ip route add 10.9.0.0/16 via 10.0.2.2\n"
	"ip route add blackhole 10.8.1.0/24\n"
	"ip route add unreachable 10.8.2.0/24\n"
	"ip route add prohibit 10.8.3.0/24\n"
	"ip -6 route add blackhole fd00:8::/64\n";

static inline int router_up(void)
{
	char path[] = "/tmp/xdplife-test-XXXXXX", command[64];
	int fd = mkstemp(path), status;

	if (fd < 0 || unshare(CLONE_NEWNET))
		return -1;
	dprintf(fd, "set -e\n%s", router_setup);
	close(fd);
	snprintf(command, sizeof(command), "sh %s", path);
	status = system(command);
	unlink(path);
	return status ? -1 : 0;
}

/* The bytes that @hex spells; white space is for the reader. */
static inline struct frame frame_of(const char *hex)
{
	struct frame frame = {.bytes = 0};

	for (; *hex; hex++) {
		char digits[3] = {hex[0], hex[1], 0};

		if (isspace((unsigned char)*hex))
			continue;
		frame.byte[frame.bytes++] = (__u8)strtoul(digits, NULL, 16);
		hex++;
	}
	return frame;
}

/* RFC 1071, written apart from the engine's, which it checks. */
static inline void fix_ip4_checksum(struct frame *frame, __u32 at)
{
	__u32 sum = 0, header_bytes = (frame->byte[at] & 15) * 4;

	frame->byte[at + 10] = frame->byte[at + 11] = 0;
	for (__u32 i = 0; i < header_bytes; i += 2)
		sum += frame->byte[at + i] << 8 | frame->byte[at + i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	frame->byte[at + 10] = (__u8)(~sum >> 8);
	frame->byte[at + 11] = (__u8)~sum;
}

static inline int xdp_program_of(const char *ifname)
{
	__u32 id = 0;

	assert_int_equal(bpf_xdp_query_id((int)if_nametoindex(ifname), 0, &id), 0);
	return bpf_prog_get_fd_by_id(id);
}

/* One frame through the XDP program of @ifname. Return: the program's action; *out is the frame afterwards. */
static inline __u32 run_xdp(const char *ifname, const struct frame *in, struct frame *out)
{
	struct xdp_md context = {.data_end = in->bytes, .ingress_ifindex = if_nametoindex(ifname)};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = in->byte, .data_size_in = in->bytes,
		    .data_out = out->byte, .data_size_out = sizeof(out->byte), .ctx_in = &context,
		    .ctx_size_in = sizeof(context), .repeat = 1);
	int program = xdp_program_of(ifname), err = bpf_prog_test_run_opts(program, &options);

	close(program);
	assert_int_equal(err, 0);
	out->bytes = options.data_size_out;
	return options.retval;
}

static inline void print_frame(const char *label, const struct frame *frame)
{
	print_error("%s", label);
	for (__u32 i = 0; i < frame->bytes; i++)
		print_error(" %02x", frame->byte[i]);
	print_error("\n");
}

static inline void assert_same_frame(const char *name, const struct frame *is, const struct frame *should)
{
	if (is->bytes == should->bytes && !memcmp(is->byte, should->byte, is->bytes))
		return;
	print_frame("is    ", is);
	print_frame("should", should);
	fail_msg("%s: the frame is not what it should be", name);
}

static inline struct port_counters counters_of(const struct datapath *dp, int port)
{
	struct port_counters counters;

	assert_int_equal(datapath_counters(dp, port, &counters), 0);
	return counters;
}

/* Exactly this verdict and this malformed reason were counted for one frame of so many bytes, and nothing else. */
static inline void assert_counted(const char *name, const struct port_counters *before,
				  const struct port_counters *after, __u32 bytes, enum verdict verdict,
				  enum malformed malformed)
{
	struct port_counters should = *before;

	should.seen++;
	should.seen_bytes += bytes;
	should.verdict[verdict]++;
	should.malformed[malformed]++;
	/* What the observer counts has tests of its own. */
	memcpy(should.observed, after->observed, sizeof(should.observed));
	memcpy(should.tcp_event, after->tcp_event, sizeof(should.tcp_event));
	should.connections = after->connections;
	memcpy(should.event, after->event, sizeof(should.event));
	should.opened = after->opened;
	should.evicted = after->evicted;
	if (!memcmp(&should, after, sizeof(should)))
		return;
	for (int i = 0; i < VERDICT_COUNT; i++)
		if (after->verdict[i] != before->verdict[i])
			print_error("%s: counted as %s, should be %s\n", name, verdict_key(i),
				    verdict_key(verdict));
	for (int i = 0; i < MALFORMED_COUNT; i++)
		if (after->malformed[i] != before->malformed[i])
			print_error("%s: malformed %s, should be %s\n", name, malformed_key(i),
				    malformed_key(malformed));
	fail_msg("%s: the counters are not what they should be", name);
}

#endif
