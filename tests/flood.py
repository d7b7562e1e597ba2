#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""A flood of spoofed SYNs at the highest rate, and what the observer misses of the rest: tests/flood.py [--seconds N]

    client c0 ----- s0 server: trace s0 --json

Before it, connections are opened that stay; during it, others come and go; after it, the first ones are used and
closed. Prints what was seen of both, whether the ledger closes, and what it took. Exit status 0 only if nothing is
missing. Takes build/xdplife, or $XDPLIFE.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent / "net"))
import hosts  # noqa: E402

PORT_STAYING, PORT_PASSING = 4001, 4002
SOURCES = "198.18.0.0/15"  # RFC 2544: nobody's
FLOWS = str(1 << 24)


class Echo:
    """A server in the namespace that sends back what comes."""

    def __init__(self, host, where, port):
        self.listening = hosts.listening(host, where, port)
        self.listener = self.listening.__enter__()
        self.listener.listen(1024)
        self.listener.settimeout(None)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            peer, _ = self.listener.accept()
            threading.Thread(target=self.echo, args=(peer,), daemon=True).start()

    @staticmethod
    def echo(peer):
        with peer:
            while data := peer.recv(64):
                peer.sendall(data)


def talk(peer):
    peer.sendall(b"x")
    return hosts.receive(peer, 1) == b"x"


def use_of(pid):
    """Seconds of CPU, and KiB of memory."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return (int(fields[11]) + int(fields[12])) / 100, int(status.split("VmRSS:")[1].split()[0])


def program_ns(host):
    """What the XDP program on s0 has cost, with the kernel's BPF statistics on."""
    number = host.link("s0")["xdp"]["prog"]["id"]
    shown = json.loads(hosts.run(hosts.BPFTOOL, "-j", "prog", "show", "id", str(number)).stdout)
    return shown.get("run_time_ns", 0), shown.get("run_cnt", 0)


def come_and_go(lan, until):
    """Connections, one after the other, as long as until() is false. How many."""
    count = 0
    while not until():
        with hosts.connect(lan.client, lan.server_address[4], PORT_PASSING) as peer:
            assert talk(peer)
        count += 1
    return count


def flood(lan, seconds):
    return subprocess.Popen(
        lan.client.command(hosts.XDPLIFE, "generate", "c0", "--to", f"{lan.server_address[4]}:80", "--kind", "syn",
                           "--from", SOURCES, "--flows", FLOWS, "--duration", str(seconds), "--json"),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def events(trace, kind, port):
    """Of millions of lines only those are parsed that may be it."""
    return [line for line in list(trace.lines["stdout"])
            if f'"event":"{kind}"' in line and json.loads(line)["server"].endswith(f":{port}")]


def ran(lan, seconds, staying):
    server = lan.server_address[4]
    with lan.server.xdplife("trace", "s0", "--json") as trace:
        peers = [hosts.connect(lan.client, server, PORT_STAYING) for _ in range(staying)]
        assert all(talk(peer) for peer in peers)
        hosts.wait_until(lambda: len(events(trace, "established", PORT_STAYING)) == staying, "those that stay")
        start, (cpu, rss), (ns, _) = time.monotonic(), use_of(trace.process.pid), program_ns(lan.server)
        sender = flood(lan, seconds)
        passing = come_and_go(lan, lambda: sender.poll() is not None)
        sent = json.loads(sender.communicate()[0])["sent"]
        elapsed, (cpu_after, rss_after), (ns_after, _) = (
            time.monotonic() - start, use_of(trace.process.pid), program_ns(lan.server))
        assert all(talk(peer) for peer in peers)
        for peer in peers:
            peer.close()
        hosts.wait_until(lambda: len(events(trace, "closed", PORT_STAYING)) == staying, "their end", 60)
    ledger = json.loads(trace.lines["stdout"][-1])
    midstream = len(events(trace, "midstream", PORT_STAYING)) + len(events(trace, "midstream", PORT_PASSING))
    seen = len(events(trace, "established", PORT_PASSING))
    print(f"flood: {sent} SYNs in {elapsed:.0f} s ({sent / elapsed / 1e6:.2f} million a second)")
    print(f"open before it: {staying}; pushed out: {midstream}; closed afterwards, seen: "
          f"{len(events(trace, 'closed', PORT_STAYING))}")
    print(f"handshakes during it: {passing}; seen: {seen}; missed: {passing - seen}")
    print(f"half-open connections pushed out: {ledger['observed']['evicted']}; events: {ledger['events']}")
    print(f"memory: {rss} KiB before, {rss_after} KiB after; of a core: {(cpu_after - cpu) / elapsed:.0%} the reader, "
          f"{(ns_after - ns) / 1e9 / elapsed:.0%} the program in the kernel")
    print(f"the ledger closes: {ledger['closes']}")
    return ledger["closes"] and not midstream and seen == passing


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--staying", type=int, default=200)
    options = parser.parse_args()
    hosts.run("sysctl", "-qw", "kernel.bpf_stats_enabled=1")
    try:
        with hosts.Lan() as lan:
            lan.server.sysctl("net/ipv4/conf/all/rp_filter", 1)
            for port in (PORT_STAYING, PORT_PASSING):
                Echo(lan.server, lan.server_address[4], port)
            return 0 if ran(lan, options.seconds, options.staying) else 1
    finally:
        hosts.run("sysctl", "-qw", "kernel.bpf_stats_enabled=0")


if __name__ == "__main__":
    sys.exit(main())
