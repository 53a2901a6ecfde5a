"""`tally station run` in a real terminal: however it ends, the terminal is given back."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time

import pytest

from tests.support.station_process import ANSWER_S, TALLY, enrolled


class Terminal:
    """A pty of 80x24 with the station in it."""

    def __init__(self, folder, *arguments):
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.before = termios.tcgetattr(self.slave)
        self.said = b""
        self.process = subprocess.Popen(
            [TALLY, "station", "run", str(folder), "--lang", "en", *arguments],
            stdin=self.slave,
            stdout=self.slave,
            stderr=subprocess.PIPE,
            start_new_session=True,
            env=os.environ | {"TERM": "xterm-256color"},
        )

    def read(self):
        """What is there within a moment."""
        if select.select([self.master], [], [], 0.05)[0]:
            self.said += os.read(self.master, 65536)

    def until(self, words):
        end = time.monotonic() + ANSWER_S
        while words not in self.said:
            assert time.monotonic() < end, self.said[-2000:]
            assert self.process.poll() is None, self.process.stderr.read()
            self.read()

    def end(self):
        """The exit status, reading on so that nobody waits for a full pipe."""
        end = time.monotonic() + ANSWER_S
        while self.process.poll() is None and time.monotonic() < end:
            self.read()
        self.read()
        return self.process.wait(1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stderr.close()
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def folder(tmp_path):
    return enrolled(tmp_path / "S03").folder


WAYS = {
    "Ctrl+Q": b"\x11",
    "Ctrl+C": b"\x03",
    "SIGTERM": signal.SIGTERM,
    "SIGINT": signal.SIGINT,
    "SIGHUP": signal.SIGHUP,
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_out_gives_the_terminal_back_and_says_nothing(folder, way):
    with Terminal(folder) as terminal:
        terminal.until(b"F12Out")
        if isinstance(WAYS[way], bytes):
            os.write(terminal.master, WAYS[way])
        else:
            terminal.process.send_signal(WAYS[way])
        assert terminal.end() == 0
        assert terminal.process.stderr.read() == b""
        assert b"\x1b[?1049l" in terminal.said  # back from the alternate screen
        assert termios.tcgetattr(terminal.slave) == terminal.before


def test_after_a_kill_the_same_step_returns_with_what_was_saved(folder):
    with Terminal(folder) as terminal:
        terminal.until(b"F12Out")
        os.write(terminal.master, b"BDG-1107\r")
        terminal.until(b"SIGNED IN")
        os.write(terminal.master, b"CTLNEXT\r")
        terminal.until(b"LABEL PRINTED")
        terminal.process.kill()
        terminal.end()
    with Terminal(folder) as terminal:
        terminal.until(b"RESTORED AFTER RESTART")
        terminal.until(b"Last saved: Label")
        assert b"step 2 of 6" in terminal.said


def test_plain_speaks_in_lines_also_in_a_terminal(folder):
    with Terminal(folder, "--plain") as terminal:
        terminal.until(b"Ctrl-D ends.")
        assert b"\x1b[" not in terminal.said


def test_a_practice_file_that_is_none_is_said_before_anything_is_drawn(folder):
    with Terminal(folder, "--practice", str(folder / "station.toml")) as terminal:
        assert terminal.end() == 1
        assert b"practice codes" in terminal.process.stderr.read()
        assert b"\x1b[?1049h" not in terminal.said


def test_a_station_that_runs_already_says_so_before_anything_is_drawn(folder):
    with Terminal(folder) as first:
        first.until(b"F12Out")
        with Terminal(folder) as second:
            assert second.end() == 1
            assert b"J-101" in second.process.stderr.read()
