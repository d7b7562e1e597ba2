#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The life of one packet, end to end: a page is fetched through a router, and every claim about it is proven.
#
#    client  c0 ──────── r0  router  r1 ──────── s0  server
#    xdplife fetch       xdplife forward         nginx
#
# The exit status is that of the story: 0 only if every line of the checklist at its end is true.
set -euo pipefail

usage() {
	cat <<-END
	usage: tests/demo.sh [--ipv6] [--no-kernel-forwarding] [--keep DIR] BINARY

	  --ipv6                  the same over IPv6
	  --no-kernel-forwarding  the router's kernel does not forward: only XDP does
	  --keep DIR              leave the captures, the page and the outputs in DIR

	example: tests/demo.sh --ipv6 build/xdplife
	END
}

arguments=("$@")
family=4 kernel_forwarding=1 keep='' binary=''
while [ $# -gt 0 ]; do
	case $1 in
	--ipv6) family=6 ;;
	--no-kernel-forwarding) kernel_forwarding=0 ;;
	--keep) keep=${2:?--keep needs a directory}; shift ;;
	-h | --help) usage; exit 0 ;;
	-*) usage >&2; exit 2 ;;
	*) binary=$1 ;;
	esac
	shift
done
[ -n "$binary" ] || { usage >&2; exit 2; }
[ -x "$binary" ] || { echo "demo: $binary is not there; try: make" >&2; exit 1; }
[ "$(id -u)" = 0 ] || { echo "demo: namespaces and BPF need root; try: sudo make demo" >&2; exit 3; }
binary=$(realpath "$binary")

# A /run/netns of its own, where the names of network namespaces are: a lab that is up stays as it is, and whatever is
# left of this one goes with the script, however it ends.
if [ "${XDPLIFE_DEMO_MOUNTS:-}" != "$PPID" ]; then
	mkdir -p /run/netns
	XDPLIFE_DEMO_MOUNTS=$PPID exec unshare --mount --propagation private "$0" "${arguments[@]}"
fi
mount -t tmpfs tmpfs /run/netns

if [ $family = 4 ]; then
	client=10.0.1.2 server=10.0.2.2 url=http://10.0.2.2/ ip=ip ttl=ip.ttl
	forwarded_by_kernel=IpForwDatagrams hop_limit='TTL'
else
	client=fd00:1::2 server=fd00:2::2 url='http://[fd00:2::2]/' ip=ipv6 ttl=ipv6.hlim
	forwarded_by_kernel=Ip6OutForwDatagrams hop_limit='hop limit'
fi

# --- how it looks --------------------------------------------------------------------------------------------------------

bold='' dim='' good='' bad='' name='' reset=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
	bold=$'\e[1m' dim=$'\e[2m' good=$'\e[32m' bad=$'\e[31m' name=$'\e[36m' reset=$'\e[0m'
	export CLICOLOR_FORCE=1 # what xdplife prints goes through a pipe or a file first
fi

chapter=0
heading() {
	chapter=$((chapter + 1))
	printf '\n%s%s%d  %s%s\n' "$bold" "$name" $chapter "$1" "$reset"
	printf '%s   %s%s\n\n' "$dim" "$2" "$reset"
}

say() { printf '   %s\n' "$*"; }
indent() { sed 's/^/   /'; }
plain() { sed 's/\x1b\[[0-9;]*m//g' "$@"; }

command_line() { printf '   %s$ %s%s\n\n' "$dim" "$*" "$reset"; } # what a person would type

on() { # MACHINE COMMAND...: quietly
	local machine=$1
	shift
	"$binary" lab run --in "$machine" -- "$@"
}

# --- leaving no trace ----------------------------------------------------------------------------------------------------

work=$(mktemp -d)
forward='' nginx=''

stop_forward() {
	[ -n "$forward" ] || return 0
	local pid=$forward
	forward=''
	kill -INT "$pid" 2>/dev/null || true
	wait "$pid"
}

stop_nginx() {
	[ -n "$nginx" ] || return 0
	local pid=$nginx
	nginx=''
	kill -QUIT "$pid" 2>/dev/null || true
	wait "$pid"
}

