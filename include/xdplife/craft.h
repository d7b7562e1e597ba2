/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The frames of a generated stream: the same bytes from the BPF program (live frames) and from userspace (AF_XDP).
 *
 * Everything that does not change stands in a shape, made once by userspace; a turn fills in what does: addresses and
 * ports of the flow, lengths, sequence, time, checksums. All of the header is written each time, because a recycled
 * page keeps what the receiver, a router perhaps, has made of it.
 *
 * How the sink knows a frame again: UDP and TCP data carry a stamp behind the header (struct craft_stamp); a SYN has
 * the sequence in its sequence number and the time in its timestamp option (RFC 7323 §3.2), in nanoseconds.
 */
#ifndef XDPLIFE_CRAFT_H
#define XDPLIFE_CRAFT_H

#include "checksum.h"
#include "wire.h"

enum craft_kind {
	CRAFT_UDP,
	CRAFT_SYN,
	CRAFT_TCP,       /* data of established connections, in order within each flow */
	CRAFT_HANDSHAKE, /* SYN, SYN-ACK, ACK of one flow after the other: both directions on one wire */
};

#define CRAFT_WORDS  14 /* of 8 bytes: two VLAN tags, IPv6, TCP with 20 bytes of options, and a margin */
#define CRAFT_SHAPES 3  /* a handshake has three kinds of frames, the others one */
#define CRAFT_SIZES  12 /* a cycle of frame sizes */
#define CRAFT_MAX_BYTES                                                                                      \
	3360 /* what a live frame can hold: a page less headroom and tail; 3368 on Linux 6.1 */
#define CRAFT_MAX_FLOWS   (1u << 24)
#define CRAFT_MAX_THREADS 64
#define CRAFT_PORT_BITS   15 /* the client's ports: 32768 to 65535 */
#define CRAFT_FIRST_PORT  32768
#define CRAFT_STAMP_MAGIC 0x584c4946 /* "XLIF" */

/* In the payload, unaligned: 18 bytes, so that they fit into the smallest frame with IPv4 and UDP. */
struct craft_stamp {
	__be32 magic;
	__be16 reserved;
	__be32 sequence;
	__be32 time_high, time_low; /* ns, monotonic; 0: this frame carries no time */
} __attribute__((packed));

/* One kind of frame: its bytes with every varying field 0, and the sums of what is constant. */
struct craft_shape {
	__u64 word[CRAFT_WORDS];
	__u32 ip_sum;       /* the IPv4 header */
	__u32 l4_sum;       /* pseudo-header and header of TCP or UDP, and the stamp's constants */
	__u16 header_bytes; /* with the stamp */
	__u16 stamp_off;    /* 0: none */
	__u16 tsval_off;    /* of TSval in a timestamp option; 0: none */
	__u8 reply;         /* from the server to the client */
	__u8 _pad;
};

struct craft_config {
	struct craft_shape shape[CRAFT_SHAPES];
	__u64 mix, mix_add;       /* makes addresses and port of a flow's number; mix is odd */
	__u64 dst_mask, src_mask; /* of the last word of an address: what the flow decides */
	__u32 dst_base, src_base; /* that word, host order, with the flow's bits 0 */
	__u32 flows;
	__u32 flow_start, flow_step; /* this thread's; below flows */
	__u32 thread, threads;       /* thread: in the upper thread_bits of the sequence */
	__u32 stamp_mask;            /* every (mask + 1)th frame carries a time: a power of two */
	__u16 size[CRAFT_SIZES];     /* frame bytes without the FCS */
	__u16 l3_off, l4_off;
	__be16 server_port;
	__u8 sizes; /* how many of the cycle are used */
	__u8 kind;  /* enum craft_kind */
	__u8 ip_version;
	__u8 dst_bits; /* how far dst_mask reaches */
	__u8 thread_bits;
	__u8 _pad[5];
};

_Static_assert(sizeof(struct craft_shape) == 128, "no hidden padding");
_Static_assert(sizeof(struct craft_config) == 3 * 128 + 104, "no hidden padding");

