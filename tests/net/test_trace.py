# SPDX-License-Identifier: GPL-2.0-only
"""`trace` on live traffic: both directions at a host, one count for what passes two hooks of a router, handshake times.

    client c0 ----- s0 server                    Lan: trace at either end
    client c0 ----- r0 router r1 ----- s0 server Routed: the kernel routes, trace looks on
"""
import datetime
import json
import re
import signal
import socket
import time

import pytest

from hosts import XDPLIFE, Lan, Routed, Wire, abort, connect, listening, receive, run, talk, wait_until

REQUEST, RESPONSE = b"q" * 700, b"r" * 100_000
SYN, RST, ACK, FIN = 0x02, 0x04, 0x10, 0x01
LIFE = ["syn", "syn-ack", "established", "fin", "fin", "closed"]


@pytest.fixture(scope="module")
def lan():
    with Lan() as net:
        yield net


@pytest.fixture(scope="module")
def routed():
    with Routed() as net:
        net.let_the_kernel_route()
        yield net


def payload(segments, port):
    return sum(length for sent, source, _, length in segments if sent and source == port)


def packets(segments, port):
    return sum(1 for sent, source, _, _ in segments if sent and source == port)


def assert_closes(ledger):
    frames, events = ledger["frames"], ledger["events"]
    assert ledger["closes"] is True
    assert (frames["residue"], frames["redirect_residue"], events["residue"]) == (0, 0, 0)
    assert frames["seen"] == frames["forwarded"] + frames["steered"] + frames["passed"] + frames["dropped"]
    assert frames["passed"] == sum(frames["passed_by_reason"].values())
    assert events["emitted"] == events["delivered"]


def exchange(net, version, trace):
    """One connection under a trace with --json, and the two wires of its ends as the witnesses."""
    where = net.server_address[version]
    with Wire(net.client, "c0") as client_wire, Wire(net.server, "s0") as server_wire:
        with trace:
            local_port, port = talk(net.client, net.server, where, REQUEST, RESPONSE)
            trace.wait_for('"event":"closed"')
        return local_port, port, client_wire.segments(), server_wire.segments()


def expect_life(trace, where, local_port, port, client_wire, server_wire):
    """Each thing that happened is told once, and what was counted is what passed the wires."""
    assert [event["event"] for event in trace.events()] == LIFE
    closed, = trace.events("closed")
    server = f"[{where}]:{port}" if ":" in where else f"{where}:{port}"
    assert closed["server"] == server
    assert closed["client"].endswith(f":{local_port}")
    assert closed["direction_known"] is True
    assert closed["closed_by"] == "server"
    assert closed["to_server"]["bytes"] == payload(client_wire, local_port) == len(REQUEST)
    assert closed["to_client"]["bytes"] == payload(server_wire, port) == len(RESPONSE)
    assert closed["to_server"]["packets"] == packets(client_wire, local_port)
    assert closed["to_client"]["packets"] == packets(server_wire, port)
    assert closed["to_server"]["retransmits"] == closed["to_client"]["retransmits"] == 0
    assert_closes(trace.ledger)


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("end", ["client", "server"])
def test_host(lan, end, version):
    """XDP sees what comes in, tc egress what goes out: at either end both directions are there."""
    host, interface = (lan.client, "c0") if end == "client" else (lan.server, "s0")
    trace = host.xdplife("trace", interface, "--json")
    result = exchange(lan, version, trace)
    expect_life(trace, lan.server_address[version], *result)
    assert {event["hook"] for event in trace.events()} == {"xdp", "tc-egress"}
    sent_by = {event["event"]: (event["from"], event["hook"]) for event in trace.events()}
    out, into = ("tc-egress", "xdp") if end == "client" else ("xdp", "tc-egress")
    assert sent_by["syn"] == ("client", out)
    assert sent_by["syn-ack"] == ("server", into)


