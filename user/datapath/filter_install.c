// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/filter_install.h"
#include "datapath/filter_translate.h"
#include "datapath/loading.h"
#include "datapath/splice.h"

/* One hook: the program, the function in it, and what comes in its place. */
struct part {
	const char *program;
	const char *function;
	struct bpf_insn *insn;
	size_t insns;
};

struct filter_install {
	struct part xdp, tc;
	struct splice splice;
};

static int translate(struct part *part, const struct filter *filter, enum filter_hook hook)
{
	size_t count;
	const struct sock_filter *classic = filter_classic(filter, &count);

	return filter_translate(&part->insn, &part->insns, classic, count, hook);
}

/* Other programs of this process, the bench's, have no such function. */
static int put_in(void *context, struct bpf_program *program, struct bpf_prog_load_opts *opts)
{
	struct filter_install *install = context;
	const char *name = bpf_program__name(program);
	const struct part *part = NULL;

	if (!strcmp(name, install->xdp.program))
		part = &install->xdp;
	else if (!strcmp(name, install->tc.program))
		part = &install->tc;
	if (!part)
		return 0;
	return splice_function(&install->splice, program, opts, part->function, part->insn, part->insns);
}

int filter_install_new(struct filter_install **result, const struct filter *filter, bool frags)
{
	struct filter_install *install = malloc(sizeof(*install));
	int err;

	if (!install)
		return -ENOMEM;
	*install = (struct filter_install){
		.xdp = {.program = "xdplife_xdp", .function = "filter_xdp"},
		.tc = {.program = "xdplife_egress", .function = "filter_tc"},
	};
	err = translate(&install->xdp, filter, frags ? FILTER_XDP : FILTER_XDP_LINEAR);
	if (!err)
		err = translate(&install->tc, filter, FILTER_TC);
	if (err)
		filter_install_free(install);
	else
		*result = install;
	return err;
}

void filter_install_free(struct filter_install *install)
{
	if (!install)
		return;
	splice_free(&install->splice);
	free(install->xdp.insn);
	free(install->tc.insn);
	free(install);
}

int filter_install_begin(struct filter_install *install)
{
	return install ? loading_edit_set(LOADING_FILTER, put_in, install) : 0;
}

void filter_install_end(struct filter_install *install)
{
	if (install)
		loading_edit_set(LOADING_FILTER, NULL, NULL);
}

const char *filter_install_why(int err)
{
	switch (err) {
	case -ELOOP:
		return "it loops through a chain of headers (protochain), which the kernel's verifier does "
		       "not take";
	case -E2BIG:
		return "it is too long (more than 4096 instructions of classic BPF, or 32767 of eBPF)";
	default:
		return strerror(-err);
	}
}
