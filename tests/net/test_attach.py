# SPDX-License-Identifier: GPL-2.0-only
"""Attachment: nothing is left behind, however it ends; and what cannot work is said with its cure.

    left a0 ----- b0 middle b1 ----- c0 right       forward runs between b0 and b1
"""
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import stat
import subprocess

import pytest

from hosts import BPFTOOL, READY, XDPLIFE, Network, address, cable, connect, listening, program_exists, receive, run
from hosts import talk, wait_until

TRACE = ("trace", "b0", "b1")
FORWARD = ("forward", "b0", "b1")
FORWARD_TRACE = ("forward", "b0", "b1", "--trace")
JOBS = [TRACE, FORWARD, FORWARD_TRACE]
NOBODY = "65534"


class Line(Network):
    def build(self):
        self.left, self.middle, self.right = self.host("left"), self.host("middle"), self.host("right")
        cable(self.left, "a0", self.middle, "b0")
        cable(self.middle, "b1", self.right, "c0")
        address(self.left, "a0", "10.7.1.2/24", "fd07:1::2/64")
        address(self.middle, "b0", "10.7.1.1/24", "fd07:1::1/64")
        address(self.middle, "b1", "10.7.2.1/24", "fd07:2::1/64")
        address(self.right, "c0", "10.7.2.2/24", "fd07:2::2/64")
        self.left.run("ip", "route", "add", "default", "via", "10.7.1.1")
        self.right.run("ip", "route", "add", "default", "via", "10.7.2.1")


@pytest.fixture
def line():
    with Line() as net:
        yield net


@pytest.fixture(scope="module")
def shared():
    """For tests that leave it as they found it."""
    with Line() as net:
        yield net


@contextlib.contextmanager
def plain(host, *arguments, stdout=subprocess.PIPE, **options):
    """xdplife with a stdout that nobody reads, until the test does."""
    process = subprocess.Popen(host.command(XDPLIFE, *arguments), text=True, stdout=stdout, stderr=subprocess.PIPE,
                               **options)
    with process:
        try:
            yield process
        finally:
            process.kill()


def errors(stderr):
    """Each message without the name that it begins with, and without what the tables take of the memory here."""
    return [re.sub(r", room for 65536 open and 65536 half-open connections in \d+ MiB;", ";", line)
            .removeprefix("xdplife: ") for line in stderr.splitlines()]


def expect_nothing_attached(host, *interfaces):
    for interface in interfaces:
        assert "xdp" not in host.link(interface)
    hooks = json.loads(host.run(BPFTOOL, "-j", "net", "show").stdout)
    assert not [hook for kind in hooks for found in kind.values() for hook in found
                if hook.get("devname") in interfaces]
    for interface in interfaces:
        assert "clsact" not in host.run("tc", "qdisc", "show", "dev", interface).stdout


# --- nothing is left behind -------------------------------------------------------------------------------------------

