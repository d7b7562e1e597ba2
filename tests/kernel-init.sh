#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The first process of the machine that tests/kernel.sh boots.
/bin/busybox --install -s /bin 2>/dev/null # what is there stays
export PATH=/sbin:/bin LD_LIBRARY_PATH=/lib/x86_64-linux-gnu:/usr/lib/x86_64-linux-gnu NO_COLOR=1
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /run/netns /www
for module in /modules/*.ko; do insmod "$module"; done
bad=0

say() { printf '%s\n' "$*"; }

hold() { # NAME COMMAND...
	name=$1
	shift
	if "$@" >/tmp/out 2>&1; then
		say "ok     $name"
	else
		say "not ok $name"
		cat /tmp/out
		bad=1
	fi
}

say "kernel $(uname -r)"
for test in /tests/test_*; do hold "$(basename "$test")" "$test"; done

seq 1 4000 >/www/page
hold 'lab up' xdplife lab up
hold 'web server' xdplife lab run --in server -- httpd -p 80 -h /www
xdplife lab run --in router -- xdplife forward r0 r1 --trace --write /tmp/r.pcapng >/tmp/forward 2>&1 &
until grep -q 'forwarding on' /tmp/forward; do
	kill -0 $! || break
	sleep 0.1
done
hold 'fetch over IPv4' xdplife lab run -- xdplife fetch --output /tmp/page4 http://10.0.2.2/page
hold 'the same bytes' cmp /www/page /tmp/page4
hold 'fetch over IPv6' xdplife lab run -- xdplife fetch --output /tmp/page6 'http://[fd00:2::2]/page'
hold 'the same bytes' cmp /www/page /tmp/page6
kill -INT $!
wait $!
hold 'forward ended with a closed ledger' test $? = 0
cat /tmp/forward
hold 'trace' xdplife lab run -- xdplife trace c0 --duration 1

# Before 6.6 there is no tcx: trace has a clsact qdisc, which only its keeper removes after a SIGKILL.
clsact_there() { xdplife lab run -- tc qdisc show dev c0 | grep -q clsact; }
clsact_gone() {
	tries=100
	while clsact_there && [ $tries -gt 0 ]; do
		tries=$((tries - 1))
		sleep 0.1
	done
	! clsact_there
}
xdplife lab run -- xdplife trace c0 >/tmp/trace 2>&1 &
until grep -q 'tracing' /tmp/trace; do
	kill -0 $! || break
	sleep 0.1
done
case $(uname -r) in
[1-5].* | 6.[0-5].*) hold 'egress by clsact' clsact_there ;;
esac
kill -KILL $!
hold 'nothing left after SIGKILL' clsact_gone
hold 'generate' xdplife lab run -- xdplife generate c0 --to 10.0.1.1 --kind handshake --sink xl-router/r0 --count 30000
hold 'lab down' xdplife lab down
[ $bad = 0 ] && say 'everything held'
poweroff -f
