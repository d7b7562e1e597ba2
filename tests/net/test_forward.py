# SPDX-License-Identifier: GPL-2.0-only
"""`forward` beside the kernel's own forwarding: the same frames into the same router must give the same frames out.

    client c0 ── r0 router r1 ── s0 server

Each frame is sent twice from c0, once while the kernel forwards and once while XDP does, and everything that comes out
at s0 and comes back at c0 is compared, byte for byte.
"""
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import tempfile
import time

import pytest
from scapy.all import (ARP, ICMP, IP, TCP, UDP, Dot1Q, Ether, IPOption_NOP, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment,
                       IPv6ExtHdrHopByHop, IPv6ExtHdrRouting, ICMPv6EchoRequest, Padding, Raw, raw)

from hosts import inside

ETH_P_ALL = 3
PATIENCE_S = 10


class Tap:
    """All frames that an interface gets, and a way to send on it."""

    def __init__(self, netns, ifname):
        with inside(netns):
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
            self.socket.bind((ifname, 0))

    def send(self, frame):
        self.socket.send(frame)

    def until(self, is_last):
        """The frames that came in, up to the one that is the last."""
        frames, end = [], time.monotonic() + PATIENCE_S
        while select.select([self.socket], [], [], max(0, end - time.monotonic()))[0]:
            frame, address = self.socket.recvfrom(65536)
            if address[2] == socket.PACKET_OUTGOING:
                continue
            frames.append(frame)
            if is_last(frame):
                return frames
        pytest.fail(f"the last frame never came; {len(frames)} others did")


