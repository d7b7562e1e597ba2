# SPDX-License-Identifier: GPL-2.0-only
"""The engine against tshark, field by field, on captures with every oddity that the observer knows.

The captures are made here, with scapy; observe_pcap.c prints what the engine reads in each frame. Every frame has a
label, and each disagreement that is left stands in EXPLAINED with its reason; one that is no longer there fails too.
"""
import collections
import json
import logging
import pathlib
import struct
import subprocess

import pytest

logging.getLogger("scapy").setLevel(logging.ERROR)
from scapy.all import (Dot1AD, Dot1Q, Ether, GRE, ICMP, ICMPv6DestUnreach, IP, IPOption_NOP, IPv6, IPv6ExtHdrDestOpt,
                       IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, IPv6ExtHdrRouting, PadN, Raw, TCP, UDP, fragment)
from scapy.layers.vxlan import VXLAN

FIELDS = """tcp.stream ip.src ip.dst ipv6.src ipv6.dst ip.ttl ipv6.hlim ip.flags.df ip.flags.mf ip.frag_offset
ipv6.fraghdr.more ipv6.fraghdr.offset vlan.id ieee8021ad.id tcp.srcport tcp.dstport tcp.seq_raw tcp.ack_raw tcp.flags
tcp.window_size_value tcp.len tcp.option_kind tcp.options.mss_val tcp.options.wscale.shift tcp.options.timestamp.tsval
tcp.options.timestamp.tsecr icmp.type icmp.code icmpv6.type icmpv6.code vxlan.vni gre.key tcp.completeness
tcp.analysis.retransmission tcp.analysis.fast_retransmission tcp.analysis.spurious_retransmission
tcp.analysis.out_of_order tcp.analysis.keep_alive tcp.analysis.zero_window""".split()
OPTION_BITS = {2: 0x01, 3: 0x02, 4: 0x04, 8: 0x08, 34: 0x10, 30: 0x20}
OTHER_OPTION = 0x80
COOKIE = 0x40
IS_FRAGMENT, LATER_FRAGMENT, DONT_FRAGMENT, HAS_L4 = 0x01, 0x02, 0x10, 0x20
RETRANSMISSIONS = {"syn-retransmit", "syn-ack-retransmit", "retransmit", "duplicate", "fin-retransmit"}

Frame = collections.namedtuple("Frame", "label data wire_bytes time_us")


# --- the captures --------------------------------------------------------------------------------------------------

def eth():
    return Ether(dst="02:00:00:00:00:01", src="02:00:00:00:00:c0")


def links():
    yield "plain", eth()
    yield "vlan", eth() / Dot1Q(vlan=5, prio=3)
    yield "qinq", eth() / Dot1AD(vlan=100) / Dot1Q(vlan=5)
    yield "three tags", eth() / Dot1Q(vlan=7) / Dot1Q(vlan=8) / Dot1Q(vlan=4094)


def networks():
    ends4, ends6 = {"src": "10.0.1.2", "dst": "10.0.2.2"}, {"src": "fd00:1::2", "dst": "fd00:2::2"}
    yield "ip4", IP(**ends4)
    yield "ip4 df ttl 1", IP(**ends4, flags="DF", ttl=1)
    yield "ip4 options", IP(**ends4, options=[IPOption_NOP()] * 4)
    yield "ip6", IPv6(**ends6, hlim=1)
    yield "ip6 chain", (IPv6(**ends6) / IPv6ExtHdrHopByHop(options=[PadN(optdata=b"\0" * 4)])
                        / IPv6ExtHdrDestOpt(options=[PadN(optdata=b"\0" * 4)])
                        / IPv6ExtHdrRouting(addresses=[], segleft=0) / IPv6ExtHdrFragment(offset=0, m=0, id=1))


