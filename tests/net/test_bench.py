# SPDX-License-Identifier: GPL-2.0-only
"""bench: what it counts is right, what it compares is compared, and nothing is left of its lab, however it ends.

How fast anything is, is not tested here: that is what bench is for.

    client c0 ----- r0 router r1 ----- s0 server        in namespaces without names, each kept by a child process
"""
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest

from hosts import BPFTOOL, XDPLIFE, run, wait_until

QUICK = ("--quick", "--rounds", "5")
NOBODY = "65534"


def bench(*arguments, **options):
    return subprocess.run([XDPLIFE, "bench", *map(str, arguments)], text=True, capture_output=True, timeout=120,
                          check=False, **options)


def children(pid):
    return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def keepers(pid):
    """The processes that keep the lab's namespaces."""
    home = os.readlink("/proc/self/ns/net")
    with contextlib.suppress(OSError):
        return [child for child in children(pid) if os.readlink(f"/proc/{child}/ns/net") != home]
    return []


def lives(pid):
    """A zombie does not: whoever runs the tests may take its time to bury it."""
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def programs_of(pid):
    """The numbers of the BPF programs that a process holds."""
    numbers = set()
    for info in pathlib.Path(f"/proc/{pid}/fdinfo").iterdir():
        with contextlib.suppress(OSError):
            numbers |= {int(line.split()[1]) for line in info.read_text().splitlines() if line.startswith("prog_id")}
    return numbers


def loaded(numbers):
    return numbers & {program["id"] for program in json.loads(run(BPFTOOL, "-j", "prog", "show").stdout)}


