# SPDX-License-Identifier: GPL-2.0-only
"""Capture files of every kind, read by xdplife and by tshark: the same frames, times, lengths, interfaces, directions.

They are written here byte by byte, and by editcap, mergecap, text2pcap and scapy, each with habits of its own. With
$CAPTURE_CORPUS they are left in that folder, for tests/fuzz/fuzz_capture.c to begin with.
"""
import concurrent.futures
import decimal
import json
import logging
import os
import pathlib
import struct
import subprocess

import pytest

logging.getLogger("scapy").setLevel(logging.ERROR)
from scapy.all import IP, TCP, CookedLinux, Ether, IPv6, Loopback, wrpcap, wrpcapng

TIMEOUT_S = 60
IP4 = bytes(IP(src="10.0.1.2", dst="10.0.2.2") / TCP(sport=40000, dport=80, flags="S"))
IP6 = bytes(IPv6(src="fd00:1::2", dst="fd00:2::2") / TCP(sport=40000, dport=80, flags="S"))
ETH = b"\2\0\0\0\0\2" + b"\2\0\0\0\0\1"


def cooked(packet_type, ethertype, payload, device=1):
    return struct.pack("!HHH8sH", packet_type, device, 6, b"\2\0\0\0\0\1", ethertype) + payload


def cooked2(packet_type, ethertype, payload, ifindex):
    return struct.pack("!HHIHBB8s", ethertype, 0, ifindex, 1, packet_type, 6, b"\2\0\0\0\0\1") + payload


def loopback(order, family):
    return struct.pack(order + "I", family) + (IP4 if family == 2 else IP6)


# Link type → frames.
LINKS = {
    1: [ETH + b"\x08\0" + IP4, ETH + b"\x86\xdd" + IP6, ETH + b"\x81\0\0\7\x08\0" + IP4],
    12: [IP4, IP6],
    101: [IP4, IP6],
    228: [IP4],
    229: [IP6],
    113: [cooked(kind, 0x0800, IP4) for kind in range(5)]
         + [cooked(4, 0x86dd, IP6), cooked(0, 0x8100, b"\0\7\x08\0" + IP4)],
    276: [cooked2(kind, 0x0800, IP4, 7 + kind) for kind in range(5)] + [cooked2(4, 0x86dd, IP6, 1)],
    0: [loopback(order, family) for order in "<>" for family in (2, 24, 28, 30)],
    108: [loopback(">", family) for family in (2, 24, 28, 30)],
}


# --- writing ----------------------------------------------------------------------------------------------------------

def pcap(frames, link=1, order="<", magic=0xa1b2c3d4, cut=0):
    """cut: so many bytes of each frame were not captured."""
    data = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, link)
    for number, frame in enumerate(frames):
        kept = frame[:len(frame) - cut]
        data += struct.pack(order + "IIII", 1700000000 + number, 999990 + number, len(kept), len(frame)) + kept
    return data


def padded(data):
    return data + bytes(-len(data) % 4)


class Pcapng:
    """A file under way: blocks of one byte order, until the next section."""

    def __init__(self):
        self.data = b""

    def block(self, kind, body):
        length = struct.pack(self.order + "I", len(body) + 12)
        self.data += struct.pack(self.order + "I", kind) + length + body + length
        return self

    def options(self, *options):
        return b"".join(struct.pack(self.order + "HH", code, len(value)) + padded(value)
                        for code, value in options) + (bytes(4) if options else b"")

    def section(self, order="<", minor=0):
        self.order = order
        return self.block(0x0a0d0d0a, struct.pack(order + "IHHq", 0x1a2b3c4d, 1, minor, -1)
                          + self.options((4, b"a test"), (1, b"comment")))

    def interface(self, name=None, link=1, snaplen=0, resolution=None, offset=None):
        options = [(2, name.encode())] if name else []
        options += [(9, bytes([resolution]))] if resolution is not None else []
        options += [(14, struct.pack(self.order + "q", offset))] if offset is not None else []
        return self.block(1, struct.pack(self.order + "HHI", link, 0, snaplen) + self.options(*options))

    def packet(self, frame, ticks, interface=0, flags=None, cut=0):
        options = [(1, "é".encode())]
        options += [(2, struct.pack(self.order + "I", flags))] if flags is not None else []
        kept = frame[:len(frame) - cut]
        return self.block(6, struct.pack(self.order + "IIIII", interface, ticks >> 32, ticks & 0xffffffff, len(kept),
                                         len(frame)) + padded(kept) + self.options(*options))

    def old_packet(self, frame, ticks, interface=0, flags=None):
        options = [(2, struct.pack(self.order + "I", flags))] if flags is not None else []
        return self.block(2, struct.pack(self.order + "HHIIII", interface, 0xffff, ticks >> 32, ticks & 0xffffffff,
                                         len(frame), len(frame)) + padded(frame) + self.options(*options))

    def simple_packet(self, frame, snaplen=65535):
        return self.block(3, struct.pack(self.order + "I", len(frame)) + padded(frame[:snaplen]))


