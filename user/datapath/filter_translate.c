// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machine of classic BPF in eBPF: A and X are 32-bit operations on two registers that survive calls, M[] lies on the
 * stack, and a load looks into the linear part of the frame, else asks the kernel's helper, else rejects the frame.
 *
 * At tc the outermost VLAN tag lies beside the frame, and the wire is not what the skb holds:
 *
 *   offset on the wire   0 .. 11        12 .. 15   16 ..
 *   lies in              skb, 0 .. 11   the tag    skb, 12 ..
 *
 * So the program is there twice: as it is for frames without such a tag, and with every offset behind the tag moved for
 * those with one. Loads that touch the tag read a window of twelve bytes of the wire, put together on the stack.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/filter_translate.h"

#define CTX   BPF_REG_6
#define REG_A BPF_REG_7
#define REG_X BPF_REG_8
#define INDEX BPF_REG_5 /* the offset of an indexed load; until the next call */

/* The stack, from the frame pointer. */
#define BUFFER  (-4)  /* what the helper loads */
#define WINDOW  (-16) /* the wire from WINDOW_START on */
#define SCRATCH (-80) /* M[0] to M[BPF_MEMWORDS - 1] */

#define TAG_START    12
#define TAG_BYTES    4
#define TAG_END      (TAG_START + TAG_BYTES)
#define WINDOW_START (TAG_START - 4) /* a load of 4 bytes that touches the tag lies in these twelve */

#define MAX_OFFSET 0x7fffffff                      /* the helpers'; no frame is so long */
#define MAX_DIRECT 0x7fff                          /* the end of what is read directly: an instruction's offset */
#define MAX_LABELS (2 * BPF_MAXINSNS + FILTER_MAX_INSNS)

struct jump {
	__u16 at; /* the eBPF instruction */
	__u16 to; /* the label */
};

struct load {
	__u8 to;    /* register */
	__u8 bytes; /* 1, 2, 4 */
	bool indexed;
	__u32 offset; /* on the wire; indexed: X is added */
};

/* The part of a load that few frames need; it stands behind the code that all need. */
struct cold {
	struct load load; /* its offset is the skb's, indexed: it is in INDEX */
	__u16 start, back; /* labels */
};

struct translation {
	const struct sock_filter *classic;
	size_t count;
	enum filter_hook hook;
	bool reachable[BPF_MAXINSNS];
	int err;

	struct bpf_insn insn[FILTER_MAX_INSNS];
	size_t insns;
	struct jump jump[FILTER_MAX_INSNS];
	size_t jumps;
	struct cold cold[FILTER_MAX_INSNS];
	size_t colds;
	__u16 place[MAX_LABELS]; /* label -> eBPF instruction */
	size_t labels;

	/* Of the copy at hand. */
	bool tagged;
	size_t first_label; /* of its first classic instruction; those of the others follow */
};

#define REJECT 0 /* the label where the frame does not match */

/* --- writing eBPF --- */

static void emit(struct translation *t, struct bpf_insn insn)
{
	if (t->insns == FILTER_MAX_INSNS)
		t->err = -E2BIG;
	else
		t->insn[t->insns++] = insn;
}

static void emit_imm(struct translation *t, __u8 code, __u8 dst, __u32 imm)
{
	emit(t, (struct bpf_insn){.code = code | BPF_K, .dst_reg = dst, .imm = (__s32)imm});
}

static void emit_reg(struct translation *t, __u8 code, __u8 dst, __u8 src)
{
	emit(t, (struct bpf_insn){.code = code | BPF_X, .dst_reg = dst, .src_reg = src});
}

static void emit_ldx(struct translation *t, __u8 size, __u8 dst, __u8 base, int off)
{
	emit(t, (struct bpf_insn){
			.code = BPF_LDX | BPF_MEM | size, .dst_reg = dst, .src_reg = base, .off = (__s16)off});
}

static void emit_stx(struct translation *t, __u8 size, __u8 src, int off)
{
	emit(t, (struct bpf_insn){.code = BPF_STX | BPF_MEM | size,
				  .dst_reg = BPF_REG_10,
				  .src_reg = src,
				  .off = (__s16)off});
}

static void emit_call(struct translation *t, enum bpf_func_id helper)
{
	emit(t, (struct bpf_insn){.code = BPF_JMP | BPF_CALL, .imm = (__s32)helper});
}

