/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * HTTP load: many GETs over connections crafted by hand, each from SYN to FIN, through AF_XDP, with no part
 * of the kernel's TCP. One thread turns all connections.
 *
 * Each connection has a source port of its own; the ports are held against the kernel and used by turns
 * (source_ports.h). All go by one interface and one next hop. Bodies are read, counted and thrown away; that
 * they are whole is checked by their framing.
 */
#ifndef XDPLIFE_HTTP_LOAD_H
#define XDPLIFE_HTTP_LOAD_H

#include "net/url.h"
#include "out/http_load_report.h"

#define HTTP_LOAD_MAX_CONNECTIONS 16384
#define HTTP_LOAD_SPARE_PORTS     1024

struct http_load_options {
	const char *ifname; /* NULL: what the routing table says */
	const struct url *url;
	unsigned int connections; /* at once: 1 to HTTP_LOAD_MAX_CONNECTIONS */
	unsigned int ports;       /* source ports, no fewer; 0: HTTP_LOAD_SPARE_PORTS more */
	double rate_per_s; /* exchanges to start a second, from 0.001; 0: as fast as the connections allow */
	uint64_t count;    /* exchanges to start; 0: no limit */
	double duration_s; /* how long to start exchanges; 0: no limit */
	uint64_t timeout_ns; /* an exchange fails when nothing new came for so long */
	/* About ten times a second; may be NULL. */
	void (*progress)(void *context, const struct http_load_report *so_far);
	void *context;
};

/**
 * http_load_run() - start exchanges until count, duration or a signal (util/stop.h), and bring all to an end
 * @report: filled, whatever is returned; without a start it is empty (started is 0)
 *
 * At the end of count or duration, open exchanges go on; on a signal they are reset and count as interrupted.
 * What goes wrong has been said, and nothing is left attached.
 *
 * Return: EXIT_DONE; EXIT_FAILED if an exchange failed, or the interface; EXIT_NEEDS; EXIT_LEDGER if an
 * exchange that was started has no end.
 */
int http_load_run(const struct http_load_options *options, struct http_load_report *report);

#endif
