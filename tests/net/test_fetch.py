# SPDX-License-Identifier: GPL-2.0-only
"""xdplife fetch against real servers: the right bytes or a clear error, and no trace left. Topology: peers.py."""
import hashlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys

import pytest

from odd_server import BODY
from peers import (CLIENT, CLIENT4, CLIENT6, ODD_PORT, SERVER, SERVER4, SERVER6, Peers, sh, tshark, url, wait_for)

SIZES = (0, 1, 1460, 1461, 100_000, 3_000_000)
FAMILIES = pytest.mark.parametrize("family", (socket.AF_INET, socket.AF_INET6), ids=("ip4", "ip6"))
BIND = "import socket; socket.socket().bind(('{}', {}))"
PASS_PROGRAM = 'int pass(void *ctx) __attribute__((section("xdp"), used));\nint pass(void *ctx) { return 2; }\n'


class Fetch:
    """Runs `xdplife fetch` on the client."""

    def __init__(self, peers, xdplife):
        self.peers = peers
        self.xdplife = xdplife

    def __call__(self, *words, timeout=60):
        return self.peers.run(CLIENT, self.xdplife, "fetch", *words, timeout=timeout)

    def start(self, *words, **options):
        return self.peers.start(CLIENT, self.xdplife, "fetch", *words, **options)

    def events(self, *words):
        """The NDJSON events of a run that must succeed, and nothing else on stdout."""
        result = self(*words, "--json")
        assert result.returncode == 0, result.stderr.decode()
        return [json.loads(line) for line in result.stdout.decode().splitlines()]

    def fails(self, *words, says, code=1):
        """A run that must fail: with this exit code, and a message of one line that says so."""
        result = self(*words)
        message = result.stderr.decode().strip().splitlines()[-1]
        assert result.returncode == code, result.stderr.decode()
        assert message.startswith("xdplife: ") and says in message, message
        assert Peers.xdp_of(CLIENT, "c0") is None
        return message


def fill(root):
    for size in SIZES:
        (root / f"{size}.bin").write_bytes(os.urandom(size))
    (root / "index.html").write_text("hello from the server\n")


@pytest.fixture(scope="module")
def peers(tmp_path_factory):
    with Peers(tmp_path_factory.mktemp("peers")) as peers:
        fill(peers.root)
        peers.start_nginx()
        peers.start_odd_server()
        yield peers


@pytest.fixture
def fetch(peers, xdplife):
    yield Fetch(peers, xdplife)
    assert Peers.xdp_of(CLIENT, "c0") is None


def sha256(data):
    return hashlib.sha256(data).hexdigest()


# --- the right bytes


@FAMILIES
@pytest.mark.parametrize("size", SIZES)
def test_body_is_what_curl_gets(peers, fetch, tmp_path, family, size):
    curl = peers.run(CLIENT, "curl", "-sS", "-g", url(f"/{size}.bin", family))
    assert curl.returncode == 0 and len(curl.stdout) == size
    result = fetch(url(f"/{size}.bin", family), "--output", tmp_path / "body")
    assert result.returncode == 0, result.stderr.decode()
    assert sha256((tmp_path / "body").read_bytes()) == sha256(curl.stdout)
    assert f"HTTP 200, {size} bytes of body" in result.stderr.decode()


def test_body_goes_to_stdout_and_nothing_else_does(fetch):
    result = fetch(url("/index.html"))
    assert result.stdout == b"hello from the server\n"


@pytest.mark.parametrize("path,body", (("/chunked", BODY), ("/close", BODY), ("/dribble", BODY[:500]),
                                       ("/interim", b"ok"), ("/204", b""), ("/keep", b"kept")))
def test_framings(fetch, path, body):
    result = fetch(url(path, port=ODD_PORT))
    assert result.returncode == 0, result.stderr.decode()
    assert sha256(result.stdout) == sha256(body)


def test_an_error_status_is_an_answer(fetch):
    result = fetch(url("/nowhere"))
    assert result.returncode == 0
    assert b"404 Not Found" in result.stdout and b"HTTP 404" in result.stderr


