// SPDX-License-Identifier: GPL-2.0-only
#include "datapath/connections.h"
#include "datapath/flows.h"
#include "datapath/map_walk.h"

#define ENOUGH 1 /* ends the walk */

struct rows {
	struct connection *row;
	size_t used, max;
};

static int take(void *context, const void *key, const void *value)
{
	const struct flow_value *flow = value;
	struct rows *rows = context;

	if (rows->used == rows->max)
		return ENOUGH;
	rows->row[rows->used++] =
		(struct connection){.key = *(const struct flow_key *)key, .track = flow->track};
	return 0;
}

long connections_read(const struct datapath *dp, struct connection *row, size_t max)
{
	struct rows rows = {.row = row, .max = max};
	int err = map_walk(datapath_map_fd(dp, "flows"), sizeof(struct flow_key), sizeof(struct flow_value),
			   take, &rows);

	return err < 0 ? err : (long)rows.used;
}
