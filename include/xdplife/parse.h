/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one parser: a cursor that reads Ethernet, VLAN tags, ARP, IPv4, IPv6 with its extension headers, TCP, UDP, ICMP
 * and ICMPv6 out of untrusted bytes into a struct packet. Nothing is read that was not checked against the end first.
 *
 * A malformed layer is an outcome, not a failure: what came before it stays readable and struct packet says which
 * layer broke and how. A router needs only what `malformed_l3` covers; an observer also asks for `malformed_l4`.
 */
#ifndef XDPLIFE_PARSE_H
#define XDPLIFE_PARSE_H

#include "wire.h"
#include "checksum.h"
#include "counters.h"

/* struct packet flags */
#define PACKET_IS_FRAGMENT    0x0001 /* any fragment: RFC 791 §3.2, RFC 8200 §4.5 */
#define PACKET_LATER_FRAGMENT 0x0002 /* offset > 0: there is no upper-layer header in it */
#define PACKET_IP_OPTIONS     0x0004 /* IPv4 options */
#define PACKET_HOP_BY_HOP     0x0008 /* IPv6 hop-by-hop options header */
#define PACKET_DONT_FRAGMENT  0x0010 /* IPv4 DF */
#define PACKET_HAS_L4         0x0020 /* l4_off, ports or ICMP fields are valid */
#define PACKET_TCP_AE         0x0040 /* the control bit in front of CWR (RFC 9768: accurate ECN) */

/* struct tcp_options_summary flags: which options a segment carried; of one without SYN only the timestamps are looked for */
#define TCP_HAS_MSS            0x01
#define TCP_HAS_WINDOW_SCALE   0x02
#define TCP_HAS_SACK_PERMITTED 0x04
#define TCP_HAS_TIMESTAMPS     0x08
#define TCP_HAS_FAST_OPEN      0x10 /* with a cookie or without */
#define TCP_HAS_MPTCP          0x20
#define TCP_HAS_COOKIE         0x40 /* of fast open */
#define TCP_HAS_OTHER          0x80 /* a kind above 8 that is none of these */

struct tcp_options_summary {
	__u32 tsval; /* with TCP_HAS_TIMESTAMPS */
	__u32 tsecr;
	__u16 mss; /* bytes */
	__u8 window_scale;
	__u8 flags; /* TCP_HAS_* */
};

/* What one frame says. Offsets are bytes from the start of the frame; lengths are bytes; wire order only in __be types. */
struct packet {
	__u32 wire_bytes;    /* the frame on the wire */
	__u32 payload_bytes; /* above TCP, UDP or ICMP, as far as the IP length goes */
	__u32 l3_bytes;      /* IP header and payload: where the packet ends, whatever padding follows */
	__u16 l3_off;
	__u16 l4_off;
	__u16 payload_off;
	__u16 flags;                   /* PACKET_* */
	__be16 eth_type;               /* behind the VLAN tags */
	__u16 ip_id;                   /* IPv4 */
	__u16 vlan_tci[VLAN_MAX_TAGS]; /* outermost first */
	__u8 vlan_count;
	__u8 ip_version;   /* 4, 6 or 0 */
	__u8 ip_proto;     /* the upper-layer protocol, behind the extension headers */
	__u8 ttl;          /* or hop limit */
	__u8 tos;          /* or traffic class */
	__u8 malformed_l3; /* enum malformed: Ethernet to IP */
	__u8 malformed_l4; /* enum malformed: what IP carries */
	__u8 tcp_flags;    /* TCPHDR_* */
	__u8 icmp_type;
	__u8 icmp_code;
	union ip_addr src;
	union ip_addr dst;
	__be16 src_port; /* TCP, UDP */
	__be16 dst_port;
	__u32 tcp_seq;
	__u32 tcp_ack;
	struct tcp_options_summary tcp_options; /* a SYN's in full, by tcp_options_scan() */
	__u8 eth_src[ETH_ALEN];
	__u8 eth_dst[ETH_ALEN];
	__u16 tcp_window; /* as sent, not scaled */
	__u16 segments; /* frames that it becomes on the wire (segmentation offload at tc egress); 0: it is one */
};

