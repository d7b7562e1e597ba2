// SPDX-License-Identifier: GPL-2.0-only
/*
 * At tc the outermost VLAN tag lies beside the frame, and the wire is not what the skb holds:
 *
 *   offset on the wire   0 .. 11        12 .. 15   16 ..
 *   lies in              skb, 0 .. 11   the tag    skb, 12 ..
 *
 * So the program is there twice: as it is for frames without such a tag, and with every offset behind the tag
 * moved for those with one. Loads that touch the tag read a window of twelve bytes of the wire, put together
 * on the stack.
 */
#include "datapath/filter_load.h"

#define INDEX BPF_REG_5 /* the offset of an indexed load; until the next call */

#define TAG_START    12
#define TAG_BYTES    4
#define TAG_END      (TAG_START + TAG_BYTES)
#define WINDOW_START (TAG_START - 4) /* a load of 4 bytes that touches the tag lies in the twelve from here */

#define MAX_OFFSET 0x7fffffff /* the helpers'; no frame is so long */
#define MAX_DIRECT 0x7fff     /* the end of what is read directly: an instruction's offset */

static int context_data(const struct loader *l)
{
	return l->hook == FILTER_TC ? offsetof(struct __sk_buff, data) : offsetof(struct xdp_md, data);
}

static int context_data_end(const struct loader *l)
{
	return l->hook == FILTER_TC ? offsetof(struct __sk_buff, data_end)
				    : offsetof(struct xdp_md, data_end);
}

static __u8 size_of(const struct load *load)
{
	return load->bytes == 4 ? BPF_W : load->bytes == 2 ? BPF_H : BPF_B;
}

static void emit_host_order(struct loader *l, const struct load *load)
{
	if (load->bytes > 1)
		emit_be(l->emitter, load->to, 8 * load->bytes);
}

/* R2 is the offset: @bytes from there to the stack; not 0 in R0 if the frame has not so many. */
static void emit_helper(struct loader *l, int to, __u32 bytes)
{
	emit_reg(l->emitter, BPF_ALU64 | BPF_MOV, BPF_REG_1, FILTER_CTX);
	emit_reg(l->emitter, BPF_ALU64 | BPF_MOV, BPF_REG_3, BPF_REG_10);
	emit_imm(l->emitter, BPF_ALU64 | BPF_ADD, BPF_REG_3, (__u32)to);
	emit_imm(l->emitter, BPF_ALU | BPF_MOV, BPF_REG_4, bytes);
	emit_call(l->emitter, l->hook == FILTER_TC ? BPF_FUNC_skb_load_bytes : BPF_FUNC_xdp_load_bytes);
}

/* The label of the load's cold part. */
static size_t add_cold(struct loader *l, const struct load *load, size_t back)
{
	size_t start;

	if (l->hook == FILTER_XDP_LINEAR)
		return EMIT_REJECT;
	start = emit_new_labels(l->emitter, 1);
	if (l->colds < FILTER_MAX_INSNS)
		l->cold[l->colds++] =
			(struct cold_load){.load = *load, .start = (__u16)start, .back = (__u16)back};
	return start;
}

static void emit_cold_load(struct loader *l, const struct cold_load *cold)
{
	const struct load *load = &cold->load;

	emit_label(l->emitter, cold->start);
	if (load->indexed) {
		emit_jump_imm(l->emitter, BPF_JMP | BPF_JGT, INDEX, MAX_OFFSET, EMIT_REJECT);
		emit_reg(l->emitter, BPF_ALU64 | BPF_MOV, BPF_REG_2, INDEX);
	} else {
		emit_imm(l->emitter, BPF_ALU | BPF_MOV, BPF_REG_2, load->offset);
	}
	emit_helper(l, FILTER_BUFFER, load->bytes);
	emit_jump_imm(l->emitter, BPF_JMP | BPF_JNE, BPF_REG_0, 0, EMIT_REJECT);
	emit_ldx(l->emitter, size_of(load), load->to, BPF_REG_10, FILTER_BUFFER);
	emit_goto(l->emitter, cold->back);
}

/*
 * The pointers are fetched for each load, not kept: a kept one would carry what is known of the frame's
 * length from load to load, and the verifier would have to follow every combination of it.
 */
