/* SPDX-License-Identifier: GPL-2.0-only */
/* The texts and keys of counters.h: what people read, and what JSON, metrics and scripts use. */
#ifndef XDPLIFE_NAMES_H
#define XDPLIFE_NAMES_H

#include "xdplife/counters.h"
#include "xdplife/tcp_track.h"

/* A number beyond the list (from a newer or damaged record) gives "unknown", never NULL. */
const char *malformed_text(enum malformed malformed); /* "ends inside the TCP header" */
const char *malformed_key(enum malformed malformed);  /* "tcp-truncated" */

const char *verdict_text(enum verdict verdict); /* "routed: TTL decremented, ..." */
const char *verdict_key(enum verdict verdict);  /* "forward" */
enum verdict_class verdict_class(enum verdict verdict);
const char *verdict_class_key(enum verdict_class class); /* "forwarded", "steered", "passed", "dropped" */

const char *observed_text(enum observed observed);
const char *observed_key(enum observed observed);

const char *event_outcome_text(enum event_outcome outcome);
const char *event_outcome_key(enum event_outcome outcome);

const char *after_redirect_text(enum after_redirect after);
const char *after_redirect_key(enum after_redirect after);

const char *tcp_event_text(enum tcp_event_index event); /* "SYN-ACK again" */
const char *tcp_event_key(enum tcp_event_index event);  /* "syn-ack-retransmit" */

const char *fate_key(enum fate fate);       /* "closed-by-client" */
const char *fate_text(enum fate fate);      /* "the client first" */
const char *ending_key(enum ending ending); /* "closed" */
const char *ending_text(enum ending ending);

#endif
