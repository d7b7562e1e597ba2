/* SPDX-License-Identifier: GPL-2.0-only */
/* Frames of many kinds, and filters, each of which matches some of them or of their changed copies. */
#ifndef XDPLIFE_TESTS_FILTER_CORPUS_H
#define XDPLIFE_TESTS_FILTER_CORPUS_H

#define MACS "020000000002 020000000001 "
#define IP4  "0a000102 0a000202 "
#define IP6  "fd000001000000000000000000000002 fd000002000000000000000000000002 "
#define TCP  "9c4001bb 000003e8 00000000 5002 faf0 0000 0000 "

static const char *const frame_texts[] = {
	/* IPv4: TCP SYN to 443; with IP options; with data; a later fragment; DNS; echo; SCTP; ESP; ... */
	MACS "0800 45000028 12340000 40060000 " IP4 TCP,
	MACS "0800 46000030 12344000 40060000 " IP4
	     "01010100 9c400016 00000001 00000002 5010 faf0 0000 0000 5353482d",
	MACS "0800 45000034 12344000 40060000 " IP4
	     "00509c40 0000000a 000003e9 8018 faf0 0000 0000 0101080a 00000001 00000002 48545450",
	MACS "0800 45000024 123400b9 40060000 " IP4 "00112233 44556677 8899aabb ccddeeff",
	MACS "0800 45000024 12340000 40110000 " IP4 "9c400035 00100000 12340100 00010000",
	MACS "0800 4500001c 12340000 40010000 " IP4 "0800f7fd 00010001",
	MACS "0800 45000020 12340000 40840000 " IP4 "0b590b59 00000001 00000000",
	MACS "0800 45000020 12340000 40320000 " IP4 "00000100 00000001 00000000",
	MACS "0800 4500003c 12340000 40040000 " IP4 "45000028 12340000 40060000 c0a80001 c0a80002 " TCP,
	MACS "0800 45000040 12340000 402f0000 " IP4
	     "00000800 45000028 12340000 40060000 c0a80001 c0a80002 " TCP,
	/* IPv6: TCP; UDP; ICMPv6; a fragment; hop-by-hop, then TCP */
	MACS "86dd 60000000 0014 06 40 " IP6 TCP,
	MACS "86dd 60000000 0010 11 40 " IP6 "9c400035 00100000 12340100 00010000",
	MACS "86dd 60000000 0008 3a 40 " IP6 "8000f7fd 00010001",
	MACS "86dd 60000000 001c 2c 40 " IP6 "06000001 00000001 " TCP,
	MACS "86dd 60000000 001c 00 40 " IP6 "06000104 00000000 " TCP,
	/* SYN,ACK from 443; IGMP to all hosts, from 192.168.0.1; a neighbour solicitation; a broadcast */
	MACS
	"0800 45000028 12340000 40060000 0a000202 0a000102 01bb9c40 00000001 000003e9 5012 faf0 0000 0000",
	"01005e000001 020000000001 0800 4600001c 12340000 01020000 c0a80001 e0000001 94040000 1100 eeff",
	"3333ff000002 020000000001 86dd 60000000 0018 3a ff fd000001000000000000000000000002"
	"ff0200000000000000000001ff000002 8700 0000 00000000 fd000002000000000000000000000002",
	"ffffffffffff 020000000001 0800 4500001c 12340000 40110000 c0a80001 c0a800ff 00440043 00080000",
	/* ARP, LLDP, 802.3 with LLC (spanning tree), IPX in SNAP */
	MACS "0806 0001 0800 06 04 0001 020000000001 0a000102 000000000000 0a000202",
	"0180c200000e 020000000001 88cc 0207 04 020000000001 0000",
	"0180c2000000 020000000001 0026 424203 0000000000 8000020000000001 00000000 8000020000000001",
	MACS "0020 aaaa03 000000 8137 ffff0020 00000000 00000000",
	/* VLAN: TCP in 100; UDP over IPv6 in 5, priority 6; QinQ 200 / 100; 802.1ad */
	MACS "8100 0064 0800 45000028 12340000 40060000 " IP4 TCP,
	MACS "8100 c005 86dd 60000000 0010 11 40 " IP6 "9c400035 00100000 12340100 00010000",
	MACS "8100 00c8 8100 0064 0800 45000028 12340000 40060000 " IP4 TCP,
	MACS "88a8 00c8 8100 0064 0800 45000028 12340000 40060000 " IP4 TCP,
	MACS "9100 00c8 8100 0064 0806 0001 0800 06 04 0001 020000000001 0a000102 000000000000 0a000202",
	/* MPLS, two labels; PPPoE discovery and session; Geneve and VXLAN with TCP inside */
	MACS "8847 00064040 000c8140 45000028 12340000 40060000 " IP4 TCP,
	MACS "8863 11 09 0000 0004 0101 0000",
	MACS "8864 11 00 0007 002a 0021 45000028 12340000 40060000 " IP4 TCP,
	MACS "0800 4500005a 12340000 40110000 " IP4 "9c4017c1 00460000 0000 6558 00007b00 " MACS
	     "0800 45000028 12340000 40060000 " IP4 TCP,
	MACS "0800 4500005a 12340000 40110000 " IP4 "9c4012b5 00460000 08000000 00007b00 " MACS
	     "0800 45000028 12340000 40060000 " IP4 TCP,
};

