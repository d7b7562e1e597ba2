# SPDX-License-Identifier: GPL-2.0-only
"""The generator against tshark and scapy, the kernel's counters, a line with exact faults, and everything that goes
wrong.

    client c0 ----- s0 server            client c0 ----- m0 line m1 ----- s0 server
    client c0 ----- r0 router r1 ----- s0 server

Unasked nobody but the generator speaks on these cables: no IPv6 of the kernel's, permanent neighbours.
"""
import concurrent.futures
import contextlib
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import socket
import stat
import subprocess
import threading
import time

import pytest

from hosts import READY, XDPLIFE, Network, Routed, Session, address, cable, program_exists, run, wait_until

MTU = 3400
CLIENT_MAC, SERVER_MAC = "02:00:00:00:00:01", "02:00:00:00:00:02"
BY_HAND = ("--dst-mac", SERVER_MAC, "--from", "10.7.0.1")
TO4 = ("--to", "10.7.0.2")
NOBODY_THERE = ("--to", "10.7.0.3", "--dst-mac", SERVER_MAC)  # who would answer
NOBODY = "65534"


def silence(host, interface, mac):
    """The kernel sends nothing of its own by it."""
    host.sysctl(f"net/ipv6/conf/{interface}/disable_ipv6", 1)
    host.run("ip", "link", "set", interface, "address", mac, "mtu", str(MTU))


class Cable(Network):
    def build(self):
        self.client, self.server = self.host("client"), self.host("server")
        cable(self.client, "c0", self.server, "s0")
        silence(self.client, "c0", CLIENT_MAC)
        silence(self.server, "s0", SERVER_MAC)
        address(self.client, "c0", "10.7.0.1/24")
        address(self.server, "s0", "10.7.0.2/24")
        self.client.run("ip", "neigh", "add", "10.7.0.2", "lladdr", SERVER_MAC, "dev", "c0", "nud", "permanent")
        self.sink = f"{self.server.name}/s0"


@pytest.fixture(scope="module")
def wire():
    """For tests that leave it as they found it."""
    with Cable() as net:
        yield net


@pytest.fixture
def own_wire():
    """For tests that break it."""
    with Cable() as net:
        yield net


def generate(net, *arguments, sink=True, status=0):
    """Runs to the end. Returns the report."""
    sink = ("--sink", net.sink) if sink else ()
    done = net.client.run(XDPLIFE, "generate", "c0", *arguments, *sink, "--json", check=False)
    assert done.returncode == status, done.stderr
    return json.loads(done.stdout)


def started(net, *arguments, sink=True):
    """A stream without end."""
    sink = ("--sink", net.sink) if sink else ()
    return Session(net.client, ("generate", "c0", *arguments, *sink, "--json"))


def report_of(session):
    return json.loads(session.stdout)


def errors(stderr):
    lines = [line.removeprefix("xdplife: ") for line in stderr.splitlines()]
    return [line for line in lines if READY not in line]


def assert_clean(report, sent):
    """All of them came, in order, once."""
    assert (report["sent"], report["taken"], report["refused"]) == (sent, sent, 0)
    assert_arrived(report)


def assert_arrived(report):
    sink = report["sink"]
    assert report["taken"] + report["refused"] == report["sent"]
    assert sink["received"] == report["taken"]
    assert [sink[what] for what in ("lost", "duplicates", "reordered", "stale", "others")] == [0] * 5


# --- what is counted --------------------------------------------------------------------------------------------------

def counters(host, interface):
    link = json.loads(host.run("ip", "-s", "-j", "link", "show", interface).stdout)[0]["stats64"]
    ethtool = dict(re.findall(r"(\w+): (\d+)", host.run("ethtool", "-S", interface).stdout))
    return {"rx": link["rx"]["packets"], "rx_bytes": link["rx"]["bytes"], "tx": link["tx"]["packets"],
            "tx_bytes": link["tx"]["bytes"], "xmit": int(ethtool["tx_queue_0_xdp_xmit"]),
            "xdp": int(ethtool["rx_queue_0_xdp_packets"])}


@pytest.mark.parametrize("kind", ["syn", "udp", "tcp", "handshake"])
def test_everybody_counts_the_same(wire, kind):
    """The generator's report, the sink's and both interfaces' statistics, to the packet and the byte."""
    before = counters(wire.client, "c0"), counters(wire.server, "s0")
    report = generate(wire, "--to", "10.7.0.0/16", "--dst-mac", SERVER_MAC, "--kind", kind, "--flows", "65536",
                      "--count", "100001")
    after = counters(wire.client, "c0"), counters(wire.server, "s0")
    assert_clean(report, 100001)
    near, far = ({what: now[what] - then[what] for what in now} for now, then in zip(after, before))
    assert (near["tx"], near["xmit"], far["rx"], far["xdp"]) == (100001,) * 4
    assert far["rx_bytes"] == near["tx_bytes"] == report["sink"]["bytes"]


