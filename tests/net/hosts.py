# SPDX-License-Identifier: GPL-2.0-only
"""Hosts for system tests: network namespaces with veth cables between them, TCP inside them, xdplife on them.

    with Lan() as lan:                           client c0 ----- s0 server
    with Routed() as net:                        client c0 ----- r0 router r1 ----- s0 server
        with net.router.xdplife("trace", "r0", "--json") as trace:
            talk(net.client, net.server, b"ping", b"pong")
        trace.json("connection")

Namespaces are named after this process, so that several test runs do not meet. Sockets are made inside a namespace
by moving the calling thread there for a moment: a socket stays where it was made.
"""
import contextlib
import ctypes
import itertools
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
XDPLIFE = os.environ.get("XDPLIFE", str(ROOT / "build" / "xdplife"))
BPFTOOL = shutil.which("bpftool") or "/usr/sbin/bpftool"
READY = "Ctrl-C ends it"
WAIT_S = 20
CLONE_NEWNET = 0x40000000

_libc = ctypes.CDLL(None, use_errno=True)
_numbers = itertools.count(1)


def wait_until(condition, what, timeout_s=WAIT_S):
    """Returns what condition() returns as soon as that is true."""
    end = time.monotonic() + timeout_s
    while True:
        result = condition()
        if result:
            return result
        assert time.monotonic() < end, f"waited {timeout_s} s in vain for {what}"
        time.sleep(0.01)


def run(*command, check=True, **options):
    done = subprocess.run(command, text=True, capture_output=True, timeout=60, **options)
    assert not check or done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done


