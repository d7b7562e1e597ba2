# SPDX-License-Identifier: GPL-2.0-only
"""Two hosts in network namespaces, joined by a veth pair or by a bad line, and the servers that run on one of them.

    fetch-client                    fetch-server              with a bad line:  c0 — m0 (bad_line.py) m1 — s0
   +------------+   10.88.0.0/24   +------------+             in fetch-line, which is no IP host
   | .1      c0 +------------------+ s0      .2 |
   +------------+   fd88::/64      +------------+
"""
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
CLIENT, SERVER, LINE = "fetch-client", "fetch-server", "fetch-line"
CLIENT4, SERVER4, CLIENT6, SERVER6 = "10.88.0.1", "10.88.0.2", "fd88::1", "fd88::2"
NGINX_PORT, ODD_PORT = 80, 8080
WAIT_S = 10

NGINX_CONF = """
daemon off; master_process off; pid {dir}/nginx.pid; error_log {dir}/error.log; worker_processes 1;
events {{ }}
http {{
    access_log off; client_body_temp_path {dir}/tmp; proxy_temp_path {dir}/tmp; fastcgi_temp_path {dir}/tmp;
    uwsgi_temp_path {dir}/tmp; scgi_temp_path {dir}/tmp;
    server {{ listen {port}; listen [::]:{port}; root {root}; }}
}}
"""


def sh(*words, **options):
    return subprocess.run([str(word) for word in words], check=True, text=True, stdout=subprocess.PIPE, **options).stdout


def wait_for(condition, what):
    """The value of `condition` once it is true."""
    end = time.monotonic() + WAIT_S
    while not (value := condition()):
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.01)
    return value


def inside(netns, *words):
    """Enters the network namespace only: `ip netns exec` would also replace /sys."""
    return ["nsenter", f"--net=/run/netns/{netns}", "--", *map(str, words)]


def join(left, left_name, right, right_name):
    sh("ip", "-n", left, "link", "add", left_name, "type", "veth", "peer", "name", right_name, "netns", right)


class Peers:
    """Use as a context manager. `faults`: arguments of bad_line.py; None for a plain cable."""

    def __init__(self, directory, faults=None):
        self.directory = pathlib.Path(directory)
        self.root = self.directory / "www"
        self.faults = faults
        self.processes = []

    def __enter__(self):
        self.tear_down()
        try:
            self.build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.kill()
            process.wait()
        self.tear_down()

    @staticmethod
    def tear_down():
        for netns in (CLIENT, SERVER, LINE):
            subprocess.run(["ip", "netns", "del", netns], stderr=subprocess.DEVNULL)

    def build(self):
        self.root.mkdir(exist_ok=True)
        for netns in (CLIENT, SERVER) + ((LINE,) if self.faults is not None else ()):
            sh("ip", "netns", "add", netns)
        if self.faults is None:
            join(CLIENT, "c0", SERVER, "s0")
        else:
            join(CLIENT, "c0", LINE, "m0")
            join(SERVER, "s0", LINE, "m1")
        for netns, name, ip4, ip6 in ((CLIENT, "c0", CLIENT4, CLIENT6), (SERVER, "s0", SERVER4, SERVER6)):
            sh("ip", "-n", netns, "address", "add", f"{ip4}/24", "dev", name)
            sh("ip", "-n", netns, "address", "add", f"{ip6}/64", "dev", name, "nodad")
            sh("ip", "-n", netns, "link", "set", "lo", "up")
            sh("ip", "-n", netns, "link", "set", name, "up")
        if self.faults is not None:
            self.start_bad_line()

    def start_bad_line(self):
        # A bad line is outside the machine: frames on it are complete, small and have right checksums.
        for netns, name in ((CLIENT, "c0"), (SERVER, "s0")):
            sh(*inside(netns, "ethtool", "-K", name, "tx", "off", "tso", "off", "gso", "off"))
        for name in ("m0", "m1"):
            sh("ip", "-n", LINE, "link", "set", name, "up", "promisc", "on")
        line = self.start(LINE, sys.executable, HERE / "bad_line.py", "m0", "m1", *self.faults, stdout=subprocess.PIPE)
        assert line.stdout.readline() == "ready\n"

    # --- processes

    def start(self, netns, *words, **options):
        process = subprocess.Popen(inside(netns, *words), text=True, **options)
        self.processes.append(process)
        return process

    def run(self, netns, *words, timeout=60, **options):
        return subprocess.run(inside(netns, *words), timeout=timeout, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              **options)

    def listens(self, port):
        """Somebody listens on the port in the server, on IPv6 as well."""
        listening = sh(*inside(SERVER, "ss", "-Hltn6", f"sport = :{port}"))
        return bool(listening.strip())

    def start_nginx(self):
        (self.directory / "tmp").mkdir(exist_ok=True)
        conf = self.directory / "nginx.conf"
        conf.write_text(NGINX_CONF.format(dir=self.directory, root=self.root, port=NGINX_PORT))
        self.directory.chmod(0o755)
        self.start(SERVER, "nginx", "-e", self.directory / "error.log", "-c", conf)
        wait_for(lambda: self.listens(NGINX_PORT), "nginx")

    def start_odd_server(self):
        self.start(SERVER, sys.executable, HERE / "odd_server.py", ODD_PORT)
        wait_for(lambda: self.listens(ODD_PORT), "odd_server.py")

    # --- evidence

    def capture(self, netns, name, path):
        """Starts tcpdump; returns a function that ends it once at least so many packets are in the file."""
        tcpdump = self.start(netns, "tcpdump", "-U", "--immediate-mode", "-s", "4096", "-B", "65536", "-Z", "root",
                             "-i", name, "-w", path, "tcp", stderr=subprocess.PIPE)
        wait_for(lambda: "listening on" in tcpdump.stderr.readline(), "tcpdump")

        def stop(packets=0):
            wait_for(lambda: count_packets(path) >= packets, f"{packets} packets in {path}")
            tcpdump.send_signal(signal.SIGINT)
            tcpdump.communicate(timeout=WAIT_S)
        return stop

    @staticmethod
    def xdp_of(netns, name):
        """The XDP attachment as `ip` tells it, or None."""
        return json.loads(sh("ip", "-n", netns, "-j", "-d", "link", "show", "dev", name))[0].get("xdp")


def count_packets(path):
    """Whole records in a pcap file of this machine's byte order, which tcpdump may still be writing."""
    data, at, count = pathlib.Path(path).read_bytes(), 24, 0
    while at + 16 <= len(data) and (at := at + 16 + struct.unpack_from("=I", data, at + 8)[0]) <= len(data):
        count += 1
    return count


def tshark(path, filter_, *fields):
    """A row for each packet that the display filter takes, a list of the fields' values."""
    words = ["tshark", "-r", str(path), "-Y", filter_, "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE",
             "-T", "fields"]
    for field in fields or ("frame.number",):
        words += ["-e", field]
    out = sh(*words, stderr=subprocess.DEVNULL, env={**os.environ, "HOME": "/tmp"})
    return [line.split("\t") for line in out.splitlines()]


def url(path, family=socket.AF_INET, port=NGINX_PORT):
    host = SERVER4 if family == socket.AF_INET else f"[{SERVER6}]"
    return f"http://{host}" + (f":{port}" if port != NGINX_PORT else "") + path
