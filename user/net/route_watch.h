/* SPDX-License-Identifier: GPL-2.0-only */
/* Notices each change that routing may depend on: routes, rules, next hops, neighbours, addresses, links, settings. */
#ifndef XDPLIFE_ROUTE_WATCH_H
#define XDPLIFE_ROUTE_WATCH_H

#include <linux/types.h>

struct route_watch;

/**
 * route_watch_start() - from here on, *@generation is raised as soon as the kernel tells of a change
 * By a thread of its own, which sleeps otherwise. Where the kernel has more to tell than its socket holds, that counts as
 * a change, too.
 * @generation: raised atomically; must outlive the watch
 *
 * Return: 0 with *watch to be stopped by route_watch_stop(); -errno.
 */
int route_watch_start(struct route_watch **watch, __u32 *generation);

/* NULL is allowed. */
void route_watch_stop(struct route_watch *watch);

#endif
