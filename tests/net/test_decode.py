# SPDX-License-Identifier: GPL-2.0-only
"""`xdplife decode` against tshark, field by field, and its text, errors and exit codes as a user sees them.

The differential test writes a few hundred frames of every kind with scapy, asks tshark for each field's place in the
frame and its value (-T json -x), and compares with `decode --json`: in both directions, for all fields whose tshark
name decode gives. Every exception is listed below with its reason.
"""
import collections
import json
import logging
import struct
import subprocess

import pytest

logging.getLogger("scapy").setLevel(logging.ERROR)
from scapy.all import (ARP, AH, Dot1AD, Dot1Q, Ether, ICMP, ICMPv6DestUnreach, ICMPv6EchoReply, ICMPv6EchoRequest,
                       ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6ND_RA, ICMPv6NDOptDstLLAddr, ICMPv6NDOptMTU,
                       ICMPv6NDOptPrefixInfo, ICMPv6NDOptSrcLLAddr, ICMPv6PacketTooBig, ICMPv6TimeExceeded, IP, IPv6,
                       IPOption, IPOption_NOP, IPOption_Router_Alert, IPOption_RR, IPv6ExtHdrDestOpt,
                       IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, IPv6ExtHdrRouting, PadN, Raw, RouterAlert, TCP, UDP)

from test_capture import LINKS

MACS = {"src": "02:00:00:00:00:01", "dst": "02:00:00:00:00:02"}
TSHARK_OPTIONS = [
    # Verify what tshark by default takes for granted, and show each frame for itself.
    "ip.check_checksum:TRUE", "tcp.check_checksum:TRUE", "udp.check_checksum:TRUE", "ip.defragment:FALSE",
    "ipv6.defragment:FALSE", "tcp.desegment_tcp_streams:FALSE", "tcp.analyze_sequence_numbers:FALSE",
]
# A field that tshark shows in another unit than the header holds: ours × this = tshark's.
UNITS = {"ip.hdr_len": 4, "tcp.hdr_len": 4}
# tshark's status: 0 bad, 1 good, 2 unverified, 3 not present, 4 illegal (UDP over IPv6 without a checksum).
CHECKS = {"right": "1", "wrong": "04", "partial": "0", "unverifiable": "2", "absent": "3"}

Field = collections.namedtuple("Field", "start bits value")


# --- frames --------------------------------------------------------------------------------------------------------

def ends4(**more):
    return IP(src="10.0.1.2", dst="10.0.2.2", **more)


def ends6(**more):
    return IPv6(src="fd00:1::2", dst="fd00:2::2", **more)


def wire(packet):
    """The bytes with lengths and checksums filled in, as a packet that can be changed in place."""
    return bytearray(bytes(packet))


def fold(number):
    """The one's complement sum of 16 bits (RFC 1071)."""
    while number > 0xffff:
        number = (number >> 16) + (number & 0xffff)
    return number


def links():
    eth = Ether(**MACS)
    return [eth, eth / Dot1Q(vlan=5, prio=3, id=1), eth / Dot1AD(vlan=100) / Dot1Q(vlan=5),
            eth / Dot1Q(vlan=7) / Dot1Q(vlan=8) / Dot1Q(vlan=9)]


def tcp_segments():
    ports = {"sport": 40000, "dport": 9999}
    syn = [("MSS", 1460), ("SAckOK", b""), ("Timestamp", (1, 0)), ("NOP", None), ("WScale", 7)]
    yield TCP(**ports, flags="S", seq=1000, window=64240, options=syn)
    yield TCP(**ports, flags="SA", seq=5000, ack=1001, window=65160, options=syn)
    yield TCP(**ports, flags="A", seq=1001, ack=5001)
    yield TCP(**ports, flags="PA", seq=1001, ack=5001) / b"some data\x00\xff"
    yield TCP(**ports, flags="FA", seq=1001, ack=5001) / (b"x" * 1400)
    yield TCP(**ports, flags="R", seq=0xffffffff)
    yield TCP(**ports, flags="SEC", seq=1, options=[("MSS", 536)])
    yield TCP(**ports, flags="UPA", seq=1, ack=2, urgptr=3) / b"abcd"
    yield TCP(**ports, flags=0x1ff, seq=1, reserved=7)
    yield TCP(**ports, flags="A", ack=9, options=[("NOP", None), ("NOP", None), ("SAck", (100, 200, 300, 400))])
    yield TCP(**ports, flags="A", ack=9, options=[("NOP", None), ("NOP", None), ("SAck", (1, 2, 3, 4, 5, 6, 7, 8))])
    yield TCP(**ports, flags="A", ack=9, options=[("NOP", None), ("NOP", None), ("Timestamp", (0xfffffffe, 77))])
    yield TCP(**ports, flags="S", options=[("TFO", (0x01020304, 0x05060708))])
    yield TCP(**ports, flags="S", options=[("MSS", 1460), ("EOL", None)])
    yield TCP(**ports, flags="S", options=[(200, b"\x01\x02"), ("WScale", 14)])


