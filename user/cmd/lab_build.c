// SPDX-License-Identifier: GPL-2.0-only
/* The lab as the commands that one would type, run in order and undone in the reverse order. */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/lab.h"
#include "command.h"
#include "net/iface.h"
#include "net/netns.h"
#include "util/log.h"
#include "util/run.h"
#include "util/terminal.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define CARRIER_WAIT_MS 5000
#define SCRATCH_BYTES   8192 /* what a link's change is read into and not looked at */

const struct lab_port lab_ports[LAB_PORTS] = {
	[LAB_C0] = {"c0", "xl-client"},
	[LAB_R0] = {"r0", "xl-router"},
	[LAB_R1] = {"r1", "xl-router"},
	[LAB_S0] = {"s0", "xl-server"},
};

struct step {
	const char *command; /* words separated by single spaces; a comment if it starts with # */
	const char *undo;    /* NULL: it goes with what was made before */
	/* What it makes, and does nothing if that is there: a namespace, or a device in a namespace. */
	const char *netns, *device;
};

/* clang-format off */
#define SAY(comment)     {.command = "# " comment}
#define RUN(text)        {.command = text} /* to run it again does no harm */
#define MAKE_NETNS(name) {"ip netns add " name, "ip netns delete " name, name, NULL}
#define MAKE_WIRE(a, a_netns, b, b_netns)                                                   \
	{"ip link add " a " netns " a_netns " type veth peer name " b " netns " b_netns, \
	 "ip -n " a_netns " link delete " a, a_netns, a}

static const struct step wires[] = {
	SAY("three machines: each namespace has its own interfaces, routes and sysctls"),
	MAKE_NETNS("xl-client"),
	MAKE_NETNS("xl-router"),
	MAKE_NETNS("xl-server"),
	SAY("two cables: what enters one end of a veth pair leaves the other"),
	MAKE_WIRE("c0", "xl-client", "r0", "xl-router"),
	MAKE_WIRE("r1", "xl-router", "s0", "xl-server"),
	SAY("no duplicate address detection: IPv6 is usable at once, and so are the link-local addresses,"),
	SAY("from which a router asks for its neighbours"),
	RUN("ip netns exec xl-client sysctl -q net.ipv6.conf.c0.accept_dad=0"),
	RUN("ip netns exec xl-router sysctl -q net.ipv6.conf.r0.accept_dad=0"),
	RUN("ip netns exec xl-router sysctl -q net.ipv6.conf.r1.accept_dad=0"),
	RUN("ip netns exec xl-server sysctl -q net.ipv6.conf.s0.accept_dad=0"),
	SAY("a sender that leaves checksums (tx) or the cutting into segments (tso, gso) to the hardware"),
	SAY("hands over what no hardware here completes: redirected by XDP it would arrive broken"),
	RUN("ip netns exec xl-client ethtool -K c0 tx off tso off gso off"),
	RUN("ip netns exec xl-server ethtool -K s0 tx off tso off gso off"),
	SAY("what XDP redirects into one end of a pair, the other end receives only if GRO (or an XDP"),
	SAY("program) gives it a queue for that; otherwise it is dropped without a word"),
	RUN("ip netns exec xl-client ethtool -K c0 gro on"),
	RUN("ip netns exec xl-server ethtool -K s0 gro on"),
	SAY("plugged in and switched on"),
	RUN("ip -n xl-client link set lo up"),
	RUN("ip -n xl-router link set lo up"),
	RUN("ip -n xl-server link set lo up"),
	RUN("ip -n xl-client link set c0 up"),
	RUN("ip -n xl-router link set r0 up"),
	RUN("ip -n xl-router link set r1 up"),
	RUN("ip -n xl-server link set s0 up"),
};

/* When the links have carrier. */
static const struct step addresses[] = {
	SAY("addresses: the router is .1 and ::1 on either side"),
	RUN("ip -n xl-client address replace 10.0.1.2/24 dev c0"),
	RUN("ip -n xl-client address replace fd00:1::2/64 dev c0 nodad"),
	RUN("ip -n xl-router address replace 10.0.1.1/24 dev r0"),
	RUN("ip -n xl-router address replace fd00:1::1/64 dev r0 nodad"),
	RUN("ip -n xl-router address replace 10.0.2.1/24 dev r1"),
	RUN("ip -n xl-router address replace fd00:2::1/64 dev r1 nodad"),
	RUN("ip -n xl-server address replace 10.0.2.2/24 dev s0"),
	RUN("ip -n xl-server address replace fd00:2::2/64 dev s0 nodad"),
	SAY("whatever is not on the cable goes to the router"),
	RUN("ip -n xl-client route replace default via 10.0.1.1"),
	RUN("ip -n xl-client route replace default via fd00:1::1"),
	RUN("ip -n xl-server route replace default via 10.0.2.1"),
	RUN("ip -n xl-server route replace default via fd00:2::1"),
	SAY("and the router forwards"),
	RUN("ip netns exec xl-router sysctl -q net.ipv4.ip_forward=1"),
	RUN("ip netns exec xl-router sysctl -q net.ipv6.conf.all.forwarding=1"),
};
/* clang-format on */

static int run_shown(const char *command, bool verbose)
{
	if (verbose) {
		puts(command);
		fflush(stdout);
	}
	return run_command(command, NULL);
}

/* Says why run_command() returned @status. */
static void explain(const char *command, int status)
{
	if (status == -ENOENT)
		log_error("apt install iproute2 ethtool procps", "%.*s: no such program",
			  (int)strcspn(command, " "), command);
	else if (status < 0)
		log_error(NULL, "%s: %s", command, strerror(-status));
	else
		log_error("xdplife lab down, then xdplife lab up", "this failed (status %d): %s", status,
			  command);
}

