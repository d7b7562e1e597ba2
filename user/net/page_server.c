// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>

#include "command.h"
#include "net/page_server.h"
#include "util/log.h"

#define MAX_CONNECTIONS 16
#define TIMEOUT_S       10
#define BACKLOG         16
#define HOST_BYTES      64
#define PORT_BYTES      8

struct page_server {
	struct page page;
	struct MHD_Daemon *daemon;
	int socket; /* the daemon's, once there is one */
};

/* --- answering --- */

static enum MHD_Result reply(struct MHD_Connection *connection, unsigned int status, const char *type,
			     char *body, size_t bytes)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		bytes, body, status == MHD_HTTP_OK ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result reply_error(struct MHD_Connection *connection, unsigned int status)
{
	static char not_found[] = "not found; try: /metrics\n", not_allowed[] = "only GET and HEAD\n",
		    failed[] = "the sums could not be read\n";
	char *text = status == MHD_HTTP_NOT_FOUND            ? not_found
		     : status == MHD_HTTP_METHOD_NOT_ALLOWED ? not_allowed
							     : failed;

	return reply(connection, status, "text/plain; charset=utf-8", text, strlen(text));
}

static enum MHD_Result reply_page(struct page_server *server, struct MHD_Connection *connection)
{
	const char *accept = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);
	const char *type = NULL;
	char *body = NULL;
	size_t bytes = 0;
	FILE *out = open_memstream(&body, &bytes);

	if (out)
		type = server->page.write(server->page.context, accept ? accept : "", out);
	if (out && !fclose(out) && type)
		return reply(connection, MHD_HTTP_OK, type, body, bytes);
	free(body);
	return reply_error(connection, MHD_HTTP_INTERNAL_SERVER_ERROR);
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *upload,
				  size_t *upload_bytes, void **request)
{
	struct page_server *server = context;

	(void)version;
	(void)upload;
	if (!*request) { /* the first call is for the headers alone: an answer now would close the connection */
		*request = server;
		return MHD_YES;
	}
	if (*upload_bytes) { /* what comes with a POST is of no use */
		*upload_bytes = 0;
		return MHD_YES;
	}
	if (strcmp(url, server->page.path))
		return reply_error(connection, MHD_HTTP_NOT_FOUND);
	if (strcmp(method, MHD_HTTP_METHOD_GET) && strcmp(method, MHD_HTTP_METHOD_HEAD))
		return reply_error(connection, MHD_HTTP_METHOD_NOT_ALLOWED);
	return reply_page(server, connection);
}

/* --- opening --- */

/* ADDR:PORT or [ADDR]:PORT. Return: 0 or -EINVAL. */
static int split(const char *where, char host[HOST_BYTES], char port[PORT_BYTES])
{
	const char *colon = strrchr(where, ':');
	int bytes = colon ? (int)(colon - where) : 0, bracketed = *where == '[';

	if (bracketed && (bytes < 2 || where[bytes - 1] != ']'))
		return -EINVAL;
	where += bracketed;
	bytes -= 2 * bracketed;
	if (bytes < 1 || bytes >= HOST_BYTES || strlen(colon + 1) >= PORT_BYTES || !colon[1] ||
	    colon[1 + strspn(colon + 1, "0123456789")] || (!bracketed && memchr(where, ':', bytes)) ||
	    atol(colon + 1) > 65535)
		return -EINVAL;
	snprintf(host, HOST_BYTES, "%.*s", bytes, where);
	snprintf(port, PORT_BYTES, "%s", colon + 1);
	return 0;
}

static struct addrinfo *resolve(const char *where)
{
	const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
				       .ai_socktype = SOCK_STREAM};
	char host[HOST_BYTES], port[PORT_BYTES];
	struct addrinfo *address = NULL;

	if (split(where, host, port) || getaddrinfo(host, port, &hints, &address))
		return NULL;
	return address;
}

static int listen_at(const struct addrinfo *address)
{
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1, err;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes,
		   sizeof(yes)); /* so that it can be started again at once */
	if (!bind(fd, address->ai_addr, address->ai_addrlen) && !listen(fd, BACKLOG))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static int say_why(const char *where, const char *option, int err)
{
	const char *cure = err == -EADDRINUSE
				   ? "another port, or 0 for any that is free; ss -ltnp shows whose it is"
			   : err == -EADDRNOTAVAIL ? "an address of this machine: ip -br address"
			   : err == -EACCES        ? "a port above 1023"
						   : NULL;

	log_error(cure, "%s %s: %s", option, where,
		  err == -EADDRINUSE ? "the port is in use" : strerror(-err));
	return EXIT_FAILED;
}

static void say_where(const struct page_server *server)
{
	struct sockaddr_storage address;
	socklen_t bytes = sizeof(address);
	char host[HOST_BYTES], port[PORT_BYTES];

	if (getsockname(server->socket, (struct sockaddr *)&address, &bytes) ||
	    getnameinfo((struct sockaddr *)&address, bytes, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV))
		return;
	log_info(address.ss_family == AF_INET6 ? "metrics at http://[%s]:%s%s" : "metrics at http://%s:%s%s",
		 host, port, server->page.path);
}

/* Signals are for the main thread. */
static struct MHD_Daemon *start(struct page_server *server)
{
	struct MHD_Daemon *daemon;
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO, 0, NULL, NULL, on_request,
				  server, MHD_OPTION_LISTEN_SOCKET, server->socket,
				  MHD_OPTION_CONNECTION_LIMIT, MAX_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
				  TIMEOUT_S, MHD_OPTION_END);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return daemon;
}

int page_server_open(struct page_server **result, const char *where, const char *option,
		     const struct page *page)
{
	struct addrinfo *address = resolve(where);
	struct page_server *server = calloc(1, sizeof(*server));

	if (!address || !server) {
		if (!address)
			log_error("127.0.0.1:9400 or [::1]:9400", "%s %s: not an address and a port", option,
				  where);
		free(server);
		return address ? EXIT_FAILED : EXIT_USAGE;
	}
	server->page = *page;
	server->socket = listen_at(address);
	freeaddrinfo(address);
	if (server->socket >= 0)
		server->daemon = start(server);
	if (!server->daemon) {
		int err = say_why(where, option, server->socket < 0 ? server->socket : -errno);

		page_server_close(server);
		return err;
	}
	say_where(server);
	*result = server;
	return 0;
}

void page_server_close(struct page_server *server)
{
	if (!server)
		return;
	if (server->daemon)
		MHD_stop_daemon(server->daemon);
	else if (server->socket >= 0)
		close(server->socket);
	free(server);
}
