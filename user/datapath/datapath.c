// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include "command.h"
#include "datapath/attach.h"
#include "datapath/datapath.h"
#include "datapath/filter_install.h"
#include "datapath/flows.h"
#include "datapath/loading.h"
#include "datapath/memory.h"
#include "datapath/preflight.h"
#include "datapath/route_cache.h"
#include "net/iface.h"
#include "net/neighbour.h"
#include "net/netns.h"
#include "util/log.h"
#include "xdplife.skel.h"
#include "xmit.skel.h"

#define IDLE_RING_BYTES 4096 /* the smallest ring buffer: one page */

struct port {
	struct datapath_port public;
	struct preflight preflight;
	struct xdplife_bpf *skel;
	int xdp_link; /* fd; -1: not attached */
	struct egress_link egress;
};

struct datapath {
	struct datapath_options options;
	struct xdplife_bpf *maps; /* owns the maps; its programs are not loaded */
	struct xmit_bpf *xmit;    /* the tracepoints; NULL: nothing is forwarded, or no kernel BTF */
	struct route_cache route_cache;
	__u32 route_pairs;
	__u32 flow_places; /* for connections */
	struct flows flows;
	struct filter_install *filter; /* NULL: everything is observed */
	bool frags;                    /* the kernel has multi-buffer XDP (5.18) */
	struct port port[CONFIG_MAX_PORTS];
	int port_count;
	__u64 swept; /* connections */
};

static __u32 flow_entries(const struct datapath *dp, __u32 wanted)
{
	if (!dp->options.observe)
		return 1;
	return wanted ? wanted : DATAPATH_MAX_FLOWS;
}

/* Of the connections. */
static int size_table(struct datapath *dp)
{
	struct xdplife_bpf *skel = dp->maps;
	int err;

	dp->flow_places =
		flow_entries(dp, dp->options.max_open) + flow_entries(dp, dp->options.max_half_open);
	err = bpf_map__set_max_entries(skel->maps.connections, dp->flow_places);
	if (!err)
		err = bpf_map__set_max_entries(skel->maps.flow_places, dp->flow_places);
	if (!err)
		err = bpf_map__set_max_entries(skel->maps.free_places, dp->flow_places);
	if (!err)
		err = bpf_map__set_max_entries(skel->maps.recent_places, flows_guesses(dp->flow_places));
	if (!err)
		err = bpf_map__set_max_entries(skel->maps.newcomers,
					       flow_entries(dp, dp->options.max_half_open));
	return err;
}

/* What a stage that is off would need is not paid for. */
static int size_maps(struct datapath *dp)
{
	struct xdplife_bpf *skel = dp->maps;
	bool events = dp->options.observe || dp->options.packets;
	int cpus = libbpf_num_possible_cpus(), err;

	if (cpus < 0)
		return cpus;
	err = bpf_map__set_max_entries(skel->maps.event_slots, events ? cpus : 1);
	if (!err)
		err = size_table(dp);
	if (!err && !dp->options.observe)
		err = bpf_map__set_max_entries(skel->maps.talkers, 1);
	if (!err && !dp->options.observe)
		err = bpf_map__set_max_entries(skel->maps.syn_tags, 1);
	dp->route_pairs = dp->options.forward ? route_cache_pairs(cpus) : 0;
	if (!err)
		err = bpf_map__set_max_entries(skel->maps.cached_routes,
					       dp->options.forward ? dp->route_pairs * cpus : 1);
	if (!err)
		err = bpf_map__set_max_entries(skel->maps.steered_flows,
					       dp->options.steer ? dp->options.steer : 1);
	if (!err && !events)
		err = bpf_map__set_max_entries(skel->maps.events, IDLE_RING_BYTES);
	return err;
}

static void autoload(struct xdplife_bpf *skel, bool xdp, bool egress)
{
	bpf_program__set_autoload(skel->progs.xdplife_xdp, xdp);
	bpf_program__set_autoload(skel->progs.xdplife_egress, egress);
}

