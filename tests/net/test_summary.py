# SPDX-License-Identifier: GPL-2.0-only
"""`trace --summary`: one connection of each outcome, counted exactly, and the times of the handshakes.

    client c0 ----- r0 router r1 ----- s0 server     Routed: the kernel routes, trace looks on

Nothing crosses the ring buffer for it: the sums are the kernel side's own, plus what is still open when the trace ends.
"""
import json
import re
import socket

import jsonschema
import pytest

from hosts import XDPLIFE, Lan, Routed, abort, connect, listening, receive, run, talk, wait_until
from screen import Terminal

CLOSED_PORT = 9
NO_ROUTE = "10.7.99.1"  # the router answers that with an ICMP error
BLACKHOLE = "10.7.98.1"  # and that with nothing


@pytest.fixture(scope="module")
def routed():
    with Routed() as net:
        net.let_the_kernel_route()
        net.router.run("ip", "route", "add", "unreachable", f"{NO_ROUTE}/32")
        net.router.run("ip", "route", "add", "blackhole", f"{BLACKHOLE}/32")
        net.router.sysctl("net/ipv4/icmp_ratelimit", 0)
        yield net


@pytest.fixture(scope="module")
def lan():
    with Lan() as net:
        yield net


def schema():
    return json.loads(run(XDPLIFE, "trace", "--schema").stdout)


def summary_of(trace):
    """As the schema has it."""
    summary, = trace.json("summary")
    jsonschema.Draft202012Validator(schema()).validate(summary)
    return summary


def some(outcomes):
    """Those that happened."""
    return {key: count for key, count in outcomes.items() if count}


def pair(net, listener):
    client = connect(net.client, *listener.getsockname())
    server, _ = listener.accept()
    return client, server


def refuse(net):
    with pytest.raises(ConnectionRefusedError):
        connect(net.client, net.server_address[4], CLOSED_PORT)


def fail_to_reach(net):
    with pytest.raises(OSError):
        connect(net.client, NO_ROUTE, 80)


def close_first(net, first, second):
    """first and second are 0 for the client's end, 1 for the server's."""
    with listening(net.server, net.server_address[4]) as listener:
        ends = pair(net, listener)
        for one, other in ((first, second), (second, first)):
            ends[one].shutdown(socket.SHUT_WR)
            assert receive(ends[other]) == b""
        for end in ends:
            end.close()


def reset(net, by, after_fin=False):
    with listening(net.server, net.server_address[4]) as listener:
        ends = pair(net, listener)
        ends[0].sendall(b"x")
        assert receive(ends[1], 1) == b"x"
        if after_fin:
            ends[0].shutdown(socket.SHUT_WR)
            assert receive(ends[1]) == b""
        abort(ends[by])
        with pytest.raises(ConnectionResetError):
            receive(ends[1 - by])
        ends[1 - by].close()


def knock(net, where, port=80):
    """A SYN that nothing answers; the socket is to be closed later."""
    with net.client.inside():
        client = socket.socket()
    client.setblocking(False)
    client.connect_ex((where, port))
    return client


def test_each_outcome(routed):
    """Exactly what was done, in the number in which it was done, and nothing else."""
    net = routed
    with listening(net.server, net.server_address[4]) as listener:
        before = pair(net, listener)
        with net.router.xdplife("trace", "r0", "r1", "--summary", "--json") as trace:
            for _ in range(3):
                refuse(net)
            for _ in range(2):
                fail_to_reach(net)
            for _ in range(4):
                close_first(net, 0, 1)
            for _ in range(5):
                close_first(net, 1, 0)
            for _ in range(2):
                reset(net, by=0)
            reset(net, by=1)
            reset(net, by=1, after_fin=True)
            silent = [knock(net, BLACKHOLE) for _ in range(6)]
            still_open = [pair(net, listener) for _ in range(7)]
            before[0].sendall(b"midstream")
            assert receive(before[1], 9) == b"midstream"
        for client, server in (*still_open, before):
            client.close()
            server.close()
        for client in silent:
            client.close()
    summary = summary_of(trace)
    assert some(summary["outcomes"]) == {
        "refused": 3, "unreachable": 2, "unanswered": 6, "closed-by-client": 4, "closed-by-server": 5,
        "reset-by-client": 2, "reset-by-server": 1, "reset-closing-by-server": 1, "still-open": 7}
    assert summary["started"] == 31 == sum(summary["outcomes"].values())
    assert summary["midstream"]["seen"] == 1
    assert some(summary["midstream"]["outcomes"]) == {"still-open": 1}
    assert summary["residue"] == summary["pushed_out"] == summary["evicted"] == summary["unnamed"] == 0
    assert summary["handshakes"]["server_ns"]["samples"] == summary["events"]["established"] == 20
    failing = {one["server"]: (one["attempts"], one["failed"], some(one["failed_by"]))
               for one in summary["failing_servers"]}
    assert failing == {f"{BLACKHOLE}:80": (6, 6, {"no-answer": 6}), f"{NO_ROUTE}:80": (2, 2, {"unreachable": 2}),
                       f"{net.server_address[4]}:{CLOSED_PORT}": (3, 3, {"refused": 3})}
    network, = summary["busiest_networks"]
    assert (network["network"], network["attempts"], network["established"], network["reset"]) == (
        "10.7.1.0/24", 31, 20, 4)
    assert trace.ledger["events"]["emitted"] == 0


