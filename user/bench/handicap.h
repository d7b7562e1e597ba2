/* SPDX-License-Identifier: GPL-2.0-only */
/* How long a device must idle to be slower by a known share: so that one can see that the gate sees it. */
#ifndef XDPLIFE_HANDICAP_H
#define XDPLIFE_HANDICAP_H

#include "bench/scenario.h"

/**
 * handicap_find() - try out how many turns of an idle loop make the scenario's device @percent slower
 * Return: 0 with *idle_turns for rig_open(); an exit_code with the error said.
 */
int handicap_find(const struct scenario *scenario, double percent, unsigned int *idle_turns);

#endif
