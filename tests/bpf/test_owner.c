// SPDX-License-Identifier: GPL-2.0-only
/* The owner of each end of connections that this process makes on the loopback of a network namespace of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "datapath/owner.h"
#include "datapath/preflight.h"
#include "util/clock.h"

#define NAME "owner \033[31m" /* 11 bytes, and not only letters */

/* Both ends of a connection, and the key by which packets know it. */
struct pair {
	int client, server;
	struct flow_key key;
	flow_end client_end;
	__u64 first_ns;
};

static int listener_new(int family, struct sockaddr_storage *address, socklen_t *bytes)
{
	struct sockaddr_in6 any6 = {.sin6_family = AF_INET6};
	struct sockaddr_in any4 = {.sin_family = AF_INET};
	int fd = socket(family, SOCK_STREAM, 0);

	*bytes = sizeof(*address);
	assert_true(fd >= 0);
	if (family == AF_INET)
		assert_int_equal(bind(fd, (struct sockaddr *)&any4, sizeof(any4)), 0);
	else
		assert_int_equal(bind(fd, (struct sockaddr *)&any6, sizeof(any6)), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)address, bytes), 0);
	return fd;
}

/* What a packet from @fd to its peer has in its headers. */
static void packet_of(struct packet *pkt, int fd)
{
	struct sockaddr_storage ends[2];
	union ip_addr *addr[] = {&pkt->src, &pkt->dst};
	__be16 *port[] = {&pkt->src_port, &pkt->dst_port};

	for (int i = 0; i < 2; i++) {
		struct sockaddr_in6 *ip6 = (struct sockaddr_in6 *)&ends[i];
		struct sockaddr_in *ip4 = (struct sockaddr_in *)&ends[i];
		socklen_t bytes = sizeof(ends[i]);

		assert_int_equal((i ? getpeername : getsockname)(fd, (struct sockaddr *)&ends[i], &bytes), 0);
		*port[i] = ip4->sin_port; /* at the same place in both */
		pkt->ip_version = ip4->sin_family == AF_INET || IN6_IS_ADDR_V4MAPPED(&ip6->sin6_addr) ? 4 : 6;
		if (ip4->sin_family == AF_INET)
			addr[i]->v4 = ip4->sin_addr.s_addr;
		else if (pkt->ip_version == 4)
			memcpy(&addr[i]->v4, &ip6->sin6_addr.s6_addr[12], 4);
		else
			memcpy(addr[i], &ip6->sin6_addr, sizeof(*addr[i]));
	}
}

/* From a socket of @family to @listener at its loopback address. */
static void connect_pair(struct pair *pair, int listener, int family, const char *where)
{
	struct sockaddr_storage address = {.ss_family = family};
	struct sockaddr_in6 *ip6 = (struct sockaddr_in6 *)&address;
	struct sockaddr_in *ip4 = (struct sockaddr_in *)&address;
	struct packet pkt = {};
	struct sockaddr_in6 bound;
	socklen_t bytes = sizeof(bound);

	assert_int_equal(getsockname(listener, (struct sockaddr *)&bound, &bytes), 0);
	ip4->sin_port = bound.sin6_port;
	assert_int_equal(
		inet_pton(family, where, family == AF_INET ? (void *)&ip4->sin_addr : &ip6->sin6_addr), 1);
	pair->client = socket(family, SOCK_STREAM, 0);
	pair->first_ns = clock_monotonic_ns();
	assert_int_equal(connect(pair->client, (struct sockaddr *)&address, sizeof(*ip6)), 0);
	pair->server = accept(listener, NULL, NULL);
	assert_true(pair->server >= 0);
	packet_of(&pkt, pair->client);
	pair->client_end = flow_key_of(&pair->key, &pkt);
}

static void close_pair(const struct pair *pair)
{
	close(pair->client);
	close(pair->server);
}

static void expect(struct owners *owners, const struct pair *pair, flow_end end, enum owner_how how)
{
	struct owner owner;

	assert_int_equal(
		owners_find(owners, &pair->key, end, pair->first_ns + 1, clock_monotonic_ns(), &owner), 0);
	assert_int_equal(owner.pid, getpid());
	assert_string_equal(owner.comm, NAME);
	assert_string_equal(owner_how_key(owner.how), owner_how_key(how));
	assert_true(owner.cgroup_id > 0);
}

