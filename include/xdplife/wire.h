/* SPDX-License-Identifier: GPL-2.0-only */
/* Header layouts, constants and byte order that the kernel's uapi headers lack; the base of the engine. */
#ifndef XDPLIFE_WIRE_H
#define XDPLIFE_WIRE_H

#ifndef __bpf__
#include <netinet/in.h> /* first: the uapi headers then leave out what glibc has defined */
#endif
#include <linux/types.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

/*
 * A step of the engine. In BPF a global function, whose pointers it must check itself: the verifier walks it once, whatever
 * comes before and behind. Inlined, every path through one step would be followed by every path through the next.
 */
#ifdef __bpf__
#define XL_STEP __attribute__((noinline))
#else
#define XL_STEP static inline
#endif

/* Host order from wire order and back. The engine stores ports and addresses as they are on the wire (__be16,
 * __be32) and everything that it counts or compares by size (lengths, sequence numbers, windows) in host
 * order. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define XL_SWAP16(x) __builtin_bswap16(x)
#define XL_SWAP32(x) __builtin_bswap32(x)
#else
#define XL_SWAP16(x) ((__u16)(x))
#define XL_SWAP32(x) ((__u32)(x))
#endif
#define TO_BE16(x)   ((__be16)XL_SWAP16((__u16)(x)))
#define TO_BE32(x)   ((__be32)XL_SWAP32((__u32)(x)))
#define FROM_BE16(x) ((__u16)XL_SWAP16((__u16)(x)))
#define FROM_BE32(x) ((__u32)XL_SWAP32((__u32)(x)))

/* IEEE 802.3 §3.2. uapi's struct ethhdr is packed, and so BPF would read it byte by byte. */
struct eth_header {
	__u8 h_dest[ETH_ALEN];
	__u8 h_source[ETH_ALEN];
	__be16 h_proto; /* the EtherType */
};

/* IEEE 802.1Q: a tag is the TPID (as EtherType of what came before), then priority, DEI and VID, then the
 * next type. */
#define VLAN_MAX_TAGS 3
#define VLAN_VID_MASK 0x0fff

struct vlan_tag {
	__be16 tci;
	__be16 eth_type;
};

/* RFC 826, for Ethernet and IPv4. */
#define ARP_HTYPE_ETHER 1
#define ARP_OP_REQUEST  1
#define ARP_OP_REPLY    2

struct arp_ip4 {
	__be16 htype;
	__be16 ptype;
	__u8 hlen;
	__u8 plen;
	__be16 op;
	__u8 sender_mac[6];
	__u8 sender_ip[4];
	__u8 target_mac[6];
	__u8 target_ip[4];
} __attribute__((packed));

/* RFC 791 §3.1: flags and fragment offset (in units of 8 bytes) share a word. */
#define IP4_FLAG_DF     0x4000
#define IP4_FLAG_MF     0x2000
#define IP4_OFFSET_MASK 0x1fff

/* RFC 8200 §4: an extension header starts with the next header and its length; the fragment header (§4.5) is
 * fixed. */
struct ip6_ext {
	__u8 next_header;
	__u8 length; /* in units of 8 bytes, the first 8 not counted; AH (RFC 4302 §2.2): units of 4 bytes,
			minus 2 */
};

struct ip6_fragment {
	__u8 next_header;
	__u8 reserved;
	__be16 offset_flags; /* offset in units of 8 bytes in the upper 13 bits, M in bit 0 */
	__be32 id;
};

#define IP6_FRAG_OFFSET_MASK 0xfff8
#define IP6_FRAG_MORE        0x0001
#define IP6_MAX_EXT_HEADERS  8

/* Next headers that uapi's linux/in.h does not name. */
#define NEXTHDR_HOP_BY_HOP 0
#define NEXTHDR_ROUTING    43
#define NEXTHDR_FRAGMENT   44
#define NEXTHDR_AH         51
#define NEXTHDR_NONE       59
#define NEXTHDR_DEST_OPTS  60
#define NEXTHDR_MOBILITY   135
#define NEXTHDR_ICMPV6     58