_Static_assert(sizeof(struct packet) == 112, "crosses the ring buffer: no hidden padding");

struct cursor {
	const void *data; /* the frame */
	const void *pos;
	const void *end; /* of what may be read */
};

/* A mask: no chain of headers that the parser steps over ends further in (26 + 40 + 8 * 2048 bytes). */
#define CURSOR_OFFSET_MASK 0x7fff

/*
 * Moves the cursor to an offset that is in memory. To the BPF verifier that is a number that it knows nothing of but
 * the bound, whichever headers led there: so all paths meet here in one state and it walks each header once, instead of
 * once for each chain of VLAN tags and extension headers. Volatile, or the compiler would remember the number.
 */
static __always_inline void cursor_resume(struct cursor *cur, const __u16 *offset)
{
	cur->pos = cur->data + (*(const volatile __u16 *)offset & CURSOR_OFFSET_MASK);
}

/* Both malformed fields say why reading stopped, without a branch in the caller. */
static __always_inline enum malformed packet_malformed(const struct packet *pkt)
{
	return pkt->malformed_l3 ? (enum malformed)pkt->malformed_l3 : (enum malformed)pkt->malformed_l4;
}

/* The step every header takes: NULL if it is not there in full, else a pointer to it, with the cursor behind it. */
#define CURSOR_STEP(cur, type)                                                                               \
	({                                                                                                   \
		const type *_hdr = (cur)->pos;                                                               \
		if ((const void *)(_hdr + 1) > (cur)->end)                                                   \
			_hdr = (void *)0;                                                                    \
		else                                                                                         \
			(cur)->pos = _hdr + 1;                                                               \
		_hdr;                                                                                        \
	})

static __always_inline int is_vlan(__be16 eth_type)
{
	return eth_type == TO_BE16(ETH_P_8021Q) || eth_type == TO_BE16(ETH_P_8021AD);
}

/* Up to three VLAN tags (IEEE 802.1Q §9.6), behind the type that announces the first one. */
static __always_inline enum malformed parse_vlan_tags(struct cursor *cur, struct packet *pkt)
{
#ifdef __clang__
#pragma clang loop unroll(full)
#endif
	for (int i = 0; i < VLAN_MAX_TAGS && is_vlan(pkt->eth_type); i++) {
		const wire_vlan_tag *tag = CURSOR_STEP(cur, wire_vlan_tag);

		if (!tag)
			return MALFORMED_VLAN_TRUNCATED;
		pkt->vlan_tci[i] = FROM_BE16(tag->tci);
		pkt->vlan_count = i + 1;
		pkt->eth_type = tag->eth_type;
		pkt->l3_off += sizeof(*tag);
	}
	return is_vlan(pkt->eth_type) ? MALFORMED_VLAN_DEPTH : MALFORMED_NONE;
}

/* Ethernet II (IEEE 802.3 §3.2). @off: where the cursor is */
static __always_inline enum malformed parse_ethernet(struct cursor *cur, struct packet *pkt, __u16 off)
{
	const wire_eth_header *eth = CURSOR_STEP(cur, wire_eth_header);

	if (!eth)
		return MALFORMED_ETH_TRUNCATED;
	__builtin_memcpy(pkt->eth_dst, eth->h_dest, ETH_ALEN);
	__builtin_memcpy(pkt->eth_src, eth->h_source, ETH_ALEN);
	pkt->eth_type = eth->h_proto;
	pkt->l3_off = off + sizeof(*eth);
	return parse_vlan_tags(cur, pkt);
}

