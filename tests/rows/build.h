/* SPDX-License-Identifier: GPL-2.0-only */
/* From a line of a row to the bytes of a frame: Ethernet, VLAN tags, IPv4 or IPv6, TCP with options, or an ICMP error. */
#ifndef XDPLIFE_ROW_BUILD_H
#define XDPLIFE_ROW_BUILD_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/hex.h"
#include "xdplife/checksum.h"
#include "xdplife/parse.h"

#define BUILD_MAX_BYTES   2048
#define BUILD_SERVER_PORT 80

struct built {
	__u8 byte[BUILD_MAX_BYTES];
	size_t bytes;
};

/* The two ends: 10.0.1.2 and 10.0.2.2, or fd00:1::2 and fd00:2::2. The first is end 0 of the flow key. */
struct build_ends {
	int swapped; /* the client is the second */
	__u16 port;  /* the client's */
};

/* What a line says. */
struct build_line {
	int from_server;
	int icmp_type, icmp_code; /* icmp_type -1: a TCP segment */
	int ip6;
	__u16 flags; /* TCPHDR_*, and AE above them */
	__u32 seq, ack;
	__u32 payload_bytes, padding_bytes;
	__u16 window;
	__u8 ttl;
	__u16 vid[VLAN_MAX_TAGS];
	int vids;
	__u8 option[TCP_MAX_OPTIONS_BYTES];
	__u32 option_bytes;
};

#define BUILD_AE 0x100

/* Big end first. */
static inline void build_put(__u8 *at, int bytes, __u32 value)
{
	for (int i = 0; i < bytes; i++)
		at[i] = (__u8)(value >> 8 * (bytes - 1 - i));
}

static inline void build_add(struct built *to, int bytes, __u32 value)
{
	build_put(to->byte + to->bytes, bytes, value);
	to->bytes += bytes;
}

/* A typing error in a row ends the test. */
static inline void build_stop(const char *line, const char *word)
{
	fprintf(stderr, "row: \"%s\": what is \"%s\"?\n", line, word ? word : "missing");
	abort();
}

static inline size_t build_hex(__u8 *to, size_t room, const char *text)
{
	struct hex_error error;
	long count = hex_parse(text, strlen(text), to, room, &error);

	if (count < 0)
		build_stop(text, error.reason);
	return count;
}

static inline __u16 build_flags(const char *line, const char *letters)
{
	static const char known[] = "FSRP.UEWA"; /* in the order of the bits */
	__u16 flags = 0;

	for (; *letters; letters++) {
		const char *found = strchr(known, *letters);

		if (found)
			flags |= 1 << (found - known);
		else if (*letters != '-')
			build_stop(line, letters);
	}
	return flags;
}

static inline void build_option(struct build_line *to, __u8 kind, __u8 bytes, __u64 value)
{
	__u8 *at = to->option + to->option_bytes;

	at[0] = kind;
	at[1] = bytes;
	for (int i = 2; i < bytes; i++)
		at[i] = (__u8)(value >> 8 * (bytes - 1 - i));
	to->option_bytes += bytes;
}

static inline char *build_next(char **rest)
{
	return strsep(rest, " ");
}

static inline __u32 build_number(const char *line, char **rest)
{
	char *word = build_next(rest), *end;
	__u32 number;

	if (!word)
		build_stop(line, word);
	number = strtoul(word, &end, 10);
	if (*end)
		build_stop(line, word);
	return number;
}

/* Options of TCP. Return: whether @word is one. */
static inline int build_option_word(struct build_line *to, const char *line, const char *word, char **rest)
{
	__u64 value;

	if (!strcmp(word, "mss")) {
		build_option(to, TCP_OPT_MSS, 4, build_number(line, rest));
	} else if (!strcmp(word, "wscale")) {
		build_option(to, TCP_OPT_WINDOW_SCALE, 3, build_number(line, rest));
	} else if (!strcmp(word, "sackok")) {
		build_option(to, TCP_OPT_SACK_PERMITTED, 2, 0);
	} else if (!strcmp(word, "ts")) { /* as every stack sends it: behind two NOPs */
		memset(to->option + to->option_bytes, TCP_OPT_NOP, 2);
		to->option_bytes += 2;
		value = (__u64)build_number(line, rest) << 32;
		build_option(to, TCP_OPT_TIMESTAMPS, 10, value | build_number(line, rest));
	} else if (!strcmp(word, "opt")) { /* its bytes */
		to->option_bytes += build_hex(to->option + to->option_bytes,
					      sizeof(to->option) - to->option_bytes, build_next(rest));
	} else {
		return 0;
	}
	return 1;
}

static inline void build_word(struct build_line *to, const char *line, const char *word, char **rest)
{
	if (!strcmp(word, "ack"))
		to->ack = build_number(line, rest);
	else if (!strcmp(word, "len"))
		to->payload_bytes = build_number(line, rest);
	else if (!strcmp(word, "pad")) /* behind the packet, as Ethernet needs it */
		to->padding_bytes = build_number(line, rest);
	else if (!strcmp(word, "win"))
		to->window = build_number(line, rest);
	else if (!strcmp(word, "ttl"))
		to->ttl = build_number(line, rest);
	else if (!strcmp(word, "vlan") && to->vids < VLAN_MAX_TAGS)
		to->vid[to->vids++] = build_number(line, rest);
	else if (!strcmp(word, "ip6"))
		to->ip6 = 1;
	else if (!build_option_word(to, line, word, rest))
		build_stop(line, word);
}

