// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "observer/expiry.h"
#include "util/clock.h"

/* Seconds of silence after which a connection in that phase is forgotten. */
static const __u32 patience_s[] = {
	[TCP_PHASE_NONE] = 10,     [TCP_PHASE_OPENING] = 120,
	[TCP_PHASE_ANSWERED] = 60, [TCP_PHASE_ESTABLISHED] = 5 * 24 * 3600,
	[TCP_PHASE_CLOSING] = 120, [TCP_PHASE_CLOSED] = 120,
	[TCP_PHASE_RESET] = 10,
};

__u64 expiry_ns(const struct tcp_track *track)
{
	__u8 phase = track->phase <= TCP_PHASE_RESET ? track->phase : TCP_PHASE_NONE;

	return track->last_ns + patience_s[phase] * NS_PER_S;
}

static void address(struct trace_event *event, const struct flow_key *key, flow_end from)
{
	struct packet *pkt = &event->pkt;

	pkt->src = key->addr[from];
	pkt->dst = key->addr[!from];
	pkt->src_port = key->port[from];
	pkt->dst_port = key->port[!from];
	pkt->ip_version = key->ip_version;
	pkt->ip_proto = key->ip_proto;
	for (int i = 0; i < VLAN_MAX_TAGS; i++) {
		pkt->vlan_tci[i] = key->vid[i];
		pkt->vlan_count += key->vid[i] != 0;
	}
}

bool expiry_event(struct trace_event *event, const struct flow_key *key, const struct tcp_track *track,
		  __u64 now_ns, bool stopped)
{
	__u32 events = tcp_track_give_up(track, !stopped);

	if (!events)
		return false;
	memset(event, 0, sizeof(*event));
	event->time_ns = stopped ? now_ns : expiry_ns(track);
	event->tcp_events = events;
	event->hook = HOOK_NONE;
	event->sender = track->client == 1;
	event->key = *key;
	event->conn = *track;
	address(event, key, event->sender);
	return true;
}