def upper_layers4():
    yield from tcp_segments()
    to_server = TCP(sport=40000, dport=80, flags="PA", seq=1, ack=1)
    yield to_server / b"GET /index.html HTTP/1.0\r\nHost: s\r\nX-A:  b \r\n\r\n"
    to_client = TCP(sport=80, dport=40000, flags="PA", seq=1, ack=1)
    yield to_client / b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    yield UDP(sport=40000, dport=9999) / b"datagram"
    yield UDP(sport=40000, dport=9999)
    yield ICMP(id=7, seq=9) / b"ping"
    yield ICMP(type=0, id=7, seq=9) / b"pong"
    yield ICMP(type=3, code=3) / ends4(ttl=3) / UDP(sport=1, dport=9998) / b"quoted"
    yield ICMP(type=3, code=4, nexthopmtu=1400) / IP(bytes(ends4() / TCP(sport=1, dport=9998, flags="S"))[:28])
    yield ICMP(type=11, code=0) / IP(bytes(ends4(ttl=1) / TCP(sport=1, dport=9998, flags="S"))[:28])
    yield ICMP(type=5, code=1, gw="10.0.1.9") / ends4() / UDP(sport=1, dport=9998)


def upper_layers6():
    yield from tcp_segments()
    yield UDP(sport=40000, dport=9999) / b"datagram"
    yield ICMPv6EchoRequest(id=7, seq=9, data=b"ping")
    yield ICMPv6EchoReply(id=7, seq=9, data=b"pong")
    yield ICMPv6ND_NS(tgt="fd00:1::1") / ICMPv6NDOptSrcLLAddr(lladdr="02:00:00:00:00:01")
    yield ICMPv6ND_NA(tgt="fd00:1::1", R=1, S=1, O=0) / ICMPv6NDOptDstLLAddr(lladdr="02:00:00:00:00:01")
    yield (ICMPv6ND_RA(chlim=64, M=0, O=1, routerlifetime=1800) / ICMPv6NDOptMTU(mtu=1500)
           / ICMPv6NDOptPrefixInfo(prefix="fd00:1::", prefixlen=64))
    yield ICMPv6DestUnreach(code=4) / ends6(hlim=3) / UDP(sport=1, dport=9998) / b"quoted"
    yield ICMPv6PacketTooBig(mtu=1280) / ends6() / TCP(sport=1, dport=9998, flags="A")
    yield ICMPv6TimeExceeded(code=0) / ends6(hlim=1) / TCP(sport=1, dport=9998, flags="S")


def ip4_headers():
    yield ends4()
    yield ends4(ttl=1, tos=0x10, id=0x24b2, flags="DF")
    yield ends4(ttl=255, tos=0xb9)
    yield ends4(options=[IPOption_Router_Alert()])
    yield ends4(options=[IPOption_NOP(), IPOption_RR(routers=["0.0.0.0", "0.0.0.0"])])


def ip6_headers():
    yield ends6()
    yield ends6(tc=0xb9, fl=0x12345, hlim=1)
    yield ends6() / IPv6ExtHdrHopByHop(options=[RouterAlert(value=0), PadN(optdata=b"")])
    yield ends6() / IPv6ExtHdrDestOpt(options=[PadN(optdata=b"\0\0\0\0")])
    yield ends6() / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / IPv6ExtHdrRouting(addresses=["fd00:3::2"], segleft=0)
    yield ends6() / IPv6ExtHdrRouting(addresses=["fd00:3::2", "fd00:4::2"], segleft=2)
    yield ends6() / IPv6ExtHdrFragment(id=77)  # atomic: offset 0, no more


