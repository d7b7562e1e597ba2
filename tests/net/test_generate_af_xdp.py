# SPDX-License-Identifier: GPL-2.0-only
"""xdplife generate through AF_XDP: the same frames as live frames make, exactly as many, at the same pace.

    client c0 ----- s0 server
"""
import json
import re
import signal
import struct

import pytest

from captures import Tap
from hosts import XDPLIFE, Lan, Network, address, run, wait_until

AF_XDP = "--no-live-frames"
TCP, UDP = 6, 17
STAMP = b"XLIF"


@pytest.fixture(scope="module")
def lan():
    with Lan() as lan:
        lan.client.run("ip", "link", "set", "c0", "address", "02:00:00:00:00:aa")
        lan.server.run("ip", "link", "set", "s0", "address", "02:00:00:00:00:bb")
        yield lan


def generate(host, *words, code=0):
    """Runs to the end; what it reports."""
    done = host.run(XDPLIFE, "generate", "c0", "--json", *map(str, words), check=False)
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


def fails(host, *words, says, code=1):
    done = host.run(XDPLIFE, "generate", "c0", *map(str, words), check=False)
    assert done.returncode == code, done.stderr
    assert says in done.stderr.strip().splitlines()[-1], done.stderr


# --- the frames -------------------------------------------------------------------------------------------------------

def without_times(frame):
    """The frame with what depends on the clock zeroed: stamps, TCP timestamps, and the checksums over them."""
    frame = bytearray(frame)
    at = 12
    while frame[at:at + 2] in (b"\x81\0", b"\x88\xa8"):
        at += 4
    at += 2
    l4 = at + (frame[at] & 15) * 4 if frame[at] >> 4 == 4 else at + 40
    proto = frame[at + 9] if frame[at] >> 4 == 4 else frame[at + 6]
    if proto == UDP:
        struct.pack_into("!H", frame, l4 + 6, 0)
        data = l4 + 8
    else:
        struct.pack_into("!H", frame, l4 + 16, 0)
        data = l4 + (frame[l4 + 12] >> 4) * 4
        option = l4 + 20
        while option < data and frame[option] != 0:
            if frame[option] == 8:
                frame[option + 2:option + 10] = bytes(8)
            option += 1 if frame[option] == 1 else frame[option + 1]
    if frame[data:data + 4] == STAMP:
        frame[data + 10:data + 18] = bytes(8)
    return bytes(frame)


def stamps(frame):
    """The time that a UDP frame carries."""
    at = frame.find(STAMP)
    return struct.unpack_from("!Q", frame, at + 10)[0]


KINDS = (
    ("--kind", "syn", "--flows", "50"),
    ("--kind", "syn", "--size", "54"),
    ("--kind", "udp", "--flows", "200", "--size", "100,1514,101", "--vlan", "5,7"),
    ("--kind", "tcp", "--flows", "7", "--size", "577"),
    ("--kind", "handshake", "--flows", "20"),
)


@pytest.mark.parametrize("words", KINDS, ids=lambda words: "-".join(words[1::2]))
@pytest.mark.parametrize("version", (4, 6))
def test_the_same_bytes_as_live_frames(lan, tmp_path, words, version):
    if version == 6 and "54" in words:
        words = ("--kind", "syn", "--size", "74")
    seen = []
    for way in ((), (AF_XDP,)):
        path = tmp_path / f"{len(way)}.pcap"
        with Tap(lan.server, "s0", path, "not arp and not icmp6 and not ip6 multicast") as tap:
            report = generate(lan.client, "--to", f"[{lan.server_address[6]}]" if version == 6 else "10.7.0.0/24",
                              "--dst-mac", "02:00:00:00:00:bb", "--seed", "42", "--count", "300", "--rate", "20000",
                              *words, *way)
            seen.append([without_times(frame) for frame in tap.frames(lan.client, "c0")])
        assert report["sent"] == len(seen[-1]) == 300
        assert_checksums(path)
    assert seen[0] == seen[1]
    assert len(set(seen[0])) > 250


def assert_checksums(path):
    """Wireshark's judgement: none is bad, and there are some."""
    listed = run("tshark", "-r", str(path), "-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", "-o",
                 "udp.check_checksum:TRUE", "-T", "fields", "-e", "tcp.checksum.status", "-e", "udp.checksum.status",
                 "-Y", "tcp || udp").stdout.split()
    assert len(listed) >= 300 and set(listed) == {"1"}


@pytest.mark.parametrize("pace", ((), ("--rate", "4000")), ids=("unpaced", "paced"))
def test_stamps_are_the_kernels_clock(lan, pace):
    """One-way latency needs one clock at both ends: it lies between a nanosecond and a second."""
    report = generate(lan.client, "--to", "10.7.0.2", "--kind", "udp", "--count", "200", "--sink",
                      f"{lan.server.name}/s0", *pace, AF_XDP)
    assert 0 < report["sink"]["latency_ns"]["frames"] <= 200
    assert 0 < report["sink"]["latency_ns"]["p50"] < 10 ** 9


# --- how many, how fast -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("count", (1, 31, 32, 33, 64, 65, 10_000))
def test_exactly_as_many(lan, count):
    """Around the size of a batch; the report counts what the kernel has completed, the sink what came."""
    report = generate(lan.client, "--to", "10.7.0.2", "--count", count, "--sink", f"{lan.server.name}/s0", AF_XDP)
    assert report["way"] == "AF_XDP"
    assert report["sent"] == count == report["sink"]["received"]
    assert report["sink"]["lost"] == report["sink"]["duplicates"] == report["sink"]["reordered"] == 0
    assert "taken" not in report and "refused" not in report