@pytest.mark.parametrize("version", [4, 6])
def test_router_counts_once(routed, version):
    """Each packet passes XDP on one interface and tc egress on the other."""
    trace = routed.router.xdplife("trace", "r0", "r1", "--json")
    result = exchange(routed, version, trace)
    expect_life(trace, routed.server_address[version], *result)
    assert trace.ledger["frames"]["egress_seen"] > 0
    assert {event["hook"] for event in trace.events()} == {"xdp"}


def test_router_on_one_interface(routed):
    """One interface of a router is enough to see both directions."""
    trace = routed.router.xdplife("trace", "r1", "--json")
    result = exchange(routed, 4, trace)
    expect_life(trace, routed.server_address[4], *result)


def test_loopback_counts_once(lan):
    trace = lan.server.xdplife("trace", "lo", "--json")
    with trace:
        talk(lan.server, lan.server, "127.0.0.1", REQUEST, RESPONSE)
        trace.wait_for('"event":"closed"')
    assert [event["event"] for event in trace.events()] == LIFE
    assert trace.events("closed")[0]["to_client"]["bytes"] == len(RESPONSE)
    assert "generic mode" in trace.stderr


def test_text(lan):
    where = lan.server_address[4]
    with lan.client.xdplife("trace", "c0") as trace:
        local_port, port = talk(lan.client, lan.server, where, REQUEST, RESPONSE)
        trace.wait_for("  closed")
    lines = [line for line in trace.lines["stdout"] if re.match(r" +\d+\.\d{6} ", line)]
    ends = rf"10\.7\.0\.1:{local_port} (→|←) {re.escape(where)}:{port} +ttl 64 +"
    words = [re.search(ends + r"(\S+)", line) for line in lines]
    assert all(words), trace.stdout
    assert [word[2] for word in words] == ["SYN", "SYN-ACK", "established", "FIN", "FIN", "closed"]
    assert [word[1] for word in words] == ["→", "←", "→", "←", "→", "←"]
    duration = r"\d+(\.\d+)? (µs|ms|s)"
    assert re.search(rf"handshake {duration}: server {duration} \(SYN to SYN-ACK\), "
                     rf"client {duration} \(SYN-ACK to ACK\)  client \S+\[\d+\]$", lines[2])
    assert re.search(rf"by the server after {duration}; → \d+ packets 700 bytes, ← \d+ packets 100000 bytes$", lines[5])
    assert re.search(r"^  residue +0  seen - ", trace.stdout, re.M)
    assert re.search(r"^  residue +0  events - ", trace.stdout, re.M)
    assert "\x1b" not in trace.stdout


def test_explained(lan):
    """-v: indented lines under each event; --time absolute: RFC 3339 of here and now; --names: services at once, hosts
    when the resolver has answered, and until then nothing waits."""
    with listening(lan.server, lan.server_address[4], 443) as listener:
        with lan.client.xdplife("trace", "c0", "-v", "--time", "absolute", "--names") as trace:
            before = time.time()
            connect(lan.client, *listener.getsockname()).close()
            listener.accept()[0].close()
            trace.wait_for("  wireshark ")
    lines = trace.lines["stdout"][:trace.lines["stdout"].index("ledger") - 1]
    heading, *rest = lines
    assert heading.split() == ["time", "iface", "client", "→", "server", "TTL", "event"]
    events = [line for line in rest if not line.startswith(" ")]
    stamps = [datetime.datetime.fromisoformat(line.split()[0]) for line in events]
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d\d:\d\d c0 ", line) for line in events)
    assert stamps == sorted(stamps) and abs(stamps[0].timestamp() - before) < 30
    assert all(":https " in line for line in events)
    explained = [line.split()[0] for line in rest if line.startswith(" ")]
    assert explained.count("means") == len(events) == 6
    assert set(explained) >= {"means", "measured", "evidence", "offered", "agreed", "trouble", "rtt", "outcome", "zeek",
                              "wireshark"}
    assert "        zeek       conn_state SF: normal establishment and termination" in rest
    assert any(line.endswith("completeness 23, .F.ASS: Complete, NO_DATA") for line in rest)
    assert any(line.startswith("        measured   tc-egress/CLOCK_MONOTONIC") for line in rest)


