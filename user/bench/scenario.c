// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "bench/scenario.h"

#define ONE_CLIENT  "10.0.1.2"
#define MANY        65536
#define MANY_ROUTES 10000

/* What the forwarders are compared by: the smallest frames of one flow, to behind the router. */
#define ONE_FLOW                                                                                             \
	.kind = CRAFT_UDP, .from = ONE_CLIENT, .to = "10.2.0.2", .flows = 1, .size = 64, .rates = true

/* What the generators are compared by: a flood into a sink on the other end of the cable. */
#define SYN_FLOOD                                                                                            \
	.device = DEVICE_NONE, .kind = CRAFT_SYN, .from = "10.0.0.0/16", .to = "10.0.1.1", .flows = MANY,    \
	.sink_at_device = true

const struct scenario scenarios[] = {
	{.name = "redirect",
	 .summary = "the floor: a blind bpf_redirect to the next interface",
	 .device = DEVICE_REDIRECT,
	 ONE_FLOW},
	{.name = "drop",
	 .summary = "counted and dropped by XDP on the first interface",
	 .floor = "redirect",
	 .device = DEVICE_NONE,
	 ONE_FLOW,
	 .sink_at_device = true},
	{.name = "kernel-forward",
	 .summary = "routed by the kernel's own forwarding",
	 .floor = "redirect",
	 .device = DEVICE_KERNEL,
	 ONE_FLOW,
	 .sink_after_stack = true},
	{.name = "forward",
	 .summary = "routed by xdplife forward, one destination",
	 .floor = "redirect",
	 .device = DEVICE_FORWARD,
	 ONE_FLOW},
	{.name = "forward-64k",
	 .summary = "the same, 65,536 random destinations over 10,000 routes",
	 .floor = "redirect",
	 .device = DEVICE_FORWARD,
	 .kind = CRAFT_UDP,
	 .from = ONE_CLIENT,
	 .to = "10.2.0.0/16",
	 .flows = MANY,
	 .routes = MANY_ROUTES,
	 .size = 64,
	 .rates = true},
	{.name = "forward6",
	 .summary = "routed by xdplife forward, IPv6, one destination",
	 .floor = "redirect",
	 .device = DEVICE_FORWARD,
	 .kind = CRAFT_UDP,
	 .from = "fd00:1::2",
	 .to = "fd02::2",
	 .flows = 1,
	 .rates = true},
	{.name = "forward-trace",
	 .summary = "routed and traced: TCP data of one connection",
	 .floor = "redirect",
	 .device = DEVICE_FORWARD_TRACE,
	 .kind = CRAFT_TCP,
	 .from = ONE_CLIENT,
	 .to = "10.2.0.2",
	 .flows = 1,
	 .rates = true},
	{.name = "trace-64k",
	 .summary = "routed and traced: TCP data of 65,536 connections in random order",
	 .floor = "redirect",
	 .device = DEVICE_FORWARD_TRACE,
	 .kind = CRAFT_TCP,
	 .from = ONE_CLIENT,
	 .to = "10.2.0.2/31",
	 .flows = MANY,
	 .rates = true},
	{.name = "template",
	 .summary = "live frames that are never looked at, dropped by XDP: the floor of a generator",
	 .device = DEVICE_NONE,
	 .way = WAY_CONSTANT,
	 .kind = CRAFT_SYN,
	 .from = ONE_CLIENT,
	 .to = "10.0.1.1",
	 .flows = 1,
	 .sink_at_device = true,
	 .on_request = true},
	{.name = "generate",
	 .summary = "SYNs of 65,536 flows, made anew each time, counted and dropped by XDP",
	 .floor = "template",
	 SYN_FLOOD,
	 .rates = true},
	{.name = "generate-af-xdp",
	 .summary = "the same through AF_XDP in copy mode",
	 .floor = "generate",
	 .way = WAY_AF_XDP,
	 SYN_FLOOD,
	 .on_request = true},
	{.name = "trafgen",
	 .summary =
		 "SYNs with random addresses and ports by trafgen, one process, counted and dropped by XDP",
	 .floor = "generate",
	 .way = WAY_TRAFGEN,
	 SYN_FLOOD,
	 .on_request = true},
};

const unsigned int scenario_count = sizeof(scenarios) / sizeof(scenarios[0]);

const struct scenario *scenario_find(const char *name)
{
	for (unsigned int i = 0; i < scenario_count; i++)
		if (!strcmp(scenarios[i].name, name))
			return &scenarios[i];
	return NULL;
}

const struct scenario *scenario_floor(const struct scenario *scenario)
{
	return scenario->floor ? scenario_find(scenario->floor) : scenario;
}

bool scenario_is_ours(const struct scenario *scenario)
{
	return scenario->device >= DEVICE_FORWARD;
}
