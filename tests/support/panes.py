"""A station's screen in a terminal: bursts as a scanner types them, and what is shown, by words.

Everything is waited for by looking again and again (`until`, `wait`); nothing sleeps in hope.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from pathlib import Path

from tests.support.tmux import Terminal

BYTES_A_WRITE = 4000
LOOK_S, WAIT_S = 0.02, 30.0
FRAMES = dict.fromkeys(map(ord, "│┃|─━═║╔╗╚╝┌┐└┘#"), " ")


class Pane(Terminal):
    """`tally station run DIR` in a window."""

    def __init__(self, folder, *options, columns=80, lines=24, env=None):
        command = ["tally", "station", "run", str(folder), *options]
        super().__init__(command, columns=columns, lines=lines, env=env)
        self._tmux("set-option", "-g", "remain-on-exit", "on")
        # Nobody sits at this terminal, and no test is about that.
        self._tmux("set-option", "-g", "focus-events", "off")

    def burst(self, *codes, end="\r"):
        """Codes as a scanner types them, all in one write."""
        raw = b"".join(one if isinstance(one, bytes) else f"{one}{end}".encode() for one in codes)
        for start in range(0, len(raw), BYTES_A_WRITE):
            some = raw[start : start + BYTES_A_WRITE]
            self._tmux("send-keys", "-H", *(f"{byte:02x}" for byte in some))

    def paste(self, text):
        """Text as a terminal pastes it, between the marks of a paste."""
        self._tmux("set-buffer", "--", text)
        self._tmux("paste-buffer", "-p", "-r")

    def rows(self):
        """What stands on the screen, row by row."""
        return self.screen().split("\n")[:-1]

    def joined(self):
        """What stands on the screen as one text: frames and runs of blanks are one blank."""
        return joined(self.screen())

    def wait(self, is_it, what):
        """Wait until `is_it` says yes to the screen as one text; the screen then."""
        end = time.monotonic() + WAIT_S
        while not is_it(joined(screen := self.screen())):
            if time.monotonic() > end:
                raise AssertionError(f"{what} not on the screen in {WAIT_S:g} s:\n{screen}")
            time.sleep(LOOK_S)
        return screen

    def see(self, *texts):
        """Wait until all texts stand on the screen, however they are broken into rows."""
        wanted = [squeezed(text) for text in texts]
        return self.wait(lambda shown: all(one in squeezed(shown) for one in wanted), repr(texts))

    def scan(self, code, *shown):
        """One burst; wait for what it is answered with."""
        self.burst(code)
        return self.see(*shown)

    def close(self):
        """Close the window and wait until the station has left: its folder is free then."""
        running = []
        with contextlib.suppress(subprocess.CalledProcessError, FileNotFoundError):
            running = [os.pidfd_open(pid) for pid in self._below_the_shell()]
        super().close()
        late = [one for one in running if not select.select([one], [], [], WAIT_S)[0]]
        for one in late:
            signal.pidfd_send_signal(one, signal.SIGKILL)
        for one in running:
            os.close(one)
        assert not late, f"the station still ran {WAIT_S:g} s after its window was closed"

    @property
    def pid(self):
        """Process id of the station."""
        children = self._below_the_shell()
        assert len(children) == 1, f"expected the station alone below the shell, found {children}"
        return children[0]

    def _below_the_shell(self):
        shell = self.flags("#{pane_pid}")
        children = Path(f"/proc/{shell}/task/{shell}/children").read_text("ascii")
        return [int(child) for child in children.split()]

    def kill(self):
        """End the station as a power cut would, and wait until it is gone."""
        os.kill(self.pid, signal.SIGKILL)
        self.until("[status 137]")

    def start_again(self):
        """The same station in the same terminal."""
        self._tmux("respawn-pane", "-k")
        self.wait(lambda shown: "[status" not in shown, "a new beginning")


def joined(text):
    """Text without frames, each run of blanks one blank."""
    return " ".join(text.translate(FRAMES).split())


def squeezed(text):
    """Text without frames, blanks and case: Han may be broken anywhere, titles are capitals."""
    return "".join(text.translate(FRAMES).split()).casefold()
