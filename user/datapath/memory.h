/* SPDX-License-Identifier: GPL-2.0-only */
/* What the maps of a datapath take of the kernel's memory. */
#ifndef XDPLIFE_MEMORY_H
#define XDPLIFE_MEMORY_H

#include <stdint.h>

struct bpf_object;

/* All maps of the object, as the kernel accounts for them, in bytes; 0: it does not say. */
uint64_t memory_of_maps(const struct bpf_object *object);

#endif
