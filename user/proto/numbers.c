// SPDX-License-Identifier: GPL-2.0-only
/* Words for the numbers that several protocols share (IANA's registries; only what one meets). */
#include "proto/dissect.h"

struct word {
	uint16_t number;
	const char *word;
};

static const struct word ip_protocols[] = {
	{0, "hop-by-hop options"},
	{1, "ICMP"},
	{2, "IGMP"},
	{4, "IPv4 in IP"},
	{6, "TCP"},
	{17, "UDP"},
	{41, "IPv6 in IP"},
	{43, "routing header"},
	{44, "fragment header"},
	{47, "GRE"},
	{50, "ESP"},
	{51, "authentication header"},
	{58, "ICMPv6"},
	{59, "no next header"},
	{60, "destination options"},
	{89, "OSPF"},
	{103, "PIM"},
	{112, "VRRP"},
	{132, "SCTP"},
	{135, "mobility header"},
	{136, "UDP-Lite"},
};

static const struct word ether_types[] = {
	{0x0800, "IPv4"},
	{0x0806, "ARP"},
	{0x0842, "Wake-on-LAN"},
	{0x8100, "802.1Q VLAN tag"},
	{0x86dd, "IPv6"},
	{0x8808, "Ethernet flow control"},
	{0x8809, "slow protocols (LACP)"},
	{0x8847, "MPLS"},
	{0x8863, "PPPoE discovery"},
	{0x8864, "PPPoE session"},
	{0x888e, "802.1X"},
	{0x88a8, "802.1ad service VLAN tag"},
	{0x88cc, "LLDP"},
	{0x88f7, "PTP"},
	{0x9000, "loopback test"},
};

static const struct word ports[] = {
	{20, "ftp-data"},       {21, "ftp"},          {22, "ssh"},
	{23, "telnet"},         {25, "smtp"},         {53, "domain"},
	{67, "dhcp server"},    {68, "dhcp client"},  {69, "tftp"},
	{80, "http"},           {110, "pop3"},        {123, "ntp"},
	{143, "imap"},          {161, "snmp"},        {179, "bgp"},
	{389, "ldap"},          {443, "https"},       {445, "smb"},
	{465, "submissions"},   {514, "syslog"},      {546, "dhcpv6 client"},
	{547, "dhcpv6 server"}, {587, "submission"},  {853, "dns over tls"},
	{993, "imaps"},         {995, "pop3s"},       {3306, "mysql"},
	{3389, "rdp"},          {4789, "vxlan"},      {5060, "sip"},
	{5353, "mdns"},         {5432, "postgresql"}, {6379, "redis"},
	{8080, "http-alt"},     {8443, "https-alt"},  {9100, "prometheus"},
};

/* RFC 2474 §4.2.2.2, RFC 2597, RFC 3246, RFC 8622. */
static const struct word dscps[] = {
	{0, "default (best effort)"},
	{1, "LE (lower effort)"},
	{8, "CS1"},
	{10, "AF11"},
	{12, "AF12"},
	{14, "AF13"},
	{16, "CS2"},
	{18, "AF21"},
	{20, "AF22"},
	{22, "AF23"},
	{24, "CS3"},
	{26, "AF31"},
	{28, "AF32"},
	{30, "AF33"},
	{32, "CS4"},
	{34, "AF41"},
	{36, "AF42"},
	{38, "AF43"},
	{40, "CS5"},
	{44, "VOICE-ADMIT"},
	{46, "EF (expedited forwarding)"},
	{48, "CS6"},
	{56, "CS7"},
};

static const char *find(const struct word *words, size_t count, uint16_t number)
{
	for (size_t i = 0; i < count; i++)
		if (words[i].number == number)
			return words[i].word;
	return NULL;
}

#define FIND(words, number) find(words, sizeof(words) / sizeof(*(words)), number)

const char *ip_protocol_name(uint8_t protocol)
{
	return FIND(ip_protocols, protocol);
}

const char *ether_type_name(uint16_t ether_type)
{
	return FIND(ether_types, ether_type);
}

const char *port_name(uint16_t port)
{
	return FIND(ports, port);
}

const char *dscp_name(uint8_t dscp)
{
	const char *name = FIND(dscps, dscp);

	return name ? name : "no standard class";
}

const char *ecn_meaning(uint8_t ecn)
{
	static const char *const meanings[] = {
		"not capable of explicit congestion notification",
		"ECT(1): capable, no congestion met",
		"ECT(0): capable, no congestion met",
		"CE: congestion was met on the way",
	};

	return meanings[ecn & 3];
}

const char *mac_meaning(const uint8_t *mac)
{
	static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, zero[6];

	if (!__builtin_memcmp(mac, broadcast, 6))
		return "broadcast: every station";
	if (!__builtin_memcmp(mac, zero, 6))
		return "unknown (all zero)";
	if (mac[0] == 0x01 && mac[1] == 0x00 && mac[2] == 0x5e)
		return "multicast: an IPv4 group";
	if (mac[0] == 0x33 && mac[1] == 0x33)
		return "multicast: an IPv6 group";
	if (mac[0] & 1)
		return "multicast";
	return mac[0] & 2 ? "one station, address assigned locally"
			  : "one station, address assigned by its maker";
}
