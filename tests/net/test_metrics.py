# SPDX-License-Identifier: GPL-2.0-only
"""`trace --metrics`: what is scraped is right, well formed, and bounded; also while the interface is flooded.

    client c0 ----- s0 server     Lan: trace at the client, or at the server under fire
"""
import contextlib
import http.client
import json
import pathlib
import re
import socket
import subprocess
import threading

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from hosts import ROOT, XDPLIFE, Lan, connect, listening, talk

PROMTOOL = ROOT / "build" / "tools" / "promtool"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
CLOSED_PORT = 9
# 300,000 different connections to an address that nobody has, so that nobody answers
SPOOFED = ("--to", "10.7.0.77:80", "--from", "10.9.0.0/16", "--flows", "300000", "--count", "300000", "--rate", "200000")


@pytest.fixture(scope="module")
def lan():
    with Lan() as net:
        yield net


@pytest.fixture(scope="module")
def idle(lan):
    """A trace with metrics, for what does not depend on what it traces."""
    with lan.client.xdplife("trace", "c0", "--metrics", "127.0.0.1:0") as trace:
        talk(lan.client, lan.server, lan.server_address[4], b"q", b"r")
        yield trace


def port_of(trace):
    return int(re.search(r"metrics at http://.*:(\d+)/metrics", trace.stderr)[1])


def request(host, trace, method="GET", path="/metrics", where="127.0.0.1", **headers):
    """Returns status, content type, text."""
    with host.inside():
        client = http.client.HTTPConnection(where, port_of(trace), timeout=10)
        client.connect()
    with contextlib.closing(client):
        client.request(method, path, headers=headers)
        answer = client.getresponse()
        return answer.status, answer.headers["Content-Type"], answer.read().decode()


