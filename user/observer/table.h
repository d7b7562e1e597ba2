/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The connections of a capture file: what the BPF map `flows` is to live traffic.
 *
 * Hostile keys are spread by a keyed hash, and half-open connections are bounded as in the kernel: beyond the bound each
 * new one takes the place of the one that came longest ago.
 */
#ifndef XDPLIFE_TABLE_H
#define XDPLIFE_TABLE_H

#include <stdbool.h>

#include "xdplife/flow.h"
#include "xdplife/tcp_track.h"

struct table;

struct table_entry {
	struct flow_key key;
	__u32 hash;
	struct tcp_track track;
	bool open; /* both its ends have been heard: table_promote() */
	bool used;
	struct table_entry *next;          /* of the same bucket; or of the free ones */
	struct table_entry *newer, *older; /* half-open: in the order of their coming */
};

/* @max_open, @max_half_open: at least 1. NULL: no memory. */
struct table *table_new(__u32 max_open, __u32 max_half_open);
void table_free(struct table *table);

/* Return: NULL if it is not there. Valid until that entry is removed. */
struct table_entry *table_find(struct table *table, const struct flow_key *key);

/* The connection that a packet of @from belongs to whose key leads to none, if it is a reply with other tags (flow.h). */
struct table_entry *table_find_reply(struct table *table, const struct flow_key *key, flow_end from);

/* A tagged SYN has made the connection with this key: for table_find_reply(). */
void table_note_syn_tags(struct table *table, const struct flow_key *key);

/**
 * table_add() - one more connection, half-open
 * @evicted: filled with what it has pushed out, if it has: used is set
 *
 * Return: the entry, its track zero; NULL with errno set.
 */
struct table_entry *table_add(struct table *table, const struct flow_key *key, struct table_entry *evicted);

/* Both ends of the connection have been heard. If there is no room for another open one, it stays half-open. */
void table_promote(struct table *table, struct table_entry *entry);

/* All entries in turn; @at: 0 at first. NULL: no more. The entry may be removed before the next is asked for. */
struct table_entry *table_next(struct table *table, size_t *at);
void table_remove(struct table *table, struct table_entry *entry);

__u32 table_count(const struct table *table);

#endif