def fragments():
    payload = bytes(UDP(sport=40000, dport=9999) / (b"f" * 2000))
    for offset, more in ((0, 1), (1000, 1), (1496, 0)):
        part = Raw(payload[offset:offset + 1000])
        yield Ether(**MACS) / ends4(proto=17, flags="MF" if more else 0, frag=offset // 8, id=3) / part
        yield Ether(**MACS) / ends6() / IPv6ExtHdrFragment(nh=17, offset=offset // 8, m=more, id=3) / part


def others():
    eth = Ether(**MACS)
    yield Ether(src=MACS["src"], dst="ff:ff:ff:ff:ff:ff") / ARP(hwsrc=MACS["src"], psrc="10.0.1.2", pdst="10.0.1.1")
    yield eth / ARP(op=2, hwsrc=MACS["src"], psrc="10.0.1.2", hwdst=MACS["dst"], pdst="10.0.1.1") / (b"\0" * 18)
    yield eth / ends4() / TCP(sport=1, dport=9999, flags="A") / b"" / Raw(b"")
    yield eth / ends4(proto=253) / b"unknown to everyone"
    yield eth / ends6(nh=59)
    yield eth / ends6() / AH(nh=6, payloadlen=4, spi=5, seq=6, icv=b"0123456789ab") / TCP(sport=1, dport=9999)
    yield eth / ends4() / AH(nh=17, payloadlen=4, spi=5, seq=6, icv=b"0123456789ab") / UDP(sport=1, dport=9999)
    yield Ether(**MACS, type=0x88b5) / b"local experiment"


def broken():
    """Frames with one byte or length wrong."""
    base = wire(Ether(**MACS) / ends4() / TCP(sport=40000, dport=9999, flags="PA", seq=1, ack=1) / b"data")
    for at in (24, 50, 56):  # IPv4 checksum, TCP checksum, data
        frame = bytearray(base)
        frame[at] ^= 0x55
        yield frame
    partial = bytearray(base)  # as a sender leaves it to its network card: the sum over the pseudo-header
    partial[50:52] = fold(sum(struct.unpack("!6H", base[26:34] + struct.pack("!HH", 6, len(base) - 34)))).to_bytes(2)
    yield partial
    yield base + b"\0" * 10  # padding
    udp = wire(Ether(**MACS) / ends4() / UDP(sport=40000, dport=9999) / b"data")
    udp[40:42] = b"\0\0"  # no checksum
    yield udp
    for packet in (ends4() / UDP(sport=40000, dport=9999) / b"x", ends6() / UDP(sport=40000, dport=9999) / b"x",
                   ends6() / ICMPv6EchoRequest(id=1, seq=1), ends4() / ICMP(id=1, seq=1)):
        frame = wire(Ether(**MACS) / packet)
        frame[-1] ^= 0x55
        yield frame


def all_frames():
    for link in links():
        yield from (wire(link / ip / upper) for ip in ip4_headers() for upper in upper_layers4())
        yield from (wire(link / ip / upper) for ip in ip6_headers() for upper in upper_layers6())
    yield from (wire(frame) for frame in fragments())
    yield from (wire(frame) for frame in others())
    yield from broken()


def write_pcap(path, frames, linktype=1, cut=0):
    """A pcap file in nanoseconds; of each frame, the last `cut` bytes were not captured."""
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, 262144, linktype))
        for number, frame in enumerate(frames):
            kept = bytes(frame)[:len(frame) - cut]
            out.write(struct.pack("<IIII", 1000, number, len(kept), len(frame)) + kept)


# --- both sides ----------------------------------------------------------------------------------------------------

def lowest_bit(mask):
    return (mask & -mask).bit_length() - 1


