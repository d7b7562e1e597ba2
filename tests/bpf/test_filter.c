// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a translated filter says, run in the kernel by BPF_PROG_TEST_RUN, against libpcap's own interpreter:
 * the same number for each frame, at XDP, at tc, and at tc with the outermost VLAN tag beside the frame.
 */
#include "filter_corpus.h"
#include "fixture.h"

#include "datapath/filter.h"
#include "datapath/filter_translate.h"

/* libpcap's, by the names of linux/filter.h: its struct bpf_insn has the name of eBPF's. */
unsigned int bpf_filter(const struct sock_filter *program, const unsigned char *frame,
			unsigned int wire_bytes, unsigned int captured_bytes);
int bpf_validate(const struct sock_filter *program, int count);

#define FRAMES       1500
#define LONG_BYTES   9000 /* more than a page: multi-buffer at XDP */
#define LONGS        8
#define ETH_BYTES    14 /* BPF_PROG_TEST_RUN takes no shorter frame */
#define PADDED_BYTES 60
#define TAG_OFFSET   12
#define TAG_BYTES    4

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static struct frame frames[FRAMES]; /* 14 bytes or more */
static struct {
	__u8 byte[LONG_BYTES];
	__u32 bytes;
} longs[LONGS];

/* --- chance, the same in every run --- */

static __u64 dice = 1;

static __u32 random_below(__u32 limit)
{
	dice ^= dice << 13; /* Marsaglia's xorshift64 */
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return (__u32)(dice >> 32) % limit;
}

/* A byte that matters: an EtherType's half, a protocol, a length, a port's half; or any. */
static __u8 random_byte(void)
{
	static const __u8 known[] = {0x00, 0x01, 0x02, 0x06, 0x08, 0x11, 0x2c, 0x40, 0x45, 0x4f, 0x60,
				     0x81, 0x86, 0x88, 0xa8, 0xdd, 0xbb, 0x50, 0x35, 0xff, 0x64, 0x47};
	__u32 index = random_below(2 * LENGTH(known));

	return index < LENGTH(known) ? known[index] : (__u8)random_below(256);
}

static void mutate(struct frame *frame)
{
	for (__u32 changes = random_below(4); changes > 0; changes--)
		frame->byte[random_below(frame->bytes)] = random_byte();
	if (random_below(3) == 0)
		frame->bytes = ETH_BYTES + random_below(frame->bytes - ETH_BYTES + 1);
	if (random_below(3) == 0)
		for (__u32 more = random_below(60); more > 0; more--)
			frame->byte[frame->bytes++] = random_byte();
}

/* Each as it is, then cut at each length from 14 on, then with random changes. */
static int make_frames(void **state)
{
	size_t count = 0;

	(void)state;
	for (size_t i = 0; i < LENGTH(frame_texts); i++) {
		frames[count++] = frame_of(frame_texts[i]);
		assert_true(frames[count - 1].bytes >= ETH_BYTES);
	}
	for (size_t i = 0; i < 2; i++) {
		for (__u32 bytes = ETH_BYTES; bytes < frames[10 * i].bytes; bytes++, count++) {
			frames[count] = frames[10 * i];
			frames[count].bytes = bytes;
		}
	}
	assert_true(count < FRAMES / 2);
	for (; count < FRAMES; count++) {
		frames[count] = frames[random_below(LENGTH(frame_texts))];
		mutate(&frames[count]);
	}
	for (size_t i = 0; i < LONGS; i++) {
		longs[i].bytes = i ? 2000 + random_below(LONG_BYTES - 2000 + 1) : LONG_BYTES;
		for (__u32 at = 0; at < longs[i].bytes; at++)
			longs[i].byte[at] = (__u8)random_below(256);
		memcpy(longs[i].byte, frames[i].byte, 14);
	}
	return 0;
}

/* --- one program at one hook --- */

struct program {
	const char *name;
	const struct sock_filter *classic;
	size_t count;
	enum filter_hook hook;
	__u32 tag; /* beside the frame, as on the wire; 0: none */
	int fd;
};

static void say_log(const char *log)
{
	size_t bytes = strlen(log);

	print_error("%s\n", bytes > 2000 ? log + bytes - 2000 : log);
}

#define NO_RESULT 0xdead0000 /* no filter says so */

/*
 * In front of the filter at tc: BPF_PROG_TEST_RUN takes no frame that ends inside its IP header, so the frame
 * comes padded and is cut to the length in the skb's mark; and it alone can put a VLAN tag beside the frame.
 */