def corpus(eth):
    """(name, frame) of valid and odd frames; `eth` is the right Ethernet header. Each has a payload of its own."""
    ip4, ip6 = dict(src="10.0.1.2", dst="10.0.2.2"), dict(src="fd00:1::2", dst="fd00:2::2")
    udp = UDP(sport=1234, dport=5678)

    def four(**fields):
        return IP(**{**ip4, **fields})

    def six(**fields):
        return IPv6(**{**ip6, **fields})

    frames = {
        "UDP": eth / four() / udp,
        "TCP": eth / four() / TCP(sport=1, dport=2, flags="PA", seq=7, ack=9),
        "ICMP": eth / four() / ICMP(id=5),
        "a protocol nobody knows": eth / four(proto=200),
        "TTL 255": eth / four(ttl=255) / udp,
        "TTL 2": eth / four(ttl=2) / udp,
        "TTL 1": eth / four(ttl=1) / udp,
        "TTL 0": eth / four(ttl=0) / udp,
        "TOS, ECN": eth / four(tos=0xbb) / udp,
        "DF": eth / four(flags="DF", id=77) / udp,
        "first fragment": eth / four(flags="MF", id=78) / udp / Raw(b"f" * 32),
        "last fragment": eth / four(frag=5, id=78) / Raw(b"g" * 32),
        "tiny first fragment": eth / four(flags="MF", id=79, proto=6) / Raw(b"12345678"),
        "1500 bytes": eth / four() / udp / Raw(b"m" * 1456),
        "an option": eth / four(options=[IPOption_NOP()] * 4) / udp,
        "an option and TTL 1": eth / four(options=[IPOption_NOP()] * 4, ttl=1) / udp,
        "header checksum wrong": eth / four(chksum=0x1234) / udp,
        "UDP checksum wrong": eth / four() / UDP(sport=1, dport=2, chksum=0x1234),
        "version 5": eth / four(version=5) / udp,
        "IHL 4": eth / four(ihl=4) / udp,
        "length beyond the frame": eth / four(len=500) / udp,
        "length below the header": eth / four(len=10) / udp,
        "padded": eth / four() / udp / Padding(b"p" * 40),
        "padded, TTL 1": eth / four(ttl=1) / udp / Padding(b"p" * 40),
        "a blackhole": eth / four(dst="10.8.1.1") / udp,
        # each from a host of its own: Linux counts what it has told each host of missing routes
        "no route": eth / four(src="10.0.1.71", dst="203.0.113.9") / udp,
        "unreachable": eth / four(src="10.0.1.72", dst="10.8.2.1") / udp,
        "prohibited": eth / four(src="10.0.1.73", dst="10.8.3.1") / udp,
        "broadcast of the other link": eth / four(dst="10.0.2.255") / udp,
        "everybody": eth / four(dst="255.255.255.255") / udp,
        "multicast": eth / four(dst="224.0.0.5") / udp,
        "class E": eth / four(dst="240.0.0.1") / udp,
        "to loopback": eth / four(dst="127.0.0.1") / udp,
        "from loopback": eth / four(src="127.0.0.1") / udp,
        "from nobody": eth / four(src="0.0.0.0") / udp,
        "from multicast": eth / four(src="224.0.0.5") / udp,
        "from everybody": eth / four(src="255.255.255.255") / udp,
        "TCP data offset 3": eth / four() / TCP(sport=1, dport=2, dataofs=3),
        "not our MAC": Ether(src=eth.src, dst="02:00:00:00:00:77") / four() / udp,
        "broadcast MAC": Ether(src=eth.src, dst="ff:ff:ff:ff:ff:ff") / four() / udp,
        "tagged": eth / Dot1Q(vlan=7) / four() / udp,
        "priority tag": eth / Dot1Q(vlan=0) / four() / udp,
        "IPv6": eth / six() / udp,
        "IPv6 TCP": eth / six() / TCP(sport=1, dport=2, flags="S"),
        "IPv6 echo": eth / six() / ICMPv6EchoRequest(id=5),
        "hop limit 2": eth / six(hlim=2) / udp,
        "hop limit 1": eth / six(hlim=1) / udp,
        "hop limit 0": eth / six(hlim=0) / udp,
        "traffic class and flow label": eth / six(tc=0xbb, fl=0x12345) / udp,
        "IPv6 fragment": eth / six() / IPv6ExtHdrFragment(m=1, id=5) / udp / Raw(b"f" * 32),
        "IPv6 hop-by-hop": eth / six() / IPv6ExtHdrHopByHop() / udp,
        "IPv6 destination options": eth / six() / IPv6ExtHdrDestOpt() / udp,
        "IPv6 routing header": eth / six() / IPv6ExtHdrRouting(type=4, addresses=[]) / udp,
        "IPv6 version 7": eth / six(version=7) / udp,
        "IPv6 length beyond the frame": eth / six(plen=500) / udp,
        "IPv6 padded": eth / six() / udp / Padding(b"p" * 40),
        "IPv6 no route": eth / six(dst="2001:db8::1") / udp,
        "IPv6 from link-local": eth / six(src="fe80::9") / udp,
        "IPv6 to multicast": eth / six(dst="ff05::9") / udp,
        "IPv6 from multicast": eth / six(src="ff05::9") / udp,
        "IPv6 from ::": eth / six(src="::") / udp,
        "IPv6 from ::1": eth / six(src="::1") / udp,
        "IPv6 to ::1": eth / six(dst="::1") / udp,
        "IPv6 1500 bytes": eth / six() / udp / Raw(b"m" * 1436),
    }
    return {name: raw(frame) for name, frame in frames.items()}


def is_marker(mark):
    return lambda frame: mark in frame


def without_ip_id(frame):
    """What the router and the server answer carries a number that counts on, whoever forwards it."""
    packet = Ether(frame)
    if IP in packet and packet[IP].src in ("10.0.1.1", "10.0.2.2"):
        packet[IP].id = 0
        packet[IP].chksum = None
    return raw(packet)


def is_neighbour_talk(frame):
    """ARP, and the hosts' own neighbour and group messages: when they are sent is nobody's business here."""
    packet = Ether(frame)
    return ARP in packet or (IPv6 in packet and packet[IPv6].nh in (0, 58) and ICMPv6EchoRequest not in packet
                             and packet[IPv6].hlim in (1, 255))


