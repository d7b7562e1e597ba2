// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "bench/cpu_time.h"
#include "util/clock.h"

static int softirqd = -1; /* its schedstat file; -1: not found, and not counted */

static cpu_set_t allowed; /* before cpu_time_pin() */

static int first_cpu(void)
{
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &allowed))
			return cpu;
	return -ENODEV;
}

static int read_text(const char *pid, const char *file, char *text, size_t bytes)
{
	char path[64];
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "/proc/%.16s/%s", pid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	got = fd < 0 ? -1 : read(fd, text, bytes - 1);
	if (fd >= 0)
		close(fd);
	if (got > 0)
		text[got] = 0;
	return got > 0 ? 0 : -ENOENT;
}

static void find_softirqd(int cpu)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	char wanted[32], name[32], path[64];

	snprintf(wanted, sizeof(wanted), "ksoftirqd/%d\n", cpu);
	while (dir && softirqd < 0 && (entry = readdir(dir))) {
		if (read_text(entry->d_name, "comm", name, sizeof(name)) || strcmp(name, wanted))
			continue;
		snprintf(path, sizeof(path), "/proc/%.16s/schedstat", entry->d_name);
		softirqd = open(path, O_RDONLY | O_CLOEXEC);
	}
	if (dir)
		closedir(dir);
}

int cpu_time_pin(void)
{
	cpu_set_t set;
	int cpu;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		return -errno;
	cpu = first_cpu();
	if (cpu < 0)
		return cpu;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (softirqd < 0)
		find_softirqd(cpu);
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}

void cpu_time_unpin(void)
{
	sched_setaffinity(0, sizeof(allowed), &allowed);
}

static uint64_t softirqd_ns(void)
{
	char text[96];
	ssize_t got = softirqd < 0 ? -1 : pread(softirqd, text, sizeof(text) - 1, 0);

	if (got <= 0)
		return 0;
	text[got] = 0;
	return strtoull(text, NULL, 10);
}

/* Of processes that were run and have ended. */
static uint64_t children_ns(void)
{
	struct rusage usage;

	getrusage(RUSAGE_CHILDREN, &usage);
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * NS_PER_S +
	       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * NS_PER_US;
}

uint64_t cpu_time_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec + softirqd_ns() + children_ns();
}
