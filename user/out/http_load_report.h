/* SPDX-License-Identifier: GPL-2.0-only */
/* What many HTTP exchanges came to: plain data, filled by traffic/http_load, and how it is told. */
#ifndef XDPLIFE_HTTP_LOAD_REPORT_H
#define XDPLIFE_HTTP_LOAD_REPORT_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "net/http_exchange.h"
#include "util/latency.h"

#define HTTP_LOAD_TARGET_BYTES (INET6_ADDRSTRLEN + sizeof("[]:65535"))

/* The classes of the final status (RFC 9110 §15); X(name, key). */
#define HTTP_LOAD_STATUSES(X)                                                                                \
	X(SUCCESSFUL, "2xx")                                                                                 \
	X(REDIRECTION, "3xx")                                                                                \
	X(CLIENT_ERROR, "4xx")                                                                               \
	X(SERVER_ERROR, "5xx")                                                                               \
	X(OTHER, "other")

#define HTTP_LOAD_STATUS_ENUM(name, key) HTTP_LOAD_##name,
enum http_load_status { HTTP_LOAD_STATUSES(HTTP_LOAD_STATUS_ENUM) HTTP_LOAD_STATUS_COUNT };

/* X(name, key, text): the times that are taken of each exchange that got so far. */
#define HTTP_LOAD_TIMES(X)                                                                                   \
	X(DELAY, "delay", "start delay", "from when it was due to its SYN: needs a rate")                    \
	X(HANDSHAKE, "handshake", "handshake", "from SYN to SYN-ACK")                                        \
	X(FIRST_BYTE, "first_byte", "first byte", "from SYN to the response's first byte")                   \
	X(LAST_BYTE, "last_byte", "last byte", "from SYN to the response's last byte")

#define HTTP_LOAD_TIME_ENUM(name, key, label, text) HTTP_LOAD_##name,
enum http_load_time { HTTP_LOAD_TIMES(HTTP_LOAD_TIME_ENUM) HTTP_LOAD_TIME_COUNT };

struct http_load_report {
	char ifname[IF_NAMESIZE];
	char target[HTTP_LOAD_TARGET_BYTES]; /* "10.0.2.2:80" */
	unsigned int connections;
	double rate_per_s; /* that was asked for; 0: as fast as the connections allow */
	bool native;       /* XDP in the driver, else generic (skb) mode */

	uint64_t elapsed_ns; /* from the first start to the last end */
	uint64_t open;       /* started and not ended yet: 0 at the end */
	/* exchanges: started = open + the sum of ended */
	uint64_t started;
	uint64_t ended[EXCHANGE_END_COUNT];
	uint64_t status[HTTP_LOAD_STATUS_COUNT]; /* of those that are complete */
	uint64_t late;                           /* started after they were due, for no connection was free */
	uint64_t missed;                         /* due, and never started for the same reason */
	uint64_t body_bytes;

	uint64_t frames_sent;
	uint64_t frames_received;
	uint64_t frames_stray;     /* of those received: for no open connection */
	uint64_t frames_dropped;   /* for us, but the sockets had no room */
	struct tcp_conn_stats tcp; /* added up over all connections but for srtt_ns, which is 0 */
	struct latency latency[HTTP_LOAD_TIME_COUNT];
};

uint64_t http_load_failed(const struct http_load_report *report); /* all causes but the interruption */
double http_load_completed_per_s(const struct http_load_report *report);

/* started - open - ended: anything but 0 is an error of ours. */
int64_t http_load_residue(const struct http_load_report *report);

void http_load_report_print(const struct http_load_report *report, FILE *out);

/* Return: to be freed by json_decref(); NULL without memory. */
json_t *http_load_report_json(const struct http_load_report *report);

#endif
