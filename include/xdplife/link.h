/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What stands in front of the network header in captures that are not of an Ethernet interface: nothing, Linux's
 * "cooked" headers of the interface "any", the address family of BSD's loopback. For userspace: XDP and tc see Ethernet.
 */
#ifndef XDPLIFE_LINK_H
#define XDPLIFE_LINK_H

#include <linux/if_packet.h>

#include "parse.h"

/* What the frames of an interface begin with. */
enum link_kind {
	LINK_ETHERNET,
	LINK_RAW_IP,  /* the IPv4 or IPv6 header */
	LINK_COOKED,  /* struct link_cooked */
	LINK_COOKED2, /* struct link_cooked2 */
	LINK_FAMILY,  /* an address family in four bytes, in the byte order of whoever captured */
	LINK_OTHER,   /* something that is not read */
};

/* The comment of a packet that was captured twice, here where it goes out: it is counted where it came in. */
#define LINK_SECOND_HOOK "second hook: counted where it came in"

enum link_direction {
	LINK_DIRECTION_UNKNOWN,
	LINK_INBOUND,
	LINK_OUTBOUND,
};

/* LINKTYPE_LINUX_SLL, and its second version LINKTYPE_LINUX_SLL2; see packet(7) for the types. */
struct link_cooked {
	__be16 packet_type; /* PACKET_HOST and the like */
	__be16 device_type; /* ARPHRD_*, see below */
	__be16 address_bytes;
	__u8 address[8];
	__be16 protocol; /* an EtherType, for most device types */
} __attribute__((packed));

struct link_cooked2 {
	__be16 protocol;
	__be16 reserved;
	__be32 ifindex;
	__be16 device_type;
	__u8 packet_type;
	__u8 address_bytes;
	__u8 address[8];
} __attribute__((packed));

/* Of those, what one meets. linux/if_arp.h does not get on with net/if.h. */
enum link_device {
	LINK_DEVICE_ETHERNET = 1,
	LINK_DEVICE_PPP = 512,
	LINK_DEVICE_TUNNEL = 768,
	LINK_DEVICE_TUNNEL6 = 769,
	LINK_DEVICE_FRAD = 770, /* frame relay */
	LINK_DEVICE_LOOPBACK = 772,
	LINK_DEVICE_SIT = 776,
	LINK_DEVICE_GRE = 778,
	LINK_DEVICE_RADIOTAP = 803,
	LINK_DEVICE_NETLINK = 824,
	LINK_DEVICE_NONE = 0xfffe,
};

/* LINKTYPE_NULL, LINKTYPE_LOOP. IPv4 has the same number on every system, IPv6 has not. */
#define LINK_FAMILY_IP4         2
#define LINK_FAMILY_IP6_LINUX   10
#define LINK_FAMILY_IP6_OPENBSD 24 /* and NetBSD */
#define LINK_FAMILY_IP6_FREEBSD 28
#define LINK_FAMILY_IP6_DARWIN  30

/* What the header of a link says, as parse_network() takes it. */
struct link_header {
	__u32 bytes;     /* of it: behind it begins what is to be parsed */
	__u32 ifindex;   /* where the frame was captured; 0: not said */
	__be16 eth_type; /* of what follows; 0: none; ETH_P_TEB: an Ethernet header, left to the engine */
	__u8 direction;  /* enum link_direction */
	__u8 cut;        /* the header is not here in full: nothing else is known */
};

static inline __u8 link_direction_of(__u32 packet_type)
{
	switch (packet_type) {
	case PACKET_HOST:
	case PACKET_BROADCAST:
	case PACKET_MULTICAST:
	case PACKET_OTHERHOST:
		return LINK_INBOUND;
	case PACKET_OUTGOING:
		return LINK_OUTBOUND;
	default:
		return LINK_DIRECTION_UNKNOWN;
	}
}

/* The device types whose protocol is no EtherType: netlink's family, frame relay's NLPID, nothing at all. */
static inline __be16 link_cooked_type(__be16 device_type, __be16 protocol)
{
	switch (FROM_BE16(device_type)) {
	case LINK_DEVICE_NETLINK:
	case LINK_DEVICE_FRAD:
	case LINK_DEVICE_RADIOTAP:
		return 0;
	default:
		return protocol;
	}
}

static inline void link_cooked_read(struct link_header *header, const struct link_cooked *cooked)
{
	header->bytes = sizeof(*cooked);
	header->direction = link_direction_of(FROM_BE16(cooked->packet_type));
	header->eth_type = link_cooked_type(cooked->device_type, cooked->protocol);
}

static inline void link_cooked2_read(struct link_header *header, const struct link_cooked2 *cooked)
{
	header->bytes = sizeof(*cooked);
	header->ifindex = FROM_BE32(cooked->ifindex);
	header->direction = link_direction_of(cooked->packet_type);
	header->eth_type = link_cooked_type(cooked->device_type, cooked->protocol);
}

/* No family needs more than 16 bits: the half that is not zero tells the byte order. */
static inline __u32 link_family(const __u8 *byte)
{
	return byte[0] || byte[1] ? byte[1] << 8 | byte[0] : byte[2] << 8 | byte[3];
}

static inline __be16 link_family_type(__u32 family)
{
	switch (family) {
	case LINK_FAMILY_IP4:
		return TO_BE16(ETH_P_IP);
	case LINK_FAMILY_IP6_LINUX:
	case LINK_FAMILY_IP6_OPENBSD:
	case LINK_FAMILY_IP6_FREEBSD:
	case LINK_FAMILY_IP6_DARWIN:
		return TO_BE16(ETH_P_IPV6);
	default:
		return 0;
	}
}

/**
 * link_header_read() - where a captured frame's network header begins, and what it is
 * @header: filled
 * @data:   the frame's first byte
 * @bytes:  that may be read
 */
static inline void link_header_read(struct link_header *header, enum link_kind kind, const __u8 *data,
				    __u32 bytes)
{
	static const __u8 sizes[] = {
		[LINK_COOKED] = sizeof(struct link_cooked),
		[LINK_COOKED2] = sizeof(struct link_cooked2),
		[LINK_FAMILY] = sizeof(__u32),
		[LINK_OTHER] = 0,
	};

	*header = (struct link_header){.cut = bytes < sizes[kind]};
	if (header->cut)
		return;
	if (kind == LINK_ETHERNET) {
		header->eth_type = TO_BE16(ETH_P_TEB);
	} else if (kind == LINK_COOKED) {
		link_cooked_read(header, (const void *)data);
	} else if (kind == LINK_COOKED2) {
		link_cooked2_read(header, (const void *)data);
	} else if (kind == LINK_FAMILY) {
		header->bytes = sizeof(__u32);
		header->eth_type = link_family_type(link_family(data));
	} else if (kind == LINK_RAW_IP) {
		header->eth_type = bytes && data[0] >> 4 == 6 ? TO_BE16(ETH_P_IPV6) : TO_BE16(ETH_P_IP);
	}
}

/**
 * parse_link() - as parse_packet(), for a frame of any kind of link
 * Where it is not known what follows the link's header, pkt->ip_version is 0 and nothing is malformed.
 */
static inline void parse_link(struct packet *pkt, enum link_kind kind, const void *data, const void *end,
			      __u32 wire_bytes)
{
	struct link_header header;

	link_header_read(&header, kind, data, (const __u8 *)end - (const __u8 *)data);
	parse_network(pkt, data, end, wire_bytes, header.bytes, header.eth_type);
	if (header.cut)
		pkt->malformed_l3 = MALFORMED_ETH_TRUNCATED;
}

#endif