/* Every map of @object is the one that dp->maps has created. */
static int share_maps(struct datapath *dp, struct bpf_object *object)
{
	struct bpf_map *map, *shared;

	bpf_object__for_each_map(map, object)
	{
		int err;

		if (bpf_map__is_internal(map))
			continue;
		shared = bpf_object__find_map_by_name(dp->maps->obj, bpf_map__name(map));
		err = bpf_map__reuse_fd(map, bpf_map__fd(shared));
		if (err)
			return err;
	}
	return 0;
}

static int load_maps(struct datapath *dp)
{
	int err;

	dp->maps = xdplife_bpf__open();
	if (!dp->maps)
		return -errno;
	err = size_maps(dp);
	if (err)
		return err;
	autoload(dp->maps, false, false);
	return xdplife_bpf__load(dp->maps);
}

/* For a router's ledger; an AF_XDP socket counts for itself what it could not take. */
static int load_xmit(struct datapath *dp)
{
	int err;

	if (!dp->options.forward)
		return 0;
	if (access("/sys/kernel/btf/vmlinux", R_OK)) {
		log_warn(NULL, "no kernel BTF: frames that are lost after a redirect cannot be counted");
		return 0;
	}
	dp->xmit = xmit_bpf__open();
	if (!dp->xmit)
		return -errno;
	dp->xmit->rodata->netns_inum = netns_inum();
	err = share_maps(dp, dp->xmit->obj);
	if (!err)
		err = xmit_bpf__load(dp->xmit);
	return err ? err : xmit_bpf__attach(dp->xmit);
}

static int install_filter(struct datapath *dp)
{
	int err = 0;

	if (dp->options.filter)
		err = filter_install_new(&dp->filter, dp->options.filter, dp->frags);
	if (!err)
		return 0;
	log_error("a simpler filter", "FILTER: the kernel cannot run it: %s", filter_install_why(err));
	return EXIT_USAGE;
}

int datapath_open(struct datapath **result, const struct datapath_options *options)
{
	struct datapath *dp;
	int err = preflight_privileges();

	if (err)
		return err;
	dp = calloc(1, sizeof(*dp));
	if (!dp)
		return EXIT_FAILED;
	dp->options = *options;
	dp->frags = preflight_has_frags();
	err = install_filter(dp);
	if (err) {
		datapath_close(dp);
		return err;
	}
	err = load_maps(dp);
	if (!err && options->forward)
		err = route_cache_start(&dp->route_cache, bpf_map__fd(dp->maps->maps.route_generation));
	if (!err)
		err = flows_open(&dp->flows, datapath_map_fd(dp, "connections"),
				 datapath_map_fd(dp, "flow_places"), datapath_map_fd(dp, "free_places"),
				 dp->flow_places);
	if (!err)
		err = load_xmit(dp);
	if (err) {
		log_error(preflight_load_cure(err), "the BPF maps could not be created: %s", strerror(-err));
		datapath_close(dp);
		return EXIT_NEEDS;
	}
	*result = dp;
	return 0;
}

static struct port_config port_config(const struct datapath *dp, const struct port *port)
{
	struct port_config config = {
		.ifindex = port->public.ifindex,
		.port = dp->port_count,
		.snap_bytes = dp->options.snap_bytes,
		.event_mask = dp->options.event_mask,
		.max_half_open = flow_entries(dp, dp->options.max_half_open),
		.observe = dp->options.observe,
		.packets = dp->options.packets,
		.steer = dp->options.steer > 0,
		.forward = dp->options.forward,
		.flow_places = dp->flow_places,
		.flow_guesses = flows_guesses(dp->flow_places),
		.route_pairs = dp->route_pairs,
		.rp_filter = port->preflight.rp_filter,
		.frags = dp->frags,
		.idle_turns = dp->options.idle_turns,
		.filter = dp->filter != NULL,
	};

	memcpy(config.mac, port->public.mac, sizeof(config.mac));
	return config;
}

