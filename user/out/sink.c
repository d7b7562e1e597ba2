// SPDX-License-Identifier: GPL-2.0-only
#include "datapath/owner.h"
#include "out/sink.h"
#include "out/story.h"

int sink_interface_of(const struct sink_session *session, unsigned int ifindex)
{
	for (int i = 0; i < session->interface_count; i++)
		if (session->interface[i].ifindex == ifindex)
			return i;
	return -1;
}

const char *sink_interface_name(const struct sink_session *session, unsigned int ifindex)
{
	int number = sink_interface_of(session, ifindex);

	return number < 0 ? "?" : session->interface[number].name;
}

int sink_owner(const struct sink_session *session, const struct trace_event *event, bool client,
	       struct owner *owner)
{
	flow_end end = client ? story_client(event) : !story_client(event);
	struct flow_key key = story_key(event);

	return owners_find(session->owners, &key, end, event->conn.first_ns, event->conn.last_ns, owner);
}

const char *sink_hook(const struct sink_session *session, enum trace_hook hook)
{
	static const char *const hooks[] = {
		[HOOK_INGRESS] = "xdp",
		[HOOK_EGRESS] = "tc-egress",
		[HOOK_FORWARD] = "xdp-forward",
		[HOOK_NONE] = "none",
	};

	return session->offline && hook != HOOK_NONE ? "file" : hooks[hook];
}

const char *sink_clock(const struct sink_session *session)
{
	return session->offline ? "the capture's" : "CLOCK_MONOTONIC";
}

enum link_kind sink_link(const struct sink_session *session, const struct trace_event *event)
{
	int number = sink_interface_of(session, event->ifindex);

	return number < 0 ? LINK_ETHERNET : session->interface[number].link;
}