@pytest.fixture(scope="module")
def router(lab):
    """The lab with the corpus' routes, its neighbours known and the ICMP rate limits off."""
    for machine in ("router", "server"):
        lab.run("sysctl", "-qw", "net.ipv4.icmp_ratemask=0", "net.ipv6.icmp.ratelimit=0", on=machine)
    for kind, network in (("blackhole", "10.8.1.0/24"), ("unreachable", "10.8.2.0/24"), ("prohibit", "10.8.3.0/24")):
        lab.run("ip", "route", "add", kind, network, on="router")
    for family, address, ifname, peer, machine in (
            *((4, f"10.0.1.{host}", "r0", "c0", "client") for host in (71, 72, 73)),
            (4, lab.client4, "r0", "c0", "client"), (6, lab.client6, "r0", "c0", "client"),
            (4, lab.server4, "r1", "s0", "server"), (6, lab.server6, "r1", "s0", "server")):
        mac = mac_of(lab, machine, peer)
        lab.run("ip", f"-{family}", "neighbour", "replace", address, "lladdr", mac, "dev", ifname, "nud", "permanent",
                on="router")
    return lab


def mac_of(lab, machine, ifname):
    return json.loads(lab.run("ip", "-j", "link", "show", ifname, on=machine).stdout)[0]["address"]


@contextlib.contextmanager
def forwarding(lab, *options):
    """`forward` on both interfaces of the router, ready; its ledger is in .ledger afterwards."""
    output = tempfile.TemporaryFile("w+")  # a pipe that nobody reads meanwhile would fill up
    process = subprocess.Popen(lab.command(lab.xdplife, "forward", "r0", "r1", "--json", *options, on="router"),
                               stdout=output, stderr=subprocess.PIPE, text=True)
    try:
        for line in process.stderr:
            if "forwarding on" in line:
                break
        else:
            pytest.fail("forward ended before it began")
        yield process
        process.send_signal(signal.SIGINT)
        process.wait(timeout=PATIENCE_S)
        output.seek(0)
        process.events = [json.loads(line) for line in output]
        process.ledger = process.events.pop()
        process.events = [event for event in process.events if event["type"] != "trace"]
        assert process.returncode == 0 and process.ledger["closes"]
    finally:
        process.kill()
        process.wait()


def play(lab, frames):
    """Sends the frames, one at a time, each followed by two that mark its end on both of the router's ways.

    Returns, by name, what came out at the server and what came back to the client.
    """
    client, server = Tap("xl-client", "c0"), Tap("xl-server", "s0")
    eth = Ether(src=mac_of(lab, "client", "c0"), dst=mac_of(lab, "router", "r0"))
    results = {}
    for number, (name, frame) in enumerate(frames.items()):
        fast, slow, echo = (b"%s-mark-%05d" % (kind, number) for kind in (b"fast", b"slow", b"echo"))
        client.send(frame)
        # what XDP forwards, and what it leaves to the stack, which works in order
        client.send(raw(eth / IP(src=lab.client4, dst=lab.server4) / UDP(sport=9, dport=9) / Raw(fast)))
        client.send(raw(eth / IP(src=lab.client4, dst=lab.server4, options=[IPOption_NOP()] * 4) / UDP(sport=9, dport=9)
                        / Raw(slow)))
        # an echo of the router itself ends what comes back
        client.send(raw(eth / IP(src=lab.client4, dst=lab.router4) / ICMP(id=9, seq=number) / Raw(echo)))
        out = server.until(is_marker(slow))
        back = client.until(is_marker(echo))
        results[name] = tuple(sorted(without_ip_id(seen) for seen in side
                                     if not (fast in seen or slow in seen or echo in seen or is_neighbour_talk(seen)))
                              for side in (out, back))
    return results


@pytest.fixture(scope="module")
def both(router):
    """What the kernel and what XDP made of the corpus, and XDP's ledger."""
    eth = Ether(src=mac_of(router, "client", "c0"), dst=mac_of(router, "router", "r0"))
    frames = corpus(eth)
    kernel = play(router, frames)
    with forwarding(router) as process:
        xdp = play(router, frames)
    return kernel, xdp, process.ledger


def test_the_same_frames_come_out(both):
    kernel, xdp, _ = both
    for name, (out, back) in kernel.items():
        assert [f.hex() for f in xdp[name][0]] == [f.hex() for f in out], f"{name}: towards the server"
        assert [f.hex() for f in xdp[name][1]] == [f.hex() for f in back], f"{name}: back to the client"


