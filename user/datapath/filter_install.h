/* SPDX-License-Identifier: GPL-2.0-only */
/* Puts a filter into the programs of the datapath, in the place of the functions of bpf/filter.h. */
#ifndef XDPLIFE_FILTER_INSTALL_H
#define XDPLIFE_FILTER_INSTALL_H

#include <stdbool.h>

#include "datapath/filter.h"

struct filter_install;

/**
 * filter_install_new() - translate the filter for both hooks
 * @frags: the kernel has multi-buffer XDP (5.18)
 *
 * Return: 0 with *install to be freed by filter_install_free(); -EINVAL, -ELOOP, -E2BIG: it cannot run in the
 * kernel, for which see filter_install_why(); -ENOMEM.
 */
int filter_install_new(struct filter_install **install, const struct filter *filter, bool frags);

/* NULL is allowed. */
void filter_install_free(struct filter_install *install);

/*
 * Between the two the programs of the datapath get the filter, if their object is both opened and loaded
 * there. As loading.h says, one at a time. NULL is allowed, and does nothing. Return: 0 or -errno.
 */
int filter_install_begin(struct filter_install *install);
void filter_install_end(struct filter_install *install);

/* Why filter_install_new() has failed, for people. */
const char *filter_install_why(int err);

#endif
