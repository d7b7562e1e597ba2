// SPDX-License-Identifier: GPL-2.0-only
#include "out/sink.h"

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