@pytest.mark.parametrize("arguments, sent", [
    (("--count", "1"), 1),
    (("--count", "12345", "--rate", "1e6"), 12345),
    (("--rate", "2000", "--duration", "0.05"), 100),
    (("--rate", "1000", "--duration", "0.0305"), 31),  # rounded
    (("--rate", "100000", "--duration", "0.1", "--count", "77"), 77),
    (("--rate", "100", "--duration", "0.001"), 1),  # the first is due at once
    (("--rate", "1000", "--duration", "60", "--count", "10"), 10),
], ids=lambda value: " ".join(value) if isinstance(value, tuple) else None)
def test_count_and_rate_times_duration_are_exact(wire, arguments, sent):
    assert_clean(generate(wire, *TO4, *arguments), sent)


def test_a_paced_stream_lasts_as_long_as_it_should(wire):
    """The last frame, here the only one, has its interval as well."""
    start = time.monotonic()
    report = generate(wire, *TO4, "--rate", "2", "--duration", "0.5")
    assert time.monotonic() - start >= 0.5
    assert (report["sent"], report["wanted_pps"]) == (1, 2) and report["seconds"] >= 0.5


@pytest.mark.parametrize("rate, count", [(400, 160), (5000, 2000)])
def test_no_frame_is_early(wire, tmp_path, rate, count):
    """Asleep between two frames, or spinning: frame n comes no sooner than n / rate after the command."""
    capture = Capture(wire.server, "s0", tmp_path / "paced.pcap")
    start = time.time()
    report = generate(wire, *NOBODY_THERE, "--rate", str(rate), "--count", str(count), sink=False)
    capture.stop(count)
    frames = tshark(tmp_path / "paced.pcap", "frame.time_epoch")
    assert len(frames) == count
    assert all(float(frame["frame.time_epoch"]) >= start + number / rate for number, frame in enumerate(frames))
    assert report["pps"] <= rate * 1.001


def test_duration_without_a_rate(wire):
    report = generate(wire, *TO4, "--duration", "0.05")
    assert_clean(report, report["sent"])
    assert 0.05 <= report["seconds"]


@pytest.mark.parametrize("threads", [2, 3, 4])
@pytest.mark.parametrize("kind, count", [("udp", 100003), ("handshake", 30002)])
def test_threads_keep_their_streams_apart(wire, threads, kind, count):
    """What two CPUs send at once the one at the far end may not take; what it takes is complete and in order."""
    report = generate(wire, "--to", "10.7.0.0/16", "--dst-mac", SERVER_MAC, "--kind", kind, "--flows", "60000",
                      "--threads", str(threads), "--count", str(count))
    assert report["sent"] == count
    sink = report["sink"]
    assert report["taken"] + report["refused"] == count and sink["received"] == report["taken"]
    assert [sink[what] for what in ("lost", "duplicates", "reordered", "stale", "others")] == [0] * 5


def test_two_generators_on_one_interface(wire):
    """Each is told what became of its own frames."""
    with started(wire, "--to", "10.7.0.2:81", "--rate", "5000", sink=False) as other:
        wait_until(lambda: counters(wire.server, "s0")["rx"], "frames")
        report = generate(wire, "--to", "10.7.0.2:82", "--count", "1000", "--rate", "20000")
        assert (report["taken"], report["refused"], report["sink"]["received"]) == (1000, 0, 1000)
        assert other.stop() == 0
    assert report_of(other)["taken"] == report_of(other)["sent"]


def test_threads_with_a_rate(wire):
    assert_clean(generate(wire, *TO4, "--threads", "4", "--rate", "1000", "--count", "101"), 101)


# --- what is sent -----------------------------------------------------------------------------------------------------

KINDS = ("syn", "udp", "tcp", "handshake")
TAGS = ((), ("--vlan", "100"), ("--vlan", "100,4094"))
SIZES = {"syn": (("--size", "imix"), ("--size", "1514,3359,101")),
         "udp": (("--size", "imix"), ("--size", "1514,3359,101")),
         "tcp": (("--size", "1001"),), "handshake": ()}
SMALL_SYNS = [("syn", 4, (), ("--size", str(size))) for size in (54, 55, 65, 66, 73, 75)]
STREAMS = ([(kind, version, tags, ()) for kind in KINDS for version in (4, 6) for tags in TAGS] + SMALL_SYNS
           + [(kind, version, tags, size) for kind in KINDS for version in (4, 6) for tags in TAGS[::2]
              for size in SIZES[kind]])
FRAMES = 24
FIRST_PORT = 1000