clean_up() {
	set +e
	stop_forward
	stop_nginx
	"$binary" lab down
	if [ -n "$keep" ]; then
		mkdir -p "$keep" && cp -r "$work/." "$keep"
	fi
	rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

wait_until() { # WHAT COMMAND...: looks every 20 ms, gives up after 10 s
	local what=$1 tries=500
	shift
	until "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || { echo "demo: waited in vain until $what" >&2; return 1; }
		sleep 0.02
	done
}

# --- the story -----------------------------------------------------------------------------------------------------------

build_lab() {
	heading 'The lab' 'three machines in three network namespaces, two cables (veth pairs)'
	"$binary" lab down
	command_line xdplife lab up
	"$binary" lab up | indent
	if [ $kernel_forwarding = 0 ]; then
		on router sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0
		echo
		say "The router's kernel is told not to forward (ip_forward = 0): what arrives now, XDP has carried. The"
		say "kernel's route lookup refuses an interface that may not forward: xdplife forward allows it on its own"
		say "two while it runs, and puts that back."
	fi
}

# A page of some twenty kilobytes: a dozen segments. Numbered lines, so that one lost or twice would be seen.
write_page() {
	echo '<!doctype html><title>The life of a packet</title><h1>It arrived</h1><ol>'
	for line in $(seq -w 1 300); do
		echo "<li>line $line of a page that is longer than any single packet can be</li>"
	done
	echo '</ol>'
}

start_server() {
	mkdir "$work/www"
	write_page >"$work/www/index.html"
	cat >"$work/nginx.conf" <<-END
	user root;
	daemon off; # a child of ours, to be waited for
	pid $work/nginx.pid;
	error_log $work/nginx.log;
	events { }
	http {
		access_log $work/access.log;
		server { listen 80; listen [::]:80; root $work/www; default_type text/html; }
	}
	END
	heading 'The server' "nginx on $server, with a page of $(stat -c %s "$work/www/index.html") bytes"
	"$binary" lab run --in server -- nginx -e "$work/nginx.log" -c "$work/nginx.conf" &
	nginx=$!
	wait_until 'nginx runs' test -s "$work/nginx.pid"
	say "SHA-256 of the page   $(sha256sum <"$work/www/index.html" | cut -d' ' -f1)"
}

router_settings() {
	on router sysctl -n net.ipv4.{ip_forward,conf.{r0,r1}.forwarding} net.ipv6.conf.{all,r0,r1}.forwarding | paste -sd' '
}

forward_is_ready() {
	kill -0 "$forward" 2>/dev/null || { cat "$work/forward.txt" >&2; exit 1; }
	local port
	for port in r0 r1; do
		ip -n xl-router -j -d link show "$port" | grep -q '"xdp":{' || return 1
	done
}

start_router() {
	heading 'The router' 'XDP: each frame is routed before the kernel has made a packet of it'
	settings_before=$(router_settings)
	# It has talked to both of its neighbours before, as any router in service has, and so knows their MAC addresses.
	on router ping -q -c 1 -W 2 "$client" >"$work/ping.txt"
	on router ping -q -c 1 -W 2 "$server" >>"$work/ping.txt"
	command_line xdplife lab run --in router -- xdplife forward r0 r1 --trace --write router.pcapng
	# With job control a background command may be interrupted; without it, a shell lets it ignore SIGINT.
	set -m
	"$binary" lab run --in router -- "$binary" forward r0 r1 --trace --write "$work/router.pcapng" \
		>"$work/forward.txt" 2>&1 &
	forward=$!
	set +m
	wait_until 'an XDP program is on r0 and r1' forward_is_ready
	"$binary" lab status | plain | awk '$1 == "r0" || $1 == "r1" || $1 == "port"' | indent
}

fetch_page() {
	heading 'The client' "fetches $url: every packet made by hand, past the kernel's own TCP (AF_XDP)"
	command_line "xdplife lab run -- xdplife fetch --output page $url"
	fetch_status=0
	on client "$binary" fetch --output "$work/page" "$url" >"$work/fetch.txt" 2>&1 || fetch_status=$?
	indent <"$work/fetch.txt"
}

read_trace() {
	heading 'What the router saw' 'the connection as it happened, and where each frame went'
	forward_status=0
	stop_forward || forward_status=$?
	indent <"$work/forward.txt"
	plain "$work/forward.txt" >"$work/forward.plain"
}

# --- the witness: tshark did not write the capture, and did not send the packets ---------------------------------------------

dissect() { # FILE ARGUMENTS...
	local file=$1
	shift
	tshark -n -r "$file" -o tcp.check_checksum:TRUE -o ip.check_checksum:TRUE "$@" 2>>"$work/tshark.log"
}

# What the checklist needs of each segment, a line each; the names of the columns are those of column() below.
table() { # r0|r1
	dissect "$work/$1.pcapng" -T fields -E separator='|' -E occurrence=f -e $ip.src -e $ttl -e tcp.flags \
		-e tcp.analysis.flags -e tcp.analysis.window_update -e tcp.checksum.status -e ip.checksum.status \
		-e tcp.completeness -e http.response.code -e tcp.len -e frame.time_relative -e frame.len \
		-e _ws.col.Info >"$work/$1.table"
}

# Prints a column of a table, of the lines where an awk condition on the columns holds.
column() { # r0|r1 COLUMN [CONDITION]
	awk -F'|' "{ source = \$1; hops = \$2; flags = \$3; remark = \$4 && !\$5; sum = \$6; ip_sum = \$7
		complete = \$8; code = \$9; payload = \$10; reset = flags ~ /[4567cdef]\$/ } ${3:-1} { print $2 }" "$work/$1.table"
}