static void emit_pointers(struct loader *l)
{
	emit_ldx(l->emitter, BPF_W, BPF_REG_1, FILTER_CTX, context_data(l));
	emit_ldx(l->emitter, BPF_W, BPF_REG_2, FILTER_CTX, context_data_end(l));
}

/* R1 + @ahead must not pass the end of the linear part. */
static void emit_bound(struct loader *l, __u32 ahead, size_t cold)
{
	emit_reg(l->emitter, BPF_ALU64 | BPF_MOV, BPF_REG_3, BPF_REG_1);
	emit_imm(l->emitter, BPF_ALU64 | BPF_ADD, BPF_REG_3, ahead);
	emit_jump_reg(l->emitter, BPF_JMP | BPF_JGT, BPF_REG_3, BPF_REG_2, cold);
}

/* @load->offset is where the bytes lie, not where they are on the wire. */
static void emit_load_fixed(struct loader *l, const struct load *load)
{
	size_t back = emit_new_labels(l->emitter, 1), cold = add_cold(l, load, back);

	if (load->offset + load->bytes > MAX_DIRECT) {
		emit_goto(l->emitter, cold);
	} else {
		emit_pointers(l);
		emit_bound(l, load->offset + load->bytes, cold);
		emit_ldx(l->emitter, size_of(load), load->to, BPF_REG_1, (int)load->offset);
	}
	emit_label(l->emitter, back);
	emit_host_order(l, load);
}

/* The same for an offset in INDEX. */
static void emit_load_index(struct loader *l, const struct load *load)
{
	size_t back = emit_new_labels(l->emitter, 1), cold = add_cold(l, load, back);

	emit_jump_imm(l->emitter, BPF_JMP | BPF_JGT, INDEX, MAX_DIRECT, cold);
	emit_pointers(l);
	emit_reg(l->emitter, BPF_ALU64 | BPF_ADD, BPF_REG_1, INDEX);
	emit_bound(l, load->bytes, cold);
	emit_ldx(l->emitter, size_of(load), load->to, BPF_REG_1, 0);
	emit_label(l->emitter, back);
	emit_host_order(l, load);
}

/* Byte by byte: on the stack only aligned words may be read at once. @base + @off is where they lie. */
static void emit_compose(struct loader *l, const struct load *load, __u8 base, int off)
{
	emit_ldx(l->emitter, BPF_B, load->to, base, off);
	for (int i = 1; i < load->bytes; i++) {
		emit_imm(l->emitter, BPF_ALU | BPF_LSH, load->to, 8);
		emit_ldx(l->emitter, BPF_B, BPF_REG_2, base, off + i);
		emit_reg(l->emitter, BPF_ALU | BPF_OR, load->to, BPF_REG_2);
	}
}

/* --- loads from a frame whose outermost tag lies beside it --- */

static void emit_tagged_fixed(struct loader *l, struct load load)
{
	__u32 end = load.offset + load.bytes;

	if (end <= TAG_START) {
		emit_load_fixed(l, &load);
	} else if (load.offset >= TAG_END) {
		load.offset -= TAG_BYTES;
		emit_load_fixed(l, &load);
	} else {
		emit_ldx(l->emitter, BPF_W, BPF_REG_1, FILTER_CTX, offsetof(struct __sk_buff, len));
		emit_jump_imm(l->emitter, BPF_JMP | BPF_JLT, BPF_REG_1, end - TAG_BYTES, EMIT_REJECT);
		emit_compose(l, &load, BPF_REG_10, FILTER_WINDOW - WINDOW_START + (int)load.offset);
	}
}

static void emit_tagged_index(struct loader *l, const struct load *load)
{
	size_t before = emit_new_labels(l->emitter, 3), behind = before + 1, done = before + 2;

	emit_jump_imm(l->emitter, BPF_JMP | BPF_JLE, INDEX, TAG_START - load->bytes, before);
	emit_jump_imm(l->emitter, BPF_JMP | BPF_JGE, INDEX, TAG_END, behind);
	emit_ldx(l->emitter, BPF_W, BPF_REG_1, FILTER_CTX, offsetof(struct __sk_buff, len));
	emit_imm(l->emitter, BPF_ALU64 | BPF_ADD, BPF_REG_1, TAG_BYTES - load->bytes);
	emit_jump_reg(l->emitter, BPF_JMP | BPF_JGT, INDEX, BPF_REG_1, EMIT_REJECT);
	emit_reg(l->emitter, BPF_ALU64 | BPF_MOV, BPF_REG_1, BPF_REG_10);
	emit_imm(l->emitter, BPF_ALU64 | BPF_ADD, BPF_REG_1, (__u32)(FILTER_WINDOW - WINDOW_START));
	emit_reg(l->emitter, BPF_ALU64 | BPF_ADD, BPF_REG_1, INDEX);
	emit_compose(l, load, BPF_REG_1, 0);
	emit_goto(l->emitter, done);
	emit_label(l->emitter, behind);
	emit_imm(l->emitter, BPF_ALU64 | BPF_SUB, INDEX, TAG_BYTES);
	emit_label(l->emitter, before);
	emit_load_index(l, load);
	emit_label(l->emitter, done);
}

