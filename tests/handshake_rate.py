#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""How many new connections a second (SYN, SYN-ACK, ACK of each) the observer takes before it loses the first event:
tests/handshake_rate.py [--seconds S] [--steps N]

    client c0 ----- s0 server: trace s0, with --json and with --summary

By halves, after RFC 2544, in both ways in turn; as fractions of what the generator sends without an observer. At the
rate found and at twice that, prints what the ledger says. Takes build/xdplife, or $XDPLIFE.
"""
import argparse
import json
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent / "net"))
import hosts  # noqa: E402

FLOWS = 1 << 22
WAYS = (("--json",), ("--summary", "--json"))


def generate(lan, seconds, rate=None):
    """Frames sent."""
    done = lan.client.run(hosts.XDPLIFE, "generate", "c0", "--to", f"{lan.server_address[4]}:80", "--kind", "handshake",
                          "--flows", str(FLOWS), "--from", "10.7.0.0/16", "--duration", str(seconds), "--json",
                          *(("--rate", str(rate)) if rate else ()))
    return json.loads(done.stdout)


def trial(lan, way, seconds, rate):
    """(connections that the generator has opened, ledger). The events go to a file, of which only the end is read."""
    with tempfile.NamedTemporaryFile() as lines:
        with lan.server.xdplife("-c", f'exec "$0" trace s0 {" ".join(way)} >{lines.name}', hosts.XDPLIFE,
                                command=("sh",)):
            sent = generate(lan, seconds, rate)["sent"]
        return sent // 3, json.loads(lines.read().splitlines()[-1])


def lost(ledger):
    return sum(ledger["events"].get(key, 0) for key in ("ring-full", "flood", "copy-failed"))


def search(lan, way, options, most):
    low, high = 0, most
    for _ in range(options.steps):
        middle = (low + high) // 2
        opened, ledger = trial(lan, way, options.seconds, middle)
        good = not lost(ledger) and ledger["closes"] and opened >= 0.95 * middle * options.seconds // 3
        low, high = (middle, high) if good else (low, middle)
        print(f"  {' '.join(way)}: {middle // 3} connections a second: {opened} opened, {lost(ledger)} events lost",
              file=sys.stderr)
    return low


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--steps", type=int, default=7)
    options = parser.parse_args()
    with hosts.Lan() as lan:
        lan.server.sysctl("net/ipv4/conf/all/rp_filter", 1)
        report = generate(lan, options.seconds)
        most = int(report["sent"] / options.seconds)
        print(f"without an observer the generator sends {most // 3} handshakes a second")
        for way in WAYS:
            rate = search(lan, way, options, most)
            print(f"{' '.join(way)}: {rate // 3} new connections a second before the first lost event, "
                  f"{rate / most:.2f} of the generator's")
            opened, ledger = trial(lan, way, options.seconds, min(2 * rate, most) or most)
            print(f"  beyond that: {opened} opened, events {ledger['events']}, the ledger closes: {ledger['closes']}")


if __name__ == "__main__":
    main()