/* Where a thread's stream stands. */
struct craft_state {
	__u64 number; /* frames made so far */
	__u64 first_ns,
		last_ns; /* times of the frames: of the first, and of the last one that carried its time */
	__u32 flow;
	__u32 turn;       /* of a handshake: 0 SYN, 1 SYN-ACK, 2 ACK; else the place in the cycle of sizes */
	__u32 handshakes; /* done */
	__u32 client_ts, server_ts; /* the TSvals of this handshake's SYN and SYN-ACK */
	__u32 tcp_sent;             /* bytes of TCP data, in each flow */
};

/*
 * Where things are in a frame. A caller that knows it at compile time passes constants, and the compiler leaves out what
 * they exclude; else it is craft_layout()'s, and the verifier does.
 */
struct craft_layout {
	__u8 kind, ip_version, sizes, reply;
	__u16 l3_off, l4_off, stamp_off, tsval_off;
};

/* What varies in one frame. */
struct craft_turn {
	__be32 src, dst; /* last words of the client's and the server's address */
	__be16 port;     /* the client's */
	__u16 bytes;     /* of the frame */
	__u32 sequence;  /* with the thread's number */
	__u32 tcp_seq, tcp_ack;
	__u32 tsval, tsecr;
	__u64 time_ns; /* 0: none */
};

typedef __u64 wire_u64 XL_IN_PLACE;
typedef __u32 wire_u32 XL_IN_PLACE;

/* Addresses and port of a flow: one to one, and far apart for neighbouring numbers. */
static __always_inline void craft_flow(const struct craft_config *cfg, __u32 flow, struct craft_turn *turn)
{
	__u64 x = flow * cfg->mix + cfg->mix_add;

	turn->dst = TO_BE32(cfg->dst_base | (x & cfg->dst_mask));
	x >>= cfg->dst_bits;
	turn->port = TO_BE16(CRAFT_FIRST_PORT + (x & ((1 << CRAFT_PORT_BITS) - 1)));
	x >>= CRAFT_PORT_BITS;
	turn->src = TO_BE32(cfg->src_base | (x & cfg->src_mask));
}

static __always_inline void craft_next_flow(const struct craft_config *cfg, struct craft_state *state)
{
	__u32 flow = state->flow + cfg->flow_step;

	state->flow = flow < cfg->flows ? flow : flow - cfg->flows;
}

/* Whether the next frame is to carry the time, which is dear to read. */
static __always_inline int craft_wants_time(const struct craft_config *cfg, const struct craft_state *state)
{
	return (state->number & cfg->stamp_mask) == 0;
}

/* The three segments of a handshake (RFC 9293 §3.5) in turn, with timestamps that echo each other (RFC 7323 §3.2). */
static __always_inline __u32 craft_handshake(const struct craft_config *cfg, struct craft_state *state,
					     struct craft_turn *turn)
{
	__u32 which = state->turn;

	if (which == 0) {
		state->client_ts = turn->tsval;
		state->turn = 1;
		return 0;
	}
	turn->tcp_ack = turn->sequence + 1;
	if (which == 1) {
		turn->tsecr = state->client_ts;
		state->server_ts = turn->tsval;
		state->turn = 2;
		return 1;
	}
	turn->tcp_seq = turn->sequence + 1;
	turn->tsecr = state->server_ts;
	state->turn = 0;
	state->handshakes++;
	craft_next_flow(cfg, state);
	return 2;
}

/* When each of the thread's flows has had its turn, all have sent one segment more. */
static __always_inline void craft_next_data(const struct craft_config *cfg, struct craft_state *state)
{
	if (state->flow == cfg->flow_start)
		state->tcp_sent += cfg->size[0] - cfg->l4_off - (__u32)sizeof(struct tcphdr);
}

/* The place in the cycle of sizes; bounded where the verifier can see it. */
static __always_inline __u32 craft_next_size(const struct craft_config *cfg, struct craft_state *state)
{
	__u32 place = state->turn < CRAFT_SIZES ? state->turn : 0;

	state->turn = place + 1 < cfg->sizes ? place + 1 : 0;
	return place;
}

