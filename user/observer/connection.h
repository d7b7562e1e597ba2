/* SPDX-License-Identifier: GPL-2.0-only */
/* One connection as it stands in a table: whose it is, and all that is known of it. */
#ifndef XDPLIFE_OBSERVER_CONNECTION_H
#define XDPLIFE_OBSERVER_CONNECTION_H

#include "xdplife/flow.h"
#include "xdplife/tcp_track.h"

struct connection {
	struct flow_key key;
	struct tcp_track track;
};

#endif
