// SPDX-License-Identifier: GPL-2.0-only
/*
 * The live-frame generator, and the counting sink at the other end.
 *
 * The generator runs under BPF_PROG_TEST_RUN with BPF_F_TEST_XDP_LIVE_FRAMES: the kernel hands it page after page, and
 * what it returns XDP_TX for leaves by the interface. One object a thread: nothing is shared, nothing is locked.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

#include "bounds.h"
#include "xdplife/fingerprint.h"
#include "xdplife/generate.h"

/* Not static, or the skeleton does not show it. */
const volatile struct craft_config craft = {};
const volatile __u64 pace_interval = 0; /* ns << PACE_SHIFT between frames; 0: as fast as it goes */
const volatile __u32 own_timing = 0;    /* a replay at the times of its capture */
const volatile __u32 several_cpus = 0;  /* the sink may run on several CPUs at once */

struct generator_run run = {};
__u64 sink_others = 0; /* frames that are not of the stream: to the stack */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* set to the number of the generator's threads */
	__type(key, __u32);
	__type(value, struct sink_stream);
} sink_streams SEC(".maps");

/* One-way latency in ns. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, HISTOGRAM_BUCKETS);
	__type(key, __u32);
	__type(value, __u64);
} sink_latency SEC(".maps");

/* .rodata, of which the verifier knows each value. Without volatile the compiler may load it where it needs it. */
static __always_inline const struct craft_config *config(void)
{
	const struct craft_config *plain = (const struct craft_config *)&craft;

	asm volatile("" : "+r"(plain)); /* or it would take the values from the source: all 0 */
	return plain;
}

static __always_inline int write_shape(struct xdp_md *ctx, const struct craft_config *cfg,
				       const struct craft_shape *shape, const struct craft_turn *turn)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;

	if (data + shape->header_bytes > end)
		return XDP_ABORTED;
	craft_write(cfg, shape, turn, data);
	return XDP_TX;
}

/* A page has the size of the largest frame. */
static __always_inline int cut(struct xdp_md *ctx, __u32 bytes)
{
	return (int)bpf_xdp_adjust_tail(ctx, (int)bytes - (int)bpf_xdp_get_buff_len(ctx));
}

/* Where all frames have one shape and one size. */
static __always_inline int make_plain(struct xdp_md *ctx, const struct craft_config *cfg, __u64 now_ns,
				      const struct craft_layout layout)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct craft_state *state = &run.craft;
	struct craft_turn turn;

	if (data + cfg->shape[0].header_bytes > end)
		return XDP_ABORTED;
	craft_copy(&cfg->shape[0], data);
	/* The constants first, as long as nothing else is to be kept in a register. */
	asm volatile("" : "+r"(state)::"memory"); /* and its address in one */
	craft_next_of(cfg, layout.kind, 1, state, now_ns, &turn);
	craft_fill(layout, &cfg->shape[0], &turn, data);
	return XDP_TX;
}

/* IPv4 without a tag: what is sent most, with every offset in the instructions. */
#define L4_OFF    (sizeof(struct ethhdr) + sizeof(struct iphdr))
#define TSVAL_OFF (L4_OFF + sizeof(struct tcphdr) + 8) /* behind MSS and SACK permitted */
#define STAMP_OFF (L4_OFF + sizeof(struct udphdr))

static const struct craft_layout plain_syn = {CRAFT_SYN, 4, 1,        0, sizeof(struct ethhdr),
					      L4_OFF,    0, TSVAL_OFF};
static const struct craft_layout plain_udp = {CRAFT_UDP, 4,         1, 0, sizeof(struct ethhdr),
					      L4_OFF,    STAMP_OFF, 0};

static __always_inline int is_laid_out(const struct craft_config *cfg, const struct craft_layout layout)
{
	return cfg->kind == layout.kind && cfg->l4_off == layout.l4_off &&
	       cfg->shape[0].tsval_off == layout.tsval_off;
}

static __always_inline int make_alike(struct xdp_md *ctx, const struct craft_config *cfg, __u64 now_ns)
{
	if (is_laid_out(cfg, plain_syn))
		return make_plain(ctx, cfg, now_ns, plain_syn);
	if (is_laid_out(cfg, plain_udp))
		return make_plain(ctx, cfg, now_ns, plain_udp);
	return make_plain(ctx, cfg, now_ns, craft_layout(cfg, &cfg->shape[0]));
}