/* The families of the listener and the caller, and what the caller calls. */
static const struct {
	int listener, caller;
	const char *where;
} ways[] = {
	{AF_INET, AF_INET, "127.0.0.1"},          {AF_INET6, AF_INET6, "::1"},
	{AF_INET6, AF_INET, "127.0.0.1"},         {AF_INET, AF_INET6, "::ffff:127.0.0.1"},
	{AF_INET6, AF_INET6, "::ffff:127.0.0.1"},
};

#define WAYS (sizeof(ways) / sizeof(ways[0]))

static void seen_from_the_beginning(void **state)
{
	struct owners *owners = owners_open();
	struct sockaddr_storage address;
	socklen_t bytes;

	(void)state;
	assert_non_null(owners);
	for (size_t i = 0; i < WAYS; i++) {
		int listener = listener_new(ways[i].listener, &address, &bytes);
		struct pair pair;

		connect_pair(&pair, listener, ways[i].caller, ways[i].where);
		expect(owners, &pair, pair.client_end, OWNER_CONNECTED);
		expect(owners, &pair, !pair.client_end, OWNER_LISTENED);
		close_pair(&pair);
		expect(owners, &pair, pair.client_end, OWNER_CONNECTED); /* the packets are still told of */
		expect(owners, &pair, !pair.client_end, OWNER_LISTENED);
		close(listener);
	}
	owners_close(owners);
}

static void there_before(void **state)
{
	struct sockaddr_storage address;
	struct pair old[WAYS], fresh;
	int listener[WAYS];
	struct owners *owners;
	socklen_t bytes;

	(void)state;
	for (size_t i = 0; i < WAYS; i++) {
		listener[i] = listener_new(ways[i].listener, &address, &bytes);
		connect_pair(&old[i], listener[i], ways[i].caller, ways[i].where);
	}
	owners = owners_open();
	assert_non_null(owners);
	for (size_t i = 0; i < WAYS; i++) {
		expect(owners, &old[i], 0, OWNER_HELD);
		expect(owners, &old[i], 1, OWNER_HELD);
		connect_pair(&fresh, listener[i], ways[i].caller, ways[i].where);
		expect(owners, &fresh, !fresh.client_end, OWNER_LISTENED);
		close_pair(&fresh);
		close_pair(&old[i]);
		close(listener[i]);
	}
	owners_close(owners);
}

