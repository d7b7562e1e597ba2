/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The BPF side of a running command: one set of maps, and for each interface (a port) the XDP program and,
 * for the observer, the tc egress program, each loaded with its own configuration and attached by a bpf_link.
 *
 * Everything goes with datapath_close(), and with the process however it dies: the links are not pinned.
 */
#ifndef XDPLIFE_DATAPATH_H
#define XDPLIFE_DATAPATH_H

#include <stdbool.h>
#include <net/if.h>

#include "datapath/filter.h"
#include "xdplife/config.h"
#include "xdplife/counters.h"
#include "xdplife/flow.h"

struct datapath;
struct flows;
struct flows_sweep;

#define DATAPATH_MAX_FLOWS 65536

struct datapath_options {
	bool observe;        /* track TCP connections; attaches tc egress too */
	__u32 event_mask;    /* the TCP_EVENT_* to be emitted */
	__u32 max_open;      /* connections in the table of the open ones; 0: DATAPATH_MAX_FLOWS */
	__u32 max_half_open; /* likewise, of those that only one end has shown */
	bool packets;        /* emit an event for every frame */
	__u32 snap_bytes;    /* with each event that many bytes of the frame; 0: none */
	__u32 steer;  /* hand that many flows of datapath_steer(), at most, to AF_XDP sockets; 0: none */
	bool forward; /* route */
	const struct filter *filter; /* what is observed, until the ports are added; NULL: everything */
	__u32 idle_turns;            /* the bench's handicap: turns of an idle loop for each frame; 0: none */
};

struct datapath_port {
	char name[IF_NAMESIZE];
	unsigned int ifindex;
	__u8 mac[6];
	bool native; /* else generic (skb) mode */
	bool egress; /* tc egress is attached */
};

/**
 * datapath_open() - check the privileges, create the maps, listen to the kernel's redirect tracepoints
 * Return: 0 with *dp to be closed by datapath_close(); an exit_code with the error said.
 */
int datapath_open(struct datapath **dp, const struct datapath_options *options);

/**
 * datapath_add_ports() - check the interfaces, load their programs and attach them
 * Native mode first, generic with a warning. To be called once, with at most CONFIG_MAX_PORTS names.
 * @ifnames: NULL-terminated
 *
 * Return: 0, or an exit_code with the error and its cure said; what is attached then goes with datapath_close().
 */
int datapath_add_ports(struct datapath *dp, char *const *ifnames);

/* The ports, in the order in which they were added. */
int datapath_port_count(const struct datapath *dp);
const struct datapath_port *datapath_port(const struct datapath *dp, int index);

/* The port's XDP program, for whoever measures it: a file descriptor, owned by the datapath. */
int datapath_program(const struct datapath *dp, int index);

/* The port's tc egress program; -1: it is not attached there. */
int datapath_egress_program(const struct datapath *dp, int index);

/* A map of bpf/maps.h, for whoever reads it: a file descriptor, owned by the datapath. */
int datapath_map_fd(const struct datapath *dp, const char *name);

/* Whether the interface was deleted since it was added. */
bool datapath_port_gone(const struct datapath *dp, int index);

/* Steering: frames of this flow go to the socket registered in the XSKMAP for their receive queue. 0 or
 * -errno; -E2BIG: more than options.steer. */
int datapath_steer(struct datapath *dp, const struct steer_key *key);

/* The XSKMAP (key: receive queue, value: AF_XDP socket fd); owned by the datapath. */
int datapath_xsk_map_fd(const struct datapath *dp);

/* What the maps take of the kernel's memory, in bytes. */
__u64 datapath_memory(const struct datapath *dp);

/* How many connections are followed: of which both ends have been heard, and of which one. 0 and 0: none. */
void datapath_room(const struct datapath *dp, __u32 *open, __u32 *half_open);

/* The ring buffer of struct trace_event; owned by the datapath. */
int datapath_events_fd(const struct datapath *dp);

/* Adds up one port's counters over all CPUs. 0 or -errno. */
int datapath_counters(const struct datapath *dp, int index, struct port_counters *sum);

/* The table of connections, for as long as the datapath is open. */
const struct flows *datapath_flows(const struct datapath *dp);

/* Forgets the connections that are over; to be called about once a second while observing. 0 or -errno. */
int datapath_sweep(struct datapath *dp, const struct flows_sweep *sweep);

/* How many connections datapath_sweep() has taken out of the table. From any thread. */
__u64 datapath_swept(const struct datapath *dp);

/* Makes the kernel resolve the next hops that the forward stage lacked since the last call. */
void datapath_ask_neighbours(struct datapath *dp);

/* Whether a frame's fate after the redirect is known: the kernel has BTF, so the tracepoints could be
 * attached. */
bool datapath_sees_xmit(const struct datapath *dp);

/* Stops the frames: detaches all programs, so that the counters stand still. The maps stay until
 * datapath_close(). */
void datapath_detach(struct datapath *dp);

/* Detaches and frees in the reverse order. NULL is allowed. */
void datapath_close(struct datapath *dp);

#endif