static size_t make_skb(struct bpf_insn *insn, __u32 tag)
{
#define MOV_REG(dst, src)                                                                                    \
	{                                                                                                    \
		.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = dst, .src_reg = src                          \
	}
#define MOV_IMM(dst, value)                                                                                  \
	{                                                                                                    \
		.code = BPF_ALU | BPF_MOV | BPF_K, .dst_reg = dst, .imm = (__s32)(value)                     \
	}
#define CALL(helper)                                                                                         \
	{                                                                                                    \
		.code = BPF_JMP | BPF_CALL, .imm = helper                                                    \
	}
#define JUMP(opcode, distance)                                                                               \
	{                                                                                                    \
		.code = BPF_JMP | (opcode), .off = distance                                                  \
	}
	const struct bpf_insn make[] = {
		MOV_REG(BPF_REG_6, BPF_REG_1),
		{.code = BPF_LDX | BPF_MEM | BPF_W,
		 .dst_reg = BPF_REG_2,
		 .src_reg = BPF_REG_1,
		 .off = offsetof(struct __sk_buff, mark)},
		MOV_IMM(BPF_REG_3, 0),
		CALL(BPF_FUNC_skb_change_tail),
		JUMP(BPF_JNE, 6), /* R0 != 0: it did not work */
		MOV_REG(BPF_REG_1, BPF_REG_6),
		MOV_IMM(BPF_REG_2, TO_BE16(tag >> 16)),
		MOV_IMM(BPF_REG_3, tag & 0xffff),
		CALL(BPF_FUNC_skb_vlan_push),
		JUMP(BPF_JNE, 1),
		JUMP(BPF_JA, 2),
		MOV_IMM(BPF_REG_0, NO_RESULT),
		JUMP(BPF_EXIT, 0),
		MOV_REG(BPF_REG_1, BPF_REG_6),
	};
	struct bpf_insn *push = &insn[8];

	memcpy(insn, make, sizeof(make));
	if (!tag)
		*push = (struct bpf_insn)MOV_IMM(BPF_REG_0, 0);
	return LENGTH(make);
}

static void program_load(struct program *program)
{
	static struct bpf_insn insn[FILTER_MAX_INSNS + 8];
	static char log[1 << 20];
	LIBBPF_OPTS(bpf_prog_load_opts, options, .log_buf = log, .log_size = sizeof(log), .log_level = 0);
	size_t insns = 0, body_insns;
	struct bpf_insn *body;
	enum bpf_prog_type type = program->hook == FILTER_TC ? BPF_PROG_TYPE_SCHED_CLS : BPF_PROG_TYPE_XDP;
	int err = filter_translate(&body, &body_insns, program->classic, program->count, program->hook);

	if (err)
		fail_msg("%s: not translated: %s", program->name, strerror(-err));
	if (program->hook == FILTER_TC)
		insns = make_skb(insn, program->tag);
	memcpy(insn + insns, body, body_insns * sizeof(*insn));
	insns += body_insns;
	free(body);
	if (program->hook == FILTER_XDP)
		options.prog_flags = BPF_F_XDP_HAS_FRAGS;
	program->fd = bpf_prog_load(type, "filter", "GPL", insn, insns, &options);
	if (program->fd >= 0)
		return;
	options.log_level = 1;
	bpf_prog_load(type, "filter", "GPL", insn, insns, &options);
	say_log(log);
	fail_msg("%s: not loaded: %s", program->name, strerror(-program->fd));
}

static __u32 wire_of(__u8 *wire, const __u8 *frame, __u32 bytes, __u32 tag)
{
	__be32 tag_be = TO_BE32(tag);

	if (!tag) {
		memcpy(wire, frame, bytes);
		return bytes;
	}
	memcpy(wire, frame, TAG_OFFSET);
	memcpy(wire + TAG_OFFSET, &tag_be, TAG_BYTES);
	memcpy(wire + TAG_OFFSET + TAG_BYTES, frame + TAG_OFFSET, bytes - TAG_OFFSET);
	return bytes + TAG_BYTES;
}

/* Return: the number that the program gives, for @bytes of @frame; behind them zeros follow. */
static __u32 run(const struct program *program, const __u8 *frame, __u32 bytes)
{
	struct __sk_buff skb = {.mark = bytes};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = bytes, .repeat = 1);
	int err;

	if (program->hook == FILTER_TC) {
		options.data_size_in = bytes < PADDED_BYTES ? PADDED_BYTES : bytes;
		options.ctx_in = &skb;
		options.ctx_size_in = sizeof(skb);
	}
	err = bpf_prog_test_run_opts(program->fd, &options);
	if (err || options.retval == NO_RESULT)
		fail_msg("%s: %u bytes: did not run: %s", program->name, bytes, strerror(-err));
	return options.retval;
}

