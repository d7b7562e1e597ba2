// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "net/frame.h"

#define WORD_BYTES 4 /* the unit of IHL and of TCP's data offset */

static uint16_t checksum(uint64_t sum)
{
	return (uint16_t)~checksum_fold(sum);
}

void frame_push_ethernet(struct frame *frame, const struct frame_path *path)
{
	struct ethhdr eth = {.h_proto = path->ip_version == 4 ? TO_BE16(ETH_P_IP) : TO_BE16(ETH_P_IPV6)};

	memcpy(eth.h_dest, path->next_mac, sizeof(eth.h_dest));
	memcpy(eth.h_source, path->local_mac, sizeof(eth.h_source));
	memcpy(frame->data, &eth, sizeof(eth));
	frame->l3_off = sizeof(eth);
	frame->bytes = sizeof(eth);
}

/* Total length and header checksum of IPv4, payload length of IPv6: whatever is in the frame behind the
 * header. */
static void complete_ip(struct frame *frame, int ip_version)
{
	uint32_t l3_bytes = frame->bytes - frame->l3_off;
	uint8_t *l3 = frame->data + frame->l3_off;
	struct ipv6hdr ip6;
	struct iphdr ip4;

	if (ip_version == 4) {
		memcpy(&ip4, l3, sizeof(ip4));
		ip4.tot_len = TO_BE16(l3_bytes);
		ip4.check = 0;
		ip4.check = checksum(checksum_bytes(&ip4, sizeof(ip4), 0));
		memcpy(l3, &ip4, sizeof(ip4));
	} else {
		memcpy(&ip6, l3, sizeof(ip6));
		ip6.payload_len = TO_BE16(l3_bytes - sizeof(ip6));
		memcpy(l3, &ip6, sizeof(ip6));
	}
}

static uint32_t put_ip4(uint8_t *l3, const struct frame_path *path, uint16_t id)
{
	struct iphdr ip = {
		.version = 4,
		.ihl = sizeof(ip) / WORD_BYTES,
		.id = TO_BE16(id),
		.frag_off = TO_BE16(IP4_FLAG_DF),
		.ttl = FRAME_TTL,
		.protocol = IPPROTO_TCP,
		.saddr = path->local.v4,
		.daddr = path->remote.v4,
	};

	memcpy(l3, &ip, sizeof(ip));
	return sizeof(ip);
}

static uint32_t put_ip6(uint8_t *l3, const struct frame_path *path)
{
	struct ipv6hdr ip = {
		.version = 6,
		.flow_lbl = {path->flow_label >> 16 & 0x0f, path->flow_label >> 8 & 0xff,
			     path->flow_label & 0xff},
		.nexthdr = IPPROTO_TCP,
		.hop_limit = FRAME_TTL,
	};

	memcpy(&ip.saddr, &path->local, sizeof(ip.saddr));
	memcpy(&ip.daddr, &path->remote, sizeof(ip.daddr));
	memcpy(l3, &ip, sizeof(ip));
	return sizeof(ip);
}

void frame_push_ip(struct frame *frame, const struct frame_path *path, uint16_t id)
{
	uint8_t *l3 = frame->data + frame->l3_off;

	frame->bytes = frame->l3_off + (path->ip_version == 4 ? put_ip4(l3, path, id) : put_ip6(l3, path));
	frame->l4_off = frame->bytes;
	complete_ip(frame, path->ip_version);
}

int frame_push_tcp(struct frame *frame, const struct frame_path *path, const struct tcp_segment *segment)
{
	uint8_t options[TCP_MAX_OPTIONS_BYTES], *l4 = frame->data + frame->l4_off;
	uint32_t option_bytes = tcp_segment_write_options(segment, options);
	uint32_t header_bytes = sizeof(struct tcphdr) + option_bytes,
		 bytes = header_bytes + segment->data_bytes;
	struct tcphdr tcp = {
		.source = path->local_port,
		.dest = path->remote_port,
		.seq = TO_BE32(segment->seq),
		.ack_seq = TO_BE32(segment->ack),
		.doff = header_bytes / WORD_BYTES,
		.window = TO_BE16(segment->window),
	};

	if (frame->l4_off + bytes > sizeof(frame->data))
		return -EMSGSIZE;
	((uint8_t *)&tcp)[13] = segment->flags; /* RFC 9293 §3.1: the control bits are byte 13 */
	memcpy(l4, &tcp, sizeof(tcp));
	memcpy(l4 + sizeof(tcp), options, option_bytes);
	if (segment->data_bytes)
		memcpy(l4 + header_bytes, segment->data, segment->data_bytes);
	tcp.check = checksum(checksum_bytes(
		l4, bytes,
		checksum_pseudo_header(path->ip_version, &path->local, &path->remote, IPPROTO_TCP, bytes)));
	memcpy(l4, &tcp, sizeof(tcp));
	frame->bytes = frame->l4_off + bytes;
	complete_ip(frame, path->ip_version);
	return 0;
}

int frame_build(struct frame *frame, const struct frame_path *path, uint16_t id,
		const struct tcp_segment *segment)
{
	frame_push_ethernet(frame, path);
	frame_push_ip(frame, path, id);
	return frame_push_tcp(frame, path, segment);
}

uint32_t frame_header_bytes(int ip_version)
{
	return (ip_version == 4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr)) + sizeof(struct tcphdr);
}

enum frame_checksum frame_tcp_checksum(const struct packet *pkt, const uint8_t *frame)
{
	uint32_t bytes = pkt->l3_off + pkt->l3_bytes - pkt->l4_off;
	uint64_t pseudo = checksum_pseudo_header(pkt->ip_version, &pkt->src, &pkt->dst, IPPROTO_TCP, bytes);
	const uint8_t *l4 = frame + pkt->l4_off;
	uint16_t field;

	if (checksum_fold(checksum_bytes(l4, bytes, pseudo)) == 0xffff)
		return FRAME_CHECKSUM_RIGHT;
	memcpy(&field, l4 + offsetof(struct tcphdr, check), sizeof(field));
	return field == checksum_fold(pseudo) ? FRAME_CHECKSUM_PARTIAL : FRAME_CHECKSUM_WRONG;
}
