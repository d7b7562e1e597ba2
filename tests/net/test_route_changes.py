# SPDX-License-Identifier: GPL-2.0-only
"""`forward` keeps the kernel's answers about routes: how soon does it forget them when something changes?

    client c0 ── r0 router r1 ── s0 server

A datagram a millisecond goes through the router, each with the time when it was sent. Without a notice an answer may be a
second old: so what is forgotten within a quarter of that, four times in a row, was forgotten because of the notice.
"""
import contextlib
import select
import socket
import struct
import threading
import time

import pytest
from scapy.all import IP, UDP, Ether

from hosts import Routed

REMOTE = "10.9.0.1"  # behind the server
PORT = 9999
NOTICE_S = 0.25
BEFORE, AFTER_S = 100, 0.6  # datagrams that arrive before the change; seconds that they go on behind it
WAIT_S = 20


@pytest.fixture(scope="module")
def routed():
    with Routed() as network:
        network.router.run("ip", "route", "add", f"{REMOTE}/32", "via", "10.7.2.2")
        with network.router.xdplife("forward", "r0", "r1"):
            yield network


@contextlib.contextmanager
def stream(host):
    """Datagrams from now on."""
    with host.inside():
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    stop = threading.Event()

    def send():
        while not stop.wait(0.001):
            with contextlib.suppress(ConnectionError, OSError):  # ICMP errors say what we know
                sender.sendto(struct.pack("!Q", time.monotonic_ns()), (REMOTE, PORT))

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        sender.close()


class Arrivals:
    """(when it was sent, its destination MAC) of each datagram that comes out at the server."""

    def __init__(self, network):
        with network.server.inside():
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            self.socket.bind(("s0", 0))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def next(self, timeout_s):
        """None if there is none for so long."""
        end = time.monotonic() + timeout_s
        while select.select([self.socket], [], [], max(0, end - time.monotonic()))[0]:
            frame, address = self.socket.recvfrom(65536)
            packet = Ether(frame)
            if address[2] != socket.PACKET_OUTGOING and UDP in packet and packet[UDP].dport == PORT:
                assert packet[IP].ttl == 63
                return struct.unpack("!Q", bytes(packet[UDP].payload)[:8])[0], packet.dst
        return None


def around(network, *change):
    """What arrives before and after the change, and when that was."""
    with Arrivals(network) as arrivals, stream(network.client):
        end = time.monotonic() + WAIT_S
        before = []
        while len(before) < BEFORE and time.monotonic() < end:
            before.append(arrivals.next(WAIT_S))
        assert len(before) == BEFORE and None not in before
        network.router.run(*change)
        changed_ns, after = time.monotonic_ns(), []
        while (arrived := arrivals.next(0.1)) or time.monotonic_ns() < changed_ns + AFTER_S * 1e9:
            if arrived and arrived[0] > changed_ns:
                after.append(arrived)
            if arrived and arrived[0] > changed_ns + AFTER_S * 1e9:
                break
    return before, changed_ns, after


def forgotten_after_s(changed_ns, old):
    return (max((sent_ns for sent_ns, _ in old), default=changed_ns) - changed_ns) / 1e9


@pytest.mark.parametrize("change, back", [
    ("route del {to}/32", "route add {to}/32 via 10.7.2.2"),
    ("route replace blackhole {to}/32", "route replace {to}/32 via 10.7.2.2"),
    ("rule add to {to} blackhole", "rule del to {to} blackhole"),
    ("link set r1 down", "link set r1 up"),
])
def test_nothing_takes_a_route_that_is_gone(routed, change, back):
    _, changed_ns, after = around(routed, "ip", *change.format(to=REMOTE).split())
    assert forgotten_after_s(changed_ns, after) < NOTICE_S
    routed.router.run("ip", *back.format(to=REMOTE).split())
    if "link" in change:  # takes its routes with it
        routed.router.run("ip", "route", "replace", f"{REMOTE}/32", "via", "10.7.2.2")
    with Arrivals(routed) as arrivals, stream(routed.client):
        assert arrivals.next(WAIT_S)


def test_a_neighbour_that_moves(routed):
    moved = "02:00:00:00:00:99"
    before, changed_ns, after = around(routed, "ip", "neighbour", "replace", "10.7.2.2", "lladdr", moved, "dev", "r1",
                                       "nud", "permanent")
    old = before[-1][1]
    assert old != moved
    assert forgotten_after_s(changed_ns, [one for one in after if one[1] == old]) < NOTICE_S
    assert [one for one in after if one[1] == moved]
    routed.router.run("ip", "neighbour", "del", "10.7.2.2", "dev", "r1")
