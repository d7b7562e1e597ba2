/* SPDX-License-Identifier: GPL-2.0-only */
/* Rows: which frames are of one connection: VLANs, IPv6 headers, fragments, tunnels. */
#ifndef XDPLIFE_ROWS_IDENTITY_H
#define XDPLIFE_ROWS_IDENTITY_H

#include "row.h"

/* 02:00:00:00:00:c0 → 02:00:00:00:00:01 */
#define MACS "020000000001 0200000000c0 "
#define ETH4 MACS "0800 "
#define ETH6 MACS "86dd "
/* fd00:1::2 → fd00:2::2 and back, up to the hop limit of 64 */
#define IP6_TO_S(payload, next)                                                                              \
	"60000000" payload next "40 fd000001000000000000000000000002 fd000002000000000000000000000002 "
#define IP6_TO_C(payload, next)                                                                              \
	"60000000" payload next "40 fd000002000000000000000000000002 fd000001000000000000000000000002 "
/* 44 bytes, id 1, TTL 64, TCP, 10.0.1.2 → 10.0.2.2 and back */
#define IP4_TO_S "4500002c 00010000 400663c8 0a000102 0a000202 "
#define IP4_TO_C "4500002c 00010000 400663c8 0a000202 0a000102 "
/* from @port to 80: SYN 1000, window 64240, MSS 1460; and its answer: SYN-ACK 5000, window 65160, MSS 1400 */
#define SYN(port)    port "0050 000003e8 00000000 6002faf0 00000000 020405b4 "
#define SYNACK(port) "0050" port " 00001388 000003e9 6012fe88 00000000 02040578 "
/* the outer packet: of so many bytes, for that protocol, 192.0.2.1 → 192.0.2.2 and back */
#define OUTER_TO_S(bytes, proto, sum) "4500" bytes " 00010000 40" proto sum " c0000201 c0000202 "
#define OUTER_TO_C(bytes, proto, sum) "4500" bytes " 00010000 40" proto sum " c0000202 c0000201 "
#define OUTER6(next)                                                                                         \
	"60000000 002c" next "40 20010db8000000000000000000000001 20010db8000000000000000000000002 "
/* UDP 55555 → 4789 of 74 bytes without a checksum; the flag that says that there is a VNI; 42 */
#define VXLAN "d90312b5 004a0000 08000000 00002a00 "
/* C, K, S; an Ethernet frame inside (0x6558); the checksum, key 8, sequence 1 */
#define GRE_CKS "b0006558 f4fe0000 00000008 00000001 "
#define DATA32  "7979797979797979 7979797979797979 7979797979797979 7979797979797979"
/* hop-by-hop with router alert, destination options, routing with no segments left, an atomic fragment */
#define CHAIN "3c00050200000100 2b00010400000000 2c00000000000000 0600000000000001 "

