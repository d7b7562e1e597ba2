/* SPDX-License-Identifier: GPL-2.0-only */
/* Decimal digits without printf, for what is printed hundreds of thousands of times. Nothing is terminated by '\0'. */
#ifndef XDPLIFE_DIGITS_H
#define XDPLIFE_DIGITS_H

#include <stdint.h>

#define DIGITS_MAX 20 /* of a uint64_t */

/* Return: behind the last digit, in both. */
char *digits_put(char *at, uint64_t value);
char *digits_put_fixed(char *at, uint64_t value,
		       unsigned int digits); /* with zeros in front; the last so many */

#endif
