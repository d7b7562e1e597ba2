# SPDX-License-Identifier: GPL-2.0-only
"""What `trace --json` says of connections that end in every way there is: each line by the schema that `trace --schema`
prints, each outcome by its evidence, completeness as tshark has it. One trace for all, since attaching takes its time.

    client c0 ----- s0 server, which also routes to where nothing is
"""
import contextlib
import json
import re
import socket
import struct
import subprocess
import threading

import jsonschema
import pytest

from hosts import (ROOT, WAIT_S, XDPLIFE, Lan, abort, connect, family, inside, listening, receive, run, talk,
                   wait_until)

SILENT = "10.7.0.99"  # its MAC is known, and nobody has it
NOWHERE = {4: "10.8.0.9", 6: "fd08::9"}  # the router says so
FINAL = {"timed-out", "half-open", "abandoned", "still-open", "closed", "refused", "unreachable", "reset"}


def port_of(endpoint):
    return int(endpoint.rsplit(":", 1)[1])


# --- ways for a connection to end: each returns the client's port ---------------------------------------------------

def pair(lan, version=4, **options):
    """A connection: (client's socket, server's socket)."""
    with listening(lan.server, lan.server_address[version]) as listener:
        client = connect(lan.client, *listener.getsockname()[:2], **options)
        server, _ = listener.accept()
    server.settimeout(WAIT_S)
    return client, server


def closed(lan, version=4):
    return talk(lan.client, lan.server, lan.server_address[version], b"q" * 3000, b"r" * 50_000)[0]


def attempt(lan, where, port=80, local_port=0):
    """Does not wait for an answer."""
    with lan.client.inside():
        client = socket.socket(family(where), socket.SOCK_STREAM)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    client.setblocking(False)
    client.bind(("::" if ":" in where else "0.0.0.0", local_port))
    client.connect_ex((where, port))
    return client


def refused(lan, version=4):
    client = attempt(lan, lan.server_address[version], 9)
    wait_until(lambda: client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), "the refusal")
    with client:
        return client.getsockname()[1]


def unreachable(lan, version=4):
    client = attempt(lan, NOWHERE[version])
    port = client.getsockname()[1]
    wait_until(lambda: client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), "the ICMP error")
    client.close()
    return port


def reset_by(lan, end):
    client, server = pair(lan)
    port = client.getsockname()[1]
    client.sendall(b"x" * 10)
    assert receive(server, 10)
    abort(client if end == "client" else server)
    with pytest.raises(ConnectionResetError):
        receive(server if end == "client" else client)
    client.close()
    server.close()
    return port


def reset_behind_fin(lan):
    """The client closes, the server answers by RST."""
    client, server = pair(lan)
    port = client.getsockname()[1]
    client.shutdown(socket.SHUT_WR)
    assert receive(server) == b""
    abort(server)
    with pytest.raises(ConnectionResetError):
        receive(client)
    client.close()
    return port


def closed_window(lan):
    """The server does not read until its window is closed."""
    with listening(lan.server, lan.server_address[4]) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client = connect(lan.client, *listener.getsockname())
        server, _ = listener.accept()
    with client, server:
        port = client.getsockname()[1]
        client.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while client.send(b"z" * 65536):
                pass
        yield port
        receiving = threading.Thread(target=receive, args=(server,))
        receiving.start()
        client.shutdown(socket.SHUT_WR)
        receiving.join()


def keep_alive(lan):
    client, server = pair(lan)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    client.sendall(b"x")
    assert receive(server, 1)
    return client, server


MSG_FASTOPEN = 0x20000000


def fast_open(lan):
    """The first connection gets a cookie, the second has its data on the SYN."""
    ports = []
    with listening(lan.server, lan.server_address[4]) as listener:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 5)
        for _ in range(2):
            with lan.client.inside():
                client = socket.socket()
            client.sendto(b"hello", MSG_FASTOPEN, listener.getsockname())
            ports.append(client.getsockname()[1])
            server, _ = listener.accept()
            with server:
                assert receive(server, 5) == b"hello"
                client.close()
                assert receive(server) == b""
    return ports


