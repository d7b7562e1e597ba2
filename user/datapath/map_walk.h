/* SPDX-License-Identifier: GPL-2.0-only */
/* All entries of a hash map, read in batches: a system call for a thousand of them. */
#ifndef XDPLIFE_MAP_WALK_H
#define XDPLIFE_MAP_WALK_H

#include <stddef.h>

/* May delete the entry. Return: 0; what else ends the walk. */
typedef int (*map_entry_handler)(void *context, const void *key, const void *value);

/**
 * map_walk() - hand over each entry
 * @key_bytes, @value_bytes: as the map has them; a value that is changed meanwhile is as it is being read
 *
 * Return: 0; what the handler returned; -errno.
 */
int map_walk(int fd, size_t key_bytes, size_t value_bytes, map_entry_handler each, void *context);

#endif