/* RFC 826. The sender's and target's addresses go where an IP packet has them. */
static __always_inline enum malformed parse_arp(struct cursor *cur, struct packet *pkt)
{
	const struct arp_ip4 *arp = CURSOR_STEP(cur, struct arp_ip4);

	if (!arp)
		return MALFORMED_ARP_TRUNCATED;
	if (arp->htype != TO_BE16(ARP_HTYPE_ETHER) || arp->ptype != TO_BE16(ETH_P_IP) || arp->hlen != 6 ||
	    arp->plen != 4)
		return MALFORMED_ARP_FORMAT;
	__builtin_memcpy(pkt->src.byte, arp->sender_ip, 4);
	__builtin_memcpy(pkt->dst.byte, arp->target_ip, 4);
	return MALFORMED_NONE;
}

#define IP4_MAX_OPTION_WORDS 10

/* The header checksum over the option words too; a frame with options is rare and pays for the loop alone. */
static __always_inline int ip4_checksum_ok(const wire_iphdr *ip, __u32 header_bytes, const void *end)
{
	__u64 sum = checksum_words(ip, sizeof(*ip) / 4, 0);
	const wire_u32 *word = (const void *)(ip + 1);

	for (__u32 i = 0; i < IP4_MAX_OPTION_WORDS; i++) {
		if (i >= (header_bytes - sizeof(*ip)) / 4)
			break;
		if ((const void *)(word + 1) > end)
			return 0;
		sum += *word++;
	}
	return checksum_fold(sum) == 0xffff;
}

/* What Linux's ip_rcv() demands of a header that is there in full, in its order, so that a router knows what the stack would drop. */
static __always_inline enum malformed parse_ip4_fields(struct packet *pkt, const wire_iphdr *ip,
						       __u32 header_bytes, const void *end)
{
	__u32 total_bytes;
	__u16 frag;

	pkt->ip_version = 4;
	pkt->ip_proto = ip->protocol;
	pkt->ttl = ip->ttl;
	pkt->tos = ip->tos;
	pkt->ip_id = FROM_BE16(ip->id);
	pkt->src.v4 = ip->saddr;
	pkt->dst.v4 = ip->daddr;
	if (!ip4_checksum_ok(ip, header_bytes, end))
		return MALFORMED_IP4_CHECKSUM;
	total_bytes = FROM_BE16(ip->tot_len);
	if (total_bytes < header_bytes)
		return MALFORMED_IP4_LENGTH_SHORT;
	if (pkt->l3_off + total_bytes > pkt->wire_bytes)
		return MALFORMED_IP4_LENGTH_LONG;
	pkt->l3_bytes = total_bytes;
	frag = FROM_BE16(ip->frag_off);
	if (frag & IP4_FLAG_DF)
		pkt->flags |= PACKET_DONT_FRAGMENT;
	if (frag & (IP4_FLAG_MF | IP4_OFFSET_MASK))
		pkt->flags |= PACKET_IS_FRAGMENT;
	if (frag & IP4_OFFSET_MASK)
		pkt->flags |= PACKET_LATER_FRAGMENT;
	if (header_bytes > sizeof(*ip))
		pkt->flags |= PACKET_IP_OPTIONS;
	pkt->l4_off = pkt->l3_off + header_bytes;
	return MALFORMED_NONE;
}

/*
 * RFC 791 §3.1.
 *
 *  0                   1                   2                   3
 *  |version|  IHL  |type of service|          total length         |
 *  |        identification         |flags|     fragment offset     |
 *  | time to live  |   protocol    |        header checksum        |
 *  |                    source, destination                        |
 */
static __always_inline enum malformed parse_ip4(struct cursor *cur, struct packet *pkt)
{
	const wire_iphdr *ip = CURSOR_STEP(cur, wire_iphdr);

	if (!ip)
		return MALFORMED_IP4_TRUNCATED;
	if (ip->version != 4)
		return MALFORMED_IP4_VERSION;
	if (ip->ihl < 5)
		return MALFORMED_IP4_IHL;
	if ((const void *)ip + ip->ihl * 4 > cur->end)
		return MALFORMED_IP4_TRUNCATED;
	return parse_ip4_fields(pkt, ip, ip->ihl * 4, cur->end);
}

