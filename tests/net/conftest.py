# SPDX-License-Identifier: GPL-2.0-only
"""What every system test can ask for: the program, and a lab that is up.

The tests have names of network namespaces to themselves: a lab that is up stays as it is, several runs do not meet, and
whatever a test leaves, even under SIGKILL, goes with the last process of the run.
"""
import ctypes
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
NAMESPACES = ("xl-client", "xl-router", "xl-server")


CLONE_NEWNS = 0x00020000
MS_REC_PRIVATE = (1 << 14) | (1 << 18)


def pytest_configure():
    """A mount namespace with a /run/netns of its own, which is where `ip netns` keeps the names."""
    libc = ctypes.CDLL(None, use_errno=True)
    os.makedirs("/run/netns", exist_ok=True)
    if (libc.unshare(CLONE_NEWNS) or libc.mount(b"none", b"/", None, MS_REC_PRIVATE, None)
            or libc.mount(b"tmpfs", b"/run/netns", b"tmpfs", 0, None)):
        pytest.exit(f"these tests need root: {os.strerror(ctypes.get_errno())}", returncode=1)


class Lab:
    """client (c0) — (r0) router (r1) — (s0) server, as `xdplife lab up` builds it."""

    client4, router4, server4 = "10.0.1.2", "10.0.1.1", "10.0.2.2"
    client6, router6, server6 = "fd00:1::2", "fd00:1::1", "fd00:2::2"
    netns = {"client": "xl-client", "router": "xl-router", "server": "xl-server"}

    def __init__(self, xdplife):
        self.xdplife = xdplife

    def command(self, *words, on="client"):
        """The command line that runs `words` on a machine of the lab, for subprocess.Popen."""
        return [self.xdplife, "lab", "run", "--in", on, "--", *map(str, words)]

    def run(self, *words, on="client", check=True, timeout=30):
        """Runs to the end and returns the CompletedProcess, its output as text."""
        return subprocess.run(self.command(*words, on=on), check=check, timeout=timeout, text=True, errors="replace",
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def up(self):
        return subprocess.run([self.xdplife, "lab", "up"], check=True, timeout=30, text=True, stdout=subprocess.PIPE)

    def down(self):
        return subprocess.run([self.xdplife, "lab", "down"], check=True, timeout=30)


@pytest.fixture(scope="session")
def xdplife():
    """The path of the program."""
    path = os.environ.get("XDPLIFE") or str(ROOT / "build/xdplife")
    if not os.access(path, os.X_OK):
        pytest.fail(f"{path} is not there: run make first, or set XDPLIFE")
    return path


@pytest.fixture(scope="module")
def lab(xdplife):
    """A fresh lab for the tests of one file; what tests of another file have left is taken down first."""
    lab = Lab(xdplife)
    lab.down()
    try:
        lab.up()
        yield lab
    finally:
        lab.down()
