// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whose sockets are at the ends of a connection.
 *
 * Only the caller of connect() and of listen() runs in the context of its process; what follows happens in softirq, on
 * behalf of whoever was interrupted. So the socket itself remembers its owner, in its local storage: a child that a
 * listener takes in inherits the listener's, whichever of several listeners on one port it is. When the addresses and
 * ports are known (at connect() the local port is not yet) the owner is published by them, for userspace.
 *
 * An object of its own, as xmit.bpf.c is: it reads the kernel's types.
 */
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "xdplife/owner.h"

#define SOCKET_AF_INET   2
#define SOCKET_AF_INET6  10
#define MAX_PIDNS_LEVEL  32 /* the kernel nests no deeper */
#define TASK_IS_KTHREAD  0x00200000
#define PUBLISHED_OWNERS 65536
#define INIT_PID         1 /* holds what services are started with (socket activation) */

/* Of the states of a socket (RFC 9293 §3.3.2), those that we look for; the numbers are the kernel's. */
enum socket_state {
	STATE_SYN_SENT = 2,
	STATE_SYN_RECEIVED = 3,
	STATE_FIN_WAIT_1 = 4,
	STATE_CLOSED = 7,
	STATE_LAST_ACK = 9,
	STATE_LISTEN = 10,
};

/* The fields that we read of the kernel's own types; CO-RE finds them where this kernel has them. */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
	unsigned int inum;
};

struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	unsigned short skc_family;
	unsigned char skc_state;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
};

typedef struct {
	int owned;
} socket_lock_t;

struct sock {
	struct sock_common __sk_common;
	socket_lock_t sk_lock;
};

struct inet_sock {
	__be16 inet_sport;
};

struct inet_connection_sock {
	struct inet_sock icsk_inet;
};

struct tcp_sock {
	struct inet_connection_sock inet_conn;
};

struct socket {
	struct sock *sk;
};

struct pid_namespace {
	struct ns_common ns;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

struct kernfs_node {
	__u64 id;
};

struct cgroup {
	struct kernfs_node *kn;
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct task_struct {
	unsigned int flags;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	struct css_set *cgroups;
	char comm[OWNER_COMM_BYTES];
};

#pragma clang attribute pop

/* The observer's namespaces: sockets of its own network, processes by the numbers that it knows them by. */
const volatile __u32 netns_inum = 0;
const volatile __u32 pidns_inum = 0;

/* The owner that a socket remembers; gone with the socket. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct owner_record);
} socket_owner SEC(".maps");

/* Stays when the socket is gone: userspace comes later. The least recently used give way. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, PUBLISHED_OWNERS);
	__type(key, struct steer_key);
	__type(value, struct owner_record);
} owners SEC(".maps");

static __always_inline __u32 pid_of(struct task_struct *task)
{
	struct pid *pid = task->group_leader->thread_pid;
	const void *numbers = &pid->numbers;
	__u32 deepest = pid->level;

	for (__u32 level = 0; level <= MAX_PIDNS_LEVEL && level <= deepest; level++) {
		const struct upid *number = numbers + level * bpf_core_type_size(struct upid);

		if (BPF_CORE_READ(number, ns, ns.inum) == pidns_inum)
			return BPF_CORE_READ(number, nr);
	}
	return 0;
}

static __always_inline void describe(struct owner_record *record, struct task_struct *task,
				     enum owner_how how)
{
	__builtin_memset(record, 0, sizeof(*record));
	record->cgroup_id = task->cgroups->dfl_cgrp->kn->id;
	record->pid = pid_of(task);
	record->how = how;
	/* The process's name, not that of the thread that happened to make the call. */
	bpf_probe_read_kernel_str(record->comm, sizeof(record->comm), &task->group_leader->comm);
}

static __always_inline int is_ours(const struct sock *sk)
{
	return sk->__sk_common.skc_net.net->ns.inum == netns_inum;
}

/* An IPv6 socket that talks IPv4 (RFC 4291 §2.5.5.2): what passes the wire is IPv4, and so is its key. */
static __always_inline int is_mapped(const union ip_addr *addr)
{
	return !addr->word[0] && !addr->word[1] && addr->word[2] == TO_BE32(0xffff);
}

static __always_inline void ip6_ends(struct steer_key *key, const struct sock *sk)
{
	if (!bpf_core_field_exists(sk->__sk_common.skc_v6_daddr))
		return;
	bpf_probe_read_kernel(&key->remote, sizeof(key->remote), &sk->__sk_common.skc_v6_daddr);
	bpf_probe_read_kernel(&key->local, sizeof(key->local), &sk->__sk_common.skc_v6_rcv_saddr);
}

/* Return: 0; -1: the socket has no two ends (yet). */
static __always_inline int ends_of(struct steer_key *key, const struct sock *sk, const struct tcp_sock *tcp)
{
	__builtin_memset(key, 0, sizeof(*key));
	key->ip_version = 4;
	if (sk->__sk_common.skc_family == SOCKET_AF_INET6) {
		ip6_ends(key, sk);
		key->ip_version = is_mapped(&key->remote) ? 4 : 6;
	}
	if (key->ip_version == 4) {
		key->remote = (union ip_addr){.word = {sk->__sk_common.skc_daddr}};
		key->local = (union ip_addr){.word = {sk->__sk_common.skc_rcv_saddr}};
	}
	key->remote_port = sk->__sk_common.skc_dport;
	key->local_port = tcp->inet_conn.icsk_inet.inet_sport;
	return key->remote_port && key->local_port ? 0 : -1;
}

/* This process is the owner of the socket that it is working on. Return: what the socket remembers; NULL: no memory. */
static __always_inline struct owner_record *remember(struct sock *sk, enum owner_how how, __u64 since_ns)
{
	struct owner_record record, *remembered;

	describe(&record, bpf_get_current_task_btf(), how);
	record.since_ns = since_ns;
	remembered = bpf_sk_storage_get(&socket_owner, sk, &record, BPF_SK_STORAGE_GET_F_CREATE);
	if (remembered)
		*remembered = record;
	return remembered;
}

/* The ends are known from here on. */
static __always_inline void publish(struct sock *sk, const struct steer_key *key, int from)
{
	struct owner_record *remembered = bpf_sk_storage_get(&socket_owner, sk, 0, 0);

	if (!remembered)
		return;
	if (remembered->how == OWNER_HELD && from == STATE_SYN_RECEIVED)
		remembered->how = OWNER_LISTENED; /* inherited: what was held is the listener */
	bpf_map_update_elem(&owners, key, remembered, BPF_ANY);
}

/* The last to hold an accepted socket knows better whose it is than the listener did: a worker, not its master. */
static __always_inline void closing(struct sock *sk, const struct steer_key *key)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct owner_record *remembered;