static int load_programs(struct datapath *dp, struct port *port)
{
	bool events = dp->options.observe || dp->options.packets;
	struct port_config config = port_config(dp, port);
	int err;

	port->skel = xdplife_bpf__open();
	if (!port->skel)
		return -errno;
	err = share_maps(dp, port->skel->obj);
	if (err)
		return err;
	autoload(port->skel, true, events);
	/* .rodata is const for the program and so for the skeleton's header; until load it is ours to fill.
	 */
	memcpy((void *)&port->skel->rodata->cfg, &config, sizeof(config));
	if (!dp->frags)
		bpf_program__set_flags(port->skel->progs.xdplife_xdp, 0);
	loading_announce(port->skel->obj);
	return xdplife_bpf__load(port->skel);
}

static int load_port(struct datapath *dp, struct port *port)
{
	int err = filter_install_begin(dp->filter);

	if (!err)
		err = load_programs(dp, port);
	filter_install_end(dp->filter);
	return err;
}

/* Before the first frame: who is a port, and where frames may be redirected to. */
static int publish_port(struct datapath *dp, const struct port *port)
{
	struct bpf_devmap_val egress = {.ifindex = port->public.ifindex};
	__u32 ifindex = port->public.ifindex, number = dp->port_count;
	int err =
		bpf_map_update_elem(bpf_map__fd(dp->maps->maps.port_of_ifindex), &ifindex, &number, BPF_ANY);

	if (!err && dp->options.forward)
		err = bpf_map_update_elem(bpf_map__fd(dp->maps->maps.egress_ports), &ifindex, &egress,
					  BPF_ANY);
	return err;
}

static void port_withdraw(struct datapath *dp, struct port *port)
{
	bpf_map_delete_elem(bpf_map__fd(dp->maps->maps.egress_ports), &port->public.ifindex);
	bpf_map_delete_elem(bpf_map__fd(dp->maps->maps.port_of_ifindex), &port->public.ifindex);
}

static int port_attach(struct datapath *dp, struct port *port, bool loopback)
{
	int err = attach_xdp(bpf_program__fd(port->skel->progs.xdplife_xdp), port->public.name,
			     port->public.ifindex, &port->xdp_link, &port->public.native);

	/* What a loopback interface sends, it receives: XDP sees all of it. */
	if (err || loopback || !(dp->options.observe || dp->options.packets))
		return err;
	port->public.egress = !attach_egress(bpf_program__fd(port->skel->progs.xdplife_egress),
					     port->public.name, port->public.ifindex, &port->egress);
	return 0; /* without it the other half still works; attach_egress() has said what is missing */
}

static void port_detach(struct port *port)
{
	detach_egress(&port->egress);
	if (port->xdp_link >= 0)
		close(port->xdp_link);
	port->xdp_link = -1;
}

static void port_close(struct datapath *dp, struct port *port)
{
	port_detach(port);
	port_withdraw(dp, port);
	xdplife_bpf__destroy(port->skel);
	preflight_undo(&port->preflight);
}

static int port_open(struct datapath *dp, struct port *port, const struct iface *iface)
{
	int err = preflight_port(&port->preflight, iface, dp->options.forward);

	if (err)
		return err;
	err = load_port(dp, port);
	if (!err)
		err = publish_port(dp, port);
	if (err) {
		log_error(preflight_load_cure(err), "%s: the BPF programs could not be loaded: %s",
			  iface->name, strerror(-err));
		return EXIT_NEEDS;
	}
	return port_attach(dp, port, iface->loopback);
}

static int add_port(struct datapath *dp, const char *ifname)
{
	struct port *port = &dp->port[dp->port_count];
	struct iface iface;
	int err = preflight_iface(ifname, &iface);

	if (err)
		return err;
	*port = (struct port){.public.ifindex = iface.index, .xdp_link = -1, .egress = EGRESS_LINK_NONE};
	memcpy(port->public.name, iface.name, sizeof(port->public.name));
	memcpy(port->public.mac, iface.mac, sizeof(port->public.mac));
	err = port_open(dp, port, &iface);
	if (err) {
		port_close(dp, port);
		return err;
	}
	dp->port_count++;
	return 0;
}

int datapath_add_ports(struct datapath *dp, char *const *ifnames)
{
	int err = preflight_names(ifnames);

	while (!err && *ifnames)
		err = add_port(dp, *ifnames++);
	return err;
}