/* From the wire's order to the host's, or back. */
static void emit_be(struct translation *t, __u8 reg, int bits)
{
	emit(t, (struct bpf_insn){.code = BPF_ALU | BPF_END | BPF_TO_BE, .dst_reg = reg, .imm = bits});
}

static void emit_exit(struct translation *t)
{
	emit(t, (struct bpf_insn){.code = BPF_JMP | BPF_EXIT});
}

static size_t new_labels(struct translation *t, size_t count)
{
	size_t first = t->labels;

	if (count > MAX_LABELS - first) {
		t->err = -E2BIG;
		return REJECT;
	}
	t->labels += count;
	return first;
}

static void set_label(struct translation *t, size_t label)
{
	t->place[label] = (__u16)t->insns;
}

static void emit_jump(struct translation *t, struct bpf_insn insn, size_t label)
{
	if (t->insns < FILTER_MAX_INSNS) /* and there are not more jumps than instructions */
		t->jump[t->jumps++] = (struct jump){.at = (__u16)t->insns, .to = (__u16)label};
	emit(t, insn);
}

static void emit_goto(struct translation *t, size_t label)
{
	emit_jump(t, (struct bpf_insn){.code = BPF_JMP | BPF_JA}, label);
}

static void emit_jump_imm(struct translation *t, __u8 code, __u8 reg, __u32 imm, size_t label)
{
	emit_jump(t, (struct bpf_insn){.code = code | BPF_K, .dst_reg = reg, .imm = (__s32)imm}, label);
}

static void emit_jump_reg(struct translation *t, __u8 code, __u8 left, __u8 right, size_t label)
{
	emit_jump(t, (struct bpf_insn){.code = code | BPF_X, .dst_reg = left, .src_reg = right}, label);
}

/* --- loads --- */

static int context_data(const struct translation *t)
{
	return t->hook == FILTER_TC ? offsetof(struct __sk_buff, data) : offsetof(struct xdp_md, data);
}

static int context_data_end(const struct translation *t)
{
	return t->hook == FILTER_TC ? offsetof(struct __sk_buff, data_end) : offsetof(struct xdp_md, data_end);
}

static __u8 size_of(const struct load *load)
{
	return load->bytes == 4 ? BPF_W : load->bytes == 2 ? BPF_H : BPF_B;
}

static void emit_host_order(struct translation *t, const struct load *load)
{
	if (load->bytes > 1)
		emit_be(t, load->to, 8 * load->bytes);
}

/* R2 is the offset: @bytes from there to the stack; not 0 in R0 if the frame has not so many. */
static void emit_helper(struct translation *t, int to, __u32 bytes)
{
	emit_reg(t, BPF_ALU64 | BPF_MOV, BPF_REG_1, CTX);
	emit_reg(t, BPF_ALU64 | BPF_MOV, BPF_REG_3, BPF_REG_10);
	emit_imm(t, BPF_ALU64 | BPF_ADD, BPF_REG_3, (__u32)to);
	emit_imm(t, BPF_ALU | BPF_MOV, BPF_REG_4, bytes);
	emit_call(t, t->hook == FILTER_TC ? BPF_FUNC_skb_load_bytes : BPF_FUNC_xdp_load_bytes);
}

/* The label of the load's cold part. */
static size_t add_cold(struct translation *t, const struct load *load, size_t back)
{
	size_t start;

	if (t->hook == FILTER_XDP_LINEAR)
		return REJECT;
	start = new_labels(t, 1);
	if (t->colds < FILTER_MAX_INSNS)
		t->cold[t->colds++] =
			(struct cold){.load = *load, .start = (__u16)start, .back = (__u16)back};
	return start;
}

static void emit_cold(struct translation *t, const struct cold *cold)
{
	const struct load *load = &cold->load;

	set_label(t, cold->start);
	if (load->indexed) {
		emit_jump_imm(t, BPF_JMP | BPF_JGT, INDEX, MAX_OFFSET, REJECT);
		emit_reg(t, BPF_ALU64 | BPF_MOV, BPF_REG_2, INDEX);
	} else {
		emit_imm(t, BPF_ALU | BPF_MOV, BPF_REG_2, load->offset);
	}
	emit_helper(t, BUFFER, load->bytes);
	emit_jump_imm(t, BPF_JMP | BPF_JNE, BPF_REG_0, 0, REJECT);
	emit_ldx(t, size_of(load), load->to, BPF_REG_10, BUFFER);
	emit_goto(t, cold->back);
}

