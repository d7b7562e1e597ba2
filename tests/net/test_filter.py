# SPDX-License-Identifier: GPL-2.0-only
"""FILTER on real packets: what matches is shown, at both hooks, and everything else is counted and passes.

    client c0 ----- s0 server                    Lan: trace at the client
    client c0 ----- r0 router r1 ----- s0 server Routed: xdplife routes and shows what matches
"""
import json
import signal
import socket
import subprocess

import pytest
from scapy.all import IP, TCP, CookedLinux, Dot1Q, Ether, wrpcap

from hosts import XDPLIFE, Lan, Routed, connect, listening, receive, run, wait_until
from vlan_tag import pushed

REQUEST, RESPONSE = b"q" * 700, b"r" * 5000
MARK = b"FIND ME!"
LIFE = ["syn", "syn-ack", "established", "fin", "fin", "closed"]
EXIT_FAILED, EXIT_USAGE = 1, 2


@pytest.fixture(scope="module")
def lan():
    with Lan() as net:
        yield net


@pytest.fixture(scope="module")
def routed():
    with Routed() as net:
        yield net


def talk_on(net, port, request=REQUEST):
    """As hosts.talk(), on a port of our choice. Returns the client's."""
    with listening(net.server, net.server_address[4], port) as listener:
        client = connect(net.client, *listener.getsockname())
        server, _ = listener.accept()
        with client, server:
            client.sendall(request)
            assert receive(server, len(request)) == request
            server.sendall(RESPONSE)
            assert receive(client, len(RESPONSE)) == RESPONSE
            server.shutdown(socket.SHUT_RDWR)
            assert receive(client) == b""
            return client.getsockname()[1]


def ports_shown(trace):
    return {int(event["server"].rpartition(":")[2]) for event in trace.events()}


def hooks_of(packets):
    return [packet["hook"] for packet in packets]


# --- TCP at both hooks

def test_only_what_matches(lan):
    """Of three connections the filter wants one, and of another one packet: by bytes that a socket sends from pages beside
    the skb's linear part."""
    mark = " and ".join(f"tcp[32 + {1000 + at}:4] = 0x{MARK[at:at + 4].hex()}" for at in (0, 4))
    wanted = f"tcp port 8001 or (tcp dst port 8003 and {mark})"
    request = b"x" * 1000 + MARK + b"y" * 1000
    with lan.client.xdplife("trace", "c0", wanted, "--json", "--packets") as trace:
        talk_on(lan, 8003, request.lower())
        talk_on(lan, 8002)
        talk_on(lan, 8003, request)
        talk_on(lan, 8001)
        trace.wait_for('"event":"closed"')
    assert ports_shown(trace) <= {8001, 8003}
    life = [event for event in trace.events() if event["server"].endswith(":8001")]
    assert [event["event"] for event in life] == LIFE
    assert {event["hook"] for event in life} == {"xdp", "tc-egress"}
    closed = life[-1]
    assert closed["to_server"]["bytes"] == len(REQUEST)
    assert closed["to_client"]["bytes"] == len(RESPONSE)
    segments = closed["to_server"]["packets"] + closed["to_client"]["packets"]
    marked = [packet for packet in trace.json("packet")
              if packet["hook"] == "tc-egress" and packet["wire_bytes"] > 1000 + len(MARK)]
    assert len(marked) == 1
    assert len(trace.json("packet")) == segments + 1
    assert trace.ledger["closes"] is True


# --- VLAN tags

def send_datagrams(host, count, port):
    with host.inside():
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with sender:
        for _ in range(count):
            sender.sendto(b"datagram", ("10.7.0.2", port))


