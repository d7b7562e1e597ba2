// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <xdp/xsk.h>

#include "net/xsk.h"
#include "util/clock.h"
#include "xdplife/config.h"

#define CHUNK_BYTES    XSK_UMEM__DEFAULT_FRAME_SIZE
#define TX_CHUNKS      64  /* a client's segments; they are back as soon as the kernel has copied them */
#define RX_CHUNKS      960 /* with the above 4 MiB a queue: a receive window of a megabyte in full segments */
#define RX_CHUNKS_MANY 192 /* on interfaces with many queues, of which a flow uses one */
#define MANY_QUEUES    8
#define RING_SIZE      1024 /* a power of two, not below RX_CHUNKS */
#define SEND_KICKS     100  /* tries to get the kernel to take what is queued */
#define SEND_RETRY_MS  1

/* One socket with a memory area (UMEM) of its own: receive chunks first, then those for sending. */
struct queue {
	struct xsk_socket *socket;
	struct xsk_umem *umem;
	void *area;
	size_t area_bytes;
	struct xsk_ring_prod fill, tx;
	struct xsk_ring_cons completion, rx;
	uint64_t free_tx[TX_CHUNKS];
	unsigned int free_tx_count;
	uint64_t held; /* the chunk of the frame that was handed out */
	bool holds;
};

struct xsk {
	unsigned int count;
	unsigned int rx_chunks;
	unsigned int turn; /* the queue to look at first */
	struct queue queues[CONFIG_MAX_QUEUES];
	struct pollfd pollfds[CONFIG_MAX_QUEUES];
};

static void give_chunk(struct queue *queue, uint64_t address)
{
	uint32_t index;

	/* There are fewer chunks than places in the ring. */
	if (xsk_ring_prod__reserve(&queue->fill, 1, &index) == 1) {
		*xsk_ring_prod__fill_addr(&queue->fill, index) = address;
		xsk_ring_prod__submit(&queue->fill, 1);
	}
}