/* RFC 792 and RFC 4443 §2.1 begin alike. uapi's linux/icmp.h drags in the sockets API, which BPF does not
 * have. */
struct icmp_header {
	__u8 type;
	__u8 code;
	__u16 checksum;
	__be16 id;       /* echo; in an error the meaning depends on the type */
	__be16 sequence; /* echo; likewise */
};

/* RFC 9293 §3.1: the control bits, as the byte at offset 13 of the TCP header holds them. */
#define TCPHDR_FIN 0x01
#define TCPHDR_SYN 0x02
#define TCPHDR_RST 0x04
#define TCPHDR_PSH 0x08
#define TCPHDR_ACK 0x10
#define TCPHDR_URG 0x20
#define TCPHDR_ECE 0x40
#define TCPHDR_CWR 0x80
#define TCPHDR_AE  0x01 /* in the byte before, at offset 12 (RFC 9768 §3) */

/* Option kinds: RFC 9293 §3.2, RFC 7323, RFC 2018, RFC 7413, RFC 8684. */
#define TCP_OPT_END            0
#define TCP_OPT_NOP            1
#define TCP_OPT_MSS            2
#define TCP_OPT_WINDOW_SCALE   3
#define TCP_OPT_SACK_PERMITTED 4
#define TCP_OPT_SACK           5
#define TCP_OPT_TIMESTAMPS     8
#define TCP_OPT_MPTCP          30
#define TCP_OPT_FAST_OPEN      34
#define TCP_ALIGNED_TIMESTAMPS 0x0101080a /* NOP, NOP, kind, length: RFC 7323, appendix A */
#define TCP_MAX_OPTIONS_BYTES  40
#define TCP_MAX_WINDOW_SCALE   14 /* RFC 7323 §2.3 */

struct tcp_timestamps {
	__be32 start; /* TCP_ALIGNED_TIMESTAMPS */
	__be32 tsval;
	__be32 tsecr;
};

/* An address of either family; an IPv4 address fills the first word and the rest is zero. */
union ip_addr {
	__be32 v4;
	__be32 word[4];
	__u8 byte[16];
};

/*
 * The headers as they are read in place: a frame starts at any address. The compiler has to know (vector loads, UBSan);
 * in BPF it must not, or it would load byte by byte what the verifier lets it load whole.
 */
#ifdef __bpf__
#define XL_IN_PLACE
#else
#define XL_IN_PLACE __attribute__((aligned(1)))
#endif

typedef __u16 wire_u16 XL_IN_PLACE;
typedef __u32 wire_u32 XL_IN_PLACE;
typedef struct eth_header wire_eth_header XL_IN_PLACE;
typedef struct vlan_tag wire_vlan_tag XL_IN_PLACE;
typedef struct iphdr wire_iphdr XL_IN_PLACE;
typedef struct ipv6hdr wire_ipv6hdr XL_IN_PLACE;
typedef struct ip6_ext wire_ip6_ext XL_IN_PLACE;
typedef struct ip6_fragment wire_ip6_fragment XL_IN_PLACE;
typedef struct tcphdr wire_tcphdr XL_IN_PLACE;
typedef struct tcp_timestamps wire_tcp_timestamps XL_IN_PLACE;
typedef struct udphdr wire_udphdr XL_IN_PLACE;
typedef struct icmp_header wire_icmp_header XL_IN_PLACE;

_Static_assert(sizeof(struct eth_header) == ETH_HLEN, "802.3 without tags");
_Static_assert(sizeof(struct vlan_tag) == 4, "802.1Q tag");
_Static_assert(sizeof(struct arp_ip4) == 28, "RFC 826 for Ethernet and IPv4");
_Static_assert(sizeof(struct icmp_header) == 8, "RFC 792");
_Static_assert(sizeof(struct ip6_fragment) == 8, "RFC 8200 fragment header");
_Static_assert(sizeof(union ip_addr) == 16, "one slot for either family");

#endif
