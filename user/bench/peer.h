/* SPDX-License-Identifier: GPL-2.0-only */
/* Another generator to compare with: trafgen of netsniff-ng, told to send SYNs like ours. */
#ifndef XDPLIFE_PEER_H
#define XDPLIFE_PEER_H

#include "traffic/plan.h"

#define PEER_TEXT_BYTES 1024

/* Its packet definition: random source, ports and sequence, with right checksums. IPv4, no VLAN. */
void peer_write(const struct traffic_plan *plan, char text[PEER_TEXT_BYTES]);

/**
 * peer_send() - run it once, in this thread's namespace and on this thread's CPU
 * Return: 0; -ENOENT where it is not installed; -EIO.
 */
int peer_send(const char *text, const char *ifname, unsigned int frames);

#endif
