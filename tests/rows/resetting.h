/* SPDX-License-Identifier: GPL-2.0-only */
/* Rows: RST in each state, what is answered by a challenge ACK, ICMP errors. */
#ifndef XDPLIFE_ROWS_RESETTING_H
#define XDPLIFE_ROWS_RESETTING_H

#include "row.h"

static const struct row resetting_rows[] = {
	{"SYN-SENT: a RST that acknowledges the SYN",
	 {
		 {0, "C S 1000", E(SYN)},
		 {3, "S R. 0 ack 1001 win 0", E(REFUSED)},
		 /* once more is nothing new */
		 {4, "S R. 0 ack 1001 win 0"},
	 },
	 "phase=reset closer=S reset_phase=opening seen=SYN+ACK+RST S.packets=2"},
	/* RFC 9293 §3.10.7.3 */
	{"SYN-SENT: RSTs that do not",
	 {
		 {0, "C S 1000", E(SYN)},
		 /* the ISN, not ISN + 1 */
		 {1, "S R. 0 ack 1000", E(RST_IGNORED)},
		 /* what was never sent */
		 {2, "S R. 0 ack 1002", E(RST_IGNORED)},
		 /* nothing */
		 {3, "S R 0", E(RST_IGNORED)},
		 {10, "S S. 5000 ack 1001", E(SYNACK)},
		 {20, "C . 1001 ack 5001", E(ESTABLISHED)},
	 },
	 "phase=established closer=- flags=none S.packets=4"},
	{"SYN-SENT: a RST that acknowledges the data on the SYN",
	 {
		 {0, "C S 1000 len 100", E(SYN) | E(SYN_DATA)},
		 {1, "S R. 0 ack 1101", E(REFUSED)},
	 },
	 "phase=reset closer=S"},
	{"SYN-RECEIVED: RST by the server",
	 {
		 {0, "C S 1000", E(SYN)},
		 {1, "S S. 5000 ack 1001", E(SYNACK)},
		 {2, "S R 5001", E(RESET)},
	 },
	 "phase=reset closer=S reset_phase=answered"},
	/* what a kernel does that knows nothing of the SYN */
	{"SYN-RECEIVED: RST by the client",
	 {
		 {0, "C S 1000", E(SYN)},
		 {1, "S S. 5000 ack 1001", E(SYNACK)},
		 {2, "C R 1001", E(RESET)},
	 },
	 "phase=reset closer=C reset_phase=answered"},
	{"ESTABLISHED: RST at the very next number",
	 {
		 OPENED,
		 {10, "C P. 1001 ack 5001 len 100"},
		 {11, "S R. 5001 ack 1101", E(RESET)},
		 /* what was still on its way is counted and no news */
		 {12, "C P. 1101 ack 5001 len 100"},
		 {13, "C F. 1201 ack 5001"},
	 },
	 "phase=reset closer=S reset_phase=established C.bytes=200"},
	/* RFC 5961 §3.2: in the window is not enough; the receiver answers by an ACK */
	{"ESTABLISHED: RST in the window",
	 {
		 OPENED,
		 {10, "S R 5010", E(RST_IGNORED)},
		 {11, "C . 1001 ack 5001", E(CHALLENGE_ACK)},
		 /* a second one is no answer to anything */
		 {12, "C . 1001 ack 5001"},
		 {13, "S P. 5001 ack 1001 len 10"},
	 },
	 "phase=established closer=- S.packets=3"},
	{"ESTABLISHED: blind RST outside the window",
	 {
		 OPENED,
		 {10, "S R 4000000000", E(RST_IGNORED)},
		 {11, "S R 5000", E(RST_IGNORED)},
		 {12, "C . 1001 ack 5001"},
	 },
	 "phase=established closer=- S.next=5001"},
	{"FIN-WAIT: RST by the other end, which has data unread",
	 {
		 OPENED,
		 {10, "S F. 5001 ack 1001", E(FIN)},
		 {11, "C R. 1001 ack 5002", E(RESET)},
	 },
	 "phase=reset closer=S reset_phase=closing seen=SYN+SYN-ACK+ACK+FIN+RST"},
	{"FIN-WAIT: RST out of the window",
	 {
		 OPENED,
		 {10, "S F. 5001 ack 1001", E(FIN)},
		 {11, "C R 900", E(RST_IGNORED)},
	 },
	 "phase=closing closer=S"},
	{"CLOSED: RST afterwards changes nothing",
	 {
		 OPENED,
		 {10, "C F. 1001 ack 5001", E(FIN)},
		 {11, "S F. 5001 ack 1002", E(FIN)},
		 {12, "C . 1002 ack 5002", E(CLOSED)},
		 {13, "S R 5002"},
		 {14, "C R 1002"},
	 },
	 "phase=closed closer=C seen=SYN+SYN-ACK+ACK+FIN"},
	{"a RST of nothing makes no connection",
	 {
		 {0, "S R. 0 ack 1001", 0, OBSERVED_UNKNOWN_RST},
	 },
	 NULL,
	 ROW_NO_CONNECTION},
	/* nothing was reset: the very same SYN begins anew (Linux, on a port that refused) */
	{"the same SYN behind a refusal",
	 {
		 {0, "C S 1000", E(SYN)},
		 {3, "S R. 0 ack 1001", E(REFUSED)},
		 {1000, "C S 1000", E(REUSED) | E(SYN)},
		 {1010, "S S. 5000 ack 1001", E(SYNACK)},
	 },
	 "phase=answered flags=none C.packets=1 S.packets=1"},
	/* RFC 792: type 3 code 1, host unreachable, quotes the SYN */
	{"ICMP: host unreachable",
	 {
		 {0, "C S 1000", E(SYN)},
		 {30, "icmp 3 1 C 1000", E(UNREACHABLE), OBSERVED_ICMP_ERROR},
		 /* another is no news */
		 {31, "icmp 3 1 C 1000", 0, OBSERVED_ICMP_ERROR},
	 },
	 "phase=opening flags=unreachable icmp_type=3 icmp_code=1"},
	/* RFC 5927 §4: a guess */
	{"ICMP: quotes another sequence number",
	 {
		 {0, "C S 1000", E(SYN)},
		 {30, "icmp 3 1 C 1001", 0, OBSERVED_ICMP_ERROR},
		 {31, "icmp 3 1 S 1000", 0, OBSERVED_ICMP_ERROR},
	 },
	 "phase=opening flags=none icmp_type=0"},
	/* RFC 1122 §4.2.3.9: a soft error */
	{"ICMP: about an open connection",
	 {
		 OPENED,
		 {30, "icmp 3 1 C 1001", 0, OBSERVED_ICMP_ERROR},
		 {31, "icmp 11 0 C 1000", 0, OBSERVED_ICMP_ERROR},
	 },
	 "phase=established flags=none"},
	/* RFC 1191: only tells how large the next one may be */
	{"ICMP: fragmentation needed",
	 {
		 {0, "C S 1000", E(SYN)},
		 {30, "icmp 3 4 C 1000", 0, OBSERVED_NOT_TCP},
	 },
	 "phase=opening flags=none"},
	{"ICMP: of a connection that is not known",
	 {
		 {0, "icmp 3 1 C 1000", 0, OBSERVED_ICMP_ERROR},
	 },
	 NULL,
	 ROW_NO_CONNECTION},
	/* the answer comes all the same: it was not unreachable after all */
	{"ICMP: unreachable, and then answered",
	 {
		 {0, "C S 1000", E(SYN)},
		 {30, "icmp 3 1 C 1000", E(UNREACHABLE), OBSERVED_ICMP_ERROR},
		 {1000, "C S 1000", E(SYN_RETRANSMIT)},
		 {1010, "S S. 5000 ack 1001", E(SYNACK)},
		 {1020, "C . 1001 ack 5001", E(ESTABLISHED)},
	 },
	 "phase=established"},
	/* RFC 4443 §3.1: type 1 code 3, address unreachable */
	{"ICMPv6: address unreachable",
	 {
		 {0, "C S 1000 ip6", E(SYN)},
		 {30, "icmp 1 3 C 1000 ip6", E(UNREACHABLE), OBSERVED_ICMP_ERROR},
	 },
	 "phase=opening flags=unreachable icmp_type=1 icmp_code=3"},
	/* RFC 4443 §3.2 */
	{"ICMPv6: packet too big",
	 {
		 {0, "C S 1000 ip6", E(SYN)},
		 {30, "icmp 2 0 C 1000 ip6", 0, OBSERVED_NOT_TCP},
	 },
	 "phase=opening flags=none"},
};

#endif
