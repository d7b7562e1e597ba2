#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""How fast does `xdplife trace --read` read a capture, and in how much memory, next to tshark?
tests/read_speed.py [--connections N] [--rounds N] build/xdplife

Writes a capture of so many connections (8 packets each: handshake, request, answer, both FINs; a hundred at a time),
reads it with both in turn, and prints the medians of the ratios with their spread.
"""
import argparse
import os
import pathlib
import random
import statistics
import struct
import subprocess
import sys
import tempfile
import time

MACS = bytes.fromhex("020000000002020000000001")
SYN, ACK, FIN, PSH = 2, 16, 1, 8
TIMESTAMPS = bytes.fromhex("0101080a")
SYN_OPTIONS = bytes.fromhex("020405b40402080a") + bytes(8) + bytes.fromhex("01030307")


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


class Connection:
    """The packets of one connection, one after the other."""

    def __init__(self, number, rng):
        self.client = struct.pack("!I", 0x0a000000 | number >> 8), 1024 + number % 256 * 7
        self.server = struct.pack("!I", 0x0a800000 | rng.randrange(1, 250)), 443
        self.isn = rng.getrandbits(31), rng.getrandbits(31)

    def packet(self, from_client, flags, seq, ack, data=b""):
        (src, sport), (dst, dport) = (self.client, self.server) if from_client else (self.server, self.client)
        options = SYN_OPTIONS if flags & SYN else TIMESTAMPS + struct.pack("!II", seq, ack)
        tcp = struct.pack("!HHIIBBHHH", sport, dport, seq, ack, (20 + len(options)) // 4 << 4, flags, 512, 0, 0) + options
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp) + len(data), 0, 0x4000, 64, 6, 0, src, dst)
        ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
        return MACS + b"\x08\0" + ip + tcp + data

    def packets(self):
        c, s = self.isn
        yield self.packet(True, SYN, c, 0)
        yield self.packet(False, SYN | ACK, s, c + 1)
        yield self.packet(True, ACK, c + 1, s + 1)
        yield self.packet(True, PSH | ACK, c + 1, s + 1, b"GET / HTTP/1.1\r\n\r\n")
        yield self.packet(False, PSH | ACK, s + 1, c + 19, b"HTTP/1.1 204 No Content\r\n\r\n")
        yield self.packet(True, FIN | ACK, c + 19, s + 28)
        yield self.packet(False, FIN | ACK, s + 28, c + 20)
        yield self.packet(True, ACK, c + 20, s + 29)


def write(path, connections, at_a_time=100):
    rng, us = random.Random(1), 0
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHIIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
        for first in range(0, connections, at_a_time):
            some = [list(Connection(number, rng).packets())
                    for number in range(first, min(first + at_a_time, connections))]
            for step in zip(*some):
                for frame in step:
                    us += 20
                    out.write(struct.pack("<IIII", us // 10 ** 6, us % 10 ** 6, len(frame), len(frame)) + frame)


def run(command):
    """Seconds of CPU, seconds, and MiB at most."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{' '.join(map(str, command))}: status {status}")
    return usage.ru_utime + usage.ru_stime, time.monotonic() - start, usage.ru_maxrss / 1024


def spread(values):
    return f"{statistics.median(values):.1f} ({min(values):.1f} to {max(values):.1f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--connections", type=int, default=100000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("binary")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "many.pcap"
        write(path, options.connections)
        ways = {"--summary": [], "": []}
        theirs = []
        for _ in range(options.rounds):
            for way, runs in ways.items():
                runs.append(run([options.binary, "trace", "--read", path, *way.split()]))
            theirs.append(run(["tshark", "-n", "-r", path]))
    print(f"{8 * options.connections} packets, {options.connections} connections, {options.rounds} rounds, in turn; "
          f"tshark -n -r takes {statistics.median(b[2] for b in theirs):.0f} MiB")
    for way, runs in ways.items():
        cpu, elapsed, memory = (spread([b[i] / a[i] for a, b in zip(runs, theirs)]) for i in range(3))
        print(f"trace --read {way}: times as fast: {elapsed}; by CPU time: {cpu}; of its memory: 1 / {memory} "
              f"({statistics.median(a[2] for a in runs):.0f} MiB)")


if __name__ == "__main__":
    main()
