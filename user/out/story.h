/* SPDX-License-Identifier: GPL-2.0-only */
/* What a connection event means, in words: shared by the text, the JSON and the comments in a capture. */
#ifndef XDPLIFE_STORY_H
#define XDPLIFE_STORY_H

#include <stdbool.h>
#include <stddef.h>

#include "xdplife/event.h"

#define STORY_ENDPOINT_BYTES 56 /* "[ffff:...:ffff]:65535" */
#define STORY_DETAIL_BYTES   256

/* "10.0.1.2:40000", "[fd00:1::2]:80" */
void story_endpoint(char *text, size_t bytes, const union ip_addr *addr, __be16 port, __u8 ip_version);

/* "1.234 ms", "87.50 µs", "3600 s": four digits in the unit that fits. */
void story_duration(char *text, size_t bytes, __u64 ns);

/* 0 if @from_ns has not happened, or if the two are not in order (merged captures, two CPUs). */
__u64 story_elapsed_ns(__u64 from_ns, __u64 to_ns);

/*
 * The end that is shown as the client: the one that opened the connection, or as long as nobody knows, the one with the
 * larger port, so that it is the same one in each event.
 */
flow_end story_client(const struct trace_event *event);

/* The end that is shown as the client has sent what the event is about. */
bool story_from_client(const struct trace_event *event);

/* The key of the connection that the event is about. */
struct flow_key story_key(const struct trace_event *event);

struct story_end {
	union ip_addr addr;
	__be16 port;
	__u8 ip_version;
};

struct story_end story_end(const struct trace_event *event, flow_end end);

/* Whether the packet that did it is an ICMP error, which neither end has sent. */
bool story_is_icmp(const struct trace_event *event);

/* "host unreachable (ICMP type 3 code 1)"; "" if no ICMP error has quoted its SYN. */
void story_icmp(char *text, size_t bytes, const struct trace_event *event);

/* "vlan 10.20, VXLAN 42 192.0.2.1 → 192.0.2.2"; "" if there is neither. */
void story_encapsulation(char *text, size_t bytes, const struct trace_event *event);
const char *story_tunnel_key(__u8 kind); /* "vxlan" */

/* What the SYN of an end offers: "mss 1460, wscale 7, sack, ts, ecn". */
void story_offer(char *text, size_t bytes, const struct tcp_side *side);
void story_offer_of(char *text, size_t bytes, const struct packet *syn);

/* "the client" */
const char *story_role(const struct trace_event *event, __u8 end);

/* What is worth saying of this event (a TCP_EVENT_INDEX_*) beside its name. */
void story_detail(char *text, size_t bytes, const struct trace_event *event, enum tcp_event_index index);

#endif
