/* SPDX-License-Identifier: GPL-2.0-only */
/* A pcap-filter(7) expression, compiled by libpcap: for frames of files; for the kernel, filter_install.h. */
#ifndef XDPLIFE_FILTER_H
#define XDPLIFE_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/filter.h>

struct filter;

/* What libpcap says of an expression that it does not take. */
struct filter_error {
	char text[256]; /* of the expression it may hold parts */
	long at; /* where in the expression, in bytes; its length: at the end; -1: libpcap does not say */
};

/**
 * filter_compile() - compile @expression for Ethernet, as filter_prepare() does for another link type
 * Names of hosts in it are looked up.
 *
 * Return: 0 with *filter to be freed by filter_free(); -EINVAL with *error; -ENOMEM.
 */
int filter_compile(struct filter **filter, const char *expression, struct filter_error *error);

/* NULL is allowed. */
void filter_free(struct filter *filter);

const char *filter_expression(const struct filter *filter);

/* The program for Ethernet, *count instructions of classic BPF; owned by the filter. */
const struct sock_filter *filter_classic(const struct filter *filter, size_t *count);

/* Before the first frame of a DLT_*; again does no harm. Return: 0; -EINVAL with *error; -ENOMEM. */
int filter_prepare(struct filter *filter, int linktype, struct filter_error *error);

/*
 * Whether a frame of a file matches. @linktype: DLT_EN10MB or one that filter_prepare() has taken; no frame
 * of another one matches.
 */
bool filter_matches(const struct filter *filter, int linktype, const uint8_t *frame, uint32_t captured_bytes,
		    uint32_t wire_bytes);

/* Whether an expression can begin with this word, as libpcap reads it. */
bool filter_begins_with(const char *word);

/* Says it: libpcap's words and the place. */
void filter_say_error(const char *expression, const struct filter_error *error);

#endif