def test_delta(lan):
    """Each line counts from the one before: all together they are the time from the first to the last."""
    with lan.client.xdplife("trace", "c0", "--time", "delta", "--packets") as trace:
        talk(lan.client, lan.server, lan.server_address[4], REQUEST, b"r")
        trace.wait_for("  closed")
    deltas = [float(line.split()[0]) for line in trace.lines["stdout"] if re.match(r" +-?\d+\.\d{6} c0 ", line)]
    assert deltas[0] == 0 and len(deltas) > 12
    assert all(delta >= 0 for delta in deltas) and 0 < sum(deltas) < 30


@pytest.mark.parametrize("wrong", [("--time", "yesterday"), ("--time", "")])
def test_unknown_time_style(lan, wrong):
    status, stderr = lan.client.xdplife_fails("trace", "c0", *wrong)
    assert status == 2 and "relative, absolute or delta" in stderr


def test_json_is_all_there_is_on_stdout(lan):
    with lan.client.xdplife("trace", "c0", "--json", "--packets") as trace:
        talk(lan.client, lan.server, lan.server_address[4], b"\x1b[31m\x00\xff", b"\n\"\\")
        trace.wait_for('"event":"closed"')
    objects = [json.loads(line) for line in trace.lines["stdout"]]
    assert all(isinstance(one, dict) for one in objects)
    assert {one["type"] for one in objects} == {"trace", "packet", "connection", "ledger"}
    assert objects[0]["type"] == "trace"
    assert objects[-1]["type"] == "ledger"


def test_packets(lan):
    with Wire(lan.client, "c0") as wire:
        with lan.client.xdplife("trace", "c0", "--packets") as trace:
            local_port, port = talk(lan.client, lan.server, lan.server_address[4], b"hello", b"\x1b]0;owned\x07")
            trace.wait_for("  closed")
        passed = [segment for segment in wire.segments() if segment[1] in (local_port, port)]
    shown = [line for line in trace.lines["stdout"] if re.search(r" c0 +(in |out) ", line) and "TCP" in line]
    assert len(shown) == len(passed)
    assert any("out" in line and "SYN" in line for line in shown)
    assert all(line.endswith("[pass]") for line in shown if re.search(r" c0 +in ", line))
    # what packets say never reaches a terminal raw
    assert "\x1b" not in trace.stdout and "\x07" not in trace.stdout


def fields(capture, *names, show=""):
    """Lines of tshark's fields; a capture that it complains about fails."""
    done = run("tshark", "-n", "-r", str(capture), "-o", "tcp.check_checksum:TRUE", "-T", "fields",
               *[part for name in names for part in ("-e", name)], *(["-Y", show] if show else []))
    complaints = [line for line in done.stderr.splitlines() if not line.startswith("Running as user")]
    assert not complaints
    return [dict(zip(names, line.split("\t"))) for line in done.stdout.splitlines()]


def ns(seconds):
    whole, part = seconds.split(".")
    return int(whole) * 10**9 + int(part.ljust(9, "0")[:9])


def test_capture_agrees(lan, tmp_path):
    """One clock: what is printed of the handshake are the differences of the capture's times, to the nanosecond."""
    capture = tmp_path / "all.pcapng"
    with lan.client.xdplife("trace", "c0", "--json", "--write", str(capture)) as trace:
        talk(lan.client, lan.server, lan.server_address[4], REQUEST, RESPONSE)
        trace.wait_for('"event":"closed"')
    segments = fields(capture, "frame.time_epoch", "tcp.flags", "tcp.analysis.initial_rtt", show="tcp")
    syn, synack, ack = [ns(one["frame.time_epoch"]) for one in segments[:3]]
    assert [int(one["tcp.flags"], 16) for one in segments[:3]] == [SYN, SYN | ACK, ACK]
    established, = trace.events("established")
    handshake = established["handshake"]
    assert handshake == {"server_ns": synack - syn, "server_from_first_ns": synack - syn, "client_ns": ack - synack,
                         "client_from_first_ns": ack - synack, "total_ns": ack - syn, "ambiguous": False,
                         "measured_by": "tc-egress/CLOCK_MONOTONIC"}
    assert established["time_ns"] == ack
    # and tshark's own idea of it
    assert ns(segments[-1]["tcp.analysis.initial_rtt"]) == handshake["total_ns"]
    assert abs(time.time_ns() - syn) < 120 * 10**9