def test_the_request(fetch):
    lines = fetch(url("/request", socket.AF_INET6, ODD_PORT)).stdout.decode().split("\r\n")
    assert lines[0] == "GET /request HTTP/1.1"
    assert f"Host: [{SERVER6}]:{ODD_PORT}" in lines and "Connection: close" in lines


# --- what is told


def test_json_story(fetch, peers, tmp_path):
    events = fetch.events(url("/index.html"), "--output", tmp_path / "body")
    kinds = [event["event"] for event in events]
    assert kinds[:5] == ["address", "route", "neighbour", "port", "attached"]
    assert kinds[5:8] == ["layer"] * 3 and kinds[-1] == "summary"
    assert set(kinds[8:-1]) == {"packet", "response"}
    assert (tmp_path / "body").read_text() == "hello from the server\n"

    route, neighbour, summary = events[1], events[2], events[-1]
    mac = json.loads(sh("ip", "-n", SERVER, "-j", "link", "show", "dev", "s0"))[0]["address"]
    assert route["on_link"] and route["source_address"] == CLIENT4 and route["entry"] == "10.88.0.0/24"
    assert (neighbour["address"], neighbour["mac"]) == (SERVER4, mac)
    assert [event["layer"]["name"] for event in events[5:8]] == ["Ethernet", "IPv4", "TCP"]
    assert [event["bytes"] for event in events[5:8]] == [14, 34, 74]
    packets = [event for event in events if event["event"] == "packet"]
    assert "[SYN] seq 0" in packets[0]["line"] and "[SYN,ACK] seq 0 ack 1" in packets[1]["line"]
    assert "[ACK] seq 1 ack 1" in packets[2]["line"] and "GET /index.html" in packets[3]["line"]
    assert summary["ok"] and summary["status"] == 200 and summary["retransmitted"] == 0
    assert summary["frames_sent"] == sum(packet["direction"] == "sent" for packet in packets)
    assert 0 < summary["handshake_ns"] < summary["first_byte_ns"] <= summary["last_byte_ns"] < summary["total_ns"]


def test_json_without_output_has_no_body(fetch):
    result = fetch(url("/index.html"), "--json")
    assert b"hello from the server" not in result.stdout


def test_neighbour_resolved_now_or_known(fetch, peers):
    for family, address in ((socket.AF_INET, SERVER4), (socket.AF_INET6, SERVER6)):
        sh("ip", "-n", CLIENT, "neigh", "flush", "to", address, "dev", "c0")
        first, second = (fetch.events(url("/1.bin", family))[2] for _ in range(2))
        assert first["resolved_now"] and not second["resolved_now"]
        assert first["mac"] == second["mac"]


def test_gateway(fetch, peers):
    """Behind the gateway: the route's next hop gets the frames, by IPv4 even through an IPv6 one (RFC 8950)."""
    sh("ip", "-n", SERVER, "address", "add", "10.99.0.1/32", "dev", "lo")
    for via, gateway in ((("via", SERVER4), SERVER4), (("via", "inet6", SERVER6), SERVER6)):
        sh("ip", "-n", CLIENT, "route", "replace", "10.99.0.0/24", *via, "dev", "c0")
        events = fetch.events("http://10.99.0.1/1.bin")
        assert events[1]["gateway"] == gateway and events[1]["entry"] == "10.99.0.0/24"
        assert events[2]["address"] == gateway
        assert events[-1]["status"] == 200
    sh("ip", "-n", CLIENT, "route", "del", "10.99.0.0/24")
    sh("ip", "-n", SERVER, "address", "del", "10.99.0.1/32", "dev", "lo")


def test_text_from_the_server_cannot_reach_a_terminal(fetch):
    result = fetch(url("/headers", port=ODD_PORT), "--verbose")
    assert result.returncode == 0
    assert b"X-Evil" in result.stderr and b"\x9b" not in result.stderr
    assert b"\x1b" not in result.stderr