def tshark_field(raw, shown):
    """[hex, position, length, bit mask, type] and the shown text → where its first bit is, how many, its value."""
    text, position, length, mask, _ = raw
    if mask:
        width = max(length * 8, (mask.bit_length() + 7) // 8 * 8)  # it calls the first byte of a word its length
        top = width - mask.bit_length()
        return Field(position * 8 + top, mask.bit_length() - lowest_bit(mask), int(text, 16))
    return Field(position * 8, length * 8, (text, shown))


def tshark_fields(layers, found):
    """All fields of a packet by name; tshark nests objects, and --no-duplicate-keys makes lists of equal names."""
    for name, value in layers.items():
        if isinstance(value, dict):
            tshark_fields(value, found)
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for part in value:
                tshark_fields(part, found)
        elif name.endswith("_raw") and isinstance(value, list) and name[:-4] in layers:  # not tcp.seq_raw itself
            shown = layers.get(name[:-4])
            many = isinstance(value[0], list)
            for i, raw in enumerate(value if many else [value]):
                text = shown[i] if isinstance(shown, list) and i < len(shown) else shown
                found[name[:-4]].append(tshark_field(raw, text))
        elif name.endswith(".checksum.status"):
            found[name].extend(value if isinstance(value, list) else [value])
    return found


def run_tshark(path):
    options = [word for option in TSHARK_OPTIONS for word in ("-o", option)]
    output = subprocess.run(["tshark", "-n", "-r", str(path), "-T", "json", "-x", "--no-duplicate-keys", *options],
                            check=True, capture_output=True, text=True, timeout=120).stdout
    packets = [packet["_source"]["layers"] for packet in json.loads(output)]
    return [tshark_fields(layers, collections.defaultdict(list)) for layers in packets]


def run_decode(xdplife, *words, **more):
    return subprocess.run([xdplife, "decode", *map(str, words)], capture_output=True, timeout=60, **more)


def decode_json(xdplife, *words):
    done = run_decode(xdplife, "--json", *words)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def first_bit(ours):
    return ours["offset"] * 8 + ours["bit"]


def same(ours, frame, theirs, name):
    """Whether a field of tshark's is this one, with the same value."""
    if isinstance(theirs.value, int):
        return (theirs.start, theirs.bits, theirs.value) == (first_bit(ours), ours["bits"], ours["raw"])
    text, shown = theirs.value
    if ours["bits"] % 8 or ours["bit"]:  # tshark gives the whole byte: its text has the value
        return theirs.start // 8 == ours["offset"] and int(shown, 0) == ours["raw"] * UNITS.get(name, 1)
    place = frame[ours["offset"]:ours["offset"] + ours["bits"] // 8]
    return (theirs.start, theirs.bits) == (first_bit(ours), ours["bits"]) and bytes.fromhex(text) == place


def ours_may_lack(name, theirs, packet):
    """What tshark has and decode rightly does not have under this name."""
    if name == "ip.version" and "ipv6" in (layer["protocol"] for layer in packet["layers"]):
        return True  # tshark calls the version of IPv6 ip.version, too
    # decode shows the zeros behind an end-of-options option as one field, tshark as so many options
    return name == "tcp.option_kind" and theirs.value[0] == "00"


def theirs_may_lack(name, layer):
    """What decode has and tshark rightly does not have under this name."""
    if name == "tcp.seq_raw" and layer["quoted"]:
        return True  # of a quoted header that ends behind it, tshark has tcp.seq only
    return name == "data.data"  # of payloads that tshark knows a dissector for


def compare(packet, theirs, frame, names):
    """The differences of one packet, as text."""
    places = {(field["filter"], field["offset"]) for layer in packet["layers"] for field in layer["fields"]
              if "filter" in field}
    for layer in packet["layers"]:
        for field in layer["fields"]:
            name = field.get("filter")
            if name and not any(same(field, frame, other, name) for other in theirs[name]) \
                    and not (theirs_may_lack(name, layer) and not theirs[name]):
                yield f"{name}: decode has {field}, tshark {theirs[name]}"
    for name in names:
        for other in theirs[name]:
            if (name, other.start // 8) not in places and not ours_may_lack(name, other, packet):
                yield f"{name}: tshark has {other}, decode nothing there"


def compare_checks(packet, theirs):
    """What verifying each checksum of the outer packet gave."""
    for layer in packet["layers"]:
        for field in layer["fields"]:
            if "check" not in field or layer["quoted"]:
                continue
            status = [text for text in theirs[f"{field['filter']}.status"] if isinstance(text, str)]
            if not status or status[0] not in CHECKS[field["check"]]:
                yield f"{field['filter']}: decode says {field['check']}, tshark {status}"


@pytest.fixture(scope="module")
def both(xdplife, tmp_path_factory):
    """Every frame with what decode and what tshark make of it."""
    frames = list(all_frames())
    path = tmp_path_factory.mktemp("decode") / "all.pcap"
    write_pcap(path, frames)
    return list(zip(frames, decode_json(xdplife, path), run_tshark(path), strict=True))


def test_every_field_agrees_with_tshark(both):
    names = {field["filter"] for _, packet, _ in both for layer in packet["layers"] for field in layer["fields"]
             if "filter" in field}
    differences = [f"packet {packet['packet']} ({packet['line']}): {text}" for frame, packet, theirs in both
                   for text in compare(packet, theirs, frame, names)]
    assert not differences, f"{len(differences)} differences, of these:\n" + "\n".join(differences[:10])
    assert len(names) > 130, f"the frames exercise only {len(names)} fields"


@pytest.mark.parametrize("link", (113, 276, 0))
def test_other_links_agree_with_tshark(xdplife, tmp_path, link):
    """Linux cooked and BSD loopback, whose frames test_capture.py has."""
    path = tmp_path / "link.pcap"
    write_pcap(path, LINKS[link], linktype=link)
    packets = decode_json(xdplife, path)
    names = {field["filter"] for packet in packets for layer in packet["layers"] for field in layer["fields"]
             if "filter" in field}
    for frame, packet, theirs in zip(LINKS[link], packets, run_tshark(path), strict=True):
        assert list(compare(packet, theirs, frame, names)) == []


def test_every_checksum_agrees_with_tshark(both):
    differences = [f"packet {packet['packet']} ({packet['line']}): {text}" for _, packet, theirs in both
                   for text in compare_checks(packet, theirs)]
    assert not differences, f"{len(differences)} differences, of these:\n" + "\n".join(differences[:10])
    seen = {field["check"] for _, packet, _ in both for layer in packet["layers"] for field in layer["fields"]
            if "check" in field}
    assert seen == set(CHECKS)


# --- what a user sees ----------------------------------------------------------------------------------------------

# Telnet's first packet, 172.16.0.9 → 172.16.0.1: IPv4 and TCP with the option MSS 1460.
SAMPLE = ("45 10 00 2C 24 B2 00 00 40 06 FD DF AC 10 00 09\n"
          "AC 10 00 01 04 47 00 17 60 C6 DF 90 00 00 00 00\n"
          "60 02 02 00 F9 46 00 00 02 04 05 B4")
SAMPLE_TEXT = """\
44 bytes, read as an IP packet without a link layer: it begins like IPv4 and the header checksum is right
172.16.0.9:1095 → 172.16.0.1:23 TCP [SYN] seq 1623646096 win 512 len 0 <mss 1460> ttl 64

       A  B  C  D  E  F  G  H   I  J  K  L  M  N  O  P   ABCDEFGH IJKLMNOP
    1 45 10 00 2C 24 B2 00 00  40 06 FD DF AC 10 00 09   E..,$... @.......
    2 AC 10 00 01 04 47 00 17  60 C6 DF 90 00 00 00 00   .....G.. `.......
    3 60 02 02 00 F9 46 00 00  02 04 05 B4               `....F.. ....

  IPv4 A1-D2 |  TCP E2-L3

IPv4 A1-D2, 20 bytes: 172.16.0.9 → 172.16.0.1
  at    byte   size      hex         field                value       meaning
  A1    0      4 bits    0x4         version              4           IPv4 [RFC 791 §3.1]
  A1    0.4    4 bits    0x5         header length        5           × 4 = 20 bytes [RFC 791 §3.1]
  B1    1      1 byte    0x10        type of service      16          precedence 0 (routine), minimise delay
                                                                      [RFC 791, RFC 1349]
  B1    1      6 bits    0x04          or today: DSCP     4           no standard class [RFC 2474 §3]
  B1    1.6    2 bits    0x0           and ECN            0           not capable of explicit congestion notification
                                                                      [RFC 3168 §5]
  C1    2      2 bytes   0x002c      total length         44          bytes, header included [RFC 791 §3.1]
  E1    4      2 bytes   0x24b2      identification       9394        the same in all fragments of a datagram
                                                                      [RFC 791 §3.1]
  G1    6      1 bit     0x0         reserved flag        not set     [RFC 791 §3.1]
  G1    6.1    1 bit     0x0         don't fragment       not set     routers may split it [RFC 791 §3.1]
  G1    6.2    1 bit     0x0         more fragments       not set     this is the whole packet [RFC 791 §3.1]
  G1    6.3    13 bits   0x0000      fragment offset      0           the datagram's beginning [RFC 791 §3.1]
  I1    8      1 byte    0x40        time to live         64          hops that it may still take; each router takes one
                                                                      off [RFC 791 §3.1]
  J1    9      1 byte    0x06        protocol             6           TCP [RFC 791 §3.1]
  K1    10     2 bytes   0xfddf      header checksum      64991       right [RFC 791 §3.1]
  M1    12     4 bytes   0xac100009  source address       172.16.0.9  [RFC 791 §3.1]
  A2    16     4 bytes   0xac100001  destination address  172.16.0.1  [RFC 791 §3.1]

TCP E2-L3, 24 bytes: 1095 → 23 [SYN]
  at    byte   size      hex         field                  value       meaning
  E2    20     2 bytes   0x0447      source port            1095        [RFC 9293 §3.1]
  G2    22     2 bytes   0x0017      destination port       23          telnet [RFC 9293 §3.1]
  I2    24     4 bytes   0x60c6df90  sequence number        1623646096  the initial one; data starts at the next
                                                                        [RFC 9293 §3.1]
  M2    28     4 bytes   0x00000000  acknowledgment number  0           does not count without ACK [RFC 9293 §3.1]
  A3    32     4 bits    0x6         data offset            6           × 4 = 24 bytes of header [RFC 9293 §3.1]
  A3    32.4   3 bits    0x0         reserved               0           [RFC 9293 §3.1]
  A3    32.7   1 bit     0x0         AE                     not set     [RFC 9768 §3.1]
  B3    33     1 bit     0x0         CWR                    not set     [RFC 9293 §3.1]
  B3    33.1   1 bit     0x0         ECE                    not set     [RFC 9293 §3.1]
  B3    33.2   1 bit     0x0         URG                    not set     the urgent pointer does not count
                                                                        [RFC 9293 §3.1]
  B3    33.3   1 bit     0x0         ACK                    not set     the acknowledgment number does not count
                                                                        [RFC 9293 §3.1]
  B3    33.4   1 bit     0x0         PSH                    not set     [RFC 9293 §3.1]
  B3    33.5   1 bit     0x0         RST                    not set     [RFC 9293 §3.1]
  B3    33.6   1 bit     0x1         SYN                    set         opens: the sequence number is the initial one
                                                                        [RFC 9293 §3.1]
  B3    33.7   1 bit     0x0         FIN                    not set     [RFC 9293 §3.1]
  C3    34     2 bytes   0x0200      window                 512         bytes that the sender will take; never scaled on
                                                                        a SYN [RFC 9293 §3.1]
  E3    36     2 bytes   0xf946      checksum               63814       right [RFC 9293 §3.1]
  G3    38     2 bytes   0x0000      urgent pointer         0           does not count without URG [RFC 9293 §3.1]
  I3    40     1 byte    0x02        option kind            2           maximum segment size [RFC 9293 §3.2]
  J3    41     1 byte    0x04        option length          4           bytes, kind and length included [RFC 9293 §3.2]
  K3    42     2 bytes   0x05b4      maximum segment size   1460        bytes of data that the sender takes in one
                                                                        segment [RFC 9293 §3.2]

Verdict
  IPv4 header checksum 0xfddf: right
  TCP checksum 0xf946: right
  packet: well formed as far as it is known
"""


def hex_text(xdplife, text, *words, **more):
    done = run_decode(xdplife, "--hex", text, *words, **more)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_sample_packet_text(xdplife):
    assert hex_text(xdplife, SAMPLE) == (0, SAMPLE_TEXT, "")


@pytest.mark.parametrize("text", [
    SAMPLE.replace(" ", ""), SAMPLE.replace(" ", ":"), SAMPLE.lower(),
    "0x" + SAMPLE.replace(" ", " 0x").replace("\n", "\t0X"), "\n " + SAMPLE + " \n", "0x" + SAMPLE.replace(" ", "").replace("\n", "")])
def test_hex_as_people_write_it(xdplife, text):
    assert hex_text(xdplife, text)[1] == SAMPLE_TEXT
    assert hex_text(xdplife, "-", input=text.encode())[1] == SAMPLE_TEXT


@pytest.mark.parametrize("text, words", [
    ("45 1g", ["'g'", "position 5"]), ("45 1", ["'1'", "position 4"]), ("45,00", ["','", "position 3"]),
    ("45 \x1b[31m", [r"'\x1b'", "position 4"]), ("", ["no bytes"]), (" :", ["no bytes"]), ("45 0x", ["position 6"]),
    ("4 5", ["'4'", "position 1"])])
def test_bad_hex_is_named(xdplife, text, words):
    status, out, err = hex_text(xdplife, text)
    assert (status, out) == (2, "")
    assert all(word in err for word in words + ["try:"]), err
    assert hex_text(xdplife, text, "--json")[:2] == (2, "")


def test_hex_json_is_one_object_and_nothing_else(xdplife):
    status, out, err = hex_text(xdplife, SAMPLE, "--json")
    assert (status, err, out.count("\n")) == (0, "", 1)
    packet = json.loads(out)
    fields = {field["filter"]: field for layer in packet["layers"] for field in layer["fields"] if "filter" in field}
    assert packet["link"] == "ip"
    assert packet["malformed"] == "none"
    assert packet["line"] == ("172.16.0.9:1095 → 172.16.0.1:23 TCP [SYN] seq 1623646096 win 512 len 0 <mss 1460> "
                              "ttl 64")
    assert fields["tcp.options.mss_val"]["raw"] == 1460
    assert fields["ip.checksum"]["check"] == fields["tcp.checksum"]["check"] == "right"


@pytest.mark.parametrize("at, raw, meaning", [
    (11, "0xfdde", "wrong, should be 0xfddf"), (37, "0xf947", "wrong, should be 0xf946")])
def test_wrong_checksum_is_corrected(xdplife, at, raw, meaning):
    frame = bytearray.fromhex(SAMPLE)
    frame[at] ^= 1
    out = hex_text(xdplife, frame.hex(), "--link", "ip")[1]
    assert f"checksum {raw}: {meaning}\n" in out


def test_link_can_be_overridden(xdplife):
    ethernet = wire(Ether(**MACS) / ends4() / TCP(sport=1, dport=2)).hex()
    assert json.loads(hex_text(xdplife, ethernet, "--json")[1])["link"] == "ethernet"
    assert json.loads(hex_text(xdplife, ethernet, "--json", "--link", "ip")[1])["link"] == "ip"
    assert "read as an Ethernet frame: as --link says" in hex_text(xdplife, SAMPLE, "--link", "ethernet")[1]


@pytest.mark.parametrize("words", [
    [], ["--hex", SAMPLE, "file.pcap"], ["a.pcap", "b.pcap"], ["--hex", SAMPLE, "--link", "token-ring"],
    ["--packet", "0", "a.pcap"], ["--packet", "x", "a.pcap"], ["--nonsense"], ["a.pcap", "--link", "ip"], ["--hex", SAMPLE, "--packet", "1"]])
def test_usage_errors(xdplife, words):
    done = run_decode(xdplife, *words)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr


def three_frames():
    return [wire(Ether(**MACS) / ends4() / TCP(sport=40000, dport=9999, flags="S", seq=n)) for n in (1, 2, 3)]


def test_file_lines_and_selection(xdplife, tmp_path):
    path = tmp_path / "three.pcap"
    write_pcap(path, three_frames())
    done = run_decode(xdplife, path)
    assert done.returncode == 0
    assert done.stdout.decode().splitlines() == [
        f"    {n}  0.00000000{n - 1}  10.0.1.2:40000 → 10.0.2.2:9999 TCP [SYN] seq {n} win 8192 len 0 ttl 64"
        for n in (1, 2, 3)]
    second = run_decode(xdplife, path, "--packet", 2).stdout.decode()
    assert second.startswith("Packet 2, 1970-01-01 00:16:40.000000001 UTC, 54 bytes\n")
    assert "TCP checksum" in second and "Packet 3" not in second
    assert run_decode(xdplife, path, "-v").stdout.decode().count("\nVerdict\n") == 3
    assert [packet["packet"] for packet in decode_json(xdplife, path, "--packet", 2)] == [2]
    with path.open("rb") as stdin:
        assert run_decode(xdplife, "-", stdin=stdin).stdout == done.stdout
    beyond = run_decode(xdplife, path, "--packet", 4)
    assert beyond.returncode == 1 and b"only 3 packets" in beyond.stderr


@pytest.mark.parametrize("suffix", ["pcap", "pcapng"])
def test_cut_file_shows_what_came_before(xdplife, tmp_path, suffix):
    whole, path = tmp_path / "whole.pcap", tmp_path / f"cut.{suffix}"
    write_pcap(whole, three_frames())
    subprocess.run(["editcap", "-F", "nsecpcap" if suffix == "pcap" else "pcapng", whole, path], check=True)
    path.write_bytes(path.read_bytes()[:-20])
    done = run_decode(xdplife, path)
    assert done.returncode == 1
    assert done.stdout.count(b"\n") == 2
    assert b"frame 3: " in done.stderr
    assert str(path).encode() in done.stderr


def test_captured_in_part(xdplife, tmp_path):
    path = tmp_path / "part.pcap"
    write_pcap(path, [wire(Ether(**MACS) / ends4() / TCP(sport=1, dport=9999) / b"data")], cut=3)
    packet, = decode_json(xdplife, path)
    checks = {field["filter"]: field["check"] for layer in packet["layers"] for field in layer["fields"]
              if "check" in field}
    assert (packet["captured_bytes"], packet["wire_bytes"]) == (55, 58)
    assert checks == {"ip.checksum": "right", "tcp.checksum": "unverifiable"}
    assert "len 4" in packet["line"]


@pytest.mark.parametrize("linktype", [101, 228, 12])
def test_raw_ip_file(xdplife, tmp_path, linktype):
    path = tmp_path / "raw.pcap"
    write_pcap(path, [bytes.fromhex(SAMPLE)], linktype=linktype)
    assert decode_json(xdplife, path)[0]["line"].startswith("172.16.0.9:1095 → 172.16.0.1:23 TCP [SYN]")


def test_other_link_type_is_named(xdplife, tmp_path):
    path = tmp_path / "wireless.pcap"
    write_pcap(path, three_frames(), linktype=105)
    done = run_decode(xdplife, path)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"IEEE802_11" in done.stderr and b"try:" in done.stderr


@pytest.mark.parametrize("content", [b"", b"not a capture", None])
def test_no_capture_file(xdplife, tmp_path, content):
    path = tmp_path / "none.pcap"
    if content is not None:
        path.write_bytes(content)
    done = run_decode(xdplife, path)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"none.pcap" in done.stderr


def test_what_a_packet_says_never_reaches_the_terminal_raw(xdplife, tmp_path):
    path = tmp_path / "hostile.pcap"
    hostile = b"GET /\x1b]0;owned\x07 HTTP/1.1\r\nX-\x1b[2J: \x9b31m\r\n\r\n\x1b[31mbody"
    write_pcap(path, [wire(Ether(**MACS) / ends4() / TCP(sport=40000, dport=80, flags="PA") / hostile)])
    for words in ([], ["-v"], ["--json"]):
        out = run_decode(xdplife, path, *words).stdout
        assert b"owned" in out
        assert all(byte == 0x0a or byte >= 0x20 for byte in out)
        assert "\x9b" not in out.decode()


def test_colour_only_where_wanted(xdplife):
    assert "\033" in hex_text(xdplife, SAMPLE, env={"CLICOLOR_FORCE": "1"})[1]
    assert "\033" not in hex_text(xdplife, SAMPLE, env={"CLICOLOR_FORCE": "1", "NO_COLOR": "1"})[1]


def test_help_has_examples(xdplife):
    done = run_decode(xdplife, "--help")
    assert done.returncode == 0
    assert b"xdplife decode --hex '45 10" in done.stdout


def test_full_disk_is_an_error(xdplife):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([xdplife, "decode", "--hex", SAMPLE], stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 1
    assert b"cannot write the output" in done.stderr