@pytest.mark.parametrize("rate, count", ((8, 4), (1500, 450), (20000, 6000)))
def test_pace(lan, tmp_path, rate, count):
    """By the frames' own stamps: each when it is due, as a mean within one in a hundred."""
    with Tap(lan.server, "s0", tmp_path / "far.pcap", "udp port 9 or ether proto 0x88b5") as tap:
        report = generate(lan.client, "--to", "10.7.0.2", "--kind", "udp", "--rate", rate, "--count", count, AF_XDP)
        times = [stamps(frame) for frame in tap.frames(lan.client, "c0")]
    late = sorted(ns - times[0] - i * 10 ** 9 / rate for i, ns in enumerate(times))
    assert len(times) == count == report["sent"]
    assert late[0] > -10 ** 6 and late[len(late) // 2] < 2 * 10 ** 6
    assert report["seconds"] == pytest.approx(count / rate, rel=0.02, abs=0.005)


def test_duration(lan):
    report = generate(lan.client, "--to", "10.7.0.2", "--duration", "0.2", "--sink", f"{lan.server.name}/s0", AF_XDP)
    assert 0.19 < report["seconds"] < 2
    assert report["sent"] == report["sink"]["received"] + report["sink"]["lost"] > 1000


def test_interrupt(lan):
    session = lan.client.xdplife("generate", "c0", "--json", "--to", "10.7.0.2", "--rate", "3000", "--sink",
                                 f"{lan.server.name}/s0", AF_XDP)
    session.wait_ready()
    assert session.stop(signal.SIGINT) == 0, session.stderr
    report = json.loads(session.stdout)
    assert report["sent"] == report["sink"]["received"] + report["sink"]["lost"]


# --- queues -----------------------------------------------------------------------------------------------------------

class TwoQueues(Network):
    """A Lan whose interfaces have two queues each way."""

    def build(self):
        self.client, self.server = self.host("client"), self.host("server")
        queues = ("numtxqueues", "2", "numrxqueues", "2")
        run("ip", "link", "add", "c0", *queues, "netns", self.client.name, "type", "veth",
            "peer", "name", "s0", *queues, "netns", self.server.name)
        for host, name, number in ((self.client, "c0", 1), (self.server, "s0", 2)):
            host.run("ethtool", "-L", name, "rx", "2", "tx", "2")
            address(host, name, f"10.7.0.{number}/24")
            host.run("ip", "link", "set", name, "up")
        wait_until(lambda: self.client.link("c0")["operstate"] == "UP", "the carrier")


def test_a_queue_for_each_thread():
    with TwoQueues() as lan:
        report = generate(lan.client, "--to", "10.7.0.2", "--flows", "100", "--threads", "2", "--count", "5001",
                          "--rate", "50000", "--sink", f"{lan.server.name}/s0", AF_XDP)
        assert report["sent"] == 5001 == report["sink"]["received"] + report["sink"]["lost"]
        assert report["sink"]["duplicates"] == 0 and report["sink"]["received"] > 4000
        fails(lan.client, "--to", "10.7.0.2", "--threads", "3", AF_XDP,
              says="c0: AF_XDP needs a queue for each thread, and there are 2; try: --threads 2")


def test_more_threads_than_queues(lan):
    fails(lan.client, "--to", "10.7.0.2", "--threads", "2", "--flows", "2", AF_XDP,
          says="c0: AF_XDP needs a queue for each thread, and there is 1; try: --threads 1, or more queues: ethtool")


def test_queue_is_taken(lan):
    first = lan.client.xdplife("generate", "c0", "--to", "10.7.0.2", "--rate", "10", AF_XDP)
    with first:
        fails(lan.client, "--to", "10.7.0.2", AF_XDP,
              says="c0: another AF_XDP socket has the queue; try: ss --xdp shows who has it")


def test_one_after_the_other(lan):
    """The kernel lets go of a queue a while after the socket's end: that is waited for."""
    for _ in range(5):
        assert generate(lan.client, "--to", "10.7.0.2", "--count", "10", AF_XDP)["sent"] == 10


# --- what goes wrong --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("limit, says", (
    (("setpriv", "--bounding-set", "-net_raw"), "c0: an AF_XDP socket needs CAP_NET_RAW; try: as root"),
    (("prlimit", "--memlock=16384", "setpriv", "--bounding-set", "-ipc_lock"),
     "c0: no memory for AF_XDP sockets may be locked; try: ulimit -l unlimited, or CAP_IPC_LOCK"),
), ids=("cap-net-raw", "memlock"))
def test_missing_privilege(lan, limit, says):
    code, stderr = lan.client.xdplife_fails("generate", "c0", "--to", "10.7.0.2", "--count", "5", AF_XDP,
                                            command=(*limit, XDPLIFE))
    assert code == 3 and says in stderr


@pytest.mark.parametrize("words, says", (
    (("delete", "c0"), "the interface (is gone|was set down)"), (("set", "c0", "down"), "the interface was set down")),
    ids=("deleted", "down"))
def test_interface_goes_away(tmp_path, words, says):
    with Lan() as lan, Tap(lan.server, "s0", tmp_path / "far.pcap", "tcp port 80") as tap:
        session = lan.client.xdplife("generate", "c0", "--to", "10.7.0.2", "--rate", "2000", "--json", AF_XDP)
        session.wait_ready()
        wait_until(lambda: tap.path.stat().st_size > 24, "the first frame")
        run("ip", "-n", lan.client.name, "link", *words)
        assert session.wait() == 1
        assert re.search(f"c0: the stream ended early: {says}", session.stderr)
        assert json.loads(session.stdout)["sent"] > 0
