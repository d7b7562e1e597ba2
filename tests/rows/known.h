/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a row says of the end, against what the engine knows then: "phase=closed client=C C.retransmits=3 S.options=mss+ts".
 *
 * "C." and "S." stand in front of the fields of an end. A value is a number, or words joined by "+".
 */
#ifndef XDPLIFE_ROW_KNOWN_H
#define XDPLIFE_ROW_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xdplife/tcp_track.h"
#include "xdplife/tunnel.h"

/* What is compared. */
struct row_state {
	struct tcp_track track;
	struct packet pkt;
	struct tunnel tunnel;
};

struct known_field {
	const char *name;
	size_t offset; /* in struct row_state; of a side: in struct tcp_side */
	size_t bytes;
	bool is_time; /* not to be compared where the clock is not ours */
};

#define TRACK_FIELD(field)                                                                                   \
	{                                                                                                    \
#field, offsetof(struct row_state, track.field), sizeof(((struct tcp_track *)0)->field),     \
			false                                                                                \
	}
#define STATE_FIELD(name, field)                                                                             \
	{                                                                                                    \
		name, offsetof(struct row_state, field), sizeof(((struct row_state *)0)->field), false       \
	}
#define SIDE_FIELD(name, field)                                                                              \
	{                                                                                                    \
		name, offsetof(struct tcp_side, field), sizeof(((struct tcp_side *)0)->field), false         \
	}
#define SIDE_TIME(name, field)                                                                               \
	{                                                                                                    \
		name, offsetof(struct tcp_side, field), sizeof(((struct tcp_side *)0)->field), true          \
	}

static const struct known_field known_state_fields[] = {
	TRACK_FIELD(phase),
	TRACK_FIELD(client),
	TRACK_FIELD(closer),
	TRACK_FIELD(flags),
	TRACK_FIELD(seen),
	TRACK_FIELD(reset_phase),
	TRACK_FIELD(icmp_type),
	TRACK_FIELD(icmp_code),
	STATE_FIELD("tunnel", tunnel.kind),
	STATE_FIELD("tunnel.id", tunnel.id),
	STATE_FIELD("vlans", pkt.vlan_count),
	STATE_FIELD("ttl", pkt.ttl),
};

static const struct known_field known_side_fields[] = {
	SIDE_FIELD("packets", packets),
	SIDE_FIELD("bytes", bytes),
	SIDE_FIELD("isn", isn),
	SIDE_FIELD("next", next),
	SIDE_FIELD("acked", acked),
	SIDE_FIELD("retransmits", retransmits),
	SIDE_FIELD("out_of_order", out_of_order),
	SIDE_FIELD("duplicates", duplicates),
	SIDE_FIELD("zero_windows", zero_windows),
	SIDE_FIELD("mss", mss),
	SIDE_FIELD("wscale", window_scale),
	SIDE_FIELD("window_max", window_max),
	SIDE_FIELD("options", options),
	SIDE_FIELD("stripped", stripped),
	SIDE_FIELD("syn_flags", syn_flags),
	SIDE_FIELD("syn_bytes", syn_bytes),
	SIDE_FIELD("rtt.samples", rtt.samples),
	SIDE_TIME("rtt.last_us", rtt.last_us),
	SIDE_TIME("rtt.min_us", rtt.min_us),
	SIDE_TIME("rtt.smoothed_us", rtt.smoothed_us),
};

