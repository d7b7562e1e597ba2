// SPDX-License-Identifier: GPL-2.0-only
#include "util/digits.h"

char *digits_put_fixed(char *at, uint64_t value, unsigned int digits)
{
	for (unsigned int i = digits; i-- > 0; value /= 10)
		at[i] = (char)('0' + value % 10);
	return at + digits;
}

char *digits_put(char *at, uint64_t value)
{
	unsigned int digits = 1;

	for (uint64_t rest = value; rest > 9; rest /= 10)
		digits++;
	return digits_put_fixed(at, value, digits);
}