def test_capture_is_complete(lan, tmp_path):
    """capinfos and tshark read it without a complaint, and every event is a packet in it."""
    capture = tmp_path / "all.pcapng"
    with lan.client.xdplife("trace", "c0", "--json", "--write", str(capture)) as trace:
        talk(lan.client, lan.server, lan.server_address[6], REQUEST, RESPONSE)
        trace.wait_for('"event":"closed"')
    info = run("capinfos", "-M", str(capture))
    assert not info.stderr
    count = int(re.search(r"Number of packets: +(\d+)", info.stdout)[1])
    assert count == trace.ledger["events"]["emitted"] == trace.ledger["events"]["delivered"]
    assert re.search(r"Strict time order: +True", info.stdout)
    assert "Name = c0" in info.stdout
    assert "Time precision = nanoseconds (9)" in info.stdout
    frames = fields(capture, "frame.number", "frame.len", "frame.cap_len", "frame.comment", "tcp.len")
    assert len(frames) == count
    assert all(one["frame.len"] == one["frame.cap_len"] for one in frames)
    assert sum(int(one["tcp.len"] or 0) for one in frames) == len(REQUEST) + len(RESPONSE)
    comments = " ".join(one["frame.comment"] for one in frames)
    assert "established: handshake" in comments and "verdict: pass" in comments
    # at tc egress the kernel has not yet completed the checksum
    bad = ["tcp.analysis.retransmission", "tcp.analysis.lost_segment", "tcp.analysis.ack_lost_segment",
           "tcp.analysis.out_of_order", "_ws.malformed",
           "(tcp.checksum.status == Bad && frame.packet_flags_direction == 1)"]
    inbound = fields(capture, "tcp.checksum.status", show="frame.packet_flags_direction == 1 && tcp")
    assert inbound and {one["tcp.checksum.status"] for one in inbound} == {"1"}
    assert fields(capture, "frame.number", "_ws.col.Info", show=" || ".join(bad)) == []


def test_duration(lan):
    began = time.monotonic()
    trace = lan.client.xdplife("trace", "c0", "--duration", "0.3").wait_ready()
    ready = time.monotonic()
    assert trace.wait() == 0
    assert 0.2 < time.monotonic() - ready and time.monotonic() - began < 15
    assert "ledger" in trace.stdout


def test_count(lan):
    """It ends by itself; what came in meanwhile is accounted for although it is not shown."""
    trace = lan.client.xdplife("trace", "c0", "--json", "--count", "2").wait_ready()
    talk(lan.client, lan.server, lan.server_address[4], REQUEST, RESPONSE)
    assert trace.wait() == 0
    assert [event["event"] for event in trace.events()] == ["syn", "syn-ack"]
    assert_closes(trace.ledger)


def test_count_of_packets(lan):
    trace = lan.client.xdplife("trace", "c0", "--json", "--packets", "--count", "5").wait_ready()
    talk(lan.client, lan.server, lan.server_address[4], REQUEST, RESPONSE)
    assert trace.wait() == 0
    assert len(trace.json("packet")) == 5


def test_interrupt(lan):
    trace = lan.client.xdplife("trace", "c0").wait_ready()
    assert trace.stop(signal.SIGINT) == 0
    assert re.search(r"^ledger$", trace.stdout, re.M)
    assert trace.stderr.count("\n") == 0  # the one line that says what is traced


@pytest.mark.parametrize("version", [4, 6])
def test_refused(lan, version):
    where = lan.server_address[version]
    with lan.client.xdplife("trace", "c0", "--json") as trace:
        with pytest.raises(ConnectionRefusedError):
            connect(lan.client, where, 9)
        trace.wait_for('"event":"refused"')
    assert [event["event"] for event in trace.events()] == ["syn", "refused"]
    assert trace.events("refused")[0]["from"] == "server"


