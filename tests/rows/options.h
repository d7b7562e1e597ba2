/* SPDX-License-Identifier: GPL-2.0-only */
/* Rows: what a SYN offers, and what is wrong with it. */
#ifndef XDPLIFE_ROWS_OPTIONS_H
#define XDPLIFE_ROWS_OPTIONS_H

#include "row.h"

static const struct row options_rows[] = {
	/* RFC 3168 §6.1.1: ECE and CWR on the SYN, ECE alone on the SYN-ACK */
	{"ECN offered and accepted",
	 {
		 {0, "C SEW 1000", E(SYN)},
		 {1, "S S.E 5000 ack 1001", E(SYNACK)},
		 {2, "C . 1001 ack 5001", E(ESTABLISHED)},
	 },
	 "phase=established C.syn_flags=S+ECE+CWR S.syn_flags=S+A+ECE"},
	/* RFC 9768 §3.1.1: AE, CWR and ECE on the SYN; AE alone on the SYN-ACK: the SYN came with ECT(1) */
	{"AccECN offered and accepted",
	 {
		 {0, "C SEWA 1000", E(SYN)},
		 {1, "S S.A 5000 ack 1001", E(SYNACK)},
		 {2, "C .A 1001 ack 5001", E(ESTABLISHED)},
	 },
	 "phase=established C.syn_flags=S+ECE+CWR+AE S.syn_flags=S+A+AE"},
	/* RFC 8684 §3.1: MP_CAPABLE, version 1; the SYN-ACK has the server's key */
	{"MPTCP",
	 {
		 {0, "C S 1000 mss 1460 opt 1e040181", E(SYN)},
		 {1, "S S. 5000 ack 1001 mss 1460 opt 1e0c01811122334455667788", E(SYNACK)},
	 },
	 "phase=answered C.options=mss+mptcp S.options=mss+mptcp"},
	/* RFC 4727: kind 253, for experiments; RFC 6994: which one */
	{"an unknown option",
	 {
		 {0, "C S 1000 opt fd04f989 mss 1460", E(SYN)},
	 },
	 "phase=opening C.options=mss+other C.mss=1460"},
	{"only the server's answer has them",
	 {
		 {0, "C S 1000", E(SYN)},
		 {1, "S S. 5000 ack 1001 mss 1460 sackok wscale 9", E(SYNACK)},
	 },
	 "C.options=none C.mss=0 S.options=mss+wscale+sack S.wscale=9"},
	/* RFC 7323 §2.3: above 14 counts as 14 */
	{"a window scale of 15",
	 {
		 {0, "C S 1000 wscale 15", E(SYN)},
	 },
	 "C.wscale=14"},
	/* a length of 0, of 1, beyond the header, and none: what came before it counts */
	{"malformed options: length 0",
	 {
		 {0, "C S 1000 mss 1460 opt 03000101", E(SYN), 0, MALFORMED_TCP_OPTIONS},
	 },
	 "phase=opening C.options=mss C.mss=1460"},
	{"malformed options: length 1",
	 {
		 {0, "C S 1000 mss 1460 opt 03010101", E(SYN), 0, MALFORMED_TCP_OPTIONS},
	 },
	 "phase=opening C.options=mss"},
	{"truncated options: four bytes of MSS in two",
	 {
		 {0, "C S 1000 opt 01010204", E(SYN), 0, MALFORMED_TCP_OPTIONS},
	 },
	 "phase=opening C.options=none C.mss=0"},
	{"truncated options: a kind without a length",
	 {
		 {0, "C S 1000 mss 1460 opt 01010103", E(SYN), 0, MALFORMED_TCP_OPTIONS},
		 {1, "S S. 5000 ack 1001", E(SYNACK)},
		 {2, "C . 1001 ack 5001", E(ESTABLISHED)},
	 },
	 "phase=established C.options=mss"},
	/* nothing wrong with the structure: it is not taken for an MSS */
	{"an MSS option of three bytes",
	 {
		 {0, "C S 1000 opt 020305 sackok", E(SYN)},
	 },
	 "phase=opening C.options=sack C.mss=0"},
	{"nothing counts behind the end of the options",
	 {
		 {0, "C S 1000 mss 1460 opt 00020400", E(SYN)},
	 },
	 "phase=opening C.options=mss C.mss=1460"},
	/* ten words: as long as they can be */
	{"forty bytes of options",
	 {
		 {0,
		  "C S 1000 mss 1460 sackok ts 1 0 wscale 7 opt 220affeeddccbbaa9988 opt fd04f989 opt fd03f9",
		  E(SYN)},
	 },
	 "phase=opening C.options=mss+sack+ts+wscale+tfo+cookie+other"},
	/* at the first hook and at the second, behind a middlebox */
	{"a SYN loses its timestamps and its window scale",
	 {
		 {0, "C S 1000 mss 1460 sackok ts 1 0 wscale 7", E(SYN)},
		 {1, "again C S 1000 mss 1400 sackok", 0, OBSERVED_SECOND_HOOK},
	 },
	 "C.options=mss+sack+ts+wscale C.stripped=ts+wscale C.packets=1"},
};

#endif
