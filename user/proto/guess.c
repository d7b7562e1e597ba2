// SPDX-License-Identifier: GPL-2.0-only
/* Whether bytes that nobody has labelled start with an Ethernet or an IP header. */
#include "proto/proto.h"
#include "xdplife/checksum.h"

#define ETHERNET_BYTES 14
#define TYPE_OFFSET    12

static uint16_t word(const uint8_t *bytes, size_t at)
{
	return bytes[at] << 8 | bytes[at + 1];
}

static bool is_ip4(const uint8_t *bytes, size_t count)
{
	size_t header = count ? (bytes[0] & 0xf) * 4 : 0;

	return count >= sizeof(struct iphdr) && bytes[0] >> 4 == 4 && header >= sizeof(struct iphdr) &&
	       header <= count && word(bytes, 2) <= count &&
	       checksum_fold(checksum_bytes(bytes, header, 0)) == 0xffff;
}

static bool is_ip6(const uint8_t *bytes, size_t count)
{
	return count >= sizeof(struct ipv6hdr) && bytes[0] >> 4 == 6 &&
	       word(bytes, 4) + sizeof(struct ipv6hdr) == count;
}

/* The EtherType is one that says more than chance would, and IP begins as it should. */
static bool is_ethernet(const uint8_t *bytes, size_t count)
{
	uint16_t type = count >= ETHERNET_BYTES ? word(bytes, TYPE_OFFSET) : 0;

	switch (type) {
	case ETH_P_IP:
		return count == ETHERNET_BYTES || bytes[ETHERNET_BYTES] >> 4 == 4;
	case ETH_P_IPV6:
		return count == ETHERNET_BYTES || bytes[ETHERNET_BYTES] >> 4 == 6;
	case ETH_P_ARP:
	case ETH_P_8021Q:
	case ETH_P_8021AD:
		return true;
	default:
		return false;
	}
}

enum link_kind dissect_guess(const void *data, size_t bytes, const char **why)
{
	const uint8_t *byte = data;
	uint8_t version = bytes ? byte[0] >> 4 : 0;

	if (is_ip4(data, bytes)) {
		*why = "it begins like IPv4 and the header checksum is right";
		return LINK_RAW_IP;
	}
	if (is_ip6(data, bytes)) {
		*why = "it begins like IPv6 and the payload length fits";
		return LINK_RAW_IP;
	}
	if (is_ethernet(data, bytes)) {
		*why = "the 13th and 14th byte are a known EtherType and what follows agrees";
		return LINK_ETHERNET;
	}
	if ((version == 4 && (byte[0] & 0xf) >= 5) || version == 6) {
		*why = "the first digit is an IP version and there is no known EtherType";
		return LINK_RAW_IP;
	}
	*why = "it does not begin like IP";
	return LINK_ETHERNET;
}