class Tcpdump:
    """What tcpdump shows at the same place by the same filter, which the kernel runs for it."""

    def __init__(self, host, interface, filter_):
        self.process = subprocess.Popen(host.command("tcpdump", "-n", "-q", "--immediate-mode", "-l", "-i", interface,
                                                     filter_),
                                        text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def __enter__(self):
        while "listening on" not in self.process.stderr.readline():
            assert self.process.poll() is None
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        self.text = self.process.communicate(timeout=10)[0]


def test_tag_beside_the_frame(lan):
    """A tag that the kernel keeps beside the frame is on the wire: `vlan` sees it, as tcpdump's does, and what does not
    say `vlan` does not match. (tcpdump's would: without `vlan` it looks at the skb, where there is none.)"""
    tagged = "vlan 100 and udp port 5000"
    wanted = f"udp port 5001 or ({tagged})"
    lan.client.run("ip", "neighbour", "replace", "10.7.0.2", "lladdr", lan.server.link("s0")["address"], "dev", "c0")
    try:
        with (pushed(lan.client, "c0", 100), Tcpdump(lan.client, "c0", tagged) as tcpdump,
              lan.client.xdplife("trace", "c0", "--json", "--packets", "--", wanted) as trace):
            send_datagrams(lan.client, 2, 5001)
            send_datagrams(lan.client, 3, 5000)
            wait_until(lambda: len(trace.json("packet")) >= 3, "the datagrams")
    finally:
        lan.client.run("ip", "neighbour", "delete", "10.7.0.2", "dev", "c0")
    assert hooks_of(trace.json("packet")) == ["tc-egress"] * 3
    assert tcpdump.text.count("10.7.0.2.5000: UDP") == 3
    assert "5001: UDP" not in tcpdump.text
    assert trace.ledger["frames"]["egress_seen"] >= 5


def frame(vlan, port):
    """02:.. → 02:.., in a VLAN, 10.7.0.1 → 10.7.0.2, UDP to a port: without checksums, nobody verifies them."""
    return bytes.fromhex(f"020000000002 020000000001 8100 {vlan:04x} 0800 45000020 00010000 40110000 0a070001 0a070002"
                         f"1388 {port:04x} 000c 0000 00000000")


def test_tag_in_the_frame(lan):
    """At XDP on the other end of the cable the tag is in the frame."""
    with lan.client.inside():
        sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    with sender, lan.server.xdplife("trace", "s0", "vlan 200 and udp dst port 7", "--json", "--packets") as trace:
        sender.bind(("c0", 0))
        for vlan, port in ((100, 7), (200, 8), (200, 7)):
            sender.send(frame(vlan, port))
        wait_until(lambda: trace.json("packet"), "the frame")
    assert hooks_of(trace.json("packet")) == ["xdp"]
    assert trace.ledger["frames"]["seen"] >= 3


# --- a router

def test_router_shows_what_matches(routed):
    """Everything is routed; what matches is shown."""
    with routed.router.xdplife("forward", "r0", "r1", "--trace", "--json", "tcp", "port", "8005") as trace:
        talk_on(routed, 8006)
        talk_on(routed, 8005)
        trace.wait_for('"event":"closed"')
    assert [event["event"] for event in trace.events()] == LIFE
    assert ports_shown(trace) == {8005}
    forwarded = trace.ledger["frames"]["forwarded"]
    closed, = trace.events("closed")
    assert forwarded > closed["to_server"]["packets"] + closed["to_client"]["packets"] + 8
    assert trace.ledger["closes"] is True


def test_router_that_shows_nothing(routed):
    status, stderr = routed.router.xdplife_fails("forward", "r0", "r1", "tcp")
    assert status == EXIT_USAGE
    assert "nothing is to be shown" in stderr and "--trace" in stderr


# --- files

def conversation(port, wrap):
    """A handshake of 10.0.0.1 with a port of 10.0.0.2, as scapy's packets."""
    there, back = IP(src="10.0.0.1", dst="10.0.0.2"), IP(src="10.0.0.2", dst="10.0.0.1")
    return [wrap(there / TCP(sport=40000, dport=port, flags="S", seq=1000)),
            wrap(back / TCP(sport=port, dport=40000, flags="SA", seq=5000, ack=1001)),
            wrap(there / TCP(sport=40000, dport=port, flags="A", seq=1001, ack=5001))]


def read(path, *words):
    done = run(XDPLIFE, "trace", "--read", str(path), "--json", *words, check=False)
    return done, [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("link, wrap, words", [
    (1, lambda packet: Ether() / packet, ["tcp", "port", "8002"]),
    (1, lambda packet: Ether() / Dot1Q(vlan=100) / packet, ["vlan 100 and tcp port 8002"]),
    (12, lambda packet: packet, ["--", "tcp", "port", "8002"]),
    (113, lambda packet: CookedLinux(proto=0x800) / packet, ["tcp port 8002"]),
], ids=["ethernet", "vlan", "raw", "cooked"])
def test_file(tmp_path, link, wrap, words):
    """The same filter on a capture, whatever link it is of."""
    path = tmp_path / "two.pcap"
    wrpcap(str(path), conversation(8001, wrap) + conversation(8002, wrap), linktype=link)
    done, lines = read(path, *words)
    assert done.returncode == 0, done.stderr
    assert {line["server"] for line in lines if line["type"] == "connection"} == {"10.0.0.2:8002"}
    _, everything = read(path)
    assert {line["server"] for line in everything if line["type"] == "connection"} == {"10.0.0.2:8001", "10.0.0.2:8002"}


def test_file_of_another_link(tmp_path):
    path = tmp_path / "raw.pcap"
    wrpcap(str(path), conversation(8001, lambda packet: packet), linktype=12)
    done, _ = read(path, "ether src 02:00:00:00:00:01")
    assert done.returncode == EXIT_USAGE
    assert "ethernet addresses" in done.stderr and "link type 12 (RAW)" in done.stderr


# --- the command line

@pytest.mark.parametrize("words, said", [
    (["tcp", "prot", "80"], 'syntax error, at character 5, "prot"'),
    (["tcp port"], "syntax error, at its end"),
    (["host", "10.7.0.2", "and", "vlan", "5000"], 'at character 24, "5000"'),
    (["tcp", "and", "udp"], "expression rejects all packets"),
    (["ip6", "protochain", "6"], "protochain"),
    (["inbound"], "not supported here"),
    (["--", "s0"], 'syntax error, at character 1, "s0"'),
    (["c9"], "c9: no such interface, and as the beginning of FILTER: "),
])
def test_wrong_filter(lan, words, said):
    status, stderr = lan.client.xdplife_fails("trace", "c0", *words)
    assert status == EXIT_USAGE
    assert said in stderr and "; try: " in stderr
    assert len(stderr.splitlines()) == 1


def test_interface_comes_first(lan):
    status, stderr = lan.client.xdplife_fails("trace", "tcp", "port", "80")
    assert status == EXIT_FAILED
    assert "tcp: no such interface" in stderr


def test_interface_named_like_a_filter(lan):
    """An interface's name is an interface: the filter begins behind it."""
    lan.client.run("ip", "link", "add", "udp", "type", "veth", "peer", "name", "udp-peer")
    try:
        _, stderr = lan.client.xdplife_fails("trace", "c0", "udp", "nonsense")
        assert "nonsense: no such interface" in stderr
        _, stderr = lan.client.xdplife_fails("trace", "c0", "--", "udp", "nonsense")
        assert 'at character 5, "nonsense"' in stderr
    finally:
        lan.client.run("ip", "link", "delete", "udp")