static bool device_exists(const char *netns, const char *device)
{
	int here = netns_current();
	bool exists = false;

	if (here < 0)
		return false;
	if (!netns_enter(netns))
		exists = if_nametoindex(device) != 0;
	netns_return(here);
	return exists;
}

/* Returns 1, 0, or -ESTALE for a namespace of which only the name is left. */
static int step_is_done(const struct step *step)
{
	if (!step->netns)
		return 0;
	return step->device ? device_exists(step->netns, step->device) : netns_exists(step->netns);
}

/* Return: 0 if what the step made is gone, also where something else removed it meanwhile; EXIT_FAILED. */
static int undo_step(const struct step *step, bool verbose)
{
	int status = run_shown(step->undo, verbose);

	if (!status || !step_is_done(step))
		return 0;
	explain(step->undo, status);
	return EXIT_FAILED;
}

/* In the exact reverse order. @made: which to undo; NULL: whatever is there. Return: 0 or EXIT_FAILED. */
static int undo_wires(const bool *made, bool verbose)
{
	int result = 0;

	for (size_t i = COUNT_OF(wires); i-- > 0;) {
		const struct step *step = &wires[i];

		if (step->undo && (made ? made[i] : step_is_done(step)) && undo_step(step, verbose))
			result = EXIT_FAILED;
	}
	return result;
}

/* Sets @made if this made what was not there before. */
static int run_step(const struct step *step, bool *made, bool verbose)
{
	int status;

	if (*step->command == '#' || step_is_done(step))
		return 0;
	status = run_shown(step->command, verbose);
	if (status) {
		explain(step->command, status);
		return EXIT_FAILED;
	}
	*made = step->undo != NULL;
	return 0;
}

static int run_steps(const struct step *steps, size_t count, bool *made, bool verbose)
{
	for (size_t i = 0; i < count; i++)
		if (run_step(&steps[i], &made[i], verbose))
			return EXIT_FAILED;
	return 0;
}

static void show(const struct step *steps, size_t count)
{
	const char *dim = terminal_style(stdout, STYLE_DIM), *reset = terminal_style(stdout, STYLE_RESET);

	for (size_t i = 0; i < count; i++)
		printf("%s%s%s\n", *steps[i].command == '#' ? dim : "", steps[i].command,
		       *steps[i].command == '#' ? reset : "");
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static bool is_running(const char *device)
{
	struct iface iface;

	return !iface_get(device, &iface) && iface.running;
}

/* Looks whenever the kernel says that a link has changed. @socket hears that already, so that no change is
 * missed. */
static int wait_running(struct mnl_socket *socket, const char *device)
{
	struct pollfd changed = {.fd = mnl_socket_get_fd(socket), .events = POLLIN};
	int64_t deadline_ms = now_ms() + CARRIER_WAIT_MS, left_ms;
	char buffer[SCRATCH_BYTES];

	while (!is_running(device)) {
		left_ms = deadline_ms - now_ms();
		if (left_ms <= 0)
			return -ETIMEDOUT;
		if (poll(&changed, 1, (int)left_ms) > 0)
			mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
	}
	return 0;
}

/* In the namespace of the port. */
static int wait_port_running(const char *device)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	int error;

	if (!socket)
		return -errno;
	error = mnl_socket_bind(socket, RTMGRP_LINK, MNL_SOCKET_AUTOPID) ? -errno : 0;
	if (!error)
		error = wait_running(socket, device);
	mnl_socket_close(socket);
	return error;
}

static int wait_for_carrier(void)
{
	for (size_t i = 0; i < LAB_PORTS; i++) {
		int here = netns_current(), error = here < 0 ? here : netns_enter(lab_ports[i].netns);

		if (!error)
			error = wait_port_running(lab_ports[i].name);
		if (here >= 0)
			netns_return(here);
		if (error) {
			log_error("xdplife lab down, then xdplife lab up", "%s: no carrier after %d s: %s",
				  lab_ports[i].name, CARRIER_WAIT_MS / 1000, strerror(-error));
			return EXIT_FAILED;
		}
	}
	return 0;
}

void lab_show_build(void)
{
	show(wires, COUNT_OF(wires));
	show(addresses, COUNT_OF(addresses));
}

void lab_show_remove(void)
{
	for (size_t i = COUNT_OF(wires); i-- > 0;)
		if (wires[i].undo)
			puts(wires[i].undo);
}

/*
 * A namespace that goes takes its cables along, but in its own time: where one is gone, or only its name is
 * left, the other end that is still seen may vanish under our hands.
 */
static bool has_lost_a_namespace(void)
{
	int named = 0, alive = 0, all = 0;

	for (size_t i = 0; i < COUNT_OF(wires); i++) {
		if (!wires[i].netns || wires[i].device)
			continue;
		all++;
		named += netns_exists(wires[i].netns) != 0;
		alive += netns_exists(wires[i].netns) == 1;
	}
	return named && alive < all;
}

int lab_build(bool verbose)
{
	bool made[COUNT_OF(wires)] = {0}, none[COUNT_OF(addresses)];

	if (has_lost_a_namespace() && undo_wires(NULL, verbose))
		return EXIT_FAILED;
	if (!run_steps(wires, COUNT_OF(wires), made, verbose) && !wait_for_carrier() &&
	    !run_steps(addresses, COUNT_OF(addresses), none, verbose))
		return 0;
	undo_wires(made, verbose);
	return EXIT_FAILED;
}

int lab_remove(bool verbose)
{
	return undo_wires(NULL, verbose);
}
