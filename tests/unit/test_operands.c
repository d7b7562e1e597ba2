// SPDX-License-Identifier: GPL-2.0-only
/* IFACE... [--] [FILTER]: where the interfaces end and the filter begins. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "cmd/operands.h"

#define WORDS(...) ((char *[]){__VA_ARGS__, NULL})

/* One of them has a name that is also the beginning of a filter. */
static bool is_known(const char *name)
{
	return !strcmp(name, "eth0") || !strcmp(name, "eth1") || !strcmp(name, "tcp");
}

static int interfaces(char *const *words, int least)
{
	return operands_interfaces(words, least, is_known);
}

static void words_that_exist_come_first(void **state)
{
	(void)state;
	assert_int_equal(interfaces(WORDS("eth0"), 1), 1);
	assert_int_equal(interfaces(WORDS("eth0", "eth1"), 1), 2);
	assert_int_equal(interfaces(WORDS("eth0", "udp", "port", "53"), 1), 1);
	assert_int_equal(interfaces(WORDS("eth0", "eth1", "udp port 53"), 1), 2);
	assert_int_equal(interfaces(WORDS("udp", "port", "53"), 0), 0);
}

/* The first that does not exist ends them: what is behind it is the filter's, whatever its name. */
static void the_filter_keeps_its_words(void **state)
{
	(void)state;
	assert_int_equal(interfaces(WORDS("eth0", "host", "eth1"), 1), 1);
	assert_int_equal(interfaces(WORDS("eth0", "not", "tcp"), 1), 1);
}

/* An interface named as a filter begins: it is the interface, unless -- says otherwise. */
static void what_is_both_is_an_interface(void **state)
{
	(void)state;
	assert_int_equal(interfaces(WORDS("eth0", "tcp", "port", "80"), 1), 2);
}

/* So many a command needs: what stands there was meant as an interface, and is looked for as such. */
static void the_least_are_interfaces(void **state)
{
	(void)state;
	assert_int_equal(interfaces(WORDS("eth7"), 1), 1);
	assert_int_equal(interfaces(WORDS("eth7", "udp"), 1), 1);
	assert_int_equal(interfaces(WORDS("eth7", "eth0", "udp"), 1), 2);
	assert_int_equal(interfaces(WORDS("eth0", "eth7", "udp"), 2), 2);
	assert_int_equal(interfaces(WORDS("eth0"), 2), 1);
	assert_int_equal(interfaces((char *[]){NULL}, 2), 0);
}

static void dashes_cut(void **state)
{
	char **argv = WORDS("trace", "eth0", "--json", "--", "tcp", "port", "80"), **behind;
	int argc = 7;

	(void)state;
	behind = operands_cut(&argc, argv);
	assert_int_equal(argc, 3);
	assert_null(argv[3]);
	assert_ptr_equal(behind, argv + 4);
	assert_string_equal(behind[0], "tcp");
	assert_null(behind[3]);
}

static void only_the_first_dashes(void **state)
{
	char **argv = WORDS("trace", "--", "--"), **behind;
	int argc = 3;

	(void)state;
	behind = operands_cut(&argc, argv);
	assert_int_equal(argc, 1);
	assert_string_equal(behind[0], "--");
}

static void without_dashes(void **state)
{
	char **argv = WORDS("trace", "eth0", "--json", "-");
	int argc = 4;

	(void)state;
	assert_null(operands_cut(&argc, argv));
	assert_int_equal(argc, 4);
	assert_string_equal(argv[3], "-");
}

static void assert_joined(char *const *words, const char *should)
{
	char *joined = operands_join(words);

	assert_string_equal(joined, should);
	free(joined);
}

static void joined_by_spaces(void **state)
{
	(void)state;
	assert_joined(WORDS("tcp", "port", "80"), "tcp port 80");
	assert_joined(WORDS("tcp port 80"), "tcp port 80");
	assert_joined(WORDS("", "tcp", ""), " tcp ");
	assert_joined((char *[]){NULL}, "");
}

static void filter_among_the_words(void **state)
{
	char **words = WORDS("eth0", "tcp", "port 80");
	struct filter *filter;

	(void)state;
	assert_int_equal(operands_filter(words, 1, NULL, &filter), 0);
	assert_string_equal(filter_expression(filter), "tcp port 80");
	assert_string_equal(words[0], "eth0");
	assert_null(words[1]);
	filter_free(filter);
}

static void filter_behind_dashes(void **state)
{
	char **words = WORDS("eth0", "eth7");
	struct filter *filter;

	(void)state;
	assert_int_equal(operands_filter(words, 1, WORDS("udp"), &filter), 0);
	assert_string_equal(filter_expression(filter), "udp");
	assert_string_equal(words[1], "eth7");
	filter_free(filter);
}

static void no_filter(void **state)
{
	char **words = WORDS("eth0");
	struct filter *filter;

	(void)state;
	assert_int_equal(operands_filter(words, 1, NULL, &filter), 0);
	assert_null(filter);
	assert_int_equal(operands_filter(words, 1, (char *[]){NULL}, &filter), 0);
	assert_null(filter);
	assert_string_equal(words[0], "eth0");
	assert_int_equal(operands_filter(NULL, 0, NULL, &filter), 0);
	assert_null(filter);
}

static void wrong_filter(void **state)
{
	struct filter *filter;

	(void)state;
	assert_int_equal(operands_filter(WORDS("eth0", "tcp", "prot", "80"), 1, NULL, &filter), 2);
	assert_int_equal(operands_filter(WORDS("eth0"), 1, WORDS("prot"), &filter), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_that_exist_come_first),
		cmocka_unit_test(the_filter_keeps_its_words),
		cmocka_unit_test(what_is_both_is_an_interface),
		cmocka_unit_test(the_least_are_interfaces),
		cmocka_unit_test(dashes_cut),
		cmocka_unit_test(only_the_first_dashes),
		cmocka_unit_test(without_dashes),
		cmocka_unit_test(joined_by_spaces),
		cmocka_unit_test(filter_among_the_words),
		cmocka_unit_test(filter_behind_dashes),
		cmocka_unit_test(no_filter),
		cmocka_unit_test(wrong_filter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