/* RFC 8200 §4.5: the fragment header says whether an upper-layer header follows. */
static __always_inline __u16 ip6_fragment_flags(const wire_ip6_fragment *frag)
{
	__u16 word = FROM_BE16(frag->offset_flags);

	if (word & IP6_FRAG_OFFSET_MASK)
		return PACKET_IS_FRAGMENT | PACKET_LATER_FRAGMENT;
	/* Neither offset nor M: an atomic fragment (RFC 6946) is whole. */
	return word & IP6_FRAG_MORE ? PACKET_IS_FRAGMENT : 0;
}

static __always_inline int is_ip6_ext(__u8 next_header)
{
	return next_header == NEXTHDR_HOP_BY_HOP || next_header == NEXTHDR_ROUTING ||
	       next_header == NEXTHDR_FRAGMENT || next_header == NEXTHDR_AH ||
	       next_header == NEXTHDR_DEST_OPTS || next_header == NEXTHDR_MOBILITY;
}

/* RFC 8200 §4: steps over one extension header; none is shorter than the fragment header. */
static __always_inline enum malformed parse_ip6_ext(struct cursor *cur, struct packet *pkt)
{
	const wire_ip6_fragment *frag;
	const wire_ip6_ext *ext;
	__u32 bytes = sizeof(*frag);

	cursor_resume(cur, &pkt->l4_off);
	frag = CURSOR_STEP(cur, wire_ip6_fragment);
	if (!frag)
		return MALFORMED_IP6_EXT_TRUNCATED;
	ext = (const void *)frag;
	if (pkt->ip_proto == NEXTHDR_HOP_BY_HOP) { /* RFC 8200 §4.3: only directly behind the IPv6 header */
		if (pkt->l4_off != pkt->l3_off + sizeof(struct ipv6hdr))
			return MALFORMED_IP6_HOP_BY_HOP;
		pkt->flags |= PACKET_HOP_BY_HOP;
	}
	if (pkt->ip_proto == NEXTHDR_FRAGMENT)
		pkt->flags |= ip6_fragment_flags(frag);
	else if (pkt->ip_proto == NEXTHDR_AH)
		bytes = (ext->length + 2) * 4;
	else
		bytes = (ext->length + 1) * 8;
	pkt->ip_proto = ext->next_header;
	pkt->l4_off += bytes;
	return pkt->l4_off > pkt->l3_off + pkt->l3_bytes ? MALFORMED_IP6_EXT_TRUNCATED : MALFORMED_NONE;
}

/*
 * RFC 8200 §3, and the chain of §4.1.
 *
 *  |version| traffic class |              flow label               |
 *  |        payload length         |  next header  |   hop limit   |
 *  |                 source, destination (16 bytes each)           |
 */
static __always_inline enum malformed parse_ip6(struct cursor *cur, struct packet *pkt)
{
	const wire_ipv6hdr *ip = CURSOR_STEP(cur, wire_ipv6hdr);
	enum malformed bad;
	__u32 total_bytes;

	if (!ip)
		return MALFORMED_IP6_TRUNCATED;
	if (ip->version != 6)
		return MALFORMED_IP6_VERSION;
	pkt->ip_version = 6;
	pkt->ip_proto = ip->nexthdr;
	pkt->ttl = ip->hop_limit;
	pkt->tos = ip->priority << 4 | ip->flow_lbl[0] >> 4;
	__builtin_memcpy(&pkt->src, &ip->saddr, 16);
	__builtin_memcpy(&pkt->dst, &ip->daddr, 16);
	total_bytes = FROM_BE16(ip->payload_len) + sizeof(*ip);
	if (pkt->l3_off + total_bytes > pkt->wire_bytes)
		return MALFORMED_IP6_LENGTH_LONG;
	pkt->l3_bytes = total_bytes;
	pkt->l4_off = pkt->l3_off + sizeof(*ip);
	for (int i = 0; i < IP6_MAX_EXT_HEADERS && is_ip6_ext(pkt->ip_proto); i++) {
		bad = parse_ip6_ext(cur, pkt);
		if (bad)
			return bad;
		if (pkt->flags & PACKET_LATER_FRAGMENT)
			return MALFORMED_NONE;
	}
	return is_ip6_ext(pkt->ip_proto) ? MALFORMED_IP6_EXT_DEPTH : MALFORMED_NONE;
}

