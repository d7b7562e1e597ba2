/* SPDX-License-Identifier: GPL-2.0-only */
/* Every map. All programs of one datapath share them; what a stage that is off would need is shrunk before
 * loading. */
#ifndef XDPLIFE_BPF_MAPS_H
#define XDPLIFE_BPF_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "xdplife/config.h"
#include "xdplife/counters.h"
#include "xdplife/event.h"
#include "xdplife/flow_entry.h"
#include "xdplife/histogram.h"
#include "xdplife/rewrite.h"
#include "xdplife/summary.h"

/* The ledger: each port's counters, by port_config.port. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, CONFIG_MAX_PORTS);
	__type(key, __u32);
	__type(value, struct port_counters);
} counters SEC(".maps");

/* The interfaces that frames may be redirected to, by ifindex. */
struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP_HASH);
	__uint(max_entries, CONFIG_MAX_PORTS);
	__type(key, __u32);
	__type(value, struct bpf_devmap_val);
} egress_ports SEC(".maps");

/* The interfaces that we are attached to: ifindex to port_config.port. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, CONFIG_MAX_PORTS);
	__type(key, __u32);
	__type(value, __u32);
} port_of_ifindex SEC(".maps");

/* Next hops whose MAC is wanted; userspace empties it. If it is full, the oldest wishes give way. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct next_hop);
	__type(value, __u8);
} unresolved SEC(".maps");

/* One answer of bpf_fib_lookup(), and what it was asked. One cache line. */
struct cached_route {
	union ip_addr src;
	union ip_addr dst;
	struct mac_pair macs;
	__u32 ingress; /* interface indices */
	__u32 egress;
	__u32 generation;
	__u32 born;
	__u16 mtu;
	__u8 tos;
	__u8 ip_proto;
};

_Static_assert(sizeof(struct cached_route) == 64, "a cache line");

struct route_pair {
	struct cached_route way[2];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE); /* begins at a page, and so each at a cache line */
	__uint(max_entries, 1);            /* set to route_pairs for each possible CPU */
	__type(key, __u32);
	__type(value, struct route_pair);
} cached_routes SEC(".maps");

/* Raised by userspace, which has it in its memory, at each change of what routes depend on. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, __u32);
} route_generation SEC(".maps");

/* The time as of the last tick of the kernel's clock (clock.h). */
struct tick {
	__u64 jiffies;
	__u64 time_ns;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tick);
} ticks SEC(".maps");

/* The table of connections (flow_table.h). Its size is set before loading, and so is that of the next four maps. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct flow_entry);
} connections SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct flow_key);
	__type(value, __u32);
} flow_places SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} recent_places SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, 1);
	__type(value, __u32);
} free_places SEC(".maps");

/* The keys of those that were made last, in the order of their coming, and how many there have been. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct flow_key);
} newcomers SEC(".maps");

/* The first place that nobody has had yet. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} unused_places SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} newcomer_count SEC(".maps");

/* The tags of SYNs, by the key without them: for replies that have none. The least recent give way. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct flow_key);
	__type(value, struct flow_tags);
} syn_tags SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct handshakes);
} handshake_times SEC(".maps");

/* Who opens connections, by prefix, and to whom, with what success. The least recent give way. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct talker_key);
	__type(value, struct talker);
} talkers SEC(".maps");

/*
 * Where an event is put together, and what else would not fit on the stack (512 bytes for all functions of a call): one
 * slot a CPU. A per-CPU array cannot hold values of more than 32 KiB.
 */
struct event_slot {
	struct trace_event event;
	__u8 bytes[CONFIG_MAX_SNAP];
	struct packet quoted; /* by an ICMP error */
	struct tcp_options_scan scan;
	__u8 exact; /* event.time_ns is; else it may be some milliseconds old */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* set to the number of possible CPUs */
	__type(key, __u32);
	__type(value, struct event_slot);
} event_slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 << 20);
} events SEC(".maps");

/* The flows that belong to AF_XDP sockets of ours, and those sockets by receive queue. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct steer_key);
	__type(value, __u64); /* frames steered */
} steered_flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, CONFIG_MAX_QUEUES);
	__type(key, __u32);
	__type(value, __u32);
} xsks SEC(".maps");

#endif