def scrape(host, trace, **options):
    """Every sample, by its name and labels, as OpenMetrics' own strict parser reads it."""
    status, kind, text = request(host, trace, **options)
    assert (status, kind) == (200, OPENMETRICS)
    assert text.endswith("# EOF\n")
    return {(sample.name, *sorted(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text) for sample in family.samples}


def value(samples, name, **labels):
    return samples[(f"xdplife_{name}", *sorted(labels.items()))]


def test_what_happened(lan):
    """Known connections give known numbers; the same as the summary of the same run."""
    where = lan.server_address[4]
    trace = lan.client.xdplife("trace", "c0", "--summary", "--json", "--metrics", "127.0.0.1:0")
    with listening(lan.server, where) as listener, trace:
        for _ in range(3):
            with pytest.raises(ConnectionRefusedError):
                connect(lan.client, where, CLOSED_PORT)
        for _ in range(5):
            talk(lan.client, lan.server, where, b"q", b"r" * 3000)
        client = connect(lan.client, *listener.getsockname())
        server, _ = listener.accept()
        samples = scrape(lan.client, trace)
        for end in (client, server):
            end.close()
    ended = {dict(key[1:])["outcome"]: count for key, count in samples.items()
             if key[0] == "xdplife_connections_ended_total" and count}
    assert ended == {"refused": 3, "closed-by-server": 5}
    assert value(samples, "connections_started_total", origin="handshake") == 9
    assert value(samples, "table_entries") == 9
    assert value(samples, "table_max_entries") == 2 * 65536
    assert value(samples, "tcp_events_total", event="established") == 6
    assert value(samples, "retransmissions_total", segment="syn") == 0
    summary, = trace.json("summary")
    legs = summary["handshakes"]
    for leg in ("server", "client"):
        assert value(samples, "handshake_seconds_count", leg=leg) == legs[f"{leg}_ns"]["samples"] == 6
        buckets = [(dict(key[1:])["le"], count) for key, count in samples.items()
                   if key[0] == "xdplife_handshake_seconds_bucket" and dict(key[1:])["leg"] == leg]
        for le, count in buckets:
            assert count == sum(n for floor_ns, n in legs[f"{leg}_ns"]["buckets"] if floor_ns / 1e9 <= float(le))
        sum_ns = value(samples, "handshake_seconds_sum", leg=leg) * 1e9
        floors = sum(floor_ns * n for floor_ns, n in legs[f"{leg}_ns"]["buckets"])
        assert floors <= sum_ns <= floors * 17 / 16


def test_the_ledger_is_in_it(lan):
    """Σ verdicts = frames seen, Σ observed = frames at both hooks, and the ledger at the end says the same."""
    with lan.client.xdplife("trace", "c0", "--json", "--metrics", "127.0.0.1:0") as trace:
        talk(lan.client, lan.server, lan.server_address[6], b"q" * 700, b"r" * 100_000)
        trace.wait_for('"event":"closed"')
        samples = scrape(lan.client, trace)
    seen = value(samples, "frames_seen_total", interface="c0", hook="xdp")
    egress = value(samples, "frames_seen_total", interface="c0", hook="tc-egress")
    total = {name: sum(count for key, count in samples.items() if key[0] == f"xdplife_{name}_total")
             for name in ("frames", "frames_observed")}
    assert total == {"frames": seen, "frames_observed": seen + egress}
    assert trace.ledger["frames"]["seen"] >= seen > 0
    assert value(samples, "trace_events_total", interface="c0", outcome="emitted") == 6


def test_kernel_statistics(lan, idle):
    """Run times only if the kernel measures them."""
    setting = pathlib.Path("/proc/sys/kernel/bpf_stats_enabled")
    before = setting.read_text()
    try:
        setting.write_text("0")
        assert "program_run" not in request(lan.client, idle)[2]
        setting.write_text("1")
        talk(lan.client, lan.server, lan.server_address[4], b"q", b"r")
        samples = scrape(lan.client, idle)
    finally:
        setting.write_text(before)
    for hook in ("xdp", "tc-egress"):
        runs = value(samples, "program_runs_total", interface="c0", hook=hook)
        assert runs >= 3
        assert 10e-9 < value(samples, "program_run_seconds_total", interface="c0", hook=hook) / runs < 1e-3


def test_promtool_has_nothing_to_say(lan, idle):
    if not PROMTOOL.exists():
        pytest.skip("no promtool: make deps unpacks it where apt is")
    status, kind, text = request(lan.client, idle, Accept="text/plain")
    assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
    done = subprocess.run([PROMTOOL, "check", "metrics"], input=text, text=True, capture_output=True, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_prometheus_own_wish(lan, idle):
    """What Prometheus 2.42 asks for."""
    accept = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75," \
             "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
    assert request(lan.client, idle, Accept=accept)[1] == OPENMETRICS


def test_only_that_page(lan, idle):
    assert request(lan.client, idle, path="/")[0] == 404
    assert request(lan.client, idle, path="/metrics/../etc/passwd")[0] == 404
    assert request(lan.client, idle, method="POST")[0] == 405
    assert request(lan.client, idle, method="DELETE")[0] == 405
    assert request(lan.client, idle, method="HEAD")[0::2] == (200, "")
    assert request(lan.client, idle, path="/metrics?x=1")[0] == 200


def test_address(lan):
    """Bound to that address and no other; IPv6 too."""
    with lan.server.xdplife("trace", "s0", "--metrics", "[::1]:0") as trace:
        assert "http://[::1]:" in trace.stderr
        assert request(lan.server, trace, where="::1")[0] == 200
        with pytest.raises(ConnectionRefusedError):
            request(lan.server, trace, where="127.0.0.1")
        with pytest.raises(ConnectionRefusedError):
            request(lan.server, trace, where="fd07::1")


def test_port_in_use(lan):
    with lan.server.inside():
        taken = socket.create_server(("127.0.0.1", 0))
    with taken:
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        status, said = lan.server.xdplife_fails("trace", "s0", "--metrics", where)
    assert (status, said) == (1, f"xdplife: --metrics {where}: the port is in use; try: another port, or 0 for any that "
                                 "is free; ss -ltnp shows whose it is\n")


def test_no_address(lan):
    status, said = lan.server.xdplife_fails("trace", "s0", "--metrics", "localhost:80")
    assert (status, said) == (2, "xdplife: --metrics localhost:80: not an address and a port; try: 127.0.0.1:9400 or "
                                 "[::1]:9400\n")


def test_under_load(lan):
    """A flood of SYNs with spoofed sources, scraped all the while: each scrape is whole, counters never go back, and at
    the end each connection is accounted for."""
    texts, stop = [], threading.Event()
    server_mac = lan.server.link("s0")["address"]

    def keep_scraping(trace):
        while not stop.is_set():
            texts.append(request(lan.server, trace))

    with lan.server.xdplife("trace", "s0", "--summary", "--json", "--metrics", "127.0.0.1:0") as trace:
        scraper = threading.Thread(target=keep_scraping, args=(trace,))
        scraper.start()
        try:
            flood = lan.client.run(XDPLIFE, "generate", "c0", *SPOOFED, "--dst-mac", server_mac, "--json")
        finally:
            stop.set()
            scraper.join()
        end = scrape(lan.server, trace)
    assert {status for status, _, _ in texts} == {200} and len(texts) > 20
    last, sizes = {}, set()
    for _, _, text in texts[::max(1, len(texts) // 20)]:
        samples = {(sample.name, *sorted(sample.labels.items())): sample.value
                   for family in text_string_to_metric_families(text) for sample in family.samples
                   if family.type != "gauge"}
        sizes.add(len(samples))
        assert all(count >= last.get(key, 0) for key, count in samples.items())
        last = samples
    assert len(sizes) == 1  # not one series for each of all those peers
    sent = json.loads(flood.stdout)["sent"]
    summary, = trace.json("summary")
    # the cable may refuse some of them; what has arrived is all there
    assert value(end, "connections_started_total", origin="handshake") == summary["started"] == summary["events"]["syn"]
    assert 100_000 < summary["started"] <= sent
    assert summary["pushed_out"] > 0 and summary["residue"] == 0
    assert value(end, "table_entries") == summary["started"] - summary["pushed_out"] >= 65536
    assert summary["busiest_networks"] and trace.ledger["closes"]