def test_body_on_a_terminal_is_made_safe(fetch, peers):
    script = f"nsenter --net=/run/netns/{CLIENT} -- {fetch.xdplife} fetch {url('/chunked', port=ODD_PORT)} 2>/dev/null"
    shown = subprocess.run(["script", "-qec", script, "/dev/null"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           timeout=60, check=True).stdout
    assert b"\\x1b" in shown and b"\x1b" not in shown


# --- the wire


NUMBERS = "tcp.seq_raw", "tcp.ack_raw", "tcp.flags", "tcp.len"
VERDICTS = ("tcp.analysis.retransmission", "tcp.analysis.lost_segment", "tcp.analysis.ack_lost_segment",
            "tcp.checksum.status", "ip.checksum.status", "_ws.malformed", "_ws.expert.severity", "http.request.uri",
            "frame.comment")
SYN, RST, FIN = 0x02, 0x04, 0x01
GOOD, WARN = "1", 0x600000  # tshark's


@FAMILIES
def test_the_kernel_sends_no_rst(fetch, peers, tmp_path, family):
    """Seen on the server's side; and on the client's, where only what the kernel itself sends is visible."""
    stop_server = peers.capture(SERVER, "s0", tmp_path / "server.pcap")
    stop_client = peers.capture(CLIENT, "c0", tmp_path / "client.pcap")
    events = fetch.events(url("/100000.bin", family), "--output", tmp_path / "body", "--write", tmp_path / "own.pcapng")
    stop_server(packets=events[-1]["frames_sent"] + events[-1]["frames_received"])
    stop_client()
    source, ours = ("ip.src", CLIENT4) if family == socket.AF_INET else ("ipv6.src", CLIENT6)
    fields = source, *NUMBERS, *VERDICTS
    seen, own = ([dict(zip(fields, row)) for row in tshark(tmp_path / name, "tcp", *fields)]
                 for name in ("server.pcap", "own.pcapng"))

    def count(flag, sent):
        return sum(bool(int(row["tcp.flags"], 16) & flag) and (row[source] == ours) == sent for row in seen)
    assert [count(flag, sent) for flag in (SYN, FIN, RST) for sent in (True, False)] == [1, 1, 1, 1, 0, 0]
    assert [row["http.request.uri"] for row in seen if row["http.request.uri"]] == ["/100000.bin"]
    assert tshark(tmp_path / "client.pcap", f"{source} == {ours}") == []
    assert not [row for row in seen if any(row[verdict] for verdict in VERDICTS[:3]) or row["_ws.malformed"]]
    assert {row["tcp.checksum.status"] for row in seen if row[source] == ours} == {GOOD}
    assert {row["ip.checksum.status"] for row in seen} == {GOOD if family == socket.AF_INET else ""}

    assert sorted([row[number] for number in NUMBERS] for row in own) == \
        sorted([row[number] for number in NUMBERS] for row in seen)
    assert {row["frame.comment"] for row in own if row[source] == ours} == {"built by xdplife, sent through AF_XDP"}
    severities = {int(one) for row in own if row[source] == ours
                  for one in row["_ws.expert.severity"].split(",") if one}
    assert max(severities) < WARN


def test_other_traffic_is_undisturbed(fetch, peers):
    """The kernel's own connection to the same server works while ours is open."""
    process = fetch.start(url("/stall", port=ODD_PORT), "--json", stdout=subprocess.PIPE)
    wait_for(lambda: '"response"' in process.stdout.readline(), "the response's head")
    curl = peers.run(CLIENT, "curl", "-sS", url("/3000000.bin"))
    assert curl.returncode == 0 and curl.stdout == (peers.root / "3000000.bin").read_bytes()
    assert peers.run(CLIENT, "ping", "-c", "1", "-W", "2", SERVER4).returncode == 0
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=10) == 1


def test_two_at_once(fetch):
    """One program an interface: the second says so, the first goes on."""
    first = fetch.start(url("/stall", port=ODD_PORT), "--json", stdout=subprocess.PIPE)
    wait_for(lambda: '"response"' in first.stdout.readline(), "the response's head")
    second = fetch(url("/1.bin"))
    message = second.stderr.splitlines()[-1]
    assert second.returncode == 1 and b"c0" in message and b"XDP" in message
    first.send_signal(signal.SIGINT)
    first.wait(timeout=10)


# --- clear errors


