// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "observer/table.h"
#include "util/siphash.h"

#define FIRST_BUCKETS 1024
#define SYN_TAGS      16384 /* a power of two; as many as in bpf/maps.h */
#define CHUNK_ENTRIES 256   /* allocated at a time, so that the table grows without moving */

/* The tags of SYNs, by the key without them: a newer one takes the place. */
struct syn_tags {
	struct flow_key key;
	struct flow_tags tags;
};

struct table {
	__u8 secret[16];
	struct table_entry **bucket;
	__u32 buckets; /* a power of two */
	__u32 open, half_open, max_open, max_half_open;
	struct table_entry *free, *newest, *oldest;
	struct table_entry **chunk;
	size_t chunks;
	struct syn_tags *syn_tags; /* NULL until there is one */
};

struct table *table_new(__u32 max_open, __u32 max_half_open)
{
	struct table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->max_open = max_open;
	table->max_half_open = max_half_open;
	table->buckets = FIRST_BUCKETS;
	table->bucket = calloc(table->buckets, sizeof(struct table_entry *));
	if (table->bucket && getrandom(table->secret, sizeof(table->secret), 0) == sizeof(table->secret))
		return table;
	table_free(table);
	return NULL;
}

void table_free(struct table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->chunks; i++)
		free(table->chunk[i]);
	free(table->chunk);
	free(table->bucket);
	free(table->syn_tags);
	free(table);
}

static __u32 hash_of(const struct table *table, const struct flow_key *key)
{
	return siphash(table->secret, key, sizeof(*key));
}

static struct table_entry **bucket_of(const struct table *table, __u32 hash)
{
	return &table->bucket[hash & (table->buckets - 1)];
}

struct table_entry *table_find(struct table *table, const struct flow_key *key)
{
	__u32 hash = hash_of(table, key);
	struct table_entry *entry = *bucket_of(table, hash);

	while (entry && (entry->hash != hash || memcmp(&entry->key, key, sizeof(*key))))
		entry = entry->next;
	return entry;
}

static struct syn_tags *syn_tags_of(const struct table *table, const struct flow_key *key)
{
	return table->syn_tags ? &table->syn_tags[hash_of(table, key) & (SYN_TAGS - 1)] : NULL;
}

void table_note_syn_tags(struct table *table, const struct flow_key *key)
{
	struct flow_key bare = *key;
	struct syn_tags *syn;

	if (!table->syn_tags)
		table->syn_tags = calloc(SYN_TAGS, sizeof(*syn));
	flow_set_tags(&bare, NULL);
	syn = syn_tags_of(table, &bare);
	if (syn)
		*syn = (struct syn_tags){bare, flow_tags_of(key)};
}

struct table_entry *table_find_reply(struct table *table, const struct flow_key *key, flow_end from)
{
	const struct syn_tags *syn = flow_is_tagged(key) ? NULL : syn_tags_of(table, key);
	struct flow_key other = *key;
	struct table_entry *entry;

	if (!flow_is_tagged(key) && (!syn || memcmp(&syn->key, key, sizeof(*key))))
		return NULL;
	flow_set_tags(&other, syn ? &syn->tags : NULL);
	entry = table_find(table, &other);
	return entry && flow_is_reply(entry->track.client, from) ? entry : NULL;
}

static void link_bucket(struct table *table, struct table_entry *entry)
{
	struct table_entry **bucket = bucket_of(table, entry->hash);

	entry->next = *bucket;
	*bucket = entry;
}

static void unlink_bucket(struct table *table, struct table_entry *entry)
{
	struct table_entry **at = bucket_of(table, entry->hash);

	while (*at != entry)
		at = &(*at)->next;
	*at = entry->next;
}

static void link_newest(struct table *table, struct table_entry *entry)
{
	entry->newer = NULL;
	entry->older = table->newest;
	*(table->newest ? &table->newest->newer : &table->oldest) = entry;
	table->newest = entry;
	table->half_open++;
}

static void unlink_half_open(struct table *table, struct table_entry *entry)
{
	*(entry->newer ? &entry->newer->older : &table->newest) = entry->older;
	*(entry->older ? &entry->older->newer : &table->oldest) = entry->newer;
	table->half_open--;
}

/* Twice as many buckets; without memory for them the chains just get longer. */
static void grow_buckets(struct table *table)
{
	struct table_entry **bucket = calloc(2 * (size_t)table->buckets, sizeof(*bucket));
	size_t at = 0;

	if (!bucket)
		return;
	free(table->bucket);
	table->bucket = bucket;
	table->buckets *= 2;
	for (struct table_entry *entry; (entry = table_next(table, &at));)
		link_bucket(table, entry);
}

static int grow_entries(struct table *table)
{
	struct table_entry **chunk = reallocarray(table->chunk, table->chunks + 1, sizeof(*chunk));
	struct table_entry *entries;

	if (!chunk)
		return -ENOMEM;
	table->chunk = chunk;
	entries = calloc(CHUNK_ENTRIES, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	table->chunk[table->chunks++] = entries;
	for (int i = 0; i < CHUNK_ENTRIES; i++) {
		entries[i].next = table->free;
		table->free = &entries[i];
	}
	return 0;
}

struct table_entry *table_add(struct table *table, const struct flow_key *key, struct table_entry *evicted)
{
	struct table_entry *entry;

	evicted->used = false;
	if (table->half_open == table->max_half_open) {
		*evicted = *table->oldest;
		table_remove(table, table->oldest);
	}
	if (!table->free && grow_entries(table)) {
		errno = ENOMEM;
		return NULL;
	}
	entry = table->free;
	table->free = entry->next;
	memset(entry, 0, sizeof(*entry));
	entry->key = *key;
	entry->hash = hash_of(table, key);
	entry->used = true;
	link_newest(table, entry);
	if (table_count(table) > table->buckets)
		grow_buckets(table); /* links the new one, too */
	else
		link_bucket(table, entry);
	return entry;
}

void table_promote(struct table *table, struct table_entry *entry)
{
	if (entry->open || table->open == table->max_open)
		return;
	unlink_half_open(table, entry);
	entry->open = true;
	table->open++;
}

struct table_entry *table_next(struct table *table, size_t *at)
{
	while (*at < table->chunks * CHUNK_ENTRIES) {
		struct table_entry *entry = &table->chunk[*at / CHUNK_ENTRIES][*at % CHUNK_ENTRIES];

		++*at;
		if (entry->used)
			return entry;
	}
	return NULL;
}

void table_remove(struct table *table, struct table_entry *entry)
{
	unlink_bucket(table, entry);
	if (entry->open)
		table->open--;
	else
		unlink_half_open(table, entry);
	entry->used = false;
	entry->next = table->free;
	table->free = entry;
}

__u32 table_count(const struct table *table)
{
	return table->open + table->half_open;
}