class Capture:
    """tcpdump on an interface."""

    def __init__(self, host, interface, path):
        self.path = path
        self.process = subprocess.Popen(
            host.command("tcpdump", "-U", "--immediate-mode", "-s", "4096", "-B", "65536", "-Z", "root", "-i",
                         interface, "-w", str(path)), text=True, stderr=subprocess.PIPE)
        assert "listening on" in self.process.stderr.readline()

    def stop(self, frames):
        wait_until(lambda: self.frames() >= frames, f"{frames} frames in {self.path}")
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=10)

    def frames(self):
        data, at, count = self.path.read_bytes(), 24, 0
        while at + 16 <= len(data):
            at += 16 + int.from_bytes(data[at + 8:at + 12], "little")
            count += at <= len(data)
        return count


def tshark(path, *fields):
    """A dictionary for each frame, of the fields that it has."""
    words = ["tshark", "-2", "-r", str(path), "-T", "fields"]
    for protocol in ("ip", "tcp", "udp"):
        words += ["-o", f"{protocol}.check_checksum:TRUE"]
    for field in fields:
        words += ["-e", field]
    lines = run(*words, env={**os.environ, "HOME": "/tmp"}).stdout.splitlines()
    return [{field: value for field, value in zip(fields, line.split("\t")) if value} for line in lines]


PORTS = ("tcp.dstport", "udp.dstport", "tcp.srcport", "udp.srcport")
FIELDS = (*PORTS, "frame.len", "eth.src", "eth.dst", "ieee8021ad.id", "vlan.id", "ip.dst", "ipv6.dst", "tcp.stream",
          "tcp.completeness", "tcp.analysis.flags", "tcp.seq_raw", "tcp.len", "ip.checksum.status",
          "tcp.checksum.status", "udp.checksum.status", "_ws.malformed", "_ws.expert.severity", "_ws.expert.message")


class Sent:
    """Every kind of frame, each with a server port of its own, as the far end got it; and what trace said of it."""

    def __init__(self, net, path):
        # GRO off, or it would put segments together before tcpdump sees them; trace keeps the interface polling.
        net.server.run("ethtool", "-K", "s0", "gro", "off")
        with net.server.xdplife("trace", "s0", "--json") as self.trace:
            capture = Capture(net.server, "s0", path)
            with concurrent.futures.ThreadPoolExecutor(4) as pool:  # each waits for the kernel most of the time
                list(pool.map(lambda number: self.send(net, number, *STREAMS[number]), range(len(STREAMS))))
            capture.stop(FRAMES * len(STREAMS))
        net.server.run("ethtool", "-K", "s0", "gro", "on")
        self.path = str(path)
        self.frames = tshark(path, *FIELDS)
        for frame in self.frames:
            ports = {int(frame[field]) for field in PORTS if field in frame}
            frame["number"], = (port - FIRST_PORT for port in ports if FIRST_PORT <= port < FIRST_PORT + len(STREAMS))

    def of(self, kind):
        return [frame for frame in self.frames if STREAMS[frame["number"]][0] == kind]


    @staticmethod
    def send(net, number, kind, version, tags, size):
        to = "10.7.0.0/16" if version == 4 else "[fd07::]/112"
        source = "10.7.0.1" if version == 4 else "fd07::1"
        report = generate(net, "--to", f"{to}:{FIRST_PORT + number}", "--from", source, "--dst-mac", SERVER_MAC,
                          "--kind", kind, "--flows", "8", "--count", str(FRAMES), *tags, *size, sink=False)
        assert (report["taken"], report["refused"]) == (FRAMES, 0)


@pytest.fixture(scope="module")
def sent(wire, tmp_path_factory):
    return Sent(wire, tmp_path_factory.mktemp("generate") / "sent.pcap")


NOTE = 0x400000  # of Wireshark's severities: above are warnings and errors


def test_tshark_finds_nothing_wrong(sent):
    assert len(sent.frames) == FRAMES * len(STREAMS)
    for frame in sent.frames:
        kind, version, *_ = STREAMS[frame["number"]]
        assert frame["udp.checksum.status" if kind == "udp" else "tcp.checksum.status"] == "1"
        assert version == 6 or frame["ip.checksum.status"] == "1"
        assert "_ws.malformed" not in frame
        severities = frame.get("_ws.expert.severity", "0").split(",")
        assert all(int(severity) <= NOTE for severity in severities), frame["_ws.expert.message"]


def test_scapy_makes_the_same_frames(sent):
    """Every length and checksum left out and filled in by somebody else: the same bytes."""
    from scapy.all import IP, TCP, UDP, Ether, IPv6, PcapReader
    frames = 0
    with PcapReader(sent.path) as reader:
        for frame in reader:
            original = bytes(frame)
            for layer, fields in ((IP, ("len", "chksum")), (IPv6, ("plen",)), (UDP, ("len", "chksum")),
                                  (TCP, ("chksum", "dataofs"))):
                for field in fields if layer in frame else ():
                    delattr(frame[layer], field)
            assert bytes(Ether(bytes(frame))) == original
            frames += 1
    assert frames == FRAMES * len(STREAMS)


