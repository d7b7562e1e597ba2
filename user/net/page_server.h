/* SPDX-License-Identifier: GPL-2.0-only */
/* One page, made anew for each request, over HTTP: a thread and a socket of its own, and nothing else is served. */
#ifndef XDPLIFE_PAGE_SERVER_H
#define XDPLIFE_PAGE_SERVER_H

#include <stdio.h>

struct page_server;

struct page {
	const char *path; /* "/metrics" */
	/*
	 * Writes the page; called in the server's thread, never twice at once. @accept: what the client wants, "" if it
	 * does not say. Return: its content type; NULL: it cannot be made.
	 */
	const char *(*write)(void *context, const char *accept, FILE *out);
	void *context;
};

/**
 * page_server_open() - bind and serve
 * @where:  "127.0.0.1:9400", "[::1]:9400"; port 0: any that is free
 * @option: the option that @where is of, for messages
 * @page:   copied; its strings are borrowed
 *
 * Return: 0; an exit_code with the error and its cure said. Where it serves is said.
 */
int page_server_open(struct page_server **server, const char *where, const char *option,
		     const struct page *page);

/* No request is being answered any more. NULL is allowed. */
void page_server_close(struct page_server *server);

#endif
