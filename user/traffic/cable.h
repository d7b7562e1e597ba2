/* SPDX-License-Identifier: GPL-2.0-only */
/* What would make a driver refuse every frame of a stream, found before any is sent. */
#ifndef XDPLIFE_CABLE_H
#define XDPLIFE_CABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "net/iface.h"

/* The interface, if it exists, is Ethernet, and up. Return: 0 with @iface filled; an exit_code with the error said. */
int cable_get(const char *ifname, struct iface *iface);

/* Whether a frame of that size, without the FCS, is within what its MTU allows. */
bool cable_fits(const struct iface *iface, uint32_t frame_bytes);

/**
 * cable_check() - whether both ends take frames of that size
 * @frame_bytes: of the largest, without the FCS
 * @live:        they come as live frames, for which the far end of a veth needs GRO or an XDP program
 *
 * To be called when what is to be attached at the far end is there. Return: 0, or an exit_code with the error said.
 */
int cable_check(const struct iface *iface, uint32_t frame_bytes, bool live);

#endif
