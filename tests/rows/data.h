/* SPDX-License-Identifier: GPL-2.0-only */
/* Rows: data, what is lost and overtaken, windows, keep-alives, round-trip times. */
#ifndef XDPLIFE_ROWS_DATA_H
#define XDPLIFE_ROWS_DATA_H

#include "row.h"

#define WITHOUT_TIMESTAMPS                                                                                   \
	"without timestamps it is the time that tells a segment overtaken from one sent again"

static const struct row data_rows[] = {
	{"request and answer",
	 {
		 OPENED,
		 {10, "C P. 1001 ack 5001 len 100"},
		 {11, "S . 5001 ack 1101"},
		 {12, "S . 5001 ack 1101 len 1400"},
		 {13, "S P. 6401 ack 1101 len 40"},
		 {14, "C . 1101 ack 6441"},
	 },
	 "seen=SYN+SYN-ACK+ACK+data C.packets=4 C.bytes=100 S.packets=4 S.bytes=1440 C.retransmits=0 "
	 "S.retransmits=0 S.next=6441"},
	{"retransmission, alone and together with what is new",
	 {
		 OPENED,
		 {10, "C P. 1001 ack 5001 len 100"},
		 {210, "C P. 1001 ack 5001 len 100", E(RETRANSMIT)},
		 {420, "C P. 1001 ack 5001 len 200", E(RETRANSMIT)},
	 },
	 "C.retransmits=2 C.duplicates=0 C.bytes=400 C.next=1201"},
	/* the acknowledgment was lost behind the observer */
	{"needless retransmission",
	 {
		 OPENED,
		 {10, "C P. 1001 ack 5001 len 100"},
		 {11, "S . 5001 ack 1101"},
		 {210, "C P. 1001 ack 5001 len 100", E(DUPLICATE)},
	 },
	 "C.retransmits=1 C.duplicates=1"},
	/* it was sent before what overtook it: its timestamp is no later */
	{"out of order, by the timestamps",
	 {
		 {0, "C S 1000 ts 1 0", E(SYN)},
		 {1, "S S. 5000 ack 1001 ts 1 1", E(SYNACK)},
		 {2, "C . 1001 ack 5001 ts 2 1", E(ESTABLISHED)},
		 {10, "C P. 1101 ack 5001 len 100 ts 10 1"},
		 {400, "C P. 1001 ack 5001 len 100 ts 9 1", E(OUT_OF_ORDER)},
		 {401, "C P. 1201 ack 5001 len 100 ts 11 1"},
	 },
	 "C.out_of_order=1 C.retransmits=0 C.next=1301"},
	/* lost before the observer: the timestamp is a later one */
	{"retransmission into a hole, by the timestamps",
	 {
		 {0, "C S 1000 ts 1 0", E(SYN)},
		 {1, "S S. 5000 ack 1001 ts 1 1", E(SYNACK)},
		 {2, "C . 1001 ack 5001 ts 2 1", E(ESTABLISHED)},
		 {10, "C P. 1101 ack 5001 len 100 ts 10 1"},
		 {15, "C P. 1001 ack 5001 len 100 ts 14 1", E(RETRANSMIT)},
	 },
	 "C.out_of_order=0 C.retransmits=1 C.next=1201"},
	{"out of order, by the time",
	 {
		 OPENED,
		 {10, "C P. 1101 ack 5001 len 100"},
		 {11, "C P. 1001 ack 5001 len 100", E(OUT_OF_ORDER)},
	 },
	 "C.out_of_order=1 C.retransmits=0",
	 0,
	 WITHOUT_TIMESTAMPS},
	{"retransmission into a hole, by the time",
	 {
		 OPENED,
		 {10, "C P. 1101 ack 5001 len 100"},
		 {230, "C P. 1001 ack 5001 len 100", E(RETRANSMIT)},
	 },
	 "C.out_of_order=0 C.retransmits=1",
	 0,
	 WITHOUT_TIMESTAMPS},
	/* RFC 5681 §3.2: three acknowledgments that ask for it */
	{"retransmission into a hole, by duplicate acknowledgments",
	 {
		 OPENED,
		 {10, "S P. 5001 ack 1001 len 10"},
		 {11, "C . 1001 ack 5011"},
		 {12, "S P. 5111 ack 1001 len 100"},
		 {13, "C . 1001 ack 5011"},
		 {14, "C . 1001 ack 5011"},
		 {15, "C . 1001 ack 5011"},
		 {16, "S P. 5011 ack 1001 len 100", E(RETRANSMIT)},
	 },
	 "S.out_of_order=0 S.retransmits=1"},
	/* it came another way, unseen, and is acknowledged: what comes now is needless */
	{"retransmission into a hole that is none for the receiver",
	 {
		 OPENED,
		 {10, "C P. 1101 ack 5001 len 100"},
		 {11, "S . 5001 ack 1201"},
		 {12, "C P. 1001 ack 5001 len 100", E(DUPLICATE)},
		 {13, "C P. 1201 ack 5001 len 100"},
	 },
	 "C.out_of_order=0 C.duplicates=1 C.next=1301"},
	/* RFC 9293 §3.8.4: the last byte, of which it knows that it has arrived, with it and without */
	{"keep-alive of 0 and of 1 byte, and its answer",
	 {
		 OPENED,
		 {10, "C P. 1001 ack 5001 len 100"},
		 {11, "S . 5001 ack 1101"},
		 {60000, "C . 1100 ack 5001", E(KEEP_ALIVE)},
		 {60001, "S . 5001 ack 1101"},
		 {120000, "C . 1100 ack 5001 len 1", E(KEEP_ALIVE)},
		 {120001, "S . 5001 ack 1101"},
	 },
	 "phase=established C.retransmits=0 C.duplicates=0"},
	/* RFC 9293 §3.8.6.1 */
	{"the window closes, is probed, and opens",
	 {
		 OPENED,
		 {10, "C P. 1001 ack 5001 len 1000"},
		 {11, "S . 5001 ack 2001 win 0", E(ZERO_WINDOW)},
		 {250, "C . 2000 ack 5001", E(KEEP_ALIVE)},
		 {251, "S . 5001 ack 2001 win 0"},
		 {500, "S . 5001 ack 2001 win 4000", E(WINDOW_OPEN)},
		 {501, "C P. 2001 ack 5001 len 1000"},
		 {502, "S . 5001 ack 3001 win 0", E(ZERO_WINDOW)},
	 },
	 "phase=established S.zero_windows=2 C.zero_windows=0 C.retransmits=0"},
	/* RFC 9293 §3.10.7.4: not acceptable, it changes nothing */
	{"blind data outside the window",
	 {
		 {0, "C S 1000", E(SYN)},
		 {1, "S S. 5000 ack 1001 win 1000", E(SYNACK)},
		 {2, "C . 1001 ack 5001 win 1000", E(ESTABLISHED)},
		 {3, "C P. 2002 ack 5001 len 10", E(OUT_OF_WINDOW)},
		 {4, "C P. 3000000000 ack 5001 len 10", E(OUT_OF_WINDOW)},
		 {5, "S P. 3000000000 ack 1001 len 10", E(OUT_OF_WINDOW)},
		 /* what lies beyond the server's own window cannot have come in there */
		 {6, "S P. 5001 ack 900000 len 10", E(ACK_IGNORED)},
		 {7, "C P. 1001 ack 5001 len 10"},
	 },
	 "phase=established C.next=1011 S.next=5001 C.packets=5 C.bytes=30"},
	/* RFC 7323 §2.2: not on SYN and SYN-ACK, and only if both offer it */
	{"scaled windows",
	 {
		 {0, "C S 1000 win 1000 wscale 4", E(SYN)},
		 {1, "S S. 5000 ack 1001 win 1000 wscale 2", E(SYNACK)},
		 {2, "C . 1001 ack 5001 win 1000", E(ESTABLISHED)},
		 {3, "S P. 21002 ack 1001 len 1", E(OUT_OF_WINDOW)},
		 {4, "S P. 20990 ack 1001 len 1 win 1000"},
	 },
	 "C.window_max=16000 S.window_max=4000"},
	{"a window scale that only one end offers",
	 {
		 {0, "C S 1000 win 1000 wscale 7", E(SYN)},
		 {1, "S S. 5000 ack 1001", E(SYNACK)},
		 {2, "C . 1001 ack 5001 win 1000", E(ESTABLISHED)},
	 },
	 "C.window_max=1000"},
	/* RFC 9293 §3.4: both numbers pass 2^32 */
	{"sequence numbers wrap",
	 {
		 {0, "C S 4294967290", E(SYN)},
		 {1, "S S. 4294967295 ack 4294967291", E(SYNACK)},
		 {2, "C . 4294967291 ack 0", E(ESTABLISHED)},
		 {3, "C P. 4294967291 ack 0 len 100"},
		 {4, "S P. 0 ack 95 len 10"},
		 {5, "C P. 4294967291 ack 10 len 100", E(DUPLICATE)},
		 {6, "C P. 95095 ack 10 len 1", E(OUT_OF_WINDOW)},
		 {7, "C F. 95 ack 10", E(FIN)},
		 {8, "S F. 10 ack 96", E(FIN)},
		 {9, "C . 96 ack 11", E(CLOSED)},
	 },
	 "phase=closed C.next=96 S.next=11 C.retransmits=1"},
	{"a RST at the wrap",
	 {
		 {0, "C S 4294967295", E(SYN)},
		 {1, "S R. 0 ack 4294967295", E(RST_IGNORED)},
		 {2, "S R. 0 ack 0", E(REFUSED)},
	 },
	 "phase=reset"},
	/* RFC 7323 §4: by the timestamp that is echoed, also across a retransmission */
	{"round-trip times by timestamps",
	 {
		 {0, "C S 1000 ts 1 0", E(SYN)},
		 {20, "S S. 5000 ack 1001 ts 500 1", E(SYNACK)},
		 {25, "C . 1001 ack 5001 ts 26 500", E(ESTABLISHED)},
		 {100, "C P. 1001 ack 5001 len 100 ts 101 500"},
		 {300, "C P. 1001 ack 5001 len 100 ts 301 500", E(RETRANSMIT)},
		 /* answers the first */
		 {310, "S . 5001 ack 1101 ts 790 101"},
		 {400, "C P. 1101 ack 5001 len 100 ts 401 790"},
		 {430, "S . 5001 ack 1201 ts 910 401"},
	 },
	 "C.rtt.samples=3 C.rtt.min_us=20000 C.rtt.last_us=30000 S.rtt.samples=1 S.rtt.last_us=5000"},
	/* RFC 6298 §3: Karn */
	{"round-trip times by sequence numbers, never across a retransmission",
	 {
		 OPENED,
		 {100, "C P. 1001 ack 5001 len 100"},
		 {300, "C P. 1001 ack 5001 len 100", E(RETRANSMIT)},
		 {310, "S . 5001 ack 1101"},
		 {400, "C P. 1101 ack 5001 len 100"},
		 {430, "S . 5001 ack 1201"},
		 /* a bare ACK is not timed: the pause before the next data is nobody's network */
		 {9000, "C P. 1201 ack 5001 len 1"},
		 {9040, "S . 5001 ack 1202"},
	 },
	 "C.rtt.samples=3 C.rtt.min_us=1000 C.rtt.last_us=40000 S.rtt.samples=1"},
};

#endif