@contextlib.contextmanager
def running(*arguments):
    """bench in the middle of its work, with the labs of a scenario and of its floor, and the programs that it holds."""
    process = subprocess.Popen([XDPLIFE, "bench", *arguments], text=True, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    try:
        wait_until(lambda: len(keepers(process.pid)) == 6, "the labs of a scenario and of its floor")
        yield process, wait_until(lambda: len(programs_of(process.pid)) > 3 and programs_of(process.pid),
                                  "generator, sink and device")
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    """One run of two scenarios, kept and drawn."""
    directory = tmp_path_factory.mktemp("bench")
    kept, picture = directory / "runs", directory / "chart.svg"
    process = bench(*QUICK, "redirect", "forward", "--json", directory / "run.json", "--runs", kept,
                    "--svg", picture)
    assert process.returncode == 0, process.stderr
    return process, json.loads((directory / "run.json").read_text()), directory


def test_everything_that_was_sent_is_accounted_for(result):
    _, run_json, _ = result
    assert [scenario["name"] for scenario in run_json["results"]] == ["redirect", "forward"]
    for scenario in run_json["results"]:
        ledger = scenario["ledger"]
        dropped = sum(drop["packets"] for drop in ledger["drops"])  # a busy machine's rings run over, which is said
        assert ledger["sent"] == ledger["received"] + dropped > 1_000_000
        assert ledger["residue"] == ledger["duplicates"] == ledger["reordered"] == 0
        assert dropped < ledger["sent"] / 100


def test_each_program_is_described(result):
    _, run_json, _ = result
    forward = run_json["results"][1]
    assert [program["name"] for program in forward["programs"]] == ["xl_generate", "xdplife_xdp", "xl_sink"]
    for program in forward["programs"]:
        assert program["verified_insns"] >= program["insns"] > 0
        assert program["jited_bytes"] > program["insns"]
    device = {helper["name"]: helper["calls"] for helper in forward["programs"][1]["helpers"]}
    asked = device.pop("bpf_fib_lookup", 0)  # the answers are kept, unless something changes meanwhile
    assert asked < 0.5 and device.pop("bpf_ktime_get_coarse_ns", 0) < 0.5
    assert device.pop("bpf_map_lookup_elem") == pytest.approx(4 + 3 * asked)
    assert device.pop("bpf_get_smp_processor_id") == device.pop("bpf_jiffies64") == pytest.approx(1 + asked)
    assert device == {"bpf_xdp_get_buff_len": 1, "bpf_redirect_map": 1}
    generator = {helper["name"]: helper["calls"] for helper in forward["programs"][0]["helpers"]}
    assert generator == {"bpf_ktime_get_ns": 1 / 64}


def test_the_table_names_what_was_measured(result):
    process, run_json, _ = result
    for text in ("redirect", "forward", "xdplife_xdp", run_json["kernel"], "share one core"):
        assert text in process.stdout


def test_the_run_was_kept_and_drawn(result):
    _, run_json, directory = result
    (kept,) = (directory / "runs").iterdir()
    assert json.loads(kept.read_text()) == run_json
    assert ElementTree.parse(directory / "chart.svg").getroot().tag == "{http://www.w3.org/2000/svg}svg"


def change(result, tmp_path, edit):
    """The run as a baseline that was better."""
    _, run_json, _ = result
    changed = json.loads(json.dumps(run_json))
    edit(changed["results"])
    path = tmp_path / "baseline.json"
    path.write_text(json.dumps(changed))
    return path


def test_the_gate_fails_on_what_is_worse(result, tmp_path):
    def better(results):
        results[0]["programs"][1]["insns"] -= 1
        results[0]["ratio"].update(median=1.5, noise=0.001)

    process = bench(*QUICK, "redirect", "--baseline", change(result, tmp_path, better))
    assert process.returncode == 1
    assert "redirect: device xl_redirect: instructions 5 → 6 (+20.0 %; tolerance 5 %)" in process.stdout
    assert "redirect: ratio to the floor 1.500 → 1.000 (−33.3 %; tolerance 5 %" in process.stdout
    assert "2 failed" in process.stdout


def test_the_gate_is_silent_on_what_is_not(result, tmp_path):
    path = change(result, tmp_path, lambda results: None)
    process = bench(*QUICK, "redirect", "--baseline", path, "--tolerance", "50", "--json", "-")
    assert process.returncode == 0, process.stderr
    assert json.loads(process.stdout)["results"][0]["name"] == "redirect"
    assert " 0 failed" in process.stderr, "with JSON on stdout everything else goes to stderr"


def router_of(pid):
    """Of six namespaces the ones with an r0; the scenario's lab is made first."""
    for keeper in keepers(pid):
        if subprocess.run(["nsenter", "-t", str(keeper), "-n", "ip", "link", "show", "r0"], check=False,
                          capture_output=True).returncode == 0:
            return keeper
    return None


def test_frames_that_vanish_are_missed():
    """The kernel drops what a blackhole route matches without counting it at an interface."""
    with running("--quick", "kernel-forward") as (process, _):
        run("nsenter", "-t", str(router_of(process.pid)), "-n", "ip", "route", "add", "blackhole", "10.2.0.2/32")
        _, stderr = process.communicate(timeout=120)
    assert process.returncode == 4
    assert "kernel-forward: frames are not accounted for" in stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_nothing_is_left(number):
    with running("--quick", "forward", "--rounds", "64") as (process, programs):
        kept = keepers(process.pid)
        process.send_signal(number)
        process.communicate(timeout=20)
    assert process.returncode == (-signal.SIGKILL if number == signal.SIGKILL else 1)
    wait_until(lambda: not any(lives(keeper) for keeper in kept), "the lab to be gone")
    wait_until(lambda: not loaded(programs), "the programs to be gone")


@pytest.mark.parametrize("arguments, message", [
    (["no-such"], "no-such: no such scenario; bench --list shows them"),
    (["--rounds", "4"], "--rounds 4: must be a whole number from 5 to 64"),
    (["--tolerance", "-1"], "--tolerance -1: must be a percentage from 0 to 1000"),
    (["--svg", "x.svg"], "of which runs? --runs DIR says so"),
    (["--draw-only"], "--draw-only: --svg FILE is missing"),
])
def test_wrong_arguments(arguments, message):
    process = bench(*arguments)
    assert process.returncode == 2
    assert message in process.stderr


def test_a_bad_baseline_is_said_before_anything_is_measured(tmp_path):
    path = tmp_path / "baseline.json"
    path.write_text('{"schema": 1, ')
    process = bench("--baseline", path)
    assert process.returncode == 1
    assert "baseline.json" in process.stderr and "--json FILE writes one" in process.stderr
    assert process.stdout == ""


def test_privileges_are_named():
    process = subprocess.run(["setpriv", "--reuid", NOBODY, "--clear-groups", XDPLIFE, "bench", "drop"], text=True,
                             capture_output=True, check=False)
    assert process.returncode == 3
    assert "CAP_" in process.stderr


def test_the_list_is_the_table():
    process = bench("--list")
    names = [line.split()[0] for line in process.stdout.splitlines()]
    assert {"drop", "redirect", "kernel-forward", "forward", "forward-64k", "forward6", "forward-trace", "trace-64k",
            "generate"} <= set(names)
