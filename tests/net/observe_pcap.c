// SPDX-License-Identifier: GPL-2.0-only
/* What the engine reads in each frame of a capture file, a JSON object a line: test_differential.py compares it with tshark. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>
#include <pcap/pcap.h>

#include "observer/offline.h"
#include "util/clock.h"
#include "util/names.h"

static const char *address_text(char *text, size_t bytes, const union ip_addr *addr, int version)
{
	return inet_ntop(version == 4 ? AF_INET : AF_INET6, addr, text, bytes) ?: "";
}

static json_t *options_json(const struct tcp_options_summary *options)
{
	return json_pack("{s:i s:I s:I s:i s:i}", "mss", options->mss, "tsval", (json_int_t)options->tsval,
			 "tsecr", (json_int_t)options->tsecr, "wscale", options->window_scale, "flags",
			 options->flags);
}

static json_t *packet_json(const struct packet *pkt)
{
	char src[INET6_ADDRSTRLEN] = "", dst[INET6_ADDRSTRLEN] = "";
	int ae = pkt->flags & PACKET_TCP_AE ? 0x100 : 0;

	if (pkt->ip_version) {
		address_text(src, sizeof(src), &pkt->src, pkt->ip_version);
		address_text(dst, sizeof(dst), &pkt->dst, pkt->ip_version);
	}
	return json_pack("{s:i s:s s:s s:i s:i s:i s:i s:I s:I s:i s:i s:I s:i s:i s:i s:[i,i,i] s:i s:o}",
			 "ip", pkt->ip_version, "src", src, "dst", dst, "proto", pkt->ip_proto, "ttl",
			 pkt->ttl, "sport", FROM_BE16(pkt->src_port), "dport", FROM_BE16(pkt->dst_port),
			 "seq", (json_int_t)pkt->tcp_seq, "ack", (json_int_t)pkt->tcp_ack, "tcp_flags",
			 pkt->tcp_flags | ae, "window", pkt->tcp_window, "payload",
			 (json_int_t)pkt->payload_bytes, "flags", pkt->flags, "icmp_type", pkt->icmp_type,
			 "icmp_code", pkt->icmp_code, "vids", pkt->vlan_tci[0] & VLAN_VID_MASK,
			 pkt->vlan_tci[1] & VLAN_VID_MASK, pkt->vlan_tci[2] & VLAN_VID_MASK, "vlans",
			 pkt->vlan_count, "options", options_json(&pkt->tcp_options));
}

static json_t *tunnel_json(const struct tunnel *tunnel)
{
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];

	if (tunnel->kind == TUNNEL_NONE)
		return json_null();
	return json_pack("{s:i s:I s:s s:s}", "kind", tunnel->kind, "id", (json_int_t)tunnel->id, "src",
			 address_text(src, sizeof(src), &tunnel->src, tunnel->ip_version), "dst",
			 address_text(dst, sizeof(dst), &tunnel->dst, tunnel->ip_version));
}

static json_t *events_json(__u32 events)
{
	json_t *list = json_array();

	for (int i = 0; i < TCP_EVENT_COUNT; i++)
		if (events >> i & 1)
			json_array_append_new(list, json_string(tcp_event_key(i)));
	return list;
}

static int print_event(void *context, const struct trace_event *event, const __u8 *bytes)
{
	const struct tcp_side *sender = &event->conn.side[event->sender & 1];
	json_t *line;

	(void)context;
	(void)bytes;
	if (event->hook == HOOK_NONE)
		return 0;
	line = json_pack("{s:s s:s s:o s:o s:o s:i s:b}", "observed", observed_key(event->observed),
			 "malformed", malformed_key(packet_malformed(&event->pkt)), "packet",
			 packet_json(&event->pkt), "tunnel", tunnel_json(&event->tunnel), "events",
			 events_json(event->tcp_events), "seen", event->conn.seen, "closed_window",
			 !!(sender->flags & TCP_SIDE_ZERO_WINDOW));
	if (!line || json_dumpf(line, stdout, JSON_COMPACT))
		return -1;
	json_decref(line);
	return putchar('\n') == '\n' ? 0 : -1;
}

int main(int argc, char **argv)
{
	struct offline_options options = {.packets = true,
					  .max_open = 65536,
					  .max_half_open = 65536,
					  .handler = print_event};
	char error[PCAP_ERRBUF_SIZE] = "no file";
	pcap_t *pcap = argc == 2 ? pcap_open_offline_with_tstamp_precision(argv[1],
									   PCAP_TSTAMP_PRECISION_NANO, error)
				 : NULL;
	struct offline *offline = offline_new(&options);
	struct pcap_pkthdr *header;
	const __u8 *data;
	int err = 0;

	if (!pcap || !offline || offline_interfaces(offline, 1) || pcap_datalink(pcap) != DLT_EN10MB) {
		fprintf(stderr, "observe_pcap FILE: %s\n", error);
		return 1;
	}
	while (!err && pcap_next_ex(pcap, &header, &data) == 1)
		err = offline_frame(offline, &(struct offline_frame){.data = data,
								     .captured_bytes = header->caplen,
								     .wire_bytes = header->len,
								     .time_ns = header->ts.tv_sec * NS_PER_S +
										header->ts.tv_usec,
								     .link = LINK_ETHERNET});
	offline_free(offline);
	pcap_close(pcap);
	return err != 0;
}
