# SPDX-License-Identifier: GPL-2.0-only
"""tests/demo.sh: its story holds, it notices when one of its claims does not, and it leaves nothing behind."""
import os
import pathlib
import re
import select
import signal
import subprocess
import time

import pytest

from conftest import ROOT

DEMO = ROOT / "tests/demo.sh"
CLAIMS = 13


def claims(output):
    """The checklist, which must always be whole: {claim: does it hold}."""
    found = {claim.strip(): mark == "✔" for mark, claim in re.findall(r"^   ([✔✘])  (.{46})", output, re.M)}
    assert len(found) == CLAIMS, output
    return found


def demo(*arguments):
    return subprocess.run([DEMO, *arguments], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=100)


def left_behind(directory):
    """Processes and files of a demo that used `directory` for its temporary files, and network namespaces' names."""
    processes = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            command = pathlib.Path("/proc", pid, "cmdline").read_bytes().decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if str(directory) in command:
            processes.append(command.replace("\0", " "))
    return os.listdir("/run/netns"), processes, os.listdir(directory)


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    """The demo's temporary files go here; afterwards nothing of it may be there."""
    directory = tmp_path / "scratch"
    directory.mkdir()
    monkeypatch.setenv("TMPDIR", str(directory))
    yield directory
    assert left_behind(directory) == ([], [], [])


def stand_in(tmp_path, xdplife, script):
    """A program that is xdplife but for what `script` does instead."""
    program = tmp_path / "xdplife"
    program.write_text(f"#!/bin/bash\nreal={xdplife}\n{script}\nexec $real \"$@\"\n")
    program.chmod(0o755)
    return program


@pytest.mark.parametrize("options", [[], ["--ipv6"], ["--no-kernel-forwarding"], ["--ipv6", "--no-kernel-forwarding"]],
                         ids=" ".join)
def test_every_claim_holds(xdplife, scratch, tmp_path, options):
    answer = demo(*options, "--keep", tmp_path / "kept", xdplife)
    checklist = claims(answer.stdout)
    assert [claim for claim, holds in checklist.items() if not holds] == [], answer.stdout
    assert answer.returncode == 0, answer.stdout
    assert "\033" not in answer.stdout  # this is no terminal
    assert (tmp_path / "kept/page").read_bytes() == (tmp_path / "kept/www/index.html").read_bytes()


def test_a_wrong_byte_is_noticed(xdplife, scratch, tmp_path):
    program = stand_in(tmp_path, xdplife, """
    if [ "$1" = fetch ]; then
        "$real" "$@"
        status=$?
        printf X | dd of="$3" bs=1 seek=5000 conv=notrunc status=none
        exit $status
    fi""")
    answer = demo(program)
    assert answer.returncode == 1
    assert [claim for claim, holds in claims(answer.stdout).items() if not holds] == ["the page arrived byte for byte"]


def test_a_ledger_that_does_not_close_is_noticed(xdplife, scratch, tmp_path):
    program = stand_in(tmp_path, xdplife, f"""
    if [ "$1" = forward ]; then
        set -m
        "$real" "$@" >{tmp_path}/output 2>&1 &
        trap 'kill -INT %1' INT
        wait %1 || wait %1
        sed '0,/^  residue   *0/s//  residue   1/' {tmp_path}/output
        exit 4
    fi""")
    answer = demo(program)
    assert answer.returncode == 1
    assert [claim for claim, holds in claims(answer.stdout).items() if not holds] == ["the ledger closed"]


def test_forwarding_by_the_kernel_is_noticed(xdplife, scratch, tmp_path):
    """trace instead of forward: the page arrives, and an XDP program is on both ports, but the kernel has routed."""
    program = stand_in(tmp_path, xdplife, """
    if [ "$1" = forward ]; then
        exec "$real" trace r0 r1 --write "$6"
    fi""")
    answer = demo(program)
    checklist = claims(answer.stdout)
    assert answer.returncode == 1
    assert checklist["the page arrived byte for byte"] and not checklist["XDP did the forwarding, not the kernel"]


def test_a_failed_fetch_is_noticed(xdplife, scratch, tmp_path):
    answer = demo(stand_in(tmp_path, xdplife, '[ "$1" != fetch ] || exit 1'))
    assert answer.returncode == 1
    assert not claims(answer.stdout)["the page arrived byte for byte"]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_cleans_up(xdplife, scratch, tmp_path, how):
    """In the middle of the fetch, when everything runs; as Ctrl-C does it: the whole foreground group."""
    ready = tmp_path / "ready"
    os.mkfifo(ready)
    program = stand_in(tmp_path, xdplife, f'[ "$1" != fetch ] || {{ echo >{ready}; exec sleep 60; }}')
    process = subprocess.Popen([DEMO, program], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               start_new_session=True)
    try:
        with open(os.open(ready, os.O_RDONLY | os.O_NONBLOCK)) as fifo:
            assert select.select([fifo], [], [], 30)[0], "fetch was not reached"
        start = time.monotonic()
        os.killpg(process.pid, how)
        assert process.wait(timeout=30) == 128 + how
        assert time.monotonic() - start < 10
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def test_a_lab_that_is_up_stays_as_it_is(lab, tmp_path):
    lab.run("ip", "link", "set", "dev", "c0", "alias", "mark")
    answer = demo(stand_in(tmp_path, lab.xdplife, '[ "$1" != fetch ] || exit 1'))
    assert answer.returncode == 1
    assert "alias mark" in lab.run("ip", "link", "show", "c0").stdout


@pytest.mark.parametrize("arguments,status", [([], 2), (["--sideways"], 2), (["/no/such/xdplife"], 1), (["--help"], 0)])
def test_usage(arguments, status):
    assert demo(*arguments).returncode == status