def test_the_comparison_compares_something(both):
    """Of the frames some were forwarded, some answered with an ICMP error, some dropped."""
    kernel, _, ledger = both
    forwarded = [name for name, (out, _) in kernel.items() if out]
    errors = [name for name, (_, back) in kernel.items() if back]
    assert not {"UDP", "IPv6", "TTL 2", "an option", "padded", "last fragment", "TCP data offset 3"} - set(forwarded)
    assert not {"TTL 1", "hop limit 1", "unreachable", "prohibited", "no route"} - set(errors)
    assert not {"a blackhole", "header checksum wrong", "not our MAC", "from loopback"} & set(forwarded + errors)
    reasons = ledger["frames"]["passed_by_reason"]
    assert reasons["ttl-expired"] and reasons["ip-options"] and reasons["malformed"] and reasons["not-our-mac"]
    assert ledger["frames"]["dropped_by_reason"]["blackhole"] == 1
    assert ledger["frames"]["forwarded"] == ledger["frames"]["sent_by_driver"] > len(forwarded) - len(errors)


@pytest.fixture
def web(router):
    """nginx is for the demo; here any server will do that answers on both families."""
    process = subprocess.Popen(router.command("/usr/bin/python3", "-u", "-m", "http.server", "--bind", "::", "-d",
                                              os.path.dirname(__file__), "8080", on="server"),
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert "Serving" in process.stdout.readline()
    yield "test_forward.py"
    process.kill()
    process.wait()


@pytest.mark.parametrize("host", ["10.0.2.2", "[fd00:2::2]"])
def test_first_contact_without_the_kernels_forwarding(router, web, host):
    """Nobody knows a MAC and the kernel's forwarding is off: the page arrives all the same, by XDP."""
    settings = ["net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"]
    router.run("sysctl", "-qw", *(f"{name}=0" for name in settings), on="router")
    try:
        for machine, ifnames in (("router", ("r0", "r1")), ("client", ("c0",)), ("server", ("s0",))):
            for ifname in ifnames:
                router.run("ip", "neighbour", "flush", "nud", "all", "dev", ifname, on=machine)
        with forwarding(router) as process:
            page = router.run("curl", "-sS", "-m", "20", f"http://{host}:8080/{web}").stdout
        with open(__file__) as file:
            assert page == file.read()
        assert process.ledger["frames"]["passed_by_reason"]["no-neighbour"] > 0
        assert process.ledger["frames"]["forwarded"] > 5
    finally:
        router.run("sysctl", "-qw", *(f"{name}=1" for name in settings), on="router")


def test_many_connections_at_once(router, web, tmp_path):
    """Both processors have frames at the same time: every connection has its whole story, and a capture its order."""
    script = f"for i in $(seq 25); do curl -gsS -m 9 -o {tmp_path}/$0-$i http://$1:8080/{web} || exit 1; done"
    capture = tmp_path / "all.pcapng"
    with forwarding(router, "--trace", "--write", capture) as process:
        clients = [subprocess.Popen(router.command("sh", "-c", script, str(number), host))
                   for number, host in enumerate(("10.0.2.2", "[fd00:2::2]") * 2)]
        assert [client.wait(timeout=60) for client in clients] == [0] * 4
    for event in ("syn", "syn-ack", "established", "closed"):
        assert sum(one["event"] == event for one in process.events) == 100, event
    assert not [one for one in process.events if one["event"] in ("reset", "refused", "midstream", "rst-ignored")]
    assert process.ledger["events"]["delivered"] == process.ledger["events"]["emitted"] > 1000
    info = subprocess.run(["capinfos", "-M", capture], check=True, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL).stdout
    assert f"Number of packets:   {process.ledger['events']['emitted']}\n" in info
    assert "Strict time order:   True\n" in info


def test_a_link_that_goes_down_is_in_the_ledger(router):
    """Frames for an interface that is down: no route is left for them, and none vanishes."""
    with forwarding(router) as process:
        router.run("ip", "link", "set", "s0", "down", on="server")
        router.run("ping", "-c", "3", "-i", "0.05", "-W", "0.2", router.server4, check=False)
        router.run("ip", "link", "set", "s0", "up", on="server")
    frames = process.ledger["frames"]
    assert frames["seen"] >= 3 and frames["residue"] == 0 and frames["redirect_residue"] == 0
