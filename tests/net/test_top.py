# SPDX-License-Identifier: GPL-2.0-only
"""`trace --top` on a terminal: what it shows, what keys do, and that the terminal is given back however it ends.

    client c0 ----- s0 server     Lan: trace at the client
"""
import re
import signal
import termios

import pytest

from hosts import XDPLIFE, Lan, connect, listening, receive
from screen import Terminal

CLOSED_PORT = 9
READY = r"^client +server +state"


@pytest.fixture(scope="module")
def lan():
    with Lan() as net:
        yield net


def top(lan, *arguments, **options):
    # nsenter replaces itself by the program, so that signals reach that
    return Terminal(["nsenter", f"--net=/run/netns/{lan.client.name}", XDPLIFE, "trace", "c0", "--top", *arguments],
                    **options)


def refuse(lan, port=CLOSED_PORT):
    with pytest.raises(ConnectionRefusedError):
        connect(lan.client, lan.server_address[4], port)


def rows(screen):
    """The table's rows as words."""
    lines = screen.text().split("\n")
    head = next((i for i, line in enumerate(lines) if re.match(READY, line)), len(lines))
    return [line.split() for line in lines[head + 1:-1] if line]


def states(screen):
    return [row[2] for row in rows(screen)]


def test_a_session(lan):
    """One terminal, one table: rows, sorting, the filter, pause, resizing, quitting."""
    where = lan.server_address[4]
    with top(lan) as terminal, listening(lan.server, where) as listener:
        terminal.wait_for(READY)
        assert terminal.screen.alternate
        client = connect(lan.client, *listener.getsockname())
        server, _ = listener.accept()
        client.sendall(b"q" * 5000)
        assert receive(server, 5000)
        refuse(lan)
        local = f"10.7.0.1:{client.getsockname()[1]}"
        number = r"[\d.]+ (?:µs|ms|s)"
        terminal.wait_for(rf"^{local} +{where}:{listener.getsockname()[1]} +open +{number} +{number} +{number} +\S.* 0 "
                          rf"+5\.0 kB +0 B +{number}$")
        terminal.wait_for(rf"^10\.7\.0\.1:\d+ +{where}:{CLOSED_PORT} +refused +- +- ")
        terminal.wait_for(r"^xdplife c0 +\d+ s +started 2 .*established 1 +failed 1 +shown 2 of 2$")

        terminal.press("b")  # by bytes to the server: the most first
        terminal.wait_for(r"^client.* to server\* ")
        terminal.wait_until(lambda screen: states(screen) == ["open", "refused"], "the order")
        terminal.press("R")
        terminal.wait_until(lambda screen: states(screen) == ["refused", "open"], "the other order")
        terminal.press("t")
        terminal.wait_until(lambda screen: states(screen) == ["open", "refused"], "the states' order")

        terminal.press("/refu")
        terminal.wait_until(lambda screen: states(screen) == ["refused"], "the filter")
        terminal.wait_for(r"^filter: refu_")
        terminal.press("\r")
        terminal.wait_for(r"^filter: refu  \(/ changes it\)")
        terminal.press("\x1b")
        terminal.wait_until(lambda screen: len(rows(screen)) == 2, "no filter")

        terminal.press("p")
        terminal.wait_for("PAUSED")
        refuse(lan)
        terminal.press("t")  # drawn again, and still not read again
        terminal.wait_until(lambda screen: "state*" in screen.text(), "the drawing")
        assert len(rows(terminal.screen)) == 2
        terminal.press("p")
        terminal.wait_until(lambda screen: len(rows(screen)) == 3, "going on")

        terminal.resize(20, 132)
        terminal.wait_until(lambda screen: len(rows(screen)) == 3 and screen.text().split("\n")[19].startswith("q quit"),
                            "all of it again on the smaller screen")
        for end in (client, server):
            end.close()
        terminal.wait_for(r" closed +")
        assert terminal.screen.unknown == []
        during = terminal.settings()
        terminal.press("q")
        assert terminal.wait() == 0
        assert not terminal.screen.alternate
        assert terminal.settings() == terminal.before != during
        after = terminal.raw[terminal.raw.rindex("\x1b[?1049l"):]
        assert "ledger" in after and "Ctrl-C ends it" in after  # what was to be said meanwhile


@pytest.mark.parametrize("how, status", [("TERM", 0), ("INT", 0), ("HUP", 0), ("KILL", -9)])
def test_the_terminal_is_given_back(lan, how, status):
    with top(lan) as terminal:
        terminal.wait_for(READY)
        assert not terminal.settings()[3] & termios.ECHO
        terminal.kill(getattr(signal, f"SIG{how}"))
        assert terminal.wait() == status
        terminal.wait_until(lambda screen: not screen.alternate and terminal.settings() == terminal.before,
                            "the terminal as it was")


def test_an_interface_that_goes(lan):
    """An error while the table is up: it is said, on a terminal that is itself again."""
    lan.client.run("ip", "link", "add", "gone0", "type", "veth", "peer", "name", "gone1")
    lan.client.run("ip", "link", "set", "gone0", "up")
    command = ["nsenter", f"--net=/run/netns/{lan.client.name}", XDPLIFE, "trace", "gone0", "--top"]
    with Terminal(command) as terminal:
        terminal.wait_for(READY)
        lan.client.run("ip", "link", "delete", "gone0")
        assert terminal.wait() == 1
        after = terminal.raw[terminal.raw.rindex("\x1b[?1049l"):]
        assert "gone0: the interface is gone" in after and "no interface is left" in after
        assert terminal.settings() == terminal.before


@pytest.mark.parametrize("term", ["dumb", "no-such-terminal"])
def test_a_terminal_that_cannot(lan, term):
    with top(lan, term=term) as terminal:
        assert terminal.wait() == 1
        assert (f"--top: the terminal (TERM={term}) is not known or cannot place its cursor; try: TERM=xterm, or "
                "--summary") in terminal.raw.replace("\r\n", "\n")


def test_no_terminal(lan):
    status, said = lan.client.xdplife_fails("trace", "c0", "--top")
    assert status == 1
    assert "--top: standard input and output must be a terminal; try: --summary" in said


def test_more_than_fit(lan):
    """A bounded part of many is read, and that is said."""
    with top(lan) as terminal:
        terminal.wait_for(READY)
        lan.server.run(XDPLIFE, "generate", "s0", "--to", "10.7.0.77:80", "--from", "10.9.0.0/16", "--flows", "6000",
                       "--count", "6000", "--rate", "100000", "--dst-mac", lan.client.link("c0")["address"])
        terminal.wait_for(r"started 6000 .*shown 4096 of 6000 \(4096 looked at\)$")
        terminal.wait_until(lambda screen: len(rows(screen)) == 40 - 3, "a full screen")
        terminal.press("q")
        assert terminal.wait() == 0