@pytest.mark.parametrize("how", ["duration", signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
@pytest.mark.parametrize("job", JOBS, ids=" ".join)
def test_nothing_is_left(shared, job, how):
    """The programs themselves are gone, so no hook of whatever kind can hold them: XDP, tcx, tracepoints."""
    ends_itself = how == "duration"
    run_it = shared.middle.xdplife(*job, *(["--duration", "1"] if ends_itself else [])).wait_ready()
    programs = run_it.programs()
    assert len(programs) >= 2 + 2 * ("forward" not in job or "--trace" in job)
    if not ends_itself:
        for interface in ("b0", "b1"):
            assert shared.middle.link(interface)["xdp"]["mode"] == 1  # native
        assert all(program_exists(program) for program in programs)
    status = run_it.wait() if ends_itself else run_it.stop(how)
    assert status == (-signal.SIGKILL if how == signal.SIGKILL else 0)
    wait_until(lambda: not any(program_exists(program) for program in programs), "the kernel to free the programs")
    expect_nothing_attached(shared.middle, "b0", "b1")


def test_nothing_is_left_when_killed_under_traffic(line):
    with listening(line.middle, "10.7.1.1") as listener:
        client = connect(line.left, *listener.getsockname())
        server, _ = listener.accept()
        with client, server:
            trace = line.middle.xdplife("trace", "b0", "--json", "--packets").wait_ready()
            programs = trace.programs()
            client.sendall(b"x" * 40_000)
            trace.wait_for('"packet"')
            assert trace.stop(signal.SIGKILL) == -signal.SIGKILL
            wait_until(lambda: not any(program_exists(program) for program in programs), "the programs to go")
            expect_nothing_attached(line.middle, "b0")
            # and the connection has not noticed
            assert len(receive(server, 40_000)) == 40_000
            server.sendall(b"still here")
            assert receive(client, 10) == b"still here"


def test_the_second_signal_kills(shared):
    """Ctrl-C twice ends what hangs: here because nobody reads its output."""
    with plain(shared.middle, "trace", "b0", "--json", "--packets", pipesize=4096) as trace:
        assert READY in trace.stderr.readline()
        talk(shared.left, shared.middle, "10.7.1.1", b"q", b"r" * 300_000)
        trace.send_signal(signal.SIGINT)
        wait_until(lambda: _is_caught(trace.pid, signal.SIGINT) is False, "the first signal to arrive")
        trace.send_signal(signal.SIGINT)
        assert trace.wait(timeout=20) == -signal.SIGINT
    wait_until(lambda: "xdp" not in shared.middle.link("b0"), "the program to go")


def _is_caught(pid, which):
    with open(f"/proc/{pid}/status") as status:
        caught = re.search(r"^SigCgt:\s*(\S+)", status.read(), re.M)[1]
    return bool(int(caught, 16) & 1 << which - 1)


# --- usage ------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("arguments, status, message", [
    (["trace", "nope"], 1, "nope: no such interface; try: ip link (in the right network namespace?)"),
    (["trace", "a-name-too-long-for-any"], 1,
     "a-name-too-long-for-any: no such interface; try: ip link (in the right network namespace?)"),
    (["trace", "b0", "nope"], 2, "nope: no such interface, and as the beginning of FILTER: can't parse filter "
     "expression: syntax error; try: `ip -br link` for the interfaces, `man 7 pcap-filter` for filters"),
    (["forward", "b0", "nope"], 1, "nope: no such interface; try: ip link (in the right network namespace?)"),
    (["trace", "b0", "b0"], 2, "b0: given twice; try: name each interface once"),
    (["forward", "b0", "b0"], 2, "b0: given twice; try: name each interface once"),
])
def test_wrong_interfaces(shared, arguments, status, message):
    got, stderr = shared.middle.xdplife_fails(*arguments)
    assert (got, errors(stderr)) == (status, [message])
    expect_nothing_attached(shared.middle, "b0")


@pytest.mark.parametrize("arguments, message", [
    (["trace"], "xdplife trace: no interface given; `ip -br link` lists them"),
    (["forward"], "xdplife forward: no interfaces given; `ip -br link` lists them"),
    (["forward", "b0"], "xdplife forward: a router has at least two interfaces"),
    (["trace", "b0", "--bogus"], "xdplife trace: unrecognized option '--bogus'"),
    (["trace", "b0", "--count", "0"], "xdplife trace: --count 0: not a positive whole number"),
    (["trace", "b0", "--count", "-1"], "xdplife trace: --count -1: not a positive whole number"),
    (["trace", "b0", "--count", "9x"], "xdplife trace: --count 9x: not a positive whole number"),
    (["trace", "b0", "--duration", "nan"], "xdplife trace: --duration nan: not a positive number of seconds"),
    (["trace", "b0", "--duration", "0"], "xdplife trace: --duration 0: not a positive number of seconds"),
    (["trace", "b0", "--duration", "1e99"], "xdplife trace: --duration 1e99: not a positive number of seconds"),
])
def test_usage(shared, arguments, message):
    got, stderr = shared.middle.xdplife_fails(*arguments)
    assert got == 2
    assert stderr.splitlines()[0] == message
    expect_nothing_attached(shared.middle, "b0")