static const struct row identity_rows[] = {
	{"the same addresses and ports in two VLANs",
	 {
		 {0, "C S 1000 vlan 5", E(SYN)},
		 {1, "C S 2000 vlan 6", E(SYN)},
		 {2, "S S. 5000 ack 1001 vlan 5", E(SYNACK)},
		 {3, "S S. 6000 ack 2001 vlan 6", E(SYNACK)},
		 {4, "C . 1001 ack 5001 vlan 5", E(ESTABLISHED)},
		 {5, "C . 2001 ack 6001 vlan 6", E(ESTABLISHED)},
	 },
	 "phase=established C.isn=2000 C.packets=2 S.packets=1 vlans=1",
	 2},
	{"the same addresses and ports with a VLAN and without",
	 {
		 {0, "C S 1000 vlan 5", E(SYN)},
		 {1, "C S 2000", E(SYN)},
		 {2, "S S. 6000 ack 2001", E(SYNACK)},
		 {3, "S S. 5000 ack 1001 vlan 5", E(SYNACK)},
		 {4, "C . 1001 ack 5001 vlan 5", E(ESTABLISHED)},
		 {5, "C . 2001 ack 6001", E(ESTABLISHED)},
	 },
	 "phase=established C.isn=2000 C.packets=2 S.packets=1",
	 2},
	/* a card that takes the tags off what comes in */
	{"only what the client sends is tagged",
	 {
		 {0, "C S 1000 vlan 5", E(SYN)},
		 {1, "S S. 5000 ack 1001", E(SYNACK)},
		 {2, "C . 1001 ack 5001 vlan 5", E(ESTABLISHED)},
		 {3, "C P. 1001 ack 5001 len 10 vlan 5"},
		 {4, "S P. 5001 ack 1011 len 20"},
		 {5, "S F. 5021 ack 1011", E(FIN)},
		 {6, "C F. 1011 ack 5022 vlan 5", E(FIN)},
		 {7, "S . 5022 ack 1012", E(CLOSED)},
	 },
	 "phase=closed client=C closer=S C.packets=4 S.packets=4"},
	{"only what the server sends is tagged",
	 {
		 {0, "C S 1000", E(SYN)},
		 {1, "S S. 5000 ack 1001 vlan 5", E(SYNACK)},
		 {2, "C . 1001 ack 5001", E(ESTABLISHED)},
		 {3, "C P. 1001 ack 5001 len 10"},
		 {4, "S P. 5001 ack 1011 len 20 vlan 5"},
		 {5, "S R. 5021 ack 1011 vlan 5", E(RESET)},
	 },
	 "phase=reset client=C closer=S C.packets=3 S.packets=3"},
	{"only the SYN is tagged, with two tags, and it is refused",
	 {
		 {0, "C S 1000 vlan 100 vlan 5", E(SYN)},
		 {1, "S R. 0 ack 1001", E(REFUSED)},
	 },
	 "phase=reset closer=S"},
	{"only the SYN is tagged, and a router says that it got nowhere",
	 {
		 {0, "C S 1000 vlan 5", E(SYN)},
		 {1, "icmp 3 1 C 1000", E(UNREACHABLE), OBSERVED_ICMP_ERROR},
	 },
	 "phase=opening flags=unreachable icmp_code=1"},
	/* not a reply: what the client sends without its tag is another connection's */
	{"the client's own segments have to have its tag",
	 {
		 {0, "C S 1000 vlan 5", E(SYN)},
		 {1, "S S. 5000 ack 1001", E(SYNACK)},
		 {2, "C . 1001 ack 5001", E(MIDSTREAM)},
	 },
	 "phase=established client=- flags=midstream",
	 2},
	/* a reply in another VLAN is none */
	{"a reply has the tag or none",
	 {
		 {0, "C S 1000 vlan 5", E(SYN)},
		 {1, "S S. 5000 ack 1001 vlan 6", E(SYNACK) | E(MIDSTREAM)},
	 },
	 "phase=answered flags=midstream",
	 2},
	/* the priority is no part of the identity: 0xa005 is VLAN 5 with priority 5 */
	{"VLAN 5 with another priority",
	 {
		 {0, "C S 1000 vlan 5", E(SYN)},
		 {1, "S S. 5000 ack 1001 vlan 40965", E(SYNACK)},
	 },
	 "phase=answered vlans=1"},
	/* IEEE 802.1ad: tag 100 outside (0x88a8), tag 5 inside (0x8100) */
	{"QinQ",
	 {
		 {0, MACS "88a8 0064 8100 0005 0800" IP4_TO_S SYN("c36e"), E(SYN)},
		 {1, MACS "88a8 0064 8100 0005 0800" IP4_TO_C SYNACK("c36e"), E(SYNACK)},
		 /* only inside is the same: another connection */
		 {2, MACS "88a8 0065 8100 0005 0800" IP4_TO_S SYN("c36e"), E(SYN)},
	 },
	 "phase=opening vlans=2 C.mss=1460",
	 2},
	{"four VLAN tags are one too many",
	 {
		 {0, MACS "88a8 0064 8100 0005 8100 0006 8100 0007 0800" IP4_TO_S SYN("c36f"), 0,
		  OBSERVED_UNPARSED, MALFORMED_VLAN_DEPTH},
	 },
	 NULL,
	 ROW_NO_CONNECTION},
	{"IPv6",
	 {
		 {0, "C S 1000 ip6", E(SYN)},
		 {1, "S S. 5000 ack 1001 ip6", E(SYNACK)},
		 {2, "C . 1001 ack 5001 ip6", E(ESTABLISHED)},
	 },
	 "phase=established ttl=64"},
	/* a payload of 56: four headers of 8 bytes, 24 of TCP */
	{"IPv6 with a chain of extension headers",
	 {
		 {0, ETH6 IP6_TO_S("0038", "00") CHAIN SYN("c351"), E(SYN)},
		 /* behind one of destination options */
		 {1, ETH6 IP6_TO_C("0020", "3c") "0600010400000000" SYNACK("c351"), E(SYNACK)},
	 },
	 "phase=answered C.mss=1460 S.mss=1400"},
	/* id 7; the first (MF) has the TCP header and 8 bytes of data, the second 32 bytes from byte 32 on */
	{"a fragmented SYN",
	 {
		 {0, ETH4 "45000034 00072000 400643ba 0a000102 0a000202" SYN("c352") "7979797979797979",
		  E(SYN) | E(SYN_DATA)},
		 {1, ETH4 "45000034 00070004 400663b6 0a000102 0a000202" DATA32, 0, OBSERVED_LATER_FRAGMENT},
		 {2, ETH4 IP4_TO_C SYNACK("c352"), E(SYNACK)},
	 },
	 "phase=answered C.packets=1 C.mss=1460"},
	/* the same with a fragment header (44): M and offset 0; then offset 32 */
	{"a fragmented SYN over IPv6",
	 {
		 {0, ETH6 IP6_TO_S("0028", "2c") "0600000100000009" SYN("c359") "7979797979797979",
		  E(SYN) | E(SYN_DATA)},
		 {1, ETH6 IP6_TO_S("0028", "2c") "0600002000000009" DATA32, 0, OBSERVED_LATER_FRAGMENT},
	 },
	 "phase=opening C.packets=1"},
	/* RFC 1858: 8 bytes of the TCP header in each; id 8 */
	{"tiny fragments",
	 {
		 {0, ETH4 "4500001c 00082000 400643d1 0a000102 0a000202 c3530050 000003e8", 0,
		  OBSERVED_UNPARSED, MALFORMED_FRAGMENT_TINY},
		 {1, ETH4 "4500001c 00082001 400643d0 0a000102 0a000202 00000000 6002faf0", 0,
		  OBSERVED_LATER_FRAGMENT},
		 {2, ETH4 "4500001c 00080002 400663cf 0a000102 0a000202 bea60000 020405b4", 0,
		  OBSERVED_LATER_FRAGMENT},
	 },
	 NULL,
	 ROW_NO_CONNECTION},
	/* RFC 7348: a frame of its own behind its header */
	{"VXLAN",
	 {
		 {0, ETH4 OUTER_TO_S("005e", "11", "f68a") VXLAN ETH4 IP4_TO_S SYN("c354"), E(SYN)},
		 {1, ETH4 OUTER_TO_C("005e", "11", "f68a") VXLAN ETH4 IP4_TO_C SYNACK("c354"), E(SYNACK)},
	 },
	 "phase=answered tunnel=vxlan tunnel.id=42 C.mss=1460 S.mss=1400"},
	/* RFC 2890: K, IPv4 inside, key 7 */
	{"GRE with a key",
	 {
		 {0, ETH4 OUTER_TO_S("0048", "2f", "f682") "20000800 00000007" IP4_TO_S SYN("c355"), E(SYN)},
		 {1, ETH4 OUTER_TO_C("0048", "2f", "f682") "20000800 00000007" IP4_TO_C SYNACK("c355"),
		  E(SYNACK)},
	 },
	 "phase=answered tunnel=gre tunnel.id=7"},
	{"GRE with all it can have",
	 {
		 {0, ETH4 OUTER_TO_S("005e", "2f", "f66c") GRE_CKS ETH4 IP4_TO_S SYN("c35a"), E(SYN)},
		 {1, ETH4 OUTER_TO_C("005e", "2f", "f66c") GRE_CKS ETH4 IP4_TO_C SYNACK("c35a"), E(SYNACK)},
	 },
	 "phase=answered tunnel=gre tunnel.id=8"},
	/* RFC 2003: protocol 4 */
	{"IPIP",
	 {
		 {0, ETH4 OUTER_TO_S("0040", "04", "f6b5") IP4_TO_S SYN("c356"), E(SYN)},
		 {1, ETH4 OUTER_TO_C("0040", "04", "f6b5") IP4_TO_C SYNACK("c356"), E(SYNACK)},
	 },
	 "phase=answered tunnel=ipip"},
	/* RFC 2473: next header 4 */
	{"4in6",
	 {
		 {0, ETH6 OUTER6("04") IP4_TO_S SYN("c357"), E(SYN)},
		 {1, ETH6 OUTER6("04") IP4_TO_C SYNACK("c357"), E(SYNACK)},
	 },
	 "phase=answered tunnel=4in6"},
	/* RFC 4213: protocol 41 */
	{"6in4",
	 {
		 {0, ETH4 OUTER_TO_S("0054", "29", "f67c") IP6_TO_S("0018", "06") SYN("c358"), E(SYN)},
		 {1, ETH4 OUTER_TO_C("0054", "29", "f67c") IP6_TO_C("0018", "06") SYNACK("c358"), E(SYNACK)},
	 },
	 "phase=answered tunnel=6in4"},
	/* the IP length says where the packet ends: six bytes behind it are no data */
	{"padding is no data",
	 {
		 {0, "C S 1000", E(SYN)},
		 {1, "S S. 5000 ack 1001", E(SYNACK)},
		 {2, "C . 1001 ack 5001 pad 6", E(ESTABLISHED)},
	 },
	 "phase=established C.bytes=0 C.next=1001"},
};

#endif