def segments(port):
    ends = {"sport": port, "dport": 9999}
    full = [("MSS", 1460), ("SAckOK", b""), ("Timestamp", (0xfffffffe, 7)), ("NOP", None), ("WScale", 14)]
    yield "syn", TCP(**ends, flags="S", seq=1000, window=64240, options=full)
    yield "syn of ecn", TCP(**ends, flags="SEC", seq=0xffffffff, options=[("MSS", 536)])
    yield "syn of accecn", TCP(**ends, flags=0x1c2, seq=1)
    yield "syn of tfo", TCP(**ends, flags="S", options=[("TFO", (0x01020304, 0x05060708))]) / b"request"
    yield "syn that asks for a cookie", TCP(**ends, flags="S", options=[(34, b"")])
    yield "syn of mptcp", TCP(**ends, flags="S", options=[(30, bytes.fromhex("018100000000000000ff"))])
    yield "syn of an unknown option", TCP(**ends, flags="S", options=[(253, b"\xf9\x89"), (77, b"x")])
    yield "syn with forty bytes", TCP(**ends, flags="S", options=full + [(253, b"0" * 18)])
    yield "syn-ack", TCP(**ends, flags="SA", seq=5000, ack=1001, window=65160, options=full)
    yield "data", TCP(**ends, flags="PA", seq=1001, ack=5001, window=502) / b"some data\x00\xff"
    yield "timestamps", TCP(**ends, flags="A", seq=1, ack=2, options=[("NOP", None)] * 2 + [("Timestamp", (5, 9))])
    yield "every flag", TCP(**ends, flags=0x1ff, seq=1, ack=3)
    yield "no flag", TCP(**ends, flags=0, seq=1, ack=3)
    yield "rst", TCP(**ends, flags="R", seq=0x80000000, window=0)


def parsed_frames():
    """Each segment in each packet on each link, each of a connection of its own."""
    port = 1024
    for link_label, link in links():
        for network_label, network in networks():
            for label, segment in segments(0):
                port += 1
                segment = segment.copy()
                segment.sport = port
                yield f"{link_label}/{network_label}/{label}", link / network / segment


