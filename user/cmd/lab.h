/* SPDX-License-Identifier: GPL-2.0-only */
/* The lab's parts: what builds and removes it (lab_build.c), what tells how it stands (lab_status.c). */
#ifndef XDPLIFE_LAB_H
#define XDPLIFE_LAB_H

#include <stdbool.h>

enum lab_port_index { LAB_C0, LAB_R0, LAB_R1, LAB_S0, LAB_PORTS };

struct lab_port {
	const char *name, *netns;
};

extern const struct lab_port lab_ports[LAB_PORTS];

/* Print the commands that build and remove it, with what each is for. */
void lab_show_build(void);
void lab_show_remove(void);

/**
 * lab_build() - make what is missing, and wait until the links have carrier
 * @verbose: print each command that runs
 *
 * Return: 0; EXIT_FAILED with the error said, and what this call had made is removed again.
 */
int lab_build(bool verbose);

/* Removes whatever is there. Return: 0, or EXIT_FAILED with what could not be removed said. */
int lab_remove(bool verbose);

/* Return: EXIT_DONE if all of it stands; EXIT_FAILED with what to try said. */
int lab_print_status(bool json);

#endif