def unanswered(lan, where):
    """A host of that address, but nobody has that MAC."""
    lan.client.run("ip", "neigh", "replace", where, "lladdr", "02:de:ad:00:00:01", "dev", "c0")


def start_connecting(lan, where, port):
    with lan.client.inside():
        client = socket.socket()
    client.setblocking(False)
    client.connect_ex((where, port))
    return client


def test_unanswered_syn(lan):
    unanswered(lan, "10.7.0.99")
    with lan.client.xdplife("trace", "c0", "--json") as trace, start_connecting(lan, "10.7.0.99", 80):
        trace.wait_for('"event":"syn-retransmit"')
    syn, again = trace.events()[:2]
    assert (syn["event"], again["event"]) == ("syn", "syn-retransmit")
    assert again["handshake"]["ambiguous"] is True
    assert again["to_server"]["retransmits"] == 1
    # Linux waits a second for the first answer (RFC 6298 §2.1)
    assert 0.9e9 < again["time_ns"] - syn["time_ns"] < 3e9


def test_syn_answered_at_the_second_time(lan):
    """The first SYN is lost: both possible times are told, and that nobody can know which (Karn)."""
    where = "10.7.0.98"
    unanswered(lan, where)
    lan.server.run("ip", "address", "add", f"{where}/32", "dev", "s0")
    mac = lan.server.link("s0")["address"]
    with listening(lan.server, where) as listener, lan.client.xdplife("trace", "c0", "--json") as trace:
        with start_connecting(lan, where, listener.getsockname()[1]):
            trace.wait_for('"event":"syn"')
            lan.client.run("ip", "neigh", "replace", where, "lladdr", mac, "dev", "c0")
            trace.wait_for('"event":"established"')
    syn, again, synack, established = trace.events()[:4]
    assert [one["event"] for one in (syn, again, synack, established)] == ["syn", "syn-retransmit", "syn-ack",
                                                                          "established"]
    handshake = established["handshake"]
    assert handshake["ambiguous"] is True
    assert handshake["server_ns"] == synack["time_ns"] - again["time_ns"]
    assert handshake["server_from_first_ns"] == synack["time_ns"] - syn["time_ns"] > 0.9e9
    assert "ambiguous" in established["detail"]


def test_reset(lan):
    with lan.client.xdplife("trace", "c0", "--json") as trace:
        with listening(lan.server, lan.server_address[4]) as listener:
            client = connect(lan.client, *listener.getsockname())
            server, _ = listener.accept()
            with server:
                client.sendall(b"x" * 10)
                assert receive(server, 10)
                abort(client)
                with pytest.raises(ConnectionResetError):
                    receive(server)
        trace.wait_for('"event":"reset"')
    assert [event["event"] for event in trace.events()] == ["syn", "syn-ack", "established", "reset"]
    assert trace.events("reset")[0]["closed_by"] == "client"
    assert trace.events("reset")[0]["to_server"]["bytes"] == 10


def test_midstream(lan):
    """What was open before the trace began has no known direction; it is said, and followed."""
    with listening(lan.server, lan.server_address[4]) as listener:
        client = connect(lan.client, *listener.getsockname())
        server, _ = listener.accept()
        with client, server, lan.client.xdplife("trace", "c0", "--json") as trace:
            client.sendall(RESPONSE)
            assert receive(server, len(RESPONSE)) == RESPONSE
            client.close()
            server.close()
            trace.wait_for('"event":"closed"')
    assert [event["event"] for event in trace.events()] == ["midstream", "fin", "fin", "closed"]
    assert trace.events("closed")[0]["direction_known"] is False


