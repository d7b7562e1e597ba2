# SPDX-License-Identifier: GPL-2.0-only
"""xdplife generate --replay: the frames of a capture, byte for byte, in order and in time, seen by tcpdump there.

    client c0 ----- s0 server         and for the sink:  client c0 ----- r0 router r1 ----- s0 server
"""
import json
import pathlib
import re
import signal
import struct
import time

import pytest

from captures import ETH, Tap, convert, udp, write
from hosts import XDPLIFE as PROGRAM, Lan, Routed, run, wait_until

XDPLIFE = (PROGRAM, "generate")
WAYS = pytest.mark.parametrize("way", ((), ("--no-live-frames",)), ids=("live", "af_xdp"))
NAMES = {(): "live frames", ("--no-live-frames",): "AF_XDP"}
SLOTS = 1024  # of the ring that the frames go through
MS = 10 ** 6


@pytest.fixture(scope="module")
def lan():
    with Lan() as lan:
        lan.client.run("ip", "link", "set", "c0", "mtu", "3500")
        lan.server.run("ip", "link", "set", "s0", "mtu", "3500")
        yield lan


@pytest.fixture
def tap(lan, tmp_path):
    with Tap(lan.server, "s0", tmp_path / "far.pcap") as tap:
        yield tap


def replay(host, path, *words):
    """Runs to the end; what it reports."""
    done = host.run(*XDPLIFE, "c0", "--replay", str(path), "--json", *words, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def fails(host, *words, says, code=1, interface="c0"):
    """A run that must fail, with a message of one line that says so. Returns what was printed on stdout."""
    done = host.run(*XDPLIFE, interface, *map(str, words), check=False)
    message = done.stderr.strip().splitlines()[-1]
    assert done.returncode == code, done.stderr
    assert message.startswith("xdplife") and says in message, message
    return done.stdout


def odd_frames():
    """What a generator of its own would never make."""
    return [
        udp(1), udp(2, 1514), udp(3, 3360), udp(4, 42), udp(5, 61),
        ETH + b"\x08\x06" + bytes.fromhex("0001080006040001020000000001 0a070001 000000000000 0a070002"),
        ETH + b"\x86\xdd" + b"\x60" + bytes(3) + b"\0\0\x3b\x40" + b"\xfd" + bytes(15) + b"\xfd" + bytes(15),
        ETH + b"\x81\0\0\x07" + udp(6)[12:],
        ETH + b"\x88\xa8\0\x05\x81\0\0\x07" + udp(7)[12:],
        ETH + b"\x00\x26\x42\x42\x03" + bytes(35),       # 802.3, LLC
        ETH + b"\x08\x00" + b"\x46" + bytes(45),         # IPv4, malformed
        ETH + b"\x88\xcc",                               # nothing but a header
        b"\x01\0\x5e\0\0\xfb" + udp(8, to="224.0.0.251")[6:],
    ]


@WAYS
@pytest.mark.parametrize("kind", ("usec", "usec-big-endian", "nsecpcap", "pcapng"))
def test_bytes_and_order(lan, tap, tmp_path, way, kind):
    frames = odd_frames() + [udp(i, 60 + i * 7 % 1400) for i in range(200)]
    path = write(tmp_path / "in.pcap", frames, order=">" if "big" in kind else "<")
    if kind in ("nsecpcap", "pcapng"):
        path = convert(path, kind)
    report = replay(lan.client, path, "--rate", "10000", *way)
    assert report["sent"] == len(frames)
    assert report["way"] == NAMES[way] and report["kind"] == "replayed"
    assert tap.frames(lan.client, "c0") == frames


@WAYS
@pytest.mark.parametrize("count", (1, SLOTS, SLOTS + 1))
def test_loops(lan, tap, tmp_path, way, count):
    """A file that fits into the ring, just so, and just not."""
    frames = [udp(i, 60 + i % 100) for i in range(count)]
    report = replay(lan.client, write(tmp_path / "in.pcap", frames), "--loop", "3", "--rate", "10000", *way)
    assert report["sent"] == 3 * count
    assert tap.frames(lan.client, "c0") == 3 * frames


@WAYS
@pytest.mark.parametrize("words, sent", (
    (("--count", "1"), 1), (("--count", "1500"), 1500), (("--count", "5000", "--loop", "2"), 4000),
    (("--loop", "0", "--count", "4100"), 4100), (("--rate", "10000", "--duration", "0.05"), 500)))
def test_so_many_and_no_more(lan, tap, tmp_path, way, words, sent):
    frames = [udp(i) for i in range(2000)]
    if "--rate" not in words:
        words += ("--rate", "10000")
    report = replay(lan.client, write(tmp_path / "in.pcap", frames), *words, *way)
    assert report["sent"] == sent
    assert tap.frames(lan.client, "c0") == (3 * frames)[:sent]


@WAYS
def test_other_mac_addresses(lan, tap, tmp_path, way):
    frames = [udp(i) for i in range(1030)]
    path = write(tmp_path / "in.pcap", frames)
    new = bytes.fromhex("0200000000cc")
    replay(lan.client, path, "--rate", "10000", "--src-mac", "02:00:00:00:00:cc", *way)
    assert tap.frames(lan.client, "c0") == [frame[:6] + new + frame[12:] for frame in frames]
    replay(lan.client, path, "--rate", "10000", "--dst-mac", "02:00:00:00:00:cc", *way)
    assert tap.frames(lan.client, "c0")[len(frames):] == [new + frame[6:] for frame in frames]


# --- time -------------------------------------------------------------------------------------------------------------

def offsets_ms(packets):
    return [(ns - packets[0][0]) / MS for ns, _ in packets]


def assert_in_time(packets, due_ms):
    """This machine may have to do something else for a while, but not most of the time."""
    seen = offsets_ms(packets)
    errors = sorted(abs(a - b) for a, b in zip(seen, due_ms))
    assert len(seen) == len(due_ms)
    assert seen[-1] == pytest.approx(due_ms[-1], rel=0.05, abs=5)
    assert errors[len(errors) // 2] < 5, errors


@WAYS
def test_own_timing(lan, tap, tmp_path, way):
    """Bursts with long gaps between them: a mean rate would not do. Where the file's clock runs back, ours stands."""
    due_ns = [burst * 60 * MS + i * 20000 for burst in range(6) for i in range(200)]
    times = [1700000000 * 10 ** 9 + 999 * MS + ns for ns in due_ns]
    times[250] = times[0]
    due_ns[250] = due_ns[249]
    path = write(tmp_path / "in.pcap", [udp(i) for i in range(len(times))], times, digits=9)
    report = replay(lan.client, path, *way)
    packets = tap.packets(lan.client, "c0")
    assert [frame for _, frame in packets] == [udp(i) for i in range(len(times))]
    assert_in_time(packets, [ns / MS for ns in due_ns])
    assert report["seconds"] == pytest.approx(due_ns[-1] / 10 ** 9, rel=0.05)


@WAYS
@pytest.mark.parametrize("count", (11, 1101))
def test_rounds_in_time(lan, tap, tmp_path, way, count):
    """A round follows the one before after the mean gap of its frames."""
    times = [i * 100 * MS // (count - 1) for i in range(count)]
    path = write(tmp_path / "in.pcap", [udp(i) for i in range(count)], times)
    replay(lan.client, path, "--loop", "4", *way)
    period = times[-1] + times[1]
    assert_in_time(tap.packets(lan.client, "c0"), [(r * period + ns) / MS for r in range(4) for ns in times])


def test_a_long_gap(lan, tap, tmp_path):
    """To begin again takes the kernel tens of milliseconds: that is begun in time."""
    times = [0, MS, 1200 * MS, 1201 * MS]
    path = write(tmp_path / "in.pcap", [udp(i) for i in range(4)], times)
    replay(lan.client, path)
    assert_in_time(tap.packets(lan.client, "c0"), [ns / MS for ns in times])


@WAYS
@pytest.mark.parametrize("rate, count", ((400, 100), (5000, 1500)))
def test_at_a_rate(lan, tap, tmp_path, way, rate, count):
    """Whatever the times of the file: here all frames have the same."""
    path = write(tmp_path / "in.pcap", [udp(i) for i in range(count)], [0] * count)
    report = replay(lan.client, path, "--rate", str(rate), *way)
    assert_in_time(tap.packets(lan.client, "c0"), [i * 1000 / rate for i in range(count)])
    assert report["seconds"] == pytest.approx(count / rate, rel=0.05)


@WAYS
def test_fast(lan, tmp_path, way):
    """An hour long, if it were not for --fast."""
    path = write(tmp_path / "in.pcap", [udp(i) for i in range(3000)], [i * 1200 * MS for i in range(3000)])
    report = replay(lan.client, path, "--fast", "--sink", f"{lan.server.name}/s0", *way)
    assert report["sent"] == 3000 == report["sink"]["received"] + report["sink"]["lost"]
    assert report["seconds"] < 60


# --- the sink ---------------------------------------------------------------------------------------------------------

@WAYS
def test_sink_through_a_router(tmp_path, way):
    """What a router has changed is known again; what it has not passed on is lost; what others send is not ours."""
    frames = [udp(i, 60 + i % 900, to="10.7.2.2", ttl=1 if i % 10 == 0 else 64) for i in range(500)]
    path = write(tmp_path / "in.pcap", frames)
    with Routed() as net:
        net.let_the_kernel_route()
        net.client.run("ping", "-c", "1", "-W", "5", "10.7.2.2")
        mac = net.router.link("r0")["address"]
        with net.router.xdplife("forward", "r0", "r1"):
            report = replay(net.client, path, "--rate", "5000", "--dst-mac", mac, "--sink", f"{net.server.name}/s0",
                            *way)
    assert report["sent"] == 500
    assert report["sink"]["received"] == 450 and report["sink"]["lost"] == 50
    assert report["sink"]["bytes"] == sum(len(frame) for i, frame in enumerate(frames) if i % 10)
    assert "duplicates" not in report["sink"] and "latency_ns" not in report["sink"]


@WAYS
def test_sink_leaves_others_to_the_stack(lan, tmp_path, way):
    frames = [frame for frame in odd_frames() if len(frame) <= 1514]
    path = write(tmp_path / "in.pcap", frames, [i * 20 * MS for i in range(len(frames))])
    session = lan.client.xdplife("generate", "c0", "--replay", str(path), "--sink", f"{lan.server.name}/s0", "--json",
                                 "--loop", "2", *way)
    with session:
        lan.client.run("ping", "-c", "3", "-i", "0.01", "-W", "5", "10.7.0.2")
        assert session.wait() == 0, session.stderr
    report = json.loads(session.stdout)
    assert report["sink"]["received"] == report["sent"] == 2 * len(frames)
    assert report["sink"]["others"] >= 3


# --- what is refused --------------------------------------------------------------------------------------------------

def cut_short(path):
    path.write_bytes(path.read_bytes()[:-10])


def snapped(path):
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, len(data) - 60 - 4, 1514)
    path.write_bytes(data)


def other_link(path):
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, 20, 101)
    path.write_bytes(data)


@pytest.mark.parametrize("damage, says", (
    (cut_short, "in.pcap: frame 3: "),
    (snapped, "in.pcap: frame 3 was cut by the capture (60 of 1514 bytes); try: "),
    (other_link, "in.pcap: its link type 12 (RAW) is not Ethernet; try: "),
    (lambda path: path.write_bytes(path.read_bytes()[:24]), "in.pcap: there are no frames in it"),
    (lambda path: path.write_bytes(b"#!/bin/sh\necho this is no capture\n"), "in.pcap: unknown file format; try: "),
    (lambda path: write(path, [udp(1), udp(2), udp(3, 3361)]), "frame 3 has 3361 bytes: at most 3360 can be sent"),
    (lambda path: write(path, [udp(1), udp(2), b"\xff" * 13]), "frame 3 has 13 bytes: less than an Ethernet header"),
    (lambda path: write(path, [udp(1), udp(2), udp(3)], [0, 1, 400 * 86400 * 10 ** 9]),
     "frame 3 lies more than a year from the first one; try: --rate or --fast"),
    (lambda path: write(path, [udp(1), udp(2), udp(3, to="8.8.8.8")]),
     "refused: frame 3 goes to 8.8.8.8, which is no private or test address"),
    (lambda path: path.unlink(), "in.pcap: No such file"),
), ids=("truncated", "snaplen", "link-type", "empty", "no-capture", "too-large", "too-small", "year", "public", "gone"))
def test_refused_before_anything_is_sent(lan, tap, tmp_path, damage, says):
    path = write(tmp_path / "in.pcap", [udp(1), udp(2), udp(3)])
    damage(path)
    assert fails(lan.client, "--replay", path, says=says) == ""
    assert tap.frames(lan.client, "c0") == []


def test_own_network(lan, tap, tmp_path):
    path = write(tmp_path / "in.pcap", [udp(1, to="8.8.8.8")])
    replay(lan.client, path, "--i-own-this-network")
    assert tap.frames(lan.client, "c0") == [udp(1, to="8.8.8.8")]


def test_only_by_veth(lan, tmp_path):
    path = write(tmp_path / "in.pcap", [udp(1)])
    lan.client.run("ip", "tuntap", "add", "d0", "mode", "tap")
    try:
        lan.client.run("ip", "link", "set", "d0", "up")
        fails(lan.client, "--replay", path, interface="d0", says="d0: refused: it is a tun, not a veth")
    finally:
        lan.client.run("ip", "link", "delete", "d0")


@pytest.mark.parametrize("words, says", (
    (("--to", "10.7.0.2"), "--to is for crafted frames"),
    (("--kind", "udp"), "--kind is for crafted frames"),
    (("--threads", "2"), "--threads is for crafted frames"),
    (("--fast", "--rate", "10"), "--fast and --rate exclude each other"),
    (("--loop", "-1"), "--loop -1: must be a whole number"),
))
def test_wrong_usage(lan, tmp_path, words, says):
    done = lan.client.run(*XDPLIFE, "c0", "--replay", "any.pcap", *words, check=False)
    assert done.returncode == 2 and says in done.stderr


@pytest.mark.parametrize("option", ("--fast", "--loop=2"))
def test_for_replay_only(lan, option):
    done = lan.client.run(*XDPLIFE, "c0", "--to", "10.7.0.2", option, check=False)
    assert done.returncode == 2 and "is for --replay" in done.stderr


def test_larger_than_the_mtu(tmp_path):
    """Said, and counted: nothing vanishes."""
    with Lan() as lan:
        path = write(tmp_path / "in.pcap", [udp(1, 1514), udp(2, 1600)])
        done = lan.client.run(*XDPLIFE, "c0", "--replay", str(path), "--json")
    report = json.loads(done.stdout)
    assert "c0: its MTU is 1500, and " in done.stderr and "try: ip link set c0 mtu 1586" in done.stderr
    assert report["sent"] == 2 and report["refused"] == 1


def test_not_to_every_station(lan, tmp_path):
    fails(lan.client, "--replay", write(tmp_path / "in.pcap", [udp(1)]), "--dst-mac", "ff:ff:ff:ff:ff:ff",
          says="ff:ff:ff:ff:ff:ff: refused")


# --- what happens on the way ------------------------------------------------------------------------------------------

def shorten(path, whole):
    """To so many frames of 60 bytes and a part of one."""
    with open(path, "r+b") as file:
        file.truncate(24 + whole * 76 + 30)


def grow(path, whole):
    """The frame behind so many is suddenly larger than any was."""
    with open(path, "r+b") as file:
        file.seek(24 + whole * 76 + 8)
        file.write(struct.pack("<II", 1000, 1000))


@pytest.mark.parametrize("change, says, way", (
    (shorten, "in.pcap: frame 10001: ", ()), (shorten, "in.pcap: frame 10001: ", ("--no-live-frames",)),
    (grow, "in.pcap has changed since", ())), ids=("truncated-live", "truncated-af_xdp", "larger-live"))
def test_file_changes_on_the_way(lan, tap, tmp_path, change, says, way):
    """What was read is sent and counted, and the report says what happened."""
    frames = [udp(i) for i in range(12000)]
    path = write(tmp_path / "in.pcap", frames)
    session = lan.client.xdplife("generate", "c0", "--replay", str(path), "--rate", "20000", "--json", *way)
    session.wait_ready()
    change(path, 10000)
    assert session.wait() == 1
    assert says in session.stderr
    assert json.loads(session.stdout)["sent"] == 10000
    assert tap.frames(lan.client, "c0") == frames[:10000]


def all_sleep(pid):
    """No thread of the process wants a CPU."""
    return all(stat.read_text().rpartition(")")[2].split()[0] == "S"
               for stat in pathlib.Path(f"/proc/{pid}/task").glob("*/stat"))


@WAYS
@pytest.mark.parametrize("gap_ms", (0.1, 100_000), ids=("busy", "resting"))
def test_interrupt(lan, tap, tmp_path, way, gap_ms):
    frames = [udp(i) for i in range(3000)]
    path = write(tmp_path / "in.pcap", frames, [0] + [int(i * gap_ms * MS) for i in range(2999)])
    session = lan.client.xdplife("generate", "c0", "--replay", str(path), "--loop", "0", "--json", *way)
    session.wait_ready()
    wait_until(lambda: tap.path.stat().st_size >= 24 + 2 * 76, "the first frames")
    if gap_ms > 1000:
        wait_until(lambda: all_sleep(session.process.pid), "the CPU to be left to others")
    assert session.stop(signal.SIGINT) == 0, session.stderr
    sent = json.loads(session.stdout)["sent"]
    rounds = sent // len(frames) + 1
    assert sent >= 2
    assert tap.frames(lan.client, "c0") == (rounds * frames)[:sent]


@WAYS
@pytest.mark.parametrize("gap_ms", (0.1, 100_000), ids=("busy", "resting"))
def test_interface_goes_away(tmp_path, way, gap_ms):
    path = write(tmp_path / "in.pcap", [udp(i) for i in range(100)], [int(i * gap_ms * MS) for i in range(100)])
    with Lan() as lan, Tap(lan.server, "s0", tmp_path / "far.pcap", "udp port 9") as tap:
        session = lan.client.xdplife("generate", "c0", "--replay", str(path), "--loop", "0", "--json", *way)
        session.wait_ready()
        wait_until(lambda: tap.path.stat().st_size > 24, "the first frame")
        start = time.monotonic()
        run("ip", "-n", lan.client.name, "link", "delete", "c0")
        assert session.wait() == 1
        assert time.monotonic() - start < 5
        assert re.search("c0: the stream ended early: the interface (is gone|was set down)", session.stderr)
        assert json.loads(session.stdout)["sent"] > 0