def test_tags_sizes_and_flows(sent):
    """As they were asked for."""
    flows, sizes = [[] for _ in STREAMS], [[] for _ in STREAMS]
    for frame in sent.frames:
        number = frame["number"]
        _, version, tags, _ = STREAMS[number]
        vlans = ("vlan.id",) if "," not in "".join(tags) else ("ieee8021ad.id", "vlan.id")
        assert ",".join(frame.get(tag, "") for tag in vlans) == "".join(tags[1:])
        assert ("ip.dst" if version == 4 else "ipv6.dst") in frame
        reply = FIRST_PORT + number in (int(frame.get("tcp.srcport", 0)), int(frame.get("udp.srcport", 0)))
        macs = (CLIENT_MAC, SERVER_MAC)
        assert (frame["eth.src"], frame["eth.dst"]) == (macs[::-1] if reply else macs)
        flows[number].append((frame.get("ip.dst"), frame.get("ipv6.dst"), frame.get("tcp.srcport"),
                              frame.get("udp.srcport")))
        sizes[number].append(int(frame["frame.len"]))
    for number, (kind, _, _, size) in enumerate(STREAMS):
        seen = flows[number]
        if kind != "handshake":
            assert seen[:8] == seen[8:16] == seen[16:] and len(set(seen)) == 8
        if size and size[1] != "imix":
            wanted = [int(number) for number in size[1].split(",")]
            assert sizes[number] == (wanted * FRAMES)[:FRAMES]


def test_handshakes_are_complete(sent):
    """SYN 1, SYN-ACK 2, ACK 4 to tshark; established to the project's own tracker."""
    frames = sent.of("handshake")
    assert {frame["tcp.completeness"] for frame in frames} == {"7"}
    assert len({frame["tcp.stream"] for frame in frames}) == len(frames) // 3
    ports = {FIRST_PORT + frame["number"] for frame in frames}
    established = [event for event in sent.trace.events("established")
                   if int(event["server"].rpartition(":")[2]) in ports]
    assert len(established) == len(frames) // 3 == FRAMES // 3 * len(ports)


def test_tcp_data_is_in_order(sent):
    """tshark follows each flow's numbers: nothing lost, repeated, out of order; only the handshake is missing."""
    expected = {}
    for frame in sent.of("tcp"):
        assert "tcp.analysis.flags" not in frame, frame["_ws.expert.message"]
        assert int(frame["tcp.seq_raw"]) == expected.get(frame["tcp.stream"], 1)
        expected[frame["tcp.stream"]] = int(frame["tcp.seq_raw"]) + int(frame["tcp.len"])
    assert len(expected) == len(sent.of("tcp")) // FRAMES * 8


def test_another_seed_is_another_order(wire, tmp_path):
    """And the same seed the same, frame by frame but for the times."""
    path = tmp_path / "seeds.pcap"
    capture = Capture(wire.server, "s0", path)
    for port, seed in ((1, "7"), (2, "7"), (3, "8")):
        generate(wire, "--to", f"10.7.0.0/16:{port}", "--dst-mac", SERVER_MAC, "--flows", "100", "--count", "100",
                 "--seed", seed, sink=False)
    capture.stop(300)
    rows = [tuple(row.values()) for row in tshark(path, "tcp.dstport", "ip.dst", "tcp.srcport", "tcp.seq_raw")]
    orders = [[flow for port, *flow in rows if port == wanted] for wanted in "123"]
    assert orders[0] == orders[1] and len(orders[0]) == 100
    assert orders[0] != orders[2] and len(orders[2]) == 100


def test_a_router_in_between_wears_nothing_out():
    """The router rewrites MACs and TTL on the very pages that the generator gets back: each must be made anew."""
    with Routed() as net:
        net.let_the_kernel_route()  # for the ping
        net.sink = f"{net.server.name}/s0"
        for to in net.server_address.values():  # so that the router knows its neighbour
            net.client.run("ping", "-c", "1", to)
        with net.router.xdplife("forward", "r0", "r1", "--json") as forward:
            for version, to in (("4", "10.7.2.2"), ("6", "[fd07:2::2]")):
                report = generate(net, "--to", to, "--kind", "udp", "--size", "60,590" if version == "4" else "80,590",
                                  "--count", "50000")
                assert report["sink"]["received"] == report["sent"] == 50000
        assert forward.ledger["frames"]["forwarded"] >= 100000


# --- a line with faults -----------------------------------------------------------------------------------------------

