#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The BPF tests and the lab's story on the kernel that Debian ships, in qemu: tests/kernel.sh BUILD_DIR
#
# The kernel is fetched as a package and not installed; the machine is an initramfs of busybox, iproute2, this build
# and the libraries that they need. Slow without KVM: about a minute.
set -euo pipefail

build=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
modules="drivers/net/veth net/sched/sch_ingress net/sched/cls_bpf"

say() { printf '%s\n' "$*"; }

fetch_kernel() {
	local package
	package=$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends: linux-image/ { print $2; exit }')
	(cd "$work" && apt-get download -qq "$package" 2>/dev/null && dpkg-deb -x "$package"*.deb kernel)
	say "kernel: $package"
}

install_file() {
	mkdir -p "$root$(dirname "$2")"
	cp -L "$1" "$root$2"
}

install_program() {
	install_file "$1" "$2"
	{ ldd "$1" || true; } 2>/dev/null | awk '/=> \// { print $3 } $1 ~ /^\// { print $1 }' | while read -r library; do
		install_file "$library" "$library"
	done
}

make_root() {
	local test module
	mkdir -p "$root"/{proc,sys,dev,tmp,run}
	install_program "$(command -v dash)" /bin/sh
	install_program "$(command -v busybox)" /bin/busybox
	install_program "$(command -v ip)" /sbin/ip
	install_program "$(command -v tc)" /sbin/tc
	install_program "$(command -v ethtool)" /sbin/ethtool
	install_program "$build/xdplife" /bin/xdplife
	for test in "$build"/tests/bpf/test_*; do
		[ -x "$test" ] && install_program "$test" "/tests/$(basename "$test")"
	done
	for module in $modules; do
		install_file "$work"/kernel/lib/modules/*/kernel/"$module".ko "/modules/$(basename "$module").ko"
	done
	install_file "$(dirname "$0")/kernel-init.sh" /init
	(cd "$root" && find . | cpio --quiet -o -H newc | gzip -1) >"$work/initrd"
}

boot() {
	timeout 300 qemu-system-x86_64 -m 1024 -nographic -no-reboot -kernel "$work"/kernel/boot/vmlinuz-* \
		-initrd "$work/initrd" -append 'console=ttyS0 quiet panic=-1' </dev/null | tr -d '\r' | tee "$work/log"
}

for tool in qemu-system-x86_64 busybox cpio dash; do
	command -v "$tool" >/dev/null || {
		say "$tool is missing; try: apt-get install qemu-system-x86 busybox-static cpio dash" >&2
		exit 3
	}
done
fetch_kernel
make_root
boot
grep -q '^everything held$' "$work/log"
