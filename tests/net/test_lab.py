# SPDX-License-Identifier: GPL-2.0-only
"""xdplife lab: the topology itself, and what it promises to the other commands.

    xl-client                  xl-router                  xl-server
   +---------+   10.0.1.0/24  +---------+   10.0.2.0/24  +---------+
   |      c0 +----------------+ r0   r1 +----------------+ s0      |
   +---------+   fd00:1::/64  +---------+   fd00:2::/64  +---------+
"""
import contextlib
import json
import os
import re
import signal
import subprocess

import pytest

from conftest import NAMESPACES, Lab

PORTS = {"c0": "xl-client", "r0": "xl-router", "r1": "xl-router", "s0": "xl-server"}
UNPRIVILEGED = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"]


def run(*words, **options):
    return subprocess.run(words, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30, **options)


def netns_names():
    return {row["name"] for row in json.loads(run("ip", "-j", "netns", "list").stdout or "[]")}


def status(xdplife):
    return json.loads(run(xdplife, "lab", "status", "--json").stdout)


@pytest.fixture
def no_lab(xdplife):
    """Starts and ends without a lab, whatever the test has left of it."""
    lab = Lab(xdplife)
    lab.down()
    try:
        yield lab
    finally:
        lab.down()


# --- a lab that is up


def test_every_port_is_up_with_its_addresses(lab):
    ports = {port["name"]: port for port in status(lab.xdplife)["ports"]}
    assert set(ports) == set(PORTS)
    addresses = {name: (port["up"], port["ip4"], port["ip6"]) for name, port in ports.items()}
    assert addresses == {
        "c0": (True, "10.0.1.2/24", "fd00:1::2/64"),
        "r0": (True, "10.0.1.1/24", "fd00:1::1/64"),
        "r1": (True, "10.0.2.1/24", "fd00:2::1/64"),
        "s0": (True, "10.0.2.2/24", "fd00:2::2/64"),
    }


def test_status_says_what_the_kernel_says(lab):
    for port in status(lab.xdplife)["ports"]:
        link = json.loads(run("ip", "-n", port["netns"], "-j", "link", "show", port["name"]).stdout)[0]
        assert port["mac"] == link["address"]
        assert link["operstate"] == "UP"


def test_status_draws_it(lab):
    drawing = run(lab.xdplife, "lab", "status").stdout
    for name in (*NAMESPACES, *PORTS, "10.0.1.0/24", "fd00:2::/64"):
        assert name in drawing
    assert "no link" not in drawing and "\033" not in drawing


@pytest.mark.parametrize("address", [Lab.server4, Lab.server6])
def test_ping_through_the_router(lab, address):
    # The first packet already: no duplicate address detection, no learning phase.
    reply = lab.run("ping", "-c", "1", "-W", "2", address).stdout
    assert "ttl=63" in reply  # one router in between