@pytest.mark.parametrize("words,says", (
    ((f"http://{SERVER4}:81/",), "connection refused"),
    ((f"http://[{SERVER6}]:81/",), "connection refused"),
    (("http://192.0.2.1/",), "no route"),
    (("http://[2001:db8::1]/",), "no route"),
    (("http://10.88.0.77/",), "nobody on c0 answers for it (ARP)"),
    (("http://[fd88::77]/",), "nobody on c0 answers for it (NDP)"),
    ((f"http://{CLIENT4}/",), "is an address of this host"),
    (("http://127.0.0.1/",), "is an address of this host"),
    (("http://[::1]/",), "is an address of this host"),
    (("http://10.88.0.255/",), "broadcast"),
    (("http://224.0.0.1/", "--iface", "c0"), "one host"),
    (("http://name.invalid/",), "cannot be resolved"),
    ((url("/"), "--iface", "nope0"), "nope0: no such interface"),
    ((url("/"), "--output", "/nowhere/file"), "/nowhere/file: cannot be written"),
    ((url("/"), "--write", "/nowhere/file"), "/nowhere/file: cannot be written"),
    ((url("/garbage", port=ODD_PORT),), "HTTP/1.x"),
    ((url("/escape", port=ODD_PORT),), "HTTP/1.x"),
    ((url("/truncated", port=ODD_PORT),), "ended before the response did"),
    ((url("/nothing", port=ODD_PORT),), "without a response"),
    ((url("/endless-head", port=ODD_PORT),), "longer than 65536 bytes"),
    ((url("/reset", port=ODD_PORT),), "reset the connection"),
    ((url("/stall", port=ODD_PORT), "--timeout", "1"), "fell silent"),
    ((url("/silent", port=ODD_PORT), "--timeout", "1"), "fell silent"),
))
def test_clear_errors(fetch, words, says):
    fetch.fails(*words, says=says)


def test_no_answer(fetch, peers):
    """The neighbour is known, but nobody is there: the SYN goes out at 0, 1 and 3 seconds."""
    sh("ip", "-n", CLIENT, "neigh", "replace", "10.88.0.66", "lladdr", "02:00:00:00:00:66", "dev", "c0")
    result = fetch("http://10.88.0.66/", "--timeout", "4", "--json")
    events = [json.loads(line) for line in result.stdout.decode().splitlines()]
    times = [event["since_syn_ns"] / 1e9 for event in events if event["event"] == "packet"]
    assert result.returncode == 1 and b"no answer to the SYN" in result.stderr
    assert times == pytest.approx([0, 1, 3], abs=0.15)
    assert events[-1]["event"] == "summary" and not events[-1]["ok"] and events[-1]["retransmitted"] == 2


@pytest.mark.parametrize("words", ((), ("https://host/",), ("http://a b/",), (url("/"), url("/")),
                                   (url("/"), "--nonsense"), (url("/"), "--timeout", "0"),
                                   (url("/"), "--json", "--output", "-")))
def test_usage(fetch, words):
    result = fetch(*words)
    assert result.returncode == 2 and result.stderr and not result.stdout


def test_without_privileges(fetch, peers):
    result = peers.run(CLIENT, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all",
                       "--bounding-set=-all", fetch.xdplife, "fetch", url("/"))
    assert result.returncode == 3, result.stderr.decode()
    assert b"CAP_" in result.stderr


def test_another_xdp_program(fetch, peers, tmp_path):
    (tmp_path / "pass.c").write_text(PASS_PROGRAM)
    sh("clang", "-target", "bpf", "-O2", "-c", tmp_path / "pass.c", "-o", tmp_path / "pass.o")
    sh("ip", "-n", CLIENT, "link", "set", "dev", "c0", "xdp", "obj", tmp_path / "pass.o", "sec", "xdp")
    before = Peers.xdp_of(CLIENT, "c0")
    result = fetch(url("/"))
    after = Peers.xdp_of(CLIENT, "c0")
    sh("ip", "-n", CLIENT, "link", "set", "dev", "c0", "xdp", "off")
    assert result.returncode == 1 and b"XDP" in result.stderr.splitlines()[-1]
    assert before and before == after


# --- files


