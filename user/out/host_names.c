// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "out/host_names.h"
#include "util/siphash.h"
#include "util/terminal.h"

/* Direct-mapped: two hosts on one place take turns, and memory stays what it is. */
#define HOST_PLACES    4096
#define SERVICE_PLACES 1024
#define QUEUE_PLACES   256 /* questions that wait; a host that finds no place asks again with its next event */

enum answer {
	ANSWER_NOT_ASKED,
	ANSWER_AWAITED,
	ANSWER_NONE,
	ANSWER_NAME,
};

struct host {
	union ip_addr addr;
	__u8 ip_version;
	__u8 answer; /* enum answer */
	char name[HOST_NAME_BYTES];
};

struct service {
	__be16 port;
	bool asked;
	char name[SERVICE_NAME_BYTES]; /* "" if it has none */
};

struct question {
	union ip_addr addr;
	__u8 ip_version;
};

/* Shared with the thread, which may outlive the owner while the resolver waits: the last one frees it. */
struct host_names {
	pthread_mutex_t lock;
	pthread_cond_t asked;
	int holders;
	bool closing;
	host_resolver resolver;
	struct host hosts[HOST_PLACES];
	struct question queue[QUEUE_PLACES];
	unsigned int queued; /* how many have been put in and taken out, ever */
	unsigned int taken;
	struct service services[SERVICE_PLACES]; /* the owner's alone */
};

static int ask_resolver(char name[HOST_NAME_BYTES], const union ip_addr *addr, __u8 ip_version)
{
	struct sockaddr_in6 ip6 = {.sin6_family = AF_INET6};
	struct sockaddr_in ip4 = {.sin_family = AF_INET, .sin_addr.s_addr = addr->v4};
	char found[NI_MAXHOST];
	int err;

	memcpy(&ip6.sin6_addr, addr, sizeof(ip6.sin6_addr));
	if (ip_version == 6)
		err = getnameinfo((struct sockaddr *)&ip6, sizeof(ip6), found, sizeof(found), NULL, 0,
				  NI_NAMEREQD);
	else
		err = getnameinfo((struct sockaddr *)&ip4, sizeof(ip4), found, sizeof(found), NULL, 0,
				  NI_NAMEREQD);
	if (!err)
		terminal_safe(name, HOST_NAME_BYTES, found, strlen(found));
	return err;
}

static bool is_host(const struct host *host, const union ip_addr *addr, __u8 ip_version)
{
	return host->ip_version == ip_version && !memcmp(&host->addr, addr, sizeof(*addr));
}

static struct host *place_of(struct host_names *names, const union ip_addr *addr)
{
	static const uint8_t no_key[16];

	return &names->hosts[siphash(no_key, addr, sizeof(*addr)) % HOST_PLACES];
}

/* With the lock held. Frees everything if nobody else holds it; the lock is gone then. */
static void let_go(struct host_names *names)
{
	bool last = !--names->holders;

	pthread_mutex_unlock(&names->lock);
	if (!last)
		return;
	pthread_cond_destroy(&names->asked);
	pthread_mutex_destroy(&names->lock);
	free(names);
}

/* With the lock held, which is let go of meanwhile. */
static void answer_next(struct host_names *names)
{
	struct question question = names->queue[names->taken++ % QUEUE_PLACES];
	char name[HOST_NAME_BYTES];
	struct host *host;
	int err;

	pthread_mutex_unlock(&names->lock);
	err = names->resolver(name, &question.addr, question.ip_version);
	pthread_mutex_lock(&names->lock);
	host = place_of(names, &question.addr);
	if (!is_host(host, &question.addr, question.ip_version)) /* another has taken its place */
		return;
	host->answer = err ? ANSWER_NONE : ANSWER_NAME;
	if (!err)
		memcpy(host->name, name, sizeof(host->name));
}

static void *answer_questions(void *context)
{
	struct host_names *names = context;

	pthread_mutex_lock(&names->lock);
	while (!names->closing) {
		if (names->queued == names->taken)
			pthread_cond_wait(&names->asked, &names->lock);
		else
			answer_next(names);
	}
	let_go(names);
	return NULL;
}

/* Signals are for the thread that reads events: the resolver gets none. */
static int start_thread(struct host_names *names)
{
	sigset_t all, before;
	pthread_t thread;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	err = pthread_create(&thread, NULL, answer_questions, names);
	if (!err)
		pthread_detach(thread);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return err;
}

struct host_names *host_names_open(host_resolver resolver)
{
	struct host_names *names = calloc(1, sizeof(*names));
	int err;

	if (!names)
		return NULL;
	names->resolver = resolver ? resolver : ask_resolver;
	names->holders = 2;
	pthread_mutex_init(&names->lock, NULL);
	pthread_cond_init(&names->asked, NULL);
	err = start_thread(names);
	if (!err)
		return names;
	free(names);
	errno = err;
	return NULL;
}

/* With the lock held. */
static void ask(struct host_names *names, struct host *host, const union ip_addr *addr, __u8 ip_version)
{
	if (names->queued - names->taken == QUEUE_PLACES)
		return;
	*host = (struct host){.addr = *addr, .ip_version = ip_version, .answer = ANSWER_AWAITED};
	names->queue[names->queued++ % QUEUE_PLACES] =
		(struct question){.addr = *addr, .ip_version = ip_version};
	pthread_cond_signal(&names->asked);
}

bool host_names_find(struct host_names *names, const union ip_addr *addr, __u8 ip_version,
		     char name[HOST_NAME_BYTES])
{
	struct host *host;
	bool found;

	pthread_mutex_lock(&names->lock);
	host = place_of(names, addr);
	found = is_host(host, addr, ip_version) && host->answer == ANSWER_NAME;
	if (found)
		memcpy(name, host->name, HOST_NAME_BYTES);
	else if (!is_host(host, addr, ip_version))
		ask(names, host, addr, ip_version);
	pthread_mutex_unlock(&names->lock);
	return found;
}

/* Reads a file; once for each port, as long as no other takes its place. */
static void look_up(struct service *service, __be16 port)
{
	struct servent entry, *found = NULL;
	char text[1024];

	*service = (struct service){.port = port, .asked = true};
	if (!getservbyport_r(port, "tcp", &entry, text, sizeof(text), &found) && found)
		terminal_safe(service->name, sizeof(service->name), found->s_name, strlen(found->s_name));
}

bool host_names_service(struct host_names *names, __be16 port, char name[SERVICE_NAME_BYTES])
{
	struct service *service = &names->services[FROM_BE16(port) % SERVICE_PLACES];

	if (!service->asked || service->port != port)
		look_up(service, port);
	memcpy(name, service->name, sizeof(service->name));
	return *name;
}

void host_names_close(struct host_names *names)
{
	if (!names)
		return;
	pthread_mutex_lock(&names->lock);
	names->closing = true;
	pthread_cond_signal(&names->asked);
	let_go(names);
}
