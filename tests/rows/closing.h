/* SPDX-License-Identifier: GPL-2.0-only */
/* Rows: how a connection closes, and what comes on its ports afterwards or too early. */
#ifndef XDPLIFE_ROWS_CLOSING_H
#define XDPLIFE_ROWS_CLOSING_H

#include "row.h"

#define CLOSED_BY_CLIENT                                                                                     \
	OPENED, {10, "C F. 1001 ack 5001", E(FIN)}, {11, "S F. 5001 ack 1002", E(FIN)},                      \
	{                                                                                                    \
		12, "C . 1002 ack 5002", E(CLOSED)                                                           \
	}

static const struct row closing_rows[] = {
	{"close by the client",
	 {
		 CLOSED_BY_CLIENT,
	 },
	 "phase=closed closer=C flags=none seen=SYN+SYN-ACK+ACK+FIN"},
	{"close by the server, the FIN on its last data",
	 {
		 OPENED,
		 {10, "S FP. 5001 ack 1001 len 300", E(FIN)},
		 {11, "C . 1001 ack 5302"},
		 {12, "C F. 1001 ack 5302", E(FIN)},
		 {13, "S . 5302 ack 1002", E(CLOSED)},
	 },
	 "phase=closed closer=S S.bytes=300"},
	/* the client has said all, the server goes on */
	{"half-close",
	 {
		 OPENED,
		 {10, "C F. 1001 ack 5001", E(FIN)},
		 {11, "S . 5001 ack 1002"},
		 {12, "S P. 5001 ack 1002 len 1000"},
		 {13, "C . 1002 ack 6001"},
		 {14, "S F. 6001 ack 1002", E(FIN)},
		 {15, "C . 1002 ack 6002", E(CLOSED)},
	 },
	 "phase=closed closer=C flags=none S.bytes=1000"},
	/* RFC 9293 figure 13 */
	{"simultaneous close",
	 {
		 OPENED,
		 {10, "S F. 5001 ack 1001", E(FIN)},
		 {11, "C F. 1001 ack 5001", E(FIN)},
		 {12, "S . 5002 ack 1002"},
		 {13, "C . 1002 ack 5002", E(CLOSED)},
	 },
	 "phase=closed closer=S flags=simultaneous-close"},
	{"FIN again, before and after its acknowledgment",
	 {
		 OPENED,
		 {10, "C F. 1001 ack 5001", E(FIN)},
		 {210, "C F. 1001 ack 5001", E(FIN_RETRANSMIT)},
		 {211, "S F. 5001 ack 1002", E(FIN)},
		 {212, "C . 1002 ack 5002", E(CLOSED)},
		 /* the last ACK was lost behind the observer */
		 {611, "S F. 5001 ack 1002", E(FIN_RETRANSMIT)},
		 {612, "C . 1002 ack 5002"},
	 },
	 "phase=closed closer=C C.retransmits=1 S.retransmits=1"},
	/* TIME-WAIT: another number is another connection (RFC 9293 §3.6.1), the old one an old duplicate */
	{"a new SYN in TIME-WAIT",
	 {
		 CLOSED_BY_CLIENT,
		 {100, "C S 1000", E(SYN_RETRANSMIT)},
		 {1000, "C S 90000", E(REUSED) | E(SYN)},
		 {1010, "S S. 70000 ack 90001", E(SYNACK)},
		 {1020, "C . 90001 ack 70001", E(ESTABLISHED)},
	 },
	 "phase=established client=C closer=- flags=none C.packets=2 S.packets=1"},
	{"a new SYN in TIME-WAIT, from the other end",
	 {
		 CLOSED_BY_CLIENT,
		 {1000, "S S 90000", E(REUSED) | E(SYN)},
	 },
	 "phase=opening client=S"},
	/* nothing came back; a minute later the client tries anew from the same port */
	{"a new attempt behind one that timed out",
	 {
		 {0, "C S 1000", E(SYN)},
		 {60000, "C S 777000", E(TIMED_OUT) | E(REUSED) | E(SYN)},
		 /* a late answer to the first is none to the second */
		 {60001, "S S. 5000 ack 1001", E(ACK_IGNORED)},
		 {60010, "S S. 8000 ack 777001", E(SYNACK)},
		 {60030, "C . 777001 ack 8001", E(ESTABLISHED)},
	 },
	 "phase=established flags=none"},
	/* RFC 9293 §3.10.7.4: answered by an ACK of what is expected, which makes the sender reset what it forgot */
	{"a SYN with another number on an open connection, challenged",
	 {
		 OPENED,
		 {10, "C P. 1001 ack 5001 len 100"},
		 {11, "S . 5001 ack 1101"},
		 {12, "C S 300000", E(SYN_IGNORED)},
		 {13, "S . 5001 ack 1101", E(CHALLENGE_ACK)},
		 {14, "C R 1101", E(RESET)},
		 {1012, "C S 300000", E(REUSED) | E(SYN)},
	 },
	 "phase=opening client=C C.isn=300000"},
	{"a forged SYN on an open connection",
	 {
		 OPENED,
		 {12, "C S 300000", E(SYN_IGNORED)},
		 {13, "S . 5001 ack 1001", E(CHALLENGE_ACK)},
		 {14, "C P. 1001 ack 5001 len 100"},
		 {15, "S . 5001 ack 1101"},
		 {16, "S S. 80000 ack 12345", E(SYN_IGNORED)},
	 },
	 "phase=established C.isn=1000 C.next=1101 C.packets=4"},
	/* both ends were restarted: the answer makes it a connection */
	{"a SYN with another number on an open connection, answered",
	 {
		 OPENED,
		 {1000, "C S 300000", E(SYN_IGNORED)},
		 {1010, "S S. 80000 ack 300001", E(ABANDONED) | E(REUSED) | E(SYNACK)},
		 {1040, "C . 300001 ack 80001", E(ESTABLISHED)},
		 {1050, "C P. 300001 ack 80001 len 100"},
	 },
	 "phase=established client=C C.isn=300000 S.isn=80000 C.packets=3 S.packets=1"},
	/* an old duplicate of the connection's own SYN */
	{"its own SYN again on an open connection",
	 {
		 OPENED,
		 {10, "C S 1000", E(SYN_RETRANSMIT)},
	 },
	 "phase=established flags=none C.retransmits=1"},
	/* the server has a connection of which the observer knows nothing, and challenges the SYN */
	{"a challenge ACK to the first SYN that is seen",
	 {
		 {0, "C S 1000", E(SYN)},
		 {1, "S . 700000 ack 300000", E(ACK_IGNORED)},
		 {2, "C R 300000", E(RST_IGNORED)},
		 {1000, "C S 1000", E(SYN_RETRANSMIT)},
		 {1010, "S S. 5000 ack 1001", E(SYNACK)},
		 {1020, "C . 1001 ack 5001", E(ESTABLISHED)},
	 },
	 "phase=established flags=ambiguous"},
};

#endif
