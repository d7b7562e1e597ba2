// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/operands.h"
#include "command.h"
#include "util/log.h"

char **operands_cut(int *argc, char **argv)
{
	for (int i = 1; i < *argc; i++) {
		if (strcmp(argv[i], "--"))
			continue;
		argv[i] = NULL;
		*argc = i;
		return &argv[i + 1];
	}
	return NULL;
}

int operands_interfaces(char *const *words, int least, bool (*is_interface)(const char *name))
{
	int count = 0;

	while (words[count] && (count < least || is_interface(words[count])))
		count++;
	return count;
}

char *operands_join(char *const *words)
{
	size_t bytes = 1;
	char *joined, *end;

	for (char *const *word = words; *word; word++)
		bytes += strlen(*word) + 1;
	joined = end = malloc(bytes);
	if (!joined)
		return NULL;
	*end = '\0';
	for (char *const *word = words; *word; word++) {
		if (word != words)
			*end++ = ' ';
		end = stpcpy(end, *word);
	}
	return joined;
}

static bool is_interface(const char *name)
{
	return if_nametoindex(name) != 0;
}

/* A misspelt interface is taken for the filter; then both may be meant. */
static bool may_be_interface(const char *word)
{
	return strlen(word) < IF_NAMESIZE && !strpbrk(word, "()[]<>=!&|") && !filter_begins_with(word);
}

/* @guessed: where the filter begins because it is no interface; NULL: it was said by `--`. */
static int say_error(int err, const char *expression, const char *guessed, const struct filter_error *error)
{
	if (err != -EINVAL)
		log_error(NULL, "FILTER: %s", strerror(-err));
	else if (guessed && may_be_interface(guessed))
		log_error("`ip -br link` for the interfaces, `man 7 pcap-filter` for filters",
			  "%s: no such interface, and as the beginning of FILTER: %s", guessed, error->text);
	else
		filter_say_error(expression, error);
	return err == -EINVAL ? EXIT_USAGE : EXIT_FAILED;
}

static int compile(struct filter **filter, char *const *words, const char *guessed)
{
	char *expression = operands_join(words);
	struct filter_error error;
	int err = expression ? filter_compile(filter, expression, &error) : -ENOMEM;

	if (err)
		err = say_error(err, expression, guessed, &error);
	free(expression);
	return err;
}

int operands_filter(char **words, int least, char *const *behind, struct filter **filter)
{
	char **first = words;
	int err = 0;

	*filter = NULL;
	if (behind)
		return *behind ? compile(filter, behind, NULL) : 0;
	if (!words)
		return 0;
	first += operands_interfaces(words, least, is_interface);
	if (*first)
		err = compile(filter, first, *first);
	*first = NULL;
	return err;
}
