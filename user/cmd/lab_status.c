// SPDX-License-Identifier: GPL-2.0-only
/* How the lab stands: drawn for a person, or as JSON. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <ifaddrs.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "cmd/lab.h"
#include "command.h"
#include "net/iface.h"
#include "net/netns.h"
#include "util/log.h"
#include "util/sysctl.h"
#include "util/terminal.h"

struct port_status {
	struct iface link;
	bool exists, up;
	char mac[3 * 6];
	char ip4[INET_ADDRSTRLEN + 4], ip6[INET6_ADDRSTRLEN + 5]; /* with "/" and the prefix length */
	char xdp_name[BPF_OBJ_NAME_LEN];
};

struct status {
	struct port_status ports[LAB_PORTS];
	bool forwarding4, forwarding6;
};

static unsigned char prefix_length(const void *mask, size_t bytes)
{
	const unsigned char *byte = mask;
	unsigned char length = 0;

	for (size_t i = 0; i < bytes; i++)
		length += (unsigned char)__builtin_popcount(byte[i]);
	return length;
}

static void read_ip4(struct port_status *port, const void *address, const void *netmask)
{
	const struct sockaddr_in *ip = address, *mask = netmask;
	char text[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &ip->sin_addr, text, sizeof(text));
	snprintf(port->ip4, sizeof(port->ip4), "%s/%hhu", text, prefix_length(&mask->sin_addr, 4));
}

static void read_ip6(struct port_status *port, const void *address, const void *netmask)
{
	const struct sockaddr_in6 *ip = address, *mask = netmask;
	char text[INET6_ADDRSTRLEN];

	if (IN6_IS_ADDR_LINKLOCAL(&ip->sin6_addr))
		return;
	inet_ntop(AF_INET6, &ip->sin6_addr, text, sizeof(text));
	snprintf(port->ip6, sizeof(port->ip6), "%s/%hhu", text, prefix_length(&mask->sin6_addr, 16));
}

static void read_address(struct port_status *port, const struct ifaddrs *entry)
{
	switch (entry->ifa_addr->sa_family) {
	case AF_INET:
		read_ip4(port, entry->ifa_addr, entry->ifa_netmask);
		break;
	case AF_INET6:
		read_ip6(port, entry->ifa_addr, entry->ifa_netmask);
		break;
	}
}

static void read_addresses(struct port_status *port, const char *device)
{
	struct ifaddrs *all;

	if (getifaddrs(&all))
		return;
	for (const struct ifaddrs *entry = all; entry; entry = entry->ifa_next)
		if (entry->ifa_addr && !strcmp(entry->ifa_name, device))
			read_address(port, entry);
	freeifaddrs(all);
}

static void read_xdp_name(struct port_status *port)
{
	struct bpf_prog_info info = {0};
	__u32 info_bytes = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(port->link.xdp_prog_id);

	if (fd < 0)
		return;
	if (!bpf_obj_get_info_by_fd(fd, &info, &info_bytes))
		memcpy(port->xdp_name, info.name, sizeof(port->xdp_name));
	close(fd);
}

