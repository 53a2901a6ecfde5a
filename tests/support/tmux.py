"""A real terminal of a known size that a person could sit at: tmux on a server of its own.

`type` sends what a keyboard wedge sends, in one burst; `press` sends keys by tmux's names; `until`
waits for words on the screen and shows the whole screen when they do not come.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shlex
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import Self

LOOK_S = 0.05
WAIT_S = 60.0


class Terminal:
    """One window with one program; gone at the end, whatever the program does."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        columns: int = 80,
        lines: int = 24,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._server = f"tally-{os.getpid()}-{secrets.token_hex(4)}"
        # What comes after the program stays to be read: its last words, its exit status.
        line = f'{shlex.join(command)}; echo "[status $?]"; exec cat'
        pairs = [word for name, value in (env or {}).items() for word in ("-e", f"{name}={value}")]
        self._tmux(
            "-f", "/dev/null",
            "set-option", "-g", "default-terminal", "tmux-256color", ";",
            "set-option", "-ga", "terminal-features", ",*:RGB", ";",
            "set-option", "-g", "escape-time", "0", ";",
            "set-option", "-g", "focus-events", "on", ";",
            "set-option", "-g", "status", "off", ";",
            "new-session", "-d", "-x", str(columns), "-y", str(lines), *pairs, line,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the terminal and what runs in it: as when its window is closed."""
        with contextlib.suppress(subprocess.CalledProcessError):
            self._tmux("kill-server")

    def type(self, text: str) -> None:
        """Send text at once, as a scanner does; no Enter."""
        self._tmux("send-keys", "-l", text)

    def press(self, *keys: str) -> None:
        """Send keys by name: `Enter`, `F10`, `C-q`, `Right`."""
        self._tmux("send-keys", *keys)

    def resize(self, columns: int, lines: int) -> None:
        """Change the size of the window."""
        self._tmux("resize-window", "-x", str(columns), "-y", str(lines))

    def screen(self) -> str:
        """What stands on the screen, line by line."""
        return self._tmux("capture-pane", "-p")

    def coloured(self) -> str:
        """The same with escape sequences for colours, and with blanks at the ends of lines."""
        return self._tmux("capture-pane", "-p", "-e", "-N")

    def history(self) -> str:
        """All lines since the beginning, those that scrolled away too."""
        return self._tmux("capture-pane", "-p", "-S", "-")

    def flags(self, names: str) -> str:
        """Of the pane, what a tmux format says: `#{alternate_on}#{cursor_flag}`."""
        return self._tmux("display-message", "-p", names).strip()

    def until(self, *words: str, wait_s: float = WAIT_S) -> str:
        """Wait until all these words stand on the screen; the screen then."""
        end = time.monotonic() + wait_s
        screen = self.screen()
        while missing := [word for word in words if word not in screen]:
            if time.monotonic() > end:
                raise AssertionError(f"{missing} not on the screen in {wait_s:g} s:\n{screen}")
            time.sleep(LOOK_S)
            screen = self.screen()
        return screen

    def _tmux(self, *arguments: str) -> str:
        done = subprocess.run(
            ["tmux", "-L", self._server, *arguments], check=True, capture_output=True, timeout=30
        )
        return done.stdout.decode("utf-8", "replace")
