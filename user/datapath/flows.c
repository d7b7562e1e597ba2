// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <sched.h>
#include <sys/mman.h>

#include <bpf/bpf.h>

#include "datapath/flows.h"
#include "datapath/map_walk.h"
#include "observer/expiry.h"

#define GUESSES_A_CONNECTION 4
#define HOLD_TRIES                                                                                           \
	1000     /* between them others may run; the kernel side holds a connection for a microsecond */
#define ENOUGH 1 /* ends a walk */

__u32 flows_guesses(__u32 max)
{
	__u32 guesses = 1;

	while (guesses / GUESSES_A_CONNECTION < max)
		guesses *= 2;
	return guesses;
}

int flows_open(struct flows *flows, int connections_fd, int places_fd, int free_fd, __u32 max)
{
	void *memory = mmap(NULL, (size_t)max * sizeof(struct flow_entry), PROT_READ | PROT_WRITE, MAP_SHARED,
			    connections_fd, 0);

	*flows = (struct flows){0};
	if (memory == MAP_FAILED)
		return -errno;
	*flows = (struct flows){.places_fd = places_fd, .free_fd = free_fd, .entry = memory, .max = max};
	return 0;
}

void flows_close(struct flows *flows)
{
	if (flows->entry)
		munmap(flows->entry, (size_t)flows->max * sizeof(struct flow_entry));
	*flows = (struct flows){0};
}

bool flows_look_up(const struct flows *flows, const struct flow_key *key, struct tcp_track *track)
{
	__u32 place;

	if (bpf_map_lookup_elem(flows->places_fd, key, &place))
		return false;
	*track = flows->entry[place].track;
	return true;
}

static int walk(const struct flows *flows, map_entry_handler each, void *context)
{
	return map_walk(flows->places_fd, sizeof(struct flow_key), sizeof(__u32), each, context);
}

/* --- reading --- */

struct reading {
	const struct flows *flows;
	struct connection *row;
	size_t used, max;
};

static int take(void *context, const void *key, const void *place)
{
	struct reading *reading = context;

	if (reading->used == reading->max)
		return ENOUGH;
	reading->row[reading->used++] = (struct connection){
		.key = *(const struct flow_key *)key,
		.track = reading->flows->entry[*(const __u32 *)place].track,
	};
	return 0;
}

long flows_read(const struct flows *flows, struct connection *row, size_t max)
{
	struct reading reading = {.flows = flows, .row = row, .max = max};
	int err = walk(flows, take, &reading);

	return err < 0 ? err : (long)reading.used;
}

/* --- sweeping --- */

struct sweeping {
	const struct flows *flows;
	const struct flows_sweep *sweep;
	int removed;
};

static int tell(const struct flows_sweep *sweep, const struct flow_key *key, const struct tcp_track *track)
{
	struct trace_event event;

	if (!expiry_event(&event, key, track, sweep->now_ns, sweep->stopped))
		return 0;
	return sweep->handler(sweep->context, &event, NULL);
}

static bool is_over(const struct flows_sweep *sweep, const struct tcp_track *track)
{
	return sweep->stopped || sweep->now_ns >= expiry_ns(track);
}

/* As flow_hold_any() in bpf/flow_table.h. */
static bool hold(struct flow_entry *entry)
{
	for (int tries = 0; __atomic_exchange_n(&entry->held, 1, __ATOMIC_ACQUIRE); tries++) {
		if (tries == HOLD_TRIES)
			return false;
		sched_yield();
	}
	return true;
}

/* Return: whether it is over, and so nobody's now. */
static bool free_place(struct flow_entry *entry, const struct flow_key *key, const struct flows_sweep *sweep,
		       struct tcp_track *last)
{
	bool over;

	if (!is_over(sweep, &entry->track) || !hold(entry))
		return false;
	over = flow_key_same(&entry->key, key) && is_over(sweep, &entry->track);
	*last = entry->track;
	if (over)
		entry->key.ip_version = 0;
	__atomic_store_n(&entry->held, 0, __ATOMIC_RELEASE);
	return over;
}

static int remove_old(void *context, const void *key, const void *value)
{
	struct sweeping *sweeping = context;
	const struct flows *flows = sweeping->flows;
	__u32 place = *(const __u32 *)value;
	struct tcp_track track;

	if (!free_place(&flows->entry[place], key, sweeping->sweep, &track))
		return 0;
	bpf_map_delete_elem(flows->places_fd, key);
	bpf_map_update_elem(flows->free_fd, NULL, &place, BPF_ANY);
	sweeping->removed++;
	return tell(sweeping->sweep, key, &track);
}

int flows_sweep(const struct flows *flows, const struct flows_sweep *sweep)
{
	struct sweeping sweeping = {.flows = flows, .sweep = sweep};
	int err = walk(flows, remove_old, &sweeping);

	return err ? err : sweeping.removed;
}
