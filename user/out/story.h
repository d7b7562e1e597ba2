/* SPDX-License-Identifier: GPL-2.0-only */
/* What a connection event means, in words: shared by the text, the JSON and the comments in a capture. */
#ifndef XDPLIFE_STORY_H
#define XDPLIFE_STORY_H

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

/* Whether the sender of the packet is the client of its connection; the first seen if nobody knows. */
int story_from_client(const struct trace_event *event);

/* What is worth saying of this event (a TCP_EVENT_INDEX_*) beside its name. */
void story_detail(char *text, size_t bytes, const struct trace_event *event, enum tcp_event_index index);

#endif
