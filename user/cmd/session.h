/* SPDX-License-Identifier: GPL-2.0-only */
/* What `trace` and `forward` share: their options, the loop from the ring buffer to the sinks, the ledger at
 * the end. */
#ifndef XDPLIFE_SESSION_H
#define XDPLIFE_SESSION_H

#include <argp.h>
#include <stdbool.h>

#include "cmd/sums.h"
#include "datapath/datapath.h"
#include "out/rotation.h"
#include "out/sink.h"

#define ROUTER_PORTS 2 /* the fewest that there is something to route between */

struct session_options {
	bool events;  /* show what happens to connections; `forward` without --trace does not */
	bool packets; /* show every packet */
	bool json;
	bool explain; /* each event */
	bool names;   /* of hosts and services */
	enum time_style time_style;
	const char *write;                    /* pcapng file; NULL: none */
	struct rotation_options rotation;     /* of it */
	bool strict;                          /* lost events are a failure */
	unsigned int max_open, max_half_open; /* connections that are followed; 0: the usual number */
	double duration_s;                    /* 0: until a signal */
	unsigned long count;                  /* events, packets with them, to stop after; 0: no limit */
	struct sums_options sums;
	const char *command_line;
};

/* An argp child whose input is a struct session_options; the parent sets state->child_inputs. */
extern const struct argp session_argp;

/* A summary or a table takes the place of the lines, unless every packet is wanted too. */
bool session_shows_events(const struct session_options *options);

/**
 * session_run() - attach to the interfaces, show what happens there, end with the ledger
 * @datapath:  the stages that the command wants; the observer's are added here
 * @ifnames:   NULL-terminated
 * @announce:  printed on stderr when everything is attached: "forwarding on"
 *
 * Return: an exit_code; errors have been said and nothing is left attached.
 */
int session_run(const struct session_options *options, struct datapath_options datapath, char *const *ifnames,
		const char *announce);

#endif
