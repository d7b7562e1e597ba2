// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <xdp/xsk.h>

#include "command.h"
#include "net/xsk.h"
#include "util/clock.h"
#include "util/log.h"
#include "xdplife/config.h"

#define CHUNK_BYTES    XSK_UMEM__DEFAULT_FRAME_SIZE
#define TX_CHUNKS      64 /* they are back as soon as the far end has them: more would only leave the cache */
#define RX_CHUNKS      960 /* with the above 4 MiB a queue: a receive window of a megabyte in full segments */
#define RX_CHUNKS_MANY 192 /* on interfaces with many queues, of which a flow uses one */
#define MANY_QUEUES    8
#define RING_SIZE      1024 /* a power of two, not below RX_CHUNKS */
#define DRAIN_YIELDS   20   /* tries to have everything sent: first without */
#define DRAIN_NAPS     100  /* then with a pause */
#define DRAIN_NAP_MS   1
#define BUSY_NAPS      50 /* tries to get a queue that somebody has */
#define BUSY_NAP_MS    10

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
	unsigned int added;    /* written to the ring and not yet shown to the kernel */
	uint64_t tx_completed; /* frames */
	uint64_t held;         /* the chunk of the frame that was handed out */
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

/* @number: the interface's */
static int create_queue(struct queue *queue, const struct iface *iface, uint32_t number,
			unsigned int rx_chunks)
{
	struct xsk_socket_config config = {
		.rx_size = RING_SIZE,
		.tx_size = RING_SIZE,
		.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
		.bind_flags = XDP_COPY | XDP_USE_NEED_WAKEUP,
	};
	int err = create_umem(queue, rx_chunks);

	if (err)
		return err;
	return xsk_socket__create(&queue->socket, iface->name, number, queue->umem,
				  rx_chunks ? &queue->rx : NULL, &queue->tx, &config);
}

static void close_queue(struct queue *queue)
{
	if (queue->socket)
		xsk_socket__delete(queue->socket);
	if (queue->umem)
		xsk_umem__delete(queue->umem);
	if (queue->area)
		munmap(queue->area, queue->area_bytes);
	*queue = (struct queue){};
}

/* The kernel lets go of a queue some time after its last socket was closed: a moment later it may be free. */
static int open_queue(struct xsk *xsk, const struct iface *iface, uint32_t number)
{
	struct queue *queue = &xsk->queues[xsk->count];
	int err = create_queue(queue, iface, number, xsk->rx_chunks);

	for (int i = 0; i < BUSY_NAPS && err == -EBUSY; i++) {
		close_queue(queue);
		poll(NULL, 0, BUSY_NAP_MS);
		err = create_queue(queue, iface, number, xsk->rx_chunks);
	}
	if (err) {
		close_queue(queue);
		return err;
	}
	xsk->pollfds[xsk->count++] = (struct pollfd){.fd = xsk_socket__fd(queue->socket), .events = POLLIN};
	return 0;
}

int xsk_open(struct xsk **out, const struct iface *iface, int xsk_map_fd)
{
	uint32_t queues = iface->rx_queues < CONFIG_MAX_QUEUES ? iface->rx_queues : CONFIG_MAX_QUEUES;
	struct xsk *xsk = calloc(1, sizeof(*xsk));
	int err = 0;

	if (!xsk)
		return -ENOMEM;
	xsk->rx_chunks = queues > MANY_QUEUES ? RX_CHUNKS_MANY : RX_CHUNKS;
	for (uint32_t i = 0; i < queues && !err; i++) {
		err = open_queue(xsk, iface, i);
		if (!err)
			err = xsk_socket__update_xskmap(xsk->queues[i].socket, xsk_map_fd);
	}
	if (err) {
		xsk_close(xsk);
		return err;
	}
	*out = xsk;
	return 0;
}

int xsk_open_tx(struct xsk **out, const struct iface *iface, uint32_t queue)
{
	struct xsk *xsk = calloc(1, sizeof(*xsk));
	int err;

	if (!xsk)
		return -ENOMEM;
	err = open_queue(xsk, iface, queue);
	if (err) {
		xsk_close(xsk);
		return err;
	}
	*out = xsk;
	return 0;
}

