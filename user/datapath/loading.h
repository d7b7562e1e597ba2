/* SPDX-License-Identifier: GPL-2.0-only */
/* A look at each BPF object between open and load, for the bench: what the verifier says is to be had only then. */
#ifndef XDPLIFE_LOADING_H
#define XDPLIFE_LOADING_H

#include <bpf/libbpf.h>

typedef void (*loading_watch)(void *context, struct bpf_object *object);

/* From here on @watch is called for each object of this process; NULL ends that. */
void loading_watch_set(loading_watch watch, void *context);

/* Whoever loads an object with XDP programs calls this first, when it is settled which programs are loaded. */
void loading_announce(struct bpf_object *object);

#endif
