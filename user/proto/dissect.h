/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of user/proto share: the type of the table, and how a protocol says what its bytes mean. */
#ifndef XDPLIFE_DISSECT_H
#define XDPLIFE_DISSECT_H

#include "proto/proto.h"

/* Where a protocol's number comes from. */
enum proto_under {
	UNDER_NOTHING = 0,     /* only by name, or by its first bytes */
	UNDER_ETHERNET = 0x01, /* EtherType */
	UNDER_IP4 = 0x02,      /* protocol */
	UNDER_IP6 = 0x04,      /* next header */
	UNDER_TCP = 0x08,      /* no number: recognise() looks at the payload */
};

struct dissector;
struct line;

struct proto {
	const char *name;
	const char *key;    /* in JSON */
	const char *source; /* of its fields, unless one names another */
	unsigned int under; /* enum proto_under, or'ed */
	const uint16_t *numbers;
	size_t number_count;
	/* Whether a payload begins like this protocol; NULL where the numbers decide. */
	bool (*recognise)(const uint8_t *bytes, size_t count);
	/* Adds the fields of the layer that begins at dissector_at(), moves on behind it, says what follows.
	 */
	void (*dissect)(struct dissector *ds);
	/* Adds its part of dissection_line(); NULL for none. */
	void (*line)(struct line *line, const struct dissection *d, const struct layer *layer,
		     const struct line_options *options);
};

#define PROTO_NUMBERS(...)                                                                                   \
	.numbers = (const uint16_t[]){__VA_ARGS__},                                                          \
	.number_count = sizeof((const uint16_t[]){__VA_ARGS__}) / sizeof(uint16_t)

extern const struct proto proto_ethernet, proto_vlan, proto_arp, proto_ip4, proto_ip6, proto_ip6_hop_by_hop,
	proto_ip6_dest_opts, proto_ip6_routing, proto_ip6_fragment, proto_ip6_mobility, proto_ah, proto_tcp,
	proto_udp, proto_icmp, proto_icmp6, proto_http, proto_data, proto_padding, proto_cooked,
	proto_cooked2, proto_family;

/* One dissection under way. */
struct dissector {
	struct dissection *d;
	struct layer *layer;
	uint32_t at;         /* the next byte that no layer has claimed */
	uint32_t end;        /* where the layer below ends; may lie beyond the captured bytes */
	uint32_t packet_end; /* the same of the outermost IP packet: behind it is padding */
	uint16_t number;     /* that led to this layer */
	enum proto_under next_under;
	uint16_t next_number;
	bool quoted;
	bool failed; /* out of memory */
	/* What the innermost IP header leaves for the checksums above it. */
	struct {
		uint8_t version;
		bool fragment;
		bool later_fragment;
		bool addresses_known; /* false: the final destination could not be read */
		union ip_addr src, dst;
	} ip;
};

/* Unsigned big-endian numbers, 0 where they were not captured. */
uint8_t read8(const struct dissector *ds, uint32_t at);
uint16_t read16(const struct dissector *ds, uint32_t at);
/* How many of the bytes in [at, end) were captured. */
uint32_t captured(const struct dissector *ds, uint32_t at, uint32_t end);
/* @bytes bytes at @at, or NULL if they were not captured. */
const uint8_t *read_bytes(const struct dissector *ds, uint32_t at, uint32_t bytes);

/*
 * Each of these adds a field to the layer and returns it, or NULL if its bytes were not captured (the layer
 * is then marked as cut) or there is no memory. NULL may be passed on to all of field_means() and the like. A
 * field stays where it is until the next one is added.
 */
struct field *field_bits(struct dissector *ds, uint32_t at, uint8_t bit, uint32_t bits, const char *name,
			 const char *filter);
struct field *field_number(struct dissector *ds, uint32_t at, uint32_t bytes, const char *name,
			   const char *filter);
struct field *field_hex(struct dissector *ds, uint32_t at, uint32_t bytes, const char *name,
			const char *filter);
struct field *field_flag(struct dissector *ds, uint32_t at, uint8_t bit, const char *name, const char *filter,
			 const char *if_set, const char *if_not);
struct field *field_mac(struct dissector *ds, uint32_t at, const char *name, const char *filter);
struct field *field_ip4(struct dissector *ds, uint32_t at, const char *name, const char *filter);
struct field *field_ip6(struct dissector *ds, uint32_t at, const char *name, const char *filter);
struct field *field_text(struct dissector *ds, uint32_t at, uint32_t bytes, const char *name,
			 const char *filter);
/* As many of the bytes as were captured; NULL if there is none. */
struct field *field_blob(struct dissector *ds, uint32_t at, uint32_t bytes, const char *name,
			 const char *filter);

void field_means(struct dissector *ds, struct field *field, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void field_shows(struct dissector *ds, struct field *field, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void field_from(struct field *field, const char *source);

/* A copy that lives as long as the dissection; "" without memory. */
const char *text_format(struct dissector *ds, const char *format, ...) __attribute__((format(printf, 2, 3)));
void texts_free(struct dissection *d);
/* Bytes of the packet as text that is safe for a terminal. */
const char *text_of(struct dissector *ds, uint32_t at, uint32_t bytes);

void layer_summary(struct dissector *ds, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What the next layer is. Without a call, it is data. */
void dissect_next(struct dissector *ds, enum proto_under under, uint16_t number);
/* This layer says that it and all above it end at @end. */
void dissect_limit(struct dissector *ds, uint32_t end);

/**
 * check_upper_layer() - verify the checksum of TCP, UDP, ICMP or ICMPv6 and say so on its field
 * @field: the checksum; NULL is allowed
 * @at:    where the header starts
 * @bytes: that the checksum covers, on the wire
 * @pseudo_header: whether that of the IP layer belongs to it
 */
void check_upper_layer(struct dissector *ds, struct field *field, uint32_t at, uint32_t bytes,
		       uint8_t ip_proto, bool pseudo_header);
/* The result of a verification: @is as in the field, @should as computed; both in host order. */
void check_result(struct dissector *ds, struct field *field, uint16_t is, uint16_t should);

/* The parts of the line. */
struct line {
	char *text;
	size_t bytes;
	size_t used;
};

void line_add(struct line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The ends of an IP packet, with the ports if there are any: "10.0.1.2:80 → 10.0.1.1:4000 ". */
void line_ends(struct line *line, const struct dissection *d, const struct layer *layer, const char *src,
	       const char *dst);

/* Whether nothing that has a name follows the layer, so that its line should say what would. */
bool layer_is_last(const struct dissection *d, const struct layer *layer);
/* Also that of ICMPv6. */
void line_icmp(struct line *line, const struct dissection *d, const struct layer *layer,
	       const struct line_options *options);

/* Words for numbers; NULL if unknown. */
const char *icmp6_error_text(uint8_t type, uint8_t code); /* part of icmp_error_text() */
const char *ip_protocol_name(uint8_t protocol);
const char *ether_type_name(uint16_t ether_type);
const char *port_name(uint16_t port);
const char *dscp_name(uint8_t dscp);
const char *ecn_meaning(uint8_t ecn);
const char *mac_meaning(const uint8_t *mac);

#endif