int xsk_say_error(const char *ifname, int err)
{
	char cure[32 + IF_NAMESIZE];

	switch (err) {
	case -EPERM:
		log_error("as root", "%s: an AF_XDP socket needs CAP_NET_RAW", ifname);
		return EXIT_NEEDS;
	case -ENOBUFS:
	case -ENOMEM:
		log_error("ulimit -l unlimited, or CAP_IPC_LOCK",
			  "%s: no memory for AF_XDP sockets may be locked", ifname);
		return EXIT_NEEDS;
	case -EAFNOSUPPORT:
		log_error("a kernel with CONFIG_XDP_SOCKETS", "%s: this kernel has no AF_XDP", ifname);
		return EXIT_NEEDS;
	case -ENETDOWN:
		snprintf(cure, sizeof(cure), "ip link set %s up", ifname);
		log_error(cure, "%s: the interface is down", ifname);
		return EXIT_FAILED;
	case -EBUSY:
		log_error("ss --xdp shows who has it", "%s: another AF_XDP socket has the queue", ifname);
		return EXIT_FAILED;
	default:
		log_error(NULL, "%s: no AF_XDP socket: %s", ifname, strerror(-err));
		return EXIT_FAILED;
	}
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
	queue->tx_completed += count;
}

/*
 * Copy mode sends within this system call, XSK_TX_BATCH frames: always needed, whatever need_wakeup says. EAGAIN and EBUSY mean that the kernel has done a part, ENOBUFS that the device's queue
 * is full for the moment; what is queued stays queued.
 */
static int kick(const struct queue *queue)
{
	int fd = xsk_socket__fd(queue->socket);

	if (sendto(fd, NULL, 0, MSG_DONTWAIT, NULL, 0) >= 0 || errno == EAGAIN || errno == EBUSY ||
	    errno == ENOBUFS)
		return 0;
	return -errno;
}

void *xsk_tx_next(struct xsk *xsk)
{
	struct queue *queue = &xsk->queues[0];

	if (!queue->free_tx_count)
		collect_sent(queue);
	if (!queue->free_tx_count)
		return NULL;
	return xsk_umem__get_data(queue->area, queue->free_tx[queue->free_tx_count - 1]);
}

void xsk_tx_add(struct xsk *xsk, uint32_t bytes)
{
	struct queue *queue = &xsk->queues[0];
	uint32_t index = 0;

	xsk_ring_prod__reserve(&queue->tx, 1, &index); /* there are fewer chunks than places */
	*xsk_ring_prod__tx_desc(&queue->tx, index) =
		(struct xdp_desc){.addr = queue->free_tx[--queue->free_tx_count], .len = bytes};
	queue->added++;
}

int xsk_tx_kick(struct xsk *xsk)
{
	struct queue *queue = &xsk->queues[0];
	int err;

	xsk_ring_prod__submit(&queue->tx, queue->added);
	queue->added = 0;
	err = kick(queue);
	collect_sent(queue);
	return err;
}

uint64_t xsk_tx_completed(const struct xsk *xsk)
{
	return xsk->queues[0].tx_completed;
}

int xsk_tx_drain(struct xsk *xsk)
{
	const struct queue *queue = &xsk->queues[0];

	for (int i = 0; i < DRAIN_YIELDS + DRAIN_NAPS; i++) {
		int err = xsk_tx_kick(xsk);

		if (err)
			return err;
		if (queue->free_tx_count == TX_CHUNKS)
			return 0;
		if (i < DRAIN_YIELDS)
			sched_yield();
		else
			poll(NULL, 0, DRAIN_NAP_MS);
	}
	return -ETIMEDOUT;
}

int xsk_send(struct xsk *xsk, const void *data, uint32_t bytes)
{
	void *chunk = xsk_tx_next(xsk);
	int err;

	if (bytes > XSK_MAX_FRAME_BYTES)
		return -EMSGSIZE;
	if (!chunk)
		return -ENOBUFS;
	memcpy(chunk, data, bytes);
	xsk_tx_add(xsk, bytes);
	err = xsk_tx_drain(xsk);
	return err == -ETIMEDOUT ? (xsk_tx_next(xsk) ? 0 : -ENOBUFS) : err;
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
