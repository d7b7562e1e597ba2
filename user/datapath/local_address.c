// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "datapath/local_address.h"
#include "net/route.h"
#include "util/clock.h"

#define SLOTS           256
#define HASH_MULTIPLIER 0x9e3779b1u /* 2^32 by the golden ratio: spreads neighbours */
#define HASH_SHIFT      24          /* leaves the bits of SLOTS */
#define HOLDS_NS        (5 * NS_PER_S)
#define ASK_EVERY_NS    NS_PER_MS

struct answer {
	union ip_addr address;
	__u64 until_ns;
	int ip_version; /* 0: none */
	enum locality locality;
};

struct local_addresses {
	__u64 next_ask_ns;
	struct answer slots[SLOTS];
};

struct local_addresses *local_addresses_open(void)
{
	return calloc(1, sizeof(struct local_addresses));
}

static struct answer *slot_of(struct local_addresses *addresses, const union ip_addr *address)
{
	__u32 folded = address->word[0] ^ address->word[1] ^ address->word[2] ^ address->word[3];

	return &addresses->slots[folded * HASH_MULTIPLIER >> HASH_SHIFT];
}

static enum locality ask(int ip_version, const union ip_addr *address)
{
	struct route route;

	return !route_get(ip_version, address, 0, &route) && route.kind == ROUTE_LOCAL ? LOCALITY_HERE
										       : LOCALITY_ELSEWHERE;
}

enum locality local_addresses_find(struct local_addresses *addresses, int ip_version,
				   const union ip_addr *address, __u64 now_ns)
{
	struct answer *answer = slot_of(addresses, address);

	if (answer->ip_version == ip_version && !memcmp(&answer->address, address, sizeof(*address)) &&
	    now_ns < answer->until_ns)
		return answer->locality;
	if (now_ns < addresses->next_ask_ns)
		return LOCALITY_UNKNOWN;
	addresses->next_ask_ns = now_ns + ASK_EVERY_NS;
	*answer =
		(struct answer){.address = *address, .ip_version = ip_version, .until_ns = now_ns + HOLDS_NS};
	answer->locality = ask(ip_version, address);
	return answer->locality;
}

void local_addresses_close(struct local_addresses *addresses)
{
	free(addresses);
}