static __always_inline void craft_note_time(struct craft_state *state, __u64 now_ns)
{
	if (!state->number)
		state->first_ns = now_ns;
	state->last_ns = now_ns;
}

/* As craft_next(), for who knows @kind and @sizes, which are the config's, at compile time. */
static __always_inline __u32 craft_next_of(const struct craft_config *cfg, __u8 kind, __u8 sizes,
					   struct craft_state *state, __u64 now_ns, struct craft_turn *turn)
{
	__u32 sequence = kind == CRAFT_HANDSHAKE ? state->handshakes : (__u32)state->number;
	__u32 shape = 0, size = 0;

	craft_flow(cfg, state->flow, turn);
	if (cfg->thread_bits)
		sequence = (sequence & (~0u >> cfg->thread_bits)) | cfg->thread << (32 - cfg->thread_bits);
	turn->sequence = sequence;
	turn->time_ns = now_ns;
	if (now_ns)
		craft_note_time(state, now_ns);
	turn->tsval = (__u32)state->last_ns;
	turn->tcp_seq = kind == CRAFT_TCP ? 1 + state->tcp_sent : sequence;
	turn->tcp_ack = 0;
	turn->tsecr = 0;
	state->number++;
	if (kind == CRAFT_HANDSHAKE) {
		size = shape = craft_handshake(cfg, state, turn);
	} else {
		craft_next_flow(cfg, state);
		if (kind == CRAFT_TCP)
			craft_next_data(cfg, state);
		if (sizes > 1)
			size = craft_next_size(cfg, state);
	}
	turn->bytes = cfg->size[size];
	return shape;
}

/**
 * craft_next() - decide what the next frame of the stream is
 * @now_ns: monotonic; 0: the frame carries no time
 *
 * Return: which shape it has.
 */
static __always_inline __u32 craft_next(const struct craft_config *cfg, struct craft_state *state,
					__u64 now_ns, struct craft_turn *turn)
{
	return craft_next_of(cfg, cfg->kind, cfg->sizes, state, now_ns, turn);
}

#define CRAFT_WORD(n)                                                                                        \
	case (n) + 1:                                                                                        \
		((wire_u64 *)frame)[n] = shape->word[n];                                                     \
		__attribute__((fallthrough))

/* All of the header, constants first. A switch, for of that the verifier leaves only the words that there are. */
static __always_inline void craft_copy(const struct craft_shape *shape, void *frame)
{
	__u32 bytes = shape->header_bytes;

	switch (bytes / 8) {
		CRAFT_WORD(12);
		CRAFT_WORD(11);
		CRAFT_WORD(10);
		CRAFT_WORD(9);
		CRAFT_WORD(8);
		CRAFT_WORD(7);
		CRAFT_WORD(6);
		CRAFT_WORD(5);
		CRAFT_WORD(4);
		CRAFT_WORD(3);
		CRAFT_WORD(2);
		CRAFT_WORD(1);
		CRAFT_WORD(0);
	default:
		break;
	}
	/* the rest, overlapping what is already there */
	if (bytes % 8)
		*(wire_u64 *)(frame + bytes - 8) = *(const wire_u64 *)((const char *)shape->word + bytes - 8);
}

/* Keeps the compiler from merging the code before and after it, which would make constant offsets variable. */
#define CRAFT_APART() asm volatile("")

/* RFC 791 §3.1 or RFC 8200 §3. The shape has the length already where all frames are of one size. */
static __always_inline void craft_ip(const struct craft_layout layout, __u64 sum,
				     const struct craft_turn *turn, __be32 from, __be32 to, void *ip)
{
	__be16 bytes;

	if (layout.ip_version == 4) {
		if (layout.sizes > 1) {
			bytes = TO_BE16(turn->bytes - layout.l3_off);
			*(wire_u16 *)(ip + 2) = bytes;
			sum += bytes;
		}
		*(wire_u32 *)(ip + 12) = from;
		*(wire_u32 *)(ip + 16) = to;
		*(wire_u16 *)(ip + 10) = (__u16)~checksum_fold(sum + from + to);
		CRAFT_APART();
	} else {
		if (layout.sizes > 1)
			*(wire_u16 *)(ip + 4) = TO_BE16(turn->bytes - layout.l4_off);
		*(wire_u32 *)(ip + 20) = from;
		*(wire_u32 *)(ip + 36) = to;
		CRAFT_APART();
	}
}