/* The options of one TCP header. Filled by tcp_options_begin(); borrows the packet, nothing to free. */
struct tcp_options {
	const __u8 *pos;
	const void *end; /* of what may be read */
	__u32 left;      /* bytes of options not yet visited */
};

struct tcp_option {
	const __u8 *data; /* behind kind and length; NULL for the one-byte options */
	__u8 kind;        /* TCP_OPT_* */
	__u8 bytes;       /* of the whole option, kind and length octets included */
};

static __always_inline void tcp_options_begin(struct tcp_options *it, const void *options, __u32 bytes,
					      const void *end)
{
	it->pos = options;
	it->end = end;
	it->left = bytes;
}

/**
 * tcp_options_next() - step to the next TCP option (RFC 9293 §3.1), padding (NOP) included
 * @it:  from tcp_options_begin()
 * @opt: on 1: kind, length in bytes, data
 *
 * Return: 1 with *opt filled; 0 at the end of the options; -1 if a length is below 2 or runs past the header.
 */
static __always_inline int tcp_options_next(struct tcp_options *it, struct tcp_option *opt)
{
	const __u8 *pos = it->pos;

	if (it->left == 0)
		return 0;
	if ((const void *)(pos + 1) > it->end)
		return -1;
	opt->kind = pos[0];
	opt->bytes = 1;
	opt->data = (void *)0;
	if (opt->kind == TCP_OPT_END)
		return 0;
	if (opt->kind != TCP_OPT_NOP) {
		if (it->left < 2 || (const void *)(pos + 2) > it->end)
			return -1;
		opt->bytes = pos[1];
		opt->data = pos + 2;
		if (opt->bytes < 2 || opt->bytes > it->left || (const void *)(pos + opt->bytes) > it->end)
			return -1;
	}
	it->pos = pos + opt->bytes;
	it->left -= opt->bytes;
	return 1;
}

/* Takes down one option of a SYN; a kind with the wrong length is passed over. @value: its last eight bytes. */
static __always_inline void tcp_options_note(struct tcp_options_summary *sum, __u8 kind, __u8 bytes,
					     __u64 value)
{
	if (kind == TCP_OPT_MSS && bytes == 4) {
		sum->mss = (__u16)value;
		sum->flags |= TCP_HAS_MSS;
	} else if (kind == TCP_OPT_WINDOW_SCALE && bytes == 3) {
		sum->window_scale = value > TCP_MAX_WINDOW_SCALE ? TCP_MAX_WINDOW_SCALE : (__u8)value;
		sum->flags |= TCP_HAS_WINDOW_SCALE;
	} else if (kind == TCP_OPT_SACK_PERMITTED && bytes == 2) {
		sum->flags |= TCP_HAS_SACK_PERMITTED;
	} else if (kind == TCP_OPT_TIMESTAMPS && bytes == 10) {
		sum->flags |= TCP_HAS_TIMESTAMPS;
		sum->tsval = value >> 32;
		sum->tsecr = (__u32)value;
	} else if (kind == TCP_OPT_FAST_OPEN) {
		sum->flags |= bytes > 2 ? TCP_HAS_FAST_OPEN | TCP_HAS_COOKIE : TCP_HAS_FAST_OPEN;
	} else if (kind == TCP_OPT_MPTCP) {
		sum->flags |= TCP_HAS_MPTCP;
	} else if (kind > TCP_OPT_TIMESTAMPS) {
		sum->flags |= TCP_HAS_OTHER;
	}
}