def frames_of_another(lan):
    """Made by hand, sent by the server's host: what its stack never would. Their addresses are nobody's."""
    from scapy.all import GRE, IP, TCP, UDP, VXLAN, Dot1AD, Dot1Q, Ether, ICMP, IPv6, Raw
    ether = Ether(dst=lan.client.link("c0")["address"], src="02:00:00:00:00:01")
    syn = IP(src="192.0.2.1", dst="192.0.2.2") / TCP(sport=50000, dport=80, seq=1000, flags="S",
                                                     options=[("MSS", 1460), ("SAckOK", b"")])
    rst = IP(src="192.0.2.2", dst="192.0.2.1") / TCP(sport=80, dport=50000, seq=0, ack=1000, flags="RA")
    inside_vlan = Dot1AD(vlan=10) / Dot1Q(vlan=20)
    outer = IP(src="198.51.100.1", dst="198.51.100.2")
    other = IP(src="192.0.2.3", dst="192.0.2.4") / TCP(sport=50001, dport=80, seq=1, flags="S")
    hostile = IP(src="192.0.2.5", dst="192.0.2.6") / TCP(sport=50002, dport=80, seq=1, flags="S",
                                                         options=[(253, b"\x1b[31m\n\x00\xff")]) / Raw(b"\x1b]0;x\x07\n")
    return [bytes(frame) for frame in (
        ether / inside_vlan / syn, ether / inside_vlan / rst, ether / inside_vlan / rst.copy(),
        ether / outer / UDP(sport=1, dport=4789) / VXLAN(vni=42, flags="Instance") / Ether() / other,
        ether / outer / GRE() / IP(src="192.0.2.7", dst="192.0.2.8") / TCP(sport=50003, dport=80, seq=1, flags="S"),
        ether / hostile)]


def send_frames(host, interface, frames):
    with host.inside():
        sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    with sender:
        sender.bind((interface, 0))
        for frame in frames:
            sender.send(frame)


# --- the run that they all are in ------------------------------------------------------------------------------------

class Run:
    """What was traced, and which client port was which story."""

    def __init__(self, path):
        self.capture = path / "all.pcapng"
        self.ports = {}

    def of(self, name, index=0):
        """All events of one story's connection, in order."""
        port = self.ports[name]
        port = port[index] if isinstance(port, list) else port
        return [event for event in self.events if port_of(event["client"]) == port]

    def last(self, name, index=0):
        return self.of(name, index)[-1]


def prepare(lan):
    lan.client.run("ip", "neigh", "replace", SILENT, "lladdr", "02:de:ad:00:00:01", "dev", "c0")
    lan.client.sysctl("net/ipv4/tcp_ecn", 1)
    lan.server.sysctl("net/ipv4/ip_forward", 1)
    lan.server.sysctl("net/ipv6/conf/all/forwarding", 1)
    for host in (lan.client, lan.server):
        host.sysctl("net/ipv4/tcp_fastopen", 3)
    for version, kind in ((4, "prohibit"), (6, "unreachable")):
        lan.client.run("ip", "route", "add", NOWHERE[version], "via", lan.server_address[version])
        lan.server.run("ip", "route", "add", kind, NOWHERE[version])


def tell_stories(lan, trace, told):
    for version in (4, 6):
        told.ports[f"closed{version}"] = closed(lan, version)
        told.ports[f"refused{version}"] = refused(lan, version)
        told.ports[f"unreachable{version}"] = unreachable(lan, version)
    told.ports["reset-by-client"] = reset_by(lan, "client")
    told.ports["reset-by-server"] = reset_by(lan, "server")
    told.ports["reset-behind-fin"] = reset_behind_fin(lan)
    told.ports["fast-open"] = fast_open(lan)
    window = closed_window(lan)
    told.ports["window"] = next(window)
    trace.wait_for('"event":"zero-window"')
    next(window, None)
    told.ports["again"] = 41000
    for _ in range(2):  # the second takes the ports of the first, of which nothing was heard
        attempt(lan, SILENT, 81, local_port=41000).close()
    send_frames(lan.server, "s0", frames_of_another(lan))


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    told = Run(tmp_path_factory.mktemp("trace"))
    with Lan() as lan:
        prepare(lan)
        trace = lan.client.xdplife("trace", "c0", "--json", "--packets", "--write", str(told.capture))
        with trace, contextlib.ExitStack() as open_until_the_end:
            idle, peer = keep_alive(lan)
            told.ports["still-open"] = idle.getsockname()[1]
            silent = attempt(lan, SILENT)
            told.ports["half-open"] = silent.getsockname()[1]
            for one in (idle, peer, silent):
                open_until_the_end.enter_context(one)
            tell_stories(lan, trace, told)
            trace.wait_for('"event":"syn-retransmit"')
            trace.wait_for('"event":"keep-alive"')
            trace.stop()
        told.lines = trace.lines["stdout"]
        told.objects = trace.json()
        told.events = trace.events()
    return told


