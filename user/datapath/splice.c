// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>

#include "datapath/splice.h"

/* Where the function stands, and by how much what is behind it moves. */
struct place {
	size_t start, end; /* in instructions; end is not its own */
	long growth;
};

/* By its descriptor, for by its id only CAP_SYS_ADMIN gets it. Return: 0 with *btf, or -errno. */
static int read_btf(int fd, struct btf **btf)
{
	struct bpf_btf_info info = {};
	__u32 bytes = sizeof(info), size;
	int err = bpf_obj_get_info_by_fd(fd, &info, &bytes);
	void *data;

	if (err)
		return err;
	size = info.btf_size;
	data = malloc(size);
	if (!data)
		return -ENOMEM;
	info = (struct bpf_btf_info){.btf = (__u64)(unsigned long)data, .btf_size = size};
	err = bpf_obj_get_info_by_fd(fd, &info, &bytes);
	*btf = err ? NULL : btf__new(data, size);
	if (!err && !*btf)
		err = -errno;
	free(data);
	return err;
}

/* Return: the id of the function's type, or -errno. */
static int find_type(const struct bpf_prog_load_opts *opts, const char *function)
{
	struct btf *btf;
	int type;

	if (!opts->func_info_cnt)
		return -ENOENT;
	type = read_btf((int)opts->prog_btf_fd, &btf);
	if (type)
		return type;
	type = btf__find_by_name_kind(btf, function, BTF_KIND_FUNC);
	btf__free(btf);
	return type;
}

static struct bpf_func_info func_info_at(const struct bpf_prog_load_opts *opts, __u32 index)
{
	struct bpf_func_info info;

	memcpy(&info, (const char *)opts->func_info + (size_t)index * opts->func_info_rec_size, sizeof(info));
	return info;
}

/* The records of the functions are in the order of their instructions. */
static int find_place(const struct bpf_prog_load_opts *opts, size_t program_insns, const char *function,
		      struct place *place)
{
	int type = find_type(opts, function);
	__u32 i = 0;

	if (type < 0)
		return type;
	while (i < opts->func_info_cnt && func_info_at(opts, i).type_id != (__u32)type)
		i++;
	if (i == opts->func_info_cnt)
		return -ENOENT;
	place->start = func_info_at(opts, i).insn_off;
	place->end = i + 1 < opts->func_info_cnt ? func_info_at(opts, i + 1).insn_off : program_insns;
	return 0;
}

static bool refers_to_function(const struct bpf_insn *insn)
{
	return (insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == BPF_PSEUDO_CALL) ||
	       (insn->code == (BPF_LD | BPF_IMM | BPF_DW) && insn->src_reg == BPF_PSEUDO_FUNC);
}

static long moves_by(const struct place *place, size_t insn)
{
	return insn >= place->end ? place->growth : 0;
}

/* A call that leads across the function leads farther; a jump never leaves its own. */
static void stretch_calls(struct bpf_insn *insn, size_t insns, const struct place *place)
{
	for (size_t i = 0; i < insns; i++)
		if (refers_to_function(&insn[i]))
			insn[i].imm += (__s32)(moves_by(place, i + 1 + (size_t)(__s64)insn[i].imm) -
					       moves_by(place, i));
}

/*
 * Records that begin with an instruction's number. Those of instructions that are gone go, but the function's
 * first, for the kernel wants to know of each function's first line. Return: a copy, *count of them, to be
 * freed; NULL: no memory.
 */
static void *move_records(const void *records, __u32 *count, size_t record_bytes, const struct place *place)
{
	char *copy = malloc(*count * record_bytes + 1), *to = copy;
	const char *from = records;

	for (const char *end = from + *count * record_bytes; copy && from < end; from += record_bytes) {
		__u32 insn;

		memcpy(&insn, from, sizeof(insn));
		if (insn > place->start && insn < place->end)
			continue;
		insn += (__u32)moves_by(place, insn);
		memcpy(to, from, record_bytes);
		memcpy(to, &insn, sizeof(insn));
		to += record_bytes;
	}
	*count = (__u32)((to - copy) / (long)record_bytes);
	return copy;
}

static int move_notes(struct splice *splice, struct bpf_prog_load_opts *opts, const struct place *place)
{
	splice_free(splice);
	splice->func_info =
		move_records(opts->func_info, &opts->func_info_cnt, opts->func_info_rec_size, place);
	if (!splice->func_info)
		return -ENOMEM;
	opts->func_info = splice->func_info;
	if (!opts->line_info_cnt)
		return 0;
	splice->line_info =
		move_records(opts->line_info, &opts->line_info_cnt, opts->line_info_rec_size, place);
	opts->line_info = splice->line_info;
	return splice->line_info ? 0 : -ENOMEM;
}

static int replace(struct bpf_program *program, const struct place *place, const struct bpf_insn *body,
		   size_t insns)
{
	size_t before = bpf_program__insn_cnt(program), after = before + (size_t)place->growth;
	struct bpf_insn *old = calloc(before, sizeof(*old)), *new = calloc(after, sizeof(*new));
	int err = old && new ? 0 : -ENOMEM;

	if (!err) {
		memcpy(old, bpf_program__insns(program), before * sizeof(*old));
		stretch_calls(old, before, place);
		memcpy(new, old, place->start * sizeof(*new));
		memcpy(new + place->start, body, insns * sizeof(*new));
		memcpy(new + place->start + insns, old + place->end, (before - place->end) * sizeof(*new));
		err = bpf_program__set_insns(program, new, after);
	}
	free(old);
	free(new);
	return err;
}

int splice_function(struct splice *splice, struct bpf_program *program, struct bpf_prog_load_opts *opts,
		    const char *function, const struct bpf_insn *body, size_t insns)
{
	struct place place;
	int err = find_place(opts, bpf_program__insn_cnt(program), function, &place);

	if (err)
		return err;
	place.growth = (long)insns - (long)(place.end - place.start);
	err = move_notes(splice, opts, &place);
	return err ? err : replace(program, &place, body, insns);
}

void splice_free(struct splice *splice)
{
	free(splice->func_info);
	free(splice->line_info);
	*splice = (struct splice){};
}