# --- what is in the way -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("mode", ["xdpdrv", "xdpgeneric"])
def test_another_program(line, mode, tmp_path):
    """One that iproute2 has attached: it is left alone, and the cure that is named works."""
    source, program = tmp_path / "pass.c", tmp_path / "pass.o"
    source.write_text('__attribute__((section("xdp"), used)) int pass(void *ctx) { return 2; /* XDP_PASS */ }\n')
    run("clang", "-O2", "-g", "-target", "bpf", "-c", "-o", str(program), str(source))
    line.middle.run("ip", "link", "set", "b0", mode, "obj", str(program), "sec", "xdp")
    before = line.middle.link("b0")["xdp"]["prog"]["id"]
    got, stderr = line.middle.xdplife_fails("trace", "b0")
    word, off = ("native", "xdp") if mode == "xdpdrv" else ("generic", "xdpgeneric")
    cure = f"ip link set b0 {off} off"
    assert (got, errors(stderr)) == (1, [
        f"b0: another XDP program is attached (id {before}, {word}); "
        f"try: end the program that attached it (bpftool net; bpftool link), or: {cure}"])
    assert line.middle.link("b0")["xdp"]["prog"]["id"] == before
    line.middle.run(*cure.split())
    with line.middle.xdplife("trace", "b0"):
        pass


def test_a_second_instance(line):
    """It is refused; the first goes on as if nothing had been."""
    with line.middle.xdplife("trace", "b0", "--json") as first:
        before = line.middle.link("b0")["xdp"]["prog"]["id"]
        for job in (["trace", "b0"], ["forward", "b1", "b0"]):
            got, stderr = line.middle.xdplife_fails(*job)
            assert got == 1
            assert errors(stderr)[-1].startswith(f"b0: another XDP program is attached (id {before}, native); try: ")
        expect_nothing_attached(line.middle, "b1")
        assert forwarding(line.middle) == ["0"] * 4
        talk(line.left, line.middle, "10.7.1.1", b"q", b"r")
        first.wait_for('"event":"closed"')
    assert first.ledger["closes"] is True


@pytest.fixture
def anybody_can_run(tmp_path_factory):
    """A copy that a user without privileges can reach."""
    folder = tmp_path_factory.mktemp("bin")
    copy = shutil.copy(XDPLIFE, folder)
    for one in (folder, folder.parent):
        os.chmod(one, 0o755)
    assert os.stat(folder.parent.parent).st_mode & stat.S_IXOTH or os.chmod(folder.parent.parent, 0o711) is None
    return copy


@pytest.mark.parametrize("job", [TRACE, FORWARD], ids=" ".join)
@pytest.mark.parametrize("who", [
    ("--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"),
    ("--bounding-set", "-all", "--inh-caps", "-all"),
    ("--bounding-set", "-net_admin", "--inh-caps", "-net_admin"),
], ids=["nobody", "root without capabilities", "root without net_admin"])
def test_no_privilege(shared, anybody_can_run, who, job):
    got, stderr = shared.middle.xdplife_fails(*job, command=("setpriv", *who, anybody_can_run))
    assert (got, errors(stderr)) == (3, [
        "XDP needs the capabilities CAP_NET_ADMIN, CAP_BPF and CAP_PERFMON (or CAP_SYS_ADMIN); try: sudo"])


@pytest.mark.parametrize("interface, peer, host", [("b0", "a0", "left"), ("b1", "c0", "right")])
def test_veth_peer_that_would_drop(line, interface, peer, host):
    end = getattr(line, host)
    end.run("ethtool", "-K", peer, "gro", "off")
    got, stderr = line.middle.xdplife_fails(*FORWARD)
    cure = f"ip netns exec {end.name} ethtool -K {peer} gro on"
    assert (got, errors(stderr)[-1]) == (1, (
        f"{interface}: no XDP program and no GRO on the veth peer {peer}, so redirected frames would be dropped; "
        f"try: {cure}"))
    expect_nothing_attached(line.middle, "b0", "b1")
    assert [line.middle.sysctl(f"net/ipv4/conf/{name}/forwarding") for name in ("b0", "b1")] == ["0", "0"]
    # trace redirects nothing
    with line.middle.xdplife(*TRACE):
        pass
    # the cure works
    run(*cure.split())
    with line.middle.xdplife(*FORWARD):
        pass


