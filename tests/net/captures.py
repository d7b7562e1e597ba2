# SPDX-License-Identifier: GPL-2.0-only
"""Captures for tests: files of frames, written and read byte by byte, and a tcpdump at the far end of a stream.

    with Tap(lan.server, "s0", tmp_path / "far.pcap") as tap:
        ...
    frames = tap.frames(lan.client, "c0")      everything that came, up to a last frame of our own: no waiting
"""
import contextlib
import pathlib
import socket
import struct
import subprocess

from hosts import WAIT_S, wait_until

MACS = bytes.fromhex("0200000000bb"), bytes.fromhex("0200000000aa")
ETH = b"".join(MACS)
LAST = b"\xff" * 6 + ETH[6:] + b"\x88\xb5"
MAGIC = {6: 0xa1b2c3d4, 9: 0xa1b23c4d}


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def udp(number, size=60, to="10.7.0.2", ttl=64, eth=ETH):
    """An IPv4 frame with the number in its payload, of that size. Its UDP checksum is 0: none."""
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, size - 14, number & 0xffff, 0x4000, ttl, 17, 0,
                     socket.inet_aton("10.7.0.1"), socket.inet_aton(to))
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    data = struct.pack("!HHHHI", 1000 + number % 5000, 9, size - 34, 0, number)
    return (eth + b"\x08\0" + ip + data).ljust(size, bytes([number & 0xff]))


def write(path, frames, times_ns=None, digits=6, order="<"):
    """A pcap file; without times a microsecond apart."""
    times_ns = times_ns or [1000 * i for i in range(len(frames))]
    unit = 10 ** (9 - digits)
    with open(path, "wb") as out:
        out.write(struct.pack(order + "IHHIIII", MAGIC[digits], 2, 4, 0, 0, 262144, 1))
        for frame, ns in zip(frames, times_ns):
            out.write(struct.pack(order + "IIII", ns // 10 ** 9, ns % 10 ** 9 // unit, len(frame), len(frame)) + frame)
    return path


def convert(path, kind):
    """By Wireshark's editcap: "pcapng", "nsecpcap"."""
    new = pathlib.Path(path).with_suffix("." + kind)
    subprocess.run(["editcap", "-F", kind, path, new], check=True, timeout=WAIT_S)
    return new


def read(path):
    """[(time in ns, frame)] of a pcap file with nanoseconds, as far as it is whole."""
    data = pathlib.Path(path).read_bytes()
    found, at = [], 24
    while at + 16 <= len(data):
        seconds, ns, bytes_, _ = struct.unpack_from("<IIII", data, at)
        if at + 16 + bytes_ > len(data):
            break
        found.append((seconds * 10 ** 9 + ns, data[at + 16:at + 16 + bytes_]))
        at += 16 + bytes_
    return found


class Tap:
    """tcpdump of what comes in on an interface."""

    def __init__(self, host, interface, path, only=""):
        self.host, self.interface, self.path, self.only = host, interface, pathlib.Path(path), only
        self.asked = 0

    def __enter__(self):
        self.process = subprocess.Popen(
            self.host.command("tcpdump", "-U", "-Q", "in", "-s", "0", "-B", "65536", "-Z", "root",
                              "--immediate-mode", "--time-stamp-precision=nano", "-i", self.interface, "-w", self.path,
                              self.only),
            stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if "listening on" in line:
                return self
        raise AssertionError(f"tcpdump: {self.process.wait()}")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.communicate(timeout=WAIT_S)

    def packets(self, sender, interface):
        """[(time in ns, frame)] of all that came until now: a frame sent behind them says that they are there."""
        self.asked += 1
        last = LAST + struct.pack("!46xI", self.asked)
        with sender.inside(), contextlib.closing(socket.socket(socket.AF_PACKET, socket.SOCK_RAW)) as raw:
            raw.bind((interface, 0))
            raw.send(last)

        def all_of_them():
            """The kernels speak too (ARP, MLD): what they say may come behind the last frame."""
            found = read(self.path) if self.path.exists() else []
            ends = [at for at, (_, frame) in enumerate(found) if frame == last]
            return [found[:ends[0]]] if ends else None

        found, = wait_until(all_of_them, "the last frame")
        return [(ns, frame) for ns, frame in found
                if (frame[:6] in MACS or frame[6:12] in MACS) and not frame.startswith(LAST)]

    def frames(self, sender, interface):
        return [frame for _, frame in self.packets(sender, interface)]