def _setns(file):
    if _libc.setns(file.fileno(), CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


@contextlib.contextmanager
def inside(netns):
    """What this thread opens meanwhile belongs to the namespace."""
    with open("/proc/thread-self/ns/net") as home, open(f"/run/netns/{netns}") as there:
        _setns(there)
        try:
            yield
        finally:
            _setns(home)


class Host:
    """A network namespace."""

    def __init__(self, name):
        self.name = f"track-{os.getpid()}-{next(_numbers)}-{name}"
        run("ip", "netns", "add", self.name)
        self.run("ip", "link", "set", "lo", "up")

    def delete(self):
        run("ip", "netns", "delete", self.name)

    def command(self, *command):
        return ["ip", "netns", "exec", self.name, *command]

    def run(self, *command, check=True, **options):
        return run(*self.command(*command), check=check, **options)

    def sysctl(self, name, value=None):
        """Names have slashes: an interface's name may hold dots."""
        if value is not None:
            self.run("sysctl", "-qw", f"{name}={value}")
        return self.run("sysctl", "-n", name).stdout.strip()

    def link(self, interface):
        return json.loads(self.run("ip", "-d", "-j", "link", "show", interface).stdout)[0]

    def inside(self):
        return inside(self.name)

    def xdplife(self, *arguments, **options):
        return Session(self, arguments, **options)

    def xdplife_fails(self, *arguments, command=(XDPLIFE,)):
        """Runs it to its end: (exit status, stderr without the program's name)."""
        done = self.run(*command, *arguments, check=False)
        return done.returncode, done.stderr



def cable(a, a_name, b, b_name):
    """As between two machines without offloads: XDP may redirect into either end."""
    run("ip", "link", "add", a_name, "netns", a.name, "type", "veth", "peer", "name", b_name, "netns", b.name)
    for host, name in ((a, a_name), (b, b_name)):
        host.sysctl(f"net/ipv6/conf/{name}/accept_dad", 0)
        host.run("ethtool", "-K", name, "tx", "off", "tso", "off", "gso", "off", "gro", "on")
    for host, name in ((a, a_name), (b, b_name)):
        host.run("ip", "link", "set", name, "up")
    for host, name in ((a, a_name), (b, b_name)):
        wait_until(lambda: host.link(name)["operstate"] == "UP", f"the carrier of {name}")


def address(host, interface, *addresses):
    for one in addresses:
        host.run("ip", "address", "add", one, "dev", interface, *(["nodad"] if ":" in one else []))


class Network:
    """What the subclasses build; deleted at the end, whatever happened."""

    def __init__(self):
        self.hosts = []

    def host(self, name):
        self.hosts.append(Host(name))
        return self.hosts[-1]

    def __enter__(self):
        try:
            self.build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for host in self.hosts:
            host.delete()


class Lan(Network):
    def build(self):
        self.client, self.server = self.host("client"), self.host("server")
        cable(self.client, "c0", self.server, "s0")
        address(self.client, "c0", "10.7.0.1/24", "fd07::1/64")
        address(self.server, "s0", "10.7.0.2/24", "fd07::2/64")
        self.server_address = {4: "10.7.0.2", 6: "fd07::2"}


class Routed(Network):
    def build(self):
        self.client, self.router, self.server = self.host("client"), self.host("router"), self.host("server")
        cable(self.client, "c0", self.router, "r0")
        cable(self.router, "r1", self.server, "s0")
        address(self.client, "c0", "10.7.1.2/24", "fd07:1::2/64")
        address(self.router, "r0", "10.7.1.1/24", "fd07:1::1/64")
        address(self.router, "r1", "10.7.2.1/24", "fd07:2::1/64")
        address(self.server, "s0", "10.7.2.2/24", "fd07:2::2/64")
        for host, gateways in ((self.client, ("10.7.1.1", "fd07:1::1")), (self.server, ("10.7.2.1", "fd07:2::1"))):
            for gateway in gateways:
                host.run("ip", "route", "add", "default", "via", gateway)
        self.server_address = {4: "10.7.2.2", 6: "fd07:2::2"}

    def let_the_kernel_route(self):
        self.router.sysctl("net/ipv4/ip_forward", 1)
        self.router.sysctl("net/ipv6/conf/all/forwarding", 1)


# --- TCP --------------------------------------------------------------------------------------------------------------

def family(where):
    return socket.AF_INET6 if ":" in where else socket.AF_INET


@contextlib.contextmanager
def listening(host, where, port=0):
    with host.inside():
        listener = socket.socket(family(where), socket.SOCK_STREAM)
    with listener:
        listener.settimeout(WAIT_S)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((where, port))
        listener.listen()
        yield listener


def connect(host, where, port, local_port=0):
    with host.inside():
        client = socket.socket(family(where), socket.SOCK_STREAM)
    try:
        client.settimeout(WAIT_S)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if local_port:
            client.bind(("::" if ":" in where else "0.0.0.0", local_port))
        client.connect((where, port))
    except BaseException:
        client.close()
        raise
    return client


def receive(connection, count=None):
    """count bytes; without it all until the other end has closed."""
    data = b""
    while count is None or len(data) < count:
        part = connection.recv(65536)
        if not part:
            break
        data += part
    return data


def talk(client_host, server_host, where, request, response):
    """One connection: the request there, the response back, the server closes first. Returns both ports."""
    with listening(server_host, where) as listener:
        port = listener.getsockname()[1]
        client = connect(client_host, where, port)
        server, _ = listener.accept()
        with client, server:
            local_port = client.getsockname()[1]
            client.sendall(request)
            assert receive(server, len(request)) == request
            answering = threading.Thread(target=server.sendall, args=(response,))
            answering.start()
            assert receive(client, len(response)) == response
            answering.join()
            server.shutdown(socket.SHUT_RDWR)
            assert receive(client) == b""
    return local_port, port


def abort(connection):
    """Closes with RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class Wire:
    """What really passes an interface, by a packet socket: (sent by us, source port, flags, payload bytes)."""

    OUTGOING = 4

    def __init__(self, host, interface):
        with host.inside():
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 20)
        self.socket.bind((interface, 3))
        self.socket.setblocking(False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def segments(self):
        """All TCP segments since the last call."""
        found = []
        while True:
            try:
                frame, where = self.socket.recvfrom(1 << 17)
            except BlockingIOError:
                return found
            segment = _tcp(frame)
            if segment:
                found.append((where[2] == self.OUTGOING, *segment))


def _tcp(frame):
    ethertype, = struct.unpack_from("!H", frame, 12)
    if ethertype == 0x0800 and frame[23] == 6:
        tcp, end = 14 + (frame[14] & 15) * 4, 14 + struct.unpack_from("!H", frame, 16)[0]
    elif ethertype == 0x86dd and frame[20] == 6:
        tcp, end = 54, 54 + struct.unpack_from("!H", frame, 18)[0]
    else:
        return None
    return struct.unpack_from("!H", frame, tcp)[0], frame[tcp + 13], end - tcp - (frame[tcp + 12] >> 4) * 4


# --- xdplife ----------------------------------------------------------------------------------------------------------

class Session:
    """A running xdplife. `with` waits until it is attached, and ends it like Ctrl-C."""

    def __init__(self, host, arguments, command=(XDPLIFE,), environment=None):
        self.process = subprocess.Popen(host.command(*command, *arguments), text=True, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        env={**os.environ, **(environment or {})})
        self.lines = {"stdout": [], "stderr": []}
        self._readers = [threading.Thread(target=self._read, args=(name,), daemon=True) for name in self.lines]
        for reader in self._readers:
            reader.start()
        self.ended = False
        self.status = None

    def _read(self, name):
        for line in getattr(self.process, name):
            self.lines[name].append(line.rstrip("\n"))

    @property
    def stdout(self):
        return "\n".join(self.lines["stdout"])

    @property
    def stderr(self):
        return "\n".join(self.lines["stderr"])

    def wait_ready(self):
        wait_until(lambda: READY in self.stderr or self.process.poll() is not None, "xdplife to be attached")
        assert READY in self.stderr, f"status {self.process.poll()}: {self.stderr}"
        return self

    def wait_for(self, text):
        """Returns the first line on stdout that has the text."""
        return wait_until(lambda: next((line for line in list(self.lines["stdout"]) if text in line), None),
                          f"'{text}' in:\n{self.stdout}\n{self.stderr}")

    def wait(self):
        """Until it ends by itself. Returns the exit status, negative if a signal killed it."""
        self.status = self.process.wait(timeout=WAIT_S)
        for reader in self._readers:
            reader.join(timeout=WAIT_S)
        self.ended = True
        return self.status

    def stop(self, how=signal.SIGINT):
        self.process.send_signal(how)
        return self.wait()

    def __enter__(self):
        try:
            return self.wait_ready()
        except BaseException:
            self.__exit__(AssertionError)
            raise

    def __exit__(self, failed, *_):
        if failed:
            self.process.kill()
            self.wait()
        elif not self.ended:
            assert self.stop() == 0, f"status {self.status}: {self.stderr}\n{self.stdout}"

    def json(self, kind=None):
        """Every line of stdout, parsed; with kind those of this type."""
        objects = [json.loads(line) for line in list(self.lines["stdout"])]
        return [one for one in objects if kind in (None, one["type"])]

    def events(self, name=None):
        return [one for one in self.json("connection") if name in (None, one["event"])]

    @property
    def ledger(self):
        ledger, = self.json("ledger")
        return ledger

    def programs(self):
        """The ids of the BPF programs that the process holds, by itself or by a link."""
        ids = set()
        for fd in pathlib.Path(f"/proc/{self.process.pid}/fdinfo").iterdir():
            with contextlib.suppress(FileNotFoundError):
                ids.update(int(line.split()[1]) for line in fd.read_text().splitlines()
                           if line.startswith("prog_id:"))
        return ids


def program_exists(program):
    return run(BPFTOOL, "prog", "show", "id", str(program), check=False).returncode == 0