/* Returns the sum of what it wrote. */
static __always_inline __u64 craft_stamp(const struct craft_turn *turn, void *stamp)
{
	__be32 sequence = TO_BE32(turn->sequence);
	__be32 high = TO_BE32(turn->time_ns >> 32), low = TO_BE32(turn->time_ns);

	*(wire_u32 *)(stamp + 6) = sequence;
	*(wire_u32 *)(stamp + 10) = high;
	*(wire_u32 *)(stamp + 14) = low;
	return (__u64)sequence + high + low;
}

/* RFC 9293 §3.1. Returns the sum of what it wrote. */
static __always_inline __u64 craft_tcp(const struct craft_layout layout, const struct craft_turn *turn,
				       void *frame, void *tcp)
{
	__be32 seq = TO_BE32(turn->tcp_seq), ack, tsval, tsecr;
	__u64 sum = seq;

	*(wire_u32 *)(tcp + 4) = seq;
	if (layout.tsval_off) {
		tsval = TO_BE32(turn->tsval);
		*(wire_u32 *)(frame + layout.tsval_off) = tsval;
		sum += tsval;
	}
	if (layout.kind == CRAFT_HANDSHAKE) { /* nobody else acknowledges or echoes anything new */
		ack = TO_BE32(turn->tcp_ack);
		tsecr = TO_BE32(turn->tsecr);
		*(wire_u32 *)(tcp + 8) = ack;
		*(wire_u32 *)(frame + layout.tsval_off + 4) = tsecr;
		sum += (__u64)ack + tsecr;
	}
	return sum;
}

static __always_inline struct craft_layout craft_layout(const struct craft_config *cfg,
							const struct craft_shape *shape)
{
	return (struct craft_layout){
		.kind = cfg->kind,
		.ip_version = cfg->ip_version,
		.sizes = cfg->sizes,
		.reply = shape->reply,
		.l3_off = cfg->l3_off,
		.l4_off = cfg->l4_off,
		.stamp_off = shape->stamp_off,
		.tsval_off = shape->tsval_off,
	};
}

/* What varies, after craft_copy(). */
static __always_inline void craft_fill(const struct craft_layout layout, const struct craft_shape *shape,
				       const struct craft_turn *turn, void *frame)
{
	__u8 reply = layout.reply;
	__be32 from = reply ? turn->dst : turn->src, to = reply ? turn->src : turn->dst;
	void *l4 = frame + layout.l4_off;
	__be16 l4_bytes = layout.sizes > 1 ? TO_BE16(turn->bytes - layout.l4_off) : 0, check;
	__u64 sum = (__u64)shape->l4_sum + from + to + turn->port + l4_bytes;

	craft_ip(layout, shape->ip_sum, turn, from, to, frame + layout.l3_off);
	*(wire_u16 *)(l4 + (reply ? 2 : 0)) = turn->port;
	if (layout.stamp_off)
		sum += craft_stamp(turn, frame + layout.stamp_off);
	if (layout.kind == CRAFT_UDP) {
		if (layout.sizes > 1)
			*(wire_u16 *)(l4 + 4) = l4_bytes;
		check = (__u16)~checksum_fold(sum + l4_bytes);
		*(wire_u16 *)(l4 + 6) = check ? check : 0xffff;
		CRAFT_APART();
	} else {
		sum += craft_tcp(layout, turn, frame, l4);
		*(wire_u16 *)(l4 + 16) = (__u16)~checksum_fold(sum);
		CRAFT_APART();
	}
}

/**
 * craft_write() - write one frame's headers and stamp
 * @frame: shape->header_bytes of room; what follows up to turn->bytes must be zero, and stays
 *
 * Lengths and checksums are right for turn->bytes (RFC 1071; RFC 768: a UDP checksum of 0 is sent as 0xffff).
 */