both() { # CONDITION: how many on r0 and on r1
	echo "$(column r0 flags "$1" | wc -l) + $(column r1 flags "$1" | wc -l)"
}

hops_from() { # r0|r1 SOURCE: the different hop limits, normally one
	column "$1" hops "source == \"$2\"" | sort -u | paste -sd,
}

ask_witness() {
	heading 'What Wireshark says' 'capinfos and tshark read the capture of the router'
	capinfos "$work/router.pcapng" >"$work/capinfos.txt" 2>>"$work/tshark.log" || true
	grep -E '^(File type|File timestamp|Number of packets|Strict time order|Capture app)|Name =' "$work/capinfos.txt" | indent
	# The router sees each packet twice, coming and going: one file for each side is what one host would see.
	local side
	for side in r0 r1; do
		dissect "$work/router.pcapng" -Y "frame.interface_name == \"$side\" && tcp" -w "$work/$side.pcapng"
		table $side
	done
	echo
	say "${bold}on r0, towards the client${reset}"
	awk -F'|' '{ gsub(/ TS(val|ecr)=[0-9]+/, "", $13)
		printf "%10.6f s  from %-10s %5d bytes  %.78s\n", $11, $1, $12, $13 }' "$work/r0.table" | indent
	dissect "$work/r0.pcapng" -q --export-objects "http,$work/objects" >/dev/null
}

explain_sample() {
	heading 'A packet, byte by byte' 'a SYN to a telnet server, as a book of the nineties printed it'
	local bytes='45 10 00 2C 24 B2 00 00 40 06 FD DF AC 10 00 09 AC 10 00 01 04 47 00 17'
	bytes+=' 60 C6 DF 90 00 00 00 00 60 02 02 00 F9 46 00 00 02 04 05 B4'
	decode_status=0
	command_line "xdplife decode --hex '${bytes:0:24}…'"
	"$binary" decode --hex "$bytes" >"$work/decode.txt" 2>&1 || decode_status=$?
	indent <"$work/decode.txt"
}

# --- the checklist ---------------------------------------------------------------------------------------------------------

failed=0
check() { # CLAIM PROOF COMMAND...: true if the command is
	local claim=$1 proof=$2 mark
	shift 2
	if "$@"; then
		mark="$good✔$reset"
	else
		mark="$bad✘$reset"
		failed=$((failed + 1))
	fi
	printf '   %s  %-46s %s%s%s\n' "$mark" "$claim" "$dim" "$proof" "$reset"
}

hash_of() {
	[ -f "$1" ] && sha256sum <"$1" | cut -d' ' -f1 || echo none
}

check_page() {
	local sent got seen code
	sent=$(hash_of "$work/www/index.html")
	got=$(hash_of "$work/page")
	seen=$(hash_of "$(find "$work/objects" -type f | head -n 1)")
	code=$(column r0 code code | paste -sd,)
	check 'the page arrived byte for byte' "SHA-256 ${got:0:16}… here, ${sent:0:16}… on the server" \
		[ "$fetch_status $got" = "0 $sent" ]
	check 'tshark finds the same page in the capture' "HTTP ${code:-nothing}, SHA-256 ${seen:0:16}…" \
		[ "$code $seen" = "200 $sent" ]
}

