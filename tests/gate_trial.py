#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Can the bench's gate be trusted? tests/gate_trial.py [--runs N] [--percent PCT] build/xdplife [SCENARIO]...

With a CPU hog beside it all the time, as a shared machine has one, runs of the gate against a baseline of the same build
must give no alarm, and runs with the forward stage slowed down must all be caught. Prints both counts; exit status 0 only
if both are right.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

FAILED = 1  # of bench: worse than the baseline
ROUNDS = "10"  # twice the least: the noise beside a CPU hog is then 1 % of the device's figure


def bench(binary, *arguments):
    command = [binary, "bench", "--quick", "--rounds", ROUNDS, *arguments]
    return subprocess.run(command, text=True, capture_output=True, check=False)


def record(binary, baseline, scenarios):
    process = bench(binary, "--json", baseline, *scenarios)
    if process.returncode:
        sys.exit(f"no baseline: {process.stderr}")


def alarms(binary, baseline, runs, what, *arguments):
    """How many of the runs the gate calls worse; what else goes wrong ends the trial."""
    count = 0
    for number in range(1, runs + 1):
        process = bench(binary, "--baseline", baseline, *arguments)
        if process.returncode not in (0, FAILED):
            sys.exit(f"{what}: run {number} ended with {process.returncode}: {process.stderr}")
        count += process.returncode == FAILED
        verdict = "alarm" if process.returncode else "silent"
        print(f"{what}: run {number} of {runs}: {verdict}", flush=True)
        if process.returncode:
            print("\n".join("    " + line for line in process.stdout.splitlines() if "→" in line), flush=True)
    return count


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--percent", type=float, default=15)
    parser.add_argument("binary")
    parser.add_argument("scenarios", nargs="*", help="which to compare, forward among them (default: all)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        baseline = str(pathlib.Path(directory) / "baseline.json")
        with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as hog:
            try:
                record(options.binary, baseline, options.scenarios)
                false = alarms(options.binary, baseline, options.runs, "same build", *options.scenarios)
                caught = alarms(options.binary, baseline, options.runs, f"forward {options.percent:g} % slower",
                                "--handicap", str(options.percent), "forward")
            finally:
                hog.kill()
    print(f"compared: {' '.join(options.scenarios) or 'all scenarios'}, beside a CPU hog")
    print(f"false alarms: {false} of {options.runs}; slowdowns caught: {caught} of {options.runs}")
    return 0 if not false and caught == options.runs else 1


if __name__ == "__main__":
    sys.exit(main())