/* The options of one header, copied out of the frame, and how far they have been read. */
struct tcp_options_scan {
	__u8 byte[TCP_MAX_OPTIONS_BYTES];
	__u32 bytes; /* of them that there are; at most TCP_MAX_OPTIONS_BYTES */
	__u32 at;    /* inside the option: 0 kind, 1 length, then its data */
	__u64 value; /* the last eight bytes of its data */
	struct tcp_options_summary sum;
	__u8 kind, length;
	__u8 ended; /* by TCP_OPT_END */
	__u8 bad;   /* a length below 2 or past the header */
	__u32 _pad;
};

/*
 * One byte. With the place inside the option as the only state: stepping from option to option is shorter, but each step
 * is a variable offset, and forty of them are more paths than the BPF verifier walks.
 *
 * Return: 1 if there is nothing more to be read, as bpf_loop() wants it.
 */
static __always_inline int tcp_options_step(struct tcp_options_scan *scan, __u32 i)
{
	__u8 byte;

	if (i >= scan->bytes || i >= TCP_MAX_OPTIONS_BYTES)
		return 1;
	byte = scan->byte[i];
	if (scan->at == 0) {
		scan->kind = byte;
		scan->ended = byte == TCP_OPT_END;
		scan->at = byte != TCP_OPT_NOP && byte != TCP_OPT_END;
		return scan->ended;
	}
	if (scan->at == 1) {
		scan->length = byte;
		scan->value = 0;
		scan->bad = byte < 2 || i - 1 + byte > scan->bytes;
		if (scan->bad)
			return 1;
	} else {
		scan->value = scan->value << 8 | byte;
	}
	if (++scan->at == scan->length) {
		tcp_options_note(&scan->sum, scan->kind, scan->length, scan->value);
		scan->at = 0;
	}
	return 0;
}

/* When the last byte has been read: whether a length was wrong, or an option is cut. */
static __always_inline int tcp_options_bad(const struct tcp_options_scan *scan)
{
	return scan->bad || (scan->at && !scan->ended);
}

/*
 * The timestamps of a segment without SYN where they come first, behind two NOPs, as every stack that we know of sends
 * them (RFC 7323, appendix A): found without a walk through the options, which would cost each segment of a connection.
 */
static __always_inline void parse_timestamps(struct packet *pkt, const wire_tcphdr *tcp, const void *end)
{
	const wire_tcp_timestamps *option = (const void *)(tcp + 1);

	if (tcp->doff * 4 < sizeof(*tcp) + sizeof(*option) || (const void *)(option + 1) > end ||
	    option->start != TO_BE32(TCP_ALIGNED_TIMESTAMPS))
		return;
	pkt->tcp_options.flags = TCP_HAS_TIMESTAMPS;
	pkt->tcp_options.tsval = FROM_BE32(option->tsval);
	pkt->tcp_options.tsecr = FROM_BE32(option->tsecr);
}

/*
 * RFC 9293 §3.1.
 *
 *  |          source port          |       destination port        |
 *  |                        sequence number                        |
 *  |                    acknowledgment number                      |
 *  | offset|  rsrvd  | control bits|            window             |
 *  |           checksum            |        urgent pointer         |
 *  |                           options                             |
 */
static __always_inline enum malformed parse_tcp(struct cursor *cur, struct packet *pkt)
{
	const wire_tcphdr *tcp = CURSOR_STEP(cur, wire_tcphdr);
	__u32 header_bytes, ip_end = pkt->l3_off + pkt->l3_bytes;

	if (!tcp || pkt->l4_off + sizeof(*tcp) > ip_end)
		return MALFORMED_TCP_TRUNCATED;
	if (tcp->doff < 5)
		return MALFORMED_TCP_DATA_OFFSET;
	header_bytes = tcp->doff * 4;
	if ((const void *)tcp + header_bytes > cur->end || pkt->l4_off + header_bytes > ip_end)
		return MALFORMED_TCP_TRUNCATED;
	pkt->flags |= PACKET_HAS_L4;
	pkt->src_port = tcp->source;
	pkt->dst_port = tcp->dest;
	pkt->tcp_seq = FROM_BE32(tcp->seq);
	pkt->tcp_ack = FROM_BE32(tcp->ack_seq);
	pkt->tcp_flags = ((const __u8 *)tcp)[13];
	if (((const __u8 *)tcp)[12] & TCPHDR_AE)
		pkt->flags |= PACKET_TCP_AE;
	pkt->tcp_window = FROM_BE16(tcp->window);
	pkt->payload_off = pkt->l4_off + header_bytes;
	pkt->payload_bytes = ip_end - pkt->payload_off;
	if (!(pkt->tcp_flags & TCPHDR_SYN))
		parse_timestamps(pkt, tcp, cur->end);
	return MALFORMED_NONE;
}