check_connection() {
	local flags complete remarks resets wrong_sums right_sums all kernel_resets
	flags=$(column r0 flags | head -n 3 | paste -sd' ')
	complete=$(column r0 complete | tail -n 1)
	remarks=$(both remark)
	resets=$(both reset)
	kernel_resets=$(on client nstat -asz TcpOutRsts | awk '$1 == "TcpOutRsts" { print $2 }')
	all=$(both 1)
	right_sums=$(both 'sum == 1')
	wrong_sums=$(both 'sum == 0 || ip_sum == "0"')
	check 'SYN, SYN-ACK, ACK; data; FIN both ways' "flags $flags, completeness ${complete:-none} of 31" \
		[ "$flags $complete" = '0x0002 0x0012 0x0010 31' ]
	check 'nothing lost, repeated or out of order' "$remarks remarks of tshark on $all segments (r0 + r1)" \
		[ "$remarks" = '0 + 0' -a "$all" != '0 + 0' ]
	check 'the kernel sent no RST' "$resets in the capture; TcpOutRsts of the client's kernel: $kernel_resets" \
		[ "$resets $kernel_resets" = '0 + 0 0' -a "$all" != '0 + 0' ]
	check 'every checksum is right' "$right_sums good, $wrong_sums bad" \
		[ "$wrong_sums $right_sums" = "0 + 0 $all" -a "$all" != '0 + 0' ]
}

check_router() {
	local there back kernel forwarded entered residues
	there="$(hops_from r0 $client) on r0, $(hops_from r1 $client) on r1"
	back="$(hops_from r1 $server) on r1, $(hops_from r0 $server) on r0"
	kernel=$(on router nstat -asz $forwarded_by_kernel | awk -v name=$forwarded_by_kernel '$1 == name { print $2 }')
	forwarded=$(awk '$1 == "forwarded" { print $2; exit }' "$work/forward.plain")
	entered=$(($(column r0 flags "source == \"$client\"" | wc -l) + $(column r1 flags "source == \"$server\"" | wc -l)))
	residues=$(awk '$1 == "residue" { print $2 }' "$work/forward.plain" | paste -sd' ')
	check "the $hop_limit fell by one" "there: $there; back: $back" \
		[ "$there; $back" = '64 on r0, 63 on r1; 64 on r1, 63 on r0' ]
	check 'XDP did the forwarding, not the kernel' \
		"${forwarded:-none} frames by XDP, $entered in the capture, $kernel by the kernel" \
		[ "${forwarded:-none} $kernel" = "$entered 0" -a "$entered" != 0 ]
	check 'the ledger closed' "residues ${residues:-not printed}; forward's exit status $forward_status" \
		[ "$forward_status ${residues//[ 0]/}${residues:+printed}" = '0 printed' ]
}

# The last event of the trace, "closed ... → N packets N bytes, ← N packets N bytes", against tshark's count.
check_trace() {
	local printed seen source
	printed=$(awk '/ closed /' "$work/forward.plain" | { grep -oE '[0-9]+ (packets|bytes)' || true; } | paste -sd' ')
	seen=$(for source in $client $server; do
		column r0 payload "source == \"$source\"" | awk '{ bytes += $1 } END { print NR " packets " bytes + 0 " bytes" }'
	done | paste -sd' ')
	check 'the trace and tshark counted the same' "${printed:-nothing}; tshark: $seen" [ "$printed" = "$seen" ]
}

check_leftovers() {
	local programs complaints packets order settings
	programs=$(for port in r0 r1; do ip -n xl-router -j -d link show $port; done | grep -c '"xdp":{' || true)
	complaints=$(grep -cv 'Running as user "root"' "$work/tshark.log" || true)
	packets=$(awk -F': *' '$1 == "Number of packets" { print $2 }' "$work/capinfos.txt")
	order=$(awk -F': *' '$1 == "Strict time order" { print $2 }' "$work/capinfos.txt")
	check 'capinfos and tshark read it without complaint' "${packets:-no} packets, $complaints complaints, strict time order: $order" \
		[ "$complaints $order" = '0 True' -a "${packets:-0}" -gt 0 ]
	settings=$(router_settings)
	check 'nothing is left of it on the router' "$programs XDP programs; forwarding $settings, before $settings_before" \
		[ "$programs $settings" = "0 $settings_before" ]
	check 'the sample packet is explained' "decode's exit status $decode_status" [ "$decode_status" = 0 ]
}

build_lab
start_server
start_router
fetch_page
read_trace
ask_witness
explain_sample
heading 'The checklist' 'what was claimed, and what proves it'
check_page
check_connection
check_router
check_trace
check_leftovers
echo
if [ $failed = 0 ]; then
	say "${good}${bold}All of it is true.${reset}"
else
	say "${bad}${bold}$failed of these claims did not hold.${reset}"
	exit 1
fi
