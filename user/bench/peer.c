// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>

#include "bench/peer.h"
#include "util/run.h"

#define MAC_FORMAT   "0x%02x,0x%02x,0x%02x,0x%02x,0x%02x,0x%02x"
#define MAC_BYTES(m) (m)[0], (m)[1], (m)[2], (m)[3], (m)[4], (m)[5]

/* As in trafgen(8): literal bytes, drnd(N) for N random ones a packet, and its two checksums. */
void peer_write(const struct traffic_plan *plan, char text[PEER_TEXT_BYTES])
{
	const uint8_t *from = plan->from.byte, *to = plan->to.byte;

	snprintf(text, PEER_TEXT_BYTES,
		 "{ " MAC_FORMAT ", " MAC_FORMAT ", 0x08,0x00,\n"
		 "0x45,0x00,0x00,0x3c, 0x00,0x00,0x40,0x00, 0x40,0x06, csumip(14,33), %u,%u, drnd(2), "
		 "%u,%u,%u,%u,\n"
		 "drnd(2), %u,%u, drnd(4), 0,0,0,0, 0xa0,0x02, 0xfa,0xf0, csumtcp(14,34), 0,0,\n"
		 "0x02,0x04,0x05,0xb4, 0x04,0x02, 0x08,0x0a, drnd(4), 0,0,0,0, 0x01, 0x03,0x03,0x07 }\n",
		 MAC_BYTES(plan->dst_mac), MAC_BYTES(plan->src_mac), from[0], from[1], to[0], to[1], to[2],
		 to[3], plan->port >> 8, plan->port & 0xff);
}

int peer_send(const char *text, const char *ifname, unsigned int frames)
{
	char command[160];
	int status;

	snprintf(command, sizeof(command),
		 "trafgen --dev %s --conf - --num %u --cpus 1 --no-sock-mem --notouch-irq --no-cpu-stats",
		 ifname, frames);
	status = run_command(command, text);
	return status > 0 ? -EIO : status;
}