static const char *const expressions[] = {
	"tcp",
	"udp",
	"icmp",
	"icmp6",
	"arp",
	"ip",
	"ip6",
	"sctp",
	"esp",
	"igmp",
	"stp",
	"ipx",
	"llc",
	"tcp port 443",
	"port 53",
	"src port 443",
	"dst port 443",
	"udp dst port 53",
	"not port 22",
	"portrange 400-500",
	"tcp src portrange 39999-40001",
	"tcp and not port 443 and not port 80",
	"host 10.0.1.2",
	"src host 10.0.1.2 and dst host 10.0.2.2",
	"net 10.0.2.0/24",
	"src net 10.0.0.0/8",
	"src net 192.168.0.0 mask 255.255.0.0",
	"host fd00:1::2",
	"ip6 net fd00:2::/32",
	"ip6 src host fd00:1::2",
	"ether host 02:00:00:00:00:01",
	"ether dst 02:00:00:00:00:02",
	"ether multicast",
	"ether broadcast",
	"ip multicast",
	"ip6 multicast",
	"ether proto 0x88cc",
	"ether[0] & 1 = 1",
	"ip proto 47",
	"ip6 proto 44",
	"vlan",
	"vlan 100",
	"vlan and tcp",
	"vlan 200 and vlan 100 and tcp port 443",
	"vlan and ip6 and udp",
	"not vlan",
	"tcp or (vlan and tcp)",
	"ether proto 0x8100 or ether proto 0x88a8",
	"ether[14:2] & 0xfff = 100",
	"mpls",
	"mpls 100",
	"mpls and mpls 200 and ip",
	"pppoed",
	"pppoes",
	"pppoes 7 and tcp",
	"geneve",
	"geneve 0x7b and tcp port 443",
	"tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn",
	"tcp[tcpflags] & (tcp-rst|tcp-fin) != 0",
	"ip[0] & 0xf != 5",
	"ip[6:2] & 0x1fff != 0",
	"ip6[6] = 44 and ip6[40] = 6",
	"tcp[((tcp[12] & 0xf0) >> 2):4] = 0x48545450",
	"icmp[icmptype] = icmp-echo",
	"icmp6[icmp6type] == icmp6-echo",
	"tcp[13] & 2 != 0 and tcp[14:2] > 1000",
	"len > 60",
	"len <= 54",
	"greater 100",
	"less 60",
	"len - 14 = ip[2:2]",
	"ether[12:4] = 0x08004500",
	"ether[11:2] = 0x0108",
	"ether[15:4] != 0x12345678",
	"ether[15:2] != 0x1234",
	"ether[13:4] & 0xff = 0",
	"ether[15] = 0x64",
	"ether[10:4] = 0x00018100",
	"ether[len - 1] = 0xb5 or ether[len - 4:4] = 0",
	"ether[ether[15] / 8:2] > 5",
	"ether[ip[0] % 7 + 9:4] > 7",
	"ether[ether[5] + 10:2] = 0x0800 or ether[ether[5] * 6 + 1] < 9",
	"ip[ip[8] - 60:4] > 0x100",
	"(tcp[0:2] ^ 0x9c40) | (tcp[2:2] & 0xf00) != 0",
	"ether[6] << 4 >> 3 == 4",
	"-ether[6] = 0xfffffffe",
	"udp[8 + ether[5]:2] = 0x1234 or not ip",
	"ether[3000:4] > ether[4000:2]",
	"ether[3518:4] > 0x80000000",
	"ether[3500 + ether[13]:4] > 0x70000000",
	"arp or ether[70000] = 1",
	"arp or ether[0x7ffffff0] = 1",
	"host 10.0.1.2 or host 10.0.1.3 or host 10.0.1.4 or net 10.9.0.0/16 or port 22 or portrange "
	"8000-9000",
	"(host 10.0.1.2 and (port 443 or port 53)) or (ip6 and not udp) or (vlan and (arp or port 80))",
};

#endif