	/* Not in softirq, and not in a kernel thread that closes what others have left. */
	if (!sk->sk_lock.owned || task->flags & TASK_IS_KTHREAD)
		return;
	remembered = bpf_sk_storage_get(&socket_owner, sk, 0, 0);
	if (remembered && (remembered->how != OWNER_LISTENED || remembered->pid == pid_of(task)))
		return;
	remembered = remember(sk, OWNER_CLOSED, remembered ? remembered->since_ns : 0);
	if (remembered)
		bpf_map_update_elem(&owners, key, remembered, BPF_ANY);
}

static __always_inline void mark_closed(const struct steer_key *key)
{
	struct owner_record *published = bpf_map_lookup_elem(&owners, key);

	if (published)
		published->closed_ns = bpf_ktime_get_ns();
}

/* What a socket comes to tells that its ends are known, or that its process lets it go. */
static __always_inline void follow(struct sock *sk, const struct tcp_sock *tcp, int from, int to)
{
	int begins = from == STATE_SYN_SENT || from == STATE_SYN_RECEIVED;
	int ends = to == STATE_FIN_WAIT_1 || to == STATE_LAST_ACK || to == STATE_CLOSED;
	struct steer_key key;

	if ((!begins && !ends) || ends_of(&key, sk, tcp))
		return;
	if (begins)
		publish(sk, &key, from);
	if (ends)
		closing(sk, &key);
	if (to == STATE_CLOSED)
		mark_closed(&key);
}

/* Arguments: const struct sock *, int from, int to */
SEC("tp_btf/inet_sock_set_state")
int xdplife_state(const __u64 *args)
{
	struct sock *sk = (struct sock *)args[0];
	struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk);
	int from = (int)args[1], to = (int)args[2];

	if (!tcp || !is_ours(sk) || from == STATE_LISTEN)
		return 0;
	if (to == STATE_SYN_SENT)
		remember(sk, OWNER_CONNECTED, bpf_ktime_get_ns());
	else if (to == STATE_LISTEN)
		remember(sk, OWNER_LISTENED, bpf_ktime_get_ns());
	else
		follow(sk, tcp, from, to);
	return 0;
}

/* Who holds a socket that is older than our look: the first that we meet, but init only where nobody else does. */
static __always_inline struct owner_record *holder(struct sock *sk, struct task_struct *task)
{
	struct owner_record record, *remembered;

	describe(&record, task, OWNER_HELD);
	remembered = bpf_sk_storage_get(&socket_owner, sk, &record, BPF_SK_STORAGE_GET_F_CREATE);
	if (remembered && remembered->how == OWNER_HELD && remembered->pid == INIT_PID)
		*remembered = record;
	return remembered;
}

/*
 * Every open file of every process, in the order of process numbers, for the sockets that we have not seen come into
 * being, and for the ports of those that wait for an answer to their SYN.
 * Arguments: struct bpf_iter_meta *, struct task_struct *, unsigned int fd, struct file *
 */
SEC("iter/task_file")
int xdplife_files(const __u64 *args)
{
	struct task_struct *task = (struct task_struct *)args[1];
	struct file *file = (struct file *)args[3];
	struct owner_record *remembered;
	struct socket *socket;
	struct tcp_sock *tcp;
	struct steer_key key;

	if (!task || !file)
		return 0;
	socket = bpf_sock_from_file(file);
	if (!socket)
		return 0;
	tcp = bpf_skc_to_tcp_sock(socket->sk);
	if (!tcp || !is_ours(socket->sk))
		return 0;
	remembered = holder(socket->sk, task);
	if (!remembered || socket->sk->__sk_common.skc_state == STATE_CLOSED)
		return 0;
	if (!ends_of(&key, socket->sk, tcp))
		bpf_map_update_elem(&owners, &key, remembered, BPF_ANY);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