/*
 * The pointers are fetched for each load, not kept: a kept one would carry what is known of the frame's length from load
 * to load, and the verifier would have to follow every combination of it.
 */
static void emit_pointers(struct translation *t)
{
	emit_ldx(t, BPF_W, BPF_REG_1, CTX, context_data(t));
	emit_ldx(t, BPF_W, BPF_REG_2, CTX, context_data_end(t));
}

/* R1 + @ahead must not pass the end of the linear part. */
static void emit_bound(struct translation *t, __u32 ahead, size_t cold)
{
	emit_reg(t, BPF_ALU64 | BPF_MOV, BPF_REG_3, BPF_REG_1);
	emit_imm(t, BPF_ALU64 | BPF_ADD, BPF_REG_3, ahead);
	emit_jump_reg(t, BPF_JMP | BPF_JGT, BPF_REG_3, BPF_REG_2, cold);
}

/* @load->offset is where the bytes lie, not where they are on the wire. */
static void emit_load_fixed(struct translation *t, const struct load *load)
{
	size_t back = new_labels(t, 1), cold = add_cold(t, load, back);

	if (load->offset + load->bytes > MAX_DIRECT) {
		emit_goto(t, cold);
	} else {
		emit_pointers(t);
		emit_bound(t, load->offset + load->bytes, cold);
		emit_ldx(t, size_of(load), load->to, BPF_REG_1, (int)load->offset);
	}
	set_label(t, back);
	emit_host_order(t, load);
}

/* The same for an offset in INDEX. */
static void emit_load_index(struct translation *t, const struct load *load)
{
	size_t back = new_labels(t, 1), cold = add_cold(t, load, back);

	emit_jump_imm(t, BPF_JMP | BPF_JGT, INDEX, MAX_DIRECT, cold);
	emit_pointers(t);
	emit_reg(t, BPF_ALU64 | BPF_ADD, BPF_REG_1, INDEX);
	emit_bound(t, load->bytes, cold);
	emit_ldx(t, size_of(load), load->to, BPF_REG_1, 0);
	set_label(t, back);
	emit_host_order(t, load);
}

/* Byte by byte: on the stack only aligned words may be read at once. @base + @off is where they lie. */
static void emit_compose(struct translation *t, const struct load *load, __u8 base, int off)
{
	emit_ldx(t, BPF_B, load->to, base, off);
	for (int i = 1; i < load->bytes; i++) {
		emit_imm(t, BPF_ALU | BPF_LSH, load->to, 8);
		emit_ldx(t, BPF_B, BPF_REG_2, base, off + i);
		emit_reg(t, BPF_ALU | BPF_OR, load->to, BPF_REG_2);
	}
}

/* --- loads from a frame whose outermost tag lies beside it --- */

static void emit_tagged_fixed(struct translation *t, struct load load)
{
	__u32 end = load.offset + load.bytes;

	if (end <= TAG_START) {
		emit_load_fixed(t, &load);
	} else if (load.offset >= TAG_END) {
		load.offset -= TAG_BYTES;
		emit_load_fixed(t, &load);
	} else {
		emit_ldx(t, BPF_W, BPF_REG_1, CTX, offsetof(struct __sk_buff, len));
		emit_jump_imm(t, BPF_JMP | BPF_JLT, BPF_REG_1, end - TAG_BYTES, REJECT);
		emit_compose(t, &load, BPF_REG_10, WINDOW - WINDOW_START + (int)load.offset);
	}
}

