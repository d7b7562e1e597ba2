/* SPDX-License-Identifier: GPL-2.0-only */
/* The connections that are in the kernel side's table now, read out for a person to look at. */
#ifndef XDPLIFE_CONNECTIONS_H
#define XDPLIFE_CONNECTIONS_H

#include <stddef.h>

#include "datapath/datapath.h"
#include "observer/connection.h"

/**
 * connections_read() - up to @max of them, in no order
 * Nothing is locked for it: of a connection that is just changing, parts may be of two moments.
 *
 * Return: how many, or -errno.
 */
long connections_read(const struct datapath *dp, struct connection *rows, size_t max);

#endif