def test_a_file_appears_only_when_complete(fetch, tmp_path):
    target = tmp_path / "page"
    fetch.fails(url("/truncated", port=ODD_PORT), "--output", target, says="ended before")
    assert os.listdir(tmp_path) == []
    target.write_text("old")
    target.chmod(0o640)
    fetch.fails(url("/reset", port=ODD_PORT), "--output", target, says="reset")
    assert target.read_text() == "old" and os.listdir(tmp_path) == ["page"]
    assert fetch(url("/1461.bin"), "--output", target).returncode == 0
    assert target.stat().st_size == 1461 and stat.S_IMODE(target.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["page"]
    mask = os.umask(0o027)
    assert fetch(url("/1461.bin"), "--output", tmp_path / "new").returncode == 0
    os.umask(mask)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640


def test_output_through_a_link_and_into_a_fifo(fetch, tmp_path):
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert fetch(url("/index.html"), "--output", tmp_path / "link").returncode == 0
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real").read_text() == "hello from the server\n"
    os.mkfifo(tmp_path / "fifo")
    process = fetch.start(url("/index.html"), "--output", tmp_path / "fifo", stderr=subprocess.DEVNULL)
    assert (tmp_path / "fifo").read_text() == "hello from the server\n"
    assert process.wait(timeout=10) == 0
    assert stat.S_ISFIFO((tmp_path / "fifo").stat().st_mode)


def test_a_full_disk(fetch):
    result = fetch(url("/100000.bin"), "--output", "/dev/full")
    assert result.returncode == 1 and b"No space left" in result.stderr
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


# --- ends


def stalled(fetch, *words):
    """A fetch that is in the middle of a response, and its port."""
    process = fetch.start(url("/stall", port=ODD_PORT), "--json", *words, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)
    port = None
    while True:
        event = json.loads(process.stdout.readline())
        port = event["port"] if event["event"] == "port" else port
        if event["event"] == "response":
            return process, port


def test_sigkill_leaves_nothing(fetch, peers):
    process, port = stalled(fetch)
    taken = peers.run(CLIENT, sys.executable, "-c", BIND.format(CLIENT4, port))
    assert Peers.xdp_of(CLIENT, "c0") and b"Address already in use" in taken.stderr
    process.kill()
    process.wait()
    wait_for(lambda: Peers.xdp_of(CLIENT, "c0") is None, "the program to go")
    assert peers.run(CLIENT, sys.executable, "-c", BIND.format(CLIENT4, port)).returncode == 0
    assert fetch(url("/index.html")).returncode == 0


@pytest.mark.parametrize("number", (signal.SIGINT, signal.SIGTERM))
def test_interrupted(fetch, peers, tmp_path, number):
    """We tell the server by a RST, and leave neither program nor file."""
    stop = peers.capture(SERVER, "s0", tmp_path / "server.pcap")
    (tmp_path / "out").mkdir()
    process, port = stalled(fetch, "--output", tmp_path / "out/page")
    process.send_signal(number)
    rest, errors = process.communicate(timeout=10)
    events = [json.loads(line) for line in rest.splitlines()]
    stop(packets=events[-1]["frames_sent"] + events[-1]["frames_received"])
    assert process.returncode == 1 and "interrupted" in errors
    assert os.listdir(tmp_path / "out") == []
    assert Peers.xdp_of(CLIENT, "c0") is None
    assert len(tshark(tmp_path / "server.pcap", f"tcp.srcport == {port} && tcp.flags.reset == 1")) == 1


# --- a bad line


@pytest.mark.parametrize("faults", (("--loss", "5"), ("--duplicate", "20"), ("--reorder", "20"), ("--corrupt", "5"),
                                    ("--loss", "3", "--duplicate", "5", "--reorder", "10", "--corrupt", "2")),
                         ids=("loss", "duplicate", "reorder", "corrupt", "all"))
def test_bad_line(xdplife, tmp_path, faults):
    """Whatever the line does to the segments, the bytes are right."""
    with Peers(tmp_path, faults=[*faults, "--seed", "7"]) as peers:
        fill(peers.root)
        peers.start_nginx()
        fetch = Fetch(peers, xdplife)
        for family in (socket.AF_INET, socket.AF_INET6):
            events = fetch.events(url("/100000.bin", family), "--output", tmp_path / "body")
            assert sha256((tmp_path / "body").read_bytes()) == sha256((peers.root / "100000.bin").read_bytes())
        summary = events[-1]
        if "--duplicate" in faults:
            assert summary["duplicates"] > 0
        if "--reorder" in faults or "--loss" in faults:
            assert summary["out_of_order"] > 0