static void emit_tagged_index(struct translation *t, const struct load *load)
{
	size_t before = new_labels(t, 3), behind = before + 1, done = before + 2;

	emit_jump_imm(t, BPF_JMP | BPF_JLE, INDEX, TAG_START - load->bytes, before);
	emit_jump_imm(t, BPF_JMP | BPF_JGE, INDEX, TAG_END, behind);
	emit_ldx(t, BPF_W, BPF_REG_1, CTX, offsetof(struct __sk_buff, len));
	emit_imm(t, BPF_ALU64 | BPF_ADD, BPF_REG_1, TAG_BYTES - load->bytes);
	emit_jump_reg(t, BPF_JMP | BPF_JGT, INDEX, BPF_REG_1, REJECT);
	emit_reg(t, BPF_ALU64 | BPF_MOV, BPF_REG_1, BPF_REG_10);
	emit_imm(t, BPF_ALU64 | BPF_ADD, BPF_REG_1, (__u32)(WINDOW - WINDOW_START));
	emit_reg(t, BPF_ALU64 | BPF_ADD, BPF_REG_1, INDEX);
	emit_compose(t, load, BPF_REG_1, 0);
	emit_goto(t, done);
	set_label(t, behind);
	emit_imm(t, BPF_ALU64 | BPF_SUB, INDEX, TAG_BYTES);
	set_label(t, before);
	emit_load_index(t, load);
	set_label(t, done);
}

static void emit_window_bytes(struct translation *t, __u32 offset, __u32 bytes, int to)
{
	emit_imm(t, BPF_ALU | BPF_MOV, BPF_REG_2, offset);
	emit_helper(t, to, bytes);
}

/* What of it lies behind the end of the frame is never read; but a shorter frame must not lose what it has. */
static void emit_window(struct translation *t)
{
	size_t ready = new_labels(t, 1);

	emit_window_bytes(t, WINDOW_START, TAG_START - WINDOW_START, WINDOW);
	emit_ldx(t, BPF_W, BPF_REG_1, CTX, offsetof(struct __sk_buff, vlan_proto)); /* as on the wire */
	emit_stx(t, BPF_H, BPF_REG_1, WINDOW + 4);
	emit_ldx(t, BPF_W, BPF_REG_1, CTX, offsetof(struct __sk_buff, vlan_tci));
	emit_be(t, BPF_REG_1, 16);
	emit_stx(t, BPF_H, BPF_REG_1, WINDOW + 6);
	for (__u32 bytes = 4; bytes > 0; bytes--) {
		emit_window_bytes(t, TAG_START, bytes, WINDOW + 8);
		emit_jump_imm(t, BPF_JMP | BPF_JEQ, BPF_REG_0, 0, ready);
	}
	set_label(t, ready);
}

/* --- one classic instruction --- */

static __u8 bytes_of(__u16 code)
{
	return BPF_SIZE(code) == BPF_W ? 4 : BPF_SIZE(code) == BPF_H ? 2 : 1;
}

static bool is_packet_load(const struct sock_filter *classic)
{
	__u16 class = BPF_CLASS(classic->code), mode = BPF_MODE(classic->code);

	return (class == BPF_LD && (mode == BPF_ABS || mode == BPF_IND)) || (class == BPF_LDX && mode == BPF_MSH);
}

/* Its offset alone is beyond the end of any frame. */
static bool is_hopeless(const struct translation *t, const struct sock_filter *classic)
{
	__u32 max = t->hook == FILTER_XDP_LINEAR ? MAX_DIRECT - 4 : MAX_OFFSET - TAG_END;

	return is_packet_load(classic) && classic->k > max;
}

static void emit_load(struct translation *t, const struct load *load)
{
	if (load->indexed) {
		emit_reg(t, BPF_ALU64 | BPF_MOV, INDEX, REG_X);
		emit_imm(t, BPF_ALU64 | BPF_ADD, INDEX, load->offset);
	}
	if (load->indexed && t->tagged)
		emit_tagged_index(t, load);
	else if (load->indexed)
		emit_load_index(t, load);
	else if (t->tagged)
		emit_tagged_fixed(t, *load);
	else
		emit_load_fixed(t, load);
}

static void emit_packet_load(struct translation *t, const struct sock_filter *classic)
{
	bool header_length = BPF_MODE(classic->code) == BPF_MSH;
	struct load load = {
		.to = header_length ? REG_X : REG_A,
		.bytes = bytes_of(classic->code),
		.indexed = BPF_MODE(classic->code) == BPF_IND,
		.offset = classic->k,
	};

	if (is_hopeless(t, classic)) {
		emit_goto(t, REJECT);
		return;
	}
	emit_load(t, &load);
	if (header_length) { /* of an IPv4 header: its low four bits, in words */
		emit_imm(t, BPF_ALU | BPF_AND, REG_X, 0xf);
		emit_imm(t, BPF_ALU | BPF_LSH, REG_X, 2);
	}
}