class Line(Network):
    """Two cables and between them something that does with the nth frame what it is told."""

    def build(self):
        self.client, self.line, self.server = self.host("client"), self.host("line"), self.host("server")
        cable(self.client, "c0", self.line, "m0")
        cable(self.line, "m1", self.server, "s0")
        for host, interface, mac in ((self.client, "c0", CLIENT_MAC), (self.server, "s0", SERVER_MAC),
                                     (self.line, "m0", "02:00:00:00:00:03"), (self.line, "m1", "02:00:00:00:00:04")):
            silence(host, interface, mac)
        self.line.run("ip", "link", "set", "m0", "promisc", "on")
        self.sink = f"{self.server.name}/s0"
        with self.line.inside():
            self.left, self.right = (socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
                                     for _ in range(2))
        self.left.setsockopt(socket.SOL_SOCKET, 33, 256 << 20)  # SO_RCVBUFFORCE
        self.left.bind(("m0", 3))
        self.right.bind(("m1", 3))

    def __exit__(self, *_):
        for end in (getattr(self, "left", None), getattr(self, "right", None)):
            if end:
                end.close()
        super().__exit__()

    @contextlib.contextmanager
    def carrying(self, frames, order, delay_s=0, rate=1):
        """
        Of so many frames `order` says which go on, and in what order: their numbers, repeated ones several times. With
        a delay each comes that much later, at that rate.
        """
        def carry():
            got, start_s = [], None
            for number in range(frames):
                got.append(self.left.recv(4096))
                start_s = start_s or time.monotonic()
                if delay_s:
                    time.sleep(max(0, start_s + delay_s + number / rate - time.monotonic()))
                for out in order.get(number, [number]):
                    self.right.send(got[out])
        thread = threading.Thread(target=carry, daemon=True)
        thread.start()
        yield
        thread.join(timeout=20)
        assert not thread.is_alive()


@pytest.fixture(scope="module")
def line():
    with Line() as net:
        yield net


def swap(first):
    """The pairs that begin there come the other way round."""
    return {number: out for one in first for number, out in ((one, []), (one + 1, [one + 1, one]))}


