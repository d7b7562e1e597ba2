// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <net/if.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bench.skel.h"
#include "bench/device.h"
#include "command.h"
#include "datapath/attach.h"
#include "datapath/datapath.h"
#include "datapath/events.h"
#include "datapath/flows.h"
#include "datapath/ledger.h"
#include "datapath/loading.h"
#include "datapath/preflight.h"
#include "util/clock.h"
#include "util/log.h"

struct device {
	enum device_kind kind;
	unsigned int idle_turns;
	struct bench_bpf *redirect;
	int link; /* of the above; -1 */
	struct datapath *datapath;
	/* The observer's other half: somebody reads what it tells. */
	struct events *events;
	pthread_t reader;
	bool reading;
	bool stop; /* read by the reader */
};

static int open_redirect(struct device *device)
{
	const char *in = topology_ifname(PORT_R0), *out = topology_ifname(PORT_R1);
	bool native;
	int err;

	device->redirect = bench_bpf__open();
	if (!device->redirect)
		return EXIT_FAILED;
	*(__u32 *)&device->redirect->rodata->egress_ifindex = if_nametoindex(out);
	loading_announce(device->redirect->obj);
	err = bench_bpf__load(device->redirect);
	if (err) {
		log_error(preflight_load_cure(err), "the floor's program could not be loaded: %s",
			  strerror(-err));
		return EXIT_NEEDS;
	}
	return attach_xdp(bpf_program__fd(device->redirect->progs.xl_redirect), in, if_nametoindex(in),
			  &device->link, &native);
}

static int ignore(void *context, const struct trace_event *event, const __u8 *bytes)
{
	(void)context;
	(void)event;
	(void)bytes;
	return 0;
}

/* As `trace` does: takes what comes, and looks through the table of connections once a second. */
static void *read_events(void *context)
{
	struct device *device = context;
	uint64_t swept_ns = clock_monotonic_ns();

	while (!__atomic_load_n(&device->stop, __ATOMIC_RELAXED)) {
		uint64_t now_ns = clock_monotonic_ns();

		events_read(device->events);
		if (now_ns - swept_ns < NS_PER_S)
			continue;
		datapath_sweep(device->datapath, &(struct flows_sweep){.now_ns = now_ns, .handler = ignore});
		swept_ns = now_ns;
	}
	events_drain(device->events);
	return NULL;
}

static int start_reader(struct device *device)
{
	device->events = events_open(device->datapath, ignore, NULL);
	if (device->events)
		device->reading = !pthread_create(&device->reader, NULL, read_events, device);
	if (device->reading)
		return 0;
	log_error(NULL, "the bench's reader of events cannot be started");
	return EXIT_FAILED;
}

static int open_datapath(struct device *device)
{
	char *ifnames[] = {(char *)topology_ifname(PORT_R0), (char *)topology_ifname(PORT_R1), NULL};
	struct datapath_options options = {
		.observe = device->kind != DEVICE_FORWARD,
		.event_mask = TCP_EVENTS_ALL,
		.forward = true,
		.idle_turns = device->idle_turns,
	};
	int err = datapath_open(&device->datapath, &options);

	if (!err)
		err = datapath_add_ports(device->datapath, ifnames);
	return err || !options.observe ? err : start_reader(device);
}

static int open_kind(struct device *device)
{
	switch (device->kind) {
	case DEVICE_REDIRECT:
		return open_redirect(device);
	case DEVICE_FORWARD:
	case DEVICE_FORWARD_TRACE:
		return open_datapath(device);
	default:
		return 0;
	}
}

int device_open(struct device **result, enum device_kind kind, const struct topology *topology,
		unsigned int idle_turns)
{
	struct device *device = calloc(1, sizeof(*device));
	int err;

	if (!device)
		return EXIT_FAILED;
	device->kind = kind;
	device->idle_turns = idle_turns;
	device->link = -1;
	err = topology_enter(topology, NODE_ROUTER) ? EXIT_FAILED : open_kind(device);
	topology_leave(topology);
	if (err) {
		device_close(device);
		return err;
	}
	*result = device;
	return 0;
}

int device_program(const struct device *device)
{
	if (device->redirect)
		return bpf_program__fd(device->redirect->progs.xl_redirect);
	return device->datapath ? datapath_program(device->datapath, 0) : -1;
}

int device_ledger(const struct device *device, struct device_ledger *result)
{
	struct ledger ledger;
	int err;

	*result = (struct device_ledger){0};
	if (!device->datapath)
		return 0;
	err = ledger_read(&ledger, device->datapath, device->events ? events_delivered(device->events) : 0);
	*result = (struct device_ledger){
		.known = 1,
		.seen = ledger.total.seen,
		.forwarded = ledger.class[CLASS_FORWARDED],
		.passed = ledger.class[CLASS_PASSED],
		.failed = ledger.total.after[AFTER_EGRESS],
		.dropped = ledger.class[CLASS_DROPPED] - ledger.total.after[AFTER_EGRESS],
		.events = ledger.delivered,
		.events_lost = ledger.lost,
	};
	return err;
}

void device_close(struct device *device)
{
	if (!device)
		return;
	__atomic_store_n(&device->stop, true, __ATOMIC_RELAXED);
	if (device->reading)
		pthread_join(device->reader, NULL);
	events_close(device->events);
	datapath_close(device->datapath);
	if (device->link >= 0)
		close(device->link);
	bench_bpf__destroy(device->redirect);
	free(device);
}