/* Of the frame on the wire. */
static void emit_length(struct translation *t, __u8 to)
{
	switch (t->hook) {
	case FILTER_XDP:
		emit_reg(t, BPF_ALU64 | BPF_MOV, BPF_REG_1, CTX);
		emit_call(t, BPF_FUNC_xdp_get_buff_len);
		emit_reg(t, BPF_ALU | BPF_MOV, to, BPF_REG_0);
		break;
	case FILTER_XDP_LINEAR:
		emit_pointers(t);
		emit_reg(t, BPF_ALU64 | BPF_MOV, to, BPF_REG_2);
		emit_reg(t, BPF_ALU64 | BPF_SUB, to, BPF_REG_1);
		break;
	case FILTER_TC:
		emit_ldx(t, BPF_W, to, CTX, offsetof(struct __sk_buff, len));
		if (t->tagged)
			emit_imm(t, BPF_ALU | BPF_ADD, to, TAG_BYTES);
		break;
	}
}

static int scratch(__u32 word)
{
	return SCRATCH + 4 * (int)word;
}

static void emit_ld(struct translation *t, const struct sock_filter *classic)
{
	__u8 to = BPF_CLASS(classic->code) == BPF_LD ? REG_A : REG_X;

	switch (BPF_MODE(classic->code)) {
	case BPF_IMM:
		emit_imm(t, BPF_ALU | BPF_MOV, to, classic->k);
		break;
	case BPF_MEM:
		emit_ldx(t, BPF_W, to, BPF_REG_10, scratch(classic->k));
		break;
	case BPF_LEN:
		emit_length(t, to);
		break;
	default:
		emit_packet_load(t, classic);
	}
}

static void emit_alu(struct translation *t, const struct sock_filter *classic)
{
	__u8 op = BPF_OP(classic->code);
	size_t done;

	if (op == BPF_NEG) {
		emit_imm(t, BPF_ALU | op, REG_A, 0);
		return;
	}
	if (BPF_SRC(classic->code) == BPF_K) {
		emit_imm(t, BPF_ALU | op, REG_A, classic->k);
		return;
	}
	if (op == BPF_DIV || op == BPF_MOD)
		emit_jump_imm(t, BPF_JMP32 | BPF_JEQ, REG_X, 0, REJECT);
	emit_reg(t, BPF_ALU | op, REG_A, REG_X);
	if (op != BPF_LSH && op != BPF_RSH)
		return;
	done = new_labels(t, 1);
	emit_jump_imm(t, BPF_JMP32 | BPF_JLT, REG_X, 32, done);
	emit_imm(t, BPF_ALU | BPF_MOV, REG_A, 0);
	set_label(t, done);
}

static void emit_condition(struct translation *t, const struct sock_filter *classic, __u8 op, size_t label)
{
	if (BPF_SRC(classic->code) == BPF_K)
		emit_jump_imm(t, BPF_JMP32 | op, REG_A, classic->k, label);
	else
		emit_jump_reg(t, BPF_JMP32 | op, REG_A, REG_X, label);
}

/* The opposite condition; 0: eBPF has none. */
static __u8 opposite(__u8 op)
{
	switch (op) {
	case BPF_JEQ:
		return BPF_JNE;
	case BPF_JGT:
		return BPF_JLE;
	case BPF_JGE:
		return BPF_JLT;
	default:
		return 0;
	}
}

static void emit_branch(struct translation *t, const struct sock_filter *classic)
{
	size_t next = t->first_label + (size_t)(classic - t->classic) + 1;
	__u8 op = BPF_OP(classic->code), not_op = opposite(op);

	if (op == BPF_JA || classic->jt == classic->jf) {
		__u32 skip = op == BPF_JA ? classic->k : classic->jt;

		if (skip)
			emit_goto(t, next + skip);
	} else if (!classic->jt && not_op) {
		emit_condition(t, classic, not_op, next + classic->jf);
	} else {
		emit_condition(t, classic, op, next + classic->jt);
		if (classic->jf)
			emit_goto(t, next + classic->jf);
	}
}