int datapath_port_count(const struct datapath *dp)
{
	return dp->port_count;
}

const struct datapath_port *datapath_port(const struct datapath *dp, int index)
{
	return &dp->port[index].public;
}

int datapath_program(const struct datapath *dp, int index)
{
	return bpf_program__fd(dp->port[index].skel->progs.xdplife_xdp);
}

int datapath_egress_program(const struct datapath *dp, int index)
{
	const struct port *port = &dp->port[index];

	return port->public.egress ? bpf_program__fd(port->skel->progs.xdplife_egress) : -1;
}

int datapath_map_fd(const struct datapath *dp, const char *name)
{
	return bpf_object__find_map_fd_by_name(dp->maps->obj, name);
}

bool datapath_port_gone(const struct datapath *dp, int index)
{
	return attach_xdp_is_off(dp->port[index].xdp_link);
}

int datapath_steer(struct datapath *dp, const struct steer_key *key)
{
	__u64 frames = 0;

	return bpf_map_update_elem(bpf_map__fd(dp->maps->maps.steered_flows), key, &frames, BPF_ANY);
}

int datapath_xsk_map_fd(const struct datapath *dp)
{
	return bpf_map__fd(dp->maps->maps.xsks);
}

__u64 datapath_memory(const struct datapath *dp)
{
	return memory_of_maps(dp->maps->obj);
}

void datapath_room(const struct datapath *dp, __u32 *open, __u32 *half_open)
{
	*open = dp->options.observe ? flow_entries(dp, dp->options.max_open) : 0;
	*half_open = dp->options.observe ? flow_entries(dp, dp->options.max_half_open) : 0;
}

int datapath_events_fd(const struct datapath *dp)
{
	return bpf_map__fd(dp->maps->maps.events);
}

int datapath_counters(const struct datapath *dp, int index, struct port_counters *sum)
{
	int cpus = libbpf_num_possible_cpus();
	struct port_counters *each;
	__u32 key = index;
	int err;

	if (cpus < 0)
		return cpus;
	each = calloc(cpus, sizeof(*sum));
	if (!each)
		return -ENOMEM;
	err = bpf_map_lookup_elem(bpf_map__fd(dp->maps->maps.counters), &key, each);
	memset(sum, 0, sizeof(*sum));
	for (int i = 0; !err && i < cpus; i++)
		port_counters_add(sum, &each[i]);
	free(each);
	return err;
}

const struct flows *datapath_flows(const struct datapath *dp)
{
	return &dp->flows;
}

int datapath_sweep(struct datapath *dp, const struct flows_sweep *sweep)
{
	int removed = flows_sweep(&dp->flows, sweep);

	if (removed < 0)
		return removed;
	__atomic_add_fetch(&dp->swept, removed, __ATOMIC_RELAXED);
	return 0;
}

__u64 datapath_swept(const struct datapath *dp)
{
	return __atomic_load_n(&dp->swept, __ATOMIC_RELAXED);
}

void datapath_ask_neighbours(struct datapath *dp)
{
	int map = bpf_map__fd(dp->maps->maps.unresolved);
	__u32 left = dp->options.forward ? bpf_map__max_entries(dp->maps->maps.unresolved) : 0;
	struct next_hop hop;

	while (left-- > 0 && !bpf_map_get_next_key(map, NULL, &hop)) {
		bpf_map_delete_elem(map, &hop);
		neighbour_ask(hop.ifindex, hop.ip_version, &hop.addr);
	}
}

bool datapath_sees_xmit(const struct datapath *dp)
{
	return dp->xmit != NULL;
}

void datapath_detach(struct datapath *dp)
{
	for (int i = dp->port_count - 1; i >= 0; i--)
		port_detach(&dp->port[i]);
}

void datapath_close(struct datapath *dp)
{
	if (!dp)
		return;
	while (dp->port_count > 0)
		port_close(dp, &dp->port[--dp->port_count]);
	flows_close(&dp->flows);
	route_cache_stop(&dp->route_cache);
	xmit_bpf__destroy(dp->xmit);
	xdplife_bpf__destroy(dp->maps);
	filter_install_free(dp->filter);
	free(dp);
}
