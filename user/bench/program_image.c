// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "bench/program_image.h"

#define MAX_FUNCTIONS 256 /* the verifier's BPF_MAX_SUBPROGS */

static __u64 address_of(const void *memory)
{
	return (__u64)(unsigned long)memory;
}

/* Asks for the lists whose sizes are known by now. */
static int read_lists(struct program_image *image, int prog_fd)
{
	struct bpf_prog_info *info = &image->info, lists = {
							   .xlated_prog_len = info->xlated_prog_len,
							   .xlated_prog_insns = address_of(image->insn),
							   .nr_func_info = info->nr_func_info,
							   .func_info_rec_size = sizeof(*image->function),
							   .func_info = address_of(image->function),
						   };
	__u32 bytes = sizeof(lists);

	return bpf_obj_get_info_by_fd(prog_fd, &lists, &bytes);
}

int program_image_read(struct program_image *image, int prog_fd)
{
	__u32 bytes = sizeof(image->info);
	int err;

	*image = (struct program_image){};
	err = bpf_obj_get_info_by_fd(prog_fd, &image->info, &bytes);
	if (err)
		return err;
	image->insns = image->info.xlated_prog_len / sizeof(*image->insn);
	image->functions = image->info.nr_func_info;
	image->insn = calloc(image->insns + 1, sizeof(*image->insn));
	image->function = calloc(image->functions + 1, sizeof(*image->function));
	err = image->insn && image->function ? read_lists(image, prog_fd) : -ENOMEM;
	if (err)
		program_image_free(image);
	return err;
}

void program_image_free(struct program_image *image)
{
	free(image->insn);
	free(image->function);
	*image = (struct program_image){};
}

/* "stack depth 224+104+16": the main program, then its functions in their order. Return: how many. */
static __u32 read_depths(const char *log, unsigned int *depth)
{
	static const char label[] = "stack depth ";
	const char *at = strstr(log, label);
	__u32 depths = 0;
	char *end;

	if (!at)
		return 0;
	for (at += strlen(label); depths < MAX_FUNCTIONS; at = end + 1) {
		depth[depths] = (unsigned int)strtoul(at, &end, 10);
		if (end == at)
			break;
		depths++;
		if (*end != '+')
			break;
	}
	return depths;
}

struct chains {
	const struct program_image *image;
	const unsigned int *depth;
	unsigned int deepest[MAX_FUNCTIONS]; /* from this function down; 0: not known yet, or indeed 0 */
	bool unknown;                        /* a call leads to where no function begins */
};

/* The kernel shows calls as if they were interpreted: relative to the next instruction. */
static bool callee_of(const struct program_image *image, __u32 at, __s64 *start)
{
	const struct bpf_insn *insn = &image->insn[at];

	*start = (__s64)at + 1;
	if (insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == BPF_PSEUDO_CALL)
		*start += insn->off;
	else if (insn->code == (BPF_LD | BPF_IMM | BPF_DW) && insn->src_reg == BPF_PSEUDO_FUNC)
		*start += insn->imm;
	else
		return false;
	return true;
}

static __u32 function_at(const struct program_image *image, __s64 start)
{
	__u32 i = 0;

	while (i < image->functions && image->function[i].insn_off != start)
		i++;
	return i;
}

/* It ends: the verifier refuses recursion, and chains of more than 8 functions. */
static unsigned int deepest_from(struct chains *chains, __u32 function)
{
	const struct program_image *image = chains->image;
	bool last = function + 1 == image->functions;
	__u32 end = last ? image->insns : image->function[function + 1].insn_off, callee;
	unsigned int below = 0, bytes;
	__s64 start;

	if (chains->deepest[function])
		return chains->deepest[function];
	for (__u32 i = image->function[function].insn_off; i < end && !chains->unknown; i++) {
		if (!callee_of(image, i, &start))
			continue;
		callee = function_at(image, start);
		chains->unknown = callee == image->functions;
		bytes = chains->unknown ? 0 : deepest_from(chains, callee);
		below = bytes > below ? bytes : below;
	}
	return chains->deepest[function] = chains->depth[function] + below;
}

int program_image_stack(const struct program_image *image, const char *log, unsigned int *bytes)
{
	unsigned int depth[MAX_FUNCTIONS], sum = 0;
	__u32 depths = read_depths(log, depth);
	struct chains chains = {.image = image, .depth = depth};

	if (!depths)
		return -ENODATA;
	for (__u32 i = 0; i < depths; i++)
		sum += depth[i];
	/* The interpreter keeps something else where a call's distance stood. */
	chains.unknown = image->functions != depths || !image->info.jited_prog_len;
	*bytes = chains.unknown ? 0 : deepest_from(&chains, 0);
	if (chains.unknown)
		*bytes = sum;
	return 0;
}