@pytest.mark.parametrize("url", [f"http://{Lab.server4}:8099/", f"http://[{Lab.server6}]:8099/"])
def test_curl_through_the_kernels_forwarding(lab, url, tmp_path):
    page = os.urandom(100_000)
    (tmp_path / "index.html").write_bytes(page)
    server = subprocess.Popen(
        lab.command("/usr/bin/python3", "-u", "-m", "http.server", "8099", "--bind", "::", "--directory", tmp_path,
                    on="server"), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert "Serving HTTP" in server.stdout.readline()
        lab.run("curl", "-sS", "--fail", "-g", "-m", "10", "-o", tmp_path / "got", url)
    finally:
        server.terminate()
        server.wait()
    assert (tmp_path / "got").read_bytes() == page


@pytest.mark.parametrize("machine,port", [("client", "c0"), ("server", "s0")])
def test_offloads_leave_redirected_tcp_intact(lab, machine, port):
    features = dict(re.findall(r"^([a-z-]+): (on|off)", lab.run("ethtool", "-k", port, on=machine).stdout, re.M))
    assert features["tx-checksumming"] == "off"
    assert features["tcp-segmentation-offload"] == "off"
    assert features["generic-segmentation-offload"] == "off"
    assert features["generic-receive-offload"] == "on"


def test_up_again_changes_nothing(lab):
    lab.run("ip", "link", "set", "dev", "c0", "alias", "mark")
    before = status(lab.xdplife)
    lab.up()
    assert status(lab.xdplife) == before
    assert json.loads(lab.run("ip", "-j", "link", "show", "c0").stdout)[0]["ifalias"] == "mark"


def test_up_completes_what_is_missing(lab):
    lab.run("ip", "link", "delete", "r1", on="router")  # s0 goes with it
    lab.run("ip", "address", "flush", "dev", "c0")
    half = run(lab.xdplife, "lab", "status")
    assert half.returncode == 1 and "half-built" in half.stderr and "xdplife lab up" in half.stderr
    lab.up()
    assert status(lab.xdplife)["up"] is True
    for address in (lab.server4, lab.server6):
        lab.run("ping", "-c", "1", "-W", "2", address)


def test_status_tells_of_xdp_programs(lab):
    def programs():
        return {port["name"]: port["xdp"] for port in status(lab.xdplife)["ports"] if port["xdp"]}

    assert programs() == {}
    forward = subprocess.Popen(lab.command(lab.xdplife, "forward", "r0", "r1", on="router"), stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)
    try:
        assert "forwarding on r0" in forward.stderr.readline()
        assert {name: (xdp["name"], xdp["mode"]) for name, xdp in programs().items()} == {
            "r0": ("xdplife_xdp", "native"), "r1": ("xdplife_xdp", "native")}
        assert run(lab.xdplife, "lab", "status").stdout.count("xdplife_xdp (native, id ") == 2
    finally:
        forward.send_signal(signal.SIGINT)
        forward.communicate(timeout=10)
    assert programs() == {}


# --- run


def test_run_enters_the_namespace_and_only_that(lab):
    def inode(kind, pid="self"):
        return os.readlink(f"/proc/{pid}/ns/{kind}")

    def inode_in_lab(kind):
        return lab.run("readlink", f"/proc/self/ns/{kind}").stdout.strip()

    assert inode_in_lab("net") != inode("net")
    assert inode_in_lab("mnt") == inode("mnt")


@pytest.mark.parametrize("machine,address", [("client", "10.0.1.2"), ("router", "10.0.1.1"), ("server", "10.0.2.2")])
def test_run_in(lab, machine, address):
    assert address in lab.run("ip", "-4", "address", on=machine).stdout


def test_run_is_the_client_unless_told(lab):
    assert "10.0.1.2" in run(lab.xdplife, "lab", "run", "ip", "-4", "address").stdout


@pytest.mark.parametrize("code", [0, 1, 7])
def test_run_exits_with_the_commands_status(lab, code):
    assert lab.run("sh", "-c", f"exit {code}", check=False).returncode == code


def test_run_passes_the_commands_own_options(lab):
    assert run(lab.xdplife, "lab", "run", "--", "echo", "--in", "-v", "--", "x").stdout == "--in -v -- x\n"
    assert run(lab.xdplife, "lab", "run", "echo", "--json").stdout == "--json\n"


def test_run_of_no_such_program(lab):
    answer = lab.run("no-such-program", check=False)
    assert answer.returncode == 127 and "no-such-program" in answer.stderr


# --- without a lab


def test_every_address_is_usable_at_once(no_lab):
    no_lab.up()
    for port, netns in PORTS.items():
        rows = json.loads(run("ip", "-n", netns, "-6", "-j", "address", "show", "dev", port).stdout)[0]["addr_info"]
        assert {row["scope"] for row in rows} == {"global", "link"}
        assert [row["local"] for row in rows if row.get("tentative")] == []


def test_down_leaves_nothing(no_lab):
    links = run("ip", "-br", "link").stdout
    names = netns_names()
    no_lab.up()
    assert netns_names() == names | set(NAMESPACES)
    no_lab.down()
    assert netns_names() == names
    assert run("ip", "-br", "link").stdout == links


def test_down_leaves_no_link_even_if_a_program_holds_the_namespace(no_lab):
    no_lab.up()
    # What still runs keeps its namespace in memory, and would keep the cables with it.
    holder = subprocess.Popen(no_lab.command("sh", "-c", "echo there; read line; ip -j link show", on="router"), text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout.readline() == "there\n"
    no_lab.down()
    links = holder.communicate("\n", timeout=10)[0]
    assert {link["ifname"] for link in json.loads(links)} & set(PORTS) == set()


def test_down_twice(no_lab):
    no_lab.up()
    no_lab.down()
    second = run(no_lab.xdplife, "lab", "down")
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")


@pytest.mark.parametrize("damage", [
    ["ip", "netns", "delete", "xl-router"],
    ["ip", "-n", "xl-client", "link", "delete", "c0"],
    ["umount", "/run/netns/xl-server"],  # the name stays, the namespace is gone
])
@pytest.mark.parametrize("then", ["up", "down"])
def test_half_a_lab(no_lab, damage, then):
    no_lab.up()
    subprocess.run(damage, check=True)
    assert status(no_lab.xdplife)["up"] is False
    getattr(no_lab, then)()
    assert bool(netns_names() & set(NAMESPACES)) == (then == "up")
    assert status(no_lab.xdplife)["up"] == (then == "up")


def test_a_failure_is_undone(no_lab, tmp_path):
    """ethtool fails: what up had made until then is removed, and the command that failed is named."""
    fake = tmp_path / "ethtool"
    fake.write_text("#!/bin/sh\necho no such feature >&2\nexit 9\n")
    fake.chmod(0o755)
    answer = run(no_lab.xdplife, "lab", "up", env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"})
    assert answer.returncode == 1
    assert "ethtool -K c0" in answer.stderr and "no such feature" in answer.stderr
    assert netns_names() & set(NAMESPACES) == set()


def test_a_failure_spares_what_was_there(no_lab, tmp_path):
    fake = tmp_path / "ethtool"
    fake.write_text("#!/bin/sh\nexit 9\n")
    fake.chmod(0o755)
    no_lab.up()
    answer = run(no_lab.xdplife, "lab", "up", env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"})
    assert answer.returncode == 1
    assert status(no_lab.xdplife)["up"] is True


def test_missing_tools(no_lab, tmp_path):
    answer = run(no_lab.xdplife, "lab", "up", env={"PATH": str(tmp_path)})
    assert answer.returncode == 1 and "apt install iproute2" in answer.stderr


def test_the_shown_commands_build_it(no_lab):
    shown = run(no_lab.xdplife, "lab", "up", "--show")
    assert shown.returncode == 0 and netns_names() & set(NAMESPACES) == set()
    subprocess.run(["sh", "-e"], input=shown.stdout, text=True, check=True, stdout=subprocess.DEVNULL)
    assert status(no_lab.xdplife)["up"] is True
    subprocess.run(["sh", "-e"], input=run(no_lab.xdplife, "lab", "down", "--show").stdout, text=True, check=True)
    assert netns_names() & set(NAMESPACES) == set()


def test_verbose_prints_what_runs(no_lab):
    output = run(no_lab.xdplife, "lab", "up", "-v").stdout
    assert "ip netns add xl-client\n" in output
    assert "ip netns add" not in run(no_lab.xdplife, "lab", "up", "-v").stdout  # it is there


def test_status_without_a_lab(no_lab):
    answer = run(no_lab.xdplife, "lab", "status", "--json")
    assert answer.returncode == 1 and json.loads(answer.stdout)["up"] is False
    assert "xdplife lab up" in answer.stderr


def test_run_without_a_lab(no_lab):
    answer = no_lab.run("true", check=False)
    assert answer.returncode == 1 and "xdplife lab up" in answer.stderr


# --- the command line


@pytest.mark.parametrize("words", [[], ["sideways"], ["up", "now"], ["run"], ["run", "--"], ["run", "--in", "moon", "true"],
                                   ["--no-such-option"]])
def test_bad_usage(xdplife, words):
    answer = run(xdplife, "lab", *words)
    assert answer.returncode == 2 and answer.stderr and not answer.stdout


def test_help_has_an_example(xdplife):
    answer = run(xdplife, "lab", "--help")
    assert answer.returncode == 0 and "example: xdplife lab up" in answer.stdout


@pytest.mark.parametrize("words", [["up"], ["down"], ["status"], ["run", "true"]])
def test_without_privilege(xdplife, words):
    with contextlib.ExitStack() as stack:
        program = stack.enter_context(open(xdplife, "rb"))
        answer = run(*UNPRIVILEGED, f"/proc/self/fd/{program.fileno()}", "lab", *words, pass_fds=[program.fileno()])
    assert answer.returncode == 3 and "sudo" in answer.stderr
