// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "command.h"
#include "net/tcp_segment.h"
#include "traffic/source_ports.h"
#include "util/log.h"

#define OTHER_FILES 64 /* open besides the ports' sockets */

struct source_ports {
	unsigned int count;
	struct source_port *all;
	struct source_port **resting; /* a ring with room for all */
	unsigned int first, resting_count;
};

/* Each port is held by a file. Where the limit may not be raised, the first port beyond it says so. */
static void allow_files(unsigned int files)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= files)
		return;
	limit.rlim_cur = limit.rlim_max < files ? limit.rlim_max : files;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int bind_port(struct source_ports *ports, const struct net_path *path, unsigned int wanted)
{
	struct source_port *port = &ports->all[ports->count];

	port->fd = path_bind_port(path, &port->number);
	if (port->fd < 0) {
		log_error("fewer ports; ulimit -n; sysctl net.ipv4.ip_local_port_range",
			  "source port %u of %u cannot be reserved: %s", ports->count + 1, wanted,
			  strerror(-port->fd));
		return EXIT_FAILED;
	}
	ports->count++;
	return EXIT_DONE;
}

int source_ports_open(struct source_ports **out, const struct net_path *path, unsigned int count)
{
	struct source_ports *ports = calloc(1, sizeof(*ports));
	int exit_code = EXIT_DONE;

	if (ports) {
		ports->all = calloc(count, sizeof(*ports->all));
		ports->resting = calloc(count, sizeof(struct source_port *));
	}
	if (!ports || !ports->all || !ports->resting) {
		log_error("fewer ports", "%s", strerror(ENOMEM));
		exit_code = EXIT_FAILED;
	}
	allow_files(count + OTHER_FILES);
	while (!exit_code && ports->count < count)
		exit_code = bind_port(ports, path, count);
	if (exit_code) {
		source_ports_close(ports);
		return exit_code;
	}
	for (unsigned int i = 0; i < count; i++)
		source_ports_put_back(ports, &ports->all[i]);
	*out = ports;
	return EXIT_DONE;
}

const struct source_port *source_ports_at(const struct source_ports *ports, unsigned int index)
{
	return &ports->all[index];
}

struct source_port *source_ports_take(struct source_ports *ports)
{
	struct source_port *port = ports->resting[ports->first];

	if (!ports->resting_count)
		return NULL;
	ports->first = (ports->first + 1) % ports->count;
	ports->resting_count--;
	return port;
}

void source_ports_put_back(struct source_ports *ports, struct source_port *port)
{
	ports->resting[(ports->first + ports->resting_count++) % ports->count] = port;
}

uint32_t source_port_isn(struct source_port *port, uint32_t clock_isn, uint32_t span)
{
	uint32_t isn = clock_isn;

	if (port->used && tcp_before(isn, port->next_isn))
		isn = port->next_isn;
	port->used = true;
	port->next_isn = isn + span + 1; /* beyond what the server expects next, not at it */
	return isn;
}

void source_ports_close(struct source_ports *ports)
{
	if (!ports)
		return;
	while (ports->count)
		close(ports->all[--ports->count].fd);
	free(ports->resting);
	free(ports->all);
	free(ports);
}
