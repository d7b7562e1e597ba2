/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The loads of a filter: from the frame as it is on the wire, wherever the kernel keeps its bytes.
 *
 * A load looks into the linear part of the frame, else asks the kernel's helper, else rejects the frame.
 */
#ifndef XDPLIFE_FILTER_LOAD_H
#define XDPLIFE_FILTER_LOAD_H

#include <linux/types.h>
#include <stdbool.h>

#include "datapath/filter_emit.h"
#include "datapath/filter_translate.h"

/* Registers that survive calls; INDEX and below do not. */
#define FILTER_CTX BPF_REG_6
#define FILTER_A   BPF_REG_7
#define FILTER_X   BPF_REG_8

/* The stack, from the frame pointer. */
#define FILTER_BUFFER  (-4)  /* what the helper loads */
#define FILTER_WINDOW  (-16) /* the wire around the tag */
#define FILTER_SCRATCH (-80) /* M[0] to M[BPF_MEMWORDS - 1] */

struct load {
	__u8 to;    /* register */
	__u8 bytes; /* 1, 2, 4 */
	bool indexed;
	__u32 offset; /* on the wire; indexed: X is added */
};

/* The part of a load that few frames need; it stands behind the code that all need. */
struct cold_load {
	struct load load;  /* its offset is the skb's, indexed: it is in a register */
	__u16 start, back; /* labels */
};

/* Begins as zeros, but for the first two. */
struct loader {
	struct emitter *emitter;
	enum filter_hook hook;
	bool tagged; /* from here on: the outermost VLAN tag lies beside the frame */
	struct cold_load cold[FILTER_MAX_INSNS];
	size_t colds;
};

/* Whether no frame is so long that it has something at the offset: instead of the load, it is rejected. */
bool load_is_hopeless(const struct loader *l, __u32 offset);

void load_packet(struct loader *l, const struct load *load);

/* The length of the frame on the wire. */
void load_length(struct loader *l, __u8 to);

/* Before the first load from a tagged frame. */
void load_window(struct loader *l);

/* Behind code that does not fall through: the cold parts of the loads so far. */
void load_cold(struct loader *l);

#endif