static void read_link(struct port_status *port, const char *device)
{
	const uint8_t *mac = port->link.mac;

	port->exists = !iface_get(device, &port->link);
	if (!port->exists)
		return;
	port->up = port->link.up && port->link.running;
	snprintf(port->mac, sizeof(port->mac), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
	if (port->link.xdp_prog_id)
		read_xdp_name(port);
}

static bool sysctl_is_on(const char *name)
{
	int value = 0;

	return !sysctl_read(name, &value) && value;
}

static int read_port(struct status *status, size_t i)
{
	int here = netns_current(), error;

	if (here < 0)
		return here;
	error = netns_enter(lab_ports[i].netns);
	if (!error) {
		read_addresses(&status->ports[i], lab_ports[i].name);
		read_link(&status->ports[i], lab_ports[i].name);
	}
	if (!error && i == LAB_R0) {
		status->forwarding4 = sysctl_is_on("net/ipv4/ip_forward");
		status->forwarding6 = sysctl_is_on("net/ipv6/conf/all/forwarding");
	}
	netns_return(here);
	return error;
}

/* Returns how much of the lab stands: the number of ports that are up and have both addresses. */
static size_t read_status(struct status *status)
{
	size_t standing = 0;

	*status = (struct status){0};
	for (size_t i = 0; i < LAB_PORTS; i++) {
		const struct port_status *port = &status->ports[i];

		read_port(status, i);
		standing += port->up && *port->ip4 && *port->ip6;
	}
	return standing;
}

static const char *wire(const struct status *status, size_t a, size_t b)
{
	if (!status->ports[a].exists || !status->ports[b].exists)
		return "                 ";
	return status->ports[a].up && status->ports[b].up ? "─────────────────" : "─ ─ ─ ─ no link ─";
}

static const char *state(const struct port_status *port)
{
	if (port->up)
		return "up";
	return port->exists ? "down" : "missing";
}

static const char *or_dash(const char *text)
{
	return *text ? text : "-";
}

static void draw(const struct status *status)
{
	const char *name = terminal_style(stdout, STYLE_NAME), *reset = terminal_style(stdout, STYLE_RESET);

	printf("  %s xl-client                       xl-router                       xl-server%s\n"
	       "  ┌───────────┐   10.0.1.0/24   ┌─────────────┐   10.0.2.0/24   ┌───────────┐\n"
	       "  │        c0 ├%s┤ r0       r1 ├%s┤ s0        │\n"
	       "  └───────────┘   fd00:1::/64   └─────────────┘   fd00:2::/64   └───────────┘\n\n",
	       name, reset, wire(status, LAB_C0, LAB_R0), wire(status, LAB_R1, LAB_S0));
}

static void print_xdp(const struct port_status *port)
{
	if (port->link.xdp_prog_id)
		printf("%s (%s, id %u)\n", or_dash(port->xdp_name), iface_xdp_mode_text(port->link.xdp_mode),
		       port->link.xdp_prog_id);
	else
		puts("-");
}

static void print_status(const struct status *status)
{
	const char *good = terminal_style(stdout, STYLE_GOOD), *bad = terminal_style(stdout, STYLE_BAD);
	const char *bold = terminal_style(stdout, STYLE_BOLD), *reset = terminal_style(stdout, STYLE_RESET);

	draw(status);
	printf("  %s%-6s%-9s%-19s%-14s%-15s%s%s\n", bold, "port", "state", "MAC", "IPv4", "IPv6", "XDP",
	       reset);
	for (size_t i = 0; i < LAB_PORTS; i++) {
		const struct port_status *port = &status->ports[i];

		printf("  %-6s%s%-9s%s%-19s%-14s%-15s", lab_ports[i].name, port->up ? good : bad, state(port),
		       reset, or_dash(port->mac), or_dash(port->ip4), or_dash(port->ip6));
		print_xdp(port);
	}
	printf("\n  the router's kernel forwards IPv4: %s, IPv6: %s\n", status->forwarding4 ? "yes" : "no",
	       status->forwarding6 ? "yes" : "no");
}

static json_t *port_json(const struct lab_port *port, const struct port_status *status)
{
	json_t *xdp = json_null();

	if (status->link.xdp_prog_id)
		xdp = json_pack("{s:i, s:s, s:s}", "id", (int)status->link.xdp_prog_id, "name",
				status->xdp_name, "mode", iface_xdp_mode_text(status->link.xdp_mode));
	return json_pack("{s:s, s:s, s:b, s:b, s:s, s:s, s:s, s:o}", "name", port->name, "netns", port->netns,
			 "exists", status->exists, "up", status->up, "mac", status->mac, "ip4", status->ip4,
			 "ip6", status->ip6, "xdp", xdp);
}

static void print_status_json(const struct status *status, bool complete)
{
	json_t *list = json_array(), *root;

	for (size_t i = 0; i < LAB_PORTS; i++)
		json_array_append_new(list, port_json(&lab_ports[i], &status->ports[i]));
	root = json_pack("{s:b, s:o, s:b, s:b}", "up", complete, "ports", list, "ip4_forwarding",
			 status->forwarding4, "ip6_forwarding", status->forwarding6);
	json_dumpf(root, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(root);
}

int lab_print_status(bool json)
{
	struct status status;
	size_t standing = read_status(&status);
	bool complete = standing == LAB_PORTS;

	if (json)
		print_status_json(&status, complete);
	else
		print_status(&status);
	if (!complete)
		log_error("xdplife lab up", "the lab is %s", standing ? "half-built" : "not up");
	return complete ? EXIT_DONE : EXIT_FAILED;
}
