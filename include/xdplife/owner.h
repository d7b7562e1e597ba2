/* SPDX-License-Identifier: GPL-2.0-only */
/* Whose a local TCP socket is: the record that the kernel side keeps of it. */
#ifndef XDPLIFE_OWNER_H
#define XDPLIFE_OWNER_H

#include "flow.h"

#define OWNER_COMM_BYTES 16 /* TASK_COMM_LEN */

/* What makes the process the owner. */
enum owner_how {
	OWNER_CONNECTED, /* it called connect() */
	OWNER_LISTENED,  /* it listens: it called listen(), or held that socket before we looked */
	OWNER_CLOSED,    /* the accepted socket was in its hands when it was shut down or closed */
	OWNER_HELD,      /* the socket, older than our look, was among its open files */
};

/* Keyed by struct steer_key: a connection within one machine has two sockets, and an owner for each. */
struct owner_record {
	__u64 since_ns;  /* CLOCK_MONOTONIC: connect(), listen(); 0: before we looked */
	__u64 closed_ns; /* 0: the socket is open */
	__u64 cgroup_id; /* in the cgroup 2 hierarchy; its root where only version 1 is used */
	__u32 pid; /* of the process, as the observer's PID namespace numbers it; 0: it is not in there */
	__u8 how;  /* enum owner_how */
	__u8 _pad[3];
	char comm[OWNER_COMM_BYTES]; /* what the process calls itself: any bytes */
};

_Static_assert(sizeof(struct owner_record) == 48, "a map's value: no hidden padding");

#endif
