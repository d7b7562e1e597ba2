// SPDX-License-Identifier: GPL-2.0-only
/* Where a stream may go, as it is written, and whose network that is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "traffic/target.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static void check_good(const char *text, int ip_version, const char *address, uint8_t prefix, uint16_t port)
{
	struct target target;
	const char *problem;
	union ip_addr should = {0};

	if (target_parse(text, &target, &problem))
		fail_msg("%s: %s", text, problem);
	inet_pton(ip_version == 4 ? AF_INET : AF_INET6, address, &should);
	if (target.ip_version != ip_version || memcmp(&target.address, &should, ip_version == 4 ? 4 : 16) ||
	    target.prefix != prefix || target.port != port)
		fail_msg("%s: read as something else", text);
}

static void what_is_written_is_read(void **state)
{
	(void)state;
	check_good("10.0.2.2", 4, "10.0.2.2", 32, 0);
	check_good("10.0.2.2:80", 4, "10.0.2.2", 32, 80);
	check_good("10.2.0.0/16", 4, "10.2.0.0", 16, 0);
	check_good("10.2.0.0/16:65535", 4, "10.2.0.0", 16, 65535);
	check_good("0.0.0.0/0:1", 4, "0.0.0.0", 0, 1);
	check_good("fd00::2", 6, "fd00::2", 128, 0);
	check_good("fd00::/64", 6, "fd00::", 64, 0);
	check_good("[fd00::2]", 6, "fd00::2", 128, 0);
	check_good("[fd00::2]:80", 6, "fd00::2", 128, 80);
	check_good("[fd00::]/64:80", 6, "fd00::", 64, 80);
	check_good("[fd00::/64]:80", 6, "fd00::", 64, 80);
	check_good("[fd00::/64]", 6, "fd00::", 64, 0);
	check_good("[::ffff:10.0.0.1]:80", 6, "::ffff:10.0.0.1", 128, 80);
}

static void what_is_wrong_is_said(void **state)
{
	static const struct {
		const char *text, *problem;
	} bad[] = {
		{"", "not an IPv6 address"},
		{"host", "not an IPv6 address"},
		{"example.org", "not an IPv4 address"},
		{"10.0.2", "not an IPv4 address"},
		{"10.0.2.256", "not an IPv4 address"},
		{"10.0.2.2/33", "0 to 32"},
		{"10.0.2.2/", "0 to 32"},
		{"10.0.2.2/-1", "0 to 32"},
		{"10.0.2.2/+8", "0 to 32"},
		{"10.0.2.2/ 8", "0 to 32"},
		{"10.0.2.2/8x", "0 to 32"},
		{"10.0.2.2/24/8", "0 to 32"},
		{"10.0.2.2:", "the port"},
		{"10.0.2.2:0", "the port"},
		{"10.0.2.2:65536", "the port"},
		{"10.0.2.2:80/24", "the port"},
		{"10.0.2.2:http", "the port"},
		{"10.0.2.2:-1", "the port"},
		{"fd00::2/129", "0 to 128"},
		{"[fd00::2", "] is missing"},
		{"[fd00::2]80", "after ]"},
		{"[fd00::2/64]/64", "after ]"},
		{"[fd00::2]:99999", "the port"},
		{"[10.0.2.2]:80", "not an IPv6 address"},
		{"fe80::1%eth0", "not an IPv6 address"},
		{"1111:2222:3333:4444:5555:6666:7777:8888:9999", "not an IPv6 address"},
		{"1111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111"
		 "1111"
		 "11111111111111111111111111111111111111111111111111111111111111111111111111111111111111111",
		 "too long"},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(bad); i++) {
		struct target target;
		const char *problem = NULL;

		assert_int_equal(target_parse(bad[i].text, &target, &problem), -EINVAL);
		if (!strstr(problem, bad[i].problem))
			fail_msg("\"%s\": %s", bad[i].text, problem);
	}
}

static struct target target_of(const char *text)
{
	struct target target;
	const char *problem;

	assert_int_equal(target_parse(text, &target, &problem), 0);
	return target;
}

static void check_private(const char *text, bool should)
{
	struct target target = target_of(text);

	if (target_is_private(&target) != should)
		fail_msg("%s", text);
}

/* The first and the last address of each range, and their neighbours. */
static void private_ranges(void **state)
{
	static const char *const mine[] = {
		"10.0.0.0/8",      "10.255.255.255", "172.16.0.0/12",   "172.31.255.255", "192.168.0.0/16",
		"192.168.255.255", "198.18.0.0/15",  "198.19.255.255",  "192.0.2.0/24",   "198.51.100.255",
		"203.0.113.1",     "100.64.0.0/10",  "100.127.255.255", "169.254.1.1",    "127.0.0.1",
		"10.1.2.3/31",     "fc00::/7",       "fdff:ffff::1",    "2001:db8::/32",  "2001:db8:ffff::",
		"3fff::/20",       "3fff:fff::1",    "2001:2::/48",     "fe80::1",        "::1"};
	static const char *const theirs[] = {
		"9.255.255.255", "11.0.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0",
		"198.17.255.255", "198.20.0.0", "192.0.1.255", "192.0.3.0", "198.51.99.255", "203.0.114.0",
		"100.63.255.255", "100.128.0.0", "8.8.8.8", "1.1.1.1", "240.0.0.1", "2001:4860:4860::8888",
		"fbff::1", "2001:db9::", "2001:db7:ffff::", "3fff:1000::", "2001:2:1::", "fec0::1", "::2",
		/* only a part is private */
		"10.0.0.0/7", "172.16.0.0/11", "0.0.0.0/0", "fc00::/6", "2000::/3", "::/0"};

	(void)state;
	for (size_t i = 0; i < LENGTH(mine); i++)
		check_private(mine[i], true);
	for (size_t i = 0; i < LENGTH(theirs); i++)
		check_private(theirs[i], false);
}

static void check_group(const char *text, bool should)
{
	struct target target = target_of(text);

	if (target_is_group(&target) != should)
		fail_msg("%s", text);
}

/* A prefix that contains a group's address contains one too many. */
static void groups(void **state)
{
	static const char *const many[] = {"224.0.0.1",
					   "239.255.255.255",
					   "255.255.255.255",
					   "0.0.0.0",
					   "224.0.0.0/4",
					   "224.0.0.0/3",
					   "128.0.0.0/1",
					   "0.0.0.0/0",
					   "255.255.255.0/24",
					   "0.0.0.0/8",
					   "ff02::1",
					   "ff00::/8",
					   "fe00::/7",
					   "::",
					   "::/0",
					   "::/127"};
	static const char *const one[] = {"223.255.255.255", "240.0.0.1",  "10.0.0.0/8",
					  "128.0.0.0/2",     "64.0.0.0/2", "fe80::1",
					  "fd00::/8",        "::1",        "2000::/3"};

	(void)state;
	for (size_t i = 0; i < LENGTH(many); i++)
		check_group(many[i], true);
	for (size_t i = 0; i < LENGTH(one); i++)
		check_group(one[i], false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(private_ranges),
		cmocka_unit_test(groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
