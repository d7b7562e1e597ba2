// SPDX-License-Identifier: GPL-2.0-only
/* pcap-filter(7) by libpcap: what is said of a wrong expression, and the same filter on frames of files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "frame.h"

#include "datapath/filter.h"

/* As in <pcap/dlt.h> on Linux, which does not go with linux/filter.h. */
#define DLT_ETHERNET  1
#define DLT_RAW_IP    12
#define DLT_LINUX_SLL 113

/* --- what is wrong, and where --- */

static void assert_wrong(const char *expression, const char *words, long at)
{
	struct filter_error error;
	struct filter *filter;

	assert_int_equal(filter_compile(&filter, expression, &error), -EINVAL);
	if (!strstr(error.text, words))
		fail_msg("%s: '%s' should have '%s'", expression, error.text, words);
	if (error.at != at)
		fail_msg("%s: '%s' at %ld, should be %ld", expression, error.text, error.at, at);
}

static void syntax_errors_have_a_place(void **state)
{
	(void)state;
	assert_wrong("tcp prot 80", "syntax error", 4);
	assert_wrong("tcp port 80 )", "syntax error", 12);
	assert_wrong("tcp && && udp", "syntax error", 7);
	assert_wrong("tcp&&&&udp", "syntax error", 5);
	assert_wrong("  =tcp", "syntax error", 2);
	assert_wrong("tcp[0] = 1 and 5", "syntax error", 16);
	assert_wrong("len > 5 and @", "syntax error", 12);
	assert_wrong("port 80 and tcp[13] & = 2", "syntax error", 22);
}

static void what_is_missing_is_missing_at_the_end(void **state)
{
	(void)state;
	assert_wrong("tcp port", "syntax error", 8);
	assert_wrong("(tcp", "syntax error", 4);
	assert_wrong("tcp and ", "syntax error", 8);
	assert_wrong("tcp[0] >", "syntax error", 8);
}

static void other_errors_have_a_place(void **state)
{
	(void)state;
	assert_wrong("tcp and vlan 5000", "5000 greater than maximum", 13);
	assert_wrong("port 99999", "illegal port number", 5);
	assert_wrong("tcp and ip broadcast", "netmask not known", 8);
	assert_wrong("ether host 1:2:3", "bogus ethernet address", 11);
	assert_wrong("net 10.1/33", "mask length", 4);
	assert_wrong("udp or tcp[13:3] = 1", "data size must be", 15);
}

static void errors_of_the_whole_have_none(void **state)
{
	(void)state;
	assert_wrong("tcp and udp", "rejects all packets", -1);
}

/* They compile, but nothing here could answer them, and no frame would ever match. */
static void questions_for_a_socket(void **state)
{
	(void)state;
	assert_wrong("inbound", "not supported", -1);
	assert_wrong("tcp and outbound", "not supported", -1);
}

static void words_that_begin_a_filter(void **state)
{
	(void)state;
	assert_true(filter_begins_with("tcp"));
	assert_true(filter_begins_with("not"));
	assert_true(filter_begins_with("ether"));
	assert_true(filter_begins_with("host"));
	assert_true(filter_begins_with("("));
	assert_false(filter_begins_with("eth0"));
	assert_false(filter_begins_with("and"));
}

/* --- frames of files --- */

static struct filter *filter_of(const char *expression)
{
	struct filter_error error;
	struct filter *filter;

	if (filter_compile(&filter, expression, &error))
		fail_msg("%s: %s", expression, error.text);
	assert_string_equal(filter_expression(filter), expression);
	return filter;
}

static bool matches(const struct filter *filter, int linktype, const char *hex)
{
	struct frame frame;

	frame_hex(&frame, hex);
	return filter_matches(filter, linktype, frame.byte, (uint32_t)frame.bytes, (uint32_t)frame.bytes);
}

#define SYN_IP4 IP4("0028", "06") TCP_SYN