@pytest.fixture(scope="module")
def schema():
    done = run(XDPLIFE, "trace", "--schema")
    schema = json.loads(done.stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema == json.loads((ROOT / "user/out/trace_schema.json").read_text())
    return schema


def validator(schema, name):
    """Of one type: what is wrong is said, not that none of four alternatives fits."""
    return jsonschema.Draft202012Validator({**schema["$defs"][name], "$defs": schema["$defs"]})


def test_every_line_is_by_the_schema(told, schema):
    whole = jsonschema.Draft202012Validator(schema)
    by_type = {name: validator(schema, name) for name in ("trace", "packet", "connection", "ledger")}
    for one in told.objects:
        by_type[one["type"]].validate(one)
    for one in {one["type"]: one for one in told.objects}.values():  # one of each: it is slow
        whole.validate(one)
    assert [one["type"] for one in told.objects].count("trace") == 1
    assert told.objects[0]["type"] == "trace" and told.objects[-1]["type"] == "ledger"
    assert told.objects[0]["schema"] == schema["$defs"]["trace"]["properties"]["schema"]["const"]


def test_the_schema_refuses(told, schema):
    """It is not one that any object passes."""
    event = told.last("closed4")
    connection = validator(schema, "connection")
    for damage in ({"event": "nonsense"}, {"surplus": 1}, {"outcome": None}, {"client": "10.0.0.1"}, {"from": "x"}):
        with pytest.raises(jsonschema.ValidationError):
            connection.validate({**event, **damage})
    for key in ("id", "outcome", "evidence", "to_server", "from"):
        with pytest.raises(jsonschema.ValidationError):
            connection.validate({name: value for name, value in event.items() if name != key})


def test_the_schema_knows_every_event(schema):
    """A line added to the list of events is in the schema too."""
    listed = (ROOT / "include/xdplife/tcp_events.h").read_text()
    keys = re.findall(r'X\(\w+, "([^"]+)", "', listed)
    assert keys and keys == schema["$defs"]["connection"]["properties"]["event"]["enum"]
    verdicts = re.findall(r'X\(\w+, (?:PASSED|FORWARDED|STEERED|DROPPED), "([^"]+)"',
                          (ROOT / "include/xdplife/counters.h").read_text())
    assert verdicts == schema["$defs"]["verdict"]["enum"]


def test_control_characters(told):
    """What packets say never leaves raw."""
    assert not any(re.search(r"[\x00-\x1f\x7f]", line) for line in told.lines)
    assert any(one["type"] == "packet" and "50002" in json.dumps(one) for one in told.objects)


@pytest.mark.parametrize("name, outcome, conn_state, proofs", [
    ("closed4", "closed", "SF", ["syn", "syn-ack", "ack", "fin"]),
    ("closed6", "closed", "SF", ["syn", "syn-ack", "ack", "fin"]),
    ("refused4", "refused", "REJ", ["syn", "rst"]),
    ("refused6", "refused", "REJ", ["syn", "rst"]),
    ("unreachable4", "unreachable", "S0", ["syn", "icmp"]),
    ("unreachable6", "unreachable", "S0", ["syn", "icmp"]),
    ("reset-by-client", "reset", "RSTO", ["syn", "syn-ack", "ack", "rst"]),
    ("reset-by-server", "reset", "RSTR", ["syn", "syn-ack", "ack", "rst"]),
    ("reset-behind-fin", "reset", "RSTR", ["syn", "syn-ack", "ack", "rst"]),
    ("still-open", "open", "S1", ["syn", "syn-ack", "ack", "last"]),
    ("half-open", "half-open", "S0", ["syn"]),
])
def test_outcome(told, name, outcome, conn_state, proofs):
    last = told.last(name)
    assert last["event"] in FINAL
    assert (last["outcome"], last["conn_state"]) == (outcome, conn_state)
    assert [one["packet"] for one in last["evidence"]] == proofs
    times = [one["first_ns"] for one in last["evidence"]]
    assert times == sorted(times)
    syn = told.of(name)[0]
    assert syn["event"] == "syn" and syn["time_ns"] == times[0]
    assert {event["id"] for event in told.of(name)} == {last["id"]}


def test_ids_differ(told):
    ids = {event["id"]: (event["client"], event["server"]) for event in told.events if "id" in event}
    assert len(ids) > len(set(ids.values())) > 12  # one pair of ends was used twice


def test_who_reset(told):
    seen = {name: (told.last(name)["closed_by"], told.last(name)["reset_by"], told.last(name)["reset_stage"])
            for name in ("reset-by-client", "reset-by-server", "reset-behind-fin", "refused4")}
    assert seen == {"reset-by-client": ("client", "client", "open"), "reset-by-server": ("server", "server", "open"),
                    "reset-behind-fin": ("client", "server", "closing"), "refused4": ("server", "server", "handshake")}


def test_refusal_is_proven(told):
    """The RST acknowledges the SYN's number plus one (RFC 9293 §3.10.7.1)."""
    last = told.last("refused4")
    syn, rst = last["evidence"]
    assert rst["ack"] == (last["to_server"]["isn"] + 1) % 2**32
    assert (syn["from"], rst["from"], syn["count"]) == ("client", "server", 1)
    assert rst["first_ns"] == last["time_ns"]


@pytest.mark.parametrize("version, icmp, text", [(4, (3, 13), "prohibited by a filter"), (6, (1, 0), "no route")])
def test_who_says_unreachable(told, version, icmp, text):
    last = told.last(f"unreachable{version}")
    assert (last["icmp"]["type"], last["icmp"]["code"]) == icmp
    assert last["icmp"]["text"] == text
    assert last["icmp"]["from"] == ("10.7.0.2" if version == 4 else "fd07::2")
    assert last["from"] == "network" and last["ip_version"] == version
    assert last["server"] == (f"{NOWHERE[4]}:80" if version == 4 else f"[{NOWHERE[6]}]:80")


def test_nobody_answers(told):
    last = told.last("half-open")
    assert (last["hook"], last["interface"]) == ("none", None)
    syn, = last["evidence"]
    assert syn["count"] == 1 + last["to_server"]["retransmits"] >= 2
    assert syn["last_ns"] > syn["first_ns"]


def test_ports_used_again(told):
    """Of the attempt before, the ports are known and that it was not answered; nothing else is made up."""
    names = [event["event"] for event in told.of("again")]
    assert names[:4] == ["syn", "timed-out", "reused", "syn"]
    first, timed_out, reused, second = told.of("again")[:4]
    assert timed_out["previous"] is True and "id" not in timed_out and "to_server" not in timed_out
    assert first["id"] != second["id"] == reused["id"]


def test_negotiation(told):
    last = told.last("closed4")
    client, server, accepted = last["offered"]["client"], last["offered"]["server"], last["accepted"]
    assert client["mss"] == server["mss"] == accepted["mss"] == 1460
    assert client["ecn"] == "ecn" and "ecn" not in server and accepted["ecn"] == "ecn"
    assert accepted["sack"] and accepted["timestamps"] and accepted["window_scale"] and not accepted["mptcp"]
    assert last["stripped"] == {"client": [], "server": []}
    assert told.last("refused4")["accepted"] is None and told.last("refused4")["offered"]["server"] is None


def test_fast_open(told):
    first, second = told.last("fast-open", 0), told.last("fast-open", 1)
    assert (first["offered"]["client"]["fast_open"], second["offered"]["client"]["fast_open"]) == ("request", "cookie")
    assert first["accepted"]["fast_open_cookie"] is True
    assert second["offered"]["client"]["data_bytes"] == 5 and second["accepted"]["syn_data"] is True
    assert "syn_data" not in first["accepted"]
    assert "syn-data" in [event["event"] for event in told.of("fast-open", 1)]


def test_windows(told):
    names = [event["event"] for event in told.of("window")]
    assert names.index("zero-window") < names.index("window-open")
    assert told.last("window")["to_client"]["zero_windows"] >= 1
    zero = next(event for event in told.of("window") if event["event"] == "zero-window")
    assert zero["detail"].startswith("the server takes no more")


def test_round_trips(told):
    for direction in ("to_server", "to_client"):
        rtt = told.last("closed4")[direction]["rtt"]
        assert 0 < rtt["min_us"] <= rtt["smoothed_us"] + 8  # each of eight steps rounds down
        assert sum(rtt["histogram"]) == rtt["samples"]


def test_measured_by(told):
    established = next(event for event in told.of("closed4") if event["event"] == "established")
    assert established["handshake"]["measured_by"] == "tc-egress/CLOCK_MONOTONIC"
    assert told.objects[0]["clock"] == "CLOCK_MONOTONIC"


def test_identity(told):
    """VLAN stack and tunnels of frames made by hand, and the RST that does not count."""
    by_port = {port: [event for event in told.events if port_of(event["client"]) == port] for port in range(50000, 50004)}
    assert [event["event"] for event in by_port[50000]] == ["syn", "rst-ignored", "rst-ignored", "half-open"]
    assert {tuple(event["vlan"]) for event in by_port[50000]} == {(10, 20)}
    assert by_port[50000][1]["detail"] == "acknowledges 1000, needs 1001"
    assert by_port[50001][0]["tunnel"] == {"kind": "vxlan", "source": "198.51.100.1", "destination": "198.51.100.2",
                                           "id": 42}
    assert by_port[50003][0]["tunnel"]["kind"] == "gre" and "id" not in by_port[50003][0]["tunnel"]
    assert by_port[50002][0]["event"] == "syn" and "tunnel" not in by_port[50002][0]


def tshark_completeness(capture):
    """Of each stream: {(client's port, server's port): {(number, words)}}."""
    numbers = run("tshark", "-2", "-n", "-r", str(capture), "-Y", "tcp.flags.syn == 1 && tcp.flags.ack == 0 && !icmp "
                  "&& !icmpv6", "-T", "fields", "-E", "occurrence=l", "-e", "tcp.srcport", "-e", "tcp.dstport", "-e",
                  "tcp.completeness").stdout
    words = run("tshark", "-2", "-n", "-r", str(capture), "-O", "tcp", "-Y", "tcp").stdout
    texts = {int(value): text for text, value in re.findall(r"completeness: (.+?) \((\d+)\)\]", words)}
    found = {}
    for line in numbers.splitlines():
        client, server, value = (int(part) for part in line.split("\t"))
        found.setdefault((client, server), set()).add((value, texts[value]))
    return found


def test_completeness_as_tshark(told):
    """Of each connection whose ports were used once, except where a RST was ignored: tshark counts that as well."""
    expected = tshark_completeness(told.capture)
    compared = set()
    for last in {event["id"]: event for event in told.events if "id" in event}.values():
        ports = port_of(last["client"]), port_of(last["server"])
        if ports[0] in (41000, 50000):
            continue
        (value, text), = expected[ports]
        ours = last["completeness"]
        assert (ours["value"], ours["text"]) == (value, text), (last["client"], last["server"], last["event"])
        compared.add(ours["text"])
    assert compared >= {"Incomplete, SYN_SENT", "Incomplete", "Incomplete, DATA", "Complete, WITH_DATA"}


def story(events):
    """What neither hooks nor the moment of the end change, in order, by connection. A frame that is cut into several
    only behind the hook counts as those live; a capture does not tell into how many."""
    told = {}
    for event in events:
        detail = "" if event["event"] in ("still-open", "half-open") else re.sub(r"\d+ packets", "", event["detail"])
        told.setdefault((event["client"], event["server"]), []).append(
            (event["event"], event.get("id"), event.get("outcome"), event["direction_known"], detail))
    return told


def test_read_tells_the_same(told, schema):
    """The capture of the trace, read again: the same connections by the same ids, the same outcomes, the same words."""
    done = run(XDPLIFE, "trace", "--json", "--read", str(told.capture))
    objects = [json.loads(line) for line in done.stdout.splitlines()]
    by_type = {name: validator(schema, name) for name in ("trace", "connection", "ledger")}
    for one in objects:
        by_type[one["type"]].validate(one)
    assert objects[0]["capture"] == str(told.capture)
    assert {one["hook"] for one in objects if one["type"] == "connection"} == {"file", "none"}
    assert story(one for one in objects if one["type"] == "connection") == story(told.events)