LINE_FRAMES = 2000
FAULTS = {
    "none": ({}, 0, 0, 0),
    "each tenth lost": ({number: [] for number in range(0, LINE_FRAMES, 10)}, 200, 0, 0),
    "half lost": ({number: [] for number in range(1, LINE_FRAMES, 2)}, 1000, 0, 0),
    "the last lost": ({LINE_FRAMES - 1: []}, 1, 0, 0),
    "all but one lost": ({number: [] for number in range(LINE_FRAMES) if number != 77}, LINE_FRAMES - 1, 0, 0),
    "each seventh twice": ({number: [number] * 2 for number in range(0, LINE_FRAMES, 7)}, 0, 286, 0),
    "each third thrice": ({number: [number] * 3 for number in range(0, LINE_FRAMES, 3)}, 0, 2 * 667, 0),
    "pairs swapped": (swap(range(0, LINE_FRAMES, 5)), 0, 0, 400),
    "a hundred late": ({**{number: [] for number in range(500, 600)}, 1500: [*range(500, 600), 1500]}, 0, 0, 100),
    "everything at once": ({**swap(range(100, 200, 2)), **{number: [] for number in range(300, 400)},
                            **{number: [number] * 2 for number in range(600, 650)}}, 100, 50, 50),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", ["udp", "syn"])
def test_the_sink_tells_each_fault(line, kind, fault):
    order, lost, duplicates, reordered = FAULTS[fault]
    with line.carrying(LINE_FRAMES, order):
        report = generate(line, *TO4, *BY_HAND, "--kind", kind, "--count", str(LINE_FRAMES), "--rate", "100000")
    sink = report["sink"]
    assert (sink["lost"], sink["duplicates"], sink["reordered"]) == (lost, duplicates, reordered)
    assert sink["received"] == LINE_FRAMES - lost + duplicates and (sink["stale"], sink["others"]) == (0, 0)
    assert report["taken"] == report["sent"] == LINE_FRAMES


def test_what_is_still_on_its_way_is_waited_for(line):
    """As long as the frames have taken before: the gaps between them are shorter."""
    with line.carrying(10, {}, delay_s=0.2, rate=25):
        report = generate(line, *TO4, *BY_HAND, "--count", "10", "--rate", "25")
    assert_clean(report, 10)
    assert report["sink"]["latency_ns"]["p50"] > 180e6


def test_loss_is_shown_to_people(line):
    with line.carrying(100, {number: [] for number in range(50)}):
        done = line.client.run(XDPLIFE, "generate", "c0", *TO4, *BY_HAND, "--count", "100", "--sink", line.sink)
    assert re.search(r"^sent +100  SYN frames by live frames on c0", done.stdout, re.M)
    assert re.search(r"^received +50 ", done.stdout, re.M)
    assert re.search(r"^lost +50  on the way: 50.0000 %", done.stdout, re.M)


# --- what is refused --------------------------------------------------------------------------------------------------

def fails(host, *arguments, command=(XDPLIFE,)):
    status, stderr = host.xdplife_fails("generate", *arguments, command=command)
    return status, "\n".join(errors(stderr))


@pytest.mark.parametrize("arguments, said", [
    ((), "no interface given"),
    (("c0",), "--to is missing"),
    (("c0", "c1", *TO4), "one interface at a time: c0, then c1"),
    (("c0", "--to", "host"), "--to host: not an IPv6 address"),
    (("c0", "--to", "10.7.0.2/33"), "--to 10.7.0.2/33: the prefix length must be 0 to 32"),
    (("c0", "--to", "10.7.0.2:0"), "--to 10.7.0.2:0: the port must be 1 to 65535"),
    (("c0", *TO4, "--from", "10.7.0.1:5"), "--from 10.7.0.1:5: without a port, for the flows decide it"),
    (("c0", *TO4, "--from", "fd00::1"), "--from fd00::1 and --to 10.7.0.2 are not of the same IP version"),
    (("c0", *TO4, "--kind", "icmp"), "--kind icmp: syn, udp, tcp, handshake or http"),
    (("c0", *TO4, "--rate", "0"), "--rate 0: must be a number from 0.001 to 1000000000"),
    (("c0", *TO4, "--rate", "fast"), "--rate fast: must be a number"),
    (("c0", *TO4, "--rate", "nan"), "--rate nan: must be a number"),
    (("c0", *TO4, "--duration", "-1"), "--duration -1: must be a number from 0.001"),
    (("c0", *TO4, "--duration", "inf"), "--duration inf: must be a number"),
    (("c0", *TO4, "--flows", "0"), "--flows 0: must be a whole number from 1 to 16777216"),
    (("c0", *TO4, "--flows", "16777217"), "--flows 16777217: must be a whole number"),
    (("c0", *TO4, "--flows", "32769"), "--flows 32769: these addresses have room for 32768"),
    (("c0", *TO4, "--count", "0"), "--count 0: must be a whole number from 1"),
    (("c0", *TO4, "--count", "1e6"), "--count 1e6: must be a whole number"),
    (("c0", *TO4, "--size", "0"), "--size 0: must be a whole number from 1 to 3360"),
    (("c0", *TO4, "--size", "64,,64"), "--size : must be a whole number"),
    (("c0", *TO4, "--size", ",".join(["64"] * 13)), "at most 12, separated by commas"),
    (("c0", *TO4, "--size", "53"), "--size 53: too small: these frames need 54 bytes or more"),
    (("c0", *TO4, "--kind", "handshake", "--size", "64"), "--size: the segments of a handshake have the sizes"),
    (("c0", *TO4, "--kind", "tcp", "--size", "imix"), "--size: TCP data in order needs frames of one size"),
    (("c0", *TO4, "--kind", "tcp", "--threads", "2"), "a multiple of --threads"),
    (("c0", *TO4, "--seed", "x"), "--seed x: must be a whole number"),
    (("c0", *TO4, "--vlan", "4095"), "--vlan 4095: must be a whole number from 1 to 4094"),
    (("c0", *TO4, "--vlan", "1,2,3"), "--vlan 1,2,3: at most 2"),
    (("c0", *TO4, "--threads", "65"), "--threads 65: must be a whole number from 1 to 64"),
    (("c0", *TO4, "--dst-mac", "02:00:00:00:00"), "--dst-mac 02:00:00:00:00: must be a MAC address"),
    (("c0", *TO4, "--dst-mac", "02:00:00:00:00:011"), "must be a MAC address"),
    (("c0", *TO4, "--src-mac", "03:00:00:00:00:01"), "--src-mac: must be the MAC of one station"),
    (("c0", *TO4, "--turbo"), "unrecognized option '--turbo'"),
], ids=lambda value: " ".join(value)[:60] if isinstance(value, tuple) else "")
def test_wrong_usage(wire, arguments, said):
    status, stderr = fails(wire.client, *arguments)
    assert status == 2 and said in stderr


@pytest.mark.parametrize("arguments, said", [
    (("--to", "8.8.8.8"), "8.8.8.8/32: refused: not a private or test network"),
    (("--to", "2001:4860::1"), "2001:4860::1/128: refused: not a private or test network"),
    (("--to", "10.0.0.0/7"), "10.0.0.0/7: refused: not a private or test network"),
    ((*TO4, "--from", "8.8.8.8"), "8.8.8.8/32: refused: not a private or test network"),
    (("--to", "224.0.0.1", "--i-own-this-network"), "224.0.0.1/32: refused: broadcast, multicast"),
    (("--to", "255.255.255.255", "--i-own-this-network"), "refused: broadcast"),
    (("--to", "0.0.0.0/0", "--i-own-this-network"), "0.0.0.0/0: refused: broadcast, multicast"),
    (("--to", "ff02::1", "--i-own-this-network"), "ff02::1/128: refused: broadcast, multicast"),
    (("--to", "10.7.0.255", "--i-own-this-network"), "10.7.0.255 is a broadcast"),
    ((*TO4, "--dst-mac", "ff:ff:ff:ff:ff:ff", "--i-own-this-network"), "ff:ff:ff:ff:ff:ff: refused"),
    ((*TO4, "--dst-mac", "01:00:5e:00:00:01"), "01:00:5e:00:00:01: refused"),
    ((*TO4, "--sink", "nowhere/s0"), "--sink nowhere/s0: the network namespace nowhere cannot be entered"),
    ((*TO4, "--sink", "s1"), "s1: no such interface"),
    ((*TO4, "--kind", "udp", "--size", "2000"), "frames of 2000 bytes are larger than its MTU of 1500"),
], ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")
def test_refused_with_the_reason(wire, arguments, said):
    small_mtu = "2000" in arguments
    if small_mtu:
        wire.client.run("ip", "link", "set", "c0", "mtu", "1500")
    status, stderr = fails(wire.client, "c0", *arguments, "--count", "1")
    if small_mtu:
        wire.client.run("ip", "link", "set", "c0", "mtu", str(MTU))
    assert status == 1 and said in stderr


def test_only_by_a_veth(own_wire):
    own_wire.client.run("ip", "link", "add", "b0", "type", "bridge")
    own_wire.client.run("ip", "link", "set", "b0", "up")
    before = ("b0", "--to", "10.8.0.2", "--from", "10.8.0.1", "--dst-mac", SERVER_MAC, "--count", "5")
    status, stderr = fails(own_wire.client, *before)
    assert status == 1 and "b0: refused: it is a bridge, not a veth" in stderr and "--i-own-this-network" in stderr
    status, stderr = fails(own_wire.client, "lo", *before[1:])
    assert status == 1 and "lo: refused: it is the loopback" in stderr


def test_public_addresses_by_a_veth_of_ones_own(wire):
    report = generate(wire, "--to", "8.8.8.8", *BY_HAND, "--count", "5", "--i-own-this-network")
    assert_clean(report, 5)


def test_no_such_interface(wire):
    status, stderr = fails(wire.client, "c9", *TO4)
    assert status == 1 and "c9: no such interface" in stderr


def test_interface_down(own_wire):
    own_wire.client.run("ip", "link", "set", "c0", "down")
    assert fails(own_wire.client, "c0", *TO4, *BY_HAND) == (
        1, "c0: the interface is down; try: ip link set c0 up")
    own_wire.client.run("ip", "link", "set", "c0", "up")
    own_wire.server.run("ip", "link", "set", "s0", "down")
    assert fails(own_wire.client, "c0", *TO4, *BY_HAND) == (
        1, f"c0: the other end of the cable, s0, is down; try: ip -n {own_wire.server.name} link set s0 up")


def test_a_far_end_that_would_take_nothing(own_wire):
    """Said before anything is sent, with the cure; a sink there is a cure as well."""
    own_wire.server.run("ethtool", "-K", "s0", "gro", "off")
    status, stderr = fails(own_wire.client, "c0", *TO4, "--count", "10")
    assert (status, stderr) == (1, "c0: no XDP program and no GRO on the veth peer s0, so redirected frames would be "
                                f"dropped; try: ip netns exec {own_wire.server.name} ethtool -K s0 gro on")
    assert_clean(generate(own_wire, *TO4, "--count", "10"), 10)


@pytest.fixture(scope="module")
def anybody_can_run(tmp_path_factory):
    """A copy in a directory that everybody may enter."""
    directory = tmp_path_factory.mktemp("public")
    for path in (directory, *directory.parents[:-2]):
        path.chmod(path.stat().st_mode | stat.S_IXOTH | stat.S_IROTH)
    return shutil.copy(XDPLIFE, directory / "xdplife")


@pytest.mark.parametrize("who", [
    ("--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"),
    ("--bounding-set", "-all", "--inh-caps", "-all"),
    ("--bounding-set", "-net_admin", "--inh-caps", "-net_admin"),
], ids=["nobody", "root without capabilities", "root without net_admin"])
def test_no_privilege(wire, anybody_can_run, who):
    status, stderr = fails(wire.client, "c0", *TO4, "--count", "1", command=("setpriv", *who, anybody_can_run))
    assert (status, stderr) == (
        3, "XDP needs the capabilities CAP_NET_ADMIN, CAP_BPF and CAP_PERFMON (or CAP_SYS_ADMIN); try: sudo")


def test_no_privilege_for_the_sinks_namespace(wire, anybody_can_run):
    caps = "-all,+net_admin,+bpf,+perfmon,+net_raw"
    status, stderr = fails(wire.client, "c0", *TO4, "--count", "1", "--sink", wire.sink,
                           command=("setpriv", "--bounding-set", caps, "--inh-caps", caps, anybody_can_run))
    assert status == 3 and "cannot be entered" in stderr and "CAP_SYS_ADMIN" in stderr


# --- what happens meanwhile -------------------------------------------------------------------------------------------

def frames_flow(net):
    """Until the sink's interface has seen some."""
    wait_until(lambda: counters(net.server, "s0")["xdp"] > 1000, "frames")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("pace", [(), ("--rate", "20000"), ("--threads", "2")], ids=" ".join)
def test_interrupted_the_report_is_true(wire, how, pace):
    """By the far end's count: of what two CPUs send at once, a veth's own misses some (it adds without a lock)."""
    before = counters(wire.server, "s0")["xdp"]
    with started(wire, *TO4, *pace) as session:
        wait_until(lambda: counters(wire.server, "s0")["xdp"] > before + 1000, "frames")
        assert session.stop(how) == 0
    report = report_of(session)
    assert report["sent"] > 1000
    assert_arrived(report)
    assert counters(wire.server, "s0")["xdp"] - before == report["taken"]
    assert "xdp" not in wire.server.link("s0")


def test_a_long_sleep_is_interrupted(wire):
    with started(wire, *TO4, "--rate", "0.01") as session:
        wait_until(lambda: counters(wire.server, "s0")["rx"], "the first frame")
        assert session.stop() == 0
    assert_clean(report_of(session), 1)


def test_killed_nothing_stays_attached(own_wire):
    with started(own_wire, *TO4) as session:
        frames_flow(own_wire)
        programs = session.programs()
        assert own_wire.server.link("s0")["xdp"]["prog"]["id"] in programs
        assert session.stop(signal.SIGKILL) == -signal.SIGKILL
    wait_until(lambda: "xdp" not in own_wire.server.link("s0"), "the sink's program to be off")
    wait_until(lambda: not any(map(program_exists, programs)), "all programs to be gone")


ENDS = {
    "set down": (lambda net: net.client.run("ip", "link", "set", "c0", "down"),
                 "c0: the stream ended early: the interface was set down; try: ip link set c0 up"),
    "deleted": (lambda net: net.client.run("ip", "link", "delete", "c0"),
                "c0: the stream ended early: the interface is gone; try: ip link"),
    "the far end deleted": (lambda net: net.server.run("ip", "link", "delete", "s0"),
                            "c0: the stream ended early: the interface is gone; try: ip link"),
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("pace", [(), ("--rate", "10000"), ("--rate", "0.01")], ids=" ".join)
def test_the_interface_goes_away(own_wire, end, pace):
    do, said = ENDS[end]
    with started(own_wire, *TO4, *pace) as session:
        wait_until(lambda: counters(own_wire.server, "s0")["xdp"], "frames")
        do(own_wire)
        assert session.wait() == 1
    assert errors(session.stderr)[-1] == said
    report = report_of(session)
    assert report["taken"] + report["refused"] == report["sent"]
    assert report["sink"]["received"] + report["sink"]["lost"] == report["taken"]


def test_the_sinks_namespace_goes_away(own_wire):
    with started(own_wire, *TO4) as session:
        frames_flow(own_wire)
        own_wire.server.delete()
        own_wire.hosts.remove(own_wire.server)
        assert session.wait() == 1
    assert errors(session.stderr)[-1] == "c0: the stream ended early: the interface is gone; try: ip link"
    report = report_of(session)
    assert report["taken"] + report["refused"] == report["sent"]


def cpu_ticks(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_refused_while_running_says_why(own_wire):
    with started(own_wire, *TO4, "--rate", "10000", sink=False) as session:
        wait_until(lambda: counters(own_wire.server, "s0")["rx"], "frames")
        own_wire.server.run("ip", "link", "set", "s0", "down")
        before = cpu_ticks(session.process.pid)
        wait_until(lambda: cpu_ticks(session.process.pid) > before + 10, "frames to be made")
        assert session.stop() == 1
    report = report_of(session)
    assert report["refused"] and report["taken"] + report["refused"] == report["sent"]
    assert errors(session.stderr)[-1] == (f"c0: the other end of the cable, s0, is down; try: ip -n "
                                          f"{own_wire.server.name} link set s0 up")


# --- what is shown ----------------------------------------------------------------------------------------------------

def test_progress_is_for_terminals(wire):
    """On stderr, and only if that is one."""
    leader, follower = pty.openpty()
    command = wire.client.command(XDPLIFE, "generate", "c0", *TO4, "--rate", "1000", "--duration", "0.2")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=follower)
    os.close(follower)
    shown = b""
    with contextlib.suppress(OSError):  # EIO: the other end is closed
        while part := os.read(leader, 4096):
            shown += part
    os.close(leader)
    assert process.wait() == 0
    process.stdout.close()
    assert re.search(rb"\r\d s  \d+ frames  ", shown) and shown.endswith(b"\r\x1b[K")
    done = wire.client.run(XDPLIFE, "generate", "c0", *TO4, "--rate", "1000", "--duration", "0.2")
    assert len(done.stderr.splitlines()) == 1