/* RFC 768. A length of 0 (a jumbogram, RFC 2675) is not taken for one: below 8 is malformed. */
static __always_inline enum malformed parse_udp(struct cursor *cur, struct packet *pkt)
{
	const wire_udphdr *udp = CURSOR_STEP(cur, wire_udphdr);
	__u32 ip_end = pkt->l3_off + pkt->l3_bytes, len;

	if (!udp || pkt->l4_off + sizeof(*udp) > ip_end)
		return MALFORMED_UDP_TRUNCATED;
	pkt->flags |= PACKET_HAS_L4;
	pkt->src_port = udp->source;
	pkt->dst_port = udp->dest;
	pkt->payload_off = pkt->l4_off + sizeof(*udp);
	len = FROM_BE16(udp->len);
	/* The first fragment of a datagram carries the length of the whole. */
	if (len < sizeof(*udp) || (pkt->l4_off + len > ip_end && !(pkt->flags & PACKET_IS_FRAGMENT)))
		return MALFORMED_UDP_LENGTH;
	pkt->payload_bytes = ip_end - pkt->payload_off;
	if (pkt->payload_bytes > len - sizeof(*udp))
		pkt->payload_bytes = len - sizeof(*udp);
	return MALFORMED_NONE;
}

/* RFC 792 and RFC 4443 §2.1 begin alike: type, code, checksum, and four bytes that depend on the type. */
static __always_inline enum malformed parse_icmp(struct cursor *cur, struct packet *pkt,
						 enum malformed truncated)
{
	const wire_icmp_header *icmp = CURSOR_STEP(cur, wire_icmp_header);
	__u32 ip_end = pkt->l3_off + pkt->l3_bytes;

	if (!icmp || pkt->l4_off + sizeof(*icmp) > ip_end)
		return truncated;
	pkt->flags |= PACKET_HAS_L4;
	pkt->icmp_type = icmp->type;
	pkt->icmp_code = icmp->code;
	pkt->payload_off = pkt->l4_off + sizeof(*icmp);
	pkt->payload_bytes = ip_end - pkt->payload_off;
	return MALFORMED_NONE;
}

static __always_inline enum malformed parse_l3(struct cursor *cur, struct packet *pkt)
{
	cursor_resume(cur, &pkt->l3_off);
	if (pkt->eth_type == TO_BE16(ETH_P_IP))
		return parse_ip4(cur, pkt);
	if (pkt->eth_type == TO_BE16(ETH_P_IPV6))
		return parse_ip6(cur, pkt);
	if (pkt->eth_type == TO_BE16(ETH_P_ARP))
		return parse_arp(cur, pkt);
	return MALFORMED_NONE;
}

static __always_inline enum malformed parse_l4(struct cursor *cur, struct packet *pkt)
{
	enum malformed bad = MALFORMED_NONE;

	if (!pkt->ip_version || pkt->flags & PACKET_LATER_FRAGMENT)
		return MALFORMED_NONE;
	cursor_resume(cur, &pkt->l4_off);
	if (pkt->ip_proto == IPPROTO_TCP)
		bad = parse_tcp(cur, pkt);
	else if (pkt->ip_proto == IPPROTO_UDP)
		bad = parse_udp(cur, pkt);
	else if (pkt->ip_proto == IPPROTO_ICMP && pkt->ip_version == 4)
		bad = parse_icmp(cur, pkt, MALFORMED_ICMP_TRUNCATED);
	else if (pkt->ip_proto == NEXTHDR_ICMPV6 && pkt->ip_version == 6)
		bad = parse_icmp(cur, pkt, MALFORMED_ICMP6_TRUNCATED);
	if (pkt->flags & PACKET_IS_FRAGMENT &&
	    (bad == MALFORMED_TCP_TRUNCATED || bad == MALFORMED_UDP_TRUNCATED ||
	     bad == MALFORMED_ICMP_TRUNCATED || bad == MALFORMED_ICMP6_TRUNCATED))
		return MALFORMED_FRAGMENT_TINY;
	return bad;
}

