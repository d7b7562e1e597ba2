# SPDX-License-Identifier: GPL-2.0-only
"""What `trace --write` and `forward --write` leave is read by capinfos and tshark without complaint.

The bytes themselves are compared in tests/unit/test_pcapng.c.
"""
import re
import subprocess

import pytest

from conftest import ROOT

# Two interfaces, a packet each way and a comment; everything that a block can carry is set.
WRITER = """
#include "out/pcapng.h"

int main(int argc, char **argv)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1}, frame[60] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5};
	struct pcapng *file = argc == 2 ? pcapng_create(argv[1], "xdplife trace --write \\"a b\\"") : 0;
	struct pcapng_packet packet = {.time_ns = 1700000000123456789, .data = frame, .captured_bytes = 60, .wire_bytes = 1514};
	struct pcapng_statistics statistics = {.start_ns = 1700000000000000000, .end_ns = 1700000001000000000, .received = 9,
					       .if_dropped = 4, .filter_accepted = 7, .os_dropped = 5, .delivered = 2};

	struct pcapng_interface r0 = {.name = "r0", .description = "to the client", .hardware = "veth", .mac = mac,
				      .filter = "tcp port 80", .snap_bytes = 128}, r1 = {.name = "r1", .snap_bytes = 128};

	pcapng_add_interface(file, &r0);
	pcapng_add_interface(file, &r1);
	packet.direction = PCAPNG_INBOUND;
	packet.comment = "forwarded \\xc3\\xa9";
	pcapng_write_packet(file, &packet);
	packet = (struct pcapng_packet){.interface = 1, .time_ns = packet.time_ns + 1, .data = frame, .captured_bytes = 60,
					.wire_bytes = 60, .direction = PCAPNG_OUTBOUND};
	pcapng_write_packet(file, &packet);
	pcapng_write_statistics(file, 0, &statistics);
	pcapng_write_statistics(file, 1, &statistics);
	return pcapng_close(file) != 0;
}
"""


@pytest.fixture(scope="module")
def capture(tmp_path_factory):
    directory = tmp_path_factory.mktemp("pcapng")
    (directory / "writer.c").write_text(WRITER)
    subprocess.run(["cc", "-D_GNU_SOURCE", f"-I{ROOT}/user", f"-I{ROOT}/include", "-o", directory / "writer", directory / "writer.c",
                    ROOT / "user/out/pcapng.c"], check=True)
    subprocess.run([directory / "writer", directory / "file.pcapng"], check=True)
    return directory / "file.pcapng"


def read(*command):
    """Its output; a word on stderr is a complaint."""
    answer = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    said = [line for line in answer.stderr.splitlines() if "Running as user" not in line]
    assert (answer.returncode, said) == (0, [])
    return answer.stdout


def test_capinfos(capture):
    text = read("capinfos", capture)
    assert re.search(r"Number of packets: +2\n", text)
    assert re.search(r"Strict time order: +True\n", text)
    assert 'Capture application: xdplife trace --write "a b"\n' in text
    assert re.search(r"Capture oper-sys: +Linux \S+\n", text) and "Capture hardware:" in text
    assert re.search(r"Number of interfaces in file: 2\n", text)
    assert "Name = r0\n" in text and "Description = to the client\n" in text and "Hardware = veth\n" in text
    assert "Filter string = tcp port 80\n" in text
    assert text.count("Time precision = nanoseconds (9)\n") == 2
    assert text.count("Number of stat entries = 1\n") == 2


def test_tshark(capture):
    fields = ["frame.interface_name", "frame.time_epoch", "frame.packet_flags_direction", "frame.len", "frame.cap_len",
              "frame.comment"]
    rows = read("tshark", "-n", "-r", capture, "-T", "fields", "-E", "separator=|",
                *(word for field in fields for word in ("-e", field))).splitlines()
    assert rows == [
        "r0|1700000000.123456789|0x00000001|1514|60|forwarded é",
        "r1|1700000000.123456790|0x00000002|60|60|",
    ]

