// SPDX-License-Identifier: GPL-2.0-only
/* What a connection starts with: unpredictable without the secret, and growing for the same two ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "net/tcp_numbers.h"
#include "util/clock.h"
#include "util/siphash.h"

/* The vectors of the reference implementation: key 00 01 … 0f, input 00 01 … of growing length. */
static void siphash_reference(void **state)
{
	static const struct {
		size_t bytes;
		uint64_t hash;
	} vectors[] = {
		{0, 0x726fdb47dd0e0e31},
		{1, 0x74f839c593dc67fd},
		{8, 0x93f5f5799a932462},
		{15, 0xa129ca6149be45e5},
	};
	uint8_t key[16], in[16];

	(void)state;
	for (int i = 0; i < 16; i++)
		key[i] = in[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
		assert_int_equal(siphash(key, in, vectors[i].bytes), vectors[i].hash);
}

static struct frame_path path_of(uint16_t local_port)
{
	return (struct frame_path){
		.ip_version = 4,
		.local.v4 = 0x0101000a,
		.remote.v4 = 0x0201000a,
		.local_port = TO_BE16(local_port),
		.remote_port = TO_BE16(80),
	};
}

/* RFC 6528 §3: M, a clock of 4 µs, plus F of the ends and the secret. */
static void isn_follows_the_clock(void **state)
{
	const struct tcp_secret secret = {.key = "0123456789abcde"};
	struct frame_path path = path_of(40000);
	struct tcp_numbers early = tcp_numbers_of(&secret, &path, NS_PER_S);
	struct tcp_numbers late = tcp_numbers_of(&secret, &path, NS_PER_S + 4000 * NS_PER_US);

	(void)state;
	assert_int_equal((uint32_t)(late.isn - early.isn), 1000);
	assert_int_equal(late.timestamp_offset, early.timestamp_offset);
	assert_int_equal(late.flow_label, early.flow_label);
	assert_in_range(early.flow_label, 1, 0xfffff);
}

/* Every end counts, and the secret; nothing else does. */
static void each_end_has_its_own(void **state)
{
	struct tcp_secret secret = {.key = "0123456789abcde"};
	struct frame_path paths[5] = {path_of(1), path_of(2), path_of(1), path_of(1), path_of(1)};
	struct tcp_numbers numbers[6];

	(void)state;
	paths[2].remote_port = TO_BE16(81);
	paths[3].local.v4++;
	paths[4].remote.v4++;
	for (int i = 0; i < 5; i++)
		numbers[i] = tcp_numbers_of(&secret, &paths[i], 0);
	secret.key[0]++;
	numbers[5] = tcp_numbers_of(&secret, &paths[0], 0);
	for (int i = 0; i < 6; i++)
		for (int k = 0; k < i; k++) {
			assert_int_not_equal(numbers[i].isn, numbers[k].isn);
			assert_int_not_equal(numbers[i].timestamp_offset, numbers[k].timestamp_offset);
			assert_int_not_equal(numbers[i].flow_label, numbers[k].flow_label);
		}
	paths[0].flow_label = 77;
	paths[0].next_mac[0] = 1;
	assert_int_equal(tcp_numbers_of(&secret, &paths[0], 0).isn, numbers[5].isn);
}

/* The next process has the same. */
static void the_secret_lasts(void **state)
{
	static const struct tcp_secret zero;
	struct tcp_secret first, second;

	(void)state;
	tcp_secret_read(&first);
	tcp_secret_read(&second);
	assert_memory_equal(&first, &second, sizeof(first));
	assert_memory_not_equal(&first, &zero, sizeof(first));
	assert_memory_not_equal(first.key, first.key + 8, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(siphash_reference),
		cmocka_unit_test(isn_follows_the_clock),
		cmocka_unit_test(each_end_has_its_own),
		cmocka_unit_test(the_secret_lasts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
