/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Explains the bytes of a packet: each header a layer, each field with its place, its value and its meaning.
 *
 * The engine (xdplife/parse.h) decides whether a frame is malformed; a dissection explains as far as bytes
 * go, also then, and carries the engine's verdict. It does no I/O but for layer_print() and never reads
 * beyond the bytes given.
 *
 * How to add a protocol: write user/proto/NAME.c, which ends in its `const struct proto proto_NAME`, declare
 * that in dissect.h and put it in the table of proto.c. `decode`, `fetch` and `trace --packets` then know it.
 */
#ifndef XDPLIFE_PROTO_H
#define XDPLIFE_PROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "util/terminal.h"
#include "xdplife/link.h"

#define DISSECT_MAX_LAYERS 48 /* what is stacked higher is shown as data */

/* How a field's value is best read. */
enum field_kind {
	FIELD_NUMBER,  /* decimal */
	FIELD_HEX,     /* 0x... */
	FIELD_FLAG,    /* one bit: "set" or "not set" */
	FIELD_ADDRESS, /* MAC, IPv4 or IPv6 */
	FIELD_TEXT,
	FIELD_BYTES,
};

/* What verifying a checksum gave; FIELD_NOT_CHECKED on every other field. */
enum field_check {
	FIELD_NOT_CHECKED,
	FIELD_CHECK_RIGHT,
	FIELD_CHECK_WRONG,
	FIELD_CHECK_PARTIAL,      /* the pseudo-header sum: the sender leaves the rest to its network card */
	FIELD_CHECK_ABSENT,       /* UDP over IPv4 may go without (RFC 768) */
	FIELD_CHECK_UNVERIFIABLE, /* not all covered bytes are here */
};

struct field {
	uint32_t offset; /* in bytes from the start of the frame */
	uint32_t bits;   /* its size */
	uint8_t bit;     /* its first bit in the byte at offset, counted from the most significant */
	uint8_t kind;    /* enum field_kind */
	uint8_t check;   /* enum field_check */
	uint64_t raw;    /* the value of a field of up to 64 bits */
	const char *name;
	const char *filter;  /* the matching display filter field of tshark; NULL: none */
	const char *source;  /* "RFC 9293 §3.1" */
	const char *value;   /* as people write it; safe for a terminal */
	const char *meaning; /* in prose; "" where the value says it all; safe for a terminal */
};

struct proto;

struct layer {
	const struct proto *proto;
	uint32_t offset;     /* in bytes from the start of the frame */
	uint32_t bytes;      /* of the header, as far as it was captured */
	bool quoted;         /* part of the packet that an ICMP error quotes */
	bool cut;            /* ends before all of its fields are there */
	const char *summary; /* for a heading; "" if there is nothing to add */
	struct field *fields;
	size_t field_count;
};

struct text_chunk;

struct dissection {
	struct packet packet; /* what the engine says; packet_malformed() is its verdict */
	enum link_kind link;
	const uint8_t *data; /* borrowed: must outlive the dissection */
	size_t captured_bytes;
	size_t wire_bytes;
	struct layer layers[DISSECT_MAX_LAYERS];
	size_t layer_count;
	struct text_chunk *texts;
};

/**
 * dissect() - explain one packet
 * @d:              filled; to be freed by dissection_free(), also after an error
 * @data:           its first byte; borrowed
 * @captured_bytes: that may be read from @data; nothing is read beyond
 * @wire_bytes:     its length on the wire; at least @captured_bytes
 *
 * A packet that makes no sense is no error: what can be read is explained, the rest is data.
 * Return: 0; -ENOMEM.
 */
int dissect(struct dissection *d, const void *data, size_t captured_bytes, size_t wire_bytes,
	    enum link_kind link);
void dissection_free(struct dissection *d);

/* Whether the engine's complaint comes from a capture that kept fewer bytes than were on the wire. */
bool dissection_is_cut(const struct dissection *d);

/**
 * dissect_guess() - whether bytes that nobody has labelled start with an Ethernet or an IP header
 * @why: set to the reason, in words
 */
enum link_kind dissect_guess(const void *data, size_t bytes, const char **why);

/* The outermost layer of this name ("IPv4", "TCP"), NULL if there is none. Quoted packets do not count. */
const struct layer *dissection_layer(const struct dissection *d, const char *name);

/* The first field of the layer with this tshark name ("ip.ttl"); NULL if there is none. */
const struct field *layer_field(const struct layer *layer, const char *filter);

/* What an ICMP (@ip_version 4) or ICMPv6 (6) error says: "host unreachable"; never NULL. */
const char *icmp_error_text(uint8_t ip_version, uint8_t type, uint8_t code);

const char *layer_name(const struct layer *layer);   /* "TCP" */
const char *layer_key(const struct layer *layer);    /* "tcp", as in JSON */
const char *field_check_key(enum field_check check); /* "right"; NULL for FIELD_NOT_CHECKED */

struct line_options {
	bool relative;     /* subtract the bases: the connection starts at 0 */
	uint32_t seq_base; /* the initial sequence number of this packet's sender */
	uint32_t ack_base; /* that of its receiver */
};

#define LINE_BYTES 512 /* enough for what dissection_line() writes about any packet without HTTP */

/**
 * dissection_line() - the packet in one line, like
 *   10.0.1.2:40000 → 10.0.2.2:80 TCP [SYN] seq 1000 win 64240 len 0 <mss 1460, sackOK, ts 1/0> ttl 64
 * @options: NULL for none
 * @line:    filled, terminated, valid UTF-8 even if cut, without a newline
 */
void dissection_line(const struct dissection *d, const struct line_options *options, char *line,
		     size_t bytes);

/* The style in which a field's meaning is shown: a checksum's says how verifying it went. */
enum style field_style(const struct field *field);

/* The layer's name and its aligned `name = value (meaning)` lines. */
void layer_print(FILE *out, const struct layer *layer);

/* A new reference to an object with the packet's line, verdict and layers; NULL: no memory. */
json_t *dissection_json(const struct dissection *d);

#endif
