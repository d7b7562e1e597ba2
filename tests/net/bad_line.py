#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""A cable with faults: copies Ethernet frames between two interfaces and loses, repeats, delays or damages some.

    bad_line.py LEFT RIGHT [--loss PERCENT] [--duplicate PERCENT] [--reorder PERCENT] [--corrupt PERCENT] [--seed N]

Only TCP segments suffer; ARP and NDP pass, so that a test knows what it tests. The same seed gives the same faults for
the same frames.
"""
import argparse
import heapq
import random
import select
import socket
import time

ETH_P_ALL = 3
SOL_PACKET, PACKET_IGNORE_OUTGOING = 263, 23
REORDER_DELAY_S = 0.008
TCP = 6


def open_port(name):
    port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    port.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    port.bind((name, 0))
    return port


def is_tcp(frame):
    return frame[12:14] == b"\x08\x00" and frame[23] == TCP or frame[12:14] == b"\x86\xdd" and frame[20] == TCP


class Line:
    def __init__(self, faults):
        self.faults = faults
        self.random = random.Random(faults.seed)
        self.delayed = []  # (when, number, port, frame)
        self.number = 0

    def happens(self, percent):
        return self.random.uniform(0, 100) < percent

    def damage(self, frame):
        """One bit behind the Ethernet header."""
        frame = bytearray(frame)
        frame[self.random.randrange(14, len(frame))] ^= 1 << self.random.randrange(8)
        return bytes(frame)

    def carry(self, frame, out):
        if not is_tcp(frame):
            out.send(frame)
            return
        if self.happens(self.faults.loss):
            return
        if self.happens(self.faults.corrupt):
            frame = self.damage(frame)
        for _ in range(2 if self.happens(self.faults.duplicate) else 1):
            if self.happens(self.faults.reorder):
                self.number += 1
                heapq.heappush(self.delayed, (time.monotonic() + REORDER_DELAY_S, self.number, out, frame))
            else:
                out.send(frame)

    def release(self):
        """Sends what has waited long enough. Returns how long the next may still wait."""
        while self.delayed:
            left = self.delayed[0][0] - time.monotonic()
            if left > 0:
                return left
            _, _, out, frame = heapq.heappop(self.delayed)
            out.send(frame)
        return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("left")
    parser.add_argument("right")
    for fault in ("loss", "duplicate", "reorder", "corrupt"):
        parser.add_argument(f"--{fault}", type=float, default=0)
    parser.add_argument("--seed", type=int, default=1)
    faults = parser.parse_args()
    ports = [open_port(faults.left), open_port(faults.right)]
    line = Line(faults)
    print("ready", flush=True)
    while True:
        readable, _, _ = select.select(ports, [], [], line.release())
        for port in readable:
            line.carry(port.recv(65536), ports[1 - ports.index(port)])


main()