def test_by_another_clock_of_the_same_run(lan):
    """Percentiles of the sums are those of the times that the events of the same run tell, to a sixteenth."""
    with lan.client.xdplife("trace", "c0", "--json", "--packets", "--summary") as trace:
        for _ in range(60):
            talk(lan.client, lan.server, lan.server_address[4], b"q", b"r")
        wait_until(lambda: len(trace.events("closed")) == 60, "all of them")
    handshakes = summary_of(trace)["handshakes"]
    events = trace.events("established")
    assert [handshakes["ambiguous"]] == [0] and not any(one["handshake"]["ambiguous"] for one in events)
    for leg in ("server_ns", "client_ns"):
        exact = sorted(one["handshake"][leg] for one in events)
        assert handshakes[leg]["samples"] == len(exact) == 60
        for key, rank in (("p50", 30), ("p90", 54), ("p99", 60), ("p999", 60)):
            assert exact[rank - 1] <= handshakes[leg][key] <= exact[rank - 1] * 17 / 16
        buckets = dict(handshakes[leg]["buckets"])
        for floor_ns in buckets:
            ends = [other for other in buckets if other > floor_ns]
            assert buckets[floor_ns] == sum(floor_ns <= ns < min(ends, default=2**63) for ns in exact)


def send_syns(net, count, source):
    """Made by hand: the kernel at their source knows nothing of them."""
    net.client.run(XDPLIFE, "generate", "c0", "--to", f"{net.server_address[4]}:4712", "--from", source, "--count",
                   str(count), "--flows", str(count), "--rate", "1000", "--dst-mac", net.server.link("s0")["address"])


def test_half_open_and_aborted(lan):
    """A source that never answers, and one whose kernel answers the SYN-ACK with a reset."""
    nobody = "10.7.0.50"
    lan.server.run("ip", "neigh", "replace", nobody, "lladdr", "02:de:ad:00:00:01", "dev", "s0")
    with listening(lan.server, lan.server_address[4], 4712):
        with lan.server.xdplife("trace", "s0", "--summary", "--json", "--packets") as trace:
            send_syns(lan, 11, nobody)
            send_syns(lan, 5, "10.7.0.1")
            wait_until(lambda: len(trace.events("syn-ack")) == 16 and len(trace.events("reset")) == 5, "the answers")
    summary = summary_of(trace)
    assert some(summary["outcomes"]) == {"half-open": 11, "aborted-by-client": 5}
    assert (summary["started"], summary["residue"], summary["pushed_out"]) == (16, 0, 0)
    server, = summary["failing_servers"]
    assert (server["attempts"], server["established"], some(server["failed_by"])) == (
        16, 0, {"half-open": 11, "aborted": 5})


def text_of(lan, charset):
    with lan.client.xdplife("trace", "c0", "--summary", environment={"LC_ALL": charset}) as trace:
        for _ in range(4):
            talk(lan.client, lan.server, lan.server_address[4], b"q", b"r")
        refuse(lan)
    return trace.stdout


def test_from_its_capture(lan, tmp_path):
    """What a trace has written gives the same summary when it is read."""
    capture = tmp_path / "all.pcapng"
    with lan.client.xdplife("trace", "c0", "--summary", "--json", "--packets", "--write", str(capture)) as trace:
        talk(lan.client, lan.server, lan.server_address[4], b"q", b"r")
        refuse(lan)
    live = summary_of(trace)
    read = [json.loads(line) for line in
            run(XDPLIFE, "trace", "--read", str(capture), "--summary", "--json").stdout.splitlines()]
    again, = (one for one in read if one["type"] == "summary")
    jsonschema.Draft202012Validator(schema()).validate(again)
    for key in ("started", "outcomes", "midstream", "residue", "events", "failing_servers"):
        assert again[key] == live[key], key
    for leg in ("server_ns", "client_ns"):  # a file's maximum is exact, the kernel's histogram has no more than buckets
        assert again["handshakes"][leg]["buckets"] == live["handshakes"][leg]["buckets"]


def test_text(lan):
    text = text_of(lan, "C.UTF-8")
    for line in (r"connections in \d+(\.\d+)? (ms|s)", r"  started +5  \d+\.\d a second",
                 r"    refused +1  RST in answer to the SYN",
                 r"    closed +4  FIN and its ACK both ways; 4 the server first",
                 r"  residue +0  started \+ midstream - what became of them", r"  timed +4  ",
                 r" +p50 +p90 +p99 +p99\.9", r"  SYN to SYN-ACK( +\d+(\.\d+)? (µs|ms)){4}",
                 r"  SYN-ACK to ACK( +\d+(\.\d+)? (µs|ms)){4}", r" +\d+(\.\d+)? (µs|ms) [▉-▏█ ]+ +\d[▉-▏█ \d]*",
                 r"servers that fail most", r"  10\.7\.0\.2:9 +1 +100\.0 %  1 refused"):
        assert re.search(f"^{line}$", text, re.M), f"{line}\n{text}"
    assert "who opens most" not in text  # nothing was pushed out
    assert "\x1b" not in text


def test_text_for_a_plain_terminal(lan):
    text = text_of(lan, "C")
    chart = text[text.index("from SYN"):text.index("servers that fail")]
    assert chart.isascii() and "#" in chart


def test_progress(lan):
    """On a terminal a line says how far it is, and is gone at the end."""
    command = ["nsenter", f"--net=/run/netns/{lan.client.name}", XDPLIFE, "trace", "c0", "--summary"]
    with Terminal(command) as terminal:
        terminal.wait_for("Ctrl-C ends it")
        talk(lan.client, lan.server, lan.server_address[4], b"q", b"r")
        refuse(lan)
        terminal.wait_for(r"^\d+ s  2 connections  \d+\.\d/s  1 established  1 failed$")
        terminal.press("\x03")
        assert terminal.wait() == 0
        assert not re.search(r"/s  1 established", terminal.screen.text())
        assert re.search(r"^    refused +1 ", terminal.screen.text(), re.M)