def test_the_same_ports_again(lan):
    """The second connection on the same four numbers starts from nothing."""
    where = lan.server_address[4]
    lan.client.sysctl("net/ipv4/tcp_tw_reuse", 1)
    with lan.client.xdplife("trace", "c0", "--json") as trace:
        for _ in range(2):
            with listening(lan.server, where, 4711) as listener:
                client = connect(lan.client, where, 4711, local_port=40001)
                server, _ = listener.accept()
                client.sendall(b"x")
                assert receive(server, 1) == b"x"
                abort(client)
                server.close()
        wait_until(lambda: len(trace.events("reset")) == 2, "both connections")
    assert [event["event"] for event in trace.events()] == [
            "syn", "syn-ack", "established", "reset", "reused", "syn", "syn-ack", "established", "reset"]
    first, second = trace.events("reset")
    assert first["to_server"]["bytes"] == second["to_server"]["bytes"] == 1
    assert first["to_server"]["isn"] != second["to_server"]["isn"]


# --- files ------------------------------------------------------------------------------------------------------------

def capinfos(path, *options):
    done = run("capinfos", "-T", "-r", *options, str(path))
    return done.stdout.split("\t")[1].strip()


def test_rotation(lan, tmp_path):
    """Each file is whole by itself; together they have every packet once, in order."""
    with lan.client.xdplife("trace", "c0", "tcp", "--write", str(tmp_path / "all.pcapng"), "--rotate-size", "4k",
                            "--json") as trace:
        for _ in range(20):
            talk(lan.client, lan.server, lan.server_address[4], b"q" * 500, b"r" * 500)
    files = sorted(tmp_path.glob("all_*.pcapng"))
    counts = [int(capinfos(path, "-c")) for path in files]
    assert len(files) > 5 and sum(counts) == trace.ledger["events"]["emitted"]
    assert all(path.stat().st_size < 8192 for path in files)
    numbers = [number for path in files
               for number in run("tshark", "-r", str(path), "-T", "fields", "-e", "frame.time_epoch").stdout.split()]
    assert numbers == sorted(numbers) and len(set(numbers)) == len(numbers)
    assert "tcp" in run("capinfos", str(files[0])).stdout  # the filter


def test_rotation_keeps_the_last(lan, tmp_path):
    with lan.client.xdplife("trace", "c0", "tcp", "--write", str(tmp_path / "all.pcapng"), "--rotate-size", "4k",
                            "--rotate-files", "3"):
        for _ in range(20):
            talk(lan.client, lan.server, lan.server_address[4], b"q" * 500, b"r" * 500)
    files = sorted(tmp_path.glob("all_*.pcapng"))
    assert len(files) == 3 and int(files[-1].name.split("_")[1]) > 5


@pytest.mark.parametrize("words, message", [
    (["--rotate-size", "4k"], "there is nothing to rotate without --write FILE.pcapng"),
    (["--rotate-files", "3", "--write", "x.pcapng"], "--rotate-files: say when, by --rotate-size or --rotate-time"),
    (["--rotate-size", "4q", "--write", "x.pcapng"], "--rotate-size 4q: not a number of bytes"),
    (["--top", "--json"], "--top has the terminal for itself: not with --json or --packets"),
])
def test_options_that_do_not_go_together(lan, words, message):
    status, stderr = lan.client.xdplife_fails("trace", "c0", *words)
    assert status == 2 and message in stderr


def test_strict(lan):
    """A reader that is too slow loses events, which --strict makes a failure; here there are none."""
    with lan.client.xdplife("trace", "c0", "--strict", "--json") as trace:
        talk(lan.client, lan.server, lan.server_address[4], b"q", b"r")
    assert trace.status == 0 and trace.ledger["events"]["ring-full"] == 0


def test_strict_when_events_are_lost(lan):
    """It is stopped for a while, as on a machine that has too much to do."""
    trace = lan.server.xdplife("trace", "s0", "--strict", "--json").wait_ready()
    pid = int(run("pgrep", "-f", "xdplife trace s0 --strict").stdout.split()[0])
    run("kill", "-STOP", str(pid))
    lan.client.run(XDPLIFE, "generate", "c0", "--to", "10.7.0.2:80", "--kind", "syn", "--flows", "30000", "--count",
                   "30000")
    run("kill", "-CONT", str(pid))
    assert trace.stop() == 1
    lost = trace.ledger["events"]["flood"] + trace.ledger["events"]["ring-full"]
    assert lost > 0 and trace.ledger["closes"]
    assert f"{lost} events were lost (--strict)" in trace.stderr