/* Ports are used again: what was before the socket, or comes after it, is not its. */
static void only_while_the_socket_is(void **state)
{
	struct owners *owners = owners_open();
	struct sockaddr_storage address;
	struct owner owner;
	struct pair pair;
	socklen_t bytes;
	int listener = listener_new(AF_INET, &address, &bytes);
	struct linger reset = {.l_onoff = 1};
	__u64 closed_ns;

	(void)state;
	assert_non_null(owners);
	connect_pair(&pair, listener, AF_INET, "127.0.0.1");
	assert_int_equal(owners_find(owners, &pair.key, pair.client_end, 1, pair.first_ns, &owner), -ENOENT);
	assert_int_equal(setsockopt(pair.client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
	close_pair(&pair); /* by RST, at once */
	closed_ns = clock_monotonic_ns();
	assert_int_equal(owners_find(owners, &pair.key, pair.client_end, closed_ns, closed_ns, &owner),
			 -ENOENT);
	expect(owners, &pair, pair.client_end, OWNER_CONNECTED);
	close(listener);
	owners_close(owners);
}

/* A child that is the last to hold the accepted socket. Its parent's name it has, not its number. */
static void in_the_hands_of_a_child(void **state)
{
	struct owners *owners = owners_open();
	struct sockaddr_storage address;
	struct owner owner;
	struct pair pair;
	socklen_t bytes;
	int listener = listener_new(AF_INET, &address, &bytes), go[2];
	pid_t child;

	(void)state;
	assert_non_null(owners);
	assert_int_equal(pipe(go), 0);
	connect_pair(&pair, listener, AF_INET, "127.0.0.1");
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		close(go[1]);
		close(pair.client);
		_exit(read(go[0], &(char){0}, 1) != 1);
	}
	close(pair.server);
	expect(owners, &pair, !pair.client_end, OWNER_LISTENED);
	assert_int_equal(write(go[1], "", 1), 1);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(
		owners_find(owners, &pair.key, !pair.client_end, pair.first_ns, clock_monotonic_ns(), &owner),
		0);
	assert_int_equal(owner.pid, child);
	assert_int_equal(owner.how, OWNER_CLOSED);
	expect(owners, &pair, pair.client_end, OWNER_CONNECTED);
	close(pair.client);
	close(listener);
	owners_close(owners);
}

/*
 * A full queue: the SYN is dropped, and the caller waits. The kernel tells of connect() before it chooses the local port,
 * and of nothing more: only the open files tell it.
 */
static void waits_for_an_answer(void **state)
{
	struct owners *owners = owners_open();
	struct sockaddr_storage address;
	__u64 deadline_ns = clock_monotonic_ns() + NS_PER_S;
	struct pair full, pair = {.first_ns = deadline_ns - NS_PER_S};
	struct packet pkt = {};
	struct owner owner;
	socklen_t bytes;
	int listener = listener_new(AF_INET, &address, &bytes);

	(void)state;
	assert_non_null(owners);
	assert_int_equal(listen(listener, 0), 0);
	full.client = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(full.client, (struct sockaddr *)&address, bytes), 0);
	pair.client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(connect(pair.client, (struct sockaddr *)&address, bytes), -1);
	assert_int_equal(errno, EINPROGRESS);
	pkt.ip_version = 4;
	pkt.src.v4 = pkt.dst.v4 = htonl(INADDR_LOOPBACK);
	pkt.dst_port = ((struct sockaddr_in *)&address)->sin_port;
	assert_int_equal(getsockname(pair.client, (struct sockaddr *)&address, &bytes), 0);
	pkt.src_port = ((struct sockaddr_in *)&address)->sin_port;
	pair.client_end = flow_key_of(&pair.key, &pkt);
	while (owners_find(owners, &pair.key, pair.client_end, pair.first_ns, clock_monotonic_ns(), &owner))
		assert_true(clock_monotonic_ns() < deadline_ns); /* it looks seldom */
	expect(owners, &pair, pair.client_end, OWNER_CONNECTED);
	close(pair.client);
	close(full.client);
	close(listener);
	owners_close(owners);
}

static void another_network_namespace(void **state)
{
	struct owners *owners = owners_open();
	struct sockaddr_storage address;
	struct owner owner;
	struct pair pair;
	socklen_t bytes;
	int listener;

	(void)state;
	assert_non_null(owners);
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	assert_int_equal(system("ip link set lo up"), 0);
	listener = listener_new(AF_INET, &address, &bytes);
	connect_pair(&pair, listener, AF_INET, "127.0.0.1");
	for (flow_end end = 0; end < 2; end++)
		assert_int_equal(
			owners_find(owners, &pair.key, end, pair.first_ns, clock_monotonic_ns(), &owner),
			-ENOENT);
	close_pair(&pair);
	close(listener);
	owners_close(owners);
}

static void nobody_knows(void **state)
{
	struct flow_key key = {.ip_version = 4};
	struct owner owner;

	(void)state;
	assert_int_equal(owners_find(NULL, &key, 0, 0, 0, &owner), -ENOENT);
	owners_close(NULL);
}

static int set_up(void **state)
{
	(void)state;
	return preflight_privileges() || prctl(PR_SET_NAME, NAME) || unshare(CLONE_NEWNET) ||
	       system("ip link set lo up");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seen_from_the_beginning),
		cmocka_unit_test(there_before),
		cmocka_unit_test(only_while_the_socket_is),
		cmocka_unit_test(in_the_hands_of_a_child),
		cmocka_unit_test(waits_for_an_answer),
		cmocka_unit_test(another_network_namespace),
		cmocka_unit_test(nobody_knows),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