def pcapng_of_links(order):
    """An interface of each link type, which libpcap would refuse."""
    file = Pcapng().section(order)
    for link in LINKS:
        file.interface(f"if{link}", link)
    for interface, frames in enumerate(LINKS.values()):
        for number, frame in enumerate(frames):
            file.packet(frame, 1700000000 * 10 ** 6 + interface * 1000 + number, interface)
    return file.data


def pcapng_of_times(order):
    """Each resolution that a 64-bit tick can have a date with, and offsets."""
    file, frame = Pcapng().section(order), LINKS[1][0]
    units = [(0, 1), (3, 10 ** 3), (6, 10 ** 6), (7, 10 ** 7), (9, 10 ** 9), (None, 10 ** 6), (0x80, 1), (0x81, 2),
             (0x80 + 10, 2 ** 10), (0x80 + 20, 2 ** 20), (0x80 + 30, 2 ** 30), (0x80 + 32, 2 ** 32)]
    offsets = (None, 0, 1000000000, -3)
    for resolution, _ in units:
        for offset in offsets:
            file.interface("i", resolution=resolution, offset=offset)
    for number, (_, per_second) in enumerate(units):
        for i in range(len(offsets)):
            interface = number * len(offsets) + i
            file.packet(frame, 600000000 * per_second + per_second * 2 // 3 + interface, interface)
    # With more than 18 ms in them, tshark's 64 bits would overflow.
    file.interface("ps", resolution=12, offset=1700000000).packet(frame, 12345678999, len(units) * len(offsets))
    return file.data


def pcapng_of_sections():
    """Both byte orders in one file, numbers of interfaces that begin anew, and blocks that nobody needs to know.

    The interfaces have the same names in each section: of others, tshark 4.0 gives those of the first section.
    """
    file, frame = Pcapng(), LINKS[1][0]
    for number, order in enumerate("<>><"):
        file.section(order, minor=2 * (number & 1)).interface("first").block(0xb0b, b"who knows...")
        file.packet(frame, 1700000000000000 + number, 0, 1, cut=number)
        file.interface("second", resolution=9).block(5, struct.pack(order + "III", 0, 0, 0))
        file.packet(frame, 1700000000000000000 + number, 1, 2).packet(frame, 0, 0, 0).packet(frame, 1, 1, 0x1fd)
        file.old_packet(frame, 1700000000000000, 0, 1)
    return file.data


def pcapng_of_simple():
    file, frame = Pcapng().section(">").interface("s", snaplen=50), LINKS[1][0]
    return file.simple_packet(frame, 50).simple_packet(frame[:49]).packet(frame, 1700000000000000, cut=4) \
        .simple_packet(frame[:50]).data


def run(*command, **more):
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, timeout=TIMEOUT_S, **more)


def merged(path):
    parts = []
    for number, link in enumerate((1, 113, 101)):
        parts.append(path.with_name(f"part{number}"))
        parts[-1].write_bytes(pcap(LINKS[link], link, magic=0xa1b23c4d))
    run("mergecap", "-F", "pcapng", "-I", "none", "-w", path, *parts)


def from_text(path):
    text = "".join(f"10:00:0{number}.{number} \n0000 {frame.hex(' ')}\n" for number, frame in enumerate(LINKS[1]))
    run("text2pcap", "-t", "%H:%M:%S.%f", "-N", "text", "-F", "pcapng", "-", path, input=text.encode())


