// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every block is (draft-ietf-opsawg-pcapng §3.1)
 *
 *	type(32) | total length(32) | body, padded to 32 bits | options | total length(32)
 *
 * and an option is code(16) | length(16) | value, padded to 32 bits (§3.5). Numbers are little-endian on
 *every machine: the same packets give the same file.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "out/pcapng.h"

#define FLUSH_BYTES         65536 /* a write of this size costs little more than a small one */
#define MAX_OPTION_BYTES    UINT16_MAX
#define BYTE_ORDER_MAGIC    0x1a2b3c4d
#define MIN_BLOCK_BYTES     12 /* type and both lengths */
#define MAC_BYTES           6
#define TSRESOL_NANOSECONDS 9 /* the negative power of ten */
#define FILTER_IS_TEXT      0 /* the first octet of if_filter: a pcap-filter(7) string follows */

enum block_type {
	BLOCK_INTERFACE_DESCRIPTION = 1,
	BLOCK_INTERFACE_STATISTICS = 5,
	BLOCK_ENHANCED_PACKET = 6,
	BLOCK_SECTION_HEADER = 0x0a0d0d0a,
};

/* Option codes count from 2 in each kind of block; 0 and 1 mean the same in all. */
enum option_code {
	OPT_END = 0,
	OPT_COMMENT = 1,
	SHB_HARDWARE = 2,
	SHB_OS = 3,
	SHB_USERAPPL = 4,
	IF_NAME = 2,
	IF_DESCRIPTION = 3,
	IF_MACADDR = 6,
	IF_TSRESOL = 9,
	IF_FILTER = 11,
	IF_HARDWARE = 15,
	EPB_FLAGS = 2,
	ISB_STARTTIME = 2,
	ISB_ENDTIME = 3,
	ISB_IFRECV = 4,
	ISB_IFDROP = 5,
	ISB_FILTERACCEPT = 6,
	ISB_OSDROP = 7,
	ISB_USRDELIV = 8,
};

struct pcapng {
	int fd;
	int error;        /* the first that happened, as -errno */
	uint64_t on_disk; /* bytes of complete blocks */
	uint8_t *buffer;  /* complete blocks, and at the end the one that is being built */
	size_t used, capacity;
	size_t block;         /* where in the buffer the block starts that is being built */
	uint32_t *snap_bytes; /* of each interface */
	uint32_t interfaces;
};

/* --- the buffer: errors are kept in file->error, so that the callers read like the layout of their block ---
 */

static uint8_t *grow(struct pcapng *file, size_t bytes)
{
	size_t capacity = file->capacity ? file->capacity : 2 * FLUSH_BYTES;
	uint8_t *bigger;

	while (capacity - file->used < bytes)
		capacity *= 2;
	if (capacity != file->capacity) {
		bigger = realloc(file->buffer, capacity);
		if (!bigger)
			return NULL;
		file->buffer = bigger;
		file->capacity = capacity;
	}
	return file->buffer + file->used;
}

/* Appends and pads with zeros to 32 bits. */
static void put_bytes(struct pcapng *file, const void *data, size_t bytes)
{
	size_t padded = (bytes + 3) & ~(size_t)3;
	uint8_t *to;

	if (file->error)
		return;
	to = grow(file, padded);
	if (!to) {
		file->error = -ENOMEM;
		return;
	}
	if (bytes)
		memcpy(to, data, bytes);
	memset(to + bytes, 0, padded - bytes);
	file->used += padded;
}

static void put_32(struct pcapng *file, uint32_t value)
{
	value = htole32(value);
	put_bytes(file, &value, sizeof(value));
}

/* A 16-bit pair shares 32 bits; the first comes first in the file. */
static void put_16_16(struct pcapng *file, uint16_t first, uint16_t second)
{
	put_32(file, first | (uint32_t)second << 16);
}

/* A timestamp is two numbers of 32 bits, the upper half first, in either byte order. */
static void put_time(struct pcapng *file, uint64_t time_ns)
{
	put_32(file, (uint32_t)(time_ns >> 32));
	put_32(file, (uint32_t)time_ns);
}

static void put_option(struct pcapng *file, enum option_code code, const void *data, size_t bytes)
{
	put_16_16(file, code, (uint16_t)bytes);
	put_bytes(file, data, bytes);
}

