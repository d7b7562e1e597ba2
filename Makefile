# SPDX-License-Identifier: GPL-2.0-only
# xdplife: `make help` lists the targets. Everything that is built goes to build/; the binary is build/xdplife.

CLANG   ?= clang
BPFTOOL ?= $(shell command -v bpftool || echo /usr/sbin/bpftool)
PYTHON  ?= /usr/bin/python3
PREFIX  ?= /usr/local
BUILD   := build

VERSION   := $(shell git describe --always --dirty 2>/dev/null || echo 0.1)
BPF_COMPILER := $(shell $(CLANG) -dumpversion 2>/dev/null | sed 's/^/clang /')
LIBRARIES := libbpf libxdp libelf zlib libpcap libmnl jansson libcap-ng libmicrohttpd ncursesw
CFLAGS    ?= -O2 -g
WARNINGS  := -Wall -Wextra -Werror
INCLUDES  := -Iinclude -Iuser -I$(BUILD)/include
CPPFLAGS  += $(INCLUDES) -D_GNU_SOURCE -DXDPLIFE_VERSION='"$(VERSION)"' \
	-DXDPLIFE_BPF_COMPILER='"$(BPF_COMPILER)"' $(shell pkg-config --cflags $(LIBRARIES) 2>/dev/null)
LDLIBS     = $(shell pkg-config --libs $(LIBRARIES)) -lm
SANITIZE  := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

# The headers of the C library are under the multiarch directory on Debian; clang does not look there for BPF.
BPF_CFLAGS := -target bpf -mcpu=v3 -O2 -g $(WARNINGS) -Iinclude -Ibpf \
	$(if $(filter x86_64,$(shell uname -m)),-D__TARGET_ARCH_x86) \
	-I/usr/include/$(shell $(CC) -print-multiarch 2>/dev/null)

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-8s %s\n'
endif