/* Whether the program is right about this frame; *matched counts those that should match. */
static bool agrees(const struct program *program, const __u8 *frame, __u32 bytes, __u32 *matched)
{
	static __u8 wire[LONG_BYTES + TAG_BYTES];
	__u32 wire_bytes = wire_of(wire, frame, bytes, program->tag), is = run(program, frame, bytes);
	__u32 should = bpf_filter(program->classic, wire, wire_bytes, wire_bytes);

	*matched += should != 0;
	if (is == should)
		return true;
	print_error("%s: hook %d, tag %x: %u, should be %u:", program->name, program->hook, program->tag, is,
		    should);
	for (__u32 i = 0; i < wire_bytes && i < 200; i++)
		print_error(" %02x", wire[i]);
	print_error("\n");
	return false;
}

/* --- the tests --- */

#define ENOUGH 3 /* wrong frames of one program, to be shown */

/* How many of @count frames a program is wrong about; *matched counts those that should match. */
static __u32 wrong_of(struct program *program, size_t first, size_t count, __u32 *matched)
{
	__u32 wrong = 0;

	program_load(program);
	for (size_t i = first; i < first + count && wrong < ENOUGH; i++)
		wrong += !agrees(program, frames[i].byte, frames[i].bytes, matched);
	/* No frame is so long but at XDP. */
	for (size_t i = 0; i < LONGS && program->hook == FILTER_XDP && wrong < ENOUGH; i++)
		wrong += !agrees(program, longs[i].byte, longs[i].bytes, matched);
	close(program->fd);
	return wrong;
}

/* Some frames must match and some must not, or nothing is tested. */
static void every_expression(enum filter_hook hook, __u32 tag)
{
	__u32 wrong = 0;

	for (size_t i = 0; i < LENGTH(expressions); i++) {
		struct program program = {.name = expressions[i], .hook = hook, .tag = tag};
		struct filter_error error;
		struct filter *filter;
		__u32 matched = 0;

		if (filter_compile(&filter, expressions[i], &error))
			fail_msg("%s: %s", expressions[i], error.text);
		program.classic = filter_classic(filter, &program.count);
		wrong += wrong_of(&program, 0, FRAMES, &matched);
		if (hook == FILTER_XDP && (!matched || matched == FRAMES + LONGS))
			fail_msg("%s: %u frames match", expressions[i], matched);
		filter_free(filter);
	}
	assert_int_equal(wrong, 0);
}

static void expressions_at_xdp(void **state)
{
	(void)state;
	every_expression(FILTER_XDP, 0);
}

static void expressions_at_xdp_without_frags(void **state)
{
	(void)state;
	every_expression(FILTER_XDP_LINEAR, 0);
}

static void expressions_at_tc(void **state)
{
	(void)state;
	every_expression(FILTER_TC, 0);
}

static void expressions_at_tc_with_a_tag(void **state)
{
	(void)state;
	every_expression(FILTER_TC, 0x81000064);
}

/* --- programs that no expression gives --- */

#define RANDOM_PROGRAMS 400
#define RANDOM_FRAMES   60
#define RANDOM_INSNS    40

static const __u16 codes[] = {
	BPF_LD | BPF_W | BPF_ABS,
	BPF_LD | BPF_H | BPF_ABS,
	BPF_LD | BPF_B | BPF_ABS,
	BPF_LD | BPF_W | BPF_IND,
	BPF_LD | BPF_H | BPF_IND,
	BPF_LD | BPF_B | BPF_IND,
	BPF_LDX | BPF_B | BPF_MSH,
	BPF_LD | BPF_W | BPF_LEN,
	BPF_LDX | BPF_W | BPF_LEN,
	BPF_LD | BPF_IMM,
	BPF_LDX | BPF_IMM,
	BPF_LD | BPF_MEM,
	BPF_LDX | BPF_MEM,
	BPF_ST,
	BPF_STX,
	BPF_ALU | BPF_ADD | BPF_K,
	BPF_ALU | BPF_SUB | BPF_K,
	BPF_ALU | BPF_MUL | BPF_K,
	BPF_ALU | BPF_DIV | BPF_K,
	BPF_ALU | BPF_MOD | BPF_K,
	BPF_ALU | BPF_AND | BPF_K,
	BPF_ALU | BPF_OR | BPF_K,
	BPF_ALU | BPF_XOR | BPF_K,
	BPF_ALU | BPF_LSH | BPF_K,
	BPF_ALU | BPF_RSH | BPF_K,
	BPF_ALU | BPF_ADD | BPF_X,
	BPF_ALU | BPF_SUB | BPF_X,
	BPF_ALU | BPF_MUL | BPF_X,
	BPF_ALU | BPF_DIV | BPF_X,
	BPF_ALU | BPF_MOD | BPF_X,
	BPF_ALU | BPF_AND | BPF_X,
	BPF_ALU | BPF_OR | BPF_X,
	BPF_ALU | BPF_XOR | BPF_X,
	BPF_ALU | BPF_LSH | BPF_X,
	BPF_ALU | BPF_RSH | BPF_X,
	BPF_ALU | BPF_NEG,
	BPF_JMP | BPF_JA,
	BPF_JMP | BPF_JEQ | BPF_K,
	BPF_JMP | BPF_JGT | BPF_K,
	BPF_JMP | BPF_JGE | BPF_K,
	BPF_JMP | BPF_JSET | BPF_K,
	BPF_JMP | BPF_JEQ | BPF_X,
	BPF_JMP | BPF_JGT | BPF_X,
	BPF_JMP | BPF_JGE | BPF_X,
	BPF_JMP | BPF_JSET | BPF_X,
	BPF_MISC | BPF_TAX,
	BPF_MISC | BPF_TXA,
	BPF_RET | BPF_A,
	BPF_RET | BPF_K,
};

