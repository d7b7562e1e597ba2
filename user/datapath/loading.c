// SPDX-License-Identifier: GPL-2.0-only
#include <stddef.h>

#include "datapath/loading.h"

static loading_watch watcher;
static void *watcher_context;

void loading_watch_set(loading_watch watch, void *context)
{
	watcher = watch;
	watcher_context = context;
}

void loading_announce(struct bpf_object *object)
{
	if (watcher)
		watcher(watcher_context, object);
}
