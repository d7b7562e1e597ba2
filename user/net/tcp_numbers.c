// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "net/tcp_numbers.h"
#include "util/clock.h"
#include "util/siphash.h"

#define BOOT_ID         "/proc/sys/kernel/random/boot_id"
#define BOOT_ID_BYTES   36 /* a UUID as text */
#define ISN_TICK_NS     (4 * NS_PER_US)
#define FLOW_LABEL_MASK 0xfffffu

/* What is hashed: one input for each number that shall not tell anything of the others. */
struct ends {
	union ip_addr local, remote;
	__be16 local_port, remote_port;
	uint32_t purpose;
};

_Static_assert(sizeof(struct ends) == 40, "hashed as bytes: no padding");

enum { FOR_ISN_AND_TIMESTAMP, FOR_FLOW_LABEL };

/* Without /proc each process has a secret of its own: then only its own connections follow each other. */
void tcp_secret_read(struct tcp_secret *secret)
{
	static const uint8_t zero_key[TCP_SECRET_BYTES];
	int file = open(BOOT_ID, O_RDONLY | O_CLOEXEC);
	char id[BOOT_ID_BYTES];
	uint64_t half[2];

	if (file >= 0 && read(file, id, sizeof(id)) == sizeof(id)) {
		half[0] = siphash(zero_key, id, sizeof(id) / 2);
		half[1] = siphash(zero_key, id + sizeof(id) / 2, sizeof(id) / 2);
		__builtin_memcpy(secret->key, half, sizeof(secret->key));
	} else if (getrandom(secret->key, sizeof(secret->key), 0) != sizeof(secret->key)) {
		abort(); /* not for so few bytes */
	}
	if (file >= 0)
		close(file);
}

struct tcp_numbers tcp_numbers_of(const struct tcp_secret *secret, const struct frame_path *path,
				  uint64_t now_ns)
{
	struct ends ends = {
		.local = path->local,
		.remote = path->remote,
		.local_port = path->local_port,
		.remote_port = path->remote_port,
		.purpose = FOR_ISN_AND_TIMESTAMP,
	};
	uint64_t hash = siphash(secret->key, &ends, sizeof(ends));
	uint32_t label;

	ends.purpose = FOR_FLOW_LABEL;
	label = (uint32_t)siphash(secret->key, &ends, sizeof(ends)) & FLOW_LABEL_MASK;
	return (struct tcp_numbers){
		.isn = (uint32_t)(hash + now_ns / ISN_TICK_NS),
		.timestamp_offset = (uint32_t)(hash >> 32),
		.flow_label = label ? label : 1,
	};
}