static __always_inline void craft_write(const struct craft_config *cfg, const struct craft_shape *shape,
					const struct craft_turn *turn, void *frame)
{
	craft_copy(shape, frame);
	craft_fill(craft_layout(cfg, shape), shape, turn, frame);
}

/* What a frame of the stream tells its sink. */
struct craft_mark {
	__u32 sequence; /* with the thread's number */
	__u32 turn;     /* of a handshake: 0 SYN, 1 SYN-ACK, 2 ACK */
	__u64 time_ns;  /* UDP, TCP data: 0 is none; a SYN: the low 32 bits */
};

static __always_inline int craft_is_ip(const struct craft_layout layout, const void *ip)
{
	__u8 proto = layout.kind == CRAFT_UDP ? IPPROTO_UDP : IPPROTO_TCP;

	if (layout.ip_version == 4)
		return *(const __u8 *)ip == 0x45 && *(const __u8 *)(ip + 9) == proto;
	return *(const __u8 *)ip >> 4 == 6 && *(const __u8 *)(ip + 6) == proto;
}

static __always_inline int craft_read_stamp(const void *at, struct craft_mark *mark)
{
	const struct craft_stamp *stamp = at;

	if (stamp->magic != TO_BE32(CRAFT_STAMP_MAGIC))
		return 0;
	mark->sequence = FROM_BE32(stamp->sequence);
	mark->time_ns = (__u64)FROM_BE32(stamp->time_high) << 32 | FROM_BE32(stamp->time_low);
	return 1;
}

/* The control bits say which segment of a handshake it is. */
static __always_inline int craft_read_segment(__u8 kind, const void *tcp, struct craft_mark *mark)
{
	__u8 flags = *(const __u8 *)(tcp + 13);

	mark->sequence = FROM_BE32(*(const wire_u32 *)(tcp + 4));
	if (flags == TCPHDR_SYN)
		mark->turn = 0;
	else if (kind == CRAFT_HANDSHAKE && flags == (TCPHDR_SYN | TCPHDR_ACK))
		mark->turn = 1;
	else if (kind == CRAFT_HANDSHAKE && flags == TCPHDR_ACK)
		mark->turn = 2;
	else
		return 0;
	mark->sequence -= mark->turn == 2;
	return 1;
}

/* As craft_read(), for who knows the layout at compile time. */
static __always_inline int craft_read_of(const struct craft_layout layout, __be16 server_port,
					 const void *frame, const void *end, __u32 stripped,
					 struct craft_mark *mark)
{
	const void *l4 = frame + layout.l4_off - stripped;
	__be16 port;

	mark->turn = 0;
	mark->time_ns = 0;
	if (l4 + (layout.kind == CRAFT_UDP ? sizeof(struct udphdr) : sizeof(struct tcphdr)) > end)
		return 0;
	if (!craft_is_ip(layout, frame + layout.l3_off - stripped))
		return 0;
	port = *(const wire_u16 *)(l4 + 2);
	if (layout.stamp_off)
		return port == server_port &&
		       frame + layout.stamp_off - stripped + sizeof(struct craft_stamp) <= end &&
		       craft_read_stamp(frame + layout.stamp_off - stripped, mark);
	if (!craft_read_segment(layout.kind, l4, mark))
		return 0;
	if (mark->turn == 1)
		port = *(const wire_u16 *)l4;
	if (layout.tsval_off && mark->turn == 0 && frame + layout.tsval_off - stripped + 4 <= end)
		mark->time_ns = FROM_BE32(*(const wire_u32 *)(frame + layout.tsval_off - stripped));
	return port == server_port;
}

/**
 * craft_read() - recognise a frame of the stream, in whatever way it has come
 * @frame: without a VLAN tag that the kernel has taken off, @stripped bytes less than it was sent with
 *
 * Return: 1 with *mark filled; 0 for any other frame.
 */
static __always_inline int craft_read(const struct craft_config *cfg, const void *frame, const void *end,
				      __u32 stripped, struct craft_mark *mark)
{
	return craft_read_of(craft_layout(cfg, &cfg->shape[0]), cfg->server_port, frame, end, stripped, mark);
}

#endif