def cut_by_editcap(path):
    whole = path.with_name("whole")
    whole.write_bytes(pcap(LINKS[1]))
    run("editcap", "-F", "pcapng", "-s", "40", whole, path)


# Each link with one of them in turn.
DIALECTS = (("<", 0xa1b2c3d4), (">", 0xa1b2c3d4), ("<", 0xa1b23c4d), (">", 0xa1b23c4d))


def write_pcap(path, link, order, magic):
    path.write_bytes(pcap(LINKS[link], link, order, magic, cut=2))


FILES = {
    **{f"{link}-{number % 4}.pcap": lambda path, link=link, number=number: write_pcap(path, link, *DIALECTS[number % 4])
       for number, link in enumerate(LINKS)},
    "links-little.pcapng": lambda path: path.write_bytes(pcapng_of_links("<")),
    "links-big.pcapng": lambda path: path.write_bytes(pcapng_of_links(">")),
    "times-little.pcapng": lambda path: path.write_bytes(pcapng_of_times("<")),
    "times-big.pcapng": lambda path: path.write_bytes(pcapng_of_times(">")),
    "sections.pcapng": lambda path: path.write_bytes(pcapng_of_sections()),
    "simple.pcapng": lambda path: path.write_bytes(pcapng_of_simple()),
    "empty.pcapng": lambda path: path.write_bytes(Pcapng().section().data),
    "merged.pcapng": merged,
    "text.pcapng": from_text,
    "editcap.pcapng": cut_by_editcap,
    "scapy.pcap": lambda path: wrpcap(str(path), [Ether(LINKS[1][0]), Ether(LINKS[1][1])], nano=True),
    "scapy-cooked.pcap": lambda path: wrpcap(str(path), [CookedLinux() / IP(IP4)]),
    "scapy-loopback.pcap": lambda path: wrpcap(str(path), [Loopback() / IP(IP4)], linktype=0),
    "scapy.pcapng": lambda path: wrpcapng(str(path), [Ether(LINKS[1][0]), Ether(LINKS[1][1])]),
}


# --- both sides -------------------------------------------------------------------------------------------------------

COLUMNS = ("frame.number", "frame.time_epoch", "frame.cap_len", "frame.len", "frame.interface_name",
           "frame.packet_flags_direction", "sll.pkttype", "vlan.id", "ip.src", "ipv6.src", "tcp.dstport", "sll.ifindex")
DIRECTIONS = {0: None, 1: "in", 2: "out", 3: None}
SAME_KEYS = ("packet", "time_ns", "captured_bytes", "wire_bytes", "interface", "direction")
PACKET_TYPES = {"": None, "0": "in", "1": "in", "2": "in", "3": "in", "4": "out"}


def tshark(path):
    words = [word for column in COLUMNS for word in ("-e", column)]
    rows = run("tshark", "-n", "-r", path, "-T", "fields", "-E", "separator=|", *words).stdout.decode().splitlines()
    return [seen_by_tshark(dict(zip(COLUMNS, row.split("|"), strict=True))) for row in rows]


def seen_by_tshark(row):
    flags = row["frame.packet_flags_direction"]
    name = row["frame.interface_name"]
    return {
        "packet": int(row["frame.number"]),
        "time_ns": int(decimal.Decimal(row["frame.time_epoch"]) * 10 ** 9) if row["frame.time_epoch"] else None,
        "captured_bytes": int(row["frame.cap_len"]),
        "wire_bytes": int(row["frame.len"]),
        "interface": None if name == "unknown" else name or None,
        "direction": DIRECTIONS[int(flags, 0)] if flags else PACKET_TYPES[row["sll.pkttype"]],
        "vlan": row["vlan.id"] or None,
        "source": row["ip.src"] or row["ipv6.src"] or None,
        "port": row["tcp.dstport"] or None,
        "ifindex": row["sll.ifindex"] or None,
    }


def field(packet, name):
    return next((found["value"] for layer in packet["layers"] for found in layer["fields"]
                 if found.get("filter") == name), None)


