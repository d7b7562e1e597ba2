/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * BPF objects between open and load. The bench looks at what the verifier says, which is to be had only then;
 * and a program's instructions can be changed once they are complete.
 *
 * All of it is for the process, as libbpf's handlers are: no other thread may load objects meanwhile.
 */
#ifndef XDPLIFE_LOADING_H
#define XDPLIFE_LOADING_H

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

typedef void (*loading_watch)(void *context, struct bpf_object *object);

/* From here on @watch is called for each object of this process; NULL ends that. */
void loading_watch_set(loading_watch watch, void *context);

/* Whoever loads an object with XDP programs calls this first, when it is settled which programs are loaded. */
void loading_announce(struct bpf_object *object);

/* Who changes programs, in the order in which they do. */
enum loading_editor {
	LOADING_FILTER, /* puts the filter in */
	LOADING_CALLS,  /* lets the bench count calls */
	LOADING_EDITORS,
};

/**
 * loading_edit - called for each program of type XDP or tc when its instructions are complete
 * It may bpf_program__set_insns() and change @opts; what @opts then points to must last until the program is
 * loaded.
 *
 * Return: 0, or -errno: the program is not loaded.
 */
typedef int (*loading_edit)(void *context, struct bpf_program *program, struct bpf_prog_load_opts *opts);

/* For the programs of objects that are opened from here on; NULL ends that. Return: 0 or -errno. */
int loading_edit_set(enum loading_editor editor, loading_edit edit, void *context);

#endif
