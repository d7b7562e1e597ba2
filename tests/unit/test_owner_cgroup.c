// SPDX-License-Identifier: GPL-2.0-only
/* What the path of a control group tells of a container, in the forms that the engines give it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "datapath/cgroup.h"

#define ID    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

static void expect_container(const char *path, const char *expected)
{
	char id[CONTAINER_ID_BYTES];

	cgroup_container(path, id);
	if (strcmp(id, expected))
		fail_msg("%s: container '%s', expected '%s'", path, id, expected);
}

static void each_engine_has_its_form(void **state)
{
	static const char *const paths[] = {
		"/docker/" ID,                                         /* docker, cgroupfs driver */
		"/system.slice/docker-" ID ".scope",                   /* docker, systemd driver */
		"/system.slice/docker-" ID ".scope/init.scope",        /* systemd inside */
		"/kubepods/besteffort/pod6e2a12b4-0b1e-11ee-be56/" ID, /* containerd, cgroupfs driver */
		"/kubepods.slice/kubepods-pod6e2a12b4.slice/cri-containerd-" ID ".scope",
		"/system.slice/containerd.service/kubepods-burstable-pod6e2a12b4.slice:cri-containerd:" ID,
		"/kubepods.slice/kubepods-besteffort.slice/crio-" ID ".scope",
		"/machine.slice/libpod-" ID ".scope/container", /* podman */
		"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope",
		"/../../" ID, /* seen from a cgroup namespace */
		"/ecs/task/" ID,
		"/docker/" OTHER "/docker/" ID, /* docker in docker: the inner one */
		ID,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		expect_container(paths[i], ID);
}

static void other_paths_tell_none(void **state)
{
	static const char *const paths[] = {
		"",
		"/",
		"/system.slice/ssh.service",
		"/user.slice/user-1000.slice/session-3.scope",
		"/kubepods/burstable/pod6e2a12b4-0b1e-11ee-be56-0242ac120002",
		"/docker/" ID "0", /* 65 digits */
		"/docker/f" ID,
		"/docker/x" ID, /* the digits are part of a longer name */
		"/docker/0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF",
		"/docker/" ID ".slice",
		"/machine.slice/libpod-conmon-" ID ".scope", /* the monitor beside the container */
		"/kubepods.slice/crio-conmon-" ID ".scope",
		"/0123456789abcdef0123456789abcdef/0123456789abcdef0123456789abcdef",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		expect_container(paths[i], "");
}

static void expect_choice(const char *lines, const char *expected)
{
	char path[CGROUP_PATH_BYTES];

	cgroup_choose(lines, path, sizeof(path));
	assert_string_equal(path, expected);
}

/* Real lines of /proc/PID/cgroup: version 2 alone, version 1 with docker, both with systemd, a root among others. */
static void the_line_that_tells_most(void **state)
{
	(void)state;
	expect_choice("0::/system.slice/nginx.service\n", "/system.slice/nginx.service");
	expect_choice("12:pids:/docker/" ID "\n11:cpuset:/\n1:name=systemd:/docker/" ID "\n0::/\n",
		      "/docker/" ID);
	expect_choice("12:pids:/docker/" ID "\n1:name=systemd:/system.slice/docker.service\n", "/docker/" ID);
	expect_choice("9:name=systemd:/system.slice/ssh.service\n8:pids:/system.slice/a\n0::/\n",
		      "/system.slice/ssh.service");
	expect_choice("8:pids:/\n4:memory:/jail/7\n1:cpu:/\n0::/\n", "/jail/7");
	expect_choice("8:pids:/\n0::/\n", "/");
	expect_choice("0::/a:b\n", "/a:b");
}

static void damaged_lines_are_passed_by(void **state)
{
	(void)state;
	expect_choice("", "");
	expect_choice("\n\n", "");
	expect_choice("0\n0:\nnothing here\n", "");
	expect_choice("0:\n0::/there", "/there");
}

/* A longer path than there is room for is cut off, and a longer line does not spill into the next. */
static void long_paths_are_cut(void **state)
{
	char lines[3 * CGROUP_PATH_BYTES], path[8], deep[2 * CGROUP_PATH_BYTES];

	(void)state;
	cgroup_choose("0::/system.slice/nginx.service\n", path, sizeof(path));
	assert_string_equal(path, "/system");
	memset(deep, 'd', sizeof(deep));
	deep[sizeof(deep) - 1] = '\0';
	snprintf(lines, sizeof(lines), "0::/%s\n5:pids:/b\n", deep);
	cgroup_choose(lines, deep, CGROUP_PATH_BYTES);
	assert_int_equal(strlen(deep), CGROUP_PATH_BYTES - 1 - strlen("0::"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_engine_has_its_form), cmocka_unit_test(other_paths_tell_none),
		cmocka_unit_test(the_line_that_tells_most), cmocka_unit_test(damaged_lines_are_passed_by),
		cmocka_unit_test(long_paths_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
