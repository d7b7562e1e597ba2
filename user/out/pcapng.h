/* SPDX-License-Identifier: GPL-2.0-only */
/* A pcapng file (draft-ietf-opsawg-pcapng): nanoseconds, directions, comments, drop counts. */
#ifndef XDPLIFE_PCAPNG_H
#define XDPLIFE_PCAPNG_H

#include <stddef.h>
#include <stdint.h>

#include "xdplife/link.h"

/*
 * One writer, for one thread. Blocks are buffered. The first write that fails is kept: every later call
 * returns it, and the file is cut back to its last complete block, so that what was captured until then can
 * be read.
 */
struct pcapng;

enum pcapng_direction {
	PCAPNG_DIRECTION_UNKNOWN = 0,
	PCAPNG_INBOUND = 1,
	PCAPNG_OUTBOUND = 2,
};

struct pcapng_packet {
	uint32_t interface; /* from pcapng_add_interface() */
	uint64_t time_ns;   /* since the Unix epoch */
	const void *data;
	uint32_t captured_bytes; /* of @data; what exceeds the snap length is cut */
	uint32_t wire_bytes;     /* of the frame */
	enum pcapng_direction direction;
	const char *comment; /* UTF-8, shown by Wireshark; NULL: none */
};

/* The longest packet that libpcap and Wireshark read: a snap length of 0 means this. */
#define PCAPNG_MAX_PACKET_BYTES 262144

/**
 * pcapng_create() - start a file with its section header (§4.1); an existing file is overwritten
 * @command_line: what goes into the header as the application's name and arguments
 *
 * Return: the writer, to be closed by pcapng_close(); NULL with errno set.
 */
struct pcapng *pcapng_create(const char *path, const char *command_line);

/* What an interface description block says; texts may be NULL. */
struct pcapng_interface {
	const char *name;
	const char *description; /* what people call it */
	const char *hardware;    /* what it is: its driver */
	const char *filter;      /* pcap-filter(7) */
	const uint8_t *mac;      /* 6 bytes; NULL: not said */
	enum link_kind link;     /* not LINK_OTHER */
	uint32_t
		snap_bytes; /* 0: no limit; libpcap reads a file only if it is the same for all its interfaces */
};

/**
 * pcapng_add_interface() - an interface description block (§4.2; nanoseconds)
 * Return: its number in the file, or -errno.
 */
int pcapng_add_interface(struct pcapng *file, const struct pcapng_interface *interface);

/* How large the file is with what is buffered. */
uint64_t pcapng_bytes(const struct pcapng *file);

/* An enhanced packet block (§4.3). Return: 0; -EINVAL for an interface that was not added; -errno. */
int pcapng_write_packet(struct pcapng *file, const struct pcapng_packet *packet);

struct pcapng_statistics {
	uint64_t start_ns, end_ns; /* since the Unix epoch */
	uint64_t received;         /* frames that the interface saw */
	uint64_t if_dropped; /* lost by the interface itself (its rx_dropped); 0: nothing is said of it */
	uint64_t filter_accepted; /* of those received, accepted by the filter */
	uint64_t os_dropped;      /* accepted, but lost before they were written */
	uint64_t delivered;       /* written */
};

/* An interface statistics block (§4.6). Return: 0; -EINVAL as above; -errno. */
int pcapng_write_statistics(struct pcapng *file, uint32_t interface,
			    const struct pcapng_statistics *statistics);

/* Writes out what is buffered, so that a reader sees it. Return: 0 or -errno. */
int pcapng_flush(struct pcapng *file);

/**
 * pcapng_close() - flush, close, free; NULL is allowed
 * Return: 0 or -errno of the first write that failed (a full disk is seen here at the latest).
 */
int pcapng_close(struct pcapng *file);

#endif
