// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>

#include "util/sysctl.h"

static FILE *sysctl_open(const char *name, const char *mode)
{
	char path[SYSCTL_NAME_BYTES + sizeof("/proc/sys/")];

	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	return fopen(path, mode);
}

int sysctl_read(const char *name, int *value)
{
	FILE *file = sysctl_open(name, "re");
	int fields;

	if (!file)
		return -errno;
	fields = fscanf(file, "%d", value);
	fclose(file);
	return fields == 1 ? 0 : -EBADMSG;
}

int sysctl_write(const char *name, int value)
{
	FILE *file = sysctl_open(name, "we");

	if (!file)
		return -errno;
	fprintf(file, "%d\n", value);
	return fclose(file) ? -errno : 0;
}