USER_SOURCES := $(sort $(wildcard user/*.c user/*/*.c))
USER_OBJECTS := $(USER_SOURCES:%.c=$(BUILD)/%.o)
LIBRARY_OBJECTS := $(filter-out $(BUILD)/user/main.o,$(USER_OBJECTS))
BPF_SOURCES  := $(wildcard bpf/*.bpf.c)
SKELETONS    := $(BPF_SOURCES:bpf/%.bpf.c=$(BUILD)/include/%.skel.h)
UNIT_TESTS   := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/unit/test_*.c)))
ASAN_TESTS   := $(UNIT_TESTS:$(BUILD)/%=$(BUILD)/asan/%)
EMBEDDED     := $(BUILD)/include/trace_schema.inc
BPF_TESTS    := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/bpf/test_*.c)))
NET_HELPERS  := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/net/*.c)))
FUZZERS      := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
FUZZ_SECONDS ?= 60

PROMTOOL     := $(BUILD)/tools/promtool

.DELETE_ON_ERROR:
.PRECIOUS: $(BUILD)/%.o $(BUILD)/bpf/%.bpf.o $(BUILD)/include/%.skel.h
.PHONY: help deps all demo test test-kernel fuzz bench bench-gate bench-observe install clean

all: $(BUILD)/xdplife  ## build everything (the default)

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo '  V=1 shows the commands; DESTDIR and PREFIX are for install'

# --- what it needs ---------------------------------------------------------------------------------------------------

APT_PACKAGES := gcc libc6-dev make pkg-config git clang llvm bpftool libbpf-dev libxdp-dev libelf-dev zlib1g-dev \
	libpcap-dev libmnl-dev libjansson-dev libcap-ng-dev libmicrohttpd-dev libncurses-dev libcmocka-dev iproute2 \
	ethtool procps iputils-ping netbase nginx-light curl tcpdump tshark python3 python3-pytest python3-scapy \
	python3-jsonschema python3-prometheus-client libclang-rt-dev
DNF_PACKAGES := gcc make pkgconf-pkg-config git clang llvm bpftool libbpf-devel libxdp-devel elfutils-libelf-devel \
	zlib-devel libpcap-devel libmnl-devel jansson-devel libcap-ng-devel libmicrohttpd-devel ncurses-devel \
	libcmocka-devel iproute ethtool procps-ng iputils nginx curl tcpdump wireshark-cli python3 python3-pytest \
	python3-scapy python3-jsonschema python3-prometheus_client libasan libubsan compiler-rt

# The policy keeps Debian from starting nginx as a service: it is wanted for the lab, not for this machine's port 80.
deps:  ## install what is missing: apt (tried), dnf (names given, untried)
	@if command -v apt-get >/dev/null; then \
		missing=$$(for p in $(APT_PACKAGES); do \
			dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
		[ -n "$$missing" ] || exit 0; \
		echo "installing:" $$missing; \
		policy=/usr/sbin/policy-rc.d; \
		if [ ! -e $$policy ]; then \
			printf '#!/bin/sh\nexit 101\n' >$$policy && chmod 755 $$policy && trap "rm -f $$policy" EXIT; \
		fi; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
			apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	elif command -v dnf >/dev/null; then \
		echo "dnf: these package names are untried"; dnf install -y $(DNF_PACKAGES); \
	else \
		echo "neither apt-get nor dnf here; install the likes of: $(APT_PACKAGES)" >&2; exit 1; \
	fi
	@[ -x $(PROMTOOL) ] || $(MAKE) --no-print-directory $(PROMTOOL)

# Out of its package and no more: that, once installed, is a server on port 9090 from the next boot on.
$(PROMTOOL):
	$(say) TOOL $@
	$(Q)mkdir -p $(@D)
	$(Q)if command -v promtool >/dev/null; then \
		ln -s "$$(command -v promtool)" $@; \
	elif command -v apt-get >/dev/null; then \
		unpacked=$$(mktemp -d) && trap "rm -rf $$unpacked" EXIT && cd $$unpacked && \
		apt-get download -qq -o APT::Sandbox::User=root prometheus && dpkg-deb -x prometheus_*.deb . && \
		cp usr/bin/promtool $(abspath $@); \
	else \
		echo "no promtool here: the test of --metrics that needs it will be skipped" >&2; \
	fi

# --- build -----------------------------------------------------------------------------------------------------------

$(BUILD)/xdplife: $(USER_OBJECTS)
	$(say) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/bpf/%.bpf.o: bpf/%.bpf.c
	$(say) BPF $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/include/%.skel.h: $(BUILD)/bpf/%.bpf.o
	$(say) SKEL $@
	$(Q)mkdir -p $(@D)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf >$@

# A text file as a C string.
$(BUILD)/include/%.inc: user/out/%.json
	$(say) EMBED $@
	$(Q)mkdir -p $(@D)
	$(Q)sed 's/\\/\\\\/g; s/"/\\"/g; s/.*/"&\\n"/' $< >$@

$(BUILD)/user/%.o: user/%.c | $(SKELETONS) $(EMBEDDED)
	$(say) CC $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(WARNINGS) -MMD -MP -c -o $@ $<

$(BUILD)/asan/user/%.o: user/%.c | $(SKELETONS) $(EMBEDDED)
	$(say) CC $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -O1 -g $(SANITIZE) $(WARNINGS) -MMD -MP -c -o $@ $<

# --- tests -----------------------------------------------------------------------------------------------------------

# One archive of everything but main: each test links what it uses of it.
$(BUILD)/libuser.a: $(LIBRARY_OBJECTS)
	$(Q)rm -f $@ && ar rcs $@ $^

$(BUILD)/asan/libuser.a: $(LIBRARY_OBJECTS:$(BUILD)/%=$(BUILD)/asan/%)
	$(Q)rm -f $@ && ar rcs $@ $^

$(BUILD)/tests/%: tests/%.c $(BUILD)/libuser.a
	$(say) TEST $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(WARNINGS) -MMD -MP -o $@ $< $(BUILD)/libuser.a -lcmocka $(LDLIBS)

$(BUILD)/asan/tests/%: tests/%.c $(BUILD)/asan/libuser.a
	$(say) TEST $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -O1 -g $(SANITIZE) $(WARNINGS) -MMD -MP -o $@ $< $(BUILD)/asan/libuser.a -lcmocka $(LDLIBS)

# What a target needs of user/ stands in its first lines: "// links: user/a/b.c user/a/c.c".
FUZZ_CFLAGS := -O1 -g $(SANITIZE) -fsanitize=fuzzer $(WARNINGS)

$(BUILD)/tests/fuzz/%: tests/fuzz/%.c $(wildcard include/xdplife/*.h tests/rows/*.h user/*/*.[ch]) | $(SKELETONS)
	$(say) FUZZ $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(CPPFLAGS) $(FUZZ_CFLAGS) -o $@ $< $$(sed -n 's,^// links: ,,p' $<) $(LDLIBS)

# gcc has compiled everything by then; clang looks at it again, for it warns of other things.
.PHONY: warnings
warnings: $(SKELETONS) $(EMBEDDED)
	$(say) CLANG 'no warning in user/'
	$(Q)$(CLANG) $(CPPFLAGS) $(WARNINGS) -fsyntax-only $(USER_SOURCES)

.PHONY: test-programs
test-programs: all $(UNIT_TESTS) $(ASAN_TESTS) $(BPF_TESTS) $(NET_HELPERS) $(FUZZERS)

# Recursive, so that what `deps` has installed is seen by the pkg-config calls above.
test: deps  ## install what is missing, build, run every test
	$(Q)$(MAKE) --no-print-directory test-programs warnings
	$(Q)$(PYTHON) tests/run.py $(BUILD)

test-kernel: all $(BPF_TESTS)  ## the BPF tests and the lab on Debian 12's own kernel, in qemu
	$(Q)tests/kernel.sh $(BUILD)

demo: deps  ## install what is missing, build, run the whole story in network namespaces
	$(Q)$(MAKE) --no-print-directory all
	$(Q)tests/demo.sh $(BUILD)/xdplife

bench: deps  ## install what is missing, build, measure each path as a fraction of a blind redirect
	$(Q)$(MAKE) --no-print-directory all
	$(Q)$(BUILD)/xdplife bench $(BENCH)

bench-observe: all  ## try the observer: a flood of SYNs, a large capture next to tshark, the most connections a second
	$(Q)$(PYTHON) tests/flood.py
	$(Q)$(PYTHON) tests/read_speed.py $(BUILD)/xdplife
	$(Q)$(PYTHON) tests/handshake_rate.py

bench-gate: all  ## try the bench's gate: 20 runs beside a CPU hog, 20 with the forward stage slowed down
	$(Q)$(PYTHON) tests/gate_trial.py $(BUILD)/xdplife $(BENCH)

fuzz: deps  ## install what is missing, build, run each fuzz target for FUZZ_SECONDS (60), all at once
	$(Q)$(MAKE) --no-print-directory $(FUZZERS)
	$(Q)FUZZ_SECONDS=$(FUZZ_SECONDS) $(PYTHON) tests/run.py $(BUILD) --only fuzz

install: all  ## install the binary to $(DESTDIR)$(PREFIX)/bin
	$(Q)install -D -m 755 $(BUILD)/xdplife $(DESTDIR)$(PREFIX)/bin/xdplife

clean:  ## remove build/
	$(Q)rm -rf $(BUILD)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