static void emit_window_bytes(struct loader *l, __u32 offset, __u32 bytes, int to)
{
	emit_imm(l->emitter, BPF_ALU | BPF_MOV, BPF_REG_2, offset);
	emit_helper(l, to, bytes);
}

/* What lies behind the end of the frame is never read; but a short frame must not lose what it has. */
void load_window(struct loader *l)
{
	size_t ready = emit_new_labels(l->emitter, 1);

	emit_window_bytes(l, WINDOW_START, TAG_START - WINDOW_START, FILTER_WINDOW);
	/* vlan_proto has the order of the wire, vlan_tci that of the host. */
	emit_ldx(l->emitter, BPF_W, BPF_REG_1, FILTER_CTX, offsetof(struct __sk_buff, vlan_proto));
	emit_stx(l->emitter, BPF_H, BPF_REG_1, FILTER_WINDOW + 4);
	emit_ldx(l->emitter, BPF_W, BPF_REG_1, FILTER_CTX, offsetof(struct __sk_buff, vlan_tci));
	emit_be(l->emitter, BPF_REG_1, 16);
	emit_stx(l->emitter, BPF_H, BPF_REG_1, FILTER_WINDOW + 6);
	for (__u32 bytes = 4; bytes > 0; bytes--) {
		emit_window_bytes(l, TAG_START, bytes, FILTER_WINDOW + 8);
		emit_jump_imm(l->emitter, BPF_JMP | BPF_JEQ, BPF_REG_0, 0, ready);
	}
	emit_label(l->emitter, ready);
}

bool load_is_hopeless(const struct loader *l, __u32 offset)
{
	return offset > (l->hook == FILTER_XDP_LINEAR ? MAX_DIRECT - 4 : MAX_OFFSET - TAG_END);
}

void load_packet(struct loader *l, const struct load *load)
{
	if (load->indexed) {
		emit_reg(l->emitter, BPF_ALU64 | BPF_MOV, INDEX, FILTER_X);
		emit_imm(l->emitter, BPF_ALU64 | BPF_ADD, INDEX, load->offset);
	}
	if (load->indexed && l->tagged)
		emit_tagged_index(l, load);
	else if (load->indexed)
		emit_load_index(l, load);
	else if (l->tagged)
		emit_tagged_fixed(l, *load);
	else
		emit_load_fixed(l, load);
}

void load_length(struct loader *l, __u8 to)
{
	switch (l->hook) {
	case FILTER_XDP:
		emit_reg(l->emitter, BPF_ALU64 | BPF_MOV, BPF_REG_1, FILTER_CTX);
		emit_call(l->emitter, BPF_FUNC_xdp_get_buff_len);
		emit_reg(l->emitter, BPF_ALU | BPF_MOV, to, BPF_REG_0);
		break;
	case FILTER_XDP_LINEAR:
		emit_pointers(l);
		emit_reg(l->emitter, BPF_ALU64 | BPF_MOV, to, BPF_REG_2);
		emit_reg(l->emitter, BPF_ALU64 | BPF_SUB, to, BPF_REG_1);
		break;
	case FILTER_TC:
		emit_ldx(l->emitter, BPF_W, to, FILTER_CTX, offsetof(struct __sk_buff, len));
		if (l->tagged)
			emit_imm(l->emitter, BPF_ALU | BPF_ADD, to, TAG_BYTES);
		break;
	}
}

void load_cold(struct loader *l)
{
	for (size_t i = 0; i < l->colds && !l->emitter->err; i++)
		emit_cold_load(l, &l->cold[i]);
	l->colds = 0;
}