def test_interface_down(line):
    line.middle.run("ip", "link", "set", "b0", "down")
    with line.middle.xdplife("trace", "b0") as trace:
        pass
    assert errors(trace.stderr) == ["warning: b0: the interface is down; try: ip link set b0 up",
                                    f"tracing b0 (native XDP); {READY}"]
    line.middle.run("ip", "link", "set", "b0", "up")


def test_generic_mode(shared):
    """The loopback driver has no native XDP."""
    with shared.middle.xdplife("trace", "lo") as trace:
        assert shared.middle.link("lo")["xdp"]["mode"] == 2
    assert errors(trace.stderr) == [
        "warning: lo: no native XDP (the driver has none): generic mode, which is slower and sees frames later",
        f"tracing lo (generic XDP); {READY}"]
    expect_nothing_attached(shared.middle, "lo")


def test_no_ethernet(line):
    line.middle.run("ip", "tuntap", "add", "t0", "mode", "tun")
    got, stderr = line.middle.xdplife_fails("trace", "t0")
    assert (got, errors(stderr)) == (1, ["t0: its frames have no Ethernet header; try: an Ethernet interface"])


# --- settings ---------------------------------------------------------------------------------------------------------

FORWARDING = [f"net/ipv{version}/conf/{name}/forwarding" for name in ("b0", "b1") for version in (4, 6)]


def forwarding(host):
    return [host.sysctl(name) for name in FORWARDING]


def test_forwarding_is_set_while_it_runs(line):
    assert forwarding(line.middle) == ["0"] * 4
    with line.middle.xdplife(*FORWARD) as router:
        assert forwarding(line.middle) == ["1"] * 4
        # not for the whole machine
        assert line.middle.sysctl("net/ipv4/conf/all/forwarding") == "0"
        assert line.middle.sysctl("net/ipv4/conf/lo/forwarding") == "0"
    assert forwarding(line.middle) == ["0"] * 4
    for name in FORWARDING:
        assert any(name in message and "it is 1 while we run" in message for message in errors(router.stderr))


def test_forwarding_that_was_on_stays_on(line):
    line.middle.sysctl("net/ipv4/conf/b0/forwarding", 1)
    line.middle.sysctl("net/ipv6/conf/b1/forwarding", 1)
    before = forwarding(line.middle)
    assert before == ["1", "0", "0", "1"]
    with line.middle.xdplife(*FORWARD):
        assert forwarding(line.middle) == ["1"] * 4
    assert forwarding(line.middle) == before


def test_forwarding_is_restored_after_a_kill(line):
    """The killed process can do nothing any more; its keeper does, and then is gone too."""
    job = line.middle.xdplife(*FORWARD).wait_ready()
    keepers = children(job.process.pid)
    assert forwarding(line.middle) == ["1"] * 4 and len(keepers) == 2
    assert job.stop(signal.SIGKILL) == -signal.SIGKILL
    wait_until(lambda: forwarding(line.middle) == ["0"] * 4, "forwarding to be as it was")
    wait_until(lambda: not any(is_running(keeper) for keeper in keepers), "the keepers to end")


def test_without_its_keepers_it_ends_cleanly_too(line):
    job = line.middle.xdplife(*FORWARD).wait_ready()
    for keeper in children(job.process.pid):
        os.kill(keeper, signal.SIGKILL)
    assert job.stop(signal.SIGINT) == 0
    assert forwarding(line.middle) == ["0"] * 4


def test_a_keeper_holds_nothing(line):
    """No link, map or program: only what a keeper needs to hear that its parent is gone."""
    with line.middle.xdplife(*FORWARD) as job:
        for keeper in children(job.process.pid):
            held = sorted(os.readlink(f"/proc/{keeper}/fd/{fd}").partition(":")[0]
                          for fd in os.listdir(f"/proc/{keeper}/fd") if int(fd) > 2)
            assert held == ["socket"]


