// SPDX-License-Identifier: GPL-2.0-only
/* A file is under its name either as it was before or complete. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/new_file.h"

#define DIRECTORY  "/tmp/xdplife-new-file-XXXXXX"
#define TEXT_BYTES 64

static char directory[sizeof(DIRECTORY)];
static char path[PATH_MAX];

static int make_directory(void **state)
{
	(void)state;
	strcpy(directory, DIRECTORY);
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof(path), "%s/file", directory);
	return 0;
}

static int remove_directory(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(directory); /* fails if anything is left in it */
}

static int entries(void)
{
	DIR *dir = opendir(directory);
	int count = -2; /* . and .. */

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static void write_file(const char *name, const char *text)
{
	FILE *stream = fopen(name, "w");

	assert_non_null(stream);
	fputs(text, stream);
	assert_int_equal(fclose(stream), 0);
}

static void assert_content(const char *name, const char *expected)
{
	char text[TEXT_BYTES] = "";
	FILE *stream = fopen(name, "r");

	assert_non_null(stream);
	text[fread(text, 1, sizeof(text) - 1, stream)] = 0;
	fclose(stream);
	assert_string_equal(text, expected);
}

static void test_appears_when_complete(void **state)
{
	struct new_file *file = new_file_open(path);

	(void)state;
	assert_non_null(file);
	fputs("all of it", new_file_stream(file));
	fflush(new_file_stream(file));
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(new_file_commit(file), 0);
	assert_content(path, "all of it");
	assert_int_equal(entries(), 1);
}

static void test_discarded(void **state)
{
	struct new_file *file;

	(void)state;
	write_file(path, "before");
	file = new_file_open(path);
	assert_non_null(file);
	fputs("half", new_file_stream(file));
	new_file_discard(file);
	new_file_discard(NULL);
	assert_content(path, "before");
	assert_int_equal(entries(), 1);
}

static void test_keeps_mode_and_link(void **state)
{
	char link[PATH_MAX + sizeof("-link")];
	struct new_file *file;
	struct stat found;

	(void)state;
	write_file(path, "before");
	assert_int_equal(chmod(path, 0640), 0);
	snprintf(link, sizeof(link), "%s-link", path);
	assert_int_equal(symlink(path, link), 0);
	file = new_file_open(link);
	assert_non_null(file);
	fputs("after", new_file_stream(file));
	assert_int_equal(new_file_commit(file), 0);
	assert_content(path, "after");
	assert_int_equal(lstat(link, &found), 0);
	assert_true(S_ISLNK(found.st_mode));
	assert_int_equal(stat(path, &found), 0);
	assert_int_equal(found.st_mode & ALLPERMS, 0640);
	unlink(link);
}

static void test_nowhere(void **state)
{
	(void)state;
	errno = 0;
	assert_null(new_file_open("/nowhere/file"));
	assert_int_equal(errno, ENOENT);
	assert_null(new_file_open("/tmp"));
	assert_int_equal(errno, EISDIR);
}

/* Both where the last flush fails and where an earlier one did and the last has nothing left to do. */
static void test_full_disk(void **state)
{
	struct new_file *file = new_file_open("/dev/full");

	(void)state;
	assert_non_null(file);
	fputs("text", new_file_stream(file));
	assert_int_equal(new_file_commit(file), -ENOSPC);

	file = new_file_open("/dev/full");
	assert_non_null(file);
	setvbuf(new_file_stream(file), NULL, _IONBF, 0);
	fputs("text", new_file_stream(file));
	assert_int_equal(new_file_commit(file), -EIO);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_appears_when_complete, make_directory, remove_directory),
		cmocka_unit_test_setup_teardown(test_discarded, make_directory, remove_directory),
		cmocka_unit_test_setup_teardown(test_keeps_mode_and_link, make_directory, remove_directory),
		cmocka_unit_test(test_nowhere),
		cmocka_unit_test(test_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