static int create_umem(struct queue *queue, unsigned int rx_chunks)
{
	struct xsk_umem_config config = {
		.fill_size = RING_SIZE,
		.comp_size = RING_SIZE,
		.frame_size = CHUNK_BYTES,
		.frame_headroom = XSK_UMEM__DEFAULT_FRAME_HEADROOM,
	};
	int err;

	queue->area_bytes = (size_t)(rx_chunks + TX_CHUNKS) * CHUNK_BYTES;
	queue->area =
		mmap(NULL, queue->area_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (queue->area == MAP_FAILED) {
		queue->area = NULL;
		return -errno;
	}
	err = xsk_umem__create(&queue->umem, queue->area, queue->area_bytes, &queue->fill, &queue->completion,
			       &config);
	if (err)
		return err;
	for (unsigned int i = 0; i < rx_chunks; i++)
		give_chunk(queue, (uint64_t)i * CHUNK_BYTES);
	for (unsigned int i = 0; i < TX_CHUNKS; i++)
		queue->free_tx[queue->free_tx_count++] = (uint64_t)(rx_chunks + i) * CHUNK_BYTES;
	return 0;
}

static int open_queue(struct xsk *xsk, const struct iface *iface, uint32_t number, int xsk_map_fd)
{
	struct xsk_socket_config config = {
		.rx_size = RING_SIZE,
		.tx_size = RING_SIZE,
		.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
		.bind_flags = XDP_COPY | XDP_USE_NEED_WAKEUP,
	};
	struct queue *queue = &xsk->queues[number];
	int err;

	xsk->count = number + 1; /* for xsk_close(), however far this gets */
	err = create_umem(queue, xsk->rx_chunks);
	if (!err)
		err = xsk_socket__create(&queue->socket, iface->name, number, queue->umem, &queue->rx,
					 &queue->tx, &config);
	if (!err)
		err = xsk_socket__update_xskmap(queue->socket, xsk_map_fd);
	if (!err)
		xsk->pollfds[number] = (struct pollfd){.fd = xsk_socket__fd(queue->socket), .events = POLLIN};
	return err;
}

int xsk_open(struct xsk **out, const struct iface *iface, int xsk_map_fd)
{
	uint32_t queues = iface->rx_queues < CONFIG_MAX_QUEUES ? iface->rx_queues : CONFIG_MAX_QUEUES;
	struct xsk *xsk = calloc(1, sizeof(*xsk));
	int err = 0;

	if (!xsk)
		return -ENOMEM;
	xsk->rx_chunks = queues > MANY_QUEUES ? RX_CHUNKS_MANY : RX_CHUNKS;
	for (uint32_t i = 0; i < queues && !err; i++)
		err = open_queue(xsk, iface, i, xsk_map_fd);
	if (err) {
		xsk_close(xsk);
		return err;
	}
	*out = xsk;
	return 0;
}

static void close_queue(struct queue *queue)
{
	if (queue->socket)
		xsk_socket__delete(queue->socket);
	if (queue->umem)
		xsk_umem__delete(queue->umem);
	if (queue->area)
		munmap(queue->area, queue->area_bytes);
}

void xsk_close(struct xsk *xsk)
{
	if (!xsk)
		return;
	while (xsk->count)
		close_queue(&xsk->queues[--xsk->count]);
	free(xsk);
}

static void collect_sent(struct queue *queue)
{
	uint32_t index, count = xsk_ring_cons__peek(&queue->completion, TX_CHUNKS, &index);

	for (uint32_t i = 0; i < count; i++)
		queue->free_tx[queue->free_tx_count++] =
			*xsk_ring_cons__comp_addr(&queue->completion, index + i);
	xsk_ring_cons__release(&queue->completion, count);
}

/*
 * Copy mode sends within this system call: always needed, whatever need_wakeup says. EAGAIN and EBUSY mean
 * that the kernel has done a part, ENOBUFS that the device's queue is full for the moment; what is queued
 * stays queued.
 */
static int kick(const struct queue *queue)
{
	int fd = xsk_socket__fd(queue->socket);

	if (sendto(fd, NULL, 0, MSG_DONTWAIT, NULL, 0) >= 0 || errno == EAGAIN || errno == EBUSY ||
	    errno == ENOBUFS)
		return 0;
	return -errno;
}

/* Everything is out once all chunks are back. */
static int flush(struct queue *queue)
{
	struct pollfd pollfd = {.fd = xsk_socket__fd(queue->socket), .events = POLLOUT};

	for (int i = 0; i < SEND_KICKS; i++) {
		int err = kick(queue);

		if (err)
			return err;
		collect_sent(queue);
		if (queue->free_tx_count == TX_CHUNKS)
			return 0;
		poll(&pollfd, 1, SEND_RETRY_MS);
	}
	return queue->free_tx_count ? 0 : -ENOBUFS;
}

int xsk_send(struct xsk *xsk, const void *data, uint32_t bytes)
{
	struct queue *queue = &xsk->queues[0];
	struct xdp_desc *descriptor;
	uint64_t address;
	uint32_t index;

	if (bytes > XSK_MAX_FRAME_BYTES)
		return -EMSGSIZE;
	collect_sent(queue);
	if (!queue->free_tx_count || xsk_ring_prod__reserve(&queue->tx, 1, &index) != 1)
		return -ENOBUFS;
	address = queue->free_tx[--queue->free_tx_count];
	memcpy(xsk_umem__get_data(queue->area, address), data, bytes);
	descriptor = xsk_ring_prod__tx_desc(&queue->tx, index);
	*descriptor = (struct xdp_desc){.addr = address, .len = bytes};
	xsk_ring_prod__submit(&queue->tx, 1);
	return flush(queue);
}

/* The kernel asks to be woken when it found no free chunk; there are some again. */
static void wake_receiver(struct queue *queue)
{
	if (xsk_ring_prod__needs_wakeup(&queue->fill))
		recvfrom(xsk_socket__fd(queue->socket), NULL, 0, MSG_DONTWAIT, NULL, NULL);
}

static bool take_frame(struct queue *queue, struct xsk_frame *frame)
{
	const struct xdp_desc *descriptor;
	uint32_t index;

	if (queue->holds) {
		give_chunk(queue, queue->held);
		queue->holds = false;
		wake_receiver(queue);
	}
	if (!xsk_ring_cons__peek(&queue->rx, 1, &index))
		return false;
	descriptor = xsk_ring_cons__rx_desc(&queue->rx, index);
	frame->data = xsk_umem__get_data(queue->area, descriptor->addr);
	frame->bytes = descriptor->len;
	queue->held = descriptor->addr - descriptor->addr % CHUNK_BYTES;
	queue->holds = true;
	xsk_ring_cons__release(&queue->rx, 1);
	return true;
}

/* Looks at all queues, beginning behind the one that had a frame last, so that none starves. */
static bool take_any(struct xsk *xsk, struct xsk_frame *frame)
{
	for (unsigned int i = 0; i < xsk->count; i++) {
		unsigned int number = (xsk->turn + i) % xsk->count;

		if (take_frame(&xsk->queues[number], frame)) {
			xsk->turn = (number + 1) % xsk->count;
			return true;
		}
	}
	return false;
}

int xsk_receive(struct xsk *xsk, struct xsk_frame *frame, uint64_t timeout_ns)
{
	uint64_t start_ns = clock_monotonic_ns(), passed_ns = 0;

	while (!take_any(xsk, frame)) {
		uint64_t left_ns = timeout_ns == UINT64_MAX ? UINT64_MAX : timeout_ns - passed_ns;

		if (passed_ns >= timeout_ns)
			return 0;
		if (poll(xsk->pollfds, xsk->count, clock_poll_timeout_ms(left_ns)) < 0)
			return -errno;
		passed_ns = clock_monotonic_ns() - start_ns;
	}
	return 1;
}

uint32_t xsk_queue_frames(const struct xsk *xsk)
{
	return xsk->rx_chunks;
}

uint64_t xsk_dropped(const struct xsk *xsk)
{
	uint64_t dropped = 0;

	for (unsigned int i = 0; i < xsk->count; i++) {
		struct xdp_statistics statistics = {};
		socklen_t bytes = sizeof(statistics);

		if (!getsockopt(xsk_socket__fd(xsk->queues[i].socket), SOL_XDP, XDP_STATISTICS, &statistics,
				&bytes))
			dropped += statistics.rx_dropped + statistics.rx_ring_full;
	}
	return dropped;
}