def children(pid):
    return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_running(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_trace_sets_nothing(line):
    with line.middle.xdplife(*TRACE):
        assert forwarding(line.middle) == ["0"] * 4


# --- output that cannot be written ------------------------------------------------------------------------------------

def test_capture_in_no_folder(shared):
    got, stderr = shared.middle.xdplife_fails("trace", "b0", "--write", "/no/such/folder/x.pcapng")
    assert (got, errors(stderr)) == (1, [
        "/no/such/folder/x.pcapng: No such file or directory; try: another file or folder"])
    expect_nothing_attached(shared.middle, "b0")


def test_capture_on_a_full_disk(shared):
    trace = shared.middle.xdplife("trace", "b0", "--json", "--write", "/dev/full").wait_ready()
    for _ in range(3):
        talk(shared.left, shared.middle, "10.7.1.1", b"q", b"r" * 300_000)
    assert trace.wait() == 1
    assert errors(trace.stderr)[1:] == [
        "/dev/full: could not be written to its end: No space left on device; "
        "try: make room there; what was written until then can be read"]
    assert trace.ledger["closes"] is True
    expect_nothing_attached(shared.middle, "b0")


def test_capture_on_a_full_disk_seen_at_the_end(shared):
    """So little that it fails when the file is closed."""
    trace = shared.middle.xdplife("trace", "b0", "--write", "/dev/full", "--duration", "0.2").wait_ready()
    assert trace.wait() == 1
    assert errors(trace.stderr)[1].startswith("/dev/full: could not be written to its end: No space left on device")


def test_standard_output_is_full(shared):
    """Not in silence: a log that misses lines would be taken for the whole."""
    with open("/dev/full", "w") as full:
        with plain(shared.middle, "trace", "b0", "--json", stdout=full) as trace:
            assert READY in trace.stderr.readline()
            talk(shared.left, shared.middle, "10.7.1.1", b"q", b"r")
            assert trace.wait(timeout=20) == 1
            assert "standard output: could not be written to its end" in trace.stderr.read()
    expect_nothing_attached(shared.middle, "b0")


def test_reader_goes_away(shared):
    """xdplife trace ... | head -1"""
    with plain(shared.middle, "trace", "b0", "--json") as trace:
        assert READY in trace.stderr.readline()
        trace.stdout.close()
        talk(shared.left, shared.middle, "10.7.1.1", b"q", b"r")
        assert trace.wait(timeout=20) == -signal.SIGPIPE
    wait_until(lambda: "xdp" not in shared.middle.link("b0"), "the program to go")


# --- interfaces that go away ------------------------------------------------------------------------------------------

def test_interface_deleted(line):
    """The only one: it ends by itself, says why, and the sums still close."""
    trace = line.middle.xdplife("trace", "b0", "--json").wait_ready()
    talk(line.left, line.middle, "10.7.1.1", b"q", b"r")
    trace.wait_for('"event":"closed"')
    line.middle.run("ip", "link", "delete", "b0")
    assert trace.wait() == 1
    assert errors(trace.stderr)[1:] == ["warning: b0: the interface is gone", "ended: no interface is left"]
    assert trace.ledger["closes"] is True
    assert trace.ledger["frames"]["seen"] > 0


def test_interface_deleted_with_others_left(line):
    with line.middle.xdplife("trace", "b1", "b0", "--json") as trace:
        line.middle.run("ip", "link", "delete", "b1")
        wait_until(lambda: "warning: b1: the interface is gone" in trace.stderr, "word of it")
        talk(line.left, line.middle, "10.7.1.1", b"q", b"r")
        trace.wait_for('"event":"closed"')
    assert errors(trace.stderr)[1:] == ["warning: b1: the interface is gone"]
    assert trace.ledger["closes"] is True


def test_router_loses_an_interface(line):
    router = line.middle.xdplife("forward", "b0", "b1").wait_ready()
    line.right.run("ip", "link", "delete", "c0")
    assert router.wait() == 1
    assert errors(router.stderr)[-2:] == ["warning: b1: the interface is gone",
                                          "ended: a router needs two interfaces"]
    assert line.middle.sysctl("net/ipv4/conf/b0/forwarding") == "0"
    expect_nothing_attached(line.middle, "b0")
