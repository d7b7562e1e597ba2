/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * AF_XDP: frames straight from and to an interface, past the kernel's stack, by one socket for each receive
 * queue.
 *
 * Which frames come in is decided by the XDP program on the interface (not loaded here), which redirects them
 * through the XSKMAP that the sockets are registered in. Frames go out through the socket of one queue, as they
 * are: with complete checksums. Copy mode, which every driver and veth has.
 *
 * Ownership: everything is xsk's, the map is the caller's; xsk_close() unregisters by closing (the map holds
 * no reference that would keep a socket alive). A received frame belongs to xsk and is valid until the next
 * call of xsk_receive(). Limits: frames up to XSK_MAX_FRAME_BYTES, CONFIG_MAX_QUEUES queues. Each xsk is for one
 * thread.
 */
#ifndef XDPLIFE_XSK_H
#define XDPLIFE_XSK_H

#include <stdint.h>

#include "net/iface.h"

/* a chunk of 4096 bytes less the kernel's headroom of 256 and our margin */
#define XSK_MAX_FRAME_BYTES 3584

/* what the kernel sends of one socket at a time, in copy mode (net/xdp/xsk.c, TX_BATCH_SIZE) */
#define XSK_TX_BATCH 32

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

/* For sending alone, by one of the interface's queues: without map and XDP program. Return: as xsk_open(). */
int xsk_open_tx(struct xsk **xsk, const struct iface *iface, uint32_t queue);

/* Says why one of the above has failed with @err, and what to try. Return: an exit_code. */
int xsk_say_error(const char *ifname, int err);

/* Sends a copy, through queue 0. Return: 0; -EMSGSIZE; -ENOBUFS if the ring stays full; another -errno. */
int xsk_send(struct xsk *xsk, const void *data, uint32_t bytes);

/**
 * xsk_tx_next() - where the next frame is to be written: XSK_MAX_FRAME_BYTES
 * Zeros, until a frame has been there; then what that has left. The same place until xsk_tx_add().
 *
 * Return: NULL while the kernel has all places.
 */
void *xsk_tx_next(struct xsk *xsk);

/* What was written there is a frame, to be sent with the next xsk_tx_kick(). */
void xsk_tx_add(struct xsk *xsk, uint32_t bytes);

/* Makes the kernel send: XSK_TX_BATCH frames at most, those added first. Return: 0, also for a part; -errno. */
int xsk_tx_kick(struct xsk *xsk);

/* Frames that the kernel is done with, since the opening: handed to the driver, or refused by it. */
uint64_t xsk_tx_completed(const struct xsk *xsk);

/* Until all that was added is completed. Return: 0; -ETIMEDOUT after a tenth of a second; another -errno. */
int xsk_tx_drain(struct xsk *xsk);

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
