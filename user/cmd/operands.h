/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IFACE... [--] [FILTER]: which words of a command line name interfaces, and which are the filter.
 *
 * Words that name an existing interface come first; the first that does not begins the filter, and so does
 * what follows a `--`. The words of the filter are joined by spaces, as tcpdump does. As many interfaces as a
 * command needs at least are taken for such, whether they exist or not: they are what a mistake is about.
 */
#ifndef XDPLIFE_OPERANDS_H
#define XDPLIFE_OPERANDS_H

#include <stdbool.h>

#include "datapath/filter.h"

/**
 * operands_cut() - take what stands behind `--` off a command line, for argp would hide where that was
 * @argc: reduced to what stands before it, and argv[*argc] is then NULL
 *
 * Return: the first word behind it; NULL if there is no `--`.
 */
char **operands_cut(int *argc, char **argv);

/* How many of the words (NULL-terminated) are interfaces: the first @least, and then those that exist. */
int operands_interfaces(char *const *words, int least, bool (*is_interface)(const char *name));

/* Words joined by spaces, to be freed; NULL: no memory. */
char *operands_join(char *const *words);

/**
 * operands_filter() - compile the filter of a command line
 * @words:  what is no option, NULL-terminated, or NULL; the filter is cut off, so that the interfaces are left
 * @least:  so many interfaces the command needs
 * @behind: from operands_cut(): the filter, and all words are interfaces; NULL: it may begin among them
 * @filter: set; NULL if there is none
 *
 * Return: 0 with *filter to be freed by filter_free(); an exit_code with the error said.
 */
int operands_filter(char **words, int least, char *const *behind, struct filter **filter);

#endif