static void put_option_64(struct pcapng *file, enum option_code code, uint64_t value)
{
	value = htole64(value);
	put_option(file, code, &value, sizeof(value));
}

static void put_option_time(struct pcapng *file, enum option_code code, uint64_t time_ns)
{
	put_16_16(file, code, sizeof(time_ns));
	put_time(file, time_ns);
}

/* The longest start of @text that fits into @max_bytes and does not end within a UTF-8 character. */
static size_t text_bytes(const char *text, size_t max_bytes)
{
	size_t bytes = strlen(text);

	if (bytes <= max_bytes)
		return bytes;
	bytes = max_bytes;
	while (bytes && ((unsigned char)text[bytes] & 0xc0) == 0x80)
		bytes--;
	return bytes;
}

static void put_option_text(struct pcapng *file, enum option_code code, const char *text)
{
	put_option(file, code, text, text_bytes(text, MAX_OPTION_BYTES));
}

/* --- blocks --- */

static void block_begin(struct pcapng *file, enum block_type type)
{
	file->block = file->used;
	put_32(file, type);
	put_32(file, 0); /* the length is known at the end */
}

static int block_end(struct pcapng *file)
{
	uint32_t bytes, bytes_le;

	put_16_16(file, OPT_END, 0);
	bytes = (uint32_t)(file->used - file->block) + sizeof(bytes);
	put_32(file, bytes);
	if (file->error) {
		file->used = file->block;
		return file->error;
	}
	bytes_le = htole32(bytes);
	memcpy(file->buffer + file->block + sizeof(uint32_t), &bytes_le, sizeof(bytes_le));
	return file->used >= FLUSH_BYTES ? pcapng_flush(file) : 0;
}

/* How many of the buffer's first @bytes belong to complete blocks. */
static size_t complete_bytes(const struct pcapng *file, size_t bytes)
{
	size_t at = 0;
	uint32_t length;

	while (bytes - at >= MIN_BLOCK_BYTES) {
		memcpy(&length, file->buffer + at + sizeof(uint32_t), sizeof(length));
		length = le32toh(length);
		if (length > bytes - at)
			break;
		at += length;
	}
	return at;
}

/* A write failed after @written bytes of the buffer. */
static int fail(struct pcapng *file, int error, size_t written)
{
	file->error = error;
	file->used = 0;
	file->on_disk += complete_bytes(file, written);
	if (ftruncate(file->fd, (off_t)file->on_disk))
		return error; /* a pipe or a device cannot be cut back; the first error is the one that counts
			       */
	return error;
}

int pcapng_flush(struct pcapng *file)
{
	size_t written = 0;

	if (file->error)
		return file->error;
	while (written < file->used) {
		ssize_t n = write(file->fd, file->buffer + written, file->used - written);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(file, -errno, written);
		written += (size_t)n;
	}
	file->on_disk += file->used;
	file->used = 0;
	return 0;
}

static int write_section_header(struct pcapng *file, const char *command_line)
{
	struct utsname host;
	char os[sizeof(host.sysname) + sizeof(host.release) + 1] = "";

	if (uname(&host))
		return -errno;
	stpcpy(stpcpy(stpcpy(os, host.sysname), " "), host.release);

	block_begin(file, BLOCK_SECTION_HEADER);
	put_32(file, BYTE_ORDER_MAGIC);
	put_16_16(file, 1, 0);    /* version 1.0 */
	put_32(file, UINT32_MAX); /* section length, 64 bits: not given */
	put_32(file, UINT32_MAX);
	put_option_text(file, SHB_HARDWARE, host.machine);
	put_option_text(file, SHB_OS, os);
	put_option_text(file, SHB_USERAPPL, command_line);
	return block_end(file);
}

static int open_file(struct pcapng *file, const char *path, const char *command_line)
{
	file->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (file->fd < 0)
		return -errno;
	return write_section_header(file, command_line);
}

struct pcapng *pcapng_create(const char *path, const char *command_line)
{
	struct pcapng *file = calloc(1, sizeof(*file));
	int error;

	if (!file)
		return NULL;
	error = open_file(file, path, command_line);
	if (error) {
		pcapng_close(file);
		errno = -error;
		return NULL;
	}
	return file;
}

static void put_option_filter(struct pcapng *file, const char *filter)
{
	uint8_t value[MAX_OPTION_BYTES] = {FILTER_IS_TEXT};
	size_t bytes = text_bytes(filter, sizeof(value) - 1);

	memcpy(value + 1, filter, bytes);
	put_option(file, IF_FILTER, value, bytes + 1);
}