/*
 * What begins at @off, inside another packet or behind a capture's own header.
 * @cur:        stands there
 * @type:       an EtherType; ETH_P_TEB: an Ethernet header
 * @wire_bytes: where it ends at the latest, from the start of the frame
 */
static __always_inline void parse_packet_at(struct packet *pkt, struct cursor *cur, __u16 off, __be16 type,
					    __u32 wire_bytes)
{
	pkt->wire_bytes = wire_bytes;
	pkt->l3_off = off;
	pkt->eth_type = type;
	if (type == TO_BE16(ETH_P_TEB))
		pkt->malformed_l3 = parse_ethernet(cur, pkt, off);
	if (!pkt->malformed_l3)
		pkt->malformed_l3 = parse_l3(cur, pkt);
	if (!pkt->malformed_l3)
		pkt->malformed_l4 = parse_l4(cur, pkt);
}

/**
 * parse_packet() - read one frame from its Ethernet header to its upper-layer header
 * @pkt:        filled; zero first
 * @data:       the frame's first byte
 * @end:        behind the last byte that may be read (a capture or a multi-buffer frame may have more on the wire)
 * @wire_bytes: length of the whole frame
 *
 * Never fails: pkt->malformed_l3 and pkt->malformed_l4 say which layer broke and why (enum malformed).
 */
static __always_inline void parse_packet(struct packet *pkt, const void *data, const void *end,
					 __u32 wire_bytes)
{
	struct cursor cur = {.data = data, .pos = data, .end = end};

	parse_packet_at(pkt, &cur, 0, TO_BE16(ETH_P_TEB), wire_bytes);
}

/* How many bytes of options a SYN has, at pkt->l4_off + sizeof(struct tcphdr); 0 for any other packet. */
static __always_inline __u32 packet_syn_options_bytes(const struct packet *pkt)
{
	if (pkt->ip_proto != IPPROTO_TCP || !(pkt->flags & PACKET_HAS_L4) || !(pkt->tcp_flags & TCPHDR_SYN))
		return 0;
	return pkt->payload_off - pkt->l4_off - sizeof(struct tcphdr);
}

#ifndef __bpf__
/* As parse_packet(), where something else says what begins at @off (see link.h). @type: as parse_packet_at() takes it */
static inline void parse_network(struct packet *pkt, const void *data, const void *end, __u32 wire_bytes,
				 __u16 off, __be16 type)
{
	struct cursor cur = {.data = data, .pos = data + off, .end = end};

	pkt->eth_type = type;
	pkt->l3_off = off;
	pkt->malformed_l3 = parse_vlan_tags(&cur, pkt);
	parse_packet_at(pkt, &cur, pkt->l3_off, pkt->eth_type, wire_bytes);
}

/* The step that follows parse_packet() on a SYN; the BPF side has its own, which copies the bytes by helper. */
static inline void parse_syn_options(struct packet *pkt, const void *data)
{
	struct tcp_options_scan scan = {.bytes = packet_syn_options_bytes(pkt)};

	if (!scan.bytes)
		return;
	__builtin_memcpy(scan.byte, (const __u8 *)data + pkt->l4_off + sizeof(struct tcphdr), scan.bytes);
	for (__u32 i = 0; !tcp_options_step(&scan, i); i++)
		;
	pkt->tcp_options = scan.sum;
	if (tcp_options_bad(&scan))
		pkt->malformed_l4 = MALFORMED_TCP_OPTIONS;
}
#endif

#endif
