// SPDX-License-Identifier: GPL-2.0-only
/* Names that nobody waits for: a resolver that is slow, one that lies, one that knows nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "out/host_names.h"

#define PATIENCE_US 10000000
#define PAUSE_US    1000

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER; /* locked: the resolver hangs */
static int asked;                                        /* under the gate */

static int slow(char name[HOST_NAME_BYTES], const union ip_addr *addr, __u8 ip_version)
{
	pthread_mutex_lock(&gate);
	asked++;
	pthread_mutex_unlock(&gate);
	snprintf(name, HOST_NAME_BYTES, "host-%u-of-%u", addr->byte[3], ip_version);
	return addr->byte[3] == 99 ? -1 : 0;
}

static union ip_addr address(const char *text)
{
	union ip_addr addr = {};

	assert_int_equal(inet_pton(AF_INET, text, &addr), 1);
	return addr;
}

static int times_asked(void)
{
	int times;

	pthread_mutex_lock(&gate);
	times = asked;
	pthread_mutex_unlock(&gate);
	return times;
}

static void wait_for_name(struct host_names *names, const union ip_addr *addr, char name[HOST_NAME_BYTES])
{
	for (int waited = 0; !host_names_find(names, addr, 4, name); waited += PAUSE_US) {
		assert_true(waited < PATIENCE_US);
		usleep(PAUSE_US);
	}
}

static void test_nobody_waits(void **state)
{
	struct host_names *names = host_names_open(slow);
	union ip_addr one = address("10.0.0.1"), two = address("10.0.0.2");
	char name[HOST_NAME_BYTES] = "untouched";

	(void)state;
	assert_non_null(names);
	asked = 0;
	pthread_mutex_lock(&gate);
	for (int i = 0; i < 1000; i++)
		assert_false(host_names_find(names, &one, 4, name));
	assert_string_equal(name, "untouched");
	pthread_mutex_unlock(&gate);
	wait_for_name(names, &one, name);
	assert_string_equal(name, "host-1-of-4");
	wait_for_name(names, &two, name);
	assert_string_equal(name, "host-2-of-4");
	/* a thousand times wanted, asked for once */
	assert_int_equal(times_asked(), 2);
	host_names_close(names);
}

/* A host without a name is not asked for again with each packet. */
static void test_no_name(void **state)
{
	struct host_names *names = host_names_open(slow);
	union ip_addr nameless = address("10.0.0.99"), other = address("10.0.0.3"),
		      last = address("10.0.0.4");
	char name[HOST_NAME_BYTES];

	(void)state;
	asked = 0;
	assert_false(host_names_find(names, &nameless, 4, name));
	wait_for_name(names, &other, name); /* asked behind it */
	for (int i = 0; i < 100; i++)
		assert_false(host_names_find(names, &nameless, 4, name));
	wait_for_name(names, &last, name);
	assert_int_equal(times_asked(), 3);
	host_names_close(names);
}

/* More hosts than there are places, all at once: what finds no place is asked for later, nothing grows. */
static void test_flood(void **state)
{
	struct host_names *names = host_names_open(slow);
	char name[HOST_NAME_BYTES];
	union ip_addr addr = {};

	(void)state;
	asked = 0;
	pthread_mutex_lock(&gate);
	for (uint32_t i = 1; i <= 20000; i++) {
		addr.v4 = TO_BE32(0x0a010000 + i);
		assert_false(host_names_find(names, &addr, 4, name));
	}
	pthread_mutex_unlock(&gate);
	wait_for_name(names, &addr, name);
	assert_true(times_asked() < 500);
	host_names_close(names);
}

/* The resolver still hangs when the trace ends: nobody waits for it, and the thread frees what is left. */
static void test_close_does_not_wait(void **state)
{
	struct host_names *names = host_names_open(slow);
	union ip_addr one = address("10.0.0.1");
	char name[HOST_NAME_BYTES];

	(void)state;
	asked = 0;
	pthread_mutex_lock(&gate);
	host_names_find(names, &one, 4, name);
	host_names_close(names);
	pthread_mutex_unlock(&gate);
	host_names_close(NULL);
}

static void test_services(void **state)
{
	struct host_names *names = host_names_open(slow);
	char name[SERVICE_NAME_BYTES];

	(void)state;
	assert_true(host_names_service(names, TO_BE16(22), name));
	assert_string_equal(name, "ssh");
	/* 22 + 1024 falls on the same place */
	assert_false(host_names_service(names, TO_BE16(22 + 1024), name));
	assert_true(host_names_service(names, TO_BE16(22), name));
	assert_string_equal(name, "ssh");
	host_names_close(names);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody_waits),
		cmocka_unit_test(test_no_name),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_services),
		cmocka_unit_test(test_close_does_not_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
