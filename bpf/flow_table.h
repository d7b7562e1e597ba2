/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of connections: each has a place in the array `connections` for as long as it is followed, and `flow_places`
 * leads from its key to it. In front of that, `recent_places` guesses the place by some bits of the key, without a call; a
 * guess is right if the key is the one in the place.
 *
 * A place that is found may become somebody else's at any time: flow_hold() makes sure of it.
 */
#ifndef XDPLIFE_BPF_FLOW_TABLE_H
#define XDPLIFE_BPF_FLOW_TABLE_H

#include "bounds.h"
#include "hash.h"
#include "maps.h"
#include "xdplife/observed.h"

#define FLOW_MAX_TRIES                                                                                       \
	(1 << 20) /* some milliseconds: who holds it may have been interrupted, or lost its CPU */

/* --- holding a place, so that nobody else changes it --- */

/*
 * Not by bpf_spin_lock(): its two calls cost more than all that is done to a plain segment, and no function may be called
 * between them (before 6.13). No program waits here for one that it has interrupted: both hooks run with softirqs off.
 */
static __always_inline int flow_try(struct flow_entry *flow)
{
	return !__sync_val_compare_and_swap(&flow->held, 0, 1);
}

/* What was changed is seen before it: x86 keeps the order of stores, others need a full barrier. */
static __always_inline void flow_release(struct flow_entry *flow)
{
#ifdef __TARGET_ARCH_x86
	asm volatile("" ::: "memory");
	*(volatile __u32 *)&flow->held = 0;
#else
	__sync_lock_test_and_set(&flow->held, 0);
#endif
}

struct flow_wait {
	struct flow_entry *flow;
	__u32 done;
};

static long flow_try_again(__u32 turn, struct flow_wait *wait)
{
	(void)turn;
	wait->done = flow_try(wait->flow);
	return wait->done;
}

/* Whosever it is. Return: whether it is held now; if not, somebody has held it for too long. */
static __always_inline int flow_hold_any(struct flow_entry *flow)
{
	struct flow_wait wait = {.flow = flow};

	if (flow_try(flow))
		return 1;
	bpf_loop(FLOW_MAX_TRIES, flow_try_again, &wait, 0);
	return wait.done;
}

static __always_inline int flow_is_still(struct flow_entry *flow, const struct flow_key *key)
{
	if (flow_key_same(&flow->key, key))
		return 1;
	flow_release(flow);
	return 0;
}

/* Return: whether it is held now, and this connection's. */
static __always_inline int flow_hold(struct flow_entry *flow, const struct flow_key *key)
{
	return flow_hold_any(flow) && flow_is_still(flow, key);
}

/* --- finding a place --- */

static __always_inline struct flow_entry *flow_at(__u32 place)
{
	return bpf_map_lookup_elem(&connections, &place);
}

/* For spreading, not for safety: who makes two connections share a guess makes both as slow as without guesses. */
static __always_inline __u32 flow_hash(const struct flow_key *key)
{
	return hash_words(ip_addr_fold(&key->addr[0], key->ip_version),
			  ip_addr_fold(&key->addr[1], key->ip_version), key->port[0] << 16 | key->port[1]);
}

/* NULL: no such connection */
static __always_inline struct flow_entry *flow_find(const struct flow_key *key)
{
	__u32 slot = flow_hash(key) & (cfg.flow_guesses - 1), *guess, *place;
	struct flow_entry *flow;

	guess = bpf_map_lookup_elem(&recent_places, &slot);
	if (!guess)
		return 0;
	flow = flow_at(*guess);
	if (flow && flow_key_same(&flow->key, key))
		return flow;
	place = bpf_map_lookup_elem(&flow_places, key);
	if (!place)
		return 0;
	*guess = *place;
	return flow_at(*place);
}

/* --- giving and taking places --- */

static __always_inline void place_give_back(__u32 place)
{
	bpf_map_push_elem(&free_places, &place, BPF_ANY);
}

/* One that was given back, or that was never taken; it is past the end if there is none. */
static __always_inline __u32 place_take(void)
{
	__u32 zero = 0, place, *unused;

	if (!bpf_map_pop_elem(&free_places, &place))
		return place;
	unused = bpf_map_lookup_elem(&unused_places, &zero);
	if (!unused || *unused >= cfg.flow_places)
		return cfg.flow_places;
	return __sync_fetch_and_add(unused, 1);
}

/* Return: the connection's place, also if another CPU has been faster; NULL: there is no room. */
static __always_inline struct flow_entry *flow_add(struct port_counters *count, const struct flow_key *key)
{
	__u32 place = place_take();
	struct flow_entry *flow = flow_at(place);
	long err;

	if (!flow || !flow_hold_any(flow))
		return 0;
	flow->key = *key;
	__builtin_memset(&flow->track, 0, sizeof(flow->track));
	flow_release(flow);
	err = bpf_map_update_elem(&flow_places, key, &place, BPF_NOEXIST);
	if (!err) {
		count->opened++;
		return flow;
	}
	flow->key.ip_version = 0;
	place_give_back(place);
	return flow_find(key);
}

/* Return: whether the connection was there, only one end of it had been heard, and it is gone now. */
static __always_inline int flow_remove_half_open(const struct flow_key *key)
{
	__u32 *found = bpf_map_lookup_elem(&flow_places, key), place;
	struct flow_entry *flow;
	int proven;

	if (!found)
		return 0;
	place = *found;
	flow = flow_at(place);
	if (!flow || !flow_hold(flow, key))
		return 0;
	proven = tcp_track_is_proven(&flow->track);
	if (!proven)
		flow->key.ip_version = 0;
	flow_release(flow);
	if (proven)
		return 0;
	bpf_map_delete_elem(&flow_places, key);
	place_give_back(place);
	return 1;
}

#endif