static void emit_ret(struct translation *t, const struct sock_filter *classic)
{
	if (BPF_RVAL(classic->code) == BPF_A)
		emit_reg(t, BPF_ALU | BPF_MOV, BPF_REG_0, REG_A);
	else
		emit_imm(t, BPF_ALU | BPF_MOV, BPF_REG_0, classic->k);
	emit_exit(t);
}

static void emit_misc(struct translation *t, const struct sock_filter *classic)
{
	if (BPF_MISCOP(classic->code) == BPF_TAX)
		emit_reg(t, BPF_ALU | BPF_MOV, REG_X, REG_A);
	else
		emit_reg(t, BPF_ALU | BPF_MOV, REG_A, REG_X);
}

static void emit_classic(struct translation *t, const struct sock_filter *classic)
{
	switch (BPF_CLASS(classic->code)) {
	case BPF_LD:
	case BPF_LDX:
		emit_ld(t, classic);
		break;
	case BPF_ST:
		emit_stx(t, BPF_W, REG_A, scratch(classic->k));
		break;
	case BPF_STX:
		emit_stx(t, BPF_W, REG_X, scratch(classic->k));
		break;
	case BPF_ALU:
		emit_alu(t, classic);
		break;
	case BPF_JMP:
		emit_branch(t, classic);
		break;
	case BPF_RET:
		emit_ret(t, classic);
		break;
	case BPF_MISC:
		emit_misc(t, classic);
		break;
	}
}

/* --- the whole --- */

static bool is_known_code(__u16 code)
{
	switch (code) {
	case BPF_RET | BPF_K:
	case BPF_RET | BPF_A:
	case BPF_LD | BPF_W | BPF_ABS:
	case BPF_LD | BPF_H | BPF_ABS:
	case BPF_LD | BPF_B | BPF_ABS:
	case BPF_LD | BPF_W | BPF_IND:
	case BPF_LD | BPF_H | BPF_IND:
	case BPF_LD | BPF_B | BPF_IND:
	case BPF_LDX | BPF_B | BPF_MSH:
	case BPF_LD | BPF_W | BPF_LEN:
	case BPF_LDX | BPF_W | BPF_LEN:
	case BPF_LD | BPF_IMM:
	case BPF_LDX | BPF_IMM:
	case BPF_LD | BPF_MEM:
	case BPF_LDX | BPF_MEM:
	case BPF_ST:
	case BPF_STX:
	case BPF_JMP | BPF_JA:
	case BPF_ALU | BPF_NEG:
	case BPF_MISC | BPF_TAX:
	case BPF_MISC | BPF_TXA:
		return true;
	}
	if (BPF_CLASS(code) == BPF_JMP) /* K or X */
		return code == (BPF_JMP | BPF_SRC(code) | BPF_OP(code)) && BPF_OP(code) > BPF_JA &&
		       BPF_OP(code) <= BPF_JSET;
	return code == (BPF_ALU | BPF_SRC(code) | BPF_OP(code)) && BPF_OP(code) != BPF_NEG &&
	       BPF_OP(code) <= BPF_XOR;
}

/* Operands that bpf_validate() refuses. */
static bool is_good_operand(const struct sock_filter *classic)
{
	switch (classic->code) {
	case BPF_ALU | BPF_DIV | BPF_K:
	case BPF_ALU | BPF_MOD | BPF_K:
		return classic->k != 0;
	case BPF_ALU | BPF_LSH | BPF_K: /* by libpcap 1.11, and by the kernel */
	case BPF_ALU | BPF_RSH | BPF_K:
		return classic->k < 32;
	case BPF_LD | BPF_MEM:
	case BPF_LDX | BPF_MEM:
	case BPF_ST:
	case BPF_STX:
		return classic->k < BPF_MEMWORDS;
	default:
		return true;
	}
}

static int check_jump(const struct sock_filter *classic, size_t left)
{
	if (BPF_CLASS(classic->code) != BPF_JMP)
		return 0;
	if (BPF_OP(classic->code) != BPF_JA)
		return classic->jt < left && classic->jf < left ? 0 : -EINVAL;
	if ((__s32)classic->k < 0)
		return -ELOOP;
	return classic->k < left ? 0 : -EINVAL;
}

