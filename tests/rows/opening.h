/* SPDX-License-Identifier: GPL-2.0-only */
/* Rows: how a connection opens. */
#ifndef XDPLIFE_ROWS_OPENING_H
#define XDPLIFE_ROWS_OPENING_H

#include "row.h"

static const struct row opening_rows[] = {
	{"handshake: three packets",
	 {
		 {0, "C S 1000 win 64240 mss 1460 sackok ts 100 0 wscale 7", E(SYN)},
		 {12, "S S. 5000 ack 1001 win 65160 mss 1400 sackok ts 900 100 wscale 9", E(SYNACK)},
		 {42, "C . 1001 ack 5001 win 502 ts 142 900", E(ESTABLISHED)},
	 },
	 "phase=established client=C closer=- flags=none seen=SYN+SYN-ACK+ACK C.mss=1460 S.mss=1400 "
	 "C.wscale=7 "
	 "C.options=mss+wscale+sack+ts C.window_max=64256 C.rtt.samples=1 C.rtt.last_us=12000 "
	 "S.rtt.last_us=30000"},
	/* lost behind the observer; which of the four is answered, nobody can say */
	{"SYN again after 1, 3 and 7 s",
	 {
		 {0, "C S 1000", E(SYN)},
		 {1000, "C S 1000", E(SYN_RETRANSMIT)},
		 {3000, "C S 1000", E(SYN_RETRANSMIT)},
		 {7000, "C S 1000", E(SYN_RETRANSMIT)},
		 {7020, "S S. 5000 ack 1001", E(SYNACK)},
		 {7050, "C . 1001 ack 5001", E(ESTABLISHED)},
	 },
	 "phase=established flags=ambiguous C.retransmits=3 C.packets=5 C.rtt.samples=0 S.rtt.samples=1"},
	{"SYN-ACK again after 1 and 3 s",
	 {
		 {0, "C S 1000", E(SYN)},
		 {10, "S S. 5000 ack 1001", E(SYNACK)},
		 {1010, "S S. 5000 ack 1001", E(SYNACK_RETRANSMIT)},
		 {3010, "S S. 5000 ack 1001", E(SYNACK_RETRANSMIT)},
		 {3050, "C . 1001 ack 5001", E(ESTABLISHED)},
		 /* one that was still on its way */
		 {3051, "S S. 5000 ack 1001", E(SYNACK_RETRANSMIT)},
	 },
	 "phase=established flags=ambiguous S.retransmits=3 C.rtt.samples=1 S.rtt.samples=0"},
	/* two servers behind one address: the client's ACK says whose number it took */
	{"two SYN-ACKs with different ISNs, the second taken",
	 {
		 {0, "C S 1000", E(SYN)},
		 {10, "S S. 5000 ack 1001", E(SYNACK)},
		 {11, "S S. 9000 ack 1001", E(SYNACK_RETRANSMIT) | E(ISN_CHANGED)},
		 {20, "C . 1001 ack 9001", E(ESTABLISHED)},
		 {30, "S P. 9001 ack 1001 len 100"},
	 },
	 "phase=established flags=ambiguous S.isn=9000 S.next=9101"},
	{"two SYN-ACKs with different ISNs, the first taken",
	 {
		 {0, "C S 1000", E(SYN)},
		 {10, "S S. 5000 ack 1001", E(SYNACK)},
		 {11, "S S. 9000 ack 1001", E(SYNACK_RETRANSMIT) | E(ISN_CHANGED)},
		 {20, "C . 1001 ack 5001", E(ESTABLISHED)},
		 {30, "S P. 5001 ack 1001 len 100"},
	 },
	 "phase=established flags=ambiguous+other-syn S.isn=5000 S.next=5101"},
	/* who acknowledges it has to be in the window itself */
	{"two SYN-ACKs with different ISNs, the second taken by nobody",
	 {
		 {0, "C S 1000", E(SYN)},
		 {10, "S S. 5000 ack 1001", E(SYNACK)},
		 {11, "S S. 9000 ack 1001", E(SYNACK_RETRANSMIT) | E(ISN_CHANGED)},
		 {20, "C . 3000000000 ack 9001", E(OUT_OF_WINDOW)},
		 {21, "C . 1001 ack 5001", E(ESTABLISHED)},
	 },
	 "phase=established S.isn=5000 C.packets=3"},
	/* RFC 9293 figure 9: the SYNs cross, each end answers the other's */
	{"simultaneous open",
	 {
		 {0, "C S 1000", E(SYN)},
		 {5, "S S 5000", E(SYN) | E(SIMULTANEOUS)},
		 {10, "C S. 1000 ack 5001", E(SYNACK)},
		 {15, "S S. 5000 ack 1001", E(SYNACK) | E(ESTABLISHED)},
	 },
	 "phase=established client=C flags=none C.retransmits=0 S.retransmits=0"},
	{"simultaneous open, each SYN answered by a bare ACK",
	 {
		 {0, "C S 1000", E(SYN)},
		 {5, "S S 5000", E(SYN) | E(SIMULTANEOUS)},
		 {10, "C . 1001 ack 5001"},
		 {11, "S . 5001 ack 1001", E(ESTABLISHED)},
	 },
	 "phase=established client=C flags=none"},
	/* the server splits its SYN-ACK in two */
	{"split handshake of four packets",
	 {
		 {0, "C S 1000", E(SYN)},
		 {10, "S . 5000 ack 1001"},
		 {11, "S S 5000", E(SYN) | E(SPLIT)},
		 {31, "C . 1001 ack 5001", E(ESTABLISHED)},
	 },
	 "phase=established client=C flags=none"},
	/* the client answers that SYN as in a simultaneous open, the server acknowledges once more */
	{"split handshake of five packets",
	 {
		 {0, "C S 1000", E(SYN)},
		 {10, "S . 5000 ack 1001"},
		 {11, "S S 5000", E(SYN) | E(SPLIT)},
		 {31, "C S. 1000 ack 5001", E(SYNACK) | E(ESTABLISHED)},
		 {41, "S . 5001 ack 1001"},
	 },
	 "phase=established client=C flags=none C.retransmits=0"},
	/* RFC 7413: the client asks for a cookie, the server gives it one of eight bytes */
	{"TFO: the request for a cookie",
	 {
		 {0, "C S 1000 mss 1460 opt 2202", E(SYN)},
		 {10, "S S. 5000 ack 1001 opt 220a0102030405060708", E(SYNACK)},
		 {20, "C . 1001 ack 5001", E(ESTABLISHED)},
	 },
	 "phase=established C.options=mss+tfo S.options=tfo+cookie C.syn_bytes=0"},
	/* the request rides on the SYN, the answer on the SYN-ACK */
	{"TFO: data with the cookie, taken",
	 {
		 {0, "C S 1000 len 100 opt 220a0102030405060708", E(SYN) | E(SYN_DATA)},
		 {10, "S S. 5000 ack 1101 len 50", E(SYNACK)},
		 {20, "C . 1101 ack 5051", E(ESTABLISHED)},
	 },
	 "phase=established C.options=tfo+cookie C.syn_bytes=100 C.bytes=100 S.bytes=50 C.next=1101 "
	 "S.next=5051"},
	/* the SYN alone is acknowledged: the data comes again */
	{"TFO: data with the cookie, not taken",
	 {
		 {0, "C S 1000 len 100 opt 220a0102030405060708", E(SYN) | E(SYN_DATA)},
		 {10, "S S. 5000 ack 1001", E(SYNACK)},
		 {20, "C P. 1001 ack 5001 len 100", E(ESTABLISHED) | E(RETRANSMIT)},
	 },
	 "phase=established C.bytes=200 C.next=1101"},
	/* RFC 9293 §3.4: allowed, and never delivered before the handshake is done */
	{"data on the SYN without a cookie",
	 {
		 {0, "C S 1000 len 10", E(SYN) | E(SYN_DATA)},
		 {10, "S S. 5000 ack 1011", E(SYNACK)},
		 {20, "C . 1011 ack 5001", E(ESTABLISHED)},
	 },
	 "phase=established C.options=none C.syn_bytes=10"},
	/* a capture that swaps the last two */
	{"the final ACK before the SYN-ACK",
	 {
		 {0, "C S 1000", E(SYN)},
		 {20, "C . 1001 ack 5001"},
		 {21, "S S. 5000 ack 1001", E(SYNACK) | E(ESTABLISHED)},
		 {30, "C P. 1001 ack 5001 len 10"},
	 },
	 "phase=established client=C flags=ambiguous"},
	{"the SYN-ACK before the SYN",
	 {
		 {0, "S S. 5000 ack 1001 wscale 2", E(SYNACK) | E(MIDSTREAM)},
		 {1, "C S 1000 mss 1460 wscale 3", E(SYN)},
		 {2, "C . 1001 ack 5001 win 100", E(ESTABLISHED)},
	 },
	 "phase=established client=C flags=midstream C.mss=1460 C.retransmits=0 C.window_max=800"},
	{"the capture starts behind the handshake",
	 {
		 {0, "S P. 5000 ack 1000 len 1000 win 500", E(MIDSTREAM)},
		 /* far beyond the bare number: the window's scale is unknown */
		 {1, "C P. 1000 ack 6000 len 1200 win 10"},
		 {2, "S P. 36000 ack 2200 len 100"},
	 },
	 "phase=established client=- flags=midstream seen=data"},
	{"the capture starts between SYN and SYN-ACK",
	 {
		 {0, "S S. 5000 ack 1001", E(SYNACK) | E(MIDSTREAM)},
		 {7, "C . 1001 ack 5001", E(ESTABLISHED)},
	 },
	 "phase=established client=C flags=midstream S.rtt.samples=1 S.rtt.last_us=7000"},
	/* RFC 9293 §3.10.7.4 drops what has no ACK, whatever else it says */
	{"scans: no flags at all, FIN and PUSH alone",
	 {
		 {0, "C - 1000", E(ACK_IGNORED)},
		 {1, "C FPU 1000", E(ACK_IGNORED)},
		 {2, "C S 1000", E(SYN)},
	 },
	 "phase=opening client=C C.isn=1000"},
	{"a SYN-ACK that acknowledges another number",
	 {
		 {0, "C S 1000", E(SYN)},
		 {10, "S S. 5000 ack 1002", E(ACK_IGNORED)},
		 {11, "S S. 5000 ack 1000", E(ACK_IGNORED)},
		 {12, "S S. 6000 ack 1001", E(SYNACK)},
	 },
	 "phase=answered S.isn=6000 S.packets=3"},
};

#endif
