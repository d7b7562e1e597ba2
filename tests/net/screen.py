# SPDX-License-Identifier: GPL-2.0-only
"""A program on a terminal of its own: a pty, keys into it, and what its screen shows (as much of an xterm as ncurses uses).

    with Terminal(command) as terminal:
        terminal.wait_for("text on the screen")
        terminal.press("q")
"""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

WAIT_S = 20
SEQUENCE = re.compile(r"\x1b(?:\[([?>]?)([\d;]*)([@-~])|([()])(.)|([=>78Mc]))|\x1b\][^\x07]*\x07")
INCOMPLETE = re.compile(r"\x1b(?:\[[?>]?[\d;]*|[()]|\][^\x07]*)?$")


class Screen:
    def __init__(self, lines, columns):
        self.lines, self.columns = lines, columns
        self.alternate = False
        self.unknown = []  # sequences that this does not know: a test that meets one cannot trust the screen
        self.rest = ""
        self.clear()

    def clear(self):
        self.cells = [[" "] * self.columns for _ in range(self.lines)]
        self.line = self.column = 0
        self.top, self.bottom = 0, self.lines - 1

    def text(self):
        return "\n".join("".join(line).rstrip() for line in self.cells)

    def feed(self, text):
        text = self.rest + text
        cut = INCOMPLETE.search(text)
        text, self.rest = (text[:cut.start()], text[cut.start():]) if cut else (text, "")
        at = 0
        while at < len(text):
            found = SEQUENCE.match(text, at)
            if found:
                self.sequence(found)
                at = found.end()
            else:
                self.character(text[at])
                at += 1

    def character(self, one):
        if one == "\r":
            self.column = 0
        elif one == "\n":
            self.scroll_down() if self.line == self.bottom else self.move(self.line + 1, self.column)
        elif one == "\b":
            self.column = max(0, self.column - 1)
        elif one == "\t":
            self.column = min(self.columns - 1, self.column // 8 * 8 + 8)
        elif one >= " ":
            if self.column == self.columns:
                self.column = 0
                self.line = min(self.line + 1, self.lines - 1)
            self.cells[self.line][self.column] = self.last = one
            self.column += 1

    def move(self, line, column):
        self.line = min(max(line, 0), self.lines - 1)
        self.column = min(max(column, 0), self.columns - 1)

    def scroll_down(self, count=1, top=None):
        for _ in range(count):
            del self.cells[self.top if top is None else top]
            self.cells.insert(self.bottom, [" "] * self.columns)

    def scroll_up(self, count=1, top=None):
        for _ in range(count):
            del self.cells[self.bottom]
            self.cells.insert(self.top if top is None else top, [" "] * self.columns)

    def sequence(self, found):
        private, numbers, final, _, _, single = found.groups()
        if single == "M":
            self.scroll_up()
        if not final:
            return
        if private:
            if numbers in ("1049", "47", "1047"):
                self.alternate = final == "h"
            return
        values = [int(one) if one else 0 for one in numbers.split(";")]
        n, row = max(values[0], 1), self.cells[self.line]
        if final == "H":
            self.move(n - 1, (values[1] if len(values) > 1 else 1) - 1)
        elif final == "d":
            self.move(n - 1, self.column)
        elif final == "G":
            self.move(self.line, n - 1)
        elif final in "ABCD":
            down, right = {"A": (-n, 0), "B": (n, 0), "C": (0, n), "D": (0, -n)}[final]
            self.move(self.line + down, self.column + right)
        elif final == "K":
            first, last = {0: (self.column, self.columns), 1: (0, self.column + 1), 2: (0, self.columns)}[values[0]]
            row[first:last] = [" "] * (last - first)
        elif final == "J":
            keep = 0 if values[0] == 2 else self.line
            if values[0] == 0:
                row[self.column:] = [" "] * (self.columns - self.column)
                keep += 1
            self.cells[keep:] = [[" "] * self.columns for _ in range(self.lines - keep)]
        elif final == "X":
            last = min(self.column + n, self.columns)
            row[self.column:last] = [" "] * (last - self.column)
        elif final == "P":
            del row[self.column:self.column + n]
            row.extend([" "] * (self.columns - len(row)))
        elif final == "@":
            row[self.column:self.column] = [" "] * n
            del row[self.columns:]
        elif final == "b":
            for _ in range(n):
                self.character(self.last)
        elif final == "r":
            self.top = n - 1
            self.bottom = (values[1] if len(values) > 1 else self.lines) - 1
            self.move(0, 0)
        elif final == "L":
            self.scroll_up(n, self.line)
        elif final == "M":
            self.scroll_down(n, self.line)
        elif final == "S":
            self.scroll_down(n)
        elif final == "T":
            self.scroll_up(n)
        elif final not in "mhltn":
            self.unknown.append(found[0])


class Terminal:
    """The program has it as its controlling terminal. `with` ends it by SIGTERM if it still runs."""

    def __init__(self, command, lines=40, columns=160, term="xterm", **environment):
        self.screen = Screen(lines, columns)
        self.raw = ""
        self.status = None
        self.pid, self.fd = pty.fork()
        if not self.pid:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
            os.execvpe(command[0], command, {**os.environ, "TERM": term, "LC_ALL": "C.UTF-8", **environment})
        self.before = termios.tcgetattr(self.fd)

    def resize(self, lines, columns):
        self.screen = Screen(lines, columns)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def press(self, keys):
        os.write(self.fd, keys.encode())

    def read(self, timeout_s=0.0):
        """What has come until now. Return: False: nobody writes any more."""
        while select.select([self.fd], [], [], timeout_s)[0]:
            try:
                text = os.read(self.fd, 65536).decode(errors="replace")
            except OSError:  # EIO: the last writer has closed it
                return False
            if not text:
                return False
            self.raw += text
            self.screen.feed(text)
            timeout_s = 0.0
        return True

    def wait_until(self, condition, what):
        end = time.monotonic() + WAIT_S
        while True:
            alive = self.read(0.05)
            result = condition(self.screen)
            if result:
                return result
            assert alive and time.monotonic() < end, f"in vain for {what}:\n{self.screen.text()}\n{self.raw[-500:]!r}"

    def wait_for(self, pattern):
        """Returns the match on the screen."""
        return self.wait_until(lambda screen: re.search(pattern, screen.text(), re.M), pattern)

    def wait(self):
        """Until it ends. Returns the exit status, negative if a signal killed it."""
        end = time.monotonic() + WAIT_S
        while self.status is None:
            self.read(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
            assert time.monotonic() < end, f"it does not end:\n{self.screen.text()}"
        while self.read(0.2) and select.select([self.fd], [], [], 0)[0]:
            pass
        return self.status

    def kill(self, how):
        os.kill(self.pid, how)

    def settings(self):
        return termios.tcgetattr(self.fd)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.status is None:
            self.kill(signal.SIGKILL)
            self.wait()
        os.close(self.fd)