static const struct known_word {
	const char *word;
	__u32 value;
} known_words[] = {
	{"none", 0},
	{"-", TCP_END_UNKNOWN},
	/* phase, reset_phase */
	{"opening", TCP_PHASE_OPENING},
	{"answered", TCP_PHASE_ANSWERED},
	{"established", TCP_PHASE_ESTABLISHED},
	{"closing", TCP_PHASE_CLOSING},
	{"closed", TCP_PHASE_CLOSED},
	{"reset", TCP_PHASE_RESET},
	/* flags */
	{"midstream", TCP_TRACK_MIDSTREAM},
	{"ambiguous", TCP_TRACK_AMBIGUOUS},
	{"other-syn", TCP_TRACK_OTHER_SYN},
	{"unreachable", TCP_TRACK_UNREACHABLE},
	{"simultaneous-close", TCP_TRACK_SIMULTANEOUS_CLOSE},
	/* seen */
	{"SYN", TCP_SEEN_SYN},
	{"SYN-ACK", TCP_SEEN_SYNACK},
	{"ACK", TCP_SEEN_ACK},
	{"data", TCP_SEEN_DATA},
	{"FIN", TCP_SEEN_FIN},
	{"RST", TCP_SEEN_RST},
	/* options, stripped */
	{"mss", TCP_HAS_MSS},
	{"wscale", TCP_HAS_WINDOW_SCALE},
	{"sack", TCP_HAS_SACK_PERMITTED},
	{"ts", TCP_HAS_TIMESTAMPS},
	{"tfo", TCP_HAS_FAST_OPEN},
	{"cookie", TCP_HAS_COOKIE},
	{"mptcp", TCP_HAS_MPTCP},
	{"other", TCP_HAS_OTHER},
	/* syn_flags */
	{"S", TCPHDR_SYN},
	{"A", TCPHDR_ACK},
	{"ECE", TCPHDR_ECE},
	{"CWR", TCPHDR_CWR},
	{"AE", TCP_SYN_FLAG_AE},
	/* tunnel */
	{"ipip", TUNNEL_IPIP},
	{"6in4", TUNNEL_6IN4},
	{"4in6", TUNNEL_4IN6},
	{"6in6", TUNNEL_6IN6},
	{"gre", TUNNEL_GRE},
	{"vxlan", TUNNEL_VXLAN},
};

#define KNOWN_COUNT(array) (sizeof(array) / sizeof((array)[0]))

static inline __u64 known_value(const char *text)
{
	char copy[128], *rest = copy, *word, *end;
	__u64 value = 0;

	snprintf(copy, sizeof(copy), "%s", text);
	while ((word = strsep(&rest, "+"))) {
		size_t i = 0;

		while (i < KNOWN_COUNT(known_words) && strcmp(known_words[i].word, word))
			i++;
		if (i < KNOWN_COUNT(known_words)) {
			value |= known_words[i].value;
			continue;
		}
		value |= strtoull(word, &end, 10);
		if (end == word || *end) {
			fprintf(stderr, "row: what is \"%s\"?\n", word);
			abort();
		}
	}
	return value;
}

static inline const struct known_field *known_find(const char *name, const struct known_field *fields,
						   size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(fields[i].name, name))
			return &fields[i];
	fprintf(stderr, "row: no field \"%s\"\n", name);
	abort();
}

/* @client: the end of the flow key that is the client. Return: whether it is as expected; if not, it is said. */
static inline bool known_one(const char *name, const char *value, const struct row_state *state, int client,
			     bool our_clock)
{
	bool of_side = name[1] == '.' && (*name == 'C' || *name == 'S');
	bool of_end = !strcmp(name, "client") || !strcmp(name, "closer");
	int end = client ^ (*name == 'S');
	const struct known_field *field =
		of_side ? known_find(name + 2, known_side_fields, KNOWN_COUNT(known_side_fields))
			: known_find(name, known_state_fields, KNOWN_COUNT(known_state_fields));
	const char *base = of_side ? (const char *)&state->track.side[end] : (const char *)state;
	__u64 is = 0,
	      should = of_end && *value != '-' ? (__u64)(client ^ (*value == 'S')) : known_value(value);

	if (field->is_time && !our_clock)
		return true;
	memcpy(&is, base + field->offset, field->bytes); /* little endian, as is all that we run on */
	if (is != should)
		fprintf(stderr, "%s is %llu, should be %s (%llu)\n", name, (unsigned long long)is, value,
			(unsigned long long)should);
	return is == should;
}

/* Compares all that @text names. */
static inline bool known_all(const char *text, const struct row_state *state, int client, bool our_clock)
{
	char copy[512], *rest = copy, *name;
	bool good = true;

	if (!text)
		return true;
	snprintf(copy, sizeof(copy), "%s", text);
	while ((name = strsep(&rest, " "))) {
		char *value = strchr(name, '=');

		if (!value) {
			fprintf(stderr, "row: \"%s\" has no value\n", name);
			abort();
		}
		*value = 0;
		good &= known_one(name, value + 1, state, client, our_clock);
	}
	return good;
}

#endif
