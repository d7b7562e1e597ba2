// SPDX-License-Identifier: GPL-2.0-only
#include <stdbool.h>
#include <stddef.h>

#include "datapath/loading.h"

static loading_watch watcher;
static void *watcher_context;

static struct {
	loading_edit edit;
	void *context;
} editors[LOADING_EDITORS];

void loading_watch_set(loading_watch watch, void *context)
{
	watcher = watch;
	watcher_context = context;
}

void loading_announce(struct bpf_object *object)
{
	if (watcher)
		watcher(watcher_context, object);
}

/* libbpf calls it when the program's instructions are complete. */
static int before_load(struct bpf_program *program, struct bpf_prog_load_opts *opts, long prog_flags)
{
	int err = 0;

	opts->prog_flags |= (__u32)prog_flags;
	for (int i = 0; i < LOADING_EDITORS && !err; i++)
		if (editors[i].edit)
			err = editors[i].edit(editors[i].context, program, opts);
	return err;
}

static int register_section(const char *name, enum bpf_prog_type type, enum bpf_attach_type attach_type,
			    __u32 prog_flags)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, options, .cookie = prog_flags,
		    .prog_prepare_load_fn = before_load);
	int handler = libbpf_register_prog_handler(name, type, attach_type, &options);

	return handler < 0 ? handler : 0;
}

/* Once and for all: libbpf before 1.3 frees its list twice after the last handler was unregistered. */
static int register_sections(void)
{
	static bool registered;
	int err = registered ? 0 : register_section("xdp", BPF_PROG_TYPE_XDP, BPF_XDP, 0);

	if (!err && !registered)
		err = register_section("xdp.frags", BPF_PROG_TYPE_XDP, BPF_XDP, BPF_F_XDP_HAS_FRAGS);
	if (!err && !registered)
		err = register_section("tc", BPF_PROG_TYPE_SCHED_CLS, 0, 0);
	registered = !err;
	return err;
}

int loading_edit_set(enum loading_editor editor, loading_edit edit, void *context)
{
	int err = edit ? register_sections() : 0;

	if (err)
		return err;
	editors[editor].edit = edit;
	editors[editor].context = context;
	return 0;
}
