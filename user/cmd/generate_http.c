// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/generate.h"
#include "command.h"
#include "datapath/preflight.h"
#include "traffic/cable.h"
#include "traffic/guard.h"
#include "traffic/http_load.h"
#include "util/clock.h"
#include "util/log.h"

static int print_report(const struct http_load_report *report, bool json, int exit_code)
{
	json_t *object;

	if (!report->started)
		return exit_code;
	if (!json) {
		http_load_report_print(report, stdout);
	} else {
		object = http_load_report_json(report);
		json_dumpf(object, stdout, JSON_COMPACT);
		fputc('\n', stdout);
		json_decref(object);
	}
	if (!fflush(stdout))
		return exit_code;
	log_error(NULL, "stdout: %s", strerror(errno));
	return exit_code ? exit_code : EXIT_FAILED;
}

static int check(const struct generate_arguments *arguments)
{
	struct iface iface;
	int err = preflight_privileges();

	if (!err)
		err = cable_get(arguments->ifname, &iface);
	return err ? err : guard_check(&iface, &arguments->to, arguments->owned);
}

int generate_http(const struct generate_arguments *arguments)
{
	const struct http_load_options options = {
		.ifname = arguments->ifname,
		.url = &arguments->url,
		.connections = arguments->plan.flows,
		.ports = arguments->ports,
		.rate_per_s = arguments->rate_pps,
		.count = arguments->count,
		.duration_s = arguments->duration_s,
		.timeout_ns = (uint64_t)(arguments->timeout_s * (double)NS_PER_S),
	};
	struct http_load_report *report = malloc(sizeof(*report));
	int exit_code;

	if (!report) {
		log_error(NULL, "%s", strerror(ENOMEM));
		return EXIT_FAILED;
	}
	exit_code = check(arguments);
	if (!exit_code) {
		exit_code = http_load_run(&options, report);
		exit_code = print_report(report, arguments->json, exit_code);
	}
	free(report);
	return exit_code;
}