def bad_options():
    """The header of a SYN, and options whose lengths lie."""
    for label, options in (("length 0", "03000101"), ("length 1", "03010101"), ("beyond the header", "01010204"),
                           ("a kind alone", "01010103"), ("mss of three bytes", "02030501"),
                           ("behind the end", "000205b4"),
                           ("wscale of 15", "0303 0f 01"), ("timestamps of nine bytes", "0809 00000001 000000 000000"),
                           ("two mss", "020405b4 02040218")):
        data = bytes.fromhex(options)
        port = 30000 + len(data) + int.from_bytes(data[:2], "big") % 1000
        header = struct.pack("!HHIIBBHHH", port, 80, 1000, 0, (20 + len(data)) // 4 << 4, 2, 64240, 0, 0)
        yield f"options: {label}", eth() / IP(src="10.0.1.2", dst="10.0.2.2", proto=6) / Raw(header + data)


def tunnels():
    inner4 = IP(src="10.0.1.2", dst="10.0.2.2") / TCP(sport=40001, dport=80, flags="S", seq=7)
    inner6 = IPv6(src="fd00:1::2", dst="fd00:2::2") / TCP(sport=40002, dport=80, flags="S", seq=8)
    outer4, outer6 = IP(src="192.0.2.1", dst="192.0.2.2"), IPv6(src="2001:db8::1", dst="2001:db8::2")
    yield "ipip", eth() / outer4 / inner4
    yield "6in4", eth() / outer4 / inner6
    yield "4in6", eth() / outer6 / inner4
    yield "6in6", eth() / outer6 / inner6
    yield "gre", eth() / outer4 / GRE() / inner4
    yield "gre with a key", eth() / outer4 / GRE(key_present=1, key=7) / inner6
    yield "gre of ethernet", eth() / outer4 / GRE(proto=0x6558, key_present=1, key=8, seqnum_present=1) / eth() / inner4
    yield "vxlan", eth() / outer4 / UDP(sport=5, dport=4789, chksum=0) / VXLAN(vni=42) / eth() / inner4
    yield "vxlan over ip6", eth() / outer6 / UDP(sport=5, dport=4789) / VXLAN(vni=0xffffff) / eth() / inner6
    yield "vxlan in a vlan", (eth() / Dot1Q(vlan=9) / outer4 / UDP(sport=5, dport=4789, chksum=0) / VXLAN(vni=1) / eth()
                              / inner4)


def fragments():
    whole = IP(src="10.0.1.2", dst="10.0.2.2", id=7) / TCP(sport=40003, dport=80, flags="S", seq=9) / Raw(b"y" * 60)
    for number, piece in enumerate(fragment(whole, fragsize=32)):
        yield f"fragment {number}", eth() / piece
    for number, piece in enumerate(fragment(whole, fragsize=8)[:3]):
        piece.id = 8
        yield f"tiny fragment {number}", eth() / piece
    six = IPv6(src="fd00:1::2", dst="fd00:2::2")
    segment = bytes(TCP(sport=40004, dport=80, flags="S", seq=9) / Raw(b"y" * 20))
    yield "ip6 fragment 0", eth() / six / IPv6ExtHdrFragment(nh=6, offset=0, m=1, id=9) / Raw(segment)
    yield "ip6 fragment 1", eth() / six / IPv6ExtHdrFragment(nh=6, offset=5, m=0, id=9) / Raw(b"y" * 8)


def errors():
    quoted4 = IP(src="10.0.1.2", dst="10.0.2.2") / TCP(sport=40005, dport=80, seq=1000)
    quoted6 = IPv6(src="fd00:1::2", dst="fd00:2::2") / TCP(sport=40005, dport=80, seq=1000)
    for type_, code in ((3, 1), (3, 3), (3, 4), (11, 0), (12, 0)):
        yield f"icmp {type_}.{code}", (eth() / IP(src="10.0.2.1", dst="10.0.1.2") / ICMP(type=type_, code=code)
                                       / bytes(quoted4)[:28])
    yield "icmpv6 1.3", eth() / IPv6(src="fd00:2::1", dst="fd00:1::2") / ICMPv6DestUnreach(code=3) / quoted6


def broken():
    """Padding, wrong checksums, lengths that lie."""
    ends = {"src": "10.0.1.2", "dst": "10.0.2.2"}
    yield "padding", eth() / IP(**ends) / TCP(sport=41001, dport=80, flags="S")
    yield "a wrong tcp checksum", eth() / IP(**ends) / TCP(sport=41002, dport=80, flags="S", chksum=1)
    yield "a wrong ip checksum", eth() / IP(**ends, chksum=1) / TCP(sport=41003, dport=80, flags="S")
    yield "an ip length beyond the frame", eth() / IP(**ends, len=2000) / TCP(sport=41004, dport=80, flags="S")
    yield "an ip length below the header", eth() / IP(**ends, len=19) / TCP(sport=41005, dport=80, flags="S")
    yield "a data offset of 4", eth() / IP(**ends) / TCP(sport=41006, dport=80, flags="S", dataofs=4)
    yield "a data offset beyond the packet", eth() / IP(**ends) / TCP(sport=41007, dport=80, flags="S", dataofs=8)
    yield "version 5", eth() / IP(**ends, version=5) / TCP(sport=41008, dport=80, flags="S")


class Connection:
    """A connection whose segments are said one by one: c() and s() send, at a time in milliseconds."""

    def __init__(self, label, port, frames):
        self.label, self.port, self.frames = label, port, frames

    def c(self, ms, flags, seq, ack=0, data=0, **more):
        self.add(ms, "10.0.1.2", "10.0.2.2", self.port, 80, flags, seq, ack, data, more)

    def s(self, ms, flags, seq, ack=0, data=0, **more):
        self.add(ms, "10.0.2.2", "10.0.1.2", 80, self.port, flags, seq, ack, data, more)

    def add(self, ms, src, dst, sport, dport, flags, seq, ack, data, more):
        packet = eth() / IP(src=src, dst=dst) / TCP(sport=sport, dport=dport, flags=flags, seq=seq, ack=ack,
                                                    **{"window": 65535, **more}) / Raw(b"x" * data)
        number = len(self.frames) + 1
        self.frames.append((f"{self.label} {number}", bytes(packet), ms * 1000))

    def open(self):
        self.c(0, "S", 1000)
        self.s(10, "SA", 5000, 1001)
        self.c(20, "A", 1001, 5001)


def conversations():
    """Connections, one after the other, for completeness and for what tshark calls analysis."""
    stories = []

    def story(label):
        frames = []
        stories.append(frames)
        return Connection(label, 50000 + len(stories), frames)

    life = story("life")
    life.open()
    life.c(30, "PA", 1001, 5001, 100)
    life.s(40, "A", 5001, 1101, 1000)
    life.c(50, "A", 1101, 6001)
    life.c(60, "FA", 1101, 6001)
    life.s(70, "FA", 6001, 1102)
    life.c(80, "A", 1102, 6002)
    again = story("syn again")
    again.c(0, "S", 1000)
    again.c(1000, "S", 1000)
    again.c(3000, "S", 1000)
    again.s(3010, "SA", 5000, 1001)
    again.s(4010, "SA", 5000, 1001)
    again.c(4020, "A", 1001, 5001)
    refused = story("refused")
    refused.c(0, "S", 1000)
    refused.s(1, "RA", 0, 1001, window=0)
    silent = story("silent")
    silent.c(0, "S", 1000)
    reset = story("reset")
    reset.open()
    reset.c(30, "PA", 1001, 5001, 10)
    reset.s(40, "R", 5001, window=0)
    lost = story("retransmission")
    lost.open()
    lost.c(30, "PA", 1001, 5001, 100)
    lost.c(330, "PA", 1001, 5001, 100)
    lost.s(340, "A", 5001, 1101)
    needless = story("needless retransmission")
    needless.open()
    needless.c(30, "PA", 1001, 5001, 100)
    needless.s(40, "A", 5001, 1101)
    needless.c(330, "PA", 1001, 5001, 100)
    overtaken = story("out of order")
    overtaken.open()
    overtaken.s(30, "A", 5001, 1001, 100)
    overtaken.s(31, "A", 5201, 1001, 100)
    overtaken.s(32, "A", 5101, 1001, 100)
    overtaken.c(40, "A", 1001, 5301)
    fast = story("fast retransmission")
    fast.open()
    fast.s(30, "A", 5001, 1001, 100)
    fast.c(31, "A", 1001, 5101)
    fast.s(32, "A", 5201, 1001, 100)
    for ms in (33, 34, 35, 36):
        fast.c(ms, "A", 1001, 5101)
    fast.s(37, "A", 5101, 1001, 100)
    alive = story("keep-alive")
    alive.open()
    alive.c(30, "PA", 1001, 5001, 100)
    alive.s(40, "A", 5001, 1101)
    alive.c(60000, "A", 1100, 5001)
    alive.s(60010, "A", 5001, 1101)
    alive.c(120000, "A", 1100, 5001, 1)
    alive.s(120010, "A", 5001, 1101)
    closed = story("zero window")
    closed.open()
    closed.c(30, "PA", 1001, 5001, 1000)
    closed.s(40, "A", 5001, 2001, window=0)
    closed.s(50, "A", 5001, 2001, window=0)
    closed.s(60, "A", 5001, 2001, window=8000)
    fins = story("fin again")
    fins.open()
    fins.c(30, "FA", 1001, 5001)
    fins.c(330, "FA", 1001, 5001)
    fins.s(340, "FA", 5001, 1002)
    fins.c(350, "A", 1002, 5002)
    wrap = story("wrap")
    wrap.c(0, "S", 0xfffffff0)
    wrap.s(10, "SA", 0xffffffff, 0xfffffff1)
    wrap.c(20, "A", 0xfffffff1, 0)
    wrap.c(30, "PA", 0xfffffff1, 0, 100)
    wrap.s(40, "A", 0, 0x55, 10)
    wrap.c(330, "PA", 0xfffffff1, 0, 100)
    data = story("established by data")
    data.c(0, "S", 1000)
    data.s(10, "SA", 5000, 1001)
    data.c(20, "PA", 1001, 5001, 10)
    data.s(30, "PA", 5001, 1011, 10)
    middle = story("midstream")
    middle.s(0, "PA", 5000, 1000, 100)
    middle.c(10, "A", 1000, 5100)
    return stories


def all_frames():
    """One capture: a second between the frames that have nothing to do with each other."""
    now_us = 0
    single = [*parsed_frames(), *bad_options(), *tunnels(), *fragments(), *errors(), *broken()]
    for label, packet in single:
        data = bytes(packet)
        if label == "padding":
            data = data.ljust(60, b"\0")
        now_us += 1_000_000
        yield Frame(label, data, len(data), now_us)
    # a snapshot length that cuts: through the Ethernet header, IP, TCP, its options, and the data
    port = 42000
    for label, packet in segments(0):
        for cut in (10, 20, 33, 40, 53, 54, 60, 70):
            port += 1
            packet.sport = port
            data = bytes(eth() / IP(src="10.0.1.3", dst="10.0.2.2") / packet)
            if cut < len(data):
                now_us += 1_000_000
                yield Frame(f"cut at {cut}/{label}", data[:cut], len(data), now_us)
    for story in conversations():
        for label, data, after_us in story:
            yield Frame(label, data, len(data), now_us + 1_000_000 + after_us)
        now_us += 1_000_000 + story[-1][2]


def write_pcap(path, frames):
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHIIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
        for frame in frames:
            out.write(struct.pack("<IIII", *divmod(frame.time_us, 1_000_000), len(frame.data), frame.wire_bytes))
            out.write(frame.data)


# --- what either says ----------------------------------------------------------------------------------------------

def tshark(path):
    """A dict of lists of values for each frame. Twice through the file: completeness is the whole connection's."""
    command = ["tshark", "-n", "-2", "-r", path, "-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE", "-o",
               "tcp.desegment_tcp_streams:FALSE", "-T", "fields", "-E", "separator=/t", "-E", "occurrence=a", "-E",
               "aggregator=;"]
    for field in FIELDS:
        command += ["-e", field]
    run = subprocess.run(command, check=True, timeout=60, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    for line in run.stdout.splitlines():
        values = line.split("\t")
        yield {field: value.split(";") if value else [] for field, value in zip(FIELDS, values, strict=True)}


def engine(path, xdplife):
    helper = pathlib.Path(xdplife).parent / "tests/net/observe_pcap"
    run = subprocess.run([helper, path], check=True, timeout=60, text=True, stdout=subprocess.PIPE)
    return [json.loads(line) for line in run.stdout.splitlines()]


def number(values, at=0):
    """tshark's value at that place as a number; None: it is not there."""
    return int(values[at], 0) if len(values) > at else None


def addresses(theirs, which):
    """Outermost first, whatever the version: tshark has them in two fields, so a mixed pair is 4in6 or 6in4."""
    four, six = theirs[f"ip.{which}"], theirs[f"ipv6.{which}"]
    return [*four, *six], [*six, *four]


def network_fields(ours, theirs):
    """The addresses of the packet and of its tunnel; what an error quotes comes behind them."""
    packet, tunnel = ours["packet"], ours["tunnel"]
    mine = [tunnel["src"]] if tunnel else []
    mine.append(packet["src"])
    four_first, six_first = addresses(theirs, "src")
    order = four_first if four_first[:1] == mine[:1] else six_first
    yield "source", mine, order[:len(mine)]
    mine = [*([tunnel["dst"]] if tunnel else []), packet["dst"]]
    four_first, six_first = addresses(theirs, "dst")
    order = four_first if four_first[:1] == mine[:1] else six_first
    yield "destination", mine, order[:len(mine)]
    ttls = theirs["ip.ttl"] if packet["ip"] == 4 else theirs["ipv6.hlim"]
    place = len(ttls) - 1 if tunnel else 0
    yield "ttl", packet["ttl"], number(ttls, place)


def fragment_fields(packet, theirs):
    """The flags of the innermost header."""
    flags = packet["flags"]
    offset = theirs["ip.frag_offset"] or theirs["ipv6.fraghdr.offset"]
    more = theirs["ip.flags.mf"] or theirs["ipv6.fraghdr.more"]
    later = bool(offset) and int(offset[0], 0) > 0
    yield "later fragment", bool(flags & LATER_FRAGMENT), later
    yield "fragment", bool(flags & IS_FRAGMENT), later or more[:1] == ["1"] or more[:1] == ["True"]
    if packet["ip"] == 4 and len(theirs["ip.flags.df"]) == 1:
        yield "df", bool(flags & DONT_FRAGMENT), theirs["ip.flags.df"] in (["1"], ["True"])


def option_fields(packet, theirs):
    kinds = [int(kind) for kind in theirs["tcp.option_kind"]]
    bits = 0
    for kind in kinds:
        bits |= OPTION_BITS.get(kind, OTHER_OPTION if kind > 8 else 0)
    options = packet["options"]
    yield "options", options["flags"] & ~COOKIE, bits
    yield "mss", options["mss"], number(theirs["tcp.options.mss_val"], -1 if theirs["tcp.options.mss_val"] else 0) or 0
    yield "wscale", options["wscale"], number(theirs["tcp.options.wscale.shift"]) or 0
    yield "tsval", options["tsval"], number(theirs["tcp.options.timestamp.tsval"]) or 0
    yield "tsecr", options["tsecr"], number(theirs["tcp.options.timestamp.tsecr"]) or 0


def segment_fields(ours, theirs):
    packet = ours["packet"]
    yield "source port", packet["sport"], number(theirs["tcp.srcport"])
    yield "destination port", packet["dport"], number(theirs["tcp.dstport"])
    yield "seq", packet["seq"], number(theirs["tcp.seq_raw"])
    yield "ack", packet["ack"], number(theirs["tcp.ack_raw"])
    yield "flags", packet["tcp_flags"], number(theirs["tcp.flags"])
    yield "window", packet["window"], number(theirs["tcp.window_size_value"])
    yield "length", packet["payload"], number(theirs["tcp.len"])
    yield from option_fields(packet, theirs)


def analysis_fields(ours, theirs):
    events = set(ours["events"])
    again = [field for field in ("retransmission", "fast_retransmission", "spurious_retransmission")
             if theirs[f"tcp.analysis.{field}"]]
    yield "retransmission", bool(events & RETRANSMISSIONS), bool(again)
    yield "needless", "duplicate" in events, "spurious_retransmission" in again
    yield "out of order", "out-of-order" in events, bool(theirs["tcp.analysis.out_of_order"])
    yield "keep-alive", "keep-alive" in events, bool(theirs["tcp.analysis.keep_alive"])
    yield "zero window", ours["closed_window"], bool(theirs["tcp.analysis.zero_window"])


def compare(ours, theirs):
    """(field, ours, tshark's) of a frame."""
    packet = ours["packet"]
    yield "vlans", packet["vids"][:packet["vlans"]], [int(vid) for vid in theirs["ieee8021ad.id"] + theirs["vlan.id"]]
    if packet["ip"]:
        yield from network_fields(ours, theirs)
        yield from fragment_fields(packet, theirs)
    elif theirs["ip.src"] or theirs["ipv6.src"]:
        yield "ip", False, True
    is_segment = packet["proto"] == 6 and bool(packet["flags"] & HAS_L4)
    # the header of an ICMP error is followed by that of the segment that it quotes
    yield "tcp", is_segment, bool(theirs["tcp.srcport"]) and not theirs["icmp.type"] and not theirs["icmpv6.type"]
    if is_segment and theirs["tcp.srcport"]:
        yield from segment_fields(ours, theirs)
        if ours["observed"] == "tracked":
            yield from analysis_fields(ours, theirs)
    for ours_name, names in (("icmp_type", ("icmp.type", "icmpv6.type")), ("icmp_code", ("icmp.code", "icmpv6.code"))):
        values = theirs[names[0]] + theirs[names[1]]
        if values:
            yield ours_name, packet[ours_name], number(values)
    if ours["tunnel"] or theirs["vxlan.vni"] or theirs["gre.key"]:
        yield "tunnel id", (ours["tunnel"] or {}).get("id"), number(theirs["vxlan.vni"] + theirs["gre.key"]) or 0


def disagreements(frames, ours, theirs):
    last = {}
    for frame, mine, other in zip(frames, ours, theirs, strict=True):
        for field, is_, should in compare(mine, other):
            if is_ != should:
                yield frame.label, field, is_, should
        if mine["observed"] == "tracked" and other["tcp.stream"]:
            last[other["tcp.stream"][0]] = frame.label, mine["seen"], number(other["tcp.completeness"])
    for label, seen, completeness in last.values():
        if seen != completeness:
            yield label, "completeness", seen, completeness


# --- what is left --------------------------------------------------------------------------------------------------

# (part of the label, field): why. Each has to occur.
CUT = "a header counts whole or not at all: of one that the snapshot length has cut tshark shows what is there"
MALFORMED = "a packet that the receiver's stack drops is no part of a connection: counted by its cause"
NO_SYN = "of a connection whose only frame is no SYN tshark has the value of before the frame: 0"
EXPLAINED = {
    ("cut at 33/", "ip"): CUT,
    ("cut at 40/", "tcp"): CUT,
    ("cut at 53/", "tcp"): CUT,
    ("cut at 54/", "tcp"): CUT,
    ("cut at 60/", "tcp"): CUT,
    ("cut at 70/", "tcp"): CUT,
    ("a wrong ip checksum", "tcp"): MALFORMED,
    ("an ip length beyond the frame", "tcp"): MALFORMED,
    ("a data offset of 4", "tcp"): MALFORMED,
    ("a data offset beyond the packet", "tcp"): MALFORMED,
    ("an ip length below the header", "source"): "what stands in front of the wrong field has been read; tshark stops",
    ("an ip length below the header", "destination"): "likewise",
    ("an ip length below the header", "ttl"): "likewise",
    ("tiny fragment 0", "tcp"): "eight bytes have the ports and are no TCP header (RFC 1858): a counter of its own",
    ("fragment 0", "length"): "tshark gives no length to what is not reassembled; ours is what is in this packet",
    ("fragment 0", "completeness"): "so it has seen no data either",
    ("mss of three bytes", "options"): "an option of the wrong length is passed over; tshark lists its kind",
    ("timestamps of nine bytes", "options"): "likewise",
    ("wscale of 15", "wscale"): "RFC 7323 §2.3: above 14 counts as 14; tshark shows the byte",
    ("vxlan in a vlan", "retransmission"): "the same addresses in another VLAN: to tshark the same connection",
    ("/syn-ack", "completeness"): NO_SYN,
    ("/data", "completeness"): NO_SYN,
    ("/timestamps", "completeness"): NO_SYN,
}


def explanation(label, field):
    for part, name in EXPLAINED:
        if part in label and name == field:
            return part, name
    return None


@pytest.fixture(scope="module")
def capture(tmp_path_factory, xdplife):
    path = tmp_path_factory.mktemp("differential") / "all.pcap"
    frames = list(all_frames())
    write_pcap(path, frames)
    return frames, engine(path, xdplife), list(tshark(path))


def test_every_field_is_what_tshark_reads(capture):
    frames, ours, theirs = capture
    assert len(frames) == len(ours) == len(theirs) > 400
    used = set()
    unexplained = []
    for label, field, is_, should in disagreements(frames, ours, theirs):
        why = explanation(label, field)
        if why:
            used.add(why)
        else:
            unexplained.append(f"{label}: {field} is {is_!r}, tshark says {should!r}")
    assert not unexplained, "\n".join(unexplained)
    assert used == set(EXPLAINED), f"no longer so: {set(EXPLAINED) - used}"