/* An offset, most often; a small number; the tag's neighbourhood; any. */
static __u32 random_operand(void)
{
	static const __u32 known[] = {0,  1,  8,  9,    10,     11,     12,         13,         14,        15,
				      16, 17, 31, 0xff, 0xffff, 0x7fff, 0x7fffffff, 0x80000000, 0xffffffff};
	__u32 which = random_below(4);

	return which == 0   ? known[random_below(LENGTH(known))]
	       : which == 1 ? random_below(1 << 30)
			    : random_below(80);
}

static __u32 operand_for(__u16 code, __u32 left)
{
	__u32 k = random_operand();

	switch (code) {
	case BPF_ST:
	case BPF_STX:
	case BPF_LD | BPF_MEM:
	case BPF_LDX | BPF_MEM:
		return k % BPF_MEMWORDS;
	case BPF_ALU | BPF_DIV | BPF_K:
	case BPF_ALU | BPF_MOD | BPF_K:
		return k ? k : 1;
	case BPF_ALU | BPF_LSH | BPF_K:
	case BPF_ALU | BPF_RSH | BPF_K:
		return k % 32;
	case BPF_JMP | BPF_JA:
		return random_below(left < 4 ? left : 4);
	default:
		return k;
	}
}

/* M[] is cleared first: libpcap 1.10 does not clear it. Frames being short, most loads get low offsets. */
static size_t random_program(struct sock_filter *program)
{
	size_t count = BPF_MEMWORDS + 3 + random_below(RANDOM_INSNS - 3), i = 0;

	for (; i < BPF_MEMWORDS; i++)
		program[i] = (struct sock_filter)BPF_STMT(BPF_ST, (__u32)i);
	for (; i < count - 1; i++) {
		__u32 left = (__u32)(count - i - 1);
		__u16 code = codes[random_below(LENGTH(codes) - (random_below(8) ? 2 : 0))];

		program[i] = (struct sock_filter){.code = code, .k = operand_for(code, left)};
		if (BPF_CLASS(code) == BPF_JMP && BPF_OP(code) != BPF_JA) {
			program[i].jt = (__u8)random_below(left < 4 ? left : 4);
			program[i].jf = (__u8)random_below(left < 4 ? left : 4);
		} else if (BPF_CLASS(code) == BPF_LD && BPF_MODE(code) == BPF_IND && random_below(4)) {
			program[i].k %= 16;
		}
	}
	program[i] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_A, 0);
	return count;
}

static void random_programs(void **state)
{
	static const struct program places[] = {
		{.hook = FILTER_XDP}, {.hook = FILTER_TC}, {.hook = FILTER_TC, .tag = 0x88a8e123}};
	static struct sock_filter classic[BPF_MEMWORDS + RANDOM_INSNS];
	__u32 wrong = 0, matched = 0;

	(void)state;
	for (int i = 0; i < RANDOM_PROGRAMS && wrong < ENOUGH; i++) {
		size_t count = random_program(classic);

		assert_true(bpf_validate(classic, (int)count));
		for (size_t place = 0; place < LENGTH(places); place++) {
			struct program program = places[place];
			char name[32];

			snprintf(name, sizeof(name), "random program %d", i);
			program.name = name;
			program.classic = classic;
			program.count = count;
			wrong += wrong_of(&program, random_below(FRAMES - RANDOM_FRAMES), RANDOM_FRAMES,
					  &matched);
		}
	}
	assert_int_equal(wrong, 0);
	/* Between a tenth and nine tenths: the programs do something. */
	assert_in_range(matched, 3 * RANDOM_PROGRAMS * RANDOM_FRAMES / 10,
			3 * RANDOM_PROGRAMS * RANDOM_FRAMES / 10 * 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(expressions_at_xdp), cmocka_unit_test(expressions_at_xdp_without_frags),
		cmocka_unit_test(expressions_at_tc),  cmocka_unit_test(expressions_at_tc_with_a_tag),
		cmocka_unit_test(random_programs),
	};

	return cmocka_run_group_tests(tests, make_frames, NULL);
}
