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
	bool sender = client == !!story_from_client(event);
	struct flow_key key;

	flow_key_of(&key, &event->pkt);
	return owners_find(session->owners, &key, sender ? event->sender : !event->sender,
			   event->conn.first_ns, event->conn.last_ns, owner);
}