/* tcpdump.org/linktypes.html */
static const uint16_t link_types[] = {
	[LINK_ETHERNET] = 1,  [LINK_RAW_IP] = 101, [LINK_COOKED] = 113,
	[LINK_COOKED2] = 276, [LINK_FAMILY] = 0,
};

static void put_optional_text(struct pcapng *file, enum option_code code, const char *text)
{
	if (text && *text)
		put_option_text(file, code, text);
}

static void put_interface(struct pcapng *file, const struct pcapng_interface *interface)
{
	const uint8_t resolution = TSRESOL_NANOSECONDS;

	put_16_16(file, link_types[interface->link], 0);
	put_32(file, interface->snap_bytes);
	put_optional_text(file, IF_NAME, interface->name);
	put_optional_text(file, IF_DESCRIPTION, interface->description);
	if (interface->mac)
		put_option(file, IF_MACADDR, interface->mac, MAC_BYTES);
	put_option(file, IF_TSRESOL, &resolution, sizeof(resolution));
	if (interface->filter && *interface->filter)
		put_option_filter(file, interface->filter);
	put_optional_text(file, IF_HARDWARE, interface->hardware);
}

int pcapng_add_interface(struct pcapng *file, const struct pcapng_interface *interface)
{
	uint32_t *all, snap_bytes = interface->snap_bytes;
	int error;

	if (interface->link >= sizeof(link_types) / sizeof(*link_types))
		return -EPROTONOSUPPORT;
	all = realloc(file->snap_bytes, (file->interfaces + 1) * sizeof(*all));
	if (!all)
		return -ENOMEM;
	file->snap_bytes = all;
	all[file->interfaces] =
		snap_bytes && snap_bytes < PCAPNG_MAX_PACKET_BYTES ? snap_bytes : PCAPNG_MAX_PACKET_BYTES;
	block_begin(file, BLOCK_INTERFACE_DESCRIPTION);
	put_interface(file, interface);
	error = block_end(file);
	return error ? error : (int)file->interfaces++;
}

uint64_t pcapng_bytes(const struct pcapng *file)
{
	return file->on_disk + file->used;
}

int pcapng_write_packet(struct pcapng *file, const struct pcapng_packet *packet)
{
	uint32_t captured = packet->captured_bytes, flags = htole32(packet->direction);

	if (packet->interface >= file->interfaces)
		return -EINVAL;
	if (captured > file->snap_bytes[packet->interface])
		captured = file->snap_bytes[packet->interface];

	block_begin(file, BLOCK_ENHANCED_PACKET);
	put_32(file, packet->interface);
	put_time(file, packet->time_ns);
	put_32(file, captured);
	put_32(file, packet->wire_bytes);
	put_bytes(file, packet->data, captured);
	if (packet->comment)
		put_option_text(file, OPT_COMMENT, packet->comment);
	if (packet->direction != PCAPNG_DIRECTION_UNKNOWN)
		put_option(file, EPB_FLAGS, &flags, sizeof(flags));
	return block_end(file);
}

int pcapng_write_statistics(struct pcapng *file, uint32_t interface,
			    const struct pcapng_statistics *statistics)
{
	if (interface >= file->interfaces)
		return -EINVAL;
	block_begin(file, BLOCK_INTERFACE_STATISTICS);
	put_32(file, interface);
	put_time(file, statistics->end_ns);
	put_option_time(file, ISB_STARTTIME, statistics->start_ns);
	put_option_time(file, ISB_ENDTIME, statistics->end_ns);
	put_option_64(file, ISB_IFRECV, statistics->received);
	if (statistics->if_dropped)
		put_option_64(file, ISB_IFDROP, statistics->if_dropped);
	put_option_64(file, ISB_FILTERACCEPT, statistics->filter_accepted);
	put_option_64(file, ISB_OSDROP, statistics->os_dropped);
	put_option_64(file, ISB_USRDELIV, statistics->delivered);
	return block_end(file);
}

int pcapng_close(struct pcapng *file)
{
	int error;

	if (!file)
		return 0;
	error = pcapng_flush(file);
	if (file->fd >= 0 && close(file->fd) && !error)
		error = -errno;
	free(file->snap_bytes);
	free(file->buffer);
	free(file);
	return error;
}
