// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/split.h"
#include "command.h"
#include "util/log.h"

/* After the generator's, which is the first. */
#define DEVICE_CPU 1
#define SINK_CPU   2

unsigned int split_cpus(void)
{
	cpu_set_t allowed;

	return sched_getaffinity(0, sizeof(allowed), &allowed) ? 1 : (unsigned int)CPU_COUNT(&allowed);
}

/* The nth that we may use; the last where there are fewer. */
static int usable_cpu(int n)
{
	cpu_set_t allowed;
	int found = -1;

	sched_getaffinity(0, sizeof(allowed), &allowed);
	for (int cpu = 0; cpu < CPU_SETSIZE && n >= 0; cpu++)
		if (CPU_ISSET(cpu, &allowed)) {
			found = cpu;
			n--;
		}
	return found;
}

/* sysfs shows the interfaces of the namespace in which it was mounted: so in the child, a mount of its own. */
static void write_threaded(const struct topology *topology, enum topology_port port)
{
	char path[64];
	int fd = -1;

	snprintf(path, sizeof(path), "/sys/class/net/%s/threaded", topology_ifname(port));
	if (!topology_enter(topology, topology_node_of(port)) && !unshare(CLONE_NEWNS) &&
	    !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) && !mount("sysfs", "/sys", "sysfs", 0, NULL))
		fd = open(path, O_WRONLY);
	_exit(fd >= 0 && write(fd, "1", 1) == 1 ? 0 : 1);
}

static int set_threaded(const struct topology *topology, enum topology_port port)
{
	int status = 1;
	pid_t child = fork();

	if (!child)
		write_threaded(topology, port);
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return child > 0 && WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -EOPNOTSUPP;
}

/* "napi/r0-8193": other labs' threads of the same interface name go to the same CPU, which does no harm. */
static bool is_thread_of(const char *pid, const char *ifname)
{
	char path[64], name[32] = "", wanted[32];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%.16s/comm", pid);
	snprintf(wanted, sizeof(wanted), "napi/%s-", ifname);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(name, sizeof(name), file))
		*name = 0;
	fclose(file);
	return !strncmp(name, wanted, strlen(wanted));
}

static int pin_threads(const char *ifname, int cpu)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	cpu_set_t set;
	int pinned = 0;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	while (dir && (entry = readdir(dir)))
		if (is_thread_of(entry->d_name, ifname) &&
		    !sched_setaffinity((pid_t)atoi(entry->d_name), sizeof(set), &set))
			pinned++;
	if (dir)
		closedir(dir);
	return pinned ? 0 : -ESRCH;
}

static int split_port(const struct topology *topology, enum topology_port port, int cpu)
{
	int err = set_threaded(topology, port);

	if (!err)
		err = pin_threads(topology_ifname(port), usable_cpu(cpu));
	if (!err)
		return 0;
	log_error("without --split", "%s: no threaded NAPI that could be pinned: %s", topology_ifname(port),
		  strerror(-err));
	return EXIT_NEEDS;
}

int split_apply(const struct topology *topology)
{
	int err = split_port(topology, PORT_R0, DEVICE_CPU);

	return err ? err : split_port(topology, PORT_S0, SINK_CPU);
}