def seen_by_decode(packet):
    return {
        **{key: packet.get(key) for key in SAME_KEYS},
        "vlan": field(packet, "vlan.id"),
        "source": field(packet, "ip.src") or field(packet, "ipv6.src"),
        "port": field(packet, "tcp.dstport"),
        "ifindex": field(packet, "sll.ifindex"),
    }


def decode(xdplife, *words, **more):
    return subprocess.run([xdplife, "decode", *map(str, words)], capture_output=True, timeout=TIMEOUT_S, **more)


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """Name → its path and what tshark sees, which takes a while to start."""
    folder = pathlib.Path(os.environ.get("CAPTURE_CORPUS") or tmp_path_factory.mktemp("capture"))
    for name, make in FILES.items():
        make(folder / name)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        rows = pool.map(lambda name: tshark(folder / name), FILES)
        return {name: (folder / name, row) for name, row in zip(FILES, rows)}


@pytest.mark.parametrize("name", FILES)
def test_agrees_with_tshark(xdplife, seen, name):
    path, theirs = seen[name]
    done = decode(xdplife, path, "--json")
    assert (done.returncode, done.stderr) == (0, b"")
    assert [seen_by_decode(json.loads(line)) for line in done.stdout.splitlines()] == theirs
    assert theirs or name == "empty.pcapng"


@pytest.mark.parametrize("name", ("sections.pcapng", "113-1.pcap"))
def test_standard_input(xdplife, tmp_path, name):
    FILES[name](tmp_path / name)
    data = (tmp_path / name).read_bytes()
    assert decode(xdplife, "-", input=data).stdout == decode(xdplife, tmp_path / name).stdout != b""


# --- what a user sees -------------------------------------------------------------------------------------------------

def test_heading_and_line(xdplife, tmp_path):
    path = tmp_path / "f.pcapng"
    frame = LINKS[113][4]
    path.write_bytes(Pcapng().section().interface("any", 113).packet(frame, 1700000000000001, cut=1)
                     .simple_packet(frame).data)
    assert decode(xdplife, path).stdout.decode().splitlines() == [
        "    1  0.000000000  10.0.1.2:40000 → 10.0.2.2:80 TCP [SYN] seq 0 win 8192 ttl 64 "
        "(cut capture: ends inside the TCP header)",
        "    2  no time  10.0.1.2:40000 → 10.0.2.2:80 TCP [SYN] seq 0 win 8192 len 0 ttl 64"]
    text = decode(xdplife, path, "-v").stdout.decode()
    assert "Packet 1, 2023-11-14 22:13:20.000001000 UTC, any, out, 55 of 56 bytes\n" in text
    assert "Packet 2, any, out, 56 bytes\n" in text
    assert "Linux cooked A1-P1, 16 bytes: out: sent by this machine\n" in text


def test_other_link_among_ethernet(xdplife, tmp_path):
    path = tmp_path / "f.pcapng"
    path.write_bytes(Pcapng().section().interface("eth0").interface("usb1", 220).packet(LINKS[1][0], 0)
                     .packet(bytes(64), 0, 1).data)
    done = decode(xdplife, path)
    assert done.returncode == 1 and done.stdout.count(b"\n") == 1
    assert b"f.pcapng: frame 2 of usb1: link type 220 (USB_LINUX_MMAPPED) is not" in done.stderr
    assert b"try: " in done.stderr


def test_compressed(xdplife, tmp_path):
    path = tmp_path / "f.pcap.gz"
    path.write_bytes(run("gzip", "-c", input=pcap(LINKS[1])).stdout)
    done = decode(xdplife, path)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"f.pcap.gz: it is compressed (gzip); try: gzip -dc FILE | xdplife ... -" in done.stderr


def test_directory(xdplife, tmp_path):
    done = decode(xdplife, tmp_path)
    assert (done.returncode, done.stdout) == (1, b"") and b"it is a directory; try: a file in it" in done.stderr


def test_interface_name_is_harmless(xdplife, tmp_path):
    path = tmp_path / "f.pcapng"
    path.write_bytes(Pcapng().section().interface("\033[31m").packet(LINKS[1][0], 0).data)
    for words in (["-v"], ["--json"]):
        assert b"\033" not in decode(xdplife, path, *words).stdout