static int check(const struct sock_filter *classic, size_t count)
{
	int err = 0;

	if (count > BPF_MAXINSNS)
		return -E2BIG;
	if (!count || BPF_CLASS(classic[count - 1].code) != BPF_RET)
		return -EINVAL;
	for (size_t i = 0; i < count && !err; i++) {
		if (!is_known_code(classic[i].code) || !is_good_operand(&classic[i]))
			return -EINVAL;
		err = check_jump(&classic[i], count - i - 1);
	}
	return err;
}

/* The verifier refuses code that nothing leads to. Jumps go forward only: one pass. */
static void find_reachable(struct translation *t)
{
	t->reachable[0] = true;
	for (size_t i = 0; i < t->count; i++) {
		const struct sock_filter *classic = &t->classic[i];

		if (!t->reachable[i] || BPF_CLASS(classic->code) == BPF_RET || is_hopeless(t, classic))
			continue;
		if (BPF_CLASS(classic->code) != BPF_JMP) {
			t->reachable[i + 1] = true;
		} else if (BPF_OP(classic->code) == BPF_JA) {
			t->reachable[i + 1 + classic->k] = true;
		} else {
			t->reachable[i + 1 + classic->jt] = true;
			t->reachable[i + 1 + classic->jf] = true;
		}
	}
}

static void emit_copy(struct translation *t, bool tagged)
{
	t->tagged = tagged;
	t->first_label = new_labels(t, t->count);
	for (size_t i = 0; i < t->count && !t->err; i++) {
		set_label(t, t->first_label + i);
		if (t->reachable[i])
			emit_classic(t, &t->classic[i]);
	}
	for (size_t i = 0; i < t->colds && !t->err; i++)
		emit_cold(t, &t->cold[i]);
	t->colds = 0;
}

/* M[] begins with zeros, as A and X do; words that are only written need none. */
static void emit_start(struct translation *t)
{
	bool cleared[BPF_MEMWORDS] = {false};

	emit_reg(t, BPF_ALU64 | BPF_MOV, CTX, BPF_REG_1);
	emit_imm(t, BPF_ALU | BPF_MOV, REG_A, 0);
	emit_imm(t, BPF_ALU | BPF_MOV, REG_X, 0);
	for (size_t i = 0; i < t->count; i++) {
		const struct sock_filter *classic = &t->classic[i];

		if ((classic->code != (BPF_LD | BPF_MEM) && classic->code != (BPF_LDX | BPF_MEM)) ||
		    cleared[classic->k])
			continue;
		cleared[classic->k] = true;
		emit_stx(t, BPF_W, REG_A, scratch(classic->k));
	}
}

static void emit_reject(struct translation *t)
{
	bool used = false;

	for (size_t i = 0; i < t->jumps; i++)
		used = used || t->jump[i].to == REJECT;
	if (!used)
		return;
	set_label(t, REJECT);
	emit_imm(t, BPF_ALU | BPF_MOV, BPF_REG_0, 0);
	emit_exit(t);
}

static void translate(struct translation *t)
{
	size_t tagged;

	new_labels(t, 1); /* REJECT */
	find_reachable(t);
	emit_start(t);
	if (t->hook == FILTER_TC) {
		tagged = new_labels(t, 1);
		emit_ldx(t, BPF_W, BPF_REG_1, CTX, offsetof(struct __sk_buff, vlan_present));
		emit_jump_imm(t, BPF_JMP | BPF_JNE, BPF_REG_1, 0, tagged);
		emit_copy(t, false);
		set_label(t, tagged);
		emit_window(t);
	}
	emit_copy(t, t->hook == FILTER_TC);
	emit_reject(t);
	for (size_t i = 0; i < t->jumps; i++)
		t->insn[t->jump[i].at].off = (__s16)(t->place[t->jump[i].to] - t->jump[i].at - 1);
}

int filter_translate(struct bpf_insn **insn, size_t *insns, const struct sock_filter *classic, size_t count,
		     enum filter_hook hook)
{
	int err = check(classic, count);
	struct translation *t;

	if (err)
		return err;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->classic = classic;
	t->count = count;
	t->hook = hook;
	translate(t);
	err = t->err;
	*insn = err ? NULL : malloc(t->insns * sizeof(**insn));
	if (!err && !*insn)
		err = -ENOMEM;
	if (!err) {
		memcpy(*insn, t->insn, t->insns * sizeof(**insn));
		*insns = t->insns;
	}
	free(t);
	return err;
}
