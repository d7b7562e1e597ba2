/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Nothing vanishes: the sums over all ports that must be equal, and what is left over if they are not.
 *
 *   seen   = forwarded + steered + passed{reason} + dropped{reason}
 *   observed = seen + egress = tracked + not tracked{reason}      of an observer
 *   events = delivered + lost{reason}
 */
#ifndef XDPLIFE_LEDGER_H
#define XDPLIFE_LEDGER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "datapath/datapath.h"

struct ledger {
	struct port_counters total;
	__u64 class[CLASS_COUNT]; /* frames by class; what failed after a redirect has moved to dropped */
	__u64 delivered;          /* events */
	__u64 lost;
	bool live; /* else of a capture file: it has neither verdicts nor a ring buffer */
	bool sees_xmit;
	bool native; /* all ports: only then does the kernel tell of each redirect */
};

/* Reads the counters; at rest, after datapath_detach() and events_drain(). Return: 0 or -errno. */
int ledger_read(struct ledger *ledger, const struct datapath *dp, __u64 delivered);

/* Of a file, by the offline engine. @delivered: events */
void ledger_of_file(struct ledger *ledger, const struct port_counters *total, __u64 delivered);

/* Frames, events, redirects that are not accounted for; 0 is right. */
__s64 ledger_frame_residue(const struct ledger *ledger);
__s64 ledger_observed_residue(const struct ledger *ledger);
__s64 ledger_event_residue(const struct ledger *ledger);
__s64 ledger_redirect_residue(const struct ledger *ledger);
bool ledger_closes(const struct ledger *ledger);

void ledger_print(const struct ledger *ledger, FILE *out);
json_t *ledger_json(const struct ledger *ledger);

/* On standard output, as text or as one line of JSON. */
void ledger_show(const struct ledger *ledger, bool json);

#endif