static void ethernet(void **state)
{
	struct filter *filter = filter_of("tcp dst port 80");

	(void)state;
	assert_true(matches(filter, DLT_ETHERNET, ETH_IP4 SYN_IP4));
	assert_false(matches(filter, DLT_ETHERNET, ETH_IP4 IP4("001c", "11") UDP("0008")));
	assert_false(matches(filter, DLT_ETHERNET, MACS "8100 0064 0800" SYN_IP4));
	filter_free(filter);
}

/* As tcpdump: behind a `vlan` everything else is four bytes on. */
static void vlan(void **state)
{
	struct filter *filter = filter_of("vlan 100 and tcp dst port 80");

	(void)state;
	assert_true(matches(filter, DLT_ETHERNET, MACS "8100 0064 0800" SYN_IP4));
	assert_false(matches(filter, DLT_ETHERNET, MACS "8100 0065 0800" SYN_IP4));
	assert_false(matches(filter, DLT_ETHERNET, ETH_IP4 SYN_IP4));
	filter_free(filter);
}

/* The same expression is another program for each link type; one that was not prepared matches nothing. */
static void other_link_types(void **state)
{
	struct filter *filter = filter_of("tcp dst port 80");
	struct filter_error error;

	(void)state;
	assert_false(matches(filter, DLT_RAW_IP, SYN_IP4));
	assert_int_equal(filter_prepare(filter, DLT_RAW_IP, &error), 0);
	assert_int_equal(filter_prepare(filter, DLT_LINUX_SLL, &error), 0);
	assert_true(matches(filter, DLT_RAW_IP, SYN_IP4));
	assert_true(matches(filter, DLT_LINUX_SLL, "0000 0001 0006 0200000000010000 0800" SYN_IP4));
	assert_true(matches(filter, DLT_ETHERNET, ETH_IP4 SYN_IP4));
	assert_false(matches(filter, DLT_RAW_IP, ETH_IP4 SYN_IP4));
	filter_free(filter);
}

static void an_expression_of_another_link_type(void **state)
{
	struct filter *filter = filter_of("ether src 02:00:00:00:00:01");
	struct filter_error error;

	(void)state;
	assert_int_equal(filter_prepare(filter, DLT_RAW_IP, &error), -EINVAL);
	assert_non_null(strstr(error.text, "ethernet"));
	assert_true(matches(filter, DLT_ETHERNET, ETH_IP4 SYN_IP4));
	filter_free(filter);
}

/* What was not captured cannot match; the length is that on the wire. */
static void cut_frames(void **state)
{
	struct filter *port = filter_of("tcp dst port 80"), *length = filter_of("len = 1500");
	struct frame frame;

	(void)state;
	frame_hex(&frame, ETH_IP4 SYN_IP4);
	assert_true(filter_matches(port, DLT_ETHERNET, frame.byte, 38, 1500));
	assert_false(filter_matches(port, DLT_ETHERNET, frame.byte, 37, 1500));
	assert_true(filter_matches(length, DLT_ETHERNET, frame.byte, 14, 1500));
	assert_false(filter_matches(length, DLT_ETHERNET, frame.byte, 14, 1501));
	filter_free(port);
	filter_free(length);
}

static void nothing_to_free(void **state)
{
	(void)state;
	filter_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(syntax_errors_have_a_place),
		cmocka_unit_test(what_is_missing_is_missing_at_the_end),
		cmocka_unit_test(other_errors_have_a_place),
		cmocka_unit_test(errors_of_the_whole_have_none),
		cmocka_unit_test(questions_for_a_socket),
		cmocka_unit_test(words_that_begin_a_filter),
		cmocka_unit_test(ethernet),
		cmocka_unit_test(vlan),
		cmocka_unit_test(other_link_types),
		cmocka_unit_test(an_expression_of_another_link_type),
		cmocka_unit_test(cut_frames),
		cmocka_unit_test(nothing_to_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