static __always_inline int make_frame(struct xdp_md *ctx, const struct craft_config *cfg, __u64 now_ns)
{
	struct craft_turn turn;
	__u32 shape;

	if (!craft_wants_time(cfg, &run.craft))
		now_ns = 0;
	else if (!now_ns)
		now_ns = bpf_ktime_get_ns();
	if (cfg->sizes == 1 && cfg->kind != CRAFT_HANDSHAKE)
		return make_alike(ctx, cfg, now_ns);
	shape = craft_next(cfg, &run.craft, now_ns, &turn);
	if ((cfg->sizes > 1 || cfg->kind == CRAFT_HANDSHAKE) && cut(ctx, turn.bytes))
		return XDP_ABORTED;
	if (cfg->kind == CRAFT_HANDSHAKE && shape == 1)
		return write_shape(ctx, cfg, &cfg->shape[1], &turn);
	if (cfg->kind == CRAFT_HANDSHAKE && shape == 2)
		return write_shape(ctx, cfg, &cfg->shape[2], &turn);
	return write_shape(ctx, cfg, &cfg->shape[0], &turn);
}

/* The clock is read only when it must be: what was due when it was read last still is. *now_ns is set if it was. */
static __always_inline int is_due(__u64 *now_ns)
{
	if (run.clock_ns && pace_due(&run, pace_interval, run.clock_ns))
		return 1;
	*now_ns = run.clock_ns = bpf_ktime_get_ns();
	return pace_due(&run, pace_interval, run.clock_ns);
}

/* So that how long a stream took is known to the last frame. Returns what the frame is to become. */
static __always_inline int end_stream(void)
{
	if (run.ended != run.craft.number) {
		run.ended = run.craft.number;
		run.craft.last_ns = bpf_ktime_get_ns();
	}
	return XDP_DROP;
}

SEC("xdp")
int xl_generate(struct xdp_md *ctx)
{
	__u64 now_ns = 0;

	if (run.stop || run.craft.number >= run.limit)
		return end_stream();
	if (pace_interval && !is_due(&now_ns))
		return XDP_DROP;
	return make_frame(ctx, config(), now_ns);
}

/* The same frame over and over, never looked at: what live frames cost at least. */
SEC("xdp")
int xl_constant(struct xdp_md *ctx __attribute__((unused)))
{
	if (run.craft.number >= run.limit)
		return XDP_DROP;
	run.craft.number++;
	return XDP_TX;
}

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, REPLAY_SLOTS);
	__type(key, __u32);
	__type(value, struct replay_slot);
} replay_slots SEC(".maps");

/* Far ahead of the next frame the CPU is left to others, until userspace calls again. */
static __always_inline int replay_due(const struct replay_slot *slot, __u64 now_ns)
{
	__s64 ahead_ns;

	if (pace_interval)
		return pace_due(&run, pace_interval, now_ns);
	if (!own_timing)
		return 1;
	ahead_ns = replay_ahead_ns(&run, slot, now_ns);
	if (ahead_ns > REPLAY_REST_NS)
		run.rest = 1;
	return ahead_ns <= 0;
}

/* The frame of a slot as it is. */
static __always_inline int copy_frame(struct xdp_md *ctx, const struct replay_slot *slot)
{
	__u32 bytes = slot->bytes;

	if (!length_ok(&bytes, CRAFT_MAX_BYTES) || cut(ctx, bytes) ||
	    bpf_xdp_store_bytes(ctx, 0, (void *)slot->frame, bytes))
		return XDP_ABORTED;
	return XDP_TX;
}

/* Reading the clock costs a tenth of a frame: where nothing waits for it, every 16th time will do for the report. */
static __always_inline __u64 replay_clock(__u64 number)
{
	if (!own_timing && !pace_interval && number % 16 && number + 1 < run.limit)
		return 0;
	return bpf_ktime_get_ns();
}

SEC("xdp")
int xl_replay(struct xdp_md *ctx)
{
	__u64 number = run.craft.number, now_ns;
	__u32 index = run.replay.slot;
	const struct replay_slot *slot;
	int verdict;

	if (run.stop || number >= run.limit)
		return XDP_DROP;
	slot = bpf_map_lookup_elem(&replay_slots, &index);
	if (!slot || !replay_has_next(&run.replay, number))
		return XDP_DROP;
	now_ns = replay_clock(number);
	if (!replay_due(slot, now_ns))
		return XDP_DROP;
	verdict = copy_frame(ctx, slot);
	if (verdict != XDP_TX)
		return verdict;
	if (now_ns)
		craft_note_time(&run.craft, now_ns);
	replay_step(&run.replay);
	replay_store(&run.craft.number, number + 1);
	return XDP_TX;
}

static __always_inline void note_latency(const struct craft_mark *mark)
{
	__u64 now_ns = bpf_ktime_get_ns(), latency_ns, *count;
	__u32 bucket;

	/* A SYN carries the low 32 bits. */
	latency_ns = craft.shape[0].stamp_off ? now_ns - mark->time_ns : (__u32)now_ns - (__u32)mark->time_ns;
	bucket = histogram_bucket(latency_ns);
	count = bpf_map_lookup_elem(&sink_latency, &bucket);
	if (count)
		(*count)++;
}

