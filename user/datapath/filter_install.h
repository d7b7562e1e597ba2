/* SPDX-License-Identifier: GPL-2.0-only */
/* Puts a filter into the programs of the datapath, in the place of the functions of bpf/filter.h. */
#ifndef XDPLIFE_FILTER_INSTALL_H
#define XDPLIFE_FILTER_INSTALL_H

#include <stdbool.h>

#include "datapath/filter.h"

struct filter_install;

/**
 * filter_install_begin() - programs of objects that are opened from here on get the filter as they are loaded
 * @frags: the kernel has multi-buffer XDP (5.18)
 *
 * Return: 0 with *install to be ended by filter_install_end(), which frees it, when the programs are loaded; -EINVAL,
 * -ELOOP, -E2BIG: the filter cannot run in the kernel, for which see filter_install_why(); another -errno.
 */
int filter_install_begin(struct filter_install **install, const struct filter *filter, bool frags);

/* What was loaded goes on with the filter. NULL is allowed. */
void filter_install_end(struct filter_install *install);

/* Why filter_install_begin() has failed, for people. */
const char *filter_install_why(int err);

#endif
