/* SPDX-License-Identifier: GPL-2.0-only */
/* The generator's parts: the options (generate_arguments.c), streams of frames (generate.c), HTTP (generate_http.c). */
#ifndef XDPLIFE_CMD_GENERATE_H
#define XDPLIFE_CMD_GENERATE_H

#include <stdbool.h>
#include <stdint.h>

#include "net/iface.h"
#include "net/url.h"
#include "traffic/plan.h"
#include "traffic/target.h"

enum generate_mode { GENERATE_CRAFT, GENERATE_REPLAY, GENERATE_HTTP, GENERATE_MODES };

struct generate_arguments {
	enum generate_mode mode;
	const char *ifname, *to_text, *from_text, *sink_text, *replay_file, *path;
	struct target to, from;
	struct traffic_plan plan; /* as far as the options decide it */
	struct url url;           /* http only */
	bool has_src_mac, has_dst_mac;
	double rate_pps, duration_s, timeout_s;
	uint64_t count, rounds;
	unsigned int ports;
	bool json, no_live_frames, owned, fast;
};

/* Ends the process, as argp does, where they are wrong. */
void generate_parse(int argc, char **argv, struct generate_arguments *arguments);

/* Return: an exit_code, as http_load_run(); what is wrong has been said. */
int generate_http(const struct generate_arguments *arguments);

#endif