/* The place of a frame in its thread's stream; below 0 for a stray. */
static __always_inline __s64 number_of(const struct sink_stream *stream, const struct craft_mark *mark)
{
	__u32 bits = 32 - craft.thread_bits;

	if (craft.kind == CRAFT_HANDSHAKE)
		return 3 * sequence_expand(stream->sequence.next / 3, mark->sequence, bits) + mark->turn;
	return sequence_expand(stream->sequence.next, mark->sequence, bits);
}

/* Returns whether the frame carries a time. */
static __always_inline int note_frame(struct sink_stream *stream, const struct craft_mark *mark, __u32 bytes)
{
	__s64 number = number_of(stream, mark);

	stream->received++;
	stream->bytes += bytes;
	if (number < 0) {
		stream->stale++;
		return 0;
	}
	switch (sequence_note(&stream->sequence, number)) {
	case SEQUENCE_REORDERED:
		stream->reordered++;
		break;
	case SEQUENCE_DUPLICATE:
		stream->duplicates++;
		break;
	case SEQUENCE_STALE:
		stream->stale++;
		break;
	default:
		break;
	}
	return mark->time_ns && (number & craft.stamp_mask) == 0;
}

static __always_inline int read_mark(const struct craft_config *cfg, const void *frame, const void *end,
				     __u32 stripped, struct craft_mark *mark)
{
	if (!stripped && is_laid_out(cfg, plain_syn))
		return craft_read_of(plain_syn, cfg->server_port, frame, end, 0, mark);
	if (!stripped && is_laid_out(cfg, plain_udp))
		return craft_read_of(plain_udp, cfg->server_port, frame, end, 0, mark);
	return craft_read(cfg, frame, end, stripped, mark);
}

/* Returns whether the frame was one of the stream. */
static __always_inline int sink(const void *frame, const void *end, __u32 bytes, __u32 stripped)
{
	struct sink_stream *stream;
	struct craft_mark mark;
	__u32 thread = 0;
	int timed;

	if (!read_mark(config(), frame, end, stripped, &mark)) {
		__sync_fetch_and_add(&sink_others, 1);
		return 0;
	}
	if (craft.thread_bits)
		thread = mark.sequence >> (32 - craft.thread_bits);
	stream = bpf_map_lookup_elem(&sink_streams, &thread);
	if (!stream) { /* a number of no thread's */
		__sync_fetch_and_add(&sink_others, 1);
		return 0;
	}
	if (several_cpus)
		bpf_spin_lock(&stream->lock);
	timed = note_frame(stream, &mark, bytes);
	if (several_cpus)
		bpf_spin_unlock(&stream->lock);
	if (timed)
		note_latency(&mark);
	return 1;
}

SEC("xdp")
int xl_sink(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;

	return sink(data, end, end - data, 0) ? XDP_DROP : XDP_PASS;
}

/* Replayed frames carry no number: they are known by their bytes. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1); /* set to the number of frames */
	__type(key, __u64);     /* fingerprint() */
	__type(value, __u32);   /* nothing */
} replay_marks SEC(".maps");

/* 0: the frame is too short to have one. */
static __always_inline __u64 fingerprint_of(struct xdp_md *ctx)
{
	__u32 bytes = (__u32)bpf_xdp_get_buff_len(ctx) - FINGERPRINT_OFF;
	union fingerprint_input input = {};

	if (bytes > sizeof(input))
		bytes = sizeof(input);
	if (!length_ok(&bytes, sizeof(input)) || bpf_xdp_load_bytes(ctx, FINGERPRINT_OFF, &input, bytes))
		return 0;
	return fingerprint(&input);
}

SEC("xdp")
int xl_sink_replay(struct xdp_md *ctx)
{
	__u64 mark = fingerprint_of(ctx);
	struct sink_stream *stream;
	__u32 thread = 0;

	stream = bpf_map_lookup_elem(&sink_streams, &thread);
	if (!stream || !bpf_map_lookup_elem(&replay_marks, &mark)) {
		__sync_fetch_and_add(&sink_others, 1);
		return XDP_PASS;
	}
	__sync_fetch_and_add(&stream->received, 1);
	__sync_fetch_and_add(&stream->bytes, ctx->data_end - ctx->data);
	return XDP_DROP;
}

/* Where the kernel's stack has made an skb of the frame already, this end is cheaper. */
SEC("tc")
int xl_sink_tc(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;

	return sink(data, end, skb->len, skb->vlan_present ? 4 : 0) ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}

char LICENSE[] SEC("license") = "GPL";
