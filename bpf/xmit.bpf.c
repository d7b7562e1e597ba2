// SPDX-License-Identifier: GPL-2.0-only
/*
 * What became of a frame after XDP_REDIRECT: only tracepoints tell. A frame that the egress interface or the
 * socket did not take is gone without a trace in the program that sent it there.
 *
 * An object of its own: it reads the kernel's types, for which libbpf goes through all of the kernel's BTF, and the
 * programs that each port loads need none of that.
 */
#include "maps.h"

/* The fields that we read of the kernel's own types; CO-RE finds them where this kernel has them. */
struct ns_common {
	unsigned int inum;
} __attribute__((preserve_access_index));

struct net {
	struct ns_common ns;
} __attribute__((preserve_access_index));

typedef struct {
	struct net *net;
} possible_net_t;

struct net_device {
	int ifindex;
	possible_net_t nd_net;
} __attribute__((preserve_access_index));

/* The tracepoints fire for every network namespace, and interface numbers repeat there. */
const volatile __u32 netns_inum = 0;

/* Not 0: only frames that this process sends back by the interface that it has them from, as live frames are. */
const volatile __u32 sender_tgid = 0;
const volatile __u64 sender_pidns_dev = 0, sender_pidns_ino = 0; /* where that number is its */

static __always_inline int is_sender(void)
{
	struct bpf_pidns_info info;

	return !sender_tgid ||
	       (!bpf_get_ns_current_pid_tgid(sender_pidns_dev, sender_pidns_ino, &info, sizeof(info)) &&
		info.tgid == sender_tgid);
}

static __always_inline struct port_counters *counters_of_device(const struct net_device *dev)
{
	__u32 ifindex = dev->ifindex, *port;

	if (dev->nd_net.net->ns.inum != netns_inum)
		return 0;
	port = bpf_map_lookup_elem(&port_of_ifindex, &ifindex);
	return port ? bpf_map_lookup_elem(&counters, port) : 0;
}

/*
 * A batch of redirected frames was handed to the egress driver.
 * Arguments: const struct net_device *from, const struct net_device *to, int sent, int drops, int err
 */
SEC("tp_btf/xdp_devmap_xmit")
int xdplife_xmit(const __u64 *args)
{
	struct port_counters *count = counters_of_device((const struct net_device *)args[0]);

	if (count && is_sender() && (!sender_tgid || args[0] == args[1])) {
		count->xmit_sent += (int)args[2];
		count->after[AFTER_EGRESS] += (int)args[3];
	}
	return 0;
}

/*
 * A redirect failed before it got that far: interface down, frame larger than its MTU, the socket's ring
 * full. Arguments: const struct net_device *dev, const struct bpf_prog *, const void *target, int err, enum
 * bpf_map_type
 */
SEC("tp_btf/xdp_redirect_err")
int xdplife_rederr(const __u64 *args)
{
	struct port_counters *count = counters_of_device((const struct net_device *)args[0]);

	if (count && is_sender())
		count->after[(int)args[4] == BPF_MAP_TYPE_XSKMAP ? AFTER_SOCKET : AFTER_EGRESS]++;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
