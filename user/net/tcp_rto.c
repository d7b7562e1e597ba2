// SPDX-License-Identifier: GPL-2.0-only
#include "net/tcp_rto.h"

void tcp_rto_init(struct tcp_rto *rto)
{
	*rto = (struct tcp_rto){.rto_ns = TCP_RTO_INITIAL_NS};
}

void tcp_rto_sample(struct tcp_rto *rto, uint64_t rtt_ns)
{
	uint64_t error_ns = rto->srtt_ns > rtt_ns ? rto->srtt_ns - rtt_ns : rtt_ns - rto->srtt_ns;
	uint64_t margin_ns;

	if (!rtt_ns)
		rtt_ns = 1;  /* 0 says that nothing was measured */
	if (!rto->srtt_ns) { /* §2.2 */
		rto->srtt_ns = rtt_ns;
		rto->rttvar_ns = rtt_ns / 2;
	} else { /* §2.3: beta 1/4, alpha 1/8 */
		rto->rttvar_ns = rto->rttvar_ns - rto->rttvar_ns / 4 + error_ns / 4;
		rto->srtt_ns = rto->srtt_ns - rto->srtt_ns / 8 + rtt_ns / 8;
	}
	margin_ns = 4 * rto->rttvar_ns;
	rto->rto_ns =
		rto->srtt_ns + (margin_ns > TCP_RTO_GRANULARITY_NS ? margin_ns : TCP_RTO_GRANULARITY_NS);
	if (rto->rto_ns < TCP_RTO_MIN_NS)
		rto->rto_ns = TCP_RTO_MIN_NS;
	if (rto->rto_ns > TCP_RTO_MAX_NS)
		rto->rto_ns = TCP_RTO_MAX_NS;
}

void tcp_rto_back_off(struct tcp_rto *rto)
{
	rto->rto_ns = rto->rto_ns * 2 < TCP_RTO_MAX_NS ? rto->rto_ns * 2 : TCP_RTO_MAX_NS;
}
