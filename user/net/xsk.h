/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * AF_XDP: frames straight from and to an interface, past the kernel's stack, by one socket for each receive
 * queue.
 *
 * Which frames come in is decided by the XDP program on the interface (not loaded here), which redirects them
 * through the XSKMAP that the sockets are registered in. Frames go out through the socket of queue 0, as they
 * are: with complete checksums. Copy mode, which every driver and veth has.
 *
 * Ownership: everything is xsk's, the map is the caller's; xsk_close() unregisters by closing (the map holds
 * no reference that would keep a socket alive). A received frame belongs to xsk and is valid until the next
 * call of xsk_receive(); what is sent is copied. Limits: frames up to XSK_MAX_FRAME_BYTES, CONFIG_MAX_QUEUES
 * queues. Not for several threads.
 */
#ifndef XDPLIFE_XSK_H
#define XDPLIFE_XSK_H

#include <stdint.h>

#include "net/iface.h"

/* a chunk of 4096 bytes less the kernel's headroom of 256 and our margin */
#define XSK_MAX_FRAME_BYTES 3584

struct xsk;

struct xsk_frame {
	const uint8_t *data;
	uint32_t bytes;
};

/**
 * xsk_open() - bind a socket to each receive queue and register it in the map under the queue's number
 * Return: 0 with *xsk to be closed by xsk_close(); -EPERM without CAP_NET_RAW; -ENOBUFS where memory may not
 * be locked (RLIMIT_MEMLOCK, and no CAP_IPC_LOCK); -EBUSY if another AF_XDP socket has the queue; another
 * -errno.
 */
int xsk_open(struct xsk **xsk, const struct iface *iface, int xsk_map_fd);

/* Queues a copy and kicks the kernel. Return: 0; -EMSGSIZE; -ENOBUFS if the ring stays full; another -errno.
 */
int xsk_send(struct xsk *xsk, const void *data, uint32_t bytes);

/**
 * xsk_receive() - the next frame, in the order in which each queue got them
 * @timeout_ns: how long to wait; 0: not at all; UINT64_MAX: forever
 *
 * Return: 1 with *frame; 0 when the time is over; -EINTR on a signal; another -errno.
 */
int xsk_receive(struct xsk *xsk, struct xsk_frame *frame, uint64_t timeout_ns);

/* How many received frames one queue holds until xsk_receive() takes them: what bounds a sensible receive window. */
uint32_t xsk_queue_frames(const struct xsk *xsk);

/* Frames that were for us and that the kernel had to drop (no free chunk, ring full, too long), over all
 * sockets. */
uint64_t xsk_dropped(const struct xsk *xsk);

/* NULL is allowed. */
void xsk_close(struct xsk *xsk);

#endif