static inline void build_read(struct build_line *to, const char *line)
{
	char text[256], *rest = text, *word;

	*to = (struct build_line){.icmp_type = -1, .window = 65535, .ttl = 64};
	snprintf(text, sizeof(text), "%s", line);
	word = build_next(&rest);
	if (!strcmp(word, "again"))
		word = build_next(&rest);
	if (!strcmp(word, "icmp")) {
		to->icmp_type = build_number(line, &rest);
		to->icmp_code = build_number(line, &rest);
		to->flags = TCPHDR_SYN; /* of what it quotes */
		word = build_next(&rest);
	}
	to->from_server = !strcmp(word, "S");
	if (!to->from_server && strcmp(word, "C"))
		build_stop(line, word);
	if (to->icmp_type < 0)
		to->flags = build_flags(line, build_next(&rest));
	to->seq = build_number(line, &rest);
	while ((word = build_next(&rest)))
		build_word(to, line, word, &rest);
	while (to->option_bytes % 4)
		to->option[to->option_bytes++] = TCP_OPT_NOP;
}

static inline void build_ethernet(struct built *to, const struct build_line *line)
{
	to->bytes = build_hex(to->byte, sizeof(to->byte), "020000000001 0200000000c0");
	for (int i = 0; i < line->vids; i++) {
		build_add(to, 2, i + 1 < line->vids ? ETH_P_8021AD : ETH_P_8021Q);
		build_add(to, 2, line->vid[i]);
	}
	build_add(to, 2, line->ip6 ? ETH_P_IPV6 : ETH_P_IP);
}

static inline void build_address(struct built *to, int ip6, int second)
{
	to->bytes += build_hex(
		to->byte + to->bytes, 16,
		ip6 ? (second ? "fd000002000000000000000000000002" : "fd000001000000000000000000000002")
		    : (second ? "0a000202" : "0a000102"));
}

/* RFC 791 §3.1, RFC 8200 §3. @second: from the second end to the first */
static inline void build_ip(struct built *to, const struct build_line *line, int second, __u8 proto,
			    __u32 payload_bytes)
{
	size_t start = to->bytes;
	__u16 check;

	if (line->ip6) {
		build_add(to, 4, 6u << 28);
		build_add(to, 2, payload_bytes);
		build_add(to, 2, proto << 8 | line->ttl);
	} else {
		build_add(to, 4, 0x45u << 24 | (20 + payload_bytes));
		build_add(to, 4, 0x00010000);
		build_add(to, 4, (__u32)line->ttl << 24 | proto << 16);
	}
	build_address(to, line->ip6, second);
	build_address(to, line->ip6, !second);
	if (line->ip6)
		return;
	check = ~checksum_fold(checksum_bytes(to->byte + start, 20, 0));
	memcpy(to->byte + start + 10, &check, 2);
}

/* RFC 9293 §3.1; its checksum is nobody's business here. */
static inline void build_tcp(struct built *to, const struct build_line *line, __u16 client_port)
{
	build_add(to, 2, line->from_server ? BUILD_SERVER_PORT : client_port);
	build_add(to, 2, line->from_server ? client_port : BUILD_SERVER_PORT);
	build_add(to, 4, line->seq);
	build_add(to, 4, line->ack);
	build_add(to, 1, (20 + line->option_bytes) / 4 << 4 | !!(line->flags & BUILD_AE));
	build_add(to, 1, line->flags & 0xff);
	build_add(to, 2, line->window);
	build_add(to, 4, 0);
	memcpy(to->byte + to->bytes, line->option, line->option_bytes);
	to->bytes += line->option_bytes;
	memset(to->byte + to->bytes, 'x', line->payload_bytes);
	to->bytes += line->payload_bytes;
}

/* RFC 792, RFC 4443 §3: the error comes back the way that the segment went, and quotes all of it. */
static inline void build_icmp(struct built *to, const struct build_line *line, int second, __u16 client_port)
{
	__u32 quoted_bytes = (line->ip6 ? 40 : 20) + 20;

	build_ip(to, line, !second, line->ip6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP, 8 + quoted_bytes);
	build_add(to, 2, line->icmp_type << 8 | line->icmp_code);
	build_add(to, 2, 0);
	build_add(to, 4, 0);
	build_ip(to, line, second, IPPROTO_TCP, 20);
	build_tcp(to, line, client_port);
}

/* The frame that a line of a row, or the digits in it, stand for. */
static inline void build_frame(struct built *to, const char *text, const struct build_ends *ends)
{
	struct build_line line;
	int second;

	if (*text == '0') { /* the first digit of a MAC address */
		to->bytes = build_hex(to->byte, sizeof(to->byte), text);
		return;
	}
	build_read(&line, text);
	second = line.from_server != ends->swapped;
	build_ethernet(to, &line);
	if (line.icmp_type >= 0) {
		build_icmp(to, &line, second, ends->port);
	} else {
		build_ip(to, &line, second, IPPROTO_TCP, 20 + line.option_bytes + line.payload_bytes);
		build_tcp(to, &line, ends->port);
	}
	memset(to->byte + to->bytes, 0, line.padding_bytes);
	to->bytes += line.padding_bytes;
}

#endif
