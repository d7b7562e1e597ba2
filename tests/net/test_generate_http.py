# SPDX-License-Identifier: GPL-2.0-only
"""xdplife generate --kind http against real servers: every exchange accounted for, on both ends. Topology: peers.py.

nginx's access log and the kernels' own TCP counters are what the report is held against.
"""
import collections
import contextlib
import json
import os
import signal
import socket
import subprocess

import pytest

import peers as topology
from odd_server import BODY
from peers import CLIENT, ODD_PORT, SERVER, SERVER4, SERVER6, Peers, inside, sh, wait_for

HELLO = "hello from the server\n"
SIZES = (0, 30_000, 100_000)
SERVERS = pytest.mark.parametrize("server", (SERVER4, SERVER6), ids=("ip4", "ip6"))
LOG_FORMAT = "$status $body_bytes_sent $remote_port"
FEW_PORTS = 40_000, 40_063  # the first and the last


class Load:
    """Runs `xdplife generate` on the client, and knows what nginx has seen."""

    def __init__(self, peers, xdplife):
        self.peers = peers
        self.xdplife = xdplife
        self.log = peers.directory / "access.log"
        self.logged = 0

    def words(self, *words, to=SERVER4):
        return [self.xdplife, "generate", "c0", "--to", to, "--kind", "http", *map(str, words)]

    def __call__(self, *words, to=SERVER4, timeout=60):
        return self.peers.run(CLIENT, *self.words(*words, to=to), timeout=timeout)

    def report(self, *words, to=SERVER4, code=0):
        """The report of a run that must end with this exit code; its sums are checked."""
        result = self(*words, "--json", to=to)
        assert result.returncode == code, result.stderr.decode()
        return checked(json.loads(result.stdout))

    def start(self, *words, to=SERVER4):
        return self.peers.start(CLIENT, *self.words(*words, "--json", to=to), stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def new_requests(self, count):
        """What nginx has logged since the last call: (status, bytes, client's port); so many, and no more."""
        def lines():
            return self.log.read_text().splitlines()[self.logged:]
        wait_for(lambda: len(lines()) >= count, f"{count} requests in {self.log}")
        new = [tuple(map(int, line.split())) for line in lines()]
        self.logged += len(new)
        assert len(new) == count
        return new


def checked(report):
    """What holds for every report."""
    assert report["kind"] == "http" and report["interface"] == "c0"
    assert report["residue"] == 0 and report["open"] == 0
    assert report["started"] == report["completed"] + sum(report["failed"].values()) + report["interrupted"]
    assert report["completed"] == sum(report["status"].values())
    times = report["latency_ns"]
    assert times["last_byte"]["samples"] == report["completed"]
    for time in times.values():
        if time["samples"]:
            assert 0 < time["p50"] <= time["p99"] <= time["p999"] <= time["max"]
    if report["completed"]:
        assert times["handshake"]["p50"] <= times["first_byte"]["p50"] <= times["last_byte"]["p50"]
    return report


def tcp_counters(netns):
    """The kernel's: /proc/net/snmp and netstat."""
    counters = collections.Counter()
    for path in ("/proc/net/snmp", "/proc/net/netstat"):
        lines = sh(*inside(netns, "cat", path)).splitlines()
        for names, values in zip(lines[::2], lines[1::2]):
            if names.startswith("Tcp"):
                counters.update(dict(zip(names.split()[1:], map(int, values.split()[1:]))))
    return counters


def counted(before, after):
    return {name: after[name] - before[name] for name in after}


def start_nginx(peers):
    """With an access log, and room for as many connections as we like."""
    conf = peers.directory / "nginx.conf"
    (peers.directory / "tmp").mkdir()
    text = topology.NGINX_CONF.format(dir=peers.directory, root=peers.root, port=topology.NGINX_PORT)
    text = text.replace("access_log off;", f"log_format short '{LOG_FORMAT}'; "
                        f"access_log {peers.directory}/access.log short;")
    text = text.replace("events { }", "events { worker_connections 4096; }").replace("; root", " backlog=4096; root", 1)
    conf.write_text(text)
    peers.directory.chmod(0o755)
    for size in SIZES:
        (peers.root / f"{size}.bin").write_bytes(os.urandom(size))
    (peers.root / "index.html").write_text(HELLO)
    peers.start(SERVER, "nginx", "-e", peers.directory / "error.log", "-c", conf)
    wait_for(lambda: peers.listens(topology.NGINX_PORT), "nginx")


@pytest.fixture(scope="module")
def peers(tmp_path_factory):
    with Peers(tmp_path_factory.mktemp("peers")) as peers:
        start_nginx(peers)
        peers.start_odd_server()
        yield peers


@pytest.fixture(scope="module")
def module_load(peers, xdplife):
    return Load(peers, xdplife)


@pytest.fixture
def load(module_load):
    yield module_load
    assert Peers.xdp_of(CLIENT, "c0") is None


def odd(server=SERVER4):
    return f"{server}:{ODD_PORT}"


def connections(state):
    """How many the server has."""
    return len(sh(*inside(SERVER, "ss", "-Htn", "state", state)).splitlines())


@contextlib.contextmanager
def setting(netns, name, value):
    """A sysctl, as long as it is wanted."""
    before = sh(*inside(netns, "sysctl", "-n", name)).strip()
    sh(*inside(netns, "sysctl", "-qw", f"{name}={value}"))
    try:
        yield
    finally:
        sh(*inside(netns, "sysctl", "-qw", f"{name}={before}"))


# --- every exchange is there, on both ends


@SERVERS
def test_as_many_as_were_asked_for(load, server):
    """Every one in nginx's log, none by the kernel's TCP, which neither opened, reset nor saw a segment."""
    client, remote = tcp_counters(CLIENT), tcp_counters(SERVER)
    report = load.report("--flows", 32, "--count", 2000, to=f"[{server}]:80" if ":" in server else server)
    client, remote = counted(client, tcp_counters(CLIENT)), counted(remote, tcp_counters(SERVER))
    requests = load.new_requests(2000)

    assert report["started"] == report["completed"] == report["status"]["2xx"] == 2000
    assert report["bytes"] == sum(size for _, size, _ in requests) == 2000 * len(HELLO)
    assert {status for status, _, _ in requests} == {200}
    assert (client["OutRsts"], client["ActiveOpens"], client["InSegs"], client["OutSegs"]) == (0, 0, 0, 0)
    assert remote["PassiveOpens"] == 2000
    assert remote["EstabResets"] == remote["AttemptFails"] == remote["InCsumErrors"] == 0
    assert remote["InSegs"] == report["frames"]["sent"]
    assert report["frames"]["dropped"] == report["late"] == report["missed"] == 0


@pytest.mark.parametrize("timestamps", (1, 0))
def test_few_ports_many_times(load, timestamps):
    """12,000 exchanges over 64 ports: the server holds each port's last connection in TIME-WAIT and takes the next.

    It goes by the timestamps, or by the sequence numbers where there are none (RFC 6191). Were one SYN in a hundred
    refused, the 99th percentile would be the second after which it is sent again.
    """
    with setting(SERVER, "net.ipv4.tcp_timestamps", timestamps):
        report = load.report("--flows", 16, "--ports", 64, "--count", 12_000)
    requests = load.new_requests(12_000)
    assert report["completed"] == 12_000 and len({port for _, _, port in requests}) == 64
    assert report["latency_ns"]["handshake"]["p99"] < 0.5e9
    assert connections("time-wait") >= 60


def test_the_next_process_follows(load):
    """The same ports again, by another process, while the server still holds them in TIME-WAIT."""
    count = FEW_PORTS[1] - FEW_PORTS[0] + 1
    with setting(CLIENT, "net.ipv4.ip_local_port_range", "{} {}".format(*FEW_PORTS)):
        for _ in range(3):
            report = load.report("--flows", 8, "--ports", count, "--count", count)
            assert len({port for _, _, port in load.new_requests(count)}) == count
            assert report["completed"] == count and report["latency_ns"]["handshake"]["max"] < 0.9e9


def test_more_connections_than_files(load):
    """The soft limit of open files is raised as far as it may be."""
    words = load.words("--flows", 600, "--count", 1800, "--json")
    result = load.peers.run(CLIENT, "prlimit", "--nofile=256:8192", *words)
    assert result.returncode == 0, result.stderr.decode()
    assert checked(json.loads(result.stdout))["completed"] == 1800
    load.new_requests(1800)


def test_not_enough_files(load):
    result = load.peers.run(CLIENT, "prlimit", "--nofile=256:256", *load.words("--flows", 600, "--count", 1))
    assert result.returncode == 1 and not result.stdout
    assert b"cannot be reserved: Too many open files" in result.stderr and b"ulimit -n" in result.stderr


def test_bodies_of_many_segments(load):
    report = load.report("--flows", 64, "--count", 300, "--path", "/100000.bin")
    load.new_requests(300)
    assert report["completed"] == 300 and report["bytes"] == 300 * 100_000


@pytest.mark.parametrize("path,size", (("/chunked", len(BODY)), ("/close", len(BODY)), ("/interim", 2), ("/keep", 4)))
def test_framings(load, path, size):
    report = load.report("--flows", 4, "--count", 8, "--path", path, to=odd())
    assert report["completed"] == 8 and report["bytes"] == 8 * size


# --- pace


def test_a_rate(load):
    """Exactly rate times duration, where there is room."""
    report = load.report("--flows", 64, "--rate", 500, "--duration", 1)
    load.new_requests(500)
    assert report["completed"] == 500 and report["missed"] == 0
    assert report["latency_ns"]["delay"]["samples"] == 500
    assert 0.99e9 < report["elapsed_ns"] < 2e9


def test_a_rate_beyond_the_connections(load):
    """The server takes 100 ms to see us go; two connections cannot start 200 a second, and that is said."""
    report = load.report("--flows", 2, "--rate", 200, "--duration", 1, "--path", "/keep", to=odd())
    assert report["completed"] == report["started"] < 30
    assert report["started"] + report["missed"] == 200
    assert report["late"] >= report["started"] - 2


# --- failures, each under its name


@pytest.mark.parametrize("to,path,cause,says", (
    (f"{SERVER4}:81", "/", "refused", "connection refused"),
    (f"[{SERVER6}]:81", "/", "refused", "connection refused"),
    (odd(), "/garbage", "bad-response", "not a whole HTTP/1.x response"),
    (odd(), "/truncated", "bad-response", "not a whole HTTP/1.x response"),
    (odd(), "/nothing", "bad-response", "not a whole HTTP/1.x response"),
    (odd(), "/reset", "reset", "the server reset the connection"),
    (odd(), "/stall", "stalled", "fell silent"),
    (odd(), "/silent", "stalled", "fell silent"),
))
def test_causes(load, to, path, cause, says):
    result = load("--flows", 5, "--count", 10, "--path", path, "--timeout", 0.5, "--json", to=to)
    report = checked(json.loads(result.stdout))
    assert result.returncode == 1
    assert report["started"] == report["failed"][cause] == 10
    assert f"10 of 10 exchanges failed; 10 times: " in result.stderr.decode() and says in result.stderr.decode()


def test_no_answer(load):
    """The neighbour is known, but nobody is there."""
    sh("ip", "-n", CLIENT, "neigh", "replace", "10.88.0.66", "lladdr", "02:00:00:00:00:66", "dev", "c0")
    report = load.report("--flows", 5, "--count", 10, "--timeout", 0.3, to="10.88.0.66", code=1)
    assert report["failed"]["no-answer"] == 10 and report["latency_ns"]["handshake"]["samples"] == 0


def test_an_error_status_is_an_answer(load):
    report = load.report("--flows", 3, "--count", 30, "--path", "/nowhere")
    assert report["status"]["4xx"] == report["completed"] == 30
    assert {status for status, _, _ in load.new_requests(30)} == {404}


# --- ends


def stalled(load, *words):
    """Five connections that wait for the rest of their responses."""
    assert connections("established") == 0
    process = load.start("--flows", 5, "--path", "/stall", *words, to=odd())
    wait_for(lambda: connections("established") == 5, "five connections")
    return process


@pytest.mark.parametrize("number", (signal.SIGINT, signal.SIGTERM))
def test_a_signal(load, number):
    """What is open is reset; the report is whole; the kernel's own traffic was never disturbed."""
    before = tcp_counters(SERVER)
    process = stalled(load)
    curl = load.peers.run(CLIENT, "curl", "-sS", f"http://{SERVER4}/")
    load.new_requests(1)
    assert curl.stdout.decode() == HELLO
    process.send_signal(number)
    out, errors = process.communicate(timeout=10)
    report = checked(json.loads(out))
    assert process.returncode == 0, errors
    assert report["started"] == report["interrupted"] == 5
    assert counted(before, tcp_counters(SERVER))["EstabResets"] == 5
    assert connections("established") == 0


def test_sigkill_leaves_nothing(load):
    process = stalled(load)
    process.kill()
    process.wait()
    wait_for(lambda: Peers.xdp_of(CLIENT, "c0") is None, "the program to go")
    wait_for(lambda: connections("established") == 0, "the kernel to reset what the server sends again")


# --- what is told


def test_text(load):
    result = load("--flows", 2, "--count", 40)
    load.new_requests(40)
    lines = result.stdout.decode().splitlines()
    assert lines[0].startswith(f"HTTP to {SERVER4}:80 by c0, XDP in native mode; 2 connections, ")
    rows = [line.split() for line in lines]
    counts = [tuple(row[:2]) for row in rows]
    for count in (("started", "40"), ("completed", "40"), ("2xx", "40"), ("failed", "0"), ("residue", "0"),
                  ("bytes", str(40 * len(HELLO)))):
        assert count in counts
    assert ["p50", "p99", "p99.9", "max"] in rows
    assert not result.stderr


@pytest.mark.parametrize("words", ((), ("--kind", "http"), ("--to", SERVER4, "--kind", "smtp"),
                                   ("--kind", "http", "--to", "a b"), ("--kind", "http", "--to", SERVER4, "--path", "x"),
                                   ("--kind", "http", "--to", SERVER4, "--flows", "0"),
                                   ("--kind", "http", "--to", SERVER4, "--flows", "5", "--ports", "4"),
                                   ("--kind", "http", "--to", SERVER4, "--rate", "-1"),
                                   ("--kind", "http", "--to", SERVER4, "--count", "x"),
                                   ("--kind", "http", "--to", f"{SERVER4}:99999")))
def test_usage(load, words):
    result = load.peers.run(CLIENT, load.xdplife, "generate", "c0", *words)
    assert result.returncode == 2 and result.stderr and not result.stdout


@pytest.mark.parametrize("words,says", (
    (("--kind", "http", "--vlan", "5"), "--vlan is for crafted frames, not for --kind http"),
    (("--kind", "http", "--sink", "x"), "--sink is for crafted frames, not for --kind http"),
    (("--path", "/x", "--kind", "udp"), "--path is for --kind http, not for --kind udp"),
    (("--timeout", "3"), "--timeout is for --kind http, not for --kind syn"),
    (("--kind", "http", "--flows", "16385"), "--flows 16385: --kind http has 16384 at most")))
def test_options_of_other_kinds(load, words, says):
    result = load.peers.run(CLIENT, load.xdplife, "generate", "c0", "--to", SERVER4, "--count", "1", *words)
    assert result.returncode == 2 and says in result.stderr.decode()


@pytest.mark.parametrize("to,says", ((topology.CLIENT4, "is an address of this host"),
                                     ("224.0.0.1", "one host"),
                                     ("9.9.9.9", "refused: not a private or test network")))
def test_no_way(load, to, says):
    result = load("--count", 1, to=to)
    assert result.returncode == 1 and says in result.stderr.decode() and not result.stdout


def test_without_privileges(load):
    result = load.peers.run(CLIENT, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all",
                            "--bounding-set=-all", *load.words("--count", 1))
    assert result.returncode == 3 and b"CAP_" in result.stderr


# --- lines of their own, and so at the end


@pytest.mark.parametrize("how,says", ((("link", "del", "c0"), "c0: the interface is gone"),
                                      (("link", "set", "c0", "down"), "c0: frames can no longer be sent or received")),
                         ids=("deleted", "down"))
def test_the_interface_goes(xdplife, tmp_path, how, says):
    with Peers(tmp_path) as peers:
        start_nginx(peers)
        load = Load(peers, xdplife)
        process = load.start("--flows", 5)
        wait_for(lambda: load.log.read_text(), "a first exchange")
        sh("ip", "-n", CLIENT, *how)
        out, errors = process.communicate(timeout=10)
        report = checked(json.loads(out))
        assert process.returncode == 1 and says in errors
        assert report["completed"] > 0 and report["failed"]["io-failed"] <= 1


@pytest.mark.parametrize("faults", (("--loss", "3"),
                                    ("--loss", "2", "--duplicate", "5", "--reorder", "10", "--corrupt", "2")),
                         ids=("loss", "all"))
def test_bad_line(xdplife, tmp_path, faults):
    """Whatever the line does to the segments, all exchanges come to their end and all bytes arrive."""
    with Peers(tmp_path, faults=[*faults, "--seed", "11"]) as peers:
        start_nginx(peers)
        load = Load(peers, xdplife)
        report = load.report("--flows", 20, "--count", 40, "--path", "/30000.bin")
        assert report["completed"] == 40 and report["bytes"] == 40 * 30_000
        assert {(status, size) for status, size, _ in load.new_requests(40)} == {(200, 30_000)}
        assert report["frames"]["retransmitted"] > 0 and report["frames"]["out_of_order"] > 0
