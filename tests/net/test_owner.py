# SPDX-License-Identifier: GPL-2.0-only
"""Whose sockets are at the ends of a connection: what `trace` says, against the processes that we know opened them.

    client c0 ----- s0 server     Each process is a Python that does line by line what it is told.
"""
import ast
import contextlib
import os
import pathlib
import signal
import subprocess
import sys

import pytest

from hosts import WAIT_S, XDPLIFE, Lan, Session, run, wait_until

ECONNREFUSED = 111
CONTAINER = "0123456789abcdef" * 4
OBEY = """
import os, select, socket, sys, threading
open("/proc/self/comm", "w").write(sys.argv[1])
for line in sys.stdin:
    try:
        result = eval(line)
    except SyntaxError:
        result = exec(line)
    print(repr(result), flush=True)
"""


@pytest.fixture(scope="module")
def lan():
    with Lan() as net:
        yield net


class Process:
    """A process by that name on a host. What it cannot do raises there, and ends it."""

    def __init__(self, host, name, wrapper=()):
        self.name = name
        self.process = subprocess.Popen(host.command(*wrapper, sys.executable, "-c", OBEY, name), text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.pid = self("os.getpid()")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """It ends by itself: killing nsenter would leave its child to nobody who reaps it, and a PID namespace waits
        for that."""
        self.process.stdin.close()
        self.process.wait(timeout=WAIT_S)

    def __call__(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return ast.literal_eval(self.process.stdout.readline())

    def listen(self, where="::", port=0, reuse=False):
        """Both IP versions by one socket, if `where` is "::"."""
        family = "socket.AF_INET6" if ":" in where else "socket.AF_INET"
        self(f"listener = socket.create_server(({where!r}, {port}), family={family}, reuse_port={reuse}, "
             f"dualstack_ipv6={where == '::'})")
        return self("listener.getsockname()[1]")

    def connect(self, where, port):
        """The local port."""
        self(f"client = socket.create_connection(({where!r}, {port}))")
        return self("client.getsockname()[1]")

    def is_named(self, owner, how):
        assert owner is not None
        assert (owner["pid"], owner["comm"], owner["by"]) == (self.pid, self.name, how)


class Connection:
    """From one process to the other; `port` is the server's, `local` the client's."""

    def __init__(self, client, server, where="10.7.0.2", port=0):
        self.client, self.server = client, server
        self.port = port or server.listen()
        self.local = client.connect(where, self.port)
        server("accepted = listener.accept()[0]")

    def client_closes(self):
        self.client("client.close()")
        self.server("accepted.recv(1)")
        self.server("accepted.close()")

    def server_closes(self):
        self.server("accepted.close()")
        self.client("client.recv(1)")
        self.client("client.close()")


# Where the client goes, and where the server listens.
WAYS = [("10.7.0.2", "10.7.0.2"), ("10.7.0.2", "0.0.0.0"), ("10.7.0.2", "::"), ("fd07::2", "fd07::2"),
        ("fd07::2", "::")]


@pytest.fixture(scope="module")
def old(lan):
    """Connections that are older than the traces, one each way."""
    with contextlib.ExitStack() as stack:
        def process(host, name):
            return stack.enter_context(Process(host, name))
        pairs = [(process(lan.client, "caller"), process(lan.server, "answerer")) for _ in WAYS]
        yield [Connection(client, server, where, server.listen(listener))
               for (client, server), (where, listener) in zip(pairs, WAYS)]


@pytest.fixture(scope="module")
def at_client(lan, old):
    """A trace that sees all connections of these tests; each test asks for its own, by their ports."""
    with lan.client.xdplife("trace", "c0", "--json") as trace:
        yield trace


@pytest.fixture(scope="module")
def at_server(lan, old):
    with lan.server.xdplife("trace", "s0", "--json") as trace:
        yield trace


def events(trace, local, name=None):
    """What happened to the connections from that port."""
    return [one for one in trace.events(name) if one["client"].endswith(f":{local}")]


def owner(trace, local, name, end):
    """What the first event of that name says of the owner at that end: None if nothing."""
    wait_until(lambda: events(trace, local, name), f"'{name}' of port {local} in:\n{trace.stdout}\n{trace.stderr}")
    return events(trace, local, name)[0].get(f"{end}_owner")


@pytest.mark.parametrize("where", ["10.7.0.2", "fd07::2", "::ffff:10.7.0.2"])
def test_client(lan, at_client, where):
    """Active open: who called connect(); an IPv6 socket that talks IPv4 is found by what is on the wire."""
    with Process(lan.client, "caller") as client, Process(lan.server, "answerer") as server:
        connection = Connection(client, server, where)
        client.is_named(owner(at_client, connection.local, "established", "client"), "connect")
        connection.client_closes()
        client.is_named(owner(at_client, connection.local, "closed", "client"), "connect")
        for event in events(at_client, connection.local):
            client.is_named(event["client_owner"], "connect")
            assert "server_owner" not in event  # it is not on this host


@pytest.mark.parametrize("where, listener", WAYS)
def test_server(lan, at_server, where, listener):
    """Passive open: who listens, at whatever address."""
    with Process(lan.client, "caller") as client, Process(lan.server, "answerer") as server:
        connection = Connection(client, server, where, server.listen(listener))
        server.is_named(owner(at_server, connection.local, "established", "server"), "listen")
        connection.server_closes()
        server.is_named(owner(at_server, connection.local, "closed", "server"), "listen")
        assert not any("client_owner" in event for event in events(at_server, connection.local))


@pytest.mark.parametrize("way", range(len(WAYS)), ids=map(" by ".join, WAYS))
def test_there_before_the_trace(lan, at_client, at_server, old, way):
    """Connections and listeners that are older are found among the open files of their processes, at either end."""
    connection = old[way]
    connection.client_closes()
    connection.client.is_named(either_end(at_client, connection.local, connection.port), "open-file")
    connection.server.is_named(either_end(at_server, connection.local, connection.port), "open-file")
    new = Connection(connection.client, connection.server, WAYS[way][0], connection.port)
    new.server.is_named(owner(at_server, new.local, "established", "server"), "listen")


def either_end(trace, *ports):
    """The one owner in a trace that may not know who is the client: it has not seen the beginning."""
    def told():
        return [event for event in trace.events()
                if sorted(int(event[end].rsplit(":", 1)[1]) for end in ("client", "server")) == sorted(ports)]
    wait_until(told, "an event")
    owners = [event[f"{end}_owner"] for event in told() for end in ("client", "server") if f"{end}_owner" in event]
    assert owners and all(one == owners[0] for one in owners)
    return owners[0]


def refuse(client, local_port=0, where="10.7.0.2"):
    """A connection that nobody takes; the local port."""
    client("client = socket.socket()")
    client("client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)")
    client(f"client.bind(('0.0.0.0', {local_port}))")
    local_port = client("client.getsockname()[1]")
    assert client(f"client.connect_ex(({where!r}, 9))") == ECONNREFUSED
    client("client.close()")
    return local_port


def test_refused(lan, at_client):
    with Process(lan.client, "caller") as client:
        local = refuse(client)
        client.is_named(owner(at_client, local, "refused", "client"), "connect")
        client.is_named(owner(at_client, local, "syn", "client"), "connect")


def test_port_used_again(lan, at_client):
    """The same addresses and ports, one process after the other: each has its own, or, if the next was quicker than
    the reader, none; never the other's."""
    local = 7777
    with Process(lan.client, "first") as first, Process(lan.client, "second") as second:
        rounds = [first, second] * 4
        for number, process in enumerate(rounds, 1):
            refuse(process, local)
            if number > len(rounds) // 2:
                wait_until(lambda: len(events(at_client, local, "refused")) == number, "the reader")
        for name in ("syn", "refused"):
            found = [event.get("client_owner") for event in events(at_client, local, name)]
            assert len(found) == len(rounds) and all(found[len(rounds) // 2:])
            for process, one in zip(rounds, found):
                if one:
                    process.is_named(one, "connect")


def test_one_of_several_listeners_on_a_port(lan, at_server):
    """SO_REUSEPORT: the kernel chooses; the connection belongs to whom it chose, not to whoever came last."""
    with Process(lan.client, "caller") as client, Process(lan.server, "one") as one, \
            Process(lan.server, "two") as two:
        port = one.listen("10.7.0.2", reuse=True)
        two.listen("10.7.0.2", port, reuse=True)
        for process in (one, two):
            process("accepted = []")
        chosen = {}
        while len(set(chosen.values())) < 2:
            local = client.connect("10.7.0.2", port)
            chosen[local] = accepter(local, one, two)
        for local, process in chosen.items():
            process.is_named(owner(at_server, local, "established", "server"), "listen")


def accepter(port, *processes):
    """Which of the processes has the connection from that port in its queue."""
    def found():
        for process in processes:
            if process("select.select([listener], [], [], 0)[0] != []"):
                process("accepted.append(listener.accept())")
                assert process("accepted[-1][1][1]") == port
                return process
        return None
    return wait_until(found, "the connection to be accepted")


def test_handed_to_a_child(lan, at_client, at_server):
    """fork(): what a listener accepts is the listener's, until the child that serves it closes it. The client's stays
    with the process that connected: it is why the connection is there, whoever uses it later."""
    with Process(lan.client, "caller") as client, Process(lan.server, "answerer") as server:
        connection = Connection(client, server)
        server.is_named(owner(at_server, connection.local, "established", "server"), "listen")
        for process, name in ((server, "accepted"), (client, "client")):
            process("parent_end, child_end = os.pipe()")
            rename = "open('/proc/self/comm', 'w').write('child')"
            process(f"child = os.fork() or ({rename}, os.read(parent_end, 1), {name}.close(), os._exit(0))")
            process(f"{name}.close()")  # one of two: nothing happens to the connection
            process("os.write(child_end, b'x')")
            process("os.waitpid(child, 0)")
        closed = owner(at_server, connection.local, "closed", "server")
        assert (closed["pid"], closed["comm"], closed["by"]) == (server("child"), "child", "close")
        client.is_named(owner(at_client, connection.local, "closed", "client"), "connect")


def test_threads(lan, at_client):
    """The process's name and number, whichever thread made the call."""
    with Process(lan.client, "caller") as client:
        client("client = socket.socket()")
        client("client.bind(('0.0.0.0', 0))")
        client("work = lambda: (open('/proc/thread-self/comm', 'w').write('thread'), "
               "client.connect_ex(('10.7.0.2', 9)))")
        client("threading.Thread(target=work).start()")
        client.is_named(owner(at_client, client("client.getsockname()[1]"), "refused", "client"), "connect")


@pytest.fixture
def container():
    """A control group by the name that docker gives it; the path of its cgroup.procs."""
    mount = pathlib.Path("/run/netns/cgroup2")  # in a mount namespace and a tmpfs of this run's own
    mount.mkdir(exist_ok=True)
    run("mount", "-t", "cgroup2", "none", str(mount))
    group = mount / f"docker-{CONTAINER}.scope"
    try:
        group.mkdir()
    except OSError as error:
        run("umount", str(mount))
        pytest.skip(f"no control group can be made here: {error}")
    try:
        yield group / "cgroup.procs"
    finally:
        wait_until(lambda: not (group / "cgroup.procs").read_text(), "the control group to be empty")
        group.rmdir()
        run("umount", str(mount))


def test_container(lan, at_client, container):
    """Also when the process has ended before anybody asks."""
    with Process(lan.client, "caller") as client:
        container.write_text(str(client.pid))
        local = refuse(client)
    found = owner(at_client, local, "refused", "client")
    client.is_named(found, "connect")
    assert found["container"] == CONTAINER
    assert found["cgroup"] == f"/docker-{CONTAINER}.scope"


def test_pid_namespace(lan):
    """A trace in a PID namespace of its own: processes by their numbers there, those outside by their names only. What
    a terminal would obey in a name does not reach it."""
    evil = "\033[31m\x9b5m"
    command = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc", XDPLIFE)
    with Session(lan.server, ("trace", "lo"), command=command) as trace:
        inside = pathlib.Path(f"/proc/{trace.process.pid}/task/{trace.process.pid}/children").read_text().strip()
        enter = ("nsenter", f"--target={inside}", "--pid", "--")
        with Process(lan.server, evil) as outside, Process(lan.server, "inner", enter) as inner:
            assert inner.pid < 10
            assert f"client inner[{inner.pid}]" in trace.wait_for(f":{refuse(inner, where='127.0.0.1')} ")
            line = trace.wait_for(f":{refuse(outside, where='127.0.0.1')} ")
        assert r"client \x1b[31m" in line and "[0]" not in line
        assert not any(character in trace.stdout for character in evil if not character.isprintable())
        os.kill(int(inside), signal.SIGINT)  # unshare passes no signal on
        assert trace.wait() == 0


def test_kernel_that_cannot_tell(lan):
    """No BTF of the kernel: said once, and everything else works."""
    hidden = ("unshare", "-m", "sh", "-c", f"mount -t tmpfs none /sys/kernel/btf && exec {XDPLIFE} trace lo --json")
    with Process(lan.server, "caller") as client, Session(lan.server, (), command=hidden) as trace:
        assert owner(trace, refuse(client, where="127.0.0.1"), "refused", "client") is None
    assert trace.stderr.count("without their processes") == 1
    assert trace.status == 0
