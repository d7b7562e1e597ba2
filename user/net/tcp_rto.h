/* SPDX-License-Identifier: GPL-2.0-only */
/* The retransmission timeout, computed from measured round trips (RFC 6298). */
#ifndef XDPLIFE_TCP_RTO_H
#define XDPLIFE_TCP_RTO_H

#include <stdint.h>

#define TCP_RTO_INITIAL_NS     1000000000ull /* RFC 6298 §2.1 */
#define TCP_RTO_AFTER_SYN_NS   3000000000ull /* §5.7: the SYN was retransmitted and nothing was measured */
#define TCP_RTO_MIN_NS         200000000ull /* §2.4 says one second; this is Linux's, which servers live with */
#define TCP_RTO_MAX_NS         60000000000ull /* §2.5 */
#define TCP_RTO_GRANULARITY_NS 1000000ull     /* G of §2: what a poll timeout resolves */

struct tcp_rto {
	uint64_t srtt_ns; /* 0: nothing measured yet */
	uint64_t rttvar_ns;
	uint64_t rto_ns;
};

void tcp_rto_init(struct tcp_rto *rto);

/* A round trip of a segment that was sent once (Karn's algorithm, RFC 6298 §3); ends a back-off. */
void tcp_rto_sample(struct tcp_rto *rto, uint64_t rtt_ns);

/* The timer ran out: double it (§5.5). */
void tcp_rto_back_off(struct tcp_rto *rto);

#endif
